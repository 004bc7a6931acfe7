# shellcheck shell=bash disable=SC2034,SC2154 # bench.sh uses what is assigned here, and the other way round
# Sourced by bench.sh: the upstreams (nginx, and events.py for streams), nginx as a reverse proxy
# before them that adds the key, and aivault, all in the present network namespace.
# SPDX-License-Identifier: Apache-2.0

host=api.openai.com
path=/v1/chat/completions
events_host=api.anthropic.com
events_path=/v1/messages
body='{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Say hello."}]}'
key=sk-bench-0123456789abcdef0123456789abcdef
python=${PYTHON:-/usr/bin/python3}
nginx=$(command -v nginx || echo /usr/sbin/nginx)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || :; wait; rm -rf "$dir"' EXIT

# ---- the upstream, and nginx as a proxy before it ------------------------------------------------
mkdir "$dir/up" "$dir/proxy"
truncate -s "${large_mb:-256}M" "$AV_NET_DIR/models" # where the unprivileged worker can read it
answer=$(printf 'x%.0s' {1..1024})
common='worker_processes 1; daemon off; error_log stderr crit;
	events { worker_connections 4096; }'
http='access_log off; keepalive_timeout 600; keepalive_requests 100000000;
	client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;'
cat >"$dir/up/nginx.conf" <<EOF
pid $dir/up/pid; $common
http { $http client_max_body_size 0;
	server {
		listen 104.18.7.192:443 ssl; server_name $host;
		ssl_certificate $AV_NET_DIR/server.pem; ssl_certificate_key $AV_NET_DIR/server.key;
		ssl_session_cache shared:s:1m;
		location / { default_type application/json; return 200 '"$answer"'; }
		location = /v1/models { alias $AV_NET_DIR/models; }
	}
}
EOF
cat >"$dir/proxy/nginx.conf" <<EOF
pid $dir/proxy/pid; $common
http { $http client_max_body_size 0;
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
	server {
		listen unix:$dir/proxy/events;
		location / {
			proxy_pass https://$events_host; proxy_http_version 1.1; proxy_buffering off;
			proxy_set_header Connection ""; proxy_set_header Host $events_host;
			proxy_set_header x-api-key "$key";
			proxy_ssl_name $events_host; proxy_ssl_server_name on;
			proxy_ssl_verify on; proxy_ssl_trusted_certificate $AV_NET_DIR/ca.pem;
		}
	}
}
EOF
"$python" "$here/events.py" 160.79.104.10 "$AV_NET_DIR/server.pem" "$AV_NET_DIR/server.key" \
	2>"$dir/events.log" &
pids+=($!)
for n in up proxy; do
	"$nginx" -e stderr -p "$dir/$n" -c "$dir/$n/nginx.conf" 2>"$dir/$n.log" &
	pids+=($!)
done

# ---- aivault ---------------------------------------------------------------------------------------
export HOME=$dir/home AIVAULT_DIR=$dir/vault
mkdir -m 700 "$HOME"
mkfifo "$dir/ready"
"$bin/aivaultd" --max-per-caller 1024 --ready-fd 3 3>"$dir/ready" 2>"$dir/daemon.log" &
daemon=$!
pids+=("$daemon")
line=$(cat "$dir/ready")
[ "$line" = ok ] || { echo "bench: $line" >&2; exit 1; }
for name in OPENAI_API_KEY ANTHROPIC_API_KEY; do
	printf %s "$key" | "$bin/aivault" secrets create --name "$name" >/dev/null 2>&1
done
for ((i = 0; i < 100; i++)); do
	[ -S "$dir/proxy/sock" ] && curl -sf -o "$dir/answer" "https://$host/" && break
	sleep 0.05
done

proxy=unix:$dir/proxy/sock
agent=unix:$AIVAULT_DIR/run/aivaultd.sock
inv=/i/openai/chat-completions/-$path

children() { cat "/proc/$daemon/task/$daemon/children"; }

# Resident KB of all of aivault's processes, by name.
resident() {
	local p
	for p in "$daemon" $(children); do
		awk '/^Name:/ { n = $2 } /^VmRSS:/ { print n, $2 }' "/proc/$p/status"
	done
}

resident_mb() { resident | awk '{ kb += $2 } END { printf "%.1f", kb / 1024 }'; }

# Name and processor ticks of each of aivault's processes.
ticks() {
	local p
	for p in "$daemon" $(children); do
		awk '{ name = $2; gsub(/[()]/, "", name); print name, $14 + $15 }' "/proc/$p/stat"
	done
}
