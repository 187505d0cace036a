# SPDX-License-Identifier: GPL-2.0
# plot.awk - some figures of summary.awk as a table for gnuplot: a line for each
# call, a column for each situation.
#
# usage: awk -F '\t' -v unit=ns|instructions -v where=vm|this -v calls="CALL..."
#            -v situations="SITUATION..." -v ratio=0|1 -f plot.awk FIGURES
#
# With ratio=1, in terms of the situation "native". Calls and situations without a
# figure are left out, a single one that is missing is "?". Fails if nothing is left.

$3 == unit && $9 == where {
	least[$1, $2] = $6
	has_situation[$1] = 1
	if ($1 == "native" || !ratio)
		has_call[$2] = 1
}

END {
	n = split(situations, s, " ")
	m = split(calls, c, " ")
	line = "call"
	for (i = 1; i <= n; i++)
		if (s[i] in has_situation) {
			line = line "\t" s[i]
			columns++
		}
	print line
	for (j = 1; j <= m; j++) {
		if (!(c[j] in has_call) || (ratio && least["native", c[j]] <= 0))
			continue
		line = c[j]
		for (i = 1; i <= n; i++)
			if (s[i] in has_situation)
				line = line "\t" (!((s[i], c[j]) in least) ? "?" : \
					least[s[i], c[j]] / \
					(ratio ? least["native", c[j]] : 1))
		print line
		lines++
	}
	exit !(columns && lines)
}
