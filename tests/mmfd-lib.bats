#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# mmfd-lib.bats - libmmfd on a kernel with CONFIG_MMFD, and on one without, in
# the VM, on two CPUs. mmfd-lib-up.bats is the same on one CPU, mmfd-lib-smp4.bats
# on four. What needs no kernel is in unit/mmfd.bats.

load lib/common

setup_file() {
	requires vm-patched vm-stock shim helpers
	make -s -C "$TOP/shim" OUT="$BUILD/shim" all unit
	SMP=2
	case $BATS_TEST_FILENAME in
	*-up.bats)	SMP=1 ;;
	*-smp4.bats)	SMP=4 ;;
	esac
	# the last one is who vm asks
	vm_start stock --smp "$SMP" --with "$BUILD/shim/examples:/examples" \
		--with "$BUILD/shim/unit:/unit"
	vm_start patched --smp "$SMP" --with "$BUILD/shim/examples:/examples" \
		--with "$BUILD/shim/unit:/unit"
	vm nproc | grep -qx "$SMP"
}

teardown_file() {
	vm_stop
}

@test "address spaces and virtual CPUs do what their pages say" {
	run vm /unit/mmfd-spaces
	assert_success
}

@test "pages of a memory are where they were put, until they are taken out" {
	run vm timeout 50 /unit/mmfd-areas
	assert_success
}

@test "a signal ends a run, also one that came before it" {
	run vm timeout 50 /unit/mmfd-interrupts
	assert_success
}

@test "no event is lost or doubled while guests run in a storm of signals" {
	VM_TIMEOUT=200 run vm timeout 190 /unit/mmfd-storm guest 2000
	assert_success
}

@test "the historical calls do what their page says" {
	run vm timeout 50 /unit/mmfd-compat
	assert_success
}

@test "several address spaces of one process, by number" {
	run vm timeout 50 /unit/mmfd-multias
	assert_success
}

@test "handlers in another address space, and their frames" {
	run vm timeout 50 /unit/mmfd-altmm
	assert_success
}

@test "a stranger gets no address space, unless the device's mode says so" {
	run vm su user -c '/examples/mmfd-sandbox sum'
	assert_failure 1
	assert_output 'mmfd-sandbox: Permission denied'
	vm chmod 666 /dev/mmfd
	run vm su user -c '/examples/mmfd-sandbox sum'
	vm chmod 600 /dev/mmfd
	assert_success
	assert_output 'sum: returned 5050'
}

@test "the sandbox reports the first trap of an untrusted function" {
	run vm /examples/mmfd-sandbox sum
	assert_success
	assert_output 'sum: returned 5050'
	run vm /examples/mmfd-sandbox kill
	assert_failure 2
	assert_output 'kill: stopped at system call 62(-1, 9)'
	run vm /examples/mmfd-sandbox steal
	assert_failure 2
	assert_output --regexp '^steal: stopped at a page fault at 0x[0-9a-f]+, error code 4$'
	run vm /examples/mmfd-sandbox divide
	assert_failure 2
	assert_output 'divide: stopped at exception 0, Floating point exception'
	run vm /examples/mmfd-sandbox spin
	assert_failure 2
	assert_output 'spin: stopped after 200 ms'
}

@test "the supervisor serves its guest, whose time calls pass" {
	run vm /examples/mmfd-supervisor
	assert_success
	assert_line 'guest: an address space of my own'
	assert_line 'served: write 1, getpid 1; refused: 1'
	assert_line 'time calls of the guest: 3000, of which trapped: 0'
	assert_line 'ticks: yes'
}

@test "time calls of a guest read the clock of its supervisor's namespace" {
	local seconds

	run vm timens run --realtime=@2147483000 -- /examples/mmfd-supervisor
	assert_success
	assert_line 'time calls of the guest: 3000, of which trapped: 0'
	seconds=$(sed -n "s/^the guest's clock: \([0-9]*\) s.*/\1/p" <<<"$output")
	assert [ "$seconds" -ge 2147483000 ]
	assert [ "$seconds" -lt 2147483060 ]
	# outside of it, another time
	run vm /examples/mmfd-supervisor
	refute_line --regexp "^the guest's clock: 21474830"
	assert_line --regexp "^the guest's clock: [0-9]+ s since 1970$"
}

# A tracer wants to see every call, so none passes: the supervisor counts them.
@test "time calls of a guest whose supervisor is traced are seen to trap" {
	run vm /tests/count-calls /examples/mmfd-supervisor
	assert_line 'time calls of the guest: 3000, of which trapped: 3000'
}

# guests STEPS - each counted so far, in more than one slice of time
guests() {
	local id

	for id in {1..16}; do
		assert_line --regexp "^guest $id: counted $1 in ([2-9]|[1-9][0-9]+) slices, foreign memory seen 0 times$"
	done
}

@test "a toy kernel switches 16 guests in a signal handler, each with its own memory" {
	run vm timeout 50 /examples/mmfd-guests
	assert_success
	guests 500000
	assert_line --regexp '^16 guests, [0-9]+ switches, 0 guests disturbed$'
}

@test "in one address space its guests do disturb each other" {
	run vm timeout 50 /examples/mmfd-guests --one
	assert_failure 1
	assert_line --regexp ' foreign memory seen [1-9][0-9]* times$'
	assert_line --regexp '^16 guests, [0-9]+ switches, 1[56] guests disturbed$'
}

# supervised GUEST - and every handler had the supervisor's thread-local memory
supervised() {
	run vm timeout 50 /examples/mmfd-signals "$1"
	assert_line --regexp \
		"^handlers with thread-local memory not the supervisor's: 0 of [1-9][0-9]*$"
}

@test "a supervisor lives in signal handlers that its guest cannot reach" {
	supervised serve
	assert_success
	assert_line 'guest: entered by a signal'
	assert_line 'served: write 1, getpid 1, pages 4; refused: 1'
	assert_line 'serve: ended, 0'
}

@test "its guest does not get out by reading, jumping, frames, or other calls" {
	local try

	for try in steal jump; do
		supervised $try
		assert_failure 2
		assert_line "$try: stopped by a page fault at the supervisor's code"
	done
	supervised forge
	assert_success
	assert_line 'served: write 0, getpid 0, pages 0; refused: 2'
	assert_line 'forge: ended, 0'
	supervised spin
	assert_failure 2
	assert_line 'spin: stopped by signal 14'
}

@test "a kernel without the feature is told apart, by its symbol" {
	local example

	for example in 'mmfd-sandbox sum' mmfd-supervisor mmfd-guests \
		'mmfd-signals serve'; do
		# shellcheck disable=SC2086
		run vm_on stock /examples/$example
		assert_failure 124
		assert_output --regexp "^${example% *}: kernel [^ ]+ lacks CONFIG_MMFD, "
		assert_equal "${#lines[@]}" 1
	done
	run vm_on stock /unit/mmfd-without
	assert_success
}

@test "with the feature those checks would fail" {
	run vm /unit/mmfd-without
	assert_failure 1
	assert_line --partial 'not ok: mmfd_open'
}
