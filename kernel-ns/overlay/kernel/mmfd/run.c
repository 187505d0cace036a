// SPDX-License-Identifier: GPL-2.0
/*
 * mmfd_run(): into a guest, and home again.
 *
 * The system call loads the guest's registers into task_pt_regs() and returns.
 * The guest comes back by one of the hooks in include/linux/mmfd.h, which put the
 * registers of the system call back; so home sees a call that has returned.
 */
#include <linux/audit.h>
#include <linux/entry-common.h>
#include <linux/file.h>
#include <linux/rseq.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/signal.h>
#include <linux/syscalls.h>
#include <linux/uprobes.h>

#include <asm/syscall.h>

#include "mmfd.h"

/*
 * The area that rseq has registered is at home, so nothing may be written to it
 * inside: hide it, and make up for a missed context switch on the way home.
 */
static void mmfd_rseq_hide(struct mmfd_vcpu *vcpu)
{
#ifdef CONFIG_RSEQ
	vcpu->rseq = current->rseq.event.all;
	current->rseq.event.all = 0;
	vcpu->switches = current->nvcsw + current->nivcsw;
#ifdef CONFIG_RSEQ_SLICE_EXTENSION
	vcpu->rseq_slice = current->rseq.slice.state.state;
	current->rseq.slice.state.state = 0;
#endif
#endif
}

static void mmfd_rseq_show(struct mmfd_vcpu *vcpu)
{
#ifdef CONFIG_RSEQ
	current->rseq.event.all = vcpu->rseq;
#ifdef CONFIG_RSEQ_SLICE_EXTENSION
	current->rseq.slice.state.state = vcpu->rseq_slice;
#endif
	if (current->rseq.event.sched_switch ||
	    vcpu->switches != current->nvcsw + current->nivcsw)
		rseq_force_update();
#endif
}

static int mmfd_enter(struct mmfd_vcpu *vcpu)
{
	int err;

	guard(irq)();
	err = arch_mmfd_enter(&vcpu->arch, &vcpu->run->regs, current_pt_regs());
	if (err)
		return err;
	vcpu->trap = MMFD_EXIT_NONE;
	mmfd_rseq_hide(vcpu);
	current->mmfd_vcpu = vcpu;
	mmfd_set_mm(vcpu->space->mm, current->mm);
	set_syscall_work(MMFD);
	return 0;
}

/* Go home: current's system call mmfd_run() has returned 0. */
static void mmfd_leave(struct mmfd_vcpu *vcpu, u32 reason)
{
	clear_syscall_work(MMFD);
	scoped_guard(irq) {
		mmfd_set_mm(current->mmfd_home, NULL);
		current->mmfd_vcpu = NULL;
		mmfd_rseq_show(vcpu);
		arch_mmfd_leave(&vcpu->arch, &vcpu->run->regs, current_pt_regs());
	}
	membarrier_mm_sync_core_before_usermode(current->mm);
	WRITE_ONCE(vcpu->run->reason, reason);
	mmfd_vcpu_drop(vcpu);
}

/**
 * mmfd_leave_syscall - Go home with a system call of a guest
 * @vcpu:	The guest's virtual CPU
 * @regs:	Its registers; those of mmfd_run() afterwards
 */
void mmfd_leave_syscall(struct mmfd_vcpu *vcpu, struct pt_regs *regs)
{
	struct mmfd_run *run = vcpu->run;

	static_assert(sizeof(run->args[0]) == sizeof(unsigned long));
	syscall_get_arguments(current, regs, (unsigned long *)run->args);
	run->nr = syscall_get_nr(current, regs);
	run->arch = syscall_get_arch(current);
	syscall_rollback(current, regs);
	mmfd_leave(vcpu, MMFD_EXIT_SYSCALL);
}

/**
 * mmfd_exit_work - A guest is about to go on, and there is work to do before
 * @regs:	Its registers; those of mmfd_run() afterwards
 *
 * The work is home's, so go there, and through what is left of the system call.
 */
