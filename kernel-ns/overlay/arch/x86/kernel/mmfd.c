// SPDX-License-Identifier: GPL-2.0
/*
 * mmfd on x86-64: registers and other processor state at a crossing between home
 * and guest.
 *
 * What user code can change without a system call has to be saved and restored
 * here: general registers, flags, FS and GS base, selectors, PKRU, FPU. What it
 * cannot change and home may have set up, the guest would inherit: a task that
 * has such a thing is refused.
 */
#include <linux/cpufeature.h>
#include <linux/elf.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/mmfd.h>
#include <linux/perf_event.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/signal.h>
#include <uapi/linux/mmfd.h>

#include <asm/desc.h>
#include <asm/fpu/api.h>
#include <asm/fsgsbase.h>
#include <asm/gsseg.h>
#include <asm/mmfd.h>
#include <asm/pkru.h>
#include <asm/prctl.h>
#include <asm/segment.h>
#include <asm/shstk.h>
#include <asm/trap_pf.h>
#include <asm/trapnr.h>
#include <asm/vdso.h>
#include <asm/vdso/vsyscall.h>

/* What user code can set; the others are the kernel's. */
#define MMFD_FLAGS	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF |	\
			 X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_TF |	\
			 X86_EFLAGS_DF | X86_EFLAGS_OF | X86_EFLAGS_NT |	\
			 X86_EFLAGS_RF | X86_EFLAGS_AC | X86_EFLAGS_ID)
#define MMFD_FLAGS_SET	(X86_EFLAGS_FIXED | X86_EFLAGS_IF)

/* Tasks of 32 bits, with access to I/O ports, and stepped from branch to branch */
#define MMFD_TIF_REFUSED (_TIF_ADDR32 | _TIF_IO_BITMAP | _TIF_BLOCKSTEP)

static bool mmfd_is_mapped(unsigned long addr, unsigned long len)
{
	bool mapped;

	mmap_read_lock(current->mm);
	mapped = find_vma_intersection(current->mm, addr, addr + len);
	mmap_read_unlock(current->mm);
	return mapped;
}

/**
 * arch_mmfd_map_vdso - Map the vDSO and its data into current->mm
 * @addr:	Where
 * @len:	How much room there is
 *
 * Context: Process context after mmfd_use_mm(). May sleep.
 * Return: The distance from @addr to the ELF header, -ENOSPC if there is not room
 * enough, -EEXIST if it, or something else at that address, is mapped already,
 * -EPERM if nothing may be, -EOPNOTSUPP if the vDSO is disabled, -ENOMEM, -EINTR.
 */
int arch_mmfd_map_vdso(unsigned long addr, unsigned long len)
{
	unsigned long data = __VDSO_PAGES * PAGE_SIZE;
	struct mm_struct *mm = current->mm;
	int err;

	if (!vdso64_enabled)
		return -EOPNOTSUPP;
	if (len < data + vdso64_image.size)
		return -ENOSPC;
	if (mmfd_is_mapped(addr, data + vdso64_image.size))
		return -EEXIST;
	err = map_vdso_once(&vdso64_image, addr);
	if (err)
		return err;
	if (mm->context.vdso == (void __user *)(addr + data))
		return data;
	/* The address is one that is not given out, so it went somewhere else. */
	addr = (unsigned long)mm->context.vdso - data;
	mm->context.vdso = NULL;
	mm->context.vdso_image = NULL;
	vm_munmap(addr, data + vdso64_image.size);
	return -EPERM;
}

/**
 * arch_mmfd_ops_begin - Before changes of an address space that is not current's
 *
 * A mapping that may be executed and not read takes a protection key, and shuts
 * it in current's PKRU. That is home's, where the key may be another one.
 *
 * Return: What arch_mmfd_ops_end() takes.
 */
u32 arch_mmfd_ops_begin(void)
{
	return read_pkru();
}

/**
 * arch_mmfd_ops_end - After them
 * @pkru:	What arch_mmfd_ops_begin() has returned
 */
void arch_mmfd_ops_end(u32 pkru)
{
	write_pkru(pkru);
}

static bool mmfd_has_selectors(void)
{
	unsigned int ds, es, fs, gs;

	savesegment(ds, ds);
	savesegment(es, es);
	savesegment(fs, fs);
	savesegment(gs, gs);
	return ds | es | fs | gs;
}

static bool mmfd_has_segments(void)
{
	const u64 *tls = (void *)current->thread.tls_array;

	BUILD_BUG_ON(sizeof(current->thread.tls_array) != 3 * sizeof(*tls));
	return mmfd_has_selectors() || (tls[0] | tls[1] | tls[2]);
}

/*
 * Without DR7 none is enabled. One that is turned off stays where it is, for the
 * next time; and nobody turns it on while the task runs.
 */
static bool mmfd_has_breakpoints(void)
{
	struct thread_struct *thread = &current->thread;
	struct perf_event *bp;
	int i;

	if (likely(!thread->ptrace_dr7))
		return false;
	for (i = 0; i < HBP_NUM; i++) {
		bp = thread->ptrace_bps[i];
		if (bp && !bp->attr.disabled)
			return true;
	}
	return false;
}

