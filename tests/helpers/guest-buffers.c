// SPDX-License-Identifier: GPL-2.0
/*
 * Every kind of user buffer times every time call, as one line each.
 *
 * Usage: guest-buffers [STUB]
 *
 * Where there is no stub (mmfd mode), its addresses are a hole.
 *
 * A line is "call, buffer: result, first word, second word". A word of the
 * buffer is old (as before the call), new (it now holds the time), bad, or - if
 * it cannot be read or means nothing. Nothing in the output differs from run to
 * run, so that of a guest whose calls go straight to the host has to be that of
 * a guest whose calls are intercepted.
 *
 * STUB is the address of UML's stub pages; the default is where they are if UML
 * is started without address space randomisation (setarch -R). Run it as the
 * guest's root; the calls that set the clock are made again as uid 1000.
 */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest-buffers.h"

#define OLD_SECONDS   0x1111111111111111L
#define OLD_FRACTION  0x7777777777777777L
#define HOUR	      3600L
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static unsigned long stub = 0x7fffffffc000UL;
static sigjmp_buf fault;

static void on_fault(int sig)
{
	siglongjmp(fault, sig);
}

/* Read a word that may not be there */
static int peek(const void *p, long *value)
{
	if (sigsetjmp(fault, 1))
		return -1;
	memcpy(value, p, sizeof(*value));
	return 0;
}

static long now(clockid_t id)
{
	struct timespec ts;

	if (syscall(SYS_clock_gettime, id, &ts))
		die("clock_gettime");
	return ts.tv_sec;
}

static const struct call {
	const char *name;
	long nr;
	int position; /* of the buffer among the two arguments */
	long other;   /* the other argument */
	int sets;
} calls[] = {
	{ "gettimeofday", SYS_gettimeofday, 0, 0, 0 },
	{ "gettimeofday tz", SYS_gettimeofday, 1, 0, 0 },
	{ "clock_gettime REALTIME", SYS_clock_gettime, 1, 0, 0 },
	{ "clock_gettime REALTIME_COARSE", SYS_clock_gettime, 1, 5, 0 },
	{ "clock_gettime high id", SYS_clock_gettime, 1, 0x700000000, 0 },
	{ "clock_gettime TAI", SYS_clock_gettime, 1, 11, 0 },
	{ "clock_gettime bad id", SYS_clock_gettime, 1, 99, 0 },
	{ "clock_gettime fd id", SYS_clock_gettime, 1, -5, 0 },
	{ "time", SYS_time, 0, 0, 0 },
	{ "settimeofday", SYS_settimeofday, 0, 0, 1 },
	{ "settimeofday tz", SYS_settimeofday, 1, 0, 1 },
};

/* Returns 0 or an error number */
static int make_call(const struct call *call, void *p)
{
	long ret;

	if (call->position)
		ret = syscall(call->nr, call->other, p);
	else
		ret = syscall(call->nr, p, call->other);
	return ret == -1 ? errno : 0;
}

static const char *word(const struct call *call, char start, const char *p,
			long before)
{
	long after;

	if (start == '-' || peek(p, &after))
		return "-";
	if (after == before)
		return "old";
	/* What can be read is seconds since 1970, a fraction, a time zone */
	if (call->sets || after < 0 || after > now(CLOCK_REALTIME) + 60)
		return "bad";
	return "new";
}

static void call_and_report(const struct call *call,
			    const struct buffer *buffer, char *p,
			    const long *before)
{
	int err = make_call(call, p);

	printf("%s, %s: %s, %s, %s\n", call->name, buffer->name,
	       err ? strerrorname_np(err) : "ok",
	       word(call, buffer->start[0], p, before[0]),
	       word(call, buffer->start[1], p + 8, before[1]));
	fflush(stdout);
}

/* Make the call where the buffer is to be used */
static void dispatch(const struct call *call, const struct buffer *buffer,
		     char *p, const long *before)
{
	pid_t pid = buffer->where == HERE ? 0 : fork();

	if (pid < 0)
		die("fork");

	if (buffer->where == HERE) {
		call_and_report(call, buffer, p, before);
	} else if (buffer->where == CHILD && !pid) {
		call_and_report(call, buffer, p, before);
		_exit(0);
	} else if (buffer->where == PARENT && !pid) {
		for (;;)
			pause();
	} else if (buffer->where == PARENT) {
		call_and_report(call, buffer, p, before);
		kill(pid, SIGKILL);
	}

	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static void probe(const struct call *call, const struct buffer *buffer)
{
	static long step = HOUR;
	long wall = now(CLOCK_REALTIME), mono = now(CLOCK_MONOTONIC), moved;
	long words[2] = { OLD_SECONDS, OLD_FRACTION };
	char *p;
	int i;

	if (call->sets) {
		words[0] = call->position ? HOUR / 60 : wall + step;
		words[1] = 0;
	}

	if (buffer->make)
		p = buffer->make(words);
	else
		p = (char *)buffer->address +
		    (buffer->address < STUB_SIZE ? stub : 0);
	for (i = 0; i < 2; i++) {
		if (buffer->start[i] == '0')
			words[i] = 0;
		else if (buffer->start[i] == '?' &&
			 peek(p + 8 * i, &words[i]) && buffer->make)
			die("the buffer cannot be read");
	}

	dispatch(call, buffer, p, words);

	moved = now(CLOCK_REALTIME) - wall - (now(CLOCK_MONOTONIC) - mono);
	if (moved > -60 && moved < 60)
		return;
	printf("\tthe clock was set%s\n",
	       moved > step - 60 && moved < step + 60 ? "" :
							" to something else");
	step = -step;
}

/* Anywhere else, this would set the machine's clock. */
static void insist_on_uml(void)
{
	char line[256];
	FILE *f = fopen("/proc/cpuinfo", "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (strstr(line, "User Mode Linux"))
			return;
	}
	fprintf(stderr, "guest-buffers: run this in a UML guest only\n");
	exit(2);
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_fault };
	unsigned int c, b, only_sets;

	insist_on_uml();
	if (argc > 1)
		stub = strtoul(argv[1], NULL, 0);
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);

	for (only_sets = 0; only_sets < 2; only_sets++) {
		for (c = 0; c < ARRAY_SIZE(calls); c++) {
			for (b = 0; b < ARRAY_SIZE(buffers); b++) {
				if (calls[c].sets >= (int)only_sets)
					probe(&calls[c], &buffers[b]);
			}
		}
		printf("as uid 1000\n");
		if (setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000))
			die("setresuid");
	}
	return 0;
}
