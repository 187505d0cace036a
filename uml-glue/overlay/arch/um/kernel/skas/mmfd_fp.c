// SPDX-License-Identifier: GPL-2.0
/*
 * mmfd mode: where a task's FPU registers are.
 *
 * They stay in the virtual CPU that the task ran on last, and are copied from there
 * to uml_pt_regs::fp if somebody wants to see them, or another task is to run there.
 *
 * While thread_struct::fp_vcpu of a task is a virtual CPU, um_vcpu::fp_task of that
 * one is the task, and the registers there are what counts. uml_pt_regs::fp may have
 * the same, or what was long ago. If thread_struct::fp_vcpu is NULL, it is
 * uml_pt_regs::fp that counts.
 *
 * Both pointers change with mm_context::fp_lock held, and are of this one address
 * space: a task lets go of its virtual CPU when it leaves its address space. A task
 * that finds itself at the virtual CPU of the CPU it runs on need not lock, as only
 * tasks that run on the same CPU could take it away.
 */

#include <linux/mm_types.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/spinlock.h>
#include <asm/mmu.h>
#include <registers.h>
#include <um_mmfd.h>

static void *fp_of(struct task_struct *task)
{
	return task->thread.regs.regs.fp;
}

/* The ones below need fp_lock. */

static void detach(struct um_vcpu *vcpu)
{
	WRITE_ONCE(vcpu->fp_task->thread.fp_vcpu, NULL);
	vcpu->fp_task = NULL;
}

static void attach(struct um_vcpu *vcpu, struct task_struct *task)
{
	vcpu->fp_task = task;
	WRITE_ONCE(task->thread.fp_vcpu, vcpu);
}

/* It fails if the virtual CPU runs, and then its task does not need it. */
static void save(struct um_vcpu *vcpu)
{
	int n = os_mmfd_xstate_get(vcpu, fp_of(vcpu->fp_task), host_fp_size);

	WARN_ONCE(n < 0, "mmfd: FPU registers cannot be read: error %d\n", n);
}

/**
 * __mmfd_fp_load() - Have current's registers in a virtual CPU
 * @vcpu:	that of the current CPU, in current's address space
 *
 * Return: 0, or -EINVAL if no processor can have such registers; they are what a new
 * program has then.
 */
int __mmfd_fp_load(struct um_vcpu *vcpu)
{
	struct um_vcpu *old;
	int n;

	guard(spinlock)(&current->mm->context.fp_lock);

	old = current->thread.fp_vcpu;
	if (old) {
		save(old);
		detach(old);
	}
	if (vcpu->fp_task) {
		save(vcpu->fp_task->thread.fp_vcpu);
		detach(vcpu);
	}

	n = os_mmfd_xstate_set(vcpu, fp_of(current), host_fp_size);
	if (n >= 0) {
		attach(vcpu, current);
		return 0;
	}
	memcpy(fp_of(current), exec_fp_regs, host_fp_size);
	return -EINVAL;
}

void __mmfd_fp_save(struct task_struct *task)
{
	if (!task->mm)
		return;

	guard(spinlock)(&task->mm->context.fp_lock);
	if (task->thread.fp_vcpu)
		save(task->thread.fp_vcpu);
}

void __mmfd_fp_drop(struct task_struct *task)
{
	if (!task->mm)
		return;

	guard(spinlock)(&task->mm->context.fp_lock);
	if (task->thread.fp_vcpu)
		detach(task->thread.fp_vcpu);
}
