// SPDX-License-Identifier: GPL-2.0
/*
 * A time namespace's own wall clock: every allocation of the calls that make it, set
 * it or wait on it fails, one after the other. A call then either does without, or
 * fails with ENOMEM and has changed nothing.
 *
 * For what it takes see fault_injection.h; for leaks look at kmemleak afterwards.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#include "../kselftest_harness.h"
#include "../fault_injection.h"
#include "realtime.h"

#define DISTANCE	86400

FIXTURE(faults)
{
	int host;
	int inside;
	int nth;		/* of fault_open() */
	unsigned int failed;	/* how often the call did */
};

FIXTURE_SETUP(faults)
{
	const char *why = two_clocks(&self->host, &self->inside);

	if (why)
		SKIP(return, "%s", why);
	self->nth = fault_open();
	if (self->nth < 0)
		SKIP(return, "no injection of faults");
}

FIXTURE_TEARDOWN(faults)
{
	close(self->nth);
	close(self->inside);
	close(self->host);
}

/* The line of the namespace for children: in a buffer of its own, or "" */
static const char *offsets(void)
{
	static char text[256];
	int fd = open(OFFSETS, O_RDONLY);
	ssize_t len = read(fd, text, sizeof(text) - 1);

	text[len > 0 ? len : 0] = '\0';
	close(fd);
	return text;
}

/* One call: 0 or above if it is done, and then @undo is called with that; or -errno */
struct tried {
	int (*call)(void);
	void (*undo)(int ret);
};

/* @t with the @n-th allocation failing. False if there are not so many. */
static bool fail_nth(struct __test_metadata *_metadata, FIXTURE_DATA(faults) *self,
		     const struct tried *t, unsigned int n)
{
	int ret, fds = fault_descriptors();
	char before[256];
	bool was;

	snprintf(before, sizeof(before), "%s", offsets());
	if (!fault_arm(self->nth, n))
		return false;
	ret = t->call();
	was = fault_disarm(self->nth);
	if (ret < 0) {
		self->failed++;
		EXPECT_EQ(-ENOMEM, ret) TH_LOG("at allocation %u", n);
		EXPECT_EQ(fds, fault_descriptors()) TH_LOG("at allocation %u", n);
		EXPECT_STREQ(before, offsets()) TH_LOG("at allocation %u", n);
		EXPECT_TRUE(was);
	} else {
		t->undo(ret);
	}
	return was;
}

/* All of them. At least @least make the call fail, or something is amiss. */
static void fail_all(struct __test_metadata *_metadata, FIXTURE_DATA(faults) *self,
		     const struct tried *t, unsigned int least)
{
	unsigned int n = 1;

	while (fail_nth(_metadata, self, t, n) && n < 1000)
		n++;
	EXPECT_LT(n, 1000);
	EXPECT_LE(least, self->failed);
	TH_LOG("%u allocations, %u of which the call failed for", n - 1, self->failed);
}

static int home;	/* of the test, for those who leave it */

static int make(void)
{
	return unshare(CLONE_NEWTIME) ? -errno : 0;
}

static void back_home(int ret)
{
	setns(home, CLONE_NEWTIME);
}

TEST_F(faults, a_namespace)
{
	static const struct tried t = { make, back_home };

	home = self->host;
	back_home(0);
	fail_all(_metadata, self, &t, 3);
}

/* A copy of a namespace that has a clock of its own */
TEST_F(faults, a_namespace_from_one_with_a_clock)
{
	static const struct tried t = { make, back_home };

	home = self->inside;
	back_home(0);
	fail_all(_metadata, self, &t, 3);
}

static int opt_in(void)
{
	return write_realtime(DISTANCE, 5);
}

/* Another one that has not opted in */
static void renew(int ret)
{
	setns(home, CLONE_NEWTIME);
	unshare(CLONE_NEWTIME);
}

TEST_F(faults, opting_in)
{
	static const struct tried t = { opt_in, renew };

	home = self->host;
	renew(0);
	fail_all(_metadata, self, &t, 1);
}

static int set_line(void)
{
	static long nsec;

	return write_realtime(DISTANCE, nsec++);
}

static void nothing(int ret)
{
}

TEST_F(faults, the_line)
{
	static const struct tried t = { set_line, nothing };

	fail_all(_metadata, self, &t, 1);
}

static int enter_once(void)
{
	return setns(home, CLONE_NEWTIME) ? -errno : 0;
}

static int outside;

static void leave_again(int ret)
{
	setns(outside, CLONE_NEWTIME);
}

/* Which prepares the pages that its vDSO reads */
TEST_F(faults, entering)
{
	static const struct tried t = { enter_once, leave_again };

	home = self->inside;
	outside = self->host;
	leave_again(0);
	fail_all(_metadata, self, &t, 0);
}

/* Nothing of a set fails: it takes no memory, however many timers there are */
static int set_it(void)
{
	return step(NSEC) ? -errno : 0;
}

static int arm_timer(clockid_t id)
{
	struct itimerspec its = { .it_value = to_ts(now(id) + 1000 * NSEC) };
	struct sigevent ev = { .sigev_notify = SIGEV_NONE };
	timer_t timer;

	/* Its word for a lack of memory is another */
	if (timer_create(id, &ev, &timer))
		return errno == EAGAIN ? -ENOMEM : -errno;
	if (!timer_settime(timer, TIMER_ABSTIME, &its, NULL))
		return (int)(long)timer;
	timer_delete(timer);
	return -errno;
}

static void delete_timer(int timer)
{
	timer_delete((timer_t)(long)timer);
}

TEST_F(faults, a_set_with_armed_timers)
{
	static const struct tried t = { set_it, nothing };

	ENTER();
	for (int i = 0; i < 100; i++)
		ASSERT_LE(0, arm_timer(CLOCK_REALTIME));
	fail_all(_metadata, self, &t, 0);
	EXPECT_EQ(0, self->failed);
}

static int arm_realtime(void)
{
	return arm_timer(CLOCK_REALTIME);
}

static int arm_alarm(void)
{
	return arm_timer(CLOCK_REALTIME_ALARM);
}

TEST_F(faults, a_timer)
{
	static const struct tried plain = { arm_realtime, delete_timer };
	static const struct tried alarm = { arm_alarm, delete_timer };

	ENTER();
	fail_all(_metadata, self, &plain, 1);
	fail_all(_metadata, self, &alarm, 1);
}

static int arm_timerfd(void)
{
	struct itimerspec its = { .it_value = to_ts(now(CLOCK_REALTIME) + 1000 * NSEC) };
	int fd = timerfd_create(CLOCK_REALTIME, 0), err;

	if (fd < 0)
		return -errno;
	if (!timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &its, NULL))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static void close_it(int fd)
{
	close(fd);
}

TEST_F(faults, a_timerfd)
{
	static const struct tried t = { arm_timerfd, close_it };

	ENTER();
	fail_all(_metadata, self, &t, 2);
}

TEST_HARNESS_MAIN
