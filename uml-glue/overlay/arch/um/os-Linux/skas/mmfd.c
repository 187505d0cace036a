// SPDX-License-Identifier: GPL-2.0
/*
 * mmfd mode: the host's address spaces and virtual CPUs, and what is mapped there.
 *
 * See Documentation/virt/uml/mmfd.rst, and <linux/mmfd.h> of the host.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <as-layout.h>
#include <hostvdso.h>
#include <mm_id.h>
#include <os.h>
#include <timeclock.h>
#include <um_mmfd.h>
#include <user.h>
#include "linux/mmfd.h"
#include "mmfd_priv.h"

int using_mmfd;

/* /dev/mmfd, or -1 */
int mmfd_dev_fd = -1;

/**
 * mmfd_do_ops() - Change an address space
 * @fd:		its descriptor
 * @ops:	the changes
 * @nr:		how many
 *
 * Return: 0 or a negative errno
 */
int mmfd_do_ops(int fd, struct mmfd_op *ops, unsigned int nr)
{
	struct mmfd_ops batch = {
		.ops = (unsigned long)ops,
		.nr = nr,
	};

	return ioctl(fd, MMFD_OPS, &batch) < 0 ? -errno : 0;
}

/* Where guest code shall find the host's vDSO. Its data are in front of it. */
static int map_vdso(int fd)
{
	struct mmfd_op op = {
		.op = MMFD_OP_VDSO,
		.addr = host_vdso_start,
		.len = host_vdso_end - host_vdso_start,
		.fd = -1,
	};
	int err = mmfd_do_ops(fd, &op, 1);

	if (err)
		return err;
	return op.addr + op.offset == host_vdso.base ? 0 : -EOPNOTSUPP;
}

/**
 * os_mmfd_space_create() - Make an address space
 *
 * It has the host's vDSO, if stubs would have it, and nothing else.
 *
 * Return: its descriptor, or a negative errno
 */
int os_mmfd_space_create(void)
{
	struct mmfd_create create = {
		.flags = MMFD_CREATE_CLOEXEC,
	};
	int fd, err;

	fd = ioctl(mmfd_dev_fd, MMFD_CREATE, &create);
	if (fd < 0)
		return -errno;

	err = host_vdso.nr ? map_vdso(fd) : 0;
	if (!err)
		return fd;

	close(fd);
	return err;
}

/**
 * mmfd_pass_calls() - The calls that a policy lets pass
 * @pass:	TIMECLOCK_*
 *
 * Return: MMFD_PASS_*
 */
unsigned int mmfd_pass_calls(unsigned int pass)
{
	unsigned int calls = 0;

	if (pass & TIMECLOCK_GET)
		calls |= MMFD_PASS_GETTIMEOFDAY | MMFD_PASS_CLOCK_GETTIME |
			 MMFD_PASS_TIME;
	if (pass & TIMECLOCK_SET)
		calls |= MMFD_PASS_SETTIMEOFDAY;
	return calls;
}

/**
 * os_mmfd_vcpu_create() - Make a virtual CPU
 * @space:	its address space
 * @vcpu:	gets it, and is not changed if there is an error
 * @pass:	TIMECLOCK_*: what may pass there at most
 *
 * Return: 0 or a negative errno
 */
