# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# guests.bash - UML guests in the test VM, each in /run/uml/NAME of it, as
# uml-guest starts them. Load after common and clocks.
#
#   guests_start SECONDS     start all that stdin has, a line NAME COMMAND... each
#   guest NAME CMD...        run it there; it has GUEST_TIMEOUT seconds (45)
#   timeclock NAME           what UML said about its clock
#   userspace NAME           what it said about its mode
#   entries NAME CALL COUNT  how often COUNT calls entered the guest's kernel, made
#                            by a program that $UNDER runs if that is set
#   assert_passed, assert_intercepted NAME CALL
#   same_table CMD...        prints the same in the guests pass and intercept
#   same_buffers, same_clock_ids, same_rules [ARG...]
#                            what the guests pass and intercept have to agree on
#   tracer_sees_all, filter_obeyed, set_moves_all, threads_differ, file_decides
#                            what holds for the guest pass
#   unprivileged_refused NAME
#                            who may not set the clock of this guest cannot
#   nocaps_refused           what holds for the guest nocaps
#   namespace_time NAME      the namespace's clock, asked on the host
#   nothing_else_moved       the host's clock and a bystander's are where they
#                            were; after setup has stored host and sibling

# shellcheck disable=SC2154 # a test file's setup assigns them
nothing_else_moved()
{
	assert_host_unmoved "$host"
	assert_sibling_unmoved "$sibling"
}

