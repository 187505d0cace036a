// SPDX-License-Identifier: GPL-2.0
/*
 * A wall clock of its own for a time namespace.
 *
 * The clock is CLOCK_MONOTONIC of the host plus an offset: it runs at the
 * host's rate, but a step of the host's CLOCK_REALTIME does not move it. A
 * namespace gets it by an explicit write to timens_offsets; until then it
 * shows the host's clock. The initial namespace never gets one.
 *
 * Readers are the system calls (below) and the vDSO, which has a copy of the
 * offset in the namespace's VVAR page. A writer holds the sequence counters of
 * both copies while it changes them, so that a task which alternates between
 * the two never goes back from the new clock to the old one.
 *
 * See Documentation/admin-guide/namespaces/time_realtime.rst.
 */

#include <linux/capability.h>
#include <linux/cleanup.h>
#include <linux/jump_label.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/seqlock.h>
#include <linux/time_namespace.h>
#include <linux/timekeeping.h>
#include <linux/timex.h>

#include "namespace_internal.h"

DEFINE_STATIC_KEY_FALSE(timens_realtime_key);

static struct timespec64 monotonic_now(void)
{
	struct timespec64 ts;

	ktime_get_ts64(&ts);
	return ts;
}

/* The offsets of the host's CLOCK_REALTIME and CLOCK_TAI from CLOCK_MONOTONIC */
static void host_offsets(ktime_t *real, ktime_t *tai)
{
	do {
		*real = ktime_mono_to_real(0);
		*tai = ktime_mono_to_any(0, TK_OFFS_TAI);
	} while (*real != ktime_mono_to_real(0));
}

/* A consistent copy of what readers need */
static struct timens_realtime_data read_data(struct time_namespace *ns)
{
	struct timens_realtime *rt = &ns->realtime;
	struct timens_realtime_data data;
	unsigned int seq;

	do {
		seq = read_seqcount_begin(&rt->seq);
		data = rt->data;
	} while (read_seqcount_retry(&rt->seq, seq));

	return data;
}

/* One reading of the clock, and of the TAI offset that goes with it */
static __always_inline ktime_t read_clock(struct time_namespace *ns, bool coarse,
					  s32 *tai_offset)
{
	struct timens_realtime *rt = &ns->realtime;
	ktime_t wall, set;
	unsigned int seq;

	do {
		seq = read_seqcount_begin(&rt->seq);
		wall = rt->data.offset;
		set = rt->data.set;
		*tai_offset = rt->data.tai_offset;
		wall += coarse ? ktime_get_coarse() : ktime_get();
	} while (read_seqcount_retry(&rt->seq, seq));

	/* Until the next tick, the host's coarse clock is from before the set */
	return coarse ? max(wall, set) : wall;
}

/* @wall is not negative: see wall_valid() */
static __always_inline void wall_to_ts64(ktime_t wall, struct timespec64 *ts)
{
	u32 nsec;

	ts->tv_sec = div_u64_rem(wall, NSEC_PER_SEC, &nsec);
	ts->tv_nsec = nsec;
}

/* Publish @data to system calls and the vDSO. Caller holds rt->lock. */
static void write_data(struct time_namespace *ns, const struct timens_realtime_data *data)
{
	struct timens_realtime *rt = &ns->realtime;

	lockdep_assert_held(&rt->lock);

	write_seqcount_begin(&rt->seq);
	rt->data = *data;
	WRITE_ONCE(rt->own, true);
	timens_vdso_update_realtime(ns, data);
	write_seqcount_end(&rt->seq);
}

/*
 * The rule of do_settimeofday64(), as seen from inside the namespace: the
 * clock has to be valid for a set and must not precede CLOCK_MONOTONIC.
 */
static bool wall_valid(const struct timespec64 *wall, const struct timespec64 *mono,
		       const struct timespec64 *mono_offset)
{
	struct timespec64 ns_mono = timespec64_add(*mono, *mono_offset);

	return timespec64_valid_settod(wall) && timespec64_compare(wall, &ns_mono) >= 0;
}

/**
 * timens_realtime_init - Set up the wall clock of a new time namespace
 * @ns:		The new namespace, not yet visible to others
 * @parent:	The namespace it is cloned from
 *
 * A child starts with a copy of its parent's own clock, if there is one.
 */
