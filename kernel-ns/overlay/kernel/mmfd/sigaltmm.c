// SPDX-License-Identifier: GPL-2.0
/*
 * MMFD_SIGALTMM: signal handlers in another address space than they interrupt.
 *
 * A supervisor names its own address space. Code that it then lets run in another
 * one is not trusted: what that code has in its registers decides neither where
 * the frame of a signal is written nor where a handler returns to. And what the
 * supervisor has registered with the kernel by address is out of its reach.
 *
 * A task that is away is single threaded: it has been so at home, and cannot make
 * threads.
 */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/futex.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/mmfd_signal.h>
#include <linux/ptrace.h>
#include <linux/restart_block.h>
#include <linux/rseq.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/slab.h>

#include "mmfd.h"

/**
 * struct mmfd_away - What a task has at home, while it is away
 * @rseq:		task_struct::rseq
 * @robust_list:	task_struct::futex.robust_list
 * @compat_robust_list:	task_struct::futex.compat_robust_list
 * @clear_child_tid:	task_struct::clear_child_tid
 * @sas_ss_sp:		task_struct::sas_ss_sp
 * @sas_ss_size:	task_struct::sas_ss_size
 * @sas_ss_flags:	task_struct::sas_ss_flags
 * @bases:		FS and GS base
 */
struct mmfd_away {
	struct rseq_data		rseq;
#ifdef CONFIG_FUTEX
	struct robust_list_head __user	*robust_list;
#ifdef CONFIG_COMPAT
	struct compat_robust_list_head __user *compat_robust_list;
#endif
#endif
	int __user			*clear_child_tid;
	unsigned long			sas_ss_sp;
	size_t				sas_ss_size;
	unsigned int			sas_ss_flags;
	struct mmfd_bases		bases;
};

/**
 * struct mmfd_sigaltmm - Where a task's handlers with SA_IN_MM run
 * @space:	The address space; referenced. current->mm is another one if and only
 *		if @is_away
 * @is_away:	@home is valid
 * @fd:		While away: number of the descriptor which the task got there by
 * @home:	What it has at home, while away
 * @back:	While a frame is made: the address space that was interrupted; used
 * @frame:	While a frame is made: what to say about that
 * @pkru:	While a frame is made: of the code that was interrupted
 * @next:	While a frame is restored: where to go; referenced
 * @to:		While a frame is restored: what it says about that
 * @regs:	While a frame is restored: registers of the call
 *
 * Belongs to one task, and only that looks at it.
 */
struct mmfd_sigaltmm {
	struct mmfd_space	*space;
	bool			is_away;
	s64			fd;
	struct mmfd_away	home;
	struct mm_struct	*back;
	struct mmfd_sigframe	frame;
	u32			pkru;
	struct mmfd_space	*next;
	struct mmfd_sigframe	to;
	struct pt_regs		regs;
};

/* ---- what is at home only ---- */

static void mmfd_hide_rseq(struct mmfd_away *home)
{
#ifdef CONFIG_RSEQ
	guard(irqsave)();
	home->rseq = current->rseq;
	rseq_reset(current);
#endif
}

static void mmfd_show_rseq(struct mmfd_away *home)
{
#ifdef CONFIG_RSEQ
	guard(irqsave)();
	current->rseq = home->rseq;
	rseq_force_update();
#endif
}

static void mmfd_hide_futexes(struct mmfd_away *home)
{
#ifdef CONFIG_FUTEX
	home->robust_list = current->futex.robust_list;
	current->futex.robust_list = NULL;
#ifdef CONFIG_COMPAT
	home->compat_robust_list = current->futex.compat_robust_list;
	current->futex.compat_robust_list = NULL;
#endif
#endif
}

static void mmfd_show_futexes(struct mmfd_away *home)
{
#ifdef CONFIG_FUTEX
	current->futex.robust_list = home->robust_list;
#ifdef CONFIG_COMPAT
	current->futex.compat_robust_list = home->compat_robust_list;
#endif
#endif
}

/* current->mm is another one now; @bases are home's. */
static void mmfd_hide(struct mmfd_sigaltmm *alt, const struct mmfd_bases *bases, s64 fd)
{
	struct mmfd_away *home = &alt->home;

	mmfd_hide_rseq(home);
	mmfd_hide_futexes(home);
	home->clear_child_tid = current->clear_child_tid;
	current->clear_child_tid = NULL;
	home->sas_ss_sp = current->sas_ss_sp;
	home->sas_ss_size = current->sas_ss_size;
	home->sas_ss_flags = current->sas_ss_flags;
	sas_ss_reset(current);
	home->bases = *bases;
	alt->fd = fd;
	alt->is_away = true;
}

