// SPDX-License-Identifier: GPL-2.0
/*
 * mmfd-sandbox - run an untrusted function and report its first trap, with the
 * calls of mmfd/compat.h.
 *
 * usage: mmfd-sandbox sum|kill|steal|divide|spin
 *
 * The function sees its code and a stack, and nothing of this program. Exits with
 * 0 if the function returned, 2 if it was stopped, 1 on failure, 124 if the kernel
 * lacks CONFIG_MMFD.
 */
#include <mmfd/compat.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "mmfd-example.h"

#define STACK	   0x100000UL
#define STACK_SIZE 0x10000UL
#define PATIENCE   200 /* ms */

/* ---- untrusted ---- */

static GUEST long do_sum(long n)
{
	long i, sum = 0;

	for (i = 1; i <= n; i++)
		sum += i;
	return sum;
}

static GUEST long do_kill(long pid)
{
	return guest_call(SYS_kill, pid, SIGKILL, 0);
}

static GUEST long do_steal(long address)
{
	return *(volatile long *)address;
}

static GUEST long do_divide(long divisor)
{
	long quotient = 1, rest = 0;

	asm volatile("idivq %2" : "+a"(quotient), "+d"(rest) : "r"(divisor));
	return quotient;
}

static GUEST long do_spin(long value)
{
	while (!value)
		asm volatile("" : "+r"(value));
	return value;
}

/* ---- trusted ---- */

static const long secret = 0x5ec2e7;

static const struct function {
	const char *name;
	long (*address)(long arg);
	long arg;
} functions[] = {
	{ "sum", do_sum, 100 },
	{ "kill", do_kill, -1 },
	{ "steal", do_steal, (long)&secret },
	{ "divide", do_divide, 0 },
	{ "spin", do_spin, 0 },
};

static volatile sig_atomic_t late;

static void on_alarm(int signo)
{
	(void)signo;
	late = 1;
}

/* Returns an address space with code and stack, or -1 and errno. */
static int make_space(void)
{
	int space, memory, err;

	space = new_addr();
	if (space < 0)
		return -1;
	memory = guest_memory(0);
	if (memory < 0)
		return -1;
	err = fmmap(space, (void *)GUEST_CODE, guest_code_size(),
		    PROT_READ | PROT_EXEC, MAP_PRIVATE, memory, 0);
	close(memory);
	if (!err)
		err = fmmap(space, (void *)STACK, STACK_SIZE,
			    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	return err ? -1 : space;
}

/*
 * Until the first trap, or until it takes too long. The alarm is repeated in case
 * that the first comes right before run_sandbox(), which it would not end then.
 */
static int run(int space, struct sandbox_params *params)
{
	struct itimerval timer = {
		.it_interval.tv_usec = PATIENCE * 1000,
		.it_value.tv_usec = PATIENCE * 1000,
	};
	int err;

	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &timer, NULL);
	do {
		err = run_sandbox(space, params);
	} while (!err && params->return_reason == SANDBOX_INTERRUPTED && !late);
	return err;
}

/* The stack is empty, so a function that returns goes to address 0. */
static int returned(const struct sandbox_params *params)
{
	return params->return_reason == SANDBOX_FAULT && !params->regs.rip &&
	       params->regs.rsp == STACK + STACK_SIZE;
}

static int report(const char *name, const struct sandbox_params *params)
{
	const struct mmfd_regs *regs = &params->regs;

	if (returned(params)) {
		printf("%s: returned %ld\n", name, (long)params->eax);
		return 0;
	}
	switch (params->return_reason) {
	case SANDBOX_SYSCALL:
		printf("%s: stopped at system call %d(%ld, %ld)\n", name,
		       params->return_data, (long)regs->rdi, (long)regs->rsi);
		break;
	case SANDBOX_FAULT:
		printf("%s: stopped at a page fault at %#llx, error code %d\n",
		       name, (unsigned long long)params->return_address,
		       params->return_data);
		break;
	case SANDBOX_EXCEPTION:
		printf("%s: stopped at exception %d, %s\n", name,
		       params->return_data, strsignal(params->return_signal));
		break;
	default:
		printf("%s: stopped after %d ms\n", name, PATIENCE);
	}
	return 2;
}

static int sandbox(const struct function *function)
{
	struct sandbox_params params = {
		.regs = {
			.rip = GUEST_ADDRESS(function->address),
			.rsp = STACK + STACK_SIZE - sizeof(long),
			.rdi = function->arg,
		},
	};
	int space = make_space();

	if (space < 0 || run(space, &params))
		return example_fail("mmfd-sandbox", errno);
	delete_addr(space);
	return report(function->name, &params);
}

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc == 2 && i < ARRAY_SIZE(functions); i++) {
		if (!strcmp(argv[1], functions[i].name))
			return sandbox(&functions[i]);
	}
	fprintf(stderr, "usage: mmfd-sandbox sum|kill|steal|divide|spin\n");
	return 1;
}
