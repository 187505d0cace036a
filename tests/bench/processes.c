// SPDX-License-Identifier: GPL-2.0
/*
 * processes - how long processes take: raw samples for scripts/bench
 *
 * usage: processes [-r ROUNDS] NAME...
 *
 * Prints lines like those of timecalls, with one process a round. NAME is
 *   fork-exit     fork, the child exits, until the parent has its status
 *   fork-exec     the same, and the child executes this program before
 *   first-call    the first clock_gettime() of a process that was executed,
 *                 as it counts itself
 *   first-forked  that of one that was forked only
 *   fault-page    the first write of a process to a page of anonymous memory
 *   fault-timed   the same after the process has made 100 time calls, as such
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM "processes"
#include "bench.h"

/* Where children put their figure; first-call's have a pipe instead. */
static uint64_t *shared;
static int pipe_fds[2];

static void await(pid_t pid)
{
	int status;

	if (pid < 0)
		fail("fork", strerror(errno));
	if (waitpid(pid, &status, 0) != pid || status)
		fail("child", "did not end well");
}

static uint64_t first_call(void)
{
	struct timespec ts;
	uint64_t start = counter();

	if (clock_gettime(CLOCK_REALTIME, &ts))
		_exit(1);
	return counter() - start;
}

/* In a child: this program again, with one word that says what to do. */
_Noreturn static void again(const char *word)
{
	execl("/proc/self/exe", PROGRAM, word, NULL);
	_exit(1);
}

static uint64_t fork_exit(void)
{
	uint64_t start = counter();
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	await(pid);
	return counter() - start;
}

static uint64_t fork_exec(void)
{
	uint64_t start = counter();
	pid_t pid = fork();

	if (!pid)
		again("--exit");
	await(pid);
	return counter() - start;
}

static uint64_t first_executed(void)
{
	uint64_t ticks;
	pid_t pid = fork();

	if (!pid) {
		if (dup2(pipe_fds[1], STDOUT_FILENO) < 0)
			_exit(1);
		again("--first");
	}
	await(pid);
	if (read(pipe_fds[0], &ticks, sizeof(ticks)) != sizeof(ticks))
		fail("first-call", "no figure");
	return ticks;
}

static uint64_t first_forked(void)
{
	pid_t pid = fork();

	if (!pid) {
		*shared = first_call();
		_exit(0);
	}
	await(pid);
	return *shared;
}

/* The second of two pages, so that there is a page table */
static uint64_t fault(int calls)
{
	long page = sysconf(_SC_PAGESIZE);
	pid_t pid = fork();
	struct timespec ts;
	uint64_t start;
	char *pages;

	if (pid) {
		await(pid);
		return *shared;
	}
	while (calls--)
		syscall(SYS_clock_gettime, CLOCK_REALTIME, &ts);
	pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		_exit(1);
	pages[0] = 1;
	start = counter();
	pages[page] = 1;
	*shared = counter() - start;
	_exit(0);
}

static uint64_t fault_page(void)
{
	return fault(0);
}

static uint64_t fault_timed(void)
{
	return fault(100);
}

static const struct process {
	const char *name;
	uint64_t (*run)(void);
} processes[] = {
	{ "fork-exit", fork_exit },	  { "fork-exec", fork_exec },
	{ "first-call", first_executed }, { "first-forked", first_forked },
	{ "fault-page", fault_page },	  { "fault-timed", fault_timed },
};

static void measure(const char *name, unsigned int rounds)
{
	uint64_t ticks[ROUNDS_MAX];
	unsigned int i, kind = 0;

	while (strcmp(name, processes[kind].name)) {
		if (++kind == ARRAY_SIZE(processes))
			fail(name, "no such figure");
	}
	processes[kind].run();
	for (i = 0; i < rounds; i++)
		ticks[i] = processes[kind].run();
	print_sample(name, 1, ticks, rounds);
	fflush(stdout);
}

static int child(const char *word)
{
	uint64_t ticks;

	if (strcmp(word, "--first"))
		return 0;
	ticks = first_call();
	return write(STDOUT_FILENO, &ticks, sizeof(ticks)) != sizeof(ticks);
}

int main(int argc, char **argv)
{
	unsigned int rounds = 20;
	int i = 1;

	if (argc == 2 && !strncmp(argv[1], "--", 2))
		return child(argv[1]);
	if (argc > 2 && !strcmp(argv[1], "-r")) {
		rounds = number(argv[2], ROUNDS_MAX);
		i = 3;
	}
	if (i == argc)
		fail("usage", "name what to measure");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || pipe(pipe_fds))
		fail("setup", strerror(errno));
	for (; i < argc; i++)
		measure(argv[i], rounds);
	return 0;
}
