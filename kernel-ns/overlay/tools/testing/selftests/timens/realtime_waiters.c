// SPDX-License-Identifier: GPL-2.0
/*
 * Waiters for a time of a namespace's own wall clock, when that clock is set.
 *
 * A table (realtime_ways.h) has every way to wait for an absolute time. Each row is
 * armed by a process of its own inside the namespace; the test sets clocks, and looks
 * when it returns.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/timex.h>

#include "realtime_ways.h"

FIXTURE(waiters)
{
	int host;
	int inside;
};

FIXTURE_SETUP(waiters)
{
	const char *why = two_clocks(&self->host, &self->inside);

	if (why)
		SKIP(return, "%s", why);
	ASSERT_TRUE(ways_init());
}

FIXTURE_TEARDOWN(waiters)
{
	close(self->inside);
	close(self->host);
}

TEST_F(waiters, without_a_step_they_return_in_time)
{
	long long t;

	ENTER();
	t = now(CLOCK_MONOTONIC);
	arm_all(4 * NSEC);
	ALL_WAIT();
	ALL_RETURN(t + 4 * NSEC + LATE);
	end_all();
}

TEST_F(waiters, step_forward_ends_what_it_passed)
{
	long long t;

	ENTER();
	arm_all(DAY);
	ALL_WAIT();
	/* Close by, but not there */
	ASSERT_EQ(0, step(DAY - 100 * NSEC));
	usleep(300000);
	ALL_WAIT();
	ASSERT_EQ(0, step(100 * NSEC));
	t = now(CLOCK_MONOTONIC);
	ALL_RETURN(t + LATE);
	end_all();
}

TEST_F(waiters, step_backward_delays)
{
	long long t;

	ENTER();
	arm_all(2 * NSEC);
	ASSERT_EQ(0, step(-3 * NSEC));
	t = now(CLOCK_MONOTONIC);
	for (unsigned int i = 0; i < WAYS; i++) {
		done_until(i, t + 3 * NSEC);
		EXPECT_WAITS(i);
	}
	ALL_RETURN(t + 5 * NSEC + LATE);
	end_all();
}

TEST_F(waiters, line_from_outside_is_a_step)
{
	long long t;

	ENTER();
	arm_all(DAY);
	/* time_for_children is what setns() entered */
	ASSERT_EQ(0, write_realtime(86400, 0));
	t = now(CLOCK_MONOTONIC);
	ALL_RETURN(t + LATE);
	end_all();
}

TEST_F(waiters, opting_in_is_a_step)
{
	long long t;

	/* A namespace of its own, which shows the host's clock */
	RENEW();
	ENTER();

	arm_all(DAY);
	ALL_WAIT();
	ASSERT_EQ(0, write_realtime(86400 - 2, 0));
	t = now(CLOCK_MONOTONIC);
	ALL_RETURN(t + 2 * NSEC + LATE);
	end_all();
}

/* The host's clock is off by @by for as long as the rest takes */
#define WITH_HOST_STEP(by, ...) do {					\
	long long _mono, _real;						\
									\
	LEAVE();							\
	_mono = now(CLOCK_MONOTONIC);					\
	_real = now(CLOCK_REALTIME);					\
	ASSERT_EQ(0, step(by));						\
	__VA_ARGS__;							\
	set_clock(_real + now(CLOCK_MONOTONIC) - _mono);		\
	ENTER();							\
} while (0)

TEST_F(waiters, host_step_moves_none)
{
	static const long long by[] = { DAY, -DAY };
	long long t;

	ENTER();
	for (unsigned int j = 0; j < ARRAY_SIZE(by); j++) {
		arm_all(2 * NSEC);
		t = now(CLOCK_MONOTONIC);
		WITH_HOST_STEP(by[j], {
			usleep(300000);
			ALL_WAIT();
			ALL_RETURN(t + 2 * NSEC + LATE);
		});
		end_all();
	}
}

/* Insert a leap second into the host's clock, two seconds from now: CLOCK_TAI - UTC */
static int insert_leap_second(void)
{
	struct timex tx = { .modes = ADJ_STATUS, .status = STA_INS };
	long long midnight = (now(CLOCK_REALTIME) / DAY + 1) * DAY;

	if (set_clock(midnight - 2 * NSEC) || adjtimex(&tx) < 0)
		return -1;
	return tx.tai;
}

static int end_leap_second(int tai)
{
	struct timex tx = { .modes = ADJ_STATUS }, seen = { };
	int after;

	adjtimex(&tx);
	adjtimex(&seen);
	after = seen.tai;
	tx = (struct timex){ .modes = ADJ_TAI, .constant = tai };
	adjtimex(&tx);
	return after;
}

