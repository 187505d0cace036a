// SPDX-License-Identifier: GPL-2.0
/*
 * map-attack - what a UML guest's process can do to the pages above its address
 * space, which hold UML's stub, and to the mappings that belong to the kernel.
 *
 * usage: map-attack [--read] ADDRESS...
 *
 * Tries every call that changes, reads or writes memory on the page at each
 * ADDRESS (hexadecimal). Each has to fail; with --read, settimeofday() may read what
 * is there, and fail as it is no time. Then children change their own vDSO,
 * vvar and vsyscall mappings, and write to them in every way, while this process
 * looks whether its own time calls still work. Prints "not ok" and what happened
 * for what should not; exits with 1 if there was any, else prints a count.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "clock.h"

#define PAGE 4096UL

static int failures, tries, may_read;
static int self_mem, zero, null_pipe[2];

static void check(int ok, const char *what, const char *on)
{
	tries++;
	if (ok)
		return;
	printf("not ok %s on %s: %s\n", what, on, strerror(errno));
	fflush(stdout);
	failures++;
}

/* --- above the address space ---------------------------------------------- */

static void attack_mapping(char *at, const char *name)
{
	char *own = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(munmap(at, PAGE) < 0, "munmap", name);
	check(mprotect(at, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) < 0,
	      "mprotect", name);
	check(mmap(at, PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		   0) == MAP_FAILED,
	      "mmap", name);
	check(mremap(at, PAGE, PAGE, MREMAP_MAYMOVE) == MAP_FAILED,
	      "mremap from", name);
	check(mremap(own, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at) ==
		      MAP_FAILED,
	      "mremap to", name);
	check(madvise(at, PAGE, MADV_DONTNEED) < 0, "madvise", name);
	check(mlock(at, PAGE) < 0, "mlock", name);
	munmap(own, PAGE);
}

static void attack_content(char *at, const char *name)
{
	char buf[16] = { 0 };
	struct iovec mine = { buf, sizeof(buf) }, theirs = { at, sizeof(buf) };

	check(read(zero, at, sizeof(buf)) < 0, "read to", name);
	check(write(null_pipe[1], at, sizeof(buf)) < 0, "write from", name);
	check(pread(self_mem, buf, sizeof(buf), (off_t)(uintptr_t)at) <= 0,
	      "/proc/self/mem read", name);
	check(pwrite(self_mem, buf, sizeof(buf), (off_t)(uintptr_t)at) <= 0,
	      "/proc/self/mem write", name);
	check(process_vm_readv(getpid(), &mine, 1, &theirs, 1, 0) <= 0,
	      "process_vm_readv", name);
	check(process_vm_writev(getpid(), &mine, 1, &theirs, 1, 0) <= 0,
	      "process_vm_writev", name);
}

static void check_efault(long ret, const char *what, const char *name)
{
	check(ret < 0 && errno == EFAULT, what, name);
}

/* The pointer of every time call that may go straight to the host */
static void attack_pointers(char *at, const char *name)
{
	static const clockid_t ids[] = { 0, 1, 4, 5, 6, 7, 11 };
	long ret;

	check_efault(syscall(SYS_gettimeofday, at, NULL), "gettimeofday", name);
	check_efault(syscall(SYS_gettimeofday, NULL, at), "its time zone",
		     name);
	check_efault(syscall(SYS_time, at), "time", name);
	ret = syscall(SYS_settimeofday, at, NULL);
	check(ret < 0 && (errno == EFAULT || (may_read && errno == EINVAL)),
	      "settimeofday", name);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		check_efault(syscall(SYS_clock_gettime, ids[i], at),
			     "clock_gettime", name);
	check_efault(syscall(SYS_clock_getres, 0, at), "clock_getres", name);
	check_efault(syscall(SYS_clock_settime, 0, at), "clock_settime", name);
	check_efault(syscall(SYS_adjtimex, at), "adjtimex", name);
}

/* --- the kernel's mappings ------------------------------------------------ */

struct mapping {
	char *start;
	size_t size;
	char name[16];
};

