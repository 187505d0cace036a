// SPDX-License-Identifier: GPL-2.0
/*
 * timecalls - how long time calls take: raw samples for scripts/bench
 *
 * usage: timecalls [-f policy|allow] [-n CALLS | -t US] [-r ROUNDS] [-p MS]
 *                  CALL...
 *        timecalls -c
 *
 *   -f policy   under the filter that UML's stubs have for passed calls
 *   -f allow    under a filter that allows everything, which the kernel
 *               answers from its bitmap of calls that are always allowed
 *   -n CALLS    calls in a round (200, at most a million)
 *   -t US       as many calls in a round as take about US microseconds
 *   -r ROUNDS   rounds (25, at most 1000)
 *   -p MS       pause before a round (0, at most 1000). What a clock takes may
 *               depend on where in the second it is, as nanoseconds carry over.
 *   -c          how fast the counter is: prints "counter ticks T ns N", the
 *               same half second by both, and "counter ticks T instructions N",
 *               a loop of known length
 *
 * For each CALL a line "sample CALL CALLS TICKS..." with one number a round,
 * the duration of a loop of CALLS calls. The CALL "empty" is the loop alone.
 * The counter is the CPU's time stamp counter, which user mode reads by itself
 * wherever it runs: reading a clock costs a guest of UML a way into its kernel,
 * or is the very thing measured. Pin the process to one CPU.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <linux/timens_pass.h>

#define PROGRAM "timecalls"
#include "bench.h"

#ifndef SECCOMP_FILTER_FLAG_TRAP_FAILED
#define SECCOMP_FILTER_FLAG_TRAP_FAILED (1UL << 6)
#endif

#define AUDIT_X86_64 0xc000003e
#define CALLS_MAX    1000000

/* Static, so that every page is there once the first call was made. */
static struct timeval tv;
static struct timespec ts;
static uint64_t ticks[ROUNDS_MAX];

static long raw_call(long nr, long arg0, long arg1)
{
	long ret;

	asm volatile("syscall"
		     : "=a"(ret)
		     : "0"(nr), "D"(arg0), "S"(arg1)
		     : "rcx", "r11", "memory");
	return ret;
}

/*
 * One function with its own loop for each kind of call, so that all loops are
 * alike. Each returns what the last call did.
 */
#define LOOP(name, call)                              \
	static long loop_##name(unsigned int n)       \
	{                                             \
		long ret = 0;                         \
		while (n--) {                         \
			ret = (call);                 \
			asm volatile("" : "+r"(ret)); \
		}                                     \
		return ret;                           \
	}

LOOP(empty, 0)
LOOP(vdso_gettimeofday, gettimeofday(&tv, NULL))
LOOP(vdso_clock_gettime, clock_gettime(CLOCK_REALTIME, &ts))
LOOP(vdso_monotonic, clock_gettime(CLOCK_MONOTONIC, &ts))
LOOP(vdso_coarse, clock_gettime(CLOCK_REALTIME_COARSE, &ts))
LOOP(vdso_getres, clock_getres(CLOCK_REALTIME, &ts))
LOOP(vdso_time, time(NULL))
LOOP(raw_gettimeofday, raw_call(SYS_gettimeofday, (long)&tv, 0))
LOOP(raw_clock_gettime, raw_call(SYS_clock_gettime, CLOCK_REALTIME, (long)&ts))
LOOP(raw_monotonic, raw_call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&ts))
LOOP(raw_coarse, raw_call(SYS_clock_gettime, CLOCK_REALTIME_COARSE, (long)&ts))
LOOP(raw_getres, raw_call(SYS_clock_getres, CLOCK_REALTIME, (long)&ts))
LOOP(raw_time, raw_call(SYS_time, 0, 0))
LOOP(getppid, raw_call(SYS_getppid, 0, 0))

static const struct call {
	const char *name;
	long (*loop)(unsigned int n);
	int positive; /* returns a number above zero, not zero */
} calls[] = {
	{ "empty", loop_empty, 0 },
	{ "vdso-gettimeofday", loop_vdso_gettimeofday, 0 },
	{ "vdso-clock_gettime", loop_vdso_clock_gettime, 0 },
	{ "vdso-monotonic", loop_vdso_monotonic, 0 },
	{ "vdso-coarse", loop_vdso_coarse, 0 },
	{ "vdso-getres", loop_vdso_getres, 0 },
	{ "vdso-time", loop_vdso_time, 1 },
	{ "raw-gettimeofday", loop_raw_gettimeofday, 0 },
	{ "raw-clock_gettime", loop_raw_clock_gettime, 0 },
	{ "raw-monotonic", loop_raw_monotonic, 0 },
	{ "raw-coarse", loop_raw_coarse, 0 },
	{ "raw-getres", loop_raw_getres, 0 },
	{ "raw-time", loop_raw_time, 1 },
	{ "getppid", loop_getppid, 1 },
};

