#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
# tree.bats - the kernel tree: unpacking, patches and overlay to commits and
# back, and that nothing half done stays behind. A made-up kernel of a few
# files stands in for the real one.

load lib/common

setup() {
	work=$BATS_TEST_TMPDIR
	export TIMENS_BUILD=$work/build TIMENS_CACHE=$work/cache
	export TIMENS_ROOMS=$work/rooms KERNEL_TARBALL=$work/linux.tar.xz
	export TIMENS_NO_SPACE_CHECK=1
	export GIT_AUTHOR_NAME=Dev GIT_AUTHOR_EMAIL=dev@example.org
	export GIT_COMMITTER_NAME=Dev GIT_COMMITTER_EMAIL=dev@example.org
	unset FORCE
	tree=$TIMENS_BUILD/linux
	make_source 7 3 4
	make_rooms
}

# make_source VERSION PATCHLEVEL SUBLEVEL - the tarball of a small kernel.
make_source() {
	local src=$work/linux-$1.$2.$3

	mkdir -p "$src"/{kernel/time,arch/um/kernel,Documentation}
	printf 'VERSION = %s\nPATCHLEVEL = %s\nSUBLEVEL = %s\n' "$@" \
		>"$src/Makefile"
	echo 'mainmenu "Linux"' >"$src/Kconfig"
	seq 1 40 >"$src/kernel/time/clock.c"
	seq 1 40 >"$src/arch/um/kernel/time.c"
	printf '*.o\n\n#\n%s\n#\n/*\n!/debian/\n' \
		'# Debian packaging: ignore everything at the top level' \
		>"$src/.gitignore"
	tar -C "$work" -cJf "$work/linux.tar.xz" "linux-$1.$2.$3"
	rm -rf "$src"
}

# One commit in each room, made as a developer would: commit, then export.
make_rooms() {
	mkdir -p "$TIMENS_ROOMS"/{kernel-ns,uml-glue}
	printf 'upstream=7.3.4\npackage=linux-source-7.3\n' \
		>"$TIMENS_ROOMS/kernel-ns/BASE"
}

populate() {
	"$TOP/scripts/kernel-tree"
	sed -i 's/^20$/twenty/' "$tree/kernel/time/clock.c"
	echo 'a new file' >"$tree/kernel/time/wall.c"
	printf '#!/bin/sh\n' >"$tree/tool"
	chmod +x "$tree/tool"
	commit "time: give it a wall clock"
	sed -i 's/^30$/thirty/' "$tree/arch/um/kernel/time.c"
	commit "um: follow the wall clock"
	"$TOP/scripts/export-series"
}

# commit SUBJECT - all of the tree's edits.
commit() {
	git -C "$tree" add -A
	git -C "$tree" commit -q -m "$1" -m "Because." \
		-m "Signed-off-by: Dev <dev@example.org>"
}

patch_of() {
	echo "$TIMENS_ROOMS/$1"/patches/0001-*.patch
}

no_tree_left() {
	assert_not_exist "$tree"
	run find "$TIMENS_BUILD" -mindepth 1 ! -name '.*.lock'
	assert_output ''
}

@test "patches and overlay become one commit each, tagged by room" {
	populate
	rm -rf "$tree"
	run "$TOP/scripts/kernel-tree"
	assert_success
	assert_output --partial "7.3.4 with 2 commits"
	run git -C "$tree" log --format=%s base..HEAD
	assert_line --index 0 "um: follow the wall clock"
	assert_line --index 1 "time: give it a wall clock"
	run git -C "$tree" show --format= --name-only kernel-ns
	assert_output "kernel/time/clock.c
kernel/time/wall.c
tool"
	run git -C "$tree" show -s --format=%B kernel-ns
	refute_output --partial "Overlay:"
	assert_file_executable "$tree/tool"
	run git -C "$tree" status --porcelain --ignored
	assert_output ''
}

@test "the base commit lacks the block of .gitignore that hides the tree" {
	"$TOP/scripts/kernel-tree"
	run cat "$tree/.gitignore"
	assert_output '*.o'
}

