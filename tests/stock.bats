#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# stock.bats - on a kernel without CONFIG_TIME_NS_REALTIME, what needs it refuses
# and says so; the rest works. Nor has it CONFIG_MMFD.

load lib/common

setup_file() {
	requires vm-stock shim
	vm_start stock --with "$BUILD/selftests:/selftests"
}

teardown_file() {
	vm_stop
}

# refused CMD... - by the symbol's name, with the exit code for it, and CMD's
# own command (which writes /run/ran) was not run
refused() {
	vm rm -f /run/ran
	run vm "$@"
	assert_failure 124
	assert_output --partial "CONFIG_TIME_NS_REALTIME"
	run vm test -e /run/ran
	assert_failure 1
}

@test "timens run --realtime names the missing symbol and runs nothing" {
	refused timens run --realtime=2038-01-19T03:14:00Z touch /run/ran
	refused timens run --realtime=+0s -- touch /run/ran
	refused timens run --monotonic=+1d --realtime=+1d touch /run/ran
	refused su user -c 'timens run -r --realtime=+1y touch /run/ran'
}

@test "timens run --realtime --name leaves no name behind" {
	refused timens run --name gone --realtime=+1y touch /run/ran
	run vm timens list
	refute_output --partial gone
	run vm grep timens /proc/mounts
	assert_failure 1
}

@test "a command that may run is seen to run" {
	vm rm -f /run/ran
	run vm timens run --monotonic=+1s touch /run/ran
	assert_success
	vm test -e /run/ran
}

@test "timens set names the missing symbol and sets nothing" {
	run vm <<-'SH'
		unshare=/usr/bin/unshare
		before=$(clock-offset)
		$unshare --time --fork sleep 1000 &
		sleep 1
		pid=$(pidof sleep)
		timens set --own "$pid" 2038-01-19T03:14:00Z || echo "status $?"
		kill "$pid"
		after=$(clock-offset)
		set -- $before $after
		[ $1 -le $4 ] && [ $3 -le $2 ] || echo "moved: $before, $after"
	SH
	assert_output --partial "CONFIG_TIME_NS_REALTIME"
	assert_line "status 124"
	refute_output --partial "moved"
}

@test "timens run --monotonic and --boottime work" {
	run vm timens run --monotonic=+2d --boottime=+3d \
		cat /proc/self/timens_offsets
	assert_success
	assert_line --regexp '^monotonic +172800 +0$'
	assert_line --regexp '^boottime +259200 +0$'
	refute_output --partial realtime
}

@test "timens show works, and shows the wall clock as the host's" {
	run vm timens show
	assert_success
	assert_line --regexp '^realtime .*the host.s$'
}

@test "the kernel itself refuses a realtime line" {
	run vm timens run --monotonic=+1s --keep-caps=all \
		sh -c 'echo realtime 0 0 >/proc/self/timens_offsets'
	assert_failure
	assert_output --partial "Invalid argument"
}

@test "there is no /dev/mmfd" {
	run vm test -e /dev/mmfd
	assert_failure 1
	run vm /selftests/mmfd_objects
	assert_failure
	assert_output --partial 'no guest: No such file or directory'
}
