// SPDX-License-Identifier: GPL-2.0
/*
 * timeclock_setup: whose clocks the guest has, and how its vDSO reads them.
 *
 * Decided at boot from timeclock= and from what the host can do. The log says
 * what is in force and why; so does /sys/module/timeclock/parameters.
 */

#define pr_fmt(fmt) "timeclock: " fmt

#include <linux/init.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/time-internal.h>
#include <as-layout.h>
#include <hostvdso.h>
#include <init.h>
#include <kern.h>
#include <os.h>
#include <skas.h>
#include <timeclock.h>

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "timeclock."

/* What is wanted */
enum timeclock_kind { TIMECLOCK_AUTO, TIMECLOCK_TIMENS, TIMECLOCK_PAGE, TIMECLOCK_INTERCEPT };
enum timeclock_counter { COUNTER_VDSO, COUNTER_TSC, COUNTER_SYSCALL };

static enum timeclock_kind wanted_clock __initdata;
static enum timeclock_counter wanted_counter __initdata;

/* What is in force */
static const char *clock_name __ro_after_init = "intercept";
static const char *counter_name __ro_after_init = "syscall";
static bool vdso_answers __ro_after_init;

static const char *__init timens_obstacle(void)
{
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
 * timeclock_choose_timens() - Decide whether the namespace's clocks are the guest's
 *
 * Context: early boot, once.
 *
 * Return: True if they are.
 */
bool __init timeclock_choose_timens(void)
{
	const char *obstacle;

	if (wanted_clock != TIMECLOCK_AUTO && wanted_clock != TIMECLOCK_TIMENS)
		return false;

	obstacle = timens_obstacle();
	if (!obstacle) {
		clock_name = "timens";
		pr_info("timens: gettimeofday, clock_gettime, time, settimeofday go straight to the host\n");
		return true;
	}

	if (wanted_clock == TIMECLOCK_TIMENS)
		pr_warn("timens: %s\n", obstacle);
	else
		pr_info("timens: %s\n", obstacle);
	return false;
}

static const char *__init page_obstacle(void)
{
	if (!IS_ENABLED(CONFIG_GENERIC_GETTIMEOFDAY))
		return "it takes a 64-bit UML";
	if (time_travel_mode != TT_MODE_OFF)
		return "time-travel mode is on";
	return NULL;
}

static bool __init count_tsc(void)
{
	const char *obstacle = os_tsc_obstacle();

	if (!obstacle && um_vdso_count_tsc())
		obstacle = "it could not be calibrated";
	if (obstacle) {
		pr_warn("counter tsc: %s\n", obstacle);
		return false;
	}

	counter_name = "tsc";
	return true;
}

static bool __init count_host(void)
{
	if (host_vdso_obstacle) {
		pr_warn("counter vdso: %s\n", host_vdso_obstacle);
		return false;
	}

	um_vdso_count_host();
	counter_name = "vdso";
	return true;
}

static bool __init try_page(void)
{
	const char *obstacle = page_obstacle();

	if (obstacle) {
		if (wanted_clock == TIMECLOCK_PAGE)
			pr_warn("page: %s\n", obstacle);
		return false;
	}

	/* The wanted counter, else the next best */
	if (wanted_counter != COUNTER_TSC || !count_tsc()) {
		if (wanted_counter != COUNTER_SYSCALL)
			count_host();
	}

	clock_name = "page";
	pr_info("page: the vDSO answers from the guest kernel's time page, counter %s\n",
		counter_name);
	return true;
}

/**
 * timeclock_vdso_answers() - Whether the guest's vDSO answers time calls
 *
 * Settled by early initcalls. If not, it makes a system call of every one.
 */
bool timeclock_vdso_answers(void)
{
	return vdso_answers;
}

static int __init timeclock_init(void)
{
	if (strcmp(clock_name, "timens")) {
		if (wanted_clock != TIMECLOCK_INTERCEPT)
			vdso_answers = try_page();
		if (!vdso_answers)
			pr_info("intercept: every time call is intercepted\n");
	}

	if (strcmp(counter_name, "vdso"))
		os_host_vdso_disable();
	return 0;
}
early_initcall(timeclock_init);

static int param_set_never(const char *val, const struct kernel_param *kp)
{
	return -EPERM;
}

static int param_get_name(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", *(const char **)kp->arg);
}

static const struct kernel_param_ops name_ops = {
	.set = param_set_never,
	.get = param_get_name,
};

module_param_cb(clock, &name_ops, &clock_name, 0444);
module_param_cb(counter, &name_ops, &counter_name, 0444);

static const char *const clock_names[] __initconst = {
	[TIMECLOCK_AUTO]	= "auto",
	[TIMECLOCK_TIMENS]	= "timens",
	[TIMECLOCK_PAGE]	= "page",
	[TIMECLOCK_INTERCEPT]	= "intercept",
};

static const char *const counter_names[] __initconst = {
	[COUNTER_VDSO]		= "vdso",
	[COUNTER_TSC]		= "tsc",
	[COUNTER_SYSCALL]	= "syscall",
};

/* The index of a string of @len bytes among @names, -1 if it is not there */
static int __init name_index(const char *const *names, size_t nr, const char *line, size_t len)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		if (strlen(names[i]) == len && !strncmp(names[i], line, len))
			return i;
	}
	return -1;
}

static int __init timeclock_setup(char *line, int *add)
{
	size_t len = strcspn(line, ",");
	int clock, counter = COUNTER_VDSO;

	*add = 0;

	clock = name_index(clock_names, ARRAY_SIZE(clock_names), line, len);
	if (line[len])
		counter = name_index(counter_names, ARRAY_SIZE(counter_names),
				     line + len + 1, strlen(line + len + 1));
	if (clock < 0 || counter < 0) {
		os_warn("Invalid option 'timeclock=%s', expected auto/timens/page/intercept, then nothing or ,vdso/,tsc/,syscall\n",
			line);
		exit(1);
	}

	wanted_clock = clock;
	wanted_counter = counter;
	return 0;
}

__uml_setup("timeclock=", timeclock_setup,
	    "timeclock=<auto/timens/page/intercept>[,<vdso/tsc/syscall>]\n"
	    "    Configure whose clocks the guest has, and how its processes read it. With\n"
	    "    timens, they are those of the time namespace that UML runs in. This\n"
	    "    takes a namespace with a wall clock of its own, a host kernel with\n"
	    "    SECCOMP_FILTER_FLAG_TRAP_FAILED, and seccomp=on. Otherwise the guest's\n"
	    "    clock starts with the host's time and is its own from there on. With page,\n"
	    "    it is read by the guest's vDSO, which reads a counter: the host's vDSO\n"
	    "    (vdso, the default), the time stamp counter (tsc), or by a system call to\n"
	    "    the guest kernel (syscall). With intercept, every time call is one. The\n"
	    "    default, auto, is the first of timens, page, intercept that is possible;\n"
	    "    the boot log has the reason.\n\n"
);
