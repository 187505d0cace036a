// SPDX-License-Identifier: GPL-2.0
/*
 * abs-sleep - sleep until the wall clock shows a time, and judge the waking.
 *
 * usage: abs-sleep MILLISECONDS
 *
 * Sleeps with clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME) until that long
 * from now. Exits with 1 if it wakes early by the wall clock, or earlier or more
 * than five seconds later than that by CLOCK_MONOTONIC.
 */
#include <string.h>

#include "clock.h"

int main(int argc, char **argv)
{
	long long span, start, until, slept, late;
	struct timespec ts;
	int err;

	if (argc != 2) {
		fprintf(stderr, "usage: abs-sleep MILLISECONDS\n");
		return 2;
	}
	span = atoll(argv[1]) * 1000000;
	start = vdso_clock(CLOCK_MONOTONIC);
	until = vdso_clock(CLOCK_REALTIME) + span;
	ts = ns_ts(until);
	err = clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL);
	if (err) {
		fprintf(stderr, "abs-sleep: %s\n", strerror(err));
		return 1;
	}
	late = vdso_clock(CLOCK_REALTIME) - until;
	slept = vdso_clock(CLOCK_MONOTONIC) - start;
	if (late < 0 || slept < span || slept > span + 5 * NSEC) {
		printf("slept %lld ns, late by %lld ns\n", slept, late);
		return 1;
	}
	printf("ok\n");
	return 0;
}
