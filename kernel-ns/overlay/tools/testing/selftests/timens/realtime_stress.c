// SPDX-License-Identifier: GPL-2.0
/*
 * A time namespace's own wall clock under much use, for a while.
 *
 * usage: realtime_stress [SECONDS]
 *
 * Processes set the clock, from inside and from outside, while others read it, wait
 * for a time on it in every way there is and are killed meanwhile, take armed timers
 * into other namespaces, and let namespaces end with timers that are armed.
 */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <stdlib.h>

#include "realtime_ways.h"

/* By so much the setters move the clock, forth and back */
#define STEP		NSEC
/*
 * Between its look at CLOCK_MONOTONIC and its set, a setter may have to wait, and so may
 * the tick that a coarse clock stands for: on an emulated machine, for long.
 */
#define SLACK		NSEC

enum { SETS, READINGS, WAITS, KILLS, MOVES, ENDS, COUNTS };

static const char * const names[COUNTS] = {
	"sets", "readings", "waits", "kills", "moves", "namespaces that ended",
};

static struct {
	atomic_long count[COUNTS];
	atomic_bool stop;
} *shared;

static int host, inside;
static long long base;		/* the least distance of the clock from CLOCK_MONOTONIC */

static void fail(const char *what, long value)
{
	printf("# %s: %ld\n", what, value);
	fflush(stdout);
	_exit(1);
}

static void enter(int ns)
{
	if (setns(ns, CLONE_NEWTIME))
		fail("setns", errno);
}

static void did(int what)
{
	atomic_fetch_add(&shared->count[what], 1);
}

static void set_from_inside(unsigned int i)
{
	if (set_clock(now(CLOCK_MONOTONIC) + base + (i & 1) * STEP))
		fail("clock_settime", errno);
	did(SETS);
}

static void set_from_outside(unsigned int i)
{
	int err = write_realtime(i & 1, 0);

	if (err)
		fail("realtime line", err);
	did(SETS);
}

/* The distance of CLOCK_REALTIME from CLOCK_MONOTONIC, by the two closest readings */
static long long distance(void)
{
	long long least = -1, dist = 0;

	for (int i = 0; i < 1000; i++) {
		long long before = now(CLOCK_MONOTONIC), t = now(CLOCK_REALTIME);
		long long took = now(CLOCK_MONOTONIC) - before;

		if (least < 0 || took < least) {
			least = took;
			dist = t - before;
		}
	}
	return dist;
}

static void read_clock(unsigned int i)
{
	long long before = now(CLOCK_MONOTONIC) + base, t, after;

	t = now(i & 1 ? CLOCK_REALTIME : CLOCK_REALTIME_COARSE);
	after = now(CLOCK_MONOTONIC) + base;
	if (t < before - SLACK || t > after + STEP + SLACK)
		fail("the clock is off by ms", (t - before) / 1000000);
	did(READINGS);
}

/* One way to wait; every third waiter is killed, sooner or later */
static void wait_somehow(unsigned int i)
{
	const struct way *w = &ways[i % WAYS];
	long long t = now(w->id) + (i % 7) * (NSEC / 1000);
	int status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (w->wait(w->id, t))
			_exit(1);
		/* It may have been set back since, but by no more than that */
		_exit(now(w->id) < t - 2 * STEP ? 2 : 0);
	}
	if (i % 3 == 0) {
		usleep(i % 5 * 500);
		kill(pid, SIGKILL);
		did(KILLS);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status))
		fail(w->name, WEXITSTATUS(status));
	did(WAITS);
}

/* Timers of all kinds, some soon, some far; they are left armed */
static void arm_timers(unsigned int i)
{
	static const clockid_t ids[] = { CLOCK_REALTIME, CLOCK_TAI, CLOCK_REALTIME_ALARM };
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };

	signal(SIGUSR1, SIG_IGN);
	for (unsigned int j = 0; j < ARRAY_SIZE(ids); j++) {
		long long in = (i + j) % 2 ? NSEC / 1000 : 10 * NSEC;
		struct itimerspec its = { .it_value = to_ts(now(ids[j]) + in),
					  .it_interval.tv_nsec = i % 4 ? 0 : 700000 };
		int fd = timerfd_create(j == 1 ? CLOCK_REALTIME : ids[j], 0);
		timer_t timer;

		if (timer_create(ids[j], &ev, &timer) ||
		    timer_settime(timer, TIMER_ABSTIME, &its, NULL))
			fail("timer", errno);
		its.it_value = to_ts(now(CLOCK_REALTIME) + in);
		/* With ECANCELED, the clock was set meanwhile; it is armed all the same */
		if (fd < 0 || (timerfd_settime(fd, TFD_TIMER_ABSTIME |
					       (i & 1 ? TFD_TIMER_CANCEL_ON_SET : 0),
					       &its, NULL) &&
			       !(i & 1 && errno == ECANCELED)))
			fail("timerfd", errno);
	}
}

