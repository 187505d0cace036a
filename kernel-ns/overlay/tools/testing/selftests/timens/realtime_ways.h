/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every way to wait for an absolute time on a wall clock, and processes that do so.
 */
#ifndef REALTIME_WAYS_H
#define REALTIME_WAYS_H

#include <linux/futex.h>
#include <linux/io_uring.h>
#include <linux/ntsync.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include "../kselftest_harness.h"
#include "realtime.h"

#define DAY		(86400 * NSEC)
/* How late a waiter may be on a slow machine */
#define LATE		(5 * NSEC)

/* Each way to wait until @id shows @t: 0, or an errno */

static int wait_nanosleep(clockid_t id, long long t)
{
	struct timespec ts = to_ts(t);

	return clock_nanosleep(id, TIMER_ABSTIME, &ts, NULL);
}

static int wait_timer(clockid_t id, long long t)
{
	struct itimerspec its = { .it_value = to_ts(t) };
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	sigset_t set;
	timer_t timer;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (timer_create(id, &ev, &timer) || timer_settime(timer, TIMER_ABSTIME, &its, NULL))
		return errno;
	return sigwaitinfo(&set, NULL) == SIGUSR1 ? 0 : errno;
}

static int wait_timerfd(clockid_t id, long long t)
{
	struct itimerspec its = { .it_value = to_ts(t) };
	int fd = timerfd_create(id, 0);
	unsigned long long ticks;

	if (fd < 0 || timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL))
		return errno;
	return read(fd, &ticks, sizeof(ticks)) == sizeof(ticks) && ticks == 1 ? 0 : EIO;
}

static int futex_result(long ret)
{
	return ret < 0 && errno == ETIMEDOUT ? 0 : errno ?: EIO;
}

static int wait_futex_bitset(clockid_t id, long long t)
{
	struct timespec ts = to_ts(t);
	unsigned int word = 0;

	return futex_result(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME,
				    0, &ts, NULL, FUTEX_BITSET_MATCH_ANY));
}

static int wait_futex_waitv(clockid_t id, long long t)
{
	struct timespec ts = to_ts(t);
	unsigned int word = 0;
	struct futex_waitv w = { .uaddr = (unsigned long)&word, .flags = FUTEX_32 };

	return futex_result(syscall(SYS_futex_waitv, &w, 1, 0, &ts, id));
}

/* The word is held by a process that sleeps */
static int wait_futex_lock_pi(clockid_t id, long long t)
{
	unsigned int *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct timespec ts = to_ts(t);
	pid_t parent = getpid(), pid = fork();
	int err;

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(0);
		syscall(SYS_futex, word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
		pause();
	}
	while (!__atomic_load_n(word, __ATOMIC_ACQUIRE))
		usleep(1000);
	err = futex_result(syscall(SYS_futex, word, FUTEX_LOCK_PI, 0, &ts, NULL, 0));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return err;
}

static int wait_mq(clockid_t id, long long t, int send)
{
	struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 8 };
	struct timespec ts = to_ts(t);
	char name[32], buf[8] = "";
	mqd_t mq;
	int ret;

	snprintf(name, sizeof(name), "/realtime-%d", getpid());
	mq = mq_open(name, O_RDWR | O_CREAT, 0600, &attr);
	if (mq < 0)
		return errno;
	mq_unlink(name);
	if (!send)
		ret = mq_timedreceive(mq, buf, sizeof(buf), NULL, &ts);
	else
		ret = mq_send(mq, buf, 1, 0) ?: mq_timedsend(mq, buf, 1, 0, &ts);
	return futex_result(ret);
}

static int wait_mq_receive(clockid_t id, long long t)
{
	return wait_mq(id, t, 0);
}

static int wait_mq_send(clockid_t id, long long t)
{
	return wait_mq(id, t, 1);
}

struct ring {
	int fd;
	struct io_uring_sqe *sqe;
	unsigned int *tail;
	unsigned int *head;		/* of what has been completed */
	unsigned int *end;
	struct io_uring_cqe *cqe;
	unsigned int seen;
};

static int ring_init(struct ring *r)
{
	struct io_uring_params p = { };
	char *sq, *cq;

	memset(r, 0, sizeof(*r));
	r->fd = syscall(SYS_io_uring_setup, 4, &p);
	if (r->fd < 0)
		return errno;
	sq = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_SQ_RING);
	cq = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_CQ_RING);
	r->sqe = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || r->sqe == MAP_FAILED)
		return errno;
	memset(r->sqe, 0, 4 * sizeof(*r->sqe));
	for (unsigned int i = 0; i < 4; i++)
		((unsigned int *)(sq + p.sq_off.array))[i] = i;
	r->tail = (unsigned int *)(sq + p.sq_off.tail);
	r->head = (unsigned int *)(cq + p.cq_off.head);
	r->end = (unsigned int *)(cq + p.cq_off.tail);
	r->cqe = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
	return 0;
}

