// SPDX-License-Identifier: GPL-2.0
/*
 * mmfd: what code in another address space cannot do to handlers at home.
 */
#define _GNU_SOURCE
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>

#include "mmfd_away.h"

FIXTURE(hostile)
{
	int unused;
};

FIXTURE_SETUP(hostile)
{
	ASSERT_TRUE(away_init())
		TH_LOG("no guest: %s", strerror(errno));
}

FIXTURE_TEARDOWN(hostile)
{
	close(away.self);
	guest_exit(&away.g);
}

/* Whatever its stack pointer says, the frame is at the top of the stack at home. */
TEST_F(hostile, the_stack_pointer_has_no_say)
{
	const greg_t values[] = {
		0, 8, -8, (uintptr_t)away.stack + PAGE,
		(uintptr_t)away.stack + ALT_SIZE - 8, (uintptr_t)away.stack,
		(uintptr_t)&away, 0xffff888000000000, 0x7ffffffff000, 0x8000000000000000,
	};
	uintptr_t frame;
	unsigned int i;

	away_load(X_UD2);
	EXPECT_EQ(SIGILL, away_run()->sig);
	frame = away.shot.frame;
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		away_load(X_UD2);
		memset(away.stack, 0x5a, PAGE);
		away.regs[REG_RSP] = values[i];
		EXPECT_EQ(SIGILL, away_run()->sig);
		EXPECT_EQ(values[i], away.shot.regs[REG_RSP]);
		EXPECT_EQ(frame, away.shot.frame);
		EXPECT_EQ(0x5a, away.stack[100]);
	}
}

static uintptr_t nested_frame;

static void note_frame(int sig, siginfo_t *info, void *ctx)
{
	nested_frame = (uintptr_t)ctx;
}

static bool nest(ucontext_t *uc)
{
	raise(SIGUSR2);
	return false;
}

/* The other way round: at home it has. */
TEST_F(hostile, the_stack_pointer_of_home_is_believed)
{
	struct sigaction sa = { .sa_sigaction = note_frame };

	sa.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_IN_MM;
	sigaction(SIGUSR2, &sa, NULL);
	away_load(X_UD2);
	away.again = nest;
	EXPECT_EQ(SIGILL, away_run()->sig);
	EXPECT_GT(away.shot.frame, nested_frame);
	EXPECT_LT((uintptr_t)away.stack, nested_frame);
}

static char wrong_stack[2 * PAGE];

/* sigaltstack() there is about a stack there. */
TEST_F(hostile, the_alternate_stack_is_that_of_home)
{
	stack_t *stack = (stack_t *)away.g.data, now;
	uintptr_t frame;

	away_load(X_UD2);
	away_run();
	frame = away.shot.frame;
	away_load(X_SYSCALL, X_UD2);
	*stack = (stack_t) { .ss_sp = wrong_stack, .ss_size = 2 * PAGE };
	away.regs[REG_RAX] = SYS_sigaltstack;
	away.regs[REG_RDI] = GUEST_DATA;
	away.regs[REG_RSI] = GUEST_DATA + 64;
	EXPECT_EQ(SIGILL, away_run()->sig);
	EXPECT_EQ(0, away.shot.regs[REG_RAX]);
	EXPECT_EQ(SS_DISABLE, ((stack_t *)(away.g.data + 64))->ss_flags);
	EXPECT_EQ(frame, away.shot.frame);
	ASSERT_EQ(0, sigaltstack(NULL, &now));
	EXPECT_EQ((void *)away.stack, now.ss_sp);
}

/* A frame as rt_sigreturn() wants it, without what FPU registers need */
static void forge(unsigned long flags, int fd, uintptr_t rip)
{
	ucontext_t *uc = (ucontext_t *)(away.g.data + 512);
	struct away_mm mm = { .fd = fd };

	memset(uc, 0, sizeof(*uc));
	away_set_mm(uc, &mm);
	uc->uc_flags = flags;
	uc->uc_stack.ss_flags = SS_DISABLE;
	uc->uc_mcontext.gregs[REG_RIP] = rip;
	uc->uc_mcontext.gregs[REG_RSP] = GUEST_DATA + PAGE;
	uc->uc_mcontext.gregs[REG_EFL] = 0x202;
	uc->uc_mcontext.gregs[REG_CSGSFS] = 0x002b000000000033;
	/* rt_sigreturn() looks for it right at the stack pointer. */
	away_load(X_SYSCALL, X_UD2, X_INT3);
	away.regs[REG_RAX] = SYS_rt_sigreturn;
	away.regs[REG_RSP] = GUEST_DATA + 512;
}

static volatile int reached;

static void target(void)
{
	reached = 1;
	_exit(99);
}