static bool mmfd_has_shstk(void)
{
#ifdef CONFIG_X86_USER_SHADOW_STACK
	return current->thread.features & ARCH_SHSTK_SHSTK;
#else
	return false;
#endif
}

/**
 * arch_mmfd_check_task - Whether current can go inside
 *
 * Return: 0, or -EOPNOTSUPP: the processor uses FRED or is Xen's, or the task is
 * not a 64-bit one, uses segment selectors or entries of the GDT, has hardware
 * breakpoints of ptrace(), access to I/O ports, or a shadow stack, or is stepped
 * from branch to branch.
 */
int arch_mmfd_check_task(void)
{
	if (cpu_feature_enabled(X86_FEATURE_FRED) ||
	    cpu_feature_enabled(X86_FEATURE_XENPV))
		return -EOPNOTSUPP;
	if (!user_64bit_mode(current_pt_regs()) ||
	    read_thread_flags() & MMFD_TIF_REFUSED)
		return -EOPNOTSUPP;
	if (mmfd_has_segments() || mmfd_has_breakpoints() || mmfd_has_shstk())
		return -EOPNOTSUPP;
	return 0;
}

/* The registers that have to be checked */
struct mmfd_special {
	u64 rip;
	u64 cs;
	u64 ss;
	u64 eflags;
	struct mmfd_bases bases;
};

/* @r may change at any time: each register is read once. */
static bool mmfd_read_special(struct mmfd_special *s, const struct mmfd_regs *r)
{
	s->rip = READ_ONCE(r->rip);
	s->cs = READ_ONCE(r->cs) ?: __USER_CS;
	s->ss = READ_ONCE(r->ss) ?: __USER_DS;
	s->eflags = READ_ONCE(r->eflags);
	s->bases.fs = READ_ONCE(r->fs_base);
	s->bases.gs = READ_ONCE(r->gs_base);

	if ((s->cs != __USER_CS && s->cs != __USER32_CS) || s->ss != __USER_DS)
		return false;
	if (s->eflags & ~(MMFD_FLAGS | MMFD_FLAGS_SET) || s->rip >= TASK_SIZE_MAX)
		return false;
	return arch_mmfd_base_ok(s->bases.fs) && arch_mmfd_base_ok(s->bases.gs);
}

static void mmfd_load_regs(struct pt_regs *regs, const struct mmfd_regs *r,
			   const struct mmfd_special *s)
{
	regs->r15 = READ_ONCE(r->r15);
	regs->r14 = READ_ONCE(r->r14);
	regs->r13 = READ_ONCE(r->r13);
	regs->r12 = READ_ONCE(r->r12);
	regs->bp = READ_ONCE(r->rbp);
	regs->bx = READ_ONCE(r->rbx);
	regs->r11 = READ_ONCE(r->r11);
	regs->r10 = READ_ONCE(r->r10);
	regs->r9 = READ_ONCE(r->r9);
	regs->r8 = READ_ONCE(r->r8);
	regs->ax = READ_ONCE(r->rax);
	regs->cx = READ_ONCE(r->rcx);
	regs->dx = READ_ONCE(r->rdx);
	regs->si = READ_ONCE(r->rsi);
	regs->di = READ_ONCE(r->rdi);
	regs->orig_ax = -1;
	regs->ip = s->rip;
	regs->cs = s->cs;
	regs->flags = (s->eflags & MMFD_FLAGS) | MMFD_FLAGS_SET;
	regs->sp = READ_ONCE(r->rsp);
	regs->ss = s->ss;
}

static void mmfd_save_regs(struct mmfd_regs *r, const struct pt_regs *regs)
{
	r->r15 = regs->r15;
	r->r14 = regs->r14;
	r->r13 = regs->r13;
	r->r12 = regs->r12;
	r->rbp = regs->bp;
	r->rbx = regs->bx;
	r->r11 = regs->r11;
	r->r10 = regs->r10;
	r->r9 = regs->r9;
	r->r8 = regs->r8;
	r->rax = regs->ax;
	r->rcx = regs->cx;
	r->rdx = regs->dx;
	r->rsi = regs->si;
	r->rdi = regs->di;
	r->orig_rax = regs->orig_ax;
	r->rip = regs->ip;
	r->cs = regs->cs;
	r->eflags = regs->flags;
	r->rsp = regs->sp;
	r->ss = regs->ss;
}

/* Without FSGSBASE a context switch trusts thread's. */
static __always_inline void mmfd_swap_bases(struct mmfd_bases *old,
					    const struct mmfd_bases *new)
{
	current->thread.fsbase = new->fs;
	current->thread.gsbase = new->gs;
	old->fs = x86_fsbase_read_cpu();
	x86_fsbase_write_cpu(new->fs);
	old->gs = x86_gsbase_swap_cpu_inactive(new->gs);
}

