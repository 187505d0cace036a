/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libtimens - time namespaces with their own wall clock
 *
 * Every function returns 0 (or a value >= 0) on success and a negative errno
 * otherwise, prints nothing, and keeps no state of its own. All may be called
 * from several threads at once; those that change the calling thread or process
 * say so. All times are struct timespec, normalised: any tv_sec, 0 <= tv_nsec <
 * 1000000000.
 */
#ifndef _TIMENS_H
#define _TIMENS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* First second that a wall clock cannot be set to: 2232-04-18T23:47:16Z. */
#define TIMENS_SEC_END 8277292036LL

/* Where names of time namespaces are bound. */
#define TIMENS_NAME_DIR "/run/timens"
#define TIMENS_NAME_MAX 64

/* A buffer of this size holds every message and formatted time. */
#define TIMENS_TEXT_MAX 256

/* Clocks, as bits. */
#define TIMENS_REALTIME	 0x1u
#define TIMENS_MONOTONIC 0x2u
#define TIMENS_BOOTTIME	 0x4u

/* In struct timens_spec: both of the latter, from a start of their own. */
#define TIMENS_UPTIME 0x8u

/**
 * struct timens_when - a moment, or a step from one
 * @relative: non-zero for a step
 * @years: calendar years of a step, |@years| <= 10000
 * @months: calendar months of a step, |@months| <= 120000
 * @time: since the epoch; or the rest of the step
 */
struct timens_when {
	int relative;
	int32_t years;
	int32_t months;
	struct timespec time;
};

/**
 * timens_parse_when - read a moment or a step
 * @text: RFC 3339 time ("2038-01-19T03:14:07.5+01:00"; a date alone is midnight
 *	UTC), "@SECONDS[.FRACTION]" since the epoch, or a step: a sign, then
 *	counts with units, largest first: y mo w d h m s ms us ns ("+1y2d")
 * @when: result
 * @why: NULL, or a buffer for one line that says what is wrong
 * @size: its size, TIMENS_TEXT_MAX is enough
 *
 * Return: 0; -EINVAL for what cannot be read; -ERANGE before 1970, from
 * TIMENS_SEC_END on, or for a step larger than a clock.
 */
int timens_parse_when(const char *text, struct timens_when *when, char *why,
		      size_t size);

/**
 * timens_parse_step - read a step of fixed length
 * @text: as the step of timens_parse_when(), without y and mo
 * @step: result
 * @why: as there
 * @size: as there
 *
 * Return: 0, -EINVAL or -ERANGE, as timens_parse_when().
 */
int timens_parse_step(const char *text, struct timespec *step, char *why,
		      size_t size);

/**
 * timens_resolve_when - the moment that is meant at a given time
 * @when: moment or step
 * @now: the time that a step counts from. Years and months are added to its
 *	UTC date first, the day limited to the month's length; then the rest.
 * @moment: result
 *
 * Return: 0, or -ERANGE outside [1970, TIMENS_SEC_END).
 */
int timens_resolve_when(const struct timens_when *when,
			const struct timespec *now, struct timespec *moment);

/**
 * timens_format_time - write a moment as RFC 3339 in UTC, with nanoseconds
 * @moment: time since the epoch
 * @text: buffer
 * @size: its size
 *
 * Return: length of the text, or -ERANGE for a year outside 0..9999 or a buffer
 * that is too small.
 */
int timens_format_time(const struct timespec *moment, char *text, size_t size);

/**
 * timens_supported - can a time namespace have its own wall clock here?
 *
 * Asks /proc/self/timens_offsets with a value that is always refused, so
 * nothing changes.
 *
 * Return: 0; -EOPNOTSUPP when the kernel lacks CONFIG_TIME_NS_REALTIME; -ENOSYS
 * when it lacks CONFIG_TIME_NS; another error when it cannot be found out, e.g.
 * -EROFS or -EACCES where /proc may not be written, -ENOENT without /proc.
 */
int timens_supported(void);

