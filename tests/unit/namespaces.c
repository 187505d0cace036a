// SPDX-License-Identifier: GPL-2.0
/*
 * The library's calls on namespaces that the command does not show: errors by
 * number, a caller that stays outside, a caller with threads. For root on a
 * kernel with CONFIG_TIME_NS_REALTIME.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <timens.h>

#include "check.h"

#define DAY 86400

static const struct timens_when day_later = {
	.relative = 1,
	.time = { .tv_sec = DAY },
};

static void expect_realtime(const struct timens_offsets *offsets, time_t sec)
{
	check(offsets->own == TIMENS_REALTIME, "own: %#x", offsets->own);
	check(offsets->realtime.tv_sec == sec && !offsets->realtime.tv_nsec,
	      "wall clock at %lld.%09ld", (long long)offsets->realtime.tv_sec,
	      offsets->realtime.tv_nsec);
}

static void expect(int ret, int want, const char *what)
{
	check(ret == want, "%s: %d, not %d", what, ret, want);
}

/* Run @fn in a child; its checks count if it fails. */
static void apart(void (*fn)(void))
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		fn();
		fflush(stdout);
		_exit(checks_failed || !checks_done);
	}
	waitpid(pid, &status, 0);
	check(!status, "a child failed: status %#x", status);
}

static void check_initial(void)
{
	struct timens_offsets offsets;
	struct timespec now;
	ino_t id = 0;
	int fd;

	expect(timens_supported(), 0, "supported");
	expect(timens_get(0, &offsets), 0, "get");
	check(!offsets.own, "the initial namespace has an own clock");
	expect(timens_id(0, TIMENS_ID_SELF, &id), 0, "id");
	check(timens_id_initial(id), "id %llu", (unsigned long long)id);
	expect(timens_set_realtime(0, &day_later, TIMENS_SET_OWN), -EACCES,
	       "set the initial namespace");
	fd = timens_open(0);
	check(fd >= 0, "open: %d", fd);
	expect(timens_set_realtime_fd(fd, &day_later, TIMENS_SET_OWN), -EACCES,
	       "set the initial namespace by descriptor");
	close(fd);
	expect(timens_host_now(CLOCK_TAI, &now), -EINVAL, "host_now of TAI");
}

static void check_bad_arguments(void)
{
	struct timens_spec spec = { .flags = 0x100 };
	struct timens_offsets offsets;
	ino_t id;
	int fd;

	expect(timens_get(-1, &offsets), -ESRCH, "get of PID -1");
	expect(timens_get(99999999, &offsets), -ESRCH, "get of no process");
	expect(timens_id(99999999, TIMENS_ID_SELF, &id), -ESRCH, "id");
	expect(timens_open(99999999), -ESRCH, "open");
	expect(timens_set_realtime(99999999, &day_later, 0), -ESRCH, "set");
	expect(timens_unshare(&spec), -EINVAL, "an unknown flag");
	spec = (struct timens_spec){ .clocks = 0x100 };
	expect(timens_unshare(&spec), -EINVAL, "an unknown clock");
	spec = (struct timens_spec){ .clocks = TIMENS_UPTIME |
					       TIMENS_BOOTTIME };
	expect(timens_unshare(&spec), -EINVAL, "an uptime and a step");
	spec = (struct timens_spec){ .clocks = TIMENS_UPTIME,
				     .uptime = { .tv_sec = -1 } };
	expect(timens_unshare(&spec), -ERANGE, "a negative uptime");
	fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
	expect(timens_enter(fd), -EINVAL, "enter another kind of namespace");
	expect(timens_get_fd(fd, &offsets), -EINVAL, "get of another kind");
	close(fd);
	expect(timens_get_fd(-1, &offsets), -EBADF, "get of no descriptor");
}

