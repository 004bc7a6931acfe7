#!/bin/bash
# Runs every fuzzer of $BUILDDIR/fuzz for SECONDS each, $FUZZ_JOBS (2) at a time, on a copy of its
# corpus; fails on a finding. Log and reproducer of a finding stay in $BUILDDIR/fuzz/findings.
# Usage: fuzz.sh [SECONDS [NAME...]]
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${BUILDDIR:-$here/../../build}" && pwd)
seconds=${1:-30}
shift $(($# > 0))
findings=$build/fuzz/findings
dir=$(mktemp -d)
trap 'kill $(jobs -pr) 2>/dev/null || :; wait; rm -rf "$dir"' EXIT
export TMPDIR=$dir
export ASAN_OPTIONS=abort_on_error=1:detect_leaks=1:allocator_may_return_null=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

# run_one BINARY NAME: one line, and the log where it failed
run_one() {
	local bin=$1 name=$2 own=$dir/$2 kept=$findings/$2 dict=$here/../fuzz/$2.dict count f
	mkdir -p "$own/corpus"
	[ ! -d "$here/../fuzz/corpus/$name" ] || cp -r "$here/../fuzz/corpus/$name/." "$own/corpus"
	local args=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1
		-close_fd_mask=3 -artifact_prefix="$own/")
	[ ! -f "$dict" ] || args+=(-dict="$dict")
	if "$bin" "${args[@]}" "$own/corpus" >"$own/log" 2>&1; then
		count=$(sed -n 's/^stat::number_of_executed_units: *//p' "$own/log")
		printf '%-24s %12s executions\n' "$name" "${count:-?}"
		echo "${count:-0}" >"$own/count"
		return
	fi
	mkdir -p "$kept"
	cp "$own/log" "$kept/"
	for f in "$own"/{crash,leak,timeout,oom}-*; do
		[ ! -f "$f" ] || cp "$f" "$kept/"
	done
	{
		printf '%-24s FAILED\n' "$name"
		tail -n 60 "$own/log"
		echo "log: $kept/log"
		for f in "$kept"/{crash,leak,timeout,oom}-*; do
			[ -f "$f" ] || continue
			echo "reproducer: $bin $f"
			echo "its $(wc -c <"$f") bytes, base64:"
			base64 "$f" | head -n 40
		done
	} >"$own/failed"
	cat "$own/failed"
}

rm -rf "$findings"
ran=0
for bin in "$build"/fuzz/fuzz/fuzz_*; do
	[ -x "$bin" ] || continue
	name=$(basename "$bin")
	name=${name#fuzz_}
	[ $# = 0 ] || [[ " $* " = *" $name "* ]] || continue
	ran=$((ran + 1))
	run_one "$bin" "$name" &
	while [ "$(jobs -pr | wc -l)" -ge "${FUZZ_JOBS:-2}" ]; do wait -n || :; done
done
wait
[ "$ran" -gt 0 ] || { echo "fuzz.sh: no such fuzzers in $build/fuzz/fuzz" >&2; exit 1; }
bad=0 done=0 total=0
for f in "$dir"/*/failed; do [ ! -f "$f" ] || bad=$((bad + 1)); done
for f in "$dir"/*/count; do [ ! -f "$f" ] || { done=$((done + 1)); total=$((total + $(<"$f"))); }; done
echo "$ran fuzzers, $total executions in $SECONDS s, $((ran - done)) failed"
[ "$bad" = 0 ] && [ "$done" = "$ran" ]
