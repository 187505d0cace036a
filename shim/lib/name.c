// SPDX-License-Identifier: GPL-2.0
/* Names of time namespaces: bind mounts in TIMENS_NAME_DIR. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "internal.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
#define OTHERS	"0123456789.-"

#define NAME_PATH_MAX (sizeof(TIMENS_NAME_DIR) + 1 + TIMENS_NAME_MAX)

int timens_name_check(const char *name)
{
	size_t len = strspn(name, LETTERS OTHERS);

	if (!len || len > TIMENS_NAME_MAX || name[len] ||
	    !strchr(LETTERS, *name))
		return -EINVAL;
	return 0;
}

static int name_path(const char *name, char path[NAME_PATH_MAX])
{
	if (timens_name_check(name))
		return -EINVAL;
	snprintf(path, NAME_PATH_MAX, "%s/%s", TIMENS_NAME_DIR, name);
	return 0;
}

static int reserve(const char *path)
{
	int fd;

	if (mkdir(TIMENS_NAME_DIR, 0755) && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

int timens_name_bind(const char *name)
{
	char path[NAME_PATH_MAX];
	int ret;

	ret = name_path(name, path);
	if (ret)
		return ret;
	ret = reserve(path);
	if (ret)
		return ret;
	if (!mount("/proc/self/ns/time", path, NULL, MS_BIND, NULL))
		return 0;
	ret = -errno;
	unlink(path);
	return ret;
}

int timens_name_open(const char *name)
{
	char path[NAME_PATH_MAX];
	struct statfs fs;
	int fd, ret;

	ret = name_path(name, path);
	if (ret)
		return ret;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!fstatfs(fd, &fs) && fs.f_type == NSFS_MAGIC)
		return fd;
	close(fd);
	return -ESTALE;
}

int timens_name_delete(const char *name)
{
	char path[NAME_PATH_MAX];
	int ret;

	ret = name_path(name, path);
	if (ret)
		return ret;
	if (access(path, F_OK))
		return -errno;
	/* EINVAL: a stale file that nothing is mounted on. */
	if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) && errno != EINVAL)
		return -errno;
	return unlink(path) ? -errno : 0;
}
