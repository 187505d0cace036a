// SPDX-License-Identifier: GPL-2.0
/*
 * restart-values - is a register changed by what interrupts a process?
 *
 * Usage: restart-values MILLISECONDS
 *
 * A kernel uses some negative results of system calls to say that the call has
 * to be made again. Here such values are in the result register without a call,
 * or right after one that succeeded, while timer interrupts stop the process.
 * Prints "VALUE: kept", or what was found instead; status 1 in that case.
 */
#include "clock.h"

static long now_ms(void)
{
	return raw_clock(CLOCK_MONOTONIC) / (NSEC / 1000);
}

/* Hold @value for a while; what is it afterwards? */
static long hold(long value)
{
	long rounds = 20000000;

	asm volatile("1: dec %1; jnz 1b" : "+a"(value), "+r"(rounds));
	return value;
}

/* A time call, then @value at once */
static long hold_after_call(long value)
{
	struct timeval tv;
	long ret = SYS_gettimeofday;

	asm volatile("syscall; test %0, %0; jnz 1f; mov %3, %0; 1:"
		     : "+a"(ret)
		     : "D"(&tv), "S"(0L), "r"(value)
		     : "rcx", "r11", "memory");
	return ret;
}

int main(int argc, char **argv)
{
	static const long values[] = { -512, -513, -514, -516, -38, 96, 201 };
	long ms = argc > 1 ? atol(argv[1]) : 100;
	int status = 0;

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		long seen = values[i], end = now_ms() + ms;

		do {
			seen = hold(values[i]);
			for (int n = 0; n < 1000 && seen == values[i]; n++)
				seen = hold_after_call(values[i]);
		} while (seen == values[i] && now_ms() < end);
		if (seen == values[i]) {
			printf("%ld: kept\n", values[i]);
		} else {
			printf("%ld: %ld\n", values[i], seen);
			status = 1;
		}
	}
	return status;
}
