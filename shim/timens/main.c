// SPDX-License-Identifier: GPL-2.0
/* timens - run and manage programs in time namespaces: the table of verbs. */
#include <stdio.h>
#include <string.h>

#include "verb.h"

static const struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} verbs[] = {
	{ "run", verb_run, "run a command in a new time namespace" },
	{ "set", verb_set, "set the wall clock of a running namespace" },
	{ "show", verb_show, "show the clocks of a namespace" },
	{ "list", verb_list, "list time namespaces" },
	{ "enter", verb_enter, "run a command in an existing namespace" },
	{ "delete", verb_delete, "remove the name of a namespace" },
	{ "policy", verb_policy, "show which time calls may pass a filter" },
};

#define N_VERBS ARRAY_SIZE(verbs)

static int print_verbs(void)
{
	size_t i;

	printf("usage: timens VERB [ARGUMENT...]\n\n");
	for (i = 0; i < N_VERBS; i++)
		printf("  %-8s %s\n", verbs[i].name, verbs[i].summary);
	printf("\n'timens VERB --help' tells more; so does timens(1).\n");
	return 0;
}

static bool is(const char *arg, const char *brief, const char *full)
{
	return !strcmp(arg, brief) || !strcmp(arg, full);
}

int main(int argc, char **argv)
{
	static const char name[] = "timens";
	size_t i;

	if (argc < 2) {
		fail("a verb is missing; 'timens --help' lists them");
		return EXIT_OWN_FAILURE;
	}
	if (is(argv[1], "-h", "--help"))
		return print_verbs();
	if (is(argv[1], "-V", "--version"))
		return help("timens " TIMENS_VERSION "\n");
	for (i = 0; i < N_VERBS; i++) {
		if (!strcmp(argv[1], verbs[i].name)) {
			argv[1] = (char *)name;
			return verbs[i].run(argc - 1, argv + 1);
		}
	}
	return fail("no verb '%s'; 'timens --help' lists them", argv[1]);
}
