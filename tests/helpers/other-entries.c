// SPDX-License-Identifier: GPL-2.0
/*
 * other-entries - read the wall clock by the entries that a 64-bit program does
 * not use: 32-bit calls, x32 calls, and the vsyscall page.
 *
 * Prints a line for each: its name, and the second it shows or the error.
 * Linked statically and not position independent, so that 32 bits hold the
 * address of the buffer.
 */
#include <errno.h>
#include <string.h>

#include "clock.h"

#define X32(nr)		      (0x40000000 | (nr))
#define VSYSCALL_GETTIMEOFDAY 0xffffffffff600000UL
#define VSYSCALL_TIME	      0xffffffffff600400UL

/* What is read goes here, and begins with the seconds, of 32 or 64 bits */
static union {
	struct timeval tv;
	long sec64;
	int sec32;
} buffer;

static void show(const char *name, long ret, int bits)
{
	if (ret < 0)
		printf("%s: %s\n", name, strerrorname_np(-ret));
	else
		printf("%s: %ld\n", name,
		       bits == 32 ? buffer.sec32 : buffer.sec64);
	memset(&buffer, 0, sizeof(buffer));
}

static int call32(int nr, long a, long b)
{
	int ret;

	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(nr), "b"(a), "c"(b)
			 : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

static long call_x32(int nr, long a, long b)
{
	long ret = syscall(X32(nr), a, b);

	return ret < 0 ? -errno : ret;
}

int main(void)
{
	int (*vsyscall_gettimeofday)(void *tv, void *tz) =
		(void *)VSYSCALL_GETTIMEOFDAY;
	long (*vsyscall_time)(long *t) = (void *)VSYSCALL_TIME;
	long p = (long)&buffer;
	int ret;

	ret = call32(13, p, 0);
	show("32-bit time", ret, 32);
	ret = call32(78, p, 0);
	show("32-bit gettimeofday", ret, 32);
	ret = call32(265, CLOCK_REALTIME, p);
	show("32-bit clock_gettime", ret, 32);
	ret = call32(265, CLOCK_REALTIME_COARSE, p);
	show("32-bit clock_gettime, coarse", ret, 32);
	ret = call32(403, CLOCK_REALTIME, p);
	show("32-bit clock_gettime64", ret, 64);
	show("x32 gettimeofday", call_x32(SYS_gettimeofday, p, 0), 64);
	show("x32 clock_gettime", call_x32(SYS_clock_gettime, 0, p), 64);
	show("x32 time", call_x32(SYS_time, p, 0), 64);
	show("vsyscall gettimeofday", vsyscall_gettimeofday(&buffer.tv, NULL),
	     64);
	show("vsyscall time", vsyscall_time(&buffer.sec64), 64);
	return 0;
}
