// SPDX-License-Identifier: GPL-2.0
/*
 * mmfd-signals - a supervisor that is driven by signals alone, with sigaltmm() of
 * mmfd/compat.h.
 *
 * usage: mmfd-signals serve|steal|jump|forge|spin
 *
 * A handler enters the guest, an untrusted function in an address space of its own,
 * by returning there. From then on this program runs in signal handlers only, in
 * its own address space: a seccomp filter makes every system call of the guest a
 * SIGSYS, a page fault is a SIGSEGV, and a timer ticks. serve is a well-behaved
 * guest, the others try to get out. Exits with the guest's exit code, 2 if it was
 * stopped, 1 on failure, 124 if the kernel lacks CONFIG_MMFD.
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <mmfd/compat.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "mmfd-context.h"
#include "mmfd-example.h"

#define PAGE	  4096UL
#define DATA	  0x100000UL
#define DATA_SIZE 0x10000UL
#define HEAP	  0x200000UL /* mapped when it is touched */
#define HEAP_SIZE 0x10000UL
#define GUEST_PID 7
#define TICK	  10000 /* us */
#define PATIENCE  50	/* ticks */

/**
 * struct data - memory of the guest, at DATA; the stack is above
 * @self: DATA; FS and GS base of the guest point here
 * @text: what it says
 * @length: of that
 * @secret: address of something of the supervisor's
 * @ticks: written by the supervisor
 */
struct data {
	struct data *self;
	char text[64];
	long length;
	long secret;
	volatile long ticks;
};

/* ---- the guest ---- */

static GUEST bool has_bases(const struct data *data)
{
	const struct data *fs, *gs;

	asm volatile("movq %%fs:0, %0" : "=r"(fs));
	asm volatile("movq %%gs:0, %0" : "=r"(gs));
	return fs == data && gs == data;
}

static GUEST void do_serve(struct data *data)
{
	volatile long *heap = (void *)HEAP;
	long pid, i, bad = 0, then = data->ticks;

	guest_call(SYS_write, 1, (long)data->text, data->length);
	pid = guest_call(SYS_getpid, 0, 0, 0);
	for (i = 0; i < 4; i++)
		heap[i * PAGE / sizeof(long)] += i;
	for (i = 0; i < 4; i++)
		bad |= heap[i * PAGE / sizeof(long)] != i;
	while (data->ticks < then + 3)
		bad |= !has_bases(data);
	i = guest_call(SYS_reboot, 0, 0, 0);
	guest_call(SYS_exit_group, bad || pid != GUEST_PID || i != -ENOSYS, 0,
		   0);
}

static GUEST void do_steal(struct data *data)
{
	guest_call(SYS_exit_group, *(volatile char *)data->secret, 0, 0);
}

/* To the supervisor's code, from where system calls would be allowed */
static GUEST void do_jump(struct data *data)
{
	asm volatile("jmp *%0" : : "r"(data->secret));
}

/* A frame of its own, and calls by another entry */
static GUEST void do_forge(struct data *data)
{
	long ret;

	ret = guest_call(SYS_rt_sigreturn, 0, 0, 0);
	asm volatile("int $0x80" : "+a"(ret) : "b"(0) : "memory");
	guest_call(SYS_exit_group, data->ticks < 0 || ret != -ENOSYS, 0, 0);
}

static GUEST void do_spin(struct data *data)
{
	while (data->ticks >= 0)
		;
}

static const struct function {
	const char *name;
	void (*address)(struct data *data);
} functions[] = {
	{ "serve", do_serve }, { "steal", do_steal }, { "jump", do_jump },
	{ "forge", do_forge }, { "spin", do_spin },
};

/* ---- the supervisor ---- */

/**
 * struct supervisor - a guest and what it did
 * @space: its address space
 * @start: where it begins
 * @data: its memory as it is mapped here
 * @home: what is to go on here when it has ended
 * @status: its exit code; -1 while it runs
 * @stopped: signal that it was stopped for, or 0
 * @address: of a page fault that it was stopped for
 * @writes: calls that were served, by kind
 * @getpids: likewise
 * @others: calls that were refused
 * @pages: that were mapped for it
 * @ticks: how often the timer came
 * @handled: how often it was interrupted
 * @strange: in how many of these handlers thread-local memory was another one
 */
