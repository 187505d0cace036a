#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# mmfd-debug.bats - CONFIG_MMFD beside what only the debug kernel has: protection
# keys, and probes of user code. Part of make check KERNEL=debug only.

load lib/common
load lib/mmfd

setup_file() {
	[ "${TEST_KERNEL:-patched}" = debug ] ||
		fail "it takes the debug kernel; run: make check KERNEL=debug"
	requires vm-patched
	vm_start patched --with "$BUILD/selftests:/selftests"
}

teardown_file() {
	vm_stop
}

@test "protection keys of a guest and of its supervisor are two things" {
	passes mmfd_keys 2
}

@test "nobody's probes are in a guest" {
	passes mmfd_uprobes 1
}
