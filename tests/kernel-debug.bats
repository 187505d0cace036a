#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# kernel-debug.bats - a namespace's own wall clock, as far as only the debug kernel can
# tell: allocations that fail, memory that leaks. Part of make check KERNEL=debug only.

load lib/common
load lib/kselftest
load lib/debug

setup_file() {
	needs_debug_kernel
}

@test "every allocation for namespaces, sets and timers can fail, which changes nothing and leaks nothing" {
	leaks_nothing /selftests/realtime_faults
	passed 8
}

@test "namespaces, sets and timers that come and go leak nothing" {
	leaks_nothing "/selftests/realtime_stress 20"
	passed 1
}
