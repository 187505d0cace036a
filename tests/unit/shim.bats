#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# unit/shim.bats - what the shim does whatever the kernel: reading times, the
# policy table, help, messages and exit codes. Needs no privilege.

load ../lib/common

setup_file() {
	requires shim
	make -s -C "$TOP/shim" OUT="$BUILD/shim" unit
}

setup() {
	PATH=$BUILD/shim:$PATH
}

@test "times are read, resolved and written as documented" {
	run "$BUILD/shim/unit/when"
	assert_success
}

@test "both filters of the policy table decide alike" {
	run "$BUILD/shim/unit/policy"
	assert_success
}

@test "a loaded filter passes the table and nothing else" {
	requires host-seccomp
	run "$BUILD/shim/unit/confine"
	assert_success
}

@test "a profile allows its calls with its arguments, and nothing else" {
	requires host-seccomp
	run "$BUILD/shim/unit/profile"
	assert_success
}

@test "an unknown profile is refused" {
	run timens run --confine lmu -- true
	assert_failure 125
	assert_output "timens: --confine: there is no profile 'lmu'; there is uml"
	run timens policy --confine lmu
	assert_failure 125
}

@test "the exported symbols are those of the header" {
	local want have

	want=$(sed -n 's/^[a-z].*[ *]\(timens_[a-z_]*\)(.*/\1/p' \
		"$TOP/shim/include/timens.h" | sort)
	have=$(nm -D --defined-only "$BUILD/shim/libtimens.so" |
		sed -n 's/.* T \(timens_[a-z_]*\)@@LIBTIMENS_0$/\1/p' | sort)
	[ -n "$want" ]
	assert_equal "$have" "$want"
}

@test "install puts everything under DESTDIR, with a page for each function" {
	local dest=$BATS_TEST_TMPDIR/dest name

	run make -s -C "$TOP/shim" OUT="$BUILD/shim" DESTDIR="$dest" \
		PREFIX=/opt/t install
	assert_success
	assert_file_executable "$dest/opt/t/bin/timens"
	assert_file_exist "$dest/opt/t/lib/libtimens.so.0"
	assert_file_exist "$dest/opt/t/include/timens.h"
	assert_file_exist "$dest/opt/t/share/man/man1/timens.1"
	assert_file_exist "$dest/opt/t/share/man/man3/timens_open.3"
	for name in $(nm -D --defined-only "$BUILD/shim/libtimens.so" |
			sed -n 's/.* T \(timens_[a-z_]*\)@.*/\1/p'); do
		assert_file_exist "$dest/opt/t/share/man/man3/$name.3"
	done
	run grep -x 'libdir=/opt/t/lib' "$dest/opt/t/lib/pkgconfig/libtimens.pc"
	assert_success
}

@test "every verb has help; no verb, or an unknown one, is refused" {
	local verb

	for verb in run set show list enter delete policy; do
		run timens "$verb" --help
		assert_success
		assert_line --index 0 --partial "usage: timens $verb"
		run timens --help
		assert_line --regexp "^  $verb +"
		run timens "$verb" --no-such-option
		assert_failure 125
		assert_output --partial "try 'timens $verb --help'"
	done
	run timens
	assert_failure 125
	assert_output --partial "a verb is missing"
	run timens frobnicate
	assert_failure 125
	assert_output "timens: no verb 'frobnicate'; 'timens --help' lists them"
	run timens --version
	assert_success
	assert_output --regexp '^timens [0-9]+\.[0-9]+\.[0-9]+$'
}

# refused MESSAGE-PART ARG... - timens fails with 125 and says it
refused() {
	local part=$1

	shift
	run timens "$@"
	assert_failure 125
	assert_output --partial "$part"
	refute_output --partial RAN
}

