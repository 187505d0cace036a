// SPDX-License-Identifier: GPL-2.0
/*
 * mmfd: areas, where pages of a memory are put one by one.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "mmfd_test.h"

#define PAGES	16UL
#define TABLE	(512 * PAGE)
#define AREA	0x40000000UL
#define AT(n)	(AREA + (n) * PAGE)

/* Error codes of page faults */
#define PF_PRESENT	1
#define PF_WRITE	2
#define PF_USER		4
#define PF_FETCH	16

#define READ		PROT_READ
#define WRITE		(PROT_READ | PROT_WRITE)

FIXTURE(areas)
{
	struct guest g;
	int memory;
	uint64_t *view;	/* the supervisor's, page n begins with 100 + n */
};

FIXTURE_SETUP(areas)
{
	unsigned long i;

	ASSERT_TRUE(guest_init(&self->g, 0))
		TH_LOG("no guest: %s", strerror(errno));
	self->memory = guest_memory(self->g.dev, PAGES * PAGE);
	ASSERT_LE(0, self->memory);
	self->view = mmap(NULL, PAGES * PAGE, WRITE, MAP_SHARED, self->memory, 0);
	ASSERT_NE(MAP_FAILED, self->view);
	for (i = 0; i < PAGES; i++)
		self->view[i * PAGE / 8] = 100 + i;
	ASSERT_EQ(0, guest_area(self->g.mm, AREA, 2 * TABLE, self->memory));
}

FIXTURE_TEARDOWN(areas)
{
	munmap(self->view, PAGES * PAGE);
	close(self->memory);
	guest_exit(&self->g);
}

static const uint8_t read_code[] = { 0x48, 0x8b, 0x07, X_SYSCALL };  /* mov (%rdi),%rax */
static const uint8_t write_code[] = { 0x48, 0x89, 0x07, X_SYSCALL }; /* mov %rax,(%rdi) */

/* The guest runs that, at an address. 0, or the error code of its page fault, or -1 */
static int access_page(struct guest *g, const uint8_t *code, uint64_t addr, uint64_t *value)
{
	memcpy(g->code, code, sizeof(read_code));
	memset(&g->run->regs, 0, sizeof(g->run->regs));
	g->run->regs.rip = GUEST_CODE;
	g->run->regs.rdi = addr;
	g->run->regs.rax = *value;
	do {
		if (mmfd_run(g->vcpu))
			return -1;
	} while (g->run->reason == MMFD_EXIT_INTERRUPTED);
	*value = g->run->regs.rax;
	if (g->run->reason == MMFD_EXIT_SYSCALL)
		return 0;
	if (g->run->reason != MMFD_EXIT_FAULT || g->run->addr != addr)
		return -1;
	return g->run->error_code;
}

static int peek(struct guest *g, uint64_t addr, uint64_t *value)
{
	*value = 0;
	return access_page(g, read_code, addr, value);
}

static int poke(struct guest *g, uint64_t addr, uint64_t value)
{
	return access_page(g, write_code, addr, &value);
}

#define EXPECT_PAGE(addr, n) do {					\
	uint64_t __value;						\
									\
	EXPECT_EQ(0, peek(&self->g, addr, &__value));			\
	EXPECT_EQ(100 + (n), __value);					\
} while (0)

#define EXPECT_NO_PAGE(addr) do {					\
	uint64_t __value;						\
									\
	EXPECT_EQ(PF_USER, peek(&self->g, addr, &__value));		\
} while (0)

TEST_F(areas, nothing_is_there_before)
{
	uint64_t value;

	EXPECT_NO_PAGE(AT(0));
	EXPECT_EQ(PF_USER | PF_WRITE, poke(&self->g, AT(1), 1));
	EXPECT_EQ(0, guest_remove(self->g.mm, AREA, 2 * TABLE));
	EXPECT_EQ(PF_USER, peek(&self->g, AREA + 2 * TABLE - 8, &value));
}

