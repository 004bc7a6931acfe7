#!/bin/bash
# The same work side by side, in one run, against the same TLS servers: direct on kept connections,
# through nginx as a reverse proxy that adds the key, through aivault (release build, unchanged, in
# a network namespace). Prints each figure beside what is wanted of it; a report: nothing here
# passes or fails. BENCH_SECONDS: for each of its parts, 2 by default; 1 for a glance.
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # world.sh assigns what is not assigned here
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
BUILDDIR=$(cd "${BUILDDIR:-$here/../../build}" && pwd)
export BUILDDIR
if [ -z "${AV_NET_DIR:-}" ]; then
	exec "$here/../tools/netns.sh" "$0" "$@"
fi

seconds=${BENCH_SECONDS:-2}
bin=$BUILDDIR/release/bin
dir=$(mktemp -d)
for tool in load streams; do
	cc -O2 -Wall -Wextra -o "$dir/$tool" "$here/$tool.c" "$here/conn.c" -lcurl
done
. "$here/world.sh"

calc() { awk "BEGIN { printf \"${2:-%.2f}\", $1 }"; }

# wanted TEXT VALUE OPERATOR LIMIT UNIT: the closing table.
table=()
wanted() {
	local met
	met=$(awk -v a="$2" -v b="$4" -v op="$3" 'BEGIN { print (op == "<=" ? a <= b : a >= b) ? "met" : "missed" }')
	table+=("$(printf '%-58s %10s %-3s %2s %s %s: %s' "$1" "$2" "$5" "$3" "$4" "$5" "$met")")
}

idle=$(resident)
idle_mb=$(resident_mb)

# ---- readers that stall ------------------------------------------------------------------------------
readers=()
for ((i = 0; i < 16; i++)); do
	mkfifo "$dir/stall$i"
	sleep 1000 3<>"$dir/stall$i" & # holds it open and reads nothing
	pids+=($!)
	curl -s --unix-socket "${agent#unix:}" "http://a/i/openai/models/-/v1/models" >"$dir/stall$i" &
	readers+=($!)
done
# Until nothing more goes into them, which is seen by the memory: first it grows, then it does not.
last=0
while now=$(resident_mb) && [ "$now" != "$last" ]; do
	last=$now
	sleep 1
done
echo "16 stalled readers of 256 MB bodies: $idle_mb MB before, $now MB with them"
wanted '16 stalled readers of 256 MB bodies add' "$(calc "$now - $idle_mb" %.1f)" '<=' 40 MB
kill "${readers[@]}" || echo "(readers ended early)"
wait "${readers[@]}" 2>/dev/null || :
echo

