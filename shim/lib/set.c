// SPDX-License-Identifier: GPL-2.0
/* Set the wall clock of a namespace while its processes run. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "internal.h"

/* The offset that makes a clock, now at @current from the host, say @when. */
static int new_offset(const struct timespec *current,
		      const struct timens_when *when, struct timespec *offset)
{
	struct timespec host, now, moment;
	int ret;

	ret = timens_host_now(CLOCK_REALTIME, &host);
	if (ret)
		return ret;
	now = tns_add(host, *current);
	ret = timens_resolve_when(when, &now, &moment);
	if (ret)
		return ret;
	*offset = tns_add(*current, tns_sub(moment, now));
	return 0;
}

static int realtime_line(const struct timens_offsets *offsets,
			 const struct timens_when *when, unsigned int flags,
			 char *line, size_t size)
{
	struct timespec offset;
	int ret;

	if (!(offsets->own & TIMENS_REALTIME) && !(flags & TIMENS_SET_OWN))
		return -ENODATA;
	ret = new_offset(&offsets->realtime, when, &offset);
	if (ret)
		return ret;
	snprintf(line, size, "realtime %lld %ld\n", (long long)offset.tv_sec,
		 offset.tv_nsec);
	return 0;
}

static int check_request(ino_t id, unsigned int flags)
{
	if (flags & ~TIMENS_SET_OWN)
		return -EINVAL;
	if (timens_id_initial(id))
		return -EACCES;
	return timens_supported();
}

int timens_set_realtime(pid_t pid, const struct timens_when *when,
			unsigned int flags)
{
	char line[TNS_OFFSETS_TEXT];
	struct timens_offsets offsets;
	ino_t id = 0;
	int ret;

	/* Without the right to see the id, the kernel judges alone. */
	ret = timens_id(pid, TIMENS_ID_CHILDREN, &id);
	if (ret && ret != -EACCES)
		return ret;
	ret = check_request(id, flags);
	if (ret)
		return ret;
	ret = timens_get(pid, &offsets);
	if (ret)
		return ret;
	ret = realtime_line(&offsets, when, flags, line, sizeof(line));
	if (ret)
		return ret;
	return tns_write_proc(pid, "timens_offsets", line);
}

int timens_set_realtime_fd(int nsfd, const struct timens_when *when,
			   unsigned int flags)
{
	char line[TNS_OFFSETS_TEXT];
	struct timens_offsets offsets;
	struct stat st;
	int ret;

	if (fstat(nsfd, &st))
		return -errno;
	ret = check_request(st.st_ino, flags);
	if (ret)
		return ret;
	ret = timens_get_fd(nsfd, &offsets);
	if (ret)
		return ret;
	ret = realtime_line(&offsets, when, flags, line, sizeof(line));
	if (ret)
		return ret;
	return tns_write_offsets_fd(nsfd, line);
}
