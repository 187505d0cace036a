// SPDX-License-Identifier: GPL-2.0
/*
 * timeclock: nothing passes any more once the guest's clock is not the
 * namespace's.
 *
 * A namespace's clocks have the host's rate and TAI offset, and no leap seconds
 * of their own. A guest that gives its clock others leaves the namespace's for
 * good. A stub that is in guest code on another CPU then could read the one
 * clock after somebody else has read the other; so before the guest's clock
 * changes, every CPU is made to leave guest code.
 *
 * See Documentation/virt/uml/timeclock.rst.
 */

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/security.h>
#include <linux/timex.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>
#include <asm/unistd.h>
#include <timeclock.h>

static bool revoked;

/* Who changes the clock waits for who is about to, and has revoked already */
static DEFINE_MUTEX(leave_mutex);

/**
 * timeclock_revoke() - From now on nothing passes
 *
 * It is in force for a task when that returns to user mode next, but for a call
 * of the vDSO that it was in the middle of.
 *
 * Context: Any.
 */
void timeclock_revoke(void)
{
	WRITE_ONCE(revoked, true);
	um_vdso_set_host_clocks(0);
}

/**
 * timeclock_is_revoked() - Does nothing pass any more?
 */
bool timeclock_is_revoked(void)
{
	return READ_ONCE(revoked);
}

static void nothing(struct work_struct *work)
{
}

/* Is it a request that gives the clock another rate, TAI offset, or a leap second? */
static bool changes_clock(const struct __kernel_timex *txc)
{
	struct __kernel_timex now = { };
	unsigned int modes = txc->modes;

	if (do_adjtimex(&now) < 0)
		return true;
	if (modes & ADJ_ADJTIME)
		return txc->offset && !(modes & ADJ_OFFSET_READONLY);

	return (modes & ADJ_FREQUENCY && txc->freq != now.freq) ||
	       (modes & ADJ_TICK && txc->tick != now.tick) ||
	       (modes & ADJ_OFFSET && txc->offset) ||
	       (modes & ADJ_TAI && txc->constant != now.tai) ||
	       (modes & ADJ_STATUS && txc->status & (STA_INS | STA_DEL));
}

/* A work item runs on a CPU when that has left the task that it was running. */
static void before_adjtimex(const void __user *request)
{
	struct __kernel_timex txc;

	if (security_capable(current_cred(), &init_user_ns, CAP_SYS_TIME, CAP_OPT_NOAUDIT) ||
	    copy_from_user(&txc, request, sizeof(txc)))
		return;

	guard(mutex)(&leave_mutex);

	if (timeclock_is_revoked() || !changes_clock(&txc))
		return;

	timeclock_revoke();
	if (schedule_on_each_cpu(nothing))
		pr_warn_once("timeclock: no memory to stop all CPUs\n");
}

/**
 * __timeclock_before_syscall() - Current is about to do a system call
 * @nr:		its number
 * @arg1:	its first argument
 * @arg2:	its second argument
 *
 * A task that changes the request meanwhile gets it done all the same; other
 * CPUs then leave guest code with their next tick.
 *
 * Context: Process context, may sleep.
 */
void __timeclock_before_syscall(long nr, unsigned long arg1, unsigned long arg2)
{
	if (nr == __NR_adjtimex)
		before_adjtimex((const void __user *)arg1);
	else if (nr == __NR_clock_adjtime && (clockid_t)arg1 == CLOCK_REALTIME)
		before_adjtimex((const void __user *)arg2);
}
