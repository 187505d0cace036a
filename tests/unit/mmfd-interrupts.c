// SPDX-License-Identifier: GPL-2.0
/*
 * Signals and runs of libmmfd: which run a signal ends, and what is delivered
 * when. Needs CONFIG_MMFD and root.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "mmfd-guest.h"

static struct guest g;
static struct mmfd_pic *pic;
static uint64_t taken;
static sigjmp_buf away;
static bool jump, forks;
static pid_t child;

static void take(unsigned int line, uint64_t count, void *arg)
{
	(void)line;
	(void)arg;
	taken += count;
	if (forks) {
		forks = false;
		fflush(stdout);
		child = fork();
	}
	if (jump)
		siglongjmp(away, 1);
}

/* SIGALRM every so often, 0 for never */
static void alarms(long usec)
{
	struct itimerval timer = {
		.it_interval.tv_usec = usec,
		.it_value.tv_usec = usec,
	};

	setitimer(ITIMER_REAL, &timer, NULL);
}

/*
 * The guest counts in RBX from 0; if it is to run, until something interrupts it
 * that did not come before the first instruction.
 */
static void spin(const char *what, bool runs)
{
	int reason;

	GUEST_LOAD(&g, X_SPIN);
	do {
		reason = mmfd_vcpu_run(g.vcpu);
		check(reason == MMFD_EXIT_INTERRUPTED, "%s: ended with %d",
		      what, reason);
	} while (runs && !g.page->regs.rbx);
	check(runs || !g.page->regs.rbx, "%s: counted to %llu", what,
	      (unsigned long long)g.page->regs.rbx);
}

static void a_signal_ends_a_run(void)
{
	uint64_t before;

	taken = 0;
	mmfd_pic_enable(pic);
	alarms(20000);
	do {
		spin("flag on", true);
	} while (!taken);
	mmfd_pic_disable(pic);
	before = taken;
	do {
		spin("flag off", true);
	} while (!mmfd_pic_pending(pic));
	check(taken == before, "delivered with the flag off");
	alarms(0);
	mmfd_pic_enable(pic);
	check(taken > before, "not delivered");
}

static void a_signal_before_a_run_ends_it(void)
{
	GUEST_LOAD(&g, X_SYSCALL);
	check_run(&g, MMFD_EXIT_SYSCALL, "run");
	taken = 0;
	mmfd_pic_enable(pic);
	raise(SIGALRM);
	check(taken == 1, "not delivered");
	spin("flag on", false);
	mmfd_pic_disable(pic);
	raise(SIGALRM);
	spin("flag off", false);
	check(taken == 1, "delivered with the flag off");
	/* and only one run */
	alarms(20000);
	spin("the next", true);
	alarms(0);
}

static void *other(void *arg)
{
	mmfd_pic_raise(arg, 1);
	return NULL;
}

static void a_run_delivers_what_others_raised(void)
{
	pthread_t thread;

	mmfd_pic_enable(pic);
	taken = 0;
	pthread_create(&thread, NULL, other, pic);
	pthread_join(thread, NULL);
	check(!taken, "delivered by another thread");
	GUEST_LOAD(&g, X_SYSCALL);
	check_run(&g, MMFD_EXIT_SYSCALL, "run");
	check(taken == 1, "not delivered");
}

/* The child comes out of the run as well, and has no run page. */
static void a_handler_may_fork(void)
{
	int reason, status;

	taken = 0;
	child = -1;
	forks = true;
	alarms(20000);
	do {
		GUEST_LOAD(&g, X_SPIN);
		reason = mmfd_vcpu_run(g.vcpu);
	} while (reason == MMFD_EXIT_INTERRUPTED && child < 0);
	if (!child) {
		mmfd_pic_disable(pic);
		raise(SIGALRM);
		check(reason == -ECHILD, "the child's run: %d", reason);
		check(mmfd_pic_pending(pic) == 1, "the child's signal");
		fflush(stdout);
		_exit(check_result());
	}
	alarms(0);
	check(reason == MMFD_EXIT_INTERRUPTED, "the parent's run: %d", reason);
	check(waitpid(child, &status, 0) == child && !status,
	      "the child's status is %#x", status);
}

/* As a kernel does that schedules in an interrupt. */
static void a_handler_may_leave_a_run(void)
{
	struct mmfd_vcpu *first = g.vcpu;
	volatile int left = 0;

	taken = 0;
	jump = true;
	if (!sigsetjmp(away, 0)) {
		alarms(20000);
		for (;;)
			spin("left", true);
	} else {
		left = 1;
	}
	alarms(0);
	jump = false;
	check(left && taken >= 1, "not left");
	taken = 0;
	check(!mmfd_pic_enabled(pic), "the flag is on");
	/* The run page is gone, and the next signal does not look for it. */
	check(!mmfd_vcpu_create(g.space, 0, 0, &g.vcpu), "create");
	mmfd_vcpu_destroy(first);
	g.page = mmfd_vcpu_page(g.vcpu);
	raise(SIGALRM);
	check(mmfd_pic_pending(pic) == 1, "not recorded");
	spin("after it", false);
	mmfd_pic_enable(pic);
	check(taken >= 1, "not delivered");
	GUEST_LOAD(&g, X_SYSCALL);
	check_run(&g, MMFD_EXIT_SYSCALL, "the next");
}

int main(void)
{
	if (!guest_open(&g, 0))
		return check_result();
	check(!mmfd_pic_create(take, NULL, &pic), "create");
	mmfd_pic_bind(pic);
	check(!mmfd_pic_signal(pic, SIGALRM, 0), "signal");
	a_signal_ends_a_run();
	a_signal_before_a_run_ends_it();
	a_run_delivers_what_others_raised();
	a_handler_may_fork();
	a_handler_may_leave_a_run();
	mmfd_pic_destroy(pic);
	guest_close(&g);
	return check_result();
}
