#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# mmfd-debug.bats - CONFIG_MMFD beside what only the debug kernel has: protection
# keys, probes of user code, audit. Part of make check KERNEL=debug only.

load lib/common
load lib/mmfd

setup_file() {
	[ "${TEST_KERNEL:-patched}" = debug ] ||
		fail "it takes the debug kernel; run: make check KERNEL=debug"
	requires vm-patched
	vm_start patched --with "$BUILD/selftests:/selftests" \
		--with "$BUILD/shim/examples/mmfd-supervisor:/tests/mmfd-supervisor"
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

@test "time calls of a guest whose supervisor is audited trap, and do not otherwise" {
	run vm mmfd-supervisor
	assert_line 'time calls of the guest: 3000, of which trapped: 0'
	run vm audited-calls mmfd-supervisor
	assert_line 'time calls of the guest: 3000, of which trapped: 3000'
	run vm audited-calls --never mmfd-supervisor
	assert_line 'time calls of the guest: 3000, of which trapped: 0'
}
