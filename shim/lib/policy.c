// SPDX-License-Identifier: GPL-2.0
/* The table of calls that may pass, as data. */
#include <sys/syscall.h>

#include <linux/timens_pass.h>

#include "internal.h"

#define ENTRY(ctx, call, kind0, kind1)				\
	{							\
		.name = #call,					\
		.nr = SYS_##call,				\
		.kind = { TIMENS_PASS_##kind0, TIMENS_PASS_##kind1 },	\
	},

static const struct timens_pass policy[] = { TIMENS_PASS_CALLS(ENTRY, ) };

const struct timens_pass *timens_policy(size_t *n)
{
	*n = sizeof(policy) / sizeof(policy[0]);
	return policy;
}
