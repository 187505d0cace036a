# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# lib-touched.sh - compile the kernel files that our commits touch, and no others;
# source after lib-build.sh.
#
#   wanted OUT OBJECT...     those whose option is on in OUT/.config
#   touched SRC              the objects of a 64-bit x86 host that SRC has by now

# wanted OUT OBJECT... - those whose option is on: others are in no kernel
wanted()
{
	local out=$1 object

	shift
	for object; do
		case $object in
		*_64.o)	grep -q '^CONFIG_64BIT=y' "$out/.config" ;;
		*posix-stubs.o)
			! grep -q '^CONFIG_POSIX_TIMERS=y' "$out/.config" ;;
		*posix-timers.o | *alarmtimer.o)
			grep -q '^CONFIG_POSIX_TIMERS=y' "$out/.config" ;;
		kernel/time/namespace_*.o)
			grep -q '^CONFIG_TIME_NS_REALTIME=y' "$out/.config" ;;
		kernel/time/namespace.o)
			grep -q '^CONFIG_TIME_NS=y' "$out/.config" ;;
		*ntsync.o)	grep -q '^CONFIG_NTSYNC=y' "$out/.config" ;;
		*bpf*)	grep -q '^CONFIG_BPF_EVENTS=y' "$out/.config" ;;
		*events/core.o)	grep -q '^CONFIG_PERF_EVENTS=y' "$out/.config" ;;
		*uprobes.o)	grep -q '^CONFIG_UPROBES=y' "$out/.config" ;;
		*guards.o)	grep -q '^CONFIG_MMFD_DEBUG=y' "$out/.config" ;;
		*mmfd*.o)	grep -q '^CONFIG_MMFD=y' "$out/.config" ;;
		*memcontrol.o)	grep -q '^CONFIG_MEMCG=y' "$out/.config" ;;
		*)	: ;;
		esac && printf '%s\n' "$object"
	done
}

# touched SRC - the objects of what the whole series touches, as far as it is there. The
# vDSO has to be built as a directory.
touched()
{
	local src=$1 file

	git -C "$BUILD/linux" diff --name-only --diff-filter=d base kernel-ns -- \
		'*.c' '*.S' ':!tools' ':!lib/vdso' |
		while IFS= read -r file; do
			[ ! -e "$src/$file" ] || printf '%s\n' "${file%.*}.o"
		done
	printf 'arch/x86/entry/vdso/\n'
}
