#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# confine.bats - programs, and UML kernels, that run with timens run --confine uml on
# this machine. uml-mmfd.bats has one in mmfd mode.
#
# These guests run side by side:
#   ptrace     ptrace mode, with a disk
#   seccomp    seccomp mode
#   smp        seccomp mode, two CPUs

load lib/common
load lib/uml

GUESTS=$UML_MODES

setup_file() {
	requires uml uml-smp shim helpers root host-timens host-seccomp
	# shellcheck disable=SC2034 # uml_start reads it
	UML_BEFORE=("$BUILD/shim/timens" run --confine uml --)
	truncate -s 4M "$BATS_FILE_TMPDIR/disk"
	uml_start ptrace uml seccomp=off ubd0="$BATS_FILE_TMPDIR/disk"
	uml_start seccomp uml seccomp=on
	uml_start smp uml-smp seccomp=on ncpus=2
}

teardown_file() {
	uml_stop
}

# everywhere CMD... - with success
everywhere() {
	local name

	for name in $GUESTS; do
		run guest "$name" "$@"
		assert_success || fail "$name: above"
	done
}

confined_calls() {
	"$BUILD/shim/timens" run "$@" -- "$BUILD/tests/confined-calls"
}

@test "a confined program makes the calls of the list, and no other" {
	local list

	# Of those whose argument is looked at, confined-calls has another one
	list=$("$BUILD/shim/timens" policy --confine uml |
		awk 'NR > 1 && NF == 2 { print $2 }' | sort -n)
	assert [ "$(wc -l <<<"$list")" -gt 80 ]
	run confined_calls --confine uml
	assert_success
	# clone3 gives ENOSYS. No filter is asked about uretprobe and uprobe.
	output=$(grep -vxE '335|336|435' <<<"$output")
	diff <(echo "$list") <(echo "$output")
}

@test "without it, the same program makes many more" {
	run confined_calls
	assert_success
	assert [ "${#lines[@]}" -gt 300 ]
	assert_line "32-bit 20"
}

@test "the filter, and no_new_privs, are on UML and on its stubs" {
	local name pid

	for name in $GUESTS; do
		pid=$(uml_pid "$name")
		assert_equal "$(awk '/^(NoNewPrivs|Seccomp):/ { print $2 }' \
			"/proc/$pid/status")" $'1\n2'
		for pid in $(pgrep -P "$pid" -x uml-userspace); do
			run grep -c '^Seccomp:[[:space:]]*2' "/proc/$pid/status"
			assert_output 1
		done
		run ! grep -qx $'CapEff:\t0*[1-9a-f].*' "/proc/$pid/status"
	done
}

@test "clocks, faults, forks, tracers and filters in guests work as ever" {
	everywhere clock-order 2 300
	everywhere set-and-read 50
	everywhere bus-errors
	everywhere fork-race 20
	everywhere guest-rules 500
	assert_line "ok a tracer sees every call begin and end"
	assert_line "ok a filter decides on the calls of its task"
	everywhere own-filter
	everywhere watched-calls
	assert_line "filter: kill: status 0x1f"
}

@test "the guest's root directory, which is the host's, is used in every way" {
	everywhere sh -ec '
		mkdir -p /run/dir
		cd /run/dir
		echo text >file
		cat file >>copy
		ln -s file symbolic
		ln file hard
		mv hard moved
		chmod 600 file
		touch -d "2001-01-01 00:00:00" file
		truncate -s 1000 moved
		dd if=/dev/zero of=big bs=64k count=10 conv=fsync 2>/dev/null
		mkfifo pipe
		test "$(readlink symbolic)" = file
		test "$(ls | wc -l)" = 6
		test "$(stat -c %s file)" = 1000
		df . >/dev/null
		rm -r /run/dir'
}

@test "a disk is written to and read" {
	run guest ptrace sh -ec '
		dd if=/dev/urandom of=/tmp/data bs=1M count=4 2>/dev/null
		dd if=/tmp/data of=/dev/ubda bs=64k conv=fsync 2>/dev/null
		echo 3 >/proc/sys/vm/drop_caches
		cmp /tmp/data /dev/ubda && md5sum </tmp/data'
	assert_success
	assert_equal "$output" "$(md5sum <"$BATS_FILE_TMPDIR/disk")"
}

@test "calls of every number and every way are the guest's, confined or not" {
	local name

	for name in $GUESTS; do
		UML_TIMEOUT=120 run guest "$name" call-sweep --uid 1000 syscall
		assert_success || fail "$name: above"
		run guest "$name" echo alive
		assert_output alive
	done
}
