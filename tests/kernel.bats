#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kernel.bats - CONFIG_TIME_NS_REALTIME in the VM: who may set which clock, what
# moves, and what does not. kernel-up.bats is the same on one CPU.

load lib/common
load lib/clocks

setup_file() {
	requires vm-patched shim
	local smp=2

	case $BATS_TEST_FILENAME in
	*-up.bats) smp=1 ;;
	esac
	vm_start patched --smp "$smp"
	sibling_start
	vm <<-'SH'
		cat >/run/begin <<-'END'
			# begin CMD... - in the background; $pid is its namespace's
			begin() {
				"$@" >/dev/null 2>&1 &
				pid=$!
				n=0
				until grep -q realtime /proc/$pid/timens_offsets; do
					usleep 10000
					n=$((n + 1))
					[ $n -lt 1000 ]
				done
			}
			# near WANT GOT - in seconds, up to 5 later
			near() {
				[ "$2" -ge "$1" ] && [ "$2" -le "$(($1 + 5))" ] ||
					{ echo "want $1, got $2"; exit 1; }
			}
		END
	SH
	vm nproc | grep -qx "$smp"
}

teardown_file() {
	vm_stop
}

setup() {
	host=$(host_clock)
	sibling=$(sibling_line)
}

# What each test ends with, unless it moves the host's clock on purpose
nothing_else_moved() {
	assert_host_unmoved "$host"
	assert_sibling_unmoved "$sibling"
}

# --- the instruments ---------------------------------------------------------

@test "a host's clock that moved by 100 microseconds would be noticed" {
	vm timens run --keep-caps=all --realtime=+0s true
	vm <<-'SH'
		now=$(date +%s)
		adjtimex | grep -q 'offset:  *0'
		step-clock 100000
	SH
	run assert_host_unmoved "$host"
	vm step-clock -100000
	assert_failure
	assert_output --partial "the host's clock moved"
	nothing_else_moved
}

@test "a host's clock that moved by one nanosecond would be noticed" {
	vm step-clock 1
	run assert_sibling_unmoved "$sibling"
	vm step-clock -1
	assert_failure
	nothing_else_moved
}

@test "a sibling's clock that moved would be noticed" {
	run vm <<-'SH'
		read -r _ _ name sec nsec <<-END
			$(sed 's/^/x x /;$!d' "/proc/$(cat /run/sibling)/timens_offsets")
		END
		echo "$name $sec $((nsec ^ 1))" >"/proc/$(cat /run/sibling)/timens_offsets"
		grep realtime "/proc/$(cat /run/sibling)/timens_offsets"
		echo "$name $sec $nsec" >"/proc/$(cat /run/sibling)/timens_offsets"
	SH
	assert_success
	refute_output "$sibling"
	nothing_else_moved
}

@test "a set of the host's clock would be noticed by its timers" {
	run vm set-watch true
	assert_success
	assert_output "not set"
	run vm set-watch step-clock 1
	vm step-clock -1
	assert_failure 1
	assert_output "set"
}

# --- one namespace, and nothing else -----------------------------------------

@test "setting a namespace from outside moves no other clock" {
	run vm <<-'SH'
		. /run/begin
		begin timens run --realtime=2038-01-19T03:14:00Z sleep 1000
		set-watch timens set $pid 1999-12-31T23:59:59Z
		timens set $pid +10y
		set-watch sh -c "echo realtime 1000000 1 >/proc/$pid/timens_offsets"
		near $(($(date +%s) + 1000000)) $(timens enter $pid date +%s)
		kill $pid
	SH
	assert_success
	nothing_else_moved
}

@test "setting a namespace from inside moves no other clock, in any way" {
	run vm set-watch timens run --realtime=2038-01-19T03:14:00Z \
		--keep-caps=sys_time set-attempts 100
	assert_success
	assert_line "settimeofday: set, moved"
	assert_line "raw settimeofday: set, moved"
	assert_line "clock_settime: set, moved"
	assert_line "raw clock_settime: set, moved"
	assert_line "adjtimex: set, moved"
	assert_line "raw adjtimex: set, moved"
	assert_line "clock_adjtime: set, moved"
	nothing_else_moved
}

@test "what a namespace may not set, it cannot: tick and time zone" {
	run vm timens run --realtime=+1y --keep-caps=all set-attempts 100
	assert_success
	assert_line "tick: EPERM"
	assert_line "time zone: EPERM"
	nothing_else_moved
}

@test "the 32-bit stime sets the namespace only" {
	run vm timens run --realtime=+1y --keep-caps=sys_time \
		set-attempts --stime 100
	assert_success
	assert_line "stime: set, moved"
	nothing_else_moved
}

