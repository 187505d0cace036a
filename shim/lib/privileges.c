// SPDX-License-Identifier: GPL-2.0
/*
 * Give up capabilities.
 *
 * Securebits are left alone: with the bounding set emptied and no_new_privs set
 * uid 0 gains nothing from execve(2), and a later change of uid clears what is
 * kept, as usual.
 */
#include <errno.h>
#include <stdbool.h>
#include <sys/capability.h>
#include <sys/prctl.h>

#include "internal.h"

static bool kept(cap_value_t cap, const int *keep, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (keep[i] == cap)
			return true;
	return false;
}

static int check_held(cap_t caps, const int *keep, size_t n)
{
	cap_flag_value_t held;
	size_t i;

	for (i = 0; i < n; i++) {
		if (keep[i] < 0 || !CAP_IS_SUPPORTED(keep[i]))
			return -EINVAL;
		if (cap_get_flag(caps, keep[i], CAP_PERMITTED, &held))
			return -errno;
		if (held != CAP_SET)
			return -EPERM;
	}
	return 0;
}

/* Needs CAP_SETPCAP in effect; without it there is nothing to be done. */
static int drop_bounding(cap_t caps, const int *keep, size_t n)
{
	const cap_value_t setpcap = CAP_SETPCAP;
	cap_flag_value_t held;
	cap_value_t cap;

	if (cap_get_flag(caps, CAP_SETPCAP, CAP_PERMITTED, &held))
		return -errno;
	if (held != CAP_SET)
		return 0;
	if (cap_set_flag(caps, CAP_EFFECTIVE, 1, &setpcap, CAP_SET) ||
	    cap_set_proc(caps))
		return -errno;
	for (cap = 0; CAP_IS_SUPPORTED(cap); cap++)
		if (!kept(cap, keep, n) && cap_drop_bound(cap))
			return -errno;
	return 0;
}

static int set_all(cap_t caps, const int *keep, size_t n)
{
	if (cap_clear(caps))
		return -errno;
	if (n && (cap_set_flag(caps, CAP_PERMITTED, n, keep, CAP_SET) ||
		  cap_set_flag(caps, CAP_EFFECTIVE, n, keep, CAP_SET) ||
		  cap_set_flag(caps, CAP_INHERITABLE, n, keep, CAP_SET)))
		return -errno;
	return cap_set_proc(caps) ? -errno : 0;
}

static int raise_ambient(const int *keep, size_t n)
{
	size_t i;

	if (cap_reset_ambient())
		return -errno;
	for (i = 0; i < n; i++)
		if (cap_set_ambient(keep[i], CAP_SET))
			return -errno;
	return 0;
}

int timens_drop_privileges(const int *keep, size_t n)
{
	cap_t caps = cap_get_proc();
	int ret;

	if (!caps)
		return -errno;
	ret = check_held(caps, keep, n);
	if (!ret && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		ret = -errno;
	if (!ret)
		ret = drop_bounding(caps, keep, n);
	if (!ret)
		ret = set_all(caps, keep, n);
	if (!ret)
		ret = raise_ambient(keep, n);
	cap_free(caps);
	return ret;
}
