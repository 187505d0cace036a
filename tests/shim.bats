#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# shim.bats - the timens command on a kernel with CONFIG_TIME_NS_REALTIME and on
# one without: refusals, own clocks, live sets, names, privileges.

load lib/common

SYS_TIME=0000000002000000
NONE=0000000000000000

setup_file() {
	requires vm-patched vm-stock shim
	make -s -C "$TOP/shim" OUT="$BUILD/shim" unit
	vm_start stock --with "$BUILD/shim/unit:/unit"
	vm_start patched --with "$BUILD/shim/unit:/unit"
}

teardown_file() {
	vm_stop
}

# stock [CMD...] - in the VM whose kernel lacks the feature
stock() {
	vm_on stock "$@"
}

# Without the feature

@test "stock: an own wall clock is refused with 124 and the symbol's name" {
	run stock timens run --realtime +1y -- echo RAN
	assert_failure 124
	assert_output --regexp '^timens: kernel [^ ]+ lacks CONFIG_TIME_NS_REALTIME, .*'
	assert_equal "${#lines[@]}" 1
	run stock timens run -r --realtime 2038-01-19 --monotonic +1d -- echo RAN
	assert_failure 124
	refute_output --partial RAN
}

@test "stock: a set is refused with 124 and the symbol's name" {
	run stock <<-'SH'
		timens run --monotonic +1d -- sleep 100 &
		until grep -q 86400 /proc/$!/timens_offsets; do :; done
		code=0
		timens set $! +1h || code=$?
		kill $!
		exit $code
	SH
	assert_failure 124
	assert_output --partial "lacks CONFIG_TIME_NS_REALTIME"
}

@test "stock: monotonic and boottime still work" {
	run stock timens run --monotonic +2d --boottime +1w0.5s -- \
		cat /proc/self/timens_offsets
	assert_success
	assert_line --regexp '^monotonic +172800 +0$'
	assert_line --regexp '^boottime +604800 +500000000$'
	run stock timens run --boottime +1w -- cut -d. -f1 /proc/uptime
	assert_success
	assert [ "$output" -ge 604800 ]
	run stock timens run --monotonic -1d -- true
	assert_failure 125
	assert_output --partial "outside its range"
}

@test "stock: uptime starts where it is told to" {
	run stock timens run --uptime 0 -- cut -d. -f1 /proc/uptime
	assert_success
	assert [ "$output" -le 5 ]
	run stock timens run --uptime 86400.25 -- cut -d. -f1 /proc/uptime
	assert_success
	assert [ "$output" -ge 86400 ]
	assert [ "$output" -le 86405 ]
	# Both clocks get the same offset on a host that never slept
	run stock timens run --uptime 7 -- cat /proc/self/timens_offsets
	assert_equal "$(awk '/^monotonic/ { print $2, $3 }' <<<"$output")" \
		"$(awk '/^boottime/ { print $2, $3 }' <<<"$output")"
	assert_line --regexp '^monotonic +-?[0-9]+ +[0-9]+$'
	run stock timens run --uptime 9000000000 -- echo RAN
	assert_failure 125
	assert_output --partial "outside its range"
}

@test "stock: the library says that the kernel lacks the seccomp flag" {
	run stock /unit/confine --no-trap-failed
	assert_success
}

# An own clock

@test "run gives the time that was asked for, and the host keeps its own" {
	run vm <<-'SH'
		timens run --realtime 2038-01-19T03:14:30Z -- date -u +%FT%H:%M
		test "$(date +%Y)" -lt 2038
		timens run --realtime @1000000005 -- date +%s
	SH
	assert_success
	assert_line --index 0 "2038-01-19T03:14"
	assert_line --index 1 --regexp '^10000000(0[4-9]|1[0-9])$'
}

@test "a step is exact to the nanosecond" {
	run vm timens run --realtime +365d -- grep realtime /proc/self/timens_offsets
	assert_output --regexp '^realtime +31536000 +0$'
	run vm timens run --realtime -1.5s -- grep realtime /proc/self/timens_offsets
	assert_output --regexp '^realtime +-2 +500000000$'
	run vm timens run --realtime +0s -- grep realtime /proc/self/timens_offsets
	assert_output --regexp '^realtime +0 +0$'
}

