// SPDX-License-Identifier: GPL-2.0
/*
 * The fuzzer's own memory and state, which nothing that it does may change.
 */
#define _GNU_SOURCE
#include <asm/prctl.h>

#include "mmfd_fuzz.h"

#define NR_MARKS	8192

static uint64_t marks[NR_MARKS];
static uint64_t text_sum;
static unsigned long fs_base, gs_base;
static sigset_t mask;

static uint64_t mark(unsigned int i)
{
	return (i + 1) * 0x9e3779b97f4a7c15UL;
}

static uint64_t sum_of_text(void)
{
	const uint8_t *p;
	uint64_t sum = 0;

	for (p = __executable_start; p < etext; p++)
		sum = sum * 31 + *p;
	return sum;
}

/* home_init - remember what this thread's state is like */
void home_init(void)
{
	unsigned int i;

	for (i = 0; i < NR_MARKS; i++)
		marks[i] = mark(i);
	text_sum = sum_of_text();
	fs_base = home_base(ARCH_GET_FS);
	gs_base = home_base(ARCH_GET_GS);
	sigprocmask(SIG_BLOCK, NULL, &mask);
}

/* home_check - and that it is the same, in the thread that called home_init() */
void home_check(struct fuzz *f)
{
	struct sigaction sa;
	unsigned int i;
	sigset_t now = { };

	for (i = 0; i < NR_MARKS; i++) {
		if (marks[i] != mark(i))
			fuzz_fail(f, "memory changed at mark %u: %#lx", i, marks[i]);
	}
	if (sum_of_text() != text_sum)
		fuzz_fail(f, "code changed");
	if (home_base(ARCH_GET_FS) != fs_base || home_base(ARCH_GET_GS) != gs_base)
		fuzz_fail(f, "FS or GS base changed");
	if (home_selectors())
		fuzz_fail(f, "selectors changed: %#x", home_selectors());
	sigprocmask(SIG_BLOCK, NULL, &now);
	if (memcmp(&now, &mask, sizeof(now)))
		fuzz_fail(f, "signal mask changed");
	sigaction(SIGSEGV, NULL, &sa);
	if (sa.sa_handler != SIG_DFL)
		fuzz_fail(f, "action of SIGSEGV changed");
}
