# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# guests.bash - UML guests in the test VM, each in /run/uml/NAME of it, as
# uml-guest starts them. Load after common and clocks.
#
#   guest NAME CMD...        run it there
#   timeclock NAME           what UML said about its clock
#   entries NAME CALL COUNT  how often COUNT calls entered the guest's kernel
#   assert_passed, assert_intercepted NAME CALL
#   same_table CMD...        prints the same in the guests pass and intercept
#   namespace_time NAME      the namespace's clock, asked on the host
#   nothing_else_moved       the host's clock and a bystander's are where they
#                            were; after setup has stored host and sibling

# shellcheck disable=SC2154 # a test file's setup assigns them
nothing_else_moved()
{
	assert_host_unmoved "$host"
	assert_sibling_unmoved "$sibling"
}

# guest NAME CMD... - run it there; or guest NAME <SCRIPT
guest()
{
	local name=$1

	shift
	[ $# -gt 0 ] || set -- sh -ec "$(cat)"
	# Less than a call to the VM may take: a guest that hangs is not the VM
	vm env UML_TIMEOUT="${GUEST_TIMEOUT:-45}" \
		uml-guest run "/run/uml/$name" "$@"
}

# timeclock NAME - what UML said about its clock
timeclock()
{
	vm uml-guest log "/run/uml/$1" | tr -d '\r' |
		sed -n 's/^\[[ .0-9]*\] timeclock: //p'
}

# entries NAME CALL COUNT - how often COUNT calls made the guest enter its kernel:
# each time the UML kernel's process on the host has to be woken up. What else the
# program does is taken off.
entries()
{
	vm <<-SH
		pid=\$(uml-guest pid /run/uml/$1)
		woken() {
			cat /proc/\$pid/task/*/status |
				awk '/^voluntary/ { n += \$2 } END { print n }'
		}
		a=\$(woken)
		uml-guest run /run/uml/$1 raw-calls $2 0
		b=\$(woken)
		uml-guest run /run/uml/$1 raw-calls $2 $3
		c=\$(woken)
		echo \$((c - b - b + a))
	SH
}

# A busy machine wakes the kernel up by ticks: so the least of three counts
assert_passed()
{
	local n try

	for try in 1 2 3; do
		n=$(entries "$1" "$2" 2000)
		((n >= 200)) || return 0
	done
	fail "2000 calls of $2 entered the kernel $n times, also when tried $try times"
}

# On the way a wake-up may be saved here and there
assert_intercepted()
{
	local count=${3:-2000} n

	n=$(entries "$1" "$2" "$count")
	((n > count / 2)) || fail "$count calls of $2 entered the kernel $n times"
}

# near WANT GOT - in seconds, up to MORE (60) later
assert_near()
{
	((${2%%.*} >= $1 && ${2%%.*} <= $1 + ${3:-60})) ||
		fail "want $1 or a little more, got $2"
}

# namespace_time NAME - what the namespace's clock says, asked on the host
namespace_time()
{
	vm timens enter "$(vm uml-guest pid "/run/uml/$1")" date +%s
}

# same_table CMD... - prints the same in both guests
same_table()
{
	guest pass "$@" >"$BATS_TEST_TMPDIR/pass"
	guest intercept "$@" >"$BATS_TEST_TMPDIR/intercept"
	diff -u "$BATS_TEST_TMPDIR/intercept" "$BATS_TEST_TMPDIR/pass" ||
		fail "above: what changes if calls pass"
}

# assert_all_refused [WAYS] - nine ways, nine refusals
# shellcheck disable=SC2154 # bats' run assigns it
assert_all_refused()
{
	assert_success
	refute_output --partial "moved"
	assert_equal "$(grep -c ': EPERM$' <<<"$output")" "${1:-9}"
}
