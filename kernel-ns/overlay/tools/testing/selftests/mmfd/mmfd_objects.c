// SPDX-License-Identifier: GPL-2.0
/*
 * mmfd: descriptors, address spaces and changes of them. Nothing runs here but to
 * see what is mapped.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "mmfd_test.h"

FIXTURE(objects)
{
	struct guest g;
};

FIXTURE_SETUP(objects)
{
	ASSERT_TRUE(guest_init(&self->g, 0))
		TH_LOG("no guest: %s", strerror(errno));
}

FIXTURE_TEARDOWN(objects)
{
	guest_exit(&self->g);
}

TEST_F(objects, abi_version_is_told)
{
	EXPECT_EQ(MMFD_ABI_VERSION, ioctl(self->g.dev, MMFD_ABI, 0));
	EXPECT_EQ(MMFD_ABI_VERSION, self->g.run->abi);
	EXPECT_EQ(sizeof(struct mmfd_run), self->g.run->size);
}

TEST_F(objects, device_is_for_root)
{
	struct stat st;

	ASSERT_EQ(0, stat("/dev/mmfd", &st));
	EXPECT_EQ(0600, st.st_mode & 0777);
}

#define EXPECT_ERRNO(err, call) do {					\
	errno = 0;							\
	EXPECT_EQ(-1, call);						\
	EXPECT_EQ(err, errno);						\
} while (0)

TEST_F(objects, bad_arguments_are_refused)
{
	struct mmfd_create create = { .flags = 1U << 31 };
	struct mmfd_vcpu_create vcpu = { .flags = 4 };
	struct mmfd_query query = { .reserved = { 1 } };

	EXPECT_ERRNO(EINVAL, ioctl(self->g.dev, MMFD_CREATE, &create));
	create = (struct mmfd_create){ .reserved = { 0, 0, 0, 0, 0, 0, 1 } };
	EXPECT_ERRNO(EINVAL, ioctl(self->g.dev, MMFD_CREATE, &create));
	EXPECT_ERRNO(EFAULT, ioctl(self->g.dev, MMFD_CREATE, NULL));
	EXPECT_ERRNO(EINVAL, ioctl(self->g.dev, MMFD_ABI, 1));
	EXPECT_ERRNO(EINVAL, ioctl(self->g.mm, MMFD_VCPU_CREATE, &vcpu));
	vcpu = (struct mmfd_vcpu_create){ .pass = 16 };
	EXPECT_ERRNO(EINVAL, ioctl(self->g.mm, MMFD_VCPU_CREATE, &vcpu));
	vcpu = (struct mmfd_vcpu_create){ .reserved = { 0, 0, 0, 0, 0, 1 } };
	EXPECT_ERRNO(EINVAL, ioctl(self->g.mm, MMFD_VCPU_CREATE, &vcpu));
	EXPECT_ERRNO(EINVAL, ioctl(self->g.mm, MMFD_QUERY, &query));
}

TEST_F(objects, calls_of_another_kind_of_descriptor_are_refused)
{
	struct mmfd_create create = { };
	struct mmfd_vcpu_create vcpu = { };
	struct mmfd_ops ops = { };

	EXPECT_ERRNO(ENOTTY, ioctl(self->g.mm, MMFD_CREATE, &create));
	EXPECT_ERRNO(ENOTTY, ioctl(self->g.dev, MMFD_VCPU_CREATE, &vcpu));
	EXPECT_ERRNO(ENOTTY, ioctl(self->g.vcpu, MMFD_OPS, &ops));
	EXPECT_ERRNO(ENOTTY, ioctl(self->g.mem, MMFD_OPS, &ops));
	EXPECT_EQ(-EINVAL, mmfd_run(self->g.mm));
	EXPECT_EQ(-EINVAL, mmfd_run(self->g.mem));
	EXPECT_EQ(-EBADF, mmfd_run(-1));
	EXPECT_ERRNO(EINVAL, syscall(__NR_mmfd_run, self->g.vcpu, 1));
}

TEST_F(objects, close_on_exec_is_as_asked_for)
{
	struct mmfd_create create = { .flags = MMFD_CREATE_CLOEXEC };
	struct mmfd_vcpu_create vcpu = { .flags = MMFD_VCPU_CLOEXEC };
	int fd;

	EXPECT_EQ(0, fcntl(self->g.mm, F_GETFD));
	EXPECT_EQ(0, fcntl(self->g.vcpu, F_GETFD));
	fd = ioctl(self->g.dev, MMFD_CREATE, &create);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	close(fd);
	fd = ioctl(self->g.mm, MMFD_VCPU_CREATE, &vcpu);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	close(fd);
}

TEST_F(objects, a_virtual_cpu_outlives_other_descriptors)
{
	guest_load(&self->g, X_SYSCALL);
	close(self->g.mm);
	close(self->g.dev);
	EXPECT_EQ(0, mmfd_run(self->g.vcpu));
	EXPECT_EQ(MMFD_EXIT_SYSCALL, self->g.run->reason);
	self->g.mm = dup(self->g.vcpu);
	self->g.dev = dup(self->g.vcpu);
	EXPECT_EQ(0, mmfd_run(self->g.mm));
}

TEST_F(objects, run_page_maps_as_one_shared_page_only)
{
	int fd = self->g.vcpu;

	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, PAGE));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_EXEC, MAP_SHARED, fd, 0));
	EXPECT_ERRNO(EACCES, mprotect(self->g.run, PAGE, PROT_READ | PROT_EXEC));
	EXPECT_EQ(-EACCES, guest_map(self->g.mm, GUEST_NONE, PAGE, PROT_READ, fd, 0));
}

TEST_F(objects, a_malformed_batch_does_nothing)
{
	const struct mmfd_op good = {
		.op = MMFD_OP_MAP, .flags = MMFD_MAP_PRIVATE | MMFD_MAP_ANONYMOUS,
		.addr = GUEST_NONE, .len = PAGE, .prot = PROT_READ, .fd = -1,
	};
	struct mmfd_op bad[] = {
		[0 ... 13] = good,
	};
	struct mmfd_query query = { .addr = GUEST_NONE };
	struct mmfd_op ops[3];
	unsigned int i;

	bad[0].op = 0;
	bad[1].op = 4;
	bad[2].flags = MMFD_MAP_ANONYMOUS;
	bad[3].flags |= MMFD_MAP_SHARED;
	bad[4].flags |= 1 << 4;
	bad[5].addr++;
	bad[6].len = 0;
	bad[7].len = PAGE + 1;
	bad[8].addr = -PAGE;
	bad[9].addr = 1UL << 63;
	bad[10].prot = 8;
	bad[11].fd = self->g.mem;
	bad[12].reserved = 1;
	bad[13].offset = PAGE;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ops[0] = good;
		ops[1] = bad[i];
		ops[2] = good;
		EXPECT_EQ(-EINVAL, guest_ops(self->g.mm, ops, 3))
			TH_LOG("element %u passed", i);
		EXPECT_EQ(-ECANCELED, ops[0].result);
		EXPECT_EQ(-EINVAL, ops[1].result);
		EXPECT_EQ(-ECANCELED, ops[2].result);
	}
	EXPECT_ERRNO(ENOENT, ioctl(self->g.mm, MMFD_QUERY, &query));
	EXPECT_EQ(-E2BIG, guest_ops(self->g.mm, ops, MMFD_OPS_MAX + 1));
	/* and it is not for another reason */
	ops[0] = good;
	EXPECT_EQ(1, guest_ops(self->g.mm, ops, 1));
}

