# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# lib-checkpatch.sh - the kernel's own style checker; source after lib.sh.
#
#   checkpatch ARG...     checkpatch.pl --strict less our exceptions; files by
#                         absolute name. Prints what is left; status 1 if any.

# Exceptions: where, which types, and why.
checkpatch_exceptions()
{
	cat <<'END'
.* FILE_PATH_CHANGES             MAINTAINERS is settled when a series is sent
.* COMMIT_LOG_LONG_LINE          trips over quoted commands and their output
include/uapi/linux/timens_pass.h COMPLEX_MACRO     a list cannot be in parentheses
include/uapi/linux/timens_pass.h MACRO_ARG_REUSE   arguments are names and constants
include/uapi/linux/timens_pass.h MACRO_ARG_UNUSED  all kinds take the same ones
arch/um/kernel/timeclock.c COMPLEX_MACRO  expanded by a table's macro
arch/um/kernel/timeclock.c MACRO_ARG_UNUSED  entries of a table say more than each user wants
arch/um/os-Linux/.* BIT_MACRO            no linux/bits.h in user space
arch/um/os-Linux/.* CAMELCASE            types of elf.h
arch/um/os-Linux/.* PREFER_DEFINED_ATTRIBUTE_MACRO  compiler.h is the kernel's
arch/x86/um/asm/vdso/clocksource.h COMPLEX_MACRO  a list cannot be in parentheses
arch/x86/um/asm/vdso/gettimeofday.h LINE_SPACING  a define that belongs to its function
arch/x86/um/asm/vdso/processor.h ARCH_INCLUDE_LINUX  it takes the place of that
arch/x86/kernel/signal_64.c CAMELCASE    a label that is there already
arch/x86/um/vdso/vma.c AVOID_EXTERNS     symbols of vdso.S
include/linux/mmfd_debug.h      COMPLEX_MACRO      a list cannot be in parentheses
include/linux/mmfd_debug.h      MACRO_ARG_REUSE    arguments are names
include/linux/mmfd_debug.h      MACRO_ARG_UNUSED   without CONFIG_MMFD_DEBUG all are on
kernel/mmfd/guards.c            COMPLEX_MACRO      expanded by a list's macro
kernel/mmfd/pass.c              MACRO_ARG_UNUSED   entries of the table say more than one user wants
kernel/mmfd/pass.c              MULTISTATEMENT_MACRO_USE_DO_WHILE  expanded by a table's macro
tools/testing/selftests/(mmfd|timens)/.* SPACING   FIXTURE_DATA() is a type
tools/testing/selftests/mmfd/.* TYPO_SPELLING      fields of asm/ldt.h
tools/testing/selftests/mmfd/.* COMPLEX_MACRO      machine code is a list of bytes
tools/testing/selftests/mmfd/.* PREFER_DEFINED_ATTRIBUTE_MACRO  compiler.h is the kernel's
(tools/testing|.*/tests|.*/shim)/.* BIT_MACRO      no linux/bits.h in user space
(tools/testing|.*/tests|.*/shim)/.* MACRO_ARG_REUSE  arguments are constants
.*/(tests|shim)/.* PREFER_KERNEL_TYPES   stdint.h is user space's way
.*/(tests|shim)/.* PREFER_DEFINED_ATTRIBUTE_MACRO  compiler.h is the kernel's
.*/(tests|shim)/.* NEW_TYPEDEFS          foreign interfaces want some
(tools/testing|.*/tests|.*/shim)/.* VOLATILE  sig_atomic_t, and memory shared by threads
.*/tests/helpers/fp-registers.c COMPLEX_MACRO  pieces of an asm statement
.*/shim/.* MACRO_ARG_UNUSED         entries of a table say more than each user wants
.*/(tests|shim)/.* CAMELCASE             _Noreturn and PRIu64 come with C
.*/(tests|shim)/.* ENOSYS                user space may test for any error
.*/(tests|shim)/.* SSCANF_TO_KSTRTO      no kstrto in user space
.*/(tests|shim)/.* SPLIT_STRING          usage texts are wider than the screen
.*/(tests|shim)/.* EMBEDDED_FUNCTION_NAME  words that happen to name a function
END
}

checkpatch()
(
	local script=$BUILD/linux/scripts/checkpatch.pl out

	# It leaves a cache where it runs: in the kernel tree that is ignored.
	[ -x "$script" ] || die "there is no $script; 'make tree' makes it"
	cd "$BUILD/linux" || exit 1
	# Debian's python3 has the modules that its SPDX check wants.
	out=$(PATH=/usr/bin:$PATH perl "$script" --root=. --strict --quiet \
		--no-summary --show-types --terse --showfile --color=never \
		--max-line-length=100 "$@" 2>&1) && return 0
	# Lines are FILE:LINE: LEVEL:TYPE: text
	out=$(awk '
	NR == FNR { where[NR] = "^" $1 "$"; type[NR] = $2; n = NR; next }
	{
		file = $1
		sub(/:[0-9]+:$/, "", file)
		split($2, word, ":")
		for (i = 1; i <= n; i++)
			if (word[2] == type[i] && file ~ where[i])
				next
		print
	}' <(checkpatch_exceptions) - <<<"$out")
	[ -z "$out" ] || { printf '%s\n' "$out"; return 1; }
)
