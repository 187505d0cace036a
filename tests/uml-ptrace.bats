#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# uml-ptrace.bats - UML guests in ptrace mode on the wall clock of their time
# namespace, in the VM.
#
# These guests run side by side:
#   pass       time calls pass from a process's first one on
#   intercept  the same with timeclock=intercept, to compare with
#   nocaps     may not set its clock; time calls pass after some of a process

load lib/common
load lib/clocks
load lib/guests

START=2038-01-19T03:14:00Z

setup_file() {
	local own="timens run --realtime=$START --uptime 0"
	local uml="/usr/bin/setarch -R linux.uml seccomp=off"

	requires vm-patched shim uml helpers
	vm_start patched --mem 1536M --with "$(command -v setarch)"
	sibling_start
	guests_start 380 <<-EOT
		pass $own --keep-caps=sys_time $uml timeclock.pass_after=0
		intercept $own --keep-caps=sys_time $uml timeclock=intercept
		nocaps $own $uml
	EOT
}

teardown_file() {
	vm_stop
}

# shellcheck disable=SC2034 # nothing_else_moved reads them
setup() {
	host=$(host_clock)
	sibling=$(sibling_line)
}

@test "raw time calls pass in ptrace mode" {
	run timeclock pass
	assert_line --index 0 --partial "timens: "
	assert_passed pass gettimeofday
	assert_passed pass clock_gettime
	assert_passed pass time
}

@test "other calls do not" {
	assert_intercepted pass getppid
}

@test "with timeclock=intercept nothing passes" {
	run timeclock intercept
	assert_line --index 0 --partial "intercept: every time call is intercepted"
	assert_intercepted intercept gettimeofday
	assert_intercepted intercept clock_gettime
}

@test "by default calls pass after some of a process were intercepted" {
	local n try

	assert_passed nocaps gettimeofday
	# Ten processes, as a few entries more or less come by chance; and the most of
	# three counts, as in assert_intercepted
	for try in 1 2 3; do
		n=$(UNDER="sh -c 'for i in 0 1 2 3 4 5 6 7 8 9; do \"\$@\"; done' sh" \
			entries nocaps gettimeofday 16)
		((n <= 60)) || return 0
	done
	fail "10 times 16 calls entered the kernel $n times, also when tried $try times"
}

@test "every kind of buffer gives what interception gives" {
	GUEST_TIMEOUT=300 VM_TIMEOUT=320 same_buffers
}

@test "every clock id gives what interception gives" {
	same_clock_ids
}

@test "the guest's rules for time calls hold, passed or intercepted" {
	GUEST_TIMEOUT=300 VM_TIMEOUT=320 same_rules 2000
}

@test "a difference between the two would be noticed" {
	run same_table cat /proc/cmdline
	assert_failure
	assert_output --partial "+timeclock.pass_after="
}

@test "who steps, traces or filters a process sees its calls as if intercepted" {
	GUEST_TIMEOUT=300 VM_TIMEOUT=320 same_table watched-calls
	run cat "$BATS_TEST_TMPDIR/pass"
	assert_line "step: 22 instructions, then after the calls"
	assert_line "own step: at 70, signal 5, code 2"
	assert_line --regexp "^trace: stop 10: call 228, op 2, at 62, EINVAL"
	assert_line "change: the child got EXDEV, a time"
	assert_line "attach: 20 stops, 10 calls, goes on"
	assert_line "filter: kill: status 0x1f"
	assert_line "filter: all threads: 0 calls went by it"
}

@test "a tracer in the guest sees every call" {
	tracer_sees_all
}

@test "a seccomp filter in the guest is obeyed, from its first call on" {
	filter_obeyed
}

@test "no interruption changes a register, whatever is in it" {
	run guest pass restart-values 300
	assert_success
	assert_equal "$(grep -c ': kept$' <<<"$output")" 7
	run guest intercept restart-values 100
	assert_success
}

@test "code of the guest that jumps to the stub's calls is killed" {
	GUEST_TIMEOUT=300 VM_TIMEOUT=320 run guest pass stub-sleep
	assert_success
	assert_output --regexp '^([1-9][0-9]*) instructions, \1 killed, 0 slept$'
	run guest pass date +%Y
	assert_success
	nothing_else_moved
}

@test "every way to set the clock moves guest and namespace, not the host" {
	set_moves_all
}

@test "no reader in the guest shows a time before a set" {
	run guest pass set-and-read 200
	assert_success
	nothing_else_moved
}

@test "who may not set the clock cannot" {
	unprivileged_refused pass
}

@test "a thread that dropped CAP_SYS_TIME cannot while its process can" {
	threads_differ
}

@test "a file's capability lets who executes it set the clock, and nobody else" {
	file_decides
}

@test "a guest that was given no right to it cannot move its namespace" {
	nocaps_refused
}

@test "guests end when told to" {
	run vm <<-'SH'
		for g in pass intercept nocaps; do
			uml-guest stop /run/uml/$g
		done
		ps | grep '[l]inux.uml' || true
	SH
	assert_success
	assert_output ""
	nothing_else_moved
}
