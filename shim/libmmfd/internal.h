/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of libmmfd share among themselves; nothing is exported. */
#ifndef _MMFD_INTERNAL_H
#define _MMFD_INTERNAL_H

#include <mmfd.h>
#include <sys/syscall.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/*
 * ioctl(2), but -errno is returned, and nothing else is read or written: when it
 * returns, memory may be another one.
 */
static inline int mm_ioctl(int fd, unsigned long request, unsigned long arg)
{
	long ret;

	asm volatile("syscall"
		     : "=a"(ret)
		     : "a"(SYS_ioctl), "D"(fd), "S"(request), "d"(arg)
		     : "rcx", "r11", "memory");
	return ret;
}

/*
 * fork.c: which process this is: run pages are not in a child of fork(2). Grows
 * by one in the child; mm_watch_forks() has been called before.
 */
void mm_watch_forks(void);
unsigned int mm_generation(void);

/*
 * pic.c: around mmfd_run(), for the controller of the calling thread, if there is
 * one; when a run page is about to go; and when all have gone, in a child.
 */
void mm_pic_enter(struct mmfd_run *page);
void mm_pic_leave(void);
void mm_pic_forget(const struct mmfd_run *page);
void mm_pic_forget_all(void);

#endif /* _MMFD_INTERNAL_H */
