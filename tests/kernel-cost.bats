#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kernel-cost.bats - what a namespace's own wall clock costs, in instructions and
# memory of the VM: figures without noise.

load lib/common

setup_file() {
	requires vm-patched
}

# in_vm ARG... - run-vm with our helpers
in_vm() {
	"$TOP/scripts/run-vm" "$@"
}

# step HERE NEXT - instructions of a step with so many timers armed here, next door
step() {
	in_vm --icount --timeout 300 -- many-timers "$@"
}

@test "a step costs less than 1000 instructions per armed timer of its namespace" {
	local none here

	none=$(step 0 0)
	here=$(step 10000 0)
	echo "# $(((here - none) / 10000)) instructions per timer, $none without" >&3
	# 10 ms, were each instruction a nanosecond
	[ "$here" -lt 10000000 ]
	# That they are visited at all
	[ "$here" -gt $((none + 10000 * 50)) ]
}

@test "a step does not look at 10000 timers of a namespace next door" {
	local none next

	none=$(step 0 0)
	next=$(step 0 10000)
	echo "# $none instructions, with 10000 next door $next" >&3
	[ "$next" -lt $((none + 500)) ]
}

@test "10000 namespaces take less than 10 KiB each, with a descriptor" {
	local bytes

	bytes=$(in_vm -- sh -c 'echo 20000 >/proc/sys/user/max_time_namespaces
		many-namespaces 10000')
	echo "# $bytes bytes each" >&3
	[ "$bytes" -lt 10240 ]
	# That they were there at all: each has a page for the vDSO
	[ "$bytes" -gt 4096 ]
}

@test "who makes namespaces without end comes to the limit, and they all go away" {
	run in_vm -- sh -c '
		echo 500 >/proc/sys/user/max_time_namespaces
		many-namespaces 1000 && exit 1
		many-namespaces 1000 && exit 1
		echo 2000 >/proc/sys/user/max_time_namespaces
		many-namespaces 1000 >/dev/null'
	assert_success
	assert_output $'500\n500'
}
