#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# uml-mmfd.bats - UML guests in mmfd mode, in the VM.
#
# These guests run side by side:
#   pass       own clock, may set its clock
#   intercept  the same with timeclock=intercept, to compare with
#   nocaps     may not set its clock
#   page       the initial time namespace, nothing said about the mode
#   smp        as pass, with two CPUs
#   seccomp    in seccomp mode, to see that a test can fail

load lib/common
load lib/clocks
load lib/guests
load lib/hostile

START=2038-01-19T03:14:00Z
MMFD="pass intercept nocaps page smp"

setup_file() {
	local own="timens run --realtime=$START --uptime 0"
	local uml="/usr/bin/setarch -R linux.uml"
	local smp="/usr/bin/setarch -R linux-smp.uml ncpus=2"

	requires vm-patched shim uml uml-smp helpers
	vm_start patched --mem 1536M --with "$(command -v setarch)" \
		--with "$(command -v strace)" \
		--with "$BUILD/uml-smp/linux:/usr/bin/linux-smp.uml"
	sibling_start
	guests_start 180 <<-EOT
		pass $own --keep-caps=sys_time $uml mmfd=on
		intercept $own --keep-caps=sys_time $uml mmfd=on timeclock=intercept
		nocaps $own $uml mmfd=on
		page $uml
		smp $own --keep-caps=sys_time $smp mmfd=on
		seccomp $own --keep-caps=sys_time $uml seccomp=on
	EOT
}

teardown_file() {
	vm_stop
}

# shellcheck disable=SC2034 # nothing_else_moved reads them
setup() {
	host=$(host_clock)
	sibling=$(sibling_line)
}

# refused OPTION... - what UML says before it ends; it must
refused() {
	run vm su user -c "TMPDIR=/dev/shm timeout 20 linux.uml $* 2>&1"
	assert_failure
}

# --- the mode ---------------------------------------------------------------------

@test "the boot log says which mode runs, and mmfd is the one by default" {
	local name

	for name in $MMFD; do
		run userspace "$name"
		assert_output "mmfd: address spaces of this task, memory in areas"
	done
	run userspace seccomp
	assert_output "seccomp (mmfd: it is not asked for)"
}

@test "in mmfd mode UML has no stub process, and in seccomp mode it has" {
	local name

	for name in $MMFD seccomp; do
		guest "$name" sh -c 'sleep 30 >/dev/null 2>&1 &'
		run vm <<-SH
			cat /proc/[0-9]*/stat 2>/dev/null |
				grep -c "(uml-userspace) [A-Z] \$(uml-guest pid /run/uml/$name) "
		SH
		if [ "$name" = seccomp ]; then
			refute_output 0
		else
			assert_output 0
		fi
	done
}

@test "mmfd=on ends UML where /dev/mmfd is not allowed or not there" {
	refused mmfd=on
	assert_output --partial "mmfd=on: /dev/mmfd may not be opened"
	vm mv /dev/mmfd /dev/mmfd.away
	refused mmfd=on
	vm mv /dev/mmfd.away /dev/mmfd
	assert_output --partial "mmfd=on: the host has no /dev/mmfd"
}

@test "an option that is not one is refused" {
	refused mmfd=maybe
	assert_output --partial "Invalid option 'mmfd=maybe', expected auto/on/off"
	refused mmfd_memory=swap
	assert_output --partial "Invalid option 'mmfd_memory=swap', expected areas/file"
}

@test "without the right to it, auto is ptrace, and the log says why" {
	run vm <<-'SH'
		mkdir -p /run/uml/user
		chown user /run/uml/user
		for how in auto off; do
			su user -c "TMPDIR=/dev/shm UML_TIMEOUT=100 uml-guest start \
				/run/uml/user/$how linux.uml mmfd=$how"
			uml-guest log /run/uml/user/$how | tr -d '\r' |
				sed -n 's/.*\] userspace: //p'
			uml-guest run /run/uml/user/$how echo alive
			su user -c "uml-guest stop /run/uml/user/$how"
		done
	SH
	assert_success
	assert_output - <<-'EOF'
		ptrace (mmfd: /dev/mmfd may not be opened)
		alive
		ptrace (mmfd: it is not asked for)
		alive
	EOF
}

# --- calls ------------------------------------------------------------------------

@test "time calls pass, in a guest with two CPUs as well" {
	local name call

	for name in pass nocaps smp; do
		for call in gettimeofday clock_gettime time; do
			assert_passed "$name" "$call"
		done
	done
}

@test "other calls do not, and none with timeclock=intercept or page" {
	assert_intercepted pass getppid
	assert_intercepted smp getppid
	assert_intercepted intercept gettimeofday
	assert_intercepted intercept clock_gettime
	assert_intercepted page gettimeofday
}

@test "time calls of the vDSO do not leave the guest's code on either clock" {
	local name

	for name in pass smp page; do
		run guest "$name" vdso-clock 500
		assert_line "vdso"
		assert_line "steps back: 0"
		run guest "$name" cat /sys/module/timeclock/parameters/counter
		assert_output vdso
	done
}

