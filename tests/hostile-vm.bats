#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# hostile-vm.bats - hostile processes in UML guests whose time calls go straight to
# the host, in the VM: whatever they do, the host's clocks do not move, and the
# clock of their namespace only moves for who may set it in the guest.
#
# Every test is done in each of these:
#   pass       own clock, seccomp mode, may set its clock
#   smp        the same with two CPUs
#   ptrace     the same in ptrace mode, where calls pass from the first on
# hostile.bats has more attacks, on guests without a patched host.

load lib/common
load lib/clocks
load lib/guests

GUESTS="pass smp ptrace"
# Without address space randomisation: the stub's code, its data and the end
STUB=7fffffffc000
STACKS="7fffffffd800 7ffffffff000 7fffffffc800 0 8000000000000000"

setup_file() {
	local own="timens run --realtime=2038-01-19T03:14:00Z --uptime 0"

	own+=" --keep-caps=sys_time /usr/bin/setarch -R"
	requires vm-patched shim uml uml-smp helpers
	vm_start patched --mem 1536M --with "$(command -v setarch)"
	sibling_start
	guests_start 180 <<-EOT
		pass $own linux.uml seccomp=on
		smp $own linux-smp.uml seccomp=on ncpus=2
		ptrace $own linux.uml seccomp=off timeclock.pass_after=0
	EOT
	vm outside start /run/outside
}

teardown_file() {
	vm_stop
}

pid() {
	vm uml-guest pid "/run/uml/$1"
}

# Exact: the distance of the namespace's clock from the host's
namespace() {
	vm sed -n 's/^realtime *//p' "/proc/$(pid "$1")/timens_offsets"
}

state() {
	local name

	for name in $GUESTS; do
		vm outside state /run/outside "$(pid "$name")"
	done
}

# shellcheck disable=SC2034 # nothing_else_moved reads them
setup() {
	local name

	export VM_TIMEOUT=160 GUEST_TIMEOUT=150
	host=$(host_clock)
	sibling=$(sibling_line)
	state=$(state)
	assert_regex "$state" 'child: uml-userspace, [0-9a-f]{32}'
	declare -gA namespaces
	for name in $GUESTS; do
		namespaces[$name]=$(namespace "$name")
		assert_regex "${namespaces[$name]}" '^[0-9]+ +[0-9]+$'
	done
}

teardown() {
	local name

	nothing_else_moved
	assert_equal "$(state)" "$state"
	for name in $GUESTS; do
		assert_equal "$(namespace "$name")" "${namespaces[$name]}"
	done
}

# stub NAME - the directory in /proc of one of its stubs
stub() {
	vm <<-SH
		pid=\$(uml-guest pid /run/uml/$1)
		grep -l "^PPid:[[:space:]]*\$pid\$" /proc/[0-9]*/status |
			sed 's|/status$||; q'
	SH
}

# host_vdso NAME - ELF header and end of the host's vDSO in its stubs
host_vdso() {
	vm awk '$6 == "[vdso]" && $1 >= "7f8" && $1 < "8" { print $1 }' \
		"$(stub "$1")/maps"
}

# With a clock that is not read by it, they do not have it; then nothing is there.
no_host_vdso() {
	[ -z "$vdso" ] || return 1
	run guest "$1" cat /sys/module/timeclock/parameters/counter
	refute_output vdso
}

alive() {
	run guest "$1" sh -c 'echo still here; sleep 0.1; echo and here | cat'
	assert_output $'still here\nand here' || fail "$1: above"
}

@test "these guests' clock is their namespace's, and filters let calls pass" {
	local name

	for name in $GUESTS; do
		run guest "$name" cat /sys/module/timeclock/parameters/clock
		assert_output timens
		vm grep -x "Seccomp:[[:space:]]*2" "$(stub "$name")/status"
	done
}

# jumps NAME [--uid UID] ADDRESS LENGTH STEP - with every kind of stack
jumps() {
	local name=$1

	shift
	# shellcheck disable=SC2086 # words
	run guest "$name" stub-jump --no-far "$@" $STACKS
	assert_success || fail "$name: above"
	assert_output --regexp "[1-9][0-9]* crashed"
	alive "$name"
}

# --- jumps ----------------------------------------------------------------------

@test "a user's jumps into the stub do not set the clock" {
	local name

	for name in $GUESTS; do
		jumps "$name" --uid 1000 $STUB 4096 29
	done
}

@test "a user's jumps into the host's vDSO do not set the clock" {
	local name vdso

	for name in $GUESTS; do
		vdso=$(host_vdso "$name")
		! no_host_vdso "$name" || continue
		jumps "$name" --uid 1000 "${vdso%-*}" \
			$((16#${vdso#*-} - 16#${vdso%-*})) 53
	done
}

@test "the host's vDSO does nothing for who misuses it" {
	local name vdso

	for name in $GUESTS; do
		vdso=$(host_vdso "$name")
		! no_host_vdso "$name" || continue
		run guest "$name" host-vdso --uid 1000 "${vdso%-*}" $STUB
		assert_success || fail "$name: above"
		assert_line --regexp '^system calls: from [1-9]'
		assert_line "pointers: ids -16 to 40"
	done
}

@test "nothing above a process' address space can be changed, read or written" {
	local name vdso

	for name in $GUESTS; do
		vdso=$(host_vdso "$name")
		# shellcheck disable=SC2086 # words
		run guest "$name" map-attack $STUB 7f8000000000 ${vdso%-*} \
			7fffffffd000 7fffffffe000
		assert_success || fail "$name: above"
		assert_output --partial "attacks came to nothing"
	done
}

# --- the clock --------------------------------------------------------------------

@test "nobody without the right sets the clock, whatever goes on meanwhile" {
	local name

	for name in $GUESTS; do
		run guest "$name" sh -c "
			stub-jump --no-far --uid 1000 $STUB 4096 64 >/dev/null &
			set-storm 15
		"
		assert_success || fail "$name: above"
		assert_equal "$(grep -c ' 0 set$' <<<"$output")" 10
	done
}

@test "a set by who may does move the namespace's clock, and no other" {
	local name

	for name in $GUESTS; do
		guest "$name" set-storm --root
		run namespace "$name"
		refute_output "${namespaces[$name]}"
		namespaces[$name]=$output
		run vm timens show "$(pid "$name")"
		assert_output --partial 2100-01-01
	done
}

@test "root's jumps into the stub set no other clock" {
	local name

	for name in $GUESTS; do
		jumps "$name" $STUB 4096 37
		namespaces[$name]=$(namespace "$name")
	done
}
