// SPDX-License-Identifier: GPL-2.0
/*
 * mmfd_run(): what comes back, with which registers; what passes; bad input.
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "mmfd_test.h"
#include "../vDSO/parse_vdso.h"

#define PASS_TIME	(MMFD_PASS_GETTIMEOFDAY | MMFD_PASS_CLOCK_GETTIME | MMFD_PASS_TIME)

FIXTURE(run)
{
	struct guest g;
	struct mmfd_run *r;
};

FIXTURE_SETUP(run)
{
	ASSERT_TRUE(guest_init(&self->g, PASS_TIME))
		TH_LOG("no guest: %s", strerror(errno));
	self->r = self->g.run;
}

FIXTURE_TEARDOWN(run)
{
	guest_exit(&self->g);
}

#define EXPECT_RUN(why) do {						\
	EXPECT_EQ(0, mmfd_run(self->g.vcpu));				\
	EXPECT_EQ(why, self->r->reason);				\
} while (0)

TEST_F(run, registers_come_back_as_they_went_in)
{
	struct mmfd_regs *regs = &self->r->regs;
	uint64_t *reg = (uint64_t *)regs;
	struct mmfd_regs before;
	unsigned int i;

	guest_load(&self->g, X_SYSCALL);
	for (i = 0; i < offsetof(struct mmfd_regs, orig_rax) / 8; i++)
		reg[i] = 0x1111111100000000UL * (i + 1) + i;
	regs->rax = 1000;
	regs->eflags = 0xcd5;
	regs->fs_base = 0x7ffff0000000UL;
	regs->gs_base = 0x100000000UL;
	before = *regs;
	EXPECT_RUN(MMFD_EXIT_SYSCALL);
	before.orig_rax = 1000;
	before.rip += 2;
	before.rcx = before.rip;
	before.eflags |= 0x202;
	before.r11 = before.eflags;
	before.cs = 0x33;
	before.ss = 0x2b;
	for (i = 0; i < sizeof(before) / 8; i++)
		EXPECT_EQ(((uint64_t *)&before)[i], reg[i]) TH_LOG("register %u", i);
	EXPECT_EQ(1000, self->r->nr);
	EXPECT_EQ(AUDIT_X86_64, self->r->arch);
	EXPECT_EQ(regs->rdi, self->r->args[0]);
	EXPECT_EQ(regs->rsi, self->r->args[1]);
	EXPECT_EQ(regs->rdx, self->r->args[2]);
	EXPECT_EQ(regs->r10, self->r->args[3]);
	EXPECT_EQ(regs->r8, self->r->args[4]);
	EXPECT_EQ(regs->r9, self->r->args[5]);
}

TEST_F(run, a_guest_goes_on_where_it_trapped)
{
	int i;

	/* syscall; inc %rbx; jmp back */
	guest_load(&self->g, X_SYSCALL, 0x48, 0xff, 0xc3, X_BACK(5));
	for (i = 0; i < 1000; i++) {
		self->r->regs.rax = 1000 + i;
		EXPECT_RUN(MMFD_EXIT_SYSCALL);
		ASSERT_EQ(i, self->r->regs.rbx);
		ASSERT_EQ(1000 + i, self->r->nr);
	}
}

TEST_F(run, faults_tell_address_and_kind)
{
	/* mov (%rdi),%rax; mov %rax,(%rsi); jmp *%rdx */
	guest_load(&self->g, 0x48, 0x8b, 0x07, 0x48, 0x89, 0x06, 0xff, 0xe2);
	self->r->regs.rdi = GUEST_NONE;
	self->r->regs.rsi = GUEST_CODE + 16;
	self->r->regs.rdx = GUEST_DATA;
	EXPECT_RUN(MMFD_EXIT_FAULT);
	EXPECT_EQ(14, self->r->vector);
	EXPECT_EQ(GUEST_NONE, self->r->addr);
	EXPECT_EQ(4, self->r->error_code);
	EXPECT_EQ(SIGSEGV, self->r->signo);
	EXPECT_EQ(SEGV_MAPERR, self->r->code);
	EXPECT_EQ(GUEST_CODE, self->r->regs.rip);

	ASSERT_EQ(0, guest_map(self->g.mm, GUEST_NONE, PAGE, PROT_READ, -1, 0));
	EXPECT_RUN(MMFD_EXIT_FAULT);
	EXPECT_EQ(GUEST_CODE + 16, self->r->addr);
	EXPECT_EQ(6, self->r->error_code & 6);
	EXPECT_EQ(SEGV_ACCERR, self->r->code);
	EXPECT_EQ(GUEST_CODE + 3, self->r->regs.rip);

	ASSERT_EQ(0, guest_protect(self->g.mm, GUEST_CODE, PAGE,
				   PROT_READ | PROT_WRITE | PROT_EXEC));
	EXPECT_RUN(MMFD_EXIT_FAULT);
	EXPECT_EQ(GUEST_DATA, self->r->addr);
	EXPECT_EQ(GUEST_DATA, self->r->regs.rip);
	EXPECT_EQ(0x14, self->r->error_code & 0x16);
}

