// SPDX-License-Identifier: GPL-2.0
/*
 * stale-pages - what was unmapped is gone, also if a page table went with it
 *
 * A guest's page tables are made good on its host later, when its code runs again.
 * Each way here unmaps pages that have been used, in one system call with something
 * else that changes the same page tables; afterwards they must not be there.
 *
 *   moved        mremap() of memory of which another page was used over all that a
 *                page table maps
 *   moved far    the same over all that a table of such tables maps
 *   unmapped     munmap() of all that
 *   mapped anew  mmap() of new memory over it
 *
 * Prints for each how many pages were found before and after; status 1 if any was
 * found after.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "caught.h"

#define PAGE	4096UL
#define TABLE	(512 * PAGE)  /* what a page table maps */
#define ALONE	(512 * TABLE) /* what a table of page tables maps */
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)

/* Room at a multiple of @align with nothing else near */
static char *room(unsigned long size, unsigned long align)
{
	unsigned long all = size + 2 * align;
	char *at = mmap(NULL, all, PROT_NONE, PRIVATE, -1, 0);

	if (at == MAP_FAILED) {
		perror("stale-pages: mmap");
		exit(2);
	}
	munmap(at, all);
	return (char *)(((unsigned long)at + align - 1) & -align);
}

/* How many pages are there and not zero */
static int count_used(volatile char *at, unsigned long size)
{
	int n = 0;

	for (unsigned long i = 0; i < size; i += PAGE)
		n += readable(at + i) && at[i];
	return n;
}

struct found {
	int before;
	int after;
};

#define PIECE (16 * PAGE)

static char *map_new(char *at, unsigned long size, int flags)
{
	char *new =
		mmap(at, size, PROT_READ | PROT_WRITE, PRIVATE | flags, -1, 0);

	if (new == MAP_FAILED) {
		perror("stale-pages: mmap");
		exit(2);
	}
	return new;
}

static void map_used(char *at, unsigned long size)
{
	memset(map_new(at, size, MAP_FIXED), 0xaa, size);
}

/* Three pieces that are used, of @size at @at */
static void use_pieces(char *at, unsigned long size)
{
	map_used(at, PIECE);
	map_used(at + size / 2, PIECE);
	map_used(at + size - PIECE, PIECE);
}

static int count_pieces(volatile char *at, unsigned long size)
{
	return count_used(at, PIECE) + count_used(at + size / 2, PIECE) +
	       count_used(at + size - PIECE, PIECE);
}

static struct found moved(unsigned long size)
{
	char *from = map_new(NULL, size, 0), *at = room(size, size);
	struct found found;

	use_pieces(at, size);
	found.before = count_pieces(at, size);
	from[size / 4] = 0x55;
	if (mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, at) != at ||
	    at[size / 4] != 0x55) {
		perror("stale-pages: mremap");
		exit(2);
	}
	found.after = count_pieces(at, size);
	munmap(at, size);
	return found;
}

static struct found unmapped(int again)
{
	char *at = room(ALONE, ALONE);
	struct found found;

	use_pieces(at, ALONE);
	found.before = count_pieces(at, ALONE);
	if (again)
		map_new(at, ALONE, MAP_FIXED);
	else
		munmap(at, ALONE);
	found.after = count_pieces(at, ALONE);
	munmap(at, ALONE);
	return found;
}

static int report(const char *way, struct found found)
{
	printf("%s: %d before, %d after\n", way, found.before, found.after);
	return !!found.after;
}

int main(void)
{
	int left;

	catch_signals();
	left = report("moved", moved(TABLE));
	left |= report("moved far", moved(ALONE));
	left |= report("unmapped", unmapped(0));
	left |= report("mapped anew", unmapped(1));
	return left;
}
