/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mmfd: what tests of tasks with several homes share.
 *
 * What a function has on its stack is as old as the address space it comes back
 * in. So they run on a stack that all address spaces have in common.
 */
#ifndef MMFD_HOME_H
#define MMFD_HOME_H

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <ucontext.h>

#include "mmfd_test.h"

#define STACK_SIZE	(64 * PAGE)

#define SPACES		16

/* Seen from all homes */
static struct {
	int self;
	int space[SPACES];
	int ret;
	long value[SPACES];
	int step;
	int memfd;
	uint32_t futex;
} *all;

static ucontext_t stack_main, stack_other;

static inline int space_make(uint32_t flags)
{
	struct mmfd_create create = { .flags = flags };
	int dev = open("/dev/mmfd", O_RDWR | O_CLOEXEC);
	int fd;

	if (dev < 0)
		return -errno;
	fd = ioctl(dev, MMFD_CREATE, &create);
	if (fd < 0)
		fd = -errno;
	close(dev);
	return fd;
}

static inline int space_switch(int space)
{
	return ioctl(space, MMFD_SWITCH, 0) ? -errno : 0;
}

static inline void *map_shared(unsigned long size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		    -1, 0);
}

/* prepare - What all homes have in common, and a descriptor of this one */
static inline void prepare(void)
{
	all = map_shared(PAGE);
	memset(all, 0, sizeof(*all));
	all->self = space_make(MMFD_CREATE_SELF | MMFD_CREATE_CLOEXEC);
}

static inline void wait_for_step(int step)
{
	while (__atomic_load_n(&all->step, __ATOMIC_ACQUIRE) < step)
		sched_yield();
}

static inline void next_step(int step)
{
	__atomic_store_n(&all->step, step, __ATOMIC_RELEASE);
}

/* stack_run - Call @fn on a shared stack; it has to be back home at its end */
static inline void stack_run(void (*fn)(void))
{
	void *stack = map_shared(STACK_SIZE);

	getcontext(&stack_other);
	stack_other.uc_stack.ss_sp = stack;
	stack_other.uc_stack.ss_size = STACK_SIZE;
	stack_other.uc_link = &stack_main;
	makecontext(&stack_other, fn, 0);
	swapcontext(&stack_main, &stack_other);
	munmap(stack, STACK_SIZE);
}

/*
 * stack_fork - As fork(), but the child calls @fn, on a shared stack of its own
 * @stack: map_shared(STACK_SIZE), from before the address spaces were copied
 */
static inline pid_t stack_fork(int (*fn)(void *), char *stack)
{
	return clone(fn, stack + STACK_SIZE, SIGCHLD, NULL);
}

/* child_run - Call @fn so in a child; its wait status */
static inline int child_run(void (*fn)(void))
{
	pid_t pid = fork();
	int status = -1;

	if (!pid) {
		stack_run(fn);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return status;
}

#endif /* MMFD_HOME_H */
