// SPDX-License-Identifier: GPL-2.0
/* timens run - run a command in a new time namespace. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "verb.h"

static const char help_text[] =
	"usage: timens run [OPTION...] [--] COMMAND [ARGUMENT...]\n"
	"\n"
	"Run COMMAND in a new time namespace.\n"
	"\n"
	"  --realtime WHEN     its own wall clock, starting at WHEN: an RFC 3339 time\n"
	"                      (2038-01-19T03:14:00Z), @SECONDS, or a step from now\n"
	"                      (+1y2d, -90s; units y mo w d h m s ms us ns)\n"
	"  --monotonic STEP    move CLOCK_MONOTONIC by STEP (+2d)\n"
	"  --boottime STEP     move CLOCK_BOOTTIME by STEP\n"
	"  --uptime SECONDS    start both of these clocks at SECONDS; with 0, as if the\n"
	"                      machine had just booted\n"
	"  -r, --map-root-user in a new user namespace too, as root there; needs no\n"
	"                      privilege\n"
	"  --keep-caps LIST    capabilities that COMMAND keeps, e.g. sys_time, with\n"
	"                      commas between; 'all' leaves privileges alone\n"
	"                      (default: none)\n"
	"  --confine uml       let COMMAND make only calls that a user-mode Linux kernel\n"
	"                      needs; all others fail with EPERM\n"
	"  --name NAME         name the namespace, for set, show, enter and delete;\n"
	"                      it then lives until 'timens delete NAME'\n"
	"  -h, --help          this text\n"
	"\n"
	"Exit code: COMMAND's; 124 if the kernel lacks CONFIG_TIME_NS_REALTIME, 125 if\n"
	"timens fails, 126 if COMMAND cannot be run, 127 if it is not found.\n";

struct request {
	struct timens_spec spec;
	struct caps caps;
	const char *name;
	const char *profile;
};

enum {
	OPT_REALTIME = 256,
	OPT_MONOTONIC,
	OPT_BOOTTIME,
	OPT_UPTIME,
	OPT_KEEP_CAPS,
	OPT_CONFINE,
	OPT_NAME
};

static const struct option options[] = {
	{ "realtime", required_argument, NULL, OPT_REALTIME },
	{ "monotonic", required_argument, NULL, OPT_MONOTONIC },
	{ "boottime", required_argument, NULL, OPT_BOOTTIME },
	{ "uptime", required_argument, NULL, OPT_UPTIME },
	{ "map-root-user", no_argument, NULL, 'r' },
	{ "keep-caps", required_argument, NULL, OPT_KEEP_CAPS },
	{ "confine", required_argument, NULL, OPT_CONFINE },
	{ "name", required_argument, NULL, OPT_NAME },
	{ "help", no_argument, NULL, 'h' },
	{ NULL },
};

static int parse_realtime(struct request *req)
{
	char why[TIMENS_TEXT_MAX];

	if (timens_parse_when(optarg, &req->spec.realtime, why, sizeof(why)))
		return fail("--realtime: %s", why);
	req->spec.clocks |= TIMENS_REALTIME;
	return 0;
}

static int parse_step(struct request *req, const char *option,
		      unsigned int clock, struct timespec *step)
{
	char why[TIMENS_TEXT_MAX];

	if (timens_parse_step(optarg, step, why, sizeof(why)))
		return fail("%s: %s", option, why);
	req->spec.clocks |= clock;
	return 0;
}

/* Seconds are a step without its sign and unit. */
static int parse_uptime(struct request *req)
{
	size_t digits = strspn(optarg, "0123456789");
	size_t len = digits;
	char step[64];

	if (optarg[len] == '.')
		len += 1 + strspn(optarg + len + 1, "0123456789");
	if (!digits || optarg[len] || optarg[len - 1] == '.')
		return fail("--uptime: '%s' is no number of seconds; write one "
			    "such as 0 or 3600.5",
			    optarg);
	snprintf(step, sizeof(step), "+%.60ss", optarg);
	if (len > 60 || timens_parse_step(step, &req->spec.uptime, NULL, 0))
		return fail("--uptime: '%s' is too large or has more than 9 "
			    "digits after the point",
			    optarg);
	req->spec.clocks |= TIMENS_UPTIME;
	return 0;
}

