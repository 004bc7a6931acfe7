#!/bin/sh
# Runs a command in namespaces of its own (network, mounts, processes) in which real host names
# resolve to addresses of the loopback interface and a throw-away CA is trusted, so that unchanged
# binaries can be tested against https://api.openai.com:443. All of it ends with the command.
#
# Usage: netns.sh COMMAND...      The command sees AV_NET_DIR (ca.pem, server.pem, server.key).
# SPDX-License-Identifier: Apache-2.0
set -eu

# name, address: public-looking ones, then such that no request may ever be sent to.
hosts='
api.openai.com         104.18.7.192
chatgpt.com            104.18.32.47
api.anthropic.com      160.79.104.10
generativelanguage.googleapis.com 142.250.74.10
api.github.com         140.82.112.6
api.mailgun.net        34.160.63.108
slack.com              3.68.170.153
api.stripe.com         3.18.12.63
api.telegram.org       149.154.167.220
api.trello.com         104.192.142.18
api.acme-test.com      93.184.216.40
other.acme-test.com    93.184.216.41
private.acme-test.com  10.20.30.40
loop.acme-test.com     127.0.0.1
metadata.acme-test.com 169.254.169.254
cgnat.acme-test.com    100.64.1.1
six.acme-test.com      fd00::40
six-loop.acme-test.com ::1
'
ca_bundle=/etc/ssl/certs/ca-certificates.crt

inside() {
	ip link set lo up
	echo "$hosts" | while read -r name addr; do
		case "$name:$addr" in
		: | *:127.* | *:::1) ;;
		*:*:*) ip -6 addr add "$addr/128" dev lo nodad 2>/dev/null || : ;;
		*) ip addr add "$addr/32" dev lo ;;
		esac
	done
	mount --make-rprivate /
	{
		printf '127.0.0.1 localhost\n::1 localhost\n'
		echo "$hosts" | awk 'NF == 2 { print $2, $1 }'
	} >"$AV_NET_DIR/hosts"
	mount --bind "$AV_NET_DIR/hosts" /etc/hosts
	cat "$ca_bundle" "$AV_NET_DIR/ca.pem" >"$AV_NET_DIR/bundle.pem"
	chmod 644 "$AV_NET_DIR/bundle.pem"
	mount --bind "$AV_NET_DIR/bundle.pem" "$ca_bundle"
	# Not exec: this shell stays process 1, takes in orphans, and its end is the end of them all.
	code=0
	"$@" || code=$?
	exit "$code"
}

if [ "${1:-}" = --inside ]; then
	shift
	inside "$@"
fi

[ $# -gt 0 ] || { echo "usage: netns.sh COMMAND..." >&2; exit 2; }
AV_NET_DIR=$(mktemp -d)
export AV_NET_DIR
trap 'rm -rf "$AV_NET_DIR"' EXIT
trap 'exit 130' INT TERM
# shellcheck disable=SC2046 # one word a name
"$(dirname "$0")/certs.sh" "$AV_NET_DIR" $(echo "$hosts" | awk 'NF == 2 { print $1 }')
chmod 755 "$AV_NET_DIR"
user=
[ "$(id -u)" = 0 ] || user="--user --map-root-user"
# shellcheck disable=SC2086 # two words or none
unshare $user --net --mount --pid --fork --kill-child --mount-proc sh "$0" --inside "$@"
