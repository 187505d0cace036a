/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * mmfd: address spaces as descriptors, and running user code in them.
 *
 * /dev/mmfd makes address spaces, an address space makes virtual CPUs, and
 * mmfd_run(2) runs one until it traps. See Documentation/userspace-api/mmfd.rst.
 *
 * Whatever is reserved, and every flag that is not defined here, has to be zero.
 */
#ifndef _UAPI_LINUX_MMFD_H
#define _UAPI_LINUX_MMFD_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* The layout below; what MMFD_ABI returns and a run page carries */
#define MMFD_ABI_VERSION	1

#define MMFD_IOC		0xBB

/* ---- /dev/mmfd ---- */

#define MMFD_CREATE_CLOEXEC	(1 << 0)
/* A copy of the caller's address space, as for fork(); else it is empty */
#define MMFD_CREATE_COPY	(1 << 1)
/* The caller's own address space; not with MMFD_CREATE_COPY */
#define MMFD_CREATE_SELF	(1 << 2)

/**
 * struct mmfd_create - What address space to make
 * @flags:	MMFD_CREATE_*
 * @reserved:	Zero
 */
struct mmfd_create {
	__u32 flags;
	__u32 reserved[7];
};

#define MMFD_MEMORY_CLOEXEC	(1 << 0)

/**
 * struct mmfd_memory_create - What memory to make
 * @size:	In bytes, page aligned, not 0
 * @flags:	MMFD_MEMORY_*
 * @reserved:	Zero
 */
struct mmfd_memory_create {
	__u64 size;
	__u32 flags;
	__u32 reserved[5];
};

/* Return MMFD_ABI_VERSION */
#define MMFD_ABI		_IO(MMFD_IOC, 0)
/* Return the descriptor of an address space */
#define MMFD_CREATE		_IOW(MMFD_IOC, 1, struct mmfd_create)
/*
 * Return the descriptor of memory for guests. It is mapped as other files are, or its
 * pages are put into areas of address spaces. What was used is not swapped, and is
 * freed when no descriptor or mapping of it is left
 */
#define MMFD_MEMORY_CREATE	_IOW(MMFD_IOC, 2, struct mmfd_memory_create)

/* ---- address space ---- */

/* mmfd_op::op */
#define MMFD_OP_MAP		1
#define MMFD_OP_UNMAP		2
#define MMFD_OP_PROTECT		3
/* The kernel's vDSO, once in an address space; it reads the caller's clocks */
#define MMFD_OP_VDSO		4
/*
 * An area: a mapping of a memory in which nothing is, until MMFD_OP_INSERT puts its
 * pages there, each where it shall be and with the protection it shall have.
 * MMFD_OP_REMOVE takes out what is there, if any. All other elements replace areas, or
 * parts of them, as other mappings; MMFD_OP_PROTECT can allow nothing there
 */
#define MMFD_OP_AREA		5
#define MMFD_OP_INSERT		6
#define MMFD_OP_REMOVE		7

/* mmfd_op::prot: the values of PROT_READ, PROT_WRITE and PROT_EXEC */
#define MMFD_PROT_READ		(1 << 0)
#define MMFD_PROT_WRITE		(1 << 1)
#define MMFD_PROT_EXEC		(1 << 2)

/* mmfd_op::flags of MMFD_OP_MAP: one of the first two, and the others */
#define MMFD_MAP_SHARED		(1 << 0)
#define MMFD_MAP_PRIVATE	(1 << 1)
/* Private memory of its own, of no file */
#define MMFD_MAP_ANONYMOUS	(1 << 2)
/* EEXIST if something is mapped there; else it is replaced */
#define MMFD_MAP_NOREPLACE	(1 << 3)

