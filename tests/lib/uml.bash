# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# uml.bash - UML guests that run directly on this machine. Load after common.
#
#   uml_start NAME KERNEL OPTION...   KERNEL uml or uml-smp, of $BUILD; what is in
#                                     the array UML_BEFORE starts it
#   uml_start_modes                   one in each of UML_MODES
#   guest NAME CMD [ARG...]           run it there as root; or guest NAME <SCRIPT
#   uml_log NAME                      what its kernel said
#   uml_pid NAME                      its process
#   uml_stub_maps NAME                what its stub processes have mapped above the
#                                     guest's address space: all of it, sorted
#   uml_stop                          end all
#   machine_offset                    this machine's clock, to compare with later
#   assert_machine_unmoved OFFSET     nobody has set it since; it may be slewed
#   uml_root PROGRAM...               before all: what they have in /tests, if not
#                                     the helpers
#
# Their root directory is $BATS_FILE_TMPDIR/guests. They have no right to set this
# machine's clock. A guest has UML_TIMEOUT seconds (60) to answer.

# shellcheck disable=SC2034 # test files read it
UML_MODES="ptrace seccomp smp"

uml_guest()
{
	# bats waits for whoever holds its descriptor 3
	UML_ROOT=$BATS_FILE_TMPDIR/guests busybox sh "$TOP/tests/uml/uml-guest" \
		"$@" 3>&-
}

uml_root()
{
	"$TOP/tests/uml/uml-root" "$BATS_FILE_TMPDIR/guests" "$@"
}

uml_helpers()
{
	local programs

	mapfile -t programs < <(find "$BUILD/tests" -maxdepth 1 -type f \
		-perm /111 ! -name '*-dynamic' ! -name 'uml-*' ! -name guest-init)
	uml_root "${programs[@]}"
}

uml_start()
{
	local name=$1 kernel=$BUILD/$2/linux drop=()

	shift 2
	[ -e "$BATS_FILE_TMPDIR/guests" ] || uml_helpers || return 1
	[ "$(id -u)" != 0 ] ||
		drop=("$(command -v setpriv)" --bounding-set=-sys_time)
	uml_guest start "$BATS_FILE_TMPDIR/guests/run/$name" \
		"${drop[@]}" ${UML_BEFORE[@]+"${UML_BEFORE[@]}"} "$(command -v setarch)" -R "$kernel" "$@"
}

uml_start_modes()
{
	uml_start ptrace uml seccomp=off
	uml_start seccomp uml seccomp=on
	uml_start smp uml-smp seccomp=on ncpus=2
}

# The lower bound of CLOCK_REALTIME - CLOCK_MONOTONIC
machine_offset()
{
	"$BUILD/tests/clock-offset" | cut -d' ' -f1
}

# A set by a guest would be a day at least.
assert_machine_unmoved()
{
	local now

	now=$(machine_offset)
	((now - $1 < 1000000000 && $1 - now < 1000000000))
}

guest()
{
	local name=$1

	shift
	[ $# -gt 0 ] || set -- sh -ec "$(cat)"
	uml_guest run "$BATS_FILE_TMPDIR/guests/run/$name" "$@"
}

uml_log()
{
	uml_guest log "$BATS_FILE_TMPDIR/guests/run/$1" | tr -d '\r'
}

uml_pid()
{
	uml_guest pid "$BATS_FILE_TMPDIR/guests/run/$1"
}

# Addresses of twelve digits sort like numbers.
uml_stub_maps()
{
	local pid

	for pid in $(pgrep -P "$(uml_pid "$1")" -x uml-userspace); do
		awk '$1 >= "7f8000000000" && $1 < "8" { print $1, $2 }' \
			"/proc/$pid/maps"
	done | sort -u
}

uml_stop()
{
	local dir status=0

	for dir in "$BATS_FILE_TMPDIR"/guests/run/*; do
		[ -e "$dir/pid" ] || continue
		uml_guest stop "$dir" || status=1
	done
	return "$status"
}
