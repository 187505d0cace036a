// SPDX-License-Identifier: GPL-2.0
/*
 * What libmmfd does with address spaces and virtual CPUs, and which errors it
 * returns. Needs CONFIG_MMFD and root.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "mmfd-guest.h"

static struct guest g;

static int is_cloexec(int fd)
{
	return fcntl(fd, F_GETFD) & FD_CLOEXEC;
}

static void descriptors(void)
{
	check(!mmfd_supported(), "supported");
	check(is_cloexec(g.dev), "device is inherited");
	check(is_cloexec(g.space), "address space is inherited");
	check(is_cloexec(mmfd_vcpu_fd(g.vcpu)), "virtual CPU is inherited");
	check(mmfd_create(g.dev, 0x80) == -EINVAL, "unknown flag");
	check(mmfd_create(g.space, 0) == -ENOTTY, "create in a space");
	check(mmfd_map(g.dev, GUEST_NONE, PAGE, READ_WRITE,
		       MMFD_MAP_PRIVATE | MMFD_MAP_ANONYMOUS, -1, 0) == -ENOTTY,
	      "map into the device");
	check(mmfd_run(g.space, 0) == -EINVAL, "run a space");
	check(mmfd_run(mmfd_vcpu_fd(g.vcpu), 1) == -EINVAL, "unknown flag");
}

static void a_batch_tells_what_became_of_each(void)
{
	struct mmfd_op ops[3];
	unsigned int i, done = 9;

	memset(ops, 0, sizeof(ops));
	for (i = 0; i < 3; i++) {
		ops[i].op = MMFD_OP_MAP;
		ops[i].flags = MMFD_MAP_PRIVATE | MMFD_MAP_ANONYMOUS |
			       MMFD_MAP_NOREPLACE;
		ops[i].addr = GUEST_NONE + i * PAGE;
		ops[i].len = PAGE;
		ops[i].prot = MMFD_PROT_READ;
		ops[i].fd = -1;
	}
	ops[1].addr = GUEST_CODE;
	check(mmfd_ops(g.space, ops, 3, &done) == -EEXIST, "the second");
	check(done == 1, "%u were done", done);
	check(!ops[0].result, "result of the first");
	check(ops[1].result == -EEXIST, "result of the second");
	check(ops[2].result == -ECANCELED, "result of the third");
	ops[0].addr += 8 * PAGE;
	ops[1].addr += 1;
	check(mmfd_ops(g.space, ops, 3, &done) == -EINVAL, "malformed");
	check(!done && ops[0].result == -ECANCELED, "the first was done");
	check(mmfd_ops(g.space, ops, MMFD_OPS_MAX + 1, NULL) == -E2BIG,
	      "too many");
	check(!mmfd_ops(g.space, ops, 0, &done) && !done, "none");
	check(!mmfd_unmap(g.space, GUEST_NONE, PAGE), "unmap");
}

static void mappings(void)
{
	int null = open("/dev/null", O_RDWR);
	int file = open("/proc/self/exe", O_RDONLY);
	struct mmfd_query q;

	check(mmfd_map(g.space, GUEST_NONE, PAGE, READ_WRITE, MMFD_MAP_SHARED,
		       null, 0) == -EACCES,
	      "map /dev/null");
	check(mmfd_map(g.space, GUEST_NONE, PAGE, READ_WRITE, MMFD_MAP_SHARED,
		       file, 0) == -EACCES,
	      "map for writing what is open for reading");
	check(mmfd_map(g.space, GUEST_NONE, PAGE, READ_WRITE, MMFD_MAP_SHARED,
		       999, 0) == -EBADF,
	      "map no descriptor");
	check(!mmfd_map(g.space, GUEST_NONE, PAGE, MMFD_PROT_READ,
			MMFD_MAP_PRIVATE, g.memory, PAGE),
	      "map");
	check(!mmfd_query(g.space, GUEST_NONE + 1, &q), "query");
	check(q.start == GUEST_NONE && q.end == GUEST_NONE + PAGE, "where");
	check(q.offset == PAGE && q.flags == MMFD_QUERY_FILE, "what");
	check(q.prot == MMFD_PROT_READ, "prot %u", q.prot);
	check(!mmfd_protect(g.space, GUEST_NONE, PAGE, READ_WRITE), "protect");
	check(!mmfd_query(g.space, 0, &q) && q.start == GUEST_CODE,
	      "the first is elsewhere");
	check(!mmfd_unmap(g.space, GUEST_NONE, PAGE), "unmap");
	check(mmfd_query(g.space, GUEST_NONE, &q) == -ENOENT, "still there");
	check(mmfd_protect(g.space, GUEST_NONE, PAGE, READ_WRITE) == -ENOMEM,
	      "protect what is not there");
	close(null);
	close(file);
}

static void a_copy_has_what_the_caller_has(void)
{
	int copy = mmfd_create(g.dev, MMFD_CREATE_COPY);
	struct mmfd_query q;

	if (!check(copy >= 0, "copy: %s", strerror(-copy)))
		return;
	check(!mmfd_query(copy, (uintptr_t)&g, &q) && q.start <= (uintptr_t)&g,
	      "a variable is not in it");
	close(copy);
}

static void runs_end_with_their_reason(void)
{
	GUEST_LOAD(&g, X_SYSCALL);
	g.page->regs.rax = 1000;
	g.page->regs.rdi = 42;
	check_run(&g, MMFD_EXIT_SYSCALL, "syscall");
	check(g.page->nr == 1000 && g.page->args[0] == 42, "call %lld(%llu)",
	      (long long)g.page->nr, (unsigned long long)g.page->args[0]);
	GUEST_LOAD(&g, "\x48\x8b\x07"); /* mov (%rdi),%rax */
	g.page->regs.rdi = GUEST_NONE;
	check_run(&g, MMFD_EXIT_FAULT, "load");
	check(g.page->addr == GUEST_NONE, "the fault is elsewhere");
	GUEST_LOAD(&g, "\x0f\x0b"); /* ud2 */
	check_run(&g, MMFD_EXIT_EXCEPTION, "ud2");
	check(g.page->vector == 6, "vector %u", g.page->vector);
	g.page->regs.rip = 1ULL << 63;
	check(mmfd_vcpu_run(g.vcpu) == -EINVAL, "bad registers");
}

