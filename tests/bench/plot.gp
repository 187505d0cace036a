# SPDX-License-Identifier: GPL-2.0
# plot.gp - one plot of the bench, as SVG and PNG, from a table of plot.awk
#
# usage: gnuplot -e "data='FILE'; out='NAME'; heading='...'; label='...'; last=N"
#                plot.gp
#
# The table has N columns, with that of the names.

set datafile separator "\t"
set datafile missing "?"
set style data histogram
set style histogram clustered gap 1
set style fill solid 0.9 noborder
set logscale y
set format y "%.0s%c"
set ylabel label
set title heading noenhanced
set key outside right top noenhanced
set xtics noenhanced rotate by -20
set grid ytics
set terminal svg size 1100,500 font "sans,12" background "white"
set output out.".svg"
plot for [i=2:last] data using i:xtic(1) title columnheader(i)
set terminal pngcairo size 1100,500 font "sans,10"
set output out.".png"
replot
