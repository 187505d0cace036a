// SPDX-License-Identifier: GPL-2.0
/*
 * step-calls - what does a tracer see that steps over time calls?
 *
 * usage: step-calls
 *
 * A child makes time calls and other calls, and is stepped from instruction to
 * instruction. Prints a line for each call: its number, how far the instruction
 * pointer moved by the step, and the result; at the end the number of steps.
 */
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "clock.h"

#define SYSCALL_INSN 0x050f
#define ROUNDS	     3

static long do_call(long nr, long arg0, void *arg1)
{
	long ret;

	asm volatile("syscall"
		     : "=a"(ret)
		     : "0"(nr), "D"(arg0), "S"(arg1)
		     : "rcx", "r11", "memory");
	return ret;
}

static void child(void)
{
	struct timespec ts;
	struct timeval tv;

	/* So that the pages are there: before it is traced, these may pass */
	do_call(SYS_gettimeofday, (long)&tv, NULL);
	do_call(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	for (int i = 0; i < ROUNDS; i++) {
		do_call(SYS_gettimeofday, (long)&tv, NULL);
		do_call(SYS_getuid, 0, NULL);
		do_call(SYS_clock_gettime, CLOCK_REALTIME, &ts);
		do_call(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
		do_call(SYS_clock_gettime, 77, &ts);
		do_call(SYS_gettimeofday, 1, NULL);
	}
	do_call(SYS_exit, 0, NULL);
}

static void get(pid_t pid, struct user_regs_struct *regs)
{
	if (!ptrace(PTRACE_GETREGS, pid, NULL, regs))
		return;
	perror("step-calls: PTRACE_GETREGS");
	exit(2);
}

/* False if that was the last one */
static int step(pid_t pid)
{
	int status;

	if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) ||
	    waitpid(pid, &status, 0) != pid) {
		perror("step-calls");
		exit(2);
	}
	if (WIFSTOPPED(status) && WSTOPSIG(status) != SIGTRAP)
		printf("signal %d\n", WSTOPSIG(status));
	return WIFSTOPPED(status);
}

static int at_call(pid_t pid, unsigned long ip)
{
	errno = 0;
	return (ptrace(PTRACE_PEEKTEXT, pid, (void *)ip, NULL) & 0xffff) ==
		       SYSCALL_INSN &&
	       !errno;
}

int main(void)
{
	struct user_regs_struct before, after;
	int going = 1, steps = 0;
	pid_t pid = fork();

	if (!pid)
		child();
	waitpid(pid, NULL, 0);
	while (going) {
		get(pid, &before);
		going = step(pid);
		steps++;
		if (!going || !at_call(pid, before.rip))
			continue;
		get(pid, &after);
		printf("call %lld: moved by %lld, result %lld\n",
		       (long long)before.rax,
		       (long long)(after.rip - before.rip),
		       (long long)after.rax);
	}
	printf("%d steps\n", steps);
	return 0;
}
