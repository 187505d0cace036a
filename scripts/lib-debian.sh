# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# lib-debian.sh - in which ways a Debian guest runs; source after lib.sh.
#
#   DEBIAN_HERE, DEBIAN_VM    the modes that run on this machine, and those that
#                             take the patched kernel, hence the VM
#   debian_uml MODE           the command, up to UML's options for that mode
#
# On this machine the guest's clock is its kernel's time page, and it has no right to
# set this machine's; in the VM its clock is a namespace's, which it may set.

# shellcheck disable=SC2034
DEBIAN_HERE=(seccomp ptrace)
DEBIAN_VM=(mmfd timens)

debian_uml()
{
	local here=("$(command -v setpriv)" --bounding-set=-sys_time
		    "$BUILD/uml/linux")
	local own=(timens run --realtime=2038-01-19T03:14:00Z --uptime 0
		   --keep-caps=sys_time linux.uml)

	[ "$(id -u)" = 0 ] || here=("${here[@]:2}")
	case $1 in
	seccomp) printf '%s ' "${here[@]}" mmfd=off seccomp=on ;;
	ptrace)	 printf '%s ' "${here[@]}" mmfd=off seccomp=off ;;
	mmfd)	 printf '%s ' "${own[@]}" mmfd=on timeclock=timens ;;
	timens)	 printf '%s ' "${own[@]}" seccomp=on timeclock=timens ;;
	*)	 die "no mode '$1'; there are ${DEBIAN_HERE[*]} ${DEBIAN_VM[*]}" ;;
	esac
}