void timens_realtime_init(struct time_namespace *ns, struct time_namespace *parent)
{
	struct timens_realtime *rt = &ns->realtime;
	struct timens_realtime_data data;

	raw_spin_lock_init(&rt->lock);
	seqcount_raw_spinlock_init(&rt->seq, &rt->lock);

	/* The clock is read after this */
	if (!smp_load_acquire(&parent->realtime.own))
		return;

	data = read_data(parent);
	guard(raw_spinlock_irqsave)(&rt->lock);
	write_data(ns, &data);
}

/**
 * timens_realtime_set_distance - Set the clock by its distance from the host's
 * @ns:			The namespace to change; gets a clock of its own by this
 * @distance:		Wall clock of @ns minus CLOCK_REALTIME of the host, normalised
 * @mono_offset:	The offset of CLOCK_MONOTONIC that is or will be in force in @ns
 *
 * Permission is the caller's business. May sleep.
 *
 * Return: 0, -EACCES for the initial namespace, -ERANGE if the clock would
 * leave the range that settimeofday(2) accepts; nothing changes then.
 */
int timens_realtime_set_distance(struct time_namespace *ns, const struct timespec64 *distance,
				 const struct timespec64 *mono_offset)
{
	struct timens_realtime *rt = &ns->realtime;
	struct timens_realtime_data data;
	struct timespec64 mono, wall, offset;
	ktime_t real, tai;

	if (ns == &init_time_ns)
		return -EACCES;

	/* Readers look at rt->own only once the key is on. */
	static_branch_enable(&timens_realtime_key);

	guard(raw_spinlock_irqsave)(&rt->lock);

	host_offsets(&real, &tai);
	offset = timespec64_add(ktime_to_timespec64(real), *distance);
	mono = monotonic_now();
	wall = timespec64_add(mono, offset);
	if (!wall_valid(&wall, &mono, mono_offset))
		return -ERANGE;

	data.offset = timespec64_to_ktime(offset);
	data.set = timespec64_to_ktime(wall);
	data.tai_offset = rt->own ? rt->data.tai_offset : ktime_divns(tai - real, NSEC_PER_SEC);
	write_data(ns, &data);
	return 0;
}

/**
 * timens_realtime_get_distance - Read the clock as a distance from the host's
 * @ns:		The namespace to read
 * @distance:	Where to store it, normalised
 *
 * The inverse of timens_realtime_set_distance(), exact to the nanosecond as
 * long as neither clock is set in between.
 *
 * Return: False if @ns has no wall clock of its own.
 */
bool timens_realtime_get_distance(struct time_namespace *ns, struct timespec64 *distance)
{
	struct timens_realtime_data data;

	/* The clock is read after this */
	if (!smp_load_acquire(&ns->realtime.own))
		return false;

	data = read_data(ns);
	*distance = ktime_to_timespec64(data.offset - ktime_mono_to_real(0));
	return true;
}

/**
 * timens_settimeofday - Set the wall clock of a namespace that owns one
 * @ns:	The namespace of the caller, from timens_own_realtime()
 * @tv:	The new time, valid for a set, or NULL
 * @tz:	A time zone or NULL; the time zone is not the namespace's to set
 *
 * For a task with CAP_SYS_TIME in the user namespace that owns @ns.
 *
 * Return: 0, -EPERM, or -EINVAL for a time outside of the accepted range.
 */
int timens_settimeofday(struct time_namespace *ns, const struct timespec64 *tv,
			const struct timezone *tz)
{
	struct timens_realtime *rt = &ns->realtime;
	struct timens_realtime_data data;
	struct timespec64 mono;

	if (tz || !ns_capable(ns->user_ns, CAP_SYS_TIME))
		return -EPERM;
	if (!tv)
		return 0;

	guard(raw_spinlock_irqsave)(&rt->lock);

	mono = monotonic_now();
	if (!wall_valid(tv, &mono, &ns->offsets.monotonic))
		return -EINVAL;

	data = rt->data;
	data.set = timespec64_to_ktime(*tv);
	data.offset = data.set - timespec64_to_ktime(mono);
	write_data(ns, &data);
	return 0;
}

