// SPDX-License-Identifier: GPL-2.0
/*
 * mmfd: tasks with state that a guest would inherit are refused, and are not once
 * it is gone.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <signal.h>
#include <stddef.h>
#include <sys/io.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "mmfd_test.h"

FIXTURE(refuse)
{
	struct guest g;
};

FIXTURE_SETUP(refuse)
{
	ASSERT_TRUE(guest_init(&self->g, 0))
		TH_LOG("no guest: %s", strerror(errno));
	guest_load(&self->g, X_SYSCALL);
	ASSERT_EQ(0, mmfd_run(self->g.vcpu));
}

FIXTURE_TEARDOWN(refuse)
{
	guest_exit(&self->g);
}

#define EXPECT_RUN(ret) do {						\
	self->g.run->regs.rip = GUEST_CODE;				\
	EXPECT_EQ(ret, mmfd_run(self->g.vcpu));				\
} while (0)

TEST_F(refuse, ports)
{
	ASSERT_EQ(0, ioperm(0x80, 1, 1));
	EXPECT_RUN(-EOPNOTSUPP);
	ASSERT_EQ(0, ioperm(0x80, 1, 0));
	EXPECT_RUN(0);
	ASSERT_EQ(0, iopl(3));
	EXPECT_RUN(-EOPNOTSUPP);
	ASSERT_EQ(0, iopl(0));
	EXPECT_RUN(0);
}

TEST_F(refuse, segment_selectors)
{
	asm volatile("mov %0, %%ds" : : "r" (0x2b));
	EXPECT_RUN(-EOPNOTSUPP);
	asm volatile("mov %0, %%ds" : : "r" (0));
	asm volatile("mov %0, %%es" : : "r" (0x2b));
	EXPECT_RUN(-EOPNOTSUPP);
	asm volatile("mov %0, %%es" : : "r" (0));
	EXPECT_RUN(0);
}

/* By the call of 32-bit code, which 64-bit code can make */
TEST_F(refuse, entries_of_the_gdt)
{
	struct user_desc *desc = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long ret = 243;		/* set_thread_area */

	ASSERT_NE(MAP_FAILED, desc);
	desc->entry_number = -1;
	desc->limit = 0xfffff;
	desc->seg_32bit = 1;
	desc->limit_in_pages = 1;
	desc->useable = 1;
	asm volatile("int $0x80" : "+a" (ret) : "b" (desc) :
		     "memory", "r8", "r9", "r10", "r11");
	ASSERT_EQ(0, ret);
	EXPECT_RUN(-EOPNOTSUPP);
	desc->base_addr = 0;
	desc->limit = 0;
	desc->contents = 0;
	desc->read_exec_only = 1;
	desc->seg_32bit = 0;
	desc->limit_in_pages = 0;
	desc->seg_not_present = 1;
	desc->useable = 0;
	ret = 243;
	asm volatile("int $0x80" : "+a" (ret) : "b" (desc) :
		     "memory", "r8", "r9", "r10", "r11");
	ASSERT_EQ(0, ret);
	EXPECT_RUN(0);
}

/* A child that stops, and then says what mmfd_run() returns */
static int child(struct guest *g)
{
	int i;

	g->run = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, g->vcpu, 0);
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	for (i = 0; i < 2; i++) {
		g->run->regs.rip = GUEST_CODE;
		raise(SIGSTOP);
		if (mmfd_run(g->vcpu) != (i ? 0 : -EOPNOTSUPP))
			return 1 + i;
	}
	return 0;
}

#define DEBUGREG(n)	(offsetof(struct user, u_debugreg) + (n) * sizeof(long))

TEST_F(refuse, hardware_breakpoints)
{
	int status;
	pid_t pid;

	pid = fork();
	if (!pid)
		_exit(child(&self->g));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFSTOPPED(status));
	/* Of a write to a place that nobody writes to */
	ASSERT_EQ(0, ptrace(PTRACE_POKEUSER, pid, DEBUGREG(0), self->g.code));
	ASSERT_EQ(0, ptrace(PTRACE_POKEUSER, pid, DEBUGREG(7), 0x10001));
	ptrace(PTRACE_CONT, pid, 0, 0);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFSTOPPED(status)) TH_LOG("status %x", status);
	EXPECT_EQ(SIGSTOP, WSTOPSIG(status));
	ASSERT_EQ(0, ptrace(PTRACE_POKEUSER, pid, DEBUGREG(7), 0));
	ptrace(PTRACE_CONT, pid, 0, 0);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
