// SPDX-License-Identifier: GPL-2.0
/*
 * mmfd mode: run guest code until it traps, and handle that.
 */

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <linux/audit.h>
#include <as-layout.h>
#include <kern_util.h>
#include <mm_id.h>
#include <os.h>
#include <ptrace_user.h>
#include <skas.h>
#include <timeclock.h>
#include <timetravel.h>
#include <um_mmfd.h>
#include <user.h>
#include "linux/mmfd.h"
#include "mmfd_priv.h"
#include "../internal.h"

/* Of EFLAGS, what the host lets guest code have: CF PF AF ZF SF TF IF DF OF NT RF AC ID */
#define EFLAGS_TF	0x100UL
#define EFLAGS_GUEST	0x254fd7UL

#define TRAP_GP		13

/* int $0x80, where it is no system call: that vector, of the IDT */
#define GP_INT80	(0x80 * 8 + 2)

/**
 * struct guest_exit - Why guest code does not run any more
 * @reason:	MMFD_EXIT_*
 * @arch:	as in the run page, as the others
 * @addr:	the same
 * @vector:	the same
 * @error_code:	the same
 * @signo:	the same
 * @code:	the same
 *
 * A copy, as another task may use the same run page next.
 */
struct guest_exit {
	unsigned int reason;
	unsigned int arch;
	unsigned long addr;
	unsigned int vector;
	unsigned int error_code;
	int signo;
	int code;
};

/* The run page that this CPU is about to enter with, or has; or NULL */
static __thread struct mmfd_run *current_run;

/* What is before stays before for signal handlers, and what is behind, behind. */
static inline void set_current_run(struct mmfd_run *run)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	current_run = run;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/**
 * mmfd_interrupt() - Have this CPU return from guest code
 *
 * For signal handlers: the signal may have come right before mmfd_run().
 */
void mmfd_interrupt(void)
{
	struct mmfd_run *run = current_run;

	if (run)
		run->immediate_exit = 1;
}

/* Returns true if the trap flag is set for the UML kernel's sake. */
static bool load_regs(struct mmfd_run *run, const struct uml_pt_regs *regs)
{
	bool step = singlestepping() && !(REGS_EFLAGS(regs->gp) & EFLAGS_TF);

	_Static_assert(sizeof(run->regs) <= sizeof(regs->gp), "the same order");
	_Static_assert(offsetof(struct mmfd_regs, rip) == HOST_IP * sizeof(long), "as ptrace's");
	_Static_assert(offsetof(struct mmfd_regs, rsp) == HOST_SP * sizeof(long), "as ptrace's");
	_Static_assert(offsetof(struct mmfd_regs, gs_base) == GS_BASE, "as ptrace's");

	run->regs = *(const struct mmfd_regs *)regs->gp;
	run->regs.eflags &= EFLAGS_GUEST;
	if (step)
		run->regs.eflags |= EFLAGS_TF;
	return step;
}

static void save_regs(struct uml_pt_regs *regs, const struct mmfd_run *run, bool step)
{
	*(struct mmfd_regs *)regs->gp = run->regs;
	if (step)
		REGS_EFLAGS(regs->gp) &= ~EFLAGS_TF;
}

static void save_exit(struct guest_exit *exit, const struct mmfd_run *run)
{
	exit->reason = run->reason;
	exit->arch = run->arch;
	exit->addr = run->addr;
	exit->vector = run->vector;
	exit->error_code = run->error_code;
	exit->signo = run->signo;
	exit->code = run->code;
}

/*
 * A signal that comes once current_run is set makes mmfd_run() return at once; what
 * came before is seen by mmfd_begin(). Return: 0 or an error
 */
static int run_vcpu(struct um_vcpu *vcpu, struct uml_pt_regs *regs)
{
	struct mmfd_run *run = vcpu->run;
	int err = 0;
	bool step;

	run->immediate_exit = 0;
	run->reason = MMFD_EXIT_INTERRUPTED;
	set_current_run(run);

	if (mmfd_begin()) {
		err = current_mm_sync_mmfd();
		if (!err) {
			step = load_regs(run, regs);
			if (mmfd_run(vcpu->fd))
				err = -errno;
			else
				save_regs(regs, run, step);
		}
	}

	set_current_run(NULL);
	mmfd_end();
	return err;
}

