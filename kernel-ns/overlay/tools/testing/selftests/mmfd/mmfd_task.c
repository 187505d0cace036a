// SPDX-License-Identifier: GPL-2.0
/*
 * mmfd: a task with a guest, seen from outside, and what happens to it meanwhile.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/rseq.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>

#include "mmfd_test.h"

FIXTURE(task)
{
	struct guest g;
	struct mmfd_run *r;
};

FIXTURE_SETUP(task)
{
	ASSERT_TRUE(guest_init(&self->g, MMFD_PASS_TIME))
		TH_LOG("no guest: %s", strerror(errno));
	self->r = self->g.run;
}

FIXTURE_TEARDOWN(task)
{
	guest_exit(&self->g);
}

/* The guest counts here, so that others see that it is running. */
#define COUNTER(g)	(*(volatile uint64_t *)((g)->data + 128))

/* incq (%rdi); jmp back */
static void load_counter(struct guest *g)
{
	guest_load(g, 0x48, 0xff, 0x07, X_BACK(3));
	g->run->regs.rdi = GUEST_DATA + 128;
	COUNTER(g) = 0;
}

static void wait_counter(struct guest *g)
{
	uint64_t start = COUNTER(g);

	while (COUNTER(g) < start + 1000)
		sched_yield();
}

/* A child that runs the guest until it is killed */
static pid_t spin(struct guest *g)
{
	pid_t pid = fork();

	if (!pid) {
		g->run = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			      g->vcpu, 0);
		while (!mmfd_run(g->vcpu) && g->run->reason == MMFD_EXIT_INTERRUPTED)
			;
		_exit(1);
	}
	return pid;
}

TEST_F(task, a_second_entrant_is_refused)
{
	pid_t pid;
	int status;

	load_counter(&self->g);
	pid = spin(&self->g);
	wait_counter(&self->g);
	EXPECT_EQ(-EBUSY, mmfd_run(self->g.vcpu));
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	guest_load(&self->g, X_SYSCALL);
	EXPECT_EQ(0, mmfd_run(self->g.vcpu));
}

TEST_F(task, what_kills_kills_inside_too)
{
	static const int signals[] = { SIGKILL, SIGTERM, SIGSEGV, SIGABRT };
	unsigned int i;
	int status;
	pid_t pid;

	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		load_counter(&self->g);
		pid = spin(&self->g);
		wait_counter(&self->g);
		kill(pid, signals[i]);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
		EXPECT_EQ(signals[i], WTERMSIG(status));
	}
}

