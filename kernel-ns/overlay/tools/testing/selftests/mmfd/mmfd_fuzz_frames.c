// SPDX-License-Identifier: GPL-2.0
/*
 * The fuzzer's signal frames: a child whose handlers run at home, wherever it is
 * interrupted, draws where they return to. It is to come home every time, to the
 * stack of its handlers, and to know where it has been.
 */
#define _GNU_SOURCE

#include "mmfd_fuzz.h"
#include "mmfd_away.h"

#define NR_FRAMES	100

/* The child's, which nothing elsewhere can reach */
static struct {
	struct fuzz *f;
	unsigned int frames;
	unsigned int returns;
	int other;
	int gone_to;
	void *tp;
} child;

/* Calls are the kernel's if they come from this program, at home; else SIGSYS. */
static int filter_calls(void)
{
	uint32_t first = (uintptr_t)__executable_start, last = (uintptr_t)etext;
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_X86_64, 0, 6),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, instruction_pointer) + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uintptr_t)etext >> 32, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, instruction_pointer)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first, 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, last, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
	};
	struct sock_fprog prog = { .len = ARRAY_SIZE(filter), .filter = filter };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

static int random_space(uint64_t *rng)
{
	int fds[] = { away.self, away.g.dev, away.g.mem, away.g.vcpu, -1 };

	if (!one_in(rng, 6))
		return one_in(rng, 2) ? away.g.mm : child.other;
	if (one_in(rng, 4))
		return odd_value(rng);
	return fds[rnd(rng, ARRAY_SIZE(fds))];
}

static void random_regs(uint64_t *rng, greg_t *regs)
{
	unsigned int i;

	for (i = REG_R8; i < REG_RSP; i++)
		regs[i] = one_in(rng, 2) ? GUEST_DATA + rnd(rng, PAGE) : odd_value(rng);
	regs[REG_RSP] = one_in(rng, 4) ? odd_value(rng) : GUEST_DATA + 8 * rnd(rng, PAGE / 8);
	regs[REG_RIP] = one_in(rng, 8) ? odd_value(rng) : GUEST_CODE + rnd(rng, 32);
	regs[REG_EFL] = rnd64(rng) & (one_in(rng, 4) ? -1UL : 0x254cd5);
	regs[REG_CSGSFS] = one_in(rng, 8) ? odd_value(rng) :
			   one_in(rng, 6) ? 0x002b000000000023 : 0x002b000000000033;
	while (one_in(rng, 8))
		regs[rnd(rng, NGREG)] = odd_value(rng);
}

/* One that leads to the guest, which makes room on the stack of the handlers */
static void good_frame(ucontext_t *uc)
{
	struct away_mm mm = { .fd = away.g.mm };

	uc->uc_mcontext.gregs[REG_RIP] = GUEST_CODE;
	away_set_mm(uc, &mm);
	child.gone_to = mm.fd;
}

static void random_frame(uint64_t *rng, ucontext_t *uc)
{
	struct away_mm mm = {
		.fd = random_space(rng), .fs_base = rnd64(rng) >> 18,
		.gs_base = rnd64(rng) >> 18,
	};

	if (one_in(rng, 2))
		fuzz_code(rng, away.g.code, 64, false);
	random_regs(rng, uc->uc_mcontext.gregs);
	if (one_in(rng, 8))
		mm.fs_base = odd_value(rng);
	if (one_in(rng, 8))
		mm.gs_base = odd_value(rng);
	/* By its own descriptor it comes home, and needs its bases there. */
	if (mm.fd == away.self) {
		mm.fs_base = (uintptr_t)child.tp;
		mm.gs_base = 0;
	}
	/* The first 72 are those up to the end of the header. */
	if (one_in(rng, 4))
		((uint64_t *)uc->uc_mcontext.fpregs)[rnd(rng, 72)] = odd_value(rng);
	if (one_in(rng, 16))
		uc->uc_mcontext.fpregs = (void *)odd_value(rng);
	if (one_in(rng, 8))
		uc->uc_flags = odd_value(rng);
	away_set_mm(uc, &mm);
	child.gone_to = mm.fd;
}

static void handler(int sig, siginfo_t *info, void *ctx)
{
	ucontext_t *uc = ctx;
	uintptr_t here = (uintptr_t)&uc, stack = (uintptr_t)away.stack;

	if (here < stack || here >= stack + ALT_SIZE)
		fuzz_fail(child.f, "signal %d on another stack, %#lx", sig, here);
	if (__builtin_thread_pointer() != child.tp)
		fuzz_fail(child.f, "signal %d with another FS base", sig);
	if (uc->uc_flags & UC_MM) {
		child.returns++;
		if (away_get_mm(uc).fd != child.gone_to)
			fuzz_fail(child.f, "back from %ld, but went to %d",
				  (long)away_get_mm(uc).fd, child.gone_to);
	}
	/* It would be of no use if it had not got there. */
	if (++child.frames == NR_FRAMES)
		_exit(child.returns < NR_FRAMES / 10);
	/* One that leads nowhere leaves the handler's, and a guest may never end. */
	sigemptyset(&uc->uc_sigmask);
	/* They pile up, too. */
	if (here < stack + ALT_SIZE / 2)
		good_frame(uc);
	else
		random_frame(&child.f->rng, uc);
}

static bool child_init(struct fuzz *f)
{
	struct sigaction sa = {
		.sa_sigaction = handler,
		.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_IN_MM | SA_NODEFER,
	};
	int sig;

	child.f = f;
	child.tp = __builtin_thread_pointer();
	if (!away_init())
		return false;
	child.other = dup(away.g.mm);
	sigaddset(&sa.sa_mask, SIGALRM);
	sigaddset(&sa.sa_mask, SIGUSR1);
	for (sig = 1; sig < 32; sig++) {
		if (sig != SIGCHLD && sig != SIGKILL && sig != SIGSTOP)
			sigaction(sig, &sa, NULL);
	}
	return child.other >= 0 && !filter_calls();
}

void op_frames(struct fuzz *f)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		f->child = true;
		f->noisy = false;
		f->op = NULL;
		if (!child_init(f))
			fuzz_fail(f, "handlers at home: %s", strerror(errno));
		op_timer(f);
		raise(SIGUSR1);
		_exit(2);
	}
	if (pid < 0)
		return;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			fuzz_fail(f, "waitpid: %s", strerror(errno));
	}
	if (status)
		fuzz_fail(f, "child with handlers at home ended with %#x", status);
}
