// SPDX-License-Identifier: GPL-2.0
/*
 * mmfd: signal handlers that run at home, and go back to where they came from.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/rseq.h>

#include "mmfd_away.h"

#ifndef HWCAP2_FSGSBASE
#define HWCAP2_FSGSBASE	(1 << 1)
#endif

FIXTURE(signal)
{
	int unused;
};

FIXTURE_SETUP(signal)
{
	ASSERT_TRUE(away_init())
		TH_LOG("no guest: %s", strerror(errno));
}

FIXTURE_TEARDOWN(signal)
{
	EXPECT_EQ(0, sigaltmm(away.self, 0));
	close(away.self);
	guest_exit(&away.g);
}

TEST_F(signal, the_flag_is_known)
{
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} sa = { .flags = SA_IN_MM | 0x400 }, old;

	ASSERT_EQ(0, syscall(SYS_rt_sigaction, SIGWINCH, &sa, NULL, 8));
	ASSERT_EQ(0, syscall(SYS_rt_sigaction, SIGWINCH, NULL, &old, 8));
	EXPECT_EQ(SA_IN_MM, old.flags);
}

TEST_F(signal, a_fault_is_handled_at_home)
{
	struct away_shot *s;

	/* mov %rax, (%rdi) */
	away_load(0x48, 0x89, 0x07);
	away.regs[REG_RDI] = GUEST_NONE;
	away.regs[REG_R12] = 0x1234;
	s = away_run();
	EXPECT_EQ(SIGSEGV, s->sig);
	EXPECT_EQ(SEGV_MAPERR, s->info.si_code);
	EXPECT_EQ((void *)GUEST_NONE, s->info.si_addr);
	EXPECT_EQ(GUEST_CODE, s->regs[REG_RIP]);
	EXPECT_EQ(GUEST_NONE, s->regs[REG_CR2]);
	EXPECT_EQ(14, s->regs[REG_TRAPNO]);
	EXPECT_EQ(6, s->regs[REG_ERR]);
	EXPECT_EQ(0x1234, s->regs[REG_R12]);
	EXPECT_EQ(GUEST_DATA + PAGE, s->regs[REG_RSP]);
	EXPECT_EQ(UC_MM, s->flags & UC_MM);
	EXPECT_EQ(away.g.mm, s->mm.fd);
	EXPECT_EQ(__builtin_thread_pointer(), s->tp);
	EXPECT_LE((uintptr_t)away.stack, s->frame);
	EXPECT_GT((uintptr_t)away.stack + ALT_SIZE, s->frame);
	EXPECT_EQ(0, away.nr_home);
}

TEST_F(signal, at_home_it_is_an_ordinary_one)
{
	raise(SIGUSR2);
	EXPECT_EQ(1, away.nr_home);
	EXPECT_EQ(0, away.shot.sig);
}

static bool nest(ucontext_t *uc)
{
	raise(SIGUSR2);
	return false;
}

TEST_F(signal, at_home_handlers_nest)
{
	away_load(X_UD2);
	away.again = nest;
	EXPECT_EQ(SIGILL, away_run()->sig);
	EXPECT_EQ(1, away.nr_home);
}

static volatile int calls_left;

static bool answer(ucontext_t *uc)
{
	if (away.shot.sig != SIGSYS || !calls_left--)
		return false;
	uc->uc_mcontext.gregs[REG_RAX] = away.shot.info.si_syscall ^ 1;
	return true;
}

TEST_F(signal, system_calls_are_answered)
{
	struct away_shot *s;

	ASSERT_EQ(0, away_filter());
	/* syscall; jmp back */
	away_load(X_SYSCALL, X_BACK(2));
	away.regs[REG_RAX] = 100;
	away.again = answer;
	calls_left = 1001;
	s = away_run();
	EXPECT_EQ(SIGSYS, s->sig);
	EXPECT_EQ(101, s->info.si_syscall);
	EXPECT_EQ((void *)GUEST_CODE + 2, s->info.si_call_addr);
	EXPECT_EQ(AUDIT_X86_64, s->info.si_arch);
}

