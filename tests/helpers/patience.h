/* SPDX-License-Identifier: GPL-2.0 */
/* Wait for a child, but not for ever. */
#ifndef _PATIENCE_H
#define _PATIENCE_H

#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* Look @turns times, @us microseconds apart; 0 if it had to be killed then */
static inline int ended_soon(pid_t pid, int turns, unsigned int us, int *status)
{
	for (int i = 0; i < turns; i++) {
		if (waitpid(pid, status, WNOHANG) == pid)
			return 1;
		usleep(us);
	}
	kill(pid, SIGKILL);
	waitpid(pid, status, 0);
	return 0;
}

#endif /* _PATIENCE_H */
