# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# lib-series.sh - turn a room (overlay/ + patches/) into commits; source after
# lib.sh. Works on git's index only, never on files of a work tree, so a
# failure leaves nothing behind.
#
#   series_patches ROOM          the patches' names in order
#   series_apply GIT ROOM BASE   sets REPLY to the commit that ends its series
#   series_digest DIR            one hash over both rooms' contents
#
# A patch is mail as git format-patch writes it. Lines "Overlay: PATH" in its
# message name the files of overlay/ that its commit adds; they are taken out
# of the message. Committer and dates are the author's, so equal input gives
# equal commit ids.

series_patches()
{
	local room=$1

	[ -e "$ROOMS/$room/patches/series" ] || return 0
	sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' \
		"$ROOMS/$room/patches/series"
}

# mail_header INFO KEY - one header of git mailinfo's output.
mail_header()
{
	sed -n "s/^$2: //p" "$1" | sed -n 1p
}

# explain_reject GIT PATCH NAME - say which hunks of which files do not apply.
explain_reject()
{
	local git=$1 patch=$2 name=$3 dir=$SERIES_TMP/reject file rej
	local -a files

	mapfile -t files < <(git apply --numstat "$patch" 2>/dev/null |
			     cut -f 3)
	rm -rf "$dir"
	mkdir "$dir"
	printf '%s: the patch %s does not apply\n' "$PROG" "$name" >&2
	if [ ${#files[@]} -eq 0 ]; then
		git apply --check "$patch" 2>&1 | sed 's/^/  /' >&2 || true
		return
	fi
	for file in "${files[@]}"; do
		git --git-dir="$git" checkout-index --prefix="$dir/" -- \
			"$file" 2>/dev/null ||
			printf '  file %s: not in the tree\n' "$file" >&2
	done
	(cd "$dir" && GIT_CEILING_DIRECTORIES=$(dirname "$dir") \
	 GIT_INDEX_FILE='' git apply --reject "$patch") >/dev/null 2>&1 || true
	while IFS= read -r rej; do
		file=${rej#"$dir"/}
		printf '  file %s, hunk:\n' "${file%.rej}" >&2
		sed -e 1d -e 's/^/    /' "$rej" >&2
	done < <(find "$dir" -name '*.rej' | sort)
}

# overlay_mode FILE - git's mode of the file.
overlay_mode()
{
	if [ -L "$1" ]; then
		echo 120000
	elif [ -x "$1" ]; then
		echo 100755
	else
		echo 100644
	fi
}

# overlay_add GIT ROOM NAME PATH - put one overlay file into the index.
overlay_add()
{
	local git=$1 room=$2 name=$3 path=$4 src blob

	src=$ROOMS/$room/overlay/$path
	if [ ! -f "$src" ] && [ ! -L "$src" ]; then
		die "$room/patches/$name names Overlay: $path," \
		    "which $room/overlay/ does not hold"
	fi
	if git --git-dir="$git" ls-files --error-unmatch -- ":/$path" \
	   >/dev/null 2>&1; then
		die "$room/overlay/$path exists in the kernel already" \
		    "($name): make it a patch, or name it once only"
	fi
	if [ -L "$src" ]; then
		blob=$(readlink -n "$src" |
		       git --git-dir="$git" hash-object -w --stdin)
	else
		blob=$(git --git-dir="$git" hash-object -w --no-filters "$src")
	fi
	git --git-dir="$git" update-index --add \
		--cacheinfo "$(overlay_mode "$src"),$blob,$path"
	printf '%s\n' "$path" >>"$SERIES_TMP/used"
}

# patch_commit GIT ROOM NAME PARENT - apply one patch; sets REPLY to its commit.
patch_commit()
{
	local git=$1 room=$2 name=$3 parent=$4
	local mail=$ROOMS/$room/patches/$name tmp=$SERIES_TMP path tree

	[ -e "$mail" ] || die "$room/patches/series lists $name, which is not there"
	git mailinfo --no-scissors -b "$tmp/msg" "$tmp/diff" \
		<"$mail" >"$tmp/info" ||
		die "$room/patches/$name is not a mail as git format-patch writes it"
	[ -n "$(mail_header "$tmp/info" Email)" ] ||
		die "$room/patches/$name has no From: line"
	if ! git --git-dir="$git" apply --cached --allow-empty \
	     --whitespace=nowarn "$tmp/diff" 2>"$tmp/err"; then
		explain_reject "$git" "$tmp/diff" "$room/patches/$name"
		sed 's/^/  git: /' "$tmp/err" >&2
		die "${SERIES_HINT:-correct the patch}"
	fi
	while IFS= read -r path; do
		overlay_add "$git" "$room" "$name" "$path"
	done < <(sed -n 's/^Overlay: *//p' "$tmp/msg")
	{
		mail_header "$tmp/info" Subject | sed 's/^\[PATCH[^]]*\] *//'
		echo
		sed '/^Overlay: /d' "$tmp/msg"
	} | git stripspace >"$tmp/full"
	tree=$(git --git-dir="$git" write-tree)
	REPLY=$(
		GIT_AUTHOR_NAME=$(mail_header "$tmp/info" Author)
		GIT_AUTHOR_EMAIL=$(mail_header "$tmp/info" Email)
		GIT_AUTHOR_DATE=$(mail_header "$tmp/info" Date)
		export "${!GIT_AUTHOR_@}"
		export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME
		export GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL
		export GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE
		git --git-dir="$git" commit-tree "$tree" -p "$parent" \
			-F "$tmp/full"
	)
}

# Every overlay file belongs to some patch, so that each commit is complete.
overlay_all_used()
{
	local room=$1 left

	[ -d "$ROOMS/$room/overlay" ] || return 0
	left=$(cd "$ROOMS/$room/overlay" &&
	       find . \( -type f -o -type l \) -printf '%P\n' | sort |
	       comm -23 - <(sort "$SERIES_TMP/used"))
	[ -z "$left" ] ||
		die "no patch of $room adds" "$(printf '%s' "$left" | head -n 5 |
		    tr '\n' ' ');" "put 'Overlay: PATH' into the message of the" \
		    "patch that does"
}

# series_apply GIT ROOM BASE - sets REPLY to the last commit of the room. On
# failure says why, adding SERIES_HINT, and exits; GIT gains loose objects only.
series_apply()
{
	local git=$1 room=$2 name count=0 total

	REPLY=$3
	SERIES_TMP=$(mktemp -d)
	: >"$SERIES_TMP/used"
	export GIT_INDEX_FILE=$SERIES_TMP/index
	git --git-dir="$git" read-tree "$REPLY"
	total=$(series_patches "$room" | wc -l)
	while IFS= read -r name; do
		count=$((count + 1))
		progress "$room: patch $count of $total: $name"
		patch_commit "$git" "$room" "$name" "$REPLY"
	done < <(series_patches "$room")
	progress_end
	overlay_all_used "$room"
	unset GIT_INDEX_FILE
	rm -rf "$SERIES_TMP"
}

series_digest()
{
	local dir=$1

	(
		cd "$dir" || exit 1
		for room in kernel-ns uml-glue; do
			for sub in overlay patches; do
				[ -d "$room/$sub" ] || continue
				find "$room/$sub" \( -type f -o -type l \) \
					-printf '%M %p %l\n'
				find "$room/$sub" -type f -print0 | sort -z |
					xargs -0r sha256sum
			done
		done
		cat kernel-ns/BASE
	) | sort | sha256sum | cut -d ' ' -f 1
}
