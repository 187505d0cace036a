// SPDX-License-Identifier: GPL-2.0
/*
 * mmfd mode: decide whether it is used. It is tried before: a piece of code runs in
 * an address space, makes a system call, and faults.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <asm/unistd.h>
#include <linux/audit.h>
#include <as-layout.h>
#include <hostvdso.h>
#include <init.h>
#include <os.h>
#include <registers.h>
#include <timeclock.h>
#include <um_mmfd.h>
#include <user.h>
#include "linux/mmfd.h"
#include "mmfd_priv.h"

/* Why it is not used, a constant string; for the boot log */
const char *mmfd_obstacle = "it is not in use";

static enum { MMFD_DEFAULT, MMFD_AUTO, MMFD_ON, MMFD_OFF } wanted;

/* Where the code is, and what it reads */
#define TRY_CODE	0x10000UL
#define TRY_NOTHING	0x20000UL
#define TRY_CALL	0x1234

/* More than any processor has */
#define XSTATE_ROOM	(64 * 1024)

static const unsigned char try_code[] = {
	0x0f, 0x05,		/* syscall */
	0x48, 0x8b, 0x06,	/* mov (%rsi),%rax */
};

static int __init map_try_code(int space)
{
	struct mmfd_op op = {
		.op = MMFD_OP_MAP,
		.flags = MMFD_MAP_PRIVATE,
		.addr = TRY_CODE,
		.len = UM_KERN_PAGE_SIZE,
		.prot = MMFD_PROT_READ | MMFD_PROT_EXEC,
	};
	int err;

	op.fd = create_mem_file(UM_KERN_PAGE_SIZE);
	if (op.fd < 0)
		return op.fd;

	err = pwrite(op.fd, try_code, sizeof(try_code), 0) == sizeof(try_code) ?
		mmfd_do_ops(space, &op, 1) : -EIO;
	close(op.fd);
	return err;
}

static const char *__init try_run(struct um_vcpu *vcpu)
{
	struct mmfd_run *run = vcpu->run;

	run->regs.rip = TRY_CODE;
	run->regs.rsi = TRY_NOTHING;
	run->regs.rax = TRY_CALL;
	run->trap = MMFD_PASS_TIME;
	if (mmfd_run(vcpu->fd))
		return errno == EINVAL ? "the host's mmfd is too old" :
					 "mmfd_run() fails on the host";
	if (run->reason != MMFD_EXIT_SYSCALL || run->arch != AUDIT_ARCH_X86_64 ||
	    run->nr != TRY_CALL)
		return "mmfd_run() does not end with a system call";

	if (mmfd_run(vcpu->fd) || run->reason != MMFD_EXIT_FAULT ||
	    run->addr != TRY_NOTHING || run->vector != 14)
		return "mmfd_run() does not end with a page fault";
	return NULL;
}

/* What a new task has: those that nobody has written to yet */
static const char *__init init_registers(struct um_vcpu *vcpu)
{
	const struct mmfd_regs regs = {
		.cs = 0x33,
		.ss = 0x2b,
		.eflags = 0x202,
	};
	int size;

	exec_fp_regs = malloc(XSTATE_ROOM);
	if (!exec_fp_regs)
		return "there is no memory";
	size = os_mmfd_xstate_get(vcpu, exec_fp_regs, XSTATE_ROOM);
	if (size <= 0 || os_mmfd_xstate_set(vcpu, exec_fp_regs, size) < 0) {
		free(exec_fp_regs);
		return "the host's mmfd is too old";
	}

	host_fp_size = size;
	_Static_assert(sizeof(regs) <= sizeof(exec_regs), "a part of the registers");
	memcpy(exec_regs, &regs, sizeof(regs));
	return NULL;
}

static const char *__init try_vcpu(struct um_space *space)
{
	struct um_vcpu *vcpu = &space->vcpus[0];
	const char *obstacle;

	if (os_mmfd_vcpu_create(space, vcpu, TIMECLOCK_GET))
		return "the host does not make a virtual CPU";

	obstacle = init_registers(vcpu);
	if (!obstacle)
		obstacle = try_run(vcpu);
	os_mmfd_vcpu_destroy(vcpu);
	return obstacle;
}

static const char *__init try_space(struct um_space *space)
{
	const char *obstacle;

	space->fd = os_mmfd_space_create();
	if (space->fd < 0 && host_vdso.nr) {
		os_host_vdso_disable();
		host_vdso_obstacle = "the host does not map its vDSO there for mmfd";
		space->fd = os_mmfd_space_create();
	}
	if (space->fd < 0)
		return "the host does not make an address space";

	obstacle = map_try_code(space->fd) ? "the host does not map a file" :
					     try_vcpu(space);
	close(space->fd);
	return obstacle;
}

static const char *__init open_dev(void)
{
	mmfd_dev_fd = open("/dev/mmfd", O_RDWR | O_CLOEXEC);
	if (mmfd_dev_fd >= 0)
		return ioctl(mmfd_dev_fd, MMFD_ABI, 0) == MMFD_ABI_VERSION ? NULL :
			"the host's mmfd has another ABI";
	return errno == EACCES || errno == EPERM ? "/dev/mmfd may not be opened" :
						   "the host has no /dev/mmfd";
}

static const char *__init find_obstacle(void)
{
	struct um_space *space;
	const char *obstacle;

	obstacle = open_dev();
	if (obstacle)
		return obstacle;
	space = calloc(1, sizeof(*space) + sizeof(space->vcpus[0]));
	if (!space)
		return "there is no memory";
	obstacle = try_space(space);
	free(space);
	return obstacle;
}

/* An address space takes a descriptor, and each virtual CPU in it another one. */
static void __init raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/**
 * os_mmfd_choose() - Decide whether mmfd is used, and set it up
 * @other_named:	the command line is about another mode
 *
 * To be called once, before the kernel runs. Ends UML if mmfd is asked for and
 * cannot be used. Sets the registers which new tasks have.
 *
 * Return: true if it is
 */
bool __init os_mmfd_choose(bool other_named)
{
	if (wanted == MMFD_OFF || (wanted == MMFD_DEFAULT && other_named)) {
		mmfd_obstacle = "it is not asked for";
		return false;
	}

	mmfd_obstacle = find_obstacle();
	if (!mmfd_obstacle) {
		raise_descriptors();
		using_mmfd = 1;
		return true;
	}

	if (mmfd_dev_fd >= 0)
		close(mmfd_dev_fd);
	if (wanted == MMFD_ON) {
		os_warn("mmfd=on: %s\n", mmfd_obstacle);
		exit(1);
	}
	return false;
}

static int __init mmfd_setup(char *line, int *add)
{
	*add = 0;

	if (!strcmp(line, "auto")) {
		wanted = MMFD_AUTO;
	} else if (!strcmp(line, "on")) {
		wanted = MMFD_ON;
	} else if (!strcmp(line, "off")) {
		wanted = MMFD_OFF;
	} else {
		os_warn("Invalid option 'mmfd=%s', expected auto/on/off\n", line);
		exit(1);
	}
	return 0;
}

__uml_setup("mmfd=", mmfd_setup,
	    "mmfd=<auto/on/off>\n"
	    "    Configure whether guest code runs in address spaces that are descriptors\n"
	    "    of the UML kernel's own task, without any other process. This takes a host\n"
	    "    with CONFIG_MMFD and access to its /dev/mmfd. With auto, the default, they\n"
	    "    are used if they are there and work, unless seccomp= is given. With on,\n"
	    "    UML ends if they are not.\n\n"
);
