// SPDX-License-Identifier: GPL-2.0
/*
 * mmfd: random sequences of calls, run pages, registers and guest code.
 *
 * usage: mmfd_fuzz [-s SEED] [-n OPERATIONS] [-p PROCESSES]
 *
 * Each process draws its operations from SEED and its own number; so the same
 * seed makes the same ones, though not at the same time. While they go on, a
 * second thread of the process runs virtual CPUs, and a third one writes to run
 * pages and to the guests' memory, and sends signals. What is looked at: nobody
 * dies, home is as it was, errors and reasons are documented ones.
 */
#define _GNU_SOURCE
#include <linux/capability.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "mmfd_fuzz.h"

static pthread_t threads[2];

void fuzz_fail(struct fuzz *f, const char *format, ...)
{
	va_list args;
	char text[160];

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printf("# process of seed %lu, operation %lu: %s\n", f->seed,
	       f->op ? (unsigned long)*f->op : 0, text);
	fflush(stdout);
	_exit(1);
}

/* Do one, drawn by weight. A child has none of its own. */
static void one_operation(struct fuzz *f)
{
	const struct fuzz_op *op;
	unsigned int sum = 0, pick;

	for (op = fuzz_ops; op->weight; op++)
		sum += op->weight;
	pick = rnd(&f->rng, sum);
	for (op = fuzz_ops; pick >= op->weight; op++)
		pick -= op->weight;
	if (!f->child || (op->op != op_fork && op->op != op_frames))
		op->op(f);
}

static void nothing(int sig)
{
}

