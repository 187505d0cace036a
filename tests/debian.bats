#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# debian.bats - Debian in UML guests of every mode: a guest boots to a shell, and what
# is typed there does real work. It builds a source package and runs its tests,
# compiles, runs threads, installs packages, and has stress-ng verify itself; what
# comes of it is what comes of the same work in a chroot of the same root directory.
#
#   chroot           on this machine
#   seccomp, ptrace  guests on this machine
#   mmfd, timens     guests in the VM, both on a wall clock of their own; timens in
#                    seccomp mode. They run while the others do, and leave out the
#                    source package's own tests, which would take several minutes in
#                    guests of an emulated machine.
#
# What the work is, is in debian/job. All of it needs root, for the chroot and to make
# the root directory.

load lib/common

IMAGE=$BUILD/debian/root.ext4
SPLATS='WARNING:|BUG:|Oops|Call Trace|INFO: (task|rcu|possible)|EXT4-fs (error|warning)'

setup_file() {
	requires root host-seccomp vm-patched uml shim helpers debian
	sha256sum "$IMAGE" >"$BATS_FILE_TMPDIR/image"
	typed >"$BATS_FILE_TMPDIR/typed"
	typed --no-tests >"$BATS_FILE_TMPDIR/typed-in-vm"
	mkdir "$BATS_FILE_TMPDIR/host"
	cp "$TOP/tests/debian/job" "$TOP/tests/helpers/thread-queue.c" \
		"$BATS_FILE_TMPDIR/host"
	VM_START=600 vm_start patched --mem 3G --timeout 1800 --with "$IMAGE:/debian/root.ext4" \
		--with "$BATS_FILE_TMPDIR/host:/debian/host" \
		--with "$BATS_FILE_TMPDIR/typed-in-vm:/debian/typed"
	start_in_vm mmfd
	start_in_vm timens
	in_chroot >"$BATS_FILE_TMPDIR/chroot.log" 2>&1
}

teardown_file() {
	vm_stop
}

# typed [JOB-OPTION...] - what is typed at the guest's prompts
typed() {
	printf '%s\n' 'date -u +%F' "/host/job $*" 'dmesg >/host/dmesg'
}

# uml MODE - the command
uml() {
	bash -c '. "$1/scripts/lib.sh"; . "$1/scripts/lib-debian.sh"; debian_uml "$2"' \
		- "$TOP" "$1"
}

# debian_guest NAME MODE TYPED - on this machine
debian_guest() {
	local dir=$BATS_FILE_TMPDIR/$1
	local -a command

	mkdir -p "$dir"
	cp -r "$BATS_FILE_TMPDIR/host" "$dir"
	read -r -a command <<<"$(uml "$2")"
	busybox sh "$TOP/tests/uml/debian-guest" type "$dir" "$IMAGE" "$3" \
		"${command[@]}" 3>&-
}

# start_in_vm MODE - it goes on by itself; the last it writes is its status
start_in_vm() {
	vm <<-SH
		mkdir -p /run/debian/$1
		cp -r /debian/host /run/debian/$1
		{
			UML_TIMEOUT=1200 debian-guest type /run/debian/$1 \
				/debian/root.ext4 /debian/typed $(uml "$1") \
				>/run/debian/$1/said 2>&1 && s=0 || s=\$?
			echo \$s >/run/debian/$1/status
		} &
	SH
}

# from_vm MODE - wait for its end, and have its files here
from_vm() {
	local file

	mkdir -p "$BATS_FILE_TMPDIR/$1/host"
	for _ in {1..120}; do
		vm test -e "/run/debian/$1/status" || { sleep 10; continue; }
		for file in said status console host/log host/results host/dmesg; do
			vm cat "/run/debian/$1/$file" >"$BATS_FILE_TMPDIR/$1/$file"
		done
		assert_equal "$(cat "$BATS_FILE_TMPDIR/$1/status")" 0 ||
			fail "$(cat "$BATS_FILE_TMPDIR/$1/said")"
		return
	done
	fail "the guest $1 does not end: $(vm tail -n 20 "/run/debian/$1/console")"
}

