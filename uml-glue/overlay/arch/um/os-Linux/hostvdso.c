// SPDX-License-Identifier: GPL-2.0
/*
 * hostvdso: find the host's vDSO, and try whether it works where the stubs
 * will have it, above the guest's addresses.
 */

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <asm/unistd.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <as-layout.h>
#include <hostvdso.h>
#include <os.h>
#include <user.h>

/* Free space on either side of the areas, so that nothing is next to them */
#define HOST_VDSO_GAP	(1UL << 20)

struct host_vdso host_vdso;
struct host_vdso_calls host_vdso_calls;

/* Exit codes of the child that tries */
enum { TRY_OK, TRY_MOVE, TRY_VALUE, TRY_SECCOMP };

/* Why the stubs do not keep the host's vDSO, a constant string; or NULL */
const char *host_vdso_obstacle = "it was not tried";

unsigned long host_vdso_start, host_vdso_end;

static void find_range(void)
{
	unsigned long start, end;
	int i;

	for (i = 0; i < host_vdso.nr; i++) {
		start = host_vdso.base + host_vdso.start[i];
		end = start + host_vdso.len[i];
		if (!i || start < host_vdso_start)
			host_vdso_start = start;
		if (end > host_vdso_end)
			host_vdso_end = end;
	}
}

/* Find the areas of the vDSO at @base; false if there are too many. */
static bool find_areas(unsigned long base)
{
	unsigned long start, end;
	char line[512], name[16];
	bool fits = true;
	FILE *maps;

	maps = fopen("/proc/self/maps", "re");
	if (!maps)
		return false;

	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %15s", &start, &end, name) != 3)
			continue;
		if (strcmp(name, "[vdso]") && strncmp(name, "[vvar", 5))
			continue;
		if (host_vdso.nr == HOST_VDSO_AREAS) {
			fits = false;
			break;
		}
		host_vdso.start[host_vdso.nr] = start - base;
		host_vdso.len[host_vdso.nr++] = end - start;
	}
	fclose(maps);

	return fits && host_vdso.nr;
}

/* The offset of a function from the ELF header, 0 if there is none */
static unsigned long find_function(unsigned long base, const char *name)
{
	const Elf64_Ehdr *ehdr = (void *)base;
	const Elf64_Shdr *shdr = (void *)base + ehdr->e_shoff;
	const Elf64_Phdr *phdr = (void *)base + ehdr->e_phoff;
	const Elf64_Sym *sym, *end;
	const char *names;
	int i;

	for (i = 0; i < ehdr->e_phnum; i++) {
		if (phdr[i].p_type == PT_LOAD)
			break;
	}
	if (i == ehdr->e_phnum || !ehdr->e_shoff)
		return 0;
	phdr += i;

	for (i = 0; i < ehdr->e_shnum; i++) {
		if (shdr[i].sh_type != SHT_DYNSYM || shdr[i].sh_link >= ehdr->e_shnum)
			continue;
		names = (char *)base + shdr[shdr[i].sh_link].sh_offset;
		sym = (void *)base + shdr[i].sh_offset;
		end = sym + shdr[i].sh_size / sizeof(*sym);
		for (; sym < end; sym++) {
			if (sym->st_shndx != SHN_UNDEF &&
			    !strcmp(names + sym->st_name, name))
				return sym->st_value - phdr->p_vaddr + phdr->p_offset;
		}
	}
	return 0;
}

static unsigned long stub_address(unsigned long base, const char *name)
{
	unsigned long offset = find_function(base, name);

	return offset ? host_vdso.base + offset : 0;
}

static long long timespec_ns(const struct timespec *ts)
{
	return ts->tv_sec * (long long)UM_NSEC_PER_SEC + ts->tv_nsec;
}