static void install(struct sock_filter *filter, size_t n, unsigned long flags)
{
	struct sock_fprog prog = { .len = n, .filter = filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog))
		fail("cannot load the filter", strerror(errno));
}

/*
 * As UML's: the instruction pointer for nothing, the architecture, the number,
 * the table. The rest is allowed.
 */
static void load_policy(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, instruction_pointer)),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_X86_64, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		TIMENS_PASS_BPF(1UL << 46)
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	install(filter, ARRAY_SIZE(filter), SECCOMP_FILTER_FLAG_TRAP_FAILED);
}

static void load_allow(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	install(filter, 1, 0);
}

static void load_filter(const char *name)
{
	if (!strcmp(name, "policy"))
		load_policy();
	else if (!strcmp(name, "allow"))
		load_allow();
	else
		fail(name, "no such filter; policy and allow exist");
}

static const struct call *find_call(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		if (!strcmp(name, calls[i].name))
			return &calls[i];
	}
	fail(name, "no such call");
}

static void pause_ms(unsigned int ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&time, NULL);
}

/* How many calls take @us microseconds, to a factor of two. */
static unsigned int calls_in(const struct call *call, unsigned int us,
			     uint64_t ticks_per_ms)
{
	uint64_t want = ticks_per_ms * us / 1000, start;
	unsigned int n;

	for (n = 1; n < CALLS_MAX / 2; n *= 2) {
		start = counter();
		call->loop(n);
		if (counter() - start >= want)
			break;
	}
	return n;
}

static void measure(const struct call *call, unsigned int n,
		    unsigned int rounds, unsigned int gap)
{
	unsigned int i;
	long ret = call->loop(n);

	/* A call that fails is quick, and would pass for a good figure. */
	if (call->positive ? ret <= 0 : ret != 0)
		fail(call->name, "the call failed");
	for (i = 0; i < rounds; i++) {
		uint64_t start;

		if (gap) {
			pause_ms(gap);
			call->loop(n / 10 + 1);
		}
		start = counter();
		call->loop(n);
		ticks[i] = counter() - start;
	}
	print_sample(call->name, n, ticks, rounds);
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* A loop of two instructions; the few around it do not count. */
static uint64_t count_instructions(uint64_t n)
{
	uint64_t start = counter();

	asm volatile("1:	dec %0\n\t"
		     "jnz 1b"
		     : "+r"(n));
	return counter() - start;
}

static uint64_t ticks_in_ms(void)
{
	int64_t ns = now_ns();
	uint64_t start = counter();

	while (now_ns() - ns < 10000000)
		;
	return (counter() - start) / 10;
}

static void calibrate(void)
{
	const uint64_t loops = 100000;
	uint64_t start, spent, best = UINT64_MAX;
	int64_t ns;
	int i;

	ns = now_ns();
	start = counter();
	while (now_ns() - ns < 500000000)
		;
	spent = counter() - start;
	ns = now_ns() - ns;
	printf("counter ticks %llu ns %lld\n", (unsigned long long)spent,
	       (long long)ns);
	for (i = 0; i < 9; i++) {
		spent = count_instructions(loops);
		if (spent < best)
			best = spent;
	}
	printf("counter ticks %llu instructions %llu\n",
	       (unsigned long long)best, (unsigned long long)loops * 2);
}

int main(int argc, char **argv)
{
	unsigned int n = 200, rounds = 25, gap = 0, us = 0;
	const struct call *call;
	uint64_t speed = 0;
	const char *filter = NULL;
	int opt;

	while ((opt = getopt(argc, argv, "cf:n:p:r:t:")) != -1) {
		switch (opt) {
		case 'c':
			calibrate();
			return 0;
		case 'f':
			filter = optarg;
			break;
		case 'n':
			n = number(optarg, CALLS_MAX);
			break;
		case 'p':
			gap = number(optarg, 1000);
			break;
		case 'r':
			rounds = number(optarg, ROUNDS_MAX);
			break;
		case 't':
			us = number(optarg, 100000);
			break;
		default:
			return 1;
		}
	}
	if (optind == argc)
		fail("usage", "name the calls to measure");
	if (filter)
		load_filter(filter);
	if (us)
		speed = ticks_in_ms();
	for (; optind < argc; optind++) {
		call = find_call(argv[optind]);
		measure(call, us ? calls_in(call, us, speed) : n, rounds, gap);
	}
	return fflush(stdout) ? 1 : 0;
}
