/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libmmfd - address spaces as descriptors, and running code in them
 *
 * Every function that can fail returns 0 (or a value >= 0) on success and a
 * negative errno otherwise. None prints anything. All may be called from several
 * threads at once unless they say otherwise; only those that say so may be called
 * in a signal handler. Addresses and lengths are bytes, page aligned where
 * something is mapped. The structures of the kernel are those of <linux/mmfd.h>.
 *
 * On a kernel without CONFIG_MMFD mmfd_open() fails with -ENODEV and mmfd_run()
 * with -ENOSYS, so there is no descriptor that the others could be called with.
 */
#ifndef _MMFD_H
#define _MMFD_H

#include <linux/mmfd.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MMFD_DEVICE "/dev/mmfd"

/**
 * mmfd_supported - can this process make address spaces and run code in them?
 *
 * Return: 0; -ENODEV or -ENOSYS when the kernel lacks CONFIG_MMFD; -EACCES when
 * the mode of MMFD_DEVICE says no; -EPROTONOSUPPORT when the kernel's layout is
 * not MMFD_ABI_VERSION; or another error of open(2).
 */
int mmfd_supported(void);

/**
 * mmfd_open - open MMFD_DEVICE
 *
 * Return: a close-on-exec descriptor, or an error as mmfd_supported(), but not
 * -ENOSYS.
 */
int mmfd_open(void);

/**
 * mmfd_create - make an address space
 * @dev: from mmfd_open(); may be closed afterwards
 * @flags: 0 for an empty one, MMFD_CREATE_COPY for a copy of the caller's, or
 *	MMFD_CREATE_SELF for the caller's own
 *
 * Its memory is charged to the caller's cgroup. It lasts until the descriptor,
 * its duplicates and those of its virtual CPUs are closed, and no thread has it for
 * its own. May be called in a signal handler.
 *
 * Return: a close-on-exec descriptor; -EBADF or -ENOTTY if @dev is something
 * else; -EINVAL for another flag, or both; -EOPNOTSUPP for a process that has
 * uprobes, unless it is an empty one; -EUSERS for the first descriptor of an address
 * space that the caller has in common with other threads; -ENOMEM; -EMFILE; -ENFILE.
 */
int mmfd_create(int dev, unsigned int flags);

/**
 * mmfd_memory_create - make memory for guests
 * @dev: from mmfd_open(); may be closed afterwards
 * @size: in bytes, page aligned, not 0; stays as it is
 *
 * It is mapped as other files are, by mmap(2) and mmfd_map(), or its pages are put
 * into areas, see mmfd_map_area(). They are zero at first, made when first used, and
 * charged to the cgroup of who uses them first. They are not swapped, and are freed
 * when no descriptor or mapping of the memory is left.
 *
 * May be called in a signal handler.
 *
 * Return: a close-on-exec descriptor; -EBADF or -ENOTTY if @dev is something
 * else; -EINVAL for another size, -EFBIG if no file can be that large; -ENOMEM;
 * -EMFILE; -ENFILE.
 */
int mmfd_memory_create(int dev, uint64_t size);

/**
 * mmfd_ops - change an address space, several steps at once
 * @space: from mmfd_create()
 * @ops: the steps, in order; each gets its result
 * @nr: how many, at most MMFD_OPS_MAX
 * @done: NULL, or set to how many were done
 *
 * All are checked before the first is done. Then the first that fails stops the
 * rest; what was done before it stays.
 *
 * May be called in a signal handler.
 *
 * Return: 0 if all were done, or the error of the one that was not: -EINVAL if
 * one is malformed (none was done); -E2BIG for too many; -EBADF if @space or the
 * descriptor of a step is not open, -ENOTTY if @space is something else; -EACCES
 * for a descriptor that is not of a regular file, or whose access mode does not
 * allow it; -EEXIST, -ENOSPC, -ENOENT, -ENXIO, -EPERM, -ENOMEM as the step says;
 * -EOPNOTSUPP if the caller's personality makes what is readable executable; -EINTR
 * if the caller is being killed.
 */
int mmfd_ops(int space, struct mmfd_op *ops, unsigned int nr,
	     unsigned int *done);

/**
 * mmfd_map - map a file or anonymous memory
 * @space: from mmfd_create()
 * @addr: where
 * @len: how much, not 0
 * @prot: MMFD_PROT_*, or PROT_* of mmap(2)
 * @flags: MMFD_MAP_*
 * @fd: a regular file, memfd or memory; -1 with MMFD_MAP_ANONYMOUS
 * @offset: where in the file; 0 with MMFD_MAP_ANONYMOUS
 *
 * May be called in a signal handler.
 *
 * Return: 0, or an error of mmfd_ops(); -EEXIST with MMFD_MAP_NOREPLACE if
 * something is there.
 */
