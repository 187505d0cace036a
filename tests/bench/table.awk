# SPDX-License-Identifier: GPL-2.0
# table.awk - the lines of summary.awk as Markdown tables, for one metric.
#
# usage: awk -F '\t' -v metric=ns|instructions -v where=vm|this -f table.awk FIGURES
#
# Tables of calls through the vDSO, of system calls, of processes and memory, of
# switches, and of jobs. Cells hold the minimum and its ratio to that of the same
# call in the situation "native"; "-" means not measured. A line after them tells how
# far the median is from the minimum at most.

BEGIN {
	label["native"] = "native"
	label["own"] = "native, own wall clock"
	label["policy"] = "native, UML's filter"
	label["policy-own"] = "native, UML's filter, own wall clock"
	label["allow"] = "native, filter that allows all"
	label["passed"] = "guest, time calls passed"
	label["intercepted"] = "guest, intercepted (seccomp)"
	label["passed-ptrace"] = "guest, time calls passed (ptrace)"
	label["passed-mmfd"] = "guest, time calls passed (mmfd)"
	label["intercepted-mmfd"] = "guest, intercepted (mmfd)"
	label["page-mmfd"] = "guest, clock page, mmfd"
	label["filtered"] = "native, under a filter"
	for (i = split("seccomp ptrace", mode, " "); i > 0; i--) {
		m = mode[i]
		label["stock-" m] = "unmodified UML, " m
		label["page-" m] = "guest, clock page, " m
		label["tsc-" m] = "guest, clock page by TSC, " m
		label["intercept-" m] = "guest, intercepted, " m
	}
	label["ptrace"] = "guest, intercepted (ptrace)"
	label["native-dynamic"] = "native, linked dynamically"
	label["smp-seccomp"] = "guest, two CPUs, page, seccomp"
	label["smp-mmfd"] = "guest, two CPUs, page, mmfd"
	label["faketime"] = "libfaketime, linked dynamically"
	label["proot"] = "proot"
	label["gvisor"] = "gVisor, systrap"
}

function label_of(s,    base)
{
	base = s
	sub(/-free$/, "", base)
	return (base in label ? label[base] : base) \
	       (base != s ? ", not pinned" : "")
}

$3 != metric || $9 != where { next }

!($1 in seen) { seen[$1] = 1; situations[++rows] = $1 }

!($2 in column) { column[$2] = 1; calls[++columns] = $2 }

{ least[$1, $2] = $6 }

$6 > 0 && $7 / $6 - 1 >= spread {
	spread = $7 / $6 - 1
	widest = $1 ", " $2
}

# Three digits, or all before the point.
function figure(x)
{
	return sprintf(x < 10 ? "%.2f" : x < 100 ? "%.1f" : "%.0f", x)
}

function cell(s, c,    text)
{
	if (!((s, c) in least))
		return "-"
	text = figure(least[s, c])
	if (("native", c) in least && least["native", c] > 0)
		text = text " (" figure(least[s, c] / least["native", c]) ")"
	return text
}

function is_kind(c, kind)
{
	if (c ~ /^vdso-/)
		return kind == "vDSO"
	if (c ~ /^(fork|first|fault|map|thread)/)
		return kind == "processes"
	if (c ~ /^(pipe|switch)-/)
		return kind == "switches"
	if (c == "file-tree" || c ~ /^compile/)
		return kind == "jobs"
	return kind == "system call"
}

# Has the situation a figure of that kind?
function any(s, kind,    i)
{
	for (i = 1; i <= columns; i++)
		if (is_kind(calls[i], kind) && (s, calls[i]) in least)
			return 1
	return 0
}

function table(kind,    i, j, c, s)
{
	for (i = 1; i <= columns; i++)
		if (is_kind(calls[i], kind))
			break
	if (i > columns)
		return
	printf "\n| %-36s |", kind ", " metric " (ratio)"
	for (i = 1; i <= columns; i++) {
		c = calls[i]
		if (!is_kind(c, kind))
			continue
		sub(/^(vdso|raw)-/, "", c)
		printf " %14s |", c
	}
	printf "\n|:-------------------------------------|"
	for (i = 1; i <= columns; i++)
		if (is_kind(calls[i], kind))
			printf "---------------:|"
	printf "\n"
	for (j = 1; j <= rows; j++) {
		s = situations[j]
		if (!any(s, kind))
			continue
		printf "| %-36s |", label_of(s)
		for (i = 1; i <= columns; i++)
			if (is_kind(calls[i], kind))
				printf " %14s |", cell(s, calls[i])
		printf "\n"
	}
}

END {
	if (!rows)
		exit
	table("system call")
	table("vDSO")
	table("processes")
	table("switches")
	table("jobs")
	printf "\nMinima. The median is at most %.1f %% above (%s).\n",
	       spread * 100, widest
}
