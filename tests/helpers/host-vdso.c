// SPDX-License-Identifier: GPL-2.0
/*
 * host-vdso - misuse the host's vDSO, which a UML stub keeps above the guest's
 * addresses.
 *
 * usage: host-vdso [--uid UID] VDSO STUB
 *
 * Both are hexadecimal addresses: of the vDSO's ELF header, and of the stub's
 * first page; its data follow. Four parts, with a line each:
 *   data		what the vDSO reads is read here: each page has it, or gives a
 *		signal
 *   functions	each is called with each clock id, and told to write to the stub,
 *		to its own pages, to the kernel and to nowhere
 *   system calls	from each system call instruction in it: every one has to be
 *		the guest's, but for the host's CLOCK_MONOTONIC
 *   pointers	every time call is told to write to the stub and to the vDSO
 * "not ok" is said of what the guest's kernel should have refused, or answered
 * otherwise; then it exits with 1.
 */
#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "become.h"
#include "clock.h"

#define PAGE	 4096UL
#define IDS_FROM -16
#define IDS_TO	 40
#define LOST	 LONG_MIN
/* Between the calls the stub can have queued, and its stack */
#define QUIET (PAGE + 0x800)

static sigjmp_buf back;
static long landed_with;
static unsigned long stack[4096] __attribute__((aligned(4096)));
static char handler_stack[65536];
static unsigned long *own_sp __attribute__((used)) = &stack[4000];
static char *vdso, *stub;
static int failures;

static void check(int ok, const char *what, long arg, long got)
{
	if (ok)
		return;
	failures++;
	printf("not ok %s, %ld: %ld\n", what, arg, got);
}

static void on_signal(int sig)
{
	siglongjmp(back, sig + 1);
}

static __attribute__((noreturn, used)) void landed(long rax)
{
	landed_with = rax;
	siglongjmp(back, 1);
}

/* Where whatever was jumped to returns to, with any stack */
static __attribute__((naked)) void landing(void)
{
	asm("movq %rax, %rdi\n\t"
	    "movq own_sp(%rip), %rsp\n\t"
	    "andq $-16, %rsp\n\t"
	    "call landed");
}

/*
 * Jump to @at with @nr in rax, and three arguments; every word of the stack
 * leads back. 0 if it came back, else the signal.
 */
static int jump(const void *at, long nr, long arg0, long arg1, long arg2)
{
	int how = sigsetjmp(back, 1);

	if (how)
		return how - 1;
	for (size_t i = 0; i < 3000; i++)
		stack[i] = (unsigned long)landing;
	asm volatile("movq %[sp], %%rsp\n\t"
		     "movq %%rsp, %%rbp\n\t"
		     "xorl %%ebx, %%ebx\n\t"
		     "jmp *%[at]"
		     :
		     : [at] "r"(at), [sp] "r"(&stack[2000]), "a"(nr), "D"(arg0),
		       "S"(arg1), "d"(arg2)
		     : "memory", "rbx");
	__builtin_unreachable();
}

/* --- data ------------------------------------------------------------------ */

#define DATA_PAGES 8

/* The signal that it gives to read there, or 0 */
static int touch(volatile char *at)
{
	int how = sigsetjmp(back, 1);

	if (how)
		return how - 1;
	(void)*at;
	return 0;
}

static void attack_data(void)
{
	int faults[NSIG] = { 0 };

	for (int i = 1; i <= DATA_PAGES; i++)
		faults[touch(vdso - i * PAGE)]++;
	printf("data: of %d pages %d give SIGSEGV, %d SIGBUS\n", DATA_PAGES,
	       faults[SIGSEGV], faults[SIGBUS]);
	check(faults[0], "no data", 0, 0);
}

/* --- functions ------------------------------------------------------------ */

static const Elf64_Shdr *symbol_table(void)
{
	const Elf64_Ehdr *head = (void *)vdso;
	const Elf64_Shdr *section = (void *)(vdso + head->e_shoff);

	for (int i = 0; i < head->e_shnum; i++)
		if (section[i].sh_type == SHT_DYNSYM)
			return &section[i];
	fprintf(stderr, "host-vdso: no symbols\n");
	exit(2);
}