int mmfd_map(int space, uint64_t addr, uint64_t len, unsigned int prot,
	     unsigned int flags, int fd, uint64_t offset);

/**
 * mmfd_unmap - unmap whatever is in a range
 * @space: from mmfd_create()
 * @addr: first address
 * @len: length, not 0
 *
 * May be called in a signal handler.
 *
 * Return: 0, or an error of mmfd_ops().
 */
int mmfd_unmap(int space, uint64_t addr, uint64_t len);

/**
 * mmfd_protect - change what may be done in a range
 * @space: from mmfd_create()
 * @addr: first address
 * @len: length, not 0
 * @prot: MMFD_PROT_*
 *
 * May be called in a signal handler.
 *
 * Return: 0, or an error of mmfd_ops(); -ENOMEM if part of it is not mapped,
 * -EACCES if its file does not allow it, or in an area.
 */
int mmfd_protect(int space, uint64_t addr, uint64_t len, unsigned int prot);

/**
 * mmfd_map_area - map an area, where pages of a memory can be put one by one
 * @space: from mmfd_create()
 * @addr: where; what is mapped there is replaced
 * @len: how much, not 0; need not be the size of the memory
 * @memory: from mmfd_memory_create(); may be closed afterwards
 *
 * One mapping, however many pages are put there, and nothing is there at first. An
 * access to a page that is not there, or that its protection does not allow, ends
 * mmfd_run() with MMFD_EXIT_FAULT. Other mappings replace it, or a part of it, as any
 * mapping. Its page tables stay as long as it is mapped. A copy of the address space
 * has the same pages.
 *
 * May be called in a signal handler.
 *
 * Return: 0, or an error of mmfd_ops(); -EACCES if @memory is something else.
 */
int mmfd_map_area(int space, uint64_t addr, uint64_t len, int memory);

/**
 * mmfd_insert - put pages of an area's memory into it
 * @space: from mmfd_create()
 * @addr: where
 * @len: how much, not 0; may be in more than one area
 * @prot: MMFD_PROT_READ, and others
 * @offset: of the first page in the memory
 *
 * What is there is replaced; while it is, another virtual CPU may fault there. A page
 * can be at several addresses, each with a protection of its own.
 *
 * May be called in a signal handler.
 *
 * Return: 0, or an error of mmfd_ops(), and a part may be done then unless it is
 * -EINVAL; -ENOENT where there is no area; -ENXIO beyond the end of the memory.
 */
int mmfd_insert(int space, uint64_t addr, uint64_t len, unsigned int prot,
		uint64_t offset);

/**
 * mmfd_remove - take pages out of areas
 * @space: from mmfd_create()
 * @addr: first address
 * @len: length, not 0
 *
 * What is not there need not be removed, and mappings that are no areas stay. No
 * virtual CPU has access when it returns. The memory keeps the pages.
 *
 * May be called in a signal handler.
 *
 * Return: 0, or an error of mmfd_ops().
 */
int mmfd_remove(int space, uint64_t addr, uint64_t len);

/**
 * mmfd_map_vdso - map the kernel's vDSO and its data
 * @space: from mmfd_create(); it may have one only
 * @addr: where the data is to begin
 * @len: how much room there is
 * @ehdr: NULL, or set to the address of the vDSO's ELF header
 *
 * Code inside reads the clocks of the caller's time namespace with it.
 *
 * May be called in a signal handler.
 *
 * Return: 0; -EEXIST if there is one or something else is in the way; -ENOSPC for
 * too little room; -EOPNOTSUPP if the vDSO is disabled; or an error of mmfd_ops().
 */
int mmfd_map_vdso(int space, uint64_t addr, uint64_t len, uint64_t *ehdr);

/**
 * mmfd_query - look at the first mapping that ends above an address
 * @space: from mmfd_create()
 * @addr: the address, of any alignment
 * @query: result
 *
 * May be called in a signal handler.
 *
 * Return: 0; -ENOENT if there is none; -EBADF or -ENOTTY if @space is something
 * else.
 */
int mmfd_query(int space, uint64_t addr, struct mmfd_query *query);

