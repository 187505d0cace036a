// SPDX-License-Identifier: GPL-2.0
/*
 * The interrupt controller of libmmfd, event by event: what is recorded, what is
 * delivered, when, and to whom. Needs no CONFIG_MMFD.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mmfd.h>

#include "check.h"

/* What the controller's function saw */
static struct {
	unsigned int calls;
	unsigned int lines[8];
	uint64_t counts[8];
	int flag_was_on;
	int blocked;
	pthread_t thread;
} seen;

static struct mmfd_pic *pic;

static int is_blocked(int signo)
{
	sigset_t set;

	pthread_sigmask(SIG_SETMASK, NULL, &set);
	return sigismember(&set, signo);
}

static void take(unsigned int line, uint64_t count, void *arg)
{
	if (seen.calls < ARRAY_SIZE(seen.lines)) {
		seen.lines[seen.calls] = line;
		seen.counts[seen.calls] = count;
	}
	seen.calls++;
	seen.flag_was_on |= mmfd_pic_enabled(pic);
	seen.blocked |= is_blocked(SIGUSR1) || is_blocked(SIGUSR2);
	seen.thread = pthread_self();
	check(arg == &seen, "the argument is not the one given");
	errno = 0;
}

static void fresh(void)
{
	mmfd_pic_destroy(pic);
	check(!mmfd_pic_create(take, &seen, &pic), "create");
	mmfd_pic_bind(pic);
	memset(&seen, 0, sizeof(seen));
}

static void check_seen(const char *what, unsigned int calls)
{
	check(seen.calls == calls, "%s: %u deliveries, not %u", what,
	      seen.calls, calls);
	check(!seen.flag_was_on, "%s: the flag was on meanwhile", what);
	check(!seen.blocked, "%s: signals were blocked meanwhile", what);
}

static void check_one(unsigned int i, unsigned int line, uint64_t count)
{
	check(seen.lines[i] == line && seen.counts[i] == count,
	      "delivery %u is line %u, %llu times, not line %u, %llu", i,
	      seen.lines[i], (unsigned long long)seen.counts[i], line,
	      (unsigned long long)count);
}

static void the_flag_is_what_it_was_set_to(void)
{
	fresh();
	check(!mmfd_pic_enabled(pic), "a new flag is on");
	mmfd_pic_enable(pic);
	check(mmfd_pic_enabled(pic), "enable");
	check(mmfd_pic_disable(pic), "disable says that it was off");
	check(!mmfd_pic_disable(pic), "disable says that it was on");
	check(!mmfd_pic_enabled(pic), "disable");
	check_seen("nothing raised", 0);
}

static void events_wait_for_the_flag(void)
{
	fresh();
	mmfd_pic_raise(pic, 63);
	mmfd_pic_raise(pic, 5);
	mmfd_pic_raise(pic, 5);
	check_seen("flag off", 0);
	check(mmfd_pic_pending(pic) == (1ULL << 63 | 1 << 5), "pending is %llx",
	      (unsigned long long)mmfd_pic_pending(pic));
	mmfd_pic_enable(pic);
	check_seen("flag on", 2);
	check_one(0, 5, 2);
	check_one(1, 63, 1);
	check(!mmfd_pic_pending(pic), "still pending");
	mmfd_pic_raise(pic, 1);
	check_seen("raised with the flag on", 3);
	check_one(2, 1, 1);
	check(mmfd_pic_enabled(pic), "the flag stays on");
	check(mmfd_pic_raise(pic, 64) == -EINVAL, "line 64");
}

static void signals_wait_for_the_flag(void)
{
	fresh();
	check(!mmfd_pic_signal(pic, SIGUSR1, 3), "signal");
	check(!mmfd_pic_signal(pic, SIGUSR2, 4), "signal");
	raise(SIGUSR1);
	raise(SIGUSR2);
	raise(SIGUSR1);
	check_seen("flag off", 0);
	mmfd_pic_enable(pic);
	check_seen("flag on", 2);
	check_one(0, 3, 2);
	check_one(1, 4, 1);
	errno = EDOM;
	raise(SIGUSR2);
	check(errno == EDOM, "errno is not as it was");
	check_seen("signal with the flag on", 3);
	check_one(2, 4, 1);
	check(mmfd_pic_enabled(pic), "the flag stays on");
	check(!is_blocked(SIGUSR1), "SIGUSR1 is blocked");
}

static void nested(unsigned int line, uint64_t count, void *arg)
{
	take(line, count, arg);
	if (line == 2)
		return;
	raise(SIGUSR2);
	check(seen.calls == 1, "delivered within a delivery");
	check(mmfd_pic_pending(pic) == 1 << 2, "not recorded meanwhile");
}

