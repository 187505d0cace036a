# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# lib.sh - what every script here shares; source it, do not run it.
#
#   die MESSAGE...        print "NAME: MESSAGE" on stderr and exit 1
#   say MESSAGE...        print "NAME: MESSAGE" on stdout
#   warn MESSAGE...       print "NAME: warning: MESSAGE" on stderr
#   progress TEXT         rewrite one line on a terminal, else print nothing
#   progress_end          end that line
#   topdir                the clone's top directory, in $TOP too
#   need_pkgs PKG...      install the Debian packages that are missing
#   need_space DIR MIB    stop unless DIR's file system has MIB free
#   libraries             from what ldd says on stdin, one path a line
#   with_lock FILE        hold FILE's lock until the script ends
#
# Set by the caller's environment, all optional:
#   TIMENS_BUILD          build directory            (default TOP/build)
#   TIMENS_CACHE          cache outside the clone    (default ~/.cache/timens)
#   TIMENS_ROOMS          holds kernel-ns, uml-glue  (default TOP)
#   V=1                   show the commands' own output

PROG=${PROG:-$(basename "$0")}
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034
BUILD=${TIMENS_BUILD:-$TOP/build}
# shellcheck disable=SC2034
CACHE=${TIMENS_CACHE:-${XDG_CACHE_HOME:-${HOME:-$TOP/build}/.cache}/timens}
# shellcheck disable=SC2034
ROOMS=${TIMENS_ROOMS:-$TOP}
V=${V:-0}
export LC_ALL=C.UTF-8

die()
{
	progress_end
	printf '%s: %s\n' "$PROG" "$*" >&2
	exit 1
}

warn()
{
	progress_end
	printf '%s: warning: %s\n' "$PROG" "$*" >&2
}

say()
{
	progress_end
	printf '%s: %s\n' "$PROG" "$*"
}

PROGRESS_OPEN=
progress()
{
	[ -t 2 ] || return 0
	printf '\r\033[K%s: %s' "$PROG" "$*" >&2
	PROGRESS_OPEN=1
}

progress_end()
{
	[ -n "$PROGRESS_OPEN" ] || return 0
	printf '\r\033[K' >&2
	PROGRESS_OPEN=
}

topdir()
{
	printf '%s\n' "$TOP"
}

# missing_pkgs PKG... - those of the packages that are not installed.
missing_pkgs()
{
	local pkg state

	for pkg; do
		state=$(dpkg-query -W -f '${db:Status-Status}' "$pkg" \
			2>/dev/null || true)
		[ "$state" = installed ] || printf '%s\n' "$pkg"
	done
}

need_pkgs()
{
	local -a missing opts
	local log

	command -v dpkg-query >/dev/null ||
		die "needs a Debian system; install by hand: $*"
	mapfile -t missing < <(missing_pkgs "$@")
	[ ${#missing[@]} -gt 0 ] || return 0
	if [ "$(id -u)" != 0 ]; then
		printf '%s: packages are missing; as root, run:\n' "$PROG" >&2
		printf '  apt-get install --no-install-recommends %s\n' \
			"${missing[*]}" >&2
		exit 1
	fi
	say "installing ${missing[*]}"
	export DEBIAN_FRONTEND=noninteractive
	opts=(-y -qq --no-install-recommends -o Dpkg::Use-Pty=0
	      -o DPkg::Lock::Timeout=300)
	log=$(mktemp)
	# The index may be missing or stale: refresh it only if needed.
	if ! apt-get "${opts[@]}" install "${missing[@]}" >"$log" 2>&1; then
		if ! { apt-get -qq update &&
		       apt-get "${opts[@]}" install "${missing[@]}"; } \
		     >>"$log" 2>&1; then
			tail -n 20 "$log" >&2
			rm -f "$log"
			die "apt-get could not install: ${missing[*]}"
		fi
	fi
	rm -f "$log"
	mapfile -t missing < <(missing_pkgs "${missing[@]}")
	[ ${#missing[@]} -eq 0 ] || die "still not installed: ${missing[*]}"
}

need_space()
{
	local dir=$1 want=$2 have

	mkdir -p "$dir"
	have=$(df -Pm -- "$dir" | awk 'NR == 2 { print $4 }')
	[ "${TIMENS_NO_SPACE_CHECK:-0}" = 1 ] && return 0
	[ "$have" -ge "$want" ] ||
		die "$dir has $have MiB free, about $want MiB are needed;" \
		    "free some, or set TIMENS_BUILD to a larger disk" \
		    "(TIMENS_NO_SPACE_CHECK=1 to try regardless)"
}

libraries()
{
	sed -n 's/.*[ \t]\(\/[^ ]*\) (0x.*/\1/p'
}

with_lock()
{
	local file=$1

	mkdir -p "$(dirname "$file")"
	exec {LOCK_FD}>"$file"
	if ! flock -n "$LOCK_FD"; then
		say "waiting for another run to finish ($file)"
		flock "$LOCK_FD"
	fi
}
