// SPDX-License-Identifier: GPL-2.0
/*
 * watched-calls - what who watches a process sees of its time calls.
 *
 * Usage: watched-calls
 *
 * Single-steps, traces and filters children that make raw time calls. Prints one
 * line for each thing seen, the same whether calls are intercepted or not. The
 * instructions of a child are named by their distance from the first one.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <ucontext.h>

#include "clock.h"
#include "time-calls.h"

#define TF 0x100

static struct timespec buffer[2];

static long get(void)
{
	long ret = syscall(SYS_gettimeofday, buffer, NULL);

	return ret ? -errno : 0;
}

/* Many, so that they pass if they may */
static void warm_up(void)
{
	for (int i = 0; i < 100; i++)
		get();
}

static pid_t start(void (*body)(void))
{
	pid_t pid = fork();

	if (pid)
		return pid;
	warm_up();
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	body();
	_exit(0);
}

static int stopped(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		return 0;
	return status >> 8;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* A time is never twice the same: only whether there is one */
static const char *result(long value)
{
	static char text[32];

	if (value > 1000000)
		return "a time";
	if (value >= -4095 && value < 0)
		return strerrorname_np(-value);
	snprintf(text, sizeof(text), "%ld", value);
	return text;
}

static int at_syscall(pid_t pid, unsigned long ip)
{
	long word = ptrace(PTRACE_PEEKTEXT, pid, (void *)ip, NULL);

	return (word & 0xffff) == 0x050f;
}

/* --- single step ---------------------------------------------------------- */

static void body_calls(void)
{
	time_calls(buffer);
}

static void step_calls(void)
{
	unsigned long from = (unsigned long)first_call;
	unsigned long to = (unsigned long)after_calls;
	struct user_regs_struct regs = { 0 };
	pid_t pid = start(body_calls);
	int stop = stopped(pid), was_call = 0, steps = 0;

	while (stop) {
		ptrace(PTRACE_GETREGS, pid, NULL, &regs);
		if (regs.rip == to)
			break;
		if (was_call)
			printf("step: call done at %lu: %s, rcx %s, stop %#x\n",
			       (unsigned long)regs.rip - from,
			       result(regs.orig_rax == SYS_getppid ? 0 :
								     regs.rax),
			       regs.rcx == regs.rip ? "next" : "other", stop);
		if (regs.rip >= from && regs.rip < to) {
			steps++;
			was_call = at_syscall(pid, regs.rip);
		}
		if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL))
			break;
		stop = stopped(pid);
	}
	printf("step: %d instructions, then %s\n", steps,
	       regs.rip == to ? "after the calls" : "lost");
	end(pid);
}

/* --- the process sets the trap flag itself ------------------------------- */

static void body_trap_flag(void)
{
	asm volatile("sub $128, %%rsp; pushf; orq %0, (%%rsp); popf\n"
		     "add $128, %%rsp"
		     :
		     : "i"(TF)
		     : "memory", "cc");
	time_calls(buffer);
}

/* Nobody asks for its calls, so they may pass. */
static void own_steps(void)
{
	unsigned long from = (unsigned long)first_call;
	unsigned long to = (unsigned long)after_calls;
	struct user_regs_struct regs = { 0 };
	pid_t pid = start(body_trap_flag);
	siginfo_t info = { 0 };

	while (stopped(pid)) {
		ptrace(PTRACE_GETREGS, pid, NULL, &regs);
		ptrace(PTRACE_GETSIGINFO, pid, NULL, &info);
		if (regs.rip >= from && regs.rip <= to)
			printf("own step: at %lu, signal %d, code %d\n",
			       (unsigned long)regs.rip - from, info.si_signo,
			       info.si_code);
		if (regs.rip == to || ptrace(PTRACE_CONT, pid, NULL, NULL))
			break;
	}
	end(pid);
}

/* --- a tracer ------------------------------------------------------------- */

static void print_stop(pid_t pid, int nr)
{
	struct __ptrace_syscall_info info;
	struct user_regs_struct regs;

	ptrace(PTRACE_GETREGS, pid, NULL, &regs);
	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0)
		info.op = 255;
	printf("trace: stop %d: call %lld, op %d, at %lld, %s\n", nr,
	       (long long)regs.orig_rax, info.op,
	       (long long)(regs.rip - (unsigned long)first_call),
	       regs.orig_rax == SYS_getppid ? "-" : result(regs.rax));
}

static void trace_calls(void)
{
	pid_t pid = start(body_calls);
	int nr = 0;

	stopped(pid);
	ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)PTRACE_O_TRACESYSGOOD);
	while (!ptrace(PTRACE_SYSCALL, pid, NULL, NULL) &&
	       stopped(pid) == (SIGTRAP | 0x80) && nr < 12)
		print_stop(pid, ++nr);
	end(pid);
}