TEST_F(run, kernel_addresses_fault)
{
	/* mov (%rdi),%rax */
	guest_load(&self->g, 0x48, 0x8b, 0x07);
	self->r->regs.rdi = 0xffffffff81000000UL;
	EXPECT_RUN(MMFD_EXIT_FAULT);
	EXPECT_EQ(0xffffffff81000000UL, self->r->addr);
	self->r->regs.rdi = 0x1000000000000000UL;
	EXPECT_RUN(MMFD_EXIT_EXCEPTION);
	EXPECT_EQ(13, self->r->vector);
	/* jmp *%rdi */
	guest_load(&self->g, 0xff, 0xe7);
	self->r->regs.rdi = 0xffffffff81000000UL;
	EXPECT_RUN(MMFD_EXIT_FAULT);
	EXPECT_EQ(0xffffffff81000000UL, self->r->regs.rip);
}

TEST_F(run, exceptions_tell_their_vector)
{
	guest_load(&self->g, X_UD2);
	EXPECT_RUN(MMFD_EXIT_EXCEPTION);
	EXPECT_EQ(6, self->r->vector);
	EXPECT_EQ(SIGILL, self->r->signo);
	EXPECT_EQ(GUEST_CODE, self->r->regs.rip);
	guest_load(&self->g, X_INT3);
	EXPECT_RUN(MMFD_EXIT_EXCEPTION);
	EXPECT_EQ(3, self->r->vector);
	EXPECT_EQ(SIGTRAP, self->r->signo);
	guest_load(&self->g, 0xf4);		/* hlt */
	EXPECT_RUN(MMFD_EXIT_EXCEPTION);
	EXPECT_EQ(13, self->r->vector);
	guest_load(&self->g, 0x48, 0xf7, 0xf1);	/* div %rcx */
	EXPECT_RUN(MMFD_EXIT_EXCEPTION);
	EXPECT_EQ(0, self->r->vector);
	EXPECT_EQ(SIGFPE, self->r->signo);
	guest_load(&self->g, 0xcd, 0x21);	/* int $0x21 */
	EXPECT_RUN(MMFD_EXIT_EXCEPTION);
	EXPECT_EQ(13, self->r->vector);
}

TEST_F(run, single_steps_trap)
{
	guest_load(&self->g, 0x90, 0x90, X_SYSCALL);	/* nop; nop; syscall */
	self->r->regs.eflags = 0x100;
	EXPECT_RUN(MMFD_EXIT_EXCEPTION);
	EXPECT_EQ(1, self->r->vector);
	EXPECT_EQ(GUEST_CODE + 1, self->r->regs.rip);
	EXPECT_RUN(MMFD_EXIT_EXCEPTION);
	EXPECT_EQ(GUEST_CODE + 2, self->r->regs.rip);
	self->r->regs.eflags &= ~0x100;
	EXPECT_RUN(MMFD_EXIT_SYSCALL);
}

/* Blocked or ignored, it would kill at home. */
TEST_F(run, exceptions_leave_the_signals_of_home_alone)
{
	struct sigaction old, new = { .sa_handler = SIG_IGN };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	ASSERT_EQ(0, sigaction(SIGSEGV, &new, NULL));
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
	guest_load(&self->g, 0x48, 0x8b, 0x07);
	EXPECT_RUN(MMFD_EXIT_FAULT);
	ASSERT_EQ(0, sigaction(SIGSEGV, NULL, &old));
	EXPECT_EQ(SIG_IGN, old.sa_handler);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, NULL, &set));
	EXPECT_TRUE(sigismember(&set, SIGSEGV));
}

