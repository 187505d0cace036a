// SPDX-License-Identifier: GPL-2.0
/*
 * wall-clock - read or set the wall clock by gettimeofday and settimeofday,
 * the system calls: not the vDSO, nor clock_settime as the C library does.
 *
 * usage: wall-clock            prints it in UTC, with milliseconds
 *        wall-clock SECONDS    sets it to SECONDS since the epoch
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int fail(const char *what)
{
	fprintf(stderr, "wall-clock: %s: %s\n", what, strerror(errno));
	return 1;
}

static int show(void)
{
	struct timeval now;
	struct tm tm;
	char text[32];

	if (syscall(SYS_gettimeofday, &now, NULL))
		return fail("gettimeofday");
	if (!gmtime_r(&now.tv_sec, &tm) ||
	    !strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
		return fail("the time");
	printf("%s.%03ld\n", text, (long)now.tv_usec / 1000);
	return fflush(stdout) ? fail("stdout") : 0;
}

static int set(const char *text)
{
	struct timeval when = { 0 };
	char *end;

	errno = 0;
	when.tv_sec = strtoll(text, &end, 10);
	if (errno || end == text || *end) {
		errno = EINVAL;
		return fail(text);
	}
	return syscall(SYS_settimeofday, &when, NULL) ? fail("settimeofday") :
							0;
}

int main(int argc, char **argv)
{
	if (argc > 2) {
		fprintf(stderr, "usage: wall-clock [SECONDS]\n");
		return 1;
	}
	return argc == 2 ? set(argv[1]) : show();
}