/* current->mm is home again. What was registered elsewhere meanwhile is forgotten. */
static void mmfd_show(struct mmfd_sigaltmm *alt)
{
	struct mmfd_away *home = &alt->home;

	alt->is_away = false;
	mmfd_show_rseq(home);
	mmfd_show_futexes(home);
	current->clear_child_tid = home->clear_child_tid;
	current->sas_ss_sp = home->sas_ss_sp;
	current->sas_ss_size = home->sas_ss_size;
	current->sas_ss_flags = home->sas_ss_flags;
}

/* ---- MMFD_SIGALTMM and MMFD_SWITCH ---- */

static int mmfd_sigaltmm_set(struct mmfd_space *space)
{
	struct mmfd_sigaltmm *alt = current->mmfd_sigaltmm;
	int err;

	if (alt && alt->is_away)
		return -EBUSY;
	if (space->mm != current->mm)
		return -EINVAL;
	if (alt)
		return 0;
	err = mmfd_check_leave() ?: arch_mmfd_check_move();
	if (err)
		return err;
	alt = kzalloc_obj(*alt, GFP_KERNEL_ACCOUNT);
	if (!alt)
		return -ENOMEM;
	refcount_inc(&space->refs);
	alt->space = space;
	current->mmfd_sigaltmm = alt;
	return 0;
}

static void mmfd_sigaltmm_free(void)
{
	struct mmfd_sigaltmm *alt = current->mmfd_sigaltmm;

	current->mmfd_sigaltmm = NULL;
	mmfd_space_put(alt->space);
	kfree(alt);
}

static int mmfd_sigaltmm_clear(struct mmfd_space *space)
{
	struct mmfd_sigaltmm *alt = current->mmfd_sigaltmm;

	if (!alt || alt->space != space)
		return -ENOENT;
	if (alt->is_away)
		return -EBUSY;
	mmfd_sigaltmm_free();
	return 0;
}

/**
 * mmfd_space_sigaltmm - Run current's handlers with SA_IN_MM in an address space
 * @space:	Current's home
 * @arg:	1, or 0 to take it back
 *
 * Context: Process context at home. May sleep.
 * Return: 0, -EINVAL if @space is not current's home, -ENOENT if it is to be taken
 * back and is not the one, -EBUSY if current is away, -ENOMEM; -EUSERS, -EOPNOTSUPP
 * see mmfd_check_leave() and arch_mmfd_check_move().
 */
long mmfd_space_sigaltmm(struct mmfd_space *space, unsigned long arg)
{
	switch (arg) {
	case 0:
		return mmfd_sigaltmm_clear(space);
	case 1:
		return mmfd_sigaltmm_set(space);
	default:
		return -EINVAL;
	}
}

static int mmfd_is_file(const void *p, struct file *file, unsigned int fd)
{
	return file == p ? fd + 1 : 0;
}

/**
 * mmfd_sigaltmm_moved - Current has another home, with registers as they are
 * @file:	The descriptor of the new one
 */
void mmfd_sigaltmm_moved(struct file *file)
{
	struct mmfd_sigaltmm *alt = current->mmfd_sigaltmm;
	struct mmfd_bases bases;
	s64 fd;

	if (likely(!alt))
		return;
	if (alt->space->mm == current->mm) {
		mmfd_show(alt);
		return;
	}
	fd = (s64)iterate_fd(current->files, 0, mmfd_is_file, file) - 1;
	if (alt->is_away) {
		alt->fd = fd;
	} else {
		arch_mmfd_read_bases(&bases);
		mmfd_hide(alt, &bases, fd);
	}
}

bool __mmfd_is_away(void)
{
	return current->mmfd_sigaltmm->is_away;
}

/* ---- delivery ---- */

static int mmfd_come_home(struct mmfd_sigaltmm *alt)
{
	struct mmfd_bases bases;
	int err;

	err = mmfd_move_mm(alt->space->mm);
	if (err)
		return err;
	arch_mmfd_swap_bases(&bases, &alt->home.bases);
	alt->frame.fd = alt->fd;
	alt->frame.fs_base = bases.fs;
	alt->frame.gs_base = bases.gs;
	mmfd_show(alt);
	/* What a call there was about to write when it is resumed is not here. */
	current->restart_block.fn = do_no_restart_syscall;
	return 0;
}

/**
 * mmfd_signal_begin - Go home to make the frame of a signal
 *
 * Context: Process context, current is away. May sleep.
 * Return: 0; the frame has to be at the top of the alternate stack, and
 * mmfd_signal_end() has to follow. Or a negative error, and nothing has changed:
 * -EINVAL if there is no such stack, or those of mmfd_check_leave() and of
 * mmfd_move_mm(), -EOPNOTSUPP if it has a shadow stack.
 */
int mmfd_signal_begin(void)
{
	struct mmfd_sigaltmm *alt = current->mmfd_sigaltmm;
	struct mm_struct *back = current->mm;
	int err;

	if (!alt->home.sas_ss_size)
		return -EINVAL;
	err = mmfd_check_leave() ?: arch_mmfd_check_signal();
	if (err)
		return err;
	mmget(back);
	alt->pkru = arch_mmfd_ops_begin();
	err = mmfd_come_home(alt);
	if (err) {
		mmput(back);
		return err;
	}
	alt->back = back;
	return 0;
}

