// SPDX-License-Identifier: GPL-2.0
/*
 * Who sees, and who may make, the time calls of a UML guest.
 *
 * Usage: guest-rules [READINGS]
 *
 * READINGS is how often each clock is read to see its order (20000).
 * One line per rule, "ok RULE" or "not ok RULE: what was seen"; status 1 if
 * there is one of the latter. To be run as the guest's root. The rules are the
 * same whether calls are intercepted or go straight to the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A clock to the kernel, but with this not a value that passes */
#define INTERCEPTED	     0x700000000L
#define INTERCEPTED_REALTIME (INTERCEPTED | CLOCK_REALTIME)
#define STACK_SIZE	     65536

static int failures;

static void check(int ok, const char *rule, long seen)
{
	if (ok)
		printf("ok %s\n", rule);
	else
		printf("not ok %s: %ld\n", rule, seen);
	fflush(stdout);
	failures += !ok;
}

/* A raw call; its result or minus an error number */
static long call(long nr, long arg0, void *arg1)
{
	long ret = syscall(nr, arg0, arg1);

	return ret == -1 ? -errno : ret;
}

static long get(void)
{
	struct timeval tv;

	return call(SYS_gettimeofday, (long)&tv, NULL);
}

static long long clock_ns(long id)
{
	struct timespec ts;

	if (call(SYS_clock_gettime, id, &ts))
		return -1;
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* Move the clock a second ahead */
static long set(void)
{
	struct timeval tv;

	syscall(SYS_gettimeofday, &tv, NULL);
	tv.tv_sec++;
	return call(SYS_settimeofday, (long)&tv, NULL);
}

static long become_user(void)
{
	if (setgroups(0, NULL) || setresgid(1000, 1000, 1000) ||
	    setresuid(1000, 1000, 1000))
		return -errno;
	return 0;
}

/* Run @fn in a child; the low byte of its result, negated */
static long in_child(long (*fn)(void))
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(-fn());
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -255;
	return -WEXITSTATUS(status);
}

/* --- who may set ---------------------------------------------------------- */

static long set_effective(int on)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data))
		return -errno;
	if (on)
		data[0].effective |= 1u << CAP_SYS_TIME;
	else
		data[0].effective &= ~(1u << CAP_SYS_TIME);
	return call(SYS_capset, (long)&header, data);
}

static long set_without_capability(void)
{
	if (set() || set_effective(0))
		return 0;
	return set();
}

static long set_with_capability_again(void)
{
	if (set() || set_effective(0) || set() != -EPERM || set_effective(1))
		return -1;
	return set();
}

static long set_as_user(void)
{
	return set() || become_user() ? 0 : set();
}

static long set_as_child_of_user(void)
{
	return become_user() ? 0 : in_child(set);
}

static long set_in_user_namespace(void)
{
	return set() || unshare(CLONE_NEWUSER) ? 0 : set();
}

static char stack[STACK_SIZE + 16];
static long user_saw;

static int user_thread(void *unused)
{
	(void)unused;
	/* Raw: the C library would do it to all threads */
	if (syscall(SYS_setresuid, 1000, 1000, 1000))
		_exit(1);
	user_saw = set();
	_exit(0);
}

/* A user in the same address space may not, the creator of it still may */
static long set_beside_user(void)
{
	pid_t pid;

	if (set())
		return -1;
	pid = clone(user_thread,
		    (char *)(((uintptr_t)stack + STACK_SIZE) & ~15UL),
		    CLONE_VM | SIGCHLD, NULL);
	waitpid(pid, NULL, 0);
	return user_saw == -EPERM ? set() : -2;
}

static void check_setters(void)
{
	long seen = set();

	check(!seen, "root may set the clock", seen);
	seen = in_child(set_without_capability);
	check(seen == -EPERM, "root without CAP_SYS_TIME may not", seen);
	seen = in_child(set_with_capability_again);
	check(!seen, "root may once the capability is effective again", seen);
	seen = in_child(set_as_user);
	check(seen == -EPERM,
	      "a user may not, who was root when the clock was set", seen);
	seen = in_child(set_as_child_of_user);
	check(seen == -EPERM, "a child of a user may not", seen);
	seen = in_child(set_in_user_namespace);
	check(seen == -EPERM, "root of a user namespace may not", seen);
	seen = in_child(set_beside_user);
	check(!seen, "a user may not, but root may, in one address space",
	      seen);
}

/* --- who sees ------------------------------------------------------------- */

