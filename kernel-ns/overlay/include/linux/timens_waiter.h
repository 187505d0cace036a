/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waiters for an absolute time on the wall clock of a time namespace.
 *
 * A timer in whose place a struct timens_waiter is started expires when the
 * namespace's CLOCK_REALTIME or CLOCK_TAI has come, however
 * often that clock is set meanwhile. See kernel/time/namespace_waiter.c.
 */
#ifndef _LINUX_TIMENS_WAITER_H
#define _LINUX_TIMENS_WAITER_H

#include <linux/types.h>

struct hrtimer;
struct time_namespace;
struct timens_bucket;

/**
 * struct timens_waiter - What makes a timer follow a namespace's wall clock
 * @node:	On the list of @bucket if, and only if, the timer is armed: queued, or
 *		its callback has not looked at the clock yet. Protected by the lock of
 *		@bucket.
 * @bucket:	Where it was armed last, or NULL
 * @ns:		The namespace, which outlives the waiter; never the initial one
 * @timer:	The timer
 * @expires:	When to expire, in nanoseconds of the namespace's clock @clockid
 * @slack:	How much later it may expire, in nanoseconds
 * @clockid:	CLOCK_REALTIME or CLOCK_TAI
 * @follows:	There is a clock to follow. All else is valid only then.
 * @mono:	@timer counts CLOCK_MONOTONIC, as it does when the namespace has a clock
 *		of its own. Protected by the lock of @bucket.
 *
 * What has no comment on protection is written by the owner of the timer, and only
 * while the timer is not armed.
 */
struct timens_waiter {
#ifdef CONFIG_TIME_NS_REALTIME
	struct list_head	node;
	struct timens_bucket	*bucket;
	struct time_namespace	*ns;
	struct hrtimer		*timer;
	ktime_t			expires;
	u64			slack;
	clockid_t		clockid;
	bool			follows;
	bool			mono;
#endif
};

#ifdef CONFIG_TIME_NS_REALTIME
void __timens_waiter_follow(struct timens_waiter *w, struct time_namespace *ns,
			    struct hrtimer *timer, clockid_t clockid);
void timens_sleeper_follow(struct timens_waiter *w, struct hrtimer *timer, clockid_t clockid);
bool timens_waiter_start(struct timens_waiter *w, ktime_t expires);
bool timens_waiter_restart(struct timens_waiter *w);
void timens_waiter_start_always(struct timens_waiter *w, ktime_t expires);
void timens_waiter_set(struct timens_waiter *w, ktime_t expires);
int timens_waiter_try_to_cancel(struct timens_waiter *w);
void timens_waiter_cancel(struct timens_waiter *w);
bool __timens_waiter_due(struct timens_waiter *w);
ktime_t timens_waiter_now(const struct timens_waiter *w);
u64 timens_waiter_forward(struct timens_waiter *w, ktime_t now, ktime_t interval);
bool timens_has_realtime(struct time_namespace *ns);
bool timens_mono_to_real(struct time_namespace *ns, ktime_t *offset);
struct time_namespace *timens_follow_get(void);
void timens_follow_put(struct time_namespace *ns);

/**
 * timens_waiter_init - Follow no clock
 * @w:	The waiter
 */
static inline void timens_waiter_init(struct timens_waiter *w)
{
	w->follows = false;
}

/**
 * timens_waiter_follows - Whether there is a clock to follow
 * @w:	The waiter; of the caller, or the callback of its timer
 *
 * If not, the timer is an ordinary one, and nothing here applies to it.
 */
static inline bool timens_waiter_follows(const struct timens_waiter *w)
{
	return w->follows;
}

/**
 * timens_waiter_follow - Follow the wall clock of a namespace
 * @w:		The waiter, not armed
 * @ns:		The namespace, from timens_follow_get(), or NULL to follow no clock
 * @timer:	The timer, set up for @clockid and absolute times
 * @clockid:	CLOCK_REALTIME or CLOCK_TAI
 */
static inline void timens_waiter_follow(struct timens_waiter *w, struct time_namespace *ns,
					struct hrtimer *timer, clockid_t clockid)
{
	w->follows = false;
	if (ns)
		__timens_waiter_follow(w, ns, timer, clockid);
}

/**
 * timens_waiter_expires - When the waiter expires, in the namespace's time
 * @w:	The waiter, which follows
 */
static inline ktime_t timens_waiter_expires(const struct timens_waiter *w)
{
	return w->expires;
}

/**
 * timens_waiter_due - For the callback of a timer: whether it is due
 * @w:	The waiter
 *
 * Any context. The timer goes on if it is not due, and the callback has to return
 * HRTIMER_NORESTART without having done anything.
 *
 * Return: True if the timer has expired, and is not armed any more.
 */
static inline bool timens_waiter_due(struct timens_waiter *w)
{
	return likely(!w->follows) || __timens_waiter_due(w);
}
#else /* !CONFIG_TIME_NS_REALTIME */
static inline void timens_waiter_init(struct timens_waiter *w) { }

static inline bool timens_waiter_follows(const struct timens_waiter *w)
{
	return false;
}

static inline void timens_waiter_follow(struct timens_waiter *w, struct time_namespace *ns,
					struct hrtimer *timer, clockid_t clockid) { }
static inline void timens_sleeper_follow(struct timens_waiter *w, struct hrtimer *timer,
					 clockid_t clockid) { }

static inline void timens_waiter_set(struct timens_waiter *w, ktime_t expires) { }

static inline bool timens_waiter_start(struct timens_waiter *w, ktime_t expires)
{
	return true;
}

static inline bool timens_waiter_restart(struct timens_waiter *w)
{
	return true;
}

static inline void timens_waiter_start_always(struct timens_waiter *w, ktime_t expires) { }

static inline int timens_waiter_try_to_cancel(struct timens_waiter *w)
{
	return 0;
}

static inline void timens_waiter_cancel(struct timens_waiter *w) { }

static inline bool timens_waiter_due(struct timens_waiter *w)
{
	return true;
}

static inline ktime_t timens_waiter_now(const struct timens_waiter *w)
{
	return 0;
}

static inline ktime_t timens_waiter_expires(const struct timens_waiter *w)
{
	return 0;
}

static inline u64 timens_waiter_forward(struct timens_waiter *w, ktime_t now, ktime_t interval)
{
	return 0;
}

static inline bool timens_has_realtime(struct time_namespace *ns)
{
	return false;
}

static inline bool timens_mono_to_real(struct time_namespace *ns, ktime_t *offset)
{
	return false;
}

static inline struct time_namespace *timens_follow_get(void)
{
	return NULL;
}

static inline void timens_follow_put(struct time_namespace *ns) { }
#endif /* CONFIG_TIME_NS_REALTIME */

#endif /* _LINUX_TIMENS_WAITER_H */
