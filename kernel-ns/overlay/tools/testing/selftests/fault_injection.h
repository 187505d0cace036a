/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Let the n-th allocation of a call of this thread fail.
 *
 * It takes CONFIG_FAILSLAB, CONFIG_FAIL_PAGE_ALLOC, CONFIG_FAULT_INJECTION_DEBUG_FS
 * and root.
 */
#ifndef FAULT_INJECTION_H
#define FAULT_INJECTION_H

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define FAULT_DEBUGFS	"/sys/kernel/debug/"

static inline bool fault_choose(const char *name, const char *text)
{
	char path[128];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), FAULT_DEBUGFS "%s", name);
	fd = open(path, O_WRONLY);
	len = write(fd, text, strlen(text));
	close(fd);
	return len == (ssize_t)strlen(text);
}

/**
 * fault_open - Prepare for faults in calls of this thread
 *
 * Allocations that may sleep are asked to fail too, and no trace of each is wanted.
 *
 * Return: a descriptor for fault_arm(), or -1 if the kernel does not have them
 */
static inline int fault_open(void)
{
	if (access(FAULT_DEBUGFS "failslab", F_OK))
		mount("none", FAULT_DEBUGFS, "debugfs", 0, NULL);
	if (!fault_choose("failslab/ignore-gfp-wait", "N") ||
	    !fault_choose("failslab/verbose", "0") ||
	    !fault_choose("fail_page_alloc/ignore-gfp-wait", "N") ||
	    !fault_choose("fail_page_alloc/ignore-gfp-highmem", "N") ||
	    !fault_choose("fail_page_alloc/min-order", "0") ||
	    !fault_choose("fail_page_alloc/verbose", "0"))
		return -1;
	return open("/proc/thread-self/fail-nth", O_RDWR);
}

/* From now on, the @n-th allocation fails; false if that is refused */
static inline bool fault_arm(int fd, unsigned int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", n);
	return pwrite(fd, text, strlen(text), 0) > 0;
}

/* No more. Whether there was an n-th one: a count that is left says that there was not. */
static inline bool fault_disarm(int fd)
{
	char text[16] = "";
	bool was;

	was = pread(fd, text, sizeof(text) - 1, 0) > 0 && !atoi(text);
	if (pwrite(fd, "0", 1, 0) != 1)
		return false;
	return was;
}

/* How many descriptors this process has */
static inline int fault_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int nr = 0;

	while (dir && readdir(dir))
		nr++;
	if (dir)
		closedir(dir);
	return nr;
}

#endif /* FAULT_INJECTION_H */
