# SPDX-License-Identifier: GPL-2.0
# summary.awk - what tests/bench/measure and measure-here print, as time per call.
#
# usage: awk -v unit=ns|instructions -v where=vm|this -f summary.awk SAMPLES
#
# Lines "kernel ..." and "cpu ..." are skipped, so are lines "lacks ...". Prints
# a line for each situation and call, separated by tabs:
#   situation call unit calls rounds min median max where
# A round's figure is what it took beyond the quickest empty loop of its
# situation, per call. A situation may come several times: its rounds are put
# together. Ticks of the counter become ns by the first of the lines
# that "timecalls -c" printed; instructions must be what the counter counts,
# which the second tells. Fails if a line is malformed, the loop alone took
# longer than the calls, or there is nothing.

function fail(why)
{
	printf "summary: line %d: %s\n", NR, why >"/dev/stderr"
	failed = 1
	exit 1
}

# Sorts value[1..n]; shell sort, as there may be some thousand.
function sort_values(n,    gap, i, j, v)
{
	for (gap = int(n / 2); gap > 0; gap = int(gap / 2))
		for (i = gap + 1; i <= n; i++) {
			v = value[i]
			for (j = i - gap; j > 0 && value[j] > v; j -= gap)
				value[j + gap] = value[j]
			value[j + gap] = v
		}
}

function median(n)
{
	return n % 2 ? value[(n + 1) / 2] : (value[n / 2] + value[n / 2 + 1]) / 2
}

# One line of samples: ticks per call, in text for its key
function keep(key,    i)
{
	if (!(key in rounds)) {
		order[++keys] = key
		line_of[key] = NR
	}
	for (i = 4; i <= NF; i++) {
		if ($i !~ /^[0-9]+$/)
			fail("'" $i "' is no number of ticks")
		ticks[key, ++rounds[key]] = $i / $3
	}
	calls[key] = $3
}

function report(key,    part, n, i, empty)
{
	split(key, part, SUBSEP)
	empty = least[part[1]]
	n = rounds[key]
	for (i = 1; i <= n; i++)
		value[i] = ticks[key, i]
	sort_values(n)
	if (value[1] < empty) {
		NR = line_of[key]
		fail(part[2] " is quicker than the empty loop")
	}
	printf "%s\t%s\t%s\t%d\t%d\t%.3f\t%.3f\t%.3f\t%s\n", part[1], part[2],
	       unit, calls[key], n, (value[1] - empty) * scale,
	       (median(n) - empty) * scale, (value[n] - empty) * scale, where
}

BEGIN {
	if (where == "")
		where = "vm"
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

$1 == "counter" || $1 == "kernel" || $1 == "cpu" || $1 == "lacks" { next }

$1 == "situation" && NF == 2 {
	situation = $2
	next
}

$1 == "sample" && NF > 3 && $3 > 0 {
	if (!scale)
		fail("a sample before the counter's speed")
	if (situation == "")
		fail("a sample before its situation")
	if ($2 == "empty") {
		for (i = 4; i <= NF; i++) {
			if ($i !~ /^[0-9]+$/)
				fail("'" $i "' is no number of ticks")
			if (!(situation in least) ||
			    $i / $3 < least[situation])
				least[situation] = $i / $3
		}
		next
	}
	if (!(situation in least))
		fail("no empty loop before " $2)
	keep(situation SUBSEP $2)
	next
}

{ fail("not understood: " $0) }

END {
	if (failed)
		exit 1
	for (k = 1; k <= keys; k++)
		report(order[k])
	if (!keys) {
		print "summary: no samples" >"/dev/stderr"
		exit 1
	}
}
