/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of libtimens share among themselves; nothing is exported. */
#ifndef _TIMENS_INTERNAL_H
#define _TIMENS_INTERNAL_H

#include <seccomp.h>
#include <stdbool.h>
#include <timens.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define NSEC_PER_SEC 1000000000L

/* The kernel's KTIME_SEC_MAX: no clock or offset goes further. */
#define TNS_CLOCK_SEC_MAX 9223372036LL

/* Room for the text of /proc/PID/timens_offsets, read or written. */
#define TNS_OFFSETS_TEXT 256

/* clock.c */
struct timespec tns_add(struct timespec a, struct timespec b);
struct timespec tns_sub(struct timespec a, struct timespec b);
bool tns_before(struct timespec a, struct timespec b);

/* proc.c: files in /proc/PID; @pid 0 is the caller. */
int tns_open_proc(pid_t pid, const char *file, int flags);
int tns_read_offsets(pid_t pid, char *text, size_t size);
int tns_write_proc(pid_t pid, const char *file, const char *text);
int tns_parse_offsets(const char *text, struct timens_offsets *offsets);

/* inside.c: one operation on timens_offsets from inside a namespace. */
int tns_read_offsets_fd(int nsfd, char *text, size_t size);
int tns_write_offsets_fd(int nsfd, const char *text);

/*
 * filter.c: a filter that answers every call with @action, a SECCOMP_RET_* value but
 * SECCOMP_RET_ALLOW; the caller releases it.
 */
int tns_new_filter(scmp_filter_ctx *ctx, uint32_t action);

/* filter.c: install @ctx on the calling thread, with flags of seccomp(2). */
int tns_load_filter(scmp_filter_ctx ctx, unsigned long flags);

#endif /* _TIMENS_INTERNAL_H */
