/* SPDX-License-Identifier: GPL-2.0 */
/* How UML's vDSO reads a counter, and makes a system call instead. */
#ifndef __ASM_UM_VDSO_GETTIMEOFDAY_H
#define __ASM_UM_VDSO_GETTIMEOFDAY_H

#ifndef __ASSEMBLER__

#include <asm/unistd.h>
#include <uapi/linux/time.h>
#include <vdso/clocksource.h>
#include <vdso/datapage.h>
#include <vdso/time64.h>

#define VDSO_HAS_TIME 1

#define VDSO_HAS_CLOCK_GETRES 1

static __always_inline long vdso_syscall2(long nr, long arg1, long arg2)
{
	long ret;

	asm volatile("syscall"
		     : "=a" (ret)
		     : "0" (nr), "D" (arg1), "S" (arg2)
		     : "rcx", "r11", "memory");
	return ret;
}

static __always_inline
long clock_gettime_fallback(clockid_t clock, struct __kernel_timespec *ts)
{
	return vdso_syscall2(__NR_clock_gettime, clock, (long)ts);
}

static __always_inline
long gettimeofday_fallback(struct __kernel_old_timeval *tv, struct timezone *tz)
{
	return vdso_syscall2(__NR_gettimeofday, (long)tv, (long)tz);
}

static __always_inline
long clock_getres_fallback(clockid_t clock, struct __kernel_timespec *ts)
{
	return vdso_syscall2(__NR_clock_getres, clock, (long)ts);
}

/* Not before what was loaded earlier; later loads depend on it */
static __always_inline u64 vdso_rdtsc(void)
{
	u32 low, high;

	asm volatile("lfence; rdtsc" : "=a" (low), "=d" (high) :: "memory");
	return low | (u64)high << 32;
}

static __always_inline
u64 __arch_get_hw_counter(s32 clock_mode, const struct vdso_time_data *vd)
{
	int (*host)(clockid_t clock, struct __kernel_timespec *ts);
	struct __kernel_timespec ts;

	if (clock_mode == VDSO_CLOCKMODE_TSC)
		return vdso_rdtsc();

	host = (void *)vd->arch_data.clock_gettime;
	host(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

/*
 * The clock must not go backward by a TSC that is behind on some CPU: what is
 * before the last update counts as the last update.
 */
static __always_inline u64 vdso_calc_ns(const struct vdso_clock *vc, u64 cycles, u64 base)
{
	u64 delta = cycles - vc->cycle_last;

	if (unlikely(delta > vc->max_cycles)) {
		if ((s64)delta < 0)
			return base >> vc->shift;
		return mul_u64_u32_add_u64_shr(delta, vc->mult, base, vc->shift);
	}

	return (delta * vc->mult + base) >> vc->shift;
}
#define vdso_calc_ns vdso_calc_ns

#endif /* !__ASSEMBLER__ */

#endif /* __ASM_UM_VDSO_GETTIMEOFDAY_H */
