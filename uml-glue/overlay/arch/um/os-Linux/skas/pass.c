// SPDX-License-Identifier: GPL-2.0
/*
 * Take away from a stub what it may do without asking the UML kernel.
 */

#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <asm/unistd.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <as-layout.h>
#include <kern_util.h>
#include <mm_id.h>
#include <os.h>
#include <skas.h>
#include <stub-data.h>
#include <sysdep/stub.h>
#include <timeclock.h>
#include "../internal.h"

/* Let the stub drop all of its capabilities. */
static void queue_capset(struct mm_id *mm_id)
{
	struct stub_syscall *sc = syscall_stub_alloc(mm_id);

	sc->syscall = STUB_SYSCALL_CAPSET;
	sc->caps.version = _LINUX_CAPABILITY_VERSION_3;
}

/*
 * Let the stub add a filter that traps all calls of the policy. Its own code
 * makes none of them, and the first filter deals with other architectures.
 */
static void queue_filter(struct mm_id *mm_id)
{
	const struct sock_filter filter[STUB_FILTER_LEN] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_gettimeofday, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clock_gettime, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_time, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_settimeofday, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
	};
	struct stub_data *proc_data = (void *)mm_id->stack;
	struct stub_syscall *sc = syscall_stub_alloc(mm_id);

	memcpy(proc_data->filter, filter, sizeof(filter));

	sc->syscall = STUB_SYSCALL_SECCOMP;
	sc->filter.len = STUB_FILTER_LEN;
	sc->filter.insns = STUB_DATA + offsetof(struct stub_data, filter);
}

/**
 * stub_restrict_pass() - Leave a stub no more than what the next task may do
 * @mm_id:	the stub; the caller is in its turnstile
 * @pass:	TIMECLOCK_* that the task which is about to run may do
 *
 * What is taken away is gone for the lifetime of the stub. A stub that cannot
 * give it up is killed, and current with it.
 */
void stub_restrict_pass(struct mm_id *mm_id, unsigned int pass)
{
	unsigned int lost = mm_id->pass & ~pass;

	if (!lost)
		return;

	if (lost & TIMECLOCK_SET)
		queue_capset(mm_id);
	if (lost & TIMECLOCK_GET)
		queue_filter(mm_id);

	if (syscall_stub_flush(mm_id) < 0) {
		os_kill_process(mm_id->pid, 0);
		fatal_sigsegv();
	}

	mm_id->pass &= pass;
}
