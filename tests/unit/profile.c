// SPDX-License-Identifier: GPL-2.0
/*
 * timens_filter_confine() on a live process: which arguments of the calls that the
 * profile uml allows are refused, and what is inherited.
 */
#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <timens.h>

#include "check.h"

#define REFUSED (SECCOMP_RET_ERRNO | EXDEV)

static long call(long nr, long a, long b, long c, long d)
{
	return syscall(nr, a, b, c, d) < 0 ? -errno : 0;
}

/* Nonzero for the first of these that is not refused */
static int refuses(void)
{
	static const long others[] = {
		SYS_socket,
		SYS_connect,
		SYS_bind,
		SYS_mount,
		SYS_unshare,
		SYS_setns,
		SYS_bpf,
		SYS_keyctl,
		SYS_add_key,
		SYS_chroot,
		SYS_pivot_root,
		SYS_init_module,
		SYS_reboot,
		SYS_setuid,
		SYS_setresuid,
		SYS_process_vm_readv,
		SYS_process_vm_writev,
		SYS_perf_event_open,
		SYS_userfaultfd,
		SYS_io_uring_setup,
		SYS_open_by_handle_at,
		SYS_clock_settime,
		SYS_adjtimex,
		SYS_vfork,
		SYS_sched_setscheduler,
	};
	const long flags[] = { CLONE_NEWUSER,	CLONE_NEWNS,  CLONE_NEWPID,
			       CLONE_NEWNET,	CLONE_NEWUTS, CLONE_NEWIPC,
			       CLONE_NEWCGROUP, 0x80 };
	const long commands[] = { TIOCSTI, TIOCSETD, TIOCLINUX, FIONBIO };
	const long requests[] = { PTRACE_ATTACH, PTRACE_SEIZE, PTRACE_PEEKDATA,
				  PTRACE_POKEDATA };
	const long options[] = { PR_SET_DUMPABLE, PR_SET_MM, PR_SET_PTRACER };
	char byte = 'x';
	size_t i;

	for (i = 0; i < ARRAY_SIZE(others); i++)
		if (call(others[i], 0, 0, 0, 0) != -EXDEV)
			return 100 + i;
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		if (call(SYS_clone, flags[i] | SIGCHLD, 0, 0, 0) != -EXDEV)
			return 200 + i;
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (call(SYS_ioctl, 0, commands[i], (long)&byte, 0) != -EXDEV)
			return 300 + i;
	for (i = 0; i < ARRAY_SIZE(requests); i++)
		if (call(SYS_ptrace, requests[i], getppid(), 0, 0) != -EXDEV)
			return 400 + i;
	for (i = 0; i < ARRAY_SIZE(options); i++)
		if (call(SYS_prctl, options[i], 0, 0, 0) != -EXDEV)
			return 500 + i;
	return call(SYS_socketpair, AF_INET, SOCK_STREAM, 0, 0) != -EXDEV;
}

static int allows(void)
{
	int sv[2], status;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv))
		return 1;
	if (prctl(PR_SET_NAME, "allowed"))
		return 2;
	if (call(SYS_ioctl, sv[0], TCGETS, 0, 0) != -ENOTTY)
		return 3;
	if (call(SYS_clone3, 0, 0, 0, 0) != -ENOSYS)
		return 4;
	pid = fork();
	if (!pid)
		_exit(ptrace(PTRACE_TRACEME, 0, 0, 0) || refuses() ? 1 : 0);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 5;
	return status ? 6 : 0;
}

/* What @fn returns in a child that is confined; -1 if that cannot be. */
static int confined(uint32_t action, int (*fn)(void))
{
	int status, fds[2], result = -1;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -1;
	pid = fork();
	if (!pid) {
		if (timens_drop_privileges(NULL, 0) ||
		    timens_filter_confine("uml", action))
			_exit(1);
		result = fn();
		_exit(write(fds[1], &result, sizeof(result)) < 0);
	}
	close(fds[1]);
	if (pid < 0 || read(fds[0], &result, sizeof(result)) < 0)
		result = -1;
	close(fds[0]);
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : result;
}

static int other_call(void)
{
	syscall(SYS_getpgrp);
	return 0;
}

int main(void)
{
	const struct timens_call *calls;
	size_t n = 0;
	int got;

	check(!timens_filter_calls("lmu", &n), "a profile that is not one");
	check(timens_filter_confine("lmu", REFUSED) == -ENOENT,
	      "confined to a profile that is not one");
	check(timens_filter_confine("uml", SECCOMP_RET_ALLOW) == -EINVAL,
	      "allow as the action");
	calls = timens_filter_calls("uml", &n);
	check(calls && n > 50, "%zu entries", n);
	got = confined(REFUSED, refuses);
	check(!got, "not refused: %d", got);
	got = confined(REFUSED, allows);
	check(!got, "not allowed: %d", got);
	got = confined(SECCOMP_RET_KILL_PROCESS, other_call);
	check(got == -SIGSYS, "another call with an action that ends it: %d",
	      got);
	return check_result();
}
