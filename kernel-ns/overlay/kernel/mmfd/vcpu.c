// SPDX-License-Identifier: GPL-2.0
/*
 * The virtual CPU object, its descriptor and its run page.
 */
#include <linux/anon_inodes.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "mmfd.h"

static void mmfd_vcpu_free(struct mmfd_vcpu *vcpu)
{
	arch_mmfd_destroy(&vcpu->arch);
	free_page((unsigned long)vcpu->run);
	mmfd_space_put(vcpu->space);
	kfree(vcpu);
}

/**
 * mmfd_vcpu_drop - Let others have it, if there is still a way to it
 * @vcpu:	A virtual CPU that current has claimed
 *
 * Context: Process context, not inside @vcpu. May sleep.
 */
void mmfd_vcpu_drop(struct mmfd_vcpu *vcpu)
{
	/* Pairs with mmfd_vcpu_claim() and mmfd_vcpu_close(). */
	if (unlikely(cmpxchg(&vcpu->task, current, NULL) != current))
		mmfd_vcpu_free(vcpu);
}

/* Who is inside keeps it, and is the last one to have it. */
static int mmfd_vcpu_close(struct inode *inode, struct file *file)
{
	struct mmfd_vcpu *vcpu = file->private_data;

	if (!xchg(&vcpu->task, MMFD_CLOSED))
		mmfd_vcpu_free(vcpu);
	return 0;
}

static long mmfd_vcpu_xstate(struct mmfd_vcpu *vcpu, unsigned int cmd,
			     const struct mmfd_xstate __user *uxstate)
{
	struct mmfd_xstate xstate;
	void __user *buf;
	long ret;

	if (copy_from_user(&xstate, uxstate, sizeof(xstate)))
		return -EFAULT;
	if (xstate.reserved)
		return -EINVAL;
	if (!mmfd_vcpu_claim(vcpu))
		return -EBUSY;
	buf = u64_to_user_ptr(xstate.addr);
	if (cmd == MMFD_XSTATE_GET)
		ret = arch_mmfd_get_xstate(&vcpu->arch, buf, xstate.size);
	else
		ret = arch_mmfd_set_xstate(&vcpu->arch, buf, xstate.size);
	mmfd_vcpu_release(vcpu);
	return ret;
}

static long mmfd_vcpu_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case MMFD_XSTATE_GET:
	case MMFD_XSTATE_SET:
		return mmfd_vcpu_xstate(file->private_data, cmd, (void __user *)arg);
	default:
		return -ENOTTY;
	}
}

static int mmfd_vcpu_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct mmfd_vcpu *vcpu = file->private_data;

	if (vma->vm_pgoff || vma_pages(vma) != 1 || !(vma->vm_flags & VM_SHARED) ||
	    vma->vm_flags & VM_EXEC)
		return -EINVAL;
	vm_flags_mod(vma, VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP, VM_MAYEXEC);
	return vm_insert_page(vma, vma->vm_start, virt_to_page(vcpu->run));
}

const struct file_operations mmfd_vcpu_fops = {
	.release	= mmfd_vcpu_close,
	.unlocked_ioctl	= mmfd_vcpu_ioctl,
	.mmap		= mmfd_vcpu_mmap,
	.llseek		= noop_llseek,
};

static struct mmfd_vcpu *mmfd_vcpu_alloc(bool own_xstate)
{
	struct mmfd_vcpu *vcpu;

	vcpu = kzalloc_obj(*vcpu, GFP_KERNEL_ACCOUNT);
	if (!vcpu)
		return NULL;
	vcpu->run = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!vcpu->run)
		goto no_page;
	if (arch_mmfd_init(&vcpu->arch, own_xstate))
		goto no_arch;
	vcpu->run->abi = MMFD_ABI_VERSION;
	vcpu->run->size = sizeof(*vcpu->run);
	return vcpu;

no_arch:
	free_page((unsigned long)vcpu->run);
no_page:
	kfree(vcpu);
	return NULL;
}

/**
 * mmfd_vcpu_create - Make a virtual CPU and a descriptor for it
 * @space:	Where it runs
 * @ucreate:	Its properties
 *
 * Context: Process context. May sleep.
 * Return: The descriptor, or -EFAULT, -EINVAL, -ENOMEM, -EMFILE, -ENFILE.
 */
long mmfd_vcpu_create(struct mmfd_space *space,
		      struct mmfd_vcpu_create __user *ucreate)
{
	struct mmfd_vcpu_create create;
	struct mmfd_vcpu *vcpu;
	int fd;

	if (copy_from_user(&create, ucreate, sizeof(create)))
		return -EFAULT;
	if (create.flags & ~(MMFD_VCPU_CLOEXEC | MMFD_VCPU_SHARE_XSTATE) ||
	    create.pass & ~MMFD_PASS_ALL)
		return -EINVAL;
	if (memchr_inv(create.reserved, 0, sizeof(create.reserved)))
		return -EINVAL;

	vcpu = mmfd_vcpu_alloc(!(create.flags & MMFD_VCPU_SHARE_XSTATE));
	if (!vcpu)
		return -ENOMEM;
	refcount_inc(&space->refs);
	vcpu->space = space;
	vcpu->pass = create.pass;
	fd = anon_inode_getfd("[mmfd-vcpu]", &mmfd_vcpu_fops, vcpu,
			      O_RDWR | (create.flags & MMFD_VCPU_CLOEXEC ? O_CLOEXEC : 0));
	if (fd < 0)
		mmfd_vcpu_free(vcpu);
	return fd;
}
