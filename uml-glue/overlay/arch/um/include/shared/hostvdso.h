/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The host's vDSO in the stubs, where the guest's vDSO reads the host's
 * CLOCK_MONOTONIC.
 */
#ifndef __HOSTVDSO_H
#define __HOSTVDSO_H

/* [vdso] and what its code reads, e.g. [vvar] and [vvar_vclock] */
#define HOST_VDSO_AREAS	4

/**
 * struct host_vdso - What a stub has to keep of the host's vDSO, and where
 * @base:	the address that the vDSO's ELF header shall have in a stub
 * @nr:		how many areas there are, 0 if the stubs keep nothing
 * @start:	per area, its distance from the ELF header (negative if below)
 * @len:	per area, its length in bytes
 */
struct host_vdso {
	unsigned long	base;
	int		nr;
	long		start[HOST_VDSO_AREAS];
	unsigned long	len[HOST_VDSO_AREAS];
};

/**
 * struct host_vdso_calls - Addresses of the host's functions in a stub
 * @clock_gettime:	none of them is 0 if the stubs keep the vDSO
 * @gettimeofday:	the same
 * @time:		the same
 */
struct host_vdso_calls {
	unsigned long	clock_gettime;
	unsigned long	gettimeofday;
	unsigned long	time;
};

/* arch/um/os-Linux/hostvdso.c */
extern struct host_vdso host_vdso;
extern struct host_vdso_calls host_vdso_calls;
extern const char *host_vdso_obstacle;

/* The range in a stub that the areas lie in; empty if the stubs keep nothing */
extern unsigned long host_vdso_start, host_vdso_end;

void os_host_vdso_probe(void);
void os_host_vdso_disable(void);
const char *os_tsc_obstacle(void);

/**
 * in_host_vdso() - Whether an address of a stub is in the host's vDSO there
 * @addr:	the address
 */
static inline int in_host_vdso(unsigned long addr)
{
	return addr >= host_vdso_start && addr < host_vdso_end;
}

#endif /* __HOSTVDSO_H */
