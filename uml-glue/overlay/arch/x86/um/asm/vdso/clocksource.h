/* SPDX-License-Identifier: GPL-2.0 */
/* The counters that UML's vDSO can read. */
#ifndef __ASM_UM_VDSO_CLOCKSOURCE_H
#define __ASM_UM_VDSO_CLOCKSOURCE_H

/* HOST: the host's vDSO, as it lies in the stub; TSC: the instruction */
#define VDSO_ARCH_CLOCKMODES	\
	VDSO_CLOCKMODE_HOST,	\
	VDSO_CLOCKMODE_TSC

#endif /* __ASM_UM_VDSO_CLOCKSOURCE_H */
