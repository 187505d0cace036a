// SPDX-License-Identifier: GPL-2.0
/*
 * clock-order - does any route to any clock ever show an earlier time than one
 * that has been seen?
 *
 * usage: clock-order [--exact] [--set] [--back] READERS ROUNDS
 *
 * READERS processes read CLOCK_REALTIME, _MONOTONIC, _BOOTTIME and _TAI, each by
 * the vDSO, by a system call, by a system call that a UML guest's kernel always
 * intercepts, by the coarse clock, gettimeofday() and time(). The latest time
 * seen of a clock is in memory that all of them share: who reads takes it, reads
 * the clock, and finds that or a later time. A route that rounds down is given
 * what it may be rounded by.
 *
 *   --exact  leave out what a late tick makes late: coarse clocks and time()
 *   --set    another process sets the wall clock forward by a millisecond, again
 *            and again
 *   --back   and once, in the middle, backward by a minute: a control, to be noticed
 *
 * A round is one reading by each route. Prints what was seen first; exits with 1
 * if time went back.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/timex.h>
#include <sys/wait.h>

#include "clock.h"
#include "vdso.h"

#define CLOCKS	    4
#define TICK	    (NSEC / 2) /* more than a tick that comes late */
#define HIGH_WORD   0x700000000L
#define MAX_READERS 64

static const clockid_t clocks[CLOCKS] = { CLOCK_REALTIME, CLOCK_MONOTONIC,
					  CLOCK_BOOTTIME, CLOCK_TAI };
static const char *const names[CLOCKS] = { "REALTIME", "MONOTONIC", "BOOTTIME",
					   "TAI" };

struct shared {
	atomic_llong seen[CLOCKS];
	atomic_int failed;
	atomic_int done;
	atomic_llong rounds;
};

static struct shared *shared;
static int exact;
static int (*vdso_gtod)(struct timeval *tv, void *tz);
static time_t (*vdso_time_fn)(time_t *t);
static int (*vdso_gettime)(clockid_t id, struct timespec *ts);

static long long by_vdso(clockid_t id)
{
	struct timespec ts;

	if (vdso_gettime(id, &ts))
		return -1;
	return ts_ns(&ts);
}

/* The high word is none of the kernel's business, but the passing rule's */
static long long by_kernel(clockid_t id)
{
	struct timespec ts;

	if (syscall(SYS_clock_gettime, HIGH_WORD | id, &ts))
		return -1;
	return ts_ns(&ts);
}

static long long by_vdso_gtod(clockid_t id)
{
	struct timeval tv;

	(void)id;
	vdso_gtod(&tv, NULL);
	return tv.tv_sec * NSEC + tv.tv_usec * 1000;
}

static long long by_vdso_time(clockid_t id)
{
	(void)id;
	return vdso_time_fn(NULL) * NSEC;
}

static const struct route {
	const char *name;
	long long (*read)(clockid_t id);
	int clock;    /* an index, or -1 for all */
	clockid_t id; /* if not that of the clock */
	long long grain;
} routes[] = {
	{ "vdso", by_vdso, -1, -1, 0 },
	{ "raw", raw_clock, -1, -1, 0 },
	{ "vdso", by_vdso, -1, -1, 0 },
	{ "kernel", by_kernel, -1, -1, 0 },
	{ "vdso", by_vdso, -1, -1, 0 },
	{ "vdso gettimeofday", by_vdso_gtod, 0, 0, 999 },
	{ "raw gettimeofday", raw_gettimeofday, 0, 0, 999 },
	{ "vdso time", by_vdso_time, 0, 0, NSEC + TICK },
	{ "raw time", raw_time, 0, 0, NSEC + TICK },
	{ "vdso coarse", by_vdso, 0, CLOCK_REALTIME_COARSE, TICK },
	{ "raw coarse", raw_clock, 0, CLOCK_REALTIME_COARSE, TICK },
	{ "vdso monotonic coarse", by_vdso, 1, CLOCK_MONOTONIC_COARSE, TICK },
	{ "raw monotonic coarse", raw_clock, 1, CLOCK_MONOTONIC_COARSE, TICK },
};

