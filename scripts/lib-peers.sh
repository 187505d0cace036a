# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# lib-peers.sh - other people's ways to run a program in a world of its own, for
# scripts/bench; source it after lib.sh.
#
#   peers_lacking NAME...     get those that the situations name: faketime, proot,
#                             gvisor; prints "lacks SITUATION REASON" for each
#                             situation whose peer is not to be had
#   peers_with TEXT           what run-vm needs for those that TEXT names, one
#                             --with a line
#   GVISOR                    the program runsc
#
# faketime and proot are Debian packages. runsc is that of the release's backports,
# as the release's own is older than its systrap platform; it is unpacked in the
# build directory, not installed.

. "$TOP/scripts/lib-fetch.sh"

GVISOR=$BUILD/peers/usr/bin/runsc

# peer_of SITUATION - empty if it is none of a peer
peer_of()
{
	case $1 in
	faketime* | proot* | gvisor*)	printf '%s\n' "${1%%-*}" ;;
	esac
}

release_backports()
{
	sed -n 's/^VERSION_CODENAME=\(.*\)/\1-backports/p' /etc/os-release
}

# In a subshell, so that apt_own has a directory of its own.
fetch_runsc()
(
	APT_STATE=$CACHE/peers
	apt_own_setup "$(release_backports)"
	mkdir -p "$BUILD/peers"
	cd "$BUILD/peers"
	apt_own apt-get -qq update
	apt_own apt-get -qq download runsc
	dpkg -x runsc_*.deb .
	rm -f runsc_*.deb
)

# get_peer NAME - its packages; quiet, as what is lacking is told in one line
get_peer()
{
	local log=$BUILD/peers.log

	case $1 in
	gvisor)	[ -x "$GVISOR" ] || (set -e; fetch_runsc) >"$log" 2>&1 ;;
	*)	(need_pkgs "$1") >"$log" 2>&1 ;;
	esac
}

# try_peer NAME - does it run a program here?
try_peer()
{
	case $1 in
	gvisor)	"$GVISOR" --ignore-cgroups --platform=systrap --network=none \
			"do" true ;;
	faketime)	faketime -f +1y true ;;
	proot)	proot -r / true ;;
	esac </dev/null >"$BUILD/peers.log" 2>&1
}

peers_lacking()
{
	local name peer

	for name; do
		peer=$(peer_of "$name")
		[ -n "$peer" ] || continue
		progress "$peer"
		if ! get_peer "$peer"; then
			printf 'lacks %s its package cannot be had: %s\n' \
				"$name" "$(tail -n 1 "$BUILD/peers.log")"
		elif ! try_peer "$peer"; then
			printf 'lacks %s it does not run here: %s\n' \
				"$name" "$(tail -n 1 "$BUILD/peers.log")"
		fi
	done
}

peers_with()
{
	case $1 in
	*gvisor*)	printf '%s\n' "$GVISOR:/usr/bin/runsc" ;;&
	*proot*)	command -v proot ;;&
	*faketime*)
		command -v faketime
		dpkg -L libfaketime | grep '/faketime/.*\.so' ;;
	esac
}
