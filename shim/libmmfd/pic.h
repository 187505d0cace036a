/* SPDX-License-Identifier: GPL-2.0 */
/* The interrupt controller, for pic.c and signal.c. */
#ifndef _MMFD_PIC_H
#define _MMFD_PIC_H

#include <mmfd.h>
#include <stdatomic.h>

/**
 * struct mmfd_pic - a virtual interrupt controller
 * @fn: takes events
 * @pending: bit N: there may be events of line N; any thread
 * @count: events that wait, by line; any thread
 * @on: the flag; written by the thread that it is bound to, and its handlers
 * @noted: a signal was accepted since mmfd_vcpu_run() last returned; as @on
 * @page: run page that the thread is about to enter, or is in; as @on
 * @arg: for @fn
 */
struct mmfd_pic {
	mmfd_pic_fn fn;
	atomic_uint_least64_t pending;
	atomic_uint_least64_t count[MMFD_PIC_LINES];
	atomic_bool on;
	volatile bool noted;
	struct mmfd_run *volatile page;
	void *arg;
};

/* pic.c; all but mm_pic_record() for the thread that it is bound to */
struct mmfd_pic *mm_pic_bound(void);
void mm_pic_record(struct mmfd_pic *pic, unsigned int line);
void mm_pic_drain(struct mmfd_pic *pic);
void mm_pic_note(struct mmfd_pic *pic);

/* signal.c */
void mm_pic_release_signals(struct mmfd_pic *pic);

#endif /* _MMFD_PIC_H */
