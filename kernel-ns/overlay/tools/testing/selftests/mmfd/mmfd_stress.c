// SPDX-License-Identifier: GPL-2.0
/*
 * mmfd: many virtual CPUs of one address space at once, for a while.
 *
 * usage: mmfd_stress [SECONDS]
 *
 * Threads run guests that count, and see that no count is lost, while others move
 * them from CPU to CPU, send them signals, change the address space, make and
 * close virtual CPUs, and while children with the same descriptors end, exec, and
 * are killed inside.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#define MMFD_NO_HARNESS
#include "mmfd_test.h"
#include "../kselftest.h"

#define NR_RUNNERS	4

struct runner {
	pthread_t thread;
	int vcpu;
	struct mmfd_run *run;
	uint64_t calls;
	uint64_t interrupts;
};

static struct guest guest;
static struct runner runners[NR_RUNNERS];
static atomic_bool stop;
static atomic_ulong moves, signals, changes, faults, closes, children;

static void fail(const char *what, long value)
{
	printf("# %s: %ld\n", what, value);
	printf("not ok 1 address spaces under stress\n");
	fflush(stdout);
	_exit(1);
}

static void nothing(int sig)
{
}

/*
 * lock incq (%rdi); inc %rbx; mov (%rsi),%rax; movq %rbx,%xmm5; xor %eax,%eax;
 * movq %xmm5,%rcx; syscall; jmp back
 *
 * What is at %rsi comes and goes.
 */
static void load_guest(void)
{
	guest_load(&guest, 0xf0, 0x48, 0xff, 0x07, 0x48, 0xff, 0xc3, 0x48, 0x8b, 0x06,
		   0x66, 0x48, 0x0f, 0x6e, 0xeb, 0x31, 0xc0,
		   0x66, 0x48, 0x0f, 0x7e, 0xe9, 0x48, 0x89, 0xca, X_SYSCALL,
		   X_BACK(27));
}

static void begin(struct mmfd_run *run)
{
	memset(&run->regs, 0, sizeof(run->regs));
	run->regs.rip = GUEST_CODE;
	run->regs.rdi = GUEST_DATA + 128;
	run->regs.rsi = GUEST_NONE;
	run->regs.rsp = GUEST_DATA + PAGE;
}

static void serve_fault(const struct mmfd_run *run)
{
	int err;

	if (run->addr != GUEST_NONE)
		fail("fault at", run->addr);
	err = guest_map(guest.mm, GUEST_NONE, PAGE, PROT_READ, -1, 0);
	if (err)
		fail("guest_map", err);
	faults++;
}

static void *runner(void *arg)
{
	struct runner *me = arg;

	begin(me->run);
	while (!stop) {
		int err = mmfd_run(me->vcpu);

		if (err)
			fail("mmfd_run", err);
		if (me->run->reason == MMFD_EXIT_INTERRUPTED) {
			me->interrupts++;
			continue;
		}
		if (me->run->reason == MMFD_EXIT_FAULT) {
			serve_fault(me->run);
			continue;
		}
		if (me->run->reason != MMFD_EXIT_SYSCALL)
			fail("reason", me->run->reason);
		me->calls++;
		if (me->run->regs.rbx != me->calls || me->run->regs.rdx != me->calls)
			fail("count", me->run->regs.rbx);
	}
	return NULL;
}

static void *mover(void *arg)
{
	int nr = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int i;
	cpu_set_t set;

	for (i = 0; !stop; i++) {
		CPU_ZERO(&set);
		CPU_SET(rand() % nr, &set);
		pthread_setaffinity_np(runners[i % NR_RUNNERS].thread, sizeof(set), &set);
		moves++;
		pthread_kill(runners[rand() % NR_RUNNERS].thread, SIGUSR1);
		signals++;
		usleep(rand() % 300);
	}
	return NULL;
}

static void *changer(void *arg)
{
	while (!stop) {
		int err = guest_unmap(guest.mm, GUEST_NONE, PAGE);

		if (!err)
			err = guest_map(guest.mm, 0x40000000 + (rand() % 64) * PAGE,
					4 * PAGE, PROT_READ, guest.mem, 0);
		if (!err)
			err = guest_protect(guest.mm, GUEST_DATA, PAGE,
					    PROT_READ | PROT_WRITE);
		if (err)
			fail("change", err);
		changes++;
		usleep(rand() % 1000);
	}
	return NULL;
}

