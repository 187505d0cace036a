// SPDX-License-Identifier: GPL-2.0
/*
 * mmfd: a task that moves from one address space to another.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/rseq.h>

#include "mmfd_home.h"

#define FIXED	0x7e0000000000UL	/* nothing is there */
/* Each home has its own. */
static volatile long mine;

/* What the test itself looks at: EXPECT_*() wants it for functions, too. */
static struct __test_metadata *test;
#define _metadata test

static void copies_keep_apart(void)
{
	int copy = space_make(MMFD_CREATE_COPY);

	EXPECT_LE(0, copy);
	mine = 2;
	EXPECT_EQ(0, space_switch(copy));
	EXPECT_EQ(1, mine);
	mine = 3;
	all->value[0]++;
	EXPECT_EQ(0, space_switch(all->self));
	EXPECT_EQ(2, mine);
	EXPECT_EQ(1, all->value[0]);
	EXPECT_EQ(0, space_switch(copy));
	EXPECT_EQ(3, mine);
	/* home already */
	EXPECT_EQ(0, space_switch(copy));
	EXPECT_EQ(0, space_switch(all->self));
	close(copy);
}

static void take_turns(void)
{
	int i, round;

	for (i = 0; i < SPACES; i++) {
		mine = 1000 * i;
		all->space[i] = space_make(MMFD_CREATE_COPY);
	}
	for (round = 0; round < 100; round++) {
		for (i = 0; i < SPACES; i++) {
			EXPECT_EQ(0, space_switch(all->space[i]));
			mine++;
		}
	}
	for (i = 0; i < SPACES; i++) {
		space_switch(all->space[i]);
		all->value[i] = mine;
	}
	EXPECT_EQ(0, space_switch(all->self));
	for (i = 0; i < SPACES; i++)
		EXPECT_EQ(1000 * i + 100, all->value[i]);
}

/*
 * Put numbers into registers, switch by @fd, and see what they are. SYSCALL itself
 * changes RAX, RCX and R11. Returns how many differ.
 */
static long switch_with_registers(long fd)
{
	long wrong, zero = 0;

	asm volatile("lea -128(%%rsp), %%rsp; push %%rbp; mov %%rsp, %%rbp\n"
		"mov $1, %%rbx; mov $2, %%r8; mov $3, %%r9; mov $4, %%r10\n"
		"mov $5, %%r12; mov $6, %%r13; mov $7, %%r14; mov $8, %%r15\n"
		"movq %%r12, %%xmm0; movq %%r15, %%xmm15\n"
		"mov %[nr], %%eax; syscall\n"
		"xor %%ecx, %%ecx; xor %%edx, %%edx\n"
		"test %%rax, %%rax; setne %%dl; add %%rdx, %%rcx\n"
		"cmp $1, %%rbx; setne %%dl; add %%rdx, %%rcx\n"
		"cmp $2, %%r8; setne %%dl; add %%rdx, %%rcx\n"
		"cmp $3, %%r9; setne %%dl; add %%rdx, %%rcx\n"
		"cmp $4, %%r10; setne %%dl; add %%rdx, %%rcx\n"
		"cmp $5, %%r12; setne %%dl; add %%rdx, %%rcx\n"
		"cmp $6, %%r13; setne %%dl; add %%rdx, %%rcx\n"
		"cmp $7, %%r14; setne %%dl; add %%rdx, %%rcx\n"
		"cmp $8, %%r15; setne %%dl; add %%rdx, %%rcx\n"
		"movq %%xmm0, %%rax; cmp $5, %%rax; setne %%dl; add %%rdx, %%rcx\n"
		"movq %%xmm15, %%rax; cmp $8, %%rax; setne %%dl; add %%rdx, %%rcx\n"
		"cmp %%rsp, %%rbp; setne %%dl; add %%rdx, %%rcx\n"
		"pop %%rbp; lea 128(%%rsp), %%rsp\n"
		: "=c" (wrong), "+D" (fd), "+d" (zero)
		: [nr] "i" (SYS_ioctl), "S" ((long)MMFD_SWITCH)
		: "rax", "rbx", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
		  "r15", "xmm0", "xmm15", "memory", "cc");
	return wrong;
}

