// SPDX-License-Identifier: GPL-2.0
/*
 * Let time calls of a stub that is traced go straight to the host.
 *
 * PTRACE_SYSEMU stops a stub at each of its system calls. One that makes many
 * time calls gets a seccomp filter, which lets those of the policy pass and asks
 * for a stop at all others. It is asked only if the stub is resumed by
 * PTRACE_CONT: under PTRACE_SYSEMU the stop comes first, and nothing passes.
 *
 * The filter does not tell the stub's own calls from those of the guest, whose
 * code can jump to the stub's page. The UML kernel does: it knows which of the
 * two it has resumed. As this costs one more stop for each call of the stub, a
 * stub that makes few time calls has no filter.
 */

#include <assert.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <asm/unistd.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <as-layout.h>
#include <kern_util.h>
#include <mm_id.h>
#include <os.h>
#include <ptrace_user.h>
#include <skas.h>
#include <stub-data.h>
#include <sysdep/stub.h>
#include <timeclock.h>
#include "linux/timens_pass.h"
#include "../internal.h"

/* Not in all versions of libc's <signal.h> */
#ifndef SYS_SECCOMP
#define SYS_SECCOMP	1
#endif

#ifdef __x86_64__
#define PASS_TABLE	TIMENS_PASS_BPF(task_size)
#else
#define PASS_TABLE
#endif
#define PASS_TABLE_LEN	(sizeof((struct sock_filter[]){ PASS_TABLE }) /	\
			 sizeof(struct sock_filter))

/*
 * Let the stub take the filter. Where it lies is the far end of the stub's stack.
 *
 * Return: 0 or a negative errno
 */
static int install_filter(struct mm_id *mm_id)
{
	const struct sock_filter filter[] = {
		/* Of no use but for loading the filter, as in stub_exe.c */
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, instruction_pointer)),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
			 UM_SECCOMP_ARCH_NATIVE, 0, PASS_TABLE_LEN + 1),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		PASS_TABLE
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
	};
	struct stub_data *proc_data = (void *)mm_id->stack;
	struct stub_syscall *sc;
	int err;

	static_assert(sizeof(filter) <= sizeof(proc_data->sigstack) / 4,
		      "the filter has to leave room for the stack");

	/* What is pending may use the stack. */
	err = syscall_stub_flush(mm_id);
	if (err)
		return err;

	memcpy(proc_data->sigstack, filter, sizeof(filter));

	sc = syscall_stub_alloc(mm_id);
	sc->syscall = STUB_SYSCALL_SECCOMP;
	sc->filter.len = ARRAY_SIZE(filter);
	sc->filter.insns = STUB_DATA + offsetof(struct stub_data, sigstack);
	sc->filter.flags = SECCOMP_FILTER_FLAG_TRAP_FAILED;

	return syscall_stub_flush(mm_id);
}

/**
 * stub_ptrace_passes() - May the guest's time calls pass until the next stop?
 * @mm_id:	the stub; the caller is in its turnstile and about to resume it
 *		for current
 * @pass:	TIMECLOCK_* that current may do
 *
 * Runs code of the stub, hence has to come before its registers are set.
 *
 * Return: True if the stub may be resumed by PTRACE_CONT
 */
bool stub_ptrace_passes(struct mm_id *mm_id, unsigned int pass)
{
	if (!(pass & mm_id->pass & TIMECLOCK_GET))
		return false;

	if (mm_id->time_calls < timeclock_pass_after)
		return false;

	if (!mm_id->filtered) {
		if (install_filter(mm_id)) {
			mm_id->pass &= ~TIMECLOCK_GET;
			return false;
		}
		mm_id->filtered = 1;
	}

	return true;
}

/**
 * stub_ptrace_count() - Count a time call that was intercepted
 * @mm_id:	the stub, which has no filter yet
 * @nr:		the number of the system call
 */
void stub_ptrace_count(struct mm_id *mm_id, long nr)
{
	switch (nr) {
	case __NR_gettimeofday:
	case __NR_clock_gettime:
	case __NR_time:
	case __NR_settimeofday:
		mm_id->time_calls++;
	}
}

/**
 * stub_ptrace_event() - Is a stop the one that the filter asks for?
 * @status:	what wait() has to say about the stub
 *
 * The guest cannot fake it: no signal has the event.
 *
 * Return: True if the stub is about to make a system call that does not pass
 */
bool stub_ptrace_event(int status)
{
	return status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8);
}

/**
 * stub_ptrace_failed() - Is a SIGSYS that stopped a stub due to a failed call?
 * @pid:	the stub
 *
 * SIGSYS may come from another process of the host as well.
 *
 * Return: True if the stub made a call that passed, but failed. Its registers
 * are those at entry.
 */
bool stub_ptrace_failed(int pid)
{
	siginfo_t si;

	return !ptrace(PTRACE_GETSIGINFO, pid, 0, &si) && si.si_code == SYS_SECCOMP;
}
