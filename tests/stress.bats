#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# stress.bats - a short form of "make stress".

load lib/common

@test "random rounds of live sets find nothing wrong, and say their seed" {
	requires vm-patched
	DURATION=15 SEED=$RANDOM run "$TOP/scripts/stress"
	assert_success
	assert_line --regexp '^stress: 15 s, SEED=[0-9]+, 4 CPUs, kernel patched$'
	assert_line --regexp '^round 1: live-sets '
}

@test "one seed gives one sequence of rounds" {
	requires vm-patched
	run bash -c "DURATION=2 SEED=7 '$TOP/scripts/stress' | grep '^round 1:'"
	assert_success
	first=$output
	run bash -c "DURATION=2 SEED=7 '$TOP/scripts/stress' | grep '^round 1:'"
	assert_output "$first"
	run bash -c "DURATION=2 SEED=8 '$TOP/scripts/stress' | grep '^round 1:'"
	refute_output "$first"
}

@test "a duration that is no number is refused" {
	DURATION=soon run "$TOP/scripts/stress"
	assert_failure 1
	assert_output --partial "DURATION=soon: not a number"
}