TEST_F(areas, pages_are_where_they_were_put)
{
	int mm = self->g.mm;
	unsigned long i;

	for (i = 0; i < PAGES; i++)
		ASSERT_EQ(0, guest_insert(mm, AT(PAGES - 1 - i), PAGE, READ, i * PAGE));
	for (i = 0; i < PAGES; i++)
		EXPECT_PAGE(AT(i), PAGES - 1 - i);
	EXPECT_NO_PAGE(AT(PAGES));

	/* All at once, over the end of a page table, and in two places */
	ASSERT_EQ(0, guest_insert(mm, AREA + TABLE - 3 * PAGE, PAGES * PAGE, READ, 0));
	for (i = 0; i < PAGES; i++)
		EXPECT_PAGE(AREA + TABLE + (i - 3) * PAGE, i);
	EXPECT_PAGE(AT(1), PAGES - 2);
}

TEST_F(areas, both_sides_have_the_same_page)
{
	uint64_t value;

	ASSERT_EQ(0, guest_insert(self->g.mm, AT(7), PAGE, WRITE, 3 * PAGE));
	EXPECT_EQ(0, poke(&self->g, AT(7) + 8, 77));
	EXPECT_EQ(77, self->view[3 * PAGE / 8 + 1]);
	self->view[3 * PAGE / 8 + 2] = 78;
	EXPECT_EQ(0, peek(&self->g, AT(7) + 16, &value));
	EXPECT_EQ(78, value);

	/* One that nobody has used before */
	close(self->memory);
	self->memory = guest_memory(self->g.dev, PAGE);
	ASSERT_EQ(0, guest_area(self->g.mm, AREA, TABLE, self->memory));
	ASSERT_EQ(0, guest_insert(self->g.mm, AT(7), PAGE, WRITE, 0));
	EXPECT_EQ(0, peek(&self->g, AT(7), &value));
	EXPECT_EQ(0, value);
}

TEST_F(areas, a_page_allows_what_it_was_put_there_with)
{
	int mm = self->g.mm;

	ASSERT_EQ(0, guest_insert(mm, AT(0), PAGE, READ, 0));
	EXPECT_PAGE(AT(0), 0);
	EXPECT_EQ(PF_USER | PF_WRITE | PF_PRESENT, poke(&self->g, AT(0), 1));
	EXPECT_EQ(100, self->view[0]);
	ASSERT_EQ(0, guest_insert(mm, AT(0), PAGE, WRITE, 0));
	EXPECT_EQ(0, poke(&self->g, AT(0), 1));
	EXPECT_EQ(1, self->view[0]);
	ASSERT_EQ(0, guest_insert(mm, AT(0), PAGE, READ, 0));
	EXPECT_EQ(PF_USER | PF_WRITE | PF_PRESENT, poke(&self->g, AT(0), 2));
	EXPECT_EQ(1, self->view[0]);
}

TEST_F(areas, only_what_may_be_executed_is)
{
	struct guest *g = &self->g;

	memcpy(self->view, (uint8_t[]){ X_SYSCALL }, 2);
	ASSERT_EQ(0, guest_insert(g->mm, AT(0), PAGE, WRITE, 0));
	memset(&g->run->regs, 0, sizeof(g->run->regs));
	g->run->regs.rip = AT(0);
	ASSERT_EQ(0, mmfd_run(g->vcpu));
	EXPECT_EQ(MMFD_EXIT_FAULT, g->run->reason);
	EXPECT_EQ(PF_USER | PF_FETCH | PF_PRESENT, g->run->error_code);
	ASSERT_EQ(0, guest_insert(g->mm, AT(0), PAGE, READ | PROT_EXEC, 0));
	ASSERT_EQ(0, mmfd_run(g->vcpu));
	EXPECT_EQ(MMFD_EXIT_SYSCALL, g->run->reason);
	/* And back */
	ASSERT_EQ(0, guest_insert(g->mm, AT(0), PAGE, READ, 0));
	g->run->regs.rip = AT(0);
	ASSERT_EQ(0, mmfd_run(g->vcpu));
	EXPECT_EQ(MMFD_EXIT_FAULT, g->run->reason);
}

TEST_F(areas, another_page_replaces_one)
{
	ASSERT_EQ(0, guest_insert(self->g.mm, AT(2), PAGE, WRITE, 2 * PAGE));
	EXPECT_EQ(0, poke(&self->g, AT(2) + 8, 1));
	ASSERT_EQ(0, guest_insert(self->g.mm, AT(2), PAGE, WRITE, 5 * PAGE));
	EXPECT_PAGE(AT(2), 5);
	EXPECT_EQ(0, poke(&self->g, AT(2) + 8, 2));
	EXPECT_EQ(1, self->view[2 * PAGE / 8 + 1]);
	EXPECT_EQ(2, self->view[5 * PAGE / 8 + 1]);
}

