// SPDX-License-Identifier: GPL-2.0
/*
 * FPU, SSE and AVX registers of a virtual CPU: reading them, changing them, and
 * having those of home.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "mmfd_test.h"

#define XSTATE_MAX	65536
/* Where they are in the format of XSAVE */
#define XMM(n)		(160 + 16 * (n))
#define MXCSR		24
#define XFEATURES	512
#define XFEATURE_SSE	2
/* The part of it that every processor with XSAVE has */
#define XSTATE_MIN	576

FIXTURE(xstate)
{
	struct guest g;
	struct mmfd_run *r;
	uint8_t *buf;
};

FIXTURE_SETUP(xstate)
{
	ASSERT_TRUE(guest_init(&self->g, 0)) TH_LOG("no guest: %s", strerror(errno));
	self->r = self->g.run;
	self->buf = calloc(1, XSTATE_MAX);
	ASSERT_NE(NULL, self->buf);
}

FIXTURE_TEARDOWN(xstate)
{
	free(self->buf);
	guest_exit(&self->g);
}

static long xstate(int fd, unsigned long cmd, void *buf, uint32_t size)
{
	struct mmfd_xstate arg = { .addr = (uintptr_t)buf, .size = size };
	int ret = ioctl(fd, cmd, &arg);

	return ret < 0 ? -errno : ret;
}

#define GET()	xstate(self->g.vcpu, MMFD_XSTATE_GET, self->buf, XSTATE_MAX)
#define SET()	xstate(self->g.vcpu, MMFD_XSTATE_SET, self->buf, XSTATE_MAX)

static uint64_t word(const uint8_t *buf, unsigned int offset)
{
	uint64_t ret;

	memcpy(&ret, buf + offset, sizeof(ret));
	return ret;
}

static void set_word(uint8_t *buf, unsigned int offset, uint64_t value)
{
	memcpy(buf + offset, &value, sizeof(value));
}

#define EXPECT_RUN(why) do {						\
	EXPECT_EQ(0, mmfd_run(self->g.vcpu));				\
	EXPECT_EQ(why, self->r->reason);				\
} while (0)

/* movq %rax,%xmm5; movq %rax,%xmm15; syscall */
#define X_SET	0x66, 0x48, 0x0f, 0x6e, 0xe8, 0x66, 0x4c, 0x0f, 0x6e, 0xf8, X_SYSCALL
/* movq %xmm5,%rax; movq %xmm15,%rbx; syscall */
#define X_GET	0x66, 0x48, 0x0f, 0x7e, 0xe8, 0x66, 0x4c, 0x0f, 0x7e, 0xfb, X_SYSCALL

TEST_F(xstate, what_a_guest_leaves_can_be_read)
{
	guest_load(&self->g, X_SET);
	self->r->regs.rax = 0x1122334455667788;
	EXPECT_RUN(MMFD_EXIT_SYSCALL);
	ASSERT_LE(XSTATE_MIN, GET());
	EXPECT_EQ(0x1122334455667788, word(self->buf, XMM(5)));
	EXPECT_EQ(0x1122334455667788, word(self->buf, XMM(15)));
	EXPECT_EQ(0x1f80, word(self->buf, MXCSR) & 0xffff);
	EXPECT_EQ(XFEATURE_SSE, word(self->buf, XFEATURES) & XFEATURE_SSE);
}

TEST_F(xstate, what_is_written_is_what_a_guest_has)
{
	ASSERT_LE(XSTATE_MIN, GET());
	set_word(self->buf, XMM(5), 5555);
	set_word(self->buf, XMM(15), 1515);
	set_word(self->buf, XFEATURES, word(self->buf, XFEATURES) | XFEATURE_SSE);
	ASSERT_EQ(0, SET());
	guest_load(&self->g, X_GET);
	EXPECT_RUN(MMFD_EXIT_SYSCALL);
	EXPECT_EQ(5555, self->r->regs.rax);
	EXPECT_EQ(1515, self->r->regs.rbx);
}

TEST_F(xstate, it_goes_from_one_virtual_cpu_to_another)
{
	struct mmfd_run *run;
	int vcpu = guest_vcpu(self->g.mm, 0, &run);
	long size;

	ASSERT_LE(0, vcpu);
	guest_load(&self->g, X_SET);
	self->r->regs.rax = 4711;
	EXPECT_RUN(MMFD_EXIT_SYSCALL);
	size = GET();
	ASSERT_LE(XSTATE_MIN, size);
	ASSERT_EQ(0, xstate(vcpu, MMFD_XSTATE_SET, self->buf, size));
	guest_load(&self->g, X_GET);
	run->regs = self->r->regs;
	ASSERT_EQ(0, mmfd_run(vcpu));
	EXPECT_EQ(4711, run->regs.rax);
	EXPECT_EQ(4711, run->regs.rbx);
}

