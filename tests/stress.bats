#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# stress.bats - a short form of "make stress".

load lib/common

@test "random rounds of live sets, and clocks under stress, find nothing wrong" {
	requires vm-patched helpers
	DURATION=15 SEED=$RANDOM run "$TOP/scripts/stress"
	assert_success
	assert_line --regexp '^stress: 15 s, SEED=[0-9]+, 4 CPUs, kernel patched$'
	assert_line --regexp '^round 1: live-sets '
	assert_line 'ok 1 a clock under stress'
}

@test "one seed gives one sequence of rounds" {
	requires vm-patched
	run bash -c "DURATION=2 SEED=7 '$TOP/scripts/stress' 2>/dev/null | grep '^round 1:'"
	assert_success
	first=$output
	run bash -c "DURATION=2 SEED=7 '$TOP/scripts/stress' 2>/dev/null | grep '^round 1:'"
	assert_output "$first"
	run bash -c "DURATION=2 SEED=8 '$TOP/scripts/stress' 2>/dev/null | grep '^round 1:'"
	refute_output "$first"
}

@test "a duration that is no number is refused" {
	local script

	for script in stress stress-mmfd; do
		DURATION=soon run "$TOP/scripts/$script"
		assert_failure 1
		assert_output --partial "DURATION=soon: not a number"
	done
}

@test "random operations on address spaces, and much use of them, find nothing wrong" {
	requires vm-patched helpers
	OPERATIONS=20000 DURATION=5 SEED=2028 run "$TOP/scripts/stress-mmfd"
	assert_success
	assert_line --regexp '^stress-mmfd: 20000 operations, SEED=[0-9]+, 5 s, 4 CPUs, kernel patched$'
	assert_line '# 20000 operations'
	assert_line 'ok 1 address spaces under stress'
}

# guest_for SECONDS HOST [RATE] - scripts/stress-guest
guest_for() {
	DURATION=$1 HOST=$2 RATE=${3:-0} run "$TOP/scripts/stress-guest"
}

@test "on this machine, the clocks of a guest with two CPUs are in order, and do not drift" {
	requires uml-smp helpers
	guest_for 10 this
	assert_success
	assert_line --regexp '^page vdso 2$'
	assert_line --regexp '^[1-9][0-9]+ rounds in order$'
	assert_line --regexp '^drift -?[0-9.]+ ppm, known to [0-9]{1,3}\.[0-9]+ ppm, in 1[0-9] s$'
}

@test "in the VM too, where they are those of its namespace" {
	requires vm-patched shim uml-smp helpers
	guest_for 10 vm
	assert_success
	assert_line --regexp '^timens vdso 2$'
	assert_line --regexp '^[1-9][0-9]+ rounds in order$'
	assert_line --regexp '^drift -?[0-9.]+ ppm, known to '
}

@test "a guest whose clock drifts is noticed" {
	requires uml-smp helpers
	guest_for 10 this 500
	assert_failure 1
	assert_line --regexp '^drift [1-9][0-9]{2}\.'
	assert_line --partial "clocks went back, or drift"
}