TEST_F(areas, what_was_removed_is_gone)
{
	int mm = self->g.mm;

	ASSERT_EQ(0, guest_insert(mm, AT(0), 4 * PAGE, WRITE, 0));
	EXPECT_PAGE(AT(1), 1);
	ASSERT_EQ(0, guest_remove(mm, AT(1), 2 * PAGE));
	EXPECT_PAGE(AT(0), 0);
	EXPECT_NO_PAGE(AT(1));
	EXPECT_NO_PAGE(AT(2));
	EXPECT_PAGE(AT(3), 3);
	/* A new area is empty. */
	ASSERT_EQ(0, guest_area(mm, AT(3), PAGE, self->memory));
	EXPECT_NO_PAGE(AT(3));
	EXPECT_PAGE(AT(0), 0);
	ASSERT_EQ(0, guest_unmap(mm, AREA, TABLE));
	EXPECT_NO_PAGE(AT(0));
	EXPECT_EQ(-ENOENT, guest_insert(mm, AT(0), PAGE, READ, 0));
}

TEST_F(areas, other_mappings_are_none_of_its_business)
{
	int mm = self->g.mm;

	*(uint64_t *)self->g.data = 55;
	ASSERT_EQ(0, guest_map(mm, AT(1), PAGE, WRITE, self->g.mem, PAGE));
	ASSERT_EQ(0, guest_insert(mm, AT(0), PAGE, READ, 0));
	EXPECT_EQ(-ENOENT, guest_insert(mm, AT(0), 3 * PAGE, READ, 4 * PAGE));
	EXPECT_PAGE(AT(0), 4);
	EXPECT_NO_PAGE(AT(2));
	ASSERT_EQ(0, guest_remove(mm, AREA, TABLE));
	EXPECT_NO_PAGE(AT(0));
	EXPECT_PAGE(AT(1), 55 - 100);
	/* The memory is a file as well. */
	ASSERT_EQ(0, guest_map(mm, AT(1), PAGE, READ, self->memory, 6 * PAGE));
	EXPECT_PAGE(AT(1), 6);
	EXPECT_EQ(-ENOENT, guest_insert(mm, AT(1), PAGE, READ, 0));
	EXPECT_PAGE(AT(1), 6);
	EXPECT_EQ(-EACCES, guest_protect(mm, AT(2), PAGE, READ));
	EXPECT_EQ(-EACCES, guest_protect(mm, AT(2), PAGE, PROT_NONE | PROT_EXEC));
}

TEST_F(areas, mistakes_have_their_errors)
{
	int mm = self->g.mm;
	struct mmfd_op op = {
		.op = MMFD_OP_INSERT, .addr = AT(0), .len = PAGE, .prot = READ, .fd = -1,
	};
	struct mmfd_op bad;

	EXPECT_EQ(-ENXIO, guest_insert(mm, AT(0), PAGE, READ, PAGES * PAGE));
	EXPECT_EQ(-ENXIO, guest_insert(mm, AT(0), 2 * PAGE, READ, (PAGES - 1) * PAGE));
	EXPECT_EQ(-ENXIO, guest_insert(mm, AT(0), PAGE, READ, -PAGE));
	EXPECT_EQ(-ENXIO, guest_insert(mm, AT(0), 2 * PAGE, READ, -PAGE));
	EXPECT_EQ(-ENOENT, guest_insert(mm, GUEST_NONE, PAGE, READ, 0));
	EXPECT_EQ(-ENOENT, guest_insert(mm, GUEST_DATA, PAGE, READ, 0));
	EXPECT_EQ(-EACCES, guest_area(mm, AREA, TABLE, self->g.mem));
	EXPECT_EQ(-EACCES, guest_area(mm, AREA, TABLE, self->g.dev));
	EXPECT_EQ(-EACCES, guest_area(mm, AREA, TABLE, mm));
	EXPECT_EQ(-EBADF, guest_area(mm, AREA, TABLE, 1000));
	EXPECT_EQ(-EINVAL, guest_area(mm, AREA, TABLE, -1));
	EXPECT_EQ(-EINVAL, guest_area(mm, AREA + 1, TABLE, self->memory));
	EXPECT_EQ(-EINVAL, guest_insert(mm, AT(0), PAGE, 0, 0));
	EXPECT_EQ(-EINVAL, guest_insert(mm, AT(0), PAGE, PROT_WRITE, 0));
	EXPECT_EQ(-EINVAL, guest_insert(mm, AT(0), PAGE, PROT_EXEC, 0));
	EXPECT_EQ(-EINVAL, guest_insert(mm, AT(0), PAGE, READ, 1));
	EXPECT_EQ(-EINVAL, guest_insert(mm, AT(0), 0, READ, 0));
	EXPECT_EQ(-EINVAL, guest_insert(mm, -PAGE, PAGE, READ, 0));
	EXPECT_EQ(-EINVAL, guest_remove(mm, AT(0) + 1, PAGE));
	bad = op;
	bad.fd = self->memory;
	EXPECT_EQ(-EINVAL, guest_op(mm, &bad));
	bad = op;
	bad.flags = MMFD_MAP_SHARED;
	EXPECT_EQ(-EINVAL, guest_op(mm, &bad));
	bad = op;
	bad.op = MMFD_OP_REMOVE;
	EXPECT_EQ(-EINVAL, guest_op(mm, &bad));
	bad = op;
	bad.op = MMFD_OP_AREA;
	bad.fd = self->memory;
	EXPECT_EQ(-EINVAL, guest_op(mm, &bad));
	/* Nothing of it has done anything. */
	EXPECT_NO_PAGE(AT(0));
	EXPECT_EQ(0, guest_op(mm, &op));
	EXPECT_PAGE(AT(0), 0);
}

