#!/bin/bash
# Runs the unit tests of $BUILDDIR/cov and prints line coverage, by layer and for the worst files.
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
build=${BUILDDIR:-build}
find "$build/cov" -name '*.gcda' -delete
for t in "$build"/cov/test/*/test_*; do
	[ -f "$t" ] || continue
	case $t in *.d | *.gc??) continue ;; esac
	"$t" >/dev/null 2>&1 || echo "cov.sh: $(basename "$t") failed" >&2
done
find "$build/cov/obj" -name '*.gcno' -print0 | sort -z | xargs -0 gcov --no-output 2>/dev/null |
	awk '
	/^File / { file = $2; gsub(/\x27/, "", file); next }
	/^Lines executed:/ && file ~ /^src\// {
		split($0, a, /[:% ]+/); pct = a[3]; n = a[5]
		hit = pct * n / 100
		if (!(file in lines) || hit > got[file]) { lines[file] = n; got[file] = hit }
		file = ""
	}
	END {
		for (f in lines) {
			split(f, p, "/"); tl[p[2]] += lines[f]; tg[p[2]] += got[f]; al += lines[f]; ag += got[f]
			printf "%5.1f%% %6d  %s\n", 100 * got[f] / lines[f], lines[f], f > "/dev/stderr"
		}
		for (l in tl) printf "%-10s %5.1f%% of %d lines\n", l, 100 * tg[l] / tl[l], tl[l] | "sort"
		close("sort")
		if (al) printf "%-10s %5.1f%% of %d lines\n", "all", 100 * ag / al, al
	}' 2> >(sort -n | head -n 15 | sed '1i least covered:' >&2)