/* The frame could not be written, so leave things as they were. */
static void mmfd_go_back(struct mmfd_sigaltmm *alt)
{
	struct mmfd_bases bases = { alt->frame.fs_base, alt->frame.gs_base };
	struct mmfd_bases home;

	if (mmfd_move_mm(alt->back)) {
		/* The registers do not belong here. */
		force_fatal_sig(SIGKILL);
		return;
	}
	arch_mmfd_swap_bases(&home, &bases);
	arch_mmfd_ops_end(alt->pkru);
	mmfd_hide(alt, &home, alt->frame.fd);
}

/**
 * mmfd_signal_end - The frame has been made
 * @failed:	Or not, and current is where it was before
 *
 * Context: As mmfd_signal_begin().
 */
void mmfd_signal_end(bool failed)
{
	struct mmfd_sigaltmm *alt = current->mmfd_sigaltmm;
	struct mm_struct *back = alt->back;

	if (failed)
		mmfd_go_back(alt);
	alt->back = NULL;
	mmput(back);
}

const struct mmfd_sigframe *__mmfd_sigframe(void)
{
	struct mmfd_sigaltmm *alt = current->mmfd_sigaltmm;

	return alt->back ? &alt->frame : NULL;
}

/* ---- return ---- */

static int mmfd_check_to(struct mmfd_space *space, const struct mmfd_sigframe *to)
{
	if (!arch_mmfd_base_ok(to->fs_base) || !arch_mmfd_base_ok(to->gs_base))
		return -EINVAL;
	if (space->mm == current->mm)
		return 0;
	return mmfd_check_leave() ?: arch_mmfd_check_move() ?:
	       mmfd_check_enter(space->mm);
}

/**
 * mmfd_sigreturn_begin - Check and keep where rt_sigreturn() is to go
 * @to:		What the frame says
 * @regs:	Registers of the call
 *
 * A task that has named no address space may have a frame with registers of
 * another one, too: from before it took that back, or its parent's.
 *
 * Context: Process context. May sleep.
 * Return: 0, and mmfd_sigreturn_end() or mmfd_sigreturn_abort() has to follow. Or a
 * negative error, and nothing of the frame may be restored: -EPERM if handlers with
 * SA_IN_MM do not run in current->mm, -EBADF, -EINVAL if the descriptor is not one of
 * an address space, or a base not canonical, or those of mmfd_space_switch().
 */
int mmfd_sigreturn_begin(const struct mmfd_sigframe *to, const struct pt_regs *regs)
{
	struct mmfd_sigaltmm *alt = current->mmfd_sigaltmm;
	struct mmfd_space *space;
	int err;

	/* It is the supervisor's to say; anybody else has made this up. */
	if (!alt || alt->is_away)
		return -EPERM;
	if (to->fd < 0 || to->fd > INT_MAX)
		return -EBADF;

	CLASS(fd, f)(to->fd);
	if (fd_empty(f))
		return -EBADF;
	space = mmfd_space_of(fd_file(f));
	if (!space)
		return -EINVAL;
	err = mmfd_check_to(space, to);
	if (err)
		return err;
	refcount_inc(&space->refs);
	alt->next = space;
	alt->to = *to;
	alt->regs = *regs;
	return 0;
}

void __mmfd_sigreturn_abort(struct pt_regs *regs)
{
	struct mmfd_sigaltmm *alt = current->mmfd_sigaltmm;

	if (!alt->next)
		return;
	*regs = alt->regs;
	mmfd_space_put(alt->next);
	alt->next = NULL;
}

int __mmfd_sigreturn_end(struct pt_regs *regs)
{
	struct mmfd_sigaltmm *alt = current->mmfd_sigaltmm;
	struct mmfd_bases bases = { alt->to.fs_base, alt->to.gs_base };
	struct mmfd_bases home;
	int err;

	if (!alt->next)
		return 0;
	if (alt->next != alt->space) {
		err = mmfd_move_mm(alt->next->mm);
		if (err)
			return err;
	}
	arch_mmfd_swap_bases(&home, &bases);
	if (alt->next != alt->space)
		mmfd_hide(alt, &home, alt->to.fd);
	mmfd_space_put(alt->next);
	alt->next = NULL;
	return 0;
}

/* ---- end ---- */

void __mmfd_sigaltmm_exit(void)
{
	struct mmfd_sigaltmm *alt = current->mmfd_sigaltmm;

	if (alt->is_away) {
		/* As if it had ended there, and then here. */
		mm_exit_exec_release(current, current->mm);
		if (!mmfd_move_mm(alt->space->mm))
			mmfd_show(alt);
		futex_exec_done(current);
	}
	mmfd_sigaltmm_free();
}