/* Let @pid run on for its stops at gettimeofday(); kills it after @wanted */
static long count_stops(pid_t pid, long wanted)
{
	struct user_regs_struct regs;
	long stops = 0;
	int status;

	while (stops < wanted) {
		if (ptrace(PTRACE_SYSCALL, pid, NULL, NULL) ||
		    waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
			return stops;
		if (WSTOPSIG(status) == (SIGTRAP | 0x80) &&
		    !ptrace(PTRACE_GETREGS, pid, NULL, &regs) &&
		    regs.orig_rax == SYS_gettimeofday)
			stops++;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return stops;
}

static void check_tracer(void)
{
	pid_t pid = fork();
	long seen;
	int i;

	if (!pid) {
		get();
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		for (i = 0; i < 3; i++)
			get();
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD);
	seen = count_stops(pid, 100);
	check(seen == 6, "a tracer sees every call begin and end", seen);

	pid = fork();
	if (!pid) {
		for (;;)
			get();
	}
	usleep(20000);
	ptrace(PTRACE_ATTACH, pid, NULL, NULL);
	waitpid(pid, NULL, 0);
	ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD);
	seen = count_stops(pid, 10);
	check(seen == 10,
	      "so does one who attaches to a task that goes on calling", seen);
}

static long get_under_filter(void)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_gettimeofday, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = 4, .filter = insns };

	if (get() || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		return 0;
	return get();
}

static long get_in_child_of_filtered(void)
{
	return get_under_filter() == -EXDEV ? in_child(get) : 0;
}

static void check_filter(void)
{
	long seen = in_child(get_under_filter);

	check(seen == -EXDEV, "a filter decides on the calls of its task",
	      seen);
	seen = in_child(get_in_child_of_filtered);
	check(seen == -EXDEV, "and on those of its children", seen);
}

/* --- one clock ------------------------------------------------------------ */

static void check_order(const char *name, long id, int readings)
{
	char rule[128];
	long long passed, kernel, last = 0, lag, max_lag = 0;
	long backwards = 0;
	int i;

	for (i = 0; i < readings; i++) {
		kernel = clock_ns(INTERCEPTED | id);
		passed = clock_ns(id);
		if (passed < kernel)
			backwards++;
		if (last && kernel < last)
			max_lag = (lag = last - kernel) > max_lag ? lag :
								    max_lag;
		last = passed;
	}
	snprintf(rule, sizeof(rule),
		 "%s read directly is never before what the kernel has", name);
	check(!backwards, rule, backwards);
	snprintf(rule, sizeof(rule),
		 "and the kernel's %s not more than 10 us behind", name);
	check(max_lag < 10000, rule, max_lag);
}

static void check_stamps(void)
{
	struct timespec ts;
	long wrong = 0;
	struct stat st;
	int i;

	for (i = 0; i < 50; i++) {
		set();
		syscall(SYS_clock_gettime, CLOCK_REALTIME_COARSE, &ts);
		close(creat("/tmp/guest-rules.file", 0600));
		if (stat("/tmp/guest-rules.file", &st) ||
		    st.st_mtim.tv_sec < ts.tv_sec)
			wrong++;
		unlink("/tmp/guest-rules.file");
	}
	check(!wrong, "a file made after a set has the new time", wrong);
}

/* A timer that is cancelled when the clock is set */
static void check_cancel(void)
{
	struct itimerspec far = { .it_value.tv_sec = 1L << 33 };
	int i, fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	uint64_t expirations;
	long seen;

	if (fd < 0 ||
	    timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET,
			    &far, NULL)) {
		check(0, "a timer can be armed", errno);
		return;
	}
	for (i = 0; i < 5000; i++)
		clock_ns(INTERCEPTED_REALTIME);
	seen = read(fd, &expirations, sizeof(expirations)) < 0 ? -errno : 0;
	check(seen == -EAGAIN, "without a set, no timer is cancelled", seen);
	set();
	seen = read(fd, &expirations, sizeof(expirations)) < 0 ? -errno : 0;
	check(seen == -ECANCELED, "a set cancels a timer", seen);
	close(fd);
}

int main(int argc, char **argv)
{
	int readings = argc > 1 ? atoi(argv[1]) : 20000;

	check_cancel();
	check_setters();
	check_tracer();
	check_filter();
	check_order("REALTIME", CLOCK_REALTIME, readings);
	check_order("MONOTONIC", CLOCK_MONOTONIC, readings);
	check_order("BOOTTIME", CLOCK_BOOTTIME, readings);
	check_order("TAI", CLOCK_TAI, readings);
	check_stamps();
	return failures ? 1 : 0;
}
