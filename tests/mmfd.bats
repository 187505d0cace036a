#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# mmfd.bats - CONFIG_MMFD in the VM: the kernel's own tests of it.

load lib/common

setup_file() {
	requires vm-patched vm-stock
	vm_start patched --with "$BUILD/selftests:/selftests"
}

teardown_file() {
	vm_stop
}

# passes NAME - every test in it, and none skipped
passes() {
	VM_TIMEOUT=300 run vm "/selftests/$1"
	assert_success
	assert_line --regexp '^ok 1 '
	refute_line --regexp '^ok .*# *SKIP'
}

@test "descriptors, address spaces and changes of them" {
	passes mmfd_objects
}

@test "what comes back from a run, what passes, and bad input" {
	passes mmfd_run
}

@test "a guest reaches nothing of its supervisor" {
	passes mmfd_contain
}

@test "a task with a guest, seen from outside" {
	passes mmfd_task
}

@test "a kernel without the feature has neither device nor call" {
	vm_start stock --with "$BUILD/selftests:/selftests"
	run vm_on stock 'test -e /dev/mmfd'
	assert_failure
	run vm_on stock '/selftests/mmfd_objects'
	assert_failure
	assert_output --partial 'no guest: No such file or directory'
}
