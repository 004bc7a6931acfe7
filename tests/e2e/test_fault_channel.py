# SPDX-License-Identifier: Apache-2.0
"""A process of the vault that says nonsense to another: the conversation ends, the one that said it or
the one that lost it is begun anew, and calls work again. (That the log is whole, and that nothing
crashed, is asked at the end of every test.)"""

import struct
import threading

import pytest

from agent import Response
from channels import end
from world import wait_for

WAYS = [("broker", "keeper"), ("keeper", "broker"), ("broker", "judge"), ("judge", "broker"),
        ("keeper", "judge")]
FRAME_MAX = 1 << 20
A_TIME = 8  # a daemon whose processes have to be begun anew more than ten times a minute ends


def frame(kind, payload=b"", size=None, zero=0):
    return struct.pack("<IHH", len(payload) if size is None else size, kind, zero) + payload


NONSENSE = [
    b"\xff" * 64,
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    frame(1, size=FRAME_MAX + 1),
    frame(1, zero=1),
    frame(0xfffe),
    *[frame(kind, payload) for kind in (1, 2, 3, 4, 5, 65, 66, 67, 68, 69, 70)
      for payload in (b"", b"\xff" * 100)],
]


def works_again(world):
    """Until then calls are refused, each with an answer."""
    def call():
        with world.agent() as agent:
            response = agent.request("GET", "/i/acme/any/-/echo")
            assert response.status in (200, 403, 502, 503, 504), response.body
            return response.status == 200
    wait_for(lambda: answered(call), "a call that goes through")


def answered(call):
    """A broker that goes takes its connections with it."""
    try:
        return call()
    except (EOFError, ConnectionError, FileNotFoundError):
        return False


@pytest.mark.parametrize("of,to", WAYS, ids=[f"{a}_to_{b}" for a, b in WAYS])
@pytest.mark.parametrize("part", range(0, len(NONSENSE), A_TIME))
def test_nonsense_between_processes_costs_a_conversation(acme, of, to, part):
    works_again(acme)
    for said in NONSENSE[part:part + A_TIME]:
        with end(acme, of, to) as channel:
            channel.sendall(said)
        works_again(acme)
        assert acme.daemon.poll() is None, said
        for role in ("broker", "keeper", "judge"):
            acme.wait_role(role)


@pytest.mark.parametrize("of,to", WAYS, ids=[f"{a}_to_{b}" for a, b in WAYS])
def test_half_a_frame_swallows_what_follows_and_no_more(acme, of, to):
    """What the process says next is taken for the rest: it does not parse, or is missed. No call waits
    for ever, and none goes out unjudged or unwritten."""
    works_again(acme)
    with end(acme, of, to) as channel:
        channel.sendall(frame(2, b"", size=64))
    works_again(acme)


@pytest.mark.parametrize("of,to", WAYS, ids=[f"{a}_to_{b}" for a, b in WAYS])
def test_call_that_is_out_when_nonsense_is_said_ends(acme, upstream, of, to):
    arrived, said = threading.Event(), threading.Event()

    def held(connection, request):
        arrived.set()
        assert said.wait(60)
        connection.reply(200, b"late", content_type="text/plain")
    upstream.route("/held", held)
    with acme.agent() as agent:
        agent.send(b"GET /i/acme/any/-/held HTTP/1.1\r\nHost: aivault\r\n\r\n")
        assert arrived.wait(60)
        with end(acme, of, to) as channel:
            channel.sendall(b"\xff" * 64)
        said.set()
        try:
            response = Response(agent)
            assert response.body == b"late" or response.status >= 500
        except (EOFError, ConnectionError):
            pass
    works_again(acme)
    assert len([r for r in upstream.requests if r.path == "/held"]) == 1
