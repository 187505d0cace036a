// SPDX-License-Identifier: GPL-2.0
/*
 * libmmfd on a kernel without CONFIG_MMFD: each call fails, with the error that
 * its page names.
 */
#include <errno.h>
#include <fcntl.h>
#include <mmfd/compat.h>
#include <string.h>
#include <unistd.h>

#include <mmfd.h>

#include "check.h"

static void expect(int ret, int want, const char *what)
{
	check(ret == want, "%s: %d, not %d", what, ret, want);
}

/* What a caller might have instead of an address space */
static void check_descriptor(int fd, int want)
{
	struct mmfd_vcpu *vcpu = NULL;
	struct mmfd_query query;

	expect(mmfd_create(fd, 0), want, "mmfd_create");
	expect(mmfd_memory_create(fd, 4096), want, "mmfd_memory_create");
	expect(mmfd_ops(fd, NULL, 0, NULL), want, "mmfd_ops");
	expect(mmfd_map(fd, 0x10000, 4096, MMFD_PROT_READ,
			MMFD_MAP_PRIVATE | MMFD_MAP_ANONYMOUS, -1, 0),
	       want, "mmfd_map");
	expect(mmfd_unmap(fd, 0x10000, 4096), want, "mmfd_unmap");
	expect(mmfd_protect(fd, 0x10000, 4096, 0), want, "mmfd_protect");
	expect(mmfd_map_area(fd, 0x10000, 4096, 0), want, "mmfd_map_area");
	expect(mmfd_insert(fd, 0x10000, 4096, MMFD_PROT_READ, 0), want,
	       "mmfd_insert");
	expect(mmfd_remove(fd, 0x10000, 4096), want, "mmfd_remove");
	expect(mmfd_map_vdso(fd, 0x10000, 0x100000, NULL), want,
	       "mmfd_map_vdso");
	expect(mmfd_query(fd, 0, &query), want, "mmfd_query");
	expect(mmfd_vcpu_create(fd, 0, 0, &vcpu), want, "mmfd_vcpu_create");
	check(!vcpu, "there is a virtual CPU");
	expect(mmfd_switch(fd), want, "mmfd_switch");
	expect(mmfd_sigaltmm(fd), fd < 0 ? -ENOENT : want, "mmfd_sigaltmm");
}

/* The action stays what it was. */
static void check_handlers(void)
{
	struct sigaction action = { .sa_handler = SIG_IGN }, now;

	expect(mmfd_sigaction(SIGUSR1, &action, NULL), -EOPNOTSUPP,
	       "mmfd_sigaction");
	sigaction(SIGUSR1, NULL, &now);
	check(now.sa_handler == SIG_DFL, "the action is another one");
}

int main(void)
{
	struct sandbox_params params = { 0 };
	int null = open("/dev/null", O_RDWR);

	expect(mmfd_supported(), -ENODEV, "mmfd_supported");
	expect(mmfd_open(), -ENODEV, "mmfd_open");
	expect(mmfd_run(-1, 0), -ENOSYS, "mmfd_run");
	check_descriptor(-1, -EBADF);
	check_descriptor(null, -ENOTTY);
	expect(new_addr(), -1, "new_addr");
	check(errno == ENODEV, "new_addr: %s", strerror(errno));
	expect(mmfd_sandbox_create(), -ENODEV, "mmfd_sandbox_create");
	expect(mmfd_sandbox_run(0, &params), -EBADF, "mmfd_sandbox_run");
	expect(new_as(), -1, "new_as");
	check(errno == ENODEV, "new_as: %s", strerror(errno));
	expect(switch_as(0), -1, "switch_as");
	check(errno == ENOENT, "switch_as: %s", strerror(errno));
	expect(mmfd_as_create(), -ENODEV, "mmfd_as_create");
	expect(mmfd_as_switch(0), -ENOENT, "mmfd_as_switch");
	check_handlers();
	close(null);
	return check_result();
}