/* Add a request; it is named by its number, from 0 on */
static struct io_uring_sqe *ring_add(struct ring *r, int op)
{
	unsigned int n = *r->tail;

	r->sqe[n].opcode = op;
	r->sqe[n].user_data = n;
	__atomic_store_n(r->tail, n + 1, __ATOMIC_RELEASE);
	return &r->sqe[n];
}

/*
 * Submit @n requests, and wait until request @which has come to its end: its result. A
 * freezer interrupts the call, not the requests.
 */
static int ring_wait(struct ring *r, unsigned int n, unsigned int which)
{
	for (;;) {
		struct io_uring_cqe *cqe = &r->cqe[r->seen];
		int ret;

		while (__atomic_load_n(r->end, __ATOMIC_ACQUIRE) == r->seen) {
			ret = syscall(SYS_io_uring_enter, r->fd, n, 1, IORING_ENTER_GETEVENTS,
				      NULL, 0);
			if (ret < 0 && errno != EINTR)
				return -errno;
			if (ret > 0)
				n -= ret;
		}
		__atomic_store_n(r->head, ++r->seen, __ATOMIC_RELEASE);
		if (cqe->user_data == which)
			return cqe->res;
	}
}

static int ring_result(int res)
{
	return res == -ETIME ? 0 : res < 0 ? -res : EIO;
}

static void ring_timeout(struct ring *r, int op, const struct __kernel_timespec *ts)
{
	struct io_uring_sqe *sqe = ring_add(r, op);

	sqe->addr = (unsigned long)ts;
	sqe->len = 1;
	sqe->timeout_flags = IORING_TIMEOUT_ABS | IORING_TIMEOUT_REALTIME;
}

/* What a timeout may be linked to: it never comes */
static void ring_nothing(struct ring *r)
{
	struct io_uring_sqe *sqe = ring_add(r, IORING_OP_POLL_ADD);
	int fd[2];

	sqe->fd = pipe(fd) ? -1 : fd[0];
	sqe->poll32_events = POLLIN;
	sqe->flags = IOSQE_IO_LINK;
}

static void ring_update(struct ring *r, unsigned int which, int flags,
			const struct __kernel_timespec *ts)
{
	struct io_uring_sqe *sqe = ring_add(r, IORING_OP_TIMEOUT_REMOVE);

	sqe->addr = which;
	sqe->addr2 = (unsigned long)ts;
	sqe->timeout_flags = flags | IORING_TIMEOUT_UPDATE | IORING_TIMEOUT_ABS;
}

/* A timeout, linked to a request or not; @updated for a time that is far, and changed then */
static int wait_ring(long long t, bool linked, bool updated)
{
	struct __kernel_timespec ts = { t / NSEC, t % NSEC };
	struct __kernel_timespec far = { ts.tv_sec + 1000000, 0 };
	unsigned int n = 1 + linked + updated;
	struct ring r;
	int err = ring_init(&r);

	if (err)
		return err;
	if (linked)
		ring_nothing(&r);
	ring_timeout(&r, linked ? IORING_OP_LINK_TIMEOUT : IORING_OP_TIMEOUT,
		     updated ? &far : &ts);
	if (updated) {
		ring_update(&r, linked, linked ? IORING_LINK_TIMEOUT_UPDATE : 0, &ts);
		err = -ring_wait(&r, n, n - 1);
		n = 0;
	}
	return err ?: ring_result(ring_wait(&r, n, linked));
}

static int wait_io_uring(clockid_t id, long long t)
{
	return wait_ring(t, false, false);
}

static int wait_io_uring_linked(clockid_t id, long long t)
{
	return wait_ring(t, true, false);
}

static int wait_io_uring_updated(clockid_t id, long long t)
{
	return wait_ring(t, false, true);
}

static int wait_io_uring_linked_updated(clockid_t id, long long t)
{
	return wait_ring(t, true, true);
}

static int wait_ntsync(clockid_t id, long long t)
{
	struct ntsync_sem_args sem = { .count = 0, .max = 1 };
	struct ntsync_wait_args args = { .timeout = t, .count = 1, .owner = 1,
					 .flags = NTSYNC_WAIT_REALTIME };
	int dev = open("/dev/ntsync", O_RDWR), obj;

	if (dev < 0)
		return errno;
	obj = ioctl(dev, NTSYNC_IOC_CREATE_SEM, &sem);
	args.objs = (unsigned long)&obj;
	return futex_result(ioctl(dev, NTSYNC_IOC_WAIT_ANY, &args));
}

