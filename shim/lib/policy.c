// SPDX-License-Identifier: GPL-2.0
/* The table of calls that may pass, as data. */
#include <sys/syscall.h>

#include <linux/timens_pass.h>

#include "internal.h"

#define ENTRY(prefix, call, kind0, kind1)                 \
	{                                                 \
		.name = #call,                            \
		.nr = SYS_##call,                         \
		.kind = { prefix##kind0, prefix##kind1 }, \
	},

static const struct timens_pass policy[] = { TIMENS_PASS_CALLS(ENTRY,
							       TIMENS_PASS_) };

const struct timens_pass *timens_policy(size_t *n)
{
	*n = ARRAY_SIZE(policy);
	return policy;
}
