// SPDX-License-Identifier: GPL-2.0
/*
 * timeclock: the time namespace that UML runs in is the guest's wall clock.
 *
 * If UML runs in a time namespace that has a wall clock of its own, then that
 * clock can be the guest's: whatever sets the one sets the other.
 *
 * Both clocks are an offset to the host's CLOCK_MONOTONIC, which is what the
 * clocksource counts, so they can be compared to the nanosecond. The guest's
 * offset is known exactly. The namespace's can only be enclosed between two
 * readings of CLOCK_MONOTONIC; the guest's is put at the lower bound, so that
 * what the guest kernel stamps is never later than what is read from the
 * namespace afterwards.
 *
 * See Documentation/virt/uml/timeclock.rst.
 */

#define pr_fmt(fmt) "timeclock: " fmt

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/init.h>
#include <linux/math64.h>
#include <linux/mutex.h>
#include <linux/nsproxy.h>
#include <linux/printk.h>
#include <linux/pvclock_gtod.h>
#include <linux/sched.h>
#include <linux/security.h>
#include <linux/time-internal.h>
#include <linux/time_namespace.h>
#include <linux/timekeeper_internal.h>
#include <linux/timekeeping.h>
#include <linux/timex.h>
#include <linux/user_namespace.h>
#include <as-layout.h>
#include <os.h>
#include <timeclock.h>

/* How far the guest's clock may be behind before that is taken for a set */
#define TIMECLOCK_SLACK_NS	(2 * NSEC_PER_USEC)

/* do_adjtimex() moves the clock by whole microseconds */
#define TIMECLOCK_STEP_NS	NSEC_PER_USEC

/* Of so many comparisons the narrowest one is used to adopt a clock */
#define TIMECLOCK_SAMPLES	8

/* The namespace's clock is the guest's; decided before the first stub starts */
static bool timeclock_on __ro_after_init;

/* timeclock_on, once the guest kernel has set up its own timekeeping */
int timeclock_following __ro_after_init;

/**
 * struct clock_pair - Two wall clocks, as offsets to the host's CLOCK_MONOTONIC
 * @guest:	the guest kernel's
 * @low:	the namespace's is at least this
 * @high:	and at most this
 */
struct clock_pair {
	s64 guest;
	s64 low;
	s64 high;
};

/* Serializes adoption */
static DEFINE_MUTEX(adopt_mutex);

/* The task that adopts the namespace's clock: its set must not go back there */
static struct task_struct *adopter;

/* The slack in force, at least as wide as the comparison last used to adopt */
static s64 slack = TIMECLOCK_SLACK_NS;

/*
 * The offset of the guest's clock at the last update of the timekeeper, which
 * protects it; valid if the timekeeper counts timer_clocksource.
 */
static s64 guest_offset;
static bool guest_offset_valid;

/* The error with which the host last refused a set, for a message */
static int push_error;

static void compare_clocks(struct clock_pair *pair)
{
	struct system_time_snapshot snap;
	s64 before, real, after;

	ktime_get_snapshot_id(CLOCK_REALTIME, &snap);
	real = os_persistent_clock_emulation();
	after = os_nsecs();

	before = snap.cycles * TIMER_MULTIPLIER;
	pair->guest = snap.systime - before;
	pair->low = real - after;
	pair->high = real - before;
}

static bool clocks_agree(const struct clock_pair *pair)
{
	return pair->guest <= pair->high &&
	       pair->guest >= pair->low - READ_ONCE(slack);
}

static void step_guest_clock(s64 step)
{
	struct __kernel_timex txc = { .modes = ADJ_SETOFFSET };
	s32 rem;
	int err;

	txc.time.tv_sec = div_s64_rem(step, NSEC_PER_SEC, &rem);
	if (rem < 0) {
		txc.time.tv_sec--;
		rem += NSEC_PER_SEC;
	}
	txc.time.tv_usec = rem / NSEC_PER_USEC;

	WRITE_ONCE(adopter, current);
	scoped_with_kernel_creds()
		err = do_adjtimex(&txc);
	WRITE_ONCE(adopter, NULL);

	if (err < 0)
		pr_warn_once("the guest's clock cannot follow the time namespace's: error %d\n",
			     err);
}

static void adopt_clock(void)
{
	struct clock_pair pair, best;
	int i;

	guard(mutex)(&adopt_mutex);

	compare_clocks(&best);
	for (i = 1; i < TIMECLOCK_SAMPLES; i++) {
		compare_clocks(&pair);
		if (pair.high - pair.low < best.high - best.low)
			best = pair;
	}
	if (clocks_agree(&best))
		return;

	WRITE_ONCE(slack, max(best.high - best.low + TIMECLOCK_STEP_NS, TIMECLOCK_SLACK_NS));
	step_guest_clock(best.low - best.guest);
}

