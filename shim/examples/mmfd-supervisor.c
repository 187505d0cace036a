// SPDX-License-Identifier: GPL-2.0
/*
 * mmfd-supervisor - a small supervisor: runs a guest, serves its system calls,
 * lets its time calls pass, and gives it clock ticks.
 *
 * usage: mmfd-supervisor
 *
 * Exits with the guest's exit code, 1 on failure, 124 if the kernel lacks
 * CONFIG_MMFD.
 */
#include <mmfd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include "mmfd-example.h"

#define DATA	  0x100000UL
#define DATA_SIZE 0x10000UL
#define PASSED \
	(MMFD_PASS_GETTIMEOFDAY | MMFD_PASS_CLOCK_GETTIME | MMFD_PASS_TIME)
#define GUEST_PID 7

/**
 * struct data - memory of the guest, at DATA; the stack is above
 * @text: what it says
 * @tv: where it reads the time to
 * @ts: likewise
 * @time_calls: how many time calls it made
 * @ticks: written by the supervisor
 */
struct data {
	char text[64];
	struct timeval tv;
	struct timespec ts;
	long time_calls;
	volatile long ticks;
};

/* ---- the guest ---- */

static GUEST void guest_main(struct data *data, size_t len)
{
	long i, pid, then;

	guest_call(SYS_write, 1, (long)data->text, len);
	for (i = 0; i < 1000; i++) {
		guest_call(SYS_gettimeofday, (long)&data->tv, 0, 0);
		guest_call(SYS_clock_gettime, 1, (long)&data->ts, 0);
		guest_call(SYS_time, 0, 0, 0);
		data->time_calls += 3;
	}
	pid = guest_call(SYS_getpid, 0, 0, 0);
	then = data->ticks;
	while (data->ticks < then + 3)
		;
	i = guest_call(SYS_reboot, 0, 0, 0);
	guest_call(SYS_exit_group, pid != GUEST_PID || i != -ENOSYS, 0, 0);
}

/* ---- the supervisor ---- */

/**
 * struct supervisor - a guest and what it did
 * @vcpu: its virtual CPU
 * @data: its memory as it is mapped here
 * @pic: brings the ticks
 * @status: its exit code; -1 while it runs
 * @writes: calls that were served, by kind
 * @getpids: likewise
 * @times: likewise; these should have passed
 * @others: calls that were refused
 */
struct supervisor {
	struct mmfd_vcpu *vcpu;
	struct data *data;
	struct mmfd_pic *pic;
	int status;
	int writes, getpids, times, others;
};

/* Only what is in its own data; not what is at that address here. */
static long serve_write(struct supervisor *s, const __u64 *args)
{
	__u64 from = args[1] - DATA;

	s->writes++;
	if (args[0] != 1)
		return -EBADF;
	if (from > DATA_SIZE || args[2] > DATA_SIZE - from)
		return -EFAULT;
	return fwrite((char *)s->data + from, 1, args[2], stdout);
}

static long serve(struct supervisor *s, const struct mmfd_run *page)
{
	switch (page->nr) {
	case SYS_write:
		return serve_write(s, page->args);
	case SYS_getpid:
		s->getpids++;
		return GUEST_PID;
	case SYS_exit_group:
		s->status = page->args[0] & 0xff;
		return 0;
	case SYS_gettimeofday:
	case SYS_clock_gettime:
	case SYS_time:
		s->times++;
		return -ENOSYS;
	default:
		s->others++;
		return -ENOSYS;
	}
}

/* An interrupt. The guest reads the count in its memory. */
static void tick(unsigned int line, uint64_t count, void *arg)
{
	struct supervisor *s = arg;

	(void)line;
	s->data->ticks += count;
}

static int loop(struct supervisor *s)
{
	struct mmfd_run *page = mmfd_vcpu_page(s->vcpu);
	int reason;

	while (s->status < 0) {
		mmfd_pic_enable(s->pic);
		reason = mmfd_vcpu_run(s->vcpu);
		mmfd_pic_disable(s->pic);
		if (reason == MMFD_EXIT_SYSCALL)
			page->regs.rax = serve(s, page);
		else if (reason < 0)
			return reason;
		else if (reason != MMFD_EXIT_INTERRUPTED)
			return -EFAULT;
	}
	return 0;
}

static int start_guest(struct supervisor *s)
{
	static const char greeting[] = "guest: an address space of my own\n";
	struct mmfd_regs *regs;
	int err, space, dev = mmfd_open();

	if (dev < 0)
		return dev;
	space = mmfd_create(dev, 0);
	if (space < 0)
		return space;
	err = guest_map(space, DATA, DATA_SIZE, (void **)&s->data);
	if (!err)
		err = mmfd_vcpu_create(space, 0, PASSED, &s->vcpu);
	close(space);
	close(dev);
	if (err)
		return err;
	memcpy(s->data->text, greeting, sizeof(greeting));
	regs = &mmfd_vcpu_page(s->vcpu)->regs;
	regs->rip = GUEST_ADDRESS(guest_main);
	regs->rsp = DATA + DATA_SIZE - sizeof(long);
	regs->rdi = DATA;
	regs->rsi = sizeof(greeting) - 1;
	return 0;
}

/* SIGALRM so often, 0 for never */
static int set_alarms(long usec)
{
	struct itimerval timer = {
		.it_interval.tv_usec = usec,
		.it_value.tv_usec = usec,
	};

	return setitimer(ITIMER_REAL, &timer, NULL) ? -errno : 0;
}

static int start_clock(struct supervisor *s)
{
	int err = mmfd_pic_create(tick, s, &s->pic);

	if (err)
		return err;
	mmfd_pic_bind(s->pic);
	err = mmfd_pic_signal(s->pic, SIGALRM, 0);
	return err ? err : set_alarms(10000);
}

/* The alarms first: without the controller, they would kill. */
static void stop_clock(struct supervisor *s)
{
	set_alarms(0);
	mmfd_pic_destroy(s->pic);
}

int main(void)
{
	struct supervisor s = { .status = -1 };
	int err = start_guest(&s);

	if (!err)
		err = start_clock(&s);
	if (!err)
		err = loop(&s);
	if (err)
		return example_fail("mmfd-supervisor", -err);
	printf("served: write %d, getpid %d; refused: %d\n", s.writes,
	       s.getpids, s.others);
	printf("time calls of the guest: %ld, of which trapped: %d\n",
	       s.data->time_calls, s.times);
	printf("the guest's clock: %ld s since 1970\n", s.data->tv.tv_sec);
	printf("ticks: %s\n", s.data->ticks >= 3 ? "yes" : "no");
	mmfd_vcpu_destroy(s.vcpu);
	stop_clock(&s);
	return s.status;
}
