#!/bin/bash
# The same small call side by side, in one run, against one TLS server (nginx, 1 KB answers): direct
# on kept connections, through nginx as a reverse proxy that adds the key, through aivault (release
# build, unchanged, in a network namespace). A report: nothing here passes or fails.
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
BUILDDIR=$(cd "${BUILDDIR:-$here/../../build}" && pwd)
export BUILDDIR
if [ -z "${AV_NET_DIR:-}" ]; then
	exec "$here/../tools/netns.sh" "$0" "$@"
fi

seconds=${BENCH_SECONDS:-5}
bin=$BUILDDIR/release/bin
dir=$(mktemp -d)
nginx=$(command -v nginx || echo /usr/sbin/nginx)
load=$dir/load
host=api.openai.com
path=/v1/chat/completions
body='{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Say hello."}]}'
key=sk-bench-0123456789abcdef0123456789abcdef
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || :; wait; rm -rf "$dir"' EXIT

cc -O2 -Wall -Wextra -o "$load" "$here/load.c" -lcurl

# ---- the upstream, and nginx as a proxy before it ------------------------------------------------
mkdir "$dir/up" "$dir/proxy"
answer=$(printf 'x%.0s' {1..1024})
common='worker_processes 1; daemon off; error_log stderr crit;
	events { worker_connections 4096; }'
http='access_log off; keepalive_timeout 600; keepalive_requests 100000000;
	client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;'
cat >"$dir/up/nginx.conf" <<EOF
pid $dir/up/pid; $common
http { $http
	server {
		listen 104.18.7.192:443 ssl; server_name $host;
		ssl_certificate $AV_NET_DIR/server.pem; ssl_certificate_key $AV_NET_DIR/server.key;
		ssl_session_cache shared:s:1m;
		location / { default_type application/json; return 200 '"$answer"'; }
	}
}
EOF
cat >"$dir/proxy/nginx.conf" <<EOF
pid $dir/proxy/pid; $common
http { $http
	upstream api { server $host:443; keepalive 128; keepalive_requests 100000000; }
	server {
		listen unix:$dir/proxy/sock;
		location / {
			proxy_pass https://api; proxy_http_version 1.1;
			proxy_set_header Connection ""; proxy_set_header Host $host;
			proxy_set_header Authorization "Bearer $key";
			proxy_ssl_name $host; proxy_ssl_server_name on;
			proxy_ssl_verify on; proxy_ssl_trusted_certificate $AV_NET_DIR/ca.pem;
		}
	}
}
EOF
for n in up proxy; do
	"$nginx" -e stderr -p "$dir/$n" -c "$dir/$n/nginx.conf" 2>"$dir/$n.log" &
	pids+=($!)
done

# ---- aivault ---------------------------------------------------------------------------------------
export HOME=$dir/home AIVAULT_DIR=$dir/vault
mkdir -m 700 "$HOME"
mkfifo "$dir/ready"
"$bin/aivaultd" --ready-fd 3 3>"$dir/ready" 2>"$dir/daemon.log" &
daemon=$!
pids+=("$daemon")
line=$(cat "$dir/ready")
[ "$line" = ok ] || { echo "bench: $line" >&2; exit 1; }
printf %s "$key" | "$bin/aivault" secrets create --name OPENAI_API_KEY >/dev/null 2>&1
for ((i = 0; i < 100; i++)); do
	[ -S "$dir/proxy/sock" ] && curl -sf -o "$dir/answer" "https://$host/" && break
	sleep 0.05
done
children() { cat "/proc/$daemon/task/$daemon/children"; }
resident() { # of all of aivault's processes: resident and proportional KB
	local p
	for p in "$daemon" $(children); do
		awk '/^Name:/ { n = $2 } /^VmRSS:/ { r = $2 } /^Pss:/ { p += $2 }
			END { printf "%s %d %d\n", n, r, p }' "/proc/$p/status" "/proc/$p/smaps_rollup"
	done
}
ticks() { # name and processor ticks of each of aivault's processes
	local p
	for p in "$daemon" $(children); do
		awk '{ name = $2; gsub(/[()]/, "", name); print name, $14 + $15 }' "/proc/$p/stat"
	done
}

# run NAME CONNECTIONS TARGET STATUS PATH [HEADER]...
declare -A p50 p99 rps
declare -a cpu
run() {
	local name=$1 n=$2 target=$3 status=$4 where=$5 got
	shift 5
	got=$("$load" "$target" "$n" "$seconds" "$status" POST "$where" "$host" "$body" \
		'Content-Type: application/json' "$@")
	local per_second median tail other again
	read -r count _ per_second median tail _ other again <<<"$got"
	rps[$name,$n]=$per_second p50[$name,$n]=$median p99[$name,$n]=$tail
	printf '%-20s %4d %10s %10s %12s' "$name" "$n" "${p50[$name,$n]}" "${p99[$name,$n]}" "${rps[$name,$n]}"
	[ "$other$again" = 00 ] || printf '   (%s of another status, %s reconnects)' "$other" "$again"
	printf '\n'
}
proxy=unix:$dir/proxy/sock
agent=unix:$AIVAULT_DIR/run/aivaultd.sock
inv=/i/openai/chat-completions/-$path

idle=$(resident)
printf '%-20s %4s %10s %10s %12s\n' call conn 'p50 us' 'p99 us' 'requests/s'
for n in 1 64; do
	run direct "$n" "tls:$host:443" 200 "$path" "Authorization: Bearer $key"
	run nginx "$n" "$proxy" 200 "$path"
	before=$(ticks)
	run aivault "$n" "$agent" 200 "$inv"
	after=$(ticks)
	cpu[n]=$(paste -d ' ' <(echo "$before") <(echo "$after") |
		awk -v c="$count" -v hz="$(getconf CLK_TCK)" '{ printf "  %s %.0f", $1, ($4 - $2) / hz * 1e6 / c }')
done
run denied 1 "$agent" 403 /i/openai/chat-completions/-/v1/files

ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", b ? a / b : 0 }'; }
echo
for n in 1 64; do
	echo "$n connection(s): aivault adds $((p50[aivault,$n] - p50[direct,$n])) us at p50 (nginx adds $((p50[nginx,$n] - p50[direct,$n])));" \
		"throughput $(ratio "${rps[aivault,$n]}" "${rps[nginx,$n]}") of nginx's, $(ratio "${rps[aivault,$n]}" "${rps[direct,$n]}") of direct"
	echo "  processor us a call:${cpu[$n]}"
done

echo
echo "resident KB (proportional KB), idle, then after the load:"
paste -d ' ' <(echo "$idle") <(resident) | awk '
	{ printf "  %-16s %6d (%d)  %6d (%d)\n", $1, $2, $3, $5, $6; a += $2; b += $3; c += $5; d += $6 }
	END { printf "  %-16s %6d (%d)  %6d (%d)\n", "together", a, b, c, d }'

# ---- the command line: one process a call ------------------------------------------------------------
times() { # median wall time of 60 runs, in us
	local t0 i
	for ((i = 0; i < 60; i++)); do
		t0=${EPOCHREALTIME/./}
		"$@" >/dev/null 2>&1 </dev/null
		echo $((${EPOCHREALTIME/./} - t0))
	done | sort -n | sed -n 30p
}
echo
echo "one process a call, p50 us: aivault --version $(times "$bin/aivault" --version)," \
	"aivault invoke $(times "$bin/aivault" invoke openai/chat-completions --method POST --path "$path" --body "$body")," \
	"curl --unix-socket $(times curl -s --unix-socket "$AIVAULT_DIR/run/aivaultd.sock" -d "$body" "http://a$inv")"
