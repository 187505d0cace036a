#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# bench-traps.bats - the bench of code that runs until it traps really measures, in
# a short run. Instructions are counted, so they can be compared; times are not.

load lib/common

# count WAY - instructions in the table
count() {
	awk -F '|' -v way=" $1 " '$2 == way { print $3 + 0 }' \
		"$BATS_TEST_TMPDIR/traps.md"
}

@test "every way has its figures, and mmfd_run() takes the fewest instructions" {
	local way

	requires vm-patched shim helpers
	run "$TOP/scripts/bench-traps" --rounds 3 --out "$BATS_TEST_TMPDIR"
	assert_success
	for way in getppid time mmfd-run mmfd-shared mmfd-fault mmfd-map \
		mmfd-passed mmfd-switch user-dispatch sysemu sigsys; do
		assert_line --regexp "^\| $way \| [1-9][0-9]* \| [1-9][0-9]* \| [1-9][0-9]* \|$"
	done
	(($(count mmfd-run) * 3 < $(count sysemu)))
	(($(count mmfd-run) * 3 < $(count sigsys)))
	(($(count mmfd-shared) < $(count mmfd-run)))
	(($(count mmfd-passed) * 3 < $(count mmfd-run)))
	assert_file_exist "$BATS_TEST_TMPDIR/traps-ns.samples"
	assert_file_exist "$BATS_TEST_TMPDIR/traps-instructions.samples"
}

@test "without mmfd in the kernel, that is what it says" {
	requires vm-stock helpers
	run "$TOP/scripts/run-vm" --kernel stock -- traps empty mmfd-run
	assert_failure 1
	assert_output --partial "/dev/mmfd (CONFIG_MMFD): No such device"
	refute_output --partial "sample mmfd-run"
}

@test "bad arguments are named" {
	run "$TOP/scripts/bench-traps" --rounds 0
	assert_failure
	assert_output --partial "--rounds '0': must be a whole number"
	run "$TOP/scripts/bench-traps" --rounds
	assert_failure
	assert_output --partial "--rounds needs a value"
	run "$TOP/scripts/bench-traps" --fast
	assert_failure
	assert_output --partial "unknown argument '--fast'"
}

@test "a profile says in which functions the instructions of a round are" {
	requires vm-patched shim helpers
	run "$TOP/scripts/profile-traps" mmfd-run
	assert_success
	assert_line --regexp '^[1-9][0-9]* instructions in [1-9][0-9]* of '
	assert_line --regexp '^ +[1-9][0-9]* switch_mm_irqs_off$'
	assert_line --regexp '^in order: __x64_sys_mmfd_run '
	# all of the round is in the list
	[ "$(awk '/ instructions in / { sum = $1 }
		NF == 2 && $1 + 0 { sum -= $1 }
		END { print sum }' <<<"$output")" = 0 ]
}

@test "a profile of what is no way is refused" {
	run "$TOP/scripts/profile-traps" sideways
	assert_failure
	assert_output --partial "cannot tell rounds of 'sideways'"
}
