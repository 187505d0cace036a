// SPDX-License-Identifier: GPL-2.0
/*
 * stub-sleep - make system calls by the stub's code, as a hostile guest would.
 *
 * Usage: stub-sleep
 *
 * For each "syscall" instruction in the page at STUB_START, found by its bytes, a
 * child jumps there with the registers set to sleep for some seconds. If the host
 * does it, that takes its time; if the UML kernel sees it, the child is killed at
 * once. Prints one line: how many instructions there are, how many children were
 * killed, and how many slept.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STUB_PAGES    3
#define PAGE	      4096UL
#define SLEEP_SECONDS 6

/* The stub is right below the end of the host's address space. */
#define STUB_START (0x7ffffffff000UL - STUB_PAGES * PAGE)

static void jump(const unsigned char *to)
{
	struct timespec ts = { .tv_sec = SLEEP_SECONDS };

	/* So that time calls pass, if any may */
	for (int n = 0; n < 100; n++)
		syscall(SYS_time, NULL);
	asm volatile("jmp *%0"
		     :
		     : "r"(to), "a"(SYS_nanosleep), "D"(&ts), "S"(0L)
		     : "rcx", "r11", "memory");
}

int main(void)
{
	const unsigned char *stub = (const unsigned char *)STUB_START;
	int found = 0, killed = 0, slept = 0;

	for (unsigned long i = 0; i + 1 < PAGE; i++) {
		struct timespec start, end;
		int status;
		pid_t pid;

		if (stub[i] != 0x0f || stub[i + 1] != 0x05)
			continue;
		found++;
		clock_gettime(CLOCK_MONOTONIC, &start);
		pid = fork();
		if (!pid) {
			jump(stub + i);
			_exit(0);
		}
		waitpid(pid, &status, 0);
		clock_gettime(CLOCK_MONOTONIC, &end);
		killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
		slept += end.tv_sec - start.tv_sec >= SLEEP_SECONDS - 1;
	}
	printf("%d instructions, %d killed, %d slept\n", found, killed, slept);
	return 0;
}
