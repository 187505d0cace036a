// SPDX-License-Identifier: GPL-2.0
/*
 * mmfd: who answers for the memory of address spaces.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "mmfd_test.h"

#define MIB		(1024UL * 1024)
#define GUEST_HEAP	0x40000000UL

/* Map @size bytes and have the guest write to each page; what it ended with */
static int guest_touch(struct guest *g, unsigned long size)
{
	int err = guest_map(g->mm, GUEST_HEAP, size, PROT_READ | PROT_WRITE, -1, 0);

	if (err)
		return err;
	/* mov %rax,(%rdi); add $4096,%rdi; dec %rcx; jnz back; syscall */
	guest_load(g, 0x48, 0x89, 0x07, 0x48, 0x81, 0xc7, 0, 0x10, 0, 0,
		   0x48, 0xff, 0xc9, 0x75, 0xf1, X_SYSCALL);
	g->run->regs.rdi = GUEST_HEAP;
	g->run->regs.rcx = size / PAGE;
	do {
		err = mmfd_run(g->vcpu);
	} while (!err && g->run->reason == MMFD_EXIT_INTERRUPTED);
	return err ?: (int)g->run->reason;
}

static long read_number(const char *path, const char *key)
{
	char line[256];
	long value = -1;
	FILE *f = fopen(path, "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, key, strlen(key)))
			value = atol(line + strlen(key));
	}
	if (f)
		fclose(f);
	return value;
}

static bool write_to(const char *dir, const char *name, const char *text)
{
	char path[128];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY);
	len = write(fd, text, strlen(text));
	close(fd);
	return len == (ssize_t)strlen(text);
}

TEST(the_oom_killer_sees_address_spaces_that_nobody_is_inside_of)
{
	long before, with, after;
	struct guest g;

	ASSERT_TRUE(guest_init(&g, 0));
	before = read_number("/proc/self/oom_score", "");
	ASSERT_EQ(MMFD_EXIT_SYSCALL, guest_touch(&g, 96 * MIB));
	with = read_number("/proc/self/oom_score", "");
	guest_exit(&g);
	after = read_number("/proc/self/oom_score", "");
	/* 96 MiB of at most 4 GiB, in two thirds of a thousandth */
	EXPECT_LT(before + 14, with);
	EXPECT_GT(before + 5, after);
}

FIXTURE(memory)
{
	char top[32];
	char group[64];
};

FIXTURE_SETUP(memory)
{
	strcpy(self->top, "/tmp/mmfd.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->top));
	ASSERT_EQ(0, mount("none", self->top, "cgroup2", 0, NULL));
	ASSERT_TRUE(write_to(self->top, "cgroup.subtree_control", "+memory"));
	snprintf(self->group, sizeof(self->group), "%s/mmfd-test", self->top);
	ASSERT_EQ(0, mkdir(self->group, 0700));
}

FIXTURE_TEARDOWN(memory)
{
	EXPECT_EQ(0, rmdir(self->group));
	umount(self->top);
	rmdir(self->top);
}

static long group_number(const char *group, const char *name, const char *key)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", group, name);
	return read_number(path, key);
}

/* The guest faults, its group is out of memory, and its supervisor is killed. */
TEST_F(memory, a_guest_is_held_to_the_limit_of_its_maker)
{
	int status;
	pid_t pid;

	ASSERT_TRUE(write_to(self->group, "memory.max", "16M"));
	pid = fork();
	if (!pid) {
		struct guest g;

		if (!write_to(self->group, "cgroup.procs", "0") || !guest_init(&g, 0))
			_exit(1);
		_exit(guest_touch(&g, 64 * MIB) == MMFD_EXIT_SYSCALL ? 2 : 3);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status)) TH_LOG("status %x", status);
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
	EXPECT_EQ(1, group_number(self->group, "memory.events", "oom_kill "));
}

/* The maker is in the group, and whoever runs the guest is not. */
TEST_F(memory, the_maker_is_charged_after_its_end_too)
{
	int pipe1[2], pipe2[2], status;
	struct guest g;
	char byte;
	pid_t pid;

	ASSERT_EQ(0, pipe(pipe1));
	ASSERT_EQ(0, pipe(pipe2));
	ASSERT_TRUE(guest_init(&g, 0));
	/* The device is opened before; the address space is what counts. */
	pid = fork();
	if (!pid) {
		struct mmfd_create create = { };

		if (!write_to(self->group, "cgroup.procs", "0"))
			_exit(1);
		g.mm = ioctl(g.dev, MMFD_CREATE, &create);
		if (g.mm < 0 || guest_map(g.mm, GUEST_CODE, PAGE, PROT_READ | PROT_EXEC,
					  g.mem, 0))
			_exit(2);
		g.vcpu = guest_vcpu(g.mm, 0, &g.run);
		/* Its child, outside, keeps the descriptors and runs the guest. */
		pid = fork();
		if (pid)
			_exit(pid < 0);
		if (!write_to(self->top, "cgroup.procs", "0") ||
		    read(pipe1[0], &byte, 1) != 1)
			_exit(3);
		g.run = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, g.vcpu, 0);
		byte = guest_touch(&g, 8 * MIB);
		write(pipe2[1], &byte, 1);
		read(pipe1[0], &byte, 1);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	ASSERT_EQ(1, write(pipe1[1], "x", 1));
	ASSERT_EQ(1, read(pipe2[0], &byte, 1));
	EXPECT_EQ(MMFD_EXIT_SYSCALL, byte);
	EXPECT_LT(8 * MIB - 1, (unsigned long)group_number(self->group, "memory.stat", "anon "));
	close(pipe2[1]);
	ASSERT_EQ(1, write(pipe1[1], "x", 1));
	/* until the child is gone, and its memory with it */
	EXPECT_EQ(0, read(pipe2[0], &byte, 1));
	guest_exit(&g);
}

TEST_HARNESS_MAIN
