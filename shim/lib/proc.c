// SPDX-License-Identifier: GPL-2.0
/* /proc/PID: offsets and identity of a process' time namespace. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

/* TIME_NS_INIT_INO of <linux/nsfs.h>, which older headers lack. */
#define TNS_INIT_INO 0xEFFFFFFAU

static void proc_path(pid_t pid, const char *file, char *path, size_t size)
{
	if (pid)
		snprintf(path, size, "/proc/%d/%s", (int)pid, file);
	else
		snprintf(path, size, "/proc/self/%s", file);
}

/* A missing file is a missing process, a missing feature or a missing /proc. */
static int why_missing(pid_t pid)
{
	char path[64];

	if (access("/proc/self", F_OK))
		return -ENOENT;
	proc_path(pid, "", path, sizeof(path));
	return access(path, F_OK) ? -ESRCH : -ENOSYS;
}

int tns_open_proc(pid_t pid, const char *file, int flags)
{
	char path[64];
	int fd;

	if (pid < 0)
		return -ESRCH;
	proc_path(pid, file, path, sizeof(path));
	fd = open(path, flags | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	return errno == ENOENT ? why_missing(pid) : -errno;
}

int tns_read_offsets(pid_t pid, char *text, size_t size)
{
	ssize_t len;
	int fd, ret;

	fd = tns_open_proc(pid, "timens_offsets", O_RDONLY);
	if (fd < 0)
		return fd;
	len = read(fd, text, size - 1);
	ret = len < 0 ? -errno : 0;
	close(fd);
	if (ret)
		return ret;
	text[len] = '\0';
	return len ? 0 : -ESRCH; /* empty: it has exited */
}

int tns_write_proc(pid_t pid, const char *file, const char *text)
{
	int fd, ret = 0;

	fd = tns_open_proc(pid, file, O_WRONLY);
	if (fd < 0)
		return fd;
	/* One write: the kernel takes all lines or none. */
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static void store_offset(struct timens_offsets *offsets, const char *clock,
			 struct timespec value)
{
	if (!strcmp(clock, "monotonic")) {
		offsets->monotonic = value;
	} else if (!strcmp(clock, "boottime")) {
		offsets->boottime = value;
	} else if (!strcmp(clock, "realtime")) {
		offsets->realtime = value;
		offsets->own |= TIMENS_REALTIME;
	}
}

int tns_parse_offsets(const char *text, struct timens_offsets *offsets)
{
	memset(offsets, 0, sizeof(*offsets));
	while (*text) {
		struct timespec value;
		char clock[16];
		long long sec;

		if (sscanf(text, "%15s %lld %ld", clock, &sec,
			   &value.tv_nsec) != 3)
			return -EPROTO;
		value.tv_sec = sec;
		store_offset(offsets, clock, value);
		text = strchr(text, '\n');
		if (!text)
			break;
		text++;
	}
	return 0;
}

int timens_get(pid_t pid, struct timens_offsets *offsets)
{
	char text[TNS_OFFSETS_TEXT];
	int ret;

	ret = tns_read_offsets(pid, text, sizeof(text));
	return ret ? ret : tns_parse_offsets(text, offsets);
}

/*
 * Out of range for every clock, so a kernel with the feature refuses it with
 * ERANGE, or before that with EPERM or EACCES; one without does not know the
 * word, which is EINVAL.
 */
int timens_supported(void)
{
	int ret = tns_write_proc(0, "timens_offsets",
				 "realtime 9223372036854775807 0\n");
	int fd;

	if (ret == -EINVAL)
		return -EOPNOTSUPP;
	if (ret == -ERANGE || ret == -EPERM)
		return 0;
	if (ret != -EACCES)
		return ret;
	/* EACCES of write(2) is the feature's answer, that of open(2) is not. */
	fd = tns_open_proc(0, "timens_offsets", O_WRONLY);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

int timens_id(pid_t pid, enum timens_which which, ino_t *id)
{
	char path[64];
	struct stat st;

	if (pid < 0)
		return -ESRCH;
	proc_path(pid,
		  which == TIMENS_ID_SELF ? "ns/time" : "ns/time_for_children",
		  path, sizeof(path));
	if (stat(path, &st))
		return errno == ENOENT ? why_missing(pid) : -errno;
	*id = st.st_ino;
	return 0;
}

int timens_id_initial(ino_t id)
{
	return id == TNS_INIT_INO;
}

int timens_open(pid_t pid)
{
	return tns_open_proc(pid, "ns/time", O_RDONLY);
}
