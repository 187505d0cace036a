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

# results KERNEL NAME [IGNORE] - its status, and a line for each test in it,
# without what differs from run to run, and without lines that match IGNORE
results() {
	local out status=0

	out=$(vm_on "$1" "/selftests/$2" 2>&1) || status=$?
	case $status in
	12[4-9] | 1[3-9]?)
		printf '%s on the %s kernel: status %d\n%s\n' "$2" "$1" \
			"$status" "$out" >>"$BATS_TEST_TMPDIR/broken" ;;
	esac
	printf '%s\nstatus %d\n' "$out" "$status" |
		grep -E '^(ok|not ok|status|\[(OK|FAIL|SKIP)\])|\[(OK|FAILED)\]$' |
		grep -vE "${3:-^$}" |
		sed 's/[0-9][0-9]*\.[0-9.]*//g'
}

# both NAME [IGNORE] - run it on both kernels at a time; true if with the same
# results
both() {
	local stock=$BATS_TEST_TMPDIR/stock patched=$BATS_TEST_TMPDIR/patched

	results stock "$@" >"$stock" 3>&- &
	results patched "$@" >"$patched"
	wait $!
	if [ -e "$BATS_TEST_TMPDIR/broken" ]; then
		fail "$(cat "$BATS_TEST_TMPDIR/broken")"
		return 1
	fi
	diff -u "$stock" "$patched"
}

# same NAME [IGNORE] - the same on both kernels. Many of these tests measure
# time, on a machine that may be busy: a difference has to come three times.
same() {
	local try

	for try in 1 2 3; do
		! both "$@" || return 0
	done
	fail "$1 differs from the stock kernel three times; see above"
}

# passes NAME - all of it, without a skip
passes() {
	run results patched "$1"
	assert_line --regexp '^ok 1 '
	refute_line --regexp '^not ok'
	refute_line --regexp '^ok .*# *SKIP'
	assert_line "status 0"
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

@test "x86: vsyscalls" {
	same test_vsyscall
	run results patched test_vsyscall
	assert_line --regexp '^ok .*vsyscall'
	refute_line --regexp '^not ok'
}

@test "timers: nanosleep" {
	same nanosleep
}

@test "timers: posix_timers" {
	# A CPU's time is nothing that a busy machine gives exactly
	same posix_timers 'ITIMER_(VIRTUAL|PROF)|CPUTIME|status'
}

@test "futex: futex_wait_timeout, futex_waitv" {
	same futex_wait_timeout
	same futex_waitv
}

@test "timers: mqueue-lat" {
	same mqueue-lat
}

@test "seccomp_bpf" {
	VM_TIMEOUT=300 same seccomp_bpf
}

@test "the wall clock of a time namespace" {
	passes realtime
}

@test "the wall clock of a time namespace: time stamps" {
	passes realtime_stamps
}

@test "the wall clock of a time namespace: all skipped without the feature" {
	run results stock realtime
	assert_line --regexp '^ok 1 .*SKIP'
	refute_line --regexp '^not ok'
}

@test "SECCOMP_FILTER_FLAG_TRAP_FAILED" {
	passes trap_failed
}
