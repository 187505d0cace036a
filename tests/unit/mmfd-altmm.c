// SPDX-License-Identifier: GPL-2.0
/*
 * Signal handlers in another address space: mmfd_sigaltmm(), mmfd_sigaction() and
 * the frames, and mmfd_switch() as far as it has to do with them. Needs CONFIG_MMFD
 * and root.
 */
#include <errno.h>
#include <fcntl.h>
#include <mmfd/compat.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "check.h"

#define PAGE	  4096UL
#define CODE	  0x10000UL
#define FS_BASE	  0x123456789000UL
#define GS_BASE	  0x20000UL
#define NO_BASE	  (1ULL << 62) /* not canonical */
#define READ_EXEC (MMFD_PROT_READ | MMFD_PROT_EXEC)

static int dev, space, self, null;
static char stack[0x10000];

/* What the handlers found, and what they are to do */
static volatile int ran, bad_frames, frame_space;
static uint64_t fs_base, gs_base;
static gregset_t home;
static int go_to;
static uint64_t go_fs;

static void expect(int ret, int want, const char *what)
{
	check(ret == want, "%s: %d, not %d", what, ret, want);
}

static int registration(void)
{
	int again = mmfd_create(dev, MMFD_CREATE_SELF);
	int failed = checks_failed;

	expect(mmfd_sigaltmm(-1), -ENOENT, "take back nothing");
	expect(mmfd_sigaltmm(-2), -EBADF, "-2");
	expect(mmfd_sigaltmm(null), -ENOTTY, "/dev/null");
	expect(mmfd_sigaltmm(dev), -ENOTTY, "the device");
	expect(mmfd_sigaltmm(space), -EINVAL, "another one");
	expect(mmfd_sigaltmm(self), 0, "its own");
	expect(mmfd_sigaltmm(again), 0, "its own, by another descriptor");
	expect(mmfd_sigaltmm(-1), 0, "take it back");
	expect(mmfd_sigaltmm(-1), -ENOENT, "take it back again");
	errno = 0;
	check(sigaltmm(space) == -1 && errno == EINVAL, "sigaltmm: %d", errno);
	check(!sigaltmm(self) && !sigaltmm(-1), "sigaltmm: %d", errno);
	close(again);
	return checks_failed == failed;
}

static void switching(void)
{
	expect(mmfd_switch(-1), -EBADF, "switch to -1");
	expect(mmfd_switch(null), -ENOTTY, "switch to /dev/null");
	expect(mmfd_switch(self), 0, "switch to its own");
	expect(mmfd_create(dev, MMFD_CREATE_SELF | MMFD_CREATE_COPY), -EINVAL,
	       "itself and a copy");
}

static void in_child(void (*fn)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		fn();
		fflush(stdout);
		_exit(check_result());
	}
	waitpid(pid, &status, 0);
	check(!status, "the child's status is %#x", status);
}

static void has_no_registration(void)
{
	expect(mmfd_sigaltmm(-1), -ENOENT, "the parent's");
	expect(mmfd_sigaltmm(self), -EINVAL, "the parent's space");
}

static void *wait_for_it(void *arg)
{
	pause();
	return arg;
}

static void has_threads(void)
{
	pthread_t thread;

	expect(pthread_create(&thread, NULL, wait_for_it, NULL), 0, "thread");
	expect(mmfd_create(dev, MMFD_CREATE_SELF), -EUSERS, "with a thread");
	expect(mmfd_as_create(), -EUSERS, "new_as with a thread");
	expect(mmfd_switch(space), -EUSERS, "switch with a thread");
}

static void children(void)
{
	expect(mmfd_sigaltmm(self), 0, "register");
	in_child(has_no_registration);
	expect(mmfd_sigaltmm(-1), 0, "take it back");
	in_child(has_threads);
}

/* Goes where it is told to. */
static void on_enter(int signo, siginfo_t *info, void *ucontext)
{
	ucontext_t *frame = ucontext;
	uint64_t base;

	(void)signo;
	(void)info;
	ran++;
	frame_space = mmfd_frame_space(frame);
	expect(mmfd_frame_bases(frame, &base, &base), -ENOENT, "bases at home");
	memcpy(home, frame->uc_mcontext.gregs, sizeof(home));
	frame->uc_mcontext.gregs[REG_RIP] = CODE;
	frame->uc_mcontext.gregs[REG_RSP] = 0;
	mmfd_frame_set_space(frame, go_to, go_fs, GS_BASE);
}

/* Comes from there, once with more to do. */
static void on_trap(int signo, siginfo_t *info, void *ucontext)
{
	ucontext_t *frame = ucontext;

	(void)signo;
	(void)info;
	ran++;
	frame_space = mmfd_frame_space(frame);
	expect(mmfd_frame_bases(frame, &fs_base, &gs_base), 0, "bases");
	if (frame->uc_mcontext.gregs[REG_RIP] == CODE) {
		frame->uc_mcontext.gregs[REG_RIP] = CODE + 2;
		mmfd_frame_set_space(frame, frame_space, fs_base + 1, gs_base);
		return;
	}
	memcpy(frame->uc_mcontext.gregs, home, sizeof(home));
	mmfd_frame_set_space(frame, -1, 0, 0);
}

/* The frame before was none to return by; returns as that should have. */
static void on_bad_frame(int signo, siginfo_t *info, void *ucontext)
{
	ucontext_t *frame = ucontext;

	(void)signo;
	bad_frames += info->si_code == SI_KERNEL;
	frame_space = mmfd_frame_space(frame);
	sigemptyset(&frame->uc_sigmask);
	memcpy(frame->uc_mcontext.gregs, home, sizeof(home));
}

