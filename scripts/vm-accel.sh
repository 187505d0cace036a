# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# vm-accel.sh - choose how QEMU runs the VM, for scripts/run-vm; source it.
#
#   accel_choose KERNEL         sets ACCEL to kvm or tcg
#
# A /dev/kvm that opens is no proof: there are machines where a guest hangs in
# it.  So a real boot is tried, with a time limit, and the answer is kept in
# $CACHE for this machine, kernel and QEMU.  VM_ACCEL=kvm|tcg overrides.
# shellcheck disable=SC2034 # ACCEL is read by vm-boot.sh

ACCEL_PROBE_SECONDS=15

accel_key()
{
	{
		cat /etc/machine-id 2>/dev/null || hostname
		uname -rv
		qemu-system-x86_64 --version
		grep -m1 'model name' /proc/cpuinfo
	} | sha256sum | cut -c1-16
}

# accel_try KERNEL ACCEL - does a boot with it end with true's status?
accel_try()
{
	VM_ACCEL=$2 timeout -k 5 "$ACCEL_PROBE_SECONDS" \
		"$TOP/scripts/run-vm" --kernel "$1" --smp 1 -- true \
		</dev/null >/dev/null 2>&1
}

accel_probe()
{
	local kernel=$1 file=$2 answer

	progress "trying KVM for at most $ACCEL_PROBE_SECONDS s, once"
	if accel_try "$kernel" kvm; then
		answer=kvm
	elif accel_try "$kernel" tcg; then
		answer=tcg
	else
		# The kernel does not boot at all: nothing learnt about KVM.
		progress_end
		ACCEL=tcg
		return
	fi
	progress_end
	printf '%s\n' "$answer" >"$file.$$"
	mv "$file.$$" "$file"
	ACCEL=$answer
}

accel_choose()
{
	local kernel=$1 file lock

	case ${VM_ACCEL:-auto} in
	kvm | tcg)	ACCEL=$VM_ACCEL; return ;;
	auto)		;;
	*)		die "VM_ACCEL=$VM_ACCEL: must be kvm, tcg or auto" ;;
	esac
	ACCEL=tcg
	[ -r /dev/kvm ] && [ -w /dev/kvm ] || return 0
	mkdir -p "$CACHE"
	file=$CACHE/vm-accel.$(accel_key)
	exec {lock}>"$file.lock"
	flock "$lock"
	if [ -s "$file" ]; then
		read -r ACCEL <"$file"
	else
		accel_probe "$kernel" "$file"
	fi
	exec {lock}>&-
}
