// SPDX-License-Identifier: GPL-2.0
/*
 * Timers that follow the wall clock of a time namespace.
 *
 * A timer on CLOCK_REALTIME of the host follows it because the offset of its clock
 * base changes with a step. Namespaces have no clock bases: in one with a clock of
 * its own, an absolute timer counts CLOCK_MONOTONIC, which no step of the host
 * moves, and is on a list of its namespace. Who sets that clock then restarts what
 * is on the list.
 *
 * Locking and lifetime:
 *
 * - A waiter is on the list of its bucket if, and only if, its timer is armed, and
 *   that is decided under the bucket's lock. A setter touches what is on a list,
 *   under the lock. So once its owner has it off the list, the owner is alone with
 *   it, and may free it after the timer's callback has returned.
 * - A timer is started under the lock by the clock as it is then. A setter first
 *   changes the clock, and then takes each lock. Hence a timer that is started
 *   meanwhile is right in any case: either it is on the list when the setter comes, or
 *   it was started by the new clock.
 * - The callback compares the namespace's clock with the waiter's time, under the
 *   lock, before anything else. If the time has not come, because the clock went back
 *   after the timer expired, the timer is started again. So nothing expires early,
 *   not even between the change of the clock and the restart.
 * - The lock of a bucket nests in those that owners hold to start or cancel a timer,
 *   and has those of the hrtimer bases inside.
 *
 * Waiters in namespaces without a clock of their own are on the lists, too, as the
 * namespace may get one: their timers then change from the host's clock to
 * CLOCK_MONOTONIC. Which bucket is a matter of the CPU that starts the timer, so these
 * namespaces pay for an uncontended lock, and the initial one for nothing.
 */

#include <linux/cleanup.h>
#include <linux/delay.h>
#include <linux/export.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/math64.h>
#include <linux/nsproxy.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/time_namespace.h>
#include <linux/timekeeping.h>
#include <linux/timens_waiter.h>

#include "namespace_internal.h"

/* So many timers are restarted with interrupts off */
#define RESTART_BATCH	32

/**
 * timens_waiters_init - Set up the lists of a new namespace
 * @ns:	The namespace, not yet visible to others
 */
void timens_waiters_init(struct time_namespace *ns)
{
	for (int i = 0; i < TIMENS_BUCKETS; i++) {
		raw_spin_lock_init(&ns->realtime.bucket[i].lock);
		INIT_LIST_HEAD(&ns->realtime.bucket[i].armed);
	}
}

/**
 * timens_follow_get - The namespace whose wall clock the timers of current follow
 *
 * Return: A reference for timens_waiter_follow(), or NULL in the initial namespace.
 */
struct time_namespace *timens_follow_get(void)
{
	struct time_namespace *ns = timens_of_current();

	return ns ? get_time_ns(ns) : NULL;
}

/**
 * timens_follow_put - Give back what timens_follow_get() returned
 * @ns:	A namespace, which no armed waiter follows any more on behalf of the caller,
 *	or NULL
 */
void timens_follow_put(struct time_namespace *ns)
{
	if (ns)
		put_time_ns(ns);
}

/**
 * timens_mono_to_real - Where the clock of a namespace stands
 * @ns:		A namespace, or NULL for the initial one
 * @offset:	Where to store its CLOCK_REALTIME minus the host's CLOCK_MONOTONIC
 *
 * Return: False if @ns has no wall clock of its own.
 */
bool timens_mono_to_real(struct time_namespace *ns, ktime_t *offset)
{
	return ns && timens_realtime_offset(ns, CLOCK_REALTIME, offset);
}

/**
 * timens_has_realtime - Whether a namespace has a wall clock of its own
 * @ns:	A namespace, or NULL for the initial one
 */
bool timens_has_realtime(struct time_namespace *ns)
{
	/* The clock is read after this */
	return ns && smp_load_acquire(&ns->realtime.own);
}

void __timens_waiter_follow(struct timens_waiter *w, struct time_namespace *ns,
			    struct hrtimer *timer, clockid_t clockid)
{
	INIT_LIST_HEAD(&w->node);
	w->bucket = NULL;
	w->ns = ns;
	w->timer = timer;
	w->expires = 0;
	w->slack = 0;
	w->clockid = clockid;
	w->mono = false;
	w->follows = true;
}

/**
 * timens_sleeper_follow - Let a sleep of current follow its namespace's wall clock
 * @w:		The waiter, on the stack of current, which follows no clock yet
 * @timer:	The timer, set up for @clockid; its expiry time is on the namespace's clock
 * @clockid:	Any clock; nothing is done if it is not a wall clock
 */