@test "an own clock shows the host's step only as a distance" {
	run vm <<-'SH'
		. /run/begin
		begin timens run --realtime=2038-01-19T03:14:00Z sleep 1000
		before=$(timens enter $pid clock-offset)
		step-clock 3000000001
		after=$(timens enter $pid clock-offset)
		step-clock -3000000001
		kill $pid
		set -- $before $after
		[ $1 -le $4 ] && [ $3 -le $2 ] || echo "moved: $before, $after"
	SH
	assert_success
	assert_output ""
	nothing_else_moved
}

@test "the line shows the nanosecond that was written" {
	run vm <<-'SH'
		. /run/begin
		begin timens run --realtime=+1y sleep 1000
		for line in "0 0" "1000 1" "-86400 999999999" "63072000 500000000"; do
			echo "realtime $line" >/proc/$pid/timens_offsets
			set -- $(grep realtime /proc/$pid/timens_offsets)
			[ "$2 $3" = "$line" ] || echo "$line became $2 $3"
		done
		kill $pid
	SH
	assert_success
	assert_output ""
	nothing_else_moved
}

# --- live --------------------------------------------------------------------

@test "static, dynamic and raw readers see a live set at once" {
	run vm <<-'SH'
		. /run/begin
		begin timens run --realtime=2030-01-01T00:00:00Z sleep 1000
		want=2147483640
		mkdir -p /run/readers
		timens enter $pid clock-wait vdso $want 30 >/run/readers/static &
		a=$!
		timens enter $pid clock-wait-dynamic vdso $want 30 >/run/readers/dynamic &
		b=$!
		timens enter $pid clock-wait raw $want 30 >/run/readers/raw &
		c=$!
		for f in static dynamic raw; do
			until grep -q waiting /run/readers/$f; do usleep 10000; done
		done
		timens set $pid @$want
		wait $a && wait $b && wait $c
		cat /run/readers/*
		kill $pid
	SH
	assert_success
	assert_equal "$(grep -c '^waiting$' <<<"$output")" 3
	assert_equal "$(grep -c '^seen [0-9]*$' <<<"$output")" 3
	nothing_else_moved
}

@test "a reader in another namespace does not see that set" {
	run vm <<-'SH'
		. /run/begin
		begin timens run --realtime=2030-01-01T00:00:00Z sleep 1000
		timens enter "$(cat /run/sibling)" clock-wait raw 2147483640 3 \
			>/run/other &
		until grep -q waiting /run/other; do usleep 10000; done
		timens set $pid @2147483640
		kill $pid
		wait $! || true
		cat /run/other
	SH
	assert_line --partial "not seen"
	nothing_else_moved
}

@test "4 readers see no torn, stale or foreign value in 10000 sets from outside" {
	run vm live-sets --readers 4 --sets 10000 --how line
	assert_success
	assert_output --partial "10000 sets, 4 readers"
	nothing_else_moved
}

@test "4 readers see no torn, stale or foreign value in 10000 steps from inside" {
	run vm live-sets --readers 4 --sets 10000 --how adjtimex
	assert_success
	assert_output --partial "10000 sets, 4 readers"
	nothing_else_moved
}

@test "a torn, a stale and a foreign value would be noticed" {
	local kind

	for kind in torn stale host; do
		run vm live-sets --sets 1000 --inject "$kind"
		assert_failure 1
		assert_output --partial "wrong: "
	done
}

@test "32-bit, x32 and vsyscall entries show the namespace's clock" {
	run vm timens run --realtime=@2114380800 other-entries
	assert_success
	assert_equal "$(grep -cE ': 21143808[01][0-9]$' <<<"$output")" 10
	# And elsewhere the host's
	run vm other-entries
	assert_equal "$(grep -cE ': [0-9]{10}$' <<<"$output")" 10
	refute_output --partial ": 2114"
}

@test "no reader shows a time before a set" {
	run vm timens run --keep-caps=sys_time --realtime=+1y set-and-read 2000
	assert_success
	assert_output "2000 rounds"
	nothing_else_moved
}

@test "CLOCK_TAI moves with the namespace's clock" {
	run vm timens run --keep-caps=sys_time --realtime=+1y clock-agree 2000 0
	assert_success
	assert_output --partial "2000 rounds"
	# A bound that no clock can meet
	run vm clock-agree 10 -1000000000
	assert_failure 1
	nothing_else_moved
}

@test "an absolute sleep wakes at the namespace's time" {
	run vm <<-'SH'
		timens run --realtime=2038-01-19T03:14:00Z abs-sleep 200
		timens run --realtime=1999-01-01 abs-sleep 200
		timens run --realtime=+1ms abs-sleep 200
		abs-sleep 200
	SH
	assert_success
	assert_output $'ok\nok\nok\nok'
}

# --- who may -----------------------------------------------------------------

@test "a user may have an own clock in a user namespace, and set it there" {
	run vm <<-'SH'
		. /run/begin
		near 1000000000 $(su user -c \
			'timens run -r --realtime=@1000000000 date +%s')
		near 1500000000 $(su user -c 'timens run -r --keep-caps=sys_time \
			--realtime=@1000000000 \
			sh -c "date -s @1500000000 >/dev/null; date +%s"')
		begin su user -c \
			'exec timens run -r --realtime=@1000000000 sleep 1000'
		su user -c "timens set $pid @1600000000"
		near 1600000000 $(timens enter $pid date +%s)
		kill $pid
	SH
	assert_success
	assert_output ""
	nothing_else_moved
}

@test "root of a user namespace cannot set the host's clock" {
	run vm su user -c '/usr/bin/unshare -U -r -T set-attempts 100'
	assert_success
	refute_output --partial "set"$'\n'
	refute_output --partial "moved"
	assert_line "settimeofday: EPERM"
	assert_line "adjtimex: EPERM"
	nothing_else_moved
}

# stranger CMD... - may CMD write to a clock that root made? Gives its message.
stranger() {
	vm <<-SH
		. /run/begin
		begin timens run --realtime=2030-01-01T00:00:00Z sleep 1000
		line=\$(grep realtime /proc/\$pid/timens_offsets)
		export file=/proc/\$pid/timens_offsets pid
		if $* 'echo realtime 5 5 >\$file' 2>&1; then
			echo written
		fi
		[ "\$line" = "\$(grep realtime \$file)" ] || echo moved
		kill \$pid
	SH
}

@test "root with all capabilities may write a namespace's line" {
	run stranger sh -c
	assert_success
	assert_output $'written\nmoved'
}

@test "root without CAP_SYS_TIME gets EPERM" {
	run stranger /usr/bin/setpriv --bounding-set -sys_time --inh-caps -sys_time sh -c
	assert_success
	assert_output --partial "Operation not permitted"
	refute_output --partial "moved"
	nothing_else_moved
}

@test "a stranger that may open the file gets EPERM" {
	run stranger /usr/bin/setpriv --reuid 1001 --regid 1001 --clear-groups \
		--inh-caps +dac_override --ambient-caps +dac_override sh -c
	assert_success
	assert_output --partial "Operation not permitted"
	refute_output --partial "moved"
	nothing_else_moved
}

@test "uid 0 in a foreign user namespace gets EPERM" {
	run stranger /usr/bin/unshare --user --map-root-user sh -c
	assert_success
	assert_output --partial "Operation not permitted"
	refute_output --partial "moved"
	nothing_else_moved
}

@test "a stranger without any right is refused, and timens says why" {
	run vm <<-'SH'
		. /run/begin
		begin su user -c 'exec timens run -r --realtime=+1y sleep 1000'
		line=$(grep realtime /proc/$pid/timens_offsets)
		su other -c "timens set $pid +1d" && echo set
		su other -c "echo realtime 5 5 >/proc/$pid/timens_offsets" &&
			echo written
		[ "$line" = "$(grep realtime /proc/$pid/timens_offsets)" ] ||
			echo moved
		kill $pid
	SH
	assert_success
	refute_line set
	refute_line written
	refute_line moved
	assert_output --partial "timens: "
	assert_output --partial "Permission denied"
	nothing_else_moved
}

@test "the opener of the file is judged, not who writes to it" {
	run stranger /usr/bin/unshare --user --map-root-user sh -c \
		"'exec 3>\$file; sh -c \"echo realtime 5 5 >&3\"' --"
	assert_output --partial "Operation not permitted"
	refute_output --partial "moved"
}

@test "a task inside that lost CAP_SYS_TIME cannot set, nor get it back" {
	run vm timens run --realtime=+1y --keep-caps=sys_time \
		set-attempts --drop --raise 100
	assert_success
	assert_line --index 0 "--raise: EPERM"
	refute_output --partial "moved"
	assert_equal "$(grep -c ': EPERM$' <<<"$output")" 10
	run vm timens run --realtime=+1y --keep-caps=all \
		set-attempts --uid 1000 --raise 100
	assert_success
	refute_output --partial "moved"
	assert_equal "$(grep -c ': EPERM$' <<<"$output")" 10
	nothing_else_moved
}

@test "a task inside that lowered CAP_SYS_TIME may raise it again" {
	run vm timens run --realtime=+1y --keep-caps=sys_time \
		set-attempts --lower 100
	refute_output --partial "moved"
	run vm timens run --realtime=+1y --keep-caps=sys_time \
		set-attempts --lower --raise 100
	assert_line "raw settimeofday: set, moved"
	nothing_else_moved
}

# --- bounds ------------------------------------------------------------------

@test "the initial namespace takes no line" {
	run vm sh -c 'echo realtime 1 0 >/proc/1/timens_offsets'
	assert_failure
	assert_output --partial "Permission denied"
	run vm sh -c 'echo realtime 0 0 >/proc/self/timens_offsets'
	assert_failure
	assert_output --partial "Permission denied"
	run vm cat /proc/self/timens_offsets
	refute_output --partial "realtime"
	nothing_else_moved
}

@test "a line that is nonsense or out of range changes nothing" {
	run vm <<-'SH'
		. /run/begin
		begin timens run --realtime=+1y sleep 1000
		file=/proc/$pid/timens_offsets
		before=$(cat $file)
		for line in "realtime" "realtime 1" "realtime 1 x" "realtime 1 -1" \
			    "realtime 1 1000000000" "realtim 1 1" "2 1 1" \
			    "real 1 1" "0x0 1 1" "-1 1 1"; do
			echo "$line" >$file 2>/run/err && echo "taken: $line"
			grep -q "Invalid argument" /run/err || cat /run/err
		done
		for line in "realtime -99999999999 0" "realtime 99999999999 0" \
			    "realtime 9223372036854775807 999999999" \
			    "realtime -9223372036854775808 0"; do
			echo "$line" >$file 2>/run/err && echo "taken: $line"
			grep -qE "Numerical result|out of range" /run/err ||
				cat /run/err
		done
		[ "$before" = "$(cat $file)" ] || echo changed
		echo "0 7 7" >$file
		grep -q 'realtime  *7  *7$' $file || cat $file
		kill $pid
	SH
	assert_success
	assert_output ""
	nothing_else_moved
}

@test "a monotonic line is refused after tasks entered, a realtime line is not" {
	run vm <<-'SH'
		. /run/begin
		begin timens run --realtime=+1y sleep 1000
		before=$(cat /proc/$pid/timens_offsets)
		printf 'realtime 9 9\nmonotonic 9 9\n' >/run/lines
		cat /run/lines >/proc/$pid/timens_offsets || true
		[ "$before" = "$(cat /proc/$pid/timens_offsets)" ] || echo changed
		echo realtime 9 9 >/proc/$pid/timens_offsets
		grep -q 'realtime  *9  *9$' /proc/$pid/timens_offsets || echo kept
		kill $pid
	SH
	assert_success
	assert_output --partial "Permission denied"
	refute_line changed
	refute_line kept
	nothing_else_moved
}

# --- families ----------------------------------------------------------------

@test "a child namespace starts with a copy, and is apart from then on" {
	run vm <<-'SH'
		timens run --keep-caps=all --realtime=2038-01-19T03:14:00Z \
			sh -c 'grep realtime /proc/self/timens_offsets
				/usr/bin/unshare -T sh -c "
					grep realtime /proc/self/timens_offsets
					date -s @1500000000 >/dev/null
					date -u +%Y"
				grep realtime /proc/self/timens_offsets
				date -u +%Y'
	SH
	assert_success
	assert_equal "${#lines[@]}" 5
	assert_equal "${lines[1]}" "${lines[0]}"
	assert_equal "${lines[2]}" 2017
	assert_equal "${lines[3]}" "${lines[0]}"
	assert_equal "${lines[4]}" 2038
	nothing_else_moved
}

@test "many namespaces keep their own time" {
	run vm <<-'SH'
		pids=
		for y in 1980 1990 2000 2010 2020 2030 2040 2100 2200; do
			timens run --realtime=$y-06-15 sleep 1000 &
			pids="$pids $!"
		done
		sleep 1
		for p in $pids; do timens enter $p date -u +%Y-%m-%d; done
		kill $pids
	SH
	assert_success
	assert_output "$(printf '%s-06-15\n' 1980 1990 2000 2010 2020 2030 \
		2040 2100 2200)"
	nothing_else_moved
}

# --- without opting in -------------------------------------------------------

@test "without a line, a namespace shows and sets the host's clock, as ever" {
	run vm <<-'SH'
		now=$(date +%s)
		/usr/bin/unshare -T --monotonic 1000 sh -c '
			cat /proc/self/timens_offsets
			date -s @2000000000 >/dev/null'
		. /run/begin
		near 2000000000 $(date +%s)
		date -s @$now >/dev/null
	SH
	assert_success
	assert_line --regexp '^monotonic +1000 +0$'
	refute_output --partial "realtime"
	run assert_sibling_unmoved "$sibling"
	assert_failure
}

@test "without a line, a user's namespace cannot set the host's clock" {
	run vm su user -c '/usr/bin/unshare -U -r -T set-attempts 100'
	assert_success
	assert_line "clock_settime: EPERM"
	refute_output --partial "moved"
	nothing_else_moved
}