@test "another clone gets the same commit ids" {
	populate
	first=$(git -C "$tree" rev-parse HEAD)
	export TIMENS_BUILD=$work/elsewhere/build
	"$TOP/scripts/kernel-tree"
	run git -C "$TIMENS_BUILD/linux" rev-parse HEAD
	assert_output "$first"
}

@test "a tree that is up to date is left alone" {
	populate
	before=$(find "$tree" -not -path '*/.git/*' -printf '%p %T@\n' | sort)
	run "$TOP/scripts/kernel-tree"
	assert_output --partial "up to date"
	[ "$before" = "$(find "$tree" -not -path '*/.git/*' -printf '%p %T@\n' |
			 sort)" ]
}

@test "a changed patch touches only the files it changes" {
	populate
	touch -d '2001-01-01' "$tree/Makefile" "$tree/arch/um/kernel/time.c" \
		"$tree/kernel/time/clock.c"
	sed -i 's/^+twenty$/+score/' "$(patch_of kernel-ns)"
	run "$TOP/scripts/kernel-tree"
	assert_success
	grep -q '^score$' "$tree/kernel/time/clock.c"
	run stat -c %y "$tree/Makefile" "$tree/arch/um/kernel/time.c"
	assert_line --index 0 --partial 2001-01-01
	assert_line --index 1 --partial 2001-01-01
	run stat -c %y "$tree/kernel/time/clock.c"
	refute_output --partial 2001-01-01
}

@test "a patch that does not apply is named with its file and hunk, no tree is left" {
	populate
	rm -rf "$TIMENS_BUILD"
	sed -i 's/^ 19$/ nineteen/' "$(patch_of kernel-ns)"
	run "$TOP/scripts/kernel-tree"
	assert_failure 1
	assert_output --partial "kernel-ns/patches/0001-time-give-it-a-wall-clock.patch does not apply"
	assert_output --partial "file kernel/time/clock.c, hunk:"
	assert_output --partial "@@ -17,7 +17,7 @@"
	assert_output --partial "+twenty"
	no_tree_left
}

@test "a patch that does not apply leaves an existing tree as it was" {
	populate
	before=$(git -C "$tree" rev-parse HEAD)
	sed -i 's/^ 29$/ nine/' "$(patch_of uml-glue)"
	run "$TOP/scripts/kernel-tree"
	assert_failure 1
	assert_output --partial "arch/um/kernel/time.c, hunk:"
	run git -C "$tree" rev-parse HEAD
	assert_output "$before"
	run git -C "$tree" status --porcelain
	assert_output ''
}

@test "an overlay file that no patch names is an error" {
	populate
	echo stray >"$TIMENS_ROOMS/kernel-ns/overlay/kernel/stray.c"
	run "$TOP/scripts/kernel-tree"
	assert_failure 1
	assert_output --partial "no patch of kernel-ns adds kernel/stray.c"
}

@test "an overlay file that a patch names but is not there is an error" {
	populate
	rm "$TIMENS_ROOMS/kernel-ns/overlay/kernel/time/wall.c"
	run "$TOP/scripts/kernel-tree"
	assert_failure 1
	assert_output --partial "names Overlay: kernel/time/wall.c"
}

@test "an overlay file that the kernel has already is an error" {
	populate
	sed -i 's|^Overlay: tool$|&\nOverlay: Kconfig|' "$(patch_of kernel-ns)"
	echo 'not this' >"$TIMENS_ROOMS/kernel-ns/overlay/Kconfig"
	run "$TOP/scripts/kernel-tree"
	assert_failure 1
	assert_output --partial "kernel-ns/overlay/Kconfig exists in the kernel already"
}

@test "uncommitted edits in the tree are not overwritten" {
	populate
	echo edit >>"$tree/Kconfig"
	sed -i 's/^+twenty$/+score/' "$(patch_of kernel-ns)"
	run "$TOP/scripts/kernel-tree"
	assert_failure 1
	assert_output --partial "make export"
	grep -q '^edit$' "$tree/Kconfig"
	FORCE=1 "$TOP/scripts/kernel-tree"
	run ! grep -q '^edit$' "$tree/Kconfig"
}

