/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of mmfd share.
 */
#ifndef _KERNEL_MMFD_MMFD_H
#define _KERNEL_MMFD_MMFD_H

#include <linux/mmfd.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <uapi/linux/mmfd.h>

#include <asm/mmfd.h>

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
 * @pass:	MMFD_PASS_*: calls that need not trap
 * @task:	Who is inside, or NULL. Taken by cmpxchg; what is below belongs to
 *		that task
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
	u32			trap;
	u64			rseq;
	u16			rseq_slice;
	unsigned long		switches;
	struct mmfd_arch	arch;
};

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
