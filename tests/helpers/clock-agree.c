// SPDX-License-Identifier: GPL-2.0
/*
 * clock-agree - do two ways to the wall clock agree while it is being set?
 *
 * usage: clock-agree ROUNDS MICROSECONDS
 *
 * CLOCK_TAI is the wall clock plus a constant, and does not take the way of
 * CLOCK_REALTIME where that one is short. A reading of it is put between two of
 * CLOCK_REALTIME: it may not be later than the second, nor earlier than the first
 * by more than MICROSECONDS. Every 50 rounds the clock is set to another day.
 * Exits with 1 at the first reading that is not so.
 */
#include "clock.h"

static long long behind_most;

static int compare(long long tai, long long behind)
{
	long long before = raw_clock(CLOCK_REALTIME);
	long long other = raw_clock(CLOCK_TAI) - tai;
	long long after = raw_clock(CLOCK_REALTIME);

	if (before - other > behind_most)
		behind_most = before - other;
	if (other <= after && other >= before - behind)
		return 0;
	printf("CLOCK_TAI is %lld ns after the previous and %lld ns after the next reading\n",
	       other - before, other - after);
	return 1;
}

/* In whole seconds */
static long long tai_offset(void)
{
	long long diff = raw_clock(CLOCK_TAI) - raw_clock(CLOCK_REALTIME);

	return (diff + (diff < 0 ? -NSEC / 2 : NSEC / 2)) / NSEC * NSEC;
}

int main(int argc, char **argv)
{
	struct timeval tv = { .tv_sec = time(NULL) };
	long long tai = tai_offset(), behind;
	int rounds;

	if (argc != 3) {
		fprintf(stderr, "usage: clock-agree ROUNDS MICROSECONDS\n");
		return 2;
	}
	rounds = atoi(argv[1]);
	behind = atoll(argv[2]) * 1000;
	for (int i = 0; i < rounds; i++) {
		tv.tv_sec += i & 64 ? 86400 : -86400;
		if (i % 50 == 49 && syscall(SYS_settimeofday, &tv, NULL)) {
			perror("clock-agree: settimeofday");
			return 2;
		}
		if (compare(tai, behind))
			return 1;
	}
	printf("%d rounds, behind by %lld ns at most\n", rounds, behind_most);
	return 0;
}
