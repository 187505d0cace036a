// SPDX-License-Identifier: GPL-2.0
/* timens set - set the wall clock of a running namespace. */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "verb.h"

static const char help_text[] =
	"usage: timens set [--own] TARGET WHEN\n"
	"\n"
	"Set the wall clock of the time namespace of TARGET, a PID or a name, while\n"
	"its processes run. No other clock changes, the host's least of all.\n"
	"\n"
	"  WHEN        an RFC 3339 time (2038-01-19T03:14:00Z), @SECONDS, or a step\n"
	"              from what the namespace's clock says now (+1h, -90s)\n"
	"  --own       if the namespace shares the host's wall clock, give it its own\n"
	"              first; for good\n"
	"  -h, --help  this text\n"
	"\n"
	"Exit code: 0; 124 if the kernel lacks CONFIG_TIME_NS_REALTIME; 125 for every\n"
	"other failure, and then nothing has changed.\n";

static const struct option options[] = {
	{ "own", no_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL },
};

static int check_target(const struct target *target)
{
	ino_t self;

	if (timens_id_initial(target->id))
		return fail("'%s' is in the initial time namespace; date(1) "
			    "sets the host's clock",
			    target->text);
	if (target_split(target))
		return fail("process %s is not in the time namespace that it "
			    "made for its children; name one of them instead",
			    target->text);
	if (!timens_id(0, TIMENS_ID_SELF, &self) && self == target->id)
		return fail("'%s' is in the namespace that timens itself runs "
			    "in; date(1) sets the clock there",
			    target->text);
	return 0;
}

static int fail_set(const struct target *target, const char *text, int err)
{
	switch (err) {
	case -ENODATA:
		return fail("the namespace of '%s' shares the host's wall "
			    "clock; add --own to give it one of its own",
			    target->text);
	case -ERANGE:
	case -EINVAL:
		return fail("'%s' leads to a time that the clock of '%s' "
			    "cannot have: it goes from 1970, and its "
			    "CLOCK_MONOTONIC, to 2232-04-18",
			    text, target->text);
	default:
		return fail_target(target, err, "set the clock of");
	}
}

static int set(const char *name, const char *text, unsigned int flags)
{
	char why[TIMENS_TEXT_MAX];
	struct timens_when when;
	struct target target;
	int ret;

	if (timens_parse_when(text, &when, why, sizeof(why)))
		return fail("%s", why);
	ret = target_find(&target, name);
	if (ret)
		return ret;
	ret = check_target(&target);
	if (!ret) {
		ret = target.pid ?
			      timens_set_realtime(target.pid, &when, flags) :
			      timens_set_realtime_fd(target.fd, &when, flags);
		if (ret)
			ret = fail_set(&target, text, ret);
	}
	target_close(&target);
	return ret;
}

int verb_set(int argc, char **argv)
{
	unsigned int flags = 0;
	int option;

	while ((option = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		switch (option) {
		case 'o':
			flags |= TIMENS_SET_OWN;
			break;
		case 'h':
			return help(help_text);
		default:
			return fail_usage("set");
		}
	}
	if (argc - optind != 2) {
		fail("set takes a TARGET and a time");
		return fail_usage("set");
	}
	return set(argv[optind], argv[optind + 1], flags);
}
