/* SPDX-License-Identifier: GPL-2.0 */
/* What UML's vDSO has to know about the host's. */
#ifndef __ASM_UM_VDSO_TIME_DATA_H
#define __ASM_UM_VDSO_TIME_DATA_H

#include <linux/types.h>

/**
 * struct arch_vdso_time_data - Where the host's vDSO lies in the stub
 * @host_clocks:	bit (id & 31): the host's clock is the guest's, so that
 *			the host's vDSO can answer. Always 0 in the page of a
 *			time namespace of the guest.
 * @clock_gettime:	address of the host's function, 0 if there is none
 * @gettimeofday:	the same
 * @time:		the same
 */
struct arch_vdso_time_data {
	__u32	host_clocks;
	__u64	clock_gettime;
	__u64	gettimeofday;
	__u64	time;
};

#endif /* __ASM_UM_VDSO_TIME_DATA_H */
