// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/mmfd: makes address spaces. Its mode says who may.
 */
#include <linux/build_bug.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/miscdevice.h>
#include <linux/uaccess.h>

#include "mmfd.h"

/* The layout is the same everywhere and must not change by accident. */
static_assert(sizeof(struct mmfd_create) == 32);
static_assert(sizeof(struct mmfd_op) == 48);
static_assert(sizeof(struct mmfd_ops) == 32);
static_assert(sizeof(struct mmfd_query) == 72);
static_assert(sizeof(struct mmfd_vcpu_create) == 32);
static_assert(sizeof(struct mmfd_xstate) == 16);
static_assert(sizeof(struct mmfd_regs) == 184);
static_assert(sizeof(struct mmfd_run) == 440);
static_assert(offsetof(struct mmfd_run, reason) == 32);
static_assert(offsetof(struct mmfd_run, addr) == 96);
static_assert(offsetof(struct mmfd_run, regs) == 256);
static_assert(sizeof(struct mmfd_run) <= PAGE_SIZE);

static long mmfd_create(struct mmfd_create __user *ucreate)
{
	struct mmfd_create create;

	if (copy_from_user(&create, ucreate, sizeof(create)))
		return -EFAULT;
	if (create.flags & ~(MMFD_CREATE_CLOEXEC | MMFD_CREATE_COPY))
		return -EINVAL;
	if (memchr_inv(create.reserved, 0, sizeof(create.reserved)))
		return -EINVAL;
	return mmfd_space_create(create.flags);
}

static long mmfd_dev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case MMFD_ABI:
		return arg ? -EINVAL : MMFD_ABI_VERSION;
	case MMFD_CREATE:
		return mmfd_create((void __user *)arg);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations mmfd_dev_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= mmfd_dev_ioctl,
	.llseek		= noop_llseek,
};

static struct miscdevice mmfd_dev = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "mmfd",
	.fops	= &mmfd_dev_fops,
	.mode	= 0600,
};

builtin_misc_device(mmfd_dev);