@test "all three clocks at once" {
	run vm timens run --realtime +1d --monotonic +2d --boottime +3d -- \
		cat /proc/self/timens_offsets
	assert_line --regexp '^realtime +86400 +0$'
	assert_line --regexp '^monotonic +172800 +0$'
	assert_line --regexp '^boottime +259200 +0$'
}

@test "without --realtime the clock stays the host's" {
	run vm timens run --monotonic +2d -- cat /proc/self/timens_offsets
	assert_success
	refute_line --partial realtime
}

@test "a nested namespace counts from the clock around it" {
	run vm timens run --keep-caps all --realtime +1d --monotonic +1d -- \
		timens run --realtime +1d --monotonic +1d -- \
		cat /proc/self/timens_offsets
	assert_line --regexp '^realtime +172800 +0$'
	assert_line --regexp '^monotonic +172800 +0$'
	run vm timens run --keep-caps all --realtime +1y -- \
		timens run --realtime 2030-01-01T00:00:30Z -- date -u +%F
	assert_output 2030-01-01
}

@test "a time that no clock can have is refused, and nothing runs" {
	run vm timens run --realtime -60y -- echo RAN
	assert_failure 125
	assert_output --partial "outside its range"
	refute_output --partial RAN
	run vm timens run --realtime +206y -- echo RAN
	assert_failure 125
	refute_output --partial RAN
	run vm timens run --realtime @0 -- echo RAN
	assert_failure 125
	assert_output --partial "outside its range"
}

# Exit codes and signals

@test "the exit code is the command's" {
	run vm timens run --realtime +1d -- sh -c 'exit 7'
	assert_failure 7
	run -127 vm timens run --realtime +1d -- no-such-command
	run vm timens run --realtime +1d -- /etc/passwd
	assert_failure 126
	run vm timens run --realtime +1d -- sh -c 'kill -TERM $$'
	assert_failure 143
}

@test "the command has the PID of timens, so signals reach it" {
	run vm <<-'SH'
		timens run --realtime +1d -- sh -c \
			'trap "echo got it; exit 3" USR1; echo up; while :; do sleep 0.1; done' \
			>/tmp/out &
		until grep -q up /tmp/out; do sleep 0.05; done
		kill -USR1 $!
		code=0
		wait $! || code=$?
		cat /tmp/out
		exit $code
	SH
	assert_failure 3
	assert_line "got it"
}

# set

@test "set moves a running namespace by PID, exactly, and nothing else" {
	run vm <<-'SH'
		timens run --realtime +1d -- sleep 100 & one=$!
		timens run --realtime +1d -- sleep 100 & two=$!
		until grep -q realtime /proc/$one/timens_offsets &&
		      grep -q realtime /proc/$two/timens_offsets; do :; done
		timens set $one +1.25s
		timens set $one -0.5s
		grep realtime /proc/$one/timens_offsets
		grep realtime /proc/$two/timens_offsets
		! grep realtime /proc/self/timens_offsets
		timens set $one 2040-06-01T12:00:30+02:00
		timens enter $one date -u +%FT%H:%M
		kill $one $two
	SH
	assert_success
	assert_line --index 0 --regexp '^realtime +86400 +750000000$'
	assert_line --index 1 --regexp '^realtime +86400 +0$'
	assert_line --index 2 2040-06-01T10:00
}

@test "set from inside another own clock hits the same absolute time" {
	run vm <<-'SH'
		timens run --realtime +1d -- sleep 100 & pid=$!
		until grep -q realtime /proc/$pid/timens_offsets; do :; done
		timens run --keep-caps all --realtime +1y -- timens set $pid @2000000005
		timens enter $pid date +%s
		timens run --keep-caps all --realtime +1y -- timens show $pid |
			grep -c '^realtime *2033-05-18T03:33:[23]'
		kill $pid
	SH
	assert_success
	assert_line --index 0 --regexp '^20000000(0[4-9]|1[0-9])$'
	assert_line --index 1 1
}

