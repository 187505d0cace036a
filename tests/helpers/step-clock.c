// SPDX-License-Identifier: GPL-2.0
/*
 * step-clock - move the wall clock by exactly so many nanoseconds.
 *
 * usage: step-clock NANOSECONDS
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/timex.h>

#include "clock.h"

int main(int argc, char **argv)
{
	struct timex tx = { .modes = ADJ_SETOFFSET | ADJ_NANO };
	struct timespec by;

	if (argc != 2) {
		fprintf(stderr, "usage: step-clock NANOSECONDS\n");
		return 2;
	}
	by = ns_ts(atoll(argv[1]));
	tx.time.tv_sec = by.tv_sec;
	tx.time.tv_usec = by.tv_nsec;
	if (adjtimex(&tx) < 0) {
		perror("step-clock: adjtimex");
		return 1;
	}
	/* ADJ_NANO stays on for whoever reads; back to what it was */
	tx.modes = ADJ_MICRO;
	return adjtimex(&tx) < 0;
}
