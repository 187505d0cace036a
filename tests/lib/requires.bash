# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# requires.bash - what a test needs, in a closed vocabulary.
#
#   requires WORD...     in a @test, in setup or in setup_file
#
# Three kinds of words:
#   built here    vm-patched vm-stock vm-debug vm-kcsan uml uml-smp uml-timetravel
#                 shim helpers debian
#                 missing is a failure that says what to make
#   the machine   root host-timens host-seccomp host-realtime
#                 missing is a skip with its reason, unless CHECK_NO_SKIP=1 or
#                 inside our own VM, where it is a failure
#   anything else is a mistake in the test, and a failure

requires_fail()
{
	printf '%s\n' "$*" >&2
	return 1
}

# requires_lack REASON - the machine lacks something
requires_lack()
{
	if [ "${CHECK_NO_SKIP:-0}" = 1 ] || [ -n "${TIMENS_VM:-}" ]; then
		requires_fail "this test may not be skipped here: $*"
		return 1
	fi
	skip "$*"
}

# requires_built FILE TARGET
requires_built()
{
	[ -e "$1" ] || requires_fail "$1 is missing; run: make $2"
}

# /proc/self/timens_offsets accepts a realtime line only with the feature.
host_has_realtime()
{
	unshare --user --map-root-user --time sh -c \
		'echo realtime 0 0 >/proc/self/timens_offsets' 2>/dev/null
}

require_word()
{
	local kernel

	case $1 in
	vm-patched | vm-stock | vm-debug | vm-kcsan)
		kernel=${1#vm-}
		[ "$kernel" != patched ] || kernel=${TEST_KERNEL:-patched}
		requires_built "$BUILD/host/$kernel/arch/x86/boot/bzImage" \
			"kernel KERNEL=$kernel" ;;
	uml)
		requires_built "$BUILD/uml/linux" uml ;;
	uml-smp | uml-timetravel)
		[ -e "$BUILD/$1/linux" ] || requires_fail \
			"$BUILD/$1/linux is missing; run: scripts/build-uml ${1#uml-}" ;;
	shim)
		requires_built "$BUILD/shim/timens" shim ;;
	helpers)
		requires_built "$BUILD/tests" helpers ;;
	debian)
		requires_built "$BUILD/debian/root.ext4" debian-root ;;
	root)
		[ "$(id -u)" = 0 ] || requires_lack "needs root" ;;
	host-timens)
		[ -e /proc/self/ns/time ] ||
			requires_lack "this kernel lacks time namespaces" ;;
	host-seccomp)
		grep -q '^Seccomp:' /proc/self/status ||
			requires_lack "this kernel lacks seccomp" ;;
	host-realtime)
		host_has_realtime ||
			requires_lack "this kernel lacks CONFIG_TIME_NS_REALTIME" ;;
	*)
		requires_fail "BUG: unknown requirement '$1'" ;;
	esac
}

requires()
{
	local word

	[ $# -gt 0 ] || requires_fail "BUG: requires nothing" || return 1
	for word; do
		require_word "$word" || return 1
	done
}
