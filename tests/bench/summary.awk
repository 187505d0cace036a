# SPDX-License-Identifier: GPL-2.0
# summary.awk - what tests/bench/measure prints, as time per call.
#
# usage: awk -v unit=ns|instructions -f summary.awk SAMPLES
#
# Lines "kernel ..." are skipped. Prints a line for each situation and call,
# separated by tabs:
#   situation call unit calls rounds min median max
# A round's figure is what it took beyond the quickest empty loop of its
# situation, per call. Ticks of the counter become ns by the first of the lines
# that "timecalls -c" printed; instructions must be what the counter counts,
# which the second tells. Fails if a line is malformed, the loop alone took
# longer than the calls, or there is nothing.

function fail(why)
{
	printf "summary: line %d: %s\n", NR, why >"/dev/stderr"
	failed = 1
	exit 1
}

function sort_values(n,    i, j, v)
{
	for (i = 2; i <= n; i++) {
		v = value[i]
		for (j = i - 1; j > 0 && value[j] > v; j--)
			value[j + 1] = value[j]
		value[j + 1] = v
	}
}

function median(n)
{
	return n % 2 ? value[(n + 1) / 2] : (value[n / 2] + value[n / 2 + 1]) / 2
}

# The ticks of this line, sorted, into value[]; returns how many.
function read_values(    i)
{
	for (i = 4; i <= NF; i++) {
		if ($i !~ /^[0-9]+$/)
			fail("'" $i "' is no number of ticks")
		value[i - 3] = $i + 0
	}
	sort_values(NF - 3)
	return NF - 3
}

BEGIN {
	OFS = "\t"
	if (unit != "ns" && unit != "instructions") {
		print "summary: unit must be ns or instructions" >"/dev/stderr"
		failed = 1
		exit 1
	}
}

{ sub(/\r$/, "") }

$1 == "counter" && $2 == "ticks" && $3 > 0 && $5 > 0 && $4 == unit {
	scale = $5 / $3
	if (unit == "instructions" && (scale < 0.999 || scale > 1.001))
		fail("the counter does not count instructions")
	if (unit == "instructions")
		scale = 1
	next
}

$1 == "counter" || $1 == "kernel" { next }

$1 == "situation" && NF == 2 {
	situation = $2
	empty = -1
	next
}

$1 == "sample" && NF > 3 && $3 > 0 {
	if (!scale)
		fail("a sample before the counter's speed")
	if (situation == "")
		fail("a sample before its situation")
	n = read_values()
	if ($2 == "empty") {
		empty = value[1]
		next
	}
	if (empty < 0)
		fail("no empty loop before " $2)
	if (value[1] < empty)
		fail($2 " is quicker than the empty loop")
	k = scale / $3
	printf "%s\t%s\t%s\t%d\t%d\t%.2f\t%.2f\t%.2f\n", situation, $2, unit,
	       $3, n, (value[1] - empty) * k, (median(n) - empty) * k,
	       (value[n] - empty) * k
	lines++
	next
}

{ fail("not understood: " $0) }

END {
	if (failed)
		exit 1
	if (!lines) {
		print "summary: no samples" >"/dev/stderr"
		exit 1
	}
}