# At once: each of them takes a while, most of it waiting for others.
guests_start()
{
	local name command

	{
		printf 'mkdir -p /run/uml\npids=\n'
		while read -r name command; do
			printf 'UML_TIMEOUT=%s uml-guest start /run/uml/%s %s &\n' \
				"$1" "$name" "$command"
			# shellcheck disable=SC2016 # for the VM's shell
			printf 'pids="$pids $!"\n'
		done
		# shellcheck disable=SC2016
		printf 'for p in $pids; do wait $p; done\n'
	} | VM_TIMEOUT=$(($1 + 20)) vm
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

# said NAME PREFIX - the lines of UML's log that begin with it
said()
{
	vm uml-guest log "/run/uml/$1" | tr -d '\r' |
		sed -n "s/^\[[ .0-9]*\] $2: //p"
}

timeclock()
{
	said "$1" timeclock
}

userspace()
{
	said "$1" userspace
}

# entries NAME CALL COUNT - how often COUNT calls made the guest enter its kernel:
# each time the UML kernel's process on the host has to be woken up, or in mmfd mode
# leaves the guest's code. What else the program does is taken off.
entries()
{
	vm <<-SH
		pid=\$(uml-guest pid /run/uml/$1)
		mmfd=\$(uml-guest run /run/uml/$1 cat /sys/module/mmfd/parameters/entries)
		woken() {
			{
				cat /proc/\$pid/task/*/status
				[ "\$mmfd" = 0 ] || uml-guest run /run/uml/$1 sed \
					's/^/voluntary /' /sys/module/mmfd/parameters/entries
			} | awk '/^voluntary/ { n += \$2 } END { print n }'
		}
		a=\$(woken)
		uml-guest run /run/uml/$1 ${UNDER-} raw-calls $2 0
		b=\$(woken)
		uml-guest run /run/uml/$1 ${UNDER-} raw-calls $2 $3
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

# A wake-up may be saved here and there, on a busy machine often: so the most of three
assert_intercepted()
{
	local count=${3:-2000} n try

	for try in 1 2 3; do
		n=$(entries "$1" "$2" "$count")
		((n <= count / 2)) || return 0
	done
	fail "$count calls of $2 entered the kernel $n times, also when tried $try times"
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
# shellcheck disable=SC2119,SC2120,SC2154 # tests pass WAYS; bats assigns output
assert_all_refused()
{
	assert_success
	refute_output --partial "moved"
	assert_equal "$(grep -c ': EPERM$' <<<"$output")" "${1:-9}"
}

# --- what holds wherever calls pass --------------------------------------------

same_buffers()
{
	same_table guest-buffers
	run cat "$BATS_TEST_TMPDIR/pass"
	refute_output --partial "BAIL OUT"
	# It is the whole table, with all kinds of outcomes
	[ "${#lines[@]}" -gt 400 ]
	assert_output --partial ": ok, new, new"
	assert_output --partial "EFAULT"
	assert_output --partial "EPERM"
	assert_output --partial "EINVAL"
}

same_clock_ids()
{
	same_table clock-ids
	run cat "$BATS_TEST_TMPDIR/pass"
	assert_line "0: wall clock"
	assert_line "1: counter"
	assert_line "-1: EINVAL"
	assert_line "-6: counter"
	[ "${#lines[@]}" -gt 40 ]
}

# same_rules [READINGS]
same_rules()
{
	same_table guest-rules "$@"
	run cat "$BATS_TEST_TMPDIR/pass"
	refute_line --regexp '^not ok'
	assert_line "ok root may set the clock"
	assert_line "ok a tracer sees every call begin and end"
	[ "${#lines[@]}" -ge 15 ]
}

tracer_sees_all()
{
	run guest pass count-calls raw-calls gettimeofday 321
	assert_success
	assert_output 321
}

filter_obeyed()
{
	run guest pass own-filter
	assert_success
	assert_line --index 0 \
		"before: gettimeofday ok, clock_gettime ok, time ok"
	assert_line --index 1 \
		"after: gettimeofday EXDEV, clock_gettime ok, time ok"
}

set_moves_all()
{
	local before

	before=$(namespace_time pass)
	run guest pass set-attempts 1000
	assert_success
	assert_line "settimeofday: set, moved"
	assert_line "raw settimeofday: set, moved"
	assert_line "clock_settime: set, moved"
	assert_line "raw clock_settime: set, moved"
	assert_line "adjtimex: set, moved"
	assert_line "raw adjtimex: set, moved"
	assert_line "clock_adjtime: set, moved"
	assert_near $((before + 7000)) "$(guest pass date +%s)"
	assert_near $((before + 7000)) "$(namespace_time pass)"
	nothing_else_moved
}

# shellcheck disable=SC2119
unprivileged_refused()
{
	run guest "$1" set-attempts --uid 1000 100
	assert_all_refused
	run guest "$1" set-attempts --drop --raise 100
	assert_line --index 0 "--raise: EPERM"
	assert_all_refused 10
	run guest "$1" su user -c '/usr/bin/unshare -U -r set-attempts 100'
	assert_all_refused
	nothing_else_moved
}

nocaps_refused()
{
	local before

	before=$(namespace_time nocaps)
	run guest nocaps set-attempts 10000
	refute_output --partial "moved"
	assert_near "$before" "$(namespace_time nocaps)"
	assert_near "$before" "$(guest nocaps date +%s)"
	run timeclock nocaps
	assert_line --partial "--keep-caps=sys_time"
	nothing_else_moved
}

threads_differ()
{
	run guest pass cap-threads
	assert_success
	assert_output - <<-'EOF'
		before: set
		without: EPERM
		without: EPERM
		without: EPERM
		with: set
	EOF
	nothing_else_moved
}

# Whoever executes a file has the capability if the file has it, and only then.
# shellcheck disable=SC2119
file_decides()
{
	guest pass <<-'SH'
		cd /tmp
		for f in granted permitted other none; do
			cp "$(command -v set-attempts)" $f
		done
		cp /usr/bin/busybox busybox-able
		set-caps cap_sys_time+ep granted
		set-caps cap_sys_time+p permitted
		set-caps cap_net_raw,cap_sys_admin+ep other
		set-caps cap_sys_time+ep busybox-able
	SH

	run guest pass su user -c "/tmp/granted 100"
	assert_success
	assert_line "settimeofday: set, moved"
	assert_line "raw settimeofday: set, moved"
	run guest pass su user -c "/tmp/permitted --raise 100"
	assert_line "raw settimeofday: set, moved"

	# The one that could is the shell, which executes one that cannot
	for file in none other permitted "busybox-able sh -c 'exec /tmp/none 100'"; do
		run guest pass su user -c "/tmp/$file 100"
		assert_all_refused
	done
	run guest pass su user -c "setpriv --nnp /tmp/granted 100"
	assert_all_refused
	nothing_else_moved
}
