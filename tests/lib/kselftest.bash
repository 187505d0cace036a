# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# kselftest.bash - the kernel's tests of what this project adds, in the VM. Load after
# common.
#
#   passes NAME COUNT [ARG...]   /selftests/NAME has so many tests, and all pass
#   passed COUNT         the same of what bats' run has run
#   watch_more           on the kernel that looks for data races, look at more memory
#                        accesses, and longer, than at boot; nothing on others

passes()
{
	local name=$1 count=$2

	shift 2
	VM_TIMEOUT=300 run vm "/selftests/$name" "$@"
	passed "$count"
}

passed()
{
	assert_success
	assert_line "1..$1"
	assert_line "# Totals: pass:$1 fail:0 xfail:0 xpass:0 skip:0 error:0"
}

watch_more()
{
	[ "${TEST_KERNEL:-patched}" = kcsan ] || return 0
	vm <<-'SH'
		cd /sys/module/kcsan/parameters
		echo 300 >skip_watch
		echo 500 >udelay_task
	SH
}
