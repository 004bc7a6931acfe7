# SPDX-License-Identifier: Apache-2.0
"""Requests made to be read in two ways, or to hurt: one file each in evasion/.

A file's first line says what must come of it, the rest is sent as it stands:

  # status=S[,S...] [error=CODE] [reason=WORD] [target=T[ T...]] [options]

`status` has one number an answer, in order; `error` and `reason` are the last answer's. `target` is
what the upstream sees, exactly; without it nothing may reach the upstream. Options: `expand` (a
`{x*N}` in the bytes stands for N times x), `bytewise` (sent byte by byte), `half` (the sending side is
then closed), `closed` (the connection must end after the last answer).
"""

import pathlib
import re
import socket

import pytest

from agent import Agent, Response
from world import World

HERE = pathlib.Path(__file__).parent / "evasion"
FILES = sorted(HERE.glob("*.http"))


def expanded(text):
    return re.sub(rb"\{(.)\*(\d+)\}", lambda m: m[1] * int(m[2]), text)


class Case:
    def __init__(self, path):
        first, _, self.bytes = path.read_bytes().partition(b"\n")
        head, _, target = first.decode().partition(" target=")
        self.targets = [expanded(t.encode()).decode() for t in target.split()]
        words = head.removeprefix("# ").split(" ")
        said = dict(w.split("=", 1) for w in words if "=" in w)
        self.options = {w for w in words if "=" not in w}
        assert self.options <= {"expand", "bytewise", "half", "closed"}, path
        self.statuses = [int(s) for s in said["status"].split(",")]
        self.error, self.reason = said.get("error", ""), said.get("reason", "")
        if "expand" in self.options:
            self.bytes = expanded(self.bytes)


@pytest.fixture(scope="module")
def house():
    """acme/any has every path, lim/any only /echo/pub and below; both have GET and POST only."""
    world = World()
    world.start()
    world.aivault("status").ok()
    world.custom()
    world.custom("other.acme-test.com", "lim", paths=("/echo/pub",))
    yield world
    world.close()


def test_the_corpus_is_whole():
    assert len(FILES) >= 150


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_evasion(house, upstream, path):
    case = Case(path)
    with Agent(house.socket) as agent:
        if "bytewise" in case.options:
            for at in range(len(case.bytes)):
                agent.send(case.bytes[at : at + 1])
        else:
            agent.send(case.bytes)
        if "half" in case.options:
            agent.sock.shutdown(socket.SHUT_WR)
        for number, status in enumerate(case.statuses, 1):
            response = Response(agent, head_only=case.bytes.startswith(b"HEAD"))
            body = response.body
            assert response.status == status, body
            assert len(response.header("aivault-request-id")) == 32
            last = number == len(case.statuses)
            assert response.header("aivault-error") == (case.error if last else ""), body
            if last and case.reason:
                assert response.reason == case.reason, body
                assert response.json()["remedy"] and response.json()["message"]
        if "closed" in case.options:
            try:
                rest = agent.sock.recv(1)
            except ConnectionResetError:
                rest = b""  # closed too, with bytes of ours that nobody read
            assert rest == b"", "the connection goes on"
    with house.agent() as agent:
        assert agent.request("GET", "/i/acme/any/-/echo/good").status == 200
    # A body streams: a part of it may be there before its fault is seen, but never a whole request.
    assert [r.target for r in upstream.requests if r.complete] == [*case.targets, "/echo/good"]
    for request in upstream.requests:
        assert request.header("host") in ("api.acme-test.com", "other.acme-test.com")
        assert request.header_all("transfer-encoding") in ([], ["chunked"])
        assert len(request.header_all("content-length")) <= 1