TEST_F(objects, a_batch_stops_at_the_first_error)
{
	struct mmfd_op ops[4] = {
		[0 ... 3] = {
			.op = MMFD_OP_MAP, .len = PAGE, .prot = PROT_READ, .fd = -1,
			.flags = MMFD_MAP_PRIVATE | MMFD_MAP_ANONYMOUS,
		},
	};
	struct mmfd_ops batch = { .ops = (uintptr_t)ops, .nr = 4 };
	struct mmfd_query query = { .addr = GUEST_NONE };
	int i;

	for (i = 0; i < 4; i++)
		ops[i].addr = GUEST_NONE + 2 * i * PAGE;
	ops[2].addr = GUEST_DATA;
	ops[2].flags |= MMFD_MAP_NOREPLACE;
	EXPECT_ERRNO(EEXIST, ioctl(self->g.mm, MMFD_OPS, &batch));
	EXPECT_EQ(2, batch.done);
	EXPECT_EQ(0, ops[0].result);
	EXPECT_EQ(0, ops[1].result);
	EXPECT_EQ(-EEXIST, ops[2].result);
	EXPECT_EQ(-ECANCELED, ops[3].result);
	EXPECT_EQ(0, ioctl(self->g.mm, MMFD_QUERY, &query));
	EXPECT_EQ(GUEST_NONE, query.start);
	query.addr = GUEST_NONE + 2 * PAGE;
	EXPECT_EQ(0, ioctl(self->g.mm, MMFD_QUERY, &query));
	EXPECT_EQ(GUEST_NONE + 2 * PAGE, query.start);
	query.addr = query.end;
	EXPECT_ERRNO(ENOENT, ioctl(self->g.mm, MMFD_QUERY, &query));
}

