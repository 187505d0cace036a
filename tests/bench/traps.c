// SPDX-License-Identifier: GPL-2.0
/*
 * traps - how long a system call or a fault of other code takes to get to who
 * handles it, and back: raw samples for scripts/bench-traps
 *
 * usage: traps [-n CALLS] [-r ROUNDS] WAY...
 *
 *   -n CALLS    in a round (100, at most a million)
 *   -r ROUNDS   rounds (15, at most 1000)
 *
 * Ways:
 *   empty         the loop alone
 *   getppid       a system call that nobody handles
 *   time          the same, of the call that mmfd-passed makes
 *   mmfd-run      mmfd_run(), and a system call of the guest
 *   mmfd-shared   the same, with the FPU registers of the caller
 *   mmfd-fault    mmfd_run(), and a page fault of the guest
 *   mmfd-map      the same; then the page is mapped, read, and unmapped
 *   mmfd-passed   a guest's system call that passes, time()
 *   mmfd-switch   mmfd_switch() to a copy of the address space, and back
 *   user-dispatch a system call of the process itself that gets it SIGSYS
 *   sysemu        a traced child's, stopped at by PTRACE_SYSEMU, its registers
 *                 read and written
 *   sigsys        a child's that gets it SIGSYS by seccomp, handled by its parent,
 *                 each waiting for the other by a futex
 *
 * Prints lines as timecalls does; or "lacks WAY OPTION" if the kernel was built
 * without that option. Pin the process to one CPU, or not.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <mmfd.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "traps"
#include "bench.h"

#define CALLS_MAX 1000000
#define PAGE	  4096UL

/* The guest's code, and an address where nothing is */
#define GUEST_CODE 0x10000UL
#define GUEST_NONE 0x20000UL

static uint64_t ticks[ROUNDS_MAX];

static long raw_call(long nr, long arg0)
{
	long ret;

	asm volatile("syscall"
		     : "=a"(ret)
		     : "0"(nr), "D"(arg0)
		     : "rcx", "r11", "memory");
	return ret;
}

static void nothing(void)
{
}

static void loop_empty(unsigned int n)
{
	while (n--)
		asm volatile("");
}

static void loop_getppid(unsigned int n)
{
	while (n--)
		raw_call(SYS_getppid, 0);
}

static void loop_time(unsigned int n)
{
	while (n--)
		raw_call(SYS_time, 0);
}

/* --- mmfd ------------------------------------------------------------------- */

static struct mmfd_vcpu *vcpu;
static struct mmfd_run *page;
static int space, home;

static void guest(const void *code, size_t len, unsigned int flags,
		  unsigned int pass)
{
	int memory = memfd_create("guest", MFD_CLOEXEC);
	int dev = mmfd_open();

	errno = dev < 0 ? -dev : 0;
	must(dev >= 0, MMFD_DEVICE " (CONFIG_MMFD)");
	space = mmfd_create(dev, 0);
	must(space >= 0, "address space");
	must(write(memory, code, len) == (ssize_t)len, "memfd");
	must(!ftruncate(memory, PAGE), "memfd");
	must(!mmfd_map(space, GUEST_CODE, PAGE, MMFD_PROT_READ | MMFD_PROT_EXEC,
		       MMFD_MAP_SHARED, memory, 0),
	     "map");
	must(!mmfd_vcpu_create(space, flags, pass, &vcpu), "virtual CPU");
	page = mmfd_vcpu_page(vcpu);
	page->regs.rip = GUEST_CODE;
	page->regs.rax = SYS_getppid;
	page->regs.rdi = GUEST_NONE;
}

static void run(unsigned int reason)
{
	do {
		must(!mmfd_run(mmfd_vcpu_fd(vcpu), 0), "mmfd_run");
	} while (page->reason == MMFD_EXIT_INTERRUPTED);
	if (page->reason != reason)
		fail("mmfd_run", "another trap than was meant");
}

static void setup_run(void)
{
	/* syscall; jmp back */
	guest("\x0f\x05\xeb\xfc", 4, 0, 0);
}

static void setup_shared(void)
{
	guest("\x0f\x05\xeb\xfc", 4, MMFD_VCPU_SHARE_XSTATE, 0);
}