/* ADJ_SETOFFSET: the clock moves by the time in @txc */
static int inject_offset(struct time_namespace *ns, const struct __kernel_timex *txc)
{
	long scale = txc->modes & ADJ_NANO ? 1 : NSEC_PER_USEC;
	struct timens_realtime *rt = &ns->realtime;
	struct timens_realtime_data data;
	struct timespec64 mono, wall, delta;

	if (!ns_capable(ns->user_ns, CAP_SYS_TIME))
		return -EPERM;
	if (txc->time.tv_usec < 0 || txc->time.tv_usec >= NSEC_PER_SEC / scale)
		return -EINVAL;
	if (txc->time.tv_sec > KTIME_SEC_MAX || txc->time.tv_sec < -KTIME_SEC_MAX)
		return -EINVAL;

	delta.tv_sec = txc->time.tv_sec;
	delta.tv_nsec = txc->time.tv_usec * scale;

	guard(raw_spinlock_irqsave)(&rt->lock);

	data = rt->data;
	mono = monotonic_now();
	wall = timespec64_add(mono, ktime_to_timespec64(data.offset));
	wall = timespec64_add(wall, delta);
	if (!wall_valid(&wall, &mono, &ns->offsets.monotonic))
		return -EINVAL;

	data.set = timespec64_to_ktime(wall);
	data.offset = data.set - timespec64_to_ktime(mono);
	write_data(ns, &data);
	return 0;
}

/**
 * timens_adjtimex_begin - The part of adjtimex(2) that a namespace may do
 * @ns:		The namespace of the caller, from timens_own_realtime()
 * @txc:	The request; @txc->modes is reduced to what only reads
 *
 * ADJ_SETOFFSET moves the clock of @ns. Rate, status, tick and TAI offset
 * belong to the host.
 *
 * Return: 0 to go on with the host's adjtimex(2), -EPERM or -EINVAL.
 */
int timens_adjtimex_begin(struct time_namespace *ns, struct __kernel_timex *txc)
{
	const unsigned int adjtime_read = ADJ_ADJTIME | ADJ_OFFSET_SINGLESHOT | ADJ_OFFSET_READONLY;
	int ret;

	if (!txc->modes || txc->modes == adjtime_read)
		return 0;

	if (!(txc->modes & ADJ_SETOFFSET) ||
	    (txc->modes & ~(ADJ_SETOFFSET | ADJ_NANO | ADJ_MICRO)))
		return -EPERM;

	ret = inject_offset(ns, txc);
	txc->modes = 0;
	return ret;
}

/**
 * timens_adjtimex_end - Turn the host's answer to adjtimex(2) into the namespace's
 * @ns:		The namespace of the caller, from timens_own_realtime()
 * @txc:	The host's answer
 */
void timens_adjtimex_end(struct time_namespace *ns, struct __kernel_timex *txc)
{
	long scale = txc->status & STA_NANO ? 1 : NSEC_PER_USEC;
	struct timespec64 ts;
	s32 tai_offset;

	wall_to_ts64(read_clock(ns, false, &tai_offset), &ts);
	txc->tai = tai_offset;
	txc->time.tv_sec = ts.tv_sec;
	txc->time.tv_usec = ts.tv_nsec / scale;
}

/*
 * The readers below are called instead of the timekeeper's once any namespace
 * has a clock of its own.
 */

void __timens_get_real_ts64(struct timespec64 *ts)
{
	struct time_namespace *ns = timens_own_realtime();
	s32 tai_offset;

	if (ns)
		wall_to_ts64(read_clock(ns, false, &tai_offset), ts);
	else
		ktime_get_real_ts64(ts);
}

void __timens_get_coarse_real_ts64(struct timespec64 *ts)
{
	struct time_namespace *ns = timens_own_realtime();
	s32 tai_offset;

	if (ns)
		wall_to_ts64(read_clock(ns, true, &tai_offset), ts);
	else
		ktime_get_coarse_real_ts64(ts);
}

void __timens_get_clocktai_ts64(struct timespec64 *ts)
{
	struct time_namespace *ns = timens_own_realtime();
	s32 tai_offset;

	if (!ns) {
		ktime_get_clocktai_ts64(ts);
		return;
	}

	wall_to_ts64(read_clock(ns, false, &tai_offset), ts);
	ts->tv_sec += tai_offset;
}

time64_t __timens_get_real_seconds(void)
{
	struct time_namespace *ns = timens_own_realtime();
	s32 tai_offset;

	if (!ns)
		return ktime_get_real_seconds();

	return div_u64(read_clock(ns, true, &tai_offset), NSEC_PER_SEC);
}
