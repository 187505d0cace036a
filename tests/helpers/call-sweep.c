// SPDX-License-Identifier: GPL-2.0
/*
 * call-sweep - make every system call by one of the ways into the kernel.
 *
 * usage: call-sweep [--uid UID] [--list] syscall|int80|sysenter
 *
 * Numbers are 0 to 559, the same for x32, and odd ones; by syscall each with several
 * kinds of arguments. Who makes them is alone in a PID, mount, UTS and IPC namespace, as root
 * or as UID, and is started again when a call has ended it, or takes long. Prints
 * how many calls were answered, were not known (ENOSYS), gave a signal, ended the
 * process, and waited; with --list, what each came to. Ends with 1, and a line "not
 * ok", if an answer is not that of the kernel of that process. As root, in UML guests
 * only.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "become.h"
#include "caught.h"
#include "clock.h"

#define NUMBERS	    560
#define X32	    0x40000000L
#define PATIENCE_US 300000
/* So many by one process: a call may take rights from it, or descriptors */
#define BATCH 16

static const long odd[] = {
	-1,	    -2,		-4096,	    0x7fffffff, 0x80000000,
	0xffffffff, 0x400003ff, 0x80000027, 0x10000,	0x100000000,
};

enum outcome {
	NOT_MADE,
	ANSWER,
	SIGNAL,
	ENDED,
	WAITED
};

struct result {
	long ret;
	enum outcome how;
};

#define CALLS	  (2 * NUMBERS + (int)ARRAY_SIZE(odd))
#define KINDS	  4
#define MAX_TRIES (CALLS * KINDS)

/* Seen by both the one who sweeps and the one who looks on */
struct shared {
	volatile int current;
	volatile int next; /* after a batch that came to its end, else 0 */
	struct result results[MAX_TRIES];
};

static struct shared *shared;

static long buffer[512] __attribute__((aligned(4096)));
static uid_t uid;

/* What is tried: each number with the first so many kinds of arguments */
static int kinds, tries;

static long number(int call)
{
	if (call < NUMBERS)
		return call;
	if (call < 2 * NUMBERS)
		return X32 | (call - NUMBERS);
	return odd[call - 2 * NUMBERS];
}

/* Arguments of every kind: what no object has for its number, pointers, -1 */
static long argument(int kind, int i)
{
	switch (kind) {
	case 0:
		return 99;
	case 1:
		return (long)buffer;
	case 2:
		return -1;
	default:
		return i ? (long)buffer : 0;
	}
}

/* --- ways in ----------------------------------------------------------------- */

static long by_syscall(long nr, const long *args)
{
	register long r10 asm("r10");
	register long r8 asm("r8");
	register long r9 asm("r9");
	long ret = nr;

	r10 = args[3];
	r8 = args[4];
	r9 = args[5];
	asm volatile("syscall"
		     : "+a"(ret)
		     : "D"(args[0]), "S"(args[1]), "d"(args[2]), "r"(r10),
		       "r"(r8), "r"(r9)
		     : "rcx", "r11", "memory");
	return ret;
}

