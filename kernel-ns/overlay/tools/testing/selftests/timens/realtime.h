/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What tests of a time namespace's own wall clock have in common: reading and
 * setting it, and namespaces to do that in.
 */
#ifndef REALTIME_H
#define REALTIME_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

#define OFFSETS		"/proc/self/timens_offsets"
#define NSEC		1000000000LL

static inline long long ts_ns(const struct timespec *ts)
{
	return ts->tv_sec * NSEC + ts->tv_nsec;
}

static inline struct timespec to_ts(long long t)
{
	return (struct timespec){ t / NSEC, t % NSEC };
}

static inline long long now(clockid_t id)
{
	struct timespec ts = { };

	clock_gettime(id, &ts);
	return ts_ns(&ts);
}

static inline int set_clock(long long t)
{
	struct timespec ts = to_ts(t);

	return clock_settime(CLOCK_REALTIME, &ts);
}

static inline int step(long long by)
{
	return set_clock(now(CLOCK_REALTIME) + by);
}

/* 0, or -errno */
static inline int write_line(const char *line)
{
	int fd = open(OFFSETS, O_WRONLY), err;

	if (fd < 0)
		return -errno;
	err = write(fd, line, strlen(line)) < 0 ? -errno : 0;
	close(fd);
	return err;
}

/* The distance of the clock for children from the host's: 0, or -errno */
static inline int write_realtime(long long sec, long nsec)
{
	char line[64];

	snprintf(line, sizeof(line), "realtime %lld %ld\n", sec, nsec);
	return write_line(line);
}

/* A new namespace for children: a descriptor of it, or -errno */
static inline int new_time_ns(void)
{
	int fd = -1;

	if (!unshare(CLONE_NEWTIME))
		fd = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* One that has a wall clock of its own, with the host's time: the same, -EINVAL without */
static inline int new_own_clock(void)
{
	int fd = new_time_ns(), err;

	if (fd < 0)
		return fd;
	err = write_realtime(0, 0);
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* Where a test starts, and a fresh namespace with its own clock; or why there is none */
static inline const char *two_clocks(int *host, int *inside)
{
	if (geteuid())
		return "needs root";
	*host = open("/proc/self/ns/time", O_RDONLY | O_CLOEXEC);
	if (*host < 0)
		return "no time namespaces";
	*inside = new_own_clock();
	return *inside < 0 ? "needs CONFIG_TIME_NS_REALTIME" : NULL;
}

#define ENTER()	ASSERT_EQ(0, setns(self->inside, CLONE_NEWTIME))
#define LEAVE()	ASSERT_EQ(0, setns(self->host, CLONE_NEWTIME))

/* Another namespace takes the place of the one of the test; it is not entered */
#define RENEW() do {							\
	LEAVE();							\
	close(self->inside);						\
	self->inside = new_time_ns();					\
	ASSERT_LE(0, self->inside);					\
} while (0)

#endif /* REALTIME_H */
