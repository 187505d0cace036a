// SPDX-License-Identifier: GPL-2.0
/*
 * clock-ids - what a raw clock_gettime(2) gives for each kind of clock id.
 *
 * Prints a line for each id: the error, or which clock it looks like. The
 * same table is to come whatever way the call takes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "clock.h"

/* The ids of the CPU clock of a process, and of the clock of a descriptor */
#define PID_CLOCK(pid) (8 * ~(pid) + 2)
#define FD_CLOCK(fd)   (8 * ~(fd) + 3)
#define HIGH_WORD      0x100000000L

/* Nobody's CPU time is a day, and no wall clock is before 2001 here */
static const char *kind(const struct timespec *ts)
{
	if (ts->tv_nsec < 0 || ts->tv_nsec >= NSEC)
		return "not a time";
	if (ts->tv_sec >= 1000000000)
		return "wall clock";
	return ts->tv_sec < 86400 ? "counter" : "odd";
}

static void try_id(const char *name, long id)
{
	struct timespec ts = { -1, -1 };

	if (syscall(SYS_clock_gettime, id, &ts))
		printf("%s: %s%s\n", name, strerrorname_np(errno),
		       ts.tv_sec == -1 && ts.tv_nsec == -1 ?
			       "" :
			       ", buffer written");
	else
		printf("%s: %s\n", name, kind(&ts));
}

int main(void)
{
	int fd = open("/dev/null", O_RDONLY);
	char name[64];
	clockid_t cpu;

	for (long id = 0; id <= 26; id++) {
		snprintf(name, sizeof(name), "%ld", id);
		try_id(name, id);
	}
	for (long id = -1; id >= -16; id--) {
		snprintf(name, sizeof(name), "%ld", id);
		try_id(name, id);
	}
	try_id("realtime, high word set", CLOCK_REALTIME | HIGH_WORD);
	try_id("coarse, high word set", CLOCK_REALTIME_COARSE | 7 * HIGH_WORD);
	try_id("INT_MAX", 0x7fffffff);
	try_id("INT_MIN", -0x80000000L);
	try_id("descriptor of /dev/null", FD_CLOCK(fd));
	try_id("descriptor that is not open", FD_CLOCK(1000));
	if (!clock_getcpuclockid(1, &cpu))
		try_id("CPU time of process 1", cpu);
	try_id("CPU time of a process that is not there", PID_CLOCK(99999));
	return 0;
}
