# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# cells.bash - run the kernel's own tests on the host and in UML guests, and
# compare. Load after common.
#
#   cells_start            the VM, the guests in it, the guests on this machine
#   cells_stop
#   same PROGRAM [ARG...]  every guest gives what the host gives, test by test
#   same_alone PROGRAM...  the same for one that sets clocks: the host is done
#                          when the guests that run on it begin
#   cells_table FILE       what the programs gave, as a table
#
# The host is the VM, in its initial time namespace; a cell is a guest:
# CLOCK-INTERCEPTION. Those on clock timens or in mmfd mode run in the VM, the others
# on this machine; see uml.bash.
#
# IGNORE is a pattern of result lines that do not count, and LIMIT a time in
# seconds. Where a guest may differ is in selftests.except, with the reason:
# such a line has to differ, or the exception has to go.

CELLS_HERE=(intercept-seccomp intercept-ptrace page-seccomp page-ptrace)
CELLS_VM=(timens-seccomp timens-ptrace intercept-mmfd page-mmfd timens-mmfd)
EXCEPT=$TOP/tests/lib/selftests.except

# shellcheck source=tests/lib/uml.bash
. "$TOP/tests/lib/uml.bash"

cells_paths() {
	CELLS_OUT=$BATS_FILE_TMPDIR/results
}

# cell_options CELL - for UML's command line
cell_options() {
	local mode

	case $1 in
	*-ptrace)  mode=seccomp=off ;;
	*-seccomp) mode=seccomp=on ;;
	*-mmfd)	   mode=mmfd=on ;;
	esac
	printf '%s timeclock=%s\n' "$mode" "${1%-*}"
}

# in_vm CELL
in_vm() {
	[[ " host ${CELLS_VM[*]} " == *" $1 "* ]]
}

start_here() {
	local cell options=()

	uml_root "$BUILD"/selftests/*
	for cell in "${CELLS_HERE[@]}"; do
		read -r -a options < <(cell_options "$cell")
		uml_start "$cell" uml "${options[@]}"
	done
}

start_in_vm() {
	local cell

	vm_start patched --mem 2G --with "$BUILD/selftests:/selftests"
	for cell in "${CELLS_VM[@]}"; do
		VM_TIMEOUT=200 vm <<-SH
			mkdir -p /run/uml
			UML_TIMEOUT=180 uml-guest start /run/uml/$cell \
				timens run --realtime=+1y --keep-caps=sys_time \
				linux.uml $(cell_options "$cell")
		SH
	done
}

cells_start() {
	cells_paths
	mkdir -p "$CELLS_OUT"
	start_here
	start_in_vm
}

cells_stop() {
	uml_stop || :
	vm_stop
}

# cell_log CELL - what its kernel said
cell_log() {
	if in_vm "$1"; then
		vm uml-guest log "/run/uml/$1"
	else
		uml_log "$1"
	fi
}

# run_here CELL - PROGRAM there; the last line is its status
run_here() {
	local status=0

	UML_TIMEOUT=$((LIMIT + 30)) guest "$1" \
		sh -c "cd /tests && timeout $LIMIT ./$PROGRAM 2>&1" ||
		status=$?
	printf '\nstatus %d\n' "$status"
}

# The VM answers one call at a time, so this one does all there is to do in it.
run_in_vm() {
	VM_TIMEOUT=$((2 * LIMIT + 60)) vm <<-SH
		cd /selftests
		out=/run/selftests
		rm -rf \$out
		mkdir \$out
		host() {
			timeout $LIMIT ./$PROGRAM && s=0 || s=\$?
			printf '\nstatus %d\n' \$s
		}
		guest() {
			UML_TIMEOUT=$((LIMIT + 30)) uml-guest run /run/uml/\$1 sh -c \
				"cd /selftests && timeout $LIMIT ./$PROGRAM 2>&1" &&
				s=0 || s=\$?
			printf '\nstatus %d\n' \$s
		}
		case " $* " in
		*" host "*)
			host >\$out/host 2>&1 &
			[ $ALONE = 0 ] || wait ;;
		esac
		for cell in ${CELLS_VM[*]}; do
			case " $* " in
			*" \$cell "*) guest \$cell >\$out/\$cell 2>&1 & ;;
			esac
		done
		wait
		for cell in $*; do
			[ ! -e \$out/\$cell ] || sed "s/^/\$cell /" \$out/\$cell
		done
	SH
}

# run_cells CELL... - to $WORK/CELL.log
run_cells() {
	local cell

	for cell; do
		in_vm "$cell" ||
			run_here "$cell" >"$WORK/$cell.log" 2>&1 3>&- &
	done
	run_in_vm "$@" >"$WORK/vm"
	wait
	for cell; do
		! in_vm "$cell" ||
			sed -n "s/^$cell //p" "$WORK/vm" >"$WORK/$cell.log"
	done
}

# results CELL - a line for each test in its log, without figures; after a
# line "[RUN] WHAT", with what was run
# How much memory mrelease_test needs is how quick the machine is.
results() {
	awk '/^\[RUN\]/ {
		run = $0
		sub(/^.RUN.[ \t]*/, " <", run)
		next
	}
	/^\[(OK|FAIL|SKIP)\]/ { $0 = $0 run }
	{ print }' "$WORK/$1.log" |
		grep -aE '^(ok|not ok|status|\[(OK|FAIL|SKIP)\])|\[(OK|FAIL|FAILED|SKIP)\]' |
		grep -vE "${IGNORE:-^$}" |
		sed 's/[0-9][0-9]*\.[0-9.]*//g; s/with [0-9]*MB of memory/with memory/; s/ *$//'
}

