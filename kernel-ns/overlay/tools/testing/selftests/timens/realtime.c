// SPDX-License-Identifier: GPL-2.0
/*
 * A time namespace's own wall clock: opt-in, readers, setters, limits, waiters.
 *
 * Every test runs in a process of its own that has entered a fresh namespace
 * and can go back to the host's for comparison. Both clocks run at the same
 * rate, so a distance between them is constant up to the time between two
 * reads; it is only compared exactly where the kernel shows it exactly.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/wait.h>

#include "../kselftest_harness.h"
#include "realtime.h"

#define DAY		86400LL
#define DISTANCE	(10 * DAY)
/* More than two reads of a clock are apart on a slow machine */
#define SLACK		(5 * NSEC)

/* The realtime line, or -ENOENT if there is none */
static int read_realtime(long long *sec, long *nsec)
{
	FILE *f = fopen(OFFSETS, "r");
	char line[128];
	int err = -ENOENT;

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "realtime %lld %ld", sec, nsec) == 2)
			err = 0;
	}
	fclose(f);
	return err;
}

static long long sys_now(clockid_t id)
{
	struct timespec ts = { };

	syscall(SYS_clock_gettime, id, &ts);
	return ts_ns(&ts);
}

static long long vdso_gettimeofday(clockid_t id)
{
	struct timeval tv;

	gettimeofday(&tv, NULL);
	return tv.tv_sec * NSEC + tv.tv_usec * 1000;
}

static long long sys_gettimeofday(clockid_t id)
{
	struct timeval tv;

	syscall(SYS_gettimeofday, &tv, NULL);
	return tv.tv_sec * NSEC + tv.tv_usec * 1000;
}

static long long vdso_time(clockid_t id)
{
	return time(NULL) * NSEC;
}

static long long sys_time(clockid_t id)
{
#ifdef SYS_time
	return syscall(SYS_time, NULL) * NSEC;
#else
	return time(NULL) * NSEC;
#endif
}

static long long sys_adjtimex(clockid_t id)
{
	struct timex tx = { };

	adjtimex(&tx);
	return tx.time.tv_sec * NSEC + tx.time.tv_usec * (tx.status & STA_NANO ? 1 : 1000);
}

/* Each way to read the wall clock; all but TAI show the same */
static const struct reader {
	const char *name;
	long long (*read)(clockid_t id);
	clockid_t id;
} readers[] = {
	{ "clock_gettime(CLOCK_REALTIME), vDSO", now, CLOCK_REALTIME },
	{ "clock_gettime(CLOCK_REALTIME), syscall", sys_now, CLOCK_REALTIME },
	{ "clock_gettime(CLOCK_REALTIME_COARSE), vDSO", now, CLOCK_REALTIME_COARSE },
	{ "clock_gettime(CLOCK_REALTIME_COARSE), syscall", sys_now, CLOCK_REALTIME_COARSE },
	{ "clock_gettime(CLOCK_REALTIME_ALARM)", sys_now, CLOCK_REALTIME_ALARM },
	{ "clock_gettime(CLOCK_TAI), vDSO", now, CLOCK_TAI },
	{ "clock_gettime(CLOCK_TAI), syscall", sys_now, CLOCK_TAI },
	{ "gettimeofday, vDSO", vdso_gettimeofday },
	{ "gettimeofday, syscall", sys_gettimeofday },
	{ "time, vDSO", vdso_time },
	{ "time, syscall", sys_time },
	{ "adjtimex", sys_adjtimex },
};

FIXTURE(realtime)
{
	int host;	/* the namespace the test was started in */
	int inside;	/* the fresh one */
};

FIXTURE_SETUP(realtime)
{
	const char *why = two_clocks(&self->host, &self->inside);

	if (why)
		SKIP(return, "%s", why);
	/* One that has not opted in */
	RENEW();
}

FIXTURE_TEARDOWN(realtime)
{
	close(self->inside);
	close(self->host);
}