TEST_F(waiters, leap_second_of_the_host_moves_none)
{
	long long dist, t;
	int tai;

	ENTER();
	dist = now(CLOCK_REALTIME) - now(CLOCK_MONOTONIC);
	arm_all(4 * NSEC);
	t = now(CLOCK_MONOTONIC);
	WITH_HOST_STEP(0, {
		tai = insert_leap_second();
		ASSERT_LE(0, tai);
		usleep(3500000);
		ASSERT_EQ(tai + 1, end_leap_second(tai));
		ENTER();
		/* To what two readings are apart: by less than the second that was inserted */
		EXPECT_GT(NSEC / 2, llabs(now(CLOCK_REALTIME) - now(CLOCK_MONOTONIC) - dist));
		LEAVE();
		ALL_RETURN(t + 4 * NSEC + LATE);
	});
	end_all();
}

/* Negative control: the same without a clock of its own follows the host's */
TEST_F(waiters, host_step_ends_those_on_its_clock)
{
	long long t;

	RENEW();
	ENTER();
	arm_all(DAY / 2);
	t = now(CLOCK_MONOTONIC);
	WITH_HOST_STEP(DAY, {
		ALL_RETURN(t + LATE);
	});
	end_all();
}

TEST_F(waiters, set_next_door_moves_none)
{
	int next;

	ENTER();
	arm_all(DAY);
	next = new_time_ns();
	ASSERT_EQ(0, setns(next, CLONE_NEWTIME));
	ASSERT_EQ(0, step(2 * DAY));
	usleep(300000);
	ALL_WAIT();
	end_all();
	close(next);
}

static long long timer_remaining(timer_t timer)
{
	struct itimerspec its;

	timer_gettime(timer, &its);
	return its.it_value.tv_sec * NSEC + its.it_value.tv_nsec;
}

static long long timerfd_remaining(int fd)
{
	struct itimerspec its;

	timerfd_gettime(fd, &its);
	return its.it_value.tv_sec * NSEC + its.it_value.tv_nsec;
}

#define EXPECT_NEAR(want, seen) do {					\
	long long _seen = (seen);					\
									\
	EXPECT_GE((want), _seen);					\
	EXPECT_LE((want) - LATE, _seen);				\
} while (0)

TEST_F(waiters, remaining_time_is_that_on_the_new_clock)
{
	static const clockid_t ids[] = { CLOCK_REALTIME, CLOCK_TAI, CLOCK_REALTIME_ALARM };
	static const int notify[] = { SIGEV_SIGNAL, SIGEV_NONE };
	static const long long by[] = { DAY, -3 * DAY, DAY };
	long long left;

	ENTER();
	for (unsigned int i = 0; i < ARRAY_SIZE(ids) * 2; i++) {
		struct sigevent ev = { .sigev_notify = notify[i & 1], .sigev_signo = SIGUSR1 };
		clockid_t id = ids[i / 2];
		struct itimerspec its = { .it_value = to_ts(now(id) + 10 * DAY) };
		int fd = timerfd_create(id == CLOCK_TAI ? CLOCK_REALTIME : id, 0);
		timer_t timer;

		ASSERT_EQ(0, timer_create(id, &ev, &timer));
		ASSERT_EQ(0, timer_settime(timer, TIMER_ABSTIME, &its, NULL));
		its.it_value = to_ts(now(CLOCK_REALTIME) + 10 * DAY);
		ASSERT_EQ(0, timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL));
		left = 10 * DAY;
		for (unsigned int j = 0; j < ARRAY_SIZE(by); j++) {
			EXPECT_NEAR(left, timer_remaining(timer));
			EXPECT_NEAR(left, timerfd_remaining(fd));
			ASSERT_EQ(0, step(by[j]));
			left -= by[j];
		}
		timer_delete(timer);
		close(fd);
	}
}

TEST_F(waiters, relative_ones_do_not_mind_a_step)
{
	static const clockid_t ids[] = { CLOCK_REALTIME, CLOCK_TAI, CLOCK_REALTIME_ALARM };
	static const long long by[] = { DAY, -DAY };

	ENTER();
	for (unsigned int i = 0; i < ARRAY_SIZE(ids) * 2; i++) {
		struct sigevent ev = { .sigev_notify = SIGEV_NONE };
		struct itimerspec its = { .it_value = to_ts(DAY / 2) };
		clockid_t id = ids[i / 2];
		int fd = timerfd_create(id == CLOCK_TAI ? CLOCK_REALTIME : id, 0), status;
		struct timespec ts = { .tv_sec = 2 };
		long long t, slept;
		timer_t timer;
		pid_t pid;

		ASSERT_EQ(0, timer_create(id, &ev, &timer));
		ASSERT_EQ(0, timer_settime(timer, 0, &its, NULL));
		ASSERT_EQ(0, timerfd_settime(fd, 0, &its, NULL));
		t = now(CLOCK_MONOTONIC);
		pid = fork();
		if (!pid)
			_exit(clock_nanosleep(id, 0, &ts, NULL));
		usleep(200000);
		ASSERT_EQ(0, step(by[i & 1]));
		WITH_HOST_STEP(by[i & 1], {
			waitpid(pid, &status, 0);
			slept = now(CLOCK_MONOTONIC) - t;
		});
		EXPECT_EQ(0, status);
		EXPECT_LE(2 * NSEC, slept);
		EXPECT_GE(2 * NSEC + LATE, slept);
		EXPECT_NEAR(DAY / 2, timer_remaining(timer));
		EXPECT_NEAR(DAY / 2, timerfd_remaining(fd));
		timer_delete(timer);
		close(fd);
	}
}

