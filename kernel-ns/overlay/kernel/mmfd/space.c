// SPDX-License-Identifier: GPL-2.0
/*
 * The address space object and its descriptor.
 */
#include <linux/anon_inodes.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "mmfd.h"

/* Protects signal_struct::mmfd_spaces. Taken under task_lock(). */
static DEFINE_SPINLOCK(mmfd_spaces_lock);

/**
 * mmfd_idle_pages - What a process has in address spaces that no task runs in
 * @task:	A task of the process, whose task_lock() is held
 *
 * For the OOM killer. It goes by who made the address space: descriptors may be
 * anywhere, but mostly they are there still.
 *
 * Return: Pages, in memory and swapped out, and of page tables.
 */
unsigned long mmfd_idle_pages(struct task_struct *task)
{
	struct hlist_head *spaces = &task->signal->mmfd_spaces;
	unsigned long pages = 0;
	struct mmfd_space *space;

	if (likely(hlist_empty(spaces)))
		return 0;
	guard(spinlock)(&mmfd_spaces_lock);
	hlist_for_each_entry(space, spaces, by_creator)
		pages += get_mm_rss_sum(space->mm) +
			 get_mm_counter_sum(space->mm, MM_SWAPENTS) +
			 mm_pgtables_bytes(space->mm) / PAGE_SIZE;
	return pages;
}

/* Memory is charged by mm->owner: to the process that made the address space. */
static void mmfd_set_owner(struct mm_struct *mm, struct task_struct *task)
{
#ifdef CONFIG_MEMCG
	rcu_assign_pointer(mm->owner, task);
#endif
}

static void mmfd_space_free_rcu(struct rcu_head *rcu)
{
	struct mmfd_space *space = container_of(rcu, struct mmfd_space, rcu);

	put_task_struct(space->creator);
	kfree(space);
}

static void mmfd_space_free(struct mmfd_space *space)
{
	struct mm_struct *mm = space->mm;

	scoped_guard(spinlock, &mmfd_spaces_lock)
		hlist_del(&space->by_creator);
	/*
	 * Somebody who looks at the address space, swapoff() for one, may keep
	 * it a little longer and ask for its owner, under RCU.
	 */
	mmgrab(mm);
	mmput(mm);
	mmfd_set_owner(mm, NULL);
	mmdrop(mm);
	call_rcu(&space->rcu, mmfd_space_free_rcu);
}

/**
 * mmfd_space_put - Drop a reference
 * @space:	The address space
 *
 * Context: Process context, not inside @space. May sleep.
 */
void mmfd_space_put(struct mmfd_space *space)
{
	if (refcount_dec_and_test(&space->refs))
		mmfd_space_free(space);
}

static int mmfd_space_release(struct inode *inode, struct file *file)
{
	mmfd_space_put(file->private_data);
	return 0;
}

static long mmfd_space_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct mmfd_space *space = file->private_data;

	switch (cmd) {
	case MMFD_OPS:
		return mmfd_space_ops(space, (void __user *)arg);
	case MMFD_QUERY:
		return mmfd_space_query(space, (void __user *)arg);
	case MMFD_VCPU_CREATE:
		return mmfd_vcpu_create(space, (void __user *)arg);
	default:
		return -ENOTTY;
	}
}

#ifdef CONFIG_PROC_FS
static void mmfd_space_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct mmfd_space *space = file->private_data;
	struct mm_struct *mm = space->mm;

	seq_printf(m, "mmfd-size:\t%lu kB\n",
		   READ_ONCE(mm->total_vm) << (PAGE_SHIFT - 10));
	seq_printf(m, "mmfd-rss:\t%lu kB\n", get_mm_rss_sum(mm) << (PAGE_SHIFT - 10));
	seq_printf(m, "mmfd-maps:\t%d\n", READ_ONCE(mm->map_count));
}
#endif

static const struct file_operations mmfd_space_fops = {
	.release	= mmfd_space_release,
	.unlocked_ioctl	= mmfd_space_ioctl,
	.llseek		= noop_llseek,
#ifdef CONFIG_PROC_FS
	.show_fdinfo	= mmfd_space_show_fdinfo,
#endif
};

/*
 * A breakpoint of a uprobe in a copy would have no one to handle it. None can
 * come once the lock has been taken with the flag set.
 */
static bool mmfd_has_uprobes(struct mm_struct *mm)
{
	mmap_write_lock(mm);
	mmap_write_unlock(mm);
	return mm_flags_test(MMF_HAS_UPROBES, mm);
}

static struct mm_struct *mmfd_make_mm(u32 flags)
{
	bool copy = flags & MMFD_CREATE_COPY;
	struct mm_struct *mm;

	mm = copy ? mm_dup_current() : mm_alloc();
	if (!mm)
		return ERR_PTR(-ENOMEM);
	mm_flags_set(MMF_MMFD, mm);
	if (copy && mmfd_has_uprobes(mm)) {
		mmput(mm);
		return ERR_PTR(-EOPNOTSUPP);
	}
	/* Pages are merged if the caller's are, in what is copied only. */
	if (!copy)
		mm_flags_clear(MMF_VM_MERGE_ANY, mm);
	mm->task_size = TASK_SIZE;
	return mm;
}

/**
 * mmfd_space_create - Make an address space and a descriptor for it
 * @flags:	MMFD_CREATE_*, checked
 *
 * Context: Process context at home. May sleep.
 * Return: The descriptor, or -ENOMEM, -EMFILE, -ENFILE, or -EOPNOTSUPP if a
 * process with uprobes wants a copy of itself.
 */
int mmfd_space_create(u32 flags)
{
	struct mmfd_space *space;
	struct mm_struct *mm;
	int fd;

	space = kzalloc_obj(*space, GFP_KERNEL_ACCOUNT);
	if (!space)
		return -ENOMEM;
	mm = mmfd_make_mm(flags);
	if (IS_ERR(mm)) {
		kfree(space);
		return PTR_ERR(mm);
	}
	refcount_set(&space->refs, 1);
	mutex_init(&space->lock);
	space->mm = mm;
	space->creator = get_task_struct(current->group_leader);
	mmfd_set_owner(mm, space->creator);
	lru_gen_add_mm(mm);
	scoped_guard(spinlock, &mmfd_spaces_lock)
		hlist_add_head(&space->by_creator, &current->signal->mmfd_spaces);

	fd = anon_inode_getfd("[mmfd]", &mmfd_space_fops, space,
			      O_RDWR | (flags & MMFD_CREATE_CLOEXEC ? O_CLOEXEC : 0));
	if (fd < 0)
		mmfd_space_put(space);
	return fd;
}
