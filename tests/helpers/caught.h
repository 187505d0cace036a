/* SPDX-License-Identifier: GPL-2.0 */
/* What wrong code and wrong accesses give, caught on a stack of its own. */
#ifndef _CAUGHT_H
#define _CAUGHT_H

#include <setjmp.h>
#include <signal.h>
#include <stddef.h>

/* Where a caught signal leads, with its number */
static sigjmp_buf back;

/* Ends with 0. */
static const int caught[] = { SIGSEGV, SIGBUS, SIGILL, SIGTRAP,
			      SIGFPE,  SIGSYS, 0 };

static inline void caught_signal(int sig)
{
	siglongjmp(back, sig);
}

static inline void catch_signals(void)
{
	static char stack[65536];
	struct sigaction sa = { .sa_handler = caught_signal,
				.sa_flags = SA_ONSTACK | SA_NODEFER };
	stack_t alt = { .ss_sp = stack, .ss_size = sizeof(stack) };

	sigaltstack(&alt, NULL);
	for (const int *sig = caught; *sig; sig++)
		sigaction(*sig, &sa, NULL);
}

/* For a child that is to end by them */
static inline void catch_none(void)
{
	for (const int *sig = caught; *sig; sig++)
		signal(*sig, SIG_DFL);
}

/* 1 if @at can be read without a signal; after catch_signals() */
static inline int readable(const volatile void *at)
{
	if (sigsetjmp(back, 1))
		return 0;
	(void)*(const volatile char *)at;
	return 1;
}

#endif /* _CAUGHT_H */
