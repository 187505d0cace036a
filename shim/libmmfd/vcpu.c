// SPDX-License-Identifier: GPL-2.0
/* Virtual CPUs. */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

#ifndef __NR_mmfd_run
#define __NR_mmfd_run 473
#endif

/**
 * struct mmfd_vcpu - a virtual CPU
 * @fd: its descriptor
 * @born: mm_generation() of the process whose it is
 * @page: its run page
 * @size: of the mapping
 */
struct mmfd_vcpu {
	int fd;
	unsigned int born;
	struct mmfd_run *page;
	size_t size;
};

int mmfd_run(int fd, unsigned int flags)
{
	return syscall(__NR_mmfd_run, fd, flags) ? -errno : 0;
}

static int map_page(struct mmfd_vcpu *vcpu)
{
	vcpu->size = sysconf(_SC_PAGESIZE);
	vcpu->page = mmap(NULL, vcpu->size, PROT_READ | PROT_WRITE, MAP_SHARED,
			  vcpu->fd, 0);
	if (vcpu->page == MAP_FAILED)
		return -errno;
	if (vcpu->page->abi == MMFD_ABI_VERSION &&
	    vcpu->page->size >= sizeof(struct mmfd_run))
		return 0;
	munmap(vcpu->page, vcpu->size);
	return -EPROTONOSUPPORT;
}

static int open_vcpu(struct mmfd_vcpu *vcpu, int space, unsigned int flags,
		     unsigned int pass)
{
	struct mmfd_vcpu_create create = {
		.flags = flags | MMFD_VCPU_CLOEXEC,
		.pass = pass,
	};
	int err;

	vcpu->fd = ioctl(space, MMFD_VCPU_CREATE, &create);
	if (vcpu->fd < 0)
		return -errno;
	err = map_page(vcpu);
	if (err)
		close(vcpu->fd);
	return err;
}

int mmfd_vcpu_create(int space, unsigned int flags, unsigned int pass,
		     struct mmfd_vcpu **vcpu)
{
	struct mmfd_vcpu *new;
	int err;

	mm_watch_forks();
	new = calloc(1, sizeof(*new));
	if (!new)
		return -ENOMEM;
	new->born = mm_generation();
	err = open_vcpu(new, space, flags, pass);
	if (err)
		free(new);
	else
		*vcpu = new;
	return err;
}

void mmfd_vcpu_destroy(struct mmfd_vcpu *vcpu)
{
	if (!vcpu)
		return;
	mm_pic_forget(vcpu->page);
	/* In a child something else may be at its address by now. */
	if (mmfd_vcpu_page(vcpu))
		munmap(vcpu->page, vcpu->size);
	close(vcpu->fd);
	free(vcpu);
}

struct mmfd_run *mmfd_vcpu_page(struct mmfd_vcpu *vcpu)
{
	return vcpu->born == mm_generation() ? vcpu->page : NULL;
}

int mmfd_vcpu_fd(const struct mmfd_vcpu *vcpu)
{
	return vcpu->fd;
}

static int xstate(struct mmfd_vcpu *vcpu, unsigned long cmd, const void *buf,
		  size_t size)
{
	struct mmfd_xstate arg = {
		.addr = (uintptr_t)buf,
		.size = size < UINT32_MAX ? size : UINT32_MAX,
	};
	int ret;

	if (!mmfd_vcpu_page(vcpu))
		return -ECHILD;
	ret = ioctl(vcpu->fd, cmd, &arg);
	return ret < 0 ? -errno : ret;
}

int mmfd_vcpu_get_xstate(struct mmfd_vcpu *vcpu, void *buf, size_t size)
{
	return xstate(vcpu, MMFD_XSTATE_GET, buf, size);
}

int mmfd_vcpu_set_xstate(struct mmfd_vcpu *vcpu, const void *buf, size_t size)
{
	return xstate(vcpu, MMFD_XSTATE_SET, buf, size);
}

int mmfd_vcpu_run(struct mmfd_vcpu *vcpu)
{
	struct mmfd_run *page = mmfd_vcpu_page(vcpu);
	int err;

	if (!page)
		return -ECHILD;
	mm_pic_enter(page);
	err = mmfd_run(vcpu->fd, 0);
	mm_pic_leave();
	/* A handler may have forked, and this be the child. */
	if (!mmfd_vcpu_page(vcpu))
		return -ECHILD;
	__atomic_store_n(&page->immediate_exit, 0, __ATOMIC_RELAXED);
	return err ? err : (int)page->reason;
}
