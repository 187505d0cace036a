// SPDX-License-Identifier: GPL-2.0
/*
 * timeclock: what the host has to offer, see arch/um/kernel/timeclock.c.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/timex.h>
#include <asm/unistd.h>
#include <linux/seccomp.h>
#include <os.h>
#include <timeclock.h>

#ifndef ADJ_SETOFFSET
#define ADJ_SETOFFSET	0x0100
#endif

/* Does the namespace that the stubs will run in have a wall clock of its own? */
static const char *own_clock_obstacle(void)
{
	char self[64] = "", children[64] = "", offsets[512];
	ssize_t n;
	int fd;

	if (readlink("/proc/self/ns/time", self, sizeof(self) - 1) < 0 ||
	    readlink("/proc/self/ns/time_for_children", children, sizeof(children) - 1) < 0)
		return "the host has no time namespaces, or no /proc";

	if (strcmp(self, children))
		return "UML's children would enter another time namespace than its own";

	fd = open("/proc/self/timens_offsets", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return "/proc/self/timens_offsets cannot be opened";

	n = read(fd, offsets, sizeof(offsets) - 1);
	close(fd);
	if (n < 0)
		return "/proc/self/timens_offsets cannot be read";

	offsets[n] = '\0';
	if (strncmp(offsets, "realtime", 8) && !strstr(offsets, "\nrealtime"))
		return "the time namespace has no wall clock of its own (timens run --realtime)";

	return NULL;
}

/**
 * os_timeclock_obstacle() - Why the host cannot answer the guest's time calls
 *
 * The initial time namespace never has a wall clock of its own, so this never
 * is NULL there.
 *
 * Return: The reason, a constant string, or NULL if it can.
 */
const char *os_timeclock_obstacle(void)
{
	const char *obstacle = own_clock_obstacle();

	if (obstacle)
		return obstacle;

	/* The flags are checked before the (missing) filter is read. */
	syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER,
		SECCOMP_FILTER_FLAG_TRAP_FAILED, NULL);
	if (errno != EFAULT)
		return "the host's seccomp does not know SECCOMP_FILTER_FLAG_TRAP_FAILED";

	return NULL;
}

/**
 * os_timeclock_step() - Move the wall clock of the namespace
 * @ns:	by how much, in nanoseconds
 *
 * One host system call; fit for any context.
 *
 * Return: 0 or a negative errno, -EPERM without CAP_SYS_TIME over the owner of
 * the namespace.
 */
int os_timeclock_step(long long ns)
{
	struct timex tx = {
		.modes = ADJ_SETOFFSET | ADJ_NANO,
		.time.tv_sec = ns / UM_NSEC_PER_SEC,
		.time.tv_usec = ns % UM_NSEC_PER_SEC,
	};

	if (tx.time.tv_usec < 0) {
		tx.time.tv_sec--;
		tx.time.tv_usec += UM_NSEC_PER_SEC;
	}

	return adjtimex(&tx) < 0 ? -errno : 0;
}
