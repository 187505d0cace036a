/* SPDX-License-Identifier: GPL-2.0 */
/* The user buffers that guest-buffers.c goes through. */
#ifndef GUEST_BUFFERS_H
#define GUEST_BUFFERS_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE	   4096UL
#define RW	   (PROT_READ | PROT_WRITE)
#define GUEST_TOP  0x7f8000000000UL   /* TASK_SIZE, 4 page table levels */
#define MAPPED_TOP (GUEST_TOP - PAGE) /* nothing is mapped above */
#define STUB_SIZE  (3 * PAGE)

static char bss[64 * PAGE];
static unsigned int bss_used = 1;

static void die(const char *what)
{
	printf("BAIL OUT %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(2);
}

/*
 * Each function makes a buffer and stores the two words in it, unless that
 * would make of it something else.
 */

static char *map(unsigned long pages, int prot)
{
	char *p = mmap(NULL, pages * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

static char *page_of(const void *p)
{
	return (char *)((uintptr_t)p & ~(PAGE - 1));
}

static void *warm(const long *words)
{
	return memcpy(map(1, RW) + 64, words, 16);
}

static void *odd(const long *words)
{
	return memcpy(map(1, RW) + 67, words, 16);
}

static void *fresh(const long *words)
{
	(void)words;
	return map(1, RW) + 128;
}

static void *zero_page(const long *words)
{
	char *p = fresh(words);

	(void)*(volatile char *)p;
	return p;
}

static void *in_bss(const long *words)
{
	(void)words;
	if (bss_used == sizeof(bss) / PAGE)
		die("bss is used up");
	return page_of(bss + PAGE * bss_used++) + 256;
}

static void *dontneed(const long *words)
{
	char *p = warm(words);

	madvise(page_of(p), PAGE, MADV_DONTNEED);
	return p;
}

static void *upgraded(const long *words)
{
	char *p = map(1, PROT_READ);

	(void)words;
	(void)*(volatile char *)p;
	mprotect(p, PAGE, RW);
	return p;
}

static void *read_only(const long *words)
{
	char *p = warm(words);

	mprotect(page_of(p), PAGE, PROT_READ);
	return p;
}

static void *read_only_fresh(const long *words)
{
	(void)words;
	return map(1, PROT_READ);
}

static void *no_access(const long *words)
{
	char *p = warm(words);

	mprotect(page_of(p), PAGE, PROT_NONE);
	return p;
}

static void *no_access_fresh(const long *words)
{
	(void)words;
	return map(1, PROT_NONE);
}

static void *text(const long *words)
{
	(void)words;
	return (void *)((uintptr_t)text & ~7UL);
}

static void *hole(const long *words)
{
	char *p = warm(words);

	munmap(page_of(p), PAGE);
	return p;
}

static void *span(const long *words)
{
	char *p = map(2, RW) + PAGE - 8;

	return memcpy(p, words, 16);
}

static void *span_fresh(const long *words)
{
	char *p = map(2, RW) + PAGE - 8;

	return memcpy(p, words, 8);
}

static void *span_into_hole(const long *words)
{
	char *p = span(words);

	munmap(p + 8, PAGE);
	return p;
}

static void *span_out_of_hole(const long *words)
{
	char *p = span(words);

	munmap(page_of(p), PAGE);
	return p;
}

static void *span_into_read_only(const long *words)
{
	char *p = span(words);

	mprotect(p + 8, PAGE, PROT_READ);
	return p;
}

static void *below_stack(const long *words)
{
	static unsigned int depth = 32;

	(void)words;
	depth += 2;
	return (char *)__builtin_frame_address(0) - depth * PAGE;
}

static char *file_page(int flags, const void *words, size_t size)
{
	const char *name = "/tmp/guest-buffers.file";
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	char *p;

	if (fd < 0 || write(fd, words, size) != (ssize_t)size)
		die(name);
	p = mmap(NULL, PAGE, RW, flags, fd, 0);
	if (p == MAP_FAILED)
		die("mmap of a file");
	close(fd);
	unlink(name);
	return p;
}

static void *shared_file(const long *words)
{
	return file_page(MAP_SHARED, words, 16);
}

static void *synced_file(const long *words)
{
	char *p = file_page(MAP_SHARED, words, 16);

	p[100] = 1;
	msync(p, PAGE, MS_SYNC);
	return p;
}

static void *private_file(const long *words)
{
	return file_page(MAP_PRIVATE, words, 16);
}

static void *behind_eof(const long *words)
{
	return file_page(MAP_SHARED, words, 0);
}

/* The vDSO is there, and can only go as a whole. From here on, none is used. */
static char *top_page(void)
{
	static unsigned long vdso;
	char *p;

	if (!vdso) {
		vdso = getauxval(AT_SYSINFO_EHDR);
		if (vdso && munmap((void *)vdso, MAPPED_TOP - vdso))
			die("munmap of the vDSO");
	}
	p = mmap((void *)(MAPPED_TOP - PAGE), PAGE, RW,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (p == MAP_FAILED)
		die("mmap of the top page");
	return p;
}

static void *top(const long *words)
{
	return memcpy(top_page() + PAGE - 16, words, 16);
}

static void *across_top(const long *words)
{
	return memcpy(top_page() + PAGE - 8, words, 8);
}

static void *null(const long *words)
{
	(void)words;
	return NULL;
}

/*
 * Without make(), the buffer is at @address, of the stub if that is below
 * STUB_SIZE. @start says what a word holds before the call: s what was stored,
 * 0 zero, ? something to look up, - nothing that means anything.
 */
static const struct buffer {
	const char *name;
	void *(*make)(const long *words);
	const char *start;
	enum {
		HERE,
		CHILD,
		PARENT
	} where; /* to call after a fork() */
	unsigned long address;
} buffers[] = {
	{ "warm", warm, "ss", HERE, 0 },
	{ "odd address", odd, "ss", HERE, 0 },
	{ "fresh", fresh, "00", HERE, 0 },
	{ "zero page", zero_page, "00", HERE, 0 },
	{ "bss", in_bss, "00", HERE, 0 },
	{ "after MADV_DONTNEED", dontneed, "00", HERE, 0 },
	{ "made writable", upgraded, "00", HERE, 0 },
	{ "copy on write, child", warm, "ss", CHILD, 0 },
	{ "copy on write, parent", warm, "ss", PARENT, 0 },
	{ "fresh, child", fresh, "00", CHILD, 0 },
	{ "spanning", span, "ss", HERE, 0 },
	{ "spanning, second page fresh", span_fresh, "s0", HERE, 0 },
	{ "spanning, child", span, "ss", CHILD, 0 },
	{ "spanning into a hole", span_into_hole, "s-", HERE, 0 },
	{ "spanning out of a hole", span_out_of_hole, "-s", HERE, 0 },
	{ "spanning into read-only", span_into_read_only, "ss", HERE, 0 },
	{ "below the stack", below_stack, "00", HERE, 0 },
	{ "shared file", shared_file, "ss", HERE, 0 },
	{ "synced file", synced_file, "ss", HERE, 0 },
	{ "private file", private_file, "ss", HERE, 0 },
	{ "behind end of file", behind_eof, "--", HERE, 0 },
	{ "read-only", read_only, "ss", HERE, 0 },
	{ "read-only, fresh", read_only_fresh, "00", HERE, 0 },
	{ "no access", no_access, "--", HERE, 0 },
	{ "no access, fresh", no_access_fresh, "--", HERE, 0 },
	{ "text", text, "??", HERE, 0 },
	{ "hole", hole, "--", HERE, 0 },
	{ "last mappable bytes", top, "ss", HERE, 0 },
	{ "across the last mappable byte", across_top, "s-", HERE, 0 },
	{ "above the last mappable byte", NULL, "--", HERE, MAPPED_TOP },
	{ "across the end", NULL, "--", HERE, GUEST_TOP - 8 },
	{ "behind the end", NULL, "--", HERE, GUEST_TOP },
	{ "null", null, "--", HERE, 0 },
	{ "host kernel", NULL, "--", HERE, 0xffff888000000000 },
	{ "not canonical", NULL, "--", HERE, 0x800000000000 },
	{ "last bytes", NULL, "--", HERE, -16L },
	{ "stub code", NULL, "??", HERE, 64 },
	/* a part that the stub does not use */
	{ "stub data", NULL, "??", HERE, PAGE + 3800 },
	{ "stub stack", NULL, "--", HERE, 2 * PAGE + 64 },
	{ "end of stub", NULL, "--", HERE, 3 * PAGE - 8 },
};

#endif
