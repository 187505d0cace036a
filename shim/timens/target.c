// SPDX-License-Identifier: GPL-2.0
/* Namespaces that the user names: by PID, or by a name given with run. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "verb.h"

static bool is_number(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

static int find_pid(struct target *target)
{
	long pid;
	int ret;

	errno = 0;
	pid = strtol(target->text, NULL, 10);
	if (errno || pid < 1 || pid > INT32_MAX)
		return -ESRCH;
	target->pid = pid;
	ret = timens_id(target->pid, TIMENS_ID_SELF, &target->id);
	return ret == -EACCES || ret == -EPERM ? 0 : ret;
}

static int find_name(struct target *target)
{
	struct stat st;

	target->fd = timens_name_open(target->text);
	if (target->fd < 0)
		return target->fd;
	if (!fstat(target->fd, &st))
		target->id = st.st_ino;
	return 0;
}

/* Prints what is wrong and returns the exit code, or 0. */
int target_find(struct target *target, const char *text)
{
	int ret;

	*target = (struct target){ .text = text, .fd = -1 };
	ret = is_number(text) ? find_pid(target) : find_name(target);
	return ret ? fail_target(target, ret, "look at") : 0;
}

void target_close(struct target *target)
{
	if (target->fd >= 0)
		close(target->fd);
	target->fd = -1;
}

int target_get(const struct target *target, struct timens_offsets *offsets)
{
	if (target->pid)
		return timens_get(target->pid, offsets);
	return timens_get_fd(target->fd, offsets);
}

/* Is the process itself in another namespace than its next child will be? */
bool target_split(const struct target *target)
{
	ino_t children;

	return target->pid && target->id &&
	       !timens_id(target->pid, TIMENS_ID_CHILDREN, &children) &&
	       children != target->id;
}

int fail_target(const struct target *target, int err, const char *doing)
{
	const char *text = target->text;

	switch (err) {
	case -ESRCH:
		return fail("there is no process %s; 'timens list' shows "
			    "processes by namespace",
			    text);
	case -EINVAL:
		return fail("'%s' is neither a PID nor a name (letters, "
			    "digits, '.', '_', '-')",
			    text);
	case -ENOENT:
		return fail("no time namespace is named '%s'; 'timens list' "
			    "shows the names",
			    text);
	case -ESTALE:
		return fail("the namespace named '%s' is gone; 'timens delete "
			    "%s' removes the name",
			    text, text);
	case -EPERM:
	case -EACCES:
		return fail("no permission to %s the time namespace of "
			    "'%s'; it takes root, or the user who made it",
			    doing, text);
	case -ENOSYS:
	case -EOPNOTSUPP:
		return fail_feature(err);
	default:
		return fail("cannot %s the time namespace of '%s': %s", doing,
			    text, strerror(-err));
	}
}
