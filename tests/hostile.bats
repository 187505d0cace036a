#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# hostile.bats - hostile processes in UML guests that run directly on this machine:
# nothing outside the guest changes, whatever they do.
#
# Every test is done in each of these:
#   ptrace     ptrace mode
#   seccomp    seccomp mode
#   smp        seccomp mode, two CPUs
# and after each the host's clock, UML's process and its stubs, a bystanding process
# and a file are as they were before. hostile-vm.bats is the same for guests whose
# calls go straight to the host.

load lib/common
load lib/uml
load lib/hostile

GUESTS=$UML_MODES
# Without address space randomisation: the stub's code, its data and the end
STUB=7fffffffc000
STACKS="7fffffffd800 7ffffffff000 7fffffffc800 0 8000000000000000"

setup_file() {
	requires uml uml-smp helpers
	uml_start_modes
	outside start "$BATS_FILE_TMPDIR/outside"
}

teardown_file() {
	outside stop "$BATS_FILE_TMPDIR/outside"
	uml_stop
}

outside() {
	sh "$TOP/tests/uml/outside" "$@" 3>&-
}

state() {
	local name

	for name in $GUESTS; do
		outside state "$BATS_FILE_TMPDIR/outside" "$(uml_pid "$name")"
	done
}

setup() {
	offset=$(machine_offset)
	state=$(state)
	assert_regex "$state" 'child: uml-userspace, [0-9a-f]{32}'
}

teardown() {
	assert_machine_unmoved "$offset"
	assert_equal "$(state)" "$state"
}

# The ELF header of the host's vDSO in the stubs, and the length of its image
host_vdso() {
	local pid

	for pid in $(pgrep -P "$(uml_pid "$1")" -x uml-userspace); do
		awk '$6 == "[vdso]" && $1 >= "7f8" && $1 < "8" { print $1 }' \
			"/proc/$pid/maps"
	done | sort -u
}