static void set_handler(int signo, void (*fn)(int, siginfo_t *, void *))
{
	struct sigaction action = {
		.sa_sigaction = fn,
		.sa_flags = SA_SIGINFO,
	};

	expect(mmfd_sigaction(signo, &action, NULL), 0, "mmfd_sigaction");
}

static void handlers(void)
{
	struct sigaction action = { .sa_handler = SIG_IGN }, old, now;

	expect(mmfd_sigaction(SIGKILL, &action, NULL), -EINVAL, "SIGKILL");
	expect(mmfd_sigaction(1000, &action, NULL), -EINVAL, "signal 1000");
	set_handler(SIGUSR1, on_enter);
	expect(mmfd_sigaction(SIGUSR1, &action, &old), 0, "SIG_IGN");
	check(old.sa_sigaction == on_enter, "not the handler before");
	sigaction(SIGUSR1, NULL, &now);
	check(now.sa_handler == SIG_IGN, "not the handler that was set");
	check(now.sa_flags & SA_IN_MM && now.sa_flags & SA_ONSTACK,
	      "flags are %#x", now.sa_flags);
}

static void there_and_back(void)
{
	expect(mmfd_sigaltmm(self), 0, "register");
	set_handler(SIGUSR1, on_enter);
	set_handler(SIGILL, on_trap);
	ran = 0;
	go_to = space;
	go_fs = FS_BASE;
	raise(SIGUSR1);
	expect(ran, 3, "handlers that ran");
	expect(frame_space, space, "the frame names");
	check(fs_base == FS_BASE + 1 && gs_base == GS_BASE, "%#llx, %#llx",
	      (unsigned long long)fs_base, (unsigned long long)gs_base);
	signal(SIGILL, SIG_DFL);
}

/* With what handlers have to have, if they are to run at home */
static void as_it_should_be(void)
{
}

static void without_flag(void)
{
	struct sigaction action = {
		.sa_sigaction = on_trap,
		.sa_flags = SA_SIGINFO | SA_ONSTACK,
	};

	sigaction(SIGILL, &action, NULL);
}

static void without_stack(void)
{
	const stack_t none = { .ss_flags = SS_DISABLE };

	sigaltstack(&none, NULL);
	set_handler(SIGILL, on_trap);
}

static void without_registration(void)
{
	mmfd_sigaltmm(-1);
}

/* There is an invalid instruction where it goes, so who gets there is seen. */
static void child(int fd, uint64_t fs, void (*setup)(void))
{
	if (mmfd_sigaltmm(mmfd_create(dev, MMFD_CREATE_SELF)))
		_exit(1);
	setup();
	go_to = fd;
	go_fs = fs;
	raise(SIGUSR1);
	_exit(0);
}

/* The signal that a process dies of which goes to @fd with FS base @fs */
static void expect_death(int fd, uint64_t fs, void (*setup)(void), int signo,
			 const char *what)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		child(fd, fs, setup);
	waitpid(pid, &status, 0);
	check(WIFSIGNALED(status) && WTERMSIG(status) == signo,
	      "%s: status %#x", what, status);
}

static void deaths(void)
{
	void (*setup)(void) = as_it_should_be;

	expect_death(space, FS_BASE, setup, SIGILL, "a good one");
	expect_death(space, NO_BASE, setup, SIGSEGV, "a bad base");
	expect_death(null, FS_BASE, setup, SIGSEGV, "to /dev/null");
	expect_death(1000, FS_BASE, setup, SIGSEGV, "to a closed one");
	expect_death(space, FS_BASE, without_registration, SIGSEGV,
		     "not registered");
	expect_death(space, FS_BASE, without_flag, SIGSEGV, "no SA_IN_MM");
	expect_death(space, FS_BASE, without_stack, SIGSEGV, "no stack");
}

/* A bad frame is a signal that can be handled at home. */
static void bad_frame(int fd, uint64_t fs, const char *what)
{
	bad_frames = 0;
	ran = 0;
	frame_space = 0;
	go_to = fd;
	go_fs = fs;
	raise(SIGUSR1);
	check(ran == 1 && bad_frames == 1 && frame_space == -1,
	      "%s: %d, %d, %d", what, ran, bad_frames, frame_space);
}

static void survived(void)
{
	set_handler(SIGSEGV, on_bad_frame);
	bad_frame(1000, FS_BASE, "to a closed one");
	bad_frame(null, FS_BASE, "to /dev/null");
	bad_frame(space, NO_BASE, "a bad base");
	there_and_back();
	expect(mmfd_sigaltmm(-1), 0, "take it back");
	bad_frame(space, FS_BASE, "not registered");
}

static void make_space(void)
{
	int memory = memfd_create("code", 0);

	check(pwrite(memory, "\x0f\x0b\x0f\x0b", 4, 0) == 4, "ud2 twice");
	space = mmfd_create(dev, 0);
	expect(mmfd_map(space, CODE, PAGE, READ_EXEC, MMFD_MAP_PRIVATE, memory,
			0),
	       0, "map the code");
	close(memory);
}

int main(void)
{
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };

	dev = mmfd_open();
	self = dev < 0 ? dev : mmfd_create(dev, MMFD_CREATE_SELF);
	if (!check(self >= 0, "no address space: %s", strerror(-self)))
		return check_result();
	null = open("/dev/null", O_RDWR);
	make_space();
	sigaltstack(&alternate, NULL);
	if (!registration())
		return check_result();
	switching();
	children();
	handlers();
	there_and_back();
	deaths();
	survived();
	return check_result();
}
