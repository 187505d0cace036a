/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of mmfd share: a guest with a page of code, a page of data, and
 * its supervisor's view of both.
 */
#ifndef MMFD_TEST_H
#define MMFD_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <linux/mmfd.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../kselftest_harness.h"

#ifndef __NR_mmfd_run
#define __NR_mmfd_run	473
#endif

#define PAGE		4096UL
#define GUEST_CODE	0x10000UL
#define GUEST_DATA	0x20000UL
/* Nothing is there. */
#define GUEST_NONE	0x30000UL

#define AUDIT_X86_64	0xc000003eU
#define AUDIT_I386	0x40000003U

struct guest {
	int dev;
	int mm;
	int vcpu;
	int mem;
	struct mmfd_run *run;
	uint8_t *code;
	uint8_t *data;
};

static inline int mmfd_run(int fd)
{
	return syscall(__NR_mmfd_run, fd, 0) ? -errno : 0;
}

static inline int guest_ops(int mm, struct mmfd_op *ops, unsigned int nr)
{
	struct mmfd_ops batch = { .ops = (uintptr_t)ops, .nr = nr };

	return ioctl(mm, MMFD_OPS, &batch) ? -errno : (int)batch.done;
}

/* guest_op - a batch of one */
static inline int guest_op(int mm, struct mmfd_op *op)
{
	int ret = guest_ops(mm, op, 1);

	return ret == 1 ? 0 : ret;
}

static inline int guest_map(int mm, uint64_t addr, uint64_t len, int prot, int fd,
			    uint64_t offset)
{
	struct mmfd_op op = {
		.op = MMFD_OP_MAP, .flags = MMFD_MAP_SHARED, .addr = addr,
		.len = len, .prot = prot, .fd = fd, .offset = offset,
	};

	if (fd == -1)
		op.flags = MMFD_MAP_PRIVATE | MMFD_MAP_ANONYMOUS;
	return guest_op(mm, &op);
}

static inline int guest_unmap(int mm, uint64_t addr, uint64_t len)
{
	struct mmfd_op op = {
		.op = MMFD_OP_UNMAP, .addr = addr, .len = len, .fd = -1,
	};

	return guest_op(mm, &op);
}

static inline int guest_protect(int mm, uint64_t addr, uint64_t len, int prot)
{
	struct mmfd_op op = {
		.op = MMFD_OP_PROTECT, .addr = addr, .len = len, .prot = prot, .fd = -1,
	};

	return guest_op(mm, &op);
}

static inline int guest_vcpu(int mm, uint32_t pass, struct mmfd_run **run)
{
	struct mmfd_vcpu_create create = { .pass = pass };
	int fd = ioctl(mm, MMFD_VCPU_CREATE, &create);

	if (fd < 0)
		return -errno;
	*run = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return *run == MAP_FAILED ? -errno : fd;
}

/* guest_init - a guest that may pass @pass; false and errno if it failed */
static inline bool guest_init(struct guest *g, uint32_t pass)
{
	struct mmfd_create create = { };

	g->dev = open("/dev/mmfd", O_RDWR | O_CLOEXEC);
	if (g->dev < 0)
		return false;
	g->mm = ioctl(g->dev, MMFD_CREATE, &create);
	g->mem = memfd_create("guest", MFD_CLOEXEC);
	if (g->mm < 0 || g->mem < 0 || ftruncate(g->mem, 2 * PAGE))
		return false;
	g->code = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, g->mem, 0);
	if (g->code == MAP_FAILED)
		return false;
	g->data = g->code + PAGE;
	errno = -guest_map(g->mm, GUEST_CODE, PAGE, PROT_READ | PROT_EXEC, g->mem, 0);
	if (errno)
		return false;
	errno = -guest_map(g->mm, GUEST_DATA, PAGE, PROT_READ | PROT_WRITE, g->mem, PAGE);
	if (errno)
		return false;
	g->vcpu = guest_vcpu(g->mm, pass, &g->run);
	errno = g->vcpu < 0 ? -g->vcpu : 0;
	return g->vcpu >= 0;
}

static inline void guest_exit(struct guest *g)
{
	munmap(g->run, PAGE);
	munmap(g->code, 2 * PAGE);
	close(g->vcpu);
	close(g->mem);
	close(g->mm);
	close(g->dev);
}

/* home_base - FS or GS base of the caller, by ARCH_GET_FS or ARCH_GET_GS */
static inline unsigned long home_base(int code)
{
	unsigned long base = -1;

	syscall(SYS_arch_prctl, code, &base);
	return base;
}

/* home_selectors - 0 if the caller has none in DS, ES, FS and GS */
static inline unsigned int home_selectors(void)
{
	unsigned int ds, es, fs, gs;

	asm volatile("mov %%ds, %0; mov %%es, %1; mov %%fs, %2; mov %%gs, %3"
		     : "=r" (ds), "=r" (es), "=r" (fs), "=r" (gs));
	return ds | es | fs | gs;
}

/* guest_load - machine code for the guest, and everything else zero */
#define guest_load(g, ...) do {						\
	static const uint8_t __code[] = { __VA_ARGS__ };		\
									\
	memset((g)->code, 0x0f, PAGE);					\
	memcpy((g)->code, __code, sizeof(__code));			\
	memset(&(g)->run->regs, 0, sizeof((g)->run->regs));		\
	(g)->run->regs.rip = GUEST_CODE;				\
	(g)->run->regs.rsp = GUEST_DATA + PAGE;				\
} while (0)

/* Pieces of machine code */
#define X_SYSCALL	0x0f, 0x05
#define X_SYSENTER	0x0f, 0x34
#define X_INT80		0xcd, 0x80
#define X_UD2		0x0f, 0x0b
#define X_INT3		0xcc
#define X_SELF		0xeb, 0xfe	/* jmp . */
#define X_BACK(n)	0xeb, (uint8_t)(-(n) - 2)	/* over the n bytes before */

#endif /* MMFD_TEST_H */
