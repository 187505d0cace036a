// SPDX-License-Identifier: GPL-2.0
/*
 * stub-call - have the own UML stub make a call of the host's, of the caller's
 * choice: map memory that the guest's kernel knows nothing of.
 *
 * usage: stub-call [--uid UID] STUB           STUB is hexadecimal
 *
 * For each "syscall" instruction in that page, a child jumps there with registers
 * for mmap(2), and then looks whether there is memory. Prints how many instructions
 * there are, and how many of them did it; or that nothing is there.
 */
#include <string.h>
#include <sys/mman.h>

#include "become.h"
#include "caught.h"
#include "clock.h"
#include "patience.h"

#define PAGE   4096UL
#define TARGET 0x300000000UL

static unsigned long stack[4096] __attribute__((aligned(4096)));
static unsigned long *own_sp __attribute__((used)) = &stack[4000];

static __attribute__((noreturn, used)) void landed(void)
{
	siglongjmp(back, NSIG);
}

/* Where it returns to, with any stack */
static __attribute__((naked)) void landing(void)
{
	asm("movq own_sp(%rip), %rsp\n\t"
	    "andq $-16, %rsp\n\t"
	    "call landed");
}

static void jump(const void *at)
{
	register long r10 asm("r10") = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
	register long r8 asm("r8") = -1;
	register long r9 asm("r9") = 0;

	for (size_t i = 0; i < 3000; i++)
		stack[i] = (unsigned long)landing;
	asm volatile("movq %[sp], %%rsp\n\t"
		     "jmp *%[at]"
		     :
		     : [at] "r"(at), [sp] "r"(&stack[2000]),
		       "a"((long)SYS_mmap), "D"(TARGET), "S"(PAGE),
		       "d"((long)PROT_READ | PROT_WRITE), "r"(r10), "r"(r8),
		       "r"(r9)
		     : "memory");
	__builtin_unreachable();
}

static int attack(const void *at)
{
	if (!sigsetjmp(back, 1))
		jump(at);
	return readable((void *)TARGET);
}

/* In a child, which may come to any end: has it that memory? */
static int works(const void *at)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(attack(at));
	return ended_soon(pid, 2000, 1000, &status) && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 1;
}

int main(int argc, char **argv)
{
	int found = 0, done = 0;
	const char *stub;

	if (argc == 4 && !strcmp(argv[1], "--uid")) {
		become(atoi(argv[2]));
		argc -= 2;
		argv += 2;
	}
	if (argc != 2) {
		fprintf(stderr, "usage: stub-call [--uid UID] STUB\n");
		return 2;
	}
	stub = (char *)strtoul(argv[1], NULL, 16);
	catch_signals();
	if (readable((void *)TARGET)) {
		fprintf(stderr, "stub-call: that memory is in use\n");
		return 2;
	}
	if (!readable(stub)) {
		printf("nothing is there\n");
		return 0;
	}
	for (const char *at = stub; at + 2 <= stub + PAGE; at++) {
		if (memcmp(at, "\x0f\x05", 2))
			continue;
		found++;
		done += works(at);
	}
	printf("%d instructions, %d did it\n", found, done);
	return 0;
}
