/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mmfd: what tests of signal handlers in another address space share.
 *
 * away_run() lets a guest's code run, as one that returns from a signal handler,
 * until there is a signal. The handler notes what it is told, and comes back.
 */
#ifndef MMFD_AWAY_H
#define MMFD_AWAY_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>

#include "mmfd_test.h"

#ifndef SA_IN_MM
#define SA_IN_MM	0x00001000
#endif
#ifndef UC_MM
#define UC_MM		0x8
#endif

#define ALT_SIZE	(8 * PAGE)

/* What the kernel tells of another address space: __reserved1 in libc's names */
struct away_mm {
	int64_t fd;
	uint64_t fs_base;
	uint64_t gs_base;
};

static inline struct away_mm away_get_mm(const ucontext_t *uc)
{
	struct away_mm mm;

	memcpy(&mm, uc->uc_mcontext.__reserved1, sizeof(mm));
	return mm;
}

static inline void away_set_mm(ucontext_t *uc, const struct away_mm *mm)
{
	memcpy(uc->uc_mcontext.__reserved1, mm, sizeof(*mm));
	uc->uc_flags |= UC_MM;
}

/* A signal, as its handler was told of it */
struct away_shot {
	int sig;
	siginfo_t info;
	greg_t regs[NGREG];
	unsigned long flags;
	struct away_mm mm;
	uintptr_t frame;
	void *tp;
	unsigned int selectors;
	uint32_t mxcsr;
	sigset_t mask;
};

static struct {
	struct guest g;
	int self;
	char stack[ALT_SIZE] __attribute__((aligned(64)));
	/* Where away_run() is to go, and what it finds */
	bool entering;
	greg_t regs[NGREG];
	struct away_mm mm;
	struct away_shot shot;
	/* If not NULL: true to go on there, with what it leaves in the context */
	bool (*again)(ucontext_t *uc);
	int nr_home;
	/* Home's side of away_run() */
	greg_t home_regs[NGREG];
	sigset_t home_mask;
	char home_fpu[4096];
} away;

/* The registers of the FPU in a frame, and how many bytes */
static inline size_t away_fpu_size(ucontext_t *uc)
{
	uint32_t *sw = (uint32_t *)((char *)uc->uc_mcontext.fpregs + 464);

	return sw[0] == 0x46505853U && sw[1] <= 4096 ? sw[1] : 512;
}

static inline void away_note(int sig, siginfo_t *info, ucontext_t *uc)
{
	struct away_shot *shot = &away.shot;
	unsigned short ds, es, fs, gs;

	shot->sig = sig;
	shot->info = *info;
	memcpy(shot->regs, uc->uc_mcontext.gregs, sizeof(shot->regs));
	shot->flags = uc->uc_flags;
	shot->mm = away_get_mm(uc);
	shot->frame = (uintptr_t)uc;
	shot->tp = __builtin_thread_pointer();
	shot->mask = uc->uc_sigmask;
	asm volatile("mov %%ds, %0" : "=r" (ds));
	asm volatile("mov %%es, %0" : "=r" (es));
	asm volatile("mov %%fs, %0" : "=r" (fs));
	asm volatile("mov %%gs, %0" : "=r" (gs));
	shot->selectors = ds | es | fs | gs;
	asm volatile("stmxcsr %0" : "=m" (shot->mxcsr));
}

/* away_goto - return from the handler to @regs, in the address space of @mm */
static inline void away_goto(ucontext_t *uc, const greg_t *regs, const struct away_mm *mm)
{
	memcpy(uc->uc_mcontext.gregs, regs, sizeof(away.regs));
	away_set_mm(uc, mm);
}

static inline void away_goto_home(ucontext_t *uc)
{
	memcpy(uc->uc_mcontext.gregs, away.home_regs, sizeof(away.home_regs));
	memcpy(uc->uc_mcontext.fpregs, away.home_fpu, away_fpu_size(uc));
	uc->uc_sigmask = away.home_mask;
	uc->uc_flags &= ~UC_MM;
}

static void away_handler(int sig, siginfo_t *info, void *ctx)
{
	ucontext_t *uc = ctx;

	if (sig == SIGUSR1 && away.entering) {
		away.entering = false;
		memcpy(away.home_regs, uc->uc_mcontext.gregs, sizeof(away.home_regs));
		memcpy(away.home_fpu, uc->uc_mcontext.fpregs, away_fpu_size(uc));
		away.home_mask = uc->uc_sigmask;
		away_goto(uc, away.regs, &away.mm);
		return;
	}
	if (!(uc->uc_flags & UC_MM)) {
		away.nr_home++;
		return;
	}
	away_note(sig, info, uc);
	if (!away.again || !away.again(uc))
		away_goto_home(uc);
}

static inline void away_sigaction(int sig, int flags)
{
	struct sigaction sa = { .sa_sigaction = away_handler };

	sa.sa_flags = SA_SIGINFO | flags;
	sigaction(sig, &sa, NULL);
}

static inline int away_self(void)
{
	struct mmfd_create create = { .flags = MMFD_CREATE_SELF };

	return ioctl(away.g.dev, MMFD_CREATE, &create);
}

static inline int sigaltmm(int fd, long on)
{
	return ioctl(fd, MMFD_SIGALTMM, on) ? -errno : 0;
}

/* away_init - A guest, and handlers here for what it may come back with */
static inline bool away_init(void)
{
	static const int signals[] = {
		SIGUSR1, SIGUSR2, SIGSEGV, SIGSYS, SIGALRM, SIGILL, SIGTRAP, SIGBUS,
	};
	stack_t stack = { .ss_sp = away.stack, .ss_size = ALT_SIZE };
	unsigned int i;

	if (!guest_init(&away.g, 0))
		return false;
	away.self = away_self();
	if (away.self < 0 || sigaltmm(away.self, 1))
		return false;
	sigaltstack(&stack, NULL);
	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		away_sigaction(signals[i], SA_ONSTACK | SA_IN_MM);
	return true;
}

/* away_load - machine code for the guest, and registers to begin with */
#define away_load(...) do {						\
	static const uint8_t __code[] = { __VA_ARGS__ };		\
									\
	memset(away.g.code, 0x0f, PAGE);				\
	memcpy(away.g.code, __code, sizeof(__code));			\
	memset(away.regs, 0, sizeof(away.regs));			\
	away.regs[REG_RIP] = GUEST_CODE;				\
	away.regs[REG_RSP] = GUEST_DATA + PAGE;				\
	away.regs[REG_EFL] = 0x202;					\
	away.regs[REG_CSGSFS] = 0x002b000000000033;			\
	away.mm = (struct away_mm) { .fd = away.g.mm };			\
} while (0)

/* away_run - until a signal that does not go on there; that one */
static inline struct away_shot *away_run(void)
{
	memset(&away.shot, 0, sizeof(away.shot));
	away.entering = true;
	raise(SIGUSR1);
	return &away.shot;
}

/* away_filter - calls of the guest's code are SIGSYS from now on */
static inline int away_filter(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, instruction_pointer) + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, instruction_pointer)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {
		.len = sizeof(filter) / sizeof(*filter), .filter = filter,
	};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

#endif /* MMFD_AWAY_H */
