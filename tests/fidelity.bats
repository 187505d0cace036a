#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# fidelity.bats - UML guests whose clocks are disturbed while they are read: set from
# inside and outside, slewed, stopped with their host. In the VM.
#
# A cell is a guest, CLOCK-INTERCEPTION-CPUS:
#   timens      in a namespace with a wall clock of its own, time calls pass
#   page        the guest kernel's clock, which its vDSO reads
#   intercept   the same, with every time call intercepted
#
# clock-order reads every clock by every route and compares with the latest that
# any process has seen. What a disturbance by one cell's guest does to others would
# be seen too, as all cells read at the same time.

load lib/common
load lib/clocks
load lib/guests

CELLS=(timens-ptrace-1 timens-seccomp-1 timens-seccomp-2 page-ptrace-1 page-seccomp-1
       page-seccomp-2 intercept-ptrace-1 intercept-seccomp-2 timens-mmfd-1
       timens-mmfd-2 page-mmfd-2)
PASSING=(timens-ptrace-1 timens-seccomp-1 timens-seccomp-2 timens-mmfd-1 timens-mmfd-2)

setup_file() {
	requires vm-patched shim uml uml-smp
	vm_start patched --mem 1536M --with "$(command -v setarch)" \
		--with "$BUILD/uml-smp/linux:/usr/bin/linux-smp.uml"
	boot "${CELLS[@]}"
}

teardown_file() {
	vm_stop
}

setup() {
	host=$(host_clock)
}

# boot CELL... - anew, all at once
boot() {
	local cell clock mode cpus uml

	vm <<-SH
		for cell in $*; do
			[ ! -d /run/uml/\$cell ] || uml-guest stop /run/uml/\$cell
		done
	SH
	for cell; do
		IFS=- read -r clock mode cpus <<<"$cell"
		uml="linux.uml seccomp=off"
		[ "$mode" != seccomp ] || uml="linux.uml seccomp=on"
		[ "$mode" != mmfd ] || uml="linux.uml mmfd=on"
		[ "$cpus" = 1 ] || uml=${uml/linux/linux-smp}
		echo "$cell timens run --realtime=2038-01-19T03:14:00Z" \
			"--uptime 0 --keep-caps=sys_time /usr/bin/setarch -R" \
			"$uml timeclock=$clock ncpus=$cpus"
	done | guests_start 180
}

# at_once CMD... - run it in the guests $AT (all) at the same time, and beside them
# what stdin says, on the host, with the guests' UML processes in $pids. A line
# "CELL: OUTPUT" for each line of a guest's output, and "CELL: status STATUS".
at_once() {
	local at=${AT:-${CELLS[*]}} script=:

	[ -t 0 ] || script=$(cat)
	VM_TIMEOUT=120 vm <<-SH
		for cell in $at; do
			pids="\$pids \$(uml-guest pid /run/uml/\$cell)"
			{
				UML_TIMEOUT=90 uml-guest run /run/uml/\$cell \
					$(vm_quote "$@") 2>&1 && s=0 || s=\$?
				echo status \$s
			} | sed "s/^/\$cell: /" >/run/\$cell.out &
			all="\$all \$!"
		done
		$script
		for p in \$all; do wait \$p; done
		for cell in $at; do cat /run/\$cell.out; done
	SH
}

# in_order [ARG...] <SCRIPT - every guest's clocks are in order meanwhile, and it
# has read them often enough for that to mean something
in_order() {
	local cell rounds

	run at_once clock-order --exact "$@"
	assert_success
	for cell in ${AT:-${CELLS[*]}}; do
		assert_line "$cell: status 0"
		rounds=$(sed -n "s/^$cell: \([0-9]*\) rounds in order$/\1/p" \
			<<<"$output")
		((rounds > 4)) || fail "$cell: $rounds rounds mean nothing"
	done
}

@test "the guests are what they are said to be" {
	local cell

	run at_once sh -c 'nproc; cat /sys/module/timeclock/parameters/clock' </dev/null
	assert_success
	for cell in "${CELLS[@]}"; do
		assert_line "$cell: ${cell##*-}"
		assert_line "$cell: ${cell%%-*}"
	done
	for cell in "${PASSING[@]}"; do
		assert_passed "$cell" clock_gettime
	done
	assert_intercepted page-seccomp-2 clock_gettime
}

@test "no clock goes back while nothing happens" {
	in_order 2 3s </dev/null
}

@test "no clock goes back while the guest sets its clock forward" {
	in_order --set 2 3s </dev/null
}

@test "the guest's clocks do not go back while the host's is set" {
	in_order 2 4s <<-'SH'
		for n in 1 2 3 4 5; do
			sleep 0.4
			step-clock -3600000000000
			sleep 0.2
			step-clock 3600000000000
		done
	SH
	assert_host_unmoved "$host"
}

@test "on the host that would be noticed" {
	run vm <<-'SH'
		clock-order --exact --half 'step-clock -3600000000000' 2 2s ||
			echo "status $?"
		step-clock 3600000000000
	SH
	assert_line "status 1"
	assert_output --regexp "CLOCK_(REALTIME|TAI) .* before what was seen"
}

# --- set from outside ----------------------------------------------------------

# outside STEP - for at_once: again and again set the namespaces by that
outside() {
	cat <<-SH
		for n in 1 2 3 4 5 6; do
			sleep 0.4
			for pid in \$pids; do
				timens set \$pid $1
			done
		done
	SH
}

@test "no clock goes back while the namespace is set forward from outside" {
	AT="${PASSING[*]}" in_order 2 4s < <(outside +1h)
}