/* The distance of the namespace's clock from the host's, by reading both */
#define MEASURE(dist) do {						\
	long long _inside, _host;					\
									\
	ENTER();							\
	_inside = now(CLOCK_REALTIME);					\
	LEAVE();							\
	_host = now(CLOCK_REALTIME);					\
	(dist) = _inside - _host;					\
} while (0)

#define EXPECT_NEAR(want, seen) do {					\
	long long _diff = (seen) - (want);				\
									\
	EXPECT_LE(-SLACK, _diff);					\
	EXPECT_GE(SLACK, _diff);					\
} while (0)

TEST_F(realtime, namespace_without_line_shows_the_host_clock)
{
	long long sec, dist;
	long nsec;

	EXPECT_EQ(-ENOENT, read_realtime(&sec, &nsec));
	MEASURE(dist);
	EXPECT_NEAR(0, dist);
}

TEST_F(realtime, line_shows_what_was_written_to_the_nanosecond)
{
	static const struct { long long sec; long nsec; } v[] = {
		{ 0, 0 }, { DISTANCE, 1 }, { -DISTANCE, 999999999 }, { 1, 500000000 },
	};
	long long sec;
	long nsec;

	for (unsigned int i = 0; i < ARRAY_SIZE(v); i++) {
		ASSERT_EQ(0, write_realtime(v[i].sec, v[i].nsec));
		ASSERT_EQ(0, read_realtime(&sec, &nsec));
		EXPECT_EQ(v[i].sec, sec);
		EXPECT_EQ(v[i].nsec, nsec);
	}
}

TEST_F(realtime, every_reader_shows_the_namespace_clock)
{
	long long host[ARRAY_SIZE(readers)];

	ASSERT_EQ(0, write_realtime(DISTANCE, 0));
	for (unsigned int i = 0; i < ARRAY_SIZE(readers); i++)
		host[i] = readers[i].read(readers[i].id);
	ENTER();
	for (unsigned int i = 0; i < ARRAY_SIZE(readers); i++) {
		long long dist = readers[i].read(readers[i].id) - host[i];

		TH_LOG("%s", readers[i].name);
		EXPECT_NEAR(DISTANCE * NSEC, dist);
	}
}

TEST_F(realtime, other_clocks_do_not_move)
{
	static const clockid_t ids[] = {
		CLOCK_MONOTONIC, CLOCK_MONOTONIC_COARSE, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME,
	};
	long long before[ARRAY_SIZE(ids)];

	ASSERT_EQ(0, write_realtime(DISTANCE, 0));
	for (unsigned int i = 0; i < ARRAY_SIZE(ids); i++)
		before[i] = now(ids[i]);
	ENTER();
	for (unsigned int i = 0; i < ARRAY_SIZE(ids); i++) {
		EXPECT_NEAR(before[i], now(ids[i]));
		EXPECT_NEAR(before[i], sys_now(ids[i]));
	}
}

TEST_F(realtime, readers_never_disagree)
{
	long long prev = 0, t;

	ASSERT_EQ(0, write_realtime(-DISTANCE, 123456789));
	ENTER();
	for (int i = 0; i < 20000; i++) {
		t = i & 1 ? sys_now(CLOCK_REALTIME) : now(CLOCK_REALTIME);
		ASSERT_LE(prev, t);
		prev = t;
		t = now(CLOCK_REALTIME_COARSE);
		ASSERT_LE(t, now(CLOCK_REALTIME));
	}
}

TEST_F(realtime, time_rolls_over_with_the_namespace_second)
{
	struct timespec ts;

	ASSERT_EQ(0, write_realtime(DISTANCE, 500000000));
	ENTER();
	for (int i = 0; i < 20000; i++) {
		time_t before = time(NULL);

		clock_gettime(CLOCK_REALTIME_COARSE, &ts);
		ASSERT_LE(before, ts.tv_sec);
		ASSERT_GE(time(NULL), ts.tv_sec);
	}
}

