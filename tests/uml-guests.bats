#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# uml-guests.bats - UML guests that run directly on this machine: what their clocks
# show, and what their processes can do to them and to the rest.
#
# Every test is done in each of these, with the best clock that there is without
# a patched host:
#   ptrace     ptrace mode
#   seccomp    seccomp mode
#   smp        seccomp mode, two CPUs

load lib/common
load lib/uml

GUESTS=$UML_MODES
# Where the stub is without address space randomisation, and what is around it
STUB=7fffffffc000
AROUND="7f8000000000 7fffffffb000"

setup_file() {
	requires uml uml-smp helpers
	uml_start_modes
}

teardown_file() {
	uml_stop
}

setup() {
	offset=$(machine_offset)
}

teardown() {
	assert_machine_unmoved "$offset"
}

# everywhere CMD... - with success, and without a line "not ok"
everywhere() {
	local name

	for name in $GUESTS; do
		run guest "$name" "$@"
		assert_success || fail "$name: above"
		refute_line --regexp '^not ok' || fail "$name: above"
	done
}

@test "the guests are what they are said to be" {
	run guest smp nproc
	assert_output 2
	run guest seccomp nproc
	assert_output 1
	run uml_log ptrace
	refute_output --partial "SECCOMP mode"
	for name in $GUESTS; do
		run uml_log "$name"
		assert_line --regexp "timeclock: "
	done
}

@test "the vDSO reads the clock without entering the guest's kernel" {
	# It is killed if it does
	everywhere vdso-clock 500
	assert_line "vdso"
	assert_line "steps back: 0"
}

@test "no clock goes back, by any route, in two processes" {
	everywhere clock-order 2 2000
	assert_output "4000 rounds in order"
}

@test "no clock goes back while another process sets it forward" {
	everywhere clock-order --set 2 1500
}

@test "a clock that does go back is noticed" {
	for name in $GUESTS; do
		run guest "$name" clock-order --back 2 1000
		assert_failure 1
		assert_output --partial "before what was seen"
	done
}

@test "no clock goes back in a guest that is stopped for seconds" {
	local pid name

	for name in $GUESTS; do
		pid=$(uml_pid "$name")
		(
			sleep 0.5
			kill -STOP "$pid"
			sleep 3
			kill -CONT "$pid"
		) 3>&- &
		run guest "$name" clock-order --exact 2 3000
		wait $!
		assert_success || fail "$name: above"
		assert_output "6000 rounds in order"
	done
}

@test "every way to read shows a set, and no time before it" {
	everywhere set-and-read 300
}

@test "a file made after a set carries the new time, not a later one" {
	everywhere file-stamp /tmp 60
}

@test "the rules for time calls hold" {
	everywhere guest-rules
	assert_line "ok a tracer sees every call begin and end"
	assert_line "ok a filter decides on the calls of its task"
}

@test "neither a user nor who dropped the right can set the clock" {
	local name how

	for name in $GUESTS; do
		for how in "--uid 1000" --drop "--drop --raise" --lower \
			   "--uid 1000 --raise"; do
			# shellcheck disable=SC2086 # words
			run guest "$name" set-attempts $how 100
			refute_output --partial "moved"
			assert_line --regexp ': EPERM$'
		done
	done
}

# --- against the stub and the kernel's mappings -------------------------------

@test "nothing above a process' address space can be changed, read or written" {
	local name before areas

	for name in $GUESTS; do
		before=$(uml_stub_maps "$name")
		assert_regex "$before" "$STUB-"
		# Each mapping, and what comes after it
		areas=$(tr ' -' '\n' <<<"$before" | grep '^7f' | sort -u)
		# shellcheck disable=SC2086 # words
		run guest "$name" map-attack $areas $AROUND
		assert_success || fail "$name: above"
		assert_output --partial "attacks came to nothing"
		assert_equal "$(uml_stub_maps "$name")" "$before"
	done
}

# In seccomp mode such a jump can make the stub's own calls, as upstream says of
# that mode, and so reach the guest's memory; that stays within the guest.
@test "jumps into the stub do no more than crash, and the guest goes on" {
	local name

	for name in $GUESTS; do
		run guest "$name" stub-jump $STUB 4096 8
		assert_success || fail "$name: above"
		assert_output --partial " 0 killed"
		assert_output --regexp "[1-9][0-9]* crashed"
		run guest "$name" echo "still here"
		assert_output "still here"
	done
}

@test "an attack that comes to something is noticed" {
	# A page of the program's own
	run guest ptrace map-attack 400000
	assert_failure 1
	assert_output --partial "not ok munmap on 400000" ||
		assert_output --partial "not ok mprotect on 400000"
}
