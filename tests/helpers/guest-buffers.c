// SPDX-License-Identifier: GPL-2.0
/*
 * Every kind of user buffer times every time call, as one line each.
 *
 * Usage: guest-buffers [STUB]
 *
 * A line is "call, buffer: result, first word, second word". A word of the
 * buffer is old (as before the call), new (it now holds the time), bad, or - if
 * it cannot be read or means nothing. Nothing in the output differs from run to
 * run, so that of a guest whose calls go straight to the host has to be that of
 * a guest whose calls are intercepted.
 *
 * STUB is the address of UML's stub pages; the default is where they are if UML
 * is started without address space randomisation (setarch -R). Run it as the
 * guest's root; the calls that set the clock are made again as uid 1000.
 */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE		4096UL
#define RW		(PROT_READ | PROT_WRITE)
#define GUEST_TOP	0x7f8000000000UL	/* TASK_SIZE, 4 page table levels */
#define MAPPED_TOP	(GUEST_TOP - PAGE)	/* nothing is mapped above */
#define OLD_SECONDS	0x1111111111111111L
#define OLD_FRACTION	0x7777777777777777L
#define HOUR		3600L
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static unsigned long stub = 0x7fffffffc000UL;
static char bss[64 * PAGE] __attribute__((aligned(4096)));
static unsigned int bss_used;
static sigjmp_buf fault;

static void on_fault(int sig)
{
	siglongjmp(fault, sig);
}

