# SPDX-License-Identifier: Apache-2.0
"""An agent that speaks HTTP/1.1 on the unix socket, byte by byte, so that a test chooses them all."""

import array
import fcntl
import json
import socket
import termios


class Response:
    def __init__(self, agent, head_only=False):
        self.agent = agent
        head = agent.read_until(b"\r\n\r\n")[:-4].decode("latin-1").split("\r\n")
        self.status = int(head[0].split(" ")[1])
        self.headers = []
        for line in head[1:]:
            name, _, value = line.partition(":")
            self.headers.append((name.lower(), value.strip()))
        self.chunked = self.header("transfer-encoding").lower() == "chunked"
        length = self.header("content-length")
        self.left = 0 if head_only or self.status in (204, 304) else int(length) if length else None
        self.done = self.left == 0 and not self.chunked
        self._body = b""

    def header(self, name, default=""):
        return next((v for n, v in self.headers if n == name), default)

    def some(self):
        """The next run of body bytes; b"" at the end."""
        if self.done:
            return b""
        if self.chunked:
            size = int(self.agent.read_until(b"\r\n").split(b";")[0], 16)
            data = self.agent.read_exact(size)
            self.agent.read_until(b"\r\n")
            self.done = size == 0
        elif self.left is None:
            data = self.agent.read_some()
            self.done = not data
        else:
            data = self.agent.read_some(self.left)
            if not data:
                raise EOFError("the body is cut")
            self.left -= len(data)
            self.done = self.left == 0
        self._body += data
        return data

    def until(self, text):
        """Reads on until the body holds `text`."""
        while text not in self._body:
            if not self.some():
                raise EOFError(f"the body ended without {text!r}: {self._body[-200:]!r}")

    @property
    def body(self):
        while not self.done:
            self.some()
        return self._body

    def json(self):
        return json.loads(self.body)

    @property
    def reason(self):
        """The reason word of an error of aivault's own, or "" for an upstream's answer."""
        if not self.header("aivault-error"):
            return ""
        return self.json().get("reason", "")


class Agent:
    def __init__(self, path, seconds=60):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(seconds)
        self.sock.connect(str(path))
        self.buffer = b""

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def read_some(self, limit=1 << 20):
        if not self.buffer:
            self.buffer = self.sock.recv(1 << 16)
        data, self.buffer = self.buffer[:limit], self.buffer[limit:]
        return data

    def read_until(self, mark):
        while mark not in self.buffer:
            data = self.sock.recv(1 << 16)
            if not data:
                raise EOFError(f"closed, after {self.buffer!r}")
            self.buffer += data
        data, _, self.buffer = self.buffer.partition(mark)
        return data + mark

    def read_exact(self, n):
        while len(self.buffer) < n:
            data = self.sock.recv(1 << 16)
            if not data:
                raise EOFError("closed")
            self.buffer += data
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def send(self, data):
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all of it was read: the answer says why

    def all_is_taken(self):
        """Whether the broker has read all that was sent."""
        left = array.array("i", [0])
        fcntl.ioctl(self.sock, termios.TIOCOUTQ, left)
        return left[0] == 0

    def request(self, method, target, headers=(), body=None, chunked=False, host="aivault"):
        lines = [method.encode() + b" " + (target if isinstance(target, bytes) else target.encode()) +
                 b" HTTP/1.1"]
        if host is not None:
            lines.append(b"Host: " + host.encode())
        lines += [f"{n}: {v}".encode("latin-1") for n, v in headers]
        if chunked:
            lines.append(b"Transfer-Encoding: chunked")
        elif body is not None:
            lines.append(b"Content-Length: %d" % len(body))
        self.send(b"\r\n".join(lines) + b"\r\n\r\n")
        if chunked:
            for at in range(0, len(body), 8192):
                piece = body[at : at + 8192]
                self.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.send(b"0\r\n\r\n")
        elif body:
            self.send(body)
        return Response(self, head_only=method == "HEAD")