TEST_F(signal, a_timer_interrupts)
{
	away_load(X_SELF);
	/* Again and again, in case the first comes before. */
	ualarm(20000, 20000);
	EXPECT_EQ(SIGALRM, away_run()->sig);
	ualarm(0, 0);
	EXPECT_EQ(GUEST_CODE, away.shot.regs[REG_RIP]);
}

static struct {
	struct guest g;
	greg_t regs[NGREG];
	struct away_mm mm;
	volatile int turns, wrong;
} other;

/* Two guests by turns */
static bool take_turns(ucontext_t *uc)
{
	bool second = other.turns++ & 1;

	other.wrong += away.shot.mm.fd != (second ? other.g.mm : away.g.mm) ||
		       away.shot.sig != SIGTRAP;
	if (other.turns == 200)
		return false;
	memcpy(second ? other.regs : away.regs, uc->uc_mcontext.gregs,
	       sizeof(other.regs));
	away_goto(uc, second ? away.regs : other.regs, second ? &away.mm : &other.mm);
	return true;
}

TEST_F(signal, the_supervisor_says_where_it_returns_to)
{
	ASSERT_TRUE(guest_init(&other.g, 0));
	/* incq (%rdi); int3; jmp back */
	away_load(0x48, 0xff, 0x07, X_INT3, X_BACK(4));
	away.regs[REG_RDI] = GUEST_DATA;
	memcpy(other.g.code, away.g.code, PAGE);
	memcpy(other.regs, away.regs, sizeof(other.regs));
	other.mm.fd = other.g.mm;
	away.again = take_turns;
	EXPECT_EQ(SIGTRAP, away_run()->sig);
	EXPECT_EQ(200, other.turns);
	EXPECT_EQ(0, other.wrong);
	EXPECT_EQ(100, *(uint64_t *)away.g.data);
	EXPECT_EQ(100, *(uint64_t *)other.g.data);
	guest_exit(&other.g);
}

/* Home is a place to return to as well. */
static bool go_home_by_descriptor(ucontext_t *uc)
{
	struct away_mm mm = {
		.fd = away.self, .fs_base = (uintptr_t)__builtin_thread_pointer(),
	};

	away_goto_home(uc);
	away_set_mm(uc, &mm);
	return true;
}

TEST_F(signal, home_is_a_place_to_return_to)
{
	void *tp = __builtin_thread_pointer();

	away_load(X_UD2);
	away.again = go_home_by_descriptor;
	EXPECT_EQ(SIGILL, away_run()->sig);
	EXPECT_EQ(tp, __builtin_thread_pointer());
	raise(SIGUSR2);
	EXPECT_EQ(1, away.nr_home);
	EXPECT_EQ(SIGILL, away_run()->sig);
}

static bool once(ucontext_t *uc)
{
	return calls_left-- > 0;
}

/* Code that has its data in RDI: on after the first signal, to the second */
static struct away_shot *run_to_second(uint64_t fs_base, uint64_t gs_base)
{
	away.regs[REG_RDI] = GUEST_DATA;
	away.mm.fs_base = fs_base;
	away.mm.gs_base = gs_base;
	away.again = once;
	calls_left = 1;
	return away_run();
}

