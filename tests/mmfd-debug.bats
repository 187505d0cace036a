#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# mmfd-debug.bats - CONFIG_MMFD beside what only the debug kernel has: protection
# keys, probes and events of user code, audit, allocations that fail, guards that can
# be turned off. Part of make check KERNEL=debug only.

load lib/common
load lib/kselftest
load lib/debug

setup_file() {
	needs_debug_kernel
	vm_start patched --with "$BUILD/selftests:/selftests" \
		--with "$BUILD/shim/examples/mmfd-supervisor:/tests/mmfd-supervisor"
}

setup() {
	vm <<-'SH'
		[ -d /sys/kernel/debug/mmfd ] || mount -t debugfs none /sys/kernel/debug
	SH
}

teardown_file() {
	vm_stop
}

@test "protection keys of a guest and of its supervisor are two things" {
	passes mmfd_keys 2
}

@test "nobody's probes are in a guest" {
	passes mmfd_uprobes 1
}

@test "a task whose memory user_events writes to stays in its address space" {
	passes mmfd_events 1
}

# An allocation that fails may be told of in the log: nothing else may be there.
@test "every allocation of every call can fail, which changes nothing and leaks nothing" {
	leaks_nothing /selftests/mmfd_faults
	passed 11
}

@test "what is made and closed again leaks nothing" {
	leaks_nothing "/selftests/mmfd_fuzz -s 2027 -n 10000"
	passed 1
}

# notices GUARD PROGRAM TEST - the test passes, not without the guard, and with it
# again
notices() {
	local state

	for state in Y N Y; do
		vm sh -c "echo $state >/sys/kernel/debug/mmfd/guards/$1"
		VM_TIMEOUT=120 run vm "/selftests/$2" -t "$3"
		vm sh -c "echo Y >/sys/kernel/debug/mmfd/guards/$1"
		assert_line '1..1'
		case $state in
		Y)	assert_success
			assert_line --partial ' pass:1 fail:0 ' ;;
		N)	assert_failure 1
			assert_line --partial ' pass:0 fail:1 ' ;;
		esac
	done
}

@test "a test notices if registers of home do not come back" {
	local guard

	for guard in bases fpu selectors; do
		notices $guard mmfd_contain registers_of_the_supervisor_stay
	done
	notices fpu mmfd_contain registers_of_the_supervisor_are_not_seen
	notices pkru mmfd_keys protection_keys_of_the_supervisor_stay
	notices ops_pkru mmfd_keys changes_from_outside_do_not_touch_protection_keys
}

@test "random operations notice it too" {
	local guard

	for guard in bases fpu selectors; do
		vm sh -c "echo N >/sys/kernel/debug/mmfd/guards/$guard"
		VM_TIMEOUT=120 run vm /selftests/mmfd_fuzz -s 1 -n 5000
		vm sh -c "echo Y >/sys/kernel/debug/mmfd/guards/$guard"
		assert_failure 1
		assert_line --partial ' pass:0 fail:1 '
	done
}

@test "a test notices if registers that user code cannot have are taken" {
	local guard

	for guard in flags rip ss; do
		notices $guard mmfd_run registers_that_user_code_cannot_have_are_refused
	done
}

@test "a test notices if calls of a guest are made" {
	notices syscalls mmfd_contain every_system_call_traps
	notices vsyscall mmfd_contain vsyscalls_trap
	notices call_bounds mmfd_run calls_out_of_bounds_trap
	notices failed_calls mmfd_run time_calls_that_fail_trap_as_at_entry
	notices watched_calls mmfd_run nothing_passes_a_supervisor_with_a_filter
	notices watched_calls mmfd_task a_tracer_sees_home
}

@test "a test notices if a guest is where home should be" {
	notices divert mmfd_run exceptions_leave_the_signals_of_home_alone
	notices home_first mmfd_contain an_endless_loop_is_interrupted
	notices home_mm mmfd_task proc_shows_home
	notices rseq mmfd_task rseq_does_not_write_to_the_guest
	notices immediate_exit mmfd_run immediate_exit_runs_nothing
}

@test "a test notices if a task is let in with state that a guest would inherit" {
	notices breakpoints mmfd_refuse hardware_breakpoints
	notices ports mmfd_refuse ports
	notices segments mmfd_refuse segment_selectors
	notices segments mmfd_refuse entries_of_the_gdt
	notices uprobe_copy mmfd_uprobes guests_have_no_breakpoints_of_others
	notices uprobe_set mmfd_uprobes guests_have_no_breakpoints_of_others
}

@test "a test notices if input is not checked" {
	notices files mmfd_objects files_map_with_the_rights_of_the_descriptor
	notices malformed mmfd_objects a_malformed_batch_does_nothing
	notices memory_end mmfd_areas mistakes_have_their_errors
	notices area_access mmfd_areas other_mappings_are_none_of_its_business
	notices noreplace mmfd_objects a_batch_stops_at_the_first_error
	notices reserved mmfd_objects bad_arguments_are_refused
	notices reserved mmfd_run registers_that_user_code_cannot_have_are_refused
	notices run_page mmfd_objects run_page_maps_as_one_shared_page_only
}

@test "a test notices if nobody answers for memory" {
	notices idle_pages mmfd_memory \
		the_oom_killer_sees_address_spaces_that_nobody_is_inside_of
	notices owner mmfd_memory the_maker_is_charged_after_its_end_too
}

@test "every guard that can be turned off has a test" {
	local guard

	for guard in $(vm ls /sys/kernel/debug/mmfd/guards); do
		run grep -c "notices $guard \|for guard in.*\<$guard\>" \
			"$BATS_TEST_FILENAME"
		assert [ "$output" -ge 1 ]
	done
}

@test "a test notices if code elsewhere gets at home, or home does not come back" {
	notices frame_top mmfd_hostile the_stack_pointer_has_no_say
	notices forged mmfd_hostile forged_frames_lead_nowhere
	notices ends_home mmfd_signal robust_mutexes_are_given_up
	notices bases mmfd_signal each_side_has_its_bases
	notices selectors mmfd_signal selectors_are_put_back
}

@test "a test notices if a task moves that should not, or not with all it has" {
	notices mdwe mmfd_stay not_out_of_memory_deny_write_execute
	notices rseq mmfd_switch rseq_is_brought_up_to_date
}

# The last one: once audit has been on, it is for all processes to come, and nothing
# passes that a guard could keep.
@test "time calls of a guest whose supervisor is audited trap, and do not otherwise" {
	run vm mmfd-supervisor
	assert_line 'time calls of the guest: 3000, of which trapped: 0'
	run vm audited-calls mmfd-supervisor
	assert_line 'time calls of the guest: 3000, of which trapped: 3000'
	run vm audited-calls --never mmfd-supervisor
	assert_line 'time calls of the guest: 3000, of which trapped: 0'
}