/* Selectors are 0 then: those of home, see mmfd_has_segments(). */
static void mmfd_swap_segments(struct mmfd_bases *old, const struct mmfd_bases *new)
{
	struct mmfd_bases none;

	mmfd_swap_bases(old, new);
	if (likely(!mmfd_has_selectors()))
		return;
	loadsegment(ds, 0);
	loadsegment(es, 0);
	loadsegment(fs, 0);
	load_gs_index(0);
	/* That may have changed the bases. */
	mmfd_swap_bases(&none, new);
}

static void mmfd_save_traps(struct mmfd_arch *arch)
{
	struct thread_struct *thread = &current->thread;

	arch->cr2 = thread->cr2;
	arch->trap_nr = thread->trap_nr;
	arch->error_code = thread->error_code;
	arch->virtual_dr6 = thread->virtual_dr6;
	thread->cr2 = 0;
	thread->trap_nr = MMFD_VECTOR_NONE;
	thread->error_code = 0;
}

static void mmfd_restore_traps(const struct mmfd_arch *arch)
{
	struct thread_struct *thread = &current->thread;

	thread->cr2 = arch->cr2;
	thread->trap_nr = arch->trap_nr;
	thread->error_code = arch->error_code;
	thread->virtual_dr6 = arch->virtual_dr6;
}

/**
 * arch_mmfd_enter - Put home's processor state away and load a guest's
 * @arch:	The guest's virtual CPU
 * @r:		Registers, which may change at any time
 * @regs:	current_pt_regs()
 *
 * Context: Interrupts off.
 * Return: 0, or -EINVAL if user code cannot have such registers; nothing has
 * changed then.
 */
int arch_mmfd_enter(struct mmfd_arch *arch, const struct mmfd_regs *r,
		    struct pt_regs *regs)
{
	struct mmfd_special special;

	if (!mmfd_read_special(&special, r))
		return -EINVAL;
	arch->home = *regs;
	mmfd_load_regs(regs, r, &special);
	mmfd_save_traps(arch);

	if (arch->fpstate)
		arch->fpstate = fpu_swap_user_fpstate(arch->fpstate);
	mmfd_swap_bases(&arch->bases, &special.bases);
	arch->pkru = read_pkru();
	write_pkru(pkru_get_init_value());
	return 0;
}

/**
 * arch_mmfd_leave - Put a guest's processor state away and load home's
 * @arch:	The guest's virtual CPU
 * @r:		Gets the guest's registers
 * @regs:	current_pt_regs(); mmfd_run() returns 0 with them
 *
 * Context: Interrupts off.
 */
void arch_mmfd_leave(struct mmfd_arch *arch, struct mmfd_regs *r,
		     struct pt_regs *regs)
{
	struct mmfd_bases bases;

	mmfd_save_regs(r, regs);
	*regs = arch->home;
	regs->ax = 0;
	current_thread_info()->status &= ~TS_COMPAT;
	/* What it has called must not be where home speculates to return. */
	mmfd_fill_rsb();
	mmfd_restore_traps(arch);

	if (arch->fpstate)
		arch->fpstate = fpu_swap_user_fpstate(arch->fpstate);
	mmfd_swap_segments(&bases, &arch->bases);
	r->fs_base = bases.fs;
	r->gs_base = bases.gs;
	write_pkru(arch->pkru);
}

/**
 * arch_mmfd_trap - Describe an exception
 * @run:	Where to
 * @info:	The signal that it would have been
 *
 * Return: MMFD_EXIT_FAULT or MMFD_EXIT_EXCEPTION.
 */
u32 arch_mmfd_trap(struct mmfd_run *run, struct kernel_siginfo *info)
{
	struct thread_struct *thread = &current->thread;
	bool fault = thread->trap_nr == X86_TRAP_PF;

	run->vector = thread->trap_nr;
	run->error_code = thread->error_code;
	run->addr = fault ? thread->cr2 : (unsigned long)info->si_addr;
	return fault ? MMFD_EXIT_FAULT : MMFD_EXIT_EXCEPTION;
}

/**
 * arch_mmfd_interrupted - Describe a run that is over for another reason
 * @run:	Where to
 * @regs:	The guest's registers
 *
 * A guest that has just jumped out of user space faults before its next
 * instruction. Let it have done so: it could not be entered again.
 *
 * Return: MMFD_EXIT_INTERRUPTED or MMFD_EXIT_FAULT.
 */
u32 arch_mmfd_interrupted(struct mmfd_run *run, const struct pt_regs *regs)
{
	if (likely(regs->ip < TASK_SIZE_MAX))
		return MMFD_EXIT_INTERRUPTED;
	run->vector = X86_TRAP_PF;
	run->error_code = X86_PF_PROT | X86_PF_USER | X86_PF_INSTR;
	run->addr = regs->ip;
	run->signo = SIGSEGV;
	run->code = SEGV_MAPERR;
	return MMFD_EXIT_FAULT;
}
