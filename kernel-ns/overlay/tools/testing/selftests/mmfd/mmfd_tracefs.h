/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mmfd: files of tracefs, for tests that need them.
 */
#ifndef MMFD_TRACEFS_H
#define MMFD_TRACEFS_H

#include <stdbool.h>
#include <sys/mount.h>
#include <unistd.h>

#define TRACEFS		"/sys/kernel/tracing/"

/* tracefs_has - Whether @path, in TRACEFS, can be written; mounts that if need be */
static inline bool tracefs_has(const char *path)
{
	if (access(path, W_OK))
		mount("none", TRACEFS, "tracefs", 0, NULL);
	return !access(path, W_OK);
}

#endif /* MMFD_TRACEFS_H */
