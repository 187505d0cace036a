#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# bench.bats - the arithmetic of the bench and the verdict of the demo, on
# samples made by hand; and that both really measure, in a short run. No test
# here looks at how long something takes.

load lib/common

setup() {
	SUMMARY=$TOP/tests/bench/summary.awk
	SAMPLES=$BATS_TEST_TMPDIR/samples
	cd "$BATS_TEST_TMPDIR"
}

# summary UNIT <SAMPLES
summary() {
	awk -v unit="$1" -f "$SUMMARY"
}

# Two ticks are one ns; and the counter counts instructions.
counter() {
	printf 'kernel Linux\n'
	printf 'counter ticks 1000000 ns 500000\n'
	printf 'counter ticks 200007 instructions 200000\n'
}

@test "a figure is what rounds took beyond the quickest empty loop, per call" {
	summary ns >out <<-EOF
		$(counter)
		situation native
		sample empty 10 40 20 30
		sample raw-time 10 220 1020 420
	EOF
	run cat out
	assert_output "$(printf 'native\traw-time\tns\t10\t3\t10.000\t20.000\t50.000\tvm')"
}

@test "the median of an even number of rounds is between the two" {
	summary instructions >out <<-EOF
		$(counter)
		situation own
		sample empty 100 0
		sample getppid 100 1000 4000 2000 3000
	EOF
	run cut -f 6,7,8 out
	assert_output "$(printf '10.000\t25.000\t40.000')"
}

@test "each situation has its own empty loop" {
	summary ns >out <<-EOF
		$(counter)
		situation native
		sample empty 1 10
		sample getppid 1 110
		situation passed
		sample empty 1 60
		sample getppid 1 110
	EOF
	run cut -f 1,6 out
	assert_output "$(printf 'native\t50.000\npassed\t25.000')"
}

@test "the turns of a situation are put together, whatever their lengths" {
	summary ns >out <<-EOF
		$(counter)
		situation native
		sample empty 100 200
		sample raw-time 10 220
		situation stock-ptrace
		sample empty 10 0
		sample raw-time 1 9000
		situation native
		sample empty 10 0
		sample raw-time 20 400 800
	EOF
	run cat out
	assert_line --index 0 \
		"$(printf 'native\traw-time\tns\t20\t3\t10.000\t11.000\t20.000\tvm')"
	assert_line --index 1 --partial "stock-ptrace"
	assert_equal "${#lines[@]}" 2
}

# refuses MESSAGE LINE... - after the counter's lines
refuses() {
	local message=$1

	shift
	{
		counter
		printf '%s\n' "$@"
	} >bad
	run summary ns <bad
	assert_failure 1
	assert_output --partial "$message"
}

@test "samples that cannot be right are refused, not averaged" {
	refuses "is no number of ticks" 'situation a' 'sample empty 1 1' \
		'sample time 1 5 -3'
	refuses "quicker than the empty loop" 'situation a' \
		'sample empty 1 9' 'sample time 1 8'
	refuses "no empty loop before time" 'situation a' 'sample time 1 8'
	refuses "no empty loop before time" 'situation a' 'sample empty 1 1' \
		'situation b' 'sample time 1 8'
	refuses "before its situation" 'sample empty 1 1'
	refuses "not understood" 'situation a' 'Segmentation fault'
	refuses "no samples" 'situation a'
}

@test "a counter of something else than instructions is refused" {
	run summary instructions <<-EOF
		counter ticks 70096 instructions 200000
		situation a
		sample empty 1 1
		sample time 1 8
	EOF
	assert_failure 1
	assert_output --partial "does not count instructions"
	run summary instructions <<-EOF
		situation a
		sample empty 1 1
	EOF
	assert_failure 1
	assert_output --partial "before the counter's speed"
}

# samples_of PASSED [METRIC] - what a run left, native 100 and 1000 filtered
samples_of() {
	mkdir -p kept
	{
		counter
		printf 'situation native\nsample empty 1 0\n'
		printf 'sample raw-gettimeofday 1 400 600\n'
		printf 'situation policy-own\nsample empty 1 0\n'
		printf 'sample raw-gettimeofday 1 1000\n'
		printf 'situation passed\nsample empty 1 0\n'
		printf 'sample raw-gettimeofday 1 %s\n' "$1"
	} >kept/instructions.samples
	printf '%s\n' '{"date": "2026-01-02T03:04:05Z", "command": "x",
		"machine": {"cpu": "c", "cpus": 2, "load_at_end": 0},
		"qemu": "q", "placement": {"instructions": "one CPU"}}' \
		>kept/about.json
}