TEST_F(hostile, forged_frames_lead_nowhere)
{
	int fds[] = { away.self, away.g.mm, -1, 1000 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		forge(UC_MM | 6, fds[i], (uintptr_t)target);
		EXPECT_EQ(SIGSEGV, away_run()->sig);
		EXPECT_EQ(SI_KERNEL, away.shot.info.si_code);
		EXPECT_EQ(GUEST_CODE + 2, away.shot.regs[REG_RIP]);
		EXPECT_EQ(away.g.mm, away.shot.mm.fd);
	}
	EXPECT_EQ(0, reached);
	/* One that stays there is obeyed. */
	forge(6, 0, GUEST_CODE + 4);
	EXPECT_EQ(SIGTRAP, away_run()->sig);
	EXPECT_EQ(GUEST_CODE + 5, away.shot.regs[REG_RIP]);
}

/* ---- what a supervisor may do wrong ---- */

static struct {
	struct away_mm mm;
	greg_t sp;
	sigjmp_buf out;
	struct away_shot shot;
	bool bad_fpu;
} wrong;

/* Instead of away_handler(), to go where @wrong says */
static void go_wrong(int sig, siginfo_t *info, void *ctx)
{
	ucontext_t *uc = ctx;

	away_goto(uc, away.regs, &wrong.mm);
	if (wrong.bad_fpu)
		uc->uc_mcontext.fpregs = (void *)8;
}

static void catch_it(int sig, siginfo_t *info, void *ctx)
{
	away_note(sig, info, ctx);
	siglongjmp(wrong.out, 1);
}

/* How it ended: with the signal it got, and where */
static int try(int64_t fd, uint64_t fs_base, uint64_t gs_base)
{
	struct sigaction sa = { .sa_sigaction = go_wrong };

	wrong.mm = (struct away_mm) { fd, fs_base, gs_base };
	memset(&away.shot, 0, sizeof(away.shot));
	sa.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_IN_MM;
	sigaction(SIGUSR2, &sa, NULL);
	sa.sa_sigaction = catch_it;
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGILL, &sa, NULL);
	if (!sigsetjmp(wrong.out, 1))
		raise(SIGUSR2);
	return away.shot.sig;
}

TEST_F(hostile, a_bad_return_is_a_fault_at_home)
{
	int closed = dup(away.g.mm), pipes[2];
	struct {
		int64_t fd;
		uint64_t fs_base, gs_base;
	} bad[] = {
		{ closed }, { -1 }, { INT64_MIN }, { 1LL << 32 | away.g.mm },
		{ away.g.vcpu }, { away.g.dev }, { away.g.mm, 1ULL << 63 },
		{ away.g.mm, 0, 1ULL << 62 }, { -1, }, { -1 },
	};
	unsigned int i;

	close(closed);
	ASSERT_EQ(0, pipe(pipes));
	bad[8].fd = pipes[0];
	bad[9].fd = away.g.mem;
	away_load(X_UD2);
	away.regs[REG_R15] = 0xbad;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(SIGSEGV, try(bad[i].fd, bad[i].fs_base, bad[i].gs_base));
		EXPECT_EQ(0, away.shot.flags & UC_MM);
		EXPECT_NE(GUEST_CODE, away.shot.regs[REG_RIP]);
		EXPECT_NE(0xbad, away.shot.regs[REG_R15]);
		EXPECT_EQ(SI_KERNEL, away.shot.info.si_code);
	}
	/* Nothing of a frame that is bad otherwise is left, either. */
	wrong.bad_fpu = true;
	EXPECT_EQ(SIGSEGV, try(away.g.mm, 0, 0));
	EXPECT_EQ(0, away.shot.flags & UC_MM);
	EXPECT_NE(GUEST_CODE, away.shot.regs[REG_RIP]);
	wrong.bad_fpu = false;
	EXPECT_EQ(SIGILL, try(away.g.mm, 0, 0));
	EXPECT_EQ(UC_MM, away.shot.flags & UC_MM);
	EXPECT_EQ(0xbad, away.shot.regs[REG_R15]);
	close(pipes[0]);
	close(pipes[1]);
}

static void *until_told(void *arg)
{
	while (!__atomic_load_n((int *)arg, __ATOMIC_RELAXED))
		sched_yield();
	return NULL;
}

TEST_F(hostile, threads_stay_at_home)
{
	pthread_t thread;
	int done = 0;

	away_load(X_UD2);
	ASSERT_EQ(0, pthread_create(&thread, NULL, until_told, &done));
	EXPECT_EQ(SIGSEGV, try(away.g.mm, 0, 0));
	EXPECT_EQ(0, away.shot.flags & UC_MM);
	done = 1;
	pthread_join(thread, NULL);
	EXPECT_EQ(SIGILL, try(away.g.mm, 0, 0));
}

static void taken_back(void)
{
	away_load(X_UD2);
	sigaltmm(away.self, 0);
	_exit(try(away.g.mm, 0, 0) != SIGSEGV || away.shot.flags & UC_MM);
}

static int in_child(void (*fn)(void))
{
	pid_t pid = fork();
	int status = -1;

	if (!pid) {
		away.self = away_self();
		if (away.self < 0 || sigaltmm(away.self, 1))
			_exit(98);
		fn();
		_exit(97);
	}
	waitpid(pid, &status, 0);
	return status;
}

