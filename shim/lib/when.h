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

__attribute__((format(printf, 3, 4)))
int tns_complain(const struct tns_cursor *cur, int err, const char *fmt, ...);

int tns_parse_count(struct tns_cursor *cur, int64_t *count);
int tns_parse_fraction(struct tns_cursor *cur, long *nsec);
int tns_parse_steps(struct tns_cursor *cur, struct timens_when *when);
int tns_month_days(int year, int month);

#endif /* _TIMENS_WHEN_H */
