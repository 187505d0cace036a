// SPDX-License-Identifier: GPL-2.0
/* Enter an existing time namespace. */
#include <errno.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "internal.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

/*
 * Whoever made a user namespace may enter it, and has there the rights over the
 * time namespaces that it owns.
 */
static int enter_owner(int nsfd)
{
	int fd, ret;

	fd = ioctl(nsfd, NS_GET_USERNS);
	if (fd < 0)
		return -errno;
	ret = setns(fd, CLONE_NEWUSER) ? -errno : 0;
	close(fd);
	return ret;
}

int timens_enter(int nsfd)
{
	if (!setns(nsfd, CLONE_NEWTIME))
		return 0;
	if (errno != EPERM)
		return -errno;
	if (enter_owner(nsfd))
		return -EPERM;
	return setns(nsfd, CLONE_NEWTIME) ? -errno : 0;
}
