# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# lib-fetch.sh - find, download and unpack the kernel source; source after
# lib.sh.
#
#   base_key KEY              a value of kernel-ns/BASE
#   check_tarball_setting     complain early about KERNEL_TARBALL
#   find_source               sets SOURCE to the file to unpack
#   unpack_source FILE DIR    unpack a tarball or linux-source package
#   tree_version DIR          7.3.4 and the like, from DIR/Makefile

base_key()
{
	sed -n "s/^$1=//p" "$ROOMS/kernel-ns/BASE"
}

makefile_version()
{
	awk 'NR > 20 { next } $1 == "VERSION" { v = $3 }
	     $1 == "PATCHLEVEL" { p = $3 }
	     $1 == "SUBLEVEL" { s = $3 }
	     END { print v "." p "." s }'
}

tree_version()
{
	makefile_version <"$1/Makefile"
}

check_tarball_setting()
{
	[ -n "${KERNEL_TARBALL:-}" ] || return 0
	[ -f "$KERNEL_TARBALL" ] && [ -r "$KERNEL_TARBALL" ] ||
		die "KERNEL_TARBALL=$KERNEL_TARBALL: no such readable file"
	case $KERNEL_TARBALL in
	*.deb|*.tar|*.tar.xz|*.tar.gz|*.tgz|*.tar.zst|*.tar.bz2) ;;
	*) die "KERNEL_TARBALL=$KERNEL_TARBALL: not a name ending in .tar.xz," \
	       ".tar.gz, .tar.zst, .tar.bz2, .tar or .deb" ;;
	esac
}

# mirror - the site this machine takes Debian's main archive from.
mirror()
{
	apt-get indextargets --format '$(LABEL)|$(ORIGIN)|$(SITE)' \
		'Created-By: Packages' 2>/dev/null |
		awk -F '|' '$1 == "Debian" && $2 == "Debian" { print $3 }' |
		sed -n 1p
}

# The mirror as written in the sources, for a machine whose lists are empty.
mirror_unfetched()
{
	apt-get indextargets --format '$(SITE)' 'Created-By: Packages' |
		grep -v -i security | sed -n 1p
}

# need_mirror - the mirror, whether its lists are there or not
need_mirror()
{
	local site

	site=$(mirror)
	[ -n "$site" ] || site=$(mirror_unfetched)
	[ -n "$site" ] || die "no Debian mirror in this machine's apt sources;" \
		"add one, or give KERNEL_TARBALL=FILE"
	printf '%s\n' "$site"
}

# apt_own TOOL ARG... - apt with sources, lists and cache of its own, in the
# directory APT_STATE.
APT_STATE=$CACHE/apt
apt_own()
{
	local tool=$1 state=$APT_STATE

	shift
	"$tool" -o Dir::Etc::SourceList="$state/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null \
		-o Dir::State="$state" -o Dir::State::Lists="$state/lists" \
		-o Dir::State::status="$state/status" \
		-o Dir::Cache="$state/cache" -o APT::Sandbox::User=root "$@"
}

# apt_own_setup SUITE [STATUS] - with nothing installed, or what the file says
apt_own_setup()
{
	local suite=$1 status=${2:-/dev/null} state=$APT_STATE site

	site=$(need_mirror) || exit
	mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
	cat "$status" >"$state/status"
	printf 'deb [signed-by=%s] %s %s main\n' \
		/usr/share/keyrings/debian-archive-keyring.gpg \
		"$site" "$suite" >"$state/sources.list"
}

# other_version - the suite's 7.3.x when the pinned version has gone.
other_version()
{
	local series

	series=$(base_key upstream)
	series=${series%.*}
	apt_own apt-cache madison "$(base_key package)" |
		awk -F '|' '{ gsub(/ /, "", $2); print $2 }' |
		grep -F -- "$series." | sed -n 1p
}

# pretend_installed PKG=VERSION - put its dependencies into our apt's status, as
# it shall fetch that package and nothing else.
pretend_installed()
{
	apt_own apt-cache show "$1" | sed -n 's/^Depends: //p' | tr '|' ',' | tr , '\n' |
		sed -e 's/(.*//' -e 's/:.*//' -e 's/ //g' | sort -u |
		while IFS= read -r name; do
			printf 'Package: %s\nStatus: install ok installed\n' \
				"$name"
			printf 'Version: 999:1\nArchitecture: %s\n' \
				"$(dpkg --print-architecture)"
			printf 'Maintainer: none\nDescription: none\n\n'
		done >"$APT_STATE/status.new"
	mv "$APT_STATE/status.new" "$APT_STATE/status"
}

