// SPDX-License-Identifier: GPL-2.0
/*
 * own-filter - is a seccomp filter of the task itself obeyed by time calls?
 *
 * Prints what raw gettimeofday(2), clock_gettime(2) and time(2) say before and
 * after the task installs a filter that answers the first of them with EXDEV.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>

#include "clock.h"

static void show(const char *when)
{
	struct timespec ts;
	struct timeval tv;
	long tod = syscall(SYS_gettimeofday, &tv, NULL);
	int err = tod ? errno : 0;

	printf("%s: gettimeofday %s, clock_gettime %s, time %s\n", when,
	       err ? strerrorname_np(err) : "ok",
	       syscall(SYS_clock_gettime, CLOCK_REALTIME, &ts) ? "fails" : "ok",
	       syscall(SYS_time, NULL) < 0 ? "fails" : "ok");
}

static int install(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_gettimeofday, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { ARRAY_SIZE(code), code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog);
}

int main(void)
{
	show("before");
	if (install()) {
		perror("own-filter");
		return 2;
	}
	show("after");
	return 0;
}