static void loop_run(unsigned int n)
{
	while (n--)
		run(MMFD_EXIT_SYSCALL);
}

static void setup_fault(void)
{
	/* mov (%rdi),%rax; mov $110,%eax; syscall; jmp back */
	guest("\x48\x8b\x07\xb8\x6e\x00\x00\x00\x0f\x05\xeb\xf4", 12, 0, 0);
}

static void loop_fault(unsigned int n)
{
	while (n--)
		run(MMFD_EXIT_FAULT);
}

static void loop_map(unsigned int n)
{
	while (n--) {
		run(MMFD_EXIT_FAULT);
		must(!mmfd_map(space, GUEST_NONE, PAGE,
			       MMFD_PROT_READ | MMFD_PROT_WRITE,
			       MMFD_MAP_PRIVATE | MMFD_MAP_ANONYMOUS, -1, 0),
		     "map");
		run(MMFD_EXIT_SYSCALL);
		must(!mmfd_unmap(space, GUEST_NONE, PAGE), "unmap");
	}
}

static void setup_passed(void)
{
	/* xor %edi,%edi; mov $201,%eax; syscall; dec %ebx; jnz back; ud2 */
	guest("\x31\xff\xb8\xc9\x00\x00\x00\x0f\x05\xff\xcb\x75\xf3\x0f\x0b",
	      15, 0, MMFD_PASS_TIME);
}

static void loop_passed(unsigned int n)
{
	page->regs.rip = GUEST_CODE;
	page->regs.rbx = n;
	run(MMFD_EXIT_EXCEPTION);
}

static void setup_switch(void)
{
	int dev = mmfd_open();

	errno = dev < 0 ? -dev : 0;
	must(dev >= 0, MMFD_DEVICE " (CONFIG_MMFD)");
	home = mmfd_create(dev, MMFD_CREATE_SELF);
	space = mmfd_create(dev, MMFD_CREATE_COPY);
	must(home >= 0 && space >= 0, "address space");
}

#define SWITCH_TO(where) \
	"mov " where ", %%rdi; mov %[nr], %%eax; syscall; or %%rax, %[err];"
#define SWITCH_LOOP \
	"1:" SWITCH_TO("%[there]") SWITCH_TO("%[back]") "dec %[n]; jnz 1b"

/* In registers only: the stack of the copy is as it was when it was made. */
static void loop_switch(unsigned int n)
{
	register long arg asm("rdx") = 0;
	register long cmd asm("rsi") = MMFD_SWITCH;
	long there = space, back = home, err = 0;

	/* clang-format off */
	asm volatile(SWITCH_LOOP
		     : [n] "+r"(n), [err] "+r"(err)
		     : [there] "r"(there), [back] "r"(back),
		       [nr] "i"(SYS_ioctl), "r"(cmd), "r"(arg)
		     : "rax", "rdi", "rcx", "r11", "memory");
	/* clang-format on */
	must(!err, "mmfd_switch");
}

/* --- SIGSYS in the process itself -------------------------------------------- */

static volatile char selector;

static void on_dispatch(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	(void)context;
	selector = SYSCALL_DISPATCH_FILTER_ALLOW;
}

static void setup_dispatch(void)
{
	struct sigaction sa = { .sa_sigaction = on_dispatch,
				.sa_flags = SA_SIGINFO };

	must(!sigaction(SIGSYS, &sa, NULL), "sigaction");
	if (prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0L, 0L,
		  &selector)) {
		printf("lacks user-dispatch CONFIG_SYSCALL_USER_DISPATCH\n");
		exit(0);
	}
}

static void loop_dispatch(unsigned int n)
{
	while (n--) {
		selector = SYSCALL_DISPATCH_FILTER_BLOCK;
		raw_call(SYS_getppid, 0);
	}
}

/* --- another process ---------------------------------------------------------- */

struct shared {
	int turn; /* futex: 0 the child's, 1 the parent's */
	struct user_regs_struct regs;
};

static struct shared *shared;

static pid_t child;

static void forever(void)
{
	for (;;)
		raw_call(SYS_getppid, 0);
}

static void setup_sysemu(void)
{
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		forever();
	}
	must(child > 0 && waitpid(child, NULL, 0) == child, "child");
	must(!ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD),
	     "ptrace");
}