TEST_F(run, registers_that_user_code_cannot_have_are_refused)
{
	static const struct { unsigned int reg; uint64_t value; } bad[] = {
		{ offsetof(struct mmfd_regs, rip), 1UL << 63 },
		{ offsetof(struct mmfd_regs, rip), 0xfffffffffff000UL },
		{ offsetof(struct mmfd_regs, rip), 0xffffffff81000000UL },
		{ offsetof(struct mmfd_regs, cs), 0x10 },
		{ offsetof(struct mmfd_regs, cs), 0x30 },
		{ offsetof(struct mmfd_regs, cs), 0x10033 },
		{ offsetof(struct mmfd_regs, ss), 0x18 },
		{ offsetof(struct mmfd_regs, ss), 0x33 },
		{ offsetof(struct mmfd_regs, eflags), 1UL << 12 },	/* IOPL */
		{ offsetof(struct mmfd_regs, eflags), 1UL << 17 },	/* VM */
		{ offsetof(struct mmfd_regs, eflags), 1UL << 32 },
		{ offsetof(struct mmfd_regs, fs_base), 1UL << 62 },
		{ offsetof(struct mmfd_regs, gs_base), 1UL << 62 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		guest_load(&self->g, X_SYSCALL);
		*(uint64_t *)((char *)&self->r->regs + bad[i].reg) = bad[i].value;
		EXPECT_EQ(-EINVAL, mmfd_run(self->g.vcpu)) TH_LOG("value %u passed", i);
	}
	guest_load(&self->g, X_SYSCALL);
	self->r->reserved0[3] = 1;
	EXPECT_EQ(-EINVAL, mmfd_run(self->g.vcpu));
	self->r->reserved0[3] = 0;
	self->r->trap = 1 << 4;
	EXPECT_EQ(-EINVAL, mmfd_run(self->g.vcpu));
	self->r->trap = 0;
	EXPECT_RUN(MMFD_EXIT_SYSCALL);
}

TEST_F(run, stack_pointers_need_not_point_anywhere)
{
	guest_load(&self->g, X_SYSCALL);
	self->r->regs.rsp = 0xdead000000000001UL;
	EXPECT_RUN(MMFD_EXIT_SYSCALL);
	EXPECT_EQ(0xdead000000000001UL, self->r->regs.rsp);
}

TEST_F(run, immediate_exit_runs_nothing)
{
	guest_load(&self->g, X_SYSCALL);
	self->r->immediate_exit = 1;
	EXPECT_RUN(MMFD_EXIT_INTERRUPTED);
	EXPECT_EQ(GUEST_CODE, self->r->regs.rip);
	self->r->immediate_exit = 0;
	EXPECT_RUN(MMFD_EXIT_SYSCALL);
}

/* mov $nr,%eax; syscall; ud2 */
#define CALL(nr)	0xb8, (nr) & 0xff, (nr) >> 8, 0, 0, X_SYSCALL, X_UD2

#define EXPECT_PASSED() do {						\
	EXPECT_RUN(MMFD_EXIT_EXCEPTION);				\
	EXPECT_EQ(GUEST_CODE + 7, self->r->regs.rip);			\
} while (0)

TEST_F(run, time_calls_pass)
{
	struct timeval *tv = (void *)self->g.data;
	struct timespec *ts = (void *)self->g.data, now;

	guest_load(&self->g, CALL(SYS_gettimeofday));
	self->r->regs.rdi = GUEST_DATA;
	EXPECT_PASSED();
	EXPECT_EQ(0, self->r->regs.rax);
	/* which is a tick late */
	EXPECT_LE(tv->tv_sec, time(NULL) + 1);
	EXPECT_GT(tv->tv_sec + 10, time(NULL));

	guest_load(&self->g, CALL(SYS_clock_gettime));
	self->r->regs.rdi = CLOCK_MONOTONIC;
	self->r->regs.rsi = GUEST_DATA;
	EXPECT_PASSED();
	clock_gettime(CLOCK_MONOTONIC, &now);
	EXPECT_LE(ts->tv_sec, now.tv_sec);
	EXPECT_GT(ts->tv_sec + 10, now.tv_sec);

	guest_load(&self->g, CALL(SYS_time));
	EXPECT_PASSED();
	EXPECT_GT(self->r->regs.rax + 10, time(NULL));
}

