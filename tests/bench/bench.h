/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bench.h - what the programs that print samples share; PROGRAM has to be
 * defined before it is included
 */
#ifndef BENCH_H
#define BENCH_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#define ROUNDS_MAX 1000

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

_Noreturn static inline void fail(const char *what, const char *why)
{
	fprintf(stderr, PROGRAM ": %s: %s\n", what, why);
	exit(1);
}

/* Ends the program if @ok is 0, and says what errno says of @what. */
static inline void must(int ok, const char *what)
{
	if (!ok)
		fail(what, strerror(errno));
}

/* Serialised: nothing before it is still under way, nothing after it begun. */
static inline uint64_t counter(void)
{
	uint64_t now;

	_mm_lfence();
	now = __rdtsc();
	_mm_lfence();
	return now;
}

/* A whole number from 1 to @max. */
static inline unsigned int number(const char *text, unsigned long max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (end == text || *end || !n || n > max)
		fail(text, "must be whole and in range");
	return n;
}

static inline void print_sample(const char *name, unsigned int n,
				const uint64_t *ticks, unsigned int rounds)
{
	unsigned int i;

	printf("sample %s %u", name, n);
	for (i = 0; i < rounds; i++)
		printf(" %llu", (unsigned long long)ticks[i]);
	printf("\n");
}

#endif /* BENCH_H */
