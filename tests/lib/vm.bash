# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# vm.bash - run commands in a test VM that is booted once for a test file.
#
#	setup_file() {
#		requires vm-patched shim
#		vm_start patched
#	}
#	teardown_file() {
#		vm_stop
#	}
#	@test "a stranger may not set the clock" {
#		run vm timens set 1 +1h
#		assert_failure 1
#		run vm <<-'SH'
#			timens run --realtime=@0 -- date +%s
#		SH
#		assert_output 0
#	}
#
#   vm_start KERNEL [RUN-VM-OPTION]...   boot; KERNEL patched, stock, debug or kcsan.
#                        With TEST_KERNEL=debug or kcsan, patched means that one, and
#                        all may take ten times as long (make check KERNEL=debug).
#                        It has VM_START seconds (120), for one with large files
#   vm CMD [ARG...]      run it as root: its stdout, stderr and status are ours
#   vm <FILE             the same for a shell script (busybox sh -e)
#   vm_on KERNEL ...     the same where several VMs run; vm takes the last
#   vm_pause SECONDS     stop the whole VM for so long, as its monitor does it
#   vm_log               the kernel's log so far
#   vm_stop              stop all; fails if a kernel warned, panicked, or died
#
# Every call starts in the caller's directory path, without a terminal or
# stdin.  What it leaves in the background lives on; so do files.  A call lasts
# at most VM_TIMEOUT seconds (60).  When the VM is gone or too late, vm prints
# why and returns 125, now and at every later call, and vm_stop fails: a test
# that expects a failure should name its status or its message.
# Call vm_start and vm_stop directly, not with run or in a subshell.

VM_RUNNER=$TOP/scripts/run-vm

# The files of the session; made by run-vm --serve, which says what they are.
vm_dir()
{
	printf '%s\n' "$BATS_FILE_TMPDIR/vm.$1"
}

vm_start()
{
	local kernel=$1 image=$1 dir

	shift
	[ "$image" != patched ] || image=${TEST_KERNEL:-patched}
	dir=$(vm_dir "$kernel")
	mkdir -p "$dir"
	: >"$dir/lock"
	# bats waits for whoever holds its descriptor 3
	setpriv --pdeathsig TERM "$VM_RUNNER" --kernel "$image" \
		--serve "$dir" "$@" </dev/null >"$dir/verdict" 2>&1 3>&- &
	printf '%s\n' $! >"$dir/pid"
	export VM_KERNEL=$kernel
	vm_wait "$dir" 0 $((SECONDS + ${VM_START:-120} * $(vm_slow))) || return 1
	[ "$(head -n 1 "$dir/status")" = ready ]
}

# vm_slow - how many times as long as usual all may take
vm_slow()
{
	[ "${TEST_KERNEL:-patched}" = patched ] && echo 1 || echo 10
}

# vm_size FILE
vm_size()
{
	stat -Lc %s "$1" 2>/dev/null || echo 0
}

# vm_wait DIR OLDSIZE DEADLINE - until the status file has grown
vm_wait()
{
	local dir=$1 old=$2 deadline=$3 pid

	read -r pid <"$dir/pid"
	until [ "$(vm_size "$dir/status")" -gt "$old" ]; do
		if ! kill -0 "$pid" 2>/dev/null; then
			printf 'the VM is gone:\n' >&2
			cat "$dir/verdict" >&2
			return 1
		fi
		if [ "$SECONDS" -ge "$deadline" ]; then
			printf 'no answer from the VM in time; its log:\n' >&2
			tail -n 20 "$dir/log" >&2
			kill "$pid"
			return 1
		fi
		sleep 0.02
	done
}

# vm_quote WORD... - for sh
vm_quote()
{
	local word

	for word; do
		printf "'%s' " "${word//\'/\'\\\'\'}"
	done
}

# vm_ask DIR SCRIPT - send one request, show the answer, return its status
vm_ask()
{
	local dir=$1 script=$2 how=split out err size status

	[ ! /dev/fd/1 -ef /dev/fd/2 ] || how=merge
	out=$(vm_size "$dir/out")
	err=$(vm_size "$dir/err")
	size=$(vm_size "$dir/status")
	if [ ! -p "$dir/req" ]; then
		vm_wait "$dir" "$size" "$SECONDS" || :
		return 125
	fi
	printf '%s %s\n' "$how" "$(base64 -w0 <<<"$script")" 1<>"$dir/req"
	vm_wait "$dir" "$size" \
		$((SECONDS + ${VM_TIMEOUT:-60} * $(vm_slow))) || return 125
	tail -c +$((out + 1)) "$dir/out"
	tail -c +$((err + 1)) "$dir/err" >&2
	status=$(tail -n 1 "$dir/status")
	return "$status"
}

vm_on()
{
	local dir script lock status=0

	dir=$(vm_dir "$1")
	shift
	if [ $# -gt 0 ]; then
		script="exec $(vm_quote "$@")"
	else
		script=$(cat)
	fi
	if [ ! -d "$dir" ]; then
		printf 'BUG: no VM was started with vm_start\n' >&2
		return 125
	fi
	script="cd $(vm_quote "$PWD") 2>/dev/null || cd /root
$script"
	exec {lock}<"$dir/lock"
	flock "$lock"
	vm_ask "$dir" "$script" || status=$?
	exec {lock}<&-
	return "$status"
}

vm()
{
	vm_on "${VM_KERNEL:-none}" "$@"
}

# vm_monitor WORD ANSWER - what to type into QEMU's monitor, and a pattern that its
# answer has to have soon
vm_monitor()
{
	local dir

	dir=$(vm_dir "${VM_KERNEL:-none}")
	printf '%s\ninfo status\n' "$1" 1<>"$dir/mon.in"
	timeout 20 sed "/$2/q" <>"$dir/mon.out" >/dev/null ||
		fail "QEMU's monitor does not say '$2' after $1"
}

vm_pause()
{
	vm_monitor stop 'VM status: paused'
	sleep "$1"
	vm_monitor cont 'VM status: running'
}

vm_log()
{
	cat "$(vm_dir "${VM_KERNEL:-none}")/log"
}

vm_stop()
{
	local dir pid status=0

	for dir in "$BATS_FILE_TMPDIR"/vm.*; do
		[ -e "$dir/pid" ] || continue
		read -r pid <"$dir/pid"
		[ ! -p "$dir/req" ] || printf 'exit\n' 1<>"$dir/req"
		wait "$pid" || status=$?
		rm "$dir/pid"
		[ "$status" = 0 ] || cat "$dir/verdict" >&2
	done
	return "$status"
}