TEST_F(signal, each_side_has_its_bases)
{
	uint64_t *data = (uint64_t *)away.g.data;
	struct away_shot *s;

	if (!(getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE))
		SKIP(return, "no FSGSBASE");
	/*
	 * rdfsbase (%rdi) and gs; wrfsbase %rcx; wrgsbase %rdx; int3; rdfsbase and gs
	 * to 16(%rdi); ud2
	 */
	away_load(0xf3, 0x48, 0x0f, 0xae, 0xc0, 0x48, 0x89, 0x07,
		  0xf3, 0x48, 0x0f, 0xae, 0xc8, 0x48, 0x89, 0x47, 8,
		  0xf3, 0x48, 0x0f, 0xae, 0xd1, 0xf3, 0x48, 0x0f, 0xae, 0xda, X_INT3,
		  0xf3, 0x48, 0x0f, 0xae, 0xc0, 0x48, 0x89, 0x47, 16,
		  0xf3, 0x48, 0x0f, 0xae, 0xc8, 0x48, 0x89, 0x47, 24, X_UD2);
	away.regs[REG_RCX] = 0xffff800000001000;
	away.regs[REG_RDX] = 0x7000;
	s = run_to_second(0x123456, 0x654321);
	EXPECT_EQ(SIGILL, s->sig);
	EXPECT_EQ(0x123456, data[0]);
	EXPECT_EQ(0x654321, data[1]);
	EXPECT_EQ(0xffff800000001000, data[2]);
	EXPECT_EQ(0x7000, data[3]);
	EXPECT_EQ(0xffff800000001000, s->mm.fs_base);
	EXPECT_EQ(0x7000, s->mm.gs_base);
	EXPECT_EQ(__builtin_thread_pointer(), s->tp);
}

/* As the test before, on processors that do not let user code change them, too. */
TEST_F(signal, each_side_addresses_by_its_bases)
{
	uint64_t *data = (uint64_t *)away.g.data;
	struct away_shot *s;

	/*
	 * mov %fs:0, %rax; mov %gs:0, %rcx; mov %rax, (%rdi); mov %rcx, 8(%rdi); int3;
	 * the same to 16(%rdi); ud2
	 */
	away_load(0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0,
		  0x65, 0x48, 0x8b, 0x0c, 0x25, 0, 0, 0, 0,
		  0x48, 0x89, 0x07, 0x48, 0x89, 0x4f, 8, X_INT3,
		  0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0,
		  0x65, 0x48, 0x8b, 0x0c, 0x25, 0, 0, 0, 0,
		  0x48, 0x89, 0x47, 16, 0x48, 0x89, 0x4f, 24, X_UD2);
	data[8] = 0x1111;
	data[9] = 0x2222;
	s = run_to_second(GUEST_DATA + 8 * sizeof(*data), GUEST_DATA + 9 * sizeof(*data));
	EXPECT_EQ(SIGILL, s->sig);
	EXPECT_EQ(0x1111, data[0]);
	EXPECT_EQ(0x2222, data[1]);
	EXPECT_EQ(0x1111, data[2]);
	EXPECT_EQ(0x2222, data[3]);
	EXPECT_EQ(GUEST_DATA + 8 * sizeof(*data), s->mm.fs_base);
	EXPECT_EQ(GUEST_DATA + 9 * sizeof(*data), s->mm.gs_base);
	EXPECT_EQ(__builtin_thread_pointer(), s->tp);
}

TEST_F(signal, selectors_are_put_back)
{
	void *tp = __builtin_thread_pointer();
	struct away_shot *s;

	/* mov $0x2b, %eax; mov %eax, %ds and the others; ud2 */
	away_load(0xb8, 0x2b, 0, 0, 0, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xe0, 0x8e, 0xe8,
		  X_UD2);
	s = away_run();
	EXPECT_EQ(SIGILL, s->sig);
	EXPECT_EQ(0, s->selectors);
	EXPECT_EQ(tp, s->tp);
	EXPECT_EQ(tp, __builtin_thread_pointer());
}

TEST_F(signal, each_side_has_its_fpu)
{
	uint64_t *data = (uint64_t *)away.g.data, home;
	struct away_shot *s;

	/* movq %rax, %xmm5; ldmxcsr (%rdi); int3; movq %xmm5, (%rdi); stmxcsr 8(%rdi) */
	away_load(0x66, 0x48, 0x0f, 0x6e, 0xe8, 0x0f, 0xae, 0x17, X_INT3,
		  0x66, 0x48, 0x0f, 0x7e, 0x2f, 0x0f, 0xae, 0x5f, 8, X_UD2);
	away.regs[REG_RDI] = GUEST_DATA;
	away.regs[REG_RAX] = 0x5555;
	data[0] = 0x3f80;
	away.again = once;
	calls_left = 1;
	asm volatile("movq %0, %%xmm5" : : "r" (0x7777UL) : "xmm5");
	s = away_run();
	asm volatile("movq %%xmm5, %0" : "=r" (home));
	EXPECT_EQ(SIGILL, s->sig);
	EXPECT_EQ(0x1f80, s->mxcsr);
	EXPECT_EQ(0x5555, data[0]);
	EXPECT_EQ(0x3f80, data[1] & 0xffff);
	EXPECT_EQ(0x7777, home);
}

