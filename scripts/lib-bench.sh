# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# lib-bench.sh - measurements in the VM, for scripts/demo and scripts/bench;
# source it after lib.sh.
#
#   bench_tools SITUATIONS            see that what they need is there
#   bench_accel                       choose the accelerator; sets VM_ACCEL
#   bench_vm METRIC TIMEOUT CMD...    run CMD in the VM for ns or instructions,
#                                     with tests/bench at /bench; and UML
#                                     without our commits, if CMD names "stock-"
#   bench_here TURNS SITUATIONS CALLS [PROCESSES]
#                                     samples from this machine, without a VM
#   bench_summary METRIC SAMPLES      samples to a line for each figure; the
#                                     metric "this" is ns on this machine
#   bench_figure TABLE SITUATION CALL COLUMN
#                                     one figure of such lines; column 6 is the
#                                     minimum, 7 the median, 8 the maximum

. "$TOP/scripts/vm-accel.sh"

BENCH=$TOP/tests/bench

bench_tools()
{
	local tool

	for tool in timecalls processes wall-clock clock-offset uml-guest \
		uml-root; do
		[ -x "$BUILD/tests/$tool" ] && continue
		"$TOP/scripts/build-helpers" >&2
		break
	done
	case $* in
	*stock-*)
		[ -x "$BUILD/uml-stock/linux" ] ||
			die "no UML kernel to compare with; run:" \
			    "scripts/build-uml stock" ;;&
	*passed* | *intercept* | *ptrace* | *seccomp*)
		[ -x "$BUILD/uml/linux" ] || die "no UML kernel; run: make uml" ;;
	esac
}

bench_accel()
{
	accel_choose patched
	export VM_ACCEL=$ACCEL
}

bench_vm()
{
	local metric=$1 timeout=$2
	local -a opts=(--smp 2)

	shift 2
	[ "$metric" = ns ] || opts=(--icount --smp 1)
	case $* in
	*stock-*)	opts+=(--with "$BUILD/uml-stock/linux:/bench-stock/linux") ;;
	esac
	"$TOP/scripts/run-vm" "${opts[@]}" --timeout "$timeout" \
		--with "$BENCH:/bench" -- "$@"
}

# The guests' files are removed; unless they are gone, the guests live.
bench_here()
{
	local turns=$1 dir status=0

	shift
	mkdir -p "$BUILD/bench"
	dir=$(mktemp -d "$BUILD/bench/guests.XXXXXX")
	"$BENCH/measure-here" "$BUILD" "$dir/root" "$turns" "$@" || status=$?
	rm -rf "$dir"
	return "$status"
}

bench_summary()
{
	local unit=$1 where=vm

	[ "$unit" != this ] || unit=ns where=this
	awk -v unit="$unit" -v where="$where" -f "$BENCH/summary.awk" "$2" ||
		die "the samples in $2 are not usable"
}

bench_figure()
{
	awk -F '\t' -v s="$2" -v c="$3" -v col="$4" '
		$1 == s && $2 == c { print $col; found = 1 }
		END { exit !found }' "$1" ||
		die "no figure for $3 in situation $2"
}
