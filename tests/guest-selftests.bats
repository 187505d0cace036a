#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# guest-selftests.bats - the kernel's own tests of time, in UML guests of every
# clock and way of interception: what each gives is what it gives on the host,
# but for the exceptions in lib/selftests.except. The table of what passed, in
# uml-glue/README.md, is build/check/guest-selftests.md.
#
# Not here:
#   posix_timers     does not end in any UML guest, ours or unmodified: a task
#                    that only computes gets no signal from ITIMER_VIRTUAL
#   adjtick, change_skew, freq-step, leapcrash, nsleep-lat, raw_skew, set-2038,
#   set-timer-lat, skew_consistency
#                    take minutes each
#   clocksource-switch
#                    the emulated host does not survive it each time
#   alarmtimer-suspend, rtcpie
#                    no RTC in the guest
#   vdso_test_getrandom, vdso_test_chacha, vdso_standalone_test_x86
#                    no clock; the last is vdso_test_gettimeofday once more

load lib/common
load lib/cells

setup_file() {
	requires vm-patched shim uml helpers
	cells_start
}

teardown_file() {
	mkdir -p "$BUILD/check"
	cells_table "$BUILD/check/guest-selftests.md"
	cells_stop
}

@test "every guest has the clock that its name says" {
	local cell

	for cell in "${CELLS_HERE[@]}" "${CELLS_VM[@]}"; do
		run cell_log "$cell"
		assert_output --partial "timeclock: ${cell%-*}" ||
			fail "this was $cell"
	done
}

@test "timens: timens, timerfd, timer, procfs, exec, vfork_exec" {
	same timens
	same timerfd
	same timer
	same procfs
	same exec
	same vfork_exec
}

@test "timens: clock_nanosleep, futex" {
	same clock_nanosleep
	same futex
}

@test "vDSO: gettimeofday, getcpu" {
	same vdso_test_gettimeofday
	same vdso_test_getcpu
}

@test "vDSO: the interface, each clock" {
	same vdso_test_abi
}

@test "vDSO: correctness" {
	# A guest has one CPU, and no getcpu in its vDSO
	IGNORE='CPU [0-9]+:' same vdso_test_correctness
}

@test "timers: nanosleep" {
	same nanosleep
}

@test "timers: mqueue-lat" {
	same mqueue-lat
}

@test "timers: inconsistency-check, threadtest" {
	same inconsistency-check -t 1
	same threadtest -t 3
}

@test "timers: valid-adjtimex, set-tai, set-tz" {
	same_alone valid-adjtimex
	same_alone set-tai
	same_alone set-tz
}

@test "timers: leap-a-day" {
	same_alone leap-a-day -i 1
}

@test "a difference that no exception names is noticed, and so is an idle exception" {
	EXCEPT=/dev/null run same timer
	assert_failure
	assert_output --partial "-ok 3 clockid=9"
	assert_output --partial "timer differs from the host three times in: ${CELLS_HERE[0]}"
	echo '.* | exec | no such line | nothing' >"$BATS_TEST_TMPDIR/except"
	EXCEPT=$BATS_TEST_TMPDIR/except run same exec
	assert_failure
	assert_output --partial "no line for the exception: no such line"
}
