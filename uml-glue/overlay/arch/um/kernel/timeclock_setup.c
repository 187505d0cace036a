// SPDX-License-Identifier: GPL-2.0
/*
 * timeclock_setup: whose wall clock the guest has.
 *
 * Decided at boot from timeclock= and from what the host can do. The log says
 * what is in force and why.
 */

#define pr_fmt(fmt) "timeclock: " fmt

#include <linux/init.h>
#include <linux/printk.h>
#include <linux/processor.h>
#include <linux/string.h>
#include <linux/time-internal.h>
#include <linux/wordpart.h>
#include <asm/page.h>
#include <as-layout.h>
#include <init.h>
#include <kern.h>
#include <os.h>
#include <skas.h>
#include <timeclock.h>

/* What is wanted */
static enum { TIMECLOCK_AUTO, TIMECLOCK_TIMENS, TIMECLOCK_INTERCEPT } wanted_clock __initdata;

static const char *__init timens_obstacle(void)
{
	if (wanted_clock == TIMECLOCK_INTERCEPT)
		return "timeclock=intercept is given";
	if (!IS_ENABLED(CONFIG_64BIT))
		return "it takes a 64-bit UML";
	if (time_travel_mode != TT_MODE_OFF)
		return "time-travel mode is on";
	if (!using_seccomp)
		return "UML runs in ptrace mode (add seccomp=on)";
	/* The filter compares the upper half of addresses. */
	if (lower_32_bits(TASK_SIZE) || STUB_START - TASK_SIZE < PAGE_SIZE)
		return "the guest's address space does not end at a multiple of 4 GiB";

	return os_timeclock_obstacle();
}

/**
 * timeclock_choose_timens() - Decide whether the namespace's clock is the guest's
 *
 * Context: early boot, once.
 *
 * Return: True if it is.
 */
bool __init timeclock_choose_timens(void)
{
	const char *obstacle = timens_obstacle();

	if (!obstacle)
		pr_info("timens: gettimeofday, clock_gettime, time, settimeofday go straight to the host\n");
	else if (wanted_clock == TIMECLOCK_TIMENS)
		pr_warn("intercept: %s; every time call is intercepted\n", obstacle);
	else
		pr_info("intercept: %s; every time call is intercepted\n", obstacle);

	return !obstacle;
}

static int __init timeclock_setup(char *line, int *add)
{
	*add = 0;

	if (!strcmp(line, "auto")) {
		wanted_clock = TIMECLOCK_AUTO;
	} else if (!strcmp(line, "timens")) {
		wanted_clock = TIMECLOCK_TIMENS;
	} else if (!strcmp(line, "intercept")) {
		wanted_clock = TIMECLOCK_INTERCEPT;
	} else {
		os_warn("Invalid timeclock option '%s', expected auto/timens/intercept\n", line);
		exit(1);
	}

	return 0;
}

__uml_setup("timeclock=", timeclock_setup,
	    "timeclock=<auto/timens/intercept>\n"
	    "    Configure whose wall clock the guest has. With timens, it is the one of\n"
	    "    the time namespace that UML runs in. This takes a namespace with a wall\n"
	    "    clock of its own, a host kernel with SECCOMP_FILTER_FLAG_TRAP_FAILED, and\n"
	    "    seccomp=on. With intercept, the guest's clock starts with the host's time\n"
	    "    and is its own from there on. The default, auto, is timens where that is\n"
	    "    possible, and intercept otherwise; the boot log has the reason.\n\n"
);