/* Call all functions with pointer @to; returns how many came back. */
static int call_all(char *to)
{
	static const long ids[] = { 0, 1, 5, 7, 11, 16, -1, 32, 0x7fffffff };
	const Elf64_Shdr *table = symbol_table();
	const Elf64_Sym *sym = (void *)(vdso + table->sh_offset);
	int n = 0;

	for (size_t i = 0; i < table->sh_size / sizeof(*sym); i++) {
		if (ELF64_ST_TYPE(sym[i].st_info) != STT_FUNC)
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(ids); k++) {
			const char *at = vdso + sym[i].st_value;

			n += !jump(at, 0, ids[k], (long)to, (long)to);
			n += !jump(at, 0, (long)to, k, k);
		}
	}
	return n;
}

static void attack_functions(void)
{
	char *own =
		mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *to[] = { (char *)stack,
		       stub,
		       stub + PAGE,
		       stub + QUIET,
		       stub + 2 * PAGE - 8,
		       stub + 3 * PAGE - 8,
		       stub + 3 * PAGE,
		       vdso,
		       vdso - PAGE,
		       vdso - 4 * PAGE,
		       own,
		       NULL,
		       (char *)0x7f7ffffffff8,
		       (char *)0x800000000000,
		       (char *)0xffff800000000000,
		       (char *)-8 };
	int ended = 0, died = 0, status;

	for (size_t i = 0; i < ARRAY_SIZE(to); i++) {
		fflush(stdout);
		if (!fork()) {
			alarm(10);
			_exit(call_all(to[i]) > 0);
		}
		wait(&status);
		ended += WIFEXITED(status) && WEXITSTATUS(status);
		died += WIFSIGNALED(status);
		check(i || ended, "calls with a good pointer", i, status);
	}
	printf("functions: %d of %zu came to an end, %d died\n", ended,
	       ARRAY_SIZE(to), died);
}

/* --- system calls ---------------------------------------------------------- */

/* The result of a call from there, or LOST */
static long call_from(const char *at, long nr, long arg0, long arg1)
{
	if (jump(at, nr, arg0, arg1, 0))
		landed_with = LOST;
	return landed_with;
}

static long own_call(long nr, long arg0, long arg1)
{
	long ret = syscall(nr, arg0, arg1);

	return ret < 0 ? -errno : ret;
}

/* 0 if the clock read from there is the guest's */
static int same_clock(const char *at, long id)
{
	struct timespec before = { 0 }, ts = { 0 }, after = { 0 };
	long want = own_call(SYS_clock_gettime, id, (long)&before);
	long got = call_from(at, SYS_clock_gettime, id, (long)&ts);

	own_call(SYS_clock_gettime, id, (long)&after);
	if (got != want)
		return -1;
	if (want || id == CLOCK_MONOTONIC)
		return 0;
	return ts_ns(&before) > ts_ns(&ts) || ts_ns(&ts) > ts_ns(&after);
}

static void check_calls(const char *at)
{
	static struct timespec ts = { 4102444800, 0 }; /* 2100 */
	long offset = at - vdso;

	for (long id = IDS_FROM; id <= IDS_TO; id++)
		check(!same_clock(at, id), "clock read at", offset, id);
	check(call_from(at, SYS_getpid, 0, 0) == getpid(), "getpid at", offset,
	      landed_with);
	check(call_from(at, SYS_getuid, 0, 0) == (long)getuid(), "getuid at",
	      offset, landed_with);
	if (getuid()) {
		check(call_from(at, SYS_settimeofday, (long)&ts, 0) == -EPERM,
		      "settimeofday at", offset, landed_with);
		check(call_from(at, SYS_clock_settime, 0, (long)&ts) == -EPERM,
		      "clock_settime at", offset, landed_with);
		check(call_from(at, SYS_kill, 1, SIGKILL) == -EPERM, "kill at",
		      offset, landed_with);
	}
	check(call_from(at, SYS_clock_gettime, 1, (long)stub + QUIET) ==
		      -EFAULT,
	      "clock_gettime to the stub at", offset, landed_with);
	check(call_from(at, SYS_clock_gettime, 1, -8) == -EFAULT,
	      "clock_gettime to the kernel at", offset, landed_with);
}

