#!/bin/bash
# Checks what no compiler does: include edges between layers, sizes, forbidden calls and names, who
# may hold secrets, licence lines, Lua, shell, Python syntax, symbols of the release
# build. Prints findings as `file:line: finding`; exit 1 on any.
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

cd "$(dirname "$0")/../.."
build=${BUILDDIR:-build}
found=$(mktemp)
trap 'rm -f "$found"' EXIT
exec 3>&1 >"$found" # findings; what a person should know goes to 3

tracked() { git ls-files --cached --others --exclude-standard -- "$@" | while read -r f; do [ ! -f "$f" ] || echo "$f"; done; }
mapfile -t src < <(tracked 'src/*.c' 'src/*.h')
mapfile -t lua < <(tracked '*.lua')
mapfile -t shell < <(tracked '*.sh' .ci/run)
mapfile -t python < <(tracked '*.py')
mapfile -t tests_c < <(tracked 'tests/*.c' 'tests/*.h')

# grep_each WHAT PATTERN FILE...: every match is a finding
grep_each() {
	local what=$1 pattern=$2
	shift 2
	[ $# -eq 0 ] || grep -nHE -e "$pattern" -- "$@" | sed -E "s|^([^:]+:[0-9]+):.*|\1: $what|" || :
}

# ---- layers ---------------------------------------------------------------------------------------
awk '
	BEGIN {
		may["base"] = "base"
		may["http"] = "base http"
		may["reach"] = "base http reach"
		may["wire"] = "base http reach wire"
		may["vault"] = "base http reach wire vault"
		may["auth"] = "base http reach wire vault auth"
		may["audit"] = "base http reach wire vault audit"
		may["keeper"] = "base http reach wire vault auth audit keeper"
		may["policy"] = "base http reach wire policy"
		may["broker"] = "base http reach wire broker"
		may["daemon"] = "base daemon"
		may["cli"] = "base http reach wire cli"
		may["tools"] = "base http reach wire tools"
	}
	/^[ \t]*#[ \t]*include[ \t]*"/ {
		split(FILENAME, at, "/"); layer = at[2]
		split($0, q, "\""); split(q[2], to, "/")
		if (!(layer in may)) { printf "%s:%d: %s is no layer\n", FILENAME, FNR, layer; next }
		if (index(" " may[layer] " ", " " to[1] " ") == 0 &&
		    !(layer == "daemon" && q[2] == "wire/control.h"))
			printf "%s:%d: %s may not include %s\n", FILENAME, FNR, layer, q[2]
	}' "${src[@]}"

# ---- sizes: a file at most 800 lines, a function at most 70 ----------------------------------------
awk '
	FNR == 1 && last { if (n > 800) printf "%s:%d: file has %d lines, at most 800\n", last, n, n }
	{ last = FILENAME; n = FNR }
	/^{/ { open = FNR }
	/^}/ && open {
		if (FNR - open - 1 > 70)
			printf "%s:%d: function has %d lines, at most 70\n", FILENAME, open, FNR - open - 1
		open = 0
	}
	END { if (n > 800) printf "%s:%d: file has %d lines, at most 800\n", last, n, n }' "${src[@]}"

# ---- words and names --------------------------------------------------------------------------------
grep_each "forbidden call" \
	'(^|[^A-Za-z0-9_])(system|popen|strcpy|strcat|sprintf|vsprintf|gets|alloca|strtok|mktemp|tmpnam)[ ]*\(' \
	"${src[@]}"
mapfile -t product < <(tracked src lua capabilities policies)
grep_each "unfinished work belongs in docs/KNOWN-GAPS.md" '\b(TODO|FIXME|XXX|HACK)\b' "${product[@]}"
grep_each "a path of one machine" '(^|[^A-Za-z0-9_.$}])/(work/|root/)' \
	"${src[@]}" "${lua[@]}" "${shell[@]}" "${python[@]}" "${tests_c[@]}" Makefile
