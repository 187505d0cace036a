// SPDX-License-Identifier: GPL-2.0
/* Handlers that run in another address space, and the frames they get. */
#include <errno.h>
#include <stddef.h>
#include <ucontext.h>

#include "internal.h"

/* The bit of uc_flags that says that a frame names an address space. */
#define UC_MM 0x8UL

/* 5.11 and later clear it, and what they do not know; before, all is kept. */
#ifndef SA_UNSUPPORTED
#define SA_UNSUPPORTED 0x400
#endif

/* Where a frame has it: elements of the kernel's sigcontext.reserved1 */
enum {
	FRAME_SPACE,
	FRAME_FS_BASE,
	FRAME_GS_BASE,
};

_Static_assert(offsetof(ucontext_t, uc_mcontext.__reserved1) == 40 + 24 * 8,
	       "it is behind 23 registers and the address of the FPU's");

static bool names_space(const ucontext_t *frame)
{
	return frame->uc_flags & UC_MM;
}

int mmfd_frame_space(const void *ucontext)
{
	const ucontext_t *frame = ucontext;

	if (!names_space(frame))
		return -1;
	return frame->uc_mcontext.__reserved1[FRAME_SPACE];
}

int mmfd_frame_bases(const void *ucontext, uint64_t *fs_base, uint64_t *gs_base)
{
	const ucontext_t *frame = ucontext;

	if (!names_space(frame))
		return -ENOENT;
	*fs_base = frame->uc_mcontext.__reserved1[FRAME_FS_BASE];
	*gs_base = frame->uc_mcontext.__reserved1[FRAME_GS_BASE];
	return 0;
}

void mmfd_frame_set_space(void *ucontext, int space, uint64_t fs_base,
			  uint64_t gs_base)
{
	ucontext_t *frame = ucontext;
	mcontext_t *context = &frame->uc_mcontext;

	if (space < 0) {
		frame->uc_flags &= ~UC_MM;
		return;
	}
	frame->uc_flags |= UC_MM;
	context->__reserved1[FRAME_SPACE] = space;
	context->__reserved1[FRAME_FS_BASE] = fs_base;
	context->__reserved1[FRAME_GS_BASE] = gs_base;
}

/* Of the action that is now set with both flags. */
static bool took_flag(int signo)
{
	struct sigaction now;

	if (sigaction(signo, NULL, &now))
		return false;
	return now.sa_flags & SA_IN_MM && !(now.sa_flags & SA_UNSUPPORTED);
}

int mmfd_sigaction(int signo, const struct sigaction *action,
		   struct sigaction *old)
{
	struct sigaction new = *action, before;

	new.sa_flags |= SA_IN_MM | SA_ONSTACK | SA_UNSUPPORTED;
	if (sigaction(signo, &new, &before))
		return -errno;
	if (!took_flag(signo)) {
		sigaction(signo, &before, NULL);
		return -EOPNOTSUPP;
	}
	if (old)
		*old = before;
	return 0;
}