static void registers_stay(void)
{
	int copy = space_make(MMFD_CREATE_COPY);
	void *tp = __builtin_thread_pointer();

	EXPECT_EQ(0, switch_with_registers(copy));
	EXPECT_EQ(tp, __builtin_thread_pointer());
	EXPECT_EQ(0, switch_with_registers(all->self));
	/* The count is not always 0. */
	EXPECT_NE(0, switch_with_registers(-1));
	close(copy);
}

/* While somebody can write to it by a mapping, it cannot be sealed. */
static bool is_mapped(int memfd)
{
	return fcntl(memfd, F_ADD_SEALS, F_SEAL_WRITE) == -1;
}

static void old_home_ends(void)
{
	int copy = space_make(MMFD_CREATE_COPY);
	char *page;

	/* The parent's is another one. */
	all->self = space_make(MMFD_CREATE_SELF);
	all->memfd = memfd_create("old", MFD_ALLOW_SEALING);
	EXPECT_EQ(0, ftruncate(all->memfd, PAGE));
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, all->memfd, 0);
	EXPECT_NE(MAP_FAILED, page);
	EXPECT_EQ(0, space_switch(copy));
	EXPECT_TRUE(is_mapped(all->memfd));
	EXPECT_EQ(0, space_switch(all->self));
	*page = 1;
	EXPECT_EQ(0, space_switch(copy));
	EXPECT_TRUE(is_mapped(all->memfd));
	close(all->self);
	EXPECT_FALSE(is_mapped(all->memfd));
	_exit(0);
}

/* The other way round: its descriptor is closed, and it is gone when it is left. */
static void home_without_descriptor(void)
{
	int copy = space_make(MMFD_CREATE_COPY);
	char *page;

	all->memfd = memfd_create("home", MFD_ALLOW_SEALING);
	EXPECT_EQ(0, ftruncate(all->memfd, PAGE));
	EXPECT_EQ(0, space_switch(copy));
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, all->memfd, 0);
	close(copy);
	*page = 1;
	mine = 7;
	EXPECT_EQ(7, mine);
	EXPECT_TRUE(is_mapped(all->memfd));
	EXPECT_EQ(0, space_switch(all->self));
	EXPECT_FALSE(is_mapped(all->memfd));
	close(all->memfd);
}

/* Of the home that is current, and its own */
static int forked(void *arg)
{
	all->value[0] = mine;
	mine = 4;
	return 0;
}

static void fork_copies(void)
{
	char *stack = map_shared(STACK_SIZE);
	int copy = space_make(MMFD_CREATE_COPY), status = -1;
	pid_t pid;

	mine = 2;
	EXPECT_EQ(0, space_switch(copy));
	mine = 3;
	pid = stack_fork(forked, stack);
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(3, all->value[0]);
	EXPECT_EQ(3, mine);
	EXPECT_EQ(0, space_switch(all->self));
	EXPECT_EQ(2, mine);
	close(copy);
}

static void end_by_exit(void)
{
	space_switch(space_make(MMFD_CREATE_COPY));
	_exit(42);
}

static void end_by_kill(void)
{
	space_switch(space_make(MMFD_CREATE_COPY));
	kill(getpid(), SIGKILL);
}

static void end_by_fault(void)
{
	space_switch(space_make(MMFD_CREATE_COPY));
	asm volatile("movb $1, 8" : : : "memory");
}

static void end_by_exec(void)
{
	space_switch(space_make(MMFD_CREATE_COPY));
	execl("/bin/sh", "sh", "-c", "exit 43", NULL);
}

static void count_signal(int sig)
{
	mine++;
}

static void signals_act_here(void)
{
	struct sigaction sa = { .sa_handler = count_signal };
	int copy = space_make(MMFD_CREATE_COPY);

	sigaction(SIGUSR1, &sa, NULL);
	EXPECT_EQ(0, space_switch(copy));
	raise(SIGUSR1);
	EXPECT_EQ(2, mine);
	EXPECT_EQ(0, space_switch(all->self));
	EXPECT_EQ(1, mine);
	close(copy);
}

