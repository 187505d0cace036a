// SPDX-License-Identifier: GPL-2.0
/*
 * mmfd: uprobes are set in the supervisor and not in its guests.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>

#include "mmfd_test.h"
#include "mmfd_tracefs.h"

FIXTURE(uprobes)
{
	struct guest g;
	char path[32];
	int fd;
};

static bool write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND);
	ssize_t len = write(fd, text, strlen(text));

	close(fd);
	return len == (ssize_t)strlen(text);
}

FIXTURE_SETUP(uprobes)
{
	static const uint8_t code[] = { 0x90, X_SYSCALL };

	if (!tracefs_has(TRACEFS "uprobe_events"))
		SKIP(return, "no uprobes");
	ASSERT_TRUE(guest_init(&self->g, 0))
		TH_LOG("no guest: %s", strerror(errno));
	strcpy(self->path, "/tmp/mmfd.XXXXXX");
	self->fd = mkstemp(self->path);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(sizeof(code), write(self->fd, code, sizeof(code)));
	ASSERT_EQ(0, ftruncate(self->fd, PAGE));
}

FIXTURE_TEARDOWN(uprobes)
{
	write_to(TRACEFS "events/mmfd/test/enable", "0");
	write_to(TRACEFS "uprobe_events", "-:mmfd/test\n");
	unlink(self->path);
	guest_exit(&self->g);
}

static bool probe(const char *path)
{
	char line[128];

	snprintf(line, sizeof(line), "p:mmfd/test %s:0x0\n", path);
	return write_to(TRACEFS "uprobe_events", line) &&
	       write_to(TRACEFS "events/mmfd/test/enable", "1");
}

static int map_code(struct guest *g, uint64_t addr, int fd)
{
	struct mmfd_op op = {
		.op = MMFD_OP_MAP, .flags = MMFD_MAP_PRIVATE, .addr = addr,
		.len = PAGE, .prot = PROT_READ | PROT_EXEC, .fd = fd,
	};

	return guest_ops(g->mm, &op, 1) == 1 ? 0 : op.result;
}

TEST_F(uprobes, guests_have_no_breakpoints_of_others)
{
	struct mmfd_create create = { .flags = MMFD_CREATE_COPY };
	const volatile uint8_t *here;
	struct guest *g = &self->g;
	int i;

	here = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, self->fd, 0);
	ASSERT_NE(MAP_FAILED, here);
	EXPECT_EQ(0x90, *here);
	ASSERT_EQ(0, map_code(g, GUEST_NONE, self->fd));
	ASSERT_TRUE(probe(self->path));
	/* The probe works, */
	EXPECT_EQ(0xcc, *here);
	/* but neither in what was mapped before nor in what is mapped now. */
	ASSERT_EQ(0, map_code(g, GUEST_NONE + PAGE, self->fd));
	for (i = 0; i < 2; i++) {
		g->run->regs.rip = GUEST_NONE + i * PAGE;
		ASSERT_EQ(0, mmfd_run(g->vcpu));
		EXPECT_EQ(MMFD_EXIT_SYSCALL, g->run->reason);
		EXPECT_EQ(GUEST_NONE + i * PAGE + 3, g->run->regs.rip);
	}
	/* A copy would have the breakpoint of this process. */
	EXPECT_EQ(-1, ioctl(g->dev, MMFD_CREATE, &create));
	EXPECT_EQ(EOPNOTSUPP, errno);
}

TEST_HARNESS_MAIN