TEST_F(realtime, set_inside_moves_only_the_namespace)
{
	struct timespec ts = { .tv_sec = 2147483647 };
	struct timeval tv = { .tv_sec = 1000000000, .tv_usec = 999999 };
	long long host, mono;

	ASSERT_EQ(0, write_realtime(0, 0));
	host = now(CLOCK_REALTIME);
	mono = now(CLOCK_MONOTONIC);

	ENTER();
	ASSERT_EQ(0, clock_settime(CLOCK_REALTIME, &ts));
	EXPECT_NEAR(ts_ns(&ts), now(CLOCK_REALTIME));
	EXPECT_NEAR(ts_ns(&ts), sys_now(CLOCK_REALTIME));
	ASSERT_EQ(0, syscall(SYS_settimeofday, &tv, NULL));
	EXPECT_NEAR(1000000000 * NSEC, now(CLOCK_REALTIME));
	EXPECT_NEAR(mono, now(CLOCK_MONOTONIC));

	LEAVE();
	EXPECT_NEAR(host, now(CLOCK_REALTIME));
}

TEST_F(realtime, coarse_readers_see_a_set_at_once)
{
	ASSERT_EQ(0, write_realtime(0, 0));
	ENTER();
	for (unsigned int i = 0; i < 200; i++) {
		/* Forward and backward; a whole second shows a lag of any length */
		struct timespec ts = { .tv_sec = 2000000000 - (i & 1) * 1000 + i };
		unsigned int r = i % ARRAY_SIZE(readers);
		long long t;

		ASSERT_EQ(0, clock_settime(CLOCK_REALTIME, &ts));
		t = readers[r].read(readers[r].id);
		ASSERT_LE(ts_ns(&ts), t);
		ASSERT_GE(ts_ns(&ts) + SLACK, t);
	}
}

TEST_F(realtime, set_before_opting_in_is_the_hosts)
{
	struct timespec ts;
	int err;

	/*
	 * As on mainline, somebody who may set the host's clock still may,
	 * in a namespace without a clock of its own: set it to what it is.
	 */
	ENTER();
	clock_gettime(CLOCK_REALTIME, &ts);
	err = clock_settime(CLOCK_REALTIME, &ts);
	EXPECT_EQ(0, err);
	EXPECT_EQ(-ENOENT, read_realtime(&(long long){ 0 }, &(long){ 0 }));
}

TEST_F(realtime, limits_are_those_of_settimeofday)
{
	struct timespec ts = { };
	long long before, dist, sec;
	long nsec;

	ASSERT_EQ(0, write_realtime(DISTANCE, 7));

	/* The line: out of range, then malformed */
	EXPECT_EQ(-ERANGE, write_realtime(-(now(CLOCK_REALTIME) / NSEC) - 1, 0));
	EXPECT_EQ(-ERANGE, write_realtime(9000000000LL, 0));
	EXPECT_EQ(-ERANGE, write_realtime(1LL << 62, 0));
	EXPECT_EQ(-EINVAL, write_realtime(0, NSEC));
	EXPECT_EQ(-EINVAL, write_line("realtime 1"));
	EXPECT_EQ(-EINVAL, write_line("realtim 1 0"));
	ASSERT_EQ(0, read_realtime(&sec, &nsec));
	EXPECT_EQ(DISTANCE, sec);
	EXPECT_EQ(7, nsec);

	ENTER();
	before = now(CLOCK_REALTIME);
	ts.tv_sec = -1;
	EXPECT_EQ(-1, clock_settime(CLOCK_REALTIME, &ts));
	EXPECT_EQ(EINVAL, errno);
	ts.tv_sec = 9000000000LL;
	EXPECT_EQ(-1, clock_settime(CLOCK_REALTIME, &ts));
	EXPECT_EQ(EINVAL, errno);
	/* Before CLOCK_MONOTONIC, which cannot be for a clock that ran on */
	ts.tv_sec = 0;
	EXPECT_EQ(-1, clock_settime(CLOCK_REALTIME, &ts));
	EXPECT_EQ(EINVAL, errno);
	ts.tv_sec = 1000;
	ts.tv_nsec = NSEC;
	EXPECT_EQ(-1, clock_settime(CLOCK_REALTIME, &ts));
	EXPECT_EQ(EINVAL, errno);
	dist = now(CLOCK_REALTIME) - before;
	EXPECT_NEAR(0, dist);
	LEAVE();
}

