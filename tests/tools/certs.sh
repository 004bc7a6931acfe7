#!/bin/sh
# Makes a throw-away CA and one server certificate for all the names given.
# Usage: certs.sh DIR NAME...    writes DIR/{ca.pem,ca.key,server.pem,server.key}
# SPDX-License-Identifier: Apache-2.0
set -eu
dir=$1
shift
names=
for n in "$@"; do names="$names${names:+,}DNS:$n"; done
umask 077
conf=$dir/openssl.cnf
printf '[req]\ndistinguished_name=dn\n[dn]\n' >"$conf"
quiet() { "$@" 2>"$dir/openssl.log" || { cat "$dir/openssl.log" >&2; exit 1; }; }
quiet openssl req -x509 -config "$conf" -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
	-keyout "$dir/ca.key" -out "$dir/ca.pem" -days 2 -subj "/CN=aivault throw-away test CA" \
	-addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign"
quiet openssl req -config "$conf" -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
	-keyout "$dir/server.key" -out "$dir/server.csr" -subj "/CN=$1"
printf 'basicConstraints=CA:FALSE\nsubjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$names" >"$dir/server.ext"
quiet openssl x509 -req -in "$dir/server.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" \
	-CAcreateserial -days 2 -extfile "$dir/server.ext" -out "$dir/server.pem"
rm -f "$dir/server.csr" "$dir/server.ext" "$dir/openssl.cnf" "$dir/openssl.log" "$dir"/*.srl