static void move_when_told(void)
{
	int copy = space_make(MMFD_CREATE_COPY);

	next_step(1);
	wait_for_step(2);
	space_switch(copy);
	mmap((void *)FIXED, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
	     -1, 0);
	mine = 5;
	next_step(3);
	wait_for_step(4);
}

static bool maps_has(pid_t pid, const char *word)
{
	char path[64], line[512];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		found |= !!strstr(line, word);
	if (f)
		fclose(f);
	return found;
}

static long peek(pid_t pid, volatile long *addr)
{
	char path[64];
	long value = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDONLY);
	if (pread(fd, &value, sizeof(value), (uintptr_t)addr) < 0)
		value = -errno;
	close(fd);
	return value;
}

/* Made empty: a page of code and one of data, nothing else. */
static void empty_home(void)
{
	static const uint8_t code[] = {
		0x0f, 0x05,			/* syscall: go there */
		0x48, 0x89, 0x03,		/* mov %rax, (%rbx) */
		0xb8, SYS_mmap, 0, 0, 0,	/* mmap(0, 4096, 3, 0x22, -1, 0) */
		0x31, 0xff,			/* xor %edi, %edi */
		0xbe, 0, 0x10, 0, 0,		/* mov $4096, %esi */
		0xba, 3, 0, 0, 0,		/* mov $3, %edx */
		0x41, 0xba, 0x22, 0, 0, 0,	/* mov $0x22, %r10d */
		0x49, 0xc7, 0xc0, 0xff, 0xff, 0xff, 0xff, /* mov $-1, %r8 */
		0x45, 0x31, 0xc9,		/* xor %r9d, %r9d */
		0x0f, 0x05,			/* syscall */
		0x48, 0x89, 0x43, 0x08,		/* mov %rax, 8(%rbx) */
		0xc7, 0x00, 1, 0, 0, 0,		/* movl $1, (%rax) */
		0xb8, SYS_ioctl, 0, 0, 0,	/* ioctl(r12, r13, 0) */
		0x4c, 0x89, 0xe7,		/* mov %r12, %rdi */
		0x4c, 0x89, 0xee,		/* mov %r13, %rsi */
		0x31, 0xd2,			/* xor %edx, %edx */
		0x0f, 0x05,			/* syscall: come back */
		0xc3,
	};
	int space = space_make(0), mem = memfd_create("code", 0);
	long *data = (long *)(GUEST_CODE + PAGE);
	long ret = SYS_ioctl;

	all->self = space_make(MMFD_CREATE_SELF);
	/* Its area is not there. */
	if (__rseq_size)
		syscall(SYS_rseq, (char *)__builtin_thread_pointer() + __rseq_offset,
			32, 1, 0x53053053);
	EXPECT_EQ(0, ftruncate(mem, 2 * PAGE));
	EXPECT_EQ((void *)GUEST_CODE,
		  mmap((void *)GUEST_CODE, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
		       MAP_SHARED | MAP_FIXED, mem, 0));
	memcpy((void *)GUEST_CODE, code, sizeof(code));
	EXPECT_EQ(0, guest_map(space, GUEST_CODE, 2 * PAGE,
			       PROT_READ | PROT_WRITE | PROT_EXEC, mem, 0));
	data[0] = -1;
	data[1] = -1;
	asm volatile("lea -128(%%rsp), %%rsp; mov %[self], %%r12; mov %[cmd], %%r13\n"
		     "call *%[code]; lea 128(%%rsp), %%rsp"
		     : "+a" (ret)
		     : "D" ((long)space), "S" ((long)MMFD_SWITCH), "d" (0L), "b" (data),
		       [self] "r" ((long)all->self), [cmd] "i" (MMFD_SWITCH),
		       [code] "r" (GUEST_CODE)
		     : "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "memory");
	EXPECT_EQ(0, ret);
	EXPECT_EQ(0, data[0]);
	EXPECT_LT(0, data[1]);
	EXPECT_EQ(0, data[1] & (PAGE - 1));
	_exit(0);
}

/* The area of rseq is in a copy as well, and says what it said then. */
static void rseq_follows(void)
{
	volatile struct rseq *rs = (void *)((char *)__builtin_thread_pointer() +
					    __rseq_offset);
	int copy = space_make(MMFD_CREATE_COPY), i, space;
	unsigned int cpu, cpus = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	for (i = 0; i < 200; i++) {
		space = i & 1 ? all->self : copy;
		CPU_ZERO(&set);
		CPU_SET(i / 2 % cpus, &set);
		EXPECT_EQ(0, sched_setaffinity(0, sizeof(set), &set));
		EXPECT_EQ(0, space_switch(space));
		syscall(SYS_getcpu, &cpu, NULL, NULL);
		EXPECT_EQ(i / 2 % cpus, cpu);
		EXPECT_EQ(cpu, rs->cpu_id);
		EXPECT_EQ(cpu, rs->cpu_id_start);
	}
	close(copy);
}

static int move_and_count(void *arg)
{
	int i;

	for (i = 0; i < 1000; i++) {
		all->ret |= space_switch(all->space[i & 1]);
		__atomic_fetch_add(&mine, 1, __ATOMIC_RELAXED);
	}
	return 0;
}

static void two_in_one_home(void)
{
	char *stack = map_shared(STACK_SIZE);
	int status = -1;
	pid_t pid;

	all->space[0] = space_make(MMFD_CREATE_COPY);
	all->space[1] = space_make(MMFD_CREATE_COPY);
	pid = stack_fork(move_and_count, stack);
	EXPECT_LT(0, pid);
	move_and_count(NULL);
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, all->ret);
	space_switch(all->space[0]);
	EXPECT_EQ(1001, mine);
	space_switch(all->space[1]);
	EXPECT_EQ(1001, mine);
	EXPECT_EQ(0, space_switch(all->self));
	EXPECT_EQ(1, mine);
}