static struct supervisor {
	int space;
	uintptr_t start;
	struct data *data;
	struct context home;
	int status, stopped;
	void *address;
	int writes, getpids, others, pages, ticks, handled, strange;
} super = { .status = -1 };

static char handler_stack[0x10000] __attribute__((aligned(16)));

/* What is here, and where, is seen only with the supervisor's FS base. */
static __thread long own = 0x5afe;
static long *own_address;

/* Back to where the guest was entered */
static void leave(ucontext_t *frame)
{
	context_load(&super.home, frame);
	mmfd_frame_set_space(frame, -1, 0, 0);
}

static void stop(ucontext_t *frame, int signo, void *address)
{
	super.stopped = signo;
	super.address = address;
	super.status = 2;
	leave(frame);
}

static void enter(ucontext_t *frame)
{
	if (!context_save(&super.home, frame))
		_exit(1);
	context_start(frame, super.start, DATA + DATA_SIZE, DATA);
	mmfd_frame_set_space(frame, super.space, DATA, DATA);
}

/* Only what is in its own data; not what is at that address here. */
static long serve_write(const greg_t *regs)
{
	uint64_t from = regs[REG_RSI] - DATA, len = regs[REG_RDX];

	super.writes++;
	if (regs[REG_RDI] != 1)
		return -EBADF;
	if (from > DATA_SIZE || len > DATA_SIZE - from)
		return -EFAULT;
	return write(1, (char *)super.data + from, len);
}

static void serve_call(ucontext_t *frame, const siginfo_t *info)
{
	greg_t *regs = frame->uc_mcontext.gregs;
	int nr = info->si_syscall;

	if (info->si_arch != AUDIT_ARCH_X86_64)
		nr = -1;
	switch (nr) {
	case SYS_write:
		regs[REG_RAX] = serve_write(regs);
		break;
	case SYS_getpid:
		super.getpids++;
		regs[REG_RAX] = GUEST_PID;
		break;
	case SYS_exit_group:
		super.status = regs[REG_RDI] & 0xff;
		leave(frame);
		break;
	default:
		super.others++;
		regs[REG_RAX] = -ENOSYS;
	}
}

static void serve_fault(ucontext_t *frame, const siginfo_t *info)
{
	uintptr_t address = (uintptr_t)info->si_addr & -PAGE;

	if (address - HEAP >= HEAP_SIZE ||
	    mmfd_map(super.space, address, PAGE, PROT_READ | PROT_WRITE,
		     MMFD_MAP_PRIVATE | MMFD_MAP_ANONYMOUS | MMFD_MAP_NOREPLACE,
		     -1, 0)) {
		stop(frame, SIGSEGV, info->si_addr);
		return;
	}
	super.pages++;
}

static void tick(ucontext_t *frame)
{
	super.ticks++;
	super.data->ticks++;
	if (super.ticks > PATIENCE)
		stop(frame, SIGALRM, NULL);
}

static void on_guest_signal(int signo, const siginfo_t *info, ucontext_t *frame)
{
	super.handled++;
	if (&own != own_address || own != 0x5afe)
		super.strange++;
	switch (signo) {
	case SIGSYS:
		serve_call(frame, info);
		break;
	case SIGSEGV:
		serve_fault(frame, info);
		break;
	case SIGALRM:
		tick(frame);
		break;
	default:
		stop(frame, signo, info->si_addr);
	}
}

/* Of the signal; it is blocked until the handler returns. */
static void die(int signo)
{
	signal(signo, SIG_DFL);
	raise(signo);
}

/* Of its own, this program has SIGUSR1 to enter the guest, and ticks to ignore. */
static void on_signal(int signo, siginfo_t *info, void *ucontext)
{
	int err = errno;

	if (mmfd_frame_space(ucontext) == super.space)
		on_guest_signal(signo, info, ucontext);
	else if (signo == SIGUSR1)
		enter(ucontext);
	else if (signo != SIGALRM)
		die(signo);
	errno = err;
}

