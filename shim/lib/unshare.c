// SPDX-License-Identifier: GPL-2.0
/* Make a time namespace. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

/* The lines to write, gathered before anything is changed. */
struct plan {
	char text[TNS_OFFSETS_TEXT];
	size_t len;
};

static void plan_line(struct plan *plan, const char *clock,
		      struct timespec inherited, struct timespec step)
{
	struct timespec offset = tns_add(inherited, step);

	plan->len += snprintf(plan->text + plan->len,
			      sizeof(plan->text) - plan->len, "%s %lld %ld\n",
			      clock, (long long)offset.tv_sec, offset.tv_nsec);
}

/* How far the wall clock moves; the caller's clock is the one it starts from. */
static int realtime_step(const struct timens_when *when, struct timespec *step)
{
	struct timespec now, moment;
	int ret;

	if (clock_gettime(CLOCK_REALTIME, &now))
		return -errno;
	ret = timens_resolve_when(when, &now, &moment);
	if (ret)
		return ret;
	*step = tns_sub(moment, now);
	return 0;
}

static int make_plan(const struct timens_spec *spec, struct plan *plan)
{
	struct timens_offsets own;
	struct timespec step;
	int ret;

	plan->len = 0;
	plan->text[0] = '\0';
	/* Also makes sure that the offsets read next are this process' own. */
	ret = timens_host_now(CLOCK_REALTIME, &step);
	if (ret)
		return ret;
	ret = timens_get(0, &own);
	if (ret)
		return ret;
	if (spec->clocks & TIMENS_MONOTONIC)
		plan_line(plan, "monotonic", own.monotonic, spec->monotonic);
	if (spec->clocks & TIMENS_BOOTTIME)
		plan_line(plan, "boottime", own.boottime, spec->boottime);
	if (!(spec->clocks & TIMENS_REALTIME))
		return 0;
	ret = timens_supported();
	if (ret)
		return ret;
	ret = realtime_step(&spec->realtime, &step);
	if (ret)
		return ret;
	plan_line(plan, "realtime", own.realtime, step);
	return 0;
}

/*
 * How long the host slept: CLOCK_BOOTTIME less CLOCK_MONOTONIC, from the
 * narrowest of some readings. It is constant, and most often exactly zero.
 */
static struct timespec host_slept(const struct timens_offsets *own)
{
	struct timespec before, boot, after, width, low;
	struct timespec best = { .tv_sec = TNS_CLOCK_SEC_MAX }, slept = { 0 };
	int i;

	for (i = 0; i < 16; i++) {
		clock_gettime(CLOCK_MONOTONIC, &before);
		clock_gettime(CLOCK_BOOTTIME, &boot);
		clock_gettime(CLOCK_MONOTONIC, &after);
		width = tns_sub(after, before);
		if (!tns_before(width, best))
			continue;
		best = width;
		low = tns_sub(tns_sub(boot, own->boottime),
			      tns_sub(after, own->monotonic));
		slept = tns_before((struct timespec){ 0 }, low) ?
				low :
				(struct timespec){ 0 };
	}
	return slept;
}

/*
 * Both clocks start now, and the two agree to the nanosecond unless the host
 * slept: whoever lives on them then has one clock, as after any boot.
 */
static int plan_uptime(const struct timens_spec *spec, struct plan *plan)
{
	struct timespec slept, now, mono;
	struct timens_offsets own;
	int ret;

	ret = timens_get(0, &own);
	if (ret)
		return ret;
	slept = host_slept(&own);
	if (clock_gettime(CLOCK_MONOTONIC, &now))
		return -errno;
	now = tns_sub(now, own.monotonic);
	mono = tns_sub(spec->uptime, now);
	plan_line(plan, "monotonic", mono, (struct timespec){ 0 });
	plan_line(plan, "boottime", mono,
		  tns_sub((struct timespec){ 0 }, slept));
	return 0;
}

/* Map root, and only root, of the new user namespace to the caller. */
static int map_root(uid_t uid, gid_t gid)
{
	char map[32];
	int ret;

	ret = tns_write_proc(0, "setgroups", "deny");
	if (ret)
		return ret;
	snprintf(map, sizeof(map), "0 %u 1", gid);
	ret = tns_write_proc(0, "gid_map", map);
	if (ret)
		return ret;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	return tns_write_proc(0, "uid_map", map);
}

static int check_uptime(const struct timens_spec *spec)
{
	if (!(spec->clocks & TIMENS_UPTIME))
		return 0;
	if (spec->clocks & (TIMENS_MONOTONIC | TIMENS_BOOTTIME))
		return -EINVAL;
	if (spec->uptime.tv_nsec < 0 || spec->uptime.tv_nsec >= NSEC_PER_SEC)
		return -EINVAL;
	if (spec->uptime.tv_sec < 0 || spec->uptime.tv_sec > TNS_CLOCK_SEC_MAX)
		return -ERANGE;
	return 0;
}

static int check_spec(const struct timens_spec *spec)
{
	const unsigned int clocks = TIMENS_REALTIME | TIMENS_MONOTONIC |
				    TIMENS_BOOTTIME | TIMENS_UPTIME;
	const unsigned int flags = TIMENS_MAP_ROOT | TIMENS_CHILDREN_ONLY;

	if (spec->clocks & ~clocks || spec->flags & ~flags)
		return -EINVAL;
	return check_uptime(spec);
}

static int enter_own(void)
{
	int fd, ret;

	fd = tns_open_proc(0, "ns/time_for_children", O_RDONLY);
	if (fd < 0)
		return fd;
	ret = setns(fd, CLONE_NEWTIME) ? -errno : 0;
	close(fd);
	return ret;
}

int timens_unshare(const struct timens_spec *spec)
{
	const uid_t uid = geteuid();
	const gid_t gid = getegid();
	struct plan plan;
	int ret;

	ret = check_spec(spec);
	if (ret)
		return ret;
	ret = make_plan(spec, &plan);
	if (ret)
		return ret;
	if (spec->clocks & TIMENS_UPTIME) {
		ret = plan_uptime(spec, &plan);
		if (ret)
			return ret;
	}
	if (unshare(CLONE_NEWTIME |
		    (spec->flags & TIMENS_MAP_ROOT ? CLONE_NEWUSER : 0)))
		return -errno;
	if (spec->flags & TIMENS_MAP_ROOT) {
		ret = map_root(uid, gid);
		if (ret)
			return ret;
	}
	if (plan.len) {
		ret = tns_write_proc(0, "timens_offsets", plan.text);
		if (ret)
			return ret;
	}
	return spec->flags & TIMENS_CHILDREN_ONLY ? 0 : enter_own();
}