static void report(const struct route *r, int clock, long long seen,
		   long long now)
{
	if (atomic_exchange(&shared->failed, 1))
		return;
	printf("CLOCK_%s by %s: %lld ns before what was seen\n", names[clock],
	       r->name, seen - now);
	fflush(stdout);
}

static void one_route(const struct route *r, int clock)
{
	long long seen = atomic_load(&shared->seen[clock]);
	clockid_t id = r->clock < 0 ? clocks[clock] : r->id;
	long long now = r->read(id);

	if (now + r->grain < seen)
		report(r, clock, seen, now);
	while (seen < now &&
	       !atomic_compare_exchange_weak(&shared->seen[clock], &seen, now))
		;
}

static int wanted(const struct route *r, int clock)
{
	return (r->clock < 0 || r->clock == clock) &&
	       !(exact && r->grain >= TICK);
}

static void read_all(int rounds)
{
	for (int i = 0; i < rounds && !shared->failed; i++) {
		for (size_t r = 0; r < ARRAY_SIZE(routes); r++)
			for (int c = 0; c < CLOCKS; c++)
				if (wanted(&routes[r], c))
					one_route(&routes[r], c);
		atomic_fetch_add(&shared->rounds, 1);
	}
}

/* By a distance: between reading the clock and setting it, time may pass */
static int move(long long ns)
{
	struct timespec ts = ns_ts(ns);
	struct timex txc = {
		.modes = ADJ_SETOFFSET | ADJ_NANO,
		.time = { ts.tv_sec, ts.tv_nsec },
	};

	return adjtimex(&txc) < 0 ? -1 : 0;
}

static void set_all(int back, long long half)
{
	int went_back = 0;

	while (!shared->done && !shared->failed) {
		if (back && !went_back && shared->rounds >= half) {
			went_back = 1;
			if (!move(-60 * NSEC))
				continue;
		} else if (!move(NSEC / 1000)) {
			usleep(500);
			continue;
		}
		perror("clock-order: adjtimex");
		shared->failed = 2;
	}
}

static void find_vdso(void)
{
	vdso_gettime = vdso_function("__vdso_clock_gettime");
	vdso_gtod = vdso_function("__vdso_gettimeofday");
	vdso_time_fn = vdso_function("__vdso_time");
	if (vdso_gettime && vdso_gtod && vdso_time_fn)
		return;
	fprintf(stderr, "clock-order: the vDSO lacks a function\n");
	exit(2);
}

static void start(pid_t *pid)
{
	*pid = fork();
	if (*pid < 0) {
		perror("clock-order: fork");
		exit(2);
	}
}

static void finish(pid_t pid)
{
	int status;

	waitpid(pid, &status, 0);
	if (status && !shared->failed) {
		printf("a process ended with status %#x\n", status);
		shared->failed = 2;
	}
}

int main(int argc, char **argv)
{
	int set = 0, back = 0, readers, rounds;
	pid_t pids[MAX_READERS], setter = 0;

	for (; argc > 1 && argv[1][0] == '-'; argv++, argc--) {
		set |= !strcmp(argv[1], "--set");
		back |= !strcmp(argv[1], "--back");
		exact |= !strcmp(argv[1], "--exact");
	}
	readers = argc == 3 ? atoi(argv[1]) : 0;
	rounds = argc == 3 ? atoi(argv[2]) : 0;
	if (readers < 1 || readers > MAX_READERS || rounds < 1) {
		fprintf(stderr,
			"usage: clock-order [--exact] [--set] [--back] READERS ROUNDS\n");
		return 2;
	}
	find_vdso();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < readers; i++) {
		start(&pids[i]);
		if (!pids[i]) {
			read_all(rounds);
			_exit(0);
		}
	}
	if (set || back)
		start(&setter);
	if ((set || back) && !setter) {
		set_all(back, (long long)readers * rounds / 2);
		_exit(0);
	}
	for (int i = 0; i < readers; i++)
		finish(pids[i]);
	shared->done = 1;
	if (setter)
		finish(setter);
	if (shared->failed)
		return shared->failed;
	printf("%lld rounds in order\n", (long long)shared->rounds);
	return 0;
}
