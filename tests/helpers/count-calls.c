// SPDX-License-Identifier: GPL-2.0
/*
 * count-calls - trace a command, and count its gettimeofday(2) system calls.
 *
 * usage: count-calls COMMAND [ARGUMENT...]
 *
 * Prints the number that the tracer saw. Exits with 1 if COMMAND fails.
 */
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "clock.h"

static void start(char **command)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	execvp(command[0], command);
	perror(command[0]);
	_exit(127);
}

static int is_gettimeofday(pid_t pid)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs)) {
		perror("count-calls: PTRACE_GETREGS");
		exit(2);
	}
	return regs.orig_rax == SYS_gettimeofday;
}

static int trace(pid_t pid)
{
	long stops = 0;
	int status, sig = 0;

	waitpid(pid, &status, 0);
	ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)PTRACE_O_TRACESYSGOOD);
	for (;;) {
		if (ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)sig) ||
		    waitpid(pid, &status, 0) != pid) {
			perror("count-calls");
			return 2;
		}
		if (!WIFSTOPPED(status))
			break;
		sig = WSTOPSIG(status);
		if (sig == (SIGTRAP | 0x80)) {
			stops += is_gettimeofday(pid);
			sig = 0;
		} else if (sig == SIGTRAP) {
			sig = 0;
		}
	}
	/* One stop at entry, one at exit */
	printf("%ld\n", stops / 2);
	return status ? 1 : 0;
}

int main(int argc, char **argv)
{
	pid_t pid;

	if (argc < 2) {
		fprintf(stderr, "usage: count-calls COMMAND [ARGUMENT...]\n");
		return 2;
	}
	pid = fork();
	if (!pid)
		start(argv + 1);
	return pid < 0 ? 2 : trace(pid);
}
