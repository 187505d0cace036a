/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hooks of mmfd: where a task that runs user code in another address space
 * differs from others. That code is the guest, the task's own side is home.
 *
 * A task is inside from mmfd_run() until the guest traps. Inside, current->mm is
 * the guest's address space and task_pt_regs() are its registers. Whatever is not
 * a page fault, an interrupt or a context switch happens at home.
 */
#ifndef _LINUX_MMFD_H
#define _LINUX_MMFD_H

#include <linux/sched.h>
#include <linux/seqlock.h>
#include <linux/thread_info.h>

struct kernel_siginfo;
struct mm_struct;
struct pt_regs;

#ifdef CONFIG_MMFD

bool mmfd_syscall_enter(struct pt_regs *regs, unsigned long work);
bool mmfd_syscall_exit(struct pt_regs *regs);
void mmfd_exit_work(struct pt_regs *regs);
bool mmfd_divert_signal(struct kernel_siginfo *info);
void __mmfd_task_exit(void);
unsigned long mmfd_idle_pages(struct task_struct *task);

/**
 * mmfd_inside - Whether current runs a guest
 */
static __always_inline bool mmfd_inside(void)
{
	return READ_ONCE(current_thread_info()->syscall_work) & SYSCALL_WORK_MMFD;
}

/**
 * mmfd_task_mm - The address space that is the task's own
 * @task: A task
 *
 * May be called from anywhere but an NMI. Unless task_lock() is held, or @task is
 * current, it is as stale as a read of task->mm would be.
 *
 * Return: task->mm, but home while @task works in another address space.
 */
static inline struct mm_struct *mmfd_task_mm(const struct task_struct *task)
{
	struct mm_struct *mm;
	unsigned int seq;

	do {
		seq = raw_read_seqcount_begin(&task->mmfd_seq);
		mm = READ_ONCE(task->mmfd_home) ?: READ_ONCE(task->mm);
	} while (read_seqcount_retry(&task->mmfd_seq, seq));
	return mm;
}

/**
 * mmfd_task_init - A new task is not inside
 * @task: The task, a copy of current
 */
static inline void mmfd_task_init(struct task_struct *task)
{
	task->mmfd_vcpu = NULL;
	task->mmfd_home = NULL;
	seqcount_init(&task->mmfd_seq);
	clear_task_syscall_work(task, MMFD);
}

/**
 * mmfd_task_exit - Go home for good
 *
 * For a task that dies without having returned to user mode.
 */
static inline void mmfd_task_exit(void)
{
	if (unlikely(current->mmfd_home))
		__mmfd_task_exit();
}

#else /* CONFIG_MMFD */

static __always_inline bool mmfd_inside(void)
{
	return false;
}

static inline bool mmfd_syscall_enter(struct pt_regs *regs, unsigned long work)
{
	return true;
}

static inline bool mmfd_syscall_exit(struct pt_regs *regs)
{
	return true;
}

static inline void mmfd_exit_work(struct pt_regs *regs)
{
}

static inline bool mmfd_divert_signal(struct kernel_siginfo *info)
{
	return false;
}

static inline struct mm_struct *mmfd_task_mm(const struct task_struct *task)
{
	return READ_ONCE(task->mm);
}

static inline unsigned long mmfd_idle_pages(struct task_struct *task)
{
	return 0;
}

static inline void mmfd_task_init(struct task_struct *task)
{
}

static inline void mmfd_task_exit(void)
{
}

#endif /* CONFIG_MMFD */

#endif /* _LINUX_MMFD_H */