/**
 * mmfd_switch - make an address space the caller's own
 * @space: from mmfd_create()
 *
 * Registers stay as they are, so the code that called has to be in the other one too,
 * and its stack, in memory that both share; and what is registered with the kernel by
 * address, as for rseq(2). So it is for copies, see switch_as(). The one before
 * lasts while it has a descriptor or is somebody else's own. Signal handlers, exec,
 * exit and fork have the new one; fork(2) copies no other. Run pages are in no copy,
 * so a virtual CPU is used where it was made.
 *
 * May be called in a signal handler. Leaves errno alone.
 *
 * Return: 0; -EUSERS if the process has more than one thread, or the caller is a
 * child of vfork(2); -EPERM if the caller is under PR_SET_MDWE and the other one is
 * not; -ESTALE if the OOM killer has taken what was there; -EBUSY if the caller holds
 * a PI futex that others wait for; -EOPNOTSUPP if it has what mmfd_run() refuses
 * (FRED is no matter), uprobes, an io_uring, user_events or a PASID; -EBADF or
 * -ENOTTY if @space is something else.
 */
int mmfd_switch(int space);

/* Run the handler in the address space of mmfd_sigaltmm(). */
#ifndef SA_IN_MM
#define SA_IN_MM 0x00001000
#endif

/**
 * mmfd_sigaltmm - let the caller's signal handlers run in an address space
 * @space: from mmfd_create() with MMFD_CREATE_SELF, and the caller's own now; -1
 *	takes back what the calling thread has registered
 *
 * From now on a signal whose action has SA_IN_MM, and comes while another address
 * space is the caller's, is handled here: the frame goes to the top of the
 * alternate stack (sigaltstack(2)), and names the address space that was
 * interrupted. When the handler returns, the caller goes to the one that the frame
 * names then. So a supervisor enters code that it does not trust, and that has no
 * page of it in its reach: its system calls have to be kept from the kernel
 * by a seccomp filter.
 *
 * A handler has the registers FS and GS base of this side, so it has its
 * thread-local variables. Without an alternate stack, a signal with SA_IN_MM from
 * the other side kills. Ends with exec; a child of fork(2) does not have it.
 *
 * May be called in a signal handler. Leaves errno alone.
 *
 * Return: 0; -EINVAL if @space is not the caller's own; -EBADF or -ENOTTY if it is
 * something else; -ENOENT if there is nothing to take back; -EBUSY if another one is
 * registered, and the caller is not there; -EUSERS or -EOPNOTSUPP as mmfd_switch();
 * -ENOMEM.
 */
int mmfd_sigaltmm(int space);

/**
 * mmfd_sigaction - sigaction(2) with SA_IN_MM
 * @signo: signal
 * @action: what to do; SA_IN_MM and SA_ONSTACK are added to its flags
 * @old: NULL, or set to what was done before
 *
 * May be called in a signal handler.
 *
 * Return: 0; -EOPNOTSUPP if the kernel does not know SA_IN_MM, the action is as
 * before then; -EINVAL for a signal that there is not, or that cannot be handled.
 */
int mmfd_sigaction(int signo, const struct sigaction *action,
		   struct sigaction *old);

/**
 * mmfd_frame_space - the address space where a handler's frame returns to
 * @ucontext: third argument of the handler
 *
 * May be called in a signal handler.
 *
 * Return: its descriptor: the number by which the caller went there; -1 if the
 * frame names none, and returns to the handler's own.
 */
int mmfd_frame_space(const void *ucontext);

/**
 * mmfd_frame_bases - FS and GS base which a handler's frame returns with
 * @ucontext: third argument of the handler
 * @fs_base: set
 * @gs_base: set
 *
 * May be called in a signal handler.
 *
 * Return: 0; -ENOENT if the frame names no address space, and has none.
 */
int mmfd_frame_bases(const void *ucontext, uint64_t *fs_base,
		     uint64_t *gs_base);

/**
 * mmfd_frame_set_space - choose where a handler's frame returns to
 * @ucontext: third argument of the handler
 * @space: from mmfd_create(); -1 for the handler's own
 * @fs_base: there, canonical; nothing if @space is -1
 * @gs_base: likewise
 *
 * Also for a frame that names none yet: so code there is entered first. The other
 * registers are those of the frame, vector registers included. If @space is not
 * open then, or is nothing that mmfd_switch() takes, or a base is not canonical, or
 * the handler's own is not that of mmfd_sigaltmm(), the kernel does not return but
 * raises SIGSEGV here, with the registers and the signal mask of the handler.
 *
 * May be called in a signal handler.
 */
void mmfd_frame_set_space(void *ucontext, int space, uint64_t fs_base,
			  uint64_t gs_base);

