// SPDX-License-Identifier: GPL-2.0
/*
 * The fuzzer's guests: registers and code that may be anything, and what has to
 * hold after they have run.
 */
#define _GNU_SOURCE

#include "mmfd_fuzz.h"

bool no_far_returns;

void find_emulator(void)
{
	uint32_t eax = 0x40000000, ebx, ecx = 0, edx;

	asm volatile("cpuid" : "+a" (eax), "=b" (ebx), "+c" (ecx), "=d" (edx));
	no_far_returns = ebx == 0x54474354;	/* "TCGT" */
}

/* A byte that may be code of a guest */
static uint8_t code_byte(uint64_t *rng)
{
	uint8_t byte = rnd64(rng) >> 32;

	/*
	 * lret, lret n, iret, lcall in 32-bit code, group 5; and what all of VEX pinsr*
	 * have: with VEX.L set, they make QEMU 7.2 itself end.
	 */
	while (no_far_returns && (byte == 0xca || byte == 0xcb || byte == 0xcf ||
				  byte == 0x9a || byte == 0xff || byte == 0xc4))
		byte = rnd64(rng) >> 32;
	return byte;
}

uint64_t odd_value(uint64_t *rng)
{
	static const uint64_t edges[] = {
		0, 1, PAGE, GUEST_CODE, GUEST_DATA, GUEST_NONE, 1UL << 31, 1UL << 32,
		1UL << 47, (1UL << 47) - PAGE, -(1UL << 47), 1UL << 62, 1UL << 63,
		0xffffffff81000000UL, 0xffffffffff600000UL, 0xffffffffff600400UL,
		-PAGE, 0x7ffffffff000UL, 1UL << 56,
	};
	uint64_t value = edges[rnd(rng, ARRAY_SIZE(edges))];

	switch (rnd(rng, 5)) {
	case 0:
		return value + rnd(rng, 33) - 16;
	case 1:
		return rnd64(rng);
	case 2:
		return rnd(rng, 1024);
	case 3:
		/* A copy could execute anything there. */
		if (no_far_returns)
			return value;
		return (uintptr_t)&odd_value + rnd(rng, 1 << 20);
	default:
		return value;
	}
}

/* fuzz_regs - registers of a guest: mostly such as user code can have */
void fuzz_regs(uint64_t *rng, struct mmfd_regs *regs)
{
	static const uint16_t calls[] = {
		SYS_gettimeofday, SYS_time, SYS_clock_gettime, SYS_settimeofday,
	};
	uint64_t *reg = (uint64_t *)regs;
	unsigned int i;

	for (i = 0; i < offsetof(struct mmfd_regs, rip) / 8; i++)
		reg[i] = one_in(rng, 2) ? GUEST_DATA + rnd(rng, 2 * PAGE) : odd_value(rng);
	/* Calls that exist, and those that may pass */
	if (one_in(rng, 2))
		regs->rax = one_in(rng, 2) ? rnd(rng, 512) : calls[rnd(rng, 4)];
	if (one_in(rng, 4))
		regs->rdi = rnd(rng, 12);
	regs->rip = GUEST_CODE + (one_in(rng, 2) ? rnd(rng, 32) : 0);
	regs->rsp = GUEST_DATA + 8 * rnd(rng, PAGE / 8);
	regs->cs = one_in(rng, 6) ? 0x23 : rnd(rng, 2) * 0x33;
	regs->ss = rnd(rng, 2) * 0x2b;
	regs->eflags = rnd64(rng) & (one_in(rng, 3) ? 0x254fd5 : 0x244cd5);
	regs->fs_base = rnd64(rng) >> 18;
	regs->gs_base = rnd64(rng) >> 18;
	while (one_in(rng, 6))
		reg[rnd(rng, sizeof(*regs) / 8)] = odd_value(rng);
}

