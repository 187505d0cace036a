// SPDX-License-Identifier: GPL-2.0
/*
 * Waiters for a time of a namespace's own wall clock, when that clock is set.
 *
 * A table (realtime_ways.h) has every way to wait for an absolute time. Each row is
 * armed by a process of its own inside the namespace; the test sets clocks, and looks
 * when it returns.
 */
#define _GNU_SOURCE
#include "realtime_ways.h"

FIXTURE(waiters)
{
	int host;
	int inside;
};

FIXTURE_SETUP(waiters)
{
	if (geteuid())
		SKIP(return, "needs root");
	self->host = open("/proc/self/ns/time", O_RDONLY | O_CLOEXEC);
	if (self->host < 0)
		SKIP(return, "no time namespaces");
	ASSERT_EQ(0, unshare(CLONE_NEWTIME));
	if (write_realtime(0) == -EINVAL)
		SKIP(return, "needs CONFIG_TIME_NS_REALTIME");
	self->inside = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, self->inside);
	results = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, results);
}

FIXTURE_TEARDOWN(waiters)
{
	close(self->inside);
	close(self->host);
}

#define ENTER()	ASSERT_EQ(0, setns(self->inside, CLONE_NEWTIME))
#define LEAVE()	ASSERT_EQ(0, setns(self->host, CLONE_NEWTIME))

#define EXPECT_WAITS(i) do {						\
	int _done = is_done(i);						\
									\
	EXPECT_EQ(0, _done)						\
		TH_LOG("%s returned", ways[i].name);			\
} while (0)

/* Way @i returns until @t of CLOCK_MONOTONIC, with success, and not early */
#define EXPECT_RETURNS(i, t) do {					\
	EXPECT_EQ(1, done_until(i, t))					\
		TH_LOG("%s did not return", ways[i].name);		\
	EXPECT_EQ(0, results[i].err)					\
		TH_LOG("%s: error %d", ways[i].name, results[i].err);	\
	EXPECT_GE(0, results[i].early)					\
		TH_LOG("%s is early by %lld ns", ways[i].name, results[i].early); \
} while (0)

TEST_F(waiters, without_a_step_they_return_in_time)
{
	long long t;

	ENTER();
	t = now(CLOCK_MONOTONIC);
	arm_all(NSEC);
	for (unsigned int i = 0; i < WAYS; i++)
		EXPECT_WAITS(i);
	for (unsigned int i = 0; i < WAYS; i++)
		EXPECT_RETURNS(i, t + NSEC + LATE);
	end_all();
}

TEST_F(waiters, step_forward_ends_what_it_passed)
{
	long long t;

	ENTER();
	arm_all(DAY);
	for (unsigned int i = 0; i < WAYS; i++)
		EXPECT_WAITS(i);
	/* Close by, but not there */
	ASSERT_EQ(0, step(DAY - 100 * NSEC));
	usleep(300000);
	for (unsigned int i = 0; i < WAYS; i++)
		EXPECT_WAITS(i);
	ASSERT_EQ(0, step(100 * NSEC));
	t = now(CLOCK_MONOTONIC);
	for (unsigned int i = 0; i < WAYS; i++)
		EXPECT_RETURNS(i, t + LATE);
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
	for (unsigned int i = 0; i < WAYS; i++)
		EXPECT_RETURNS(i, t + 5 * NSEC + LATE);
	end_all();
}

TEST_F(waiters, line_from_outside_is_a_step)
{
	long long t;

	ENTER();
	arm_all(DAY);
	/* time_for_children is what setns() entered */
	ASSERT_EQ(0, write_realtime(86400));
	t = now(CLOCK_MONOTONIC);
	for (unsigned int i = 0; i < WAYS; i++)
		EXPECT_RETURNS(i, t + LATE);
	end_all();
}

TEST_F(waiters, opting_in_is_a_step)
{
	long long t;

	/* A namespace of its own, which shows the host's clock */
	LEAVE();
	ASSERT_EQ(0, unshare(CLONE_NEWTIME));
	close(self->inside);
	self->inside = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
	ENTER();

	arm_all(DAY);
	for (unsigned int i = 0; i < WAYS; i++)
		EXPECT_WAITS(i);
	ASSERT_EQ(0, write_realtime(86400 - 2));
	t = now(CLOCK_MONOTONIC);
	for (unsigned int i = 0; i < WAYS; i++)
		EXPECT_RETURNS(i, t + 2 * NSEC + LATE);
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
			for (unsigned int i = 0; i < WAYS; i++)
				EXPECT_WAITS(i);
			for (unsigned int i = 0; i < WAYS; i++)
				EXPECT_RETURNS(i, t + 2 * NSEC + LATE);
		});
		end_all();
	}
}

/* Negative control: the same without a clock of its own follows the host's */
TEST_F(waiters, host_step_ends_those_on_its_clock)
{
	long long t;

	LEAVE();
	ASSERT_EQ(0, unshare(CLONE_NEWTIME));
	close(self->inside);
	self->inside = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
	ENTER();
	arm_all(DAY / 2);
	t = now(CLOCK_MONOTONIC);
	WITH_HOST_STEP(DAY, {
		for (unsigned int i = 0; i < WAYS; i++)
			EXPECT_RETURNS(i, t + LATE);
	});
	end_all();
}

TEST_F(waiters, set_next_door_moves_none)
{
	int next;

	ENTER();
	arm_all(DAY);
	ASSERT_EQ(0, unshare(CLONE_NEWTIME));
	next = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
	ASSERT_EQ(0, setns(next, CLONE_NEWTIME));
	ASSERT_EQ(0, step(2 * DAY));
	usleep(300000);
	for (unsigned int i = 0; i < WAYS; i++)
		EXPECT_WAITS(i);
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
	int fd = timerfd_create(CLOCK_REALTIME, 0);
	unsigned long long ticks;
	siginfo_t info;
	timer_t timer;
	sigset_t set;

	/* The timerfd is the host's: it was created there. Make another. */
	close(fd);
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

	ASSERT_EQ(0, write_realtime(77));
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
	ASSERT_EQ(0, write_realtime(2 * 86400));
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

/* Armers, setters and what ends armers, until it is over */
TEST_F(waiters, races_of_steps_with_arming_and_ending)
{
	long long end = now(CLOCK_MONOTONIC) + 5 * NSEC;
	pid_t pid[4], setter;
	int status;

	ENTER();
	setter = fork();
	if (!setter) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (unsigned int i = 0;; i++)
			step(i & 1 ? NSEC : -NSEC);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(pid); i++) {
		pid[i] = fork();
		if (pid[i])
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (unsigned int j = i; now(CLOCK_MONOTONIC) < end; j++) {
			const struct way *w = &ways[j % WAYS];
			pid_t child = fork();

			if (!child) {
				prctl(PR_SET_PDEATHSIG, SIGKILL);

				long long t = now(w->id) + (j % 7) * (NSEC / 1000);

				if (w->wait(w->id, t))
					_exit(1);
				/* The setter may have set it back since: not by more than that */
				_exit(now(w->id) < t - 2 * NSEC ? 2 : 0);
			}
			if (j % 3 == 0)
				kill(child, SIGKILL);
			waitpid(child, &status, 0);
			if (WIFEXITED(status) && WEXITSTATUS(status))
				_exit(WEXITSTATUS(status) + 10 * (j % WAYS));
		}
		_exit(0);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(pid); i++) {
		ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	kill(setter, SIGKILL);
	waitpid(setter, NULL, 0);
}

TEST_HARNESS_MAIN
