#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kernel-waiters.bats - what waits for a time on a namespace's own wall clock, while
# clocks are set. As kernel-waiters-up.bats in a VM with one CPU.

load lib/common
load lib/kselftest

setup_file() {
	SMP=2
	case $BATS_TEST_FILENAME in
	*-up.bats) SMP=1 ;;
	esac
	export SMP
	requires vm-patched
	vm_start patched --smp "$SMP" --with "$BUILD/selftests:/selftests"
	watch_more
}

teardown_file() {
	vm_stop
}

@test "every way to wait follows every step of its clock, and no other" {
	passes realtime_waiters 14
}

# Its devices are suspended too, and the channel to the VM does not survive that: the
# result is in the kernel's log.
@test "who waits on a namespace's clock does not mind that the host is suspended" {
	local log=$BATS_TEST_TMPDIR/log name=realtime_suspend

	run "$VM_RUNNER" --kernel "${TEST_KERNEL:-patched}" --smp "$SMP" --timeout 240 \
		--log "$log" \
		--with "$BUILD/selftests/$name:/selftests/$name" -- \
		sh -c "/selftests/$name >/dev/kmsg 2>&1; poweroff -f"
	assert_failure 125
	run sed 's/^\[[^]]*\] //; s/\r$//' "$log"
	assert_line 'ok 1 suspend.moves_neither_clock_nor_waiters'
	assert_line '# Totals: pass:1 fail:0 xfail:0 xpass:0 skip:0 error:0'
}

@test "setters, readers, waiters, moves and ends of namespaces at once do no harm" {
	passes realtime_stress 1 10
	assert_line --regexp '^# [1-9][0-9]* waits$'
	assert_line --regexp '^# [1-9][0-9]* namespaces that ended$'
}
