// SPDX-License-Identifier: GPL-2.0
/* Reading, resolving and writing times. */
#include <errno.h>
#include <string.h>

#include <timens.h>

#include "check.h"

/* 2026-01-31T12:00:00Z, the last day of a long month. */
#define BASE_SEC  1769860800LL
#define BASE_NSEC 500000000L

static const struct good {
	const char *text;
	long long sec;
	long nsec;
} good[] = {
	/* RFC 3339 */
	{ "1970-01-01T00:00:00Z", 0, 0 },
	{ "2038-01-19T03:14:07Z", 2147483647, 0 },
	{ "2038-01-19t03:14:08z", 2147483648, 0 },
	{ "2038-01-19 03:14:07Z", 2147483647, 0 },
	{ "2038-01-19", 2147472000, 0 },
	{ "2038-01-19T04:14:07+01:00", 2147483647, 0 },
	{ "2038-01-18T21:44:07-05:30", 2147483647, 0 },
	{ "1969-12-31T23:00:00-01:00", 0, 0 },
	{ "2038-01-19T03:14:07.5Z", 2147483647, 500000000 },
	{ "2038-01-19T03:14:07.000000001Z", 2147483647, 1 },
	{ "2038-01-19T03:14:07.123456789+00:00", 2147483647, 123456789 },
	{ "2000-02-29", 951782400, 0 },
	{ "2024-02-29", 1709164800, 0 },
	{ "2232-04-18T23:47:15.999999999Z", TIMENS_SEC_END - 1, 999999999 },
	/* epoch */
	{ "@0", 0, 0 },
	{ "@1.25", 1, 250000000 },
	{ "@4294967296", 4294967296, 0 },
	{ "@8277292035", TIMENS_SEC_END - 1, 0 },
	/* steps */
	{ "+0s", BASE_SEC, BASE_NSEC },
	{ "-0s", BASE_SEC, BASE_NSEC },
	{ "+90s", BASE_SEC + 90, BASE_NSEC },
	{ "-90s", BASE_SEC - 90, BASE_NSEC },
	{ "+1w2d3h4m5s", BASE_SEC + 604800 + 2 * 86400 + 3 * 3600 + 245,
	  BASE_NSEC },
	{ "+0.25s", BASE_SEC, 750000000 },
	{ "-0.75s", BASE_SEC - 1, 750000000 },
	{ "+1500ms", BASE_SEC + 2, 0 },
	{ "-500000us", BASE_SEC, 0 },
	{ "-500000001ns", BASE_SEC - 1, 999999999 },
	{ "+1s1ms1us1ns", BASE_SEC + 1, 501001001 },
	{ "+1d", BASE_SEC + 86400, BASE_NSEC },
	/* calendar: the day is limited to the month's length, the rest added after */
	{ "+1mo", 1772280000, BASE_NSEC },    /* 2026-02-28T12:00 */
	{ "-2mo", 1764504000, BASE_NSEC },    /* 2025-11-30T12:00 */
	{ "+25mo", 1835438400, BASE_NSEC },   /* 2028-02-29T12:00 */
	{ "+1mo1d", 1772366400, BASE_NSEC },  /* 2026-03-01T12:00 */
	{ "+1y", 1801396800, BASE_NSEC },     /* 2027-01-31T12:00 */
	{ "-1y", 1738324800, BASE_NSEC },     /* 2025-01-31T12:00 */
	{ "+2y1mo", 1835438400, BASE_NSEC },  /* 2028-02-29T12:00 */
	{ "-56y", 2635200, BASE_NSEC },	      /* 1970-01-31T12:00 */
	{ "+200y", 8081208000LL, BASE_NSEC }, /* 2226-01-31T12:00 */
};

