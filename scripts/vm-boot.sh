# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# vm-boot.sh - one boot of the test VM, for scripts/run-vm; source it.
#
#   boot_args KERNEL INITRD RUNDIR    fill the array QEMU with the command
#   boot_wait RUNDIR                  run it; sets BOOT_END to exit, timeout,
#                                     and QEMU_STATUS
#   log_splats LOG                    print the lines that tell of trouble
#
# Reads the caller's KERNEL, SMP, MEM, ICOUNT, APPEND, MODE, MERGE, ACCEL, TIMEOUT.
# shellcheck disable=SC2034,SC2153 # results are read by run-vm, KERNEL is its

# The command line.  panic=-1 restarts at once, and -no-reboot makes that the
# end of QEMU.
BOOT_CMDLINE=(console=ttyS0 loglevel=5 panic=-1 oops=panic panic_on_warn=1
	      rdinit=/init printk.time=1 random.trust_cpu=on)

# The clock must be the TSC, or the vDSO would enter the kernel for it.  Under
# TCG the kernel takes it by itself (the same on all CPUs: it is the host's),
# but watches it against timers whose emulation lags on a busy host, and might
# give it up: hence tsc=reliable.  With -icount a TSC tick is a nanosecond is
# an instruction, which the kernel's calibration would get 16 ppm wrong; with
# the same date and random seed each time, two runs are the same.  vm.bats
# tests what comes of all this.
#
# The kernel forgets for a moment at boot what features the CPU has. With KASAN, an
# interrupt then, which a busy host may have come so early, finds its own memory wild
# if page tables have five levels, with the stock kernel's code alone: they have four.
boot_accel_args()
{
	local cpu=max

	[ "$KERNEL" != debug ] || cpu=max,la57=off
	if [ "$ICOUNT" = 1 ]; then
		QEMU+=(-accel "tcg,thread=single" -icount "shift=0,sleep=off"
		       -rtc "base=2026-01-01,clock=vm" -cpu "$cpu" -seed 1)
		CMDLINE+=(tsc=reliable tsc_early_khz=1000000)
	elif [ "$ACCEL" = kvm ]; then
		QEMU+=(-accel kvm -cpu host)
	else
		QEMU+=(-accel "tcg,thread=multi" -cpu "$cpu")
		CMDLINE+=(tsc=reliable)
	fi
}

# ioeventfd=off: the guest's write to a port returns only after QEMU has
# written the file, so that nothing is lost when the guest stops right after.
boot_port_args()
{
	local run=$1 nr=0 name

	QEMU+=(-device "virtio-serial-pci,ioeventfd=off,max_ports=8")
	for name in out err status; do
		nr=$((nr + 1))
		QEMU+=(-chardev "file,id=$name,path=$run/$name,append=on"
		       -device "virtserialport,nr=$nr,chardev=$name,name=$name")
	done
	case $MODE in
	serve)
		QEMU+=(-chardev "pipe,id=req,path=$run/req"
		       -device "virtserialport,nr=4,chardev=req,name=req"
		       -chardev "pipe,id=mon,path=$run/mon"
		       -mon "chardev=mon,mode=readline") ;;
	tty)
		QEMU+=(-chardev "stdio,id=tty,signal=off,mux=on"
		       -device "virtconsole,nr=0,chardev=tty") ;;
	esac
}

boot_args()
{
	local kernel=$1 initrd=$2 run=$3
	local -a CMDLINE=("${BOOT_CMDLINE[@]}")

	QEMU=(qemu-system-x86_64 -no-user-config -nodefaults -display none
	      -no-reboot -name "timens-vm" -machine q35 -m "$MEM" -smp "$SMP")
	# A data race is reported as a warning, and may be one of the stock kernel.
	# shellcheck disable=SC2153 # the kind; run-vm sets it
	[ "$KERNEL" != kcsan ] || CMDLINE+=(panic_on_warn=0)
	boot_accel_args
	boot_port_args "$run"
	CMDLINE+=("${APPEND[@]}")
	QEMU+=(-chardev "file,id=log,path=$run/log,append=on"
	       -serial chardev:log
	       -kernel "$kernel" -initrd "$initrd" -append "${CMDLINE[*]}")
}