static void attack_calls(void)
{
	const Elf64_Ehdr *head = (void *)vdso;
	const Elf64_Phdr *seg = (void *)(vdso + head->e_phoff);
	size_t size = 0;
	int found = 0, lost = 0;

	for (int i = 0; i < head->e_phnum; i++)
		if (seg[i].p_type == PT_LOAD)
			size = seg[i].p_offset + seg[i].p_filesz;
	for (char *at = vdso; at + 2 <= vdso + size; at++) {
		if (memcmp(at, "\x0f\x05", 2))
			continue;
		found++;
		if (call_from(at, SYS_getppid, 0, 0) == getppid())
			check_calls(at);
		else
			lost++;
	}
	check(lost < found, "no system call instruction, of", found, lost);
	printf("system calls: from %d places, %d do not return\n", found, lost);
}

/* --- pointers --------------------------------------------------------------- */

static void refused(long ret, const char *what, char *to)
{
	check(ret < 0 && ret != -ENOSYS, what, to - stub, ret);
}

static void attack_pointers(char *to)
{
	static const long sets[] = { SYS_settimeofday, SYS_adjtimex };
	long before[2] = { 0 }, after[2] = { 0 };
	/* Not where there are no stubs */
	int readable = !touch(to);

	if (readable)
		memcpy(before, to, sizeof(before));
	refused(own_call(SYS_gettimeofday, (long)to, 0), "gettimeofday", to);
	refused(own_call(SYS_gettimeofday, 0, (long)to), "time zone", to);
	refused(own_call(SYS_time, (long)to, 0), "time", to);
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		refused(own_call(sets[i], (long)to, 0), "set", to);
	for (long id = IDS_FROM; id <= IDS_TO; id++) {
		refused(own_call(SYS_clock_gettime, id, (long)to),
			"clock_gettime", to);
		refused(own_call(SYS_clock_settime, id, (long)to),
			"clock_settime", to);
		refused(own_call(SYS_clock_adjtime, id, (long)to),
			"clock_adjtime", to);
		own_call(SYS_clock_getres, id, (long)to);
	}
	if (readable)
		memcpy(after, to, sizeof(after));
	check(!memcmp(before, after, sizeof(after)), "it was written to",
	      to - stub, after[0]);
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_signal,
				.sa_flags = SA_ONSTACK };
	stack_t alt = { .ss_sp = handler_stack,
			.ss_size = sizeof(handler_stack) };

	if (argc == 5 && !strcmp(argv[1], "--uid")) {
		become(atoi(argv[2]));
		argc -= 2;
		argv += 2;
	}
	if (argc != 3) {
		fprintf(stderr, "usage: host-vdso [--uid UID] VDSO STUB\n");
		return 2;
	}
	vdso = (char *)strtoul(argv[1], NULL, 16);
	stub = (char *)strtoul(argv[2], NULL, 16);
	sigaltstack(&alt, NULL);
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	sigaction(SIGILL, &sa, NULL);
	sigaction(SIGTRAP, &sa, NULL);
	sigaction(SIGFPE, &sa, NULL);
	if (memcmp(vdso, ELFMAG, SELFMAG)) {
		fprintf(stderr, "host-vdso: no vDSO at %s\n", argv[1]);
		return 2;
	}
	attack_data();
	attack_functions();
	attack_calls();
	attack_pointers(stub);
	attack_pointers(stub + QUIET);
	attack_pointers(vdso);
	attack_pointers(vdso + PAGE - 16);
	printf("pointers: ids %d to %d\n", IDS_FROM, IDS_TO);
	return failures > 0;
}