/**
 * struct timens_offsets - how far a namespace's clocks are from the host's
 * @own: TIMENS_REALTIME if the wall clock is the namespace's own
 * @realtime: distance from the host's CLOCK_REALTIME; 0 unless own
 * @monotonic: distance from the host's CLOCK_MONOTONIC
 * @boottime: distance from the host's CLOCK_BOOTTIME
 */
struct timens_offsets {
	unsigned int own;
	struct timespec realtime;
	struct timespec monotonic;
	struct timespec boottime;
};

/**
 * timens_get - offsets of a process
 * @pid: process, 0 for the caller
 * @offsets: result: those of the namespace that the process' next child will be
 *	in, which is its own unless it called unshare(2) and did not go on
 *
 * Return: 0; -ESRCH for no such process; -ENOSYS without CONFIG_TIME_NS;
 * -EACCES where /proc hides it.
 */
int timens_get(pid_t pid, struct timens_offsets *offsets);

/**
 * timens_get_fd - offsets of a namespace without naming a process
 * @nsfd: descriptor from timens_open() or timens_name_open()
 * @offsets: result
 *
 * Forks a short-lived child that enters the namespace. Needs what timens_enter()
 * needs, except that the caller may have threads.
 *
 * Return: 0; -EPERM without the right to enter; -EINVAL if @nsfd is no time
 * namespace; -EAGAIN or -ENOMEM from fork(2).
 */
int timens_get_fd(int nsfd, struct timens_offsets *offsets);

/* Flag of timens_set_realtime*(): give the namespace its own clock first. */
#define TIMENS_SET_OWN 0x1u

/**
 * timens_set_realtime - set the wall clock of a process' namespace
 * @pid: process; the namespace is the one that timens_get() reads
 * @when: new time; a step counts from the namespace's clock
 * @flags: 0 or TIMENS_SET_OWN
 *
 * Only that namespace is changed, at once, for all processes in it. Needs
 * CAP_SYS_TIME over the user namespace that owns it.
 *
 * Return: 0; -EOPNOTSUPP without CONFIG_TIME_NS_REALTIME; -EACCES for the
 * initial namespace; -ENODATA for a namespace without an own wall clock, unless
 * TIMENS_SET_OWN; -EPERM without the capability; -ERANGE for a time that no
 * clock can have; -ESRCH for no such process; -EBUSY as timens_host_now().
 */
int timens_set_realtime(pid_t pid, const struct timens_when *when,
			unsigned int flags);

/**
 * timens_set_realtime_fd - the same for a namespace without naming a process
 * @nsfd: descriptor from timens_open() or timens_name_open()
 * @when: as timens_set_realtime()
 * @flags: as timens_set_realtime()
 *
 * Return: as timens_set_realtime() and timens_get_fd().
 */
int timens_set_realtime_fd(int nsfd, const struct timens_when *when,
			   unsigned int flags);

/**
 * timens_host_now - what a clock says in the initial time namespace
 * @clock: CLOCK_REALTIME, CLOCK_MONOTONIC or CLOCK_BOOTTIME
 * @now: result
 *
 * Works from inside any namespace: the caller's clock less its own offset.
 *
 * Return: 0; -EINVAL for another clock; -EBUSY when the caller called
 * unshare(CLONE_NEWTIME) and is not in that namespace itself, as the kernel then
 * shows the other one's offsets; or an error of timens_get().
 */
int timens_host_now(clockid_t clock, struct timespec *now);

/* What timens_id() is asked for. */
enum timens_which {
	TIMENS_ID_SELF,	    /* the namespace that the process is in */
	TIMENS_ID_CHILDREN, /* the one that its next child will be in */
};

/**
 * timens_id - inode number of a process' time namespace, as lsns(8) shows it
 * @pid: process, 0 for the caller
 * @which: which of its two
 * @id: result
 *
 * Return: 0; -ESRCH; -ENOSYS without CONFIG_TIME_NS; -EACCES without the right
 * to trace the process.
 */
int timens_id(pid_t pid, enum timens_which which, ino_t *id);

/**
 * timens_id_initial - is this the id of the initial time namespace?
 * @id: from timens_id() or from fstat(2) of a namespace descriptor
 *
 * Return: 1 or 0.
 */
int timens_id_initial(ino_t id);