TEST_F(objects, files_map_with_the_rights_of_the_descriptor)
{
	char path[] = "/tmp/mmfd.XXXXXX";
	int fd = mkstemp(path), ro, p[2];

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, PAGE));
	ro = open(path, O_RDONLY);
	unlink(path);
	EXPECT_EQ(0, guest_map(self->g.mm, GUEST_NONE, PAGE, PROT_READ | PROT_WRITE, fd, 0));
	EXPECT_EQ(0, guest_map(self->g.mm, GUEST_NONE, PAGE, PROT_READ, ro, 0));
	EXPECT_EQ(-EACCES, guest_map(self->g.mm, GUEST_NONE, PAGE, PROT_WRITE, ro, 0));
	EXPECT_EQ(-EACCES, guest_protect(self->g.mm, GUEST_NONE, PAGE, PROT_WRITE));
	ASSERT_EQ(0, pipe(p));
	EXPECT_EQ(-EACCES, guest_map(self->g.mm, GUEST_NONE, PAGE, PROT_READ, p[0], 0));
	EXPECT_EQ(-EACCES, guest_map(self->g.mm, GUEST_NONE, PAGE, PROT_READ, self->g.mm, 0));
	EXPECT_EQ(-EACCES, guest_map(self->g.mm, GUEST_NONE, PAGE, PROT_READ, self->g.vcpu, 0));
	EXPECT_EQ(-EACCES, guest_map(self->g.mm, GUEST_NONE, PAGE, PROT_READ, self->g.dev, 0));
	EXPECT_EQ(-EBADF, guest_map(self->g.mm, GUEST_NONE, PAGE, PROT_READ, 1000, 0));
}

TEST_F(objects, query_describes_what_is_mapped)
{
	struct mmfd_query query = { .addr = GUEST_CODE + 1 };
	struct stat st;

	ASSERT_EQ(0, fstat(self->g.mem, &st));
	ASSERT_EQ(0, ioctl(self->g.mm, MMFD_QUERY, &query));
	EXPECT_EQ(GUEST_CODE, query.start);
	EXPECT_EQ(GUEST_CODE + PAGE, query.end);
	EXPECT_EQ(MMFD_PROT_READ | MMFD_PROT_EXEC, query.prot);
	EXPECT_EQ(MMFD_QUERY_SHARED | MMFD_QUERY_FILE, query.flags);
	EXPECT_EQ(st.st_ino, query.inode);
	query.addr = query.end;
	ASSERT_EQ(0, ioctl(self->g.mm, MMFD_QUERY, &query));
	EXPECT_EQ(GUEST_DATA, query.start);
	EXPECT_EQ(PAGE, query.offset);
	ASSERT_EQ(0, guest_map(self->g.mm, GUEST_NONE, PAGE, PROT_READ | PROT_WRITE, -1, 0));
	ASSERT_EQ(0, guest_protect(self->g.mm, GUEST_NONE, PAGE, PROT_NONE));
	query.addr = GUEST_NONE;
	ASSERT_EQ(0, ioctl(self->g.mm, MMFD_QUERY, &query));
	EXPECT_EQ(0, query.prot);
	EXPECT_EQ(0, query.flags);
	EXPECT_EQ(0, query.inode);
	ASSERT_EQ(0, guest_unmap(self->g.mm, GUEST_NONE, PAGE));
	EXPECT_ERRNO(ENOENT, ioctl(self->g.mm, MMFD_QUERY, &query));
}

