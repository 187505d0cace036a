// SPDX-License-Identifier: GPL-2.0
/*
 * mmfd: a task whose memory user_events writes to stays in its address space.
 */
#define _GNU_SOURCE
#include <linux/user_events.h>

#include "mmfd_home.h"
#include "mmfd_tracefs.h"

#define EVENTS		TRACEFS "user_events_data"

FIXTURE(events)
{
	int fd;
};

FIXTURE_SETUP(events)
{
	if (!tracefs_has(EVENTS))
		SKIP(return, "no user_events");
	self->fd = open(EVENTS, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
	prepare();
	ASSERT_LE(0, all->self)
		TH_LOG("%s", strerror(-all->self));
}

FIXTURE_TEARDOWN(events)
{
	close(self->fd);
}

/* The kernel sets a bit there while somebody listens to the event. */
static int register_event(int fd, const uint32_t *enabled)
{
	struct user_reg reg = {
		.size = sizeof(reg),
		.enable_size = sizeof(*enabled),
		.enable_addr = (uintptr_t)enabled,
		.name_args = (uintptr_t)"mmfd_events",
	};

	return ioctl(fd, DIAG_IOCSREG, &reg) ? -errno : 0;
}

static int unregister_event(int fd, const uint32_t *enabled)
{
	struct user_unreg unreg = {
		.size = sizeof(unreg),
		.disable_addr = (uintptr_t)enabled,
	};

	return ioctl(fd, DIAG_IOCSUNREG, &unreg) ? -errno : 0;
}

static void there_and_back(void)
{
	int copy = space_make(MMFD_CREATE_COPY);

	all->ret = space_switch(copy);
	if (!all->ret)
		all->ret = space_switch(all->self);
	close(copy);
}

TEST_F(events, keep_a_task_at_home)
{
	static uint32_t enabled;

	/* The control: it is the event that keeps it. */
	stack_run(there_and_back);
	EXPECT_EQ(0, all->ret);
	ASSERT_EQ(0, register_event(self->fd, &enabled));
	stack_run(there_and_back);
	EXPECT_EQ(-EOPNOTSUPP, all->ret);
	EXPECT_EQ(0, unregister_event(self->fd, &enabled));
}

TEST_HARNESS_MAIN