/**
 * timens_open - open the time namespace that a process is in
 * @pid: process, 0 for the caller
 *
 * Return: a close-on-exec descriptor, or an error as timens_id().
 */
int timens_open(pid_t pid);

/* Flags of struct timens_spec. */
#define TIMENS_MAP_ROOT	     0x1u /* caller is root of a new user namespace */
#define TIMENS_CHILDREN_ONLY 0x2u /* the caller itself stays where it is */

/**
 * struct timens_spec - a time namespace to make
 * @clocks: TIMENS_* bits of the members that follow and are to be used
 * @flags: TIMENS_MAP_ROOT, TIMENS_CHILDREN_ONLY
 * @realtime: wall clock; a step counts from the caller's. Makes it own.
 * @monotonic: step from the caller's CLOCK_MONOTONIC
 * @boottime: step from the caller's CLOCK_BOOTTIME
 * @uptime: what CLOCK_MONOTONIC and CLOCK_BOOTTIME start at, not negative;
 *	excludes the two steps
 *
 * What is not named is inherited from the caller's namespace.
 */
struct timens_spec {
	unsigned int clocks;
	unsigned int flags;
	struct timens_when realtime;
	struct timespec monotonic;
	struct timespec boottime;
	struct timespec uptime;
};

/**
 * timens_unshare - make a time namespace and enter it
 * @spec: what it is to be
 *
 * Needs CAP_SYS_ADMIN and CAP_SYS_TIME, or TIMENS_MAP_ROOT. Changes the calling
 * process, which must have one thread only. Everything that can be checked is
 * checked first; after an error in a later step the caller may be left in the
 * new user namespace, so exit or do this in a child.
 *
 * Return: 0; -EOPNOTSUPP or -ENOSYS as timens_supported(); -EPERM without
 * privilege; -EUSERS in a threaded process; -ENOSPC at a limit in
 * /proc/sys/user; -ERANGE for a clock that would run below zero or past its
 * end; -EBUSY as timens_host_now().
 */
int timens_unshare(const struct timens_spec *spec);

/**
 * timens_enter - enter an existing time namespace
 * @nsfd: descriptor from timens_open() or timens_name_open()
 *
 * Joins the owning user namespace too if that is what permits it. For a process
 * with one thread.
 *
 * Return: 0; -EPERM; -EUSERS in a threaded process; -EINVAL if @nsfd is no time
 * namespace.
 */
int timens_enter(int nsfd);

/**
 * timens_name_check - may this be the name of a namespace?
 * @name: 1 to TIMENS_NAME_MAX letters, digits, '.', '_' or '-', the first a
 *	letter or '_'
 *
 * Return: 0 or -EINVAL.
 */
int timens_name_check(const char *name);

/**
 * timens_name_bind - give the caller's time namespace a name
 * @name: name
 *
 * Mounts the namespace at TIMENS_NAME_DIR/@name, which keeps it alive. Needs
 * CAP_SYS_ADMIN over the mount namespace.
 *
 * Return: 0; -EINVAL for a bad name; -EEXIST if it is taken; -EPERM; or an
 * error of mkdir(2), open(2) or mount(2).
 */
int timens_name_bind(const char *name);

/**
 * timens_name_open - open a named time namespace
 * @name: name
 *
 * Return: a close-on-exec descriptor; -EINVAL for a bad name; -ENOENT for none
 * of that name; -ESTALE if the file is there but no longer a namespace.
 */
int timens_name_open(const char *name);

/**
 * timens_name_delete - take a name away
 * @name: name; a stale one too
 *
 * The namespace lives on while processes are in it.
 *
 * Return: 0; -EINVAL; -ENOENT; -EPERM.
 */
int timens_name_delete(const char *name);

/**
 * timens_drop_privileges - give up every capability but those listed
 * @keep: capability numbers (CAP_* of <linux/capability.h>), may be NULL if @n is 0
 * @n: how many
 *
 * The kept ones become ambient, so that they survive execve(2) whatever the user
 * id; all others leave the permitted, effective, inheritable, ambient and
 * bounding sets; no_new_privs is set. For good, and for the calling thread, so
 * call it before others start. Without CAP_SETPCAP the bounding set stays;
 * no_new_privs alone then prevents a gain.
 *
 * Return: 0; -EPERM if a capability to keep is not held; -EINVAL for a number
 * that the kernel does not know.
 */
