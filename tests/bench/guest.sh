# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# guest.sh - start a UML guest and ask it, for scripts in the VM; source it.
#
#   guest_start OPTION...       boot UML (in the caller's time namespace)
#   guest_ask COMMAND           run a line of sh in it: its output and status
#   guest_stop                  end it
#
# The guest has the VM's root file system as its own (hostfs), without what is
# mounted there. What its kernel says while it boots is in /run/guest.log. Prefix guest_start with the words that are
# to start UML in GUEST_IN, e.g. GUEST_IN="timens run --realtime=@0 --".

GUEST_PID=
GUEST_IN=${GUEST_IN:-}

guest_fail()
{
	echo "guest: $*; the end of its log:" >&2
	tail -n 20 /run/guest.log >&2
	[ -z "$GUEST_PID" ] || kill -9 "$GUEST_PID" 2>/dev/null
	exit 1
}

# Two pipes; opened in the same order at both ends.
guest_start()
{
	rm -f /run/guest.in /run/guest.out /run/guest.log
	mkfifo /run/guest.in /run/guest.out
	if ! [ -d /run/guest.root ]; then
		mkdir /run/guest.root
		mount --bind / /run/guest.root
	fi
	# shellcheck disable=SC2086 # words
	$GUEST_IN linux.uml mem=96M rootfstype=hostfs \
		rootflags=/run/guest.root rw \
		init=/bench/guest con=null con0=fd:0,fd:1 ssl=null "$@" \
		</run/guest.in >/run/guest.out 2>>/run/guest.log &
	GUEST_PID=$!
	exec 8>/run/guest.in 9</run/guest.out
	guest_answer >>/run/guest.log || guest_fail "does not start"
}

guest_answer()
{
	# shellcheck disable=SC3045 # busybox has it
	while IFS= read -r -t 100 line <&9; do
		case $line in
		"= "*)	return "${line#= }" ;;
		*)	printf '%s\n' "$line" ;;
		esac
	done
	guest_fail "is gone, or does not answer"
}

guest_ask()
{
	printf '%s\n' "$*" >&8
	guest_answer
}

guest_stop()
{
	echo off >&8
	wait "$GUEST_PID" || guest_fail "ended with status $?"
	exec 8>&- 9<&-
	GUEST_PID=
}
