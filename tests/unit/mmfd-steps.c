// SPDX-License-Identifier: GPL-2.0
/*
 * A signal at every instruction: a tracer steps a child that turns the interrupt
 * flag of libmmfd, and gives it a signal at the first instruction, in the next
 * child at the second, and so on; then two signals. Each has to be delivered once,
 * with the flag off, outside the critical section, and by the time the flag is on.
 */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mmfd.h>

#include "check.h"

#define LINE   5
#define STRIDE 15

/* Queued, unlike the lower ones; so two are two. */
#define SIGNAL (SIGRTMIN + 1)

/* Shared with the child */
struct progress {
	volatile int begun, finished;
};

static struct progress *progress;
static struct mmfd_pic *pic;
static volatile uint64_t got;
static volatile int critical, wrong;

static void take(unsigned int line, uint64_t count, void *arg)
{
	(void)arg;
	wrong |= line != LINE || critical || mmfd_pic_enabled(pic);
	got += count;
}

/* Exits with the number of events, or 99. One is the child's own. */
static void child(void)
{
	if (mmfd_pic_create(take, NULL, &pic) ||
	    mmfd_pic_signal(pic, SIGNAL, LINE))
		_exit(99);
	mmfd_pic_bind(pic);
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);

	progress->begun = 1;
	critical = 1;
	mmfd_pic_raise(pic, LINE);
	critical = 0;
	mmfd_pic_enable(pic);
	mmfd_pic_disable(pic);
	critical = 1;
	critical = 0;
	mmfd_pic_enable(pic);
	progress->finished = 1;
	_exit(wrong ? 99 : got);
}

/* A signal that the child has stopped for, and is to get */
static int carried;

static int resume(pid_t pid, enum __ptrace_request how)
{
	int status;

	ptrace(how, pid, NULL, (void *)(long)carried);
	waitpid(pid, &status, 0);
	carried = WIFSTOPPED(status) && WSTOPSIG(status) == SIGNAL ? SIGNAL : 0;
	return status;
}

static pid_t start(void)
{
	int status;
	pid_t pid;

	progress->begun = 0;
	progress->finished = 0;
	fflush(stdout);
	pid = fork();
	if (!pid)
		child();
	waitpid(pid, &status, 0);
	while (!progress->begun && WIFSTOPPED(status))
		status = resume(pid, PTRACE_SINGLESTEP);
	return pid;
}

/* @n instructions, or less if it is done. */
static void steps(pid_t pid, int n)
{
	while (n-- && !progress->finished)
		resume(pid, PTRACE_SINGLESTEP);
}

/* Whether the child was not done before. */
static bool send(pid_t pid)
{
	if (progress->finished)
		return false;
	kill(pid, SIGNAL);
	return true;
}

/*
 * One signal after @first steps and, unless @second is 0, one so many later.
 * Returns whether the child was not done before the last of them.
 */
static bool signals(int first, int second)
{
	pid_t pid = start();
	int status, sent = 0;
	bool more;

	steps(pid, first);
	more = send(pid);
	sent += more;
	if (second) {
		steps(pid, second);
		more = send(pid);
		sent += more;
	}
	do {
		status = resume(pid, PTRACE_CONT);
	} while (WIFSTOPPED(status));
	check(WIFEXITED(status) && WEXITSTATUS(status) == sent + 1,
	      "%d signals at %d and %d more: status %#x", sent, first, second,
	      status);
	return more && checks_failed < 5;
}

int main(void)
{
	int first, second;

	progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (first = 0; signals(first, 0); first++)
		;
	printf("%d instructions\n", first);
	check(first > 50, "only %d instructions", first);
	/* The second at every one behind some: every pair would take minutes. */
	for (first = 0; signals(first, 0); first += STRIDE) {
		second = 1;
		while (signals(first, second))
			second++;
	}
	return check_result();
}
