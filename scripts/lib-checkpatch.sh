# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# lib-checkpatch.sh - the kernel's own style checker; source after lib.sh.
#
#   checkpatch ARG...     checkpatch.pl --strict with our exceptions; files by
#                         absolute name
#
# Exceptions, each with its reason:
#   FILE_PATH_CHANGES     asks whether MAINTAINERS needs a change at each new
#                         file; that is settled when the series is sent
#   COMMIT_LOG_LONG_LINE  trips over quoted commands and their output

CHECKPATCH_IGNORE=FILE_PATH_CHANGES,COMMIT_LOG_LONG_LINE

checkpatch()
(
	local script=$BUILD/linux/scripts/checkpatch.pl

	# It leaves a cache where it runs: in the kernel tree that is ignored.
	[ -x "$script" ] || die "there is no $script; 'make tree' makes it"
	cd "$BUILD/linux" || exit 1
	perl "$script" --root=. --strict --quiet --no-summary \
		--show-types --terse --color=never --max-line-length=100 \
		--ignore "${CHECKPATCH_EXTRA:+$CHECKPATCH_EXTRA,}$CHECKPATCH_IGNORE" \
		"$@"
)