TEST_F(areas, the_memory_is_a_file_of_fixed_size)
{
	struct mmfd_memory_create create = { .size = PAGE };
	char path[40], text[256] = "";
	int fd, flags;

	EXPECT_EQ(-EINVAL, guest_memory(self->g.dev, 0));
	EXPECT_EQ(-EINVAL, guest_memory(self->g.dev, PAGE + 1));
	EXPECT_EQ(-EFBIG, guest_memory(self->g.dev, -PAGE));
	create.reserved[4] = 1;
	EXPECT_EQ(-1, ioctl(self->g.dev, MMFD_MEMORY_CREATE, &create));
	EXPECT_EQ(EINVAL, errno);
	create.reserved[4] = 0;
	create.flags = 2;
	EXPECT_EQ(-1, ioctl(self->g.dev, MMFD_MEMORY_CREATE, &create));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, ioctl(self->g.dev, MMFD_MEMORY_CREATE, NULL));
	EXPECT_EQ(EFAULT, errno);

	EXPECT_EQ(-1, ftruncate(self->memory, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, fallocate(self->memory, 0, 0, PAGE));
	EXPECT_EQ(-1, read(self->memory, text, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(self->memory, text, 1));
	EXPECT_EQ(EINVAL, errno);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->memory);
	EXPECT_EQ(-1, open(path, O_RDWR));
	flags = fcntl(self->memory, F_GETFD);
	EXPECT_EQ(FD_CLOEXEC, flags);

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", self->memory);
	fd = open(path, O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_LT(0, read(fd, text, sizeof(text) - 1));
	close(fd);
	EXPECT_NE(NULL, strstr(text, "mmfd-memory:\t64 kB\n"));
	EXPECT_NE(NULL, strstr(text, "mmfd-resident:\t64 kB\n"));
}

static sigjmp_buf back;

static void fault_here(int sig, siginfo_t *info, void *context)
{
	siglongjmp(back, sig == SIGSEGV ? 1 : sig);
}

/* 0 if home can read there, the signal otherwise: 1 for SIGSEGV */
static int can_read(const volatile uint64_t *addr)
{
	struct sigaction sa = { .sa_sigaction = fault_here, .sa_flags = SA_SIGINFO };
	int ret;

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	ret = sigsetjmp(back, 1);
	if (!ret)
		(void)*addr;
	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	return ret;
}

TEST_F(areas, behind_the_end_of_the_memory_is_nothing)
{
	uint64_t *far = mmap(NULL, 2 * PAGE, READ, MAP_SHARED, self->memory,
			     (PAGES - 1) * PAGE);

	ASSERT_NE(MAP_FAILED, far);
	EXPECT_EQ(0, can_read(far));
	EXPECT_EQ(SIGBUS, can_read(far + PAGE / 8));
	munmap(far, 2 * PAGE);
}

/* An area of home: what a task that has switched to an address space has. */
struct own {
	int mm;
	uint64_t *at;
};

static void own_area(struct __test_metadata *_metadata, FIXTURE_DATA(areas) *self,
		     struct own *own)
{
	struct mmfd_create create = { .flags = MMFD_CREATE_SELF };

	own->at = mmap(NULL, TABLE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, own->at);
	own->mm = ioctl(self->g.dev, MMFD_CREATE, &create);
	ASSERT_LE(0, own->mm);
	ASSERT_EQ(0, guest_area(own->mm, (uintptr_t)own->at, TABLE, self->memory));
	ASSERT_EQ(0, guest_insert(own->mm, (uintptr_t)own->at, PAGE, READ, 9 * PAGE));
	ASSERT_EQ(0, guest_insert(own->mm, (uintptr_t)own->at + PAGE, PAGE, WRITE, 8 * PAGE));
}

TEST_F(areas, system_calls_find_its_pages)
{
	struct iovec local, remote;
	uint64_t value = 0;
	struct own own;
	int pipes[2];

	own_area(_metadata, self, &own);
	EXPECT_EQ(109, own.at[0]);
	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(8, write(pipes[1], own.at, 8));
	EXPECT_EQ(8, read(pipes[0], &own.at[PAGE / 8], 8));
	EXPECT_EQ(109, self->view[8 * PAGE / 8]);
	EXPECT_EQ(8, write(pipes[1], &value, 8));
	EXPECT_EQ(-1, read(pipes[0], own.at, 8));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, write(pipes[1], &own.at[2 * PAGE / 8], 8));
	EXPECT_EQ(EFAULT, errno);
	close(pipes[0]);
	close(pipes[1]);

	EXPECT_EQ(1, can_read(&own.at[2 * PAGE / 8]));
	/* Nobody can make it an ordinary mapping. */
	EXPECT_EQ(-1, mprotect(own.at, PAGE, READ));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-1, madvise(own.at, TABLE, MADV_POPULATE_READ));
	local = (struct iovec){ &value, 8 };
	remote = (struct iovec){ &own.at[2 * PAGE / 8], 8 };
	EXPECT_EQ(-1, process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
	EXPECT_EQ(0, guest_remove(own.mm, (uintptr_t)own.at, TABLE));
	EXPECT_EQ(1, can_read(own.at));
	munmap(own.at, TABLE);
	close(own.mm);
}

