#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# uml-time-travel.bats - UML guests with time-travel=: their time passes when they
# have nothing to do, or when it is simulated; never do they see a clock of the host.
# In ptrace and seccomp mode on this machine, in mmfd mode in the VM.

load lib/common

START=1000000000	# time-travel-start=, in seconds

setup_file() {
	requires uml-timetravel vm-patched shim helpers
	export ROOT=$BATS_FILE_TMPDIR/root
	"$TOP/tests/uml/uml-root" "$ROOT" "$TOP/tests/uml/travel-init" \
		"$BUILD/tests/timecalls" "$BUILD/tests/clock-offset"
	vm_start patched --with "$BUILD/uml-timetravel/linux:/usr/bin/linux-tt.uml" \
		--with "$TOP/tests/uml/travel-init:/tests/travel-init" \
		--with "$(command -v setarch)"
}

teardown_file() {
	vm_stop
}

# travel MODE OPTION... <SCRIPT - what the script says in a guest so started; in $said
# what its kernel said
travel() {
	local mode=$1 script=/run/script.$BATS_TEST_NUMBER
	local -a options=(mem=128M con=null con0=null ssl=null rootfstype=hostfs rw
			  panic=-1 "travel=$script" init=/tests/travel-init)

	shift
	if [ "$mode" = mmfd ]; then
		options+=(mmfd=on "$@")
		cat >"$BATS_TEST_TMPDIR/script"
		vm sh -c "cat >$script; timeout 40 setarch -R linux-tt.uml ${options[*]} \
			>$script.log 2>&1 || :; cat $script.out" \
			<"$BATS_TEST_TMPDIR/script"
		return
	fi
	[ "$mode" != ptrace ] || options+=(seccomp=off)
	[ "$mode" != seccomp ] || options+=(seccomp=on)
	cat >"$ROOT$script"
	timeout 60 setarch -R "$BUILD/uml-timetravel/linux" "${options[@]}" "$@" \
		"rootflags=$ROOT" >"$ROOT$script.log" 2>&1 </dev/null || :
	cat "$ROOT$script.out"
}
