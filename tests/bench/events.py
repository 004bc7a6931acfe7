#!/usr/bin/env python3
# The upstream of the bench's event streams: over TLS, on each connection an endless answer of one
# event every 100 ms, with the time of its sending in it (CLOCK_MONOTONIC, ns). A thread a stream;
# the streams take turns within the 100 ms.
# Usage: events.py ADDRESS CERT KEY
# SPDX-License-Identifier: Apache-2.0
import itertools
import socket
import ssl
import sys
import threading
import time

INTERVAL = 0.1
STEP = 0.001
HEAD = (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n")


def stream(conn: socket.socket, context: ssl.SSLContext, turn: int) -> None:
    try:
        with context.wrap_socket(conn, server_side=True) as tls:
            head = b""
            while b"\r\n\r\n" not in head:
                got = tls.recv(65536)
                if not got:
                    return
                head += got
            tls.sendall(HEAD)
            due = time.monotonic() + turn * STEP % INTERVAL
            while True:
                due += INTERVAL
                time.sleep(max(0.0, due - time.monotonic()))
                event = b"data: %020d\n\n" % time.monotonic_ns()
                tls.sendall(b"%x\r\n%s\r\n" % (len(event), event))
    except OSError:
        pass  # the reader has had enough


def main() -> None:
    address, cert, key = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with socket.create_server((address, 443), backlog=256) as server:
        for turn in itertools.count():
            conn, _ = server.accept()
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=stream, args=(conn, context, turn), daemon=True).start()


main()
