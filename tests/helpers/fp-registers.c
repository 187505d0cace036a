// SPDX-License-Identifier: GPL-2.0
/*
 * fp-registers - are a task's vector registers its own?
 *
 * usage: fp-registers [ROUNDS]
 *
 * Loads XMM0 to XMM15 with a pattern, makes a system call, and looks at what they
 * are, with nothing in between: in threads that take turns, around signal handlers
 * that change them, in parent and child of fork(), and under a tracer that reads and
 * writes them. Prints "WHAT: kept", or "WHAT: N lost"; status 1 in that case.
 */
#include <immintrin.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "clock.h"

#define THREADS 4
#define REGS	16

struct xmm {
	unsigned char regs[REGS][16];
} __attribute__((aligned(16)));

static int rounds = 200, status;

static void fill(struct xmm *x, int seed)
{
	for (int i = 0; i < REGS; i++)
		for (int j = 0; j < 16; j++)
			x->regs[i][j] = seed * 37 + i * 16 + j;
}

#define LOAD(n)	 "movdqa " #n "*16(%[in]), %%xmm" #n "\n\t"
#define STORE(n) "movdqa %%xmm" #n ", " #n "*16(%[out])\n\t"
#define ALL(op)                                                            \
	op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) \
		op(11) op(12) op(13) op(14) op(15)
#define CLOBBER_XMM                                                          \
	"xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",      \
		"xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", \
		"xmm15"

/* A system call with @in in the registers; @out is what they are afterwards */
static long call_with(long nr, long a, long b, const struct xmm *in,
		      struct xmm *out)
{
	long ret = nr;

	asm volatile(ALL(LOAD) "syscall\n\t" ALL(STORE)
		     : "+a"(ret)
		     : "D"(a), "S"(b), [in] "r"(in), [out] "r"(out)
		     : "rcx", "r11", "memory", CLOBBER_XMM);
	return ret;
}

static void report(const char *what, int lost)
{
	if (lost)
		printf("%s: %d lost\n", what, lost);
	else
		printf("%s: kept\n", what);
	status |= !!lost;
}

/* --- threads -------------------------------------------------------------- */

static void *take_turns(void *arg)
{
	int seed = (int)(long)arg;
	struct xmm in, out;
	long lost = 0;

	for (int i = 0; i < rounds; i++) {
		fill(&in, seed + i);
		call_with(SYS_sched_yield, 0, 0, &in, &out);
		lost += !!memcmp(&in, &out, sizeof(in));
	}
	return (void *)lost;
}

static void try_threads(void)
{
	pthread_t threads[THREADS];
	long lost = 0;
	void *one;

	for (long i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, take_turns,
				   (void *)(i * 1000)))
			exit(2);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &one);
		lost += (long)one;
	}
	report("threads", lost);
}

/* --- signals -------------------------------------------------------------- */

static struct xmm seen_in_frame;
static int change;

static void handler(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	struct xmm other, out;

	(void)sig;
	(void)info;
	memcpy(&seen_in_frame, uc->uc_mcontext.fpregs->_xmm,
	       sizeof(seen_in_frame));
	fill(&other, 99);
	call_with(SYS_getppid, 0, 0, &other, &out);
	if (change)
		memset(&uc->uc_mcontext.fpregs->_xmm[5], 0xa5, 16);
}

static void try_signals(void)
{
	struct sigaction action = {
		.sa_sigaction = handler,
		.sa_flags = SA_SIGINFO,
	};
	int lost = 0, hidden = 0, unchanged = 0;
	struct xmm in, out;

	sigaction(SIGUSR1, &action, NULL);
	for (int i = 0; i < rounds; i++) {
		change = i & 1;
		fill(&in, i);
		call_with(SYS_kill, getpid(), SIGUSR1, &in, &out);
		hidden += !!memcmp(&in, &seen_in_frame, sizeof(in));
		if (change) {
			memset(in.regs[5], 0xa5, 16);
			unchanged += !!memcmp(in.regs[5], out.regs[5], 16);
		}
		lost += !!memcmp(&in, &out, sizeof(in));
	}
	report("signals", lost);
	report("signal frames", hidden);
	report("changes of a frame", unchanged);
}

/* --- fork ----------------------------------------------------------------- */

static void try_fork(void)
{
	int lost = 0, child;
	struct xmm in, out;
	long pid;

	for (int i = 0; i < rounds / 10 + 1; i++) {
		fill(&in, i);
		pid = call_with(SYS_fork, 0, 0, &in, &out);
		if (pid < 0)
			exit(2);
		if (!pid)
			_exit(!!memcmp(&in, &out, sizeof(in)));
		lost += !!memcmp(&in, &out, sizeof(in));
		waitpid(pid, &child, 0);
		lost += child != 0;
	}
	report("fork", lost);
}

/* --- a tracer ------------------------------------------------------------- */

static void traced(void)
{
	struct xmm in, out;

	ptrace(PTRACE_TRACEME, 0, 0, 0);
	for (int i = 0; i < rounds / 10 + 1; i++) {
		fill(&in, i);
		call_with(SYS_kill, getpid(), SIGSTOP, &in, &out);
		memset(in.regs[7], 0x5a, 16);
		if (memcmp(&in, &out, sizeof(in)))
			_exit(1);
	}
	_exit(0);
}

static void try_tracer(void)
{
	struct user_fpregs_struct fp;
	int lost = 0, child, i = 0;
	struct xmm want;
	pid_t pid;

	pid = fork();
	if (pid < 0)
		exit(2);
	if (!pid)
		traced();
	while (waitpid(pid, &child, 0) == pid && WIFSTOPPED(child)) {
		fill(&want, i++);
		if (ptrace(PTRACE_GETFPREGS, pid, 0, &fp))
			lost++;
		lost += !!memcmp(&want, fp.xmm_space, sizeof(want));
		memset((char *)fp.xmm_space + 7 * 16, 0x5a, 16);
		if (ptrace(PTRACE_SETFPREGS, pid, 0, &fp))
			lost++;
		ptrace(PTRACE_CONT, pid, 0, 0);
	}
	report("a tracer's view", lost + !i);
	report("a tracer's change", child != 0);
}

/* --- a new program -------------------------------------------------------- */

static void try_exec(char *self)
{
	struct xmm in, out;
	int child;
	pid_t pid = fork();

	if (!pid) {
		fill(&in, 1);
		call_with(SYS_getppid, 0, 0, &in, &out);
		_mm_setcsr(0x7f80);
		execl(self, self, "--mxcsr", NULL);
		_exit(2);
	}
	waitpid(pid, &child, 0);
	report("a new program's control register", child != 0);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--mxcsr"))
		return _mm_getcsr() != 0x1f80;
	if (argc > 1)
		rounds = atoi(argv[1]);
	try_threads();
	try_signals();
	try_fork();
	try_tracer();
	try_exec("/proc/self/exe");
	return status;
}
