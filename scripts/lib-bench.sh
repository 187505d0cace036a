# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# lib-bench.sh - measurements in the VM, for scripts/demo and scripts/bench;
# source it after lib.sh.
#
#   bench_tools SITUATIONS            see that what they need is there
#   bench_accel                       choose the accelerator; sets VM_ACCEL
#   bench_vm METRIC TIMEOUT CMD...    run CMD in the VM for ns or instructions,
#                                     with tests/bench at /bench; and UML
#                                     without our commits, a compiler, peers, if
#                                     CMD names "stock-", "compile", peers
#   bench_here TURNS SITUATIONS CALLS [PROCESSES [WORK [JOBS]]]
#                                     samples from this machine, without a VM
#   bench_job                         make what the job "compile" needs, in
#                                     build/bench: compile.i, which it compiles, and
#                                     compile.files, the compiler and its libraries
#   bench_summary METRIC SAMPLES      samples to a line for each figure; the
#                                     metric "this" is ns on this machine
#   bench_figure TABLE SITUATION CALL COLUMN
#                                     one figure of such lines; column 6 is the
#                                     minimum, 7 the median, 8 the maximum

. "$TOP/scripts/vm-accel.sh"
. "$TOP/scripts/lib-peers.sh"

BENCH=$TOP/tests/bench

bench_tools()
{
	local tool

	for tool in timecalls processes work jobs wall-clock clock-offset \
		uml-guest uml-root; do
		[ -x "$BUILD/tests/$tool" ] && continue
		"$TOP/scripts/build-helpers" >&2
		break
	done
	case $* in
	*stock-*)
		[ -x "$BUILD/uml-stock/linux" ] ||
			die "no UML kernel to compare with; run:" \
			    "scripts/build-uml stock" ;;&
	*smp-*)
		[ -x "$BUILD/uml-smp/linux" ] ||
			die "no UML kernel with several CPUs; run: make uml-smp" ;;&
	*passed* | *intercept* | *ptrace* | *seccomp*)
		[ -x "$BUILD/uml/linux" ] || die "no UML kernel; run: make uml" ;;
	esac
}

bench_accel()
{
	accel_choose patched
	export VM_ACCEL=$ACCEL
}

# The compiler, one program a line
bench_compiler()
{
	command -v gcc
	gcc -print-prog-name=cc1
	command -v "$(gcc -print-prog-name=as)"
}

# It compiles a fixed program of the kernel's, which needs nothing but the C library's
# headers, and is preprocessed, so that guests need none.
bench_job()
{
	local source=$BUILD/linux/usr/gen_init_cpio.c job=$BUILD/bench/compile

	[ -e "$source" ] || die "$source is missing; run: make tree"
	mkdir -p "${job%/*}"
	[ "$job.i" -nt "$source" ] || gcc -E -P -D_GNU_SOURCE= "$source" -o "$job.i"
	{
		bench_compiler
		bench_compiler | xargs ldd | libraries
	} | sort -u >"$job.files"
}

bench_vm()
{
	local metric=$1 timeout=$2 file
	local -a opts=(--smp 2)

	shift 2
	[ "$metric" = ns ] || opts=(--icount --smp 1)
	case $* in
	*stock-*)	opts+=(--with "$BUILD/uml-stock/linux:/bench-stock/linux") ;;&
	*compile*)
		bench_job
		opts+=(--mem 2G)
		for file in compile.i compile.files; do
			opts+=(--with "$BUILD/bench/$file:/bench-job/$file")
		done
		for file in $(bench_compiler); do
			opts+=(--with "$file:$file")
		done ;;
	esac
	for file in $(peers_with "$*"); do
		opts+=(--with "$file")
	done
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
	case $* in
	*compile*)
		bench_job
		export COMPILE=$BUILD/bench/compile ;;
	esac
	RUNSC=$GVISOR "$BENCH/measure-here" "$BUILD" "$dir/root" "$turns" "$@" || status=$?
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
