#!/usr/bin/env python3
# The soak's unruly clients: large bodies both ways, clients that vanish in mid-stream, one that is
# over its rate. Every answer is checked. Prints the counts by kind as JSON; exit 1 if an answer was
# not what it should be.
# Usage: mixed.py SOCKET SECONDS LARGE_BYTES
# SPDX-License-Identifier: Apache-2.0
import collections
import http.client
import json
import socket
import sys
import threading
import time

SMALL = 1026  # bytes of the upstream's usual answer
UP = 4 * 1024 * 1024
EMBED = "/i/openai/embeddings/-/v1/embeddings"
CHAT = "/i/anthropic/messages/-/v1/messages"
counts: collections.Counter[str] = collections.Counter()
wrong: list[str] = []
lock = threading.Lock()


class Unix(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("aivault", timeout=60)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self.path)


def note(kind: str, problem: str = "") -> None:
    with lock:
        counts[kind] += 1
        if problem:
            wrong.append(f"{kind}: {problem}")


def down(conn: Unix, large: int) -> None:
    conn.request("GET", "/i/openai/models/-/v1/models")
    answer = conn.getresponse()
    got = 0
    clean = True
    while piece := answer.read(1 << 20):
        got += len(piece)
        clean = clean and not piece.strip(b"\0")
    note("allow", "" if answer.status == 200 and got == large and clean else f"{answer.status}, {got} bytes")


def up(conn: Unix, _large: int) -> None:
    conn.request("POST", "/i/openai/files/-/v1/files", b"u" * UP, {"Content-Type": "application/octet-stream"})
    answer = conn.getresponse()
    body = answer.read()
    note("allow", "" if answer.status == 200 and len(body) == SMALL else f"{answer.status}, {len(body)} bytes")


def vanish(conn: Unix, _large: int) -> None:
    conn.request("POST", CHAT, b"{}", {"Content-Type": "application/json"})
    answer = conn.getresponse()
    line = answer.readline()
    note("allow", "" if answer.status == 200 and line.startswith(b"data: ") else f"{answer.status}, {line!r}")
    conn.close()


def vanish_large(conn: Unix, _large: int) -> None:
    conn.request("GET", "/i/openai/models/-/v1/models")
    answer = conn.getresponse()
    got = len(answer.read(100_000))
    note("allow", "" if answer.status == 200 and got == 100_000 else f"{answer.status}, {got} bytes")
    conn.close()


def hasty(conn: Unix, _large: int) -> None:
    conn.request("POST", EMBED, b"{}", {"Content-Type": "application/json"})
    answer = conn.getresponse()
    answer.read()
    if answer.status == 429:
        note("deny", "" if int(answer.getheader("Retry-After", "0")) > 0 else "no Retry-After")
        time.sleep(0.005)
    else:
        note("allow", "" if answer.status == 200 else f"{answer.status}")


def client(work, path: str, end: float, large: int) -> None:
    conn = Unix(path)
    while time.monotonic() < end:
        try:
            work(conn, large)
        except (OSError, http.client.HTTPException) as err:
            note("broken", f"{work.__name__}: {err!r}")
            conn.close()
    conn.close()


def main() -> int:
    path, seconds, large = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    end = time.monotonic() + seconds
    kinds = (down, down, up, up, vanish, vanish, vanish, vanish, vanish_large, vanish_large, hasty, hasty)
    threads = [threading.Thread(target=client, args=(k, path, end, large)) for k in kinds]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print(json.dumps({"allow": counts["allow"], "deny": counts["deny"], "wrong": len(wrong)}))
    for line in wrong[:20]:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


sys.exit(main())