/* A debugger's supervisor hands one of them to the other. */
TEST_F(xstate, ptrace_has_the_same_format)
{
	struct iovec iov = { .iov_base = self->buf, .iov_len = XSTATE_MAX };
	int status;
	pid_t pid = fork();

	if (!pid) {
		ptrace(PTRACE_TRACEME);
		asm volatile("movq %0, %%xmm5\n\t"
			     "movq %0, %%xmm15\n\t"
			     "int3" : : "r" (0x1234UL) : "xmm5", "xmm15");
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, ptrace(PTRACE_GETREGSET, pid, NT_X86_XSTATE, &iov));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ASSERT_EQ(0, xstate(self->g.vcpu, MMFD_XSTATE_SET, self->buf, iov.iov_len));
	guest_load(&self->g, X_GET);
	EXPECT_RUN(MMFD_EXIT_SYSCALL);
	EXPECT_EQ(0x1234, self->r->regs.rax);
	EXPECT_EQ(0x1234, self->r->regs.rbx);
}

TEST_F(xstate, what_the_processor_cannot_have_is_refused)
{
	struct mmfd_xstate arg = { .addr = (uintptr_t)self->buf, .size = XSTATE_MAX };
	long size = GET();

	ASSERT_LE(XSTATE_MIN, size);
	EXPECT_EQ(-ENOSPC, xstate(self->g.vcpu, MMFD_XSTATE_GET, self->buf, size - 1));
	EXPECT_EQ(-ENOSPC, xstate(self->g.vcpu, MMFD_XSTATE_SET, self->buf, size - 1));
	EXPECT_EQ(-EFAULT, xstate(self->g.vcpu, MMFD_XSTATE_GET, NULL, size));
	EXPECT_EQ(-EFAULT, xstate(self->g.vcpu, MMFD_XSTATE_SET, NULL, size));
	set_word(self->buf, XFEATURES, 1UL << 62);
	EXPECT_EQ(-EINVAL, SET());
	set_word(self->buf, XFEATURES, XFEATURE_SSE);
	set_word(self->buf, MXCSR, 0xffffffff);
	EXPECT_EQ(-EINVAL, SET());
	arg.reserved = 1;
	EXPECT_EQ(-1, ioctl(self->g.vcpu, MMFD_XSTATE_GET, &arg));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, ioctl(self->g.mm, MMFD_XSTATE_GET, &arg));
	EXPECT_EQ(ENOTTY, errno);

	/* and nothing has changed */
	guest_load(&self->g, X_GET);
	EXPECT_RUN(MMFD_EXIT_SYSCALL);
	EXPECT_EQ(0, self->r->regs.rax);
}

static void *enter(void *fd)
{
	mmfd_run((long)fd);
	return NULL;
}

TEST_F(xstate, it_is_busy_while_somebody_is_inside)
{
	volatile uint64_t *seen = (void *)self->g.data;
	pthread_t thread;

	/* mov %rsp,-8(%rsp); cmpq $0,(%rdi); je over the 4 bytes before; syscall */
	guest_load(&self->g, 0x48, 0x89, 0x64, 0x24, 0xf8, 0x48, 0x83, 0x3f, 0x00,
		   0x74, 0xfa, X_SYSCALL);
	self->r->regs.rdi = GUEST_DATA;
	ASSERT_EQ(0, pthread_create(&thread, NULL, enter, (void *)(long)self->g.vcpu));
	while (!seen[PAGE / 8 - 1])
		;
	EXPECT_EQ(-EBUSY, GET());
	EXPECT_EQ(-EBUSY, SET());
	seen[0] = 1;
	pthread_join(thread, NULL);
	EXPECT_EQ(MMFD_EXIT_SYSCALL, self->r->reason);
	EXPECT_LE(XSTATE_MIN, GET());
}

TEST_F(xstate, it_can_be_that_of_home)
{
	struct mmfd_vcpu_create create = { .flags = MMFD_VCPU_SHARE_XSTATE };
	int vcpu = ioctl(self->g.mm, MMFD_VCPU_CREATE, &create);
	struct mmfd_run *run = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
				    vcpu, 0);
	uint64_t left;
	long ret;

	ASSERT_NE(MAP_FAILED, run);
	/* movq %xmm5,%rax; inc %rax; movq %rax,%xmm5; syscall */
	guest_load(&self->g, 0x66, 0x48, 0x0f, 0x7e, 0xe8, 0x48, 0xff, 0xc0,
		   0x66, 0x48, 0x0f, 0x6e, 0xe8, X_SYSCALL);
	run->regs = self->r->regs;
	asm volatile("movq %[have], %%xmm5\n\t"
		     "xor %%esi, %%esi\n\t"
		     "syscall\n\t"
		     "movq %%xmm5, %[left]"
		     : "=a" (ret), [left] "=&r" (left)
		     : "a" (__NR_mmfd_run), "D" ((long)vcpu), [have] "r" (41UL)
		     : "rsi", "rcx", "r11", "memory", "xmm5", "cc");
	EXPECT_EQ(0, ret);
	EXPECT_EQ(MMFD_EXIT_SYSCALL, run->reason);
	EXPECT_EQ(42, run->regs.rax);
	EXPECT_EQ(42, left);
	EXPECT_EQ(-EOPNOTSUPP, xstate(vcpu, MMFD_XSTATE_GET, self->buf, XSTATE_MAX));
	EXPECT_EQ(-EOPNOTSUPP, xstate(vcpu, MMFD_XSTATE_SET, self->buf, XSTATE_MAX));
}

TEST_HARNESS_MAIN