/* Virtual CPUs of the same address space come, run once, and go. */
static void *closer(void *arg)
{
	while (!stop) {
		struct mmfd_run *run;
		int vcpu = guest_vcpu(guest.mm, MMFD_PASS_TIME, &run), err;

		if (vcpu < 0)
			fail("guest_vcpu", vcpu);
		begin(run);
		/* A number of its own, as it is not counted */
		run->regs.rdi = GUEST_DATA + 256;
		err = mmfd_run(vcpu);
		if (err)
			fail("mmfd_run of a short one", err);
		close(vcpu);
		munmap(run, PAGE);
		closes++;
		usleep(rand() % 2000);
	}
	return NULL;
}

static void __attribute__((noreturn)) child(unsigned int how, unsigned int usecs)
{
	struct mmfd_run *run;
	int vcpu = guest_vcpu(guest.mm, 0, &run);
	unsigned int n = 0;

	if (vcpu < 0)
		_exit(1);
	begin(run);
	run->regs.rdi = GUEST_DATA + 256;
	if (how == 1)
		ualarm(usecs, 0);	/* ends it inside */
	do {
		if (mmfd_run(vcpu))
			_exit(2);
		if (run->reason == MMFD_EXIT_FAULT)
			serve_fault(run);
	} while (how || ++n < 200);
	execl("/proc/self/exe", "mmfd_stress", "0", NULL);
	_exit(3);
}

/* Children that exec, end by a signal of their own, and are killed */
static void spawn(unsigned int i)
{
	/* Not in the child: another thread may have held the lock of rand(). */
	unsigned int how = i % 3, usecs = 20000 + rand() % 50000;
	static const int ends[] = { 0, SIGALRM, SIGKILL };
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		child(how, usecs);
	if (pid < 0)
		fail("fork", errno);
	if (how == 2) {
		usleep(usecs);
		kill(pid, SIGKILL);
	}
	if (waitpid(pid, &status, 0) != pid)
		fail("waitpid", errno);
	if (status != ends[how])
		fail("child", status);
	children++;
}

static bool stress(int seconds)
{
	time_t end = time(NULL) + seconds;
	uint64_t calls = 0, interrupts = 0;
	pthread_t others[3];
	bool good = true;
	unsigned int i;

	for (i = 0; i < NR_RUNNERS; i++) {
		runners[i].vcpu = guest_vcpu(guest.mm, 0, &runners[i].run);
		if (runners[i].vcpu < 0)
			fail("guest_vcpu", runners[i].vcpu);
		pthread_create(&runners[i].thread, NULL, runner, &runners[i]);
	}
	pthread_create(&others[0], NULL, mover, NULL);
	pthread_create(&others[1], NULL, changer, NULL);
	pthread_create(&others[2], NULL, closer, NULL);
	for (i = 0; time(NULL) < end; i++)
		spawn(i);
	stop = true;
	for (i = 0; i < 3; i++)
		pthread_join(others[i], NULL);
	for (i = 0; i < NR_RUNNERS; i++) {
		pthread_join(runners[i].thread, NULL);
		good &= runners[i].calls > 0;
		calls += runners[i].calls;
		interrupts += runners[i].interrupts;
	}
	printf("# %lu calls, %lu interrupts, %lu faults, %lu moves, %lu signals\n",
	       calls, interrupts, faults, moves, signals);
	printf("# %lu changes, %lu short ones, %lu children\n", changes, closes, children);
	/* One more if the last run of a thread ended between count and call */
	return good && interrupts && faults && changes && closes && children &&
	       *(uint64_t *)(guest.data + 128) - calls <= NR_RUNNERS;
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = nothing };
	int seconds = argc > 1 ? atoi(argv[1]) : 10;

	if (!seconds)
		return 0;
	ksft_print_header();
	ksft_set_plan(1);
	sigaction(SIGUSR1, &sa, NULL);
	if (!guest_init(&guest, 0))
		fail("no guest", errno);
	load_guest();
	ksft_test_result(stress(seconds), "address spaces under stress\n");
	ksft_finished();
}
