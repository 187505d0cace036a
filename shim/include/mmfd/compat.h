/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mmfd/compat - historical interfaces to several address spaces, by name
 *
 * new_addr(), fmmap(), fmunmap() and run_sandbox() are the calls that E. W.
 * Biederman proposed in January 2002. They return -1 and set errno, as system
 * calls do, and may be called from several threads at once. An address space is
 * a number that is no descriptor, so that close(2) cannot pull it from under
 * run_sandbox(); after fork(2) those of the parent are refused with ECHILD.
 *
 * new_as() and switch_as() are those of P. Chubb, June 2007: several address spaces
 * for a process, and a switch from one to the next. sigaltmm() is what J. Dike
 * described in August 2002: signal handlers in another address space than the code
 * that they interrupt. They return as the others do.
 */
#ifndef _MMFD_COMPAT_H
#define _MMFD_COMPAT_H

#include <errno.h>
#include <mmfd.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Most address spaces of a process */
#define SANDBOX_MAX 1024

/* sandbox_params::return_reason */
#define SANDBOX_SYSCALL	    MMFD_EXIT_SYSCALL
#define SANDBOX_FAULT	    MMFD_EXIT_FAULT
#define SANDBOX_EXCEPTION   MMFD_EXIT_EXCEPTION
#define SANDBOX_INTERRUPTED MMFD_EXIT_INTERRUPTED

/**
 * struct sandbox_params - how a sandbox is entered, and why it was left
 * @return_reason: set: SANDBOX_*
 * @return_data: set: number of the system call, error code of the page fault,
 *	or vector of the exception; else 0
 * @return_arch: set: AUDIT_ARCH_* of the system call; else 0
 * @return_signal: set: signal that a process would get for a fault or exception;
 *	else 0
 * @return_address: set: address of the page fault; else 0
 * @regs: registers, in and out; @regs.rip is where it begins
 * @eax: @regs.rax: the number of a call on the way out, its result on the way in
 * @ebx: @regs.rbx
 *
 * All zero but @regs.rip, and @regs.rsp if a stack is wanted, is a good start. What
 * is left as it was set goes on after the system call, or tries the instruction
 * again.
 */
struct sandbox_params {
	int return_reason;
	int return_data;
	uint32_t return_arch;
	int return_signal;
	uint64_t return_address;
	union {
		struct mmfd_regs regs;
		struct {
			uint64_t before_ebx[5];
			uint64_t ebx;
			uint64_t before_eax[4];
			uint64_t eax;
		};
	};
};

/* What the calls below are made of: the same, but -errno is returned. */
int mmfd_sandbox_create(void);
int mmfd_sandbox_destroy(int address_space);
int mmfd_sandbox_map(int address_space, void *start, size_t length, int prot,
		     int flags, int fd, off_t offset);
int mmfd_sandbox_unmap(int address_space, void *start, size_t length);
int mmfd_sandbox_run(int address_space, struct sandbox_params *params);

static inline int mmfd_compat_return(int ret)
{
	if (ret >= 0)
		return ret;
	errno = -ret;
	return -1;
}

/**
 * new_addr - make an empty address space
 *
 * Return: its number; -1 and ENODEV when the kernel lacks CONFIG_MMFD, EACCES
 * without access to /dev/mmfd, ENOSPC for more than SANDBOX_MAX, EMFILE, ENFILE
 * (each takes two descriptors), ENOMEM, EPROTONOSUPPORT.
 */
static inline int new_addr(void)
{
	return mmfd_compat_return(mmfd_sandbox_create());
}

/**
 * delete_addr - the end of an address space
 * @address_space: from new_addr()
 *
 * Not part of the proposal.
 *
 * Return: 0; -1 and EBADF, ECHILD, or EBUSY while another thread uses it.
 */
static inline int delete_addr(int address_space)
{
	return mmfd_compat_return(mmfd_sandbox_destroy(address_space));
}

/**
 * fmmap - mmap(2) into another address space
 * @address_space: from new_addr()
 * @start: where, page aligned: nothing else is chosen, also without MAP_FIXED
 * @length: bytes, rounded up to pages, not 0
 * @prot: PROT_* of mmap(2)
 * @flags: MAP_SHARED or MAP_PRIVATE, with MAP_ANONYMOUS (private only),
 *	MAP_FIXED, MAP_FIXED_NOREPLACE; without the latter two as with the last
 * @fd: regular file or memfd; -1 for anonymous memory
 * @offset: in the file, page aligned
 *
 * Return: 0; -1 and EBADF, ECHILD, EINVAL for something else, EEXIST if something
 * is there and MAP_FIXED is not given, EACCES, EPERM, ENOMEM as mmap(2).
 */
