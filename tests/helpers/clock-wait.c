// SPDX-License-Identifier: GPL-2.0
/*
 * clock-wait - read the wall clock until it shows a time, in every way.
 *
 * usage: clock-wait vdso|raw EPOCH SECONDS
 *
 * Prints "waiting" after the first round of readings, all of which have to be
 * before EPOCH; then, once every reading is in [EPOCH, EPOCH + SECONDS], the word
 * "seen" and how many rounds of readings it took. Exits with 1 if a reading
 * shows a later time, or none of this comes about within SECONDS.
 */
#include <stdbool.h>
#include <string.h>

#include "clock.h"

static const struct reader *readers;
static long long want, limit;

/* How many readers show the time wanted; exits if one shows a later one */
static unsigned int count_seen(void)
{
	unsigned int i, seen = 0;
	long long now;

	for (i = 0; i < N_READERS; i++) {
		now = readers[i].read(readers[i].id);
		if (now >= want + limit) {
			printf("%s shows %lld\n", readers[i].name, now / NSEC);
			exit(1);
		}
		if (now >= want)
			seen++;
	}
	return seen;
}

int main(int argc, char **argv)
{
	long long end, rounds = 1;

	if (argc != 4) {
		fprintf(stderr, "usage: clock-wait vdso|raw EPOCH SECONDS\n");
		return 2;
	}
	readers = strcmp(argv[1], "raw") ? vdso_readers : raw_readers;
	want = atoll(argv[2]) * NSEC;
	limit = atoll(argv[3]) * NSEC;
	end = vdso_clock(CLOCK_MONOTONIC) + limit;

	if (count_seen()) {
		printf("the time is there already\n");
		return 1;
	}
	printf("waiting\n");
	fflush(stdout);
	while (count_seen() < N_READERS) {
		rounds++;
		if (vdso_clock(CLOCK_MONOTONIC) > end) {
			printf("not seen in %lld rounds\n", rounds);
			return 1;
		}
	}
	printf("seen %lld\n", rounds);
	return 0;
}
