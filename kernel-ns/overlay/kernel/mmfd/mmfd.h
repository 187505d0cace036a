/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of mmfd share.
 */
#ifndef _KERNEL_MMFD_MMFD_H
#define _KERNEL_MMFD_MMFD_H

#include <linux/fs.h>
#include <linux/mmfd.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <uapi/linux/mmfd.h>

#include <asm/mmfd.h>

#define MMFD_PASS_ALL	(MMFD_PASS_GETTIMEOFDAY | MMFD_PASS_CLOCK_GETTIME | \
			 MMFD_PASS_TIME | MMFD_PASS_SETTIMEOFDAY)

/**
 * struct mmfd_space - An address space that is no task's own
 * @refs:	References of descriptors and virtual CPUs
 * @mm:		The address space; one user of it belongs to this object
 * @lock:	Held over a batch of changes; outside of mmap_lock
 * @creator:	Leader of the process that made it, whose cgroup is charged. Kept
 *		until no one can look at mm->owner any more
 * @by_creator:	Among the address spaces that this process has made
 * @rcu:	For the end of it
 */
struct mmfd_space {
	refcount_t		refs;
	struct mm_struct	*mm;
	struct mutex		lock;	/* one batch at a time */
	struct task_struct	*creator;
	struct hlist_node	by_creator;
	struct rcu_head		rcu;
};

/**
 * struct mmfd_vcpu - A virtual CPU
 * @space:	Where it runs; referenced
 * @run:	The page shared with the supervisor, which may write it at any time
 * @pass:	MMFD_PASS_*: calls that may pass
 * @task:	Who is inside, or looks at @arch; NULL, or MMFD_CLOSED once the last
 *		descriptor is gone. What is below belongs to that task
 * @passing:	MMFD_PASS_*: those that need not trap this time
 * @trap:	MMFD_EXIT_* of the exception that is in @run, or 0; go home with it
 *		before returning to user mode
 * @rseq:	current->rseq.event.all at home
 * @rseq_slice:	current->rseq.slice.state.state at home
 * @switches:	Context switches until it went inside
 * @arch:	Registers and other processor state
 */
struct mmfd_vcpu {
	struct mmfd_space	*space;
	struct mmfd_run		*run;
	u32			pass;
	struct task_struct	*task;
	u32			passing;
	u32			trap;
	u64			rseq;
	u16			rseq_slice;
	unsigned long		switches;
	struct mmfd_arch	arch;
};

/* mmfd_vcpu::task: there is no descriptor, so whoever was inside frees it. */
#define MMFD_CLOSED	((struct task_struct *)1)

/**
 * mmfd_vcpu_claim - Be the only one who can change what is inside
 * @vcpu:	The virtual CPU, of a descriptor that is kept open
 *
 * Return: True if so, until mmfd_vcpu_release() or mmfd_vcpu_drop(); false if another
 * task is inside.
 */
static inline bool mmfd_vcpu_claim(struct mmfd_vcpu *vcpu)
{
	/* Pairs with the release of who had it before. */
	return !cmpxchg_acquire(&vcpu->task, NULL, current);
}

/**
 * mmfd_vcpu_release - Let others have it
 * @vcpu:	A virtual CPU that current has claimed, and its descriptor is still open
 */
static inline void mmfd_vcpu_release(struct mmfd_vcpu *vcpu)
{
	/* Pairs with cmpxchg_acquire() in mmfd_vcpu_claim(). */
	smp_store_release(&vcpu->task, NULL);
}

extern const struct file_operations mmfd_vcpu_fops;

/**
 * mmfd_vcpu_of - The virtual CPU of a descriptor
 * @file:	The descriptor's file
 *
 * Return: The virtual CPU, not claimed, or NULL if it is something else.
 */
static inline struct mmfd_vcpu *mmfd_vcpu_of(struct file *file)
{
	return file->f_op == &mmfd_vcpu_fops ? file->private_data : NULL;
}

/* space.c */
int mmfd_space_create(u32 flags);
void mmfd_space_put(struct mmfd_space *space);

/* ops.c */
long mmfd_space_ops(struct mmfd_space *space, struct mmfd_ops __user *uops);
long mmfd_space_query(struct mmfd_space *space, struct mmfd_query __user *uquery);

/* vcpu.c */
long mmfd_vcpu_create(struct mmfd_space *space,
		      struct mmfd_vcpu_create __user *ucreate);
void mmfd_vcpu_drop(struct mmfd_vcpu *vcpu);

/* switch.c */
void mmfd_set_mm(struct mm_struct *mm, struct mm_struct *home);
void mmfd_use_mm(struct mm_struct *mm);
void mmfd_unuse_mm(void);

/* run.c */
void mmfd_leave_syscall(struct mmfd_vcpu *vcpu, struct pt_regs *regs);

#endif /* _KERNEL_MMFD_MMFD_H */
