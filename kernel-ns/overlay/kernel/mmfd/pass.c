// SPDX-License-Identifier: GPL-2.0
/*
 * System calls of a guest that need not trap: the table of timens_pass.h, which
 * is the same that supervisors without mmfd filter by. They do not block, so
 * they never have to be restarted.
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

/**
 * mmfd_pass_call - Whether a guest's system call may go to the kernel
 * @pass:	MMFD_PASS_* that its virtual CPU has
 * @regs:	Registers at entry
 * @work:	Work of the entry
 *
 * Return: False if it has to trap. A call that a tracer, a filter or the audit of
 * the supervisor would see always has to: let the supervisor make it.
 */
bool mmfd_pass_call(u32 pass, struct pt_regs *regs, unsigned long work)
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
