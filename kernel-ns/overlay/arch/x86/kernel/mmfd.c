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
#include <linux/err.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/mmfd.h>
#include <linux/perf_event.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
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

/**
 * arch_mmfd_init - Make the processor state of a virtual CPU
 * @arch:	Zeroed
 * @own_xstate:	Whether its FPU registers are not those of home
 *
 * Return: 0 or -ENOMEM.
 */
int arch_mmfd_init(struct mmfd_arch *arch, bool own_xstate)
{
	if (!own_xstate)
		return 0;
	arch->fpstate = fpu_alloc_user_fpstate();
	return arch->fpstate ? 0 : -ENOMEM;
}

/**
 * arch_mmfd_destroy - Free it
 * @arch:	Of a virtual CPU that nobody is inside of
 */
void arch_mmfd_destroy(struct mmfd_arch *arch)
{
	fpu_free_user_fpstate(arch->fpstate);
}

/* Return: How many bytes go to or come from user space, or an error. */
static long mmfd_xstate_size(const struct mmfd_arch *arch, u32 size)
{
	u32 need;

	if (!arch->fpstate)
		return -EOPNOTSUPP;
	need = fpu_user_fpstate_size(arch->fpstate);
	if (!need)
		return -EOPNOTSUPP;
	if (size < need)
		return -ENOSPC;
	return need;
}

/**
 * arch_mmfd_get_xstate - Copy a guest's FPU registers to user space
 * @arch:	Of a virtual CPU that nobody can enter meanwhile
 * @buf:	Gets them, as the regset NT_X86_XSTATE
 * @size:	Room there, in bytes
 *
 * Context: Process context. May sleep.
 * Return: How many bytes these are; or -ENOSPC if there is not room enough, -EFAULT,
 * -ENOMEM, -EOPNOTSUPP if the registers are home's or the processor has no XSAVE.
 */
