#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# build.bats - what the builds rest on: configuration symbols are checked,
# missing packages are asked for, clean keeps what it must.

load lib/common

setup() {
	work=$BATS_TEST_TMPDIR
}

# lost FRAGMENT CONFIG - symbols of FRAGMENT that CONFIG does not have.
lost() {
	printf '%b' "$1" >"$work/frag"
	printf '%b' "$2" >"$work/config"
	run bash -c '. "$1/scripts/lib.sh"; . "$1/scripts/lib-build.sh"
		lost_symbols "$2/config" "$2/frag"' - "$TOP" "$work"
	assert_success
}

@test "a requested symbol that the .config lacks is named" {
	lost 'CONFIG_A=y\nCONFIG_B=y\n' 'CONFIG_A=y\n# CONFIG_B is not set\n'
	assert_output 'CONFIG_B=y (is n)'
}

@test "a symbol that is gone altogether is named" {
	lost 'CONFIG_GONE=y\n' 'CONFIG_A=y\n'
	assert_output 'CONFIG_GONE=y (is n)'
}

@test "a symbol that was to be off and is on is named" {
	lost 'CONFIG_A=n\n# CONFIG_B is not set\n' 'CONFIG_A=y\nCONFIG_B=y\n'
	assert_output 'CONFIG_A=n (is y)
CONFIG_B=n (is y)'
}

@test "another value than the one requested is named" {
	lost 'CONFIG_N=8\nCONFIG_S="a b"\n' 'CONFIG_N=64\nCONFIG_S="a b"\n'
	assert_output 'CONFIG_N=8 (is 64)'
}

@test "a configuration that has all that was requested passes" {
	lost '# text\nCONFIG_A=y\nCONFIG_B=n\n' 'CONFIG_A=y\n'
	assert_output ''
}

@test "the patched kernel's configuration has the feature, the stock one's has not" {
	requires vm-patched vm-stock
	grep -q '^CONFIG_TIME_NS_REALTIME=y$' "$BUILD/host/patched/.config"
	run ! grep -q 'CONFIG_TIME_NS_REALTIME=' "$BUILD/host/stock/.config"
}

@test "missing packages: without root, the one apt-get line" {
	run setpriv --reuid=65534 --clear-groups bash -c \
		'. "$1/scripts/lib.sh"; need_pkgs bash no-such-pkg-1 no-such-pkg-2' \
		- "$TOP"
	assert_failure 1
	assert_output --partial "apt-get install --no-install-recommends no-such-pkg-1 no-such-pkg-2"
}

@test "packages that are installed are not asked for again" {
	run setpriv --reuid=65534 --clear-groups bash -c \
		'. "$1/scripts/lib.sh"; need_pkgs bash coreutils' - "$TOP"
	assert_success
	assert_output ''
}

@test "an unknown kernel kind is refused with the known ones" {
	run "$TOP/scripts/build-kernel" fast
	assert_failure 1
	assert_output --partial "no kernel 'fast'; there are patched, stock, debug, kcsan and off"
}

@test "clean keeps the kernel tree, distclean asks before dropping work in it" {
	export TIMENS_BUILD=$work/build
	mkdir -p "$TIMENS_BUILD/shim"
	git init -q "$TIMENS_BUILD/linux"
	echo mine >"$TIMENS_BUILD/linux/file"
	"$TOP/scripts/clean"
	assert_not_exist "$TIMENS_BUILD/shim"
	assert_exist "$TIMENS_BUILD/linux/file"
	run "$TOP/scripts/clean" --all
	assert_failure 1
	assert_output --partial "make export"
	assert_exist "$TIMENS_BUILD/linux/file"
	FORCE=1 "$TOP/scripts/clean" --all
	assert_not_exist "$TIMENS_BUILD"
}

# count TESTFILE - run scripts/check on a file of its own.
check_file() {
	printf '%b' "$1" >"$work/t.bats"
	# Whatever run this is part of forbids is not this one's business.
	TIMENS_BUILD=$work/build run env -u CHECK_NO_SKIP "${@:2}" \
		"$TOP/scripts/check" "$work/t.bats"
}

@test "the check's last line counts, and a failure is its status" {
	check_file '@test "a" { true; }\n@test "b" { false; }\n'
	assert_failure 1
	assert_equal "${lines[-1]}" '1 passed, 1 failed'
	check_file '@test "a" { true; }\n'
	assert_success
	assert_equal "${lines[-1]}" '1 passed, 0 failed'
}

@test "a skipped test has not passed, and has failed where skips are forbidden" {
	check_file '@test "a" { true; }\n@test "b" { skip "no moon"; }\n'
	assert_success
	assert_line --partial 'b'
	assert_equal "${lines[-1]}" '1 passed, 0 failed'
	check_file '@test "a" { true; }\n@test "b" { skip "no moon"; }\n' \
		CHECK_NO_SKIP=1
	assert_failure 1
	assert_equal "${lines[-1]}" '1 passed, 1 failed'
}

@test "a test file that does not load is a failure" {
	check_file 'load nowhere\n@test "a" { true; }\n'
	assert_failure 1
	refute_line '1 passed, 0 failed'
}

@test "tests run on the kernel that is ours, plain or debug, and no other" {
	check_file '@test "a" { true; }\n' TEST_KERNEL=stock
	assert_failure 1
	assert_output --partial "KERNEL=patched, debug or kcsan, not stock"
	check_file '@test "a" { true; }\n' TEST_KERNEL=debug
	assert_success
	assert_equal "${lines[-1]}" '1 passed, 0 failed'
}