static void loop_sysemu(unsigned int n)
{
	struct user_regs_struct regs;
	int status;

	while (n--) {
		must(!ptrace(PTRACE_SYSEMU, child, NULL, NULL), "ptrace");
		must(waitpid(child, &status, 0) == child, "wait");
		if (!WIFSTOPPED(status) || WSTOPSIG(status) != (SIGTRAP | 0x80))
			fail("ptrace", "another stop than was meant");
		must(!ptrace(PTRACE_GETREGS, child, NULL, &regs), "registers");
		must(!ptrace(PTRACE_SETREGS, child, NULL, &regs), "registers");
	}
}

/* Until it is @mine again */
static void pass_turn(int mine)
{
	__atomic_store_n(&shared->turn, !mine, __ATOMIC_RELEASE);
	syscall(SYS_futex, &shared->turn, FUTEX_WAKE, 1, NULL, NULL, 0);
	while (__atomic_load_n(&shared->turn, __ATOMIC_ACQUIRE) != mine)
		syscall(SYS_futex, &shared->turn, FUTEX_WAIT, !mine, NULL, NULL,
			0);
}

static void on_sigsys(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	memcpy(&shared->regs, context, sizeof(shared->regs));
	pass_turn(0);
}

static void trap_getppid(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { ARRAY_SIZE(code), code };
	struct sigaction sa = { .sa_sigaction = on_sigsys,
				.sa_flags = SA_SIGINFO };

	must(!sigaction(SIGSYS, &sa, NULL), "sigaction");
	must(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	must(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog), "filter");
}

static void setup_sigsys(void)
{
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(shared != MAP_FAILED, "mmap");
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		trap_getppid();
		forever();
	}
	must(child > 0, "child");
	while (__atomic_load_n(&shared->turn, __ATOMIC_ACQUIRE) != 1)
		syscall(SYS_futex, &shared->turn, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static void loop_sigsys(unsigned int n)
{
	while (n--)
		pass_turn(1);
}

/* --- */

static const struct way {
	const char *name;
	void (*setup)(void);
	void (*loop)(unsigned int n);
} ways[] = {
	{ "empty", nothing, loop_empty },
	{ "getppid", nothing, loop_getppid },
	{ "time", nothing, loop_time },
	{ "mmfd-run", setup_run, loop_run },
	{ "mmfd-shared", setup_shared, loop_run },
	{ "mmfd-fault", setup_fault, loop_fault },
	{ "mmfd-map", setup_fault, loop_map },
	{ "mmfd-passed", setup_passed, loop_passed },
	{ "mmfd-switch", setup_switch, loop_switch },
	{ "user-dispatch", setup_dispatch, loop_dispatch },
	{ "sysemu", setup_sysemu, loop_sysemu },
	{ "sigsys", setup_sigsys, loop_sigsys },
};

/* In a process of its own, as some ways are for good */
static void measure(const struct way *way, unsigned int n, unsigned int rounds)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	must(pid >= 0, "fork");
	if (pid) {
		must(waitpid(pid, &status, 0) == pid, "wait");
		if (status)
			fail(way->name, "not measured");
		return;
	}
	way->setup();
	way->loop(n);
	for (unsigned int i = 0; i < rounds; i++) {
		uint64_t start = counter();

		way->loop(n);
		ticks[i] = counter() - start;
	}
	selector = SYSCALL_DISPATCH_FILTER_ALLOW;
	print_sample(way->name, n, ticks, rounds);
	fflush(stdout);
	if (child)
		kill(child, SIGKILL);
	_exit(0);
}

static const struct way *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		if (!strcmp(name, ways[i].name))
			return &ways[i];
	}
	fail(name, "no such way");
}

int main(int argc, char **argv)
{
	unsigned int n = 100, rounds = 15;
	int opt;

	while ((opt = getopt(argc, argv, "n:r:")) != -1) {
		if (opt == 'n')
			n = number(optarg, CALLS_MAX);
		else if (opt == 'r')
			rounds = number(optarg, ROUNDS_MAX);
		else
			return 2;
	}
	if (optind == argc) {
		fprintf(stderr, "usage: traps [-n CALLS] [-r ROUNDS] WAY...\n");
		return 2;
	}
	while (optind < argc)
		measure(find(argv[optind++]), n, rounds);
	return 0;
}