static void die(const char *what)
{
	printf("BAIL OUT %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(2);
}

/* Read a word that may not be there */
static int peek(const void *p, long *value)
{
	if (sigsetjmp(fault, 1))
		return -1;
	memcpy(value, p, sizeof(*value));
	return 0;
}

static long now(clockid_t id)
{
	struct timespec ts;

	if (syscall(SYS_clock_gettime, id, &ts))
		die("clock_gettime");
	return ts.tv_sec;
}

/*
 * Buffers. Each function makes one and stores the two words in it, unless that
 * would make of it something else.
 */

static char *map(unsigned long pages, int prot)
{
	char *p = mmap(NULL, pages * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

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
	return bss + PAGE * bss_used++ + 256;
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

static char *top_page(void)
{
	char *p = mmap((void *)(MAPPED_TOP - PAGE), PAGE, RW,
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

#define ADDRESS(name, address) \
static void *name(const long *words) { (void)words; return (void *)(address); }

ADDRESS(above_mapped, MAPPED_TOP)
ADDRESS(across_end, GUEST_TOP - 8)
ADDRESS(above_end, GUEST_TOP)
ADDRESS(null, 0)
ADDRESS(host_kernel, 0xffff888000000000UL)
ADDRESS(not_canonical, 0x800000000000UL)
ADDRESS(last_bytes, -16L)
ADDRESS(stub_code, stub + 64)
ADDRESS(stub_data, stub + PAGE + 3800)		/* a part that is not in use */
ADDRESS(stub_stack, stub + 2 * PAGE + 64)
ADDRESS(stub_end, stub + 3 * PAGE - 8)

/*
 * @start says what a word holds before the call: s what was stored, 0 zero,
 * ? something to look up, - nothing that means anything.
 */
static const struct buffer {
	const char *name;
	void *(*make)(const long *words);
	const char *start;
	enum { HERE, CHILD, PARENT } where;	/* to call after a fork() */
} buffers[] = {
	{ "warm", warm, "ss", HERE },
	{ "odd address", odd, "ss", HERE },
	{ "fresh", fresh, "00", HERE },
	{ "zero page", zero_page, "00", HERE },
	{ "bss", in_bss, "00", HERE },
	{ "after MADV_DONTNEED", dontneed, "00", HERE },
	{ "made writable", upgraded, "00", HERE },
	{ "copy on write, child", warm, "ss", CHILD },
	{ "copy on write, parent", warm, "ss", PARENT },
	{ "fresh, child", fresh, "00", CHILD },
	{ "spanning", span, "ss", HERE },
	{ "spanning, second page fresh", span_fresh, "s0", HERE },
	{ "spanning, child", span, "ss", CHILD },
	{ "spanning into a hole", span_into_hole, "s-", HERE },
	{ "spanning out of a hole", span_out_of_hole, "-s", HERE },
	{ "spanning into read-only", span_into_read_only, "ss", HERE },
	{ "below the stack", below_stack, "00", HERE },
	{ "shared file", shared_file, "ss", HERE },
	{ "synced file", synced_file, "ss", HERE },
	{ "private file", private_file, "ss", HERE },
	{ "behind end of file", behind_eof, "--", HERE },
	{ "read-only", read_only, "ss", HERE },
	{ "read-only, fresh", read_only_fresh, "00", HERE },
	{ "no access", no_access, "--", HERE },
	{ "no access, fresh", no_access_fresh, "--", HERE },
	{ "text", text, "??", HERE },
	{ "hole", hole, "--", HERE },
	{ "last mappable bytes", top, "ss", HERE },
	{ "across the last mappable byte", across_top, "s-", HERE },
	{ "above the last mappable byte", above_mapped, "--", HERE },
	{ "across the end", across_end, "--", HERE },
	{ "behind the end", above_end, "--", HERE },
	{ "null", null, "--", HERE },
	{ "host kernel", host_kernel, "--", HERE },
	{ "not canonical", not_canonical, "--", HERE },
	{ "last bytes", last_bytes, "--", HERE },
	{ "stub code", stub_code, "??", HERE },
	{ "stub data", stub_data, "??", HERE },
	{ "stub stack", stub_stack, "--", HERE },
	{ "end of stub", stub_end, "--", HERE },
};

static const struct call {
	const char *name;
	long nr;
	int position;		/* of the buffer among the two arguments */
	long other;		/* the other argument */
	int sets;
} calls[] = {
	{ "gettimeofday", SYS_gettimeofday, 0, 0, 0 },
	{ "gettimeofday tz", SYS_gettimeofday, 1, 0, 0 },
	{ "clock_gettime REALTIME", SYS_clock_gettime, 1, 0, 0 },
	{ "clock_gettime REALTIME_COARSE", SYS_clock_gettime, 1, 5, 0 },
	{ "clock_gettime high id", SYS_clock_gettime, 1, 0x700000000, 0 },
	{ "clock_gettime TAI", SYS_clock_gettime, 1, 11, 0 },
	{ "clock_gettime bad id", SYS_clock_gettime, 1, 99, 0 },
	{ "clock_gettime fd id", SYS_clock_gettime, 1, -5, 0 },
	{ "time", SYS_time, 0, 0, 0 },
	{ "settimeofday", SYS_settimeofday, 0, 0, 1 },
	{ "settimeofday tz", SYS_settimeofday, 1, 0, 1 },
};

/* Returns 0 or an error number */
static int make_call(const struct call *call, void *p)
{
	long ret;

	if (call->position)
		ret = syscall(call->nr, call->other, p);
	else
		ret = syscall(call->nr, p, call->other);
	return ret == -1 ? errno : 0;
}

static const char *word(const struct call *call, char start, const char *p, long before)
{
	long after;

	if (start == '-' || peek(p, &after))
		return "-";
	if (after == before)
		return "old";
	/* What can be read is seconds since 1970, a fraction, a time zone */
	if (call->sets || after < 0 || after > now(CLOCK_REALTIME) + 60)
		return "bad";
	return "new";
}

static void call_and_report(const struct call *call, const struct buffer *buffer, char *p,
			    const long *before)
{
	int err = make_call(call, p);

	printf("%s, %s: %s, %s, %s\n", call->name, buffer->name,
	       err ? strerrorname_np(err) : "ok",
	       word(call, buffer->start[0], p, before[0]),
	       word(call, buffer->start[1], p + 8, before[1]));
	fflush(stdout);
}

/* Make the call where the buffer is to be used */
static void dispatch(const struct call *call, const struct buffer *buffer, char *p,
		     const long *before)
{
	pid_t pid = buffer->where == HERE ? 0 : fork();

	if (pid < 0)
		die("fork");

	if (buffer->where == HERE) {
		call_and_report(call, buffer, p, before);
	} else if (buffer->where == CHILD && !pid) {
		call_and_report(call, buffer, p, before);
		_exit(0);
	} else if (buffer->where == PARENT && !pid) {
		for (;;)
			pause();
	} else if (buffer->where == PARENT) {
		call_and_report(call, buffer, p, before);
		kill(pid, SIGKILL);
	}

	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static void probe(const struct call *call, const struct buffer *buffer)
{
	static long step = HOUR;
	long wall = now(CLOCK_REALTIME), mono = now(CLOCK_MONOTONIC), moved;
	long words[2] = { OLD_SECONDS, OLD_FRACTION };
	char *p;
	int i;

	if (call->sets) {
		words[0] = call->position ? HOUR / 60 : wall + step;
		words[1] = 0;
	}

	p = buffer->make(words);
	for (i = 0; i < 2; i++) {
		if (buffer->start[i] == '0')
			words[i] = 0;
		else if (buffer->start[i] == '?' && peek(p + 8 * i, &words[i]))
			die("the buffer cannot be read");
	}

	dispatch(call, buffer, p, words);

	moved = now(CLOCK_REALTIME) - wall - (now(CLOCK_MONOTONIC) - mono);
	if (moved > -60 && moved < 60)
		return;
	printf("\tthe clock was set%s\n",
	       moved > step - 60 && moved < step + 60 ? "" : " to something else");
	step = -step;
}

/* Anywhere else, this would set the machine's clock. */
static void insist_on_uml(void)
{
	char line[256];
	FILE *f = fopen("/proc/cpuinfo", "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (strstr(line, "User Mode Linux"))
			return;
	}
	fprintf(stderr, "guest-buffers: run this in a UML guest only\n");
	exit(2);
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_fault };
	unsigned int c, b, only_sets;

	insist_on_uml();
	if (argc > 1)
		stub = strtoul(argv[1], NULL, 0);
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);

	for (only_sets = 0; only_sets < 2; only_sets++) {
		for (c = 0; c < ARRAY_SIZE(calls); c++) {
			for (b = 0; b < ARRAY_SIZE(buffers); b++) {
				if (calls[c].sets >= (int)only_sets)
					probe(&calls[c], &buffers[b]);
			}
		}
		printf("as uid 1000\n");
		if (setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000))
			die("setresuid");
	}
	return 0;
}
