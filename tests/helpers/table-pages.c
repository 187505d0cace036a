// SPDX-License-Identifier: GPL-2.0
/*
 * table-pages - use a page in each of many page tables
 *
 * usage: table-pages COUNT keep|free
 *
 * Maps COUNT pages, each where another page table maps, and writes to it; with free,
 * it is unmapped before the next. Prints "done", and goes on to exist.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE  4096UL
#define TABLE (512 * PAGE)
#define FIRST 0x100000000000UL

int main(int argc, char **argv)
{
	unsigned long i, count;
	int keep;

	if (argc != 3 || (strcmp(argv[2], "keep") && strcmp(argv[2], "free"))) {
		fprintf(stderr, "usage: table-pages COUNT keep|free\n");
		return 2;
	}
	count = strtoul(argv[1], NULL, 10);
	keep = !strcmp(argv[2], "keep");
	for (i = 0; i < count; i++) {
		char *page =
			mmap((void *)(FIRST + i * TABLE), PAGE,
			     PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
			     -1, 0);

		if (page == MAP_FAILED) {
			perror("table-pages: mmap");
			return 2;
		}
		*page = 1;
		if (!keep)
			munmap(page, PAGE);
	}
	puts("done");
	fflush(stdout);
	pause();
	return 0;
}
