#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# unit/mmfd.bats - what libmmfd does whatever the kernel: its interrupt flag,
# what it exports and installs. Needs no privilege. What needs CONFIG_MMFD is in
# ../mmfd-lib.bats.

load ../lib/common

setup_file() {
	requires shim
	make -s -C "$TOP/shim" OUT="$BUILD/shim" all unit
}

@test "events wait for the flag, and go to the thread whose they are" {
	run "$BUILD/shim/unit/mmfd-pic"
	assert_success
}

@test "10^6 pairs of disable and enable make no system call" {
	run "$BUILD/shim/unit/mmfd-calls"
	assert_success
	assert_line "1000000 pairs of disable and enable: 0 system calls"
	assert_line "1000000 pairs with an event each: 0 system calls"
	# the counter does count
	assert_line "500 pairs of sigprocmask: 1000 system calls"
}

@test "no event is lost or doubled in a storm of signals" {
	local storm=$BUILD/shim/unit/mmfd-storm

	run timeout 60 "$storm" flag
	assert_success
	# a flag and a bit for each line, without the library, lose some
	run timeout 60 "$storm" naive
	assert_failure 1
	assert_line --regexp '^not ok: line [0-3]: sent [0-9]+, delivered [0-9]+$'
}

@test "a signal at any instruction is delivered once, and so are two" {
	run timeout 300 "$BUILD/shim/unit/mmfd-steps"
	assert_success
}

@test "a thousand signals at once do not pile up on the stack" {
	local storm=$BUILD/shim/unit/mmfd-storm

	run "$storm" pile 1000
	assert_success
	# SIGSEGV
	run "$storm" pile-naive 1000
	assert_failure 139
}

# declared HEADER - the functions of the library that it declares
declared() {
	sed -n 's/^\(int\|void\|bool\|uint64_t\|struct mmfd_run\) \**\(mmfd_[a-z_]*\)(.*/\2/p' \
		"$TOP/shim/include/$1"
}

exported() {
	nm -D --defined-only "$BUILD/shim/libmmfd.so" |
		sed -n 's/.* T \([a-z_]*\)@@LIBMMFD_0$/\1/p' | sort
}

@test "the exported symbols are those of the headers" {
	local want

	want=$({ declared mmfd.h; declared mmfd/compat.h; } | sort)
	[ "$(wc -l <<<"$want")" -gt 25 ]
	assert_equal "$(exported)" "$want"
}

# install_at - under $dest, with PREFIX /opt/t
install_at() {
	dest=$BATS_TEST_TMPDIR/dest
	run make -s -C "$TOP/shim" OUT="$BUILD/shim" DESTDIR="$dest" \
		PREFIX=/opt/t install
	assert_success
}

@test "install puts libmmfd under DESTDIR, with a page for each function" {
	local name

	install_at
	assert_file_exist "$dest/opt/t/lib/libmmfd.so.0"
	assert_file_exist "$dest/opt/t/lib/libmmfd.a"
	assert_file_exist "$dest/opt/t/share/man/man7/mmfd.7"
	for name in $(exported) new_addr delete_addr fmmap fmunmap run_sandbox \
		new_as switch_as sigaltmm; do
		[ -e "$dest/opt/t/share/man/man3/$name.3" ] ||
			assert_file_exist "$dest/opt/t/share/man/man2/$name.2"
	done
	run grep -x 'libdir=/opt/t/lib' "$dest/opt/t/lib/pkgconfig/libmmfd.pc"
	assert_success
}

@test "a program is built with what pkg-config says, in C, and runs" {
	local flags

	install_at
	cat >"$BATS_TEST_TMPDIR/p.c" <<-'END'
		#include <mmfd.h>
		#include <mmfd/compat.h>
		#include <stdio.h>

		int main(void)
		{
			struct sandbox_params params = { .eax = 1 };

			if (run_sandbox(0, &params) != -1 || errno != EBADF)
				return 1;
			if (switch_as(0) != -1 || errno != ENOENT)
				return 1;
			return printf("%d\n", mmfd_run(-1, 0)) < 0;
		}
	END
	flags=$(PKG_CONFIG_PATH=$dest/opt/t/lib/pkgconfig \
		PKG_CONFIG_SYSROOT_DIR=$dest pkg-config --cflags --libs libmmfd)
	# shellcheck disable=SC2086
	"${CC:-gcc}" -Wall -Wextra -Werror -pedantic -std=gnu11 \
		"$BATS_TEST_TMPDIR/p.c" -o "$BATS_TEST_TMPDIR/p" $flags
	LD_LIBRARY_PATH=$dest/opt/t/lib run "$BATS_TEST_TMPDIR/p"
	assert_success
	# -ENOSYS, or -EBADF where there is the call
	assert_output --regexp '^-(38|9)$'
}

@test "examples refuse unknown arguments" {
	local example

	for example in mmfd-sandbox mmfd-guests mmfd-signals; do
		run "$BUILD/shim/examples/$example" frobnicate
		assert_failure 1
		assert_output --partial "usage: $example"
	done
}
