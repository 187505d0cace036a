#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# mmfd.bats - CONFIG_MMFD in the VM: the kernel's own tests of it, on two CPUs.
# mmfd-up.bats is the same on one CPU, mmfd-smp4.bats on four, mmfd-nofsgsbase.bats
# where user code cannot change the bases of FS and GS by itself.

load lib/common
load lib/kselftest

setup_file() {
	requires vm-patched
	SMP=2
	APPEND=
	case $BATS_TEST_FILENAME in
	*-up.bats)	SMP=1 ;;
	*-smp4.bats)	SMP=4 ;;
	*-nofsgsbase.bats) APPEND=nofsgsbase ;;
	esac
	export SMP APPEND
	vm_start patched --smp "$SMP" ${APPEND:+--append "$APPEND"} \
		--with "$BUILD/selftests:/selftests"
	vm nproc | grep -qx "$SMP"
	[ -z "$APPEND" ] || ! vm grep -w fsgsbase /proc/cpuinfo
	watch_more
}

teardown_file() {
	vm_stop
}

@test "descriptors, address spaces and changes of them" {
	passes mmfd_objects 15
}

@test "what comes back from a run, what passes, and bad input" {
	passes mmfd_run 18
}

@test "FPU registers of a guest, and whose they are" {
	passes mmfd_xstate 7
}

@test "pages of a memory are put into areas one by one" {
	passes mmfd_areas 14
}

@test "a guest reaches nothing of its supervisor" {
	passes mmfd_contain 10
}

@test "a task with a guest, seen from outside" {
	passes mmfd_task 11
}

@test "a task with state that a guest would inherit is refused" {
	passes mmfd_refuse 4
}

@test "random operations do no harm" {
	passes mmfd_fuzz 1 -s 2026 -n 20000
}

@test "many virtual CPUs of one address space do no harm to each other" {
	passes mmfd_stress 1 10
}

@test "a task that moves to another address space" {
	passes mmfd_switch 11
}

@test "what keeps a task in its address space" {
	passes mmfd_stay 6
}

@test "signal handlers at home, and back to where they came from" {
	# One changes bases without a system call.
	if [ -n "$APPEND" ]; then
		passes mmfd_signal 17 -T each_side_has_its_bases
	else
		passes mmfd_signal 18
	fi
}

@test "what code elsewhere cannot do to handlers at home" {
	passes mmfd_hostile 11
}

# The OOM killer writes a trace to the log: nothing else may be there.
@test "who answers for the memory of address spaces" {
	local log=$BATS_TEST_TMPDIR/log

	run "$VM_RUNNER" --kernel "${TEST_KERNEL:-patched}" --smp "$SMP" \
		${APPEND:+--append "$APPEND"} --timeout 300 --allow-splat --log "$log" \
		--with "$BUILD/selftests:/selftests" -- /selftests/mmfd_memory
	passed 4
	run grep -ac 'invoked oom-killer' "$log"
	assert_output 1
	run grep -aE 'BUG|WARNING|Oops|KASAN|lockdep' "$log"
	assert_failure 1
}
