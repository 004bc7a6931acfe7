#!/bin/bash
# Shows aivault at work in a throw-away directory, against a TLS stand-in for the OpenAI API on
# loopback. Needs the dev build ($BUILDDIR/dev), no root and no network; leaves nothing behind.
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${BUILDDIR:-$here/../../build}" && pwd)
python=${PYTHON:-/usr/bin/python3}
bin=$build/dev/bin
dir=$(mktemp -d "${TMPDIR:-/tmp}/aivault-demo.XXXXXX")
daemon='' upstream=''

stop() { # ends process $1 and waits for it, at most about ten seconds
	[ -n "$1" ] || return 0
	kill -TERM "$1" 2>/dev/null || return 0
	(for _ in {1..100}; do sleep 0.1; kill -0 "$1" 2>/dev/null || exit 0; done; kill -KILL "$1") \
		2>/dev/null &
	wait "$1" 2>/dev/null || :
}
finish() {
	local code=$?
	trap - EXIT
	stop "$daemon"
	stop "$upstream"
	if [ "$code" != 0 ]; then
		echo "demo: failed (exit $code)" >&2
		sed 's/^/  daemon: /' "$dir/daemon.log" >&2 2>/dev/null || :
	fi
	rm -rf "$dir"
	exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

bold='' plain=''
[ ! -t 1 ] || [ -n "${NO_COLOR:-}" ] || bold=$'\033[1m' plain=$'\033[0m'
title() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
# Prints a command as a person would type it (past any pipe or file that its output goes to),
# then runs it.
exec 9>&1
run() {
	{
		printf '$ aivault'
		for word in "$@"; do
			case $word in *[!A-Za-z0-9/._=-]*) printf " '%s'" "$word" ;; *) printf ' %s' "$word" ;; esac
		done
		printf '\n'
	} >&9
	"$bin/aivault" "$@"
}
fail() { echo "demo: $1" >&2; exit 1; }

# ---- a stand-in for the API, and a key that only it accepts -------------------------------------
key=sk-demo-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
mkdir "$dir/tls"
"$here/certs.sh" "$dir/tls" api.openai.com
printf 'Bearer %s' "$key" >"$dir/expect"
"$python" "$here/upstream.py" --cert "$dir/tls/server.pem" --key "$dir/tls/server.key" \
	--port-file "$dir/port" --log "$dir/arrived" --expect-auth-file "$dir/expect" --gap 0.15 &
upstream=$!
for _ in {1..100}; do
	[ ! -s "$dir/port" ] || break
	kill -0 "$upstream" 2>/dev/null || fail "the stand-in did not start"
	sleep 0.05
done
[ -s "$dir/port" ] || fail "the stand-in did not start"

export HOME=$dir/home AIVAULT_DIR=$dir/vault
export AIVAULT_DEV_CA_CERT_PATH=$dir/tls/ca.pem
AIVAULT_DEV_RESOLVE=api.openai.com=127.0.0.1:$(cat "$dir/port")
export AIVAULT_DEV_RESOLVE
unset AIVAULTD_SOCKET AIVAULTD_SHARED_SOCKET AIVAULTD_DISABLE
mkdir -m 700 "$HOME"

title "The daemon: supervisor, keeper, judge, broker"
mkfifo "$dir/ready"
"$bin/aivaultd" --ready-fd 3 3>"$dir/ready" 2>"$dir/daemon.log" &
daemon=$!
line=$(cat "$dir/ready")
[ "$line" = ok ] || fail "the daemon did not start: $line"
for pid in "$daemon" $(cat "/proc/$daemon/task/$daemon/children" 2>/dev/null); do
	awk '/^Name:/ { name = $2 } /^Pid:/ { pid = $2 } /^VmRSS:/ { kb = $2 }
		END { printf "%-16s pid %-7d %6.1f MB resident\n", name, pid, kb / 1024 }' \
		"/proc/$pid/status" || fail "the daemon does not run"
done

title "A secret, from standard input: pinned to its provider, its capabilities enabled"
echo "$ printf %s \"\$OPENAI_KEY\" | aivault secrets create --name OPENAI_API_KEY"
printf %s "$key" | "$bin/aivault" secrets create --name OPENAI_API_KEY

title "A call: the caller never sees the key"
run invoke openai/chat-completions --method POST --path /v1/chat/completions \
	--header content-type=application/json \
	--body '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hello, vault"}]}' |
	tee "$dir/answer"
echo
grep -q 'You said: Hello, vault' "$dir/answer" || fail "the answer is not the stand-in's"

title "A streamed call: each event is printed when it arrives"
run invoke openai/chat-completions --method POST --path /v1/chat/completions --stream \
	--header content-type=application/json --body '{"stream":true,"messages":[]}' |
	while IFS= read -r text; do
		[ -z "$text" ] || printf '%(%T)T.%03d  %s\n' -1 "$((10#$(date +%N) / 1000000))" "$text"
	done | tee "$dir/stream"
[ "$(grep -c 'data: ' "$dir/stream")" = 5 ] || fail "the stream is not whole"

title "A denied call: outside the capability's reach, so nothing is sent and no key is taken out"
before=$(wc -l <"$dir/arrived")
if run invoke openai/chat-completions --method DELETE --path /v1/files/file-1 2>"$dir/denied"; then
	fail "the call was not denied"
fi
cat "$dir/denied"
grep -q policy_violation "$dir/denied" || fail "the denial has no code"
[ "$(wc -l <"$dir/arrived")" = "$before" ] || fail "the denied call reached the upstream"

title "The audit log: every call, allowed or not"
for _ in {1..100}; do # denials and outcomes are written in batches, a moment behind
	"$bin/aivault" audit --output json >"$dir/audit"
	[ "$(grep -c -e '"invoke.deny"' -e '"durationMs"' "$dir/audit")" -lt 3 ] || break
	sleep 0.05
done
run audit --output table | tee "$dir/audit"
grep -q deny "$dir/audit" || fail "the denial is not in the audit log"

if grep -rqs -e "$key" "$dir/vault" "$dir/answer" "$dir/stream" "$dir/denied" "$dir/audit" \
	"$dir/daemon.log"; then
	fail "the key is somewhere it must not be"
fi
title "Done: the key is in no answer, log or file; the directory goes away now"