static int find_mappings(struct mapping *m, int max)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long start, end;
	char line[512];
	int n = 0;

	while (maps && n < max && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %15s", &start, &end,
			   m[n].name) != 3 ||
		    m[n].name[0] != '[' || m[n].name[1] != 'v')
			continue;
		m[n].start = (char *)start;
		m[n++].size = end - start;
	}
	if (maps)
		fclose(maps);
	return n;
}

/* What there is to do to it, and to itself; a crash is its own affair */
static void ruin(const struct mapping *m, int how)
{
	char junk[64], *p = m->start;
	struct iovec mine = { junk, sizeof(junk) },
		     theirs = { p, sizeof(junk) };
	int rwx = PROT_READ | PROT_WRITE | PROT_EXEC;

	memset(junk, 0xa5, sizeof(junk));
	switch (how) {
	case 0:
		munmap(p, m->size);
		break;
	case 1:
		if (!mprotect(p, m->size, rwx))
			memcpy(p, junk, sizeof(junk));
		break;
	case 2:
		if (mmap(p, m->size, rwx,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
			 0) != MAP_FAILED)
			memset(p, 0xa5, m->size);
		break;
	case 3:
		mremap(p, m->size, m->size, MREMAP_MAYMOVE | MREMAP_FIXED,
		       (char *)0x10000000);
		memcpy((char *)0x10000000, junk, sizeof(junk));
		break;
	case 4:
		madvise(p, m->size, MADV_DONTNEED);
		madvise(p, m->size, MADV_REMOVE);
		break;
	case 5:
		for (size_t at = 0; at < m->size; at += sizeof(junk))
			pwrite(self_mem, junk, sizeof(junk),
			       (off_t)(uintptr_t)p + at);
		break;
	case 6:
		process_vm_writev(getpid(), &mine, 1, &theirs, 1, 0);
		break;
	case 7:
		read(zero, p, m->size);
		break;
	case 8:
		memcpy(p, junk, sizeof(junk));
		break;
	case 9:
		syscall(SYS_clock_gettime, 0, p);
		syscall(SYS_gettimeofday, p, NULL);
		syscall(SYS_time, p);
		break;
	}
	vdso_clock(CLOCK_REALTIME);
	raw_clock(CLOCK_REALTIME);
}

#define RUINS 10

/* The clock's two routes, after a child did that to its own mappings */
static void attack_kernels(const struct mapping *m, int how)
{
	long long before, after, vdso;
	char what[32];
	pid_t pid;

	fflush(stdout);
	before = raw_clock(CLOCK_MONOTONIC);
	pid = fork();
	if (!pid) {
		close(self_mem);
		self_mem = open("/proc/self/mem", O_RDWR);
		alarm(2);
		ruin(m, how);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	vdso = vdso_clock(CLOCK_MONOTONIC);
	after = raw_clock(CLOCK_MONOTONIC);
	snprintf(what, sizeof(what), "a child's attack %d", how);
	check(before <= vdso && vdso <= after && after - before < 10 * NSEC,
	      what, m->name);
}

int main(int argc, char **argv)
{
	struct mapping m[8];
	int n = find_mappings(m, 8);

	may_read = argc > 1 && !strcmp(argv[1], "--read");
	argc -= may_read;
	argv += may_read;
	self_mem = open("/proc/self/mem", O_RDWR);
	zero = open("/dev/zero", O_RDONLY);
	if (argc < 2 || self_mem < 0 || zero < 0 || pipe(null_pipe) || !n) {
		fprintf(stderr, "usage: map-attack [--read] ADDRESS...\n");
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		char *at = (char *)strtoul(argv[i], NULL, 16);

		attack_mapping(at, argv[i]);
		attack_content(at, argv[i]);
		attack_pointers(at, argv[i]);
	}
	for (int i = 0; i < n; i++)
		for (int how = 0; how < RUINS; how++)
			attack_kernels(&m[i], how);
	if (failures)
		return 1;
	printf("%d attacks came to nothing\n", tries);
	return 0;
}
