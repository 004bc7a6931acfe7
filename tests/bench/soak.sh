#!/bin/bash
# 64 connections of mixed work for SOAK_SECONDS (600): small calls, event streams, denied calls, large
# bodies both ways, clients that vanish, one over its rate. Fails if an answer is not what it should
# be, a process ends, memory or descriptors grow, the audit log does not fit the calls or does not
# verify, or the key shows up in the log. SOAK_VARIANT: the build to run (release).
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # world.sh assigns what is not assigned here
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
BUILDDIR=$(cd "${BUILDDIR:-$here/../../build}" && pwd)
export BUILDDIR
if [ -z "${AV_NET_DIR:-}" ]; then
	exec "$here/../tools/netns.sh" "$0" "$@"
fi

seconds=${SOAK_SECONDS:-600}
variant=${SOAK_VARIANT:-release}
bin=$BUILDDIR/$variant/bin
large_mb=4
dir=$(mktemp -d)
for tool in load streams; do
	cc -O2 -Wall -Wextra -o "$dir/$tool" "$here/$tool.c" "$here/conn.c" -lcurl
done
. "$here/world.sh"

# What may be there more at the end than after the first minute, or before the load: KB, descriptors
# (the broker keeps up to 256 connections to upstreams).
grow_kb=8192
grow_fds=80

failed=0
fail() {
	echo "soak: $*"
	failed=1
}

# Name, pid, resident KB and descriptors of each process.
state() {
	local p
	for p in "$daemon" $(children); do
		awk -v pid="$p" -v fds="$(find "/proc/$p/fd" | wc -l)" \
			'/^Name:/ { n = $2 } /^VmRSS:/ { print n, pid, $2, fds - 1 }' "/proc/$p/status"
	done
}

"$bin/aivault" capability policy set --capability openai/embeddings --rate-limit-per-minute 600 >/dev/null
before=$(state)
socket=${agent#unix:}
echo "soak: $seconds s, 64 connections, $variant build"

"$dir/load" "$agent" 40 "$seconds" 200 POST "$inv" "$host" "$body" 'Content-Type: application/json' >"$dir/small" &
jobs=($!)
"$dir/load" "$agent" 4 "$seconds" 403 POST /i/openai/chat-completions/-/v1/files "$host" "$body" >"$dir/denied" &
jobs+=($!)
"$dir/streams" "$agent" 8 "$((seconds - 1))" POST "/i/anthropic/messages/-$events_path" "$events_host" "$body" >"$dir/events" &
jobs+=($!)
"$python" "$here/mixed.py" "$socket" "$seconds" $((large_mb << 20)) >"$dir/mixed" &
jobs+=($!)

first=
report() {
	printf '%6d s' "$SECONDS"
	state | awk '{ printf "  %s %d KB %d fds", $1, $3, $4 }'
	printf '\n'
}
SECONDS=0
next=$((seconds < 60 ? seconds / 2 : 30))
step=$next
while ((SECONDS < seconds)); do
	sleep 1
	if ((SECONDS >= next && SECONDS < seconds)); then
		report
		next=$((next + step))
		[ -n "$first" ] || ((SECONDS < 60 && seconds > 120)) || first=$(state)
	fi
done
last=$(state)
for job in "${jobs[@]}"; do
	wait "$job" || fail "a client failed"
done

read -r small _ _ _ _ _ other again <"$dir/small"
[ "$other $again" = '0 0' ] || fail "small calls: $other of another status, $again broken"
read -r denied _ _ _ _ _ other again <"$dir/denied"
[ "$other $again" = '0 0' ] || fail "denied calls: $other of another status, $again broken"
read -r events _ _ _ ended <"$dir/events"
[ "$ended" = 0 ] || fail "$ended event streams ended"
echo "soak: $small small calls, $denied denied, $events events, mixed: $(cat "$dir/mixed")"

# ---- memory, descriptors, processes ------------------------------------------------------------------
paste -d ' ' <(echo "$before") <(echo "${first:-$before}") <(echo "$last") >"$dir/states"
while read -r name pid _ fds _ pid1 kb1 _ _ pid2 kb2 _; do
	[ "$pid $pid" = "$pid1 $pid2" ] || fail "$name was started again"
	# Sanitizers keep freed memory on purpose.
	[ "$variant" != release ] || ((kb2 - kb1 <= grow_kb)) || fail "$name grew from $kb1 to $kb2 KB"
	now=$(find "/proc/$pid/fd" | wc -l)
	((now - 1 - fds <= grow_fds)) || fail "$name has $((now - 1)) descriptors, $fds before"
done <"$dir/states"
report

# ---- the audit log -------------------------------------------------------------------------------------
# Calls under way when the clients ended have rows, and nobody to count them.
"$bin/aivault" audit verify || fail "the audit log does not verify"
"$python" - "$AIVAULT_DIR/vault.db" "$dir/mixed" "$small" "$denied" <<'PY' || failed=1
import json
import sqlite3
import sys

db = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
rows = dict(db.execute("SELECT kind, SUM(repeats) FROM audit_events GROUP BY kind"))
mixed = json.load(open(sys.argv[2], encoding="utf-8"))
allowed = int(sys.argv[3]) + 8 + mixed["allow"]
denied = int(sys.argv[4]) + mixed["deny"]
print(f"soak: rows: {rows}; calls: {allowed} allowed, {denied} denied")
ok = True
for kind, least in (("invoke.allow", allowed), ("invoke.outcome", allowed), ("invoke.deny", denied)):
    if not least <= rows.get(kind, 0) <= least + 64:
        print(f"soak: {kind}: {rows.get(kind, 0)} rows for {least} calls")
        ok = False
if rows.get("invoke.allow") != rows.get("invoke.outcome"):
    print("soak: not every allowed call has its outcome")
    ok = False
sys.exit(0 if ok else 1)
PY
if grep -qF "$key" "$dir/daemon.log"; then fail "the key is in the daemon's log"; fi
if [ -s "$dir/daemon.log" ]; then
	echo "soak: the daemon's log:"
	tail -n 20 "$dir/daemon.log"
fi
[ "$failed" = 0 ] && echo "soak: passed"
exit "$failed"
