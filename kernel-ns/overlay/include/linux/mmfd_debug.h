/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mmfd: guards that a test can turn off, to see that another test notices.
 *
 * One file each in debugfs, mmfd/guards/NAME: "Y" while the guard is on. Where
 * taking one away would do no more than crash the kernel, it has none:
 *
 *  - the selector of the code segment, which would be the kernel's, and bases of
 *    FS and GS that are not canonical: loading them is a fault of the kernel;
 *  - EBUSY for a second entrant, and that a child is not inside: two tasks would
 *    have one register file, and free it twice;
 *  - home before exit and exec, and the owner of a concurrency ID: the kernel
 *    would spin, or free an address space that is in use;
 *  - that a task with threads, PI futexes, or io_uring stays at home: the kernel
 *    would look for what is not there;
 *  - the return stack buffer, which no test can see.
 */
#ifndef _LINUX_MMFD_DEBUG_H
#define _LINUX_MMFD_DEBUG_H

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/types.h>

#define MMFD_GUARDS(X)							\
	X(bases)		/* FS and GS base of home come back */	\
	X(breakpoints)		/* tasks with hardware breakpoints are refused */ \
	X(call_bounds)		/* clocks out of bounds do not pass */	\
	X(divert)		/* exceptions are not signals of home */ \
	X(ends_home)		/* a task that is away goes home to end */ \
	X(failed_calls)		/* passed calls that fail trap */	\
	X(files)		/* only regular files are mapped */	\
	X(flags)		/* flags that user code cannot set are refused */ \
	X(forged)		/* frames lead elsewhere at home only */ \
	X(fpu)			/* a register file of the guest's own */ \
	X(frame_top)		/* the alternate stack begins at its top */ \
	X(home_first)		/* work is done at home */		\
	X(home_mm)		/* others see home */			\
	X(idle_pages)		/* the OOM killer weighs address spaces */ \
	X(immediate_exit)	/* ends a run before it begins */	\
	X(malformed)		/* a malformed batch does nothing */	\
	X(mdwe)			/* no way round PR_SET_MDWE */		\
	X(noreplace)		/* MMFD_MAP_NOREPLACE */		\
	X(ops_pkru)		/* changes from outside leave PKRU alone */ \
	X(owner)		/* the maker is charged */		\
	X(pkru)			/* PKRU of home comes back */		\
	X(ports)		/* tasks with I/O ports are refused */	\
	X(reserved)		/* reserved fields have to be zero */	\
	X(rip)			/* addresses out of user space are refused */ \
	X(rseq)			/* the area at home is not written */	\
	X(run_page)		/* mapped as one shared page only */	\
	X(segments)		/* tasks with selectors are refused */	\
	X(selectors)		/* those of a guest do not stay */	\
	X(ss)			/* other stack segments are refused */	\
	X(syscalls)		/* calls trap */			\
	X(uprobe_copy)		/* no copy with breakpoints in it */	\
	X(uprobe_set)		/* no breakpoints in address spaces */	\
	X(vsyscall)		/* calls of the vsyscall page trap */	\
	X(watched_calls)	/* nothing passes who is watched */

#ifdef CONFIG_MMFD_DEBUG

enum mmfd_guard {
#define MMFD_GUARD(name)	MMFD_GUARD_##name,
	MMFD_GUARDS(MMFD_GUARD)
#undef MMFD_GUARD
	MMFD_NR_GUARDS
};

extern bool mmfd_guard_on[MMFD_NR_GUARDS];

/* Whether a guard is on. Only changed while nobody is inside. */
#define mmfd_guard(name)	READ_ONCE(mmfd_guard_on[MMFD_GUARD_##name])

#else /* CONFIG_MMFD_DEBUG */

#define mmfd_guard(name)	true

#endif /* CONFIG_MMFD_DEBUG */

#endif /* _LINUX_MMFD_DEBUG_H */
