# SPDX-License-Identifier: GPL-2.0
# results.jq - the lines of summary.awk as JSON, with ratios and the goal.
#
# Input: raw lines; $about: an array of one object, what they were taken on.

def figure: split("\t") | {
	situation: .[0], call: .[1], unit: .[2],
	calls_per_round: (.[3] | tonumber), rounds: (.[4] | tonumber),
	min: (.[5] | tonumber), median: (.[6] | tonumber),
	max: (.[7] | tonumber)
};

def round2: . * 100 | round / 100;

# The minimum of one figure, or null.
def pick($situation; $call; $unit):
	map(select(.situation == $situation and .call == $call
		   and .unit == $unit) | .min) | first;

# May the passed call take what it takes, against a native one?
def compare($native; $passed):
	if $native == null or $passed == null then null
	else {
		native: $native, passed: $passed,
		percent: (($passed / $native - 1) * 100 | round2)
	} | .verdict = (if .percent <= 2 then "PASS" else "MISS" end)
	end;

[inputs | figure] as $all
| ($all | pick("passed"; "raw-gettimeofday"; "instructions")) as $passed
| $about[0] + {
	measurements: $all,
	ratios_to_native: [
		$all[] | . as $one
		| ($all | pick("native"; $one.call; $one.unit)) as $native
		| select($native != null and $native > 0)
		| {situation, call, unit, ratio: (.min / $native | round2)}
	],
	goal: {
		what: "instructions of a raw gettimeofday that a guest passes to the host, against a native one under the same filter, at most 2 % more",
		own_clock_namespace: compare(
			$all | pick("policy-own"; "raw-gettimeofday"; "instructions");
			$passed),
		initial_namespace: compare(
			$all | pick("policy"; "raw-gettimeofday"; "instructions");
			$passed)
	}
}
