// SPDX-License-Identifier: GPL-2.0
/*
 * entry-sweep - leave user space by everything that is not the usual system call.
 *
 * usage: entry-sweep [--uid UID] [--no-far] [PART...]
 *
 * Each try is a process of its own; a line says what became of it: the name of the
 * signal that ended it, "went on" if it came to its last instruction, or "waited".
 * The parts, all if none is named:
 *   instructions  privileged ones, those that trap, int with every vector
 *   far           transfers to every selector, with what is a system call of 32 bits
 *                 where they lead
 *   jumps         to addresses outside of the process, and a system call whose end
 *                 is the end of its memory
 * With --no-far, far calls and far and interrupt returns are left out: where QEMU
 * emulates the CPU, they use the stack with the kernel's rights.
 */
#include <stdint.h>

#include "tries.h"

static int no_far;

static __attribute__((noreturn)) void enter(const unsigned char *code,
					    size_t len, unsigned long sp)
{
	memcpy((char *)CODE, code, len);
	memcpy((char *)CODE + len, last, sizeof(last));
	asm volatile("mov %[sp], %%rsp\n\t"
		     "mov $39, %%eax\n\t"
		     "mov %[sp], %%rdi\n\t"
		     "xor %%esi, %%esi\n\t"
		     "xor %%edx, %%edx\n\t"
		     "xor %%ecx, %%ecx\n\t"
		     "jmp *%[to]"
		     :
		     : [sp] "r"(sp), [to] "r"(CODE)
		     : "rax", "rcx", "rdx", "rsi", "rdi", "memory");
	__builtin_unreachable();
}

static void try_code(const char *name, const void *code, size_t len)
{
	pid_t pid = child();

	if (!pid)
		enter(code, len, STACK - 2 * PAGE);
	report(name, pid);
}

/* --- instructions --------------------------------------------------------------- */

static const struct instruction {
	const char *name;
	unsigned char len;
	unsigned char code[9];
} instructions[] = {
	{ "nop", 1, { 0x90 } },
	{ "int3", 1, { 0xcc } },
	{ "into", 1, { 0xce } },
	{ "icebp", 1, { 0xf1 } },
	{ "ud2", 2, { 0x0f, 0x0b } },
	{ "ud1", 3, { 0x0f, 0xb9, 0xc0 } },
	{ "hlt", 1, { 0xf4 } },
	{ "cli", 1, { 0xfa } },
	{ "sti", 1, { 0xfb } },
	{ "in", 1, { 0xec } },
	{ "out", 1, { 0xee } },
	{ "ins", 1, { 0x6c } },
	{ "outs", 1, { 0x6e } },
	{ "rdmsr", 2, { 0x0f, 0x32 } },
	{ "wrmsr", 2, { 0x0f, 0x30 } },
	{ "rdpmc", 2, { 0x0f, 0x33 } },
	{ "mov from cr0", 3, { 0x0f, 0x20, 0xc0 } },
	{ "mov to cr0", 3, { 0x0f, 0x22, 0xc0 } },
	{ "mov from cr3", 3, { 0x0f, 0x20, 0xd8 } },
	{ "mov to cr3", 3, { 0x0f, 0x22, 0xd8 } },
	{ "mov to cr4", 3, { 0x0f, 0x22, 0xe0 } },
	{ "mov to dr0", 3, { 0x0f, 0x23, 0xc0 } },
	{ "mov to dr7", 3, { 0x0f, 0x23, 0xf8 } },
	{ "clts", 2, { 0x0f, 0x06 } },
	{ "invd", 2, { 0x0f, 0x08 } },
	{ "wbinvd", 2, { 0x0f, 0x09 } },
	{ "invlpg", 3, { 0x0f, 0x01, 0x3f } },
	{ "lgdt", 3, { 0x0f, 0x01, 0x17 } },
	{ "lidt", 3, { 0x0f, 0x01, 0x1f } },
	{ "lldt", 3, { 0x0f, 0x00, 0xd0 } },
	{ "ltr", 3, { 0x0f, 0x00, 0xd8 } },
	{ "lmsw", 3, { 0x0f, 0x01, 0xf0 } },
	{ "swapgs", 3, { 0x0f, 0x01, 0xf8 } },
	{ "sysret", 2, { 0x0f, 0x07 } },
	{ "sysretq", 3, { 0x48, 0x0f, 0x07 } },
	{ "sysexit", 2, { 0x0f, 0x35 } },
	{ "sysenter", 2, { 0x0f, 0x34 } },
	{ "vmcall", 3, { 0x0f, 0x01, 0xc1 } },
	{ "vmlaunch", 3, { 0x0f, 0x01, 0xc2 } },
	{ "vmmcall", 3, { 0x0f, 0x01, 0xd9 } },
	{ "vmrun", 3, { 0x0f, 0x01, 0xd8 } },
	{ "monitor", 3, { 0x0f, 0x01, 0xc8 } },
	{ "mwait", 3, { 0x0f, 0x01, 0xc9 } },
	{ "xsetbv", 3, { 0x0f, 0x01, 0xd1 } },
	{ "rsm", 2, { 0x0f, 0xaa } },
	{ "getsec", 2, { 0x0f, 0x37 } },
	{ "mov to ss", 2, { 0x8e, 0xd2 } },
	{ "divide by zero", 2, { 0xf7, 0xf1 } },
	{ "popf with all flags, cli",
	  9,
	  { 0x48, 0xc7, 0x07, 0xff, 0x7e, 0x24, 0x00, 0x9d, 0xfa } },
	{ "lock of what has none", 3, { 0xf0, 0x90, 0x90 } },
};