static void child_ends(pid_t pid, int kill_it)
{
	int status;

	if (kill_it)
		kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status))
		_exit(1);
}

/* Armed inside, a process goes elsewhere and ends: by exit, exec, or a signal */
static void move(unsigned int i)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		arm_timers(i);
		enter(host);
		/* A copy of the descriptors in another process */
		if (i % 3 == 0 && !fork()) {
			usleep(2000);
			_exit(0);
		}
		usleep(i % 3 * 1000);
		if (i & 1)
			execl("/proc/self/exe", "realtime_stress", "--nothing", NULL);
		_exit(0);
	}
	if (i % 5 == 0)
		usleep(1000);
	child_ends(pid, i % 5 == 0);
	did(MOVES);
}

/* A namespace that ends with timers in it, and is set until then */
static void end_namespace(unsigned int i)
{
	pid_t pid = fork();

	if (!pid) {
		int ns;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		ns = i & 1 ? new_own_clock() : new_time_ns();
		if (ns < 0)
			fail("namespace", ns);
		enter(ns);
		arm_timers(i);
		if (write_realtime(i % 3, 0) || step(NSEC / 1000))
			fail("setting a new namespace", errno);
		arm_timers(i + 1);
		_exit(0);
	}
	child_ends(pid, 0);
	did(ENDS);
}

static const struct job {
	void (*once)(unsigned int i);
	int from_host;
} jobs[] = {
	{ set_from_inside }, { set_from_outside }, { read_clock }, { wait_somehow },
	{ wait_somehow }, { wait_somehow }, { move }, { end_namespace }, { end_namespace, 1 },
};

static pid_t begin(const struct job *job, unsigned int seed)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (job->from_host)
		enter(host);
	for (unsigned int i = seed; !atomic_load(&shared->stop); i++)
		job->once(i);
	_exit(0);
}

static bool all_done(void)
{
	for (unsigned int i = 0; i < COUNTS; i++) {
		if (!atomic_load(&shared->count[i]))
			return false;
	}
	return true;
}

static int run(int seconds)
{
	pid_t pid[ARRAY_SIZE(jobs)];
	int failed = 0, status;

	enter(inside);
	base = distance();
	for (unsigned int i = 0; i < ARRAY_SIZE(jobs); i++)
		pid[i] = begin(&jobs[i], i);
	sleep(seconds);
	/* Until each has had its turn, on a slow machine */
	for (int i = 0; i < 60 && !all_done(); i++)
		sleep(1);
	atomic_store(&shared->stop, true);
	for (unsigned int i = 0; i < ARRAY_SIZE(jobs); i++) {
		if (waitpid(pid[i], &status, 0) != pid[i] || status)
			failed++;
	}
	enter(host);
	for (unsigned int i = 0; i < COUNTS; i++)
		ksft_print_msg("%ld %s\n", atomic_load(&shared->count[i]), names[i]);
	return failed + !all_done();
}

int main(int argc, char **argv)
{
	int seconds = argc > 1 ? atoi(argv[1]) : 5;
	const char *why;
	long long dist;

	if (argc > 1 && !strcmp(argv[1], "--nothing"))
		return 0;
	ksft_print_header();
	if (seconds < 1)
		ksft_exit_fail_msg("usage: %s [SECONDS]\n", argv[0]);
	why = two_clocks(&host, &inside);
	if (why)
		ksft_exit_skip("%s\n", why);
	ksft_set_plan(1);
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		ksft_exit_fail_msg("no memory\n");
	dist = distance();
	seconds = run(seconds);
	dist -= distance();
	if (dist < -NSEC / 10 || dist > NSEC / 10)
		ksft_exit_fail_msg("the host's clock has moved by %lld ns\n", dist);
	ksft_test_result(!seconds, "a clock under stress\n");
	ksft_finished();
}
