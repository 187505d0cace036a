// SPDX-License-Identifier: GPL-2.0
/*
 * clock-offset - CLOCK_REALTIME minus CLOCK_MONOTONIC, in nanoseconds.
 *
 * usage: clock-offset
 *
 * Prints two numbers: the difference is at least the first and at most the
 * second. The kernel keeps it constant until somebody sets the clock, so two
 * pairs that do not overlap prove a set. Exits with 1 if it was set meanwhile.
 */
#include <limits.h>

#include "clock.h"

#define TRIES 20000

int main(void)
{
	long long low = LLONG_MIN, high = LLONG_MAX, before, real, after;

	for (int i = 0; i < TRIES; i++) {
		before = vdso_clock(CLOCK_MONOTONIC);
		real = vdso_clock(CLOCK_REALTIME);
		after = vdso_clock(CLOCK_MONOTONIC);
		if (real - after > low)
			low = real - after;
		if (real - before < high)
			high = real - before;
	}
	if (low > high) {
		fprintf(stderr, "clock-offset: the clock was set meanwhile\n");
		return 1;
	}
	printf("%lld %lld\n", low, high);
	return 0;
}
