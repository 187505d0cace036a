// SPDX-License-Identifier: GPL-2.0
/*
 * mmfd-storm - a storm of signals against the interrupt flag of libmmfd.
 *
 * usage: mmfd-storm flag [N]      the flag goes on and off meanwhile
 *        mmfd-storm guest [N]     and a guest runs; needs CONFIG_MMFD
 *        mmfd-storm naive [N]     without libmmfd: one bit for each line
 *        mmfd-storm pile [N]      N signals at once, on a small stack
 *        mmfd-storm pile-naive [N]  the same without libmmfd
 *
 * Two threads send N signals each (5000), in bursts, every one queued by the
 * kernel. Exits with 0 if each was delivered once, with the flag off and outside
 * critical sections. "naive" loses some, and "pile-naive" dies of SIGSEGV.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mmfd.h>

#include "check.h"

#define LINES	     24
#define SENDERS	     2
#define SIGNAL(line) (SIGRTMIN + 1 + (int)(line))
#define GUEST	     0x10000UL

static struct mmfd_pic *pic;
static long per_sender = 5000;
static pthread_t target;
static atomic_int senders;

static uint64_t got[LINES];
static atomic_ullong sent[LINES];

/* Of the target, in what it is when it is interrupted */
static volatile sig_atomic_t critical, enabling, running;

static long in_critical, with_flag, in_enable, in_run, elsewhere;

static void take(unsigned int line, uint64_t count, void *arg)
{
	(void)arg;
	got[line] += count;
	in_critical += critical;
	with_flag += mmfd_pic_enabled(pic);
	if (enabling)
		in_enable++;
	else if (running)
		in_run++;
	else
		elsewhere++;
}

/* What a program might do that knows one bit for each line */
static volatile sig_atomic_t naive_off, naive_bit[LINES];

static void naive(int signo)
{
	int line = signo - SIGNAL(0);

	if (naive_off)
		naive_bit[line] = 1;
	else
		got[line]++;
}

static void naive_enable(void)
{
	int line;

	naive_off = 0;
	for (line = 0; line < LINES; line++) {
		got[line] += naive_bit[line];
		naive_bit[line] = 0;
	}
}

static void *sender(void *arg)
{
	unsigned int line = (uintptr_t)arg;
	long i;

	for (i = 1; i <= per_sender; i++) {
		line = (line + 1) % LINES;
		/* The last one ends a run that began before it could know. */
		if (i == per_sender)
			atomic_fetch_sub(&senders, 1);
		/* The queue has an end. */
		while (pthread_sigqueue(target, SIGNAL(line),
					(union sigval){ 0 }) == EAGAIN)
			sched_yield();
		atomic_fetch_add(&sent[line], 1);
		if (!(i % 8))
			usleep(100 + i % 512);
	}
	return NULL;
}

static void block(int how)
{
	sigset_t set;
	int line;

	sigemptyset(&set);
	for (line = 0; line < LINES; line++)
		sigaddset(&set, SIGNAL(line));
	pthread_sigmask(how, &set, NULL);
}

static void spend(int loops)
{
	while (loops--)
		asm volatile("" : : "r"(loops));
}

static void work_flag(void)
{
	mmfd_pic_disable(pic);
	critical = 1;
	spend(3000);
	critical = 0;
	enabling = 1;
	mmfd_pic_enable(pic);
	enabling = 0;
	spend(300);
}

static void work_naive(void)
{
	naive_off = 1;
	spend(3000);
	naive_enable();
	spend(300);
}

static struct mmfd_vcpu *vcpu;

static void run_guest(void)
{
	int reason;

	/* The last signal is still to come, so it will end. */
	if (!senders)
		return;
	running = 1;
	reason = mmfd_vcpu_run(vcpu);
	running = 0;
	if (reason != MMFD_EXIT_INTERRUPTED)
		check(0, "a run ended with %d", reason);
}

/* In turns with the flag on and with the flag off */
static void work_guest(void)
{
	run_guest();
	mmfd_pic_disable(pic);
	critical = 1;
	run_guest();
	critical = 0;
	enabling = 1;
	mmfd_pic_enable(pic);
	enabling = 0;
}

/* inc %rax; jmp back */
static int make_guest(void)
{
	static const uint8_t code[] = { 0x48, 0xff, 0xc0, 0xeb, 0xfb };
	int memory = memfd_create("guest", 0), dev = mmfd_open();
	int space = dev < 0 ? dev : mmfd_create(dev, 0);
	int err;

	if (space < 0)
		return space;
	if (pwrite(memory, code, sizeof(code), 0) < 0)
		return -errno;
	err = mmfd_map(space, GUEST, 4096, MMFD_PROT_READ | MMFD_PROT_EXEC,
		       MMFD_MAP_PRIVATE, memory, 0);
	if (!err)
		err = mmfd_vcpu_create(space, 0, 0, &vcpu);
	if (!err)
		mmfd_vcpu_page(vcpu)->regs.rip = GUEST;
	return err;
}