static long by_int80(long nr, const long *args)
{
	long ret = nr;

	asm volatile("push %%rbx\n\t"
		     "mov %[first], %%rbx\n\t"
		     "int $0x80\n\t"
		     "pop %%rbx"
		     : "+a"(ret)
		     : [first] "r"(args[0]), "c"(args[1]), "d"(args[2]),
		       "S"(args[3]), "D"(args[4])
		     : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

/* Where it comes back is the kernel's choice: only a signal leads back here. */
static long by_sysenter(long nr, const long *args)
{
	long ret = nr;

	asm volatile("push %%rbp\n\t"
		     "mov %%rsp, %%rbp\n\t"
		     "sysenter\n\t"
		     "pop %%rbp"
		     : "+a"(ret)
		     : "c"(args[1]), "d"(args[2]), "S"(args[3]), "D"(args[4])
		     : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

static const struct way {
	const char *name;
	long (*call)(long nr, const long *args);
} ways[] = {
	{ "syscall", by_syscall },
	{ "int80", by_int80 },
	{ "sysenter", by_sysenter },
};

/* --- who sweeps -------------------------------------------------------------- */

static void attempt(const struct way *way, int try)
{
	struct result *result = &shared->results[try];
	long args[6];
	int sig;

	for (int i = 0; i < 6; i++)
		args[i] = argument(try % kinds, i);
	/* No name of a file; a time of 2100, which would be seen */
	memset(buffer, 0, sizeof(buffer));
	buffer[0] = 4102444800;
	sig = sigsetjmp(back, 1);
	if (sig) {
		*result = (struct result){ sig, SIGNAL };
		return;
	}
	result->ret = way->call(number(try / kinds), args);
	/* A child of it, made by fork() and the like */
	if (by_syscall(SYS_getpid, args) != 1)
		by_syscall(SYS_exit_group, args);
	result->how = ANSWER;
}

static __attribute__((noreturn)) void sweep(const struct way *way, int first)
{
	int end = first + BATCH < tries ? first + BATCH : tries;

	if (uid)
		become(uid);
	else
		setsid();
	catch_signals();
	for (int try = first; try < end; try++) {
		shared->current = try;
		attempt(way, try);
	}
	shared->next = end;
	_exit(0);
}

/* --- who looks on ------------------------------------------------------------- */

static pid_t start(const struct way *way, int first)
{
	int flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC;
	pid_t pid;

	shared->current = first;
	shared->next = 0;
	pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
	if (!pid)
		sweep(way, first);
	if (pid < 0) {
		perror("call-sweep: clone");
		exit(2);
	}
	return pid;
}

/* Until it has ended, or made no progress for a while; what is to be tried next */
static int look_on(pid_t pid)
{
	int seen = -1, status, idle = 0;

	while (idle < PATIENCE_US) {
		if (waitpid(pid, &status, WNOHANG) == pid) {
			if (shared->next)
				return shared->next;
			shared->results[shared->current] =
				(struct result){ status, ENDED };
			return shared->current + 1;
		}
		idle = seen == shared->current ? idle + 1000 : 0;
		seen = shared->current;
		usleep(1000);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	shared->results[shared->current].how = WAITED;
	return shared->current + 1;
}

static void list(void)
{
	static const char *const how[] = { "not made", "answer", "signal",
					   "ended", "waited" };

	for (int try = 0; try < tries; try++)
		printf("%#lx, arguments %d: %s %ld\n", number(try / kinds),
		       try % kinds, how[shared->results[try].how],
		       shared->results[try].ret);
}

static int not_ok(const char *what, long got)
{
	printf("not ok %s: %ld\n", what, got);
	return 1;
}

/* The answers that another kernel, or this one to another process, would not give */
static int check_answers(void)
{
	int failures = 0;

	for (int try = 0; try < tries; try++) {
		const struct result *r = &shared->results[try];
		long nr = number(try / kinds);

		if (r->how == NOT_MADE)
			failures += not_ok("not made", nr);
		if (r->how != ANSWER)
			continue;
		if (nr == SYS_getpid && r->ret != 1)
			failures += not_ok("getpid", r->ret);
		if (nr == SYS_getppid && r->ret != 0)
			failures += not_ok("getppid", r->ret);
		if (nr == SYS_getuid && r->ret != (long)uid && uid)
			failures += not_ok("getuid", r->ret);
		if ((nr & X32) && r->ret != -ENOSYS)
			failures += not_ok("an x32 call", r->ret);
		/* Of errors, those that no program is to see */
		if (r->ret <= -512 && r->ret >= -531)
			failures += not_ok("an error of the kernel's own, call",
					   nr);
	}
	return failures;
}

static void summary(const char *name)
{
	int n[WAITED + 1] = { 0 }, unknown = 0;

	for (int try = 0; try < tries; try++) {
		const struct result *r = &shared->results[try];

		if (r->how == ANSWER && r->ret == -ENOSYS)
			unknown++;
		else
			n[r->how]++;
	}
	printf("%s: %d calls: %d answered, %d unknown, %d gave a signal, "
	       "%d ended it, %d waited\n",
	       name, tries, n[ANSWER], unknown, n[SIGNAL], n[ENDED], n[WAITED]);
}

static const struct way *find_way(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(ways); i++)
		if (!strcmp(ways[i].name, name))
			return &ways[i];
	fprintf(stderr, "usage: call-sweep [--uid UID] [--list] "
			"syscall|int80|sysenter\n");
	exit(2);
}

/* As root anywhere else, it would do what its calls say. */
static void refuse_root(void)
{
	FILE *info = fopen("/proc/cpuinfo", "r");
	char line[256];
	int found = 0;

	while (info && !found && fgets(line, sizeof(line), info))
		found = !!strstr(line, "User Mode Linux");
	if (found)
		return;
	fprintf(stderr, "call-sweep: this is no UML guest; use --uid\n");
	exit(2);
}

int main(int argc, char **argv)
{
	const struct way *way;
	int failures = 0, listed = 0, at = 0;

	if (argc > 2 && !strcmp(argv[1], "--uid")) {
		uid = atoi(argv[2]);
		argc -= 2;
		argv += 2;
	}
	if (argc > 1 && !strcmp(argv[1], "--list")) {
		listed = 1;
		argv++;
	}
	way = find_way(argv[1]);
	if (!uid)
		refuse_root();
	kinds = way->call == by_syscall ? KINDS : 1;
	tries = CALLS * kinds;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 2;
	while (at < tries)
		at = look_on(start(way, at));
	if (listed)
		list();
	if (way->call == by_syscall)
		failures = check_answers();
	summary(way->name);
	return failures > 0;
}