bench_kept() {
	"$TOP/scripts/bench" --metric instructions --samples kept --out out
}

@test "the goal is met at 2 % and missed above" {
	samples_of 1020
	run bench_kept
	assert_success
	assert_output --partial "1020 against 1000, 2 %: PASS"
	samples_of 1021
	run bench_kept
	assert_success
	assert_output --partial "1021 against 1000, 2.1 %: MISS"
}

@test "in the VM a guest's processes are held to those of unmodified UML" {
	samples_of 1020
	printf '%s\n' 'sample fork-exit 1 1000' 'situation stock-seccomp' \
		'sample empty 1 0' 'sample fork-exit 1 970' \
		>>kept/instructions.samples
	run bench_kept
	assert_line --partial "raw-gettimeofday, passed, against native under the filter: 1020 instructions against 1000 instructions, 98.04 %: PASS"
	assert_line --partial "fork-exit, clock timens, against unmodified UML: 1000 instructions against 970 instructions, 97 %: MISS"
}

@test "the results are JSON with every figure and its ratio to native" {
	samples_of 1000
	bench_kept
	run jq -c '.measurements[0], .ratios_to_native[2], .date' \
		out/results.json
	assert_line --index 0 '{"situation":"native","call":"raw-gettimeofday","unit":"instructions","calls_per_round":1,"rounds":2,"min":400,"median":500,"max":600,"where":"vm"}'
	assert_line --index 1 '{"situation":"passed","call":"raw-gettimeofday","unit":"instructions","ratio":2.5,"where":"vm"}'
	assert_line --index 2 '"2026-01-02T03:04:05Z"'
}

@test "the table has a row for each situation" {
	samples_of 1000
	bench_kept
	run grep '^|' out/results.md
	assert_line --regexp '^\| system call, instructions \(ratio\) +\| +gettimeofday \|$'
	assert_line --regexp '^\| native +\| +400 \(1.00\) \|$'
	assert_line --regexp '^\| guest, time calls passed +\| +1000 \(2.50\) \|$'
	run cat out/results.md
	assert_line \
		"Minima. The median is at most 25.0 % above (native, raw-gettimeofday)."
}

# here_of VDSO FORK-EXEC - what a run on this machine left; native takes 1000,
# unmodified UML 5000
here_of() {
	mkdir -p kept
	{
		counter
		printf 'cpu 1\nlacks page-ptrace no such clock\n'
		printf 'situation native\nsample empty 1 0\n'
		printf 'sample vdso-time 1 1000\n'
		printf 'situation stock-seccomp\nsample empty 1 0\n'
		printf 'sample fork-exec 1 5000\n'
		printf 'situation page-seccomp\nsample empty 1 0\n'
		printf 'sample vdso-time 1 %s\nsample fork-exec 1 %s\n' "$@"
	} >kept/this.samples
	printf '%s\n' '{"date": "2026-01-02T03:04:05Z", "command": "x",
		"machine": {"cpu": "c", "cpus": 2, "load_at_end": 0},
		"qemu": "q", "placement": {"this": "one CPU"}}' >kept/about.json
}

@test "on this machine each goal is met at 98 % of the speed, and missed below" {
	here_of 1020 5100
	run "$TOP/scripts/bench" --host this --samples kept --out out
	assert_success
	assert_line --partial "vdso-time, clock page, seccomp, against native: 510 ns against 500 ns, 98.04 %: PASS"
	assert_line --partial "fork-exec, page, seccomp, against unmodified UML: 2550 ns against 2500 ns, 98.04 %: PASS"
	here_of 1022 5200
	run "$TOP/scripts/bench" --host this --samples kept --out out
	assert_success
	assert_line --partial "97.85 %: MISS"
	assert_line --partial "96.15 %: MISS"
}

@test "a situation that is not to be had is named with its reason" {
	here_of 1000 5000
	run "$TOP/scripts/bench" --host this --samples kept --out out
	assert_success
	assert_line "- not measured: page-ptrace, no such clock"
	refute_line --regexp '^\| guest, clock page, ptrace'
}

