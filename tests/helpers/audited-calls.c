// SPDX-License-Identifier: GPL-2.0
/*
 * audited-calls - what the kernel's audit has of a process' raw time calls.
 *
 * usage: audited-calls [--never] [PROGRAM ARG...]
 *
 * Switches audit on with a rule for time calls, has a child make some, and prints
 * a line for each record of them: the same whether calls are intercepted or not.
 * With --never, a rule exempts new processes, so that there is no record. With a
 * PROGRAM there is no rule for calls, and it is run instead of the child. At the
 * end the rules are gone and audit is off; but the kernel goes on watching the
 * calls of all processes that start later without that exemption.
 *
 * Status 1 if there is another number of records than there were calls; or
 * PROGRAM's.
 */
#include <errno.h>
#include <libaudit.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "clock.h"

/* Few enough for all records to wait in the socket */
#define ROUNDS	    8
#define BAD_CLOCK   99
#define MAX_PRINTED (ROUNDS * 8)

/* There is no further record if none comes for so long. */
#define QUIET_MS 3000

static const char *const watched[] = { "gettimeofday", "clock_gettime", "time",
				       "settimeofday" };

static struct timespec buffer;

static void must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "audited-calls: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* --- the calls -------------------------------------------------------------- */

/* Each kind of outcome; returns how many */
static int make_calls(void)
{
	struct timeval bad = { .tv_usec = -1 };
	int calls = 0;

	for (int i = 0; i < ROUNDS; i++, calls += 7) {
		syscall(SYS_gettimeofday, &buffer, NULL);
		syscall(SYS_clock_gettime, CLOCK_REALTIME, &buffer);
		syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &buffer);
		syscall(SYS_clock_gettime, BAD_CLOCK, &buffer);
		syscall(SYS_time, NULL);
		syscall(SYS_gettimeofday, 1L, NULL);
		syscall(SYS_settimeofday, &bad, NULL);
	}
	return calls;
}

/* --- audit ------------------------------------------------------------------ */

static struct audit_rule_data *rule(int for_calls)
{
	struct audit_rule_data *data = calloc(1, sizeof(*data));

	must(!!data, "memory");
	for (size_t i = 0; for_calls && i < ARRAY_SIZE(watched); i++)
		must(!audit_rule_syscallbyname_data(data, watched[i]),
		     watched[i]);
	return data;
}

static void change_rule(int fd, int never, int add)
{
	struct audit_rule_data *data = rule(!never);
	int flags = never ? AUDIT_FILTER_TASK : AUDIT_FILTER_EXIT;
	int action = never ? AUDIT_NEVER : AUDIT_ALWAYS;
	int done;

	if (add)
		done = audit_add_rule_data(fd, data, flags, action);
	else
		done = audit_delete_rule_data(fd, data, flags, action);
	must(done > 0, add ? "cannot add a rule" : "cannot delete a rule");
	free(data);
}

static int start_audit(int calls, int never)
{
	int fd = audit_open();

	must(fd >= 0, "cannot ask the kernel's audit (CONFIG_AUDIT)");
	must(audit_set_backlog_limit(fd, 4096) > 0, "backlog");
	must(audit_set_pid(fd, getpid(), WAIT_YES) > 0, "pid");
	must(audit_set_enabled(fd, 1) > 0, "enable");
	if (calls)
		change_rule(fd, 0, 1);
	if (never)
		change_rule(fd, 1, 1);
	return fd;
}

static void stop_audit(int fd, int calls, int never)
{
	if (never)
		change_rule(fd, 1, 0);
	if (calls)
		change_rule(fd, 0, 0);
	must(audit_set_enabled(fd, 0) > 0, "disable");
	must(audit_set_pid(fd, 0, WAIT_NO) > 0, "pid");
	audit_close(fd);
}

/* --- the records ------------------------------------------------------------ */

/* The number after " NAME=" in @text, in @base */
static unsigned long field(const char *text, const char *name, int base)
{
	char key[32];
	const char *at;

	snprintf(key, sizeof(key), " %s=", name);
	at = strstr(text, key);
	return at ? strtoul(at + strlen(key), NULL, base) : ~0UL;
}

static const char *place(unsigned long value)
{
	static char text[32];

	if (value == (unsigned long)&buffer)
		return "the buffer";
	if (value < 4096)
		snprintf(text, sizeof(text), "%lu", value);
	else
		snprintf(text, sizeof(text), "an address");
	return text;
}

/* A time is never twice the same */
static const char *outcome(long value)
{
	if (value < 0)
		return strerrorname_np(-value);
	return value ? "a time" : "0";
}

/* What the second argument of time() is, it has not said. */
static void print_record(const char *text)
{
	unsigned long nr = field(text, "syscall", 10);

	printf("call %lu: %s, %s", nr, outcome(field(text, "exit", 10)),
	       place(field(text, "a0", 16)));
	if (nr != SYS_time)
		printf(", %s", place(field(text, "a1", 16)));
	printf("\n");
}

/* Returns how many records there are of @pid's calls, until there is no more */
static int read_records(int fd, pid_t pid)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	struct audit_reply reply;
	int found = 0;

	while (poll(&wait, 1, QUIET_MS) > 0) {
		if (audit_get_reply(fd, &reply, GET_REPLY_NONBLOCKING, 0) <= 0)
			continue;
		if (reply.type != AUDIT_SYSCALL ||
		    field(reply.message, "pid", 10) != (unsigned long)pid)
			continue;
		if (++found <= MAX_PRINTED)
			print_record(reply.message);
	}
	return found;
}

/* Returns its exit status */
static int run(char **argv, pid_t *pid)
{
	int status;

	*pid = fork();
	if (!*pid && !*argv)
		_exit(make_calls());
	if (!*pid) {
		execvp(*argv, argv);
		_exit(127);
	}
	must(*pid > 0 && waitpid(*pid, &status, 0) == *pid, "child");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(int argc, char **argv)
{
	int never = argc > 1 && !strcmp(argv[1], "--never");
	int calls = argc == 1 + never;
	int fd, found, result;
	pid_t pid;

	if (!calls && argv[1 + never][0] == '-') {
		fprintf(stderr,
			"usage: audited-calls [--never] [PROGRAM ARG...]\n");
		return 2;
	}
	fd = start_audit(calls, never);
	result = run(argv + 1 + never, &pid);
	found = calls ? read_records(fd, pid) : 0;
	stop_audit(fd, calls, never);
	if (!calls)
		return result;
	printf("%d calls, %d records\n", result, found);
	return found != (never ? 0 : result);
}
