# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# clocks.bash - is a clock of the VM where it was? Load after common.
#
#   host_clock           what identifies the host's clock: the bounds of
#                        CLOCK_REALTIME - CLOCK_MONOTONIC, then adjtimex(2)
#   sibling_start        a bystander namespace with an own clock, in the VM
#   sibling_line         its realtime line: exact distance from the host's clock
#   assert_host_unmoved BEFORE     what host_clock gave before
#   assert_sibling_unmoved BEFORE  what sibling_line gave before
#
# The difference of the two clocks is constant between sets, and is known here
# to less than CLOCKS_BOUND nanoseconds; the sibling's line is exact, and moves
# by what the host's clock or the sibling's moves.

CLOCKS_BOUND=20000

host_clock()
{
	vm <<-'SH'
		clock-offset
		adjtimex | grep -E 'offset|freq|status|timeconst|tick'
	SH
}

assert_host_unmoved()
{
	local before=$1 after low high low2 high2

	after=$(host_clock)
	assert_equal "$(tail -n +2 <<<"$after")" "$(tail -n +2 <<<"$before")" ||
		return 1
	read -r low high <<<"$before"
	read -r low2 high2 <<<"$after"
	if ((low > high2 || low2 > high)); then
		fail "the host's clock moved: was $low..$high, is $low2..$high2"
	elif ((high - low > CLOCKS_BOUND || high2 - low2 > CLOCKS_BOUND)); then
		fail "cannot tell: $low..$high, then $low2..$high2"
	fi
}

sibling_start()
{
	vm <<-'SH'
		timens run --realtime=2001-02-03T04:05:06Z sleep 100000 &
		echo $! >/run/sibling
		until grep -q realtime /proc/$!/timens_offsets; do
			usleep 10000
		done
	SH
}

sibling_line()
{
	vm <<-'SH'
		grep realtime "/proc/$(cat /run/sibling)/timens_offsets"
	SH
}

assert_sibling_unmoved()
{
	assert_equal "$(sibling_line)" "$1"
}
