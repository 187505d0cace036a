/* SPDX-License-Identifier: GPL-2.0 */
/* For the programs of tests/unit: checks, counted and told apart by a text. */
#ifndef _CHECK_H
#define _CHECK_H

#include <stdarg.h>
#include <stdio.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

static int checks_done, checks_failed;

__attribute__((format(printf, 2, 3))) static inline int
check(int good, const char *fmt, ...)
{
	va_list args;

	checks_done++;
	if (good)
		return 1;
	checks_failed++;
	printf("not ok: ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	return 0;
}

/* The exit code; a program that checked nothing has failed. */
static inline int check_result(void)
{
	printf("%d checks, %d failed\n", checks_done, checks_failed);
	return checks_failed || !checks_done;
}

#endif /* _CHECK_H */
