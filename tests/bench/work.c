// SPDX-License-Identifier: GPL-2.0
/*
 * work - how long calls and switches of a program take: raw samples for
 * scripts/bench
 *
 * usage: work [-r ROUNDS] NAME...
 *
 * Prints lines like those of timecalls; a round does NAME some ten to a hundred
 * times. NAME is
 *   read-byte     read one byte of /dev/zero
 *   write-byte    write one to /dev/null
 *   map-touch     map a page of anonymous memory, write to it, unmap it
 *   thread        create a thread that does nothing, and join it
 *   pipe-self     a byte through a pipe of one's own
 *   pipe-pong     a byte to another process and one back, by two pipes
 *   switch-2      hand a byte on to the next of two processes in a ring of pipes:
 *                 a write, a switch, and a read
 *   switch-16     to the next of 16
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "work"
#include "bench.h"

#define RING_MAX 16

struct work {
	const char *name;
	unsigned int times;
	unsigned int ring; /* processes in a ring of pipes; 0: none */
	void (*once)(void);
};

static int zero, null;
static int ring[RING_MAX][2]; /* process i reads ring[i], writes ring[i + 1] */
static char byte;

static void read_byte(void)
{
	must(read(zero, &byte, 1) == 1, "read");
}

static void write_byte(void)
{
	must(write(null, &byte, 1) == 1, "write");
}

static void map_touch(void)
{
	long page = sysconf(_SC_PAGESIZE);
	volatile char *p = mmap(NULL, page, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED, "mmap");
	*p = 1;
	must(!munmap((void *)p, page), "munmap");
}

static void *nothing(void *arg)
{
	return arg;
}

static void thread(void)
{
	pthread_t id;

	errno = pthread_create(&id, NULL, nothing, NULL);
	must(!errno, "pthread_create");
	errno = pthread_join(id, NULL);
	must(!errno, "pthread_join");
}

/* In process @i of @n; false at the end of the ring. */
static int hand_on(unsigned int i, unsigned int n)
{
	return read(ring[i][0], &byte, 1) == 1 &&
	       write(ring[(i + 1) % n][1], &byte, 1) == 1;
}

/* The byte once through the ring: this process has it, and gets it back. */
static void go_round(unsigned int n)
{
	must(write(ring[1 % n][1], &byte, 1) == 1, "write to a pipe");
	must(read(ring[0][0], &byte, 1) == 1, "read of a pipe");
}

/* Processes 1 to @n - 1; they end when this one's ends of the pipes are closed. */
static void start_ring(unsigned int n, pid_t *pids)
{
	unsigned int i, j;

	for (i = 0; i < n; i++)
		must(!pipe(ring[i]), "pipe");
	for (i = 1; i < n; i++) {
		pids[i] = fork();
		must(pids[i] >= 0, "fork");
		if (pids[i])
			continue;
		for (j = 0; j < n; j++) {
			if (j != i)
				close(ring[j][0]);
			if (j != (i + 1) % n)
				close(ring[j][1]);
		}
		while (hand_on(i, n))
			;
		_exit(0);
	}
}

static void stop_ring(unsigned int n, const pid_t *pids)
{
	unsigned int i;
	int status;

	for (i = 0; i < n; i++) {
		close(ring[i][0]);
		close(ring[i][1]);
	}
	for (i = 1; i < n; i++)
		must(waitpid(pids[i], &status, 0) == pids[i], "waitpid");
}

static uint64_t run(const struct work *work)
{
	unsigned int i, n = work->ring;
	uint64_t start = counter();

	for (i = 0; i < work->times; i++) {
		if (n)
			go_round(n);
		else
			work->once();
	}
	return counter() - start;
}

static const struct work works[] = {
	{ "read-byte", 100, 0, read_byte },
	{ "write-byte", 100, 0, write_byte },
	{ "map-touch", 50, 0, map_touch },
	{ "thread", 10, 0, thread },
	{ "pipe-self", 100, 1, NULL },
	{ "pipe-pong", 50, 2, NULL },
	{ "switch-2", 50, 2, NULL },
	{ "switch-16", 10, RING_MAX, NULL },
};

static void measure(const char *name, unsigned int rounds)
{
	const struct work *work = works;
	uint64_t ticks[ROUNDS_MAX];
	unsigned int i, parts;
	pid_t pids[RING_MAX];

	while (strcmp(name, work->name)) {
		if (++work == works + ARRAY_SIZE(works))
			fail(name, "no such figure");
	}
	parts = strncmp(name, "switch-", 7) ? 1 : work->ring;
	if (work->ring)
		start_ring(work->ring, pids);
	run(work);
	for (i = 0; i < rounds; i++)
		ticks[i] = run(work);
	if (work->ring)
		stop_ring(work->ring, pids);
	print_sample(name, work->times * parts, ticks, rounds);
	must(!fflush(stdout), "stdout");
}

int main(int argc, char **argv)
{
	unsigned int rounds = 20;
	int i = 1;

	if (argc > 2 && !strcmp(argv[1], "-r")) {
		rounds = number(argv[2], ROUNDS_MAX);
		i = 3;
	}
	if (i == argc)
		fail("usage", "name what to measure");
	signal(SIGPIPE, SIG_IGN);
	zero = open("/dev/zero", O_RDONLY);
	null = open("/dev/null", O_WRONLY);
	must(zero >= 0 && null >= 0, "/dev/zero or /dev/null");
	for (; i < argc; i++)
		measure(argv[i], rounds);
	return 0;
}