#undef _metadata

FIXTURE(home)
{
	int unused;
};

FIXTURE_SETUP(home)
{
	test = _metadata;
	prepare();
	mine = 1;
	ASSERT_LE(0, all->self)
		TH_LOG("%s", strerror(-all->self));
}

FIXTURE_TEARDOWN(home)
{
}

TEST_F(home, copies_keep_what_is_private_and_share_the_rest)
{
	stack_run(copies_keep_apart);
}

TEST_F(home, sixteen_address_spaces_take_turns)
{
	stack_run(take_turns);
}

TEST_F(home, registers_stay_as_they_are)
{
	stack_run(registers_stay);
}

TEST_F(home, the_old_one_lives_as_long_as_its_descriptor)
{
	int home = all->self;

	EXPECT_EQ(0, child_run(old_home_ends));
	all->self = home;
	stack_run(home_without_descriptor);
}

TEST_F(home, fork_copies_the_current_one_only)
{
	stack_run(fork_copies);
}

TEST_F(home, a_task_can_end_elsewhere)
{
	EXPECT_EQ(42 << 8, child_run(end_by_exit));
	EXPECT_EQ(43 << 8, child_run(end_by_exec));
	EXPECT_EQ(SIGKILL, child_run(end_by_kill));
	EXPECT_EQ(SIGSEGV, child_run(end_by_fault) & 0x7f);
	EXPECT_EQ(1, mine);
}

TEST_F(home, signals_act_on_the_new_one)
{
	stack_run(signals_act_here);
}

TEST_F(home, proc_shows_the_new_one)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		stack_run(move_when_told);
		_exit(0);
	}
	wait_for_step(1);
	EXPECT_FALSE(maps_has(pid, "7e0000000000-"));
	EXPECT_EQ(1, peek(pid, &mine));
	next_step(2);
	wait_for_step(3);
	EXPECT_TRUE(maps_has(pid, "7e0000000000-"));
	EXPECT_EQ(5, peek(pid, &mine));
	next_step(4);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
}

TEST_F(home, an_empty_one_can_be_filled_and_lived_in)
{
	EXPECT_EQ(0, child_run(empty_home));
}

TEST_F(home, rseq_is_brought_up_to_date)
{
	if (!__rseq_size)
		SKIP(return, "the C library does not register rseq");
	stack_run(rseq_follows);
}

TEST_F(home, two_processes_can_have_the_same)
{
	stack_run(two_in_one_home);
}

TEST_HARNESS_MAIN