/* With nobody registered, registers of elsewhere are not for here. */
TEST_F(hostile, a_frame_is_good_as_long_as_home_is_named)
{
	EXPECT_EQ(0, in_child(taken_back));
}

/* It is as with any stack that cannot be written to. */
static void no_onstack(void)
{
	away_sigaction(SIGILL, SA_IN_MM);
	away_load(X_UD2);
	_exit(away_run()->sig != SIGSEGV || away.shot.info.si_code != SI_KERNEL);
}

static void no_stack(void)
{
	stack_t stack = { .ss_flags = SS_DISABLE };

	sigaltstack(&stack, NULL);
	away_load(X_UD2);
	away_run();
}

static char *no_memory;

static void leave_stack(int sig, siginfo_t *info, void *ctx)
{
	ucontext_t *uc = ctx;

	uc->uc_stack.ss_sp = no_memory;
	away_goto(uc, away.regs, &away.mm);
}

/*
 * The frame cannot be written, and then the handler for that is one of code
 * elsewhere: so it runs there, on the stack there.
 */
static void unmapped_stack(void)
{
	stack_t stack = {
		.ss_sp = away.stack, .ss_size = ALT_SIZE, .ss_flags = 1U << 31,
	};
	struct sigaction sa = { .sa_sigaction = leave_stack };

	no_memory = mmap(NULL, ALT_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	sigaltstack(&stack, NULL);
	sa.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_IN_MM;
	sigaction(SIGUSR1, &sa, NULL);
	sa.sa_handler = (void (*)(int))(GUEST_CODE + 2);
	sa.sa_flags = 0;
	sigaction(SIGSEGV, &sa, NULL);
	/* ud2; mov $231, %eax; mov $46, %edi; syscall */
	away_load(X_UD2, 0xb8, 0xe7, 0, 0, 0, 0xbf, 46, 0, 0, 0, X_SYSCALL);
	raise(SIGUSR1);
}

TEST_F(hostile, a_handler_without_a_stack_does_not_run)
{
	EXPECT_EQ(0, in_child(no_onstack));
	EXPECT_EQ(SIGSEGV, in_child(no_stack) & 0x7f);
	EXPECT_EQ(46 << 8, in_child(unmapped_stack));
}

/* ---- system calls of code elsewhere, if nobody filters them ---- */

static greg_t call(long nr, long a, long b, long c)
{
	away_load(X_SYSCALL, X_UD2);
	away.regs[REG_RAX] = nr;
	away.regs[REG_RDI] = a;
	away.regs[REG_RSI] = b;
	away.regs[REG_RDX] = c;
	away_run();
	return away.shot.sig == SIGILL ? away.shot.regs[REG_RAX] : -9999;
}

TEST_F(hostile, no_threads_elsewhere)
{
	pid_t pid;
	int status;

	EXPECT_EQ(-EUSERS, call(SYS_clone, CLONE_VM | CLONE_THREAD | CLONE_SIGHAND,
				GUEST_DATA + PAGE, 0));
	/* A child is a copy of what is current, and has nothing named. */
	away_load(X_SYSCALL, X_UD2);
	away.regs[REG_RAX] = SYS_fork;
	away_run();
	pid = away.shot.regs[REG_RAX];
	EXPECT_LT(0, pid);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(SIGSEGV, status & 0x7f);
}

TEST_F(hostile, it_cannot_name_another_home)
{
	EXPECT_EQ(-EBUSY, call(SYS_ioctl, away.g.mm, MMFD_SIGALTMM, 1));
	EXPECT_EQ(-EBUSY, call(SYS_ioctl, away.self, MMFD_SIGALTMM, 0));
	EXPECT_EQ(-ENOENT, call(SYS_ioctl, away.g.mm, MMFD_SIGALTMM, 0));
	EXPECT_EQ(-EINVAL, sigaltmm(away.g.mm, 1));
	EXPECT_EQ(-EINVAL, sigaltmm(away.self, 2));
	EXPECT_EQ(0, sigaltmm(away.self, 1));
	EXPECT_EQ(0, sigaltmm(away.self, 0));
	EXPECT_EQ(-ENOENT, sigaltmm(away.self, 0));
	EXPECT_EQ(0, sigaltmm(away.self, 1));
}

/* What it registers by address is its own, and ends with the signal. */
TEST_F(hostile, it_cannot_register_for_home)
{
	void *head, *before;
	size_t len;

	ASSERT_EQ(0, syscall(SYS_get_robust_list, 0, &before, &len));
	EXPECT_EQ(0, call(SYS_set_robust_list, GUEST_DATA, 24, 0));
	ASSERT_EQ(0, syscall(SYS_get_robust_list, 0, &head, &len));
	EXPECT_EQ(before, head);
	EXPECT_LT(0, call(SYS_set_tid_address, GUEST_DATA, 0, 0));
	EXPECT_LT(0, call(SYS_getpid, 0, 0, 0));
}

TEST_HARNESS_MAIN
