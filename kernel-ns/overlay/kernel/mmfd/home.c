// SPDX-License-Identifier: GPL-2.0
/*
 * MMFD_SWITCH: another address space becomes the task's own, its home.
 *
 * What a task has registered by address stays registered, at the same address of
 * the new home. What the kernel keeps for a task and means the old one makes the
 * task stay where it is.
 */
#include <linux/mm.h>
#include <linux/rseq.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/uprobes.h>

#include "mmfd.h"

/*
 * Threads share an address space, and the parent of vfork() lends its own. A thread
 * that has been joined may still be on its way out.
 */
static bool mmfd_shares_home(void)
{
	struct task_struct *t;

	if (current->vfork_done)
		return true;
	if (thread_group_empty(current))
		return false;
	guard(rcu)();
	for_other_threads(current, t) {
		if (!(READ_ONCE(t->flags) & PF_EXITING))
			return true;
	}
	return false;
}

static bool mmfd_has_uprobes(void)
{
	if (mm_flags_test(MMF_HAS_UPROBES, current->mm))
		return true;
#ifdef CONFIG_UPROBES
	return current->utask &&
	       (current->utask->active_uprobe || current->utask->return_instances);
#else
	return false;
#endif
}

/* Completions are copied to the address space that is current when they come. */
static bool mmfd_has_io_uring(void)
{
#ifdef CONFIG_IO_URING
	return current->io_uring;
#else
	return false;
#endif
}

/* Bits to be set in user memory when somebody listens */
static bool mmfd_has_user_events(void)
{
#ifdef CONFIG_USER_EVENTS
	return current->user_event_mm;
#else
	return false;
#endif
}

static bool mmfd_has_pasid(void)
{
#ifdef CONFIG_ARCH_HAS_CPU_PASID
	return current->pasid_activated;
#else
	return false;
#endif
}

/**
 * mmfd_check_leave - Whether current can leave its home
 *
 * Return: 0, -EUSERS if it has it in common with other threads, or with its parent
 * after vfork(), or -EOPNOTSUPP if the kernel keeps something that refers to it:
 * uprobes, io_uring, events of user_events, an activated PASID.
 */
int mmfd_check_leave(void)
{
	if (mmfd_shares_home())
		return -EUSERS;
	if (mmfd_has_uprobes() || mmfd_has_io_uring() || mmfd_has_user_events() ||
	    mmfd_has_pasid())
		return -EOPNOTSUPP;
	return 0;
}

/**
 * mmfd_check_enter - Whether an address space can be current's home
 * @mm:	The address space
 *
 * Return: 0, -EPERM if current may not make memory executable that it has written,
 * and would get round that, or -ESTALE if the OOM killer has taken what was there.
 */
int mmfd_check_enter(struct mm_struct *mm)
{
	if (mm_flags_test(MMF_HAS_MDWE, current->mm) &&
	    !mm_flags_test(MMF_HAS_MDWE, mm))
		return -EPERM;
	if (mm_flags_test(MMF_OOM_SKIP, mm) || mm_flags_test(MMF_UNSTABLE, mm))
		return -ESTALE;
	return 0;
}

/*
 * The area that rseq has registered is in the new home as well, at the same
 * address, but may have been copied some time ago. The kernel checks that it says
 * what was written last; so take it at its word, and write anew.
 */
static void mmfd_rseq_moved(void)
{
#ifdef CONFIG_RSEQ
	struct rseq __user *urseq = current->rseq.usrptr;
	struct rseq_ids ids;

	if (!current->rseq.event.has_rseq)
		return;
	if (!get_user(ids.cpu_id, &urseq->cpu_id) &&
	    !get_user(ids.mm_cid, &urseq->mm_cid) &&
	    !get_user(ids.node_id, &urseq->node_id)) {
		guard(irqsave)();
		current->rseq.ids = ids;
	}
	rseq_force_update();
#endif
}

/**
 * mmfd_move - Make an address space current's home
 * @space:	The address space, checked
 *
 * Context: Process context at home. May sleep.
 * Return: 0 or -EBUSY, see mmfd_move_mm().
 */
int mmfd_move(struct mmfd_space *space)
{
	int err = mmfd_move_mm(space->mm);

	if (err)
		return err;
	/* The process that has made it is one of several, perhaps. */
	if (atomic_read(&space->mm->mm_users) > 2)
		mm_flags_set(MMF_MULTIPROCESS, space->mm);
	mmfd_rseq_moved();
	return 0;
}

/**
 * mmfd_space_switch - Make an address space current's home, for user code
 * @space:	The address space
 *
 * Context: Process context at home. May sleep.
 * Return: 0, also if it is home already; -EUSERS, -EOPNOTSUPP, -EPERM, -ESTALE,
 * see mmfd_check_leave(), arch_mmfd_check_move() and mmfd_check_enter(); -EBUSY,
 * see mmfd_move_mm().
 */
long mmfd_space_switch(struct mmfd_space *space)
{
	int err;

	if (space->mm == current->mm)
		return 0;
	err = mmfd_check_leave();
	if (!err)
		err = arch_mmfd_check_move();
	if (!err)
		err = mmfd_check_enter(space->mm);
	return err ?: mmfd_move(space);
}