/* Then the supervisor maps the page, and runs the call again. */
TEST_F(run, time_calls_that_fail_trap_as_at_entry)
{
	guest_load(&self->g, CALL(SYS_gettimeofday));
	self->r->regs.rdi = GUEST_NONE;
	EXPECT_RUN(MMFD_EXIT_SYSCALL);
	EXPECT_EQ(SYS_gettimeofday, self->r->nr);
	EXPECT_EQ(SYS_gettimeofday, self->r->regs.rax);
	EXPECT_EQ(GUEST_NONE, self->r->args[0]);
	EXPECT_EQ(GUEST_CODE + 7, self->r->regs.rip);
	ASSERT_EQ(0, guest_map(self->g.mm, GUEST_NONE, PAGE, PROT_READ | PROT_WRITE, -1, 0));
	self->r->regs.rip -= 2;
	EXPECT_PASSED();
	EXPECT_EQ(0, self->r->regs.rax);

	/* one that faults in the second page of two */
	guest_load(&self->g, CALL(SYS_gettimeofday));
	self->r->regs.rdi = GUEST_DATA + PAGE - 8;
	EXPECT_RUN(MMFD_EXIT_SYSCALL);
	/* and one that cannot be written */
	guest_load(&self->g, CALL(SYS_gettimeofday));
	self->r->regs.rdi = GUEST_CODE + 64;
	EXPECT_RUN(MMFD_EXIT_SYSCALL);
	guest_load(&self->g, CALL(SYS_time));
	self->r->regs.rdi = -1;
	EXPECT_RUN(MMFD_EXIT_SYSCALL);
}

TEST_F(run, calls_out_of_bounds_trap)
{
	static const uint64_t clocks[] = {
		2, 3, 4, 8, 9, 12, 16, -1, -6, (uint64_t)1 << 32,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(clocks); i++) {
		guest_load(&self->g, CALL(SYS_clock_gettime));
		self->r->regs.rdi = clocks[i];
		self->r->regs.rsi = GUEST_DATA;
		EXPECT_RUN(MMFD_EXIT_SYSCALL);
	}
	guest_load(&self->g, CALL(SYS_gettimeofday));
	self->r->regs.rsi = GUEST_DATA;
	EXPECT_RUN(MMFD_EXIT_SYSCALL);
	/* Bits that the number of a call ignores */
	guest_load(&self->g, X_SYSCALL);
	self->r->regs.rax = (1UL << 32) | SYS_time;
	EXPECT_RUN(MMFD_EXIT_SYSCALL);
	/* x32 and int $0x80 */
	guest_load(&self->g, X_SYSCALL);
	self->r->regs.rax = (1UL << 30) | SYS_time;
	EXPECT_RUN(MMFD_EXIT_SYSCALL);
	guest_load(&self->g, X_INT80);
	self->r->regs.rax = SYS_time;
	EXPECT_RUN(MMFD_EXIT_SYSCALL);
}

TEST_F(run, the_run_page_takes_back_what_may_pass)
{
	guest_load(&self->g, CALL(SYS_time));
	self->r->trap = MMFD_PASS_TIME;
	EXPECT_RUN(MMFD_EXIT_SYSCALL);
	guest_load(&self->g, CALL(SYS_gettimeofday));
	self->r->regs.rdi = GUEST_DATA;
	EXPECT_PASSED();
	self->r->trap = 0;
	guest_load(&self->g, CALL(SYS_time));
	EXPECT_PASSED();
	/* It does not give what was not asked for. */
	guest_load(&self->g, CALL(SYS_settimeofday));
	EXPECT_RUN(MMFD_EXIT_SYSCALL);
}

TEST_F(run, what_was_not_asked_for_traps)
{
	guest_load(&self->g, CALL(SYS_settimeofday));
	EXPECT_RUN(MMFD_EXIT_SYSCALL);
	munmap(self->g.run, PAGE);
	close(self->g.vcpu);
	self->g.vcpu = guest_vcpu(self->g.mm, 0, &self->g.run);
	self->r = self->g.run;
	guest_load(&self->g, CALL(SYS_time));
	EXPECT_RUN(MMFD_EXIT_SYSCALL);
}

