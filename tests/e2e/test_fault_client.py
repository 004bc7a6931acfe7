# SPDX-License-Identifier: Apache-2.0
"""Clients that vanish, at each stage of a call, or close one half: the row says what became of it,
the upstream is let go, and the next call works. (That the log is whole is asked at the end.)"""

import socket
import threading

import pytest

GOOD = "/i/acme/any/-/echo/good"
HEAD = (b"POST /i/acme/any/-/upload HTTP/1.1\r\nHost: aivault\r\nContent-Type: text/plain\r\n"
        b"Content-Length: 100000\r\n\r\n")


def good_call(world):
    with world.agent() as agent:
        response = agent.request("GET", GOOD)
        assert response.status == 200 and response.json()["target"] == "/echo/good"


@pytest.mark.parametrize("sent", [b"", b"GET /i/ac", HEAD[:-4]], ids=["nothing", "a_line", "a_head"])
def test_client_that_vanishes_in_its_head_was_no_call(acme, sent):
    for _ in range(8):
        with acme.agent() as agent:
            agent.send(sent)
    good_call(acme)
    assert [r["path"] for r in acme.ended(1)] == ["/echo/good"]
    assert not [r for r in acme.audit() if r["kind"] == "invoke.deny"]


def test_client_that_vanishes_in_its_body_ends_the_upload(acme, upstream):
    begun, ended = threading.Event(), threading.Event()

    def upload(connection, request):
        begun.set()
        try:
            connection.read_body(request)
        finally:
            ended.set()
    upstream.route("/upload", upload, before_body=True)
    with acme.agent() as agent:
        agent.send(HEAD + b"x" * 50000)
        assert begun.wait(60)
    assert ended.wait(60)
    good_call(acme)
    rows = [r for r in acme.ended(2) if r["path"] == "/upload"]
    assert [r["reason"] for r in rows] == ["client_gone"]


@pytest.mark.parametrize("reset", [False, True], ids=["closes", "resets"])
def test_clients_that_vanish_while_they_are_written_to(acme, upstream, reset):
    """Large answers: some of the clients are found gone in the midst of a write."""
    upstream.route("/large", lambda c, r: c.reply(200, b"x" * (8 << 20)))
    for n in range(40):
        with acme.agent() as agent:
            agent.send(b"GET /i/acme/any/-/large HTTP/1.1\r\nHost: aivault\r\n\r\n")
            agent.read_until(b"\r\n\r\n")
            for _ in range(n % 8):
                agent.read_some()
            if not reset:
                agent.sock.shutdown(socket.SHUT_RDWR)
    good_call(acme)
    reasons = [r["reason"] for r in acme.ended(41) if r["path"] == "/large"]
    assert len(reasons) == 40 and set(reasons) <= {"", "client_gone"}


def test_client_that_vanishes_in_mid_stream_lets_the_upstream_go(acme, upstream):
    ended = threading.Event()

    def endless(connection, request):
        connection.keep = False
        connection.chunked_head()
        try:
            while True:
                connection.chunk(b"data: more\n\n")
        finally:
            ended.set()
    upstream.route("/stream", endless)
    with acme.agent() as agent:
        response = agent.request("GET", "/i/acme/any/-/stream")
        response.until(b"data: more")
    assert ended.wait(60)
    good_call(acme)
    rows = [r for r in acme.ended(2) if r["path"] == "/stream"]
    assert [r["reason"] for r in rows] == ["client_gone"]


def test_client_that_sends_no_more_still_gets_its_answer(acme, upstream):
    closed = threading.Event()

    def slow(connection, request):
        assert closed.wait(60)
        connection.reply(200, b"late", content_type="text/plain")
    upstream.route("/slow", slow)
    with acme.agent() as agent:
        agent.send(b"GET /i/acme/any/-/slow HTTP/1.1\r\nHost: aivault\r\n\r\n")
        assert upstream.wait_requests(1)
        agent.sock.shutdown(socket.SHUT_WR)
        closed.set()
        answer = agent.read_until(b"late")
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert agent.sock.recv(1) == b""
    good_call(acme)
    assert not any(r.get("reason") for r in acme.ended(2))


def test_client_that_sends_half_a_body_and_closes_that_half_is_refused(acme, upstream):
    begun = threading.Event()

    def upload(connection, request):
        begun.set()
        connection.read_body(request)
    upstream.route("/upload", upload, before_body=True)
    with acme.agent() as agent:
        agent.send(HEAD + b"x" * 50000)
        assert begun.wait(60)
        agent.sock.shutdown(socket.SHUT_WR)
        while agent.sock.recv(1 << 16):
            pass
    good_call(acme)
    rows = [r for r in acme.ended(2) if r["path"] == "/upload"]
    assert [r["reason"] for r in rows] == ["client_gone"]
