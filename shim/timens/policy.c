// SPDX-License-Identifier: GPL-2.0
/* timens policy - show or export the table of calls that may pass. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/timens_pass.h>

#include "verb.h"

static const char help_text[] =
	"usage: timens policy [--bpf FILE [--limit ADDRESS]]\n"
	"       timens policy --confine uml\n"
	"\n"
	"Print which time calls a filter lets pass straight to the kernel, and within\n"
	"which bounds of their arguments.\n"
	"\n"
	"  --bpf FILE       write the filter to FILE instead, as an array of struct\n"
	"                   sock_filter that traps (SIGSYS) everything else\n"
	"  --limit ADDRESS  pointers must be below ADDRESS, a multiple of 0x100000000\n"
	"  --confine uml    print which calls 'timens run --confine uml' allows instead\n"
	"  -h, --help       this text\n";

static const struct option options[] = {
	{ "bpf", required_argument, NULL, 'b' },
	{ "limit", required_argument, NULL, 'l' },
	{ "confine", required_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL },
};

static const char *bound(enum timens_pass_kind kind)
{
	switch (kind) {
	case TIMENS_PASS_PTR:
		return "pointer below the limit";
	case TIMENS_PASS_ZERO:
		return "0";
	case TIMENS_PASS_CLOCK:
		return "clock, see below";
	default:
		return "-";
	}
}

#define CLOCK_NAME(ctx, clock, id, left) " CLOCK_" #clock

static int print_table(void)
{
	size_t i, n;
	const struct timens_pass *call = timens_policy(&n);

	printf("%-14s %4s  %-26s %s\n", "CALL", "NR", "FIRST ARGUMENT",
	       "SECOND ARGUMENT");
	for (i = 0; i < n; i++, call++)
		printf("%-14s %4d  %-26s %s\n", call->name, call->nr,
		       bound(call->kind[0]), bound(call->kind[1]));
	printf("\nclocks:" TIMENS_PASS_CLOCKS(CLOCK_NAME, 0) "\n");
	return help("");
}

static int print_profile(const char *profile)
{
	const struct timens_call *call;
	size_t i, n;
	int ret = profile_find(profile, &call, &n);

	if (ret)
		return ret;
	printf("%-18s %4s  %s\n", "CALL", "NR", "ARGUMENT");
	for (i = 0; i < n; i++, call++) {
		printf("%-18s %4d", call->name, call->nr);
		if (call->arg >= 0 && ~call->mask)
			printf("  %d & %#llx is %#llx", call->arg,
			       (unsigned long long)call->mask,
			       (unsigned long long)call->value);
		else if (call->arg >= 0)
			printf("  %d is %#llx", call->arg,
			       (unsigned long long)call->value);
		putchar('\n');
	}
	return help("");
}

static int parse_limit(const char *text, uint64_t *limit)
{
	char *end;

	errno = 0;
	*limit = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || *limit & UINT32_MAX)
		return fail("--limit: '%s' is not a multiple of 0x100000000",
			    text);
	return 0;
}

/* What is left of a failed write; but never a device. */
static void remove_part(const char *file)
{
	struct stat st;

	if (!lstat(file, &st) && S_ISREG(st.st_mode))
		unlink(file);
}

static int export_filter(const char *file, uint64_t limit)
{
	int fd, ret;

	fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return fail("cannot write '%s': %s", file, strerror(errno));
	ret = timens_filter_export(fd, SECCOMP_RET_TRAP, limit);
	if (close(fd) && !ret)
		ret = -errno;
	if (ret) {
		remove_part(file);
		return fail("cannot write '%s': %s", file, strerror(-ret));
	}
	return 0;
}

int verb_policy(int argc, char **argv)
{
	const char *file = NULL, *profile = NULL, *limited = NULL;
	uint64_t limit = 0;
	int option, ret;

	while ((option = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		switch (option) {
		case 'b':
			file = optarg;
			break;
		case 'l':
			limited = optarg;
			ret = parse_limit(optarg, &limit);
			if (ret)
				return ret;
			break;
		case 'c':
			profile = optarg;
			break;
		case 'h':
			return help(help_text);
		default:
			return fail_usage("policy");
		}
	}
	if (optind != argc) {
		fail("policy takes no argument");
		return fail_usage("policy");
	}
	if (limited && !file)
		return fail("--limit is of the filter that --bpf FILE writes");
	if (profile && file)
		return fail("--confine only prints: leave out --bpf");
	if (profile)
		return print_profile(profile);
	return file ? export_filter(file, limit) : print_table();
}