TEST_F(task, stop_and_continue_work_inside)
{
	uint64_t count;
	int status;
	pid_t pid;

	load_counter(&self->g);
	pid = spin(&self->g);
	wait_counter(&self->g);
	kill(pid, SIGSTOP);
	ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	EXPECT_TRUE(WIFSTOPPED(status));
	count = COUNTER(&self->g);
	usleep(20000);
	EXPECT_EQ(count, COUNTER(&self->g));
	kill(pid, SIGCONT);
	wait_counter(&self->g);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

static bool has_line(pid_t pid, const char *file, const char *word)
{
	char path[64], line[512];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		found |= !!strstr(line, word);
	if (f)
		fclose(f);
	return found;
}

TEST_F(task, proc_shows_home)
{
	char path[64], buf[64] = "", mem[8] = "";
	static char mark[8] = "at home";
	int i, fd, status;
	pid_t pid;

	load_counter(&self->g);
	pid = spin(&self->g);
	wait_counter(&self->g);
	for (i = 0; i < 100; i++) {
		EXPECT_TRUE(has_line(pid, "maps", "[stack]"));
		EXPECT_FALSE(has_line(pid, "maps", "00010000-00011000"));
		snprintf(path, sizeof(path), "/proc/%d/exe", pid);
		EXPECT_LT(0, readlink(path, buf, sizeof(buf)));
		snprintf(path, sizeof(path), "/proc/%d/mem", pid);
		fd = open(path, O_RDONLY);
		EXPECT_EQ(8, pread(fd, mem, 8, (uintptr_t)mark));
		close(fd);
		EXPECT_STREQ(mark, mem);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

/* A tracer sees one call that takes long, with the registers of home. */
TEST_F(task, a_tracer_sees_home)
{
	struct user_regs_struct regs;
	int i, entries = 0, exits = 0, status;
	pid_t pid;

	guest_load(&self->g, X_SYSCALL, X_BACK(2));
	pid = fork();
	if (!pid) {
		struct mmfd_run *r = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
					  MAP_SHARED, self->g.vcpu, 0);

		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		for (i = 0; i < 10; i++) {
			r->regs.rax = SYS_time;
			if (mmfd_run(self->g.vcpu) || r->reason != MMFD_EXIT_SYSCALL ||
			    r->nr != SYS_time)
				_exit(1);
		}
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	for (;;) {
		struct __ptrace_syscall_info info = { };

		ptrace(PTRACE_SYSCALL, pid, 0, 0);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		if (!WIFSTOPPED(status))
			break;
		if (WSTOPSIG(status) != (SIGTRAP | 0x80))
			continue;
		ptrace(PTRACE_GETREGS, pid, 0, &regs);
		ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info);
		EXPECT_NE(SYS_time, regs.orig_rax);
		EXPECT_NE(GUEST_CODE, regs.rip & ~0xfffUL);
		if (regs.orig_rax != __NR_mmfd_run)
			continue;
		entries += info.op == PTRACE_SYSCALL_INFO_ENTRY;
		exits += info.op == PTRACE_SYSCALL_INFO_EXIT;
		if (info.op == PTRACE_SYSCALL_INFO_EXIT)
			EXPECT_EQ(0, regs.rax);
	}
	EXPECT_EQ(0, status);
	EXPECT_EQ(10, entries);
	EXPECT_EQ(10, exits);
}

/* Entered from a call, left by an interrupt: still one entry and one exit. */
TEST_F(task, a_tracer_sees_the_end_of_an_interrupted_run)
{
	int status, exits = 0, entries = 0, alarms = 0;
	struct user_regs_struct regs;
	pid_t pid;

	guest_load(&self->g, X_SELF);
	pid = fork();
	if (!pid) {
		struct sigaction sa = { .sa_handler = (void (*)(int))abs };
		int err;

		ptrace(PTRACE_TRACEME, 0, 0, 0);
		sigaction(SIGALRM, &sa, NULL);
		raise(SIGSTOP);
		/* Again and again, in case the first comes before the call. */
		ualarm(20000, 200000);
		err = mmfd_run(self->g.vcpu);
		_exit(err);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	status = 0;
	for (;;) {
		struct __ptrace_syscall_info info = { };
		int sig = WSTOPSIG(status) == SIGALRM ? SIGALRM : 0;

		ptrace(PTRACE_SYSCALL, pid, 0, sig);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		if (!WIFSTOPPED(status))
			break;
		ptrace(PTRACE_GETREGS, pid, 0, &regs);
		EXPECT_NE(GUEST_CODE, regs.rip & ~0xfffUL);
		alarms += WSTOPSIG(status) == SIGALRM;
		if (WSTOPSIG(status) != (SIGTRAP | 0x80) ||
		    regs.orig_rax != __NR_mmfd_run)
			continue;
		ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info);
		entries += info.op == PTRACE_SYSCALL_INFO_ENTRY;
		exits += info.op == PTRACE_SYSCALL_INFO_EXIT;
	}
	EXPECT_EQ(0, status);
	EXPECT_LE(1, alarms);
	EXPECT_EQ(1, entries);
	EXPECT_EQ(1, exits);
}

struct thread {
	struct guest *g;
	int vcpu;
	int ret;
};

static void *run_thread(void *arg)
{
	struct thread *t = arg;

	do {
		t->ret = mmfd_run(t->vcpu);
	} while (!t->ret && t->g->run->reason == MMFD_EXIT_INTERRUPTED &&
		 !t->g->run->immediate_exit);
	return NULL;
}

static void nothing(int sig)
{
}

TEST_F(task, descriptors_may_be_closed_while_inside)
{
	struct sigaction sa = { .sa_handler = nothing };
	struct thread t = { .g = &self->g, .vcpu = self->g.vcpu };
	pthread_t thread;

	sigaction(SIGUSR1, &sa, NULL);
	load_counter(&self->g);
	ASSERT_EQ(0, pthread_create(&thread, NULL, run_thread, &t));
	wait_counter(&self->g);
	close(self->g.vcpu);
	close(self->g.mm);
	wait_counter(&self->g);
	self->r->immediate_exit = 1;
	pthread_kill(thread, SIGUSR1);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, t.ret);
	EXPECT_EQ(MMFD_EXIT_INTERRUPTED, self->r->reason);
	self->g.mm = dup(self->g.mem);
	self->g.vcpu = dup(self->g.mem);
}

/* By exit_group() and by exec() of another thread */
TEST_F(task, a_process_can_end_with_a_thread_inside)
{
	struct thread t = { .g = &self->g, .vcpu = self->g.vcpu };
	pthread_t thread;
	int i, status;
	pid_t pid;

	for (i = 0; i < 2; i++) {
		load_counter(&self->g);
		pid = fork();
		if (!pid) {
			self->g.run = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
					   MAP_SHARED, self->g.vcpu, 0);
			pthread_create(&thread, NULL, run_thread, &t);
			wait_counter(&self->g);
			if (i)
				execl("/bin/sh", "sh", "-c", "exit 42", NULL);
			_exit(42);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(42 << 8, status);
	}
}

TEST_F(task, a_child_is_not_inside)
{
	struct thread t = { .g = &self->g, .vcpu = self->g.vcpu };
	struct sigaction sa = { .sa_handler = nothing };
	pthread_t thread;
	int i, status;
	pid_t pid;

	sigaction(SIGUSR1, &sa, NULL);
	load_counter(&self->g);
	ASSERT_EQ(0, pthread_create(&thread, NULL, run_thread, &t));
	wait_counter(&self->g);
	for (i = 0; i < 20; i++) {
		pid = fork();
		if (!pid)
			_exit(getppid() == 1);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, status);
	}
	wait_counter(&self->g);
	self->r->immediate_exit = 1;
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, t.ret);
}

