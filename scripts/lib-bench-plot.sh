# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# lib-bench-plot.sh - plots of what scripts/bench has measured; source it after
# lib-bench.sh.
#
#   bench_plots FIGURES DIR METRIC...   SVG and PNG files in DIR, two or three for
#                                       each metric, from the lines of bench_summary

# What is compared, by metric
declare -A PLOT_SITUATIONS=(
	[instructions]="native stock-seccomp stock-ptrace page-seccomp page-ptrace
			passed page-mmfd passed-mmfd faketime proot gvisor"
	[ns]="native stock-seccomp stock-ptrace page-seccomp page-mmfd passed-mmfd
	      smp-seccomp-free smp-mmfd-free gvisor gvisor-free"
	[this]="native stock-seccomp stock-ptrace page-seccomp page-ptrace
		smp-seccomp-free faketime proot gvisor gvisor-free"
)

# bench_plot FIGURES DIR METRIC NAME RATIO HEADING CALL... - nothing if there is none
# of that
bench_plot()
{
	local figures=$1 dir=$2 metric=$3 name=$4 ratio=$5 heading=$6
	local unit=$metric where=vm label data out last
	local -a list

	read -r -d '' -a list <<<"${PLOT_SITUATIONS[$metric]}" || :
	shift 6
	[ "$metric" != this ] || unit=ns where=this
	label="$unit${where/vm/ in the VM}"
	label=${label/%this/ on this machine}
	[ "$ratio" = 0 ] || label+=", native is 1"
	out=$dir/$name-$metric
	data=$out.data
	if awk -F '\t' -v unit="$unit" -v where="$where" -v calls="$*" \
		-v situations="${list[*]}" -v ratio="$ratio" \
		-f "$BENCH/plot.awk" "$figures" >"$data"; then
		last=$(awk -F '\t' '{ print NF; exit }' "$data")
		gnuplot -e "data='$data'; out='$out'; heading='$heading'" \
			-e "label='$label'; last=$last" "$BENCH/plot.gp" ||
			die "gnuplot could not make $out"
	fi
	rm -f "$data"
}

bench_plots()
{
	local figures=$1 dir=$2 metric

	shift 2
	for metric; do
		bench_plot "$figures" "$dir" "$metric" calls 0 'One call' \
			getppid raw-gettimeofday vdso-gettimeofday \
			vdso-clock_gettime read-byte write-byte
		bench_plot "$figures" "$dir" "$metric" processes 0 \
			'Memory, threads, processes, switches' fault-page \
			map-touch thread fork-exit fork-exec pipe-pong switch-16
		bench_plot "$figures" "$dir" "$metric" jobs 1 'Whole jobs' \
			file-tree compile
	done
}
