# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# vm-image.sh - the test VM's initramfs, for scripts/run-vm; source it.
#
# The image is several cpio archives one after the other, which the kernel
# unpacks in turn: a base (busybox, init), what this project has built, what
# --with names, and the command of this run.  All but the last are kept in
# $BUILD/vm/layers under a hash of what they were made from.
#
#   image_with SPEC             note one --with PATH[:DEST]
#   image_build RUNDIR OUT      write the image; RUNDIR holds scratch and the
#                               directory RUNDIR/run, taken as the last layer
#   image_skeleton DIR          the directories every layer starts from
#   sh_quote WORD...            the words, quoted for sh(1)
#
# Needs lib.sh sourced before.

IMAGE_LAYERS=$BUILD/vm/layers
IMAGE_SRC=()
IMAGE_DEST=()

sh_quote()
{
	local word out=

	for word; do
		out+="'${word//\'/\'\\\'\'}' "
	done
	printf '%s' "${out% }"
}

# The same skeleton in every layer: a directory where an earlier layer has a
# symlink would replace the link, and a library that came from a folder under
# /tmp would bring a /tmp that is root's alone.
image_skeleton()
{
	local dir=$1 d

	for d in bin sbin lib lib64; do
		mkdir -p "$dir/usr/$d"
		ln -s "usr/$d" "$dir/$d"
	done
	mkdir -p "$dir/tmp" "$dir/var/tmp"
	chmod 1777 "$dir/tmp" "$dir/var/tmp"
}

image_with()
{
	local spec=$1 src=$1 dest=

	if [ ! -e "$src" ] && [[ $spec == *:* ]]; then
		src=${spec%:*}
		dest=${spec##*:}
		[[ $dest == /* ]] ||
			die "--with $spec: '$dest' is not an absolute path"
	fi
	[ -e "$src" ] || die "--with $spec: no such file or directory: $src"
	[ -r "$src" ] || die "--with $spec: not readable: $src"
	src=$(realpath -s -- "$src")
	dest=${dest:-$src}
	[[ $dest != */ ]] || dest+=$(basename -- "$src")
	IMAGE_SRC+=("$src")
	IMAGE_DEST+=("$dest")
}

# is_elf FILE
is_elf()
{
	local magic=

	LC_ALL=C IFS= read -r -n 4 magic 2>/dev/null <"$1" || :
	[ "$magic" = $'\x7fELF' ]
}

# add_libs DIR FILE - the loader and the libraries that FILE asks for.
add_libs()
{
	local dir=$1 file=$2 list lib

	is_elf "$file" || return 0
	list=$(ldd "$file" 2>/dev/null) || return 0	# static
	if [[ $list == *"not found"* ]]; then
		die "$file needs a library that is not here:" \
		    "$(grep -m1 'not found' <<<"$list")"
	fi
	while read -r lib; do
		[ -e "$dir$lib" ] && continue
		mkdir -p "$dir${lib%/*}"
		cp -L "$lib" "$dir$lib"
	done < <(libraries <<<"$list")
}

# add_path DIR SRC DEST - a file or a whole directory, with its libraries.
add_path()
{
	local dir=$1 src=$2 dest=$3 file

	mkdir -p "$dir$(dirname -- "$dest")"
	if [ ! -d "$src" ]; then
		rm -f "$dir$dest"
		cp -L --preserve=mode,timestamps -- "$src" "$dir$dest"
		add_libs "$dir" "$src"
		return
	fi
	mkdir -p "$dir$dest"
	cp -a -- "$src/." "$dir$dest/"
	while IFS= read -r -d '' file; do
		add_libs "$dir" "$file"
	done < <(find "$src/" -type f \( -perm /111 -o -name '*.so*' \) -print0)
}

pack_layer()
{
	local dir=$1 out=$2

	(cd "$dir" && find . -mindepth 1 -print0 | sort -z |
		cpio --quiet --null -o -H newc -R 0:0 --reproducible) >"$out" ||
		die "could not pack $dir (is the disk full?)"
}

# stamp PATH... - changes whenever what the paths hold changes.
stamp()
{
	find -L "$@" -printf '%p %y %m %s %T@ %C@ %l\n' 2>/dev/null || :
}

# cached_layer NAME KEY RUNDIR - path of the layer, made by fill_NAME if new.
cached_layer()
{
	local name=$1 key=$2 run=$3 sum out

	sum=$(printf '%s\n' "$key" | cat - "${BASH_SOURCE[0]}" | sha256sum)
	out=$IMAGE_LAYERS/$name.${sum:0:24}.cpio
	if [ ! -e "$out" ]; then
		mkdir -p "$IMAGE_LAYERS" "$run/$name"
		image_skeleton "$run/$name"
		"fill_$name" "$run/$name"
		pack_layer "$run/$name" "$run/$name.cpio"
		rm -rf "${run:?}/$name"
		mv "$run/$name.cpio" "$out"
	fi
	touch "$out"
	LAYERS+=("$out")
}

# From the host: what busybox has no counterpart for.
IMAGE_TOOLS=(setpriv unshare nsenter)

fill_base()
{
	local dir=$1 busybox tool

	busybox=$(command -v busybox)
	! ldd "$busybox" >/dev/null 2>&1 ||
		die "$busybox is not static; apt-get install busybox-static"
	mkdir -p "$dir"/{dev,proc,sys,run,etc,root,tests,vm} "$dir/home/user"
	cp "$busybox" "$dir/usr/bin/busybox"
	while read -r tool; do
		[ -e "$dir/usr/bin/$tool" ] ||
			ln -s busybox "$dir/usr/bin/$tool"
	done < <("$busybox" --list)
	for tool in "${IMAGE_TOOLS[@]}"; do
		add_path "$dir" "$(command -v "$tool")" "/usr/bin/$tool"
	done
	cp -r "$TOP/tests/vm/etc/." "$dir/etc/"
	cp "$TOP/tests/vm/init" "$dir/init"
	cp "$TOP/tests/vm/serve" "$dir/vm/serve"
	chmod 755 "$dir/init" "$dir/vm/serve"
}

built_files()
{
	local f

	for f in "$BUILD"/shim/{timens,timens-static,libtimens.so*} \
		 "$BUILD"/uml/linux "$BUILD"/uml-smp/linux "$BUILD"/tests/*; do
		if [ -f "$f" ] && [ -x "$f" ]; then
			printf '%s\n' "$f"
		fi
	done
}

fill_built()
{
	local dir=$1 f name

	while read -r f; do
		name=${f##*/}
		case $f in
		*/shim/lib*)	add_path "$dir" "$f" "/usr/lib/$name" ;;
		*/shim/*)	add_path "$dir" "$f" "/usr/bin/$name" ;;
		*/uml*/linux)	name=${f%/linux}
				name=/usr/bin/linux${name##*/uml}.uml
				add_path "$dir" "$f" "$name"
				strip --strip-debug "$dir$name" ;;
		*)		add_path "$dir" "$f" "/tests/$name" ;;
		esac
	done < <(built_files)
}