long arch_mmfd_get_xstate(struct mmfd_arch *arch, void __user *buf, u32 size)
{
	long len = mmfd_xstate_size(arch, size);
	void *copy;

	if (len < 0)
		return len;
	copy = kvzalloc(len, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	fpu_copy_user_fpstate_to_uabi(arch->fpstate, copy);
	if (copy_to_user(buf, copy, len))
		len = -EFAULT;
	kvfree(copy);
	return len;
}

/**
 * arch_mmfd_set_xstate - Copy a guest's FPU registers from user space
 * @arch:	Of a virtual CPU that nobody can enter meanwhile
 * @buf:	Has them, as the regset NT_X86_XSTATE
 * @size:	How much there is, in bytes
 *
 * Context: Process context. May sleep.
 * Return: 0; or -EINVAL if the processor cannot have such registers, or else as
 * arch_mmfd_get_xstate(); nothing has changed then.
 */
long arch_mmfd_set_xstate(struct mmfd_arch *arch, const void __user *buf, u32 size)
{
	long ret = mmfd_xstate_size(arch, size);
	void *copy;

	if (ret < 0)
		return ret;
	copy = vmemdup_user(buf, ret);
	if (IS_ERR(copy))
		return PTR_ERR(copy);
	ret = fpu_copy_uabi_to_user_fpstate(arch->fpstate, copy);
	kvfree(copy);
	return ret;
}

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

static bool mmfd_has_segments(void)
{
	struct desc_struct *tls = current->thread.tls_array;
	unsigned int ds, es, fs, gs;

	BUILD_BUG_ON(GDT_ENTRY_TLS_ENTRIES != 3);
	savesegment(ds, ds);
	savesegment(es, es);
	savesegment(fs, fs);
	savesegment(gs, gs);
	return ds | es | fs | gs || !desc_empty(&tls[0]) ||
	       !desc_empty(&tls[1]) || !desc_empty(&tls[2]);
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

/*
 * With FSGSBASE user code can set any base that is canonical by the page tables in
 * use, whatever the processor could do. Without, the kernel takes a GS base in the
 * upper half for its own.
 */
static bool mmfd_base_ok(u64 base)
{
	if (boot_cpu_has(X86_FEATURE_FSGSBASE))
		return __is_canonical_address(base, __VIRTUAL_MASK_SHIFT + 1);
	return base < TASK_SIZE_MAX;
}

/* The registers that have to be checked */
struct mmfd_special {
	u64 rip;
	u64 cs;
	u64 ss;
	u64 eflags;
	u64 fs_base;
	u64 gs_base;
};

/* @r may change at any time: each register is read once. */
static bool mmfd_read_special(struct mmfd_special *s, const struct mmfd_regs *r)
{
	s->rip = READ_ONCE(r->rip);
	s->cs = READ_ONCE(r->cs) ?: __USER_CS;
	s->ss = READ_ONCE(r->ss) ?: __USER_DS;
	s->eflags = READ_ONCE(r->eflags);
	s->fs_base = READ_ONCE(r->fs_base);
	s->gs_base = READ_ONCE(r->gs_base);

	if ((s->cs != __USER_CS && s->cs != __USER32_CS) || s->ss != __USER_DS)
		return false;
	if (s->eflags & ~(MMFD_FLAGS | MMFD_FLAGS_SET) || s->rip >= TASK_SIZE_MAX)
		return false;
	return mmfd_base_ok(s->fs_base) && mmfd_base_ok(s->gs_base);
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

/* From one pair to another; without FSGSBASE a context switch trusts thread's. */
static void mmfd_write_bases(unsigned long fsbase, unsigned long gsbase,
			     unsigned long old_gsbase)
{
	current->thread.fsbase = fsbase;
	current->thread.gsbase = gsbase;
	x86_fsbase_write_cpu(fsbase);
	if (gsbase != old_gsbase)
		x86_gsbase_write_cpu_inactive(gsbase);
}

/*
 * Home's selectors are 0, see mmfd_has_segments().
 *
 * Return: True if the bases may have changed by it.
 */
static bool mmfd_reset_selectors(void)
{
	unsigned int ds, es, fs, gs;

	savesegment(ds, ds);
	savesegment(es, es);
	savesegment(fs, fs);
	savesegment(gs, gs);
	if (likely(!(ds | es | fs | gs)))
		return false;
	loadsegment(ds, 0);
	loadsegment(es, 0);
	loadsegment(fs, 0);
	load_gs_index(0);
	return true;
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

	guard(irqsave)();
	if (arch->fpstate)
		arch->fpstate = fpu_swap_user_fpstate(arch->fpstate);
	arch->fsbase = x86_fsbase_read_cpu();
	arch->gsbase = x86_gsbase_read_cpu_inactive();
	mmfd_write_bases(special.fs_base, special.gs_base, arch->gsbase);
	arch->pkru = read_pkru();
	write_pkru(pkru_get_init_value());
	return 0;
}

/**
 * arch_mmfd_leave - Put a guest's processor state away and load home's
 * @arch:	The guest's virtual CPU
 * @r:		Gets the guest's registers
 * @regs:	current_pt_regs(); mmfd_run() returns 0 with them
 */
void arch_mmfd_leave(struct mmfd_arch *arch, struct mmfd_regs *r,
		     struct pt_regs *regs)
{
	unsigned long gsbase;

	mmfd_save_regs(r, regs);
	*regs = arch->home;
	regs->ax = 0;
	current_thread_info()->status &= ~TS_COMPAT;
	/* What it has called must not be where home speculates to return. */
	mmfd_fill_rsb();
	mmfd_restore_traps(arch);

	guard(irqsave)();
	if (arch->fpstate)
		arch->fpstate = fpu_swap_user_fpstate(arch->fpstate);
	r->fs_base = x86_fsbase_read_cpu();
	gsbase = x86_gsbase_read_cpu_inactive();
	r->gs_base = gsbase;
	if (mmfd_reset_selectors())
		gsbase = ~arch->gsbase;
	mmfd_write_bases(arch->fsbase, arch->gsbase, gsbase);
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
