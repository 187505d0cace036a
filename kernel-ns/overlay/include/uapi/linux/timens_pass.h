/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Time calls that a confined task may make straight to the host, and the
 * bounds of their arguments.
 *
 * The one table of this policy. It is expanded into libseccomp rules and into
 * the text that "timens policy" prints, and into classic BPF for freestanding
 * code (TIMENS_PASS_BPF below, for user-mode Linux' stub). Macros only. The BPF
 * part takes <linux/filter.h>, <linux/seccomp.h> and the __NR_ numbers from
 * whoever expands it.
 */
#ifndef _UAPI_LINUX_TIMENS_PASS_H
#define _UAPI_LINUX_TIMENS_PASS_H

/*
 * X(ctx, call, kind of argument 0, kind of argument 1), @ctx being whatever the
 * expander wants to hand to X.
 *
 *	PTR	an address below the limit that the expander gives; NULL is one.
 *		The limit is a multiple of 4 GiB, so that the high 32 bits
 *		decide; 0 is no limit. An object may begin below the limit and
 *		end above it: what lies there must fault.
 *	CLOCK	one of TIMENS_PASS_CLOCKS, the high 32 bits clear
 *	ZERO	0 in all 64 bits
 *	NONE	no argument; not looked at
 *
 * What is not in the table, or is out of bounds, does not pass. A time zone is
 * not: there is one per kernel, so a guest kernel has to answer for its own.
 */
#define TIMENS_PASS_CALLS(X, ctx)		\
	X(ctx, gettimeofday, PTR, ZERO)		\
	X(ctx, clock_gettime, CLOCK, PTR)	\
	X(ctx, time, PTR, NONE)			\
	X(ctx, settimeofday, PTR, ZERO)

/*
 * X(ctx, clock, id, how many follow): the clocks that are the namespace's, those
 * read most often first. A guest kernel that lets them pass has to have taken
 * over all of them from its namespace.
 *
 * CLOCK_MONOTONIC_RAW is out, as a guest kernel counts it from its boot at the
 * rate of its own clocksource; so are CPU time, which is a task's, the ALARM and
 * AUX clocks, which may not exist, and negative ids, which name processes and
 * descriptors.
 */
#define TIMENS_PASS_CLOCKS(X, ctx)		\
	X(ctx, REALTIME, 0, 5)			\
	X(ctx, MONOTONIC, 1, 4)			\
	X(ctx, REALTIME_COARSE, 5, 3)		\
	X(ctx, MONOTONIC_COARSE, 6, 2)		\
	X(ctx, BOOTTIME, 7, 1)			\
	X(ctx, TAI, 11, 0)

/*
 * TIMENS_PASS_BPF(limit) - the table as initialisers of struct sock_filter
 * @limit: bound of PTR, may be computed at run time; evaluated several times
 *
 * Put it after statements that have checked the architecture and loaded the
 * system call number. A call that passes returns SECCOMP_RET_ALLOW; every other
 * one leaves at the end, with its number in the accumulator. The number is
 * tested before an argument is loaded, so that the kernel's bitmap of numbers
 * that are always allowed still works for what follows. Each entry ends in a
 * comma.
 */
#define TIMENS_PASS_BPF(limit) \
	TIMENS_PASS_CALLS(__TIMENS_PASS_BLOCK, limit)

/*
 * The block of one call: compare the number, check both arguments, allow,
 * reload the number. A failed check jumps to the reload.
 */
#define __TIMENS_PASS_BLOCK(limit, call, kind0, kind1)			\
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##call, 0,		\
		 __TIMENS_PASS_LEN_##kind0 + __TIMENS_PASS_LEN_##kind1 + 2), \
	__TIMENS_PASS_CHECK_##kind0(0, limit, __TIMENS_PASS_LEN_##kind1 + 1) \
	__TIMENS_PASS_CHECK_##kind1(1, limit, 1)			\
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),			\
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS,				\
		 __builtin_offsetof(struct seccomp_data, nr)),

/*
 * __TIMENS_PASS_CHECK_<kind>(arg, limit, out): the check of one argument, in
 * __TIMENS_PASS_LEN_<kind> statements; @out is the distance from its last
 * statement to the reload. The limit's high half minus one wraps for a limit
 * of 0, and then nothing is greater.
 */
#define __TIMENS_PASS_LEN_NONE	0
#define __TIMENS_PASS_CHECK_NONE(arg, limit, out)

#define __TIMENS_PASS_LEN_PTR	2
#define __TIMENS_PASS_CHECK_PTR(arg, limit, out)			\
	__TIMENS_PASS_LOAD_HIGH(arg),					\
	BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K,				\
		 (__u32)((__u64)(limit) >> 32) - 1, out, 0),

#define __TIMENS_PASS_LEN_ZERO	4
#define __TIMENS_PASS_CHECK_ZERO(arg, limit, out)			\
	__TIMENS_PASS_LOAD_HIGH(arg),					\
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, (out) + 2),		\
	__TIMENS_PASS_LOAD_LOW(arg),					\
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, out),

#define __TIMENS_PASS_LEN_CLOCK	9
#define __TIMENS_PASS_CHECK_CLOCK(arg, limit, out)			\
	__TIMENS_PASS_LOAD_HIGH(arg),					\
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, (out) + 7),		\
	__TIMENS_PASS_LOAD_LOW(arg),					\
	TIMENS_PASS_CLOCKS(__TIMENS_PASS_CHECK_ID, out)

/* A match jumps over the checks that follow; the last one decides. */
#define __TIMENS_PASS_CHECK_ID(out, clock, id, left)			\
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, id, left, (left) ? 0 : (out)),

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define __TIMENS_PASS_HIGH	0
#else
#define __TIMENS_PASS_HIGH	4
#endif
#define __TIMENS_PASS_LOAD_HIGH(arg)					\
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS,				\
		 __builtin_offsetof(struct seccomp_data, args[arg]) +	\
		 __TIMENS_PASS_HIGH)
#define __TIMENS_PASS_LOAD_LOW(arg)					\
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS,				\
		 __builtin_offsetof(struct seccomp_data, args[arg]) +	\
		 4 - __TIMENS_PASS_HIGH)

#endif /* _UAPI_LINUX_TIMENS_PASS_H */