TEST_F(waiters, intervals_that_a_step_passes_are_counted)
{
	struct itimerspec its = { .it_interval.tv_sec = 100 };
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	unsigned long long ticks;
	siginfo_t info;
	timer_t timer;
	sigset_t set;
	int fd;

	ENTER();
	fd = timerfd_create(CLOCK_REALTIME, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	ASSERT_EQ(0, timer_create(CLOCK_REALTIME, &ev, &timer));
	its.it_value = to_ts(now(CLOCK_REALTIME) + 50 * NSEC);
	ASSERT_EQ(0, timer_settime(timer, TIMER_ABSTIME, &its, NULL));
	ASSERT_EQ(0, timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL));

	ASSERT_EQ(0, step(1000 * NSEC));
	ASSERT_EQ(SIGUSR1, sigwaitinfo(&set, &info));
	EXPECT_EQ(9, info.si_overrun);
	ASSERT_EQ(sizeof(ticks), read(fd, &ticks, sizeof(ticks)));
	EXPECT_EQ(10, ticks);
	EXPECT_NEAR(50 * NSEC, timer_remaining(timer));
	EXPECT_NEAR(50 * NSEC, timerfd_remaining(fd));

	/* And they are armed again */
	ASSERT_EQ(0, step(60 * NSEC));
	ASSERT_EQ(SIGUSR1, sigwaitinfo(&set, &info));
	ASSERT_EQ(sizeof(ticks), read(fd, &ticks, sizeof(ticks)));
	EXPECT_EQ(1, ticks);
	timer_delete(timer);
	close(fd);
}

/* A timerfd that is to be cancelled when its clock is set, far from expiry */
static int cancel_fd(void)
{
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	struct itimerspec its = { .it_value = to_ts(now(CLOCK_REALTIME) + 1000 * DAY) };

	timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &its, NULL);
	return fd;
}

static int was_cancelled(int fd)
{
	unsigned long long ticks;

	return read(fd, &ticks, sizeof(ticks)) < 0 && errno == ECANCELED;
}

TEST_F(waiters, cancel_on_set_is_for_the_clock_that_is_set)
{
	int inside, outside;

	outside = cancel_fd();
	ENTER();
	inside = cancel_fd();

	ASSERT_EQ(0, step(NSEC));
	EXPECT_EQ(1, was_cancelled(inside));
	EXPECT_EQ(0, was_cancelled(inside));
	EXPECT_EQ(0, was_cancelled(outside));

	ASSERT_EQ(0, write_realtime(77, 0));
	EXPECT_EQ(1, was_cancelled(inside));
	EXPECT_EQ(0, was_cancelled(outside));

	WITH_HOST_STEP(100 * NSEC, {
		EXPECT_EQ(0, was_cancelled(inside));
		EXPECT_EQ(1, was_cancelled(outside));
	});
	EXPECT_EQ(0, was_cancelled(inside));
	close(inside);
	close(outside);
}

TEST_F(waiters, timers_keep_the_clock_they_were_made_in)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec its;
	struct pollfd pfd = { .events = POLLIN };
	siginfo_t info;
	timer_t timer;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);

	ENTER();
	pfd.fd = timerfd_create(CLOCK_REALTIME, 0);
	ASSERT_EQ(0, timer_create(CLOCK_REALTIME, &ev, &timer));
	its = (struct itimerspec){ .it_value = to_ts(now(CLOCK_REALTIME) + DAY) };
	ASSERT_EQ(0, timer_settime(timer, TIMER_ABSTIME, &its, NULL));
	ASSERT_EQ(0, timerfd_settime(pfd.fd, TFD_TIMER_ABSTIME, &its, NULL));

	/* Armed inside, the process moves to the host's namespace */
	LEAVE();
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	EXPECT_NEAR(DAY, timer_remaining(timer));
	EXPECT_NEAR(DAY, timerfd_remaining(pfd.fd));
	/* There it is the namespace's line that sets their clock */
	ENTER();
	ASSERT_EQ(0, write_realtime(2 * 86400, 0));
	LEAVE();
	EXPECT_EQ(1, poll(&pfd, 1, LATE / 1000000));
	EXPECT_EQ(SIGUSR1, sigwaitinfo(&set, &info));

	/* Armed again outside, by the clock they were made in */
	its.it_value = to_ts(now(CLOCK_REALTIME) + 3 * DAY);
	ASSERT_EQ(0, timer_settime(timer, TIMER_ABSTIME, &its, NULL));
	ASSERT_EQ(0, timerfd_settime(pfd.fd, TFD_TIMER_ABSTIME, &its, NULL));
	EXPECT_NEAR(DAY, timer_remaining(timer));
	EXPECT_NEAR(DAY, timerfd_remaining(pfd.fd));
	timer_delete(timer);
	close(pfd.fd);
}

TEST_HARNESS_MAIN