/**
 * struct mmfd_op - One change of an address space
 * @op:		MMFD_OP_*
 * @flags:	MMFD_MAP_* for MMFD_OP_MAP, else 0
 * @addr:	First address, page aligned
 * @len:	Length in bytes, page aligned, not 0; for MMFD_OP_VDSO, the room
 * @offset:	MMFD_OP_MAP of a file: where in it, page aligned; MMFD_OP_INSERT:
 *		where in the area's memory, page aligned; else 0. Set by
 *		MMFD_OP_VDSO: how far from @addr the vDSO's ELF header is, behind its
 *		data
 * @prot:	MMFD_PROT_* for MMFD_OP_MAP and MMFD_OP_PROTECT, and for MMFD_OP_INSERT,
 *		which has to have MMFD_PROT_READ; else 0
 * @fd:		MMFD_OP_MAP of a file: a regular file, memfd or memory; MMFD_OP_AREA:
 *		a memory; else -1
 * @result:	Set: 0 if done, the negative error that stopped the batch, or
 *		-ECANCELED if it was not tried because another one failed
 * @reserved:	Zero
 */
struct mmfd_op {
	__u32 op;
	__u32 flags;
	__u64 addr;
	__u64 len;
	__u64 offset;
	__u32 prot;
	__s32 fd;
	__s32 result;
	__u32 reserved;
};

/* mmfd_ops::nr */
#define MMFD_OPS_MAX		1024

/**
 * struct mmfd_ops - Changes of an address space, in order
 * @ops:	Address of an array of struct mmfd_op
 * @nr:		Number of elements, at most MMFD_OPS_MAX
 * @done:	Set: how many were done
 * @reserved:	Zero
 *
 * All are checked first: if one is malformed, none is done. The first that fails
 * stops the rest; what was done before it stays.
 */
struct mmfd_ops {
	__u64 ops;
	__u32 nr;
	__u32 done;
	__u64 reserved[2];
};

/* mmfd_query::flags */
#define MMFD_QUERY_SHARED	(1 << 0)
#define MMFD_QUERY_FILE		(1 << 1)

/**
 * struct mmfd_query - One mapping
 * @addr:	Looks for the first mapping that ends above this address
 * @start:	Set: its first address
 * @end:	Set: the address after its last
 * @offset:	Set: where in the file it begins, or 0
 * @inode:	Set: the file's inode number, or 0
 * @dev_major:	Set: the file's device
 * @dev_minor:	Set: the file's device
 * @prot:	Set: MMFD_PROT_*
 * @flags:	Set: MMFD_QUERY_*
 * @reserved:	Zero
 */
struct mmfd_query {
	__u64 addr;
	__u64 start;
	__u64 end;
	__u64 offset;
	__u64 inode;
	__u32 dev_major;
	__u32 dev_minor;
	__u32 prot;
	__u32 flags;
	__u64 reserved[2];
};

/* Calls that need not trap: mmfd_vcpu_create::pass */
#define MMFD_PASS_GETTIMEOFDAY	(1 << 0)
#define MMFD_PASS_CLOCK_GETTIME	(1 << 1)
#define MMFD_PASS_TIME		(1 << 2)
#define MMFD_PASS_SETTIMEOFDAY	(1 << 3)

#define MMFD_VCPU_CLOEXEC	(1 << 0)
/* FPU, SSE and AVX registers are the caller's, and what is left in them as well */
#define MMFD_VCPU_SHARE_XSTATE	(1 << 1)

/**
 * struct mmfd_vcpu_create - What virtual CPU to make
 * @flags:	MMFD_VCPU_*
 * @pass:	MMFD_PASS_*: calls that go straight to the kernel, in the bounds of
 *		<linux/timens_pass.h>
 * @reserved:	Zero
 */
struct mmfd_vcpu_create {
	__u32 flags;
	__u32 pass;
	__u32 reserved[6];
};

/* Change the address space */
#define MMFD_OPS		_IOWR(MMFD_IOC, 0x10, struct mmfd_ops)
/* Look at the address space; ENOENT if nothing is mapped above @addr */
#define MMFD_QUERY		_IOWR(MMFD_IOC, 0x11, struct mmfd_query)
/* Return the descriptor of a new virtual CPU in this address space */
#define MMFD_VCPU_CREATE	_IOW(MMFD_IOC, 0x12, struct mmfd_vcpu_create)
/* Make it the caller's own, with registers as they are; the argument is 0 */
#define MMFD_SWITCH		_IO(MMFD_IOC, 0x13)
/*
 * Run the caller's signal handlers with SA_IN_MM there. The argument is 1, and it
 * has to be the caller's own address space; or 0, and it has to be the one that
 * does so, which then ceases to.
 */
