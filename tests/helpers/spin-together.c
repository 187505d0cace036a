// SPDX-License-Identifier: GPL-2.0
/*
 * spin-together - do two threads of a process run at the same time?
 *
 * usage: spin-together TURNS
 *
 * Two threads take turns by a variable that they look at without any system call.
 * Prints how many milliseconds that took. If only one of them can run at a time, each
 * turn takes until the other is preempted.
 */
#include <pthread.h>

#include "clock.h"

static long turns;
static long turn;

static void *spin(void *arg)
{
	long me = (long)arg, seen;

	do {
		seen = __atomic_load_n(&turn, __ATOMIC_ACQUIRE);
		if ((seen & 1) == me)
			__atomic_store_n(&turn, seen + 1, __ATOMIC_RELEASE);
	} while (seen < turns);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t other;
	long start;

	if (argc != 2) {
		fprintf(stderr, "usage: spin-together TURNS\n");
		return 2;
	}
	turns = atol(argv[1]);
	start = raw_clock(CLOCK_MONOTONIC);
	if (pthread_create(&other, NULL, spin, (void *)1L))
		return 2;
	spin((void *)0L);
	pthread_join(other, NULL);
	printf("%lld\n", (raw_clock(CLOCK_MONOTONIC) - start) / 1000000);
	return 0;
}
