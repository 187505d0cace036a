// SPDX-License-Identifier: GPL-2.0
/*
 * Another address space for the current task, for a while.
 *
 * task->mmfd_home and task->mm change together in task->mmfd_seq, so that who asks
 * for the address space of a task from outside gets home all the time.
 */
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/mmu_context.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>

#include "mmfd.h"

/**
 * mmfd_set_mm - Change the address space that is the current one
 * @mm:	The address space
 * @home: The task's own; NULL if that is @mm
 *
 * No interrupt, so no flush of a TLB, may see half of it.
 *
 * Context: Process context, interrupts off. A caller who goes home calls
 * membarrier_mm_sync_core_before_usermode() before it returns to user mode.
 */
void mmfd_set_mm(struct mm_struct *mm, struct mm_struct *home)
{
	struct task_struct *tsk = current;
	struct mm_struct *old = tsk->mm;

	lockdep_assert_irqs_disabled();
	raw_write_seqcount_begin(&tsk->mmfd_seq);
	WRITE_ONCE(tsk->mmfd_home, home);
	tsk->active_mm = mm;
	WRITE_ONCE(tsk->mm, mm);
	raw_write_seqcount_end(&tsk->mmfd_seq);
	membarrier_update_current_mm(mm);
	/*
	 * The write of CR3 is the barrier that membarrier() needs between the
	 * store to tsk->mm and an access to user memory.
	 */
	switch_mm_irqs_off(old, mm, tsk);
	lru_gen_use_mm(mm);
}

/**
 * mmfd_use_mm - Make an address space the current one
 * @mm:	The address space; the caller holds a reference until mmfd_unuse_mm()
 *
 * Does not nest. The task may sleep in between, but must not return to user mode
 * other than as a guest. It stays a user of home, and of nothing else.
 *
 * Context: Process context at home, preemption enabled.
 */
void mmfd_use_mm(struct mm_struct *mm)
{
	WARN_ON_ONCE(current->mmfd_home);
	guard(irq)();
	mmfd_set_mm(mm, current->mm);
}

/**
 * mmfd_unuse_mm - Go back to the task's own address space
 *
 * Context: Process context after mmfd_use_mm(), preemption enabled.
 */
void mmfd_unuse_mm(void)
{
	struct mm_struct *home = current->mmfd_home;

	scoped_guard(irq)
		mmfd_set_mm(home, NULL);
	membarrier_mm_sync_core_before_usermode(home);
}
