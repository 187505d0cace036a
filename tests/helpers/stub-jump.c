// SPDX-License-Identifier: GPL-2.0
/*
 * stub-jump - jump to every address of a range, each in a process of its own.
 *
 * usage: stub-jump ADDRESS LENGTH STEP
 *
 * ADDRESS is hexadecimal, and belongs to UML's stub if the guest is UML. The
 * registers hold pointers into an own buffer, small numbers, and the numbers of
 * calls that set the clock, in turn. Who has not ended after a while is killed.
 * Prints how many ended by a signal, with a status, and by being killed.
 */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "clock.h"

#define PATIENCE_US 200
#define PATIENCE    1000

static long buffer[512] __attribute__((aligned(4096)));
static char stack[65536];

static const long sets[][7] = {
	/* rax, rdi, rsi, rdx, r10, r8, r9 */
	{ SYS_settimeofday, (long)buffer, 0, 0, 0, 0, 0 },
	{ SYS_clock_settime, 0, (long)buffer, 0, 0, 0, 0 },
	{ SYS_kill, -1, SIGKILL, 0, 0, 0, 0 },
	{ SYS_mmap, 0x10000000, 4096, 7, MAP_FIXED | MAP_SHARED, 0, 0 },
};

/* @regs are the number of a call and six arguments */
static __attribute__((noreturn)) void jump(unsigned long to, const long *regs)
{
	char *sp = stack + sizeof(stack) / 2;

	asm volatile("mov %[sp], %%rsp\n\t"
		     "mov 8(%[regs]), %%rdi\n\t"
		     "mov 16(%[regs]), %%rsi\n\t"
		     "mov 24(%[regs]), %%rdx\n\t"
		     "mov 32(%[regs]), %%r10\n\t"
		     "mov 40(%[regs]), %%r8\n\t"
		     "mov 48(%[regs]), %%r9\n\t"
		     "mov (%[regs]), %%rax\n\t"
		     "jmp *%[to]"
		     :
		     : [to] "b"(to), [sp] "r"(sp), [regs] "c"(regs)
		     : "memory", "rax", "rdi", "rsi", "rdx", "r8", "r9", "r10");
	__builtin_unreachable();
}

/* 0 if it ended by itself with a status, 1 by a signal, 2 killed */
static int wait_for(pid_t pid)
{
	int status;

	for (int i = 0; i < PATIENCE; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFSIGNALED(status);
		usleep(PATIENCE_US);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return 2;
}

int main(int argc, char **argv)
{
	unsigned long start, length, step;
	int count[3] = { 0 };
	pid_t pid;

	if (argc != 4) {
		fprintf(stderr, "usage: stub-jump ADDRESS LENGTH STEP\n");
		return 2;
	}
	start = strtoul(argv[1], NULL, 16);
	length = strtoul(argv[2], NULL, 0);
	step = strtoul(argv[3], NULL, 0);
	buffer[0] = 4102444800; /* 2100 */
	for (unsigned long at = 0; at < length; at += step ? step : 1) {
		pid = fork();
		if (!pid)
			jump(start + at, sets[at / step % ARRAY_SIZE(sets)]);
		if (pid < 0) {
			perror("stub-jump: fork");
			return 2;
		}
		count[wait_for(pid)]++;
	}
	printf("%d ended, %d crashed, %d killed\n", count[0], count[1],
	       count[2]);
	return 0;
}