fill_with()
{
	local dir=$1 i

	for i in "${!IMAGE_SRC[@]}"; do
		add_path "$dir" "${IMAGE_SRC[i]}" "${IMAGE_DEST[i]}"
	done
}

# All but the twelve layers used last are dropped.
prune_layers()
{
	find "$IMAGE_LAYERS" -name '*.cpio' -printf '%T@ %p\n' | sort -rn |
		sed -n '13,$s/^[^ ]* //p' | xargs -r -d '\n' rm -f
}

image_build()
{
	local run=$1 out=$2
	local -a LAYERS=() files tools
	local tool

	mapfile -t tools < <(for tool in busybox "${IMAGE_TOOLS[@]}"; do
				     command -v "$tool"
			     done)
	cached_layer base "$(stamp "${tools[@]}" "$TOP/tests/vm")" "$run"
	mapfile -t files < <(built_files)
	[ ${#files[@]} -eq 0 ] ||
		cached_layer built "$(stamp "${files[@]}")" "$run"
	if [ ${#IMAGE_SRC[@]} -gt 0 ]; then
		cached_layer with "$(printf '%s\n' "${IMAGE_DEST[@]}"
				     stamp "${IMAGE_SRC[@]}" \
					   /etc/ld.so.cache)" "$run"
	fi
	pack_layer "$run/run" "$run/run.cpio"
	cat "${LAYERS[@]}" "$run/run.cpio" >"$out" ||
		die "could not write $out (is the disk full?)"
	prune_layers
}
