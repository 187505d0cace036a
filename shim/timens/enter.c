// SPDX-License-Identifier: GPL-2.0
/* timens enter - run a command in an existing time namespace. */
#include <getopt.h>
#include <string.h>

#include "verb.h"

static const char help_text[] =
	"usage: timens enter [--keep-caps LIST] TARGET [--] COMMAND [ARGUMENT...]\n"
	"\n"
	"Run COMMAND in the time namespace of TARGET, a PID or a name. Its owning user\n"
	"namespace is joined too where only that gives the right to enter.\n"
	"\n"
	"  --keep-caps LIST  capabilities that COMMAND keeps, e.g. sys_time, with\n"
	"                    commas between; 'all' leaves privileges alone\n"
	"                    (default: none)\n"
	"  -h, --help        this text\n"
	"\n"
	"Exit code: as 'timens run'.\n";

static const struct option options[] = {
	{ "keep-caps", required_argument, NULL, 'k' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL },
};

static int enter(const char *name)
{
	struct target target;
	int fd, ret;

	ret = target_find(&target, name);
	if (ret)
		return ret;
	fd = target.pid ? timens_open(target.pid) : target.fd;
	target.fd = fd;
	ret = fd < 0 ? fd : timens_enter(fd);
	if (ret)
		ret = fail_target(&target, ret, "enter");
	target_close(&target);
	return ret;
}

int verb_enter(int argc, char **argv)
{
	struct caps caps = { 0 };
	const char *name;
	int option, ret;

	while ((option = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		switch (option) {
		case 'k':
			ret = caps_parse(&caps, optarg);
			if (ret)
				return ret;
			break;
		case 'h':
			return help(help_text);
		default:
			return fail_usage("enter");
		}
	}
	if (!argv[optind]) {
		fail("enter takes a TARGET and a command");
		return fail_usage("enter");
	}
	name = argv[optind];
	argv += optind + 1;
	if (*argv && !strcmp(*argv, "--"))
		argv++;
	ret = command_check(argv);
	if (!ret)
		ret = enter(name);
	return ret ? ret : command_exec(&caps, NULL, argv);
}
