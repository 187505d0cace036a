/* SPDX-License-Identifier: GPL-2.0 */
/*
 * timeclock: the time namespace that UML runs in is the guest's wall clock.
 */
#ifndef __TIMECLOCK_H
#define __TIMECLOCK_H

#ifdef __UM_HOST__
#include <stdbool.h>
#else
#include <linux/types.h>
#endif

/* What a stub may do without asking the UML kernel, struct mm_id::pass */
#define TIMECLOCK_GET	1	/* read the wall clock */
#define TIMECLOCK_SET	2	/* set it */

/* The headers that UML's user space half is built with may not have it yet. */
#ifndef SECCOMP_FILTER_FLAG_TRAP_FAILED
#define SECCOMP_FILTER_FLAG_TRAP_FAILED	0x40
#endif

struct mm_id;

/* arch/um/kernel/timeclock.c */
extern int timeclock_following;
void __timeclock_follow(void);
unsigned int timeclock_current_pass(void);

/* arch/um/kernel/timeclock_setup.c */
bool timeclock_choose_timens(void);

/**
 * timeclock_follow() - Notice that the namespace's clock was set, and adopt it
 *
 * To be called in process context with interrupts on, after a guest task has
 * run and before anything is done for it. May sleep.
 */
static inline void timeclock_follow(void)
{
	if (timeclock_following)
		__timeclock_follow();
}

/* arch/um/os-Linux/timeclock.c */
const char *os_timeclock_obstacle(void);
int os_timeclock_step(long long ns);

/* arch/um/os-Linux/skas/pass.c */
void stub_restrict_pass(struct mm_id *mm_id, unsigned int pass);

#endif /* __TIMECLOCK_H */
