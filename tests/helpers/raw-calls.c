// SPDX-License-Identifier: GPL-2.0
/*
 * raw-calls - make a system call many times, as such and not by the vDSO.
 *
 * usage: raw-calls gettimeofday|clock_gettime|time|getppid COUNT
 *
 * Exits with 1 if one fails. Made to be counted from outside.
 */
#include <string.h>

#include "clock.h"

static long call(const char *name)
{
	static struct timespec ts;
	static struct timeval tv;

	if (!strcmp(name, "gettimeofday"))
		return syscall(SYS_gettimeofday, &tv, NULL);
	if (!strcmp(name, "clock_gettime"))
		return syscall(SYS_clock_gettime, CLOCK_REALTIME, &ts);
	if (!strcmp(name, "time"))
		return syscall(SYS_time, NULL);
	if (!strcmp(name, "getppid"))
		return syscall(SYS_getppid);
	return -1;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: raw-calls CALL COUNT\n");
		return 2;
	}
	for (long i = atol(argv[2]); i > 0; i--) {
		if (call(argv[1]) < 0) {
			fprintf(stderr, "raw-calls: %s failed\n", argv[1]);
			return 1;
		}
	}
	return 0;
}