@test "calls of other architectures end as they do on a kernel without them" {
	run guest pass other-entries
	assert_failure 139
	alive pass
}

# --- a passed call is like an intercepted one -------------------------------------

@test "every kind of buffer gives what interception gives" {
	GUEST_TIMEOUT=100 VM_TIMEOUT=120 same_buffers
}

@test "every clock id gives what interception gives" {
	same_clock_ids
}

@test "the guest's rules for time calls hold, passed or intercepted" {
	GUEST_TIMEOUT=100 VM_TIMEOUT=120 same_rules
}

@test "who steps, traces or filters a process sees its calls as if intercepted" {
	GUEST_TIMEOUT=100 VM_TIMEOUT=120 same_table watched-calls
	run cat "$BATS_TEST_TMPDIR/pass"
	assert_line "step: 22 instructions, then after the calls"
	assert_line "own step: at 70, signal 5, code 2"
	assert_line "attach: 20 stops, 10 calls, goes on"
	assert_line "filter: kill: status 0x1f"
	assert_line "filter: all threads: 0 calls went by it"
}

@test "a tracer in the guest sees every call" {
	tracer_sees_all
}

@test "calls pass again when the tracer is gone" {
	# It attaches and detaches, and then they are counted.
	assert_passed pass gettimeofday
	UNDER=count-calls assert_intercepted pass gettimeofday
	assert_passed pass gettimeofday
}

@test "a seccomp filter in the guest is obeyed, from its first call on" {
	filter_obeyed
}

# --- setting ----------------------------------------------------------------------

@test "every way to set the guest's clock moves guest and namespace, not the host" {
	set_moves_all
}

@test "no reader in the guest shows a time before a set" {
	run guest pass set-and-read 200
	assert_success
	nothing_else_moved
}

@test "a file made right after settimeofday carries the new time" {
	run guest pass file-stamp /tmp 300
	assert_success
	assert_output "300 rounds"
	nothing_else_moved
}

@test "who may not set the clock cannot" {
	unprivileged_refused pass
	unprivileged_refused smp
}

@test "a thread that dropped CAP_SYS_TIME cannot while its process can" {
	threads_differ
}

@test "a file's capability lets who executes it set the clock, and nobody else" {
	file_decides
}

@test "a guest that was given no right to it cannot move its namespace" {
	nocaps_refused
}

# --- registers --------------------------------------------------------------------

@test "vector registers are a task's own, whatever comes between" {
	local name

	for name in pass smp; do
		run guest "$name" fp-registers 100
		assert_success || fail "$name: above"
		assert_equal "$(grep -c ': kept$' <<<"$output")" 8
	done
}

@test "no interruption changes a register, whatever is in it" {
	run guest pass restart-values 200
	assert_success
	assert_equal "$(grep -c ': kept$' <<<"$output")" 7
}

@test "who steps over calls sees what he sees of intercepted ones" {
	same_table step-calls
	run cat "$BATS_TEST_TMPDIR/pass"
	assert_line --partial "moved by 2"
}

@test "a memory access gone wrong gives the signal that it gives on the host" {
	run vm bus-errors
	assert_success
	host_errors=$output
	run guest pass bus-errors
	assert_output "$host_errors"
}

@test "no page stays within a process' reach that was unmapped" {
	local name

	for name in pass smp; do
		run guest "$name" stale-pages
		assert_success || fail "$name: above"
		assert_equal "$(grep -c ': 48 before, 0 after$' <<<"$output")" 4
	done
}

# --- several CPUs -----------------------------------------------------------------

@test "threads of a process run at the same time on two CPUs, and not on one" {
	run guest smp spin-together 2000
	assert_success
	((output < 8000)) || fail "2000 turns took $output ms"
	run guest pass spin-together 100
	assert_success
	((output > 400)) || fail "100 turns took $output ms, one at a time"
}

@test "what a child has is not changed by a thread of its parent" {
	GUEST_TIMEOUT=100 VM_TIMEOUT=120 run guest smp fork-race 60
	assert_output "60 rounds, 0 changed"
}

# --- memory -----------------------------------------------------------------------

# What guests have in pages that are not in areas, they have by the same rules.
@test "with the memory of a file all is the same" {
	UML_TIMEOUT=100 VM_TIMEOUT=120 vm uml-guest start /run/uml/file \
		linux.uml mmfd=on mmfd_memory=file
	run userspace file
	assert_output "mmfd: address spaces of this task, memory of a file"
	GUEST_TIMEOUT=100 VM_TIMEOUT=120 run guest file sh -ec '
		stale-pages
		bus-errors >/tmp/errors
		fp-registers >/tmp/registers
		seq 1 200 | while read n; do echo $n; done | tail -n 1'
	assert_success
	assert_equal "$(grep -c ': 48 before, 0 after$' <<<"$output")" 4
	assert_line 200
	vm uml-guest stop /run/uml/file
}

