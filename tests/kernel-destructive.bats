#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kernel-destructive.bats - the kernel's own tests that set clocks, those that its
# Makefile calls destructive, by root in a time namespace with its own wall clock:
# neither the host's clock moves nor a bystander's. Two are left out, as they do not
# set a clock: clocksource-switch writes to sysfs, alarmtimer-suspend suspends the
# machine. They run in tests/short, where the tests that they call take less time.

load lib/common
load lib/clocks

# In the VM: runs the tests $@ at once, each after $before; their outputs and
# statuses are in /run/NAME.out and /run/NAME.status
# shellcheck disable=SC2016 # for the VM's shell
ALL='cd /short
for t; do
	{ timeout 35 $before /selftests/$t >/run/$t.out 2>&1; echo $? >/run/$t.status; } &
done
wait'

setup_file() {
	requires vm-patched shim
	vm_start patched --with "$BUILD/selftests:/selftests" \
		--with "$TOP/tests/short:/short"
	sibling_start
}

teardown_file() {
	vm_stop
}

# ended NAME STATUS [LINE] - so it did, and said a line that matches
ended() {
	run vm cat "/run/$1.status" "/run/$1.out"
	assert_line --index 0 "$2"
	assert_line --regexp "${3:-.}"
}

@test "no test that sets clocks moves the host's from inside a namespace" {
	local host sibling

	host=$(host_clock)
	sibling=$(sibling_line)
	VM_TIMEOUT=90 vm env \
		before="timens run --realtime=+30d --keep-caps=all --" \
		sh -c "$ALL" sh set-2038 leap-a-day leapcrash set-tz set-tai \
		valid-adjtimex adjtick freq-step skew_consistency change_skew
	assert_host_unmoved "$host"
	assert_sibling_unmoved "$sibling"
}

@test "of them those pass that set the time, and others are refused" {
	ended set-2038 0 'Setting time to 0x7ffffff5: 0'
	ended set-tz 1
	ended set-tai 1
	ended valid-adjtimex 1
	ended adjtick 1
	ended freq-step 1
	ended change_skew 255
}

@test "the time zone and the TAI offset of the host are what they were" {
	run vm /selftests/set-tz
	assert_line "tz_minuteswest started at 0, dst at 0"
	assert_line --partial "can be properly set: [OK]"
	run vm /selftests/set-tai
	assert_line "tai offset started at 0"
	# A control: that has moved it
	run vm /selftests/set-tai
	assert_line "tai offset started at 60"
}

@test "without a namespace the same tests move the host's clock (a control)" {
	local host

	host=$(host_clock)
	vm sh -c "cd /short; /selftests/set-2038"
	run assert_host_unmoved "$host"
	assert_failure
	host=$(host_clock)
	run vm timeout 4 /selftests/adjtick
	run assert_host_unmoved "$host"
	assert_failure
}
