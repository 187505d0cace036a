# SPDX-License-Identifier: GPL-2.0
# results.jq - the lines of summary.awk as JSON, with ratios and the goal.
#
# Input: raw lines; $about: an array of one object, what they were taken on.

def figure: split("\t") | {
	situation: .[0], call: .[1], unit: .[2],
	calls_per_round: (.[3] | tonumber), rounds: (.[4] | tonumber),
	min: (.[5] | tonumber), median: (.[6] | tonumber),
	max: (.[7] | tonumber), where: .[8]
};

def round2: . * 100 | round / 100;

# The minimum of one figure, or null.
def pick($where; $situation; $call; $unit):
	map(select(.where == $where and .situation == $situation
		   and .call == $call and .unit == $unit) | .min) | first;

# The speed of one figure in percent of that of another, at least $least.
def speed($what; $of; $against; $least):
	if $of == null or $against == null then empty
	else {
		what: $what, ours: ($of | round2), theirs: ($against | round2),
		percent: ($against / $of * 100 | round2)
	} | .verdict = (if .percent >= $least then "PASS" else "MISS" end)
	end;

def vdso_calls: "vdso-gettimeofday", "vdso-clock_gettime", "vdso-monotonic",
	"vdso-coarse", "vdso-time", "vdso-getres";
def processes: "fork-exit", "fork-exec", "first-call", "first-forked",
	"fault-page", "fault-timed";

# One goal: the call in the situation $ours against that in $theirs.
def goal($where; $unit; $what; $call; $ours; $theirs):
	speed("\($call), \($what)"; pick($where; $ours; $call; $unit);
	      pick($where; $theirs; $call; $unit); 98);

# The goals on this machine: in each mode the vDSO against native, and
# processes against those of UML without our commits.
def goals_here:
	[("seccomp", "ptrace") as $mode
	 | (vdso_calls as $call
	    | goal("this"; "ns"; "clock page, \($mode), against native";
		   $call; "page-\($mode)"; "native"),
	      goal("this"; "ns"; "clock page by TSC, \($mode), against native";
		   $call; "tsc-\($mode)"; "native")),
	   (("page", "intercept") as $clock | processes as $call
	    | goal("this"; "ns"; "\($clock), \($mode), against unmodified UML";
		   $call; "\($clock)-\($mode)"; "stock-\($mode)"))];

# Those in the VM: calls that the host answers against native ones in such a
# namespace, processes against those of UML without our commits.
def goals_vm:
	[(("raw-gettimeofday", "raw-clock_gettime", "raw-monotonic",
	   "raw-coarse", "raw-time") as $call
	  | goal("vm"; "instructions"; "passed, against native under the filter";
		 $call; "passed"; "policy-own"),
	    goal("vm"; "instructions"; "passed in ptrace mode, against native under the filter";
		 $call; "passed-ptrace"; "policy-own")),
	 (vdso_calls as $call
	  | goal("vm"; "instructions"; "clock timens, against native";
		 $call; "passed"; "own")),
	 (processes as $call
	  | goal("vm"; "instructions"; "clock timens, against unmodified UML";
		 $call; "passed"; "stock-seccomp"),
	    goal("vm"; "instructions"; "clock timens, ptrace, against unmodified UML";
		 $call; "passed-ptrace"; "stock-ptrace"),
	    (("seccomp", "ptrace") as $mode
	     | goal("vm"; "instructions"; "page, \($mode), against unmodified UML";
		    $call; "page-\($mode)"; "stock-\($mode)")))];

# What a guest without stubs is to cost, in the VM, in instructions: so many times
# less than the better mode of UML without our commits, or so much of native.
def least($call):
	[pick("vm"; "stock-seccomp"; $call; "instructions"),
	 pick("vm"; "stock-ptrace"; $call; "instructions")]
	| map(select(. != null)) | min;

# At least $least of $unit; at most if $least is negative.
def wanted($what; $ours; $theirs; $is; $least; $unit):
	if $ours == null or $theirs == null then empty
	else {
		what: $what, ours: ($ours | round2), theirs: ($theirs | round2),
		is: ($is | round2), wanted: ($least | fabs),
		bound: (if $least < 0 then "at most" else "at least" end),
		unit: $unit
	} | .verdict = (if (if $least < 0 then $is <= -$least else $is >= $least end)
			then "PASS" else "MISS" end)
	end;

# $theirs in terms of $ours; what is not there counts for nothing
def times($ours; $theirs): ($theirs // 0) / ($ours // 1);

def goals_mmfd:
	[("page-mmfd", "passed-mmfd") as $s
	 | pick("vm"; $s; "getppid"; "instructions") as $null
	 | pick("vm"; "native"; "getppid"; "instructions") as $native
	 | wanted("getppid, \($s), against the better unmodified UML";
		  $null; least("getppid"); times($null; least("getppid")); 10;
		  "times less"),
	   wanted("getppid, \($s), against native"; $null; $native;
		  times($native; $null); -5; "times as much"),
	   (("fault-page", "fork-exec") as $call
	    | pick("vm"; $s; $call; "instructions") as $ours
	    | wanted("\($call), \($s), against the better unmodified UML";
		     $ours; least($call); times($ours; least($call)); 3;
		     "times less")),
	   (pick("vm"; $s; "compile"; "instructions") as $ours
	    | pick("vm"; "native"; "compile"; "instructions") as $theirs
	    | wanted("compile, \($s), against native"; $ours; $theirs;
		     100 * times($ours; $theirs); 95; "% of the speed"))];

# May the passed call take what it takes, against a native one?
def compare($native; $passed):
	if $native == null or $passed == null then null
	else {
		native: $native, passed: $passed,
		percent: (($passed / $native - 1) * 100 | round2)
	} | .verdict = (if .percent <= 2 then "PASS" else "MISS" end)
	end;

[inputs | figure] as $all
| ($all | pick("vm"; "passed"; "raw-gettimeofday"; "instructions")) as $passed
| $about[0] + {
	measurements: $all,
	ratios_to_native: [
		$all[] | . as $one
		| ($all | pick($one.where; "native"; $one.call; $one.unit)) as $native
		| select($native != null and $native > 0)
		| {situation, call, unit, ratio: (.min / $native | round2), where}
	],
	goals_this_machine: ($all | goals_here),
	goals_vm: ($all | goals_vm),
	goals_without_stubs: ($all | goals_mmfd),
	goal: {
		what: "instructions of a raw gettimeofday that a guest passes to the host, against a native one under the same filter, at most 2 % more",
		own_clock_namespace: compare(
			$all | pick("vm"; "policy-own"; "raw-gettimeofday"; "instructions");
			$passed),
		initial_namespace: compare(
			$all | pick("vm"; "policy"; "raw-gettimeofday"; "instructions");
			$passed)
	}
}
