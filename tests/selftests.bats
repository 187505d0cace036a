#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# selftests.bats - the kernel's own tests: what passes on the stock kernel has to
# pass on ours, line by line, and the tests of our additions have to pass.

load lib/common

setup_file() {
	requires vm-patched vm-stock
	vm_start stock --with "$BUILD/selftests:/selftests"
	vm_start patched --with "$BUILD/selftests:/selftests"
}

teardown_file() {
	vm_stop
}

# results KERNEL NAME - status, and one line for each test in it, without what
# differs from run to run
results() {
	local out status=0

	out=$(VM_TIMEOUT=${SELFTEST_TIMEOUT:-100} \
		vm_on "$1" "/selftests/$2" 2>&1) || status=$?
	[ "$status" != 125 ] || printf '%s\n' "$out"
	grep -E '^(ok|not ok|\[OK\]|\[FAIL\]|\[SKIP\])|\[(OK|FAILED)\]$' \
		<<<"$out" | sed 's/[0-9][0-9]*\.[0-9.]*//g'
	printf 'status %d\n' "$status"
}

# same NAME - the same on both kernels, and something was tested at all
same() {
	local stock patched

	stock=$(results stock "$1")
	patched=$(results patched "$1")
	assert_equal "$patched" "$stock"
	assert_regex "$patched" 'ok|OK|status 0'
	# A test that fails on both says nothing about us
	refute_regex "$patched" 'status 125'
}

# passes NAME - all of it, without a skip
passes() {
	run results patched "$1"
	assert_line --regexp '^ok 1 '
	refute_line --regexp '^not ok'
	refute_line --regexp '^ok .*# *SKIP'
	assert_line "status 0"
}

assert_regex() {
	[[ $1 =~ $2 ]] || fail "no match for '$2' in: $1"
}

refute_regex() {
	[[ ! $1 =~ $2 ]] || fail "a match for '$2' in: $1"
}

@test "timens" {
	same timens
	passes timens
}

@test "timens: timerfd" {
	same timerfd
	passes timerfd
}

@test "timens: timer" {
	same timer
	passes timer
}

@test "timens: clock_nanosleep" {
	same clock_nanosleep
	passes clock_nanosleep
}

@test "timens: procfs" {
	same procfs
	passes procfs
}

@test "timens: exec" {
	same exec
	passes exec
}

@test "timens: futex" {
	same futex
	passes futex
}

@test "timens: vfork_exec" {
	same vfork_exec
	passes vfork_exec
}

@test "vDSO: gettimeofday, getcpu" {
	same vdso_test_gettimeofday
	same vdso_test_getcpu
}

@test "vDSO: the interface, each clock" {
	same vdso_test_abi
}

@test "vDSO: correctness" {
	same vdso_test_correctness
}

@test "timers: nanosleep" {
	same nanosleep
	passes nanosleep
}

@test "timers: posix_timers" {
	same posix_timers
	passes posix_timers
}

@test "timers: mqueue-lat" {
	same mqueue-lat
}

@test "seccomp_bpf" {
	SELFTEST_TIMEOUT=300 same seccomp_bpf
}

@test "the wall clock of a time namespace" {
	passes realtime
}

@test "the wall clock of a time namespace: all skipped without the feature" {
	run results stock realtime
	assert_line --regexp '^ok 1 .*SKIP'
	refute_line --regexp '^not ok'
}

@test "SECCOMP_FILTER_FLAG_TRAP_FAILED" {
	passes trap_failed
}
