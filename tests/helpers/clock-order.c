// SPDX-License-Identifier: GPL-2.0
/*
 * clock-order - does any route to any clock ever show an earlier time than one
 * that has been seen?
 *
 * usage: clock-order [OPTION]... READERS ROUNDS
 *        clock-order [OPTION]... READERS SECONDSs
 *
 * READERS processes read CLOCK_REALTIME, _MONOTONIC, _BOOTTIME and _TAI, each by
 * the vDSO, by a system call, by a system call that a UML guest's kernel always
 * intercepts, by the coarse clock, gettimeofday() and time(). The latest time
 * seen of a clock is in memory that all of them share: who reads takes it, reads
 * the clock, and finds that or a later time. A route that rounds down is given
 * what it may be rounded by.
 *
 *   --exact  leave out what a late tick makes late: coarse clocks and time()
 *   --split  each process uses one kind of route only, the first one system calls,
 *            the second one those that are intercepted, the third one the vDSO
 *   --set    another process sets the wall clock forward by a millisecond, again
 *            and again
 *   --back   and once, in the middle, backward by a minute: a control, to be noticed
 *   --half   in the middle, run a shell command, which has to succeed
 *   --rate   in the middle, the last process makes the clock so much faster, in
 *            ppm, of which more than 500 have to be a multiple of 100
 *
 * A round is one reading by each route; with an "s" behind the number, so many
 * seconds of rounds. Prints what was seen first; exits with 1 if time went back.
 */
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
#define AFTER	    3 /* rounds at least after the middle */

static const clockid_t clocks[CLOCKS] = { CLOCK_REALTIME, CLOCK_MONOTONIC,
					  CLOCK_BOOTTIME, CLOCK_TAI };
static const char *const names[CLOCKS] = { "REALTIME", "MONOTONIC", "BOOTTIME",
					   "TAI" };

struct shared {
	atomic_llong seen[CLOCKS];
	atomic_int failed;
	atomic_int done;
	atomic_int middle; /* what is to happen in the middle has happened */
	atomic_llong rounds;
};

static struct shared *shared;
static int exact;
static int split;
static int back;
static int set;
static const char *half;
static int rate;
static int readers;
static long long rounds;  /* for each reader, unless there is ... */
static long long seconds; /* ... so much time, from start_ns on */
static long long start_ns;
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

static int over(long long i)
{
	if (seconds)
		return raw_clock(CLOCK_MONOTONIC) >= start_ns + seconds * NSEC;
	return i >= rounds;
}

static int half_over(void)
{
	if (seconds)
		return raw_clock(CLOCK_MONOTONIC) >=
		       start_ns + seconds * NSEC / 2;
	return shared->rounds >= readers * rounds / 2;
}

static int wanted(const struct route *r, int clock, int reader)
{
	static const char *const kinds[] = { "raw", "kernel", "vdso" };
	const char *kind = kinds[reader % 3];

	if (split && strncmp(r->name, kind, strlen(kind)) != 0)
		return 0;
	return (r->clock < 0 || r->clock == clock) &&
	       !(exact && r->grain >= TICK);
}

static void trouble(const char *what)
{
	fprintf(stderr, "clock-order: %s\n", what);
	shared->failed = 2;
}

static int change_rate(void)
{
	int slow = rate <= 500 && rate >= -500;
	struct timex txc = {
		.modes = slow ? ADJ_FREQUENCY : ADJ_TICK,
		.freq = rate * 65536L,
		.tick = 10000 + rate / 100,
	};

	return adjtimex(&txc) < 0 ? -1 : 0;
}

static void read_all(int reader)
{
	int changed = !rate || reader != readers - 1, after = 0;

	for (long long i = 0; (!over(i) || after < AFTER) && !shared->failed;
	     i++) {
		after += shared->middle;
		if (!changed && half_over()) {
			changed = 1;
			if (change_rate())
				trouble("the clock's rate cannot be changed");
			shared->middle = 1;
		}
		for (size_t r = 0; r < ARRAY_SIZE(routes); r++)
			for (int c = 0; c < CLOCKS; c++)
				if (wanted(&routes[r], c, reader))
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

/* The process beside the readers: what happens in the middle, and again and again */
static void disturb(void)
{
	int done = 0;

	while (!shared->done && !shared->failed) {
		if (!done && half_over()) {
			done = 1;
			if (half && system(half))
				trouble("the command failed");
			if (back && move(-60 * NSEC))
				trouble("the clock cannot be moved");
			shared->middle = 1;
		}
		if (set && move(NSEC / 1000))
			trouble("the clock cannot be moved");
		usleep(500);
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

static void usage(void)
{
	fprintf(stderr,
		"usage: clock-order [OPTION]... READERS ROUNDS|SECONDSs\n");
	exit(2);
}

static void parse(int argc, char **argv)
{
	char *end = "x";

	for (; argc > 1 && argv[1][0] == '-'; argv++, argc--) {
		set |= !strcmp(argv[1], "--set");
		back |= !strcmp(argv[1], "--back");
		exact |= !strcmp(argv[1], "--exact");
		split |= !strcmp(argv[1], "--split");
		if (!strcmp(argv[1], "--half") && argc > 2) {
			half = argv[2];
			argv++, argc--;
		} else if (!strcmp(argv[1], "--rate") && argc > 2) {
			rate = atoi(argv[2]);
			argv++, argc--;
		}
	}
	if (argc == 3) {
		readers = atoi(argv[1]);
		rounds = strtoll(argv[2], &end, 10);
	}
	if (readers < 1 || readers > MAX_READERS || rounds < 1 ||
	    (*end && strcmp(end, "s") != 0))
		usage();
	if (*end)
		seconds = rounds;
}

int main(int argc, char **argv)
{
	pid_t pids[MAX_READERS], beside = 0;

	parse(argc, argv);
	find_vdso();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	shared->middle = !(back || half || rate);
	start_ns = raw_clock(CLOCK_MONOTONIC);
	for (int i = 0; i < readers; i++) {
		start(&pids[i]);
		if (!pids[i]) {
			read_all(i);
			_exit(0);
		}
	}
	if (set || back || half)
		start(&beside);
	if ((set || back || half) && !beside) {
		disturb();
		_exit(0);
	}
	for (int i = 0; i < readers; i++)
		finish(pids[i]);
	shared->done = 1;
	if (beside)
		finish(beside);
	if (shared->failed)
		return shared->failed;
	printf("%lld rounds in order\n", (long long)shared->rounds);
	return 0;
}
