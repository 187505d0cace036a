/* SPDX-License-Identifier: GPL-2.0 */
/* Tries of what may end a process, each in a child, with a line of what became of it. */
#ifndef _TRIES_H
#define _TRIES_H

#include <string.h>
#include <sys/mman.h>

#include "become.h"
#include "clock.h"
#include "patience.h"

#define PAGE 4096UL
/* Within 32 bits: code, and behind it what 32-bit code leads to; then a stack */
#define CODE	0x20000000UL
#define CODE32	(CODE + 0x800)
#define STACK	0x20010000UL
#define WENT_ON 42

/* Who does it, if it is not 0 */
static uid_t uid;

static inline void report(const char *name, pid_t pid)
{
	const char *what = "ended";
	int status;

	if (!ended_soon(pid, 3000, 1000, &status))
		what = "waited";
	else if (WIFSIGNALED(status))
		what = sigabbrev_np(WTERMSIG(status));
	else if (WEXITSTATUS(status) == WENT_ON)
		what = "went on";
	printf("%s: %s\n", name, what);
}

/* What comes after the code that is tried: exit_group(WENT_ON) */
static const unsigned char last[] = {
	0xbf, WENT_ON, 0,    0,	   0, /* mov $WENT_ON,%edi */
	0xb8, 231,     0,    0,	   0, /* mov $231,%eax */
	0x0f, 0x05,    0x0f, 0x0b,    /* syscall; ud2 */
};

/* 32-bit: getpid, then ud2 */
static const unsigned char code32[] = {
	0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0x0f, 0x0b,
};

static inline void prepare(void)
{
	char *code = mmap((void *)CODE, PAGE,
			  PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	char *stack = mmap((void *)(STACK - 4 * PAGE), 4 * PAGE,
			   PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (code == MAP_FAILED || stack == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	memset(stack, 0, 4 * PAGE);
	memset(code, 0xcc, PAGE);
	memcpy((char *)CODE32, code32, sizeof(code32));
}

/* A child that is the user's, and has the memory for it */
static inline pid_t child(void)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid)
		return pid;
	if (uid)
		become(uid);
	prepare();
	return 0;
}

/* --uid UID, which every program has first; how many arguments that were */
static inline int take_uid(int argc, char **argv)
{
	if (argc < 3 || strcmp(argv[1], "--uid"))
		return 0;
	uid = atoi(argv[2]);
	return 2;
}

#endif /* _TRIES_H */