@test "one that is set back from outside is noticed" {
	local cell

	AT="${PASSING[*]}" run at_once clock-order --exact 2 4s < <(outside -1h)
	assert_success
	for cell in "${PASSING[@]}"; do
		assert_line "$cell: status 1"
		assert_line --regexp "^$cell: CLOCK_(REALTIME|TAI) .* before what was seen"
	done
}

# --- what a namespace cannot be --------------------------------------------------

@test "no clock goes back when the guest changes the rate of its clock" {
	local ppm

	for ppm in 500 -500; do
		in_order --rate $ppm 2 3s </dev/null
	done
	# The namespace has no such rate
	for cell in "${PASSING[@]}"; do
		assert_intercepted "$cell" clock_gettime
	done
}

@test "nor with two readers of which one reads directly, and a tenth of the rate" {
	local ppm

	for ppm in 100000 -100000; do
		boot timens-seccomp-2
		AT=timens-seccomp-2 in_order --split --rate $ppm 2 3s </dev/null
		assert_intercepted timens-seccomp-2 clock_gettime
	done
}

@test "a namespace follows a guest whose rate differs" {
	local pid guest inside

	guest timens-seccomp-2 adjtimex -q -t 11000
	pid=$(vm uml-guest pid /run/uml/timens-seccomp-2)
	sleep 5
	guest=$(guest timens-seccomp-2 date +%s)
	inside=$(vm timens enter "$pid" date +%s)
	((inside - guest < 3 && guest - inside < 1)) ||
		fail "the guest has $guest, its namespace $inside"
	assert_host_unmoved "$host"
}

@test "no clock goes back when the guest changes its TAI offset" {
	boot "${PASSING[@]}"
	in_order --half "step-clock --tai 7" 2 3s </dev/null
	for cell in "${PASSING[@]}"; do
		assert_intercepted "$cell" clock_gettime
	done
}

@test "what a user asks for does not change what passes" {
	boot "${PASSING[@]}"
	for cell in "${PASSING[@]}"; do
		run guest "$cell" su user -c 'adjtimex -q -f 1000000'
		assert_failure
		run guest "$cell" su user -c 'step-clock --tai 7'
		assert_failure
		# Nor what root asks for, if it is what is there
		guest "$cell" adjtimex -q -f 0 -t 10000
		guest "$cell" step-clock --tai 0
		assert_passed "$cell" clock_gettime
	done
}

@test "a guest has no other clocksource to change to" {
	local cell

	run at_once cat \
		/sys/devices/system/clocksource/clocksource0/available_clocksource </dev/null
	assert_success
	for cell in "${CELLS[@]}"; do
		assert_line --regexp "^$cell: timer ?$"
	done
}

# --- watched -------------------------------------------------------------------

@test "who steps over calls sees what he sees on the host" {
	local cell host_steps

	host_steps=$(vm step-calls)
	assert_regex "$host_steps" "call 96: moved by 2, result 0"
	run at_once step-calls </dev/null
	assert_success
	for cell in "${CELLS[@]}"; do
		assert_equal "$(sed -n "s/^$cell: //p" <<<"$output")" \
			"$host_steps"$'\nstatus 0'
	done
}

# It stays on in what starts later, so this comes after all about what passes.
@test "the guest's audit sees every call, with the same results" {
	local cell want line

	want=$(guest intercept-seccomp-2 audited-calls)
	assert_regex "$want" "^call 96: 0, the buffer, 0"$'\n'
	for line in "call 228: 0, 1, the buffer" "call 228: EINVAL, 99, the buffer" \
		"call 201: a time, 0" "call 96: EFAULT, 1, 0" \
		"call 164: EINVAL, an address, 0" "56 calls, 56 records"; do
		grep -qxF "$line" <<<"$want" || fail "no line '$line' in: $want"
	done
	run at_once audited-calls </dev/null
	assert_success
	for cell in "${CELLS[@]}"; do
		assert_equal "$(sed -n "s/^$cell: //p" <<<"$output")" \
			"$want"$'\nstatus 0'
	done
}

@test "calls of what audit is told to leave alone pass, and it has nothing of them" {
	local cell

	for cell in "${PASSING[@]}"; do
		run guest "$cell" audited-calls --never
		assert_success
		assert_output "56 calls, 0 records"
		UNDER="audited-calls --never" assert_passed "$cell" clock_gettime
		# Otherwise they do not, also if no rule asks for them
		UNDER=audited-calls assert_intercepted "$cell" clock_gettime
	done
}

# --- stopped ---------------------------------------------------------------------

@test "no clock goes back in a guest whose processes are stopped for a while" {
	in_order 2 6s <<-'SH'
		sleep 1
		# UML alone, its stubs alone, all of it. In ptrace mode a stub that
		# is stopped by others is an error to UML; some end meanwhile.
		kill -STOP $pids
		sleep 1
		kill -CONT $pids
		sleep 0.5
		stubs=$(for p in $pids; do
			grep -q seccomp=on /proc/$p/cmdline || continue
			awk -v p=$p '$4 == p { print $1 }' /proc/[0-9]*/stat \
				2>/dev/null || :
		done)
		kill -STOP $stubs || :
		sleep 1
		kill -CONT $stubs || :
		sleep 0.5
		kill -STOP $pids $stubs || :
		sleep 1
		kill -CONT $stubs $pids || :
	SH
}

@test "no clock goes back when the whole VM is stopped and goes on" {
	local before after

	before=$(vm cut -d. -f1 /proc/uptime)
	(
		sleep 3
		for _ in 1 2 3; do
			vm_pause 2
			sleep 0.5
		done
		echo paused >"$BATS_TEST_TMPDIR/paused"
	) 3>&- &
	in_order 2 10s </dev/null
	wait $!
	assert_file_exist "$BATS_TEST_TMPDIR/paused"
	after=$(vm cut -d. -f1 /proc/uptime)
	[ "$after" -gt "$before" ]
}
