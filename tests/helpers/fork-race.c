// SPDX-License-Identifier: GPL-2.0
/*
 * fork-race - is what a child has got changed by a thread of its parent?
 *
 * usage: fork-race ROUNDS
 *
 * A thread counts in a page without any system call. Its process forks meanwhile, and
 * the child looks for a while whether its copy of the page changes. Prints
 * "ROUNDS rounds, N changed"; status 1 if any did.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "clock.h"

#define WATCH_MS 15

static volatile long *page;

static void *count(void *unused)
{
	(void)unused;
	for (;;)
		page[0]++;
	return NULL;
}

static int changes(void)
{
	long end = raw_clock(CLOCK_MONOTONIC) + WATCH_MS * 1000000L;
	long first = page[0];

	do {
		if (page[0] != first)
			return 1;
	} while (raw_clock(CLOCK_MONOTONIC) < end);
	return 0;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 100;
	int changed = 0, status;
	pthread_t thread;

	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED || pthread_create(&thread, NULL, count, NULL))
		return 2;
	for (int i = 0; i < rounds; i++) {
		long before = page[0];
		pid_t pid;

		/* It runs, so that it is in the middle of it */
		while (page[0] == before)
			;
		pid = fork();
		if (pid < 0)
			return 2;
		if (!pid)
			_exit(changes());
		waitpid(pid, &status, 0);
		changed += status != 0;
	}
	printf("%d rounds, %d changed\n", rounds, changed);
	return !!changed;
}