/**
 * mmfd_run - the system call: run a virtual CPU until it traps
 * @fd: descriptor of the virtual CPU
 * @flags: 0
 *
 * May be called in a signal handler.
 *
 * Return: 0, with the reason in the run page; -ENOSYS without CONFIG_MMFD;
 * -EBADF; -EINVAL for another flag, a descriptor of something else, or registers
 * that user code cannot have; -EBUSY if a thread is inside; -EOPNOTSUPP for a
 * processor or a caller with state that the kernel does not switch (see
 * mmfd(7)).
 */
int mmfd_run(int fd, unsigned int flags);

/* A virtual CPU: its descriptor and its run page. */
struct mmfd_vcpu;

/**
 * mmfd_vcpu_create - make a virtual CPU
 * @space: the address space that it runs in
 * @flags: 0, or MMFD_VCPU_SHARE_XSTATE: FPU, SSE and AVX registers are those of the
 *	thread that runs it, and mmfd_vcpu_run() leaves in them what the guest did
 * @pass: MMFD_PASS_*: time calls that do not trap
 * @vcpu: result
 *
 * Belongs to the process: after fork(2) it is the parent's only, and all calls of
 * the child but mmfd_vcpu_destroy() fail.
 *
 * Return: 0; -EBADF or -ENOTTY if @space is something else; -EINVAL for an
 * unknown flag or bit; -EPROTONOSUPPORT for another layout of the page; -ENOMEM; -EMFILE;
 * -ENFILE.
 */
int mmfd_vcpu_create(int space, unsigned int flags, unsigned int pass,
		     struct mmfd_vcpu **vcpu);

/**
 * mmfd_vcpu_destroy - close it
 * @vcpu: virtual CPU, or NULL; no thread may be using it
 */
void mmfd_vcpu_destroy(struct mmfd_vcpu *vcpu);

/**
 * mmfd_vcpu_page - its run page
 * @vcpu: virtual CPU
 *
 * The registers are in it. May be called in a signal handler.
 *
 * Return: the page, valid until mmfd_vcpu_destroy(); NULL in a child of fork(2).
 */
struct mmfd_run *mmfd_vcpu_page(struct mmfd_vcpu *vcpu);

/**
 * mmfd_vcpu_fd - its descriptor, owned by @vcpu
 * @vcpu: virtual CPU
 *
 * Return: the descriptor, close-on-exec.
 */
int mmfd_vcpu_fd(const struct mmfd_vcpu *vcpu);

/**
 * mmfd_vcpu_get_xstate - read its FPU, SSE and AVX registers
 * @vcpu: virtual CPU that no thread runs now
 * @buf: set, in the format of ptrace(2)'s NT_X86_XSTATE
 * @size: room there, in bytes
 *
 * Return: how many bytes these are; -ENOSPC if there is not room enough; -EBUSY if a
 * thread is inside; -EOPNOTSUPP if they are not its own, or the processor has no
 * XSAVE; -EFAULT; -ENOMEM; -ECHILD in a child of fork(2).
 */
int mmfd_vcpu_get_xstate(struct mmfd_vcpu *vcpu, void *buf, size_t size);

/**
 * mmfd_vcpu_set_xstate - change its FPU, SSE and AVX registers
 * @vcpu: virtual CPU that no thread runs now
 * @buf: as mmfd_vcpu_get_xstate() or ptrace(2) has set it
 * @size: its length, in bytes
 *
 * Return: 0; -EINVAL if the processor cannot have such registers; or an error of
 * mmfd_vcpu_get_xstate(). Nothing has changed then.
 */
int mmfd_vcpu_set_xstate(struct mmfd_vcpu *vcpu, const void *buf, size_t size);

/**
 * mmfd_vcpu_run - run it until it traps
 * @vcpu: virtual CPU, used by no other thread meanwhile
 *
 * If the calling thread has an interrupt controller (mmfd_pic_bind()), events
 * that other threads raised are delivered first, if its flag is on. A signal of a
 * line ends the run; one that came since the last return ends it before it begins.
 * So a caller that looks after each return at what its handlers have noted sees it
 * in time. Sets immediate_exit of the page to 0 when it returns.
 *
 * Return: the reason, MMFD_EXIT_*; -ECHILD in a child of fork(2); or an error of
 * mmfd_run().
 */
int mmfd_vcpu_run(struct mmfd_vcpu *vcpu);

/*
 * A virtual interrupt controller: the interrupt flag of a virtual processor, and
 * the events that wait for it. It belongs to the thread that plays the processor,
 * not to one virtual CPU, of which such a thread runs many in turn.
 *
 * Signals are accepted whatever the flag says. While it is off they are recorded,
 * and delivered when it goes on. Events are counted, so none is lost or merged;
 * their data is not kept. Neither the flag nor a delivery by mmfd_pic_enable()
 * makes a system call. Works on every kernel.
 */