static long number_in_fdinfo(int fd, const char *key)
{
	char path[64], line[128];
	long value = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, key, strlen(key)))
			value = atol(line + strlen(key) + 1);
	}
	if (f)
		fclose(f);
	return value;
}

TEST_F(objects, fdinfo_tells_the_size)
{
	EXPECT_EQ(8, number_in_fdinfo(self->g.mm, "mmfd-size"));
	EXPECT_EQ(2, number_in_fdinfo(self->g.mm, "mmfd-maps"));
	EXPECT_EQ(0, number_in_fdinfo(self->g.mm, "mmfd-rss"));
	guest_load(&self->g, X_SYSCALL);
	ASSERT_EQ(0, mmfd_run(self->g.vcpu));
	EXPECT_EQ(4, number_in_fdinfo(self->g.mm, "mmfd-rss"));
	ASSERT_EQ(0, guest_map(self->g.mm, GUEST_NONE, 16 * PAGE, PROT_READ, -1, 0));
	EXPECT_EQ(72, number_in_fdinfo(self->g.mm, "mmfd-size"));
	EXPECT_EQ(3, number_in_fdinfo(self->g.mm, "mmfd-maps"));
}

TEST_F(objects, changes_from_outside_do_not_touch_the_caller)
{
	void *here = mmap((void *)0x50000000UL, PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	ASSERT_NE(MAP_FAILED, here);
	*(long *)here = 4711;
	ASSERT_EQ(0, guest_map(self->g.mm, 0x50000000UL, PAGE, PROT_READ, -1, 0));
	EXPECT_EQ(4711, *(volatile long *)here);
	*(volatile long *)here = 4712;
	ASSERT_EQ(0, guest_unmap(self->g.mm, 0x50000000UL, PAGE));
	EXPECT_EQ(4712, *(volatile long *)here);
}

TEST_F(objects, a_copy_has_the_callers_memory_as_it_was)
{
	struct mmfd_create create = { .flags = MMFD_CREATE_COPY };
	uint8_t *mem = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* mov (%rdi),%rax; movq $1,(%rdi); syscall */
	static const uint8_t code[] = {
		0x48, 0x8b, 0x07, 0x48, 0xc7, 0x07, 1, 0, 0, 0, X_SYSCALL,
	};
	struct mmfd_run *run;
	int mm, vcpu;

	memcpy(mem, code, sizeof(code));
	*(uint64_t *)(mem + 256) = 4711;
	mm = ioctl(self->g.dev, MMFD_CREATE, &create);
	ASSERT_LE(0, mm);
	*(uint64_t *)(mem + 256) = 4712;
	vcpu = guest_vcpu(mm, 0, &run);
	ASSERT_LE(0, vcpu);
	run->regs.rip = (uintptr_t)mem;
	run->regs.rdi = (uintptr_t)mem + 256;
	ASSERT_EQ(0, mmfd_run(vcpu));
	EXPECT_EQ(MMFD_EXIT_SYSCALL, run->reason);
	EXPECT_EQ(4711, run->regs.rax);
	EXPECT_EQ(4712, *(uint64_t *)(mem + 256));
}

TEST_F(objects, hundreds_of_address_spaces_come_and_go)
{
	struct mmfd_create create = { };
	int i, j, fds[64];

	for (i = 0; i < 8; i++) {
		for (j = 0; j < 64; j++) {
			fds[j] = ioctl(self->g.dev, MMFD_CREATE, &create);
			ASSERT_LE(0, fds[j]);
			ASSERT_EQ(0, guest_map(fds[j], GUEST_DATA, PAGE, PROT_READ,
					       self->g.mem, 0));
		}
		for (j = 0; j < 64; j++)
			close(fds[j]);
	}
}

TEST_HARNESS_MAIN
