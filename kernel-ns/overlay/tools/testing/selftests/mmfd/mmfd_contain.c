// SPDX-License-Identifier: GPL-2.0
/*
 * mmfd: a guest reaches nothing of its supervisor: no system call by any entry, no
 * memory, no register. What is looked at is outside of the guest.
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "mmfd_test.h"

FIXTURE(contain)
{
	struct guest g;
	struct mmfd_run *r;
};

FIXTURE_SETUP(contain)
{
	ASSERT_TRUE(guest_init(&self->g, 0))
		TH_LOG("no guest: %s", strerror(errno));
	self->r = self->g.run;
}

FIXTURE_TEARDOWN(contain)
{
	guest_exit(&self->g);
}

/* The numbers of calls: 0 to 511, what is next to them, and x32's. */
static const int64_t odd_calls[] = {
	-1, -2, 512, 547, 548, 0x7fffffff, 0x80000000, 0x40000000, 0x400001ff,
	0x40000200, 0x40000224, 0xffffffff, 0x100000000,
};

static int64_t call_nr(unsigned int i)
{
	if (i < 512)
		return i;
	if (i < 1024)
		return (i - 512) | 0x40000000;
	i -= 1024;
	return i < ARRAY_SIZE(odd_calls) ? odd_calls[i] : -3;
}

#define NR_CALLS	(1024 + ARRAY_SIZE(odd_calls))

static bool sweep(struct __test_metadata *_metadata, struct guest *g, uint32_t arch)
{
	unsigned int i;

	for (i = 0; i < NR_CALLS; i++) {
		int64_t nr = call_nr(i);

		memset(&g->run->regs, 0, sizeof(g->run->regs));
		g->run->regs.rip = GUEST_CODE;
		g->run->regs.rsp = GUEST_DATA + 256;
		g->run->regs.rbp = GUEST_DATA + 256;
		g->run->regs.rax = nr;
		/* What exit_group(), kill() and the like would notice */
		g->run->regs.rdi = 99;
		g->run->regs.rbx = 99;
		EXPECT_EQ(0, mmfd_run(g->vcpu));
		EXPECT_EQ(MMFD_EXIT_SYSCALL, g->run->reason)
			TH_LOG("call %#lx did not trap", (long)nr);
		if (g->run->reason != MMFD_EXIT_SYSCALL)
			return false;
		EXPECT_EQ((int)nr, g->run->nr);
		EXPECT_EQ(arch, g->run->arch);
	}
	return true;
}

/* The oracle: this process is as it was, and so is its memory. */
TEST_F(contain, every_system_call_traps)
{
	pid_t pid = getpid();

	guest_load(&self->g, X_SYSCALL, X_UD2);
	EXPECT_TRUE(sweep(_metadata, &self->g, AUDIT_X86_64));
	guest_load(&self->g, X_INT80, X_UD2);
	EXPECT_TRUE(sweep(_metadata, &self->g, AUDIT_I386));
	EXPECT_EQ(pid, syscall(SYS_getpid));
}

/* Some processors have no SYSENTER in 64-bit mode: then it is not an entry. */
TEST_F(contain, sysenter_traps)
{
	guest_load(&self->g, X_SYSENTER, X_UD2);
	ASSERT_EQ(0, mmfd_run(self->g.vcpu));
	if (self->r->reason == MMFD_EXIT_EXCEPTION) {
		EXPECT_EQ(6, self->r->vector);
		return;
	}
	EXPECT_TRUE(sweep(_metadata, &self->g, AUDIT_I386));
	/* with a stack pointer that its convention cannot use */
	self->r->regs.rip = GUEST_CODE;
	self->r->regs.rbp = 0x12345678;
	ASSERT_EQ(0, mmfd_run(self->g.vcpu));
	EXPECT_EQ(MMFD_EXIT_SYSCALL, self->r->reason);
}

/* 32-bit code, by a far jump and by the selector at entry */
TEST_F(contain, code_in_compatibility_mode_traps)
{
	/* ljmp *(%rdi) */
	guest_load(&self->g, 0xff, 0x2f);
	self->r->regs.rdi = GUEST_DATA;
	*(uint32_t *)self->g.data = GUEST_CODE + 64;
	*(uint16_t *)(self->g.data + 4) = 0x23;
	memcpy(self->g.code + 64, (uint8_t[]){ X_INT80 }, 2);
	ASSERT_EQ(0, mmfd_run(self->g.vcpu));
	EXPECT_EQ(MMFD_EXIT_SYSCALL, self->r->reason);
	EXPECT_EQ(AUDIT_I386, self->r->arch);
	EXPECT_EQ(0x23, self->r->regs.cs);
	self->r->regs.rip = GUEST_CODE + 64;
	ASSERT_EQ(0, mmfd_run(self->g.vcpu));
	EXPECT_EQ(MMFD_EXIT_SYSCALL, self->r->reason);
	EXPECT_EQ(0x23, self->r->regs.cs);
}