static int check_clocks(const struct request *req)
{
	const unsigned int clocks = req->spec.clocks;

	if (clocks & TIMENS_UPTIME && clocks & TIMENS_MONOTONIC)
		return fail("--uptime and --monotonic exclude each other: both "
			    "move CLOCK_MONOTONIC");
	if (clocks & TIMENS_UPTIME && clocks & TIMENS_BOOTTIME)
		return fail("--uptime and --boottime exclude each other: both "
			    "move CLOCK_BOOTTIME");
	return 0;
}

static int parse_name(struct request *req)
{
	req->name = optarg;
	if (!timens_name_check(optarg))
		return 0;
	return fail("--name: '%s' is no name; use up to %d letters, "
		    "digits, '.', '_', '-', a letter first",
		    optarg, TIMENS_NAME_MAX);
}

static int parse_profile(struct request *req)
{
	const struct timens_call *calls;
	size_t n;

	req->profile = optarg;
	return profile_find(optarg, &calls, &n);
}

static int parse_option(struct request *req, int option)
{
	switch (option) {
	case OPT_REALTIME:
		return parse_realtime(req);
	case OPT_MONOTONIC:
		return parse_step(req, "--monotonic", TIMENS_MONOTONIC,
				  &req->spec.monotonic);
	case OPT_BOOTTIME:
		return parse_step(req, "--boottime", TIMENS_BOOTTIME,
				  &req->spec.boottime);
	case OPT_UPTIME:
		return parse_uptime(req);
	case 'r':
		req->spec.flags |= TIMENS_MAP_ROOT;
		return 0;
	case OPT_KEEP_CAPS:
		return caps_parse(&req->caps, optarg);
	case OPT_CONFINE:
		return parse_profile(req);
	case OPT_NAME:
		return parse_name(req);
	default:
		return fail_usage("run");
	}
}

static int check_name(const struct request *req)
{
	int fd;

	if (req->spec.flags & TIMENS_MAP_ROOT)
		return fail("--name and -r exclude each other: a new user "
			    "namespace may not mount the name; run as root "
			    "without -r");
	fd = timens_name_open(req->name);
	if (fd == -ENOENT)
		return 0;
	if (fd >= 0)
		close(fd);
	return fail("the name '%s' is taken; choose another, or 'timens "
		    "delete %s'",
		    req->name, req->name);
}

static int fail_permission(const struct request *req)
{
	if (req->spec.flags & TIMENS_MAP_ROOT)
		return fail("making a user namespace is not permitted here; "
			    "ask an administrator, or be root without -r");
	return fail("making a time namespace is not permitted: be root, or "
		    "add -r (--map-root-user)");
}

static int fail_unshare(const struct request *req, int err)
{
	switch (err) {
	case -EOPNOTSUPP:
	case -ENOSYS:
	case -ENOENT:
	case -EROFS:
		return fail_feature(err);
	case -EPERM:
	case -EACCES:
		return fail_permission(req);
	case -ENOSPC:
		return fail("no more namespaces are allowed; see "
			    "max_time_namespaces and max_user_namespaces in "
			    "/proc/sys/user");
	case -ERANGE:
		return fail("a clock would run outside its range: a wall clock "
			    "from 1970 and its CLOCK_MONOTONIC to 2232-04-18, "
			    "the others from 0 to 146 years");
	default:
		return fail("cannot make a time namespace: %s", strerror(-err));
	}
}

static int bind_name(const char *name)
{
	int ret = timens_name_bind(name);

	if (!ret)
		return 0;
	if (ret == -EPERM || ret == -EACCES)
		return fail("--name: no permission to mount at %s/%s; be root",
			    TIMENS_NAME_DIR, name);
	return fail("--name: cannot make %s/%s: %s", TIMENS_NAME_DIR, name,
		    strerror(-ret));
}

static int start(const struct request *req, char **command)
{
	int ret = check_clocks(req);

	if (!ret && req->name)
		ret = check_name(req);
	if (!ret)
		ret = command_check(command);
	if (ret)
		return ret;
	ret = timens_unshare(&req->spec);
	if (ret)
		return fail_unshare(req, ret);
	if (req->name) {
		ret = bind_name(req->name);
		if (ret)
			return ret;
	}
	return command_exec(&req->caps, req->profile, command);
}

int verb_run(int argc, char **argv)
{
	struct request req = { 0 };
	int option, ret;

	while ((option = getopt_long(argc, argv, "+rh", options, NULL)) != -1) {
		if (option == 'h')
			return help(help_text);
		ret = parse_option(&req, option);
		if (ret)
			return ret;
	}
	return start(&req, argv + optind);
}
