#!/bin/sh
# Installs what vendor/packages.* list and this machine lacks. Usage: install.sh run|test|lint|all
# SPDX-License-Identifier: Apache-2.0
set -eu
here=$(cd "$(dirname "$0")" && pwd)
want=${1:-all}
case "$want" in run | test | lint | all) ;; *) echo "usage: install.sh run|test|lint|all" >&2; exit 2 ;; esac

list() { # prints the package names of a file for the wanted groups
	awk -v want="$want" '
		/^#/ || NF == 0 { next }
		want == "all" || $1 == want || $1 == "run" { print $2 }' "$1"
}

if [ "$(uname -s)" = Darwin ]; then
	command -v brew >/dev/null || { echo "install.sh: Homebrew is needed: https://brew.sh" >&2; exit 1; }
	exec brew bundle --file="$here/Brewfile"
fi
command -v dpkg-query >/dev/null || {
	echo "install.sh: this system has no dpkg; install the packages of vendor/packages.debian by hand" >&2
	exit 1
}

missing=
for p in $(list "$here/packages.debian"); do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null || true)" = installed ] || missing="$missing $p"
done
need_llhttp=
if [ ! -f "$here/.llhttp/usr/share/llhttp/llhttp.c" ] && [ ! -f /usr/share/llhttp/llhttp.c ] &&
	! pkg-config --exists libllhttp 2>/dev/null; then
	need_llhttp=1
fi
[ -n "$missing$need_llhttp" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
	if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
		as_root="sudo -n"
	elif [ -n "$missing" ]; then
		echo "install.sh: may not install packages as this user. As root, run:" >&2
		echo "  apt-get install$missing" >&2
		exit 1
	fi
fi
if [ -n "$missing" ]; then
	echo "installing:$missing"
	$as_root apt-get update -qq
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi
if [ -n "$need_llhttp" ]; then
	# The package's own dependencies (node) are 118 MB that we do not need: its C sources are enough.
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	chmod 755 "$tmp"
	(cd "$tmp" && apt-get download -qq node-llhttp >/dev/null 2>&1) || {
		$as_root apt-get update -qq
		(cd "$tmp" && apt-get download -qq node-llhttp >/dev/null)
	}
	rm -rf "$here/.llhttp.tmp"
	dpkg -x "$tmp"/node-llhttp_*.deb "$here/.llhttp.tmp"
	rm -rf "$here/.llhttp"
	mv "$here/.llhttp.tmp" "$here/.llhttp"
	echo "unpacked: llhttp's C sources"
fi
