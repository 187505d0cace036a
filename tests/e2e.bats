#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# e2e.bats - UML guests on the wall clock of their time namespace, in the VM: from
# timens to a process in the guest and back.
#
# These guests run side by side:
#   pass       the real thing: own clock, seccomp mode, may set its clock
#   intercept  the same with timeclock=intercept, to compare with
#   nocaps     may not set its clock
#   plain      a time namespace that has no own wall clock
#   host       the initial time namespace

load lib/common
load lib/clocks
load lib/guests

START=2038-01-19T03:14:00Z

setup_file() {
	local own="timens run --realtime=$START --uptime 0"
	local uml="/usr/bin/setarch -R linux.uml"

	requires vm-patched shim uml
	vm_start patched --mem 1536M --with "$(command -v setarch)"
	sibling_start
	guests_start 180 <<-EOT
		pass $own --keep-caps=sys_time $uml seccomp=on
		intercept $own --keep-caps=sys_time $uml seccomp=on timeclock=intercept
		nocaps $own $uml seccomp=on
		plain timens run --monotonic=+1s --keep-caps=sys_time $uml seccomp=on
		host $uml seccomp=on
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

# --- what passes, and what does not ------------------------------------------

@test "a guest's date is that of its namespace" {
	local start

	start=$(date -u -d "$START" +%s)
	assert_near "$start" "$(guest pass date +%s)" 600
	assert_near "$start" "$(guest nocaps date +%s)" 600
	assert_near "$(vm date +%s)" "$(guest host date +%s)"
	assert_near "$(vm date +%s)" "$(guest plain date +%s)"
}

@test "raw time calls do not enter the guest's kernel" {
	run timeclock pass
	assert_line --index 0 --partial "timens: "
	assert_passed pass gettimeofday
	assert_passed pass clock_gettime
	assert_passed pass time
}

@test "time calls of the vDSO do not enter it either" {
	# It is killed if they do
	run guest pass vdso-clock 500
	assert_line "vdso"
	assert_line "steps back: 0"
	run guest intercept vdso-clock 500
	assert_failure
	refute_line "vdso"
}

@test "other calls of that guest do enter it" {
	assert_intercepted pass getppid
}

@test "timeclock=intercept passes nothing" {
	run timeclock intercept
	assert_line --index 0 --partial "intercept: every time call is intercepted"
	assert_intercepted intercept gettimeofday
	assert_intercepted intercept clock_gettime
	assert_intercepted intercept time
}

@test "in the initial namespace nothing passes, and UML says why" {
	run timeclock host
	assert_line --index 0 --partial \
		"timens: the time namespace has no wall clock of its own"
	assert_intercepted host gettimeofday
	assert_intercepted host clock_gettime
	assert_intercepted host time
}

@test "in a namespace without an own clock nothing passes, and UML says why" {
	run timeclock plain
	assert_line --index 0 --partial \
		"timens: the time namespace has no wall clock of its own"
	assert_intercepted plain gettimeofday
	assert_intercepted plain time
}

@test "a guest without the right to set its clock reads it as fast" {
	assert_passed nocaps gettimeofday
}

# --- a passed call is like an intercepted one --------------------------------

@test "every kind of buffer gives what interception gives" {
	GUEST_TIMEOUT=100 VM_TIMEOUT=120 same_buffers
}

@test "a difference between the two would be noticed" {
	run same_table cat /proc/cmdline
	assert_failure
	assert_output --partial "+root="
}

@test "every clock id gives what interception gives" {
	same_clock_ids
}

@test "the guest's rules for time calls hold, passed or intercepted" {
	same_rules
}

@test "a tracer in the guest sees every call" {
	tracer_sees_all
}

@test "a seccomp filter in the guest is obeyed, from its first call on" {
	filter_obeyed
}

# --- setting -----------------------------------------------------------------

@test "every way to set the guest's clock moves guest and namespace, not the host" {
	set_moves_all
}

@test "date -s in the guest, forwards and backwards" {
	run guest pass <<-'SH'
		date -u -s "2099-12-31 23:59:50" >/dev/null
		date -u +%Y
		date -u -s "1999-01-01 00:00:00" >/dev/null
		date -u +%Y
	SH
	assert_success
	assert_output $'2099\n1999'
	assert_near "$(date -u -d 1999-01-01 +%s)" "$(namespace_time pass)"
	nothing_else_moved
}

@test "a set from the host is seen by a guest's running readers at once" {
	local pid

	pid=$(vm uml-guest pid /run/uml/pass)
	guest pass <<-'SH'
		date -u -s "2030-01-01 00:00:00" >/dev/null
		clock-wait raw 2000000000 40 >/tmp/raw &
		clock-wait vdso 2000000000 40 >/tmp/vdso &
		until grep -q waiting /tmp/raw && grep -q waiting /tmp/vdso; do
			usleep 50000
		done
	SH
	vm timens set "$pid" @2000000000
	run guest pass <<-'SH'
		: >/tmp/after-set
		n=0
		until [ "$(cat /tmp/raw /tmp/vdso | grep -vc waiting)" = 2 ] ||
		      [ $n -gt 300 ]; do
			usleep 100000
			n=$((n + 1))
		done
		cat /tmp/raw /tmp/vdso
		stat -c %Y /tmp/after-set
		rm /tmp/raw /tmp/vdso /tmp/after-set
	SH
	assert_success
	assert_equal "$(grep -c '^seen' <<<"$output")" 2
	assert_near 2000000000 "${lines[-1]}" 30
	nothing_else_moved
}

@test "a guest that is not on its namespace's clock does not see such a set" {
	local pid before

	pid=$(vm uml-guest pid /run/uml/intercept)
	before=$(guest intercept date +%s)
	vm timens set "$pid" +10y
	assert_near "$before" "$(guest intercept date +%s)"
	nothing_else_moved
}

@test "a file made right after settimeofday carries the new time" {
	run guest pass file-stamp /tmp 300
	assert_success
	assert_output "300 rounds"
	run guest intercept file-stamp /tmp 20
	assert_success
	nothing_else_moved
}

@test "no reader in the guest shows a time before a set" {
	run guest pass set-and-read 200
	assert_success
	nothing_else_moved
}

@test "the guest's kernel and its processes agree on the time through sets" {
	run guest pass clock-agree 1000 10
	assert_success
	assert_output --partial "1000 rounds"
	nothing_else_moved
}

# --- who may -----------------------------------------------------------------

@test "a guest's user cannot set any clock" {
	local before

	before=$(namespace_time pass)
	run guest pass set-attempts --uid 1000 100
	assert_all_refused
	run guest pass su user -c 'set-attempts 100'
	assert_all_refused
	run guest intercept su user -c 'set-attempts 100'
	assert_all_refused
	assert_near "$before" "$(namespace_time pass)"
	nothing_else_moved
}

@test "a guest's user that is root of a user namespace cannot either" {
	local before

	before=$(namespace_time pass)
	run guest pass su user -c '/usr/bin/unshare -U -r set-attempts 100'
	assert_all_refused
	assert_near "$before" "$(namespace_time pass)"
	nothing_else_moved
}

@test "a guest's root that dropped CAP_SYS_TIME cannot, nor get it back" {
	run guest pass set-attempts --drop 100
	assert_all_refused
	run guest pass set-attempts --drop --raise 100
	assert_line --index 0 "--raise: EPERM"
	assert_all_refused 10
	run guest pass set-attempts --uid 1000 --raise 100
	assert_all_refused 10
	nothing_else_moved
}

@test "a guest's root that lowered CAP_SYS_TIME cannot until it raises it" {
	run guest pass set-attempts --lower 100
	assert_all_refused
	run guest pass set-attempts --lower --raise 100
	assert_success
	assert_line "settimeofday: set, moved"
	assert_line "raw settimeofday: set, moved"
	assert_line "raw clock_settime: set, moved"
	nothing_else_moved
}

@test "a child of who dropped CAP_SYS_TIME cannot, and its parent still can" {
	run guest pass <<-'SH'
		/usr/bin/setpriv --bounding-set -sys_time --inh-caps -sys_time \
			sh -c 'set-attempts 100 & wait'
		echo parent
		set-attempts 100
	SH
	assert_success
	assert_equal "$(sed '/^parent$/,$d' <<<"$output" |
		grep -c ': EPERM$')" 9
	assert_equal "$(sed '1,/^parent$/d' <<<"$output" |
		grep -c ': set, moved$')" 7
}