@test "a bad time is refused with what is wrong, before anything is done" {
	refused "unknown unit 'q' in '+3q'; use y, mo, w, d, h, m, s, ms, us, ns" \
		run --realtime +3q -- echo RAN
	refused "is before 1970" run --realtime 1969-12-31 -- echo RAN
	refused "past 2232-04-18T23:47:15Z" run --realtime 2300-01-01 -- echo RAN
	refused "'x' is left over" run --realtime 2038-01-19T00:00:00Zx -- echo RAN
	refused "--monotonic: '2d' has no sign" run --monotonic 2d -- echo RAN
	refused "no fixed length" run --boottime +1y -- echo RAN
	refused "unknown unit 'q'" set 1 +3q
	local seconds
	for seconds in '' -1 +1 1s . 1. .5 1.2.3 1e3; do
		refused "--uptime: '$seconds' is no number of seconds" \
			run --uptime "$seconds" -- echo RAN
	done
	refused "too large or has more" run --uptime 0.1234567890 -- echo RAN
	refused "too large or has more" \
		run --uptime 99999999999999999999 -- echo RAN
	refused "--uptime and --monotonic exclude" \
		run --uptime 0 --monotonic +1d -- echo RAN
	refused "--uptime and --boottime exclude" \
		run --boottime +1d --uptime 0 -- echo RAN
}

@test "bad arguments of run and enter are refused" {
	refused "a command is missing" run
	refused "a command is missing" run -r --
	refused "no capability is called 'frob'" run --keep-caps frob -- true
	refused "no capability is called ''" run --keep-caps sys_time, -- true
	refused "'../x' is no name" run --name ../x -- true
	refused "'1x' is no name" run --name 1x -- true
	refused "is no name" run --name "$(printf 'x%.0s' {1..65})" -- true
	refused "--name and -r exclude each other" run -r --name x -- true
	refused "takes a TARGET and a command" enter
	refused "a command is missing" enter 1
	refused "takes a TARGET and a time" set 1
	refused "takes one TARGET at most" show 1 2
	refused "takes a NAME" delete
}

@test "a command that is not there or not executable: 127 and 126" {
	local file=$BATS_TEST_TMPDIR/plain

	run -127 timens run -- no-such-command
	assert_output "timens: cannot run 'no-such-command': no such program"
	run -127 timens run -- "$BATS_TEST_TMPDIR/none"
	echo text >"$file"
	run timens run -- "$file"
	assert_failure 126
	run timens run -- "$BATS_TEST_TMPDIR"
	assert_failure 126
	run -127 timens enter 1 -- no-such-command
}

@test "targets that do not exist are named" {
	refused "there is no process 999999999" show 999999999
	refused "there is no process 99999999999999999999" show 99999999999999999999
	refused "no time namespace is named 'nobody-has-this'" show nobody-has-this
	refused "'a/b' is neither a PID nor a name" show a/b
	refused "no time namespace is named 'nobody-has-this'" delete nobody-has-this
	refused "no time namespace is named 'nobody-has-this'" enter nobody-has-this true
}

@test "policy prints the table, and exports it" {
	local file=$BATS_TEST_TMPDIR/filter

	run timens policy
	assert_success
	assert_line --regexp '^settimeofday +164 .*pointer below the limit +0$'
	assert_line --regexp '^clock_gettime +228 +clock, see below'
	assert_line --regexp "^clocks: CLOCK_REALTIME .*CLOCK_TAI$"
	assert_equal "${#lines[@]}" 6
	run timens policy --bpf "$file" --limit 0x7f0000000000
	assert_success
	assert [ $(($(stat -c %s "$file") % 8)) = 0 ]
	assert [ -s "$file" ]
	refused "not a multiple of 0x100000000" policy --limit 4096
	refused "not a multiple of 0x100000000" policy --limit 4g
	refused "filter that --bpf FILE writes" policy --limit 0x100000000
	refused "leave out --bpf" policy --confine uml --bpf "$BATS_TEST_TMPDIR/none"
	assert_not_exists "$BATS_TEST_TMPDIR/none"
	refused "cannot write '/nonexistent/f'" policy --bpf /nonexistent/f
	refused "cannot write '/dev/full'" policy --bpf /dev/full
	assert_exists /dev/full
}

@test "output that cannot be written is a failure" {
	run sh -c 'timens policy >/dev/full'
	assert_failure 125
	assert_output --partial "cannot write to standard output"
	run sh -c 'timens show --json >/dev/full'
	assert_failure 125
	run sh -c 'timens run --help >/dev/full'
	assert_failure 125
}
