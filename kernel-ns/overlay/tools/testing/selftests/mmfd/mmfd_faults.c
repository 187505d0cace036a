// SPDX-License-Identifier: GPL-2.0
/*
 * mmfd: every allocation of its calls fails, one after the other. A call then
 * either does without, or fails with ENOMEM and has changed nothing.
 *
 * It takes CONFIG_FAILSLAB and CONFIG_FAIL_PAGE_ALLOC. For leaks look at kmemleak
 * afterwards.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/rseq.h>

#include "../fault_injection.h"
#include "mmfd_test.h"

FIXTURE(faults)
{
	struct guest g;
	int nth;		/* of fault_open() */
	unsigned int failed;	/* how often the call did */
};

/*
 * After a copy was tried, the first write to each page needs memory. The kernel's to
 * the area of rseq is fatal if it fails.
 */
static void leave_rseq(void)
{
	if (__rseq_size)
		syscall(SYS_rseq, (char *)__builtin_thread_pointer() + __rseq_offset,
			32, RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
}

FIXTURE_SETUP(faults)
{
	leave_rseq();
	self->nth = fault_open();
	if (self->nth < 0)
		SKIP(return, "no injection of faults");
	ASSERT_TRUE(guest_init(&self->g, 0))
		TH_LOG("no guest: %s", strerror(errno));
}

FIXTURE_TEARDOWN(faults)
{
	guest_exit(&self->g);
	close(self->nth);
}

/* One call; 0 or above if it is done, and then @undo is called with that */
typedef int (*call_fn)(struct guest *g);
typedef void (*undo_fn)(struct guest *g, int ret);

/* What is mapped, page by page: one mapping may have become two that are the same. */
static uint64_t mappings(int mm)
{
	struct mmfd_query query = { };
	uint64_t sum = 0, addr;

	while (!ioctl(mm, MMFD_QUERY, &query)) {
		for (addr = query.start; addr < query.end; addr += PAGE)
			sum = sum * 31 + addr + query.prot +
			      query.offset + (addr - query.start);
		query.addr = query.end;
	}
	return sum;
}

/* One call with the @n-th allocation failing. False if there are not so many. */
static bool fail_nth(struct __test_metadata *_metadata, FIXTURE_DATA(faults) *self,
		     call_fn call, undo_fn undo, unsigned int n)
{
	int ret, fds = fault_descriptors();
	uint64_t maps = mappings(self->g.mm);
	bool was;

	if (!fault_arm(self->nth, n))
		return false;
	ret = call(&self->g);
	was = fault_disarm(self->nth);
	if (ret < 0) {
		self->failed++;
		EXPECT_EQ(-ENOMEM, ret) TH_LOG("at allocation %u", n);
		EXPECT_EQ(fds, fault_descriptors()) TH_LOG("at allocation %u", n);
		EXPECT_EQ(maps, mappings(self->g.mm)) TH_LOG("at allocation %u", n);
		EXPECT_TRUE(was);
	} else {
		undo(&self->g, ret);
	}
	return was;
}

/* All of them. At least @least make the call fail, or something is amiss. */
static void fail_all(struct __test_metadata *_metadata, FIXTURE_DATA(faults) *self,
		     call_fn call, undo_fn undo, unsigned int least)
{
	unsigned int n = 1;

	while (fail_nth(_metadata, self, call, undo, n) && n < 5000)
		n++;
	EXPECT_LT(n, 5000);
	EXPECT_LE(least, self->failed);
	TH_LOG("%u allocations, %u of which the call failed for", n - 1, self->failed);
}

static void close_it(struct guest *g, int fd)
{
	close(fd);
}

static int create(struct guest *g)
{
	struct mmfd_create create = { };
	int fd = ioctl(g->dev, MMFD_CREATE, &create);

	return fd < 0 ? -errno : fd;
}

TEST_F(faults, an_empty_address_space)
{
	fail_all(_metadata, self, create, close_it, 4);
}

static int create_copy(struct guest *g)
{
	struct mmfd_create create = { .flags = MMFD_CREATE_COPY };
	int fd = ioctl(g->dev, MMFD_CREATE, &create);

	return fd < 0 ? -errno : fd;
}

TEST_F(faults, a_copy)
{
	fail_all(_metadata, self, create_copy, close_it, 20);
}

static int create_vcpu(struct guest *g)
{
	struct mmfd_vcpu_create create = { };
	int fd = ioctl(g->mm, MMFD_VCPU_CREATE, &create);

	return fd < 0 ? -errno : fd;
}

TEST_F(faults, a_virtual_cpu)
{
	fail_all(_metadata, self, create_vcpu, close_it, 4);
}

static int map_run_page(struct guest *g)
{
	void *page = mmap((void *)0x50000000, PAGE, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_FIXED_NOREPLACE, g->vcpu, 0);

	return page == MAP_FAILED ? -errno : 0;
}

static void unmap_run_page(struct guest *g, int ret)
{
	munmap((void *)0x50000000, PAGE);
}

TEST_F(faults, a_run_page)
{
	fail_all(_metadata, self, map_run_page, unmap_run_page, 1);
}

static int map_one(struct guest *g)
{
	return guest_map(g->mm, 0x12340000000, PAGE, PROT_READ, g->mem, 0);
}

static void unmap_one(struct guest *g, int ret)
{
	guest_unmap(g->mm, 0x12340000000, PAGE);
}

TEST_F(faults, a_mapping)
{
	fail_all(_metadata, self, map_one, unmap_one, 2);
}

/* A hole in a mapping splits it, and a change of a part does. */
#define SPLIT		0x23450000000UL

static int unmap_part(struct guest *g)
{
	return guest_unmap(g->mm, SPLIT + PAGE, PAGE);
}

static int protect_part(struct guest *g)
{
	return guest_protect(g->mm, SPLIT + PAGE, PAGE, PROT_NONE);
}

static void map_whole(struct guest *g, int ret)
{
	guest_map(g->mm, SPLIT, 3 * PAGE, PROT_READ, g->mem, 0);
}

TEST_F(faults, a_hole)
{
	map_whole(&self->g, 0);
	fail_all(_metadata, self, unmap_part, map_whole, 1);
}

TEST_F(faults, a_change_of_protection)
{
	map_whole(&self->g, 0);
	fail_all(_metadata, self, protect_part, map_whole, 1);
}

static int map_vdso(struct guest *g)
{
	struct mmfd_op op = {
		.op = MMFD_OP_VDSO, .addr = 0x100000, .len = 64 * PAGE, .fd = -1,
	};
	int ret = guest_ops(g->mm, &op, 1);

	return ret == 1 ? 0 : ret;
}

/* It is mapped once in an address space, so go on with another one. */
static void other_space(struct guest *g, int ret)
{
	close(g->mm);
	g->mm = create(g);
}

TEST_F(faults, the_vdso)
{
	other_space(&self->g, 0);
	fail_all(_metadata, self, map_vdso, other_space, 2);
}

/* A guest that touches memory for the first time. What fails there is tried again. */
static int run(struct guest *g)
{
	int err;

	/* mov (%rdi),%al; syscall */
	guest_load(g, 0x8a, 0x07, X_SYSCALL);
	g->run->regs.rdi = 0x34560000000;
	err = guest_map(g->mm, 0x34560000000, PAGE, PROT_READ | PROT_WRITE, -1, 0);
	if (err)
		return err;
	do {
		err = mmfd_run(g->vcpu);
	} while (!err && g->run->reason == MMFD_EXIT_INTERRUPTED);
	return err ?: g->run->reason == MMFD_EXIT_SYSCALL ? 0 : -EPROTO;
}

static void unmap_touched(struct guest *g, int ret)
{
	guest_unmap(g->mm, 0x34560000000, PAGE);
}

TEST_F(faults, a_run)
{
	fail_all(_metadata, self, run, unmap_touched, 1);
}

TEST_HARNESS_MAIN