@test "a file's capability lets who executes it set the clock, and nobody else" {
	file_decides
}

@test "a thread that dropped CAP_SYS_TIME cannot while its process can" {
	threads_differ
}

@test "a guest that was given no right to it cannot move its namespace" {
	nocaps_refused
}

@test "an unprivileged user has the same in a user namespace" {
	run vm <<-'SH'
		mkdir -p /run/uml/user
		chown user /run/uml/user
		su user -c 'TMPDIR=/dev/shm UML_TIMEOUT=100 uml-guest start \
			/run/uml/user/guest timens run -r --keep-caps=sys_time \
			--realtime=2050-01-01 linux.uml seccomp=on'
		uml-guest log /run/uml/user/guest | grep -o 'timeclock: [a-z]*'
		uml-guest run /run/uml/user/guest date -u +%Y
		uml-guest run /run/uml/user/guest set-attempts 1000
		su user -c 'uml-guest stop /run/uml/user/guest'
	SH
	assert_success
	assert_line --index 0 "timeclock: timens"
	assert_line --index 1 2050
	assert_line "raw settimeofday: set, moved"
	assert_line "clock_settime: set, moved"
	nothing_else_moved
}

# --- one uptime, one rate ------------------------------------------------------

@test "a guest's uptime is that of its namespace" {
	local guest inside

	guest=$(guest pass cut -d. -f1 /proc/uptime)
	inside=$(vm timens enter "$(vm uml-guest pid /run/uml/pass)" \
		cut -d. -f1 /proc/uptime)
	assert_near "$guest" "$inside" 30
	# The VM booted well before its guests
	[ "$(vm cut -d. -f1 /proc/uptime)" -gt "$inside" ]
}

@test "a guest that changes the rate of its clock passes nothing from then on" {
	local pid

	assert_passed pass clock_gettime
	guest pass adjtimex -q -f 32768000 # 500 ppm
	assert_intercepted pass clock_gettime
	assert_intercepted pass gettimeofday
	# The namespace still follows the guest, and the guest the namespace
	guest pass date -u -s "2031-01-01 00:00:00"
	assert_near "$(date -u -d 2031-01-01 +%s)" "$(namespace_time pass)"
	pid=$(vm uml-guest pid /run/uml/pass)
	vm timens set "$pid" @2100000000
	assert_near 2100000000 "$(guest pass date +%s)"
	nothing_else_moved
}

# --- the end -----------------------------------------------------------------

@test "guests end when told to" {
	run vm <<-'SH'
		for g in pass intercept nocaps plain host; do
			uml-guest stop /run/uml/$g
		done
		ps | grep '[l]inux.uml' || true
	SH
	assert_success
	assert_output ""
	nothing_else_moved
}
