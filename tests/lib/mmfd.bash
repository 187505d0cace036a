# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# mmfd.bash - the kernel's tests of mmfd, in the VM. Load after common.
#
#   passes NAME COUNT    /selftests/NAME has so many tests, and all pass
#   passed COUNT         the same of what bats' run has run

passes()
{
	VM_TIMEOUT=300 run vm "/selftests/$1"
	passed "$2"
}

passed()
{
	assert_success
	assert_line "1..$1"
	assert_line "# Totals: pass:$1 fail:0 xfail:0 xpass:0 skip:0 error:0"
}
