#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A TLS server that stands in for an API, for the demo and the end-to-end tests.

HTTP/1.1 written by hand, one thread a connection, so that it can see exact bytes and misbehave.
It answers like the OpenAI API where the path is one of that API's, echoes what it got on /echo,
and lets a test put a function on any path. What arrived is kept in `requests` and, where a log
file is given, written as JSON lines.

As a program: upstream.py --cert C --key K [--listen 127.0.0.1:0] [--port-file F] [--log F]
              [--expect-auth-file F] [--gap SECONDS]
"""

import argparse
import collections
import hashlib
import json
import os
import signal
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse

HEAD_MAX = 256 * 1024
GATE_SECONDS = 60


class Gone(Exception):
    """The peer closed, or the connection is to be dropped without an answer."""


class Request:
    """One request: the head exactly as it came, the body read on demand."""

    def __init__(self, connection, number, raw_head):
        self.connection = connection
        self.number = number  # on this connection, from 1
        lines = raw_head.split(b"\r\n")
        self.line = lines[0].decode("latin-1")
        parts = self.line.split(" ")
        if len(parts) != 3:
            raise Gone("bad request line")
        self.method, self.target, self.version = parts
        self.raw_head = raw_head
        self.headers = []
        for line in lines[1:]:
            name, _, value = line.decode("latin-1").partition(":")
            self.headers.append((name, value.strip()))
        self.path, _, self.query = self.target.partition("?")
        self.params = dict(urllib.parse.parse_qsl(self.query))
        self.body = b""
        self.complete = False

    def header(self, name, default=""):
        for n, v in self.headers:
            if n.lower() == name.lower():
                return v
        return default

    def header_all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def json(self):
        try:
            return json.loads(self.body or b"{}")
        except ValueError:
            return {}

    def record(self):
        return {
            "connection": self.connection.number,
            "number": self.number,
            "method": self.method,
            "target": self.target,
            "headers": [[n, v] for n, v in self.headers],
            "bodyBytes": len(self.body),
            "bodySha256": hashlib.sha256(self.body).hexdigest(),
        }


class Connection:
    """One accepted connection: reads requests, offers handlers the ways to answer."""

    def __init__(self, server, sock, peer, number):
        self.server = server
        self.sock = sock
        self.peer = peer
        self.number = number
        self.buffer = b""
        self.open = True
        self.keep = True

    def _fill(self):
        try:
            data = self.sock.recv(65536)
        except OSError as err:
            raise Gone(str(err)) from err
        if not data:
            raise Gone("end of stream")
        self.buffer += data

    def read_exact(self, n):
        parts, have = [], 0
        while have < n:
            if not self.buffer:
                self._fill()
            piece, self.buffer = self.buffer[: n - have], self.buffer[n - have :]
            parts.append(piece)
            have += len(piece)
        return b"".join(parts)

    def read_line(self):
        while b"\r\n" not in self.buffer:
            self._fill()
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line

    def read_head(self, number):
        while b"\r\n\r\n" not in self.buffer:
            if len(self.buffer) > HEAD_MAX:
                raise Gone("head too long")
            self._fill()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        return Request(self, number, head)

    def read_body(self, request):
        """Reads the rest of the body; handlers marked `before_body` call it when they like."""
        if request.complete:
            return
        if request.header("transfer-encoding").lower() == "chunked":
            parts = []
            while True:
                size = int(self.read_line().split(b";")[0], 16)
                if size == 0:
                    while self.read_line():
                        pass
                    break
                parts.append(self.read_exact(size))
                self.read_exact(2)
            request.body = b"".join(parts)
        else:
            request.body = self.read_exact(int(request.header("content-length", "0")))
        request.complete = True

    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError as err:
            raise Gone(str(err)) from err

    def at_once(self, pieces):
        """Each in a TLS record of its own, all in as few packets as they fit in."""
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        for piece in pieces:
            self.send(piece)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)

    def head(self, status, headers, reason="Status"):
        lines = [f"HTTP/1.1 {status} {reason}"]
        lines += [f"{n}: {v}" for n, v in headers]
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    def reply(self, status, body=b"", headers=(), content_type="application/json"):
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        elif isinstance(body, str):
            body = body.encode()
        out = [("Content-Type", content_type), ("Content-Length", str(len(body)))]
        self.head(status, out + list(headers))
        if body:
            self.send(body)

    def chunked_head(self, status=200, content_type="text/event-stream", headers=()):
        self.head(
            status,
            [("Content-Type", content_type), ("Transfer-Encoding", "chunked"), *headers],
        )

    def chunk(self, data):
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def chunk_end(self):
        self.send(b"0\r\n\r\n")

    def drop(self):
        """Ends the connection at once, unanswered."""
        raise Gone("dropped on purpose")

    def finish(self):
        """Ends the connection by saying so (TLS's close_notify), as a server that is well does."""
        try:
            self.sock.unwrap()
        except OSError:
            pass
        raise Gone("finished")

    def abort(self):
        """Ends the connection at once with a reset, not with an end of stream."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.open = False
        self.sock.close()
        raise Gone("reset on purpose")

    def close(self):
        if not self.open:
            return
        self.open = False
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()


def event(k, total):
    """The k-th event of a stream of `total`, as the API would send it."""
    body = {
        "id": "chatcmpl-stand-in",
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": {"content": f"word{k} "}, "finish_reason": None}],
    }
    if k == total:
        return b"data: [DONE]\n\n"
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def pattern(size, seed=0):
    """`size` bytes that repeat in no short period, all values, the same every time."""
    out = bytearray()
    block = hashlib.sha256(str(seed).encode()).digest()
    while len(out) < size:
        out += block
        block = hashlib.sha256(block).digest()
    return bytes(out[:size])


class Upstream:
    """The server. Start it, read `requests`, put functions on paths with route()."""

    def __init__(self, cert, key, host="127.0.0.1", port=0, log=None, family=socket.AF_INET):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(cert, key)
        self.context.set_alpn_protocols(["http/1.1"])
        self.family, self.host, self.port, self.log = family, host, port, log
        self.lock = threading.Condition()
        self.listener = None
        self.live = set()
        self.connections_total = 0
        self.reset()

    def reset(self):
        """Forgets what arrived and every route of a test; kept connections are closed."""
        with self.lock:
            self.requests = []
            self.connections = 0
            self.routes = {}
            self.expect_auth = None  # the whole header value, or None = any that is not empty
            self.stream_chunks = 5
            self.gate = None
            self.greet = self._greet  # from an accepted socket to one that carries HTTP, or None
            self.gap = 0.0
            dead, self.live = self.live, set()
        for connection in dead:
            connection.close()

    def start(self):
        self.listener = socket.create_server(
            (self.host, self.port), family=self.family, backlog=256,
            dualstack_ipv6=self.family == socket.AF_INET6,
        )
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def stop(self):
        listener, self.listener = self.listener, None
        if listener:
            try:
                listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            listener.close()
        self.reset()

    def route(self, path, handler, before_body=False):
        """handler(connection, request); `before_body`: it is called before the body is read."""
        handler.before_body = before_body
        with self.lock:
            self.routes[path] = handler

    def wait_requests(self, n, seconds=30):
        """Waits until n requests have arrived; true if they did."""
        with self.lock:
            return self.lock.wait_for(lambda: len(self.requests) >= n, seconds)

    def saw(self, text):
        """Whether any head or body that arrived holds `text`."""
        want = text if isinstance(text, bytes) else text.encode()
        with self.lock:
            return any(want in r.raw_head or want in r.body for r in self.requests)

    def _accept(self):
        while True:
            listener = self.listener
            if listener is None:
                return
            try:
                sock, peer = listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self.connections_total += 1
                number = self.connections_total
                self.lock.notify_all()
            threading.Thread(target=self._serve, args=(sock, peer, number), daemon=True).start()

    def _greet(self, sock):
        return self.context.wrap_socket(sock, server_side=True)

    def _serve(self, sock, peer, number):
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            secure = self.greet(sock)
        except (OSError, ssl.SSLError):
            secure = None
        if secure is None:
            sock.close()
            return
        connection = Connection(self, secure, peer, number)
        with self.lock:
            self.live.add(connection)
        try:
            count = 0
            while connection.keep:
                count += 1
                self._one(connection, connection.read_head(count))
        except Gone:
            pass
        except Exception as err:  # a handler's own fault: show it, drop the connection
            print(f"upstream: {type(err).__name__}: {err}", file=sys.stderr)
        finally:
            connection.close()
            with self.lock:
                self.live.discard(connection)

    def _one(self, connection, request):
        with self.lock:
            handler = self.routes.get(request.path)
            self.requests.append(request)
        handler = handler or self._builtin(request.path)
        try:
            if not getattr(handler, "before_body", False):
                connection.read_body(request)
        finally:
            with self.lock:
                self.lock.notify_all()
                if self.log:
                    self.log.write(json.dumps(request.record()) + "\n")
                    self.log.flush()
        if request.header("connection").lower() == "close":
            connection.keep = False
        handler(connection, request)

    # ---- what it does by itself ---------------------------------------------------------------

    def _builtin(self, path):
        if path == "/v1/chat/completions":
            return self._chat
        if path == "/v1/models":
            return self._models
        name = path.strip("/").split("/")[0]
        return {
            "echo": self._echo,
            "reflect": self._reflect,
            "redirect": self._redirect,
            "cookie": self._cookie,
            "big": self._big,
            "drop": lambda c, r: c.drop(),
        }.get(name, self._not_found)

    def authorized(self, connection, request):
        value = request.header("authorization")
        good = value == self.expect_auth if self.expect_auth else bool(value)
        if not good:
            error = {"message": "Incorrect API key provided.", "type": "invalid_request_error",
                     "code": "invalid_api_key"}
            connection.reply(401, {"error": error}, [("WWW-Authenticate", "Bearer")])
        return good

    def _chat(self, connection, request):
        if not self.authorized(connection, request):
            return
        asked = request.json()
        if asked.get("stream"):
            self.stream(connection)
            return
        words = " ".join(str(m.get("content", "")) for m in asked.get("messages", []))
        message = {"role": "assistant", "content": f"You said: {words}"}
        connection.reply(200, {
            "id": "chatcmpl-stand-in",
            "object": "chat.completion",
            "model": asked.get("model", "gpt-4o-mini"),
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8},
        })

    def stream(self, connection):
        """An event stream; with a gate (a semaphore) each event but the first waits for it."""
        connection.chunked_head()
        for k in range(1, self.stream_chunks + 1):
            if k > 1:
                if self.gate and not self.gate.acquire(timeout=GATE_SECONDS):
                    connection.drop()
                if self.gap:
                    time.sleep(self.gap)
            connection.chunk(event(k, self.stream_chunks))
        connection.chunk_end()

    def _models(self, connection, request):
        if self.authorized(connection, request):
            data = [{"id": "gpt-4o-mini", "object": "model"}, {"id": "o3", "object": "model"}]
            connection.reply(200, {"object": "list", "data": data})

    def _echo(self, connection, request):
        answer = request.record()
        answer["headers"] = [
            [n, v] for n, v in request.headers if n.lower() != "authorization"
        ]
        connection.reply(200, answer)

    def _reflect(self, connection, request):
        """Gives the credential back in a header and in the body, as a careless API might."""
        value = request.header("authorization") or request.header("x-api-key")
        connection.reply(
            200, f"before {value} after", [("X-Reflected", value)], "text/plain"
        )

    def _redirect(self, connection, request):
        where = request.params.get("to", "/echo")
        connection.reply(302, b"", [("Location", where)])

    def _cookie(self, connection, request):
        connection.reply(200, {"ok": True}, [
            ("Set-Cookie", "session=abc; Path=/"),
            ("WWW-Authenticate", "Basic realm=x"),
            ("Proxy-Authenticate", "Basic"),
            ("Aivault-Request-Id", "forged"),
            ("X-Kept", "yes"),
        ])

    def _big(self, connection, request):
        body = pattern(int(request.params.get("size", "1048576")))
        connection.reply(200, body, (), "application/octet-stream")

    def _not_found(self, connection, request):
        connection.reply(404, {"error": {"message": "no such path", "path": request.path}})


def main():
    parser = argparse.ArgumentParser(description="a TLS stand-in for an API")
    parser.add_argument("--cert", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--listen", default="127.0.0.1:0")
    parser.add_argument("--port-file")
    parser.add_argument("--log")
    parser.add_argument("--expect-auth-file", help="the Authorization value that is accepted")
    parser.add_argument("--chunks", type=int, default=5)
    parser.add_argument("--gap", type=float, default=0.0)
    args = parser.parse_args()
    host, _, port = args.listen.rpartition(":")
    log = open(args.log, "a", encoding="utf-8") if args.log else None
    server = Upstream(args.cert, args.key, host, int(port), log)
    if args.expect_auth_file:
        with open(args.expect_auth_file, encoding="utf-8") as file:
            server.expect_auth = file.read().strip()
    server.stream_chunks, server.gap = args.chunks, args.gap
    server.start()
    if args.port_file:
        with open(args.port_file + ".new", "w", encoding="utf-8") as file:
            file.write(f"{server.port}\n")
        os.rename(args.port_file + ".new", args.port_file)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    server.stop()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main()