for f in "${src[@]}"; do
	name=${f##*/}
	case ${name%.*} in
	util | utils | common | misc | helpers | helper) echo "$f:1: a file is named after its noun" ;;
	esac
done
for f in "${src[@]}" "${lua[@]}" "${shell[@]}" "${python[@]}" "${tests_c[@]}" Makefile; do
	grep -q 'SPDX-License-Identifier: Apache-2.0' "$f" ||
		echo "$f:1: no SPDX-License-Identifier line"
done

# ---- who may see a secret's bytes -------------------------------------------------------------------
users=src/secret_users.txt
if [ -f "$users" ]; then
	grep -lE '^[ \t]*#[ \t]*include[ \t]*"vault/secret\.h"' "${src[@]}" | while read -r f; do
		grep -qxF "$f" "$users" || echo "$f:1: includes vault/secret.h but is not in $users"
	done
	grep -nvE '^(#|$)' "$users" | while IFS=: read -r line f; do
		[ -f "$f" ] || echo "$users:$line: names $f, which is not there"
	done
else
	grep -nHE '"vault/secret\.h"' "${src[@]}" | sed -E "s|^([^:]+:[0-9]+):.*|\1: $users is missing|" || :
fi

# ---- the compiler's other tools ------------------------------------------------------------------------
have() { command -v "$1" >/dev/null || { echo "lint: $1 is not installed: run 'make deps'" >&3; echo "lint:1: $1 is missing"; return 1; }; }
if have clang-format; then
	clang-format --dry-run "${src[@]}" "${tests_c[@]}" 2>&1 |
		sed -nE 's/^([^ :]+:[0-9]+):[0-9]+: warning: code should be clang-formatted.*/\1: run make format/p' || :
fi
if have clang-tidy; then
	read -ra flags <<<"-std=c11 -Isrc -D_GNU_SOURCE -DAV_VERSION=\"\" -DAV_VARIANT=\"\" \
		$(pkg-config --cflags libcjson lua5.4 libcurl 2>/dev/null) \
		-Ivendor/.llhttp/usr/share/include/llhttp -I/usr/share/include/llhttp"
	printf '%s\n' "${src[@]}" | grep '\.c$' | grep -v darwin |
		xargs -P "$(nproc)" -n 8 sh -c '
			n=$1; shift; flags=; for i in $(seq "$n"); do flags="$flags $1"; shift; done
			clang-tidy --quiet "$@" -- $flags 2>/dev/null' sh "${#flags[@]}" "${flags[@]}" |
		sed -nE "s|^$PWD/||; s/^([^ :]+:[0-9]+):[0-9]+: (warning\|error): /\1: /p" | sort -u || :
fi

# ---- other languages --------------------------------------------------------------------------------
for f in "${python[@]}"; do
	"${PYTHON:-/usr/bin/python3}" - "$f" <<'EOF' || :
import ast, sys
try:
    ast.parse(open(sys.argv[1], encoding="utf-8").read())
except SyntaxError as err:
    print(f"{sys.argv[1]}:{err.lineno}: {err.msg}")
EOF
done
mapfile -t scripts < <(tracked 'lua/*.lua' 'capabilities/*.lua' 'policies/*.lua')
if [ ${#scripts[@]} -gt 0 ] && have luacheck; then
	luacheck --quiet --codes --formatter plain "${scripts[@]}" || :
fi
if have shellcheck; then
	shellcheck --severity=warning --format=gcc "${shell[@]}" || :
fi

# ---- symbols ------------------------------------------------------------------------------------------
if [ -x "$build/release/libexec/aivault-policy" ]; then
	BUILDDIR=$build tests/tools/symbols.sh release || :
else
	echo "lint: no release build in $build: symbols are not checked" >&3
fi

exec >&3
if [ -s "$found" ]; then
	cat "$found"
	echo "lint: $(wc -l <"$found") findings"
	exit 1
fi
echo "lint: clean"
