// SPDX-License-Identifier: GPL-2.0
/*
 * How many system calls the interrupt flag of libmmfd makes: a traced child works
 * between two calls of getppid(2), and its tracer counts. A child that blocks and
 * unblocks signals instead shows that the count sees what it is to see.
 */
#include <signal.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mmfd.h>

#include "check.h"

#define PAIRS 1000000

static struct mmfd_pic *pic;
static uint64_t taken;

static void take(unsigned int line, uint64_t count, void *arg)
{
	(void)line;
	(void)arg;
	taken += count;
}

static void pairs(void)
{
	int i;

	for (i = 0; i < PAIRS; i++) {
		mmfd_pic_disable(pic);
		mmfd_pic_enable(pic);
	}
}

/* Each with an event that comes while the flag is off */
static void pairs_with_events(void)
{
	int i;

	for (i = 0; i < PAIRS; i++) {
		mmfd_pic_disable(pic);
		mmfd_pic_raise(pic, i % MMFD_PIC_LINES);
		if (!mmfd_pic_pending(pic) || mmfd_pic_enabled(pic))
			_exit(1);
		mmfd_pic_enable(pic);
	}
	if (taken != PAIRS)
		_exit(1);
}

static void masks(void)
{
	sigset_t all;
	int i;

	sigfillset(&all);
	for (i = 0; i < 500; i++) {
		sigprocmask(SIG_BLOCK, &all, NULL);
		sigprocmask(SIG_UNBLOCK, &all, NULL);
	}
}

static void child(void (*work)(void))
{
	if (mmfd_pic_create(take, NULL, &pic))
		_exit(1);
	mmfd_pic_bind(pic);
	mmfd_pic_enable(pic);
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	syscall(SYS_getppid);
	work();
	syscall(SYS_getppid);
	_exit(0);
}

static int at_call(pid_t pid, int *status)
{
	ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	waitpid(pid, status, 0);
	return WIFSTOPPED(*status) && WSTOPSIG(*status) == (SIGTRAP | 0x80);
}

/* System calls between the two of getppid(2); -1 if the child failed. */
static long count(void (*work)(void))
{
	struct user_regs_struct regs;
	int status, markers = 0;
	long calls = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		child(work);
	waitpid(pid, &status, 0);
	ptrace(PTRACE_SETOPTIONS, pid, NULL,
	       PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	while (at_call(pid, &status)) {
		ptrace(PTRACE_GETREGS, pid, NULL, &regs);
		if (regs.orig_rax == SYS_getppid)
			markers++;
		else if (markers == 1)
			calls++;
		/* from entry to exit, of which exit_group(2) has none */
		if (!at_call(pid, &status))
			break;
	}
	if (markers != 2 || !WIFEXITED(status) || WEXITSTATUS(status))
		return -1;
	return calls;
}

static void expect(const char *what, void (*work)(void), long want)
{
	long calls = count(work);

	printf("%s: %ld system calls\n", what, calls);
	check(calls == want, "%s: %ld system calls, not %ld", what, calls,
	      want);
}

int main(void)
{
	expect("1000000 pairs of disable and enable", pairs, 0);
	expect("1000000 pairs with an event each", pairs_with_events, 0);
	expect("500 pairs of sigprocmask", masks, 1000);
	return check_result();
}