/* Instructions that change what home has, enter the kernel, or may not be used */
static const struct {
	uint8_t len;
	uint8_t code[11];
} pieces[] = {
	{ 2, { X_SYSCALL } }, { 2, { X_SYSCALL } }, { 2, { X_INT80 } },
	{ 2, { X_SYSENTER } }, { 2, { X_UD2 } }, { 1, { X_INT3 } }, { 1, { 0xf1 } },
	{ 2, { X_SELF } }, { 1, { 0xf4 } }, { 1, { 0xfa } }, { 1, { 0xfb } },
	{ 1, { 0xec } }, { 1, { 0xee } },			/* in, out */
	{ 1, { 0x9d } }, { 1, { 0x9c } },			/* popf, pushf */
	{ 9, { 0x9c, 0x81, 0x0c, 0x24, 0x00, 0x01, 0x04, 0x00, 0x9d } }, /* TF, AC */
	{ 1, { 0xc3 } },
	{ 5, { 0xf3, 0x48, 0x0f, 0xae, 0xd0 } },		/* wrfsbase */
	{ 5, { 0xf3, 0x48, 0x0f, 0xae, 0xd8 } },		/* wrgsbase */
	{ 3, { 0x0f, 0x01, 0xf8 } },				/* swapgs */
	{ 2, { 0x8e, 0xdf } }, { 2, { 0x8e, 0xc7 } }, { 2, { 0x8e, 0xe7 } },
	{ 2, { 0x8e, 0xef } }, { 2, { 0x8e, 0xd7 } },		/* mov to selectors */
	{ 3, { 0x0f, 0xae, 0x2f } }, { 3, { 0x0f, 0xae, 0x27 } }, /* xrstor, xsave */
	{ 3, { 0x0f, 0xae, 0x0f } }, { 3, { 0x0f, 0xae, 0x17 } }, /* fxrstor, ldmxcsr */
	{ 4, { 0x66, 0x0f, 0xef, 0xed } }, { 2, { 0xd9, 0xeb } },	/* pxor, fldpi */
	{ 2, { 0xd9, 0x2f } }, { 2, { 0xdb, 0xe3 } }, { 1, { 0x9b } }, /* x87 */
	{ 3, { 0xc5, 0xfc, 0x77 } },				/* vzeroall */
	{ 3, { 0x0f, 0x01, 0xef } }, { 3, { 0x0f, 0x01, 0xee } }, /* wrpkru, rdpkru */
	{ 3, { 0x0f, 0x01, 0xd0 } }, { 3, { 0x0f, 0x01, 0xd1 } }, /* xgetbv, xsetbv */
	{ 2, { 0x0f, 0x31 } }, { 2, { 0x0f, 0x33 } }, { 2, { 0x0f, 0xa2 } },
	{ 2, { 0x0f, 0x30 } }, { 2, { 0x0f, 0x32 } },		/* wrmsr, rdmsr */
	{ 3, { 0x0f, 0x01, 0x07 } }, { 3, { 0x0f, 0x22, 0xd8 } }, /* sgdt, mov cr3 */
	{ 3, { 0x0f, 0x23, 0xf8 } }, /* mov dr7 */
	{ 3, { 0x48, 0xf7, 0xf1 } },				/* div */
	{ 3, { 0x48, 0x8b, 0x07 } }, { 3, { 0x48, 0x89, 0x07 } },	/* load, store */
	{ 2, { 0xf3, 0xa4 } }, { 2, { 0xf3, 0xaa } }, { 1, { 0xfd } }, { 1, { 0xfc } },
	/* movl $X_SYSCALL,2(%rip): the code changes itself, where it may */
	{ 10, { 0xc7, 0x05, 2, 0, 0, 0, 0x0f, 0x05, 0x0f, 0x05 } },
	{ 2, { X_BACK(8) } },
	/* Half of one of these would be a far call. */
	{ 2, { 0xff, 0x2f } }, { 2, { 0xff, 0x2f } },		/* far jump */
	{ 2, { 0xff, 0xe0 } }, { 2, { 0xff, 0xd0 } }, { 3, { 0x48, 0xff, 0xc3 } },
	/* far returns, a far call, and clac, half of which is a far return */
	{ 2, { 0x48, 0xcf } }, { 2, { 0x48, 0xcb } }, { 1, { 0xcf } },
	{ 2, { 0xff, 0x1f } }, { 3, { 0x0f, 0x01, 0xca } },
};

#define NR_HALF	5
#define NR_FAR	5

/**
 * fuzz_code - Fill a piece of memory with code
 * @in_use:	It may run meanwhile
 */
void fuzz_code(uint64_t *rng, uint8_t *code, unsigned int size, bool in_use)
{
	unsigned int i = 0, j, k, nr = ARRAY_SIZE(pieces);

	if (no_far_returns)
		nr -= NR_FAR + (in_use ? NR_HALF : 0);
	while (i < size) {
		if (one_in(rng, 12)) {
			for (k = rnd(rng, 8); k && i < size; k--)
				code[i++] = code_byte(rng);
			continue;
		}
		/* The first ones are system calls. */
		j = one_in(rng, 6) ? rnd(rng, 4) : rnd(rng, nr);
		if (i + pieces[j].len > size) {
			code[i++] = 0x90;
			continue;
		}
		for (k = 0; k < pieces[j].len; k++)
			code[i++] = pieces[j].code[k];
	}
}

struct fpu {
	uint8_t fx[512];
} __attribute__((aligned(16)));

/* The call, with a mark in every register that it has to keep */
static long run_with_marks(int fd, unsigned int flags, struct fpu *before,
			   struct fpu *after)
{
	register long r12 asm("r12") = 0x1212;
	register long r13 asm("r13") = 0x1313;
	register long r14 asm("r14") = 0x1414;
	register long r15 asm("r15") = 0x1515;
	uint64_t mark = 0x5555aaaa5555aaaaUL;
	long ret = __NR_mmfd_run, rbx = 0x0b0b, eflags;

