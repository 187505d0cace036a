/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mmfd: the return stack buffer at a crossing.
 */
#include <linux/linkage.h>

#include <asm/cpufeatures.h>
#include <asm/nospec-branch.h>

/*
 * void mmfd_fill_rsb(void) - Fill it, if a context switch would
 *
 * A guest leaves addresses of its choice there, which code at home would use for
 * returns that it has no entry for.
 */
SYM_FUNC_START(mmfd_fill_rsb)
	FILL_RETURN_BUFFER %rax, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_CTXSW
	RET
SYM_FUNC_END(mmfd_fill_rsb)