# apt_fetch VERSION FILE - download to FILE. "install --download-only" keeps a
# part and goes on from there; "download" does not.
apt_fetch()
{
	local what
	local -a got quiet=(-qq)

	what="$(base_key package)=$1"
	[ ! -t 1 ] || quiet=()
	pretend_installed "$what"
	apt_own apt-get "${quiet[@]}" -y --no-install-recommends --download-only \
		-o Debug::NoLocking=1 -o quiet::NoStatistic=1 install "$what" ||
		die "download failed; run again to go on where it stopped"
	got=("$APT_STATE"/cache/archives/*.deb)
	[ ${#got[@]} -eq 1 ] && [ -e "${got[0]}" ] ||
		die "apt-get brought something else: ${got[*]}"
	mv "${got[0]}" "$2"
}

find_source()
{
	local dir=$CACHE/tarballs pkg ver sum file

	if [ -n "${KERNEL_TARBALL:-}" ]; then
		SOURCE=$KERNEL_TARBALL
		return
	fi
	pkg=$(base_key package)
	ver=$(base_key version)
	sum=$(base_key sha256)
	file=$dir/${pkg}_${ver}_all.deb
	mkdir -p "$dir"
	if [ -e "$file" ]; then
		progress "checking $file"
		if echo "$sum  $file" | sha256sum -c --status; then
			SOURCE=$file
			return
		fi
		warn "$file is damaged, fetching it again"
		rm -f "$file"
	fi
	need_space "$CACHE" 400
	apt_own_setup "$(base_key suite)"
	say "fetching $pkg $ver from $(base_key suite)"
	apt_own apt-get -qq update ||
		die "cannot read $(base_key suite) from this machine's mirror"
	if [ -n "$(apt_own apt-cache madison "$pkg" |
		   awk -v v="$ver" '$3 == v')" ]; then
		apt_fetch "$ver" "$file"
		echo "$sum  $file" | sha256sum -c --status ||
			die "$file is not the package kernel-ns/BASE names"
		SOURCE=$file
		return
	fi
	ver=$(other_version)
	[ -n "$ver" ] || die "the mirror has no $pkg of series" \
		"$(base_key upstream); give KERNEL_TARBALL=FILE"
	warn "$pkg $(base_key version) is gone from the mirror; using $ver" \
	     "if every patch applies"
	SOURCE=$dir/${pkg}_${ver}_all.deb
	[ -e "$SOURCE" ] || apt_fetch "$ver" "$SOURCE"
}

# tar_stream FILE - the uncompressed tar on stdout.
tar_stream()
{
	case $1 in
	*.deb)		deb_stream "$1" ;;
	*.tar.xz)	xz -dc -T0 -- "$1" ;;
	*.tar.gz|*.tgz)	gzip -dc -- "$1" ;;
	*.tar.zst)	zstd -dcq -- "$1" ;;
	*.tar.bz2)	bzip2 -dc -- "$1" ;;
	*)		cat -- "$1" ;;
	esac
}

deb_stream()
{
	dpkg-deb --fsys-tarfile "$1" |
		tar -xO --wildcards './usr/src/linux-source-*.tar.xz' |
		xz -dc -T0
}

# unpack_progress - turn tar's checkpoint lines into one line of progress.
unpack_progress()
{
	local line total=$1

	while IFS= read -r line; do
		case $line in
		*checkpoint*)
			progress "unpacking: $(( ${line##* } / 100 )) MiB of about $total" ;;
		*) printf '%s\n' "$line" >&2 ;;
		esac
	done
	progress_end
}

unpack_source()
{
	local file=$1 dir=$2 err=$2.err have want

	mkdir -p "$dir"
	# 10 240 bytes a record: 5000 records are about 50 MB.
	if ! tar_stream "$file" 2>"$err" |
	     tar -x --strip-components=1 --no-same-owner -C "$dir" \
		--checkpoint=5000 --checkpoint-action=echo='checkpoint %u' \
		2> >(tee -a "$err" | unpack_progress 1650); then
		sleep 0.1
		grep -v checkpoint "$err" | sed -n 1,5p >&2 || true
		grep -q 'No space left' "$err" && exit 1
		rm -f "$err"
		die "$file is damaged or cut short, or not a tar archive;" \
		    "the partial tree is removed"
	fi
	rm -f "$err"
	progress_end
	if [ ! -e "$dir/Makefile" ] || [ ! -e "$dir/Kconfig" ] ||
	   [ ! -d "$dir/kernel" ]; then
		die "$file is not a Linux source tree"
	fi
	have=$(tree_version "$dir")
	want=$(base_key upstream)
	[ "${have%.*}" = "${want%.*}" ] ||
		die "$file is Linux $have; the patches are for $want"
	[ "$have" = "$want" ] ||
		warn "$file is Linux $have, the patches are made for $want;" \
		     "using it if every patch applies"
}