struct mmfd_pic;

/* Lines of a controller are numbered from 0 to one less. */
#define MMFD_PIC_LINES 64

/**
 * typedef mmfd_pic_fn - takes events
 * @line: their line; lower ones come first
 * @count: how many there were since the last call for this line, at least 1
 * @arg: of mmfd_pic_create()
 *
 * Called with the flag off, by the thread that the controller is bound to: in
 * mmfd_pic_enable(), mmfd_pic_raise() or mmfd_vcpu_run(), or in a signal handler
 * in between any two instructions while the flag is on; what it shares with the
 * rest of the program has to be touched with the flag off. It may call
 * mmfd_pic_enable(), and then it may be called again before it returns. It need
 * not return.
 */
typedef void (*mmfd_pic_fn)(unsigned int line, uint64_t count, void *arg);

/**
 * mmfd_pic_create - make an interrupt controller, its flag off
 * @fn: takes its events
 * @arg: for @fn
 * @pic: result
 *
 * Return: 0 or -ENOMEM.
 */
int mmfd_pic_create(mmfd_pic_fn fn, void *arg, struct mmfd_pic **pic);

/**
 * mmfd_pic_destroy - take its signals back and free it
 * @pic: controller, or NULL; bound to no other thread than the caller
 *
 * Its signals get the actions that they had before mmfd_pic_signal(), so what sends
 * them has to be stopped first if these kill. No thread may be in a handler of one
 * of them.
 */
void mmfd_pic_destroy(struct mmfd_pic *pic);

/**
 * mmfd_pic_bind - make the calling thread the virtual processor
 * @pic: controller, bound to no other thread; NULL takes the thread's away
 *
 * In a child of fork(2) it stays bound to the thread that called fork.
 */
void mmfd_pic_bind(struct mmfd_pic *pic);

/**
 * mmfd_pic_signal - let a signal raise a line
 * @pic: gets the signals that come to a thread with no controller bound; others
 *	go to that of the thread
 * @signo: an asynchronous signal; not SIGKILL, SIGSTOP, or one of a fault
 * @line: the line
 *
 * Replaces the action of the signal, for the process. Its handler runs with all
 * asynchronous signals blocked, on the alternate stack if there is one, and
 * interrupted system calls are restarted; @fn is called with the signals unblocked
 * again that were before. However many signals come, they do not pile up on the
 * stack.
 *
 * A signal that comes to another thread than @pic is bound to is only recorded:
 * block it there if it is to be delivered at once.
 *
 * Return: 0; -EINVAL for another signal or line; -EBUSY if the signal is another
 * controller's.
 */
int mmfd_pic_signal(struct mmfd_pic *pic, int signo, unsigned int line);

/**
 * mmfd_pic_disable - turn the flag off
 * @pic: controller of the calling thread
 *
 * No system call. May be called in a signal handler.
 *
 * Return: whether it was on.
 */
bool mmfd_pic_disable(struct mmfd_pic *pic);

/**
 * mmfd_pic_enable - turn the flag on, and deliver what is pending
 * @pic: controller of the calling thread
 *
 * No system call. May be called in a signal handler.
 */
void mmfd_pic_enable(struct mmfd_pic *pic);

/**
 * mmfd_pic_enabled - is the flag on?
 * @pic: controller
 *
 * No system call. May be called in a signal handler.
 *
 * Return: whether it is on.
 */
bool mmfd_pic_enabled(const struct mmfd_pic *pic);

/**
 * mmfd_pic_pending - which lines wait to be delivered?
 * @pic: controller
 *
 * No system call. May be called in a signal handler, and by any thread.
 *
 * Return: bit N for line N.
 */
uint64_t mmfd_pic_pending(const struct mmfd_pic *pic);

/**
 * mmfd_pic_raise - an event, without a signal
 * @pic: controller
 * @line: the line
 *
 * Delivers at once if the calling thread is the controller's and the flag is on.
 * Another thread only records: it is delivered at the next mmfd_pic_enable(),
 * mmfd_vcpu_run() or signal of the controller's thread.
 *
 * No system call. May be called in a signal handler, and by any thread.
 *
 * Return: 0, or -EINVAL for a line that there is not.
 */
int mmfd_pic_raise(struct mmfd_pic *pic, unsigned int line);

#ifdef __cplusplus
}
#endif

#endif /* _MMFD_H */
