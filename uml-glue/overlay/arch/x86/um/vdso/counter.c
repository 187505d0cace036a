// SPDX-License-Identifier: GPL-2.0
/*
 * counter: what the guest's vDSO counts, and what it leaves to the host's.
 */

#define pr_fmt(fmt) "timeclock: " fmt

#include <linux/clocksource.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/math64.h>
#include <linux/printk.h>
#include <linux/time-internal.h>
#include <vdso/datapage.h>
#include <asm/vdso/gettimeofday.h>
#include <hostvdso.h>
#include <os.h>
#include <timeclock.h>

/* The TSC is compared to the host's clock over so long a time */
#define TSC_CALIBRATE_NS	(200 * NSEC_PER_MSEC)

/* Of so many comparisons the narrowest one counts */
#define TSC_SAMPLES		16

/**
 * um_vdso_count_host() - Have the guest's vDSO count by the host's vDSO
 *
 * The stubs have to keep the host's vDSO, see hostvdso.h. To be called during
 * boot; the next update of the timekeeper makes it effective.
 */
void __init um_vdso_count_host(void)
{
	struct arch_vdso_time_data *arch = &vdso_k_time_data->arch_data;

	arch->clock_gettime = host_vdso_calls.clock_gettime;
	arch->gettimeofday = host_vdso_calls.gettimeofday;
	arch->time = host_vdso_calls.time;

	timer_clocksource.vdso_clock_mode = VDSO_CLOCKMODE_HOST;
}

/**
 * um_vdso_set_host_clocks() - Which clocks the host's vDSO answers for
 * @clocks:	bit (id & 31) for each clock id
 *
 * The host's clocks have to be the guest's. Takes effect at once in all tasks
 * that are in the initial time namespace of the guest; none in others.
 */
void um_vdso_set_host_clocks(unsigned int clocks)
{
	struct arch_vdso_time_data *arch = &vdso_k_time_data->arch_data;

	WRITE_ONCE(arch->host_clocks, clocks);
}

static u64 tsc_read(struct clocksource *cs)
{
	return vdso_rdtsc();
}

static struct clocksource tsc_clocksource = {
	.name			= "tsc",
	.rating			= 400,
	.read			= tsc_read,
	.mask			= CLOCKSOURCE_MASK(64),
	.flags			= CLOCK_SOURCE_IS_CONTINUOUS,
	.vdso_clock_mode	= VDSO_CLOCKMODE_TSC,
};

/* Read both clocks at the same time, as well as possible. */
static void __init read_both(u64 *tsc, u64 *ns)
{
	u64 before, after, now, best = U64_MAX;
	int i;

	for (i = 0; i < TSC_SAMPLES; i++) {
		before = vdso_rdtsc();
		now = os_nsecs();
		after = vdso_rdtsc();
		if (after - before >= best)
			continue;
		best = after - before;
		*tsc = before + best / 2;
		*ns = now;
	}
}

/**
 * um_vdso_count_tsc() - Have the guest's kernel and vDSO count the TSC
 *
 * The caller has checked that the host's clock does that as well.
 *
 * Return: 0, or -ERANGE if its frequency is out of bounds.
 */
int __init um_vdso_count_tsc(void)
{
	u64 tsc, ns, tsc_end, ns_end, hz;

	read_both(&tsc, &ns);
	do {
		read_both(&tsc_end, &ns_end);
	} while (ns_end - ns < TSC_CALIBRATE_NS);

	hz = mul_u64_u64_div_u64(tsc_end - tsc, NSEC_PER_SEC, ns_end - ns);
	if (hz < 100 * USEC_PER_SEC || hz > U32_MAX)
		return -ERANGE;

	pr_info("the TSC counts %llu Hz\n", hz);
	return clocksource_register_hz(&tsc_clocksource, hz);
}
