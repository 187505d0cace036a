/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hooks of mmfd: signal handlers that run in another address space than the code
 * they interrupt.
 *
 * A task names the address space that is its home; handlers with SA_IN_MM run
 * there from then on. While its home is another one, the task is away.
 */
#ifndef _LINUX_MMFD_SIGNAL_H
#define _LINUX_MMFD_SIGNAL_H

#include <linux/sched.h>
#include <linux/types.h>

struct pt_regs;

/**
 * struct mmfd_sigframe - What a signal frame says of another address space
 * @fd:		Number of its descriptor
 * @fs_base:	FS base of the code there
 * @gs_base:	GS base of the code there
 */
struct mmfd_sigframe {
	s64 fd;
	u64 fs_base;
	u64 gs_base;
};

#ifdef CONFIG_MMFD

bool __mmfd_is_away(void);
int mmfd_signal_begin(void);
void mmfd_signal_end(bool failed);
const struct mmfd_sigframe *__mmfd_sigframe(void);
int mmfd_sigreturn_begin(const struct mmfd_sigframe *to, const struct pt_regs *regs);
int __mmfd_sigreturn_end(struct pt_regs *regs);
void __mmfd_sigreturn_abort(struct pt_regs *regs);
void __mmfd_sigaltmm_exit(void);

/**
 * mmfd_is_away - Whether handlers with SA_IN_MM do not run in current->mm
 */
static inline bool mmfd_is_away(void)
{
	return unlikely(current->mmfd_sigaltmm) && __mmfd_is_away();
}

/**
 * mmfd_sigframe - What to tell in the signal frame that is being made
 *
 * Return: NULL unless it is made in another address space than was interrupted.
 */
static inline const struct mmfd_sigframe *mmfd_sigframe(void)
{
	return unlikely(current->mmfd_sigaltmm) ? __mmfd_sigframe() : NULL;
}

/**
 * mmfd_sigreturn_end - Go there, if it is somewhere else
 * @regs:	Restored registers; those of the call if this fails
 *
 * Return: 0 or a negative error.
 */
static inline int mmfd_sigreturn_end(struct pt_regs *regs)
{
	return unlikely(current->mmfd_sigaltmm) ? __mmfd_sigreturn_end(regs) : 0;
}

/**
 * mmfd_sigreturn_abort - Do not go there, as the frame is bad otherwise
 * @regs:	Those of the call again
 */
static inline void mmfd_sigreturn_abort(struct pt_regs *regs)
{
	if (unlikely(current->mmfd_sigaltmm))
		__mmfd_sigreturn_abort(regs);
}

/**
 * mmfd_sigaltmm_exit - Go home for good, and forget that it has been named
 *
 * For a task that is about to give its address space up, by exit() or exec(). The
 * requests of io_uring have ended before.
 */
static inline void mmfd_sigaltmm_exit(void)
{
	if (unlikely(current->mmfd_sigaltmm))
		__mmfd_sigaltmm_exit();
}

#else /* CONFIG_MMFD */

static inline bool mmfd_is_away(void)
{
	return false;
}

static inline int mmfd_signal_begin(void)
{
	return 0;
}

static inline void mmfd_signal_end(bool failed)
{
}

static inline const struct mmfd_sigframe *mmfd_sigframe(void)
{
	return NULL;
}

static inline int mmfd_sigreturn_begin(const struct mmfd_sigframe *to,
				       const struct pt_regs *regs)
{
	return 0;
}

static inline int mmfd_sigreturn_end(struct pt_regs *regs)
{
	return 0;
}

static inline void mmfd_sigreturn_abort(struct pt_regs *regs)
{
}

static inline void mmfd_sigaltmm_exit(void)
{
}

#endif /* CONFIG_MMFD */

#endif /* _LINUX_MMFD_SIGNAL_H */