static void report_push_error(void)
{
	int err = xchg(&push_error, 0);

	if (err)
		pr_warn_once("the host refused to set the clock: error %d; the guest's goes back\n",
			     err);
}

void __timeclock_follow(void)
{
	struct clock_pair pair;

	if (unlikely(READ_ONCE(push_error)))
		report_push_error();

	if (unlikely(!READ_ONCE(guest_offset_valid)))
		return;

	compare_clocks(&pair);
	if (unlikely(!clocks_agree(&pair)))
		adopt_clock();
}

/*
 * The guest's clock may have been set: move the namespace's by the same. Called
 * with the timekeeper locked and interrupts off. A step below the resolution of
 * the clocksource is not a set but rounding.
 */
static int timeclock_notify(struct notifier_block *nb, unsigned long was_set, void *data)
{
	const struct timekeeper *tk = data;
	const struct tk_read_base *tkr = &tk->tkr_mono;
	s64 step;
	int err;

	if (tkr->clock != &timer_clocksource) {
		WRITE_ONCE(guest_offset_valid, false);
		return NOTIFY_DONE;
	}

	step = -guest_offset;
	guest_offset = tkr->base_real + (tkr->xtime_nsec >> tkr->shift) -
		       tkr->cycle_last * TIMER_MULTIPLIER;
	step += guest_offset;

	if (!guest_offset_valid) {
		WRITE_ONCE(guest_offset_valid, true);
		return NOTIFY_DONE;
	}

	if (!was_set || READ_ONCE(adopter) == current || abs(step) < TIMER_MULTIPLIER)
		return NOTIFY_DONE;

	err = os_timeclock_step(step);
	if (err)
		WRITE_ONCE(push_error, err);

	return NOTIFY_OK;
}

static struct notifier_block timeclock_notifier = {
	.notifier_call = timeclock_notify,
};

/* Who watches the system calls of a task has to see all of them. */
#define TIF_WATCHED (BIT(TIF_SYSCALL_TRACE) | BIT(TIF_SYSCALL_AUDIT) |		\
		     BIT(TIF_SYSCALL_TRACEPOINT) | BIT(TIF_SECCOMP) |		\
		     BIT(TIF_SINGLESTEP))

/**
 * timeclock_current_pass() - What current may do without the UML kernel
 *
 * The answer can get smaller only by what current does in the kernel, or by
 * what others do while current does not run; so it is asked for when current
 * is about to run.
 *
 * Return: A combination of TIMECLOCK_GET and TIMECLOCK_SET
 */
unsigned int timeclock_current_pass(void)
{
	if (!timeclock_on || read_thread_flags() & TIF_WATCHED)
		return 0;

	/* A time namespace of the guest may have a wall clock of its own. */
	if (IS_ENABLED(CONFIG_TIME_NS_REALTIME) && current->nsproxy->time_ns != &init_time_ns)
		return 0;

	if (security_capable(current_cred(), &init_user_ns, CAP_SYS_TIME, CAP_OPT_NOAUDIT))
		return TIMECLOCK_GET;

	return TIMECLOCK_GET | TIMECLOCK_SET;
}

static int __init timeclock_init(void)
{
	timeclock_on = timeclock_choose_timens();
	return 0;
}
early_initcall(timeclock_init);

/* No task of the guest may do what UML may not. Current becomes its init. */
static void __init forbid_set(void)
{
	struct cred *cred = prepare_creds();

	if (!cred)
		return;

	cap_lower(cred->cap_effective, CAP_SYS_TIME);
	cap_lower(cred->cap_permitted, CAP_SYS_TIME);
	cap_lower(cred->cap_bset, CAP_SYS_TIME);
	commit_creds(cred);
}

/* By now, drivers that set the clock from a hardware clock have done so. */
static int __init timeclock_late_init(void)
{
	int err;

	if (!timeclock_on)
		return 0;

	err = os_timeclock_step(0);
	if (err) {
		pr_warn("UML may not set the clock (error %d), so the guest may not either; start UML with CAP_SYS_TIME (timens run --keep-caps=sys_time)\n",
			err);
		forbid_set();
	}

	pvclock_gtod_register_notifier(&timeclock_notifier);
	timeclock_following = 1;
	return 0;
}
late_initcall(timeclock_late_init);
