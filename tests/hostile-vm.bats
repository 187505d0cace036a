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
#   mmfd       the same in mmfd mode
#   mmfd-smp   the same with two CPUs
# Sweeps of all system calls and entries are done in those in mmfd mode only;
# hostile.bats does them in the others, and has more attacks on these.

load lib/common
load lib/clocks
load lib/guests
load lib/hostile

STUBS="pass smp ptrace"
MMFD="mmfd mmfd-smp"
GUESTS="$STUBS $MMFD"
# Without address space randomisation: the stub's code, its data and the end
STUB=7fffffffc000
STACKS="7fffffffd800 7ffffffff000 7fffffffc800 0 8000000000000000"

setup_file() {
	local own="timens run --realtime=2038-01-19T03:14:00Z --uptime 0"

	own+=" --keep-caps=sys_time /usr/bin/setarch -R"
	requires vm-patched shim uml uml-smp helpers
	vm_start patched --mem 1536M --with "$(command -v setarch)"
	sibling_start
	guests_start 380 <<-EOT
		pass $own linux.uml seccomp=on
		smp $own linux-smp.uml seccomp=on ncpus=2
		ptrace $own linux.uml seccomp=off timeclock.pass_after=0
		mmfd $own linux.uml mmfd=on
		mmfd-smp $own linux-smp.uml mmfd=on ncpus=2
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
		echo "$name:"
		vm outside state /run/outside "$(pid "$name")"
	done
}

# in_mmfd NAME - is it one of those?
in_mmfd() {
	[[ " $MMFD " == *" $1 "* ]]
}

# shellcheck disable=SC2034 # nothing_else_moved reads them
setup() {
	local name

	export VM_TIMEOUT=160 GUEST_TIMEOUT=150
	host=$(host_clock)
	sibling=$(sibling_line)
	state=$(state)
	assert_regex "${state%mmfd:*}" 'child: uml-userspace, [0-9a-f]{32}'
	run sed '1,/^mmfd:/d' <<<"$state"
	assert_line --regexp '^code '
	refute_line --partial child:
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

# word NAME SYMBOL - the number at SYMBOL in its UML kernel
word() {
	local kernel=uml at

	[[ $1 != *smp ]] || kernel=uml-smp
	at=$(nm "$BUILD/$kernel/linux" | awk -v s="$2" '$3 == s { print $1 }')
	vm <<-SH
		dd if=/proc/$(pid "$1")/mem bs=8 skip=$((16#$at / 8)) count=1 |
			od -An -tx8 | tr -d ' '
	SH
}

# host_vdso NAME - ELF header and end of the host's vDSO above the guest's addresses
host_vdso() {
	if in_mmfd "$1"; then
		echo "$(word "$1" host_vdso)-$(word "$1" host_vdso_end)"
		return
	fi
	vm awk '$6 == "[vdso]" && $1 >= "7f8" && $1 < "8" { print $1 }' \
		"$(stub "$1")/maps"
}

# With a clock that is not read by it, they do not have it; then nothing is there.
no_host_vdso() {
	[ -z "$vdso" ] || return 1
	run guest "$1" cat /sys/module/timeclock/parameters/counter
	refute_output vdso
}

@test "these guests' clock is their namespace's, and filters let calls pass" {
	local name

	for name in $GUESTS; do
		run guest "$name" cat /sys/module/timeclock/parameters/clock
		assert_output timens
		! in_mmfd "$name" || continue
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
}

# --- ways into the kernel ---------------------------------------------------------

@test "in mmfd mode a user's calls, of every number and by every way, are the guest's" {
	local name

	for name in $MMFD; do
		sweep "$name" --uid 1000 syscall
		assert_line --regexp ' [1-9][0-9]{2,} answered, [1-9][0-9]{3} unknown'
		# No such call has an answer, not even that there is none.
		sweep "$name" --uid 1000 int80
		assert_line --partial ": 0 answered, 0 unknown"
		sweep "$name" --uid 1000 sysenter
		assert_line --partial ": 0 answered, 0 unknown"
		alive "$name"
	done
}

@test "in mmfd mode root's calls, of every number and by every way, are the guest's" {
	local name

	for name in $MMFD; do
		sweep "$name" syscall
		assert_line --regexp ' [1-9][0-9]{2,} answered, [1-9][0-9]{3} unknown'
		sweep "$name" int80
		assert_line --partial ": 0 answered, 0 unknown"
		alive "$name"
		# What a call of root's does to the guest's clock is its own affair
		namespaces[$name]=$(namespace "$name")
	done
}

# What is an entry for 32-bit code on the host is SIGSEGV in the guest.
@test "in mmfd mode traps, privileged instructions and far jumps end as on the host" {
	local name how want

	want=$(vm entry-sweep --no-far |
		sed -E 's/^(int 0x80|ljmp to 0x[23][03]): .*/\1: SEGV/')
	assert [ "$(grep -c ': SEGV$' <<<"$want")" -gt 300 ]
	for name in $MMFD; do
		for how in "" "--uid 1000"; do
			# shellcheck disable=SC2086 # words
			run guest "$name" entry-sweep $how --no-far
			assert_success
			diff <(echo "$want") <(echo "$output") ||
				fail "$name: above is what differs from the host"
		done
		alive "$name"
	done
}

@test "in mmfd mode no register that a frame or a tracer gives is of use" {
	local name how

	for name in $MMFD; do
		for how in "" "--uid 1000"; do
			# shellcheck disable=SC2086 # words
			registers_refused "$name" $how
			assert_line "tracer: nothing: went on"
			refute_line --regexp ': waited$'
		done
		alive "$name"
	done
}

# --- jumps ----------------------------------------------------------------------

@test "the stub makes a call of a user's choice in seccomp mode, and is not there in mmfd mode" {
	local name at

	run guest pass stub-call --uid 1000 $STUB
	assert_output --regexp '^[1-9][0-9]* instructions, [1-9][0-9]* did it$'
	for name in $MMFD; do
		for at in $STUB 7fffffffd000 7fffffffe000; do
			run guest "$name" stub-call --uid 1000 "$at"
			assert_output "nothing is there"
		done
	done
}

@test "a user's jumps into the stub do not set the clock" {
	local name

	for name in $GUESTS; do
		jumps "$name" --uid 1000 $STUB 4096 29
		! in_mmfd "$name" || assert_output --regexp '^0 ended, .* 0 killed$'
		alive "$name"
	done
}

@test "a user's jumps into the host's vDSO do not set the clock" {
	local name vdso

	for name in $GUESTS; do
		vdso=$(host_vdso "$name")
		! no_host_vdso "$name" || continue
		jumps "$name" --uid 1000 "${vdso%-*}" \
			$((16#${vdso#*-} - 16#${vdso%-*})) 53
		alive "$name"
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
	local name vdso read

	for name in $GUESTS; do
		vdso=$(host_vdso "$name")
		# What passes in mmfd mode may read what the process may
		read=
		! in_mmfd "$name" || read=--read
		# shellcheck disable=SC2086 # words
		run guest "$name" map-attack $read $STUB 7f8000000000 ${vdso%-*} \
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
		alive "$name"
		namespaces[$name]=$(namespace "$name")
	done
}