void timens_sleeper_follow(struct timens_waiter *w, struct hrtimer *timer, clockid_t clockid)
{
	/* Only current itself can leave its namespace, hence no reference */
	struct time_namespace *ns = timens_of_current();

	if (!ns || (clockid != CLOCK_REALTIME && clockid != CLOCK_TAI))
		return;

	__timens_waiter_follow(w, ns, timer, clockid);
	w->expires = hrtimer_get_softexpires(timer);
	w->slack = hrtimer_get_expires(timer) - w->expires;
}

static int cancel_timer(struct timens_waiter *w)
{
	return hrtimer_try_to_cancel(w->timer);
}

/* @t of a clock that is @offset ahead of CLOCK_MONOTONIC; @t is not negative */
static ktime_t to_mono(ktime_t t, ktime_t offset)
{
	ktime_t mono;

	if (t < offset)
		return 0;
	mono = (u64)t - (u64)offset;
	return mono < 0 ? KTIME_MAX : mono;
}

/*
 * Start the timer by the clock as it is, from the callback or when that does not run.
 * False if it could not be because the callback runs, and the timer counts another
 * clock than it has to from now on. Caller holds the lock of the bucket.
 */
static bool start_timer(struct timens_waiter *w)
{
	clockid_t clock = w->clockid;
	ktime_t offset, expires = w->expires;
	enum hrtimer_mode mode = HRTIMER_MODE_ABS;
	bool own = timens_realtime_offset(w->ns, w->clockid, &offset);

	lockdep_assert_held(&w->bucket->lock);

	if (own) {
		expires = to_mono(expires, offset);
		clock = CLOCK_MONOTONIC;
	}

	if (own != w->mono && !hrtimer_set_clock(w->timer, clock))
		return false;
	w->mono = own;
	if (w->timer->is_hard)
		mode |= HRTIMER_MODE_HARD;
	else if (w->timer->is_soft && !IS_ENABLED(CONFIG_PREEMPT_RT))
		mode |= HRTIMER_MODE_SOFT;
	hrtimer_start_range_ns(w->timer, expires, w->slack, mode);
	return true;
}

/* Whether the time has come. Caller holds the lock of the bucket, or owns @w. */
static bool time_has_come(struct timens_waiter *w)
{
	return w->expires <= timens_waiter_now(w);
}

/* Put @w on a list and start the timer. False if not @always, and the time has come. */
static bool arm(struct timens_waiter *w, bool always)
{
	w->bucket = &w->ns->realtime.bucket[raw_smp_processor_id() % TIMENS_BUCKETS];

	for (;;) {
		scoped_guard(raw_spinlock_irqsave, &w->bucket->lock) {
			if (!always && time_has_come(w))
				return false;
			if (start_timer(w)) {
				list_add_tail(&w->node, &w->bucket->armed);
				return true;
			}
		}
		/* The callback has fired, and is about to return */
		hrtimer_cancel_wait_running(w->timer);
	}
}

/**
 * timens_waiter_set - Set the time of a waiter without arming its timer
 * @w:		The waiter, which follows; not armed
 * @expires:	When, on the namespace's clock, in nanoseconds; not negative
 */
void timens_waiter_set(struct timens_waiter *w, ktime_t expires)
{
	w->expires = expires;
}

/**
 * timens_waiter_start - Arm a timer
 * @w:		The waiter, which follows; not armed
 * @expires:	When, on the namespace's clock, in nanoseconds; not negative
 *
 * Any context in which the timer may be started.
 *
 * Return: False if the time has already come; the timer is not armed then.
 */
bool timens_waiter_start(struct timens_waiter *w, ktime_t expires)
{
	w->expires = expires;
	return timens_waiter_restart(w);
}

/**
 * timens_waiter_restart - Arm a timer for the time that the waiter has
 * @w:		The waiter, which follows; not armed
 *
 * As timens_waiter_start() in all else.
 */
bool timens_waiter_restart(struct timens_waiter *w)
{
	return arm(w, false);
}

/**
 * timens_waiter_start_always - Arm a timer, also if its time has come
 * @w:		The waiter, which follows; not armed
 * @expires:	When, on the namespace's clock, in nanoseconds
 *
 * The callback runs in any case, from the timer interrupt. As timens_waiter_start()
 * in all else.
 */
void timens_waiter_start_always(struct timens_waiter *w, ktime_t expires)
{
	w->expires = expires;
	arm(w, true);
}

/**
 * timens_waiter_try_to_cancel - Disarm a timer unless its callback runs
 * @w:	The waiter, which follows
 *
 * Any context in which the timer may be cancelled.
 *
 * Return: As hrtimer_try_to_cancel(): 1 if it was armed, 0 if it was not, -1 if the
 * callback runs. If not -1, the caller is alone with @w from now on.
 */
