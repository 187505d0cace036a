// SPDX-License-Identifier: GPL-2.0
/*
 * set-attempts - try to set the wall clock in every way there is.
 *
 * usage: set-attempts [--uid UID] [--lower] [--drop] [--raise] [--stime]
 *                     SECONDS
 *
 * Each way tries to move the clock forward by SECONDS, and gets a line: its name,
 * "set" or the error, and "moved" if the clock then shows another time.
 * Before that, in the order given:
 *   --uid UID	become that user
 *   --lower	remove CAP_SYS_TIME from the effective set
 *   --drop	remove it from the permitted set too
 *   --raise	try to make it effective again; says how that went
 *   --stime	try the 32-bit stime(2) too; for a kernel that has 32-bit calls
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/timex.h>

#include "clock.h"

static const char *error_name(int err)
{
	return err ? strerrorname_np(err) : "set";
}

static long call_capset(struct __user_cap_data_struct *data)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};

	return syscall(SYS_capset, &head, data);
}

static void call_capget(struct __user_cap_data_struct *data)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};

	if (syscall(SYS_capget, &head, data)) {
		perror("capget");
		exit(2);
	}
}

static void change_caps(const char *how)
{
	struct __user_cap_data_struct data[2];
	const __u32 bit = 1U << CAP_SYS_TIME;

	call_capget(data);
	if (!strcmp(how, "--raise")) {
		data[0].effective |= bit;
	} else {
		data[0].effective &= ~bit;
		if (!strcmp(how, "--drop"))
			data[0].permitted &= ~bit;
	}
	if (!call_capset(data))
		return;
	printf("%s: %s\n", how, error_name(errno));
	if (strcmp(how, "--raise"))
		exit(2);
}

static void become(uid_t uid)
{
	if (syscall(SYS_setgroups, 0, NULL) ||
	    syscall(SYS_setresgid, uid, uid, uid) ||
	    syscall(SYS_setresuid, uid, uid, uid)) {
		perror("set-attempts: --uid");
		exit(2);
	}
}

static struct timeval forward_tv(long long by)
{
	struct timeval tv;

	gettimeofday(&tv, NULL);
	tv.tv_sec += by;
	return tv;
}

static int raw_settimeofday(long long by)
{
	struct timeval tv = forward_tv(by);

	return syscall(SYS_settimeofday, &tv, NULL);
}

static int libc_settimeofday(long long by)
{
	struct timeval tv = forward_tv(by);

	return settimeofday(&tv, NULL);
}

static int raw_clock_settime(long long by)
{
	struct timespec ts = ns_ts(vdso_clock(CLOCK_REALTIME) + by * NSEC);

	return syscall(SYS_clock_settime, CLOCK_REALTIME, &ts);
}

static int libc_clock_settime(long long by)
{
	struct timespec ts = ns_ts(vdso_clock(CLOCK_REALTIME) + by * NSEC);

	return clock_settime(CLOCK_REALTIME, &ts);
}

static int raw_adjtimex(long long by)
{
	struct timex tx = { .modes = ADJ_SETOFFSET, .time.tv_sec = by };
	long ret = syscall(SYS_adjtimex, &tx);

	return ret < 0 ? -1 : 0;
}

static int libc_adjtimex(long long by)
{
	struct timex tx = { .modes = ADJ_SETOFFSET, .time.tv_sec = by };

	return adjtimex(&tx) < 0 ? -1 : 0;
}

static int libc_clock_adjtime(long long by)
{
	struct timex tx = { .modes = ADJ_SETOFFSET, .time.tv_sec = by };

	return clock_adjtime(CLOCK_REALTIME, &tx) < 0 ? -1 : 0;
}

static int adjtimex_tick(long long by)
{
	struct timex tx = { .modes = ADJ_TICK, .tick = 10000 };

	(void)by;
	return adjtimex(&tx) < 0 ? -1 : 0;
}

static int time_zone(long long by)
{
	struct timezone tz = { 0 };

	(void)by;
	return syscall(SYS_settimeofday, NULL, &tz);
}

/* 64-bit has no stime(2); the 32-bit entry does */
static int compat_stime(long long by)
{
	static int when;
	long ret;

	when = time(NULL) + by;
	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(25), "b"(&when)
			 : "memory", "r8", "r9", "r10", "r11");
	if (!ret)
		return 0;
	errno = -ret;
	return -1;
}

/* The last one is for --stime */
static const struct {
	const char *name;
	int (*set)(long long by);
} ways[] = {
	{ "settimeofday", libc_settimeofday },
	{ "raw settimeofday", raw_settimeofday },
	{ "clock_settime", libc_clock_settime },
	{ "raw clock_settime", raw_clock_settime },
	{ "adjtimex", libc_adjtimex },
	{ "raw adjtimex", raw_adjtimex },
	{ "clock_adjtime", libc_clock_adjtime },
	{ "tick", adjtimex_tick },
	{ "time zone", time_zone },
	{ "stime", compat_stime },
};

static unsigned int n_ways = ARRAY_SIZE(ways) - 1;

static void try_all(long long by)
{
	for (unsigned int i = 0; i < n_ways; i++) {
		long long distance = vdso_clock(CLOCK_REALTIME) -
				     vdso_clock(CLOCK_MONOTONIC);
		int err = ways[i].set(by) ? errno : 0;

		distance -= vdso_clock(CLOCK_REALTIME) -
			    vdso_clock(CLOCK_MONOTONIC);
		printf("%s: %s%s\n", ways[i].name, error_name(err),
		       llabs(distance) > by * NSEC / 2 ? ", moved" : "");
	}
}

int main(int argc, char **argv)
{
	int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 1; i < argc && !strncmp(argv[i], "--", 2); i++) {
		if (!strcmp(argv[i], "--stime"))
			n_ways = ARRAY_SIZE(ways);
		else if (strcmp(argv[i], "--uid"))
			change_caps(argv[i]);
		else if (++i < argc)
			become(atoi(argv[i]));
	}
	if (i + 1 != argc || atoll(argv[i]) < 1) {
		fprintf(stderr,
			"usage: set-attempts [--uid UID] [--lower] [--drop] [--raise] [--stime] SECONDS\n");
		return 2;
	}
	try_all(atoll(argv[i]));
	return 0;
}