static int set_handlers(void)
{
	static const int signals[] = {
		SIGUSR1, SIGALRM, SIGSYS, SIGSEGV,
		SIGBUS,	 SIGILL,  SIGFPE, SIGTRAP,
	};
	struct sigaction action = {
		.sa_sigaction = on_signal,
		.sa_flags = SA_SIGINFO,
	};
	stack_t stack = {
		.ss_sp = handler_stack,
		.ss_size = sizeof(handler_stack),
	};
	size_t i;
	int err;

	if (sigaltstack(&stack, NULL))
		return -errno;
	sigfillset(&action.sa_mask);
	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		err = mmfd_sigaction(signals[i], &action, NULL);
		if (err)
			return err;
	}
	return 0;
}

/* System calls of this program's code go on, all others are SIGSYS. */
static int set_filter(void)
{
	uint64_t first = (uintptr_t)__executable_start;
	uint64_t last = (uintptr_t)etext;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 6),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, instruction_pointer) +
				 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, first >> 32, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, instruction_pointer)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (uint32_t)first, 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)last, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
	};
	struct sock_fprog filter = { ARRAY_SIZE(code), code };

	if (first >> 32 != last >> 32)
		return -EOPNOTSUPP;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
		return -errno;
	return 0;
}

static int make_guest(int dev, const struct function *function)
{
	static const char greeting[] = "guest: entered by a signal\n";
	int err;

	super.space = mmfd_create(dev, 0);
	if (super.space < 0)
		return super.space;
	err = guest_map(super.space, DATA, DATA_SIZE, (void **)&super.data);
	if (err)
		return err;
	super.start = GUEST_ADDRESS(function->address);
	super.data->self = (void *)DATA;
	memcpy(super.data->text, greeting, sizeof(greeting));
	super.data->length = sizeof(greeting) - 1;
	super.data->secret = (long)set_filter;
	return 0;
}

/* This address space is where handlers run from now on. */
static int become_supervisor(int dev)
{
	int self = mmfd_create(dev, MMFD_CREATE_SELF);

	if (self < 0)
		return self;
	own_address = &own;
	return sigaltmm(self) ? -errno : 0;
}

static int prepare(const struct function *function)
{
	int err, dev = mmfd_open();

	if (dev < 0)
		return dev;
	err = make_guest(dev, function);
	if (!err)
		err = become_supervisor(dev);
	close(dev);
	if (!err)
		err = set_handlers();
	return err ? err : set_filter();
}

static void report(const char *name)
{
	printf("served: write %d, getpid %d, pages %d; refused: %d\n",
	       super.writes, super.getpids, super.pages, super.others);
	printf("handlers with thread-local memory not the supervisor's: %d of %d\n",
	       super.strange, super.handled);
	if (super.stopped == SIGSEGV)
		printf("%s: stopped by a page fault at %s\n", name,
		       super.address == (void *)set_filter ?
			       "the supervisor's code" :
			       "another address");
	else if (super.stopped)
		printf("%s: stopped by signal %d\n", name, super.stopped);
	else
		printf("%s: ended, %d\n", name, super.status);
}

static int supervise(const struct function *function)
{
	struct itimerval timer = {
		.it_interval.tv_usec = TICK,
		.it_value.tv_usec = TICK,
	};
	const struct itimerval none = { 0 };
	int err = prepare(function);

	if (err)
		return example_fail("mmfd-signals", -err);
	setitimer(ITIMER_REAL, &timer, NULL);
	raise(SIGUSR1); /* returns when the guest has ended */
	setitimer(ITIMER_REAL, &none, NULL);
	sigaltmm(-1);
	report(function->name);
	return super.strange ? 1 : super.status;
}

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc == 2 && i < ARRAY_SIZE(functions); i++) {
		if (!strcmp(argv[1], functions[i].name))
			return supervise(&functions[i]);
	}
	fprintf(stderr, "usage: mmfd-signals serve|steal|jump|forge|spin\n");
	return 1;
}
