#!/bin/bash
# Packs what `make install` installs as a binary Debian package: $BUILDDIR/aivault_VERSION_ARCH.deb
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
build=${BUILDDIR:-$here/../../build}
version=${VERSION:?}
arch=$(dpkg --print-architecture)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
make --no-print-directory -s -C "$here/../.." BUILDDIR="$build" DESTDIR="$root" PREFIX=/usr install
find "$root" -type f -perm -u+x -exec strip --strip-unneeded {} +
find "$root/usr/share/man" -type f -exec gzip -9n {} + 2>/dev/null || :
mkdir -p "$root/DEBIAN" "$root/debian"
printf 'Source: aivault\n\nPackage: aivault\nArchitecture: any\n' >"$root/debian/control"
depends=$(cd "$root" && dpkg-shlibdeps -O --ignore-missing-info usr/bin/* usr/libexec/aivault/* \
	2>/dev/null | sed -n 's/^shlibs:Depends=//p') || depends=
[ -n "$depends" ] || depends='libc6, libcurl4, libssl3, libuv1, libsodium23, libsqlite3-0, libcjson1, zlib1g'
rm -rf "$root/debian"
cat >"$root/DEBIAN/control" <<EOF
Package: aivault
Version: $version
Architecture: $arch
Maintainer: The aivault authors <aivault@localhost>
Section: utils
Priority: optional
Depends: $depends, ca-certificates
Installed-Size: $(du -ks "$root/usr" | cut -f1)
Description: keeps API keys away from the agents that use them
 Agents name a capability; a local daemon checks the request, adds the key on
 the wire, sends it, and gives back a cleaned response.
EOF
dpkg-deb --root-owner-group --build "$root" "$build/aivault_${version}_$arch.deb" >/dev/null
echo "$build/aivault_${version}_$arch.deb"