@test "commits made in the tree are not overwritten" {
	populate
	echo edit >>"$tree/Kconfig"
	commit "kconfig: edit"
	sed -i 's/^+twenty$/+score/' "$(patch_of kernel-ns)"
	run "$TOP/scripts/kernel-tree"
	assert_failure 1
	run git -C "$tree" log -1 --format=%s
	assert_output "kconfig: edit"
}

@test "work in the tree does not stop a build while the patches are unchanged" {
	populate
	echo edit >>"$tree/Kconfig"
	run "$TOP/scripts/kernel-tree"
	assert_success
	grep -q '^edit$' "$tree/Kconfig"
}

@test "exporting an unchanged tree changes nothing" {
	populate
	sed -i -e '1i # Wall clock\n' "$TIMENS_ROOMS/kernel-ns/patches/series"
	"$TOP/scripts/kernel-tree"
	cp -a "$TIMENS_ROOMS" "$work/before"
	"$TOP/scripts/export-series"
	run diff -r "$work/before" "$TIMENS_ROOMS"
	assert_success
	run "$TOP/scripts/kernel-tree"
	assert_output --partial "up to date"
}

@test "a new commit is exported to the room of the files it touches" {
	populate
	echo 41 >>"$tree/kernel/time/clock.c"
	commit "time: one more"
	run "$TOP/scripts/export-series"
	assert_success
	assert_output --partial "kernel-ns: 2 patches, uml-glue: 1 patches"
	run cat "$TIMENS_ROOMS/kernel-ns/patches/series"
	assert_line --index 1 "0002-time-one-more.patch"
	rm -rf "$tree"
	"$TOP/scripts/kernel-tree"
	run tail -n 1 "$tree/kernel/time/clock.c"
	assert_output 41
}

@test "an amended commit replaces its patch" {
	populate
	sed -i 's/^thirty$/xxx/' "$tree/arch/um/kernel/time.c"
	git -C "$tree" commit -qa --amend --no-edit
	"$TOP/scripts/export-series"
	run ls "$TIMENS_ROOMS/uml-glue/patches"
	assert_output "0001-um-follow-the-wall-clock.patch
series"
	grep -q '^+xxx$' "$(patch_of uml-glue)"
}

@test "a commit that touches UML and other files is refused by name" {
	populate
	echo x >>"$tree/Kconfig"
	echo x >>"$tree/arch/um/kernel/time.c"
	commit "both: at once"
	cp -a "$TIMENS_ROOMS" "$work/before"
	run "$TOP/scripts/export-series"
	assert_failure 1
	assert_output --partial "(both: at once) touches UML's files and others"
	run diff -r "$work/before" "$TIMENS_ROOMS"
	assert_success
}

@test "the review series is the same bytes each time, with its cover letter" {
	populate
	for room in kernel-ns uml-glue; do
		printf '%s: the cover\n\nWhat it is about.\n' "$room" \
			>"$TIMENS_ROOMS/$room/cover.txt"
	done
	"$TOP/scripts/make-series"
	mv "$TIMENS_BUILD/series" "$work/first"
	sleep 1
	"$TOP/scripts/make-series"
	run diff -r "$work/first" "$TIMENS_BUILD/series"
	assert_success
	cd "$TIMENS_BUILD/series/kernel-ns"
	run cat 0000-*.patch
	assert_output --partial "Subject: [PATCH 0/1] kernel-ns: the cover"
	assert_output --partial "What it is about."
	refute_output --partial "HERE"
	run cat 0001-*.patch
	assert_output --partial "+a new file"
}

@test "a tarball that does not exist is named" {
	KERNEL_TARBALL=$work/none.tar.xz run "$TOP/scripts/kernel-tree"
	assert_failure 1
	assert_output --partial "$work/none.tar.xz: no such readable file"
}

@test "a tarball cut short leaves no tree" {
	truncate -s -100 "$KERNEL_TARBALL"
	run "$TOP/scripts/kernel-tree"
	assert_failure 1
	assert_output --partial "damaged or cut short"
	no_tree_left
}

@test "a file that is no archive leaves no tree" {
	seq 1 1000 >"$KERNEL_TARBALL"
	run "$TOP/scripts/kernel-tree"
	assert_failure 1
	assert_output --partial "damaged or cut short, or not a tar archive"
	no_tree_left
}