static void storm(void (*work)(void))
{
	pthread_t threads[SENDERS];
	uintptr_t i;

	target = pthread_self();
	senders = SENDERS;
	block(SIG_BLOCK);
	for (i = 0; i < SENDERS; i++)
		pthread_create(&threads[i], NULL, sender, (void *)(i * 2));
	block(SIG_UNBLOCK);
	while (senders)
		work();
	for (i = 0; i < SENDERS; i++)
		pthread_join(threads[i], NULL);
}

static void make_pic(void)
{
	int line;

	mmfd_pic_create(take, NULL, &pic);
	mmfd_pic_bind(pic);
	for (line = 0; line < LINES; line++)
		check(!mmfd_pic_signal(pic, SIGNAL(line), line), "signal");
}

static void compare(void)
{
	int line;

	for (line = 0; line < LINES; line++)
		check(sent[line] == got[line],
		      "line %d: sent %llu, delivered %llu", line,
		      (unsigned long long)sent[line],
		      (unsigned long long)got[line]);
}

static void storm_flag(void)
{
	make_pic();
	storm(work_flag);
	mmfd_pic_enable(pic);
	compare();
	check(!in_critical, "%ld in a critical section", in_critical);
	check(!with_flag, "%ld with the flag on", with_flag);
	/* Else the storm was none. */
	check(in_enable, "none waited for the flag");
	check(elsewhere, "none came with the flag on");
	printf("delivered in enable: %ld, in a run: %ld, elsewhere: %ld\n",
	       in_enable, in_run, elsewhere);
}

static void storm_guest(void)
{
	int err = make_guest();

	if (!check(!err, "no guest: %s", strerror(-err)))
		return;
	make_pic();
	storm(work_guest);
	mmfd_pic_enable(pic);
	compare();
	check(!in_critical, "%ld in a critical section", in_critical);
	check(!with_flag, "%ld with the flag on", with_flag);
	check(in_enable, "none waited for the flag");
	check(in_run, "none came while the guest ran");
	check(mmfd_vcpu_page(vcpu)->regs.rax, "the guest never ran");
	printf("delivered in enable: %ld, in a run: %ld, elsewhere: %ld\n",
	       in_enable, in_run, elsewhere);
}

static void storm_naive(void)
{
	struct sigaction action = { .sa_handler = naive,
				    .sa_flags = SA_RESTART };
	int line;

	for (line = 0; line < LINES; line++)
		sigaction(SIGNAL(line), &action, NULL);
	storm(work_naive);
	naive_enable();
	compare();
}

/* A stack that holds a few signals, and not N */
static void small_stack(void)
{
	size_t size = 16384 + 6 * sysconf(_SC_MINSIGSTKSZ);
	stack_t stack = { .ss_size = size };
	char *mem = mmap(NULL, size + 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(mem, 4096, PROT_NONE);
	stack.ss_sp = mem + 4096;
	sigaltstack(&stack, NULL);
}

static void pile(void)
{
	union sigval none = { 0 };
	long i;

	small_stack();
	block(SIG_BLOCK);
	for (i = 0; i < per_sender; i++) {
		if (sigqueue(getpid(), SIGNAL(i % LINES), none))
			break;
		sent[i % LINES]++;
	}
	check(i >= 500, "only %ld signals can be queued", i);
	block(SIG_UNBLOCK);
	compare();
}

static void pile_pic(void)
{
	make_pic();
	mmfd_pic_enable(pic);
	pile();
	check(!with_flag, "%ld with the flag on", with_flag);
}

static void pile_naive(void)
{
	struct sigaction action = {
		.sa_handler = naive,
		.sa_flags = SA_RESTART | SA_ONSTACK | SA_NODEFER,
	};
	int line;

	for (line = 0; line < LINES; line++)
		sigaction(SIGNAL(line), &action, NULL);
	pile();
}

static const struct {
	const char *name;
	void (*run)(void);
} storms[] = {
	{ "flag", storm_flag },	      { "guest", storm_guest },
	{ "naive", storm_naive },     { "pile", pile_pic },
	{ "pile-naive", pile_naive },
};

int main(int argc, char **argv)
{
	size_t i;

	if (argc == 3)
		per_sender = atol(argv[2]);
	for (i = 0; argc > 1 && i < ARRAY_SIZE(storms); i++) {
		if (!strcmp(argv[1], storms[i].name))
			storms[i].run();
	}
	return check_result();
}
