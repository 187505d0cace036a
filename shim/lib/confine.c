// SPDX-License-Identifier: GPL-2.0
/* Filters that confine a program to the host calls of a profile, e.g. a UML kernel. */
#include <asm/ioctls.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#include <linux/mmfd.h>

#include "internal.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif
#define CLONE_NEW                                                      \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | \
	 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME)

/* Newer than <sys/syscall.h> of some systems */
#ifndef __NR_mmfd_run
#define __NR_mmfd_run 473
#endif
#ifndef BLKGETSIZE
#define BLKGETSIZE 0x1260
#endif

#define ANY(call)                                          \
	{                                                  \
		.name = #call, .nr = SYS_##call, .arg = -1 \
	}
#define ONLY(call, n, v)                                                  \
	{                                                                 \
		.name = #call, .nr = SYS_##call, .arg = n, .mask = ~0ULL, \
		.value = v                                                \
	}

/*
 * What a UML kernel, its stubs, and the C library in front of them call, in all its
 * modes. Whatever is here must be of no use to who has taken over that kernel,
 * beyond what the kernel's own user may do with files and memory.
 */
static const struct timens_call uml[] = {
	/* Memory */
	ANY(brk),
	ANY(madvise),
	ANY(memfd_create),
	ANY(mmap),
	ANY(mprotect),
	ANY(mremap),
	ANY(munmap),

	/* Descriptors, hostfs, ubd, terminals */
	ANY(access),
	ANY(chmod),
	ANY(chown),
	ANY(close),
	ANY(close_range),
	ANY(dup),
	ANY(dup2),
	ANY(epoll_create),
	ANY(epoll_ctl),
	ANY(epoll_wait),
	ANY(eventfd2),
	ANY(fallocate),
	ANY(fchmod),
	ANY(fchown),
	ANY(fcntl),
	ANY(fdatasync),
	ANY(fstat),
	ANY(fstatfs),
	ANY(fsync),
	ANY(ftruncate),
	ANY(getcwd),
	ANY(getdents64),
	ANY(link),
	ANY(lseek),
	ANY(mkdir),
	ANY(mknodat),
	ANY(newfstatat),
	ANY(openat),
	ANY(pipe2),
	ANY(poll),
	ANY(pread64),
	ANY(pwrite64),
	ANY(read),
	ANY(readlink),
	ANY(rename),
	ANY(renameat2),
	ANY(rmdir),
	ANY(statfs),
	ANY(statx),
	ANY(symlink),
	ANY(truncate),
	ANY(unlink),
	ANY(utimensat),
	ANY(write),
	ONLY(ioctl, 1, TCGETS),
	ONLY(ioctl, 1, TCSETSW),
	ONLY(ioctl, 1, TCSETSF),
	ONLY(ioctl, 1, TIOCGWINSZ),
	ONLY(ioctl, 1, TIOCSCTTY),
	ONLY(ioctl, 1, TIOCGPTN),
	ONLY(ioctl, 1, TIOCSPTLCK),
	ONLY(ioctl, 1, TIOCGPTPEER),
	ONLY(ioctl, 1, BLKGETSIZE),

	/* Stubs get descriptors by a socket */
	ANY(recvmsg),
	ANY(sendmsg),
	ONLY(socketpair, 0, AF_UNIX),

	/* Processes and threads: stubs, virtual CPUs, helpers */
	ANY(arch_prctl),
	ANY(capset),
	ANY(execve),
	ANY(execveat),
	ANY(exit),
	ANY(exit_group),
	ANY(futex),
	ANY(getpid),
	ANY(getppid),
	ANY(gettid),
	ANY(getuid),
	ANY(personality),
	ANY(prlimit64),
	ANY(rseq),
	ANY(seccomp),
	ANY(set_robust_list),
	ANY(set_tid_address),
	ANY(setsid),
	ANY(uname),
	ANY(wait4),
	{ .name = "clone", .nr = SYS_clone, .arg = 0, .mask = CLONE_NEW },
	ONLY(prctl, 0, PR_SET_NAME),
	ONLY(prctl, 0, PR_SET_PDEATHSIG),
	ONLY(prctl, 0, PR_SET_NO_NEW_PRIVS),
	ONLY(prctl, 0, PR_SET_SECCOMP),
	ONLY(prctl, 0, PR_CAP_AMBIENT),
	ONLY(ptrace, 0, PTRACE_TRACEME),
	ONLY(ptrace, 0, PTRACE_PEEKUSER),
	ONLY(ptrace, 0, PTRACE_POKEUSER),
	ONLY(ptrace, 0, PTRACE_SYSCALL),
	ONLY(ptrace, 0, PTRACE_CONT),
	ONLY(ptrace, 0, PTRACE_KILL),
	ONLY(ptrace, 0, PTRACE_GETREGS),
	ONLY(ptrace, 0, PTRACE_SETREGS),
	ONLY(ptrace, 0, PTRACE_SYSEMU),
	ONLY(ptrace, 0, PTRACE_SYSEMU_SINGLESTEP),
	ONLY(ptrace, 0, PTRACE_SETOPTIONS),
	ONLY(ptrace, 0, PTRACE_GETSIGINFO),
	ONLY(ptrace, 0, PTRACE_GETREGSET),
	ONLY(ptrace, 0, PTRACE_SETREGSET),

	/* Signals */
	ANY(kill),
	ANY(restart_syscall),
	ANY(rt_sigaction),
	ANY(rt_sigprocmask),
	ANY(rt_sigreturn),
	ANY(rt_sigsuspend),
	ANY(rt_tgsigqueueinfo),
	ANY(sigaltstack),
	ANY(signalfd4),
	ANY(tgkill),

	/* Time; what may pass is here, too. Who may set which clock is the kernel's to say. */
	ONLY(clock_adjtime, 0, CLOCK_REALTIME),
	ANY(clock_gettime),
	ANY(clock_nanosleep),
	ANY(getrandom),
	ANY(gettimeofday),
	ANY(settimeofday),
	ANY(time),
	ANY(timer_create),
	ANY(timer_settime),

	/* Address spaces without stubs */
	{ .name = "mmfd_run", .nr = __NR_mmfd_run, .arg = -1 },
	ONLY(ioctl, 1, MMFD_ABI),
	ONLY(ioctl, 1, MMFD_CREATE),
	ONLY(ioctl, 1, MMFD_MEMORY_CREATE),
	ONLY(ioctl, 1, MMFD_OPS),
	ONLY(ioctl, 1, MMFD_VCPU_CREATE),
	ONLY(ioctl, 1, MMFD_XSTATE_GET),
	ONLY(ioctl, 1, MMFD_XSTATE_SET),
};