static void immediate_exit_holds_for_one_run(void)
{
	GUEST_LOAD(&g, X_SYSCALL);
	g.page->immediate_exit = 1;
	check(mmfd_vcpu_run(g.vcpu) == MMFD_EXIT_INTERRUPTED, "it ran");
	check(g.page->regs.rip == GUEST_CODE, "it ran");
	check(!g.page->immediate_exit, "it is still set");
	check_run(&g, MMFD_EXIT_SYSCALL, "the next run");
}

static void calls_pass_as_asked(void)
{
	struct mmfd_vcpu *trapping = g.vcpu;
	int err;

	err = mmfd_vcpu_create(g.space, 0, 1U << 31, &g.vcpu);
	check(err == -EINVAL && g.vcpu == trapping, "unknown bit: %d", err);
	check(mmfd_vcpu_create(g.dev, 0, 0, &g.vcpu) == -ENOTTY,
	      "of the device");
	GUEST_LOAD(&g, X_SYSCALL);
	g.page->regs.rax = SYS_time;
	check_run(&g, MMFD_EXIT_SYSCALL, "time");

	err = mmfd_vcpu_create(g.space, 0, MMFD_PASS_TIME, &g.vcpu);
	if (!check(!err, "create: %s", strerror(-err)))
		return;
	g.page = mmfd_vcpu_page(g.vcpu);
	GUEST_LOAD(&g, X_SYSCALL "\x0f\x0b");
	g.page->regs.rax = SYS_time;
	check_run(&g, MMFD_EXIT_EXCEPTION, "time, passed");
	check(g.page->regs.rip == GUEST_CODE + 2, "it did not go on");
	mmfd_vcpu_destroy(g.vcpu);
	g.vcpu = trapping;
	g.page = mmfd_vcpu_page(g.vcpu);
}