# expected CELL - the host's results as they ought to be in that guest. Every
# line of selftests.except that says so for cell and program replaces one.
expected() {
	results host | CELL=$1 NAME=${PROGRAM%% *} awk -F ' *[|] *' '
	FILENAME != "-" {
		if (/^(#|$)/ || ENVIRON["CELL"] !~ "^" $1 "$" || $2 != ENVIRON["NAME"])
			next
		from[++n] = $3
		to[n] = $4
		next
	}
	{
		for (i = 1; i <= n; i++)
			if ($0 ~ from[i]) {
				seen[i] = 1
				new = $0
				sub(from[i], to[i], new)
				$0 = new
			}
		print
	}
	END {
		for (i = 1; i <= n; i++)
			if (!(i in seen))
				print "no line for the exception: " from[i]
	}' "$EXCEPT" -
}

# broken CELL - did it end in a way that no test does?
broken() {
	case $(tail -n 1 "$WORK/$1.log") in
	'status '[0-4]) return 1 ;;
	esac
}

differs() {
	results host >"$WORK/host"
	results "$1" >"$WORK/$1"
	expected "$1" >"$WORK/$1.expected"
	! broken "$1" && ! broken host && [ -s "$WORK/$1" ] &&
		diff -u "$WORK/$1.expected" "$WORK/$1" >"$WORK/$1.diff" &&
		return 1
	return 0
}

# Many of these tests measure time, on a machine that may be busy: a difference
# has to come three times.
compare() {
	local cell
	local -a todo=("${CELLS_HERE[@]}" "${CELLS_VM[@]}") left

	WORK=$CELLS_OUT/${PROGRAM%% *}
	mkdir -p "$WORK"
	for _ in 1 2 3; do
		run_cells host "${todo[@]}"
		left=()
		for cell in "${todo[@]}"; do
			! differs "$cell" || left+=("$cell")
		done
		todo=("${left[@]}")
		[ ${#todo[@]} -gt 0 ] || return 0
	done
	for cell in "${todo[@]}"; do
		printf -- '--- %s: as on the host, and as in %s (status %s)\n' \
			"$PROGRAM" "$cell" "$(tail -n 1 "$WORK/$cell.log")"
		[ ! -e "$WORK/$cell.diff" ] || cat "$WORK/$cell.diff"
		! broken "$cell" || tail -n 20 "$WORK/$cell.log"
	done
	fail "$PROGRAM differs from the host three times in: ${todo[*]}"
}

same() {
	local PROGRAM=$* ALONE=${ALONE:-0} LIMIT=${LIMIT:-60} WORK

	cells_paths
	compare
}

same_alone() {
	ALONE=1 same "$@"
}

# counts CELL - passed/failed/skipped
counts() {
	awk '/^not ok|\[(FAIL|FAILED)\]/ { f++; next }
	/^ok .*# *SKIP|\[SKIP\]/ { s++; next }
	/^ok|\[OK\]/ { p++ }
	END {
		if (!(p + f + s)) {
			p = /^status 0/; s = /^status 4/; f = !p && !s
		}
		printf " %d/%d/%d |", p, f, s
	}' "$WORK/$1"
}

cells_table() {
	local dir cell WORK
	local -a cells=(host "${CELLS_HERE[@]}" "${CELLS_VM[@]}")

	cells_paths
	{
		printf '| passed/failed/skipped |'
		printf ' %s |' "${cells[@]}"
		printf '\n|:---|'
		printf -- '---:|%.0s' "${cells[@]}"
		printf '\n'
		for dir in "$CELLS_OUT"/*/; do
			[ -d "$dir" ] || continue
			WORK=${dir%/}
			printf '| %s |' "${WORK##*/}"
			for cell in "${cells[@]}"; do
				counts "$cell"
			done
			printf '\n'
		done
	} >"$1"
}