static void body_changed(void)
{
	struct timespec ts = { -1, -1 };
	long ret = syscall(SYS_clock_gettime, CLOCK_REALTIME, &ts);

	if (ret)
		ret = -errno;
	printf("change: the child got %s, %s\n", result(ret),
	       ts.tv_nsec < 0 ? "no time" : "a time");
	fflush(stdout);
}

enum {
	CHANGE_NUMBER,
	CHANGE_CLOCK,
	CHANGE_POINTER,
	CHANGE_RESULT,
	CHANGES
};

/* The tracer makes another call of the child's clock_gettime() */
static void change_call(int what)
{
	struct user_regs_struct regs;
	pid_t pid = start(body_changed);

	stopped(pid);
	ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)PTRACE_O_TRACESYSGOOD);
	ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	stopped(pid);
	ptrace(PTRACE_GETREGS, pid, NULL, &regs);
	if (what == CHANGE_NUMBER)
		regs.orig_rax = -1;
	else if (what == CHANGE_CLOCK)
		regs.rdi = BAD_CLOCK;
	else if (what == CHANGE_POINTER)
		regs.rsi = 1;
	ptrace(PTRACE_SETREGS, pid, NULL, &regs);
	ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	stopped(pid);
	ptrace(PTRACE_GETREGS, pid, NULL, &regs);
	if (what == CHANGE_RESULT)
		regs.rax = -EXDEV;
	ptrace(PTRACE_SETREGS, pid, NULL, &regs);
	ptrace(PTRACE_CONT, pid, NULL, NULL);
	waitpid(pid, NULL, 0);
}

#define ATTACHED_STOPS 20

/* Attached, it stops at each call; detached, it goes on. */
static void attach_and_detach(pid_t pid, volatile long *done)
{
	long before, calls;

	ptrace(PTRACE_ATTACH, pid, NULL, NULL);
	stopped(pid);
	ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)PTRACE_O_TRACESYSGOOD);
	ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	stopped(pid);
	before = *done;
	for (int i = 0; i < ATTACHED_STOPS; i++) {
		ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
		stopped(pid);
	}
	calls = *done - before;
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	before = *done;
	for (int i = 0; i < 1000 && *done < before + 100; i++)
		usleep(1000);
	printf("attach: %d stops, %ld calls, %s\n", ATTACHED_STOPS, calls,
	       *done >= before + 100 ? "goes on" : "stands still");
}

static void attach(void)
{
	volatile long *done = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = fork();

	if (!pid) {
		for (;; ++*done)
			get();
	}
	for (int round = 0; round < 3; round++) {
		usleep(20000);
		attach_and_detach(pid, done);
	}
	end(pid);
}

/* --- filters -------------------------------------------------------------- */

static int filter(unsigned int action, unsigned int flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_gettimeofday, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { ARRAY_SIZE(code), code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
}

static void own_sigsys(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	printf("filter: SIGSYS: code %d, call %d, arch %s, at %s\n",
	       info->si_code, info->si_syscall,
	       info->si_arch == AUDIT_ARCH_X86_64 ? "x86_64" : "other",
	       (long)info->si_call_addr == uc->uc_mcontext.gregs[REG_RIP] ?
		       "the call" :
		       "another place");
	uc->uc_mcontext.gregs[REG_RAX] = -EXDEV;
}

static void filtered(const char *name, unsigned int action)
{
	struct sigaction sa = { .sa_sigaction = own_sigsys,
				.sa_flags = SA_SIGINFO };
	int status;
	pid_t pid = fork();

	if (!pid) {
		sigaction(SIGSYS, &sa, NULL);
		warm_up();
		if (filter(action, 0))
			_exit(1);
		printf("filter: %s: %s\n", name, result(get()));
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (status)
		printf("filter: %s: status %#x\n", name, status);
}

static volatile int installed;
static long after_install;

static void *caller(void *unused)
{
	(void)unused;
	while (!installed)
		get();
	for (int i = 0; i < 100; i++)
		after_install += get() != -EXDEV;
	return NULL;
}

/* A filter for all threads holds in all of them as soon as it is there. */
static void filter_threads(void)
{
	pthread_t thread;
	pid_t pid = fork();

	if (!pid) {
		pthread_create(&thread, NULL, caller, NULL);
		usleep(50000);
		installed = !filter(SECCOMP_RET_ERRNO | EXDEV,
				    SECCOMP_FILTER_FLAG_TSYNC);
		if (!installed)
			_exit(1);
		pthread_join(thread, NULL);
		printf("filter: all threads: %ld calls went by it\n",
		       after_install);
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	step_calls();
	own_steps();
	trace_calls();
	for (int what = 0; what < CHANGES; what++)
		change_call(what);
	attach();
	filtered("error", SECCOMP_RET_ERRNO | EXDEV);
	filtered("trap", SECCOMP_RET_TRAP);
	filtered("trace without a tracer", SECCOMP_RET_TRACE);
	filtered("log", SECCOMP_RET_LOG);
	filtered("kill", SECCOMP_RET_KILL_PROCESS);
	filter_threads();
	return 0;
}
