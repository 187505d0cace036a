#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# guest-selftests.bats - the kernel's own tests of time, futexes, ptrace, seccomp,
# x86 and memory, in UML guests of every clock and way of interception: what each
# gives is what it gives on the host, but for the exceptions in lib/selftests.except.
# The table of what passed, in uml-glue/README.md, is build/check/guest-selftests.md.
#
# Not here:
#   posix_timers     does not end in any UML guest, ours or unmodified: a task
#                    that only computes gets no signal from ITIMER_VIRTUAL
#   adjtick, change_skew, freq-step, leapcrash, nsleep-lat, raw_skew, set-2038,
#   set-timer-lat, skew_consistency
#                    take minutes each
#   clocksource-switch
#                    the emulated host does not survive it each time
#   alarmtimer-suspend, rtcpie
#                    no RTC in the guest
#   futex_wait, futex_requeue, futex_requeue_pi, futex_wait_uninitialized_heap
#                    give threads 10 ms to get somewhere, which the emulated host
#                    does not keep; or take long
#   robust_list, futex_priv_hash, futex_numa
#                    of calls that the guest's kernel, or the host's, has not built in
#   vmaccess         does not end, natively neither
#   corrupt_xstate_header
#                    gives what it gives natively in mmfd mode; in seccomp mode the
#                    wrong FPU registers are ignored, and in ptrace mode they end the
#                    process
#   syscall_nt, single_step_syscall, sigreturn, ldt_gdt, fsgsbase, nx_stack,
#   int_signal, test_vsyscall, syscall_numbering
#                    selectors, TF, LDT entries, the vsyscall page and the numbers of
#                    x32 calls are not as natively in a guest
#   ioperm, iopl     a guest has no ports
#   sigtrap_loop     in ptrace and mmfd mode ends by SIGTRAP, as a guest's kernel does
#                    not clear TF when it calls a signal handler
#   droppable        fills the memory of the host
#   mlock2-tests, madv_populate and most of mm's
#                    need smaps or pagemap, which the VM's kernel does not have
#   vdso_test_getrandom, vdso_test_chacha, vdso_standalone_test_x86
#                    no clock; the last is vdso_test_gettimeofday once more

load lib/common
load lib/cells

setup_file() {
	requires vm-patched shim uml helpers
	VM_START=300 cells_start
}

teardown_file() {
	mkdir -p "$BUILD/check"
	cells_table "$BUILD/check/guest-selftests.md"
	cells_stop
}

@test "every guest has the clock and the way of interception that its name says" {
	local cell

	for cell in "${CELLS_HERE[@]}" "${CELLS_VM[@]}"; do
		run cell_log "$cell"
		assert_output --partial "timeclock: ${cell%-*}" ||
			fail "this was $cell"
		assert_output --partial "userspace: ${cell#*-}" ||
			fail "this was $cell"
	done
}

@test "timens: timens, timerfd, timer, procfs, exec, vfork_exec" {
	same timens
	same timerfd
	same timer
	same procfs
	same exec
	same vfork_exec
}

@test "timens: clock_nanosleep, futex" {
	same clock_nanosleep
	same futex
}

@test "vDSO: gettimeofday, getcpu" {
	same vdso_test_gettimeofday
	same vdso_test_getcpu
}

@test "vDSO: the interface, each clock" {
	same vdso_test_abi
}

@test "vDSO: correctness" {
	# A guest has one CPU, and no getcpu in its vDSO
	IGNORE='CPU [0-9]+:' same vdso_test_correctness
}

@test "timers: nanosleep" {
	same nanosleep
}

@test "timers: mqueue-lat" {
	same mqueue-lat
}

@test "timers: inconsistency-check, threadtest" {
	same inconsistency-check -t 1
	same threadtest -t 3
}

@test "timers: valid-adjtimex, set-tai, set-tz" {
	same_alone valid-adjtimex
	same_alone set-tai
	same_alone set-tz
}

@test "timers: leap-a-day" {
	same_alone leap-a-day -i 1
}

@test "futex: waits" {
	same futex_wait_timeout
	same futex_wait_wouldblock
	same futex_waitv
	same futex_wait_private_mapped_file
}

@test "futex: requeues" {
	same futex_requeue_pi_mismatched_ops
	same futex_requeue_pi_signal_restart
}

@test "ptrace: what a tracer is told of calls and signals" {
	same get_syscall_info
	same set_syscall_info
	same peeksiginfo
	same get_set_sud
}

@test "seccomp: filters, tracers, notifications" {
	# What is left out loops 100000 times, or is of uprobes, which UML has not
	LIMIT=300 same seccomp_bpf -F UPROBE \
		-T user_notification_wait_killable_after_reply
}

@test "x86: the vDSO moved" {
	same test_mremap_vdso
}

@test "mm: mappings made, moved, populated" {
	same map_fixed_noreplace
	same map_populate
	same mremap_dontunmap
}

@test "mm: memory that cannot be executed, or is a dying process'" {
	same mdwe_test
	same mrelease_test
}

@test "a difference that no exception names is noticed, and so is an idle exception" {
	EXCEPT=/dev/null run same timer
	assert_failure
	assert_output --partial "-ok 3 clockid=9"
	assert_output --partial "timer differs from the host three times in: ${CELLS_HERE[0]}"
	echo '.* | exec | no such line | nothing' >"$BATS_TEST_TMPDIR/except"
	EXCEPT=$BATS_TEST_TMPDIR/except run same exec
	assert_failure
	assert_output --partial "no line for the exception: no such line"
}