int timens_drop_privileges(const int *keep, size_t n);

/* What an argument of a passed call is held to; see <linux/timens_pass.h>. */
enum timens_pass_kind {
	TIMENS_PASS_NONE,
	TIMENS_PASS_PTR,
	TIMENS_PASS_ZERO,
	TIMENS_PASS_CLOCK,
};

/**
 * struct timens_pass - one call that may pass
 * @name: its name
 * @nr: its number on this machine
 * @kind: bounds of its arguments
 */
struct timens_pass {
	const char *name;
	int nr;
	enum timens_pass_kind kind[2];
};

/**
 * timens_policy - the table of calls that may pass
 * @n: set to the number of entries
 *
 * Return: the table, constant.
 */
const struct timens_pass *timens_policy(size_t *n);

/* Flag of timens_filter_load(): SECCOMP_FILTER_FLAG_TRAP_FAILED. */
#define TIMENS_FILTER_TRAP_FAILED 0x1u

/**
 * timens_filter_load - confine the calling thread to the calls of the table
 * @action: SECCOMP_RET_* value (<linux/seccomp.h>) for every other call and for
 *	arguments out of bounds; not SECCOMP_RET_ALLOW
 * @addr_limit: first address that may not be passed, a multiple of 4 GiB; 0 for
 *	no limit
 * @flags: 0, or TIMENS_FILTER_TRAP_FAILED: a passed call that would fail with
 *	EFAULT or EPERM raises SIGSYS instead
 *
 * Needs no_new_privs or CAP_SYS_ADMIN. Cannot be undone.
 *
 * Return: 0; -EINVAL for a bad argument; -EACCES without that privilege;
 * -EOPNOTSUPP if the kernel does not know the flag; -ENOMEM.
 */
int timens_filter_load(uint32_t action, uint64_t addr_limit,
		       unsigned int flags);

/**
 * timens_filter_export - write that filter as an array of struct sock_filter
 * @fd: where to
 * @action: as timens_filter_load()
 * @addr_limit: as timens_filter_load()
 *
 * Return: 0; -EINVAL; -ENOMEM; or an error of write(2).
 */
int timens_filter_export(int fd, uint32_t action, uint64_t addr_limit);

/**
 * struct timens_call - one call of the host that a profile allows
 * @name: its name
 * @nr: its number on this machine
 * @arg: which argument is looked at, from 0; -1 if none is
 * @mask: bits of it that are looked at
 * @value: what they have to be
 *
 * A call may have several entries; one of them has to fit.
 */
struct timens_call {
	const char *name;
	int nr;
	int arg;
	uint64_t mask;
	uint64_t value;
};

/**
 * timens_filter_calls - the calls that a profile allows
 * @profile: "uml", for a user-mode Linux kernel and its stubs
 * @n: set to the number of entries
 *
 * Return: the table, constant; NULL if there is no such profile.
 */
const struct timens_call *timens_filter_calls(const char *profile, size_t *n);

/**
 * timens_filter_confine - confine the calling thread to a profile's calls
 * @profile: as timens_filter_calls()
 * @action: SECCOMP_RET_* value (<linux/seccomp.h>) for every other call, and for
 *	those of other architectures; not SECCOMP_RET_ALLOW
 *
 * What it starts afterwards is confined as well. clone3(2), whose arguments no
 * filter sees, gives ENOSYS, so that C libraries use clone(2).
 *
 * With an action that ends the process, UML works in ptrace and mmfd mode only: in
 * seccomp mode its stubs inherit the filter, and that action would go before the
 * trap that their own filter asks for.
 *
 * Needs no_new_privs or CAP_SYS_ADMIN. Cannot be undone.
 *
 * Return: 0; -ENOENT if there is no such profile; -EINVAL for a bad action; -EACCES
 * without that privilege; -ENOMEM.
 */
int timens_filter_confine(const char *profile, uint32_t action);

#ifdef __cplusplus
}
#endif

#endif /* _TIMENS_H */