# mmfd_of GETPPID FAULT COMPILE - what a guest in mmfd mode took; native takes 200
# for getppid and 9500 for the job, unmodified UML 10000 or 20000, and 3000 a fault
mmfd_of() {
	samples_of 1000
	{
		printf 'situation native\nsample getppid 1 200\n'
		printf 'sample compile 1 9500\n'
		printf 'situation stock-seccomp\nsample empty 1 0\n'
		printf 'sample getppid 1 20000\n'
		printf 'situation stock-ptrace\nsample empty 1 0\n'
		printf 'sample getppid 1 10000\nsample fault-page 1 3000\n'
		printf 'situation page-mmfd\nsample empty 1 0\n'
		printf 'sample getppid 1 %s\nsample fault-page 1 %s\n' "$1" "$2"
		printf 'sample compile 1 %s\n' "$3"
	} >>kept/instructions.samples
}

@test "a guest without stubs is held to the better unmodified UML, and to native" {
	mmfd_of 1000 1000 10000
	run bench_kept
	assert_success
	assert_line --partial "getppid, page-mmfd, against the better unmodified UML: 1000 against 10000, 10 times less, at least 10: PASS"
	assert_line --partial "getppid, page-mmfd, against native: 1000 against 200, 5 times as much, at most 5: PASS"
	assert_line --partial "fault-page, page-mmfd, against the better unmodified UML: 1000 against 3000, 3 times less, at least 3: PASS"
	assert_line --partial "compile, page-mmfd, against native: 10000 against 9500, 95 % of the speed, at least 95: PASS"
	refute_line --partial "fork-exec, page-mmfd"
	mmfd_of 1010 1010 10010
	run bench_kept
	assert_success
	assert_line --partial "1010 against 10000, 9.9 times less, at least 10: MISS"
	assert_line --partial "1010 against 200, 5.05 times as much, at most 5: MISS"
	assert_line --partial "1010 against 3000, 2.97 times less, at least 3: MISS"
	assert_line --partial "10010 against 9500, 94.91 % of the speed, at least 95: MISS"
}

@test "what a situation has no figure for is a dash, and jobs have a table" {
	mmfd_of 1000 1000 10000
	bench_kept
	run cat out/results.md
	assert_line --regexp '^\| jobs, instructions \(ratio\) +\| +compile \|$'
	assert_line --regexp '^\| guest, clock page, mmfd +\| +10000 \(1.05\) \|$'
	assert_line --regexp '^\| guest, clock page, mmfd +\| +- \| +1000 \(5.00\) \|$'
}

@test "plots are made of what was measured, and of nothing else" {
	mmfd_of 1000 1000 10000
	bench_kept
	run grep -c '<title>\|</svg>' out/calls-instructions.svg
	assert_success
	run grep -o 'page-mmfd' out/calls-instructions.svg
	assert_line --index 0 page-mmfd
	run grep 'gvisor' out/calls-instructions.svg
	assert_failure
	run head -c 4 out/jobs-instructions.png
	assert_output --partial PNG
	assert_not_exist out/calls-ns.svg
}

@test "what other people's systems cannot do is said when they were measured" {
	samples_of 1000
	bench_kept
	run grep ENOSYS out/results.md
	assert_failure
	printf 'situation gvisor\nsample empty 1 0\nsample getppid 1 9\n' \
		>>kept/instructions.samples
	bench_kept
	run cat out/results.md
	assert_line --partial "gvisor: the host's clock; it has no settimeofday (ENOSYS)"
	refute_line --partial "proot:"
}

@test "a peer that is not to be had is named with its reason" {
	# peers_lacking_with GET TRY SITUATION... - with these statuses
	peers_lacking_with() {
		(
			get=$1 try=$2
			shift 2
			. "$TOP/scripts/lib.sh"
			. "$TOP/scripts/lib-peers.sh"
			BUILD=$BATS_TEST_TMPDIR
			echo "no such thing" >"$BUILD/peers.log"
			get_peer() { return "$get"; }
			try_peer() { return "$try"; }
			peers_lacking "$@"
		)
	}
	run peers_lacking_with 1 0 native proot gvisor-free
	assert_success
	assert_line --index 0 "lacks proot its package cannot be had: no such thing"
	assert_line --index 1 "lacks gvisor-free its package cannot be had: no such thing"
	assert_equal "${#lines[@]}" 2
	run peers_lacking_with 0 1 native proot
	assert_output "lacks proot it does not run here: no such thing"
	run peers_lacking_with 0 0 native proot gvisor
	assert_output ""
}

