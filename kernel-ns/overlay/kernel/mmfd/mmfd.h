/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of mmfd share.
 */
#ifndef _KERNEL_MMFD_MMFD_H
#define _KERNEL_MMFD_MMFD_H

#include <linux/mmfd.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <uapi/linux/mmfd.h>

#include <asm/mmfd.h>

#define MMFD_PASS_ALL	(MMFD_PASS_GETTIMEOFDAY | MMFD_PASS_CLOCK_GETTIME | \
			 MMFD_PASS_TIME | MMFD_PASS_SETTIMEOFDAY)

struct file;

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
 * @refs:	References of descriptors, and of the task that is inside
 * @space:	Where it runs; referenced
 * @run:	The page shared with the supervisor, which may write it at any time
 * @pass:	MMFD_PASS_*: calls that may pass
 * @task:	Who is inside, or looks at @arch, or NULL. Taken by cmpxchg; what is
 *		below belongs to that task
 * @passing:	MMFD_PASS_*: those that need not trap this time
 * @trap:	MMFD_EXIT_* of the exception that is in @run, or 0; go home with it
 *		before returning to user mode
 * @rseq:	current->rseq.event.all at home
 * @rseq_slice:	current->rseq.slice.state.state at home
 * @switches:	Context switches until it went inside
 * @arch:	Registers and other processor state
 */
struct mmfd_vcpu {
	refcount_t		refs;
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

/**
 * mmfd_vcpu_claim - Be the only one who can change what is inside
 * @vcpu:	The virtual CPU
 *
 * Return: True if so, until mmfd_vcpu_release(); false if another task is inside.
 */
static inline bool mmfd_vcpu_claim(struct mmfd_vcpu *vcpu)
{
	/* Pairs with smp_store_release() of who had it before. */
	return !cmpxchg_acquire(&vcpu->task, NULL, current);
}

/**
 * mmfd_vcpu_release - Let others have it
 * @vcpu:	A virtual CPU that current has claimed
 */
static inline void mmfd_vcpu_release(struct mmfd_vcpu *vcpu)
{
	/* Pairs with cmpxchg_acquire() in mmfd_vcpu_claim(). */
	smp_store_release(&vcpu->task, NULL);
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
struct mmfd_vcpu *mmfd_vcpu_of(struct file *file);
void mmfd_vcpu_put(struct mmfd_vcpu *vcpu);

/* switch.c */
void mmfd_use_mm(struct mm_struct *mm);
void mmfd_unuse_mm(void);

/* run.c */
void mmfd_leave_syscall(struct mmfd_vcpu *vcpu, struct pt_regs *regs);

#endif /* _KERNEL_MMFD_MMFD_H */
