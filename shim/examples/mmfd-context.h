/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For the examples of libmmfd that switch in a signal handler: what a program has
 * in registers, in and out of the frame of the handler that interrupted it.
 */
#ifndef _MMFD_CONTEXT_H
#define _MMFD_CONTEXT_H

#include <stdint.h>
#include <string.h>
#include <ucontext.h>

/* Enough for every processor of today without AMX, of which nobody here makes use */
#define XSTATE_MAX 4096

/* Of the kernel's struct _fpx_sw_bytes and struct _xstate, <asm/sigcontext.h> */
#define XSTATE_MAGIC_AT 464
#define XSTATE_SIZE_AT	468
#define XSTATE_BITS_AT	512
#define XSTATE_MAGIC	0x46505853

/**
 * struct context - registers of an interrupted program
 * @regs: general registers, flags, selectors
 * @xstate: FPU and vector registers, as far as the frame has them
 */
struct context {
	gregset_t regs;
	unsigned char xstate[XSTATE_MAX];
};

static inline uint32_t xstate_word(const void *xstate, size_t at)
{
	uint32_t word;

	memcpy(&word, (const char *)xstate + at, sizeof(word));
	return word;
}

/* Bytes of FPU state in the frame; 0 if there are more than fit. */
static inline size_t xstate_size(const ucontext_t *frame)
{
	const void *xstate = frame->uc_mcontext.fpregs;
	size_t size;

	if (!xstate)
		return 0;
	if (xstate_word(xstate, XSTATE_MAGIC_AT) != XSTATE_MAGIC)
		return XSTATE_BITS_AT;
	size = xstate_word(xstate, XSTATE_SIZE_AT);
	return size <= XSTATE_MAX ? size : 0;
}

/* Return: whether it fits. */
static inline int context_save(struct context *context, const ucontext_t *frame)
{
	size_t size = xstate_size(frame);

	memcpy(context->regs, frame->uc_mcontext.gregs, sizeof(gregset_t));
	memcpy(context->xstate, frame->uc_mcontext.fpregs, size);
	return size > 0;
}

/* @context is one that was saved in this process. */
static inline void context_load(const struct context *context,
				ucontext_t *frame)
{
	memcpy(frame->uc_mcontext.gregs, context->regs, sizeof(gregset_t));
	memcpy(frame->uc_mcontext.fpregs, context->xstate, xstate_size(frame));
}

/* Registers for a function: nothing of the interrupted program is in them. */
static inline void context_start(ucontext_t *frame, uintptr_t function,
				 uintptr_t stack_end, long arg)
{
	struct _libc_fpstate *fpu = frame->uc_mcontext.fpregs;
	greg_t *regs = frame->uc_mcontext.gregs;
	greg_t selectors = regs[REG_CSGSFS];
	uint64_t none = 0;

	memset(regs, 0, sizeof(gregset_t));
	regs[REG_CSGSFS] = selectors;
	regs[REG_EFL] = 0x202;
	regs[REG_RIP] = function;
	regs[REG_RSP] = stack_end - sizeof(long);
	regs[REG_RDI] = arg;
	if (xstate_word(fpu, XSTATE_MAGIC_AT) == XSTATE_MAGIC)
		memcpy((char *)fpu + XSTATE_BITS_AT, &none, sizeof(none));
	memset(fpu->_st, 0, sizeof(fpu->_st));
	memset(fpu->_xmm, 0, sizeof(fpu->_xmm));
	fpu->cwd = 0x37f;
	fpu->swd = 0;
	fpu->ftw = 0;
	fpu->mxcsr = 0x1f80;
}

#endif /* _MMFD_CONTEXT_H */
