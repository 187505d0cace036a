/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mmfd: the part of a crossing that is the processor's.
 */
#ifndef _ASM_X86_MMFD_H
#define _ASM_X86_MMFD_H

#include <linux/cpufeature.h>
#include <linux/types.h>

#include <asm/page.h>
#include <asm/ptrace.h>

struct fpstate;
struct kernel_siginfo;
struct mmfd_regs;
struct mmfd_run;

/**
 * struct mmfd_bases - What user code can set without a system call
 * @fs:	FS base
 * @gs:	GS base
 */
struct mmfd_bases {
	unsigned long	fs;
	unsigned long	gs;
};

/**
 * struct mmfd_arch - Processor state of the side that is not running
 * @home:	Registers of home while inside
 * @bases:	Home's, while inside
 * @cr2:	thread_struct::cr2 of home, while inside
 * @trap_nr:	thread_struct::trap_nr of home, while inside
 * @error_code:	thread_struct::error_code of home, while inside
 * @virtual_dr6: thread_struct::virtual_dr6 of home, while inside
 * @pkru:	Home's, while inside
 * @fpstate:	The guest's FPU registers, but home's while inside; NULL if they are
 *		those of home
 */
struct mmfd_arch {
	struct pt_regs	home;
	struct mmfd_bases bases;
	unsigned long	cr2;
	unsigned long	trap_nr;
	unsigned long	error_code;
	unsigned long	virtual_dr6;
	u32		pkru;
	struct fpstate	*fpstate;
};

int arch_mmfd_map_vdso(unsigned long addr, unsigned long len);
int arch_mmfd_init(struct mmfd_arch *arch, bool own_xstate);
void arch_mmfd_destroy(struct mmfd_arch *arch);
long arch_mmfd_get_xstate(struct mmfd_arch *arch, void __user *buf, u32 size);
long arch_mmfd_set_xstate(struct mmfd_arch *arch, const void __user *buf, u32 size);
int arch_mmfd_check_task(void);
u32 arch_mmfd_ops_begin(void);
void arch_mmfd_ops_end(u32 pkru);
void mmfd_fill_rsb(void);
int arch_mmfd_enter(struct mmfd_arch *arch, const struct mmfd_regs *r,
		    struct pt_regs *regs);
void arch_mmfd_leave(struct mmfd_arch *arch, struct mmfd_regs *r,
		     struct pt_regs *regs);
u32 arch_mmfd_trap(struct mmfd_run *run, struct kernel_siginfo *info);
u32 arch_mmfd_interrupted(struct mmfd_run *run, const struct pt_regs *regs);

/**
 * arch_mmfd_base_ok - Whether user code can have this FS or GS base
 * @base:	The base
 *
 * With FSGSBASE user code can set any base that is canonical by the page tables in
 * use, whatever the processor could do. Without, the kernel takes a GS base in the
 * upper half for its own.
 */
static inline bool arch_mmfd_base_ok(u64 base)
{
	if (likely(base < TASK_SIZE_MAX))
		return true;
	return boot_cpu_has(X86_FEATURE_FSGSBASE) &&
	       __is_canonical_address(base, __VIRTUAL_MASK_SHIFT + 1);
}

/* The registers are no longer those of a system call. */
static inline void arch_mmfd_syscall_done(struct pt_regs *regs)
{
	regs->orig_ax = -1;
}

#endif /* _ASM_X86_MMFD_H */
