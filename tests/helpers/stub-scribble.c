// SPDX-License-Identifier: GPL-2.0
/*
 * stub-scribble - write all over the data of the own UML stub, and see whether
 * the kernel minds.
 *
 * usage: stub-scribble STUB_DATA LENGTH      STUB_DATA is hexadecimal
 *
 * Each pattern is written by plain stores, which is possible as the host has the
 * pages there; then this process maps, faults, forks and starts itself. Ends
 * with 1 if any of that goes wrong, else prints the number of patterns.
 */
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "clock.h"

#define PAGE 4096UL

/* As the stub's calls are queued: address, length, offset, fd, protection */
struct queued {
	unsigned long addr;
	unsigned long length;
	unsigned long offset;
	int fd;
	int prot;
	int call;
} __attribute__((aligned(8)));

static void fill_calls(char *data, size_t length, int call, int fd)
{
	struct queued q = { 0x10000000, PAGE, 0, fd, PROT_READ | PROT_WRITE,
			    call };

	for (size_t at = 16; at + sizeof(q) <= length; at += sizeof(q)) {
		memcpy(data + at, &q, sizeof(q));
		q.offset += PAGE;
	}
	/* How many they are */
	*(volatile int *)(data + 8) = 50;
}

static void scribble(char *data, size_t length, int pattern)
{
	static const unsigned char bytes[] = { 0x00, 0xff, 0x01, 0x80, 0xa5 };

	if (pattern < (int)ARRAY_SIZE(bytes))
		memset(data, bytes[pattern], length);
	else
		fill_calls(data, length, 1 + pattern % 4, pattern);
}

#define PATTERNS 40

/* Does the kernel still do what it is asked? */
static int served(void)
{
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid;

	if (p == MAP_FAILED)
		return 0;
	for (int i = 0; i < 4; i++)
		p[i * PAGE] = i;
	pid = fork();
	if (!pid) {
		p[PAGE] = 9;
		execl("/proc/self/exe", "stub-scribble", NULL);
		_exit(1);
	}
	if (waitpid(pid, &status, 0) != pid || status != 0 || p[PAGE] != 1)
		return 0;
	return !munmap(p, 4 * PAGE) && getpid() > 0;
}

int main(int argc, char **argv)
{
	char *data;
	size_t length;

	if (argc < 2)
		return 0;
	if (argc != 3) {
		fprintf(stderr, "usage: stub-scribble STUB_DATA LENGTH\n");
		return 2;
	}
	data = (char *)strtoul(argv[1], NULL, 16);
	length = strtoul(argv[2], NULL, 0);
	for (int i = 0; i < PATTERNS; i++) {
		scribble(data, length, i);
		if (served())
			continue;
		printf("not ok pattern %d\n", i);
		return 1;
	}
	printf("%d patterns came to nothing\n", PATTERNS);
	return 0;
}
