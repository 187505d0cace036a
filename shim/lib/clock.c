// SPDX-License-Identifier: GPL-2.0
/* Arithmetic on times, and the clocks of the initial namespace. */
#include <errno.h>

#include "internal.h"

struct timespec tns_add(struct timespec a, struct timespec b)
{
	struct timespec sum = {
		.tv_sec = a.tv_sec + b.tv_sec,
		.tv_nsec = a.tv_nsec + b.tv_nsec,
	};

	if (sum.tv_nsec >= NSEC_PER_SEC) {
		sum.tv_nsec -= NSEC_PER_SEC;
		sum.tv_sec++;
	}
	return sum;
}

struct timespec tns_sub(struct timespec a, struct timespec b)
{
	struct timespec diff = {
		.tv_sec = a.tv_sec - b.tv_sec,
		.tv_nsec = a.tv_nsec - b.tv_nsec,
	};

	if (diff.tv_nsec < 0) {
		diff.tv_nsec += NSEC_PER_SEC;
		diff.tv_sec--;
	}
	return diff;
}

bool tns_before(struct timespec a, struct timespec b)
{
	return a.tv_sec < b.tv_sec ||
	       (a.tv_sec == b.tv_sec && a.tv_nsec < b.tv_nsec);
}

/* The offsets that the kernel shows must be those of the clocks read here. */
static int check_inside(void)
{
	ino_t self, children;
	int ret;

	ret = timens_id(0, TIMENS_ID_SELF, &self);
	if (ret)
		return ret;
	ret = timens_id(0, TIMENS_ID_CHILDREN, &children);
	if (ret)
		return ret;
	return self == children ? 0 : -EBUSY;
}

int timens_host_now(clockid_t clock, struct timespec *now)
{
	struct timens_offsets own;
	struct timespec offset;
	int ret;

	ret = check_inside();
	if (ret)
		return ret;
	ret = timens_get(0, &own);
	if (ret)
		return ret;

	switch (clock) {
	case CLOCK_REALTIME:
		offset = own.realtime;
		break;
	case CLOCK_MONOTONIC:
		offset = own.monotonic;
		break;
	case CLOCK_BOOTTIME:
		offset = own.boottime;
		break;
	default:
		return -EINVAL;
	}
	if (clock_gettime(clock, now))
		return -errno;
	*now = tns_sub(*now, offset);
	return 0;
}