static void a_signal_in_a_delivery_comes_after_it(void)
{
	fresh();
	mmfd_pic_destroy(pic);
	mmfd_pic_create(nested, &seen, &pic);
	mmfd_pic_bind(pic);
	mmfd_pic_signal(pic, SIGUSR1, 1);
	mmfd_pic_signal(pic, SIGUSR2, 2);
	mmfd_pic_enable(pic);
	raise(SIGUSR1);
	check_seen("one in a signal handler", 2);
	check_one(1, 2, 1);
	memset(&seen, 0, sizeof(seen));
	mmfd_pic_disable(pic);
	raise(SIGUSR1);
	mmfd_pic_enable(pic);
	check_seen("one in enable", 2);
	check_one(1, 2, 1);
}

static void reentrant(unsigned int line, uint64_t count, void *arg)
{
	take(line, count, arg);
	if (line != 1)
		return;
	mmfd_pic_enable(pic);
	raise(SIGUSR2);
	check(seen.calls == 3, "not delivered within a delivery");
}

static void a_delivery_may_allow_others(void)
{
	fresh();
	mmfd_pic_destroy(pic);
	mmfd_pic_create(reentrant, &seen, &pic);
	mmfd_pic_bind(pic);
	mmfd_pic_signal(pic, SIGUSR2, 2);
	mmfd_pic_raise(pic, 1);
	mmfd_pic_raise(pic, 3);
	mmfd_pic_enable(pic);
	check_seen("enable in a delivery", 3);
	check_one(0, 1, 1);
	check_one(1, 3, 1);
	check_one(2, 2, 1);
	check(mmfd_pic_enabled(pic), "the flag stays on");
}

static void *from_elsewhere(void *arg)
{
	(void)arg;
	mmfd_pic_raise(pic, 7);
	raise(SIGUSR1);
	return NULL;
}

static void events_of_other_threads_wait(void)
{
	pthread_t thread;

	fresh();
	mmfd_pic_signal(pic, SIGUSR1, 6);
	mmfd_pic_enable(pic);
	pthread_create(&thread, NULL, from_elsewhere, NULL);
	pthread_join(thread, NULL);
	check_seen("raised elsewhere", 0);
	check(mmfd_pic_pending(pic) == (1 << 6 | 1 << 7), "not recorded");
	mmfd_pic_enable(pic);
	check_seen("enabled", 2);
	check(pthread_equal(seen.thread, pthread_self()), "in another thread");
}

static void *own_controller(void *arg)
{
	struct mmfd_pic *own = arg;

	mmfd_pic_bind(own);
	raise(SIGUSR1);
	mmfd_pic_bind(NULL);
	return NULL;
}

static void a_signal_goes_to_the_thread_s_controller(void)
{
	struct mmfd_pic *own;
	pthread_t thread;

	fresh();
	mmfd_pic_signal(pic, SIGUSR1, 6);
	mmfd_pic_create(take, &seen, &own);
	pthread_create(&thread, NULL, own_controller, own);
	pthread_join(thread, NULL);
	check(mmfd_pic_pending(own) == 1 << 6, "the thread's has it not");
	check(!mmfd_pic_pending(pic), "the other one has it");
	mmfd_pic_destroy(own);
}

static volatile sig_atomic_t old_called;

static void old_action(int signo)
{
	old_called += signo == SIGUSR1;
}

static void signals_are_given_back(void)
{
	struct mmfd_pic *other;

	fresh();
	signal(SIGUSR1, old_action);
	check(!mmfd_pic_signal(pic, SIGUSR1, 0), "signal");
	check(!mmfd_pic_signal(pic, SIGUSR1, 1), "the same on another line");
	mmfd_pic_create(take, &seen, &other);
	check(mmfd_pic_signal(other, SIGUSR1, 0) == -EBUSY, "another's signal");
	mmfd_pic_destroy(other);
	raise(SIGUSR1);
	check(mmfd_pic_pending(pic) == 1 << 1, "on the wrong line");
	check(!old_called, "the old action was called");
	mmfd_pic_destroy(pic);
	pic = NULL;
	raise(SIGUSR1);
	check(old_called == 1, "the old action was not called");
	signal(SIGUSR1, SIG_DFL);
}

static void only_asynchronous_signals_are_lines(void)
{
	static const int bad[] = {
		SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL,
		SIGTRAP, SIGSYS,  0,	   -1,	   32,	   65,
	};
	size_t i;

	fresh();
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		check(mmfd_pic_signal(pic, bad[i], 0) == -EINVAL, "signal %d",
		      bad[i]);
	check(mmfd_pic_signal(pic, SIGUSR1, 64) == -EINVAL, "line 64");
	check(!mmfd_pic_signal(pic, SIGRTMAX, 63), "SIGRTMAX, line 63");
}

int main(void)
{
	the_flag_is_what_it_was_set_to();
	events_wait_for_the_flag();
	signals_wait_for_the_flag();
	a_signal_in_a_delivery_comes_after_it();
	a_delivery_may_allow_others();
	events_of_other_threads_wait();
	a_signal_goes_to_the_thread_s_controller();
	signals_are_given_back();
	only_asynchronous_signals_are_lines();
	return check_result();
}
