# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# common.bash - what every test file here loads, as its first line:
#
#	load lib/common
#
#   requires WORD...     stop unless the words hold; see require_* below
#   TOP BUILD            the clone and its build directory
#   vm_start, vm, ...    see vm.bash
#
# and bats-support, bats-assert, bats-file.  With bats 1.8 a bare "! cmd" in
# the middle of a test does not fail it: use "run ! cmd" (this file asks for
# bats 1.5, which "run !" needs).

bats_require_minimum_version 1.5.0
bats_load_library bats-support
bats_load_library bats-assert
bats_load_library bats-file

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${TIMENS_BUILD:-$TOP/build}

# shellcheck source=tests/lib/requires.bash
. "$TOP/tests/lib/requires.bash"
# shellcheck source=tests/lib/vm.bash
. "$TOP/tests/lib/vm.bash"
