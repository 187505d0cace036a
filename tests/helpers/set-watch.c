// SPDX-License-Identifier: GPL-2.0
/*
 * set-watch - was this namespace's view of the host's clock set meanwhile?
 *
 * usage: set-watch COMMAND [ARGUMENT...]
 *
 * Arms a timer with TFD_TIMER_CANCEL_ON_SET, runs COMMAND, and looks. Exits with
 * 1 if the kernel says that the clock was set, with 3 if COMMAND failed.
 */
#include <errno.h>
#include <stdint.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include "clock.h"

static int run(char **command)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		execvp(command[0], command);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

int main(int argc, char **argv)
{
	struct itimerspec spec = { 0 };
	uint64_t ticks;
	int fd;

	if (argc < 2) {
		fprintf(stderr, "usage: set-watch COMMAND [ARGUMENT...]\n");
		return 2;
	}
	fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	spec.it_value = ns_ts(vdso_clock(CLOCK_REALTIME) + 86400 * NSEC);
	if (fd < 0 ||
	    timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET,
			    &spec, NULL)) {
		perror("set-watch: timerfd");
		return 2;
	}
	if (run(argv + 1)) {
		fprintf(stderr, "set-watch: %s failed\n", argv[1]);
		return 3;
	}
	if (read(fd, &ticks, sizeof(ticks)) < 0 && errno == EAGAIN) {
		printf("not set\n");
		return 0;
	}
	printf("set\n");
	return 1;
}