TEST_F(contain, vsyscalls_trap)
{
	static const uint64_t addr[] = {
		0xffffffffff600000UL, 0xffffffffff600400UL, 0xffffffffff600800UL,
		0xffffffffff600c00UL, 0xffffffffff600001UL,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(addr); i++) {
		memset(self->g.data, 0, PAGE);
		/* push %rcx; jmp *%rbx */
		guest_load(&self->g, 0x51, 0xff, 0xe3);
		self->r->regs.rcx = GUEST_CODE + 64;
		self->r->regs.rbx = addr[i];
		self->r->regs.rdi = GUEST_DATA;
		ASSERT_EQ(0, mmfd_run(self->g.vcpu));
		EXPECT_EQ(MMFD_EXIT_FAULT, self->r->reason);
		EXPECT_EQ(addr[i], self->r->regs.rip);
		EXPECT_EQ(0, *(uint64_t *)self->g.data);
	}
	/* read it */
	guest_load(&self->g, 0x48, 0x8b, 0x07);
	self->r->regs.rdi = addr[0];
	ASSERT_EQ(0, mmfd_run(self->g.vcpu));
	EXPECT_EQ(MMFD_EXIT_FAULT, self->r->reason);
}

TEST_F(contain, memory_of_the_supervisor_is_not_there)
{
	static volatile uint64_t secret = 4711;
	uint64_t addr[] = {
		(uintptr_t)&secret, (uintptr_t)__builtin_frame_address(0),
		(uintptr_t)self->r, (uintptr_t)self->g.code,
		(uintptr_t)&mmfd_run, 0, 0x7ffff7ff0000UL,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(addr); i++) {
		guest_load(&self->g, 0x48, 0x8b, 0x07);
		self->r->regs.rdi = addr[i];
		ASSERT_EQ(0, mmfd_run(self->g.vcpu));
		EXPECT_EQ(MMFD_EXIT_FAULT, self->r->reason);
		EXPECT_EQ(addr[i], self->r->addr);
		EXPECT_EQ(0, self->r->regs.rax);
	}
}

struct fpu {
	uint8_t fx[512];
} __attribute__((aligned(16)));

/*
 * mov %edi,%ds; mov %edi,%es; mov %edi,%fs; mov %edi,%gs; pxor %xmm5,%xmm5;
 * ldmxcsr (%rsp); fldpi; std; syscall
 */
#define SPOIL	0x8e, 0xdf, 0x8e, 0xc7, 0x8e, 0xe7, 0x8e, 0xef,		\
		0x66, 0x0f, 0xef, 0xed, 0x0f, 0xae, 0x14, 0x24,			\
		0xd9, 0xeb, 0xfd, X_SYSCALL

/* One run with registers around it that the compiler knows nothing of */
static long run_with_marks(int fd, struct fpu *before, struct fpu *after)
{
	register long r12 asm("r12") = 0x1212;
	register long r13 asm("r13") = 0x1313;
	register long r14 asm("r14") = 0x1414;
	register long r15 asm("r15") = 0x1515;
	uint64_t mark = 0x5555aaaa5555aaaaUL;
	long ret = __NR_mmfd_run;

	asm volatile("movq %[mark], %%xmm5\n\t"
		     "fxsave64 %[before]\n\t"
		     "syscall\n\t"
		     "fxsave64 %[after]"
		     : "+a" (ret), "+r" (r12), "+r" (r13), "+r" (r14), "+r" (r15),
		       [before] "=m" (*before), [after] "=m" (*after)
		     : "D" (fd), "S" (0), [mark] "m" (mark)
		     : "rcx", "r11", "memory", "xmm5", "cc");
	if (r12 != 0x1212 || r13 != 0x1313 || r14 != 0x1414 || r15 != 0x1515)
		return -1000;
	return ret;
}

