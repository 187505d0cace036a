// SPDX-License-Identifier: GPL-2.0
/*
 * step-clock - move the wall clock by exactly so many nanoseconds, or TAI.
 *
 * usage: step-clock NANOSECONDS
 *        step-clock --tai SECONDS    set CLOCK_TAI's distance from CLOCK_REALTIME
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>

#include "clock.h"

static int set_tai(int seconds)
{
	struct timex tx = { .modes = ADJ_TAI, .constant = seconds };

	return adjtimex(&tx) < 0;
}

static int move(long long ns)
{
	struct timex tx = { .modes = ADJ_SETOFFSET | ADJ_NANO };
	struct timespec by = ns_ts(ns);

	tx.time.tv_sec = by.tv_sec;
	tx.time.tv_usec = by.tv_nsec;
	if (adjtimex(&tx) < 0)
		return 1;
	/* ADJ_NANO stays on for whoever reads; back to what it was */
	tx.modes = ADJ_MICRO;
	return adjtimex(&tx) < 0;
}

int main(int argc, char **argv)
{
	int tai = argc == 3 && !strcmp(argv[1], "--tai");

	if (argc != 2 && !tai) {
		fprintf(stderr, "usage: step-clock [--tai] NUMBER\n");
		return 2;
	}
	if (tai ? set_tai(atoi(argv[2])) : move(atoll(argv[1]))) {
		perror("step-clock: adjtimex");
		return 1;
	}
	return 0;
}