# The same work in a copy of the same files. Like a guest, it has devices, a network
# and processes of its own, and may not set the clock.
in_chroot() {
	local root=$BATS_FILE_TMPDIR/chroot

	cp -a --reflink=auto "$BUILD/debian/tree" "$root"
	cp "$BATS_FILE_TMPDIR/host"/* "$root/host"
	setpriv --bounding-set=-sys_time --inh-caps=-sys_time \
		unshare --mount --pid --fork --kill-child --net --ipc --uts \
		sh -ec 'cd "$1"
		mount -t proc proc proc
		mount -t sysfs sysfs sys
		mount -t tmpfs -o mode=755 dev dev
		mkdir dev/pts dev/shm
		mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
		for name in null zero full random urandom; do
			cp -a "/dev/$name" dev
		done
		ln -s /proc/self/fd dev/fd
		mount -t tmpfs -o mode=1777 shm dev/shm
		mount -t tmpfs -o mode=1777 tmp tmp
		mount -t tmpfs -o mode=755 run run
		exec env -i HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
			PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot . /host/job' \
		- "$root" </dev/null 3>&-
}

# same_as_chroot NAME [LEFT-OUT]
same_as_chroot() {
	grep -v "^${2-no such result}: " "$BATS_FILE_TMPDIR/chroot/host/results" \
		>"$BATS_TEST_TMPDIR/expected"
	run diff "$BATS_TEST_TMPDIR/expected" "$BATS_FILE_TMPDIR/$1/host/results"
	if [ "$status" != 0 ]; then
		tail -n 30 "$BATS_FILE_TMPDIR/$1/host/log"
		printf '%s\n' "$output"
		fail "the guest $1 has other results"
	fi
}

# booted NAME MODE-LINE CLOCK-LINE - what its console shows, and its log does not
booted() {
	local dir=$BATS_FILE_TMPDIR/$1

	run tr -d '\r' <"$dir/console"
	assert_line --partial "userspace: $2"
	assert_line --partial "timeclock: $3"
	assert_line --partial 'root@debian:~# /host/job'
	assert_line --partial 'root@debian:~# exit'
	[ -s "$dir/host/dmesg" ]
	run ! grep -E "$SPLATS" "$dir/host/dmesg"
}

@test "in a chroot all of the work is done, and goes well" {
	run cat "$BATS_FILE_TMPDIR/chroot/host/results"
	if [ "$status" != 0 ]; then
		fail "$(cat "$BATS_FILE_TMPDIR/chroot.log")"
	fi
	assert_line "source: tests: tests completed successfully."
	assert_line "install: bc: 1.07.1-3+b1 installed"
	assert_line "threads: 15000 taken, sum 37507500, in order, some waited"
	assert_equal "$(grep -c ': status 0$' <<<"$output")" 4
	assert_equal "$(grep -c '^stress: .*: status 0, [1-9][0-9]* times$' \
		<<<"$output")" 12
}

@test "a guest in seccomp mode boots to a shell, and has the same results" {
	debian_guest seccomp seccomp "$BATS_FILE_TMPDIR/typed"
	booted seccomp seccomp page
	same_as_chroot seccomp
}

@test "a guest in ptrace mode boots to a shell, and has the same results" {
	debian_guest ptrace ptrace "$BATS_FILE_TMPDIR/typed"
	booted ptrace ptrace page
	same_as_chroot ptrace
}

@test "work that is not the same is noticed" {
	typed --cflags=-O1 >"$BATS_TEST_TMPDIR/typed"
	debian_guest other seccomp "$BATS_TEST_TMPDIR/typed"
	run same_as_chroot other
	assert_failure
	assert_line --partial '> compile: object: '
	assert_line 'the guest other has other results'
	refute_line --partial 'source: program'
}

@test "a guest in mmfd mode boots to a shell, and has the same results" {
	from_vm mmfd
	booted mmfd 'mmfd: address spaces of this task, memory in areas' timens
	same_as_chroot mmfd 'source: tests'
}

@test "a guest whose time calls pass boots to a shell, and has the same results" {
	from_vm timens
	booted timens seccomp 'timens: gettimeofday, clock_gettime, time'
	grep -qF 2038-01-19 "$BATS_FILE_TMPDIR/timens/console"
	same_as_chroot timens 'source: tests'
}

@test "nothing that a guest writes gets into the image" {
	echo 'ls /etc/mine && touch /host/found; echo mine >/etc/mine; sync' \
		>"$BATS_TEST_TMPDIR/typed"
	debian_guest first seccomp "$BATS_TEST_TMPDIR/typed"
	grep -qaF mine "$BATS_FILE_TMPDIR/first/changes"
	debian_guest second seccomp "$BATS_TEST_TMPDIR/typed"
	assert_not_exist "$BATS_FILE_TMPDIR/second/host/found"
	sha256sum -c --quiet "$BATS_FILE_TMPDIR/image"
}