	asm volatile("movq %[mark], %%xmm5\n\t"
		     "movq %[mark], %%xmm15\n\t"
		     "fxsave64 %[before]\n\t"
		     "syscall\n\t"
		     "fxsave64 %[after]\n\t"
		     "lea -128(%%rsp), %%rsp\n\t"
		     "pushf\n\t"
		     "pop %%r10\n\t"
		     "lea 128(%%rsp), %%rsp\n\t"
		     "mov %%r10, %[eflags]"
		     : "+a" (ret), "+r" (r12), "+r" (r13), "+r" (r14), "+r" (r15),
		       "+b" (rbx), [before] "=m" (*before), [after] "=m" (*after),
		       [eflags] "=m" (eflags)
		     : "D" (fd), "S" (flags), [mark] "m" (mark)
		     : "rcx", "r10", "r11", "memory", "xmm5", "xmm15", "cc");
	if (r12 != 0x1212 || r13 != 0x1313 || r14 != 0x1414 || r15 != 0x1515 ||
	    rbx != 0x0b0b)
		return -1000;
	/* TF, DF, NT, AC */
	return eflags & 0x44500 ? -1001 : ret;
}

static void check_reason(struct fuzz *f, const struct mmfd_run *run)
{
	const struct mmfd_regs *regs = &run->regs;

	switch (run->reason) {
	case MMFD_EXIT_SYSCALL:
		if (run->arch != AUDIT_X86_64 && run->arch != AUDIT_I386)
			fuzz_fail(f, "arch %#x of a call", run->arch);
		if ((int)regs->orig_rax != run->nr)
			fuzz_fail(f, "call %ld, but orig_rax %lx", (long)run->nr,
				  (long)regs->orig_rax);
		break;
	case MMFD_EXIT_FAULT:
		if (run->vector != 14 || !(run->error_code & 4))
			fuzz_fail(f, "fault: vector %u, error code %#x", run->vector,
				  run->error_code);
		if (run->signo != SIGSEGV && run->signo != SIGBUS)
			fuzz_fail(f, "fault: signal %d", run->signo);
		break;
	case MMFD_EXIT_EXCEPTION:
		if (run->vector > 31 && run->vector != MMFD_VECTOR_NONE)
			fuzz_fail(f, "exception: vector %u", run->vector);
		if (run->signo <= 0 || run->signo > 31)
			fuzz_fail(f, "exception: signal %d", run->signo);
		break;
	case MMFD_EXIT_INTERRUPTED:
		break;
	default:
		fuzz_fail(f, "reason %u", run->reason);
	}
	if (regs->cs != 0x33 && regs->cs != 0x23)
		fuzz_fail(f, "reason %u: cs %#lx", run->reason, (long)regs->cs);
	/* IOPL and VM, and IF */
	if (regs->ss != 0x2b || regs->eflags & 0x23000 || !(regs->eflags & 0x200))
		fuzz_fail(f, "reason %u: ss %#lx, flags %#lx", run->reason,
			  (long)regs->ss, (long)regs->eflags);
}

/**
 * fuzz_run - mmfd_run() and what has to hold after it
 * @fd:		Any descriptor
 * @flags:	Of the call
 * @run:	Its run page, if @fd is a virtual CPU's and this is known
 */
void fuzz_run(struct fuzz *f, int fd, unsigned int flags, struct mmfd_run *run)
{
	bool immediate = run && run->immediate_exit;
	struct fpu before = { }, after = { };
	long ret;

	ret = run_with_marks(fd, flags, &before, &after);
	if (ret == -1000)
		fuzz_fail(f, "registers of home changed");
	if (ret == -1001)
		fuzz_fail(f, "flags of home changed");
	if (memcmp(&before, &after, 416))
		fuzz_fail(f, "FPU registers of home changed");
	if (ret != 0 && ret != -EINVAL && ret != -EBADF && ret != -EBUSY &&
	    ret != -EOPNOTSUPP)
		fuzz_fail(f, "mmfd_run: %ld", ret);
	if (ret && run && f->op)
		f->op[1]++;
	if (ret || !run || immediate || f->noisy)
		return;
	check_reason(f, run);
	if (f->op)
		f->op[1 + run->reason]++;
	/* QEMU's emulation lets user code have any base. */
	if (no_far_returns)
		memset(&run->regs.fs_base, 0, 2 * sizeof(run->regs.fs_base));
	/* "Run again": so it has to be possible. */
	if (run->reason == MMFD_EXIT_INTERRUPTED && mmfd_run(fd) == -EINVAL)
		fuzz_fail(f, "interrupted at %#lx, flags %#lx, and that is refused",
			  (long)run->regs.rip, (long)run->regs.eflags);
}
