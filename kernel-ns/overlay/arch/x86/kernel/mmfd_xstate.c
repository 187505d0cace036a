// SPDX-License-Identifier: GPL-2.0
/*
 * mmfd: the FPU, SSE and AVX registers of a virtual CPU.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <asm/fpu/api.h>
#include <asm/mmfd.h>

/**
 * arch_mmfd_init - Make the processor state of a virtual CPU
 * @arch:	Zeroed
 * @own_xstate:	Whether its FPU registers are not those of home
 *
 * Return: 0 or -ENOMEM.
 */
int arch_mmfd_init(struct mmfd_arch *arch, bool own_xstate)
{
	if (!own_xstate)
		return 0;
	arch->fpstate = fpu_alloc_user_fpstate();
	return arch->fpstate ? 0 : -ENOMEM;
}

/**
 * arch_mmfd_destroy - Free it
 * @arch:	Of a virtual CPU that nobody is inside of
 */
void arch_mmfd_destroy(struct mmfd_arch *arch)
{
	fpu_free_user_fpstate(arch->fpstate);
}

/* Return: How many bytes go to or come from user space, or an error. */
static long mmfd_xstate_size(const struct mmfd_arch *arch, u32 size)
{
	u32 need;

	if (!arch->fpstate)
		return -EOPNOTSUPP;
	need = fpu_user_fpstate_size(arch->fpstate);
	if (!need)
		return -EOPNOTSUPP;
	if (size < need)
		return -ENOSPC;
	return need;
}

/**
 * arch_mmfd_get_xstate - Copy a guest's FPU registers to user space
 * @arch:	Of a virtual CPU that nobody can enter meanwhile
 * @buf:	Gets them, as the regset NT_X86_XSTATE
 * @size:	Room there, in bytes
 *
 * Context: Process context. May sleep.
 * Return: How many bytes these are; or -ENOSPC if there is not room enough, -EFAULT,
 * -ENOMEM, -EOPNOTSUPP if the registers are home's or the processor has no XSAVE.
 */
long arch_mmfd_get_xstate(struct mmfd_arch *arch, void __user *buf, u32 size)
{
	long len = mmfd_xstate_size(arch, size);
	void *copy;

	if (len < 0)
		return len;
	copy = kvzalloc(len, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	fpu_copy_user_fpstate_to_uabi(arch->fpstate, copy);
	if (copy_to_user(buf, copy, len))
		len = -EFAULT;
	kvfree(copy);
	return len;
}

/**
 * arch_mmfd_set_xstate - Copy a guest's FPU registers from user space
 * @arch:	Of a virtual CPU that nobody can enter meanwhile
 * @buf:	Has them, as the regset NT_X86_XSTATE
 * @size:	How much there is, in bytes
 *
 * Context: Process context. May sleep.
 * Return: 0; or -EINVAL if the processor cannot have such registers, or else as
 * arch_mmfd_get_xstate(); nothing has changed then.
 */
long arch_mmfd_set_xstate(struct mmfd_arch *arch, const void __user *buf, u32 size)
{
	long ret = mmfd_xstate_size(arch, size);
	void *copy;

	if (ret < 0)
		return ret;
	copy = vmemdup_user(buf, ret);
	if (IS_ERR(copy))
		return PTR_ERR(copy);
	ret = fpu_copy_uabi_to_user_fpstate(arch->fpstate, copy);
	kvfree(copy);
	return ret;
}
