# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# hostile.bash - attacks from inside guests, wherever these run. Load after uml or
# guests, whose guest() it uses.
#
#   alive NAME                   the guest answers, and has processes
#   sweep NAME OPTION...         call-sweep: all calls are the guest's
#   registers_refused NAME OPTION...   register-sweep: none of them is of use
# shellcheck disable=SC2154 # output is of run

alive()
{
	run guest "$1" sh -c 'echo still here; sleep 0.1; echo and here | cat'
	assert_output $'still here\nand here' || fail "$1: above"
}

sweep()
{
	local name=$1

	shift
	run guest "$name" call-sweep "$@"
	assert_success || fail "$name $*: above"
	refute_line --partial "not ok"
}

registers_refused()
{
	local name=$1

	shift
	run guest "$name" register-sweep "$@"
	assert_success
	assert_equal "$(grep -cE '(rip|rsp) .*: SEGV$' <<<"$output")" 20 ||
		fail "$name: above"
	assert_line "frame: flags IOPL: SEGV"
	assert_line "tracer: flags IOPL: SEGV"
	refute_line --regexp ': ended$'
}