static const struct bad {
	const char *text;
	int err;
	const char *why; /* what the message must name */
} bad[] = {
	{ "", -EINVAL, "empty" },
	{ "tomorrow", -EINVAL, "tomorrow" },
	{ "now", -EINVAL, "now" },
	{ " 2038-01-19", -EINVAL, "year" },
	{ "38-01-19", -EINVAL, "year" },
	{ "12038-01-19", -EINVAL, "'-' is missing after '1203'" },
	{ "2038-13-01", -EINVAL, "month 13" },
	{ "2038-00-01", -EINVAL, "month 00" },
	{ "2038-01-32", -EINVAL, "day 32" },
	{ "2038-02-29", -EINVAL, "between 01 and 28" },
	{ "2100-02-29", -EINVAL, "between 01 and 28" },
	{ "2038-01-19T24:00:00Z", -EINVAL, "hour 24" },
	{ "2038-01-19T03:60:00Z", -EINVAL, "minute 60" },
	{ "2038-01-19T03:14:60Z", -EINVAL, "second 60" },
	{ "2038-01-19T03:14:00", -EINVAL, "no time zone" },
	{ "2038-01-19T03:14Z", -EINVAL, "':' is missing" },
	{ "2038-01-19T", -EINVAL, "hour" },
	{ "2038-01-19T03:14:00.Z", -EINVAL, "digits are missing" },
	{ "2038-01-19T03:14:00.1234567891Z", -EINVAL, "more than 9 digits" },
	{ "2038-01-19T03:14:00+0100", -EINVAL, "':' is missing" },
	{ "2038-01-19T03:14:00+24:00", -EINVAL, "zone's hour 24" },
	{ "2038-01-19T03:14:00Zx", -EINVAL, "'x'" },
	{ "2038-01-19x", -EINVAL, "'T' is missing" },
	{ "2038/01/19", -EINVAL, "'-' is missing after '2038'" },
	{ "1969-12-31T23:59:59Z", -ERANGE, "before 1970" },
	{ "0000-01-01", -ERANGE, "before 1970" },
	{ "1970-01-01T00:00:00+00:01", -ERANGE, "before 1970" },
	{ "2232-04-18T23:47:16Z", -ERANGE, "past 2232-04-18" },
	{ "9999-12-31T23:59:59Z", -ERANGE, "past 2232-04-18" },
	{ "@", -EINVAL, "number is missing" },
	{ "@-1", -ERANGE, "before 1970" },
	{ "@+1", -EINVAL, "number is missing" },
	{ "@0x10", -EINVAL, "'x10'" },
	{ "@1,5", -EINVAL, "',5'" },
	{ "@8277292036", -ERANGE, "past 2232-04-18" },
	{ "@99999999999999999999999", -ERANGE, "too large" },
	{ "+", -EINVAL, "number is missing after '+'" },
	{ "-", -EINVAL, "number is missing after '-'" },
	{ "+90", -EINVAL, "unit is missing after '+90'" },
	{ "+3q", -EINVAL,
	  "unknown unit 'q' in '+3q'; use y, mo, w, d, h, m, s, ms, us, ns" },
	{ "+3days", -EINVAL, "unknown unit 'days'" },
	{ "+1M", -EINVAL, "unknown unit 'M'" },
	{ "+d", -EINVAL, "number is missing" },
	{ "+1d 2h", -EINVAL, "number is missing after '+1d'" },
	{ "+1d-2h", -EINVAL, "number is missing after '+1d'" },
	{ "+5m3h", -EINVAL, "'3h' is out of order" },
	{ "+1d1d", -EINVAL, "'1d' is out of order" },
	{ "+1.5h", -EINVAL, "only s" },
	{ "+1.s", -EINVAL, "digits are missing" },
	{ "+99999999999999999999s", -ERANGE, "too large" },
	{ "+9223372037s", -ERANGE, "larger step" },
	{ "+106752d", -ERANGE, "larger step" },
	{ "+10001y", -ERANGE, "larger step" },
	{ "+99999999999mo", -ERANGE, "larger step" },
};

/* Steps that can be read but lead to where no clock can be, from BASE. */
static const char *const unreachable[] = {
	"-57y",	     "+207y",	     "-10000y",	     "+10000y",
	"-120000mo", "+9223372036s", "-1769860801s", "+6507431236s",
};

static const struct timespec base = { BASE_SEC, BASE_NSEC };