static void __attribute__((noreturn)) child(struct fuzz *f, unsigned int how)
{
	int page, i;

	f->child = true;
	f->noisy = false;
	f->op = NULL;
	/* The run pages are not there any more. */
	for (page = 0; page < NR_PAGES; page++) {
		f->run_of[page] = -1;
		if (mmap(f->runs[page], PAGE, PROT_READ | PROT_WRITE, MAP_FIXED |
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
			fuzz_fail(f, "child: mmap: %s", strerror(errno));
	}
	op_timer(f);
	op_switch(f);
	op_guest(f);
	for (i = 0; i < 20; i++)
		one_operation(f);
	home_check(f);
	/* The timer goes on after exec(), the handler does not. */
	if (how == 0) {
		signal(SIGALRM, SIG_IGN);
		execl("/proc/self/exe", "mmfd_fuzz", "-x", NULL);
		fuzz_fail(f, "exec: %s", strerror(errno));
	}
	while (how == 1)
		op_run(f);
	if (how == 2)
		raise(SIGKILL);
	_exit(0);
}

/* A child with the same descriptors: it ends, is killed, or becomes another. */
void op_fork(struct fuzz *f)
{
	unsigned int how = rnd(&f->rng, 4);
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		child(f, how);
	if (pid < 0)
		return;
	if (how == 1) {
		usleep(rnd(&f->rng, 30000));
		kill(pid, SIGKILL);
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			fuzz_fail(f, "waitpid: %s", strerror(errno));
	}
	if (status == 0 && how != 2)
		return;
	if (how == 0 || how == 3 || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		fuzz_fail(f, "child %u ended with %#x", how, status);
}

/* The second thread: whatever is a virtual CPU, it runs it. */
static void *runner(void *arg)
{
	struct fuzz *f = arg;
	uint64_t rng = f->seed ^ 0x5555;

	for (;;) {
		f->active++;
		if (f->noisy)
			fuzz_run(f, f->slots[rnd(&rng, NR_SLOTS)], 0, NULL);
		f->active--;
		if (!f->noisy)
			usleep(200);
	}
	return NULL;
}

/* The third one: makes noise for a while and is silent for a while. */
static void *noise(void *arg)
{
	struct fuzz *f = arg;
	uint64_t rng = f->seed ^ 0xaaaa;
	unsigned int i;

	for (;;) {
		pthread_kill(threads[0], SIGUSR1);
		usleep(rnd(&rng, 500));
		pthread_kill(threads[1], SIGUSR1);
		f->active++;
		for (i = rnd(&rng, 8); f->noisy && i; i--) {
			((uint64_t *)f->runs[rnd(&rng, NR_PAGES)])
				[rnd(&rng, sizeof(struct mmfd_run) / 8)] = odd_value(&rng);
			f->view[PAGE + rnd(&rng, (GUEST_MEM - 1) * PAGE)] = rnd64(&rng);
			if (one_in(&rng, 8))
				fuzz_code(&rng, f->view, 64, true);
		}
		f->active--;
	}
	return NULL;
}

static void drop_cap_sys_time(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	syscall(SYS_capget, &head, data);
	data[0].effective &= ~(1U << CAP_SYS_TIME);
	data[0].permitted &= ~(1U << CAP_SYS_TIME);
	syscall(SYS_capset, &head, data);
}

static void setup(struct fuzz *f)
{
	struct sigaction sa = { .sa_handler = nothing };
	unsigned int i;

	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGALRM, &sa, NULL);
	/* Guests that may set the clock shall not. */
	drop_cap_sys_time();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* A copy's guest may write to shared memory; not to this. */
	madvise((void *)f->op, PAGE, MADV_DONTFORK);
	f->dev = open("/dev/mmfd", O_RDWR | O_CLOEXEC);
	f->mem = memfd_create("fuzz", MFD_CLOEXEC);
	if (f->dev < 0 || f->mem < 0 || ftruncate(f->mem, GUEST_MEM * PAGE))
		fuzz_fail(f, "memory of guests: %s", strerror(errno));
	f->view = mmap(NULL, GUEST_MEM * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		       f->mem, 0);
	for (i = 0; i < NR_SLOTS; i++)
		f->slots[i] = -1;
	for (i = 0; i < NR_PAGES; i++) {
		f->run_of[i] = -1;
		f->runs[i] = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	}
	home_init();
}

static void __attribute__((noreturn)) worker(uint64_t seed, uint64_t nr,
					     atomic_uint_fast64_t *op)
{
	struct fuzz f = { .rng = seed, .seed = seed, .op = op };
	uint64_t i;

	setup(&f);
	threads[0] = pthread_self();
	if (pthread_create(&threads[1], NULL, runner, &f) ||
	    pthread_create(&(pthread_t){ 0 }, NULL, noise, &f))
		fuzz_fail(&f, "pthread_create: %s", strerror(errno));
	for (i = 0; i < nr; i++) {
		*op = i;
		f.noisy = i / 256 % 4 == 3;
		while (!f.noisy && f.active)
			usleep(100);
		one_operation(&f);
		if (i % 64 == 0)
			home_check(&f);
	}
	home_check(&f);
	*op = nr;
	_exit(0);
}

static bool fuzz(uint64_t seed, uint64_t nr, unsigned int processes)
{
	atomic_uint_fast64_t *op[64];
	uint64_t done = 0, reasons[NR_REASONS] = { };
	bool good = true;
	unsigned int i, j;
	pid_t pid[64];
	int status;

	for (i = 0; i < processes; i++) {
		op[i] = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		fflush(stdout);
		pid[i] = fork();
		if (!pid[i])
			worker((seed + i) * 0x9e3779b97f4a7c15UL | 1, nr / processes, op[i]);
	}
	for (i = 0; i < processes; i++) {
		waitpid(pid[i], &status, 0);
		done += *op[i];
		for (j = 0; j < NR_REASONS; j++)
			reasons[j] += op[i][1 + j];
		if (!status)
			continue;
		printf("# process %u ended with %#x at operation %lu\n", i, status,
		       (unsigned long)*op[i]);
		good = false;
	}
	printf("# %lu operations\n", (unsigned long)done);
	printf("# runs: %lu refused, ended by call %lu, fault %lu, exception %lu, interrupt %lu\n",
	       reasons[0], reasons[1], reasons[2], reasons[3], reasons[4]);
	/* It would be of no use if it did not get that far. */
	for (j = 0; j < NR_REASONS; j++)
		good &= reasons[j] > nr / 1000;
	return good && done == nr / processes * processes;
}

int main(int argc, char **argv)
{
	uint64_t seed = time(NULL), nr = 20000;
	unsigned int processes = 2;
	bool good;
	int c;

	while ((c = getopt(argc, argv, "s:n:p:x")) != -1) {
		if (c == 's')
			seed = strtoull(optarg, NULL, 0);
		else if (c == 'n')
			nr = strtoull(optarg, NULL, 0);
		else if (c == 'p')
			processes = atoi(optarg);
		else
			return c == 'x' ? 0 : 1;
	}
	if (!nr || !processes || processes > 64) {
		fprintf(stderr, "mmfd_fuzz: -n from 1, -p from 1 to 64\n");
		return 1;
	}
	find_emulator();
	ksft_print_header();
	ksft_set_plan(1);
	ksft_print_msg("mmfd_fuzz -s %lu -n %lu -p %u\n", (unsigned long)seed,
		       (unsigned long)nr, processes);
	good = fuzz(seed, nr, processes);
	ksft_test_result(good, "random operations do no harm\n");
	ksft_finished();
}
