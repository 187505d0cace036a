#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kernel-cost.bats - what a namespace's own wall clock costs, in instructions and
# memory of the VM: figures without noise.

load lib/common

setup_file() {
	requires vm-patched vm-stock shim
}

# in_vm ARG... - run-vm with our helpers
in_vm() {
	"$TOP/scripts/run-vm" "$@"
}

# step HERE NEXT - instructions of a step with so many timers armed here, next door
step() {
	in_vm --icount --timeout 300 -- many-timers "$@"
}

# calls [ARG...] - instructions of 1000 calls of each kind, the least of five times, in
# the VM that run-vm's arguments ask for; a command to run it by may follow them
CALLS="vdso-gettimeofday vdso-clock_gettime vdso-monotonic vdso-coarse vdso-time
       raw-gettimeofday raw-clock_gettime raw-coarse raw-time getppid"
calls() {
	local -a before=()

	while [ $# -gt 0 ] && [ "$1" != by ]; do
		before+=("$1")
		shift
	done
	[ $# -eq 0 ] || shift
	# shellcheck disable=SC2086 # words
	in_vm --icount "${before[@]}" -- "$@" timecalls -n 1000 -r 5 -p 201 $CALLS |
		awk '$1 == "sample" { least = $4
			for (i = 5; i <= NF; i++) if ($i < least) least = $i
			print $2, least }'
}

# dearer FILE FILE - the calls that take more in the second one: any more in the vDSO;
# for system calls, more than a no-op for a static key, and one for what the compiler
# makes of the rest
dearer() {
	awk 'NR == FNR { was[$1] = $2; next }
		{ n++; may = $1 ~ /^vdso/ ? 0 : 2000 }
		$2 > was[$1] + may + 100 { print $1, was[$1], $2 }
		END { if (n != 10) print n, "calls" }' "$1" "$2"
}

@test "in the initial namespace, the vDSO takes no instruction more than on the stock kernel" {
	local dir=$BATS_TEST_TMPDIR

	calls --kernel stock >"$dir/stock"
	calls >"$dir/patched"
	paste "$dir/stock" "$dir/patched" | sed 's/^/# /' >&3
	run dearer "$dir/stock" "$dir/patched"
	assert_output ""
}

# The control: that the figures are those of the calls
@test "in a namespace with a clock of its own, reading clocks takes more" {
	local dir=$BATS_TEST_TMPDIR

	calls >"$dir/initial"
	calls by timens run --realtime=+1y -- >"$dir/own"
	run dearer "$dir/initial" "$dir/own"
	assert_equal "${#lines[@]}" 9
	refute_line --partial getppid
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
