#!/bin/bash
# Runs every fuzzer of $BUILDDIR/fuzz for SECONDS each, on a copy of its corpus; fails on a finding.
# Usage: fuzz.sh [SECONDS]
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
build=${BUILDDIR:-$here/../../build}
seconds=${1:-30}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export ASAN_OPTIONS=abort_on_error=1:detect_leaks=1:allocator_may_return_null=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

ran=0 bad=0
for bin in "$build"/fuzz/fuzz/fuzz_*; do
	[ -x "$bin" ] || continue
	name=$(basename "$bin")
	name=${name#fuzz_}
	mkdir -p "$dir/$name/corpus"
	[ ! -d "$here/../fuzz/corpus/$name" ] || cp -r "$here/../fuzz/corpus/$name/." "$dir/$name/corpus"
	dict=$here/../fuzz/$name.dict
	args=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1
		-artifact_prefix="$dir/$name/")
	[ ! -f "$dict" ] || args+=(-dict="$dict")
	ran=$((ran + 1))
	if "$bin" "${args[@]}" "$dir/$name/corpus" >"$dir/$name/log" 2>&1; then
		count=$(sed -n 's/^stat::number_of_executed_units: *//p' "$dir/$name/log")
		printf '%-24s %12s executions\n' "$name" "${count:-?}"
	else
		bad=$((bad + 1))
		printf '%-24s FAILED\n' "$name"
		tail -n 60 "$dir/$name/log"
		for f in "$dir/$name"/{crash,leak,timeout,oom}-*; do
			[ -f "$f" ] || continue
			echo "input ($(wc -c <"$f") bytes), base64:"
			base64 "$f" | head -n 40
		done
	fi
done
[ "$ran" -gt 0 ] || { echo "fuzz.sh: no fuzzers in $build/fuzz/fuzz" >&2; exit 1; }
echo "$ran fuzzers, $bad failed"
[ "$bad" = 0 ]
