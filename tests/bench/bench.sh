#!/bin/bash
# The same work side by side, in one run, against the same TLS servers: direct on kept connections,
# through nginx as a reverse proxy that adds the key, through aivault (release build, unchanged, in
# a network namespace). Prints each figure beside what is wanted of it; a report: nothing here
# passes or fails. BENCH_SECONDS: for each of its parts, 3 by default; 1 for a glance.
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # world.sh assigns what is not assigned here
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
BUILDDIR=$(cd "${BUILDDIR:-$here/../../build}" && pwd)
export BUILDDIR
if [ -z "${AV_NET_DIR:-}" ]; then
	exec "$here/../tools/netns.sh" "$0" "$@"
fi

seconds=${BENCH_SECONDS:-3}
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
declare -A p50 rps cpu mb
# run NAME CONNECTIONS TARGET STATUS PATH [HEADER]...
run() {
	local name=$1 n=$2 target=$3 status=$4 where=$5 count median tail per_second other again
	shift 5
	read -r count _ per_second median tail _ other again <<<"$("$dir/load" "$target" "$n" "$seconds" \
		"$status" POST "$where" "$host" "$body" 'Content-Type: application/json' "$@")"
	calls=$count rps[$name,$n]=$per_second p50[$name,$n]=$median
	printf '%-22s %5d %10s %10s %12s' "$name" "$n" "$median" "$tail" "$per_second"
	[ "$other$again" = 00 ] || printf '   (%s of another status, %s reconnects)' "$other" "$again"
	printf '\n'
}

printf '%-22s %5s %10s %10s %12s\n' call conn 'p50 us' 'p99 us' 'requests/s'
for n in 1 8 64 256; do
	run direct "$n" "tls:$host:443" 200 "$path" "Authorization: Bearer $key"
	run nginx "$n" "$proxy" 200 "$path"
	before=$(ticks)
	run aivault "$n" "$agent" 200 "$inv"
	cpu[$n]=$(paste -d ' ' <(echo "$before") <(ticks) |
		awk -v c="$calls" -v hz="$(getconf CLK_TCK)" '$4 > $2 { printf "  %s %.0f", $1, ($4 - $2) / hz * 1e6 / c }')
	mb[$n]=$(resident_mb)
done
after=$(resident)
for n in 1 8 64 256; do
	printf '%3d connections: nginx adds %d us at p50, aivault %d; %s of its throughput (%s of direct); %s MB; us of processor a call:%s\n' \
		"$n" $((p50[nginx,$n] - p50[direct,$n])) $((p50[aivault,$n] - p50[direct,$n])) \
		"$(calc "${rps[aivault,$n]} / ${rps[nginx,$n]}")" "$(calc "${rps[aivault,$n]} / ${rps[direct,$n]}")" \
		"${mb[$n]}" "${cpu[$n]}"
done
wanted 'warm call, 1 KB, one connection: added at p50' $((p50[aivault,1] - p50[direct,1])) '<=' 600 us
wanted "64 connections: share of nginx's throughput" "$(calc "${rps[aivault,64]} / ${rps[nginx,64]}")" '>=' 0.40 ''

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
run denied 1 "$agent" 403 "$denied"
small=${p50[denied,1]}
for name in GEMINI_API_KEY GITHUB_TOKEN MAILGUN_API_KEY SLACK_BOT_TOKEN STRIPE_API_KEY TELEGRAM_BOT_TOKEN \
	TRELLO_API_KEY TRELLO_TOKEN; do # those of the providers that world.sh leaves out
	printf %s "$key" | "$bin/aivault" secrets create --name "$name" >/dev/null 2>&1
done
for ((i = 0; i < 1000; i++)); do
	printf 'bench-value-%s' "$i" | "$bin/aivault" secrets create --name "BENCH_$i" >/dev/null 2>&1
done
run 'denied, 1,000 secrets' 1 "$agent" 403 "$denied"
large=${p50[denied, 1,000 secrets,1]}
wanted 'denied call, p50' "$small" '<=' 250 us
wanted 'denied call with 1,000 secrets and all providers: times that' "$(calc "$large / $small")" '<=' 1.20 ''

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