/* Where a register is in the format of XSAVE */
#define XMM5 240

static void fpu_registers_are_those_of_the_virtual_cpu(void)
{
	static uint8_t buf[16384];
	struct mmfd_vcpu *own = g.vcpu;
	uint64_t value = 0x1234567;
	int size;

	/* movq %rax,%xmm5; syscall; movq %xmm5,%rbx; syscall */
	GUEST_LOAD(&g, "\x66\x48\x0f\x6e\xe8" X_SYSCALL
		       "\x66\x48\x0f\x7e\xeb" X_SYSCALL);
	g.page->regs.rax = 42;
	check_run(&g, MMFD_EXIT_SYSCALL, "set");
	size = mmfd_vcpu_get_xstate(g.vcpu, buf, sizeof(buf));
	check(size >= 576, "size %d", size);
	check(buf[XMM5] == 42, "it has %u", buf[XMM5]);
	memcpy(buf + XMM5, &value, sizeof(value));
	check(!mmfd_vcpu_set_xstate(g.vcpu, buf, size), "write");
	check_run(&g, MMFD_EXIT_SYSCALL, "get");
	check(g.page->regs.rbx == value, "it is not what was written");
	check(mmfd_vcpu_get_xstate(g.vcpu, buf, 575) == -ENOSPC, "no room");
	check(mmfd_vcpu_set_xstate(g.vcpu, NULL, size) == -EFAULT, "no buffer");

	check(!mmfd_vcpu_create(g.space, MMFD_VCPU_SHARE_XSTATE, 0, &g.vcpu),
	      "create");
	size = mmfd_vcpu_get_xstate(g.vcpu, buf, sizeof(buf));
	check(size == -EOPNOTSUPP, "registers that are shared: %d", size);
	mmfd_vcpu_destroy(g.vcpu);
	check(mmfd_vcpu_create(g.space, 1U << 31, 0, &g.vcpu) == -EINVAL,
	      "unknown flag");
	g.vcpu = own;
}

static void the_vdso_is_where_it_was_put(void)
{
	uint64_t ehdr = 0;
	struct mmfd_query q;
	int err;

	check(mmfd_map_vdso(g.space, 0x200000, PAGE, &ehdr) == -ENOSPC,
	      "in one page");
	err = mmfd_map_vdso(g.space, 0x200000, 0x100000, &ehdr);
	check(!err, "vdso: %s", strerror(-err));
	check(ehdr > 0x200000, "no header");
	check(!mmfd_query(g.space, ehdr, &q) && q.start == ehdr, "not there");
	check(q.prot & MMFD_PROT_EXEC, "not to execute");
	check(mmfd_map_vdso(g.space, 0x400000, 0x100000, NULL) == -EEXIST,
	      "a second one");
}

static void a_child_has_no_run_page(void)
{
	int status;
	pid_t pid;

	GUEST_LOAD(&g, X_SYSCALL);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		check(!mmfd_vcpu_page(g.vcpu), "a page");
		check(mmfd_vcpu_run(g.vcpu) == -ECHILD, "run");
		mmfd_vcpu_destroy(g.vcpu);
		fflush(stdout);
		_exit(check_result());
	}
	waitpid(pid, &status, 0);
	check(!status, "the child's status is %#x", status);
	check_run(&g, MMFD_EXIT_SYSCALL, "the parent's");
}

int main(void)
{
	if (!guest_open(&g, 0))
		return check_result();
	descriptors();
	a_batch_tells_what_became_of_each();
	mappings();
	a_copy_has_what_the_caller_has();
	runs_end_with_their_reason();
	immediate_exit_holds_for_one_run();
	calls_pass_as_asked();
	fpu_registers_are_those_of_the_virtual_cpu();
	the_vdso_is_where_it_was_put();
	a_child_has_no_run_page();
	guest_close(&g);
	return check_result();
}