TEST_F(realtime, line_may_be_written_after_tasks_entered)
{
	long long dist;

	ENTER();
	EXPECT_EQ(-EACCES, write_line("monotonic 1 0\n"));
	EXPECT_EQ(-EACCES, write_line("monotonic 1 0\nrealtime 1 0\n"));
	EXPECT_EQ(-ENOENT, read_realtime(&(long long){ 0 }, &(long){ 0 }));
	ASSERT_EQ(0, write_realtime(DISTANCE, 0));
	LEAVE();
	MEASURE(dist);
	EXPECT_NEAR(DISTANCE * NSEC, dist);
}

TEST_F(realtime, initial_namespace_refuses)
{
	int fd = open("/proc/1/ns/time", O_RDONLY);

	ASSERT_LE(0, fd);
	if (setns(fd, CLONE_NEWTIME))
		SKIP(return, "cannot enter the namespace of process 1");
	EXPECT_EQ(-EACCES, write_realtime(DISTANCE, 0));
	EXPECT_EQ(-ENOENT, read_realtime(&(long long){ 0 }, &(long){ 0 }));
}

TEST_F(realtime, task_without_the_capability_is_refused)
{
	struct timespec ts = { .tv_sec = 2147483647 };
	struct timex tx = { .modes = ADJ_SETOFFSET, .time.tv_sec = 1 };

	ASSERT_EQ(0, write_realtime(DISTANCE, 0));
	ENTER();
	ASSERT_EQ(0, setresuid(1000, 1000, 1000));
	EXPECT_EQ(-1, clock_settime(CLOCK_REALTIME, &ts));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(-1, adjtimex(&tx));
	EXPECT_EQ(EPERM, errno);
}

TEST_F(realtime, adjtimex_inside_cannot_reach_the_host)
{
	static const unsigned int modes[] = {
		ADJ_OFFSET, ADJ_FREQUENCY, ADJ_MAXERROR, ADJ_ESTERROR, ADJ_STATUS,
		ADJ_TIMECONST, ADJ_TAI, ADJ_TICK, ADJ_NANO, ADJ_MICRO, ADJ_OFFSET_SINGLESHOT,
		ADJ_SETOFFSET | ADJ_FREQUENCY, ADJ_OFFSET_SS_READ | ADJ_SETOFFSET,
	};
	struct timex tx = { }, host = { }, after = { };
	long long sec;
	long nsec;

	ASSERT_EQ(0, write_realtime(DISTANCE, 0));
	ASSERT_LE(0, adjtimex(&host));
	ENTER();
	for (unsigned int i = 0; i < ARRAY_SIZE(modes); i++) {
		tx = (struct timex){ .modes = modes[i], .freq = 65536, .tick = 10001 };
		EXPECT_EQ(-1, adjtimex(&tx));
		EXPECT_EQ(EPERM, errno);
	}
	tx = (struct timex){ .modes = ADJ_OFFSET_SS_READ };
	EXPECT_LE(0, adjtimex(&tx));

	tx = (struct timex){ .modes = ADJ_SETOFFSET | ADJ_NANO, .time = { -1, 5 } };
	EXPECT_LE(0, adjtimex(&tx));
	ASSERT_EQ(0, read_realtime(&sec, &nsec));
	EXPECT_EQ(DISTANCE - 1, sec);
	EXPECT_EQ(5, nsec);
	LEAVE();

	ASSERT_LE(0, adjtimex(&after));
	EXPECT_EQ(host.freq, after.freq);
	EXPECT_EQ(host.tick, after.tick);
	EXPECT_EQ(host.status, after.status);
	EXPECT_EQ(host.tai, after.tai);
	EXPECT_NEAR(host.time.tv_sec * NSEC, after.time.tv_sec * NSEC);
}

TEST_F(realtime, time_zone_is_not_the_namespaces_to_set)
{
	struct timezone tz = { .tz_minuteswest = 60 }, seen = { };

	ASSERT_EQ(0, write_realtime(DISTANCE, 0));
	ENTER();
	EXPECT_EQ(-1, syscall(SYS_settimeofday, NULL, &tz));
	EXPECT_EQ(EPERM, errno);
	ASSERT_EQ(0, syscall(SYS_gettimeofday, NULL, &seen));
	EXPECT_EQ(0, seen.tz_minuteswest);
}

