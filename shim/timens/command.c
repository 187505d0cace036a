// SPDX-License-Identifier: GPL-2.0
/* The command that run and enter start, and the capabilities it keeps. */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "verb.h"

static int add_cap(struct caps *caps, const char *name)
{
	char full[32];
	cap_value_t cap;

	snprintf(full, sizeof(full), "%s%s",
		 strncasecmp(name, "cap_", 4) ? "cap_" : "", name);
	if (cap_from_name(full, &cap))
		return fail("no capability is called '%s'; capabilities(7) "
			    "lists them, e.g. sys_time",
			    name);
	if (caps->n == CAPS_MAX)
		return fail("too many capabilities");
	caps->list[caps->n++] = cap;
	return 0;
}

/* "none", "all", or names with commas, with or without "cap_". */
int caps_parse(struct caps *caps, const char *text)
{
	char *copy, *rest, *name;
	int ret = 0;

	*caps = (struct caps){ .all = !strcmp(text, "all") };
	if (caps->all || !strcmp(text, "none"))
		return 0;
	copy = strdup(text);
	if (!copy)
		return fail("out of memory");
	rest = copy;
	while (!ret && (name = strsep(&rest, ",")))
		ret = add_cap(caps, name);
	free(copy);
	return ret;
}

static bool is_program(const char *path, int *code)
{
	struct stat st;

	if (stat(path, &st))
		return false;
	if (S_ISREG(st.st_mode) && !access(path, X_OK))
		return true;
	*code = EXIT_NOT_EXECUTABLE;
	return false;
}

static bool in_path(const char *name, int *code)
{
	const char *path = getenv("PATH");
	char *copy, *rest, *dir;
	char file[4096];
	bool found = false;

	copy = strdup(path ? path : "/bin:/usr/bin");
	if (!copy)
		return false;
	rest = copy;
	while (!found && (dir = strsep(&rest, ":"))) {
		snprintf(file, sizeof(file), "%s/%s", *dir ? dir : ".", name);
		found = is_program(file, code);
	}
	free(copy);
	return found;
}

/*
 * Look before the namespace is made, so that a mistyped command leaves nothing
 * behind. Returns 0 or the exit code.
 */
int command_check(char **argv)
{
	int code = EXIT_NOT_FOUND;

	if (!argv[0]) {
		fail("a command is missing; end the line with -- COMMAND "
		     "[ARGUMENT...]");
		return EXIT_OWN_FAILURE;
	}
	if (strchr(argv[0], '/') ? is_program(argv[0], &code) :
				   in_path(argv[0], &code))
		return 0;
	fail("cannot run '%s': %s", argv[0],
	     code == EXIT_NOT_FOUND ? "no such program" :
				      "it is not executable");
	return code;
}

static int give_up(const struct caps *caps)
{
	int ret;

	if (caps->all)
		return 0;
	ret = timens_drop_privileges(caps->list, caps->n);
	if (ret == -EPERM)
		return fail("a capability of --keep-caps is not held by this "
			    "process; be root, or use -r");
	if (ret)
		return fail("cannot drop privileges: %s", strerror(-ret));
	return 0;
}

int profile_find(const char *profile, const struct timens_call **calls,
		 size_t *n)
{
	*calls = timens_filter_calls(profile, n);
	if (*calls)
		return 0;
	return fail("--confine: there is no profile '%s'; there is uml",
		    profile);
}

/* After privileges are gone; with --keep-caps all no_new_privs is not set yet. */
static int confine(const char *profile)
{
	int ret = 0;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		ret = -errno;
	if (!ret)
		ret = timens_filter_confine(profile, SECCOMP_RET_ERRNO | EPERM);
	if (!ret)
		return 0;
	return fail("--confine: cannot install the filter: %s", strerror(-ret));
}

/* Returns only on failure, with the exit code. */
int command_exec(const struct caps *caps, const char *profile, char **argv)
{
	int ret = give_up(caps);

	if (!ret && profile)
		ret = confine(profile);
	if (ret)
		return ret;
	execvp(argv[0], argv);
	ret = errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
	fail("cannot run '%s': %s", argv[0], strerror(errno));
	return ret;
}
