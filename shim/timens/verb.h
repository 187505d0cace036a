/* SPDX-License-Identifier: GPL-2.0 */
/* What the verbs of timens share: the table, messages, targets, commands. */
#ifndef _TIMENS_VERB_H
#define _TIMENS_VERB_H

#include <stdbool.h>

#include <timens.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Exit codes beside the command's own, as env(1). */
#define EXIT_NO_FEATURE	    124 /* the kernel lacks the CONFIG symbol */
#define EXIT_OWN_FAILURE    125
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND	    127

/*
 * A verb gets the command line from its own name on, with argv[0] "timens" for
 * getopt_long(3)'s messages, and returns the exit code.
 */
int verb_run(int argc, char **argv);
int verb_set(int argc, char **argv);
int verb_show(int argc, char **argv);
int verb_list(int argc, char **argv);
int verb_enter(int argc, char **argv);
int verb_delete(int argc, char **argv);
int verb_policy(int argc, char **argv);

/* say.c: each prints one line on stderr and returns the exit code. */
__attribute__((format(printf, 1, 2))) int fail(const char *fmt, ...);
int fail_usage(const char *verb);
int fail_feature(int err);
int help(const char *text);
void text_offset(const struct timespec *offset, char *text, size_t size);

/* target.c: a namespace that the user names by PID or by name. */
struct target {
	const char *text;
	pid_t pid; /* 0 if named */
	int fd;	   /* -1 if a PID */
	ino_t id;  /* 0 if it may not be seen */
};

int target_find(struct target *target, const char *text);
void target_close(struct target *target);
int target_get(const struct target *target, struct timens_offsets *offsets);
bool target_split(const struct target *target);
int fail_target(const struct target *target, int err, const char *doing);

/*
 * command.c: start the command of run and enter, confined to the calls of @profile,
 * or not if that is NULL.
 */
#define CAPS_MAX 64

struct caps {
	bool all;
	int list[CAPS_MAX];
	size_t n;
};

/* The calls that a profile allows, and how many */
int profile_find(const char *profile, const struct timens_call **calls,
		 size_t *n);
int caps_parse(struct caps *caps, const char *text);
int command_check(char **argv);
int command_exec(const struct caps *caps, const char *profile, char **argv);

#endif /* _TIMENS_VERB_H */
