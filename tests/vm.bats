#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# vm.bats - the VM runner (scripts/run-vm): what it hands back, and that
# nothing that goes wrong in the VM passes for success.  The session that
# other test files use is tested in vm-session.bats.

load lib/common

setup_file() {
	requires vm-stock
	export RUN_VM=$TOP/scripts/run-vm
}

run_vm() {
	"$RUN_VM" --kernel stock "$@"
}

@test "the command's status is run-vm's" {
	run run_vm -- sh -c 'exit 37'
	assert_failure 37
	assert_output ""
}

@test "a command killed by a signal gives 128 and the signal" {
	run run_vm -- sh -c 'kill -KILL $$'
	assert_failure 137
}

@test "a command that is not there gives 127, one that cannot run 126" {
	run -127 run_vm -- no-such-command
	assert_output --partial "no-such-command: not found"
	run -126 run_vm -- /vm
	assert_output --partial "Permission denied"
}

@test "every byte comes through, stdout and stderr apart" {
	local i

	for i in {0..255}; do
		printf '%b' "\\0$(printf %o "$i")"
	done >"$BATS_TEST_TMPDIR/bytes"
	for i in {1..2000}; do
		cat "$BATS_TEST_TMPDIR/bytes"
	done >"$BATS_TEST_TMPDIR/sent"
	run_vm --with "$BATS_TEST_TMPDIR/sent:/sent" \
		-- sh -c 'cat /sent; echo to stderr >&2' \
		>"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"
	cmp "$BATS_TEST_TMPDIR/sent" "$BATS_TEST_TMPDIR/out"
	assert_equal "$(cat "$BATS_TEST_TMPDIR/err")" "to stderr"
}

@test "stdout and stderr into one file keep their order" {
	run run_vm -- sh -c 'echo 1; echo 2 >&2; echo 3'
	assert_output $'1\n2\n3'
}

@test "arguments arrive as they were given" {
	local args=("two words" "it's" '"' '$HOME `id` \n *' $'new\nline' '' '-n')

	run run_vm -- printf '<%s>\n' "${args[@]}"
	assert_success
	assert_output "$(printf '<%s>\n' "${args[@]}")"
}

@test "output comes while the command runs" {
	local fifo=$BATS_TEST_TMPDIR/fifo line

	mkfifo "$fifo"
	run_vm --timeout 60 -- sh -c 'echo early; sleep 600' >"$fifo" 2>&1 3>&- &
	read -r -t 50 line <"$fifo"
	kill $!
	assert_equal "$line" early
}

@test "what a command leaves running does not hold the VM" {
	run run_vm --timeout 60 -- sh -c 'sleep 600 & echo done'
	assert_success
	assert_output "done"
}

@test "--with brings a program, its libraries and its directory" {
	local dir=$BATS_TEST_TMPDIR/some/dir

	mkdir -p "$dir"
	echo 'echo "from $0"' >"$dir/script"
	cd "$BATS_TEST_TMPDIR"
	run run_vm --with /bin/bash --with some --with "$dir/script:/other/" \
		-- bash -c '. some/dir/script; cat /other/script; pwd'
	assert_success
	assert_line "from bash"
	assert_line 'echo "from $0"'
	assert_line "$BATS_TEST_TMPDIR"
}

@test "the inside is root's, with the usual file systems and loopback" {
	run run_vm -- sh -c '
		id -u
		for d in /proc /sys /dev /dev/pts /dev/shm; do
			grep -q " $d " /proc/mounts || echo "no $d"
		done
		cp /bin/busybox /dev/shm/ && /dev/shm/busybox true ||
			echo noexec
		ping -c 1 -W 2 127.0.0.1 >/dev/null || echo no loopback
		su user -c "touch /tmp/a /home/user/b" || echo no user'
	assert_success
	assert_output 0
}

@test "a kernel warning fails a run that succeeded" {
	run run_vm -- sh -c 'echo "<4>WARNING: CPU: 0 at test" >/dev/kmsg'
	assert_failure 123
	assert_output --partial "run-vm: the kernel log shows trouble"
	assert_output --partial "WARNING: CPU: 0 at test"
}

