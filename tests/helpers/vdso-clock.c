// SPDX-License-Identifier: GPL-2.0
/*
 * vdso-clock - is the clock read in the vDSO, and does it agree across CPUs?
 *
 * usage: vdso-clock [TURNS]
 *
 * Prints "vdso" if clock_gettime() and gettimeofday() work under a seccomp
 * filter that kills whoever enters the kernel for them, and "steps back: N",
 * how often a thread on one CPU read an earlier time than a thread on the
 * other had read before; and "now: S.NS", the monotonic clock at the end.
 */
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static atomic_int turn;
static atomic_llong last;
static int back, turns = 20000;

static long long now(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts))
		exit(2);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void no_clock_syscalls(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clock_gettime, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_gettimeofday, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(*code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog)) {
		perror("seccomp");
		exit(2);
	}
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu % sysconf(_SC_NPROCESSORS_ONLN), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* Takes turns with the other thread; each time must be at least the last. */
static void *reader(void *arg)
{
	int me = *(int *)arg, i;
	long long t;

	pin(me);
	for (i = 0; i < turns; i++) {
		while (atomic_load(&turn) != me)
			sched_yield();
		t = now();
		if (t < atomic_load(&last))
			back++;
		atomic_store(&last, t);
		atomic_store(&turn, !me);
	}
	return NULL;
}

/* Long enough for many updates of the timekeeper to fall into a read */
static void read_for_long(void)
{
	long long end = now() + 500000000;
	struct timeval tv;

	while (now() < end)
		gettimeofday(&tv, NULL);
}

int main(int argc, char **argv)
{
	int ids[2] = { 0, 1 };
	pthread_t other;
	long long end;

	if (argc > 1)
		turns = atoi(argv[1]);
	no_clock_syscalls();
	read_for_long();
	puts("vdso");
	if (pthread_create(&other, NULL, reader, &ids[1]))
		return 2;
	reader(&ids[0]);
	pthread_join(other, NULL);
	printf("steps back: %d\n", back);
	end = now();
	printf("now: %lld.%09lld\n", end / 1000000000, end % 1000000000);
	return 0;
}