TEST_F(contain, registers_of_the_supervisor_stay)
{
	unsigned long fs = home_base(ARCH_GET_FS), gs = home_base(ARCH_GET_GS), flags;
	struct fpu before = { }, after = { };
	int i;

	for (i = 0; i < 100; i++) {
		guest_load(&self->g, SPOIL);
		self->r->regs.rdi = 0x2b;
		self->r->regs.rsp = GUEST_DATA;
		*(uint32_t *)self->g.data = 0x7f80;	/* MXCSR: round to zero */
		self->r->regs.fs_base = 0x1234567000UL;
		self->r->regs.gs_base = 0x7654321000UL;
		ASSERT_EQ(0, run_with_marks(self->g.vcpu, &before, &after));
		asm volatile("pushf; pop %0" : "=r" (flags));
		ASSERT_EQ(MMFD_EXIT_SYSCALL, self->r->reason);
		EXPECT_EQ(0, memcmp(&before, &after, 416));
		EXPECT_EQ(0, flags & 0x400);
		EXPECT_EQ(fs, home_base(ARCH_GET_FS));
		EXPECT_EQ(gs, home_base(ARCH_GET_GS));
		EXPECT_EQ(0, home_selectors());
		EXPECT_NE(0, self->r->regs.eflags & 0x400);
		sched_yield();
	}
}

/* movq %xmm5,%rax; stmxcsr (%rsp); syscall */
TEST_F(contain, registers_of_the_supervisor_are_not_seen)
{
	struct fpu before, after;

	guest_load(&self->g, 0x66, 0x48, 0x0f, 0x7e, 0xe8, 0x0f, 0xae, 0x1c, 0x24,
		   X_SYSCALL);
	self->r->regs.rsp = GUEST_DATA;
	asm volatile("" ::: "memory");
	ASSERT_EQ(0, run_with_marks(self->g.vcpu, &before, &after));
	ASSERT_EQ(MMFD_EXIT_SYSCALL, self->r->reason);
	EXPECT_EQ(0, self->r->regs.rax);
	EXPECT_EQ(0x1f80, *(uint32_t *)self->g.data);
}

TEST_F(contain, fpu_registers_of_a_guest_are_its_own)
{
	int i;

	/* movq %xmm5,%rax; inc %rax; movq %rax,%xmm5; syscall; jmp back */
	guest_load(&self->g, 0x66, 0x48, 0x0f, 0x7e, 0xe8, 0x48, 0xff, 0xc0,
		   0x66, 0x48, 0x0f, 0x6e, 0xe8, X_SYSCALL, X_BACK(15));
	for (i = 1; i < 100; i++) {
		asm volatile("pxor %%xmm5, %%xmm5" ::: "xmm5");
		ASSERT_EQ(0, mmfd_run(self->g.vcpu));
		ASSERT_EQ(i, self->r->regs.rax);
	}
}

static volatile int alarms;

static void on_alarm(int sig)
{
	alarms++;
}

TEST_F(contain, an_endless_loop_is_interrupted)
{
	/* Again and again, in case one comes right before the call. */
	struct itimerval it = {
		.it_value.tv_usec = 5000, .it_interval.tv_usec = 50000,
	};
	struct sigaction sa = { .sa_handler = on_alarm };
	int i;

	ASSERT_EQ(0, sigaction(SIGALRM, &sa, NULL));
	guest_load(&self->g, X_SELF);
	for (i = 1; i < 20; i++) {
		ASSERT_EQ(0, setitimer(ITIMER_REAL, &it, NULL));
		while (alarms < i) {
			ASSERT_EQ(0, mmfd_run(self->g.vcpu));
			ASSERT_EQ(MMFD_EXIT_INTERRUPTED, self->r->reason);
		}
		EXPECT_EQ(GUEST_CODE, self->r->regs.rip);
	}
}

/* A signal at every point of a crossing: none lost, no register wrong. */
TEST_F(contain, a_storm_of_signals_does_no_harm)
{
	struct itimerval it = {
		.it_value.tv_usec = 100, .it_interval.tv_usec = 100,
	};
	struct sigaction sa = { .sa_handler = on_alarm };
	time_t end = time(NULL) + 6;
	uint64_t n = 0;

	alarms = 0;
	ASSERT_EQ(0, sigaction(SIGALRM, &sa, NULL));
	/* inc %rbx; syscall; jmp back */
	guest_load(&self->g, 0x48, 0xff, 0xc3, X_SYSCALL, X_BACK(5));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &it, NULL));
	while (alarms < 2000 && time(NULL) < end) {
		ASSERT_EQ(0, mmfd_run(self->g.vcpu));
		if (self->r->reason == MMFD_EXIT_INTERRUPTED)
			continue;
		ASSERT_EQ(MMFD_EXIT_SYSCALL, self->r->reason);
		ASSERT_EQ(++n, self->r->regs.rbx);
	}
	memset(&it, 0, sizeof(it));
	setitimer(ITIMER_REAL, &it, NULL);
	EXPECT_LT(100, n);
	EXPECT_LT(100, alarms);
}

TEST_HARNESS_MAIN
