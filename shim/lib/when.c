// SPDX-License-Identifier: GPL-2.0
/* Read a moment: RFC 3339, @epoch, or (in step.c) a step. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "when.h"

/* Characters of the user's text in one message. */
#define MAX_SHOWN 40

static void explain(const struct tns_cursor *cur, const char *fmt, va_list args)
{
	if (cur->why)
		vsnprintf(cur->why, cur->size, fmt, args);
}

int tns_einval(const struct tns_cursor *cur, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	explain(cur, fmt, args);
	va_end(args);
	return -EINVAL;
}

int tns_erange(const struct tns_cursor *cur, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	explain(cur, fmt, args);
	va_end(args);
	return -ERANGE;
}

/* Length of what has been read, for messages. */
int tns_done(const struct tns_cursor *cur)
{
	ptrdiff_t done = cur->at - cur->text;

	return done > MAX_SHOWN ? MAX_SHOWN : (int)done;
}

static bool at_digit(const struct tns_cursor *cur)
{
	return *cur->at >= '0' && *cur->at <= '9';
}

/* Digits, one or more, up to what a clock can count in nanoseconds. */
int tns_parse_count(struct tns_cursor *cur, int64_t *count)
{
	const char *start = cur->at;
	int64_t value = 0;

	if (!at_digit(cur))
		return tns_einval(cur,
				  "a number is missing after '%.*s' in "
				  "'%.40s'",
				  tns_done(cur), cur->text, cur->text);
	for (; at_digit(cur); cur->at++) {
		if (value > (INT64_MAX - 9) / 10)
			return tns_erange(cur, "'%.40s' is too large", start);
		value = value * 10 + (*cur->at - '0');
	}
	*count = value;
	return 0;
}

/* ".5": one to nine digits after an optional point. */
int tns_parse_fraction(struct tns_cursor *cur, long *nsec)
{
	const char *start = cur->at;
	long unit = NSEC_PER_SEC / 10;

	*nsec = 0;
	if (*cur->at != '.')
		return 0;
	for (cur->at++; at_digit(cur); cur->at++, unit /= 10) {
		if (!unit)
			return tns_einval(cur, "more than 9 digits in '%.40s'",
					  start);
		*nsec += unit * (*cur->at - '0');
	}
	if (cur->at == start + 1)
		return tns_einval(cur,
				  "digits are missing after the point in "
				  "'%.40s'",
				  cur->text);
	return 0;
}

#define FORMS                                              \
	"write 2038-01-19T03:14:00Z, @SECONDS, or a step " \
	"such as +1y2d or -90s"

static int not_digits(const struct tns_cursor *cur, const char *what, int n)
{
	return tns_einval(cur, "the %s is not %d digits in '%.40s'; " FORMS,
			  what, n, cur->text);
}

/* Exactly @n digits, between @min and @max. */
static int parse_field(struct tns_cursor *cur, const char *what, int n, int min,
		       int max, int *value)
{
	const char *start = cur->at;
	int i;

	*value = 0;
	for (i = 0; i < n; i++, cur->at++) {
		if (!at_digit(cur))
			return not_digits(cur, what, n);
		*value = *value * 10 + (*cur->at - '0');
	}
	if (*value < min || *value > max)
		return tns_einval(cur,
				  "%s %.*s in '%.40s' is not between %02d "
				  "and %02d",
				  what, n, start, cur->text, min, max);
	return 0;
}

static int parse_mark(struct tns_cursor *cur, char mark)
{
	if (*cur->at != mark)
		return tns_einval(cur,
				  "'%c' is missing after '%.*s' in "
				  "'%.40s'; write 2038-01-19T03:14:00Z",
				  mark, tns_done(cur), cur->text, cur->text);
	cur->at++;
	return 0;
}

int tns_month_days(int year, int month)
{
	static const char days[] = { 31, 28, 31, 30, 31, 30,
				     31, 31, 30, 31, 30, 31 };
	bool leap = (!(year % 4) && year % 100) || !(year % 400);

	return days[month - 1] + (month == 2 && leap);
}

static int parse_date(struct tns_cursor *cur, struct tm *tm)
{
	int year, month, day, ret;

	ret = parse_field(cur, "year", 4, 0, 9999, &year);
	if (!ret)
		ret = parse_mark(cur, '-');
	if (!ret)
		ret = parse_field(cur, "month", 2, 1, 12, &month);
	if (!ret)
		ret = parse_mark(cur, '-');
	if (!ret)
		ret = parse_field(cur, "day", 2, 1, tns_month_days(year, month),
				  &day);
	if (ret)
		return ret;
	tm->tm_year = year - 1900;
	tm->tm_mon = month - 1;
	tm->tm_mday = day;
	return 0;
}

