// SPDX-License-Identifier: GPL-2.0
/*
 * many-timers - what a step of a namespace's clock costs, by the timers armed in it.
 *
 * usage: many-timers HERE NEXT
 *
 * Arms HERE timers in a namespace with a wall clock of its own and NEXT in another one,
 * all for a time that does not come, and prints how many nanoseconds setting the first
 * clock takes (with --icount: instructions), the least of ten times.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "clock.h"
#include "own-clock.h"

static void arm(int n)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL,
			       .sigev_signo = SIGUSR1 };
	struct itimerspec its = { .it_value.tv_sec = 4000000000LL };
	timer_t timer;

	for (int i = 0; i < n; i++) {
		its.it_value.tv_nsec = i;
		if (timer_create(CLOCK_REALTIME, &ev, &timer) ||
		    timer_settime(timer, TIMER_ABSTIME, &its, NULL))
			err(1, "timer %d", i);
	}
}

static void enter(void)
{
	int fd = own_clock_new();

	if (fd < 0 || setns(fd, CLONE_NEWTIME))
		err(1, "namespace");
	close(fd);
}

int main(int argc, char **argv)
{
	struct rlimit lim = { RLIM_INFINITY, RLIM_INFINITY };
	struct timespec ts = { .tv_sec = 2000000000 };
	long long least = -1, t;
	int ready[2];
	pid_t next;
	char c;

	if (argc != 3)
		errx(1, "usage: many-timers HERE NEXT");
	setrlimit(RLIMIT_SIGPENDING, &lim);
	if (pipe(ready))
		err(1, "pipe");
	next = fork();
	if (!next) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		enter();
		arm(atoi(argv[2]));
		close(ready[1]);
		pause();
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) || kill(next, 0) ||
	    waitpid(next, NULL, WNOHANG))
		errx(1, "no timers next door");
	enter();
	arm(atoi(argv[1]));
	for (int i = 0; i < 10; i++) {
		ts.tv_sec += i & 1 ? -1000 : 1000;
		t = vdso_clock(CLOCK_MONOTONIC);
		if (clock_settime(CLOCK_REALTIME, &ts))
			err(1, "clock_settime");
		t = vdso_clock(CLOCK_MONOTONIC) - t;
		if (least < 0 || t < least)
			least = t;
	}
	printf("%lld\n", least);
	kill(next, SIGKILL);
	return 0;
}
