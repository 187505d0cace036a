# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# lib-build.sh - configure and build a kernel out of tree; source after lib.sh.
#
#   ccache_setup                      results shared between clones
#   kbuild SRC OUT ARCH ARG...        the kernel's make, with $CROSS_COMPILE
#   stock_source                      build/linux-stock: the tree without our commits
#   configure SRC OUT ARCH FRAG...    .config from fragments, every symbol checked
#   build SRC OUT ARCH TARGET NAME    build with a progress line
#
# Whatever is under OUT is reused: a second build compiles what changed only.

JOBS=${JOBS:-$(nproc)}

# Same result wherever the clone is: paths relative to its top, a fixed user,
# host and time stamp, the compiler known by its content.
ccache_setup()
{
	export CCACHE_DIR=$CACHE/ccache
	export CCACHE_BASEDIR=$BUILD CCACHE_NOHASHDIR=1
	export CCACHE_COMPILERCHECK=content CCACHE_MAXSIZE=4G
	# It names the clone's folder, and does nothing once paths are relative.
	export CCACHE_IGNOREOPTIONS='-fmacro-prefix-map=*'
	export CCACHE_SLOPPINESS=time_macros,include_file_mtime,include_file_ctime
	export KBUILD_BUILD_USER=timens KBUILD_BUILD_HOST=build
	export KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 2026'
	export KBUILD_BUILD_VERSION=1
	mkdir -p "$CCACHE_DIR"
}

# The caller's make flags and settings are not the kernel's.
kbuild()
{
	local src=$1 out=$2 arch=$3

	shift 3
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u KERNEL -u V -u BUILD \
		nice make -C "$src" O="$out" ARCH="$arch" LOCALVERSION= \
		CC="ccache ${CROSS_COMPILE-}gcc" HOSTCC="ccache gcc" -j"$JOBS" "$@"
}

# The stock source is a second work tree of the same git tree.
stock_source()
{
	local dir=$BUILD/linux-stock base

	with_lock "$BUILD/.linux-stock.lock"
	base=$(git -C "$BUILD/linux" rev-parse 'base^{commit}')
	if [ "$(git -C "$dir" rev-parse -q --verify HEAD 2>/dev/null)" = "$base" ]
	then
		return 0
	fi
	progress "checking out the source without our commits"
	rm -rf "$dir"
	git -C "$BUILD/linux" worktree prune
	git -C "$BUILD/linux" worktree add -q --detach -f "$dir" base ||
		die "cannot write $dir"
	progress_end
}

# lost_symbols CONFIG FRAG... - requested lines that the .config lacks. The
# last fragment that names a symbol has its way.
lost_symbols()
{
	local config=$1

	shift
	awk '
	function sym(l) { sub(/^# /, "", l); sub(/[= ].*/, "", l); return l }
	FNR == 1 { file++ }
	!/^CONFIG_/ && !/^# CONFIG_.* is not set/ { next }
	{ value = $0; sub(/^[^=]*=/, "", value); if (/^#/) value = "n" }
	file < ARGC - 1 { want[sym($0)] = value; next }
	{ have[sym($0)] = value }
	END {
		for (s in want) {
			got = s in have ? have[s] : "n"
			if (got != want[s])
				print s "=" want[s] " (is " got ")"
		}
	}' "$@" "$config" | sort
}

configure()
{
	local src=$1 out=$2 arch=$3 lost

	shift 3
	mkdir -p "$out"
	cat "$@" >"$out/.fragments"
	# An unchanged .config is not written again, so nothing is rebuilt.
	if ! kbuild "$src" "$out" "$arch" -s \
	     KCONFIG_ALLCONFIG="$out/.fragments" allnoconfig \
	     >"$out/config.log" 2>&1; then
		tail -n 20 "$out/config.log" >&2
		die "configuring $out failed; all of it: $out/config.log"
	fi
	[ "${CHECK_SYMBOLS:-1}" = 1 ] || return 0
	lost=$(lost_symbols "$out/.config" "$@")
	[ -n "$lost" ] || return 0
	printf '%s: symbols asked for that the .config does not have:\n' \
		"$PROG" >&2
	printf '%s\n' "$lost" | sed 's/^/  /' >&2
	die "see $*: a dependency is missing, or the symbol is gone"
}

# count_steps NAME LOG - copies make's output to LOG, showing how far it is.
count_steps()
{
	local name=$1 log=$2 line count=0 total

	total=$(sed 's/^/ of about /' "$log.steps" 2>/dev/null || true)
	while IFS= read -r line; do
		printf '%s\n' "$line"
		case $line in
		'  CC'*|'  AS'*|'  LD'*|'  AR'*|'  HOSTCC'*|'  GEN'*)
			count=$((count + 1))
			[ $((count % 10)) -ne 0 ] ||
				progress "$name: step $count$total" ;;
		esac
	done >"$log"
	progress_end
	printf '%s\n' "$count" >"$log.count"
}

build()
{
	local src=$1 out=$2 arch=$3 target=$4 name=$5 log=$2/build.log
	local fresh='' status=0

	[ -e "$out/vmlinux" ] || fresh=1
	if [ "$V" = 1 ]; then
		kbuild "$src" "$out" "$arch" V=1 "$target" || status=$?
	else
		kbuild "$src" "$out" "$arch" "$target" 2>&1 |
			count_steps "$name" "$log" || status=$?
	fi
	if [ "$status" -ne 0 ]; then
		[ "$V" = 1 ] || { grep -n -E 'error:|undefined reference|\*\*\*|warning:' \
				  "$log" |
				  tail -n 20 || tail -n 20 "$log"; } >&2
		die "building $name failed; all of it: $log"
	fi
	if [ "$V" != 1 ]; then
		[ -z "$fresh" ] || mv "$log.count" "$log.steps"
		grep -E 'warning:' "$log" >&2 || true
	fi
}