void mmfd_exit_work(struct pt_regs *regs)
{
	struct mmfd_vcpu *vcpu = current->mmfd_vcpu;

	mmfd_leave(vcpu, vcpu->trap ?: arch_mmfd_interrupted(vcpu->run, regs));
	syscall_exit_to_user_mode_work(regs);
}

/**
 * mmfd_divert_signal - Take an exception of a guest from the signals
 * @info:	The signal that current would get
 *
 * Context: As force_sig_info().
 * Return: True if the exception is the guest's, and its supervisor gets it.
 */
bool mmfd_divert_signal(struct kernel_siginfo *info)
{
	struct mmfd_vcpu *vcpu = current->mmfd_vcpu;

	if (sig_kernel_only(info->si_signo))
		return false;
	/* One at a time: what comes of handling the first one is not news. */
	if (!vcpu->trap) {
		vcpu->run->signo = info->si_signo;
		vcpu->run->code = info->si_code;
		vcpu->trap = arch_mmfd_trap(vcpu->run, info);
	}
	set_thread_flag(TIF_NOTIFY_RESUME);
	return true;
}

void __mmfd_task_exit(void)
{
	struct mmfd_vcpu *vcpu = current->mmfd_vcpu;

	if (vcpu)
		mmfd_leave(vcpu, MMFD_EXIT_INTERRUPTED);
	else
		mmfd_unuse_mm();
}

static bool mmfd_reserved_is_set(const struct mmfd_run *run, u32 trap)
{
	u32 bits = trap & ~MMFD_PASS_ALL;
	int i;

	for (i = 0; i < ARRAY_SIZE(run->reserved0); i++)
		bits |= READ_ONCE(run->reserved0[i]);
	return bits;
}

/* A uprobe at home that steps over the call would take the guest's steps for it. */
static bool mmfd_has_uprobe(void)
{
#ifdef CONFIG_UPROBES
	return current->utask && current->utask->active_uprobe;
#else
	return false;
#endif
}

/* Return: 1 inside, 0 if there is to be an exit at once, or an error. */
static int mmfd_begin(struct mmfd_vcpu *vcpu)
{
	u32 trap = READ_ONCE(vcpu->run->trap);
	int err;

	if (mmfd_reserved_is_set(vcpu->run, trap))
		return -EINVAL;
	vcpu->passing = vcpu->pass & ~trap;
	err = mmfd_has_uprobe() ? -EOPNOTSUPP : arch_mmfd_check_task();
	if (err)
		return err;
	if (READ_ONCE(vcpu->run->immediate_exit)) {
		vcpu->run->reason = MMFD_EXIT_INTERRUPTED;
		return 0;
	}
	return mmfd_enter(vcpu) ?: 1;
}

/**
 * sys_mmfd_run - Run a virtual CPU until it traps
 * @fd:		Its descriptor
 * @flags:	0
 *
 * Return: 0, with the reason and the registers in the run page. -EBADF, -EINVAL
 * if @fd is something else, @flags are not 0, or the run page has registers that
 * user code cannot have; -EBUSY if a task is inside; -EOPNOTSUPP if the task or
 * the processor has state that mmfd does not handle, see arch_mmfd_check_task(),
 * or there is a uprobe on the call.
 */
SYSCALL_DEFINE2(mmfd_run, int, fd, unsigned int, flags)
{
	struct mmfd_vcpu *vcpu;
	int ret;

	if (flags)
		return -EINVAL;

	CLASS(fd, f)(fd);
	if (fd_empty(f))
		return -EBADF;
	vcpu = mmfd_vcpu_of(fd_file(f));
	if (!vcpu)
		return -EINVAL;
	if (!mmfd_vcpu_claim(vcpu))
		return -EBUSY;
	ret = mmfd_begin(vcpu);
	if (ret > 0)
		return regs_return_value(current_pt_regs());
	mmfd_vcpu_release(vcpu);
	return ret;
}