@test "gVisor comes from the release's backports, by lists of its own" {
	(
		. "$TOP/scripts/lib.sh"
		. "$TOP/scripts/lib-peers.sh"
		CACHE=$BATS_TEST_TMPDIR/cache BUILD=$BATS_TEST_TMPDIR/build
		release_backports() { echo suite-backports; }
		mirror() { echo http://mirror.example/debian; }
		apt-get() { [[ "$*" != *download* ]] || touch runsc_1_amd64.deb; }
		dpkg() { echo "$*" >unpacked; }
		set -e
		fetch_runsc
	)
	run cat cache/peers/sources.list
	assert_output --partial "http://mirror.example/debian suite-backports main"
	assert_equal "$(cat build/peers/unpacked)" "-x runsc_1_amd64.deb ."
	assert_not_exist cache/apt
}

@test "an account of the run that is no JSON leaves the results of before" {
	samples_of 1000
	bench_kept
	printf '{"date": ' >kept/about.json
	run bench_kept
	assert_failure 1
	assert_output --partial "could not write the results"
	run jq -r .goal.own_clock_namespace.passed out/results.json
	assert_output 1000
}

@test "bad samples leave the results of before" {
	samples_of 1000
	bench_kept
	samples_of no-number
	run bench_kept
	assert_failure 1
	assert_output --partial "are not usable"
	run jq -r .goal.own_clock_namespace.passed out/results.json
	assert_output 1000
	run find out -name 'tmp.*'
	assert_output ""
}

@test "bad arguments are named" {
	local bench=$TOP/scripts/bench

	run "$bench" --metric hours
	assert_failure 1
	assert_output --partial "--metric 'hours'"
	run "$bench" --host mars
	assert_failure 1
	assert_output --partial "--host 'mars'"
	run make -s -C "$TOP" run HOST=mars
	assert_failure
	assert_output --partial "HOST=mars: must be this or vm"
	run "$bench" --calls 0
	assert_failure 1
	assert_output --partial "--calls '0'"
	run "$bench" --peers some
	assert_failure 1
	assert_output --partial "--peers 'some'"
	run "$bench" --figures "getppid getpid"
	assert_failure 1
	assert_output --partial "no figure 'getpid'"
	run "$bench" --metric instructions --situations "native smp-mmfd"
	assert_failure 1
	assert_output --partial "situation 'smp-mmfd': instructions are counted on one CPU"
	run "$bench" --frob
	assert_failure 1
	assert_output --partial "unknown argument '--frob'"
	run "$bench" --samples /no/such --out out
	assert_failure 1
	assert_output --partial "/no/such: no about.json there"
	run "$bench" --rounds
	assert_failure 1
	assert_output --partial "--rounds needs a value"
}

@test "this machine's calls and processes are measured, in guests of UML too" {
	requires uml helpers
	run --separate-stderr "$TOP/tests/bench/measure-here" "$BUILD" \
		"$BATS_TEST_TMPDIR/root" 1 \
		"native native-free filtered intercept-seccomp intercept-ptrace" \
		"vdso-time raw-clock_gettime getppid" "fork-exit first-call" \
		"map-touch thread pipe-pong switch-16" "file-tree"
	assert_success
	printf '%s\n' "$output" >samples
	awk -v unit=ns -v where=this -f "$SUMMARY" samples >figures
	run awk -F '\t' '$9 != "this" || $6 <= 0' figures
	assert_output ""
	run awk -F '\t' '{ n[$1]++ } END { for (s in n) print s, n[s] }' figures
	assert_line "native 10"
	assert_line "native-free 10"
	assert_line "filtered 3"
	assert_line "intercept-seccomp 10"
	assert_line "intercept-ptrace 10"
}

@test "the compiler is held open while it is measured so, and not in what comes next" {
	requires helpers
	mkdir bin
	cat >bin/gcc <<-'EOF'
		#!/bin/sh
		ls -l /proc/$PPID/fd | grep -c "/held$" >>counts
		: >"$5"
	EOF
	chmod +x bin/gcc
	: >held
	echo "$PWD/held" >list
	PATH=$PWD/bin:$PATH run "$BUILD/tests/jobs" -r 2 -s any.c -k list \
		compile compile-anew
	assert_success
	run cat counts
	assert_output "$(printf '%s\n' 1 1 1 0 0 0)"
}

@test "what is measured fails if it is not done" {
	requires helpers
	run "$BUILD/tests/jobs" -r 1 compile-anew
	assert_failure 1
	assert_output --partial "needs -s SOURCE"
	echo 'int f(' >broken.c
	run "$BUILD/tests/jobs" -r 1 -s broken.c compile-anew
	assert_failure 1
	assert_output --partial "compile: gcc failed"
	run "$BUILD/tests/jobs" -r 1 -s broken.c compile
	assert_failure 1
	assert_output --partial "compile: needs -k LIST"
	echo "$PWD/no-such-file" >list
	run "$BUILD/tests/jobs" -r 1 -s broken.c -k list compile
	assert_failure 1
	assert_output --partial "$PWD/no-such-file: No such file"
	run "$BUILD/tests/jobs" -r 1 no-job
	assert_failure 1
	assert_output --partial "no-job: no such job"
	run "$BUILD/tests/work" no-work
	assert_failure 1
	assert_output --partial "no-work: no such figure"
	# without /dev/null, and so without a place to write a byte to
	run unshare -m sh -c 'mount -t tmpfs none /dev && exec "$@"' sh \
		"$BUILD/tests/work" -r 1 read-byte
	assert_failure 1
	assert_output --partial "/dev/zero or /dev/null"
}

@test "the demo on this machine shows a guest that sets its own clock only" {
	requires uml helpers
	run "$TOP/scripts/demo-this"
	assert_success
	assert_line --regexp 'before +20.* 20'
	assert_line --regexp 'after settimeofday inside +20.* 2000-01-01 00:00:0'
	assert_line --regexp 'moved by +0 ns'
	assert_line --regexp 'guest, intercepted( +[0-9.]+ \( *[0-9.]+\)){4}$'
}

@test "instructions are counted in every situation, guests too" {
	requires vm-patched shim uml
	"$TOP/scripts/bench" --metric instructions --calls 20 --rounds 3 \
		--figures "vdso-time raw-gettimeofday getppid fork-exit fault-page
			read-byte pipe-pong file-tree" \
		--situations "native own policy policy-own allow passed passed-ptrace \
			intercepted ptrace page-seccomp page-ptrace" --out out
	run jq -e '[.measurements[] | select(.min <= 0)] == []' out/results.json
	assert_success
	run jq '[.measurements[] | .situation] | unique | length' \
		out/results.json
	assert_output 11
	# a filter costs something, a passed call far less than a trapped one
	run jq -e '[.measurements[] | select(.call == "raw-gettimeofday")
		    | {(.situation): .min}] | add
		   | .native < .policy and .native < .allow
		     and .passed * 10 < .intercepted
		     and .passed * 10 < .ptrace' out/results.json
	assert_success
	# what is not in the policy does not pass
	run jq -e '[.measurements[] | select(.call == "getppid")
		    | {(.situation): .min}] | add
		   | .passed > .native * 10' out/results.json
	assert_success
}

