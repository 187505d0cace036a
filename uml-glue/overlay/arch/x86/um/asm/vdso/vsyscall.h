/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __ASM_UM_VDSO_VSYSCALL_H
#define __ASM_UM_VDSO_VSYSCALL_H

/* As many as VDSO_NR_PAGES; the linker script needs the number */
#define __VDSO_PAGES	4

#ifndef __ASSEMBLER__

#include <vdso/datapage.h>
#include <asm-generic/vdso/vsyscall.h>

#endif /* !__ASSEMBLER__ */

#endif /* __ASM_UM_VDSO_VSYSCALL_H */