static void sweep_instructions(void)
{
	unsigned char code[2] = { 0xcd };
	char name[16];

	for (size_t i = 0; i < ARRAY_SIZE(instructions); i++)
		try_code(instructions[i].name, instructions[i].code,
			 instructions[i].len);
	for (int vector = 0; vector < 256; vector++) {
		code[1] = vector;
		snprintf(name, sizeof(name), "int %#x", vector);
		try_code(name, code, sizeof(code));
	}
}

/* --- far ------------------------------------------------------------------------ */

static const unsigned short selectors[] = {
	0x00, 0x03, 0x04, 0x07, 0x08, 0x0b, 0x0f,   0x10,   0x13, 0x17, 0x18,
	0x1b, 0x20, 0x23, 0x28, 0x2b, 0x30, 0x33,   0x38,   0x3b, 0x40, 0x43,
	0x48, 0x4b, 0x50, 0x53, 0x58, 0x5b, 0x60,   0x63,   0x68, 0x6b, 0x70,
	0x73, 0x78, 0x7b, 0x80, 0x83, 0xff, 0xfff8, 0xffff,
};

static void try_far(const char *how, const void *code, size_t len,
		    unsigned short selector, const void *pointer, size_t size)
{
	char name[40];
	pid_t pid = child();

	if (!pid) {
		memcpy((char *)STACK - 2 * PAGE, pointer, size);
		enter(code, len, STACK - 2 * PAGE);
	}
	snprintf(name, sizeof(name), "%s to %#x", how, selector);
	report(name, pid);
}

/* The pointers are where rdi points to, which is the top of the stack, too. */
static void sweep_far(void)
{
	static const unsigned char ljmp[] = { 0xff, 0x2f },
				   lcall[] = { 0xff, 0x1f },
				   lret[] = { 0x48, 0xcb },
				   iret[] = { 0x48, 0xcf };

	for (size_t i = 0; i < ARRAY_SIZE(selectors); i++) {
		unsigned short s = selectors[i];
		const struct {
			uint32_t offset;
			uint16_t selector;
		} __attribute__((packed)) far = { CODE32, s };
		const uint64_t frame[] = { CODE32, s, 0x202, STACK - PAGE,
					   0x2b };

		try_far("ljmp", ljmp, sizeof(ljmp), s, &far, sizeof(far));
		if (no_far)
			continue;
		try_far("lcall", lcall, sizeof(lcall), s, &far, sizeof(far));
		try_far("lret", lret, sizeof(lret), s, frame, sizeof(frame));
		try_far("iret", iret, sizeof(iret), s, frame, sizeof(frame));
	}
}

/* --- jumps ----------------------------------------------------------------------- */

/* Addresses where a UML guest, or any process, has nothing to execute */
static const unsigned long nowhere[] = {
	0x0,
	0x1,
	0xffff,
	0x7f7ffffff000,
	0x7f7fffffffff,
	0x7f8000000000,
	0x7fffffffb000,
	0x7ffffffff000,
	0x7fffffffffff,
	0x800000000000,
	0x8000000000000000,
	0xffff7fffffffffff,
	0xffff800000000000,
	0xffff888000000000,
	0xfffffe0000000000,
	0xffffffff80000000,
	0xffffffff81000000,
	0xffffffffff5ff000,
	0xffffffffff600001,
	0xffffffffff601000,
	0xfffffffffffff000,
	0xffffffffffffffff,
};

/* The last page that this process can have: user space ends at one of these. */
static char *last_page(void)
{
	static const unsigned long ends[] = { 0x7ffffffff000, 0x7f8000000000 };
	char *page;

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		for (int back = 1; back < 16; back++) {
			page = mmap((void *)(ends[i] - back * PAGE), PAGE,
				    PROT_READ | PROT_WRITE | PROT_EXEC,
				    MAP_PRIVATE | MAP_ANONYMOUS |
					    MAP_FIXED_NOREPLACE,
				    -1, 0);
			if (page != MAP_FAILED)
				return page;
		}
	}
	_exit(1);
}

/* A system call that ends where the process' memory does */
static void try_last_call(void)
{
	pid_t pid = child();

	if (!pid) {
		char *page = last_page();

		memcpy(page + PAGE - 2, "\x0f\x05", 2);
		asm volatile("jmp *%0"
			     :
			     : "r"(page + PAGE - 2), "a"(SYS_getpid));
	}
	report("a call that ends with the memory", pid);
}

static void sweep_jumps(void)
{
	char name[40];

	for (size_t i = 0; i < ARRAY_SIZE(nowhere); i++) {
		pid_t pid = child();

		if (!pid)
			asm volatile("mov %1, %%rsp\n\t"
				     "jmp *%0"
				     :
				     : "r"(nowhere[i]), "r"(STACK - PAGE)
				     : "memory");
		snprintf(name, sizeof(name), "jump to %#lx", nowhere[i]);
		report(name, pid);
	}
	try_last_call();
}

static const struct part {
	const char *name;
	void (*sweep)(void);
} parts[] = {
	{ "instructions", sweep_instructions },
	{ "far", sweep_far },
	{ "jumps", sweep_jumps },
};

int main(int argc, char **argv)
{
	int named = 0, taken = take_uid(argc, argv);

	argc -= taken;
	argv += taken;
	if (argc > 1 && !strcmp(argv[1], "--no-far")) {
		no_far = 1;
		argc--;
		argv++;
	}
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		for (int arg = 1; arg < argc; arg++) {
			if (strcmp(argv[arg], parts[i].name))
				continue;
			parts[i].sweep();
			named++;
		}
		if (argc == 1)
			parts[i].sweep();
	}
	if (named == argc - 1)
		return 0;
	fprintf(stderr,
		"usage: entry-sweep [--uid UID] [--no-far] [PART...]\n");
	return 2;
}
