// SPDX-License-Identifier: GPL-2.0
/*
 * The fuzzer's operations: calls with arguments that are right, nearly right, or
 * anything, and the errors that they may end with.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "mmfd_fuzz.h"

/* expect - @ret is not negative, or -1 and errno is one of @errors (0 ends them) */
static void expect(struct fuzz *f, const char *what, long ret, const int *errors)
{
	int err = errno;

	if (ret >= 0)
		return;
	for (; *errors; errors++) {
		if (err == *errors)
			return;
	}
	fuzz_fail(f, "%s: %s", what, strerror(err));
}

#define ERRORS(...)	((const int[]){ __VA_ARGS__, 0 })

static int slot(struct fuzz *f, int i)
{
	return f->slots[i];
}

/* Put a descriptor where another one is; run pages of that one are unmapped. */
static void replace(struct fuzz *f, int i, int fd)
{
	int old = f->slots[i], j;

	for (j = 0; j < NR_PAGES; j++) {
		if (f->run_of[j] != i)
			continue;
		f->run_of[j] = -1;
		if (mmap(f->runs[j], PAGE, PROT_READ | PROT_WRITE, MAP_FIXED |
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
			fuzz_fail(f, "mmap: %s", strerror(errno));
	}
	f->slots[i] = fd;
	if (old >= 0)
		close(old);
}

static void op_create(struct fuzz *f)
{
	struct mmfd_create create = { .flags = rnd(&f->rng, 2) };
	void *arg = &create;
	int fd;

	/* A copy takes long. */
	if (one_in(&f->rng, 16))
		create.flags |= MMFD_CREATE_COPY;
	if (one_in(&f->rng, 8))
		create.reserved[rnd(&f->rng, 7)] = odd_value(&f->rng);
	if (one_in(&f->rng, 8))
		create.flags = rnd64(&f->rng) & ~4;
	if (one_in(&f->rng, 16))
		arg = (void *)odd_value(&f->rng);
	fd = ioctl(f->dev, MMFD_CREATE, arg);
	expect(f, "MMFD_CREATE", fd, ERRORS(EINVAL, EFAULT, ENOMEM, EMFILE));
	if (fd >= 0)
		replace(f, rnd(&f->rng, NR_SLOTS), fd);
}

static void op_vcpu(struct fuzz *f)
{
	struct mmfd_vcpu_create create = {
		.flags = rnd(&f->rng, 2), .pass = rnd(&f->rng, 16),
	};
	int fd, i, page;

	if (one_in(&f->rng, 8))
		create.reserved[rnd(&f->rng, 6)] = odd_value(&f->rng);
	if (one_in(&f->rng, 8))
		create.flags = rnd64(&f->rng);
	if (one_in(&f->rng, 8))
		create.pass = rnd64(&f->rng);
	fd = ioctl(slot(f, rnd(&f->rng, NR_SLOTS)), MMFD_VCPU_CREATE, &create);
	expect(f, "MMFD_VCPU_CREATE", fd, ERRORS(EINVAL, ENOTTY, EBADF, ENOMEM, EMFILE));
	if (fd < 0)
		return;
	if (create.flags & ~3U || create.pass & ~15U)
		fuzz_fail(f, "flags %#x, pass %#x", create.flags, create.pass);
	i = rnd(&f->rng, NR_SLOTS);
	replace(f, i, fd);
	page = rnd(&f->rng, NR_PAGES);
	if (mmap(f->runs[page], PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		 fd, 0) == MAP_FAILED)
		fuzz_fail(f, "run page: %s", strerror(errno));
	f->run_of[page] = i;
	if (!f->noisy && f->runs[page]->abi != MMFD_ABI_VERSION)
		fuzz_fail(f, "abi %u", f->runs[page]->abi);
}

/* The first page of the guests' memory is for code, the others are for data. */
static void write_or_execute(struct fuzz *f, struct mmfd_op *op)
{
	bool code = op->prot & PROT_EXEC;

	if (op->op == MMFD_OP_MAP && op->fd >= 0) {
		op->len = code ? PAGE : op->len;
		op->offset = code ? 0 : op->offset ?: PAGE;
		op->flags |= code ? MMFD_MAP_SHARED : 0;
	} else if (code) {
		op->prot &= ~PROT_EXEC;
	}
	if (code)
		op->prot &= ~PROT_WRITE;
}

static void random_element(struct fuzz *f, struct mmfd_op *op)
{
	static const uint64_t at[] = { GUEST_CODE, GUEST_DATA, GUEST_NONE };
	uint64_t *rng = &f->rng;

	memset(op, 0, sizeof(*op));
	op->op = one_in(rng, 2) ? MMFD_OP_MAP : 1 + rnd(rng, 4);
	op->addr = one_in(rng, 4) ? PAGE * rnd(rng, 0x1000) : at[rnd(rng, 3)];
	op->len = PAGE * (op->op == MMFD_OP_VDSO ? 64 : 1 + rnd(rng, 4));
	op->fd = -1;
	if (op->op == MMFD_OP_MAP || op->op == MMFD_OP_PROTECT)
		op->prot = rnd(rng, 8);
	if (op->op == MMFD_OP_MAP && one_in(rng, 3)) {
		op->flags = MMFD_MAP_PRIVATE | MMFD_MAP_ANONYMOUS;
	} else if (op->op == MMFD_OP_MAP) {
		op->flags = 1 + rnd(rng, 2);
		op->fd = one_in(rng, 8) ? slot(f, rnd(rng, NR_SLOTS)) : f->mem;
		op->offset = one_in(rng, 32) ? odd_value(rng) & -PAGE :
						PAGE * rnd(rng, GUEST_MEM + 1);
	}
	if (op->op == MMFD_OP_MAP && one_in(rng, 4))
		op->flags |= MMFD_MAP_NOREPLACE;
	while (one_in(rng, 10))
		((uint32_t *)op)[rnd(rng, sizeof(*op) / 4)] = odd_value(rng);
	if (one_in(rng, 20))
		op->addr = odd_value(rng);
	if (one_in(rng, 20))
		op->len = odd_value(rng);
	if (no_far_returns)
		write_or_execute(f, op);
}

static void check_results(struct fuzz *f, const struct mmfd_ops *batch,
			  const struct mmfd_op *ops, int err)
{
	unsigned int i, bad = 0;

	if (batch->done > batch->nr || (!err && batch->done != batch->nr))
		fuzz_fail(f, "%u of %u done, error %d", batch->done, batch->nr, err);
	for (i = 0; i < batch->nr; i++) {
		if (i < batch->done ? ops[i].result != 0 : ops[i].result == 0)
			fuzz_fail(f, "element %u: %d", i, ops[i].result);
		if (!ops[i].result || ops[i].result == -ECANCELED)
			continue;
		bad++;
		if (ops[i].result != -err)
			fuzz_fail(f, "element %u: %d, but %d", i, ops[i].result, err);
	}
	if (bad != !!err)
		fuzz_fail(f, "%u elements failed", bad);
}

static void op_ops(struct fuzz *f)
{
	struct mmfd_op ops[8];
	struct mmfd_ops batch = { .ops = (uintptr_t)ops, .nr = rnd(&f->rng, 8) };
	int fd = slot(f, rnd(&f->rng, NR_SLOTS)), ret;
	bool plain = true;
	unsigned int i;

	for (i = 0; i < batch.nr; i++)
		random_element(f, &ops[i]);
	if (one_in(&f->rng, 24)) {
		batch.nr = odd_value(&f->rng);
		/* That many are not there, or not many and then not ours. */
		batch.ops = GUEST_NONE;
		plain = false;
	}
	if (one_in(&f->rng, 24))
		batch.reserved[rnd(&f->rng, 2)] = odd_value(&f->rng);
	ret = ioctl(fd, MMFD_OPS, &batch);
	expect(f, "MMFD_OPS", ret,
	       ERRORS(EINVAL, ENOTTY, EBADF, EACCES, EEXIST, ENOSPC, ENOMEM, EPERM,
		      EFAULT, E2BIG, EOVERFLOW));
	if (!plain || (ret && (errno == ENOTTY || errno == EBADF)) ||
	    batch.reserved[0] || batch.reserved[1])
		return;
	check_results(f, &batch, ops, ret ? errno : 0);
}

/* With page tables of five levels; with four it is less. */
#define USER_END	(1UL << 56)

static void op_query(struct fuzz *f)
{
	struct mmfd_query query = { .addr = odd_value(&f->rng) }, old = query;
	int ret = ioctl(slot(f, rnd(&f->rng, NR_SLOTS)), MMFD_QUERY, &query);

	expect(f, "MMFD_QUERY", ret, ERRORS(EINVAL, ENOTTY, EBADF, ENOENT));
	if (ret) {
		if (memcmp(&query, &old, sizeof(old)))
			fuzz_fail(f, "MMFD_QUERY failed and changed its argument");
		return;
	}
	if (query.end <= old.addr || query.start >= query.end || query.addr != old.addr ||
	    query.prot & ~7U || query.flags & ~3U || query.end > USER_END)
		fuzz_fail(f, "MMFD_QUERY: %#lx-%#lx", (long)query.start, (long)query.end);
}

/* Registers of a virtual CPU, read, changed, and written back; or to another one */
static void op_xstate(struct fuzz *f)
{
	static uint64_t regs[1024];
	struct mmfd_xstate xstate = { .addr = (uintptr_t)regs, .size = sizeof(regs) };
	const int *errors = ERRORS(EINVAL, ENOTTY, EBADF, EBUSY, ENOSPC, EFAULT, ENOMEM,
				   EOPNOTSUPP);
	long ret;

	if (one_in(&f->rng, 8))
		xstate.addr = odd_value(&f->rng);
	if (one_in(&f->rng, 8))
		xstate.size = odd_value(&f->rng) % (sizeof(regs) + 1);
	if (one_in(&f->rng, 8))
		xstate.reserved = odd_value(&f->rng);
	/* It writes where it is told to, which home has to survive. */
	if (xstate.addr == (uintptr_t)regs) {
		ret = ioctl(slot(f, rnd(&f->rng, NR_SLOTS)), MMFD_XSTATE_GET, &xstate);
		expect(f, "MMFD_XSTATE_GET", ret, errors);
		if (ret > (long)xstate.size)
			fuzz_fail(f, "MMFD_XSTATE_GET: %ld of %u", ret, xstate.size);
	}
	/* The first 72 are those up to the end of the header. */
	while (one_in(&f->rng, 2))
		regs[rnd(&f->rng, one_in(&f->rng, 2) ? 72 : 1024)] = odd_value(&f->rng);
	ret = ioctl(slot(f, rnd(&f->rng, NR_SLOTS)), MMFD_XSTATE_SET, &xstate);
	expect(f, "MMFD_XSTATE_SET", ret, errors);
}

static void load(struct fuzz *f, struct mmfd_run *run)
{
	if (one_in(&f->rng, 2))
		fuzz_code(&f->rng, f->view, 64, f->noisy);
	if (!one_in(&f->rng, 8)) {
		fuzz_regs(&f->rng, &run->regs);
		memset(run->reserved0, 0, sizeof(run->reserved0));
		run->trap = rnd(&f->rng, 16);
		run->immediate_exit = one_in(&f->rng, 16);
	}
	if (one_in(&f->rng, 12))
		((uint64_t *)run)[rnd(&f->rng, sizeof(*run) / 8)] = odd_value(&f->rng);
}

void op_run(struct fuzz *f)
{
	int i = -1, fd, page, tries;
	struct mmfd_run *run = NULL;

	for (tries = 0; tries < NR_PAGES && i < 0; tries++) {
		page = rnd(&f->rng, NR_PAGES);
		i = f->run_of[page];
		run = i < 0 ? NULL : f->runs[page];
	}
	if (!run || one_in(&f->rng, 32)) {
		fd = one_in(&f->rng, 2) ? slot(f, rnd(&f->rng, NR_SLOTS)) :
					  (int)odd_value(&f->rng);
		/* One of ours would run whatever is left in its page. */
		fuzz_run(f, fd, rnd(&f->rng, 4) ? 0 : rnd64(&f->rng), NULL);
		return;
	}
	load(f, run);
	fuzz_run(f, slot(f, i), 0, run);
}

/* A space that a guest can run in, and a virtual CPU: else few would. */
void op_guest(struct fuzz *f)
{
	struct mmfd_create create = { .flags = MMFD_CREATE_CLOEXEC };
	struct mmfd_vcpu_create vcpu = { .pass = rnd(&f->rng, 16) };
	int fd = ioctl(f->dev, MMFD_CREATE, &create), i = rnd(&f->rng, NR_SLOTS), cpu;
	int page = rnd(&f->rng, NR_PAGES), prot = one_in(&f->rng, 3) ? 7 : 5;

	if (no_far_returns)
		prot = 5;
	expect(f, "MMFD_CREATE", fd, ERRORS(ENOMEM));
	if (guest_map(fd, GUEST_CODE, PAGE, prot, f->mem, 0) ||
	    guest_map(fd, GUEST_DATA, 2 * PAGE, 3, f->mem, PAGE))
		fuzz_fail(f, "guest_map: %s", strerror(errno));
	cpu = ioctl(fd, MMFD_VCPU_CREATE, &vcpu);
	expect(f, "MMFD_VCPU_CREATE", cpu, ERRORS(ENOMEM));
	replace(f, i, cpu);
	replace(f, (i + 1) % NR_SLOTS, fd);
	if (mmap(f->runs[page], PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		 cpu, 0) == MAP_FAILED)
		fuzz_fail(f, "run page: %s", strerror(errno));
	f->run_of[page] = i;
}

static void op_close(struct fuzz *f)
{
	replace(f, rnd(&f->rng, NR_SLOTS), -1);
}

static void op_dup(struct fuzz *f)
{
	int fd = dup(slot(f, rnd(&f->rng, NR_SLOTS)));

	if (fd >= 0)
		replace(f, rnd(&f->rng, NR_SLOTS), fd);
}

/* Through a socket and back, or lost in one that is closed */
static void op_send(struct fuzz *f)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { };
	struct iovec io = { .iov_base = "x", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &io, .msg_iovlen = 1, .msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int pair[2], i = rnd(&f->rng, NR_SLOTS), fd = slot(f, i);
	char byte;

	if (fd < 0 || socketpair(AF_UNIX, SOCK_DGRAM, 0, pair))
		return;
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	sendmsg(pair[0], &msg, 0);
	replace(f, i, -1);
	io.iov_base = &byte;
	if (!one_in(&f->rng, 3) && recvmsg(pair[1], &msg, MSG_DONTWAIT) == 1 &&
	    msg.msg_controllen) {
		memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
		replace(f, i, fd);
	}
	close(pair[0]);
	close(pair[1]);
}

static void op_wild(struct fuzz *f)
{
	int fd = one_in(&f->rng, 2) ? f->dev : slot(f, rnd(&f->rng, NR_SLOTS));
	unsigned long arg = one_in(&f->rng, 2) ? 0 : GUEST_NONE + rnd(&f->rng, 2 * PAGE);
	/* Whatever number, size and direction; up to the last that takes a structure */
	unsigned int cmd = rnd(&f->rng, 0x13) | MMFD_IOC << 8 | rnd(&f->rng, 1 << 16) << 16;

	expect(f, "ioctl", ioctl(fd, cmd, arg), ERRORS(EBADF, ENOTTY, EFAULT, EINVAL));
}

static void op_look(struct fuzz *f)
{
	char path[64], text[512];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d",
		 slot(f, rnd(&f->rng, NR_SLOTS)));
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return;
	if (read(fd, text, sizeof(text)) <= 0)
		fuzz_fail(f, "fdinfo: %s", strerror(errno));
	close(fd);
}

static void op_move(struct fuzz *f)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(rnd(&f->rng, sysconf(_SC_NPROCESSORS_CONF)), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

void op_timer(struct fuzz *f)
{
	struct itimerval it = { .it_interval.tv_usec = 1000 };

	it.it_value.tv_usec = 100 + rnd(&f->rng, 300);
	setitimer(ITIMER_REAL, &it, NULL);
}

#ifdef MMFD_SWITCH
/* ioctl() that leaves nothing on the stack, where a copy would have something else */
static inline __attribute__((always_inline)) long raw_ioctl(int fd, unsigned long cmd,
							    const void *arg)
{
	long ret = SYS_ioctl;

	asm volatile("syscall" : "+a" (ret) : "D" ((long)fd), "S" (cmd), "d" (arg) :
		     "rcx", "r11", "memory");
	return ret;
}

static void refused_switches(struct fuzz *f)
{
	const int *errors = ERRORS(EINVAL, EBADF, ENOTTY, ENOENT, EOPNOTSUPP, EUSERS);

	expect(f, "MMFD_SWITCH", ioctl(slot(f, rnd(&f->rng, NR_SLOTS)), MMFD_SWITCH,
				       odd_value(&f->rng) | 1), errors);
	expect(f, "MMFD_SIGALTMM", ioctl(slot(f, rnd(&f->rng, NR_SLOTS)), MMFD_SIGALTMM,
					 odd_value(&f->rng)), errors);
}

/*
 * For a child: to a copy of it, and back. What is in memory that is not shared is
 * then as it was when the copy was made.
 */
void op_switch(struct fuzz *f)
{
	volatile long *fds = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct mmfd_create self = { .flags = MMFD_CREATE_SELF };
	struct mmfd_create copy = { .flags = MMFD_CREATE_COPY };
	static volatile int where;
	long err;

	refused_switches(f);
	fds[0] = raw_ioctl(f->dev, MMFD_CREATE, &self);
	where = 1;
	fds[1] = raw_ioctl(f->dev, MMFD_CREATE, &copy);
	if (fds[0] < 0 || fds[1] < 0)
		fuzz_fail(f, "self: %ld, copy: %ld", fds[0], fds[1]);
	where = 2;
	err = raw_ioctl(fds[1], MMFD_SWITCH, NULL);
	if (err || where != 1)
		fuzz_fail(f, "MMFD_SWITCH to a copy: %ld, it is %d there", err, where);
	home_check(f);
	where = 3;
	err = raw_ioctl(fds[0], MMFD_SWITCH, NULL);
	if (err || where != 2)
		fuzz_fail(f, "MMFD_SWITCH back: %ld, it is %d here", err, where);
	close(fds[0]);
	close(fds[1]);
	munmap((void *)fds, PAGE);
}
#else
void op_switch(struct fuzz *f)
{
}
#endif

const struct fuzz_op fuzz_ops[] = {
	{ 15, op_create }, { 60, op_vcpu }, { 160, op_ops }, { 30, op_query },
	{ 30, op_xstate }, { 600, op_run }, { 80, op_guest }, { 20, op_close }, { 20, op_dup },
	{ 20, op_send }, { 40, op_wild }, { 10, op_look }, { 10, op_move },
	{ 10, op_timer }, { 3, op_fork }, { 1, op_frames },
	{ 0 },
};