#define MMFD_SIGALTMM		_IO(MMFD_IOC, 0x14)

/* ---- virtual CPU ---- */

/**
 * struct mmfd_xstate - Where FPU, SSE and AVX registers of a guest are or go to
 * @addr:	Address of the registers, in the format of the regset NT_X86_XSTATE
 * @size:	How many bytes there are
 * @reserved:	Zero
 */
struct mmfd_xstate {
	__u64 addr;
	__u32 size;
	__u32 reserved;
};

/* Copy them to @addr and return how many bytes they are */
#define MMFD_XSTATE_GET		_IOW(MMFD_IOC, 0x20, struct mmfd_xstate)
/* Copy them from @addr */
#define MMFD_XSTATE_SET		_IOW(MMFD_IOC, 0x21, struct mmfd_xstate)

/**
 * struct mmfd_regs - Registers of an x86-64 virtual CPU
 *
 * Loaded by mmfd_run() and set when it returns. @orig_rax is only set: the number
 * of the system call that trapped, else -1; a call that trapped has it in @rax
 * too. The selectors of DS, ES, FS and GS are 0 at every entry.
 */
struct mmfd_regs {
	__u64 r15, r14, r13, r12;
	__u64 rbp, rbx;
	__u64 r11, r10, r9, r8;
	__u64 rax, rcx, rdx, rsi, rdi;
	__u64 orig_rax;
	__u64 rip;
	__u64 cs;		/* 0x33, or 0x23 for 32-bit code; 0 is taken as 0x33 */
	__u64 eflags;		/* what user code can set, TF, IF and RF */
	__u64 rsp;
	__u64 ss;		/* 0x2b; 0 is taken as that */
	__u64 fs_base, gs_base;	/* canonical */
};

/* mmfd_run::reason */
#define MMFD_EXIT_NONE		0	/* has not run */
#define MMFD_EXIT_SYSCALL	1	/* @arch, @nr, @args */
#define MMFD_EXIT_FAULT		2	/* page fault: @addr, @error_code */
#define MMFD_EXIT_EXCEPTION	3	/* another exception: @vector, @error_code */
#define MMFD_EXIT_INTERRUPTED	4	/* there is work at home, a signal perhaps; run again */

/* mmfd_run::vector if the exception has none */
#define MMFD_VECTOR_NONE	0xffffffff

/**
 * struct mmfd_run - The page which a virtual CPU and its supervisor share
 * @abi:	Set at creation: MMFD_ABI_VERSION
 * @size:	Set at creation: size of this structure
 * @immediate_exit: Not 0: mmfd_run() returns MMFD_EXIT_INTERRUPTED at once. For
 *		a signal handler, in case the signal comes right before mmfd_run()
 * @trap:	MMFD_PASS_*: calls that trap although the virtual CPU passes them
 * @reserved0:	Zero
 * @reason:	Set: MMFD_EXIT_*
 * @arch:	Set: AUDIT_ARCH_X86_64 or AUDIT_ARCH_I386, the ABI of the call
 * @nr:		Set: number of the call
 * @args:	Set: arguments of the call
 * @addr:	Set: address of the fault
 * @vector:	Set: vector of the exception, 14 for a page fault
 * @error_code:	Set: error code of the exception
 * @signo:	Set: the signal which a task would get for the exception
 * @code:	Set: and its si_code
 * @reserved1:	Set: Zero
 * @regs:	The registers
 *
 * The kernel reads what it needs when mmfd_run() enters and writes the rest when
 * it returns; in between, the page may be written but has no effect.
 */
struct mmfd_run {
	__u32 abi;
	__u32 size;
	__u32 immediate_exit;
	__u32 trap;
	__u32 reserved0[4];

	__u32 reason;
	__u32 arch;
	__s64 nr;
	__u64 args[6];
	__u64 addr;
	__u32 vector;
	__u32 error_code;
	__s32 signo;
	__s32 code;
	__u64 reserved1[17];

	struct mmfd_regs regs;
};

#endif /* _UAPI_LINUX_MMFD_H */
