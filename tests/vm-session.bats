#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# vm-session.bats - the helpers all test files are built on: a VM booted once
# for a file (lib/vm.bash), and the words of requires (lib/requires.bash).

load lib/common

setup_file() {
	requires vm-stock
	vm_start stock
}

teardown_file() {
	vm_stop
}

@test "vm gives the command's status and output" {
	run vm sh -c 'echo hello; exit 7'
	assert_failure 7
	assert_output hello
	run vm true
	assert_success
	assert_output ""
}

@test "vm passes arguments as they are" {
	local args=("two words" "it's" '$HOME `id`' $'new\nline' '')

	run vm printf '<%s>\n' "${args[@]}"
	assert_output "$(printf '<%s>\n' "${args[@]}")"
}

@test "vm runs a script, which ends at the first failure" {
	run vm <<-'SH'
		x="a  b"
		echo "$x"
		false
		echo not reached
	SH
	assert_failure 1
	assert_output "a  b"
}

@test "stdout and stderr stay apart, or in order" {
	run --separate-stderr vm sh -c 'echo 1; echo 2 >&2; echo 3'
	assert_output $'1\n3'
	assert_equal "$stderr" 2
	run vm sh -c 'echo 1; echo 2 >&2; echo 3'
	assert_output $'1\n2\n3'
}

@test "output of 1 MiB arrives whole" {
	vm sh -c 'yes 0123456789abcde | head -c 1048576' \
		>"$BATS_TEST_TMPDIR/out"
	assert_equal "$(md5sum <"$BATS_TEST_TMPDIR/out")" \
		"$(yes 0123456789abcde | head -c 1048576 | md5sum)"
}

@test "a missing command gives 127" {
	run -127 vm no-such-command
}

@test "what one call leaves, the next finds" {
	vm <<-'SH'
		echo kept >/tmp/file
		sleep 600 &
		echo $! >/tmp/pid
	SH
	run vm cat /tmp/file
	assert_output kept
	run vm sh -c 'kill -0 $(cat /tmp/pid)'
	assert_success
}

@test "calls from several processes do not mix" {
	local i

	for i in 1 2 3 4; do
		vm echo "$i" >"$BATS_TEST_TMPDIR/$i" 3>&- &
	done
	wait
	run cat "$BATS_TEST_TMPDIR"/{1,2,3,4}
	assert_output $'1\n2\n3\n4'
}

# inner <FILE - run bats on the file, where TEST stands for bats' word for a
# test (which it would take for one of this file's)
inner() {
	local file=$BATS_TEST_TMPDIR/inner.bats

	mkdir -p "$BATS_TEST_TMPDIR/lib"
	sed "s/^\s*TEST/@test/" >"$file"
	(
		for v in ${!BATS_*}; do unset "$v" 2>/dev/null || :; done
		unset VM_KERNEL
		bats --tap "$file"
	)
}

@test "a VM that dies fails the call, later calls and the file" {
	run inner <<-EOF
		load $TOP/tests/lib/common
		setup_file() { vm_start stock; }
		teardown_file() { vm_stop; }
		TEST "dies" { run vm sh -c 'echo c >/proc/sysrq-trigger'
			assert_failure 125
			assert_output --partial "sysrq triggered crash"; }
		TEST "later" { vm true; }
	EOF
	assert_failure
	assert_line "ok 1 dies"
	assert_line "not ok 2 later"
	assert_output --partial "teardown_file failed"
}

@test "a warning fails the file although every test passed" {
	run inner <<-EOF
		load $TOP/tests/lib/common
		setup_file() { vm_start stock; }
		teardown_file() { vm_stop; }
		TEST "warns" { vm sh -c 'echo "<4>WARNING: x" >/dev/kmsg'; }
	EOF
	assert_failure
	assert_line "ok 1 warns"
	assert_output --partial "the kernel log shows trouble"
}

@test "a call that takes too long fails" {
	run inner <<-EOF
		load $TOP/tests/lib/common
		setup_file() { vm_start stock; }
		TEST "slow" { VM_TIMEOUT=2 vm sleep 60; }
	EOF
	assert_failure
	assert_output --partial "no answer from the VM in time"
}

@test "requires: an unknown word fails the test" {
	run inner <<-EOF
		load $TOP/tests/lib/common
		TEST "t" { requires moon; }
	EOF
	assert_failure
	assert_line "not ok 1 t"
	assert_output --partial "BUG: unknown requirement 'moon'"
}

@test "requires: what we build and have not built fails the test" {
	TIMENS_BUILD=$BATS_TEST_TMPDIR/none run inner <<-EOF
		load $TOP/tests/lib/common
		TEST "t" { requires vm-debug; }
	EOF
	assert_failure
	assert_output --partial "run: make kernel KERNEL=debug"
}

@test "requires: the patched kernel is the one with checks if that is asked for" {
	TIMENS_BUILD=$BATS_TEST_TMPDIR/none TEST_KERNEL=debug run inner <<-EOF
		load $TOP/tests/lib/common
		TEST "t" { requires vm-patched; }
	EOF
	assert_failure
	assert_output --partial "run: make kernel KERNEL=debug"
}

@test "requires: what the machine lacks is a skip with a reason, or a failure" {
	local body

	body=$(cat <<-EOF
		load $TOP/tests/lib/common
		id() { echo 1000; }
		TEST "t" { requires root; }
	EOF
	)
	CHECK_NO_SKIP=0 run inner <<<"$body"
	assert_success
	assert_line "ok 1 t # skip needs root"
	CHECK_NO_SKIP=1 run inner <<<"$body"
	assert_failure
	assert_output --partial "may not be skipped here: needs root"
	TIMENS_VM=1 run inner <<<"$body"
	assert_failure
}
