// SPDX-License-Identifier: GPL-2.0
/*
 * System calls of a guest: home, or to the kernel for those that need not trap.
 * These are in the table of timens_pass.h, the same that supervisors without mmfd
 * filter by. They do not block, so they never have to be restarted.
 */
#include <linux/entry-common.h>
#include <linux/ptrace.h>
#include <uapi/linux/timens_pass.h>

#include <asm/syscall.h>
#include <asm/unistd.h>

#include "mmfd.h"

/* These would be the supervisor's, about calls that it does not make. */
#define MMFD_PASS_NO_WORK	(SYSCALL_WORK_SECCOMP |		\
				 SYSCALL_WORK_SYSCALL_TRACE |	\
				 SYSCALL_WORK_SYSCALL_EMU |	\
				 SYSCALL_WORK_SYSCALL_AUDIT)

#define MMFD_BIT_gettimeofday	MMFD_PASS_GETTIMEOFDAY
#define MMFD_BIT_clock_gettime	MMFD_PASS_CLOCK_GETTIME
#define MMFD_BIT_time		MMFD_PASS_TIME
#define MMFD_BIT_settimeofday	MMFD_PASS_SETTIMEOFDAY

/* A pointer that is not the guest's makes the call fail, and then it traps. */
#define MMFD_ARG_PTR(arg)	true
#define MMFD_ARG_NONE(arg)	true
#define MMFD_ARG_ZERO(arg)	((arg) == 0)
#define MMFD_ARG_CLOCK(arg)	mmfd_pass_clock(arg)

static bool mmfd_pass_clock(unsigned long clock)
{
#define MMFD_CLOCK(ctx, name, id, left)	case id:
	switch (clock) {
	TIMENS_PASS_CLOCKS(MMFD_CLOCK, 0)
		return true;
	default:
		return false;
	}
}

/*
 * Whether the call may go to the kernel. Not one that a tracer, a filter or the
 * audit of the supervisor would see: let the supervisor make it.
 */
static bool mmfd_pass_call(u32 pass, struct pt_regs *regs, unsigned long work)
{
	unsigned long args[6];

	if (!pass || work & MMFD_PASS_NO_WORK ||
	    syscall_get_arch(current) != SECCOMP_ARCH_NATIVE)
		return false;
	syscall_get_arguments(current, regs, args);

#define MMFD_CALL(ctx, call, kind0, kind1)				\
	if (regs->orig_ax == __NR_##call) {				\
		return pass & MMFD_BIT_##call &&			\
		       MMFD_ARG_##kind0(args[0]) && MMFD_ARG_##kind1(args[1]); \
	}
	TIMENS_PASS_CALLS(MMFD_CALL, 0)
	return false;
}

/* Return: @ret, so that it is the last thing that a caller does. */
static noinline bool mmfd_go_home(struct pt_regs *regs, bool ret)
{
	mmfd_leave_syscall(current->mmfd_vcpu, regs);
	return ret;
}

/**
 * mmfd_syscall_enter - A guest makes a system call
 * @regs:	Its registers
 * @work:	SYSCALL_WORK_*
 *
 * Return: True if it is to be made, and nobody at home to know of it. False if
 * current is at home now; @regs are what mmfd_run() returns with.
 */
bool mmfd_syscall_enter(struct pt_regs *regs, unsigned long work)
{
	if (mmfd_pass_call(current->mmfd_vcpu->passing, regs, work))
		return true;
	return mmfd_go_home(regs, false);
}

/**
 * mmfd_syscall_exit - A guest is about to return from a system call
 * @regs:	Its registers
 *
 * It comes from mmfd_run(), or from a call that passed. Where the supervisor may
 * know better, it gets a call that failed as if it had trapped: it maps the page,
 * or judges who called.
 *
 * Return: True if current is at home now, at the end of mmfd_run().
 */
bool mmfd_syscall_exit(struct pt_regs *regs)
{
	long ret = regs_return_value(regs);

	if (syscall_get_nr(current, regs) == -1)
		return false;
	if (unlikely(ret == -EFAULT || ret == -EPERM))
		return mmfd_go_home(regs, true);
	arch_mmfd_syscall_done(regs);
	return false;
}