@test "set refuses the initial namespace, its own, and one that shares the host's clock" {
	run vm timens set 1 +1h
	assert_failure 125
	assert_output --partial "'1' is in the initial time namespace"
	run vm timens run --keep-caps all --realtime +1d -- sh -c 'timens set $$ +1h'
	assert_failure 125
	assert_output --partial "that timens itself runs in"
	run vm <<-'SH'
		timens run --monotonic +1d -- sleep 100 & pid=$!
		until grep -q 86400 /proc/$pid/timens_offsets; do :; done
		timens set $pid +1h || echo "refused $?"
		! grep realtime /proc/$pid/timens_offsets
		timens set --own $pid +1h
		grep realtime /proc/$pid/timens_offsets
		kill $pid
	SH
	assert_success
	assert_line --partial "shares the host's wall clock; add --own"
	assert_line "refused 125"
	assert_line --regexp '^realtime +3600 +0$'
}


@test "set out of range changes nothing" {
	run vm <<-'SH'
		timens run --realtime +1d -- sleep 100 & pid=$!
		until grep -q realtime /proc/$pid/timens_offsets; do :; done
		timens set $pid -60y || echo "refused $?"
		timens set $pid @0 || echo "refused $?"
		grep realtime /proc/$pid/timens_offsets
		kill $pid
	SH
	assert_success
	assert_line --partial "'-60y' leads to a time that the clock"
	assert_line --partial "'@0' leads to a time that the clock"
	assert_line --regexp '^realtime +86400 +0$'
}

# show and list

@test "show tells own from the host's, as a table and as JSON" {
	run vm timens show
	assert_line --index 0 --regexp '^time namespace [0-9]+ \(initial'
	assert_line --regexp "^realtime +20..-..-..T.*Z +the host's$"
	run vm timens run --keep-caps all --realtime -1.5s -- timens show
	assert_line --regexp '^realtime +20..-..-..T.*Z +-1\.500000000$'
	run vm timens run --keep-caps all --realtime +1d -- timens show --json
	assert_output --partial '"initial":false,"realtime":{"now":"'
	assert_output --partial '"own":true,"offset":{"sec":86400,"nsec":0}}'
}

@test "list shows namespaces in use and named ones" {
	run vm <<-'SH'
		timens run --realtime +1d -- sleep 100 & pid=$!
		until grep -q realtime /proc/$pid/timens_offsets; do :; done
		timens run --name listed --realtime +2d -- true
		timens list | sed "s/ $pid / PID /"
		timens delete listed
		kill $pid
	SH
	assert_success
	assert_line --regexp '^[0-9]+ +- +1 +PID +\+86400\.000000000 sleep$'
	assert_line --regexp '^[0-9]+ +listed +0 +- +\+172800\.000000000 -$'
	assert_line --regexp '^4026531834 .* host '
}

# Names

@test "a name keeps a namespace without a process, to be set and entered" {
	run vm <<-'SH'
		timens run --name future --realtime +1d --monotonic +1d -- true
		timens show future | grep -E 'realtime|monotonic'
		timens set future +1d
		timens enter future grep realtime /proc/self/timens_offsets
		timens delete future
		timens show future || echo "gone $?"
		ls /run/timens
	SH
	assert_success
	assert_line --index 0 --regexp '^realtime .* \+86400\.000000000$'
	assert_line --index 1 --regexp '^monotonic .* \+86400\.000000000$'
	assert_line --index 2 --regexp '^realtime +172800 +0$'
	assert_line --index 3 --partial "no time namespace is named 'future'"
	assert_line --index 4 "gone 125"
	assert_equal "${#lines[@]}" 5
}