/* The caller stays outside; what the kernel shows is the child's. */
static void check_children_only(void)
{
	struct timens_spec spec = {
		.clocks = TIMENS_REALTIME | TIMENS_MONOTONIC,
		.flags = TIMENS_CHILDREN_ONLY,
		.realtime = day_later,
		.monotonic = { .tv_sec = 5 },
	};
	struct timespec before, after;
	struct timens_offsets offsets;
	ino_t self = 0, children = 0;

	clock_gettime(CLOCK_REALTIME, &before);
	expect(timens_unshare(&spec), 0, "unshare");
	clock_gettime(CLOCK_REALTIME, &after);
	check(after.tv_sec - before.tv_sec < 60, "the caller's clock moved");
	expect(timens_id(0, TIMENS_ID_SELF, &self), 0, "id");
	expect(timens_id(0, TIMENS_ID_CHILDREN, &children), 0, "id");
	check(timens_id_initial(self) && self != children, "ids");
	expect(timens_get(0, &offsets), 0, "get");
	expect_realtime(&offsets, DAY);
	check(offsets.monotonic.tv_sec == 5, "offset of the monotonic clock");
	expect(timens_host_now(CLOCK_REALTIME, &after), -EBUSY, "host_now");
	expect(timens_unshare(&spec), -EBUSY, "unshare again");
	expect(timens_set_realtime(0, &day_later, 0), -EBUSY, "set");
}

static void check_inside(void)
{
	struct timens_spec spec = { 0 };
	struct timespec outside, host;
	struct timens_offsets offsets;
	time_t diff;

	expect(timens_unshare(&spec), 0, "unshare");
	expect(timens_set_realtime(0, &day_later, 0), -ENODATA,
	       "set a clock that is not own");
	expect(timens_set_realtime(0, &day_later, 4), -EINVAL, "a bad flag");
	clock_gettime(CLOCK_REALTIME, &outside);
	expect(timens_set_realtime(0, &day_later, TIMENS_SET_OWN), 0, "opt in");
	expect(timens_get(0, &offsets), 0, "get");
	expect_realtime(&offsets, DAY);
	expect(timens_host_now(CLOCK_REALTIME, &host), 0, "host_now");
	diff = host.tv_sec - outside.tv_sec;
	check(diff >= 0 && diff < 60, "the host's clock moved by %lld",
	      (long long)diff);
}

static void *by_descriptor(void *arg)
{
	struct timens_offsets offsets;
	int fd = *(int *)arg;

	expect(timens_get_fd(fd, &offsets), 0, "get_fd");
	check(!offsets.own, "own before opting in");
	expect(timens_set_realtime_fd(fd, &day_later, 0), -ENODATA,
	       "set_fd of a clock that is not own");
	expect(timens_set_realtime_fd(fd, &day_later, TIMENS_SET_OWN), 0,
	       "opt in by descriptor");
	expect(timens_set_realtime_fd(fd, &day_later, 0), 0, "set_fd");
	expect(timens_get_fd(fd, &offsets), 0, "get_fd");
	expect_realtime(&offsets, 2 * DAY);
	expect(timens_enter(fd), -EUSERS, "enter with threads");
	return NULL;
}

/* A namespace that nobody is in: the process that made it has ended. */
static int abandoned(void)
{
	const struct timens_spec spec = { 0 };
	int ready[2], fd;
	char byte;
	pid_t pid;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (!pid) {
		byte = !timens_unshare(&spec);
		if (write(ready[1], &byte, 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	byte = 0;
	check(read(ready[0], &byte, 1) == 1 && byte, "unshare in a child");
	close(ready[0]);
	fd = timens_open(pid);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return fd;
}

/* Descriptors work from a process with threads, and with SIGCHLD ignored. */
static void check_threads(void)
{
	pthread_t thread;
	int fd, err;

	signal(SIGCHLD, SIG_IGN);
	fd = abandoned();
	check(fd >= 0, "open: %d", fd);
	err = pthread_create(&thread, NULL, by_descriptor, &fd);
	check(!err, "pthread_create: %s", strerror(err));
	if (!err)
		pthread_join(thread, NULL);
	close(fd);
}

int main(void)
{
	apart(check_initial);
	apart(check_bad_arguments);
	apart(check_children_only);
	apart(check_inside);
	apart(check_threads);
	return check_result();
}
