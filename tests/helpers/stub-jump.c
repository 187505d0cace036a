// SPDX-License-Identifier: GPL-2.0
/*
 * stub-jump - jump to every address of a range, each in a process of its own.
 *
 * usage: stub-jump [--no-far] [--uid UID] ADDRESS LENGTH STEP [SP...]
 *
 * ADDRESS is hexadecimal, and belongs to UML's stub if the guest is UML. The
 * registers hold pointers into an own buffer, small numbers, and the numbers of
 * calls that set the clock, in turn; the stack pointer is an own one, or each SP
 * (hexadecimal) in turn. With --uid, that user does it, in a session of its own.
 * With --no-far, places close before a far return are left out: where QEMU emulates
 * the CPU, that reads the stack with the kernel's rights, and the kernel oopses.
 * Who has not ended after a while is killed. Prints how many ended by a signal,
 * with a status, and by being killed.
 */
#include <string.h>
#include <sys/mman.h>

#include "become.h"
#include "caught.h"
#include "clock.h"
#include "patience.h"

#define PATIENCE_US 200
#define PATIENCE    1000

#define FAR_SOON 24

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
static __attribute__((noreturn)) void jump(unsigned long to, unsigned long sp,
					   const long *regs)
{
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

	if (!ended_soon(pid, PATIENCE, PATIENCE_US, &status))
		return 2;
	return WIFSIGNALED(status);
}

/* Is there one soon after @at, in its page? Not if nothing can be read there. */
static int far_return(const unsigned char *at)
{
	size_t left = 4096 - ((unsigned long)at & 4095);

	if (!readable(at))
		return 0;
	for (size_t i = 0; i < FAR_SOON && i < left; i++)
		if (at[i] == 0xca || at[i] == 0xcb || at[i] == 0xcf)
			return 1;
	return 0;
}

/* The stack pointer of jump @i */
static unsigned long choose_sp(int i, char **sps, int n)
{
	if (i % (n + 1) == n)
		return (unsigned long)stack + sizeof(stack) / 2;
	return strtoul(sps[i % (n + 1)], NULL, 16);
}

int main(int argc, char **argv)
{
	unsigned long start, length, step;
	int count[3] = { 0 };
	int no_far = argc > 1 && !strcmp(argv[1], "--no-far");
	pid_t pid;

	argc -= no_far;
	argv += no_far;
	if (argc > 2 && !strcmp(argv[1], "--uid")) {
		become(atoi(argv[2]));
		argc -= 2;
		argv += 2;
	}
	if (argc < 4) {
		fprintf(stderr,
			"usage: stub-jump [--no-far] [--uid UID] ADDRESS LENGTH STEP [SP...]\n");
		return 2;
	}
	start = strtoul(argv[1], NULL, 16);
	length = strtoul(argv[2], NULL, 0);
	step = strtoul(argv[3], NULL, 0) ?: 1;
	buffer[0] = 4102444800; /* 2100 */
	catch_signals();
	for (unsigned long i = 0; i * step < length; i++) {
		unsigned long at = start + i * step;

		if (no_far && far_return((unsigned char *)at))
			continue;
		pid = fork();
		if (!pid) {
			catch_none();
			jump(at,
			     choose_sp(i / ARRAY_SIZE(sets), argv + 4,
				       argc - 4),
			     sets[i % ARRAY_SIZE(sets)]);
		}
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