@test "a taken name, a stale one" {
	run vm <<-'SH'
		timens run --name twice --realtime +1d -- true
		timens run --name twice --realtime +1d -- echo RAN || echo "refused $?"
		umount /run/timens/twice
		timens show twice || echo "stale $?"
		timens delete twice
		timens run --name twice -- true
		timens delete twice
	SH
	assert_success
	assert_line "timens: the name 'twice' is taken; choose another, or 'timens delete twice'"
	assert_line "refused 125"
	assert_line --partial "the namespace named 'twice' is gone"
	assert_line "stale 125"
	refute_line RAN
}

@test "a failing run leaves no name behind" {
	run vm <<-'SH'
		timens run --name left --realtime -60y -- true || echo "refused $?"
		timens run --name left --realtime +1d -- no-such-command || echo "refused $?"
		test ! -e /run/timens/left
	SH
	assert_success
	assert_line "refused 125"
	assert_line "refused 127"
}

# Privileges

caps() {
	vm "$@" grep -E '^(Cap|NoNewPrivs)' /proc/self/status
}

@test "the command keeps no capability, or those asked for" {
	local set

	run caps timens run --realtime +1d --
	for set in Inh Prm Eff Bnd Amb; do
		assert_line "Cap$set:	$NONE"
	done
	assert_line "NoNewPrivs:	1"
	run caps timens run --realtime +1d --keep-caps sys_time --
	for set in Inh Prm Eff Bnd Amb; do
		assert_line "Cap$set:	$SYS_TIME"
	done
	assert_line "NoNewPrivs:	1"
	run caps timens run --realtime +1d --keep-caps all --
	refute_line "CapEff:	$NONE"
	refute_line "CapEff:	$SYS_TIME"
	assert_line "NoNewPrivs:	0"
}

@test "with sys_time the command sets its own clock only, without it none" {
	run vm <<-'SH'
		timens run --realtime +1d --keep-caps sys_time -- \
			sh -c 'date -s @2000000005 >/dev/null; date +%s'
		timens run --realtime +1d -- \
			sh -c 'date -s @2000000005; test "$(date +%s)" -lt 1990000000'
		test "$(date +%s)" -lt 1990000000
	SH
	assert_success
	assert_line --regexp '^20000000(0[4-9]|1[0-9])$'
	assert_line --partial "Operation not permitted"
}

@test "an unprivileged user needs -r, and is told so" {
	run vm su user -c 'timens run --realtime +1d -- echo RAN'
	assert_failure 125
	assert_output --partial "add -r (--map-root-user)"
	refute_output --partial RAN
	run vm su user -c 'timens run -r --realtime +1d -- sh -c "id -u; grep realtime /proc/self/timens_offsets"'
	assert_success
	assert_line --index 0 0
	assert_line --index 1 --regexp '^realtime +86400 +0$'
}

@test "the user who made a namespace may set it; a stranger may not" {
	run vm <<-'SH'
		su user -c 'exec timens run -r --realtime +1d -- sleep 100' & pid=$!
		until grep -q realtime /proc/$pid/timens_offsets; do :; done
		su other -c "timens set $pid +1d" || echo "stranger $?"
		su other -c "timens enter $pid date" || echo "stranger $?"
		grep realtime /proc/$pid/timens_offsets
		su user -c "timens set $pid +1d"
		grep realtime /proc/$pid/timens_offsets
		su user -c "timens enter $pid grep realtime /proc/self/timens_offsets"
		timens set $pid +1d
		grep realtime /proc/$pid/timens_offsets
		kill $pid
	SH
	assert_success
	assert_line --index 0 --partial "no permission to set the clock of"
	assert_line --index 1 "stranger 125"
	assert_line --index 2 --partial "no permission to"
	assert_line --index 3 "stranger 125"
	assert_line --index 4 --regexp '^realtime +86400 +0$'
	assert_line --index 5 --regexp '^realtime +172800 +0$'
	assert_line --index 6 --regexp '^realtime +172800 +0$'
	assert_line --index 7 --regexp '^realtime +259200 +0$'
}

@test "a filter with TRAP_FAILED turns EFAULT and EPERM into SIGSYS" {
	run vm /unit/confine --trap-failed
	assert_success
}

@test "the library's calls on namespaces, and their errors" {
	run vm /unit/namespaces
	assert_success
}
