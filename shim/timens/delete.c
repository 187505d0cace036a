// SPDX-License-Identifier: GPL-2.0
/* timens delete - remove the name of a namespace. */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "verb.h"

static const char help_text[] =
	"usage: timens delete NAME...\n"
	"\n"
	"Remove the names of time namespaces. A namespace lives on while processes are\n"
	"in it.\n";

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ NULL },
};

static int remove_name(const char *name)
{
	struct target target = { .text = name, .fd = -1 };
	int ret = timens_name_delete(name);

	if (ret == -EPERM || ret == -EACCES)
		return fail("no permission to remove %s/%s; be root",
			    TIMENS_NAME_DIR, name);
	return ret ? fail_target(&target, ret, "remove the name of") : 0;
}

int verb_delete(int argc, char **argv)
{
	int option, ret = 0;

	while ((option = getopt_long(argc, argv, "+h", options, NULL)) != -1)
		return option == 'h' ? help(help_text) : fail_usage("delete");
	if (optind == argc) {
		fail("delete takes a NAME");
		return fail_usage("delete");
	}
	for (; optind < argc; optind++)
		if (remove_name(argv[optind]))
			ret = EXIT_OWN_FAILURE;
	return ret;
}
