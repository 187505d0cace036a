// SPDX-License-Identifier: GPL-2.0
/*
 * clock-drift - how much faster than here does CLOCK_MONOTONIC go over there?
 *
 * usage: clock-drift answer          there: stdin and stdout are the line
 *        clock-drift ask SECONDS     here: the same; the outcome goes to stderr
 *
 * The one who asks reads its clock, lets the other read its, and reads its own
 * again: so the difference of the two lies within bounds, whatever the line
 * delays. That is done many times, and once more SECONDS later. Prints the drift
 * and how exactly it is known, in ppm. Exits with 1 if it cannot be zero.
 */
#include <errno.h>
#include <string.h>

#include "clock.h"

#define SAMPLES 400

/* The clock there minus the clock here, at some time here */
struct bounds {
	long long low;
	long long high;
	long long at;
};

static void say(const char *text)
{
	size_t len = strlen(text);

	if (write(1, text, len) != (ssize_t)len) {
		perror("clock-drift: write");
		exit(2);
	}
}

/* A line without its end; false if there is none */
static int hear(char *line, size_t size)
{
	size_t n = 0;
	char c;

	while (n < size - 1) {
		if (read(0, &c, 1) != 1)
			return 0;
		if (c == '\n')
			break;
		line[n++] = c;
	}
	line[n] = '\0';
	return 1;
}

static int answer(void)
{
	char line[32];

	say("ready\n");
	while (hear(line, sizeof(line)) && strcmp(line, "end") != 0) {
		snprintf(line, sizeof(line), "%lld\n",
			 vdso_clock(CLOCK_MONOTONIC));
		say(line);
	}
	return 0;
}

static long long read_there(void)
{
	char line[32], *end;
	long long ns;

	say("?\n");
	if (!hear(line, sizeof(line))) {
		fprintf(stderr, "clock-drift: no answer\n");
		exit(2);
	}
	ns = strtoll(line, &end, 10);
	if (*end || end == line) {
		fprintf(stderr, "clock-drift: '%s' is no time\n", line);
		exit(2);
	}
	return ns;
}

/* The narrowest of many; they may not be intersected, as the clocks may drift */
static struct bounds compare(void)
{
	struct bounds best = { 0, 0, 0 };

	for (int i = 0; i < SAMPLES; i++) {
		long long before = vdso_clock(CLOCK_MONOTONIC);
		long long there = read_there();
		long long after = vdso_clock(CLOCK_MONOTONIC);

		if (i && after - before >= best.high - best.low)
			continue;
		best.low = there - after;
		best.high = there - before;
		best.at = before;
	}
	return best;
}

static int ask(int seconds)
{
	struct bounds first, last;
	double low, high, span;
	char line[32];

	if (!hear(line, sizeof(line)) || strcmp(line, "ready") != 0) {
		fprintf(stderr, "clock-drift: nobody is there\n");
		return 2;
	}
	first = compare();
	sleep(seconds);
	last = compare();
	say("end\n");

	/* Nanoseconds in a million are thousandths of ppm. */
	span = (last.at - first.at) / 1e6;
	low = (last.low - first.high) / span;
	high = (last.high - first.low) / span;
	fprintf(stderr, "drift %.3f ppm, known to %.3f ppm, in %.0f s\n",
		(low + high) / 2, (high - low) / 2, span / 1e3);
	return low > 0 || high < 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "answer"))
		return answer();
	if (argc == 3 && !strcmp(argv[1], "ask") && atoi(argv[2]) > 0)
		return ask(atoi(argv[2]));
	fprintf(stderr, "usage: clock-drift answer|ask SECONDS\n");
	return 2;
}