static inline int fmmap(int address_space, void *start, size_t length, int prot,
			int flags, int fd, off_t offset)
{
	int ret = mmfd_sandbox_map(address_space, start, length, prot, flags,
				   fd, offset);

	return mmfd_compat_return(ret);
}

/**
 * fmunmap - munmap(2) in another address space
 * @address_space: from new_addr()
 * @start: page aligned
 * @length: bytes, rounded up to pages, not 0
 *
 * Return: 0; -1 and EBADF, ECHILD, EINVAL, ENOMEM.
 */
static inline int fmunmap(int address_space, void *start, size_t length)
{
	int ret = mmfd_sandbox_unmap(address_space, start, length);

	return mmfd_compat_return(ret);
}

/**
 * run_sandbox - run code in an address space until its first trap
 * @address_space: from new_addr()
 * @params: registers to begin with; registers and reason when it returns
 *
 * Every system call traps. A signal of the caller is handled on the caller's side
 * and ends the call with SANDBOX_INTERRUPTED; so may the kernel for reasons of
 * its own. Call again with the same @params to go on. Vector registers stay those
 * of the address space. A signal handler must return, not jump out of the call.
 *
 * Return: 0; -1 and EBADF, ECHILD, EBUSY if a thread is inside, EINVAL for
 * registers that user code cannot have, EOPNOTSUPP as mmfd_run(2).
 */
static inline int run_sandbox(int address_space, struct sandbox_params *params)
{
	return mmfd_compat_return(mmfd_sandbox_run(address_space, params));
}

/* Most address spaces of a process by new_as(), the one that it began with included */
#define N_MM 64

/* What the two calls below are made of: the same, but -errno is returned. */
int mmfd_as_create(void);
int mmfd_as_switch(int n);

/**
 * new_as - make a copy of the address space of the caller
 *
 * The copy is as fork(2) makes it: what is mapped MAP_SHARED is shared, all else is
 * the copy's own from now on. Numbers are given from 1; the first call makes the
 * caller's 0. All address spaces of the process know all numbers. There is no end
 * to one but that of the process.
 *
 * For processes of one thread. May be called in a signal handler, but not the first
 * time. A child of fork(2) has a copy of the address space that was the parent's at
 * that time, and no number: its first call begins again at 0. A program that
 * makes its variables MAP_SHARED has to fork before its first call, if at all.
 *
 * Return: the number; -1 and ENOENT if all N_MM are taken, ENODEV when the kernel
 * lacks CONFIG_MMFD, EACCES without access to /dev/mmfd, EMFILE, ENFILE (each takes
 * a descriptor), EOPNOTSUPP for a process that has uprobes, EUSERS for one that has
 * threads when it makes its first, ENOMEM, EPROTONOSUPPORT.
 */
static inline int new_as(void)
{
	return mmfd_compat_return(mmfd_as_create());
}

/**
 * switch_as - make another address space the caller's
 * @n: number, from new_as() in this process or 0
 *
 * Registers stay as they are. To be called on a stack in memory that is MAP_SHARED
 * and was mapped before the copies were made, as that of a signal handler with
 * SA_ONSTACK; on another one, it does not come back where it was called. What is
 * where from then on is for the caller to know.
 *
 * For processes of one thread. May be called in a signal handler; errno is left
 * alone if it succeeds.
 *
 * Return: 0; -1 and ENOENT for a number that is not there, also before the first
 * new_as(); ECHILD in a child of fork(2) for one of the parent's, other than that
 * which was the parent's then, until its own first new_as(); EUSERS, EPERM, ESTALE,
 * EBUSY, EOPNOTSUPP as mmfd_switch(); EBADF or ENOTTY if the program has closed the
 * descriptor.
 */
static inline int switch_as(int n)
{
	return mmfd_compat_return(mmfd_as_switch(n));
}

/**
 * sigaltmm - let the caller's signal handlers run in an address space
 * @fd: descriptor of the caller's own, by mmfd_create() with MMFD_CREATE_SELF; -1
 *	takes it back
 *
 * Handlers with SA_IN_MM, set by sigaction(2) or mmfd_sigaction(). There is no
 * field for an address space in struct sigaction: it is one for all signals of the
 * thread. The address space where sigreturn goes is in the frame:
 * mmfd_frame_space(), mmfd_frame_set_space().
 *
 * May be called in a signal handler; errno is left alone if it succeeds.
 *
 * Return: 0; -1 and an error as mmfd_sigaltmm().
 */
static inline int sigaltmm(int fd)
{
	return mmfd_compat_return(mmfd_sigaltmm(fd));
}

#ifdef __cplusplus
}
#endif

#endif /* _MMFD_COMPAT_H */
