// SPDX-License-Identifier: GPL-2.0
/*
 * timens_filter_load() on a live process: what passes, what does not.
 *
 * usage: confine [--trap-failed | --no-trap-failed]
 *
 * With an option, the kernel has to know SECCOMP_FILTER_FLAG_TRAP_FAILED, and
 * what it does is checked; or has not to know it, and that is checked.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <timens.h>

#include "check.h"

#define REFUSED	    (SECCOMP_RET_ERRNO | EXDEV)
#define BAD_ADDRESS 8L /* in the first page, which is never mapped */

static long call(long nr, long a, long b)
{
	return syscall(nr, a, b) < 0 ? -errno : 0;
}

static int passes(void)
{
	struct timeval tv = { 0 };
	struct timespec ts = { 0 };

	return call(SYS_gettimeofday, (long)&tv, 0) || !tv.tv_sec ||
	       call(SYS_clock_gettime, CLOCK_REALTIME, (long)&ts) ||
	       !ts.tv_sec ||
	       call(SYS_clock_gettime, CLOCK_REALTIME_COARSE, (long)&ts) ||
	       call(SYS_time, 0, 0);
}

static int refuses(void)
{
	struct timespec ts = { 0 };
	struct timezone tz = { 0 };

	return call(SYS_clock_gettime, CLOCK_MONOTONIC_RAW, (long)&ts) !=
		       -EXDEV ||
	       call(SYS_clock_gettime, -6, (long)&ts) != -EXDEV ||
	       call(SYS_settimeofday, 0, (long)&tz) != -EXDEV ||
	       call(SYS_getppid, 0, 0) != -EXDEV ||
	       call(SYS_clock_settime, CLOCK_REALTIME, (long)&ts) != -EXDEV;
}

static int fails_plainly(void)
{
	return call(SYS_gettimeofday, BAD_ADDRESS, 0) != -EFAULT;
}

static int set_invalid(void)
{
	struct timeval tv = { -1, 0 };

	return call(SYS_settimeofday, (long)&tv, 0) != -EINVAL;
}

static int bad_address(void)
{
	call(SYS_gettimeofday, BAD_ADDRESS, 0);
	return 0;
}

static int bad_clock_address(void)
{
	call(SYS_clock_gettime, CLOCK_REALTIME, BAD_ADDRESS);
	return 0;
}

static int bad_time_address(void)
{
	call(SYS_time, BAD_ADDRESS, 0);
	return 0;
}

static int bad_set_address(void)
{
	call(SYS_settimeofday, BAD_ADDRESS, 0);
	return 0;
}

static int other_call(void)
{
	call(SYS_getppid, 0, 0);
	return 0;
}

static int unprivileged_set(void)
{
	struct timeval tv = { 1000000000, 0 };

	call(SYS_settimeofday, (long)&tv, 0);
	return 0;
}

static int above_limit(void)
{
	struct timeval tv;

	return call(SYS_gettimeofday, (long)&tv, 0) != -EXDEV;
}

struct filter {
	uint32_t action;
	uint64_t limit;
	unsigned int flags;
};

#define NOT_DONE (-1000)

/*
 * Run @fn under @filter in a child, and tell the signal it dies of: SIGSYS for
 * a call that traps, or SIGILL, its way to end where exit_group(2) is refused.
 * @result is what @fn returned, NOT_DONE if it did not.
 */
static int confined(const struct filter *filter, int (*fn)(void), int *result)
{
	volatile int *shared;
	int status = 0;
	pid_t pid;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 0;
	*shared = NOT_DONE;
	pid = fork();
	if (!pid) {
		if (timens_drop_privileges(NULL, 0) ||
		    timens_filter_load(filter->action, filter->limit,
				       filter->flags))
			_exit(1);
		*shared = fn();
		__builtin_trap();
	}
	if (pid > 0)
		waitpid(pid, &status, 0);
	*result = *shared;
	munmap((void *)shared, sizeof(*shared));
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void expect_result(const struct filter *filter, int (*fn)(void),
			  const char *what)
{
	int result, sig;

	sig = confined(filter, fn, &result);
	check(sig == SIGILL && !result, "%s: signal %d, result %d", what, sig,
	      result);
}

static void expect_trap(const struct filter *filter, int (*fn)(void),
			const char *what)
{
	int result, sig;

	sig = confined(filter, fn, &result);
	check(sig == SIGSYS && result == NOT_DONE, "%s: signal %d, result %d",
	      what, sig, result);
}

static void check_plain(void)
{
	const struct filter refuse = { REFUSED, 0, 0 };
	const struct filter limited = { REFUSED, 1ULL << 32, 0 };
	const struct filter trap = { SECCOMP_RET_TRAP, 0, 0 };

	expect_result(&refuse, passes, "calls of the table");
	expect_result(&refuse, refuses, "other calls and bounds");
	expect_result(&refuse, fails_plainly, "a bad address without the flag");
	expect_result(&limited, above_limit, "an address above the limit");
	expect_trap(&trap, other_call, "another call");
}

static void check_trap_failed(void)
{
	const struct filter filter = { REFUSED, 0, TIMENS_FILTER_TRAP_FAILED };

	expect_result(&filter, passes, "calls of the table, with the flag");
	expect_result(&filter, refuses, "other calls, with the flag");
	expect_result(&filter, set_invalid, "EINVAL, with the flag");
	expect_trap(&filter, bad_address, "gettimeofday to a bad address");
	expect_trap(&filter, bad_clock_address,
		    "clock_gettime to a bad address");
	expect_trap(&filter, bad_time_address, "time to a bad address");
	expect_trap(&filter, bad_set_address,
		    "settimeofday from a bad address");
	expect_trap(&filter, unprivileged_set,
		    "settimeofday without the right");
}

/* The library must not confine a thread with less than was asked for. */
static void check_unknown_flag(void)
{
	int ret;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	ret = timens_filter_load(SECCOMP_RET_TRAP, 0,
				 TIMENS_FILTER_TRAP_FAILED);
	check(ret == -EOPNOTSUPP, "the flag gives %d on a kernel without it",
	      ret);
	check(call(SYS_getppid, 0, 0) == 0, "confined in spite of the failure");
}

int main(int argc, char **argv)
{
	const struct rlimit no_core = { 0 };

	setrlimit(RLIMIT_CORE, &no_core);
	check_plain();
	if (argc > 1 && !strcmp(argv[1], "--trap-failed"))
		check_trap_failed();
	else if (argc > 1 && !strcmp(argv[1], "--no-trap-failed"))
		check_unknown_flag();
	return check_result();
}