static void check_good(const struct good *c)
{
	struct timens_when when;
	struct timespec t = { 0 };
	char why[TIMENS_TEXT_MAX] = "";
	int ret;

	ret = timens_parse_when(c->text, &when, why, sizeof(why));
	if (!check(!ret, "'%s': %d, %s", c->text, ret, why))
		return;
	check(when.relative == !!strchr("+-", *c->text), "'%s': relative is %d",
	      c->text, when.relative);
	ret = timens_resolve_when(&when, &base, &t);
	check(!ret && t.tv_sec == c->sec && t.tv_nsec == c->nsec,
	      "'%s': %d, %lld.%09ld, not %lld.%09ld", c->text, ret,
	      (long long)t.tv_sec, t.tv_nsec, c->sec, c->nsec);
}

static void check_bad(const struct bad *c)
{
	struct timens_when when;
	char why[TIMENS_TEXT_MAX] = "";
	int ret;

	ret = timens_parse_when(c->text, &when, why, sizeof(why));
	check(ret == c->err, "'%s': %d, not %d", c->text, ret, c->err);
	check(!!strstr(why, c->why), "'%s': \"%s\" lacks \"%s\"", c->text, why,
	      c->why);
	check(timens_parse_when(c->text, &when, NULL, 0) == c->err,
	      "'%s': another answer without a buffer", c->text);
}

static void check_unreachable(const char *text)
{
	struct timens_when when;
	struct timespec t = { 1, 2 };

	check(!timens_parse_when(text, &when, NULL, 0), "'%s': not read", text);
	check(timens_resolve_when(&when, &base, &t) == -ERANGE, "'%s': reached",
	      text);
	check(t.tv_sec == 1 && t.tv_nsec == 2, "'%s': result changed", text);
}

static void check_one_step(const char *text, long long sec, long nsec)
{
	struct timespec step = { 0 };
	int ret = timens_parse_step(text, &step, NULL, 0);

	check(!ret && step.tv_sec == sec && step.tv_nsec == nsec,
	      "step %s: %d, %lld.%09ld", text, ret, (long long)step.tv_sec,
	      step.tv_nsec);
}

static void check_bad_step(const char *text, const char *part)
{
	struct timespec step;
	char why[TIMENS_TEXT_MAX] = "";
	int ret = timens_parse_step(text, &step, why, sizeof(why));

	check(ret == -EINVAL && strstr(why, part), "step %s: %d, %s", text, ret,
	      why);
}

static void check_steps(void)
{
	check_one_step("-1.5s", -2, 500000000);
	check_one_step("+2d", 172800, 0);
	check_bad_step("+1y", "no fixed length");
	check_bad_step("+1mo", "no fixed length");
	check_bad_step("2d", "no sign");
	check_bad_step("@5", "no sign");
}

static void check_format(time_t sec, long nsec, const char *want)
{
	const struct timespec t = { sec, nsec };
	char text[TIMENS_TEXT_MAX] = "";
	int ret = timens_format_time(&t, text, sizeof(text));

	check(ret == (int)strlen(want) && !strcmp(text, want),
	      "format %lld: %d, %s", (long long)sec, ret, text);
}

static void check_formats(void)
{
	const struct timespec late = { 253402300800LL, 0 };
	char text[TIMENS_TEXT_MAX];
	int ret;

	check_format(2147483647, 7, "2038-01-19T03:14:07.000000007Z");
	check_format(-1, 7, "1969-12-31T23:59:59.000000007Z");
	ret = timens_format_time(&base, text, 30);
	check(ret == -ERANGE, "format into a buffer that is one too small");
	ret = timens_format_time(&late, text, sizeof(text));
	check(ret == -ERANGE, "format the year 10000");
}

/* Every prefix of a good text is read or refused, never more than that. */
static void check_prefixes(const char *text)
{
	struct timens_when when;
	char part[64];
	size_t len;

	for (len = 0; len < strlen(text); len++) {
		int ret;

		snprintf(part, sizeof(part), "%.*s", (int)len, text);
		ret = timens_parse_when(part, &when, NULL, 0);
		check(!ret || ret == -EINVAL || ret == -ERANGE, "'%s': %d",
		      part, ret);
	}
}

int main(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		check_good(&good[i]);
		check_prefixes(good[i].text);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		check_bad(&bad[i]);
	for (i = 0; i < ARRAY_SIZE(unreachable); i++)
		check_unreachable(unreachable[i]);
	check_steps();
	check_formats();
	return check_result();
}
