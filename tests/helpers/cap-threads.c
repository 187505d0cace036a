// SPDX-License-Identifier: GPL-2.0
/*
 * cap-threads - may a thread that gave up CAP_SYS_TIME set the clock, because
 * another thread in its address space still may?
 *
 * Prints for each thread what raw settimeofday(2) said: first the one that gave
 * it up, while the other waits, then the other. For root.
 */
#include <errno.h>
#include <linux/capability.h>
#include <pthread.h>
#include <string.h>

#include "clock.h"

static void try_set(const char *who)
{
	struct timeval tv;

	gettimeofday(&tv, NULL);
	tv.tv_sec += 10;
	if (syscall(SYS_settimeofday, &tv, NULL))
		printf("%s: %s\n", who, strerrorname_np(errno));
	else
		printf("%s: set\n", who);
}

/* capset(2) as such: it is about one thread, unlike what a library makes of it */
static int give_up(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		return -1;
	data[0].effective &= ~(1U << CAP_SYS_TIME);
	data[0].permitted &= ~(1U << CAP_SYS_TIME);
	return syscall(SYS_capset, &head, data);
}

static void *unprivileged(void *unused)
{
	(void)unused;
	try_set("before");
	if (give_up()) {
		perror("cap-threads");
		exit(2);
	}
	for (int i = 0; i < 3; i++)
		try_set("without");
	return NULL;
}

int main(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, unprivileged, NULL) ||
	    pthread_join(thread, NULL)) {
		fprintf(stderr, "cap-threads: no thread\n");
		return 2;
	}
	try_set("with");
	return 0;
}