@test "an ordinary kernel message does not, nor a warning allowed" {
	run run_vm -- sh -c 'echo "<4>all is well" >/dev/kmsg'
	assert_success
	run run_vm --allow-splat -- \
		sh -c 'echo "<4>WARNING: CPU: 0 at test" >/dev/kmsg; exit 3'
	assert_failure 3
	assert_output ""
}

@test "a panic fails, with the end of the log" {
	run run_vm -- sh -c 'echo c >/proc/sysrq-trigger; sleep 60'
	assert_failure 123
	assert_output --partial "sysrq triggered crash"
	assert_output --partial "the end of the kernel log"
}

@test "a time-out kills the VM and fails, with the end of the log" {
	run run_vm --timeout 8 --append loglevel=7 -- sleep 600
	assert_failure 124
	assert_output --partial "run-vm: no end after 8 s"
	assert_output --partial "Run /init as init process"
}

@test "a VM that ends without a status fails" {
	run run_vm -- sh -c 'echo so far; reboot -f'
	assert_failure 125
	assert_line "so far"
	assert_output --partial "without telling the command's status"
}

@test "an init that dies fails, even with splats allowed" {
	run run_vm --allow-splat --append rdinit=/bin/false -- true
	assert_failure 125
	assert_output --partial "Attempted to kill init"
}

# lose OOPS SCRIPT OPTION... - VMs that say OOPS and end after SCRIPT, without a
# status; boots is how many, the last one's log aside. When the emulator has really
# lost a breakpoint in one of them, all is done again.
lose() {
	local mark n kept

	export VM_ACCEL=tcg
	touch "$BUILD/vm/again.log"
	for n in 1 2 3 4 5; do
		mark=timens.mark=$BATS_TEST_NUMBER.$RANDOM$RANDOM
		kept=$(stat -c %s "$BUILD/vm/again.log")
		run run_vm "${@:3}" -- \
			sh -c 'echo "<4>$0 $1" >/dev/kmsg; eval "$2"; reboot -f' \
			"$1" "$mark" "$2"
		boots=$(grep -c "$1 $mark" "$BUILD/vm/again.log" || :)
		{ tail -c "+$((kept + 1))" "$BUILD/vm/again.log"; echo "$output"; } |
			grep -a 'Oops: int3: [0-9]' || break
		echo "# the emulator lost a real one, try $n" >&3
	done
	assert_output --partial "$1 $mark"
}

@test "a VM that the emulator lost a breakpoint of is booted again, three times" {
	lose "Oops: int3:" true --smp 2
	assert_failure 123
	assert_output --partial "the kernel log shows trouble"
	assert_equal "$boots" 3
}

@test "other VMs are not, nor one that has said something" {
	lose "Oops: int3:" "echo so far; usleep 100000" --smp 2
	assert_failure 123
	assert_line "so far"
	assert_equal "$boots" 0
	lose "Oops: int3:" true --smp 1
	assert_failure 123
	assert_equal "$boots" 0
	lose "Oops: 0002" true --smp 2
	assert_failure 123
	assert_equal "$boots" 0
}

interrupt() {
	local signal=$1 mark=timens.mark=$BATS_TEST_NUMBER.$RANDOM$RANDOM
	local pid n=0

	# in the background bash would have SIGINT ignored
	env --default-signal=INT "$RUN_VM" --kernel stock --append "$mark" \
		-- sleep 600 >/dev/null 2>&1 3>&- &
	pid=$!
	until pgrep -f "^qemu-system-x86_64.*$mark" >/dev/null; do
		((n++ < 300)) || return 1
		sleep 0.1
	done
	kill -"$signal" "$pid"
	status=0
	wait "$pid" || status=$?
	sleep 0.3
	output=$(pgrep -f "^qemu-system-x86_64.*$mark" || :)
	left=$(find "$BUILD/vm" -maxdepth 1 -name "run.$pid.*")
}

@test "SIGINT leaves no QEMU and no directory behind" {
	interrupt INT
	assert_failure 130
	assert_output ""
	assert_equal "$left" ""
}