TEST_F(areas, a_copy_has_the_same_pages)
{
	struct own own;
	int status;
	pid_t pid;

	own_area(_metadata, self, &own);
	pid = fork();
	if (!pid) {
		if (own.at[0] != 109 || can_read(&own.at[2 * PAGE / 8]) != 1)
			_exit(1);
		own.at[PAGE / 8] = 42;
		/* Its own page tables */
		madvise(own.at, TABLE, MADV_DONTNEED);
		_exit(can_read(own.at) == 1 ? 0 : 2);
	}
	ASSERT_LT(0, pid);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, can_read(own.at));
	EXPECT_EQ(42, self->view[8 * PAGE / 8]);
	munmap(own.at, TABLE);
	close(own.mm);
}

TEST_F(areas, the_last_one_frees_the_memory)
{
	struct mmfd_query query = { .addr = AREA };
	uint64_t value;

	ASSERT_EQ(0, guest_insert(self->g.mm, AT(0), PAGE, READ, PAGE));
	close(self->memory);
	self->memory = -1;
	munmap(self->view, PAGES * PAGE);
	self->view = mmap(NULL, PAGES * PAGE, READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT_PAGE(AT(0), 1);
	ASSERT_EQ(0, guest_insert(self->g.mm, AT(1), PAGE, READ, 2 * PAGE));
	EXPECT_PAGE(AT(1), 2);
	ASSERT_EQ(0, ioctl(self->g.mm, MMFD_QUERY, &query));
	EXPECT_EQ(AREA, query.start);
	EXPECT_EQ(AREA + 2 * TABLE, query.end);
	EXPECT_EQ(0, query.prot);
	EXPECT_EQ(MMFD_QUERY_SHARED | MMFD_QUERY_FILE, query.flags);
	EXPECT_EQ(0, guest_unmap(self->g.mm, AREA, 2 * TABLE));
	EXPECT_EQ(PF_USER, peek(&self->g, AT(0), &value));
}

TEST_HARNESS_MAIN