static volatile int wrong_fd;

static bool go_on_until_enough(ucontext_t *uc)
{
	wrong_fd += away.shot.mm.fd != away.g.mm || away.shot.sig != SIGALRM;
	return --calls_left > 0;
}

TEST_F(signal, a_storm_of_them_is_handled)
{
	struct itimerval it = {
		.it_interval = { .tv_usec = 3000 }, .it_value = { .tv_usec = 3000 },
	}, off = { };
	int i, total = 0;

	/* incq (%rdi); jmp back */
	away_load(0x48, 0xff, 0x07, X_BACK(3));
	away.regs[REG_RDI] = GUEST_DATA;
	away.again = go_on_until_enough;
	setitimer(ITIMER_REAL, &it, NULL);
	for (i = 0; i < 50; i++) {
		calls_left = 10;
		EXPECT_EQ(SIGALRM, away_run()->sig);
		total += 10 - calls_left;
	}
	setitimer(ITIMER_REAL, &off, NULL);
	EXPECT_EQ(500, total);
	EXPECT_EQ(0, wrong_fd);
	EXPECT_LT(0, *(uint64_t *)away.g.data);
}

static bool stay(ucontext_t *uc)
{
	return true;
}

/* Moves by MMFD_SWITCH have their handlers at home, too. */
TEST_F(signal, it_is_where_the_supervisor_has_moved_from)
{
	struct mmfd_create create = { .flags = MMFD_CREATE_COPY };
	volatile long *at_home = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int copy;

	*at_home = 1;
	copy = ioctl(away.g.dev, MMFD_CREATE, &create);
	ASSERT_LE(0, copy);
	*at_home = 2;
	away.again = stay;
	/* The stack in the copy is as old as that, so nothing may be looked at there. */
	asm volatile("lea -128(%%rsp), %%rsp\n"
		     "mov %[ioctl], %%eax; syscall\n"
		     "mov %[tgkill], %%eax; mov %[pid], %%edi; mov %[pid], %%esi\n"
		     "mov %[sig], %%edx; syscall\n"
		     "mov %[ioctl], %%eax; mov %[self], %%edi; mov %[cmd], %%esi\n"
		     "xor %%edx, %%edx; syscall\n"
		     "lea 128(%%rsp), %%rsp\n"
		     : : [ioctl] "i" (SYS_ioctl), [tgkill] "i" (SYS_tgkill),
			 [pid] "r" (getpid()), [self] "r" (away.self),
			 [sig] "i" (SIGUSR2), [cmd] "i" (MMFD_SWITCH),
			 "D" ((long)copy), "S" ((long)MMFD_SWITCH), "d" (0L)
		     : "rax", "rcx", "r11", "memory");
	EXPECT_EQ(2, *at_home);
	EXPECT_EQ(SIGUSR2, away.shot.sig);
	EXPECT_EQ(copy, away.shot.mm.fd);
	close(copy);
}