@test "SIGTERM leaves no QEMU and no directory behind" {
	interrupt TERM
	assert_failure 143
	assert_output ""
	assert_equal "$left" ""
}

@test "SIGKILL leaves no QEMU; the next run removes the directory" {
	interrupt KILL
	assert_failure 137
	assert_output ""
	assert [ -d "$left" ]
	run run_vm -- true
	assert_success
	assert [ ! -e "$left" ]
}

@test "runs beside each other do not mix" {
	run_vm -- sh -c 'sleep 1; echo one' >"$BATS_TEST_TMPDIR/1" 3>&- &
	run run_vm -- sh -c 'sleep 1; echo two'
	wait $!
	assert_output two
	assert_equal "$(cat "$BATS_TEST_TMPDIR/1")" one
}

@test "the clock is read without entering the kernel, also with --icount" {
	requires helpers
	run run_vm --smp 2 -- vdso-clock
	assert_success
	assert_line "vdso"
	assert_line "steps back: 0"
	run run_vm --icount -- vdso-clock
	assert_success
	assert_line "vdso"
	assert_line "steps back: 0"
}

@test "with --icount two runs take the same time to the nanosecond" {
	local first

	requires helpers
	run run_vm --icount -- vdso-clock
	assert_success
	assert_output --regexp 'now: [0-9]+\.[0-9]{9}'
	first=$output
	run run_vm --icount -- vdso-clock
	assert_output "$first"
}

@test "KVM is tried once, with a time limit, and the answer remembered" {
	local answer

	export TIMENS_CACHE=$BATS_TEST_TMPDIR/cache
	unset VM_ACCEL
	run run_vm -- echo works
	assert_success
	assert_output works
	if [ ! -w /dev/kvm ]; then	# nothing to try, nothing to remember
		assert_not_exist "$TIMENS_CACHE"
		return 0
	fi
	answer=$(cat "$TIMENS_CACHE"/vm-accel.????????????????)
	assert_regex "$answer" '^(kvm|tcg)$'
	SECONDS=0
	run_vm -- true
	assert [ "$SECONDS" -lt 15 ]
}

@test "a full disk is named, and nothing half made is left" {
	requires root
	mkdir "$BATS_TEST_TMPDIR/small"
	# shellcheck disable=SC2016 # for the inner shell
	run unshare --mount sh -c '
		mount -t tmpfs -o size=4m tmpfs "$1" && cd "$1" &&
		ln -s "$2/host" host &&
		VM_ACCEL=tcg TIMENS_BUILD=$1 "$3" --kernel stock -- true
		echo "status $?"
		find . -type f' \
		sh "$BATS_TEST_TMPDIR/small" "$BUILD" "$RUN_VM"
	assert_output --partial "No space left on device"
	assert_output --partial "run-vm: a step failed"
	assert_equal "${lines[-1]}" "status 125"
}

@test "a kernel not built is named with the command that builds it" {
	TIMENS_BUILD=$BATS_TEST_TMPDIR run "$RUN_VM" --kernel debug -- true
	assert_failure 125
	assert_output --partial "run: make kernel KERNEL=debug"
}

# refuses MESSAGE ARG...
refuses() {
	local message=$1

	shift
	run "$RUN_VM" --kernel stock "$@"
	assert_failure 125
	assert_output --partial "run-vm: $message"
}

@test "bad arguments are named" {
	refuses "unknown option '--frob'" --frob -- true
	refuses "no command given" --smp 1
	refuses "--smp 'x'" --smp x -- true
	refuses "--timeout '0'" --timeout 0 -- true
	refuses "--mem 'lots'" --mem lots -- true
	refuses "--mem needs a value" --mem
	refuses "--with /no/such: no such file" --with /no/such -- true
	refuses "--with /bin/true:rel: 'rel' is not an absolute path" \
		--with /bin/true:rel -- true
	refuses "--kernel 'new': must be" --kernel new -- true
	VM_ACCEL=xen refuses "VM_ACCEL=xen" -- true
}
