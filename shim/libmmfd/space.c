// SPDX-License-Identifier: GPL-2.0
/* The device, address spaces, and memory for them. */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "internal.h"

/* Any other file would not know the request. */
static int check_abi(int dev)
{
	int abi = ioctl(dev, MMFD_ABI, 0);

	if (abi < 0)
		return errno == ENOTTY ? -ENODEV : -errno;
	return abi == MMFD_ABI_VERSION ? 0 : -EPROTONOSUPPORT;
}

int mmfd_open(void)
{
	int dev, err;

	dev = open(MMFD_DEVICE, O_RDWR | O_CLOEXEC);
	if (dev < 0)
		return errno == ENOENT || errno == ENXIO ? -ENODEV : -errno;
	err = check_abi(dev);
	if (!err)
		return dev;
	close(dev);
	return err;
}

int mmfd_supported(void)
{
	int dev, err;

	dev = mmfd_open();
	if (dev < 0)
		return dev;
	close(dev);
	err = mmfd_run(-1, 0);
	return err == -EBADF ? 0 : err;
}

int mmfd_create(int dev, unsigned int flags)
{
	struct mmfd_create create = { .flags = flags | MMFD_CREATE_CLOEXEC };
	int fd = ioctl(dev, MMFD_CREATE, &create);

	return fd < 0 ? -errno : fd;
}

int mmfd_memory_create(int dev, uint64_t size)
{
	struct mmfd_memory_create create = {
		.size = size,
		.flags = MMFD_MEMORY_CLOEXEC,
	};
	int fd = ioctl(dev, MMFD_MEMORY_CREATE, &create);

	return fd < 0 ? -errno : fd;
}

int mmfd_ops(int space, struct mmfd_op *ops, unsigned int nr,
	     unsigned int *done)
{
	struct mmfd_ops batch = { .ops = (uintptr_t)ops, .nr = nr };
	int err = ioctl(space, MMFD_OPS, &batch) ? -errno : 0;

	if (done)
		*done = batch.done;
	return err;
}

/* A change of a range that takes no file */
static int change_range(int space, unsigned int type, uint64_t addr,
			uint64_t len, unsigned int prot)
{
	struct mmfd_op op = {
		.op = type,
		.addr = addr,
		.len = len,
		.prot = prot,
		.fd = -1,
	};

	return mmfd_ops(space, &op, 1, NULL);
}

int mmfd_map(int space, uint64_t addr, uint64_t len, unsigned int prot,
	     unsigned int flags, int fd, uint64_t offset)
{
	struct mmfd_op op = {
		.op = MMFD_OP_MAP,
		.flags = flags,
		.addr = addr,
		.len = len,
		.offset = offset,
		.prot = prot,
		.fd = fd,
	};

	return mmfd_ops(space, &op, 1, NULL);
}

int mmfd_unmap(int space, uint64_t addr, uint64_t len)
{
	return change_range(space, MMFD_OP_UNMAP, addr, len, 0);
}

int mmfd_protect(int space, uint64_t addr, uint64_t len, unsigned int prot)
{
	return change_range(space, MMFD_OP_PROTECT, addr, len, prot);
}

int mmfd_map_area(int space, uint64_t addr, uint64_t len, int memory)
{
	struct mmfd_op op = {
		.op = MMFD_OP_AREA,
		.addr = addr,
		.len = len,
		.fd = memory,
	};

	return mmfd_ops(space, &op, 1, NULL);
}

int mmfd_insert(int space, uint64_t addr, uint64_t len, unsigned int prot,
		uint64_t offset)
{
	struct mmfd_op op = {
		.op = MMFD_OP_INSERT,
		.addr = addr,
		.len = len,
		.offset = offset,
		.prot = prot,
		.fd = -1,
	};

	return mmfd_ops(space, &op, 1, NULL);
}

int mmfd_remove(int space, uint64_t addr, uint64_t len)
{
	return change_range(space, MMFD_OP_REMOVE, addr, len, 0);
}

int mmfd_map_vdso(int space, uint64_t addr, uint64_t len, uint64_t *ehdr)
{
	struct mmfd_op op = {
		.op = MMFD_OP_VDSO,
		.addr = addr,
		.len = len,
		.fd = -1,
	};
	int err = mmfd_ops(space, &op, 1, NULL);

	if (!err && ehdr)
		*ehdr = addr + op.offset;
	return err;
}

int mmfd_query(int space, uint64_t addr, struct mmfd_query *query)
{
	*query = (struct mmfd_query){ .addr = addr };
	return ioctl(space, MMFD_QUERY, query) ? -errno : 0;
}
