// SPDX-License-Identifier: GPL-2.0
/*
 * Time calls of the guest that are answered without a system call: from the
 * guest kernel's own time page, or, where the host's clock is the guest's, by
 * the host's vDSO. Its functions lie in the stub, out of the guest's reach.
 *
 * What the host answers costs a test and a jump: the rest is kept out of line.
 */
#include <linux/kernel.h>
#include <vdso/gettime.h>

#include "../../../../lib/vdso/gettimeofday.c"

static __always_inline bool host_has(const struct vdso_time_data *vd, clockid_t clock)
{
	return READ_ONCE(vd->arch_data.host_clocks) >> (clock & 31) & 1;
}

static noinline int page_clock_gettime(clockid_t clock, struct __kernel_timespec *ts)
{
	return __cvdso_clock_gettime(clock, ts);
}

/*
 * An id that is equal to that of a host's clock modulo 32 gets there, too: the
 * host's vDSO does not know it, and makes a system call, which is trapped.
 */
int __vdso_clock_gettime(clockid_t clock, struct __kernel_timespec *ts)
{
	const struct vdso_time_data *vd = __arch_get_vdso_u_time_data();
	int (*host)(clockid_t clock, struct __kernel_timespec *ts);

	if (!host_has(vd, clock))
		return page_clock_gettime(clock, ts);

	host = (void *)vd->arch_data.clock_gettime;
	return host(clock, ts);
}

int clock_gettime(clockid_t clock, struct __kernel_timespec *ts)
	__weak __alias(__vdso_clock_gettime);

static noinline int page_gettimeofday(struct __kernel_old_timeval *tv, struct timezone *tz)
{
	const struct vdso_time_data *vd = __arch_get_vdso_u_time_data();
	int (*host)(struct __kernel_old_timeval *tv, struct timezone *tz);

	/* The time zone is always the guest's. */
	if (tv && host_has(vd, CLOCK_REALTIME)) {
		host = (void *)vd->arch_data.gettimeofday;
		host(tv, NULL);
		tv = NULL;
	}

	return __cvdso_gettimeofday(tv, tz);
}

int __vdso_gettimeofday(struct __kernel_old_timeval *tv, struct timezone *tz)
{
	const struct vdso_time_data *vd = __arch_get_vdso_u_time_data();
	int (*host)(struct __kernel_old_timeval *tv, struct timezone *tz);

	if (unlikely(tz) || !host_has(vd, CLOCK_REALTIME))
		return page_gettimeofday(tv, tz);

	host = (void *)vd->arch_data.gettimeofday;
	return host(tv, tz);
}

int gettimeofday(struct __kernel_old_timeval *tv, struct timezone *tz)
	__weak __alias(__vdso_gettimeofday);

__kernel_old_time_t __vdso_time(__kernel_old_time_t *t)
{
	const struct vdso_time_data *vd = __arch_get_vdso_u_time_data();
	__kernel_old_time_t (*host)(__kernel_old_time_t *t);

	if (!host_has(vd, CLOCK_REALTIME))
		return __cvdso_time(t);

	host = (void *)vd->arch_data.time;
	return host(t);
}

__kernel_old_time_t time(__kernel_old_time_t *t)
	__weak __alias(__vdso_time);

int __vdso_clock_getres(clockid_t clock, struct __kernel_timespec *res)
{
	return __cvdso_clock_getres(clock, res);
}

int clock_getres(clockid_t clock, struct __kernel_timespec *res)
	__weak __alias(__vdso_clock_getres);