int os_mmfd_vcpu_create(struct um_space *space, struct um_vcpu *vcpu, unsigned int pass)
{
	struct mmfd_vcpu_create create = {
		.flags = MMFD_VCPU_CLOEXEC,
		.pass = mmfd_pass_calls(pass),
	};
	void *run;
	int fd, err;

	fd = ioctl(space->fd, MMFD_VCPU_CREATE, &create);
	if (fd < 0)
		return -errno;

	run = mmap(NULL, UM_KERN_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (run == MAP_FAILED) {
		err = -errno;
		close(fd);
		return err;
	}

	vcpu->fd = fd;
	vcpu->run = run;
	vcpu->pass = pass;
	return 0;
}

/**
 * os_mmfd_vcpu_destroy() - The opposite
 * @vcpu:	nobody is inside; may be one that was not made
 */
void os_mmfd_vcpu_destroy(struct um_vcpu *vcpu)
{
	if (!vcpu->run)
		return;

	munmap(vcpu->run, UM_KERN_PAGE_SIZE);
	close(vcpu->fd);
	vcpu->run = NULL;
}

static int do_xstate(struct um_vcpu *vcpu, unsigned long call, const void *fp,
		     unsigned long size)
{
	struct mmfd_xstate xstate = {
		.addr = (unsigned long)fp,
		.size = size,
	};
	int n = ioctl(vcpu->fd, call, &xstate);

	return n < 0 ? -errno : n;
}

/**
 * os_mmfd_xstate_get() - Read the FPU registers of a virtual CPU
 * @vcpu:	nobody is inside
 * @fp:		gets them
 * @size:	how much room there is
 *
 * Return: their size or a negative errno
 */
int os_mmfd_xstate_get(struct um_vcpu *vcpu, void *fp, unsigned long size)
{
	return do_xstate(vcpu, MMFD_XSTATE_GET, fp, size);
}

/**
 * os_mmfd_xstate_set() - Load the FPU registers of a virtual CPU
 * @vcpu:	nobody is inside
 * @fp:		what to load
 * @size:	their size
 *
 * Return: not negative, or -EINVAL if the processor cannot have such
 */
int os_mmfd_xstate_set(struct um_vcpu *vcpu, const void *fp, unsigned long size)
{
	return do_xstate(vcpu, MMFD_XSTATE_SET, fp, size);
}

/*
 * Changes that were not made yet. They are made before um_tlb_sync_mmfd() is over,
 * which runs with interrupts off, so the queue belongs to one address space at a
 * time.
 */
static __thread struct mmfd_op queue[64];
static __thread unsigned int queued;

/**
 * mmfd_flush() - Make the changes that are queued
 * @mm_id:	the address space
 *
 * Return: 0 or a negative errno, of which the guest's address space does not recover
 */
int mmfd_flush(struct mm_id *mm_id)
{
	int err;

	if (!queued)
		return 0;

	err = mmfd_do_ops(mm_id->space->fd, queue, queued);
	queued = 0;
	return err;
}

static struct mmfd_op *last_op(unsigned int type, unsigned long virt)
{
	struct mmfd_op *op;

	if (!queued)
		return NULL;
	op = &queue[queued - 1];
	return op->op == type && op->addr + op->len == virt ? op : NULL;
}

static int add_op(struct mm_id *mm_id, const struct mmfd_op *op)
{
	int err;

	if (queued == ARRAY_SIZE(queue)) {
		err = mmfd_flush(mm_id);
		if (err)
			return err;
	}
	queue[queued++] = *op;
	return 0;
}

/**
 * mmfd_map() - Map a piece of the guest's memory, as map() does for stubs
 * @mm_id:	the address space
 * @virt:	where
 * @len:	its length
 * @prot:	UM_PROT_*
 * @phys_fd:	descriptor of the memory
 * @offset:	where in it
 *
 * Return: 0 or a negative errno
 */
int mmfd_map(struct mm_id *mm_id, unsigned long virt, unsigned long len, int prot,
	     int phys_fd, unsigned long long offset)
{
	struct mmfd_op *last = last_op(MMFD_OP_MAP, virt);
	const struct mmfd_op op = {
		.op = MMFD_OP_MAP,
		.flags = MMFD_MAP_SHARED,
		.addr = virt,
		.len = len,
		.offset = offset,
		.prot = prot,
		.fd = phys_fd,
	};

	_Static_assert(UM_PROT_READ == MMFD_PROT_READ, "same values");
	_Static_assert(UM_PROT_WRITE == MMFD_PROT_WRITE, "same values");
	_Static_assert(UM_PROT_EXEC == MMFD_PROT_EXEC, "same values");

	if (last && last->prot == op.prot && last->fd == op.fd &&
	    last->offset + last->len == op.offset) {
		last->len += len;
		return 0;
	}
	return add_op(mm_id, &op);
}

/**
 * mmfd_unmap() - Unmap something, as unmap() does for stubs
 * @mm_id:	the address space
 * @virt:	where
 * @len:	how much
 *
 * Return: 0 or a negative errno
 */
int mmfd_unmap(struct mm_id *mm_id, unsigned long virt, unsigned long len)
{
	struct mmfd_op *last = last_op(MMFD_OP_UNMAP, virt);
	const struct mmfd_op op = {
		.op = MMFD_OP_UNMAP,
		.addr = virt,
		.len = len,
		.fd = -1,
	};

	if (last) {
		last->len += len;
		return 0;
	}
	return add_op(mm_id, &op);
}