# pages RANGE... - the address of each page
pages() {
	local range at

	for range; do
		for ((at = 16#${range%-*}; at < 16#${range#*-}; at += 4096)); do
			printf '%x\n' "$at"
		done
	done
}

# --- what is above the guest's addresses --------------------------------------

@test "the guests have the host's vDSO, and nothing else, above their addresses" {
	local name range

	for name in $GUESTS; do
		run guest "$name" cat /sys/module/timeclock/parameters/counter
		assert_output vdso
		range=$(host_vdso "$name")
		assert_regex "$range" '^7f[0-9a-f]{10}-7f[0-9a-f]{10}$'
		# Code that cannot be written, data that can only be read; the
		# stub's code, and its data
		run uml_stub_maps "$name"
		refute_line --partial wx
		assert_equal "$(grep -c ' rw-' <<<"$output")" 1
		assert_line --regexp '^7fffffffd000-7ffffffff000 rw-s'
	done
}

@test "none of these pages can be changed, read or written by system calls" {
	local name before ranges

	for name in $GUESTS; do
		before=$(uml_stub_maps "$name")
		ranges=$(cut -d' ' -f1 <<<"$before")
		# shellcheck disable=SC2046,SC2086 # words
		run guest "$name" map-attack $(pages $ranges) 7f8000000000 \
			7fffffffb000 7fffffffd000
		assert_success || fail "$name: above"
		assert_output --partial "attacks came to nothing"
		assert_equal "$(uml_stub_maps "$name")" "$before"
	done
}

@test "the host's vDSO does nothing for who misuses it" {
	local name vdso how

	for name in $GUESTS; do
		vdso=$(host_vdso "$name")
		for how in "" "--uid 1000"; do
			# shellcheck disable=SC2086 # words
			run guest "$name" host-vdso $how "${vdso%-*}" $STUB
			assert_success || fail "$name: above"
			assert_line --regexp '^functions: [1-9][0-9]* of 16 '
			assert_line --regexp '^system calls: from [1-9]'
			assert_line "pointers: ids -16 to 40"
		done
		alive "$name"
	done
}

@test "a misuse that comes to something is noticed" {
	local own

	# The pointers of all calls are to memory of the program's own
	own=$(nm "$BUILD/tests/host-vdso" | awk '$3 == "handler_stack" { print $1 }')
	run guest ptrace host-vdso "$(host_vdso ptrace | cut -d- -f1)" "$own"
	assert_failure 1
	assert_line --partial "not ok gettimeofday, 0: 0"
	assert_line --partial "not ok clock_gettime to the stub at"
	assert_line --partial "not ok it was written to"
}

@test "jumps into the host's vDSO do no more than crash" {
	local name vdso

	for name in $GUESTS; do
		vdso=$(host_vdso "$name")
		# shellcheck disable=SC2086 # words
		run guest "$name" stub-jump --uid 1000 "${vdso%-*}" \
			$((16#${vdso#*-} - 16#${vdso%-*})) 13 $STACKS
		assert_success || fail "$name: above"
		assert_output --regexp "[1-9][0-9]* crashed"
		alive "$name"
	done
}

# In seccomp mode such a jump can make the stub's own calls, as upstream says of
# that mode, and so reach the guest's memory; that stays within the guest.
@test "jumps into the stub, with any stack, do no more than crash" {
	local name

	for name in $GUESTS; do
		# shellcheck disable=SC2086 # words
		run guest "$name" stub-jump $STUB 4096 5 $STACKS
		assert_success || fail "$name: above"
		assert_output --regexp "[1-9][0-9]* crashed"
		alive "$name"
	done
}

# In seccomp mode these pages are the stub's way to talk to the guest's kernel, and
# who writes there can bring down the guest, as with any UML in that mode.
@test "in ptrace mode what is written to the stub's data is of no use" {
	run guest ptrace stub-scribble 7fffffffd000 8192
	assert_success
	assert_output "40 patterns came to nothing"
	alive ptrace
}

# --- ways into the kernel -------------------------------------------------------

@test "system calls of every number, by every way, are the guest's" {
	local name way

	for name in $GUESTS; do
		for way in syscall int80 sysenter; do
			UML_TIMEOUT=120 sweep "$name" --uid 1000 $way
		done
		UML_TIMEOUT=120 sweep "$name" syscall
		alive "$name"
	done
}

@test "traps, privileged instructions and far transfers end as on the host" {
	local name want

	want=$("$BUILD/tests/entry-sweep")
	assert [ "$(grep -c ': SEGV$' <<<"$want")" -gt 400 ]
	for name in $GUESTS; do
		UML_TIMEOUT=120 run guest "$name" entry-sweep --uid 1000
		assert_success
		# In seccomp mode it comes back to a wrong address of the host's
		# vsyscall page again and again, until it is killed.
		[ "$name" = ptrace ] || output=${output/600001: waited/600001: SEGV}
		diff <(echo "$want") <(echo "$output") ||
			fail "$name: above is what differs from the host"
		alive "$name"
	done
}

@test "no register that a frame or a tracer gives is of use" {
	local name

	for name in $GUESTS; do
		registers_refused "$name" --uid 1000
		alive "$name"
	done
}

@test "the stub makes a call of a process' choice in seccomp mode only" {
	run guest ptrace stub-call --uid 1000 $STUB
	assert_output --regexp '^[1-9][0-9]* instructions, 0 did it$'
	run guest seccomp stub-call --uid 1000 $STUB
	assert_output --regexp '^[1-9][0-9]* instructions, [1-9][0-9]* did it$'
	alive seccomp
}

# --- faults -------------------------------------------------------------------

@test "a memory access gone wrong gives the signal that it gives on the host" {
	local name host lost

	run "$BUILD/tests/bus-errors"
	assert_success
	assert_line "misaligned access: BUS, BUS"
	host=$output
	for name in $GUESTS; do
		lost=$(uml_log "$name" | grep -c "lost MM child" || :)
		run guest "$name" bus-errors
		assert_output "$host"
		assert_equal "$(uml_log "$name" | grep -c "lost MM child")" "$lost"
	done
}

# In unmodified UML "moved" and "moved far" have all 48 pages afterwards: the guest
# kernel's own, by then.
@test "no page stays within a process' reach that was unmapped" {
	local name

	for name in $GUESTS; do
		run guest "$name" stale-pages
		assert_success || fail "$name: above"
		assert_equal "$(grep -c ': 48 before, 0 after$' <<<"$output")" 4
	done
}

# --- the clock ----------------------------------------------------------------

@test "nobody without the right sets the clock, whatever goes on meanwhile" {
	local name

	for name in $GUESTS; do
		# Sweeps of root have set it
		guest "$name" date -s 2030-01-01
		run guest "$name" set-storm 4
		assert_success || fail "$name: above"
		assert_equal "$(grep -c ' 0 set$' <<<"$output")" 10
		run guest "$name" date +%Y
		assert [ "$output" -lt 2100 ]
	done
}

@test "a set by who may is noticed, and stays in the guest" {
	local name

	for name in $GUESTS; do
		guest "$name" set-storm --root
		run guest "$name" date +%Y
		assert_output 2100
	done
}

# --- control --------------------------------------------------------------------

@test "a change outside would be noticed" {
	echo "somebody's" >"$BATS_FILE_TMPDIR/outside/file"
	run diff <(echo "$state") <(state)
	assert_failure 1
	assert_output --partial "> file: "
	state=$(state)
}
