// SPDX-License-Identifier: GPL-2.0
/*
 * confined-calls - which system calls does a filter let this process make?
 *
 * usage: confined-calls
 *
 * Makes each by its number, 0 to 559, some of them as x32 and 32-bit calls, with
 * arguments that are of no use, each in a process of its own. Prints the number of
 * every one whose outcome is not EPERM: what a filter refuses that way is not listed.
 */
#include <errno.h>

#include "clock.h"
#include "patience.h"

#define NUMBERS	 560
#define X32	 0x40000000L
#define REFUSED	 1
#define NOT	 0
#define PATIENCE 500

/* All bits of every argument are set: no object, no descriptor, no address */
static long call(long nr)
{
	register long r10 asm("r10") = -1;
	register long r8 asm("r8") = -1;
	register long r9 asm("r9") = -1;
	long ret = nr;

	asm volatile("syscall"
		     : "+a"(ret)
		     : "D"(-1L), "S"(-1L), "d"(-1L), "r"(r10), "r"(r8), "r"(r9)
		     : "rcx", "r11", "memory");
	return ret;
}

static long call32(long nr)
{
	int ret = nr;

	asm volatile("int $0x80"
		     : "+a"(ret)
		     : "b"(-1), "c"(-1), "d"(-1), "S"(-1), "D"(-1)
		     : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

static long call_x32(long nr)
{
	return call(X32 | nr);
}

/* The child says so by its status; what ends it otherwise was not refused. */
static int refused(long (*how)(long nr), long nr)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(how(nr) == -EPERM ? REFUSED : NOT);
	if (pid < 0) {
		perror("confined-calls: fork");
		exit(2);
	}
	return ended_soon(pid, PATIENCE, 1000, &status) && WIFEXITED(status) &&
	       WEXITSTATUS(status) == REFUSED;
}

int main(void)
{
	static const int some[] = { 0, 1, 2, 4, 5, 11, 20, 39, 57, 59 };

	for (long nr = 0; nr < NUMBERS; nr++)
		if (!refused(call, nr))
			printf("%ld\n", nr);
	for (size_t i = 0; i < ARRAY_SIZE(some); i++) {
		if (!refused(call_x32, some[i]))
			printf("x32 %d\n", some[i]);
		if (!refused(call32, some[i]))
			printf("32-bit %d\n", some[i]);
	}
	return 0;
}
