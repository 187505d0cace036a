/* SPDX-License-Identifier: GPL-2.0 */
/* The ways to read the wall clock, and small things for times in nanoseconds. */
#ifndef _CLOCK_H
#define _CLOCK_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NSEC	      1000000000LL
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline long long ts_ns(const struct timespec *ts)
{
	return ts->tv_sec * NSEC + ts->tv_nsec;
}

static inline struct timespec ns_ts(long long ns)
{
	struct timespec ts = { ns / NSEC, ns % NSEC };

	if (ts.tv_nsec < 0) {
		ts.tv_sec--;
		ts.tv_nsec += NSEC;
	}
	return ts;
}

static inline long long vdso_clock(clockid_t id)
{
	struct timespec ts = { 0 };

	clock_gettime(id, &ts);
	return ts_ns(&ts);
}

static inline long long raw_clock(clockid_t id)
{
	struct timespec ts = { 0 };

	syscall(SYS_clock_gettime, id, &ts);
	return ts_ns(&ts);
}

static inline long long vdso_gettimeofday(clockid_t id)
{
	struct timeval tv = { 0 };

	(void)id;
	gettimeofday(&tv, NULL);
	return tv.tv_sec * NSEC + tv.tv_usec * 1000;
}

static inline long long raw_gettimeofday(clockid_t id)
{
	struct timeval tv = { 0 };

	(void)id;
	syscall(SYS_gettimeofday, &tv, NULL);
	return tv.tv_sec * NSEC + tv.tv_usec * 1000;
}

static inline long long vdso_time(clockid_t id)
{
	(void)id;
	return time(NULL) * NSEC;
}

static inline long long raw_time(clockid_t id)
{
	(void)id;
	return syscall(SYS_time, NULL) * NSEC;
}

/**
 * struct reader - one way to read the wall clock
 * @name:	what to call it
 * @read:	returns nanoseconds since the epoch
 * @id:		argument of @read
 * @grain:	how far below the exact time a reading may be, in nanoseconds;
 *		a coarse clock stands still between two ticks, which may be late
 *		by much on an emulated processor that does not get to run
 */
struct reader {
	const char *name;
	long long (*read)(clockid_t id);
	clockid_t id;
	long long grain;
};

static const struct reader vdso_readers[] = {
	{ "clock_gettime", vdso_clock, CLOCK_REALTIME, 0 },
	{ "gettimeofday", vdso_gettimeofday, 0, 999 },
	{ "clock_gettime, coarse", vdso_clock, CLOCK_REALTIME_COARSE, NSEC },
	{ "time", vdso_time, 0, 2 * NSEC },
};

static const struct reader raw_readers[] = {
	{ "raw clock_gettime", raw_clock, CLOCK_REALTIME, 0 },
	{ "raw gettimeofday", raw_gettimeofday, 0, 999 },
	{ "raw clock_gettime, coarse", raw_clock, CLOCK_REALTIME_COARSE, NSEC },
	{ "raw time", raw_time, 0, 2 * NSEC },
};

#define N_READERS ARRAY_SIZE(vdso_readers)

#endif /* _CLOCK_H */