# tables WAY - how many KiB of page tables the host has for a guest that has used a
# page in each of 3000; WAY is what table-pages does with them
tables()
{
	vm <<-SH
		kib() { sed -n 's/^PageTables: *\([0-9]*\) kB/\1/p' /proc/meminfo; }
		before=\$(kib)
		uml-guest run /run/uml/page sh -ec '
			table-pages 3000 $1 >/tmp/out &
			echo \$! >/tmp/pid
			until grep -q done /tmp/out; do usleep 100000; done'
		echo \$((\$(kib) - before))
		uml-guest run /run/uml/page sh -c 'kill \$(cat /tmp/pid)'
	SH
}

@test "the host has page tables for what is mapped, not for what was" {
	run tables keep
	assert_success
	((output > 11000)) || fail "kept: $output KiB"
	run tables free
	assert_success
	((output < 1000)) || fail "freed: $output KiB"
}

# --- limits -----------------------------------------------------------------------

@test "without descriptors fork fails, and the guest goes on" {
	run vm <<-'SH'
		(
			ulimit -n 64
			UML_TIMEOUT=100 uml-guest start /run/uml/few linux.uml mmfd=on
		)
		uml-guest run /run/uml/few <<-'GUEST'
			# 3 is open in all that sleep: 4 is at its end when they are gone,
			# and until then nothing here forks.
			mkfifo /tmp/held
			exec 3<>/tmp/held 4</tmp/held
			(
				i=0
				while [ $i -lt 60 ]; do sleep 5 & i=$((i + 1)); done
			) 2>/tmp/refused || :
			exec 3>&-
			read -r line <&4 || :
			grep -o "can.t fork: Cannot allocate memory" /tmp/refused
			echo alive
			echo again | cat
		GUEST
		uml-guest stop /run/uml/few
	SH
	assert_success
	assert_output - <<-'EOF'
		can't fork: Cannot allocate memory
		alive
		again
	EOF
}

# --- a filter on UML --------------------------------------------------------------

@test "confined to the calls that it needs, UML is as ever, and nothing passes" {
	UML_TIMEOUT=100 VM_TIMEOUT=120 vm uml-guest start /run/uml/confined \
		timens run --realtime=$START --uptime 0 --keep-caps=sys_time \
		--confine uml linux.uml mmfd=on
	run vm <<-'SH'
		grep -E '^(NoNewPrivs|Seccomp):' \
			"/proc/$(uml-guest pid /run/uml/confined)/status" | tr '\t' ' '
	SH
	assert_output $'NoNewPrivs: 1\nSeccomp: 2'
	run userspace confined
	assert_output "mmfd: address spaces of this task, memory in areas"
	run timeclock confined
	assert_line --index 0 --partial "timens: "
	run guest confined vdso-clock 300
	assert_line "vdso"
	assert_intercepted confined gettimeofday 500
	run guest confined sh -ec '
		bus-errors >/tmp/errors
		fork-race 10
		fp-registers 20
		date -u -s "2030-01-01 00:00:00" >/dev/null
		date -u +%Y'
	assert_success
	assert_line "10 rounds, 0 changed"
	assert_line 2030
	vm uml-guest stop /run/uml/confined
	nothing_else_moved
}

# --- the end ----------------------------------------------------------------------

# The longest stretch of nothing but mmfd_run() and ticks: how many of each
STRETCH='
	function ends() { if (n > max) { max = n; most = ticks }; n = ticks = 0 }
	/0x1d9|mmfd_run/ { n++; next }
	/SIGALRM/ { ticks++; next }
	/timer_settime|sigreturn/ { next }
	{ ends() }
	END { ends(); print "stretch " max + 0, most + 0 }'

@test "a system call of the guest is one of the host" {
	local call n ticks

	# A tracer of UML counts; so nothing passes, and all is slow: the guest is
	# alone, and the tracer comes when the program has been started.
	vm <<-'SH'
		for g in intercept nocaps page smp seccomp; do
			uml-guest stop /run/uml/$g
		done
	SH
	for call in "getppid 0" "getppid 300" "gettimeofday 300"; do
		run vm <<-SH
			pid=\$(uml-guest pid /run/uml/pass)
			uml-guest run /run/uml/pass sh -c "
				(sleep 2; raw-calls $call) >/dev/null 2>&1 &"
			usleep 1000000
			strace -f -o /run/trace -p \$pid 2>/dev/null &
			sleep 12
			kill \$!
			wait \$! 2>/dev/null || :
			awk '$STRETCH' /run/trace
		SH
		assert_success
		read -r n ticks < <(sed -n 's/^stretch //p' <<<"$output")
		# A tick makes one of them end before its time, if it is not between two.
		((n >= ${call#* } && n - ticks <= ${call#* } + 60)) ||
			fail "$call: $n host calls, $ticks ticks"
	done
}

@test "guests end when told to" {
	run vm <<-'SH'
		uml-guest stop /run/uml/pass
		ps | grep '[l]inux' || true
	SH
	assert_success
	assert_output ""
	nothing_else_moved
}
