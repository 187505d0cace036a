// SPDX-License-Identifier: GPL-2.0
/* Which address space is the caller's own, and which its handlers run in. */
#include <errno.h>

#include "internal.h"

/* What the calling thread has registered; -1 if it has not. */
static __thread int handlers_space
	__attribute__((tls_model("initial-exec"))) = -1;

int mmfd_switch(int space)
{
	return mm_ioctl(space, MMFD_SWITCH, 0);
}

static int end_sigaltmm(void)
{
	int err;

	if (handlers_space < 0)
		return -ENOENT;
	err = mm_ioctl(handlers_space, MMFD_SIGALTMM, 0);
	if (!err || err == -ENOENT)
		handlers_space = -1;
	return err;
}

int mmfd_sigaltmm(int space)
{
	int err;

	if (space == -1)
		return end_sigaltmm();
	err = mm_ioctl(space, MMFD_SIGALTMM, 1);
	if (!err)
		handlers_space = space;
	return err;
}