int timens_waiter_try_to_cancel(struct timens_waiter *w)
{
	int ret;

	if (!w->bucket)
		return 0;

	guard(raw_spinlock_irqsave)(&w->bucket->lock);
	ret = cancel_timer(w);
	if (ret >= 0)
		list_del_init(&w->node);
	return ret;
}

/**
 * timens_waiter_cancel - Disarm a timer, and wait until its callback has returned
 * @w:	The waiter, which follows
 *
 * Any context in which hrtimer_cancel() may be called on the timer.
 */
void timens_waiter_cancel(struct timens_waiter *w)
{
	while (timens_waiter_try_to_cancel(w) < 0)
		hrtimer_cancel_wait_running(w->timer);
}

bool __timens_waiter_due(struct timens_waiter *w)
{
	guard(raw_spinlock_irqsave)(&w->bucket->lock);

	/* The host's clock is the timer's own */
	if (!timens_has_realtime(w->ns) || time_has_come(w)) {
		list_del_init(&w->node);
		return true;
	}

	/*
	 * Too early. If the timer counts the host's clock still, the namespace
	 * gets one of its own right now: timens_waiters_step() restarts the timer
	 * after this callback has returned.
	 */
	if (w->mono)
		start_timer(w);
	return false;
}

/**
 * timens_waiter_now - What the clock of the waiter shows
 * @w:	The waiter, which follows
 *
 * Return: Nanoseconds of the namespace's clock.
 */
ktime_t timens_waiter_now(const struct timens_waiter *w)
{
	ktime_t offset;

	if (timens_realtime_offset(w->ns, w->clockid, &offset))
		return ktime_get() + offset;

	return w->clockid == CLOCK_TAI ? ktime_get_clocktai() : ktime_get_real();
}

/**
 * timens_waiter_forward - Move the time of a waiter to the future, by intervals
 * @w:		The waiter, which follows; not armed
 * @now:	What timens_waiter_now() said
 * @interval:	Nanoseconds, positive
 *
 * Return: How many intervals, zero if the time is in the future already.
 */
u64 timens_waiter_forward(struct timens_waiter *w, ktime_t now, ktime_t interval)
{
	ktime_t delta = now - w->expires;
	u64 overrun = 1;

	if (delta < 0)
		return 0;

	interval = max_t(ktime_t, interval, hrtimer_resolution);
	if (delta >= interval) {
		overrun = ktime_divns(delta, interval);
		w->expires += interval * overrun;
		if (w->expires > now)
			return overrun;
		overrun++;
	}
	w->expires = ktime_add_safe(w->expires, interval);
	return overrun;
}

/*
 * Restart the first timer on @stale, and move it to @bucket. False if that has to wait
 * until the callback has returned, which may have looked at the clock before it was
 * set.
 */
static bool restart_first(struct list_head *stale, struct timens_bucket *bucket)
{
	struct timens_waiter *w = list_first_entry(stale, struct timens_waiter, node);

	if (cancel_timer(w) < 0)
		return false;

	list_move_tail(&w->node, &bucket->armed);
	/* Cannot fail, the callback does not run */
	start_timer(w);
	return true;
}

static void restart_bucket(struct timens_bucket *bucket)
{
	LIST_HEAD(stale);
	bool more = true;

	scoped_guard(raw_spinlock_irqsave, &bucket->lock)
		list_splice_init(&bucket->armed, &stale);

	while (more) {
		bool running = false;

		scoped_guard(raw_spinlock_irqsave, &bucket->lock) {
			for (int i = 0; i < RESTART_BATCH && !running; i++) {
				more = !list_empty(&stale);
				if (!more)
					break;
				running = !restart_first(&stale, bucket);
			}
		}
		/* Sleep: on PREEMPT_RT, the callback may be preempted by us */
		if (running)
			usleep_range(1, 10);
		else
			cond_resched();
	}
}

/**
 * timens_waiters_step - Restart the armed timers after the clock was set
 * @ns:	The namespace, which has a clock of its own
 *
 * Costs in proportion to the timers that are armed in @ns, and looks at no others. May
 * sleep. Caller holds ns->realtime.step, so that no other setter is here: timers that
 * are not restarted yet are on a list of ours.
 */
void timens_waiters_step(struct time_namespace *ns)
{
	lockdep_assert_held(&ns->realtime.step);

	for (int i = 0; i < TIMENS_BUCKETS; i++)
		restart_bucket(&ns->realtime.bucket[i]);
}
