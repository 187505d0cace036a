// SPDX-License-Identifier: GPL-2.0
/* Messages. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "verb.h"

int fail(const char *fmt, ...)
{
	va_list args;

	fputs("timens: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_OWN_FAILURE;
}

int fail_usage(const char *verb)
{
	return fail("try 'timens %s --help'", verb);
}

/* @err is an error of timens_supported(). */
int fail_feature(int err)
{
	struct utsname kernel;

	uname(&kernel);
	switch (err) {
	case -EOPNOTSUPP:
		fail("kernel %s lacks CONFIG_TIME_NS_REALTIME, so a time "
		     "namespace cannot have its own wall clock; boot a "
		     "kernel that has it",
		     kernel.release);
		return EXIT_NO_FEATURE;
	case -ENOSYS:
		fail("kernel %s lacks CONFIG_TIME_NS, so there are no "
		     "time namespaces; boot a kernel with it and "
		     "CONFIG_TIME_NS_REALTIME",
		     kernel.release);
		return EXIT_NO_FEATURE;
	case -ENOENT:
		return fail("no /proc; run: mount -t proc none /proc");
	default:
		return fail("/proc/self/timens_offsets cannot be written: %s; "
			    "mount /proc so that it can be",
			    strerror(-err));
	}
}

/* Output that was asked for; a full disk or closed pipe is a failure. */
int help(const char *text)
{
	if (fputs(text, stdout) < 0 || fflush(stdout))
		return fail("cannot write to standard output: %s",
			    strerror(errno));
	return 0;
}

/* Signed decimal of a normalised time: -1 s + 0.9 s is -0.1 s. */
void text_offset(const struct timespec *offset, char *text, size_t size)
{
	struct timespec t = *offset;
	bool negative = t.tv_sec < 0;

	if (negative) {
		t.tv_sec = -t.tv_sec - !!t.tv_nsec;
		t.tv_nsec = t.tv_nsec ? 1000000000 - t.tv_nsec : 0;
	}
	snprintf(text, size, "%c%lld.%09ld", negative ? '-' : '+',
		 (long long)t.tv_sec, t.tv_nsec);
}
