// SPDX-License-Identifier: GPL-2.0
/*
 * mmfd-guests - a toy kernel that hosts 16 guests, each in an address space of its
 * own, with the calls of 2007 in mmfd/compat.h.
 *
 * usage: mmfd-guests [--one] [STEPS]
 *
 * A timer's signal handler is the kernel: it puts the registers of the guest that
 * it interrupted away, calls switch_as(), and returns with those of the next. What
 * it needs for that, and its stack, is in memory that all share. Each guest counts
 * up to STEPS (500000) in its memory, and looks at every step whether anybody else
 * has been there.
 *
 * With --one all are in one address space, and see what the others do. Exits with 0
 * if each has counted right and nobody has seen anybody else's memory, 1 if not or
 * on failure, 124 if the kernel lacks CONFIG_MMFD.
 */
#include <mmfd/compat.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/time.h>

#include "mmfd-context.h"
#include "mmfd-example.h"

#define GUESTS	    16
#define STACK_SIZE  0x10000
#define TICK	    5000 /* us */
#define WORDS	    512
#define FIRST_GUEST 1 /* number 0 is the program itself */
#define ALL	    (FIRST_GUEST + GUESTS)

/**
 * struct guest - a guest as the kernel knows it
 * @context: its registers while it does not run
 * @started: it has run
 * @done: it has made all its steps
 * @slices: how often it was switched to
 * @count: what it has counted
 * @foreign: how often it found its memory changed
 */
struct guest {
	struct context context;
	bool started;
	volatile bool done;
	int slices;
	long count;
	long foreign;
};

/**
 * struct kernel - all that the kernel has, shared
 * @one: it does not switch
 * @steps: for each guest
 * @current: whose turn it is; 0 for the program itself
 * @guests: by number
 * @stack: of the handler
 */
struct kernel {
	bool one;
	long steps;
	volatile int current;
	struct guest guests[ALL];
	char stack[STACK_SIZE];
};

/* The address; the same everywhere */
static struct kernel *kernel;

/* ---- a guest; what is here is its own ---- */

static char stacks[ALL][STACK_SIZE];
static volatile long words[WORDS];
static volatile long counter;
static volatile long foreign;

static long mark(long id, long step)
{
	return id << 32 | step;
}

static void write_words(long value)
{
	int i;

	for (i = 0; i < WORDS; i += 8)
		words[i] = value;
}

static bool has_words(long value)
{
	int i;

	for (i = 0; i < WORDS; i += 8) {
		if (words[i] != value)
			return false;
	}
	return true;
}

static void run_guest(long id)
{
	struct guest *self = &kernel->guests[id];
	long step;

	for (step = 0; step < kernel->steps; step++) {
		write_words(mark(id, step));
		counter++;
		if (!has_words(mark(id, step)))
			foreign++;
	}
	self->count = counter;
	self->foreign = foreign;
	self->done = true;
	for (;;)
		pause();
}

/* ---- the kernel ---- */

/* Round robin; 0 if all are done. */
static int next_guest(void)
{
	int i, id;

	for (i = 0; i < GUESTS; i++) {
		id = FIRST_GUEST +
		     (kernel->current - FIRST_GUEST + 1 + i + GUESTS) % GUESTS;
		if (!kernel->guests[id].done)
			return id;
	}
	return 0;
}

static void resume(int id, ucontext_t *frame)
{
	struct guest *guest = &kernel->guests[id];

	guest->slices++;
	if (guest->started) {
		context_load(&guest->context, frame);
		return;
	}
	guest->started = true;
	context_start(frame, (uintptr_t)run_guest,
		      (uintptr_t)stacks[id] + STACK_SIZE, id);
}

static void on_tick(int signo, siginfo_t *info, void *ucontext)
{
	int id = next_guest();

	(void)signo;
	(void)info;
	if (id == kernel->current)
		return;
	if (!context_save(&kernel->guests[kernel->current].context, ucontext))
		_exit(1);
	if (!kernel->one && switch_as(id))
		_exit(1);
	kernel->current = id;
	resume(id, ucontext);
}

static int start_kernel(void)
{
	struct sigaction action = {
		.sa_sigaction = on_tick,
		.sa_flags = SA_SIGINFO | SA_ONSTACK,
	};
	struct itimerval timer = {
		.it_interval.tv_usec = TICK,
		.it_value.tv_usec = TICK,
	};
	stack_t stack = {
		.ss_sp = kernel->stack,
		.ss_size = sizeof(kernel->stack),
	};

	kernel->guests[0].started = true;
	if (sigaltstack(&stack, NULL) || sigaction(SIGALRM, &action, NULL))
		return -1;
	return setitimer(ITIMER_REAL, &timer, NULL);
}

static bool all_done(void)
{
	return kernel->guests[0].slices > 0;
}

static int report(void)
{
	int id, slices = 0, bad = 0;
	const struct guest *guest;

	for (id = FIRST_GUEST; id < ALL; id++) {
		guest = &kernel->guests[id];
		printf("guest %d: counted %ld in %d slices, foreign memory seen %ld times\n",
		       id, guest->count, guest->slices, guest->foreign);
		slices += guest->slices;
		bad += guest->count != kernel->steps || guest->foreign;
	}
	printf("%d guests, %d switches, %d guests disturbed\n", GUESTS, slices,
	       bad);
	return bad > 0;
}

/* Returns 0, or -1 and errno. */
static int make_guests(void)
{
	int id;

	for (id = FIRST_GUEST; id < ALL && !kernel->one; id++) {
		if (new_as() != id)
			return -1;
	}
	return 0;
}

static int map_kernel(void)
{
	kernel = mmap(NULL, sizeof(*kernel), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return kernel == MAP_FAILED ? -1 : 0;
}

static int host(bool one, long steps)
{
	const struct itimerval stop = { 0 };

	if (map_kernel())
		return example_fail("mmfd-guests", errno);
	kernel->one = one;
	kernel->steps = steps;
	if (make_guests() || start_kernel())
		return example_fail("mmfd-guests", errno);
	while (!all_done())
		pause();
	setitimer(ITIMER_REAL, &stop, NULL);
	return report();
}

int main(int argc, char **argv)
{
	bool one = argc > 1 && !strcmp(argv[1], "--one");
	long steps = 500000;
	char *end = "";

	argc -= one;
	argv += one;
	if (argc > 1)
		steps = strtol(argv[1], &end, 10);
	if (argc <= 2 && !*end && steps > 0 && steps <= UINT32_MAX)
		return host(one, steps);
	fprintf(stderr, "usage: mmfd-guests [--one] [STEPS]\n");
	return 1;
}
