// SPDX-License-Identifier: GPL-2.0
/*
 * set-and-read - does any way to read the clock show a time before the set?
 *
 * usage: set-and-read ROUNDS
 *
 * Sets the clock to a full second, in each of several ways in turn, and then
 * reads it in every way. Exits with 1 at the first reading before that second.
 */
#include <sys/timex.h>

#include "clock.h"

static int set(int how, time_t sec)
{
	struct timespec ts = { .tv_sec = sec };
	struct timeval tv = { .tv_sec = sec };

	if (how == 0)
		return syscall(SYS_settimeofday, &tv, NULL);
	return clock_settime(CLOCK_REALTIME, &ts);
}

static int check(const struct reader *r, long long at_least)
{
	long long now = r->read(r->id);

	if (now >= at_least)
		return 0;
	printf("%s is %lld ns before the set\n", r->name, at_least - now);
	return 1;
}

int main(int argc, char **argv)
{
	time_t start = raw_clock(CLOCK_REALTIME) / NSEC, sec;
	int rounds;

	if (argc != 2) {
		fprintf(stderr, "usage: set-and-read ROUNDS\n");
		return 2;
	}
	rounds = atoi(argv[1]);
	for (int i = 1; i <= rounds; i++) {
		const struct reader *r = (i & 1 ? vdso_readers : raw_readers) +
					 i / 4 % N_READERS;

		sec = start + (i & 4 ? i : -i) * 1000;
		if (set(i >> 1 & 1, sec)) {
			perror("set-and-read");
			return 2;
		}
		if (check(r, sec * NSEC))
			return 1;
	}
	printf("%d rounds\n", rounds);
	return 0;
}