static const struct way {
	const char *name;
	int (*wait)(clockid_t id, long long t);
	clockid_t id;
} ways[] = {
	{ "clock_nanosleep", wait_nanosleep, CLOCK_REALTIME },
	{ "clock_nanosleep, TAI", wait_nanosleep, CLOCK_TAI },
	{ "clock_nanosleep, ALARM", wait_nanosleep, CLOCK_REALTIME_ALARM },
	{ "timer", wait_timer, CLOCK_REALTIME },
	{ "timer, TAI", wait_timer, CLOCK_TAI },
	{ "timer, ALARM", wait_timer, CLOCK_REALTIME_ALARM },
	{ "timerfd", wait_timerfd, CLOCK_REALTIME },
	{ "timerfd, ALARM", wait_timerfd, CLOCK_REALTIME_ALARM },
	{ "futex, FUTEX_WAIT_BITSET", wait_futex_bitset, CLOCK_REALTIME },
	{ "futex, FUTEX_LOCK_PI", wait_futex_lock_pi, CLOCK_REALTIME },
	{ "futex_waitv", wait_futex_waitv, CLOCK_REALTIME },
	{ "mq_timedreceive", wait_mq_receive, CLOCK_REALTIME },
	{ "mq_timedsend", wait_mq_send, CLOCK_REALTIME },
	{ "io_uring", wait_io_uring, CLOCK_REALTIME },
	{ "io_uring, linked", wait_io_uring_linked, CLOCK_REALTIME },
	{ "io_uring, updated", wait_io_uring_updated, CLOCK_REALTIME },
	{ "io_uring, linked and updated", wait_io_uring_linked_updated, CLOCK_REALTIME },
	{ "ntsync", wait_ntsync, CLOCK_REALTIME },
};

#define WAYS	ARRAY_SIZE(ways)

/* What a waiter leaves in shared memory */
static struct result {
	long long early;	/* by how much, negative if late */
	long long mono;		/* CLOCK_MONOTONIC when it returned */
	int err;
	int done;
} *results;

static pid_t waiters[WAYS];

static bool ways_init(void)
{
	results = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return results != MAP_FAILED;
}

/* Arm each way for @in nanoseconds from now on its clock; give them time to sleep */
static void arm_all(long long in)
{
	memset(results, 0, sizeof(*results) * WAYS);
	for (unsigned int i = 0; i < WAYS; i++) {
		struct result *r = &results[i];
		long long t = now(ways[i].id) + in;

		waiters[i] = fork();
		if (waiters[i])
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		r->err = ways[i].wait(ways[i].id, t);
		r->early = t - now(ways[i].id);
		r->mono = now(CLOCK_MONOTONIC);
		__atomic_store_n(&r->done, 1, __ATOMIC_RELEASE);
		_exit(0);
	}
	usleep(300000);
}

static int is_done(unsigned int i)
{
	return __atomic_load_n(&results[i].done, __ATOMIC_ACQUIRE);
}

/* Whether way @i returns before @t of CLOCK_MONOTONIC */
static int done_until(unsigned int i, long long t)
{
	while (!is_done(i) && now(CLOCK_MONOTONIC) < t)
		usleep(1000);
	return is_done(i);
}

static void end_all(void)
{
	for (unsigned int i = 0; i < WAYS; i++) {
		kill(waiters[i], SIGKILL);
		waitpid(waiters[i], NULL, 0);
	}
}

/* Way @i has not returned */
#define EXPECT_WAITS(i) do {						\
	int _done = is_done(i);						\
									\
	EXPECT_EQ(0, _done)						\
		TH_LOG("%s returned", ways[i].name);			\
} while (0)

/* Way @i returns until @t of CLOCK_MONOTONIC, with success, and not early */
#define EXPECT_RETURNS(i, t) do {					\
	EXPECT_EQ(1, done_until(i, t))					\
		TH_LOG("%s did not return", ways[i].name);		\
	EXPECT_EQ(0, results[i].err)					\
		TH_LOG("%s: error %d", ways[i].name, results[i].err);	\
	EXPECT_GE(0, results[i].early)					\
		TH_LOG("%s is early by %lld ns", ways[i].name, results[i].early); \
} while (0)

#define ALL_WAIT() do {							\
	for (unsigned int _i = 0; _i < WAYS; _i++)			\
		EXPECT_WAITS(_i);					\
} while (0)

#define ALL_RETURN(t) do {						\
	for (unsigned int _i = 0; _i < WAYS; _i++)			\
		EXPECT_RETURNS(_i, t);					\
} while (0)

#endif /* REALTIME_WAYS_H */
