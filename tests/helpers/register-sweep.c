// SPDX-License-Identifier: GPL-2.0
/*
 * register-sweep - go back to user space with registers that it must not have.
 *
 * usage: register-sweep [--uid UID]
 *
 * Each is given to a process of its own, by a signal frame and then by a tracer. A
 * line says what became of it: the name of the signal that ended it, "went on" if it
 * came to its last instruction, "waited", or the error that the tracer got.
 */
#include <asm/prctl.h>
#include <errno.h>
#include <sys/ptrace.h>
#include <sys/ucontext.h>
#include <sys/user.h>

#include "tries.h"

/* What is changed: a register of the frame, or of the tracer's struct */
enum reg {
	RIP,
	RSP,
	CS,
	SS,
	FLAGS,
	FS_BASE,
	GS_BASE,
	DS,
	FPU
};

static const struct change {
	const char *name;
	enum reg reg;
	unsigned long value;
} changes[] = {
	{ "nothing", RIP, CODE },
	{ "rip 0", RIP, 0 },
	{ "rip at the end of user space", RIP, 0x7ffffffff000 },
	{ "rip not canonical", RIP, 0x800000000000 },
	{ "rip not canonical, high", RIP, 0x8000000000000000 },
	{ "rip of the kernel", RIP, 0xffffffff81000000 },
	{ "rip -1", RIP, -1 },
	{ "rip of vsyscall", RIP, 0xffffffffff600000 },
	{ "rsp not canonical", RSP, 0x800000000000 },
	{ "rsp of the kernel", RSP, 0xffff888000000000 },
	{ "rsp -1", RSP, -1 },
	{ "cs 0", CS, 0 },
	{ "cs of the kernel", CS, 0x10 },
	{ "cs of the kernel, low ring", CS, 0x13 },
	{ "cs of 32 bits", CS, 0x23 },
	{ "cs of data", CS, 0x2b },
	{ "cs of an LDT", CS, 0x7 },
	{ "cs -1", CS, 0xffff },
	{ "ss 0", SS, 0 },
	{ "ss of the kernel", SS, 0x18 },
	{ "ss of code", SS, 0x33 },
	{ "ss of an LDT", SS, 0x7 },
	{ "flags IOPL", FLAGS, 0x3202 },
	{ "flags VM", FLAGS, 0x20202 },
	{ "flags NT", FLAGS, 0x4202 },
	{ "flags TF", FLAGS, 0x302 },
	{ "flags without IF", FLAGS, 0x2 },
	{ "flags VIF VIP", FLAGS, 0x180202 },
	{ "flags AC", FLAGS, 0x40202 },
	{ "flags all", FLAGS, -1 },
	{ "fs base not canonical", FS_BASE, 0x800000000000 },
	{ "fs base of the kernel", FS_BASE, 0xffff888000000000 },
	{ "gs base of the kernel", GS_BASE, 0xffff888000000000 },
	{ "ds of the kernel", DS, 0x18 },
	{ "fpu with MXCSR all", FPU, 0 },
	{ "fpu with a header all", FPU, 1 },
	{ "fpu of the kernel", FPU, 2 },
	{ "fpu nowhere", FPU, 3 },
};

static const struct change *change;

static void change_fpu(ucontext_t *uc, unsigned long how)
{
	char *fp = (char *)uc->uc_mcontext.fpregs;

	if (how == 0)
		memset(fp + 24, 0xff, 8);
	else if (how == 1)
		memset(fp + 464, 0xff, 112);
	else
		uc->uc_mcontext.fpregs =
			(void *)(how == 2 ? 0xffff888000000000 : 0x1000);
}

static void change_selectors(greg_t *gregs, unsigned long cs, unsigned long ss)
{
	gregs[REG_CSGSFS] = (gregs[REG_CSGSFS] & 0x0000ffffffff0000) | cs |
			    ss << 48;
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	greg_t *gregs = uc->uc_mcontext.gregs;

	(void)sig;
	(void)info;
	gregs[REG_RIP] = CODE;
	gregs[REG_RSP] = STACK - PAGE;
	switch (change->reg) {
	case RIP:
		gregs[REG_RIP] = change->value;
		break;
	case RSP:
		gregs[REG_RSP] = change->value;
		break;
	case CS:
		change_selectors(gregs, change->value, 0x2b);
		break;
	case SS:
		change_selectors(gregs, 0x33, change->value);
		break;
	case FLAGS:
		gregs[REG_EFL] = change->value;
		break;
	case FPU:
		change_fpu(uc, change->value);
		break;
	case FS_BASE:
		syscall(SYS_arch_prctl, ARCH_SET_FS, change->value);
		break;
	case GS_BASE:
		syscall(SYS_arch_prctl, ARCH_SET_GS, change->value);
		break;
	case DS:
		asm volatile("mov %0, %%ds" : : "r"(change->value));
		break;
	}
}

/* What is run then: it uses the stack, and cli, so IOPL would be noticed. */
static const unsigned char after[] = { 0x50, 0x58, 0xfa };

static void place_code(void)
{
	size_t len = change->reg == FLAGS ? sizeof(after) : 2;

	memcpy((char *)CODE, after, len);
	memcpy((char *)CODE + len, last, sizeof(last));
}

static void sweep_frames(void)
{
	struct sigaction sa = { .sa_sigaction = on_signal,
				.sa_flags = SA_SIGINFO };
	char name[60];

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		pid_t pid;

		change = &changes[i];
		pid = child();
		if (!pid) {
			place_code();
			sigaction(SIGUSR1, &sa, NULL);
			raise(SIGUSR1);
			_exit(1);
		}
		snprintf(name, sizeof(name), "frame: %s", change->name);
		report(name, pid);
	}
}

/* --- tracer ----------------------------------------------------------------------- */

static int give(pid_t pid)
{
	struct user_regs_struct regs;
	unsigned long value = change->value;

	if (ptrace(PTRACE_GETREGS, pid, 0, &regs))
		return -1;
	regs.rip = change->reg == RIP ? value : CODE;
	regs.rsp = change->reg == RSP ? value : STACK - PAGE;
	regs.orig_rax = -1;
	if (change->reg == CS)
		regs.cs = value;
	if (change->reg == SS)
		regs.ss = value;
	if (change->reg == DS)
		regs.ds = value;
	if (change->reg == FLAGS)
		regs.eflags = value;
	if (change->reg == FS_BASE)
		regs.fs_base = value;
	if (change->reg == GS_BASE)
		regs.gs_base = value;
	return ptrace(PTRACE_SETREGS, pid, 0, &regs);
}

static void sweep_tracer(void)
{
	char name[60];
	int status;

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		pid_t pid;

		change = &changes[i];
		if (change->reg == FPU)
			continue;
		pid = child();
		if (!pid) {
			place_code();
			ptrace(PTRACE_TRACEME, 0, 0, 0);
			raise(SIGSTOP);
			_exit(1);
		}
		snprintf(name, sizeof(name), "tracer: %s", change->name);
		waitpid(pid, &status, 0);
		if (give(pid)) {
			printf("%s: %s\n", name, strerrorname_np(errno));
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			continue;
		}
		ptrace(PTRACE_DETACH, pid, 0, 0);
		report(name, pid);
	}
}

int main(int argc, char **argv)
{
	if (take_uid(argc, argv) != argc - 1) {
		fprintf(stderr, "usage: register-sweep [--uid UID]\n");
		return 2;
	}
	sweep_frames();
	sweep_tracer();
	return 0;
}