/* Strict seccomp would not do: it takes the TSC away as well. */
static int forbid_system_calls(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_exit, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {
		.len = ARRAY_SIZE(filter),
		.filter = filter,
	};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

/* In a child: move the areas, and read the clock without any system call. */
static void __attribute__((noreturn)) try_areas(unsigned long base)
{
	int (*gettime)(clockid_t clock, struct timespec *ts);
	struct timespec before, after;
	int i, result = TRY_OK;

	clock_gettime(CLOCK_MONOTONIC, &before);

	for (i = 0; i < host_vdso.nr; i++) {
		if (syscall(__NR_mremap, base + host_vdso.start[i],
			    host_vdso.len[i], host_vdso.len[i],
			    MREMAP_MAYMOVE | MREMAP_FIXED,
			    host_vdso.base + host_vdso.start[i]) == -1)
			_exit(TRY_MOVE);
	}

	if (forbid_system_calls())
		_exit(TRY_SECCOMP);

	gettime = (void *)host_vdso_calls.clock_gettime;
	gettime(CLOCK_MONOTONIC, &after);
	if (timespec_ns(&after) < timespec_ns(&before) ||
	    timespec_ns(&after) > timespec_ns(&before) + 60LL * UM_NSEC_PER_SEC)
		result = TRY_VALUE;

	for (;;)
		syscall(__NR_exit, result);
}

static const char *try_in_child(unsigned long base)
{
	int pid, n, status;

	pid = fork();
	if (pid < 0)
		return "it could not be tried";
	if (!pid)
		try_areas(base);

	CATCH_EINTR(n = waitpid(pid, &status, 0));
	if (n < 0)
		return "it could not be tried";

	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ?
			"the host's vDSO makes a system call to read the clock" :
			"the host's vDSO does not work where the stubs would have it";

	switch (WEXITSTATUS(status)) {
	case TRY_OK:
		return NULL;
	case TRY_MOVE:
		return "the host does not let its vDSO be moved";
	case TRY_SECCOMP:
		return "it could not be tried without seccomp filters";
	default:
		return "the host's vDSO reads the wrong time";
	}
}

static const char *probe(void)
{
	unsigned long base = getauxval(AT_SYSINFO_EHDR);

	if (!base)
		return "the host has no vDSO";
	if (STUB_START - task_size < 8 * HOST_VDSO_GAP)
		return "there is no room above the guest's addresses";

	host_vdso.base = task_size + 2 * HOST_VDSO_GAP;
	if (!find_areas(base))
		return "the areas of the host's vDSO are not known";
	find_range();
	if (host_vdso_end - host_vdso_start > HOST_VDSO_GAP)
		return "the areas of the host's vDSO are not known";

	host_vdso_calls.clock_gettime = stub_address(base, "__vdso_clock_gettime");
	host_vdso_calls.gettimeofday = stub_address(base, "__vdso_gettimeofday");
	host_vdso_calls.time = stub_address(base, "__vdso_time");
	if (!host_vdso_calls.clock_gettime || !host_vdso_calls.gettimeofday ||
	    !host_vdso_calls.time)
		return "the host's vDSO lacks a function";

	return try_in_child(base);
}

/**
 * os_host_vdso_probe() - Have the stubs keep the host's vDSO, if that works
 *
 * To be called once, before the kernel runs, as it forks. Fills in host_vdso,
 * and host_vdso_calls, or else host_vdso_obstacle.
 */
void os_host_vdso_probe(void)
{
	host_vdso_obstacle = probe();
	if (host_vdso_obstacle)
		os_host_vdso_disable();
}

/**
 * os_host_vdso_disable() - Have the stubs keep nothing
 *
 * To be called before there are stubs.
 */
void os_host_vdso_disable(void)
{
	host_vdso.nr = 0;
	host_vdso_start = 0;
	host_vdso_end = 0;
}

/* Whether a file has a line that is or contains @word as a word */
static bool file_has(const char *path, const char *word)
{
	size_t len = strlen(word);
	bool found = false;
	static char line[8192];
	char *at;
	FILE *file;

	file = fopen(path, "re");
	if (!file)
		return false;

	while (!found && fgets(line, sizeof(line), file)) {
		at = strstr(line, word);
		found = at && (at == line || at[-1] == ' ') &&
			(at[len] == ' ' || at[len] == '\n');
	}
	fclose(file);
	return found;
}

/**
 * os_tsc_obstacle() - Why the guest's clock cannot count the TSC
 *
 * Return: NULL if it can, or the reason, a constant string.
 */
const char *os_tsc_obstacle(void)
{
	if (!file_has("/sys/devices/system/clocksource/clocksource0/current_clocksource",
		      "tsc"))
		return "the host's clock does not count the TSC";
	if (!file_has("/proc/cpuinfo", "constant_tsc") ||
	    !file_has("/proc/cpuinfo", "nonstop_tsc"))
		return "the TSC is not constant_tsc and nonstop_tsc";
	return NULL;
}
