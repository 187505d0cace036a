// SPDX-License-Identifier: GPL-2.0
/*
 * mmfd: what keeps a task in its address space.
 */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "mmfd_home.h"

#ifndef PR_SET_MDWE
#define PR_SET_MDWE		65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

/* EXPECT_*() wants it in functions, too. */
static struct __test_metadata *test;
#define _metadata test

static void deny_write_execute(void)
{
	int before = space_make(MMFD_CREATE_COPY), after;

	EXPECT_EQ(0, prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0));
	after = space_make(MMFD_CREATE_COPY);
	EXPECT_EQ(-EPERM, space_switch(before));
	EXPECT_EQ(0, space_switch(after));
	_exit(0);
}

static int wait_for_futex(void *arg)
{
	return syscall(SYS_futex, &all->futex, FUTEX_LOCK_PI, 0, NULL);
}

static void hold_pi_futex(void)
{
	char *stack = map_shared(STACK_SIZE);
	int copy = space_make(MMFD_CREATE_COPY), status = -1;
	pid_t pid;

	EXPECT_EQ(0, syscall(SYS_futex, &all->futex, FUTEX_LOCK_PI, 0, NULL));
	pid = stack_fork(wait_for_futex, stack);
	while (!(__atomic_load_n(&all->futex, __ATOMIC_RELAXED) & FUTEX_WAITERS))
		sched_yield();
	/* The bit comes a little before the waiter. */
	usleep(200000);
	EXPECT_EQ(-EBUSY, space_switch(copy));
	EXPECT_EQ(0, syscall(SYS_futex, &all->futex, FUTEX_UNLOCK_PI, 0, NULL));
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, space_switch(copy));
	EXPECT_EQ(0, space_switch(all->self));
	close(copy);
}

#undef _metadata

FIXTURE(home)
{
	int unused;
};

FIXTURE_SETUP(home)
{
	test = _metadata;
	prepare();
	ASSERT_LE(0, all->self)
		TH_LOG("%s", strerror(-all->self));
}

FIXTURE_TEARDOWN(home)
{
}

static void *until_told(void *arg)
{
	wait_for_step(1);
	return NULL;
}

TEST_F(home, not_with_threads)
{
	int copy = space_make(MMFD_CREATE_COPY), other;
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, until_told, NULL));
	EXPECT_EQ(-EUSERS, space_switch(copy));
	other = space_make(MMFD_CREATE_SELF);
	EXPECT_LE(0, other);
	next_step(1);
	pthread_join(thread, NULL);
	close(other);
	close(copy);
}

static int make_self(void *arg)
{
	all->ret = space_make(MMFD_CREATE_SELF);
	return 0;
}

static int leave_home(void *arg)
{
	all->ret = space_switch(all->space[0]);
	return 0;
}

static int run_shared_vm(int (*fn)(void *), int flags)
{
	static char stack[16 * PAGE] __attribute__((aligned(16)));
	int status = -1;
	pid_t pid;

	pid = clone(fn, stack + sizeof(stack), CLONE_VM | SIGCHLD | flags, NULL);
	waitpid(pid, &status, 0);
	return status;
}

/* The first descriptor of itself, that is; and a lent home is not to be left. */
TEST_F(home, not_of_two_processes_in_one)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		/* This one has no descriptor of itself yet. */
		all->space[0] = space_make(MMFD_CREATE_COPY);
		status = run_shared_vm(make_self, 0);
		if (status || all->ret != -EUSERS)
			_exit(1);
		status = run_shared_vm(leave_home, CLONE_VFORK);
		if (status || all->ret != -EUSERS)
			_exit(2);
		_exit(space_make(MMFD_CREATE_SELF) < 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_F(home, not_out_of_memory_deny_write_execute)
{
	EXPECT_EQ(0, child_run(deny_write_execute));
}

TEST_F(home, not_with_what_the_kernel_keeps_for_the_old_one)
{
	int copy = space_make(MMFD_CREATE_COPY), ring;
	char params[120] = { };
	unsigned short old;

	asm volatile("mov %%ds, %0" : "=r" (old));
	asm volatile("mov %0, %%ds" : : "r" (0x2b));
	EXPECT_EQ(-EOPNOTSUPP, space_switch(copy));
	asm volatile("mov %0, %%ds" : : "r" ((int)old));

	ring = syscall(SYS_io_uring_setup, 1, params);
	if (ring < 0)
		SKIP(return, "no io_uring");
	EXPECT_EQ(-EOPNOTSUPP, space_switch(copy));
	close(ring);
	close(copy);
}

TEST_F(home, not_with_a_pi_futex_that_others_wait_for)
{
	stack_run(hold_pi_futex);
}

TEST_F(home, bad_arguments_are_refused)
{
	int copy = space_make(MMFD_CREATE_COPY), vcpu;
	struct mmfd_run *run;

	EXPECT_EQ(-1, ioctl(copy, MMFD_SWITCH, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-EINVAL, space_make(MMFD_CREATE_COPY | MMFD_CREATE_SELF));
	EXPECT_EQ(-EINVAL, space_make(1 << 3));
	vcpu = guest_vcpu(copy, 0, &run);
	ASSERT_LE(0, vcpu);
	EXPECT_EQ(-ENOTTY, space_switch(vcpu));
	close(vcpu);
	close(copy);
	EXPECT_EQ(-EBADF, space_switch(copy));
}

TEST_HARNESS_MAIN