@test "a guest that does not do what is to be measured is an error" {
	requires vm-patched shim uml
	# no capability to set a clock, no namespace: nothing may pass
	run "$TOP/scripts/run-vm" --with "$TOP/tests/bench:/bench" -- sh -c '
		sed "s/^OWN=.*/OWN=/" /bench/measure >/run/measure
		sh /run/measure ns 10 3 passed getppid'
	assert_failure 1
	assert_output --partial "UML does not say 'timeclock: timens'"
}

# verdict LINE... - what the demo says of such records
verdict() {
	printf '%s\n' "$@" >clocks
	(
		. "$TOP/scripts/demo"
		TMP=$BATS_TEST_TMPDIR
		show_step
	)
}

GOOD=(
	'clocks 2026-11-21 10:14:45.292 | 2038-01-19 03:14:01.449'
	'offset 1000000 1000080'
	'namespace realtime   352918756  0'
	'set 0'
	'clocks 2026-11-21 10:14:45.750 | 2000-01-01 00:00:00.501'
	'offset 1000010 1000070'
	'namespace realtime   -847880084  0'
)

@test "the demo's verdict: the host's clock did not move" {
	run verdict "${GOOD[@]}"
	assert_success
	assert_output --partial "0 ns (within 70 ns)"
	assert_output --partial "-1200798840 s"
}

@test "the demo fails when the host's clock moved, by however little" {
	run verdict "${GOOD[@]/offset 1000010 1000070/offset 1000081 1000099}"
	assert_failure 1
	assert_output --partial "the host's clock moved by 1 to 99 ns"
	run verdict "${GOOD[@]/offset 1000010 1000070/offset 999000 999999}"
	assert_failure 1
	assert_output --partial "the host's clock moved by -1080 to -1 ns"
}

@test "the demo fails when the guest could not set its clock, or did not" {
	run verdict "${GOOD[@]/set 0/set 1}"
	assert_failure 1
	assert_output --partial "settimeofday in the guest failed"
	run verdict "${GOOD[@]/2000-01-01/2038-01-19}"
	assert_failure 1
	assert_output --partial "but shows 2038-01-19"
}