static int parse_clock(struct tns_cursor *cur, struct tm *tm)
{
	int ret;

	ret = parse_field(cur, "hour", 2, 0, 23, &tm->tm_hour);
	if (!ret)
		ret = parse_mark(cur, ':');
	if (!ret)
		ret = parse_field(cur, "minute", 2, 0, 59, &tm->tm_min);
	if (!ret)
		ret = parse_mark(cur, ':');
	if (!ret)
		ret = parse_field(cur, "second", 2, 0, 59, &tm->tm_sec);
	return ret;
}

/* Z or ±HH:MM, in seconds east of UTC. */
static int parse_zone(struct tns_cursor *cur, int *east)
{
	int sign, hours, minutes, ret;

	*east = 0;
	if (toupper((unsigned char)*cur->at) == 'Z') {
		cur->at++;
		return 0;
	}
	if (*cur->at != '+' && *cur->at != '-')
		return tns_einval(cur,
				  "no time zone in '%.40s'; end it with Z "
				  "(UTC) or an offset such as +01:00",
				  cur->text);
	sign = *cur->at++ == '-' ? -1 : 1;
	ret = parse_field(cur, "zone's hour", 2, 0, 23, &hours);
	if (!ret)
		ret = parse_mark(cur, ':');
	if (!ret)
		ret = parse_field(cur, "zone's minute", 2, 0, 59, &minutes);
	if (!ret)
		*east = sign * (hours * 3600 + minutes * 60);
	return ret;
}

static int parse_rfc3339(struct tns_cursor *cur, struct timespec *time)
{
	struct tm tm = { 0 };
	int east = 0, ret;

	ret = parse_date(cur, &tm);
	if (ret)
		return ret;
	if (*cur->at) {
		if (!strchr("Tt ", *cur->at))
			return parse_mark(cur, 'T');
		cur->at++;
		ret = parse_clock(cur, &tm);
		if (!ret)
			ret = tns_parse_fraction(cur, &time->tv_nsec);
		if (!ret)
			ret = parse_zone(cur, &east);
	}
	time->tv_sec = timegm(&tm) - east;
	return ret;
}

static int parse_epoch(struct tns_cursor *cur, struct timespec *time)
{
	int64_t count;
	int ret;

	cur->at++;
	if (*cur->at == '-')
		return tns_erange(cur,
				  "'%.40s' is before 1970; no clock can "
				  "be set to that",
				  cur->text);
	ret = tns_parse_count(cur, &count);
	if (!ret)
		ret = tns_parse_fraction(cur, &time->tv_nsec);
	time->tv_sec = count;
	return ret;
}

static int check_end(const struct tns_cursor *cur)
{
	if (!*cur->at)
		return 0;
	return tns_einval(cur, "'%.40s' is left over at the end of '%.40s'",
			  cur->at, cur->text);
}

static int check_range(const struct tns_cursor *cur,
		       const struct timespec *time)
{
	if (time->tv_sec < 0)
		return tns_erange(cur,
				  "'%.40s' is before 1970; no clock can "
				  "be set to that",
				  cur->text);
	if (time->tv_sec >= TIMENS_SEC_END)
		return tns_erange(cur,
				  "'%.40s' is past 2232-04-18T23:47:15Z, "
				  "the last second that a clock can be "
				  "set to",
				  cur->text);
	return 0;
}

int timens_parse_when(const char *text, struct timens_when *when, char *why,
		      size_t size)
{
	struct tns_cursor cur = {
		.text = text, .at = text, .why = why, .size = size
	};
	int ret;

	memset(when, 0, sizeof(*when));
	if (*text == '+' || *text == '-')
		return tns_parse_steps(&cur, when);
	if (!*text)
		return tns_einval(&cur, "the time is empty; " FORMS);
	if (*text == '@')
		ret = parse_epoch(&cur, &when->time);
	else
		ret = parse_rfc3339(&cur, &when->time);
	if (!ret)
		ret = check_end(&cur);
	return ret ? ret : check_range(&cur, &when->time);
}

int timens_format_time(const struct timespec *moment, char *text, size_t size)
{
	struct tm tm;
	int len;

	if (!gmtime_r(&moment->tv_sec, &tm) || tm.tm_year < -1900 ||
	    tm.tm_year > 8099)
		return -ERANGE;
	len = snprintf(text, size, "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ",
		       tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		       tm.tm_min, tm.tm_sec, moment->tv_nsec);
	return len < 0 || (size_t)len >= size ? -ERANGE : len;
}
