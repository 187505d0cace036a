// SPDX-License-Identifier: GPL-2.0
/* Steps: a sign and counts with units, and what they lead to. */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "when.h"

#define MAX_YEARS  10000
#define MAX_MONTHS (12 * MAX_YEARS)

/* Largest first, the order that they must be written in. */
static const struct unit {
	const char *name;
	int64_t sec;
	long nsec;
} units[] = {
	{ "y" },
	{ "mo" },
	{ "w", 7 * 86400 },
	{ "d", 86400 },
	{ "h", 3600 },
	{ "m", 60 },
	{ "s", 1 },
	{ "ms", 0, 1000000 },
	{ "us", 0, 1000 },
	{ "ns", 0, 1 },
};

#define N_UNITS	   ((int)ARRAY_SIZE(units))
#define UNIT_NAMES "y, mo, w, d, h, m, s, ms, us, ns"

enum {
	UNIT_YEAR,
	UNIT_MONTH,
	UNIT_WEEK,
	UNIT_DAY,
	UNIT_HOUR,
	UNIT_MINUTE,
	UNIT_SECOND
};

static int parse_unit(struct tns_cursor *cur)
{
	const char *start = cur->at;
	size_t len = 0;
	int i;

	while (isalpha((unsigned char)start[len]))
		len++;
	if (!len)
		return tns_einval(cur,
				  "a unit is missing after '%.*s' in "
				  "'%.40s'; use " UNIT_NAMES,
				  tns_done(cur), cur->text, cur->text);
	for (i = 0; i < N_UNITS; i++) {
		if (strlen(units[i].name) == len &&
		    !strncmp(units[i].name, start, len)) {
			cur->at += len;
			return i;
		}
	}
	return tns_einval(cur,
			  "unknown unit '%.*s' in '%.40s'; use " UNIT_NAMES,
			  len > 20 ? 20 : (int)len, start, cur->text);
}

static int too_large(const struct tns_cursor *cur)
{
	return tns_erange(cur, "'%.40s' is a larger step than any clock",
			  cur->text);
}

/* Add @count of a unit that always has the same length. */
static int add_fixed(const struct tns_cursor *cur, struct timens_when *when,
		     const struct unit *unit, int64_t count, long nsec)
{
	int64_t per_sec = unit->nsec ? NSEC_PER_SEC / unit->nsec : 1;
	struct timespec part = { .tv_nsec = nsec };

	if (count / per_sec > TNS_CLOCK_SEC_MAX / (unit->sec ? unit->sec : 1))
		return too_large(cur);
	if (unit->sec) {
		part.tv_sec = count * unit->sec;
	} else {
		part.tv_sec = count / per_sec;
		part.tv_nsec = count % per_sec * unit->nsec;
	}
	when->time = tns_add(when->time, part);
	return when->time.tv_sec > TNS_CLOCK_SEC_MAX ? too_large(cur) : 0;
}

static int add_calendar(const struct tns_cursor *cur, int64_t count,
			int64_t max, int32_t *field)
{
	if (count > max)
		return too_large(cur);
	*field = count;
	return 0;
}

static int add_part(struct tns_cursor *cur, struct timens_when *when, int unit,
		    int64_t count, long nsec)
{
	switch (unit) {
	case UNIT_YEAR:
		return add_calendar(cur, count, MAX_YEARS, &when->years);
	case UNIT_MONTH:
		return add_calendar(cur, count, MAX_MONTHS, &when->months);
	default:
		return add_fixed(cur, when, &units[unit], count, nsec);
	}
}

/* One "2d"; @last is the unit before it. Returns this one's. */
static int parse_part(struct tns_cursor *cur, struct timens_when *when,
		      int last)
{
	const char *start = cur->at;
	bool fraction;
	int64_t count;
	long nsec;
	int unit, ret;

	ret = tns_parse_count(cur, &count);
	if (ret)
		return ret;
	fraction = *cur->at == '.';
	ret = tns_parse_fraction(cur, &nsec);
	if (ret)
		return ret;
	unit = parse_unit(cur);
	if (unit < 0)
		return unit;
	if (unit <= last)
		return tns_einval(cur,
				  "'%.*s' is out of order in '%.40s'; "
				  "write each unit once, the largest "
				  "first",
				  (int)(cur->at - start), start, cur->text);
	if (fraction && unit != UNIT_SECOND)
		return tns_einval(cur,
				  "'%.*s' in '%.40s': only s may have a "
				  "fraction",
				  (int)(cur->at - start), start, cur->text);
	ret = add_part(cur, when, unit, count, nsec);
	return ret ? ret : unit;
}

int tns_parse_steps(struct tns_cursor *cur, struct timens_when *when)
{
	bool back = *cur->at++ == '-';
	int unit = -1;

	when->relative = 1;
	do {
		unit = parse_part(cur, when, unit);
		if (unit < 0)
			return unit;
	} while (*cur->at);
	if (back) {
		when->years = -when->years;
		when->months = -when->months;
		when->time = tns_sub((struct timespec){ 0 }, when->time);
	}
	return 0;
}

int timens_parse_step(const char *text, struct timespec *step, char *why,
		      size_t size)
{
	struct tns_cursor cur = {
		.text = text, .at = text, .why = why, .size = size
	};
	struct timens_when when = { 0 };
	int ret;

	if (*text != '+' && *text != '-')
		return tns_einval(&cur,
				  "'%.40s' has no sign; write a step such "
				  "as +2d or -90s",
				  text);
	ret = tns_parse_steps(&cur, &when);
	if (ret)
		return ret;
	if (when.years || when.months)
		return tns_einval(&cur,
				  "'%.40s': y and mo have no fixed "
				  "length; use w, d, h, m, s, ms, us, ns",
				  text);
	*step = when.time;
	return 0;
}

/* Calendar months on the UTC date; a day that the month lacks is its last. */
static int add_months(struct timespec *moment, int64_t months)
{
	int64_t month;
	struct tm tm;
	int days;

	if (!months)
		return 0;
	if (!gmtime_r(&moment->tv_sec, &tm))
		return -ERANGE;
	month = (tm.tm_year + 1900LL) * 12 + tm.tm_mon + months;
	if (month < 1970 * 12 || month >= MAX_MONTHS)
		return -ERANGE;
	tm.tm_year = month / 12 - 1900;
	tm.tm_mon = month % 12;
	days = tns_month_days(month / 12, tm.tm_mon + 1);
	if (tm.tm_mday > days)
		tm.tm_mday = days;
	moment->tv_sec = timegm(&tm);
	return 0;
}

int timens_resolve_when(const struct timens_when *when,
			const struct timespec *now, struct timespec *moment)
{
	struct timespec t = when->time;
	int ret;

	if (when->relative) {
		t = *now;
		ret = add_months(&t, when->years * 12LL + when->months);
		if (ret)
			return ret;
		t = tns_add(t, when->time);
	}
	if (t.tv_sec < 0 || t.tv_sec >= TIMENS_SEC_END)
		return -ERANGE;
	*moment = t;
	return 0;
}