static const struct profile {
	const char *name;
	const struct timens_call *calls;
	size_t n;
} profiles[] = {
	{ "uml", uml, ARRAY_SIZE(uml) },
};

const struct timens_call *timens_filter_calls(const char *profile, size_t *n)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(profiles); i++) {
		if (strcmp(profiles[i].name, profile))
			continue;
		*n = profiles[i].n;
		return profiles[i].calls;
	}
	return NULL;
}

static int allow(scmp_filter_ctx ctx, const struct timens_call *call)
{
	const struct scmp_arg_cmp cmp = {
		.arg = call->arg,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = call->mask,
		.datum_b = call->value,
	};

	return seccomp_rule_add_exact_array(ctx, SCMP_ACT_ALLOW, call->nr,
					    call->arg >= 0, &cmp);
}

/*
 * A library that is told EPERM does not fall back to clone(2), whose flags can be
 * looked at.
 */
static int fill(scmp_filter_ctx ctx, const struct timens_call *calls, size_t n)
{
	size_t i;
	int ret = 0;

	/* By halving the numbers, not one by one; older libraries cannot. */
	seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (i = 0; !ret && i < n; i++)
		ret = allow(ctx, &calls[i]);
	if (!ret)
		ret = seccomp_rule_add_exact(ctx, SCMP_ACT_ERRNO(ENOSYS),
					     SYS_clone3, 0);
	return ret;
}

int timens_filter_confine(const char *profile, uint32_t action)
{
	const struct timens_call *calls;
	scmp_filter_ctx ctx;
	size_t n;
	int ret;

	calls = timens_filter_calls(profile, &n);
	if (!calls)
		return -ENOENT;
	ret = tns_new_filter(&ctx, action);
	if (ret)
		return ret;
	ret = fill(ctx, calls, n);
	if (!ret)
		ret = tns_load_filter(ctx, 0);
	seccomp_release(ctx);
	return ret;
}
