// SPDX-License-Identifier: GPL-2.0
/* timens show - show the clocks of a namespace. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "verb.h"

static const char help_text[] =
	"usage: timens show [--json] [TARGET]\n"
	"\n"
	"Show the clocks of the time namespace of TARGET, a PID or a name (default:\n"
	"the one that timens runs in): what each says now, and how far it is from the\n"
	"host's, in seconds.\n"
	"\n"
	"  --json      as one JSON object\n"
	"  -h, --help  this text\n";

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL },
};

struct row {
	const char *name;
	clockid_t clock;
	bool own;
	struct timespec offset;
	struct timespec now;
};

#define N_ROWS 3

static struct timespec add(struct timespec a, struct timespec b)
{
	struct timespec sum = { a.tv_sec + b.tv_sec, a.tv_nsec + b.tv_nsec };

	if (sum.tv_nsec >= 1000000000) {
		sum.tv_nsec -= 1000000000;
		sum.tv_sec++;
	}
	return sum;
}

static int fill(struct row rows[N_ROWS], const struct timens_offsets *offsets)
{
	int i, ret;

	rows[0] = (struct row){ "realtime", CLOCK_REALTIME,
				offsets->own & TIMENS_REALTIME,
				offsets->realtime };
	rows[1] = (struct row){ "monotonic", CLOCK_MONOTONIC, true,
				offsets->monotonic };
	rows[2] = (struct row){ "boottime", CLOCK_BOOTTIME, true,
				offsets->boottime };
	for (i = 0; i < N_ROWS; i++) {
		ret = timens_host_now(rows[i].clock, &rows[i].now);
		if (ret)
			return ret;
		rows[i].now = add(rows[i].now, rows[i].offset);
	}
	return 0;
}

static void format_now(const struct row *row, char *text, size_t size)
{
	if (row->clock == CLOCK_REALTIME &&
	    timens_format_time(&row->now, text, size) > 0)
		return;
	snprintf(text, size, "%lld.%09ld", (long long)row->now.tv_sec,
		 row->now.tv_nsec);
}

static void format_offset(const struct row *row, char *text, size_t size)
{
	if (row->own)
		text_offset(&row->offset, text, size);
	else
		snprintf(text, size, "the host's");
}

static void print_table(const struct target *target, const struct row *rows)
{
	char now[TIMENS_TEXT_MAX], offset[TIMENS_TEXT_MAX];
	int i;

	if (target->id)
		printf("time namespace %llu%s\n",
		       (unsigned long long)target->id,
		       timens_id_initial(target->id) ?
			       " (initial: the host's)" :
			       "");
	printf("%-10s %-31s %s\n", "CLOCK", "NOW", "FROM HOST");
	for (i = 0; i < N_ROWS; i++) {
		format_now(&rows[i], now, sizeof(now));
		format_offset(&rows[i], offset, sizeof(offset));
		printf("%-10s %-31s %s\n", rows[i].name, now, offset);
	}
}

static void print_json(const struct target *target, const struct row *rows)
{
	char now[TIMENS_TEXT_MAX];
	int i;

	printf("{\"namespace\":%llu,\"initial\":%s",
	       (unsigned long long)target->id,
	       timens_id_initial(target->id) ? "true" : "false");
	for (i = 0; i < N_ROWS; i++) {
		format_now(&rows[i], now, sizeof(now));
		printf(",\"%s\":{\"now\":\"%s\",\"own\":%s,\"offset\":{\"sec\":%lld,\"nsec\":%ld}}",
		       rows[i].name, now, rows[i].own ? "true" : "false",
		       (long long)rows[i].offset.tv_sec,
		       rows[i].offset.tv_nsec);
	}
	printf("}\n");
}

static int show(const struct target *target, bool json)
{
	struct timens_offsets offsets;
	struct row rows[N_ROWS];
	int ret;

	if (target_split(target))
		return fail("process %s is not in the time namespace that it "
			    "made for its children; name one of them instead",
			    target->text);
	ret = target->text ? target_get(target, &offsets) :
			     timens_get(0, &offsets);
	if (ret)
		return fail_target(target, ret, "read");
	ret = fill(rows, &offsets);
	if (ret)
		return fail("cannot read the host's clocks: %s",
			    strerror(-ret));
	if (json)
		print_json(target, rows);
	else
		print_table(target, rows);
	return help("");
}

int verb_show(int argc, char **argv)
{
	struct target target = { .fd = -1 };
	bool json = false;
	int option, ret;

	while ((option = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		switch (option) {
		case 'j':
			json = true;
			break;
		case 'h':
			return help(help_text);
		default:
			return fail_usage("show");
		}
	}
	if (argc - optind > 1) {
		fail("show takes one TARGET at most");
		return fail_usage("show");
	}
	if (argv[optind]) {
		ret = target_find(&target, argv[optind]);
	} else {
		ret = timens_id(0, TIMENS_ID_SELF, &target.id);
		if (ret)
			ret = fail_feature(ret);
	}
	if (!ret)
		ret = show(&target, json);
	target_close(&target);
	return ret;
}
