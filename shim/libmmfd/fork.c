// SPDX-License-Identifier: GPL-2.0
/* Which process this is, without a system call. */
#include <pthread.h>
#include <stdatomic.h>

#include "internal.h"

static atomic_uint generation;

static void in_child(void)
{
	atomic_fetch_add(&generation, 1);
	mm_pic_forget_all();
}

static void watch(void)
{
	pthread_atfork(NULL, NULL, in_child);
}

void mm_watch_forks(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, watch);
}

unsigned int mm_generation(void)
{
	return atomic_load_explicit(&generation, memory_order_relaxed);
}
