// SPDX-License-Identifier: GPL-2.0
/*
 * new_as() and switch_as() of mmfd/compat.h: what they do, and what they refuse.
 * Needs CONFIG_MMFD and root.
 *
 * All of it is done in a signal handler on a stack that the address spaces share.
 */
#include <dirent.h>
#include <errno.h>
#include <mmfd/compat.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "check.h"

#define STACK_SIZE 0x20000

/**
 * struct shared - memory of all address spaces
 * @value: anything
 * @done: checks, in all of them: the variables of check.h are not shared
 * @failed: likewise
 * @stack: of the handler
 */
struct shared {
	volatile int value;
	int done, failed;
	char stack[STACK_SIZE];
};

static struct shared *shared;
static volatile int private = 1;

static void *map_shared(size_t size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static void count(int good)
{
	shared->done++;
	shared->failed += !good;
}

static void expect(int ret, int err, const char *what)
{
	int good = err ? ret == -1 && errno == err : !ret;

	count(good);
	if (!good)
		printf("not ok: %s: %d, %s\n", what, ret, strerror(errno));
	fflush(stdout);
}

static int expect_value(int value, int want, const char *what)
{
	count(value == want);
	if (value != want)
		printf("not ok: %s: %d, not %d\n", what, value, want);
	fflush(stdout);
	return value == want;
}

/* @fn on another stack */
static void run_on(char *stack, void (*fn)(void))
{
	static ucontext_t here, there;

	getcontext(&there);
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = STACK_SIZE;
	there.uc_link = &here;
	makecontext(&there, fn, 0);
	swapcontext(&here, &there);
}

static void before_the_first(void)
{
	expect(switch_as(0), ENOENT, "0, before the first");
	expect(switch_as(1), ENOENT, "1, before the first");
}

static int make_two(void)
{
	return expect_value(new_as(), 1, "the first") &&
	       expect_value(new_as(), 2, "the second");
}

static void each_has_its_own(void)
{
	private = 10;
	shared->value = 10;
	expect(switch_as(1), 0, "to 1");
	expect_value(private, 1, "a private variable in 1");
	expect_value(shared->value, 10, "a shared variable in 1");
	private = 11;
	expect(switch_as(2), 0, "to 2");
	expect_value(private, 1, "a private variable in 2");
	private = 12;
	expect(switch_as(1), 0, "back to 1");
	expect_value(private, 11, "what 1 had");
	expect(switch_as(1), 0, "from 1 to 1");
	expect(switch_as(0), 0, "back to 0");
	expect_value(private, 10, "what 0 had");
}

/* A copy made in 1 has what 1 has, and all know its number. */
static void each_can_make_more(void)
{
	expect(switch_as(1), 0, "to 1");
	expect_value(new_as(), 3, "the third");
	expect(switch_as(0), 0, "to 0");
	expect(switch_as(3), 0, "to 3");
	expect_value(private, 11, "in a copy of 1");
	expect(switch_as(2), 0, "to 2");
	expect_value(private, 12, "what 2 had");
	expect(switch_as(0), 0, "to 0");
}

static void what_there_is_not(void)
{
	expect(switch_as(-1), ENOENT, "-1");
	expect(switch_as(4), ENOENT, "4");
	expect(switch_as(N_MM), ENOENT, "N_MM");
	expect(switch_as(1 << 30), ENOENT, "2^30");
}

static int descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	char path[300], target[100];
	struct dirent *entry;
	int count = 0;
	ssize_t len;

	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/self/fd/%s", entry->d_name);
		len = readlink(path, target, sizeof(target) - 1);
		target[len < 0 ? 0 : len] = 0;
		count += !!strstr(target, "mmfd");
	}
	closedir(dir);
	return count;
}

/* On a stack that the child shares with its own copies only */
static void in_child(void)
{
	expect_value(private, 11, "in the child");
	expect_value(descriptors(), 0, "descriptors of the child");
	expect(switch_as(1), 0, "its own");
	expect(switch_as(0), ECHILD, "the parent's 0");
	expect(switch_as(3), ECHILD, "the parent's 3");
	expect(switch_as(4), ENOENT, "what the parent has not");
	expect_value(new_as(), 1, "its first");
	private = 20;
	expect(switch_as(1), 0, "its 1");
	expect_value(private, 11, "in a copy of the child");
	expect(switch_as(0), 0, "its 0");
	expect_value(private, 20, "where the child began");
	expect(switch_as(3), ENOENT, "3, after its first");
	_exit(0);
}

/* On a stack of this address space: parent and child must not share it. */
static void fork_child(void)
{
	int status = -1;
	pid_t pid;

	pid = fork();
	if (!pid)
		run_on(map_shared(STACK_SIZE), in_child);
	waitpid(pid, &status, 0);
	expect(status, 0, "the child");
}

static void children_have_the_present_one(void)
{
	static char stack[STACK_SIZE];

	expect_value(descriptors(), 4, "descriptors");
	expect(switch_as(1), 0, "to 1");
	run_on(stack, fork_child);
	expect_value(private, 11, "what the parent had");
	expect(switch_as(3), 0, "the parent's 3");
	expect(switch_as(0), 0, "the parent's 0");
}

static void no_descriptors_left(void)
{
	struct rlimit old, none;

	getrlimit(RLIMIT_NOFILE, &old);
	none = old;
	none.rlim_cur = 8; /* four there are, and three of the program */
	setrlimit(RLIMIT_NOFILE, &none);
	expect(new_as(), EMFILE, "no descriptors left");
	setrlimit(RLIMIT_NOFILE, &old);
	expect(switch_as(4), ENOENT, "what was not made");
	expect_value(new_as(), 4, "the number of what was not made");
}

static void *wait_for_it(void *arg)
{
	pause();
	return arg;
}

static void threads_are_refused(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, wait_for_it, NULL);
	expect(switch_as(1), EUSERS, "with a thread");
	pthread_cancel(thread);
	pthread_join(thread, NULL);
	expect(switch_as(1), 0, "without it");
	expect(switch_as(0), 0, "and back");
}

static void all_are_taken(void)
{
	int i;

	for (i = 5; i < N_MM; i++)
		expect_value(new_as(), i, "one more");
	expect(new_as(), ENOENT, "one too many");
	expect(switch_as(N_MM - 1), 0, "to the last");
	expect(new_as(), ENOENT, "one too many, from there");
	expect(switch_as(0), 0, "and back");
}

static void closed_by_the_program(void)
{
	int fd;

	for (fd = 3; fd < 3 + N_MM; fd++)
		close(fd);
	expect(switch_as(2), EBADF, "closed");
	expect_value(private, 10, "where it is");
}

static void run_checks(int signo)
{
	(void)signo;
	before_the_first();
	if (!make_two())
		return;
	each_has_its_own();
	each_can_make_more();
	what_there_is_not();
	children_have_the_present_one();
	no_descriptors_left();
	threads_are_refused();
	all_are_taken();
	closed_by_the_program();
}

int main(void)
{
	struct sigaction action = {
		.sa_handler = run_checks,
		.sa_flags = SA_ONSTACK,
	};
	stack_t stack = { .ss_size = STACK_SIZE };

	shared = map_shared(sizeof(*shared));
	stack.ss_sp = shared->stack;
	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	checks_done = shared->done;
	checks_failed = shared->failed;
	return check_result();
}