/* The host refuses: current, which asks for the impossible, does not go on. */
static void refused(int err, struct guest_exit *exit)
{
	exit->reason = MMFD_EXIT_EXCEPTION;
	exit->signo = SIGSEGV;
	exit->vector = TRAP_GP;
	exit->error_code = 0;
	exit->addr = 0;

	/* Registers that it was given by sigreturn() or a tracer, and cannot have */
	if (err == -EINVAL)
		return;

	if (err == -ENOMEM)
		report_enomem();
	os_warn("mmfd: the host does not run guest code: error %d\n", err);
	fatal_sigsegv();
}

static void run_guest(struct uml_pt_regs *regs, struct guest_exit *exit)
{
	struct um_vcpu *vcpu = mmfd_current_vcpu();
	int err;

	regs->is_user = 1;
	if (!vcpu) {
		exit->reason = MMFD_EXIT_INTERRUPTED;
		return;
	}

	err = run_vcpu(vcpu, regs);
	if (err)
		refused(err, exit);
	else
		save_exit(exit, vcpu->run);
}

static void handle_fault(const struct guest_exit *exit, struct uml_pt_regs *regs)
{
	struct siginfo *unused = NULL;

	regs->faultinfo.cr2 = exit->addr;
	regs->faultinfo.error_code = exit->error_code;
	regs->faultinfo.trap_no = exit->vector;
	(*sig_info[SIGSEGV])(SIGSEGV, unused, regs, NULL);
}

static void handle_exception(const struct guest_exit *exit, struct uml_pt_regs *regs)
{
	siginfo_t si = {
		.si_signo = exit->signo,
		.si_code = exit->code,
	};

	regs->faultinfo.cr2 = exit->addr;
	regs->faultinfo.error_code = exit->error_code;
	regs->faultinfo.trap_no = exit->vector;

	switch (exit->signo) {
	case SIGTRAP:
		relay_signal(SIGTRAP, (struct siginfo *)&si, regs, NULL);
		break;
	case SIGILL:
	case SIGBUS:
	case SIGFPE:
		block_signals_trace();
		(*sig_info[exit->signo])(exit->signo, (struct siginfo *)&si, regs, NULL);
		unblock_signals_trace();
		break;
	default:
		os_warn("mmfd: exception %d, signal %d\n", exit->vector, exit->signo);
		fatal_sigsegv();
	}
}

/* There are no 32-bit calls in a 64-bit UML: it is as on such a kernel. */
static void handle_other_call(struct guest_exit *exit, struct uml_pt_regs *regs)
{
	UPT_IP(regs) -= 2;
	exit->addr = 0;
	exit->error_code = GP_INT80;
	exit->vector = TRAP_GP;
	handle_fault(exit, regs);
}

static void handle_exit(struct guest_exit *exit, struct uml_pt_regs *regs)
{
	switch (exit->reason) {
	case MMFD_EXIT_SYSCALL:
		if (exit->arch == AUDIT_ARCH_X86_64)
			handle_syscall(regs);
		else
			handle_other_call(exit, regs);
		break;
	case MMFD_EXIT_FAULT:
	case MMFD_EXIT_EXCEPTION:
		if (exit->signo == SIGSEGV)
			handle_fault(exit, regs);
		else
			handle_exception(exit, regs);
		break;
	default:
		break;
	}
}

/**
 * mmfd_userspace() - What userspace() does, in mmfd mode
 * @regs:	the registers of current, which goes to user space
 */
void mmfd_userspace(struct uml_pt_regs *regs)
{
	struct guest_exit exit;

	interrupt_end();

	while (1) {
		time_travel_count_iteration();
		time_travel_print_bc_msg();

		run_guest(regs, &exit);
		timeclock_follow();

		/* Assume: It's not a syscall */
		UPT_SYSCALL_NR(regs) = -1;
		handle_exit(&exit, regs);
		interrupt_end();

		/* Avoid -ERESTARTSYS handling in host */
		PT_SYSCALL_NR(regs->gp) = -1;
	}
}