/* Two virtual CPUs of one address space, and changes of it meanwhile */
TEST_F(task, two_threads_share_an_address_space)
{
	struct guest two = self->g;
	struct thread t = { .g = &two };
	pthread_t thread;
	int i;

	two.vcpu = guest_vcpu(self->g.mm, 0, &two.run);
	t.vcpu = two.vcpu;
	ASSERT_LE(0, two.vcpu);
	/* lock incq (%rdi); syscall; jmp back */
	guest_load(&self->g, 0xf0, 0x48, 0xff, 0x07, X_SYSCALL, X_BACK(6));
	self->r->regs.rdi = GUEST_DATA + 128;
	two.run->regs = self->r->regs;
	for (i = 0; i < 200; i++) {
		ASSERT_EQ(0, pthread_create(&thread, NULL, run_thread, &t));
		ASSERT_EQ(0, mmfd_run(self->g.vcpu));
		ASSERT_EQ(0, guest_map(self->g.mm, GUEST_NONE, PAGE, PROT_READ, -1, 0));
		ASSERT_EQ(0, guest_unmap(self->g.mm, GUEST_NONE, PAGE));
		pthread_join(thread, NULL);
		ASSERT_EQ(0, t.ret);
		two.run->regs.rip = GUEST_CODE;
		self->r->regs.rip = GUEST_CODE;
	}
	EXPECT_EQ(400, COUNTER(&self->g));
}

static void move_to(pid_t pid, int nr)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(nr % sysconf(_SC_NPROCESSORS_ONLN), &set);
	sched_setaffinity(pid, sizeof(set), &set);
}

/*
 * The area that rseq has registered is in memory of home. The guest has a page at
 * that address, and while it moves from CPU to CPU, nothing may be written there.
 */
TEST_F(task, rseq_does_not_write_to_the_guest)
{
	uintptr_t area = (uintptr_t)__builtin_thread_pointer();
	uint64_t clean[PAGE / 8] = { };
	int i, status, mem, vcpu;
	struct mmfd_run *run;
	struct guest two;
	uint8_t *view;
	pid_t pid;

	if (!__rseq_size)
		SKIP(return, "the C library does not register rseq");
	area = (area + __rseq_offset) & ~(PAGE - 1);
	mem = memfd_create("rseq", 0);
	ASSERT_EQ(0, ftruncate(mem, PAGE));
	view = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, mem, 0);
	ASSERT_EQ(0, guest_map(self->g.mm, area, PAGE, PROT_READ | PROT_WRITE, mem, 0));
	vcpu = guest_vcpu(self->g.mm, 0, &run);
	ASSERT_LE(0, vcpu);
	/* Written to once, by mov %al,(%rdi): a page fault would lead home. */
	guest_load(&self->g, 0x88, 0x07, X_SYSCALL);
	self->r->regs.rdi = area;
	ASSERT_EQ(0, mmfd_run(self->g.vcpu));
	ASSERT_EQ(MMFD_EXIT_SYSCALL, self->r->reason);
	load_counter(&self->g);
	run->regs = self->r->regs;
	two = self->g;
	two.vcpu = vcpu;
	pid = spin(&two);
	for (i = 0; i < 50; i++) {
		/* The kernel writes the number of the CPU when that changes. */
		move_to(pid, i);
		wait_counter(&self->g);
		usleep(2000);
	}
	EXPECT_EQ(0, memcmp(clean, view, PAGE));
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

TEST_HARNESS_MAIN
