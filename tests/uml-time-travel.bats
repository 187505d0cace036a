#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# uml-time-travel.bats - UML guests with time-travel=: their time passes at once when
# they have nothing to do, and no clock of the host is seen or set. In ptrace and
# seccomp mode on this machine, in mmfd mode in the VM, in a time namespace.

load lib/common

START=1000000000

# What a guest says of its clocks: wall clock and uptime
# shellcheck disable=SC2016 # for the guest's shell
SCRIPT='
say() { echo $1 $(date +%s) $(cut -d. -f1 /proc/uptime); }
say start
sleep 1000
say slept
i=0
while [ $i -lt 20000 ]; do i=$((i + 1)); done
say busy
date -s @1500000000 >/dev/null
say set
dmesg | sed "s/^\[.*\] //" | grep -E "^(timeclock|userspace):"'

setup_file() {
	requires vm-patched shim uml-timetravel
	export ROOT=$BATS_FILE_TMPDIR/root
	sh "$TOP/tests/uml/uml-root" "$ROOT" "$TOP/tests/uml/travel-init"
	vm_start patched --mem 1G --with "$ROOT:/root.uml" \
		--with "$BUILD/uml-timetravel/linux:/usr/bin/linux-tt.uml"
}

teardown_file() {
	vm_stop
}

# options ROOT - those of each guest; /run/s is its script
options() {
	echo "mem=128M con=null con0=null ssl=null rootfstype=hostfs rw panic=-1" \
		"rootflags=$1 init=/tests/travel-init travel=/run/s"
}

# here OPTION... <SCRIPT - what it says, or else what its kernel says, on this machine,
# whose clock it has no right to set
here() {
	local -a drop=()

	[ "$(id -u)" != 0 ] || drop=(setpriv --bounding-set=-sys_time)
	cat >"$ROOT/run/s"
	rm -f "$ROOT/run/s.out"
	# shellcheck disable=SC2046 # words
	timeout 60 "${drop[@]}" setarch -R "$BUILD/uml-timetravel/linux" $(options "$ROOT") "$@" \
		</dev/null >"$BATS_TEST_TMPDIR/log" 2>&1 || :
	cat "$ROOT/run/s.out" || cat "$BATS_TEST_TMPDIR/log"
}

# there OPTION... <SCRIPT - the same in the VM, in mmfd mode and a time namespace; at
# the end, where that has its wall clock
there() {
	{
		echo "cat >/root.uml/run/s <<'EOT'"
		cat
		echo EOT
		echo "rm -f /root.uml/run/s.out"
		echo "export TMPDIR=/dev/shm"
		echo "timens run --realtime=2038-01-19T03:14:00Z --keep-caps=sys_time --" \
			"sh -c 'timeout 60 linux-tt.uml $(options /root.uml) mmfd=on $* \
			</dev/null >/tmp/log 2>&1; date +namespace\ %Y' >/tmp/year"
		echo "cat /root.uml/run/s.out || cat /tmp/log"
		echo "cat /tmp/year"
	} >"$BATS_TEST_TMPDIR/vm"
	VM_TIMEOUT=80 vm <"$BATS_TEST_TMPDIR/vm"
}

# travels MODE - what SCRIPT said is of a guest in that mode, whose time travels, to
# the second
travels() {
	assert_success
	assert_line "start $START 0"
	assert_line "slept $((START + 1000)) 1000"
	assert_line "busy $((START + 1000)) 1000"
	assert_line "set 1500000000 1000"
	assert_line "timeclock: intercept: every time call is intercepted"
	assert_line --partial "userspace: $1"
}

INFINITE="time-travel=inf-cpu time-travel-start=${START}000000000"

# shellcheck disable=SC2086 # words
@test "in ptrace mode a guest with an infinitely fast processor has its own time" {
	run here seccomp=off $INFINITE <<<"$SCRIPT"
	travels ptrace
}

# shellcheck disable=SC2086
@test "in seccomp mode too" {
	run here seccomp=on $INFINITE <<<"$SCRIPT"
	travels seccomp
}

# shellcheck disable=SC2086
@test "in mmfd mode too, and its namespace's clock is neither seen nor set" {
	run there $INFINITE <<<"$SCRIPT"
	travels mmfd
	assert_line "namespace 2038"
}

# shellcheck disable=SC2086
@test "asking for the namespace's clock does not change that" {
	run there timeclock=timens $INFINITE <<<"$SCRIPT"
	travels mmfd
	assert_line "timeclock: timens: time-travel mode is on"
	assert_line "namespace 2038"
}

# slept_about SECONDS - between "start" and "slept"; some more if the guest was slow
slept_about() {
	local s

	s=$(awk '$1 == "start" { t = $3 } $1 == "slept" { print $3 - t }' <<<"$output")
	((s >= $1 && s < $1 + 30)) || fail "slept $s s: $output"
}

@test "in basic mode sleeping takes no time, in each mode" {
	local before=$SECONDS

	run here seccomp=off time-travel <<<"$SCRIPT"
	slept_about 1000
	run here seccomp=on time-travel <<<"$SCRIPT"
	slept_about 1000
	run there time-travel <<<"$SCRIPT"
	slept_about 1000
	[ $((SECONDS - before)) -lt 300 ]
}

@test "without time-travel= sleeping takes what it takes (a control)" {
	local before=$SECONDS

	run here seccomp=on <<<"${SCRIPT/sleep 1000/sleep 3}"
	slept_about 3
	[ $((SECONDS - before)) -ge 3 ]
	refute_line "start $START 0"
}