# ---- small calls -------------------------------------------------------------------------------------
# Turn by turn, five times: on a shared machine each of the three is now faster and now slower than a
# moment ago, by a tenth and more. Figures are medians; a ratio is that of one turn.
declare -A p50 rps cpu mb
# measure NAME CONNECTIONS TARGET STATUS PATH [HEADER]...: a line more in the file of NAME's figures.
measure() {
	local name=$1 n=$2 target=$3 status=$4 where=$5 count median tail per_second other again
	shift 5
	read -r count _ per_second median tail _ other again <<<"$("$dir/load" "$target" "$n" "$seconds" \
		"$status" POST "$where" "$host" "$body" 'Content-Type: application/json' "$@")"
	echo "$median $tail $per_second $count" >>"$dir/$name.$n"
	[ "$other$again" = 00 ] || echo "   ($other of another status, $again reconnects)"
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
column() { cut -d ' ' -f "$2" "$dir/$1" | median; } # the median of a column of a file of figures
row() { # NAME CONNECTIONS
	p50[$1,$2]=$(column "$1.$2" 1) rps[$1,$2]=$(column "$1.$2" 3)
	printf '%-22s %5d %10s %10s %12s\n' "$1" "$2" "${p50[$1,$2]}" "$(column "$1.$2" 2)" "${rps[$1,$2]}"
}
shares() { # NAME CONNECTIONS: aivault's throughput by its, for each turn, smallest first
	paste -d ' ' "$dir/aivault.$2" "$dir/$1.$2" | awk '{ printf "%.2f\n", $3 / $7 }' | sort -n
}

turns=5
printf '%-22s %5s %10s %10s %12s\n' call conn 'p50 us' 'p99 us' 'requests/s'
for n in 1 8 64 256; do
	for ((turn = 0; turn < turns; turn++)); do
		measure direct "$n" "tls:$host:443" 200 "$path" "Authorization: Bearer $key"
		measure nginx "$n" "$proxy" 200 "$path"
		ticks >>"$dir/before"
		measure aivault "$n" "$agent" 200 "$inv"
		ticks >>"$dir/after"
	done
	row direct "$n"
	row nginx "$n"
	row aivault "$n"
	cpu[$n]=$(paste -d ' ' "$dir/before" "$dir/after" | awk -v hz="$(getconf CLK_TCK)" \
		-v c="$(awk '{ n += $4 } END { print n }' "$dir/aivault.$n")" '{ t[$1] += $4 - $2 }
		END { for (p in t) if (t[p] > 0) printf "  %s %.0f", p, t[p] / hz * 1e6 / c }')
	rm "$dir/before" "$dir/after"
	mb[$n]=$(resident_mb)
done
after=$(resident)
for n in 1 8 64 256; do
	printf '%3d connections: nginx adds %d us at p50, aivault %d; %s of its throughput (%s), %s of direct; %s MB; us of processor a call:%s\n' \
		"$n" $((p50[nginx,$n] - p50[direct,$n])) $((p50[aivault,$n] - p50[direct,$n])) \
		"$(shares nginx "$n" | median)" "$(shares nginx "$n" | sed -n '1p;$p' | paste -s -d - -)" \
		"$(shares direct "$n" | median)" "${mb[$n]}" "${cpu[$n]}"
done
wanted 'warm call, 1 KB, one connection: added at p50' $((p50[aivault,1] - p50[direct,1])) '<=' 600 us
wanted "64 connections: share of nginx's throughput" "$(shares nginx 64 | median)" '>=' 0.40 ''

# ---- event streams -----------------------------------------------------------------------------------
echo
printf '%-22s %5s %10s %10s   (us from the sending of an event to its first byte)\n' 'event streams' conn p50 p99
events() { # NAME TARGET PATH [HEADER]...
	local name=$1 target=$2 where=$3 count median tail ended
	shift 3
	read -r count median tail _ ended <<<"$("$dir/streams" "$target" 100 "$seconds" POST "$where" \
		"$events_host" "$body" 'Content-Type: application/json' "$@")"
	p50[events,$name]=$median
	printf '%-22s %5d %10s %10s   %s events%s\n' "$name" 100 "$median" "$tail" "$count" \
		"$([ "$ended" = 0 ] || echo ", $ended streams ended")"
}
events direct "tls:$events_host:443" "$events_path" "x-api-key: $key"
events nginx "unix:$dir/proxy/events" "$events_path"
events aivault "$agent" "/i/anthropic/messages/-$events_path"
wanted '100 event streams: age of an event at its first byte, p50' "${p50[events,aivault]}" '<=' 300 us

# ---- denied calls, in a small vault and in a large one ---------------------------------------------------
echo
denied=/i/openai/chat-completions/-/v1/files
measure denied 1 "$agent" 403 "$denied"
row denied 1
for name in GEMINI_API_KEY GITHUB_TOKEN MAILGUN_API_KEY SLACK_BOT_TOKEN STRIPE_API_KEY TELEGRAM_BOT_TOKEN \
	TRELLO_API_KEY TRELLO_TOKEN; do # those of the providers that world.sh leaves out
	printf %s "$key" | "$bin/aivault" secrets create --name "$name" >/dev/null 2>&1
done
for ((i = 0; i < 1000; i++)); do
	printf 'bench-value-%s' "$i" | "$bin/aivault" secrets create --name "BENCH_$i" >/dev/null 2>&1
done
measure 'denied, 1,000 secrets' 1 "$agent" 403 "$denied"
row 'denied, 1,000 secrets' 1
wanted 'denied call, p50' "${p50[denied,1]}" '<=' 250 us
wanted 'denied call with 1,000 secrets and all providers: times that' \
	"$(calc "${p50[denied, 1,000 secrets,1]} / ${p50[denied,1]}")" '<=' 1.20 ''

# ---- memory, and the command line ------------------------------------------------------------------------
echo
echo "resident KB, idle, then after the small calls:"
paste -d ' ' <(echo "$idle") <(echo "$after") | awk '
	{ printf "  %-16s %6d  %6d\n", $1, $2, $4; a += $2; b += $4 }
	END { printf "  %-16s %6d  %6d\n", "together", a, b }'
wanted 'all processes, idle' "$idle_mb" '<=' 40 MB

times() { # median wall time of 60 runs, in us
	local t0 i
	for ((i = 0; i < 60; i++)); do
		t0=${EPOCHREALTIME/./}
		"$@" >/dev/null 2>&1 </dev/null
		echo $((${EPOCHREALTIME/./} - t0))
	done | sort -n | sed -n 30p
}
version=$(times "$bin/aivault" --version)
invoke=$(times "$bin/aivault" invoke openai/chat-completions --method POST --path "$path" --body "$body")
curl=$(times curl -s --unix-socket "${agent#unix:}" -d "$body" "http://a$inv")
echo
echo "one process a call, p50 us: aivault --version $version, aivault invoke $invoke, curl --unix-socket $curl"
wanted 'aivault invoke, more than curl --unix-socket' "$(calc "($invoke - $curl) / 1000" %.1f)" '<=' 5 ms
wanted 'aivault --version' "$(calc "$version / 1000" %.1f)" '<=' 3 ms

echo
printf '%s\n' "${table[@]}"