# QEMU and the clock that limits it die with this script, whatever ends it.
boot_wait()
{
	local run=$1 ended

	touch "$run/out" "$run/err" "$run/status" "$run/log"
	if [ "$MODE" = tty ]; then
		TTY_STATE=$(stty -g 2>/dev/null) || :
		setpriv --pdeathsig KILL "${QEMU[@]}" <&0 2>"$run/qemu.err" &
	else
		setpriv --pdeathsig KILL "${QEMU[@]}" \
			</dev/null >"$run/qemu.err" 2>&1 &
	fi
	QEMU_PID=$!
	setpriv --pdeathsig KILL sleep "$TIMEOUT" &
	SLEEP_PID=$!
	boot_follow "$run"
	QEMU_STATUS=0
	wait -n -p ended "$QEMU_PID" "$SLEEP_PID" 2>/dev/null || QEMU_STATUS=$?
	BOOT_END='exit'
	[ "$ended" = "$QEMU_PID" ] || BOOT_END='timeout'
	boot_stop
	[ ${#TAIL_PIDS[@]} -eq 0 ] || wait "${TAIL_PIDS[@]}" || :
	TAIL_PIDS=()
}

# The command's output as it comes.
boot_follow()
{
	local run=$1

	TAIL_PIDS=()
	[ "$MODE" = run ] || return 0
	tail -q -c +1 -s 0.05 -f --pid="$QEMU_PID" "$run/out" &
	TAIL_PIDS+=($!)
	[ "$MERGE" = 0 ] || return 0
	tail -q -c +1 -s 0.05 -f --pid="$QEMU_PID" "$run/err" >&2 &
	TAIL_PIDS+=($!)
}

boot_stop()
{
	local pid

	for pid in $QEMU_PID $SLEEP_PID; do
		kill -KILL "$pid" 2>/dev/null || :
		wait "$pid" 2>/dev/null || :
	done
	QEMU_PID='' SLEEP_PID=''
	# QEMU restores the terminal only if it ends by itself
	[ -z "$TTY_STATE" ] || stty "$TTY_STATE" 2>/dev/null || :
}
QEMU_PID='' SLEEP_PID='' TTY_STATE=''
TAIL_PIDS=()

# What no healthy run prints.  "general protection fault ip:" is a user
# program's; the kernel's own has a comma.
LOG_SPLATS='WARNING:|BUG:|INFO: (possible|suspicious|trying|task|rcu)'
LOG_SPLATS+='|rcu: INFO|UBSAN:|KASAN:|KCSAN:|Oops|general protection fault,'
LOG_SPLATS+='|Call Trace|Kernel panic|suspicious RCU usage|corruption'
LOG_SPLATS+='|refcount_t:|unreferenced object|soft lockup|hard LOCKUP'

log_splats()
{
	grep -aE -- "$LOG_SPLATS" "$1"
}

# Functions of ours, and those that this project changes the data of, in the title
# of a data race.
OUR_RACES='mmfd|user_fpstate|vm_mprotect|mm_dup_current|realtime|timens'

# drop_stock_races LOG - take the other data races out of it, and tell how many
drop_stock_races()
{
	local log=$1

	awk -v ours="$OUR_RACES" '
	function flush() { if (!foreign) printf "%s", block; block = "" }
	/==========/ {
		block = block $0 "\n"
		if (inside) { flush(); inside = foreign = 0 }
		else inside = 1
		next
	}
	inside {
		block = block $0 "\n"
		if (/BUG: KCSAN:/ && $0 !~ ours) { foreign = 1; n++ }
		next
	}
	{ print }
	END { flush(); print n + 0 >"/dev/fd/3" }' "$log" 3>"$log.races" >"$log.ours"
	mv "$log.ours" "$log"
	[ "$(cat "$log.races")" = 0 ] ||
		printf '%s: %s data races of the stock kernel\n' "$PROG" \
			"$(cat "$log.races")" >&2
}
