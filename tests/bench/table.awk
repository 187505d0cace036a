# SPDX-License-Identifier: GPL-2.0
# table.awk - the lines of summary.awk as a Markdown table, for one metric.
#
# usage: awk -F '\t' -v metric=ns|instructions -f table.awk FIGURES
#
# Cells hold the minimum, for ns also the median, and the ratio of the minimum
# to that of the same call in the situation "native".

BEGIN {
	label["native"] = "native"
	label["own"] = "native, own wall clock"
	label["policy"] = "native, UML's filter"
	label["policy-own"] = "native, UML's filter, own wall clock"
	label["allow"] = "native, filter that allows all"
	label["passed"] = "guest, passed"
	label["intercepted"] = "guest, intercepted (seccomp)"
	label["ptrace"] = "guest, intercepted (ptrace)"
}

$3 != metric { next }

!($1 in seen) { seen[$1] = 1; situations[++rows] = $1 }

!($2 in column) { column[$2] = 1; calls[++columns] = $2 }

{ least[$1, $2] = $6; middle[$1, $2] = $7 }

# Digits after the point only where they tell something.
function figure(x)
{
	return x < 100 ? sprintf("%.1f", x) : sprintf("%.0f", x)
}

function cell(s, c,    text)
{
	if (!((s, c) in least))
		return ""
	text = figure(least[s, c])
	if (metric == "ns")
		text = text " / " figure(middle[s, c])
	if (("native", c) in least && least["native", c] > 0)
		text = text sprintf(" (%.2f)", least[s, c] / least["native", c])
	return text
}

function heading(c)
{
	if (sub(/^vdso-/, "", c))
		return c ", vDSO"
	sub(/^raw-/, "", c)
	return c
}

END {
	if (!rows)
		exit
	printf "\n%s per call, %s (ratio to native)\n\n", metric,
	       metric == "ns" ? "minimum / median" : "minimum"
	printf "| "
	for (i = 1; i <= columns; i++)
		printf "| %s ", heading(calls[i])
	printf "|\n|---"
	for (i = 1; i <= columns; i++)
		printf "|--:"
	printf "|\n"
	for (j = 1; j <= rows; j++) {
		s = situations[j]
		printf "| %s ", (s in label ? label[s] : s)
		for (i = 1; i <= columns; i++)
			printf "| %s ", cell(s, calls[i])
		printf "|\n"
	}
}
