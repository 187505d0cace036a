# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# debug.bash - what only the debug kernel can show. Load after common.
#
#   needs_debug_kernel     fail if that is not the one that tests run on
#   leaks_nothing COMMAND  in a VM of its own with kmemleak, which must have nothing to
#                          say, nor the kernel's log, but that an allocation failed.
#                          $output is the command's

# An object is old enough for a report after five seconds, and one scan may miss it
# while it moves.
leaks_nothing()
{
	local log=$BATS_TEST_TMPDIR/log

	run "$VM_RUNNER" --kernel debug --timeout 900 --append kmemleak=on --allow-splat \
		--log "$log" --with "$BUILD/selftests:/selftests" -- \
		sh -c "dir=/sys/kernel/debug
		mount -t debugfs none \$dir
		echo clear >\$dir/kmemleak || exit 9
		$1 || exit 1
		for i in 1 2; do sleep 6; echo scan >\$dir/kmemleak; done
		cat \$dir/kmemleak >&2
		! grep . \$dir/kmemleak"
	refute_line --partial 'unreferenced object'
	! grep -aE 'BUG|WARNING|Oops|KASAN|possible|suspicious' "$log" ||
		fail "the kernel's log shows trouble, see above"
}

needs_debug_kernel()
{
	[ "${TEST_KERNEL:-patched}" = debug ] ||
		fail "it takes the debug kernel; run: make check KERNEL=debug"
	requires vm-patched
}
