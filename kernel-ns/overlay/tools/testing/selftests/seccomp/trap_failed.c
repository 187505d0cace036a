// SPDX-License-Identifier: GPL-2.0
/*
 * SECCOMP_FILTER_FLAG_TRAP_FAILED: a time call that fails raises SIGSYS, with
 * the registers as at entry, and one that succeeds does not.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/ucontext.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../kselftest_harness.h"

#ifndef SECCOMP_FILTER_FLAG_TRAP_FAILED
#define SECCOMP_FILTER_FLAG_TRAP_FAILED (1UL << 6)
#endif

/* What a supervisor returns in place of the error */
#define ANSWER	4711

/* Written by the handler in the middle of a call of syscall() */
static volatile siginfo_t info;
static volatile unsigned long args[3];
static volatile int traps;

static void on_sigsys(int sig, siginfo_t *si, void *context)
{
#ifdef __x86_64__
	greg_t *gregs = ((ucontext_t *)context)->uc_mcontext.gregs;

	args[0] = gregs[REG_RAX];
	args[1] = gregs[REG_RDI];
	args[2] = gregs[REG_RSI];
	gregs[REG_RAX] = ANSWER;
#endif
	info = *si;
	traps++;
}

static int install(unsigned long flags)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog prog = { .len = 1, .filter = &allow };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog) ? -errno : 0;
}

FIXTURE(trap_failed)
{
	void *none;	/* a page that is not there */
	char *ro;	/* a page that cannot be written */
};

FIXTURE_SETUP(trap_failed)
{
	struct sigaction sa = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };

#ifndef __x86_64__
	SKIP(return, "looks at x86-64 registers");
#endif
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TRAP_FAILED,
		    NULL) == -1 && errno == EINVAL)
		SKIP(return, "kernel does not know SECCOMP_FILTER_FLAG_TRAP_FAILED");

	self->none = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->none);
	self->ro = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->ro);
	ASSERT_EQ(0, sigaction(SIGSYS, &sa, NULL));
}

FIXTURE_TEARDOWN(trap_failed)
{
}

#define EXPECT_TRAP(nr, a, b) do {					\
	traps = 0;							\
	EXPECT_EQ(ANSWER, syscall(nr, a, b));				\
	EXPECT_EQ(1, traps);						\
	EXPECT_EQ(nr, info.si_syscall);					\
	EXPECT_EQ(0, info.si_errno);					\
	EXPECT_EQ((unsigned long)(nr), args[0]);			\
	EXPECT_EQ((unsigned long)(a), args[1]);				\
	EXPECT_EQ((unsigned long)(b), args[2]);				\
} while (0)

TEST_F(trap_failed, calls_that_succeed_do_not_trap)
{
	struct timespec ts = { };
	struct timeval tv = { };
	time_t t = 0;

	ASSERT_EQ(0, install(SECCOMP_FILTER_FLAG_TRAP_FAILED));
	EXPECT_EQ(0, syscall(SYS_gettimeofday, &tv, NULL));
	EXPECT_EQ(0, syscall(SYS_clock_gettime, CLOCK_REALTIME, &ts));
	EXPECT_LT(0, syscall(SYS_time, &t));
	EXPECT_LT(0, tv.tv_sec);
	EXPECT_LT(0, ts.tv_sec);
	EXPECT_LT(0, t);
	EXPECT_EQ(0, traps);
}

TEST_F(trap_failed, bad_pointers_trap)
{
	ASSERT_EQ(0, install(SECCOMP_FILTER_FLAG_TRAP_FAILED));
	EXPECT_TRAP(SYS_gettimeofday, self->none, NULL);
	EXPECT_TRAP(SYS_gettimeofday, NULL, self->none);
	EXPECT_TRAP(SYS_gettimeofday, self->ro, NULL);
	EXPECT_TRAP(SYS_gettimeofday, -1L, NULL);
	EXPECT_TRAP(SYS_clock_gettime, CLOCK_REALTIME, self->none);
	EXPECT_TRAP(SYS_clock_gettime, CLOCK_REALTIME, self->ro);
	EXPECT_TRAP(SYS_time, self->none, 0);
	EXPECT_TRAP(SYS_settimeofday, self->none, NULL);
	EXPECT_TRAP(SYS_settimeofday, NULL, self->none);
}

TEST_F(trap_failed, set_that_is_refused_traps)
{
	struct timeval tv = { .tv_sec = 1000000000 };

	if (!geteuid())
		ASSERT_EQ(0, setresuid(1000, 1000, 1000));
	ASSERT_EQ(0, install(SECCOMP_FILTER_FLAG_TRAP_FAILED));
	EXPECT_TRAP(SYS_settimeofday, &tv, NULL);
}

TEST_F(trap_failed, other_errors_are_returned)
{
	struct timeval tv = { .tv_usec = -1 };
	struct timespec ts;

	ASSERT_EQ(0, install(SECCOMP_FILTER_FLAG_TRAP_FAILED));
	EXPECT_EQ(-1, syscall(SYS_clock_gettime, 15, &ts));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, syscall(SYS_settimeofday, &tv, NULL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, syscall(SYS_clock_getres, CLOCK_REALTIME, self->none));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(0, traps);
}

TEST_F(trap_failed, without_the_flag_errors_are_returned)
{
	ASSERT_EQ(0, install(0));
	EXPECT_EQ(-1, syscall(SYS_gettimeofday, self->none, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(0, traps);
}

TEST_F(trap_failed, flag_of_an_earlier_filter_is_inherited)
{
	int status;
	pid_t pid;

	ASSERT_EQ(0, install(SECCOMP_FILTER_FLAG_TRAP_FAILED));
	ASSERT_EQ(0, install(0));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(syscall(SYS_gettimeofday, self->none, NULL) == ANSWER ? 0 : 1);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_F(trap_failed, blocked_sigsys_kills)
{
	sigset_t set;
	int status;
	pid_t pid;

	ASSERT_EQ(0, install(SECCOMP_FILTER_FLAG_TRAP_FAILED));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		sigemptyset(&set);
		sigaddset(&set, SIGSYS);
		sigprocmask(SIG_BLOCK, &set, NULL);
		syscall(SYS_gettimeofday, self->none, NULL);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGSYS, WTERMSIG(status));
}

TEST_HARNESS_MAIN
