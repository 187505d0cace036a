// SPDX-License-Identifier: GPL-2.0
/*
 * A namespace's own wall clock while the host is suspended, and who waits on it.
 *
 * All is suspended but the processor itself, for five seconds (CONFIG_PM_SLEEP_DEBUG),
 * devices too: the console of a virtual machine may be silent afterwards.
 */
#define _GNU_SOURCE
#include <stdlib.h>

#include "realtime_ways.h"

FIXTURE(suspend)
{
	int host;
	int inside;
};

FIXTURE_SETUP(suspend)
{
	const char *why = two_clocks(&self->host, &self->inside);

	if (why)
		SKIP(return, "%s", why);
	ASSERT_TRUE(ways_init());
}

FIXTURE_TEARDOWN(suspend)
{
	close(self->inside);
	close(self->host);
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), err;

	if (fd < 0)
		return -errno;
	err = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return err;
}

/* The clock counts CLOCK_MONOTONIC, which stands still meanwhile */
TEST_F_TIMEOUT(suspend, moves_neither_clock_nor_waiters, 120)
{
	long long slept, dist, left, t;

	/* All but the processor's own sleep, for five seconds; not if an alarm is due in two */
	if (write_file("/sys/power/pm_test", "core"))
		SKIP(return, "needs CONFIG_PM_SLEEP_DEBUG");
	ENTER();
	arm_all(10 * NSEC);
	t = now(CLOCK_MONOTONIC);
	dist = now(CLOCK_REALTIME) - t;
	slept = now(CLOCK_BOOTTIME) - now(CLOCK_MONOTONIC);
	ASSERT_EQ(0, write_file("/sys/power/state", "mem"));
	slept = now(CLOCK_BOOTTIME) - now(CLOCK_MONOTONIC) - slept;
	EXPECT_LE(3 * NSEC, slept);
	EXPECT_GT(NSEC / 2, llabs(now(CLOCK_REALTIME) - now(CLOCK_MONOTONIC) - dist));
	left = 9 * NSEC - (now(CLOCK_MONOTONIC) - t);
	if (left > 0)
		ALL_WAIT();
	ALL_RETURN(t + 10 * NSEC + LATE);
	end_all();
	write_file("/sys/power/pm_test", "none");
}

TEST_HARNESS_MAIN