/* Nothing is written to the guest where home has its area. */
TEST_F(signal, rseq_stays_at_home)
{
	uintptr_t area = (uintptr_t)__builtin_thread_pointer() + __rseq_offset;
	volatile struct rseq *rs = (void *)area;
	uint64_t clean[PAGE / 8] = { };
	unsigned int cpu, i;
	uint8_t *view;
	int mem;

	if (!__rseq_size)
		SKIP(return, "the C library does not register rseq");
	area &= ~(PAGE - 1);
	mem = memfd_create("rseq", 0);
	ASSERT_EQ(0, ftruncate(mem, PAGE));
	view = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, mem, 0);
	ASSERT_EQ(0, guest_map(away.g.mm, area, PAGE, PROT_READ | PROT_WRITE, mem, 0));
	away_load(X_SELF);
	for (i = 0; i < 50; i++) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(i % sysconf(_SC_NPROCESSORS_ONLN), &set);
		ualarm(5000, 5000);
		EXPECT_EQ(SIGALRM, away_run()->sig);
		ualarm(0, 0);
		sched_setaffinity(0, sizeof(set), &set);
		syscall(SYS_getcpu, &cpu, NULL, NULL);
		EXPECT_EQ(cpu, rs->cpu_id);
	}
	EXPECT_EQ(0, memcmp(clean, view, PAGE));
}

static pid_t away_child(void)
{
	pid_t pid = fork();

	if (!pid) {
		int self = away_self();

		away.again = stay;
		if (self < 0 || sigaltmm(self, 1))
			_exit(1);
		away_run();
		_exit(2);
	}
	return pid;
}

static void wait_for_counter(void)
{
	volatile uint64_t *counter = (uint64_t *)(away.g.data + 128);

	while (*counter < 1000)
		sched_yield();
}

static void load_counter(void)
{
	/* incq (%rdi); jmp back */
	away_load(0x48, 0xff, 0x07, X_BACK(3));
	away.regs[REG_RDI] = GUEST_DATA + 128;
	*(uint64_t *)(away.g.data + 128) = 0;
}

TEST_F(signal, what_kills_kills_elsewhere_too)
{
	static const int signals[] = { SIGKILL, SIGTERM };
	unsigned int i;
	int status;
	pid_t pid;

	for (i = 0; i < 2; i++) {
		load_counter();
		pid = away_child();
		wait_for_counter();
		kill(pid, signals[i]);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(signals[i], status & 0x7f);
	}
}

/* What the supervisor holds is given up, although it is not at home. */
TEST_F(signal, robust_mutexes_are_given_up)
{
	pthread_mutex_t *mutex = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct timespec ts = { };
	pthread_mutexattr_t attr;
	int status;
	pid_t pid;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(mutex, &attr);
	load_counter();
	pid = fork();
	if (!pid) {
		int self = away_self();

		pthread_mutex_lock(mutex);
		away.again = stay;
		if (!sigaltmm(self, 1))
			away_run();
		_exit(1);
	}
	wait_for_counter();
	EXPECT_EQ(EBUSY, pthread_mutex_trylock(mutex));
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(SIGKILL, status & 0x7f);
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += 5;
	EXPECT_EQ(EOWNERDEAD, pthread_mutex_timedlock(mutex, &ts));
}

static int away_status(void)
{
	pid_t pid = away_child();
	int status = -1;

	waitpid(pid, &status, 0);
	return status;
}

TEST_F(signal, code_elsewhere_can_exit_and_exec)
{
	uint64_t *data = (uint64_t *)away.g.data;

	/* exit_group(44) */
	away_load(X_SYSCALL);
	away.regs[REG_RAX] = SYS_exit_group;
	away.regs[REG_RDI] = 44;
	EXPECT_EQ(44 << 8, away_status());

	away_load(X_SYSCALL);
	strcpy((char *)away.g.data + 64, "/bin/sh");
	strcpy((char *)away.g.data + 72, "-c");
	strcpy((char *)away.g.data + 80, "exit 45");
	data[0] = GUEST_DATA + 64;
	data[1] = GUEST_DATA + 72;
	data[2] = GUEST_DATA + 80;
	data[3] = 0;
	away.regs[REG_RAX] = SYS_execve;
	away.regs[REG_RDI] = GUEST_DATA + 64;
	away.regs[REG_RSI] = GUEST_DATA;
	EXPECT_EQ(45 << 8, away_status());
}

TEST_HARNESS_MAIN
