/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __ASM_UM_VDSO_PROCESSOR_H
#define __ASM_UM_VDSO_PROCESSOR_H

#ifndef __ASSEMBLER__

#ifdef BUILD_VDSO
static __always_inline void cpu_relax(void)
{
	asm volatile("pause" ::: "memory");
}
#else
#include <asm/processor.h>
#endif

#endif /* !__ASSEMBLER__ */

#endif /* __ASM_UM_VDSO_PROCESSOR_H */
