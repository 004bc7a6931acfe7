#!/bin/bash
# The link line is the proof: checks what the programs of $BUILDDIR/$1 (release) need and import.
# Prints findings as `program: finding`; exit 1 on any. Usage: symbols.sh [VARIANT]
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

build=${BUILDDIR:-$(dirname "$0")/../../build}/${1:-release}
bad=0
report() { echo "$1: $2"; bad=1; }

# never PROGRAM WORD...: no needed library and no dynamic symbol may begin with one of the words.
never() {
	local program=$1 word needed symbols
	shift
	[ -x "$build/$program" ] || { report "$program" "is not built in $build"; return 0; }
	needed=$(readelf -d "$build/$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
	symbols=$(nm -D "$build/$program" | awk '{ print $NF }'; nm "$build/$program" 2>/dev/null | awk '{ print $NF }')
	for word in "$@"; do
		if grep -qE "^lib$word" <<<"$needed"; then report "$program" "is linked with lib$word"; fi
		case $word in
		curl) word='curl_(easy|multi|global)_' ;;
		lua) word='(lua_|luaL_)' ;;
		sqlite3) word='sqlite3_' ;;
		sodium) word='(sodium_|crypto_)' ;;
		cjson) word='cJSON_' ;;
		esac
		if grep -qE "^$word" <<<"$symbols"; then
			report "$program" "has $(grep -E "^$word" <<<"$symbols" | sort -u | head -n 3 | tr '\n' ' ')"
		fi
	done
}
# imports PROGRAM SYMBOL...: none of these functions may be there at all.
imports() {
	local program=$1 symbols name
	shift
	[ -x "$build/$program" ] || return 0
	symbols=$(nm -D --undefined-only "$build/$program" | awk '{ sub(/@.*/, "", $NF); print $NF }')
	for name in "$@"; do
		if grep -qx "$name" <<<"$symbols"; then report "$program" "imports $name"; fi
	done
}
# only PROGRAM LIBRARY...: needs nothing but these.
only() {
	local program=$1 lib needed
	shift
	[ -x "$build/$program" ] || return 0
	needed=$(readelf -d "$build/$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
	for lib in $needed; do
		case " $* " in *" ${lib%%.so*} "*) ;; *) report "$program" "needs $lib" ;; esac
	done
}

never bin/aivault curl sqlite3 lua sodium
never bin/aivaultd curl sqlite3 lua sodium cjson uv
never libexec/aivault-broker lua sqlite3 sodium
never libexec/aivault-keeper lua curl ssl
never libexec/aivault-policy sodium curl sqlite3 cjson uv ssl crypto
only bin/aivaultd libc ld-linux-x86-64 ld-linux-aarch64
only libexec/aivault-policy libc libm ld-linux-x86-64 ld-linux-aarch64
imports libexec/aivault-policy system popen dlopen dlsym fopen fopen64 freopen freopen64 tmpfile \
	tmpfile64 execve execv execvp execl posix_spawn posix_spawnp fork vfork connect bind listen \
	accept accept4 remove rename getenv
for p in bin/aivault bin/aivaultd libexec/aivault-broker libexec/aivault-keeper; do
	imports "$p" system popen
done
for p in libexec/aivault-broker libexec/aivault-keeper libexec/aivault-policy; do
	imports "$p" execve execv execvp execvpe execl execlp posix_spawnp
done
exit "$bad"