TEST_F(realtime, child_namespace_starts_with_a_copy_and_is_apart)
{
	struct timespec ts = { .tv_sec = 1234567890 };
	long long host = now(CLOCK_REALTIME), dist, sec;
	long nsec;
	int child;

	ASSERT_EQ(0, write_realtime(DISTANCE, 42));
	ENTER();
	ASSERT_EQ(0, unshare(CLONE_NEWTIME));
	ASSERT_EQ(0, read_realtime(&sec, &nsec));
	EXPECT_EQ(DISTANCE, sec);
	EXPECT_EQ(42, nsec);

	child = open("/proc/self/ns/time_for_children", O_RDONLY);
	ASSERT_LE(0, child);
	ASSERT_EQ(0, setns(child, CLONE_NEWTIME));
	EXPECT_NEAR(host + DISTANCE * NSEC, now(CLOCK_REALTIME));
	ASSERT_EQ(0, clock_settime(CLOCK_REALTIME, &ts));
	EXPECT_NEAR(ts_ns(&ts), now(CLOCK_REALTIME));
	close(child);

	MEASURE(dist);
	EXPECT_NEAR(DISTANCE * NSEC, dist);
}

/* Wait until the namespace's clock shows @t; how late, in nanoseconds */
static long long sleep_until(long long t, clockid_t id)
{
	struct timespec ts = { t / NSEC, t % NSEC };

	if (clock_nanosleep(id, TIMER_ABSTIME, &ts, NULL))
		return -1;
	return now(id) - t;
}

TEST_F(realtime, absolute_waiters_use_the_namespace_clock)
{
	static const clockid_t ids[] = { CLOCK_REALTIME, CLOCK_TAI };
	static const long long dist[] = { DISTANCE, -DISTANCE };

	for (unsigned int i = 0; i < ARRAY_SIZE(dist); i++) {
		ASSERT_EQ(0, write_realtime(dist[i], 0));
		ENTER();
		for (unsigned int j = 0; j < ARRAY_SIZE(ids); j++) {
			long long late = sleep_until(now(ids[j]) + NSEC / 20, ids[j]);

			/* Never early; and neither at once nor in ten days */
			EXPECT_LE(0, late);
			EXPECT_GE(SLACK, late);
		}
		RENEW();
	}
}

/* Readers of a clock that jumps between two days must see one of the two */
static int read_until_stopped(const int *stop, long long host_base)
{
	while (!__atomic_load_n(stop, __ATOMIC_RELAXED)) {
		for (unsigned int i = 0; i < ARRAY_SIZE(readers); i++) {
			long long d = readers[i].read(readers[i].id) - host_base;
			long long off = d % (DAY * NSEC);

			if (d < DISTANCE * NSEC || d > (DISTANCE + DAY) * NSEC + DAY * NSEC / 2 ||
			    off > DAY * NSEC / 2)
				return 1;
		}
	}
	return 0;
}

TEST_F(realtime, live_change_is_never_seen_torn)
{
	int *stop;
	long long base;
	pid_t pid[4];
	int status;

	stop = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, stop);
	ASSERT_EQ(0, write_realtime(DISTANCE, 0));
	/* A second below, for the coarse clocks and time() */
	base = now(CLOCK_REALTIME) / NSEC * NSEC - NSEC;
	ENTER();
	for (unsigned int i = 0; i < ARRAY_SIZE(pid); i++) {
		pid[i] = fork();
		ASSERT_LE(0, pid[i]);
		if (!pid[i])
			_exit(read_until_stopped(stop, base));
	}
	for (int i = 0; i < 10000; i++)
		ASSERT_EQ(0, write_realtime(DISTANCE + (i & 1) * DAY, i & 2 ? 999999999 : 0));
	__atomic_store_n(stop, 1, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < ARRAY_SIZE(pid); i++) {
		ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
		EXPECT_EQ(0, status);
	}
}

TEST_HARNESS_MAIN