/* settimeofday(bad tv_usec) is EINVAL for who may set, else EPERM, which traps. */
TEST_F(run, a_set_that_is_refused_traps)
{
	struct timeval *tv = (void *)self->g.data;
	pid_t pid;
	int status;

	munmap(self->g.run, PAGE);
	close(self->g.vcpu);
	self->g.vcpu = guest_vcpu(self->g.mm, MMFD_PASS_SETTIMEOFDAY, &self->g.run);
	self->r = self->g.run;
	guest_load(&self->g, CALL(SYS_settimeofday));
	self->r->regs.rdi = GUEST_DATA;
	tv->tv_usec = -1;
	EXPECT_PASSED();
	EXPECT_EQ(-EINVAL, self->r->regs.rax);
	tv->tv_usec = 0;
	tv->tv_sec = 1;
	pid = fork();
	if (!pid) {
		struct mmfd_run *r = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
					  MAP_SHARED, self->g.vcpu, 0);

		if (setresuid(65534, 65534, 65534))
			_exit(2);
		r->regs.rip = GUEST_CODE;
		if (mmfd_run(self->g.vcpu) || r->reason != MMFD_EXIT_SYSCALL)
			_exit(1);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_GT(time(NULL), 1000000);
}

/* A filter of the supervisor is for calls that the supervisor makes. */
TEST_F(run, nothing_passes_a_supervisor_with_a_filter)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog prog = { .len = 1, .filter = &allow };

	guest_load(&self->g, CALL(SYS_time));
	EXPECT_PASSED();
	ASSERT_EQ(0, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	ASSERT_EQ(0, syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog));
	guest_load(&self->g, CALL(SYS_time));
	EXPECT_RUN(MMFD_EXIT_SYSCALL);
}

static bool clock_is_tsc(void)
{
	char name[16] = "";
	int fd = open("/sys/devices/system/clocksource/clocksource0/current_clocksource",
		      O_RDONLY);

	if (read(fd, name, sizeof(name) - 1) <= 0)
		return false;
	close(fd);
	return !strncmp(name, "tsc", 3);
}

TEST_F(run, the_vdso_reads_the_clock_inside)
{
	struct mmfd_op op = {
		.op = MMFD_OP_VDSO, .addr = 0x100000, .len = PAGE, .fd = -1,
	};
	unsigned long here = getauxval(AT_SYSINFO_EHDR), call;
	struct timespec *ts = (void *)self->g.data, now;
	struct mmfd_run *r;
	int vcpu;

	vdso_init_from_sysinfo_ehdr(here);
	call = (unsigned long)vdso_sym("LINUX_2.6", "__vdso_clock_gettime");
	ASSERT_NE(0, call);
	EXPECT_EQ(-ENOSPC, guest_ops(self->g.mm, &op, 1));
	op.len = 64 * PAGE;
	ASSERT_EQ(0, guest_map(self->g.mm, 0x102000, PAGE, PROT_READ, -1, 0));
	EXPECT_EQ(-EEXIST, guest_ops(self->g.mm, &op, 1));
	ASSERT_EQ(0, guest_unmap(self->g.mm, 0x102000, PAGE));
	ASSERT_EQ(1, guest_ops(self->g.mm, &op, 1));

	/* Where the kernel has to be asked for the time, let it. */
	vcpu = guest_vcpu(self->g.mm, clock_is_tsc() ? 0 : PASS_TIME, &r);
	ASSERT_LE(0, vcpu);
	guest_load(&self->g, 0xff, 0xd0, X_UD2);	/* call *%rax */
	r->regs = self->r->regs;
	r->regs.rax = op.addr + op.offset + (call - here);
	r->regs.rdi = CLOCK_MONOTONIC;
	r->regs.rsi = GUEST_DATA;
	ASSERT_EQ(0, mmfd_run(vcpu));
	EXPECT_EQ(MMFD_EXIT_EXCEPTION, r->reason);
	EXPECT_EQ(GUEST_CODE + 2, r->regs.rip);
	EXPECT_EQ(0, r->regs.rax);
	clock_gettime(CLOCK_MONOTONIC, &now);
	EXPECT_LE(ts->tv_sec, now.tv_sec);
	EXPECT_GT(ts->tv_sec + 10, now.tv_sec);

	op.result = 0;
	op.offset = 0;
	op.addr = 0x200000;
	EXPECT_EQ(-EEXIST, guest_ops(self->g.mm, &op, 1));
}

TEST_HARNESS_MAIN
