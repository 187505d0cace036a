// SPDX-License-Identifier: GPL-2.0
/*
 * bus-errors - what a process gets for memory accesses that are no page faults,
 * or that no page can be found for.
 *
 * Prints a line for each: the signal and, in a child without a handler, what it
 * died of. The same is to come in a UML guest as on its host. As the last line,
 * whether this process is still served.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "clock.h"

#define PAGE	4096UL
#define NOWHERE 0x8000000000000000UL

static sigjmp_buf out;
static char buffer[64] __attribute__((aligned(64)));
static char *beyond;
static char handler_stack[65536];

/* The alignment check stays on in a handler: off before anything else */
static __attribute__((noinline)) void unalign(int on)
{
	asm volatile("pushfq\n\t"
		     "andq $~0x40000, (%%rsp)\n\t"
		     "orq %0, (%%rsp)\n\t"
		     "popfq"
		     :
		     : "r"(on ? 0x40000UL : 0UL)
		     : "memory", "cc");
}

static void on_signal(int sig)
{
	unalign(0);
	siglongjmp(out, sig);
}

static void misaligned(void)
{
	unalign(1);
	asm volatile("movl 1(%0), %%eax" : : "r"(buffer) : "eax");
	unalign(0);
}

static void misaligned_stack(void)
{
	unalign(1);
	asm volatile("movq %%rsp, %%rbx\n\t"
		     "leaq 33(%0), %%rsp\n\t"
		     "pushq %%rax\n\t"
		     "movq %%rbx, %%rsp"
		     :
		     : "r"(buffer)
		     : "rbx", "memory");
	unalign(0);
}

static void stack_nowhere(void)
{
	asm volatile("movq %%rbp, %%rbx\n\t"
		     "movq %0, %%rbp\n\t"
		     "movq (%%rbp), %%rax\n\t"
		     "movq %%rbx, %%rbp"
		     :
		     : "r"(NOWHERE)
		     : "rax", "rbx", "memory");
}

static void data_nowhere(void)
{
	asm volatile("movq (%0), %%rax" : : "r"(NOWHERE) : "rax");
}

static void beyond_file(void)
{
	asm volatile("movb (%0), %%al" : : "r"(beyond) : "rax");
}

static void trap_number(void)
{
	asm volatile("int $0x42");
}

static const struct {
	const char *name;
	void (*act)(void);
} acts[] = {
	{ "misaligned access", misaligned },
	{ "misaligned stack", misaligned_stack },
	{ "stack nowhere", stack_nowhere },
	{ "data nowhere", data_nowhere },
	{ "beyond the end of a file", beyond_file },
	{ "software interrupt", trap_number },
};

static const char *name(int sig)
{
	return sig ? sigabbrev_np(sig) : "nothing";
}

static const char *handled(void (*act)(void))
{
	int sig = sigsetjmp(out, 1);

	if (!sig)
		act();
	return name(sig);
}

static const char *unhandled(void (*act)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		signal(SIGBUS, SIG_DFL);
		signal(SIGSEGV, SIG_DFL);
		act();
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		return "lost";
	return WIFSIGNALED(status) ? name(WTERMSIG(status)) : "ended";
}

static char *map_beyond(void)
{
	int fd = memfd_create("file", 0);
	char *p;

	if (fd < 0 || ftruncate(fd, 2 * PAGE))
		return NULL;
	p = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED || p[PAGE] || ftruncate(fd, PAGE))
		return NULL;
	return p + PAGE;
}

int main(void)
{
	struct sigaction sa = { .sa_handler = on_signal,
				.sa_flags = SA_ONSTACK };
	stack_t stack = { .ss_sp = handler_stack,
			  .ss_size = sizeof(handler_stack) };

	sigaltstack(&stack, NULL);
	sigaction(SIGBUS, &sa, NULL);
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGTRAP, &sa, NULL);
	beyond = map_beyond();
	if (!beyond) {
		perror("bus-errors");
		return 2;
	}
	for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
		const char *first = unhandled(acts[i].act);

		printf("%s: %s, %s\n", acts[i].name, handled(acts[i].act),
		       first);
		fflush(stdout);
	}
	printf("served: %d\n", getpid() > 0);
	return 0;
}
