#!/bin/bash
# Every test: unit and sandbox tests under the sanitizers, end-to-end tests with the sanitizer
# build, then those named after an invariant with the release build. Quiet about what passes.
# The last line is `N passed, N failed`; exit 1 if any failed.
# SPDX-License-Identifier: Apache-2.0
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
BUILDDIR=$(cd "${BUILDDIR:-$here/../../build}" && pwd)
python=${PYTHON:-/usr/bin/python3}
export BUILDDIR
export ASAN_OPTIONS=abort_on_error=1:detect_leaks=1:detect_stack_use_after_return=1:disable_coredump=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0

# ---- unit tests: cmocka programs; a program that dies without a tally counts as one failure --------
# unit NAME COMMAND...
unit() {
	local name=$1 code=0 ok bad
	shift
	(cd "$here/../.." && timeout 300 "$@") >"$dir/log" 2>&1 || code=$?
	ok=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test(s)\..*/\1/p' "$dir/log" | awk '{ n += $1 } END { print n + 0 }')
	bad=$(sed -n 's/^ *\([0-9]*\) FAILED TEST(S).*/\1/p' "$dir/log" | awk '{ n += $1 } END { print n + 0 }')
	[ "$code" = 0 ] || [ "$bad" -gt 0 ] || bad=1
	if [ "$code" = 0 ] && [ "$ok" = 0 ]; then bad=1; echo "$name: ran no test"; fi
	passed=$((passed + ok)) failed=$((failed + bad))
	if [ "$bad" -gt 0 ]; then
		echo "---- $name (exit $code)"
		tail -n 80 "$dir/log"
	fi
}
shopt -s nullglob
for bin in "$BUILDDIR"/asan/test/*/test_*; do
	case $bin in *.d) continue ;; esac
	unit "${bin#"$BUILDDIR/asan/test/"}" "$bin"
done
# ThreadSanitizer, where product code has a thread. It cannot live with every address that a kernel may
# choose at random, and says so at its start.
threads=$BUILDDIR/tsan/test/keeper/test_lock
if "$threads" 2>&1 | grep -q 'unexpected memory mapping'; then
	unit "keeper/test_lock (tsan)" setarch -R "$threads"
else
	unit "keeper/test_lock (tsan)" "$threads"
fi
echo "unit and sandbox: $passed passed, $failed failed"

# ---- end to end --------------------------------------------------------------------------------------
# e2e VARIANT [PYTEST ARGUMENT...]
e2e() {
	local variant=$1 code=0 ok=0 bad=0 line
	shift
	AV_VARIANT=$variant "$here/netns.sh" "$python" -m pytest -q --no-header --tb=short -p no:cacheprovider \
		-rs --color=no --junit-xml="$dir/$variant.xml" "$@" "$here/../e2e" >"$dir/log" 2>&1 || code=$?
	line=$("$python" - "$dir/$variant.xml" <<'EOF' 2>/dev/null
import sys
import xml.etree.ElementTree as tree
suite = tree.parse(sys.argv[1]).getroot().find("testsuite")
count = {k: int(suite.get(k)) for k in ("tests", "failures", "errors", "skipped")}
bad = count["failures"] + count["errors"]
print(count["tests"] - bad - count["skipped"], bad, count["skipped"])
EOF
	)
	read -r ok bad skipped <<<"${line:-0 1 0}"
	[ "$code" = 0 ] || [ "$bad" -gt 0 ] || bad=1
	passed=$((passed + ok)) failed=$((failed + bad))
	if [ "$bad" -gt 0 ]; then cat "$dir/log"; else grep '^SKIPPED' "$dir/log"; fi
	echo "end to end, $variant build: $ok passed, $bad failed, ${skipped:-0} skipped"
}
e2e asan
e2e release -m invariant

echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
