# SPDX-License-Identifier: Apache-2.0
"""Connections to upstreams: which are kept for the next call, and which must not be."""

import threading

import pytest

from world import wait_for

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
ECHO = "/i/acme/any/-/echo"


def call(world, path="/echo", status=200):
    with world.agent() as agent:
        response = agent.request("GET", "/i/acme/any/-" + path)
        assert response.status == status, response.body
        return response.body


def numbers(upstream):
    """For each request, which one it was on its connection."""
    return [r.number for r in upstream.requests]


def test_connection_serves_one_call_after_another(acme, upstream):
    for _ in range(5):
        call(acme)
    assert numbers(upstream) == [1, 2, 3, 4, 5]


def test_calls_at_the_same_time_never_share_a_connection(acme, upstream):
    both = threading.Barrier(2, timeout=60)
    upstream.route("/meet", lambda c, r: (both.wait(), c.reply(200, {})))
    callers = [threading.Thread(target=call, args=(acme, "/meet")) for _ in range(2)]
    for _ in range(2):
        for c in callers:
            c.start()
        for c in callers:
            c.join()
        callers = [threading.Thread(target=call, args=(acme, "/meet")) for _ in range(2)]
    assert upstream.connections == 2 and sorted(numbers(upstream)) == [1, 1, 2, 2]


@pytest.mark.parametrize("head", [
    pytest.param(OK + b"Content-Length: 2\r\nConnection: close\r\n\r\nok", id="connection_close"),
    pytest.param(OK.replace(b"1.1", b"1.0") + b"Content-Length: 2\r\n\r\nok", id="http_1_0"),
    pytest.param(OK + b"Content-Length: 2\r\n\r\nok!", id="more_than_its_length"),
])
def test_connection_is_not_kept(acme, upstream, head):
    """The upstream leaves it open; another call over it would see that it is not the first."""
    upstream.route("/last", lambda c, r: c.send(head))
    assert call(acme, "/last") == b"ok"
    call(acme)
    assert numbers(upstream) == [1, 1]


def test_connection_that_says_something_unasked_is_dropped(acme, upstream):
    go = threading.Event()

    def talkative(connection, request):
        connection.reply(200, {})
        assert go.wait(60)
        connection.send(OK + b"Content-Length: 4\r\n\r\nevil")
    upstream.route("/talk", talkative)
    call(acme, "/talk")
    go.set()
    wait_for(lambda: not upstream.live, "the connection to be dropped")
    assert b"evil" not in call(acme)
    assert numbers(upstream) == [1, 1]


def test_answer_before_the_end_of_the_request_is_passed_on(acme, upstream):
    """As servers do that refuse an upload: the answer arrives, and its connection is not kept."""
    def refuse(connection, request):
        connection.reply(413, {"error": "too much"})
        connection.drop()
    upstream.route("/upload", refuse, before_body=True)
    with acme.agent() as agent:
        response = agent.request("POST", "/i/acme/any/-/upload", body=b"x" * (8 << 20))
        assert response.status == 413 and response.json() == {"error": "too much"}
    call(acme)
    assert numbers(upstream) == [1, 1]


@pytest.mark.parametrize("size", [0, 1, 16351, 16352, 16353, 100_000, 3_000_000])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_body_of_any_size_arrives_whole(acme, upstream, size, chunked):
    body = bytes(range(256)) * (size // 256 + 1)
    body = body[:size]
    with acme.agent() as agent:
        assert agent.request("POST", ECHO, body=body, chunked=chunked).status == 200
    (request,) = upstream.requests
    assert request.body == body and request.complete


def test_call_that_ends_while_its_connection_is_made_leaves_it_to_the_next(acme, upstream):
    honest, go = upstream.greet, threading.Event()
    upstream.greet = lambda sock: go.wait(60) and honest(sock)
    result = acme.aivault("invoke", "acme/any", "--method", "GET", "--path", "/echo", "--timeout-ms",
                          "200").failed()
    assert result.errors.startswith("aivault: upstream_unreachable: "), result
    go.set()
    wait_for(lambda: len(upstream.live) == 1, "the handshake")
    wait_for(lambda: call(acme) and upstream.connections == 1, "a call")
