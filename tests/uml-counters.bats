#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# uml-counters.bats - what a UML guest's vDSO counts when its clock is its own
# (timeclock=page), and what becomes of it where a counter cannot be had.
#
# The guests of the first part run directly on this machine, those of the second
# in the VM, whose clock source can be changed.

load lib/common
load lib/uml

setup_file() {
	requires vm-patched uml helpers
	uml_start vdso uml seccomp=on timeclock=page,vdso
	uml_start tsc uml seccomp=on timeclock=page,tsc
	uml_start syscall uml seccomp=on timeclock=page,syscall
	# With one CPU: QEMU's emulation may lose a breakpoint of the kernel's
	vm_start patched --smp 1 --with "$(command -v setarch)"
	VM_TIMEOUT=200 vm <<-'SH'
		mkdir -p /run/uml
		for mode in on off; do
			UML_TIMEOUT=90 uml-guest start /run/uml/$mode /usr/bin/setarch \
				-R linux.uml seccomp=$mode || exit 1
		done
	SH
}

teardown_file() {
	uml_stop
	vm_stop
}

# counter NAME - what is in force in a guest on this machine
counter() {
	guest "$1" cat /sys/module/timeclock/parameters/counter
}

# refusal COUNTER - why this machine does not have it for a guest; or nothing
refusal() {
	uml_log "$1" | sed -n "s/.*timeclock: counter $1: //p"
}

# vm_guest MODE CMD... - in a guest in the VM
vm_guest() {
	local mode=$1

	shift
	vm env UML_TIMEOUT=45 uml-guest run "/run/uml/$mode" "$@"
}

# count_by SOURCE - change the VM's clock source
count_by() {
	vm <<-SH
		cd /sys/devices/system/clocksource/clocksource0
		echo $1 >current_clocksource
		sleep 0.2
		[ "\$(cat current_clocksource)" = $1 ]
	SH
}

# --- on this machine ---------------------------------------------------------

@test "a guest has the counter that was asked for, or the log says why not" {
	local name

	assert_equal "$(counter syscall)" syscall
	for name in vdso tsc; do
		run refusal "$name"
		if [ -z "$output" ]; then
			assert_equal "$(counter "$name")" "$name"
		else
			assert_output --regexp "^(the host|it|the TSC|there)"
			run counter "$name"
			refute_output "$name"
		fi
		run uml_log "$name"
		assert_output --partial "time page, counter $(counter "$name")"
	done
}

@test "the time stamp counter is used only if this machine's clock counts it" {
	local source=/sys/devices/system/clocksource/clocksource0/current_clocksource

	run counter tsc
	if [ "$(cat $source)" = tsc ] && grep -qw nonstop_tsc /proc/cpuinfo; then
		assert_output tsc
	else
		refute_output tsc
	fi
}

@test "no clock goes back, whatever is counted" {
	local name

	for name in vdso tsc syscall; do
		run guest "$name" clock-order 2 1000
		assert_success || fail "$name: above"
		assert_output "2000 rounds in order"
		run guest "$name" clock-order --set 2 500
		assert_success || fail "$name: above"
		assert_output "1000 rounds in order"
		run guest "$name" file-stamp /tmp 30
		assert_success || fail "$name: above"
	done
}

@test "with counter syscall the vDSO enters the kernel for all that is not coarse" {
	run guest syscall vdso-clock 10
	assert_failure
	refute_line vdso
	run guest "$([ "$(counter vdso)" = vdso ] && echo vdso || echo tsc)" \
		vdso-clock 10
	assert_line vdso
}

@test "what the clock is cannot be changed from within" {
	local before

	before=$(counter vdso)
	run guest vdso sh -c 'echo syscall >/sys/module/timeclock/parameters/counter'
	assert_failure
	assert_equal "$(counter vdso)" "$before"
}

@test "an option that does not exist is an error that names those that do" {
	local bad

	for bad in never page,never "page," timens,tsc,vdso PAGE; do
		run "$BUILD/uml/linux" "timeclock=$bad"
		assert_failure
		assert_output --partial "Invalid option 'timeclock=$bad'"
		assert_output --partial "auto/timens/page/intercept"
	done
}

# --- where the machine's clock cannot be read without a system call -------------

@test "when the host changes its clock source, a guest's clock goes on" {
	local mode

	for mode in on off; do
		run vm_guest "$mode" vdso-clock 20
		assert_line vdso

		count_by hpet
		# The guest's filter does not see what the host's vDSO asks for
		run vm_guest "$mode" vdso-clock 20
		assert_success
		assert_line vdso
		assert_line "steps back: 0"
		run vm_guest "$mode" clock-order 2 200
		assert_output "400 rounds in order"

		count_by tsc
		run vm_guest "$mode" clock-order 2 200
		assert_output "400 rounds in order"
	done
}

@test "no clock goes back while the host changes its clock source" {
	local mode

	for mode in on off; do
		vm <<-SH &
			cd /sys/devices/system/clocksource/clocksource0
			for n in 1 2 3 4; do
				sleep 0.5
				echo hpet >current_clocksource
				sleep 0.5
				echo tsc >current_clocksource
			done
		SH
		run vm_guest "$mode" clock-order 2 1000
		assert_output "2000 rounds in order"
		wait
	done
}

@test "a host whose vDSO cannot read its clock is found out at boot" {
	count_by hpet
	run vm <<-'SH'
		uml-guest start /run/uml/late /usr/bin/setarch -R linux.uml seccomp=on
		uml-guest log /run/uml/late
		uml-guest run /run/uml/late cat /sys/module/timeclock/parameters/counter
		uml-guest run /run/uml/late clock-order 2 100
		uml-guest stop /run/uml/late
	SH
	assert_success
	assert_output --partial \
		"counter vdso: the host's vDSO makes a system call to read the clock"
	assert_output --partial "time page, counter syscall"
	assert_line syscall
	assert_line "200 rounds in order"
	count_by tsc
}
