/* SPDX-License-Identifier: GPL-2.0 */
/* The parser of times: its cursor and the pieces that both forms use. */
#ifndef _TIMENS_WHEN_H
#define _TIMENS_WHEN_H

#include "internal.h"

/* @text is what the user wrote, @at the place that is looked at. */
struct tns_cursor {
	const char *text;
	const char *at;
	char *why;
	size_t size;
};

/* Say what is wrong, if anybody listens, and return that error. */
__attribute__((format(printf, 2, 3))) int
tns_einval(const struct tns_cursor *cur, const char *fmt, ...);
__attribute__((format(printf, 2, 3))) int
tns_erange(const struct tns_cursor *cur, const char *fmt, ...);

int tns_done(const struct tns_cursor *cur);
int tns_parse_count(struct tns_cursor *cur, int64_t *count);
int tns_parse_fraction(struct tns_cursor *cur, long *nsec);
int tns_parse_steps(struct tns_cursor *cur, struct timens_when *when);
int tns_month_days(int year, int month);

#endif /* _TIMENS_WHEN_H */
