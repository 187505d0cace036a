// SPDX-License-Identifier: GPL-2.0
/*
 * timeclock: coarse clocks that are read by a call that does not pass.
 *
 * A coarse clock shows the time of a tick. The namespace's shows that of the
 * host's ticks, which the vDSO and passed calls read; the guest kernel's own
 * ticks are at other moments. So what the guest kernel answers for its tasks is
 * the namespace's coarse clock as well.
 *
 * See Documentation/virt/uml/timeclock.rst.
 */

#include <linux/nsproxy.h>
#include <linux/sched.h>
#include <linux/time.h>
#include <linux/time_namespace.h>
#include <linux/uaccess.h>
#include <asm/unistd.h>
#include <os.h>
#include <timeclock.h>

static long coarse_time(void __user *where)
{
	__kernel_old_time_t now = os_timeclock_coarse(CLOCK_REALTIME_COARSE) / NSEC_PER_SEC;

	if (where && put_user(now, (__kernel_old_time_t __user *)where))
		return -EFAULT;
	return now;
}

static long coarse_gettime(clockid_t clock, void __user *where)
{
	struct timespec64 now = ns_to_timespec64(os_timeclock_coarse(clock));

	return put_timespec64(&now, where);
}

/**
 * __timeclock_coarse_call() - Answer a call that reads one of the coarse clocks
 * @nr:		its number
 * @arg1:	its first argument
 * @arg2:	its second argument
 * @ret:	gets what it returns
 *
 * Context: Process context, may sleep.
 *
 * Return: False if it is another call, or the namespace's clock is not current's.
 */
bool __timeclock_coarse_call(long nr, unsigned long arg1, unsigned long arg2, long *ret)
{
	clockid_t clock = (clockid_t)arg1;

	if (nr != __NR_time &&
	    (nr != __NR_clock_gettime ||
	     (clock != CLOCK_REALTIME_COARSE && clock != CLOCK_MONOTONIC_COARSE)))
		return false;
	if (timeclock_is_revoked())
		return false;
	if (IS_ENABLED(CONFIG_TIME_NS) && current->nsproxy->time_ns != &init_time_ns)
		return false;

	*ret = nr == __NR_time ? coarse_time((void __user *)arg1) :
				 coarse_gettime(clock, (void __user *)arg2);
	return true;
}
