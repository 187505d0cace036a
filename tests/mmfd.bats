#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# mmfd.bats - CONFIG_MMFD in the VM: the kernel's own tests of it, on two CPUs.
# mmfd-up.bats is the same on one CPU, mmfd-smp4.bats on four.

load lib/common
load lib/mmfd

setup_file() {
	requires vm-patched
	SMP=2
	case $BATS_TEST_FILENAME in
	*-up.bats)	SMP=1 ;;
	*-smp4.bats)	SMP=4 ;;
	esac
	export SMP
	vm_start patched --smp "$SMP" --with "$BUILD/selftests:/selftests"
	vm nproc | grep -qx "$SMP"
}

teardown_file() {
	vm_stop
}

@test "descriptors, address spaces and changes of them" {
	passes mmfd_objects 15
}

@test "what comes back from a run, what passes, and bad input" {
	passes mmfd_run 17
}

@test "a guest reaches nothing of its supervisor" {
	passes mmfd_contain 10
}

@test "a task with a guest, seen from outside" {
	passes mmfd_task 11
}

# The OOM killer writes a trace to the log: nothing else may be there.
@test "who answers for the memory of address spaces" {
	local log=$BATS_TEST_TMPDIR/log

	run "$VM_RUNNER" --smp "$SMP" --timeout 300 --allow-splat --log "$log" \
		--with "$BUILD/selftests:/selftests" -- /selftests/mmfd_memory
	passed 3
	run grep -ac 'invoked oom-killer' "$log"
	assert_output 1
	run grep -aE 'BUG|WARNING|Oops|KASAN|lockdep' "$log"
	assert_failure 1
}
