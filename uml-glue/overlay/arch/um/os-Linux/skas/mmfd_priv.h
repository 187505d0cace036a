/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mmfd mode: what the files of the host's side share.
 */
#ifndef __UM_MMFD_PRIV_H
#define __UM_MMFD_PRIV_H

#include <unistd.h>
#include <asm/unistd.h>

struct mmfd_op;
struct um_vcpu;

/* The headers that UML's user space half is built with may not have it yet. */
#ifndef __NR_mmfd_run
#define __NR_mmfd_run	473
#endif

extern int mmfd_dev_fd;

int mmfd_do_ops(int fd, struct mmfd_op *ops, unsigned int nr);
unsigned int mmfd_pass_calls(unsigned int pass);

/* mmfd_run(2); its errors are in errno */
static inline int mmfd_run(int fd)
{
	return syscall(__NR_mmfd_run, fd, 0);
}

#endif /* __UM_MMFD_PRIV_H */