@test "a tarball of something else leaves no tree" {
	tar -C "$TOP/scripts" -cJf "$KERNEL_TARBALL" lib.sh clean
	run "$TOP/scripts/kernel-tree"
	assert_failure 1
	assert_output --partial "is not a Linux source tree"
	no_tree_left
}

@test "a tarball of another kernel series is refused with both versions" {
	make_source 6 12 9
	run "$TOP/scripts/kernel-tree"
	assert_failure 1
	assert_output --partial "is Linux 6.12.9; the patches are for 7.3.4"
	no_tree_left
}

@test "another 7.3.x is taken, and said, if every patch applies" {
	populate
	rm -rf "$tree"
	make_source 7 3 6
	run "$TOP/scripts/kernel-tree"
	assert_success
	assert_output --partial "is Linux 7.3.6, the patches are made for 7.3.4"
	assert_output --partial "7.3.6 with 2 commits"
}

@test "a package in the cache is unpacked without asking apt" {
	mkdir -p "$work/deb/DEBIAN" "$work/deb/usr/src" "$work/bin"
	printf '%s\n' 'Package: linux-source-7.3' 'Version: 7.3.4-1' \
		'Architecture: all' 'Maintainer: D <d@example.org>' \
		'Description: x' >"$work/deb/DEBIAN/control"
	mv "$KERNEL_TARBALL" "$work/deb/usr/src/linux-source-7.3.tar.xz"
	mkdir -p "$TIMENS_CACHE/tarballs"
	deb=$TIMENS_CACHE/tarballs/linux-source-7.3_7.3.4-1_all.deb
	dpkg-deb --root-owner-group -b "$work/deb" "$deb"
	printf 'version=7.3.4-1\nsha256=%s\n' \
		"$(sha256sum "$deb" | cut -d ' ' -f 1)" \
		>>"$TIMENS_ROOMS/kernel-ns/BASE"
	for tool in apt-get apt-cache; do
		printf '#!/bin/sh\necho called >>%s/apt\nexit 1\n' "$work" \
			>"$work/bin/$tool"
		chmod +x "$work/bin/$tool"
	done
	unset KERNEL_TARBALL
	PATH=$work/bin:$PATH run "$TOP/scripts/kernel-tree"
	assert_success
	first=$(git -C "$tree" rev-parse HEAD)
	export TIMENS_BUILD=$work/second
	PATH=$work/bin:$PATH run "$TOP/scripts/kernel-tree"
	assert_success
	assert_not_exist "$work/apt"
	run git -C "$TIMENS_BUILD/linux" rev-parse HEAD
	assert_output "$first"
}

@test "Ctrl-C while unpacking leaves no tree" {
	mkdir "$work/bin"
	printf '#!/bin/sh\nhead -c 100 "$4"\ntouch %s/unpacking\nsleep 60\n' \
		"$work" >"$work/bin/xz"
	chmod +x "$work/bin/xz"
	PATH=$work/bin:$PATH run timeout -s INT 3 "$TOP/scripts/kernel-tree"
	assert_failure
	assert_exist "$work/unpacking"
	no_tree_left
}

@test "a disk that fills up leaves no tree and says what is needed" {
	requires root
	mkdir "$work/small"
	mount -t tmpfs -o size=64k none "$work/small"
	TIMENS_BUILD=$work/small/build run "$TOP/scripts/kernel-tree"
	left=$(find "$work/small/build" -mindepth 1 ! -name '.*.lock')
	umount "$work/small"
	assert_failure 1
	assert_output --partial "the disk filled up"
	assert_output --partial "MiB are needed"
	assert_equal "$left" ''
}

@test "too small a disk is noticed before unpacking" {
	requires root
	unset TIMENS_NO_SPACE_CHECK
	mkdir "$work/small"
	mount -t tmpfs -o size=10m none "$work/small"
	TIMENS_BUILD=$work/small/build run "$TOP/scripts/kernel-tree"
	umount "$work/small"
	assert_failure 1
	assert_output --partial "10 MiB free, about 2500 MiB are needed"
}
