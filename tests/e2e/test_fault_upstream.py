# SPDX-License-Identifier: Apache-2.0
"""Upstreams that reset, stall, lie about a length or speak garbage: one clear error with its reason
in the audit, and the next call works. (That the log is whole is asked at the end of every test.)"""

import threading

import pytest

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
FAULT = "/fault"
GOOD = "/i/acme/any/-/echo/good"


def sends(data, end):
    """A handler that sends `data` whatever was asked, and ends so."""
    def handler(connection, request):
        connection.keep = False
        connection.send(data)
        end(connection)
    return handler


def fin(connection):
    connection.drop()


def rst(connection):
    connection.abort()


def one_line(result, code):
    assert result.errors.startswith(f"aivault: {code}: "), result
    assert len(result.errors.strip().splitlines()) == 1, result


def good_call(world):
    with world.agent() as agent:
        response = agent.request("GET", GOOD)
        assert response.status == 200 and response.json()["target"] == "/echo/good"


def fails(world, status, reason, path=FAULT, nothing_was_sent=False):
    """The agent and the command line both get the error; the audit and the next call are right."""
    with world.agent() as agent:
        response = agent.request("GET", "/i/acme/any/-" + path)
        assert response.status == status, response.body
        problem = response.json()
        assert response.reason == reason, problem
        assert problem["error"] == "upstream_unreachable"
        assert problem["message"] and problem["remedy"], problem
        said = "nothing was sent" in problem["remedy"].lower()
        assert said != ("look before you send it again" in problem["remedy"]), problem
        assert said == nothing_was_sent, problem
    result = world.aivault("invoke", "acme/any", "--method", "GET", "--path", path).failed()
    one_line(result, "upstream_unreachable")
    assert problem["message"].rstrip(".") in result.errors, result
    good_call(world)
    rows = [r for r in world.ended(3) if r["path"] == path]
    assert [r["reason"] for r in rows] == [reason, reason]


def is_cut(world, start, reason, path=FAULT):
    """The head has gone to the caller already: the answer breaks off, and never looks complete."""
    with world.agent() as agent:
        response = agent.request("GET", "/i/acme/any/-" + path)
        assert response.status == 200
        with pytest.raises((EOFError, ConnectionResetError)):
            _ = response.body
        assert response._body == start[:len(response._body)]
    result = world.aivault("invoke", "acme/any", "--method", "GET", "--path", path).failed()
    one_line(result, "upstream_unreachable")
    good_call(world)
    rows = [r for r in world.ended(3) if r["path"] == path]
    assert [r["reason"] for r in rows] == [reason, reason]


@pytest.mark.parametrize("data,end,reason", [
    pytest.param(b"", fin, "upstream_reset", id="closes_before_its_head"),
    pytest.param(b"", rst, "upstream_reset", id="resets_before_its_head"),
    pytest.param(OK[:20], fin, "upstream_malformed", id="closes_in_its_head"),
    pytest.param(OK[:20], rst, "upstream_reset", id="resets_in_its_head"),
    pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n" * 20, fin, "upstream_malformed", id="another_protocol"),
    pytest.param(b"<html>hello</html>", fin, "upstream_malformed", id="http_0_9"),
    pytest.param(bytes(range(256)) * 64, fin, "upstream_malformed", id="binary"),
    pytest.param(b"HTTP/1.1 abc OK\r\n\r\n", fin, "upstream_malformed", id="status_of_letters"),
    pytest.param(b"HTTP/1.1 99 OK\r\n\r\n", fin, "upstream_malformed", id="status_of_two_digits"),
    pytest.param(b"HTTP/7.1 200 OK\r\n\r\n", fin, "upstream_malformed", id="version_7"),
    pytest.param(OK + b"no colon here\r\n\r\n", fin, "upstream_malformed", id="header_without_colon"),
    pytest.param(OK + b"X-A: b\r\n folded\r\n\r\n", fin, "upstream_malformed", id="folded_header"),
    pytest.param(OK + b"X-A: a\0b\r\n\r\n", fin, "upstream_malformed", id="nul_in_a_header"),
    pytest.param(OK + b"Content-Length: -5\r\n\r\nhello", fin, "upstream_malformed", id="negative_length"),
    pytest.param(OK + b"Content-Length: 5x\r\n\r\nhello", fin, "upstream_malformed", id="length_of_letters"),
    pytest.param(OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", fin,
                 "upstream_malformed", id="two_lengths"),
    pytest.param(OK + b"Content-Length: 99999999999999999999999\r\n\r\nhello", fin,
                 "upstream_malformed", id="length_over_all_numbers"),
    pytest.param(OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
                 fin, "upstream_malformed", id="length_and_chunks"),
    pytest.param(OK + b"Transfer-Encoding: rot13\r\n\r\nuryyb", fin, "upstream_malformed",
                 id="unknown_transfer_encoding"),
    pytest.param(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", fin,
                 "upstream_malformed", id="switches_protocols"),
    pytest.param(OK + b"X-Long: " + b"a" * (1 << 20) + b"\r\n\r\n", fin, "upstream_head_too_large",
                 id="header_of_1_mib"),
    pytest.param(OK + b"X-Many: a\r\n" * 10000 + b"\r\n", fin, "upstream_head_too_large",
                 id="ten_thousand_headers"),
])
def test_answer_without_a_good_head_is_502(acme, upstream, data, end, reason):
    upstream.route(FAULT, sends(data, end))
    fails(acme, 502, reason)


def test_endless_interim_answers_are_given_up(acme, upstream):
    def endless(connection, request):
        connection.keep = False
        while True:
            connection.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 64)
    upstream.route(FAULT, endless)
    fails(acme, 502, "upstream_malformed")


@pytest.mark.parametrize("data,end,start,reason", [
    pytest.param(OK + b"Content-Length: 1000\r\n\r\nhalf", fin, b"half", "upstream_cut",
                 id="length_that_is_too_long"),
    pytest.param(CHUNKED + b"4\r\nhalf\r\n", fin, b"half", "upstream_cut", id="closes_between_chunks"),
    pytest.param(CHUNKED + b"40\r\nhalf", fin, b"half", "upstream_cut", id="closes_in_a_chunk"),
    pytest.param(OK + b"\r\nhalf", fin, b"half", "upstream_cut", id="without_a_length_and_no_close_notify"),
    pytest.param(CHUNKED + b"4\r\nhalf\r\nzz\r\n", fin, b"half", "upstream_malformed",
                 id="chunk_size_of_letters"),
    pytest.param(CHUNKED + b"4\r\nhalf\r\n-1\r\n", fin, b"half", "upstream_malformed",
                 id="negative_chunk_size"),
    pytest.param(CHUNKED + b"4\r\nhalf\r\n" + b"F" * 40 + b"\r\n", fin, b"half", "upstream_malformed",
                 id="chunk_size_over_all_numbers"),
    pytest.param(CHUNKED + b"4\r\nhalfXX", fin, b"half", "upstream_malformed",
                 id="chunk_that_is_too_long"),
])
def test_answer_that_breaks_off_never_looks_complete(acme, upstream, data, end, start, reason):
    upstream.route(FAULT, sends(data, end))
    is_cut(acme, start, reason)


def test_answer_without_a_length_is_whole_when_tls_says_its_end(acme, upstream):
    upstream.route(FAULT, sends(OK + b"\r\nwhole", lambda connection: connection.finish()))
    with acme.agent() as agent:
        response = agent.request("GET", "/i/acme/any/-" + FAULT)
        assert response.status == 200 and response.body == b"whole"
    good_call(acme)
    assert not any(r.get("reason") for r in acme.ended(2))


@pytest.mark.parametrize("data", [OK + b"Content-Length: 9\r\n\r\nhalf", CHUNKED + b"4\r\nhalf\r\n"],
                         ids=["in_a_length", "between_chunks"])
def test_reset_in_the_body_cuts_the_answer(acme, upstream, data):
    """The caller has the first half before the reset: a reset throws away what was on its way."""
    seen = threading.Event()
    upstream.route(FAULT, sends(data, lambda connection: (seen.wait(60), connection.abort())))
    with acme.agent() as agent:
        response = agent.request("GET", "/i/acme/any/-" + FAULT)
        response.until(b"half")
        seen.set()
        with pytest.raises((EOFError, ConnectionResetError)):
            _ = response.body
    good_call(acme)
    assert [r["reason"] for r in acme.ended(2) if r["path"] == FAULT] == ["upstream_reset"]


@pytest.mark.parametrize("data,body", [
    pytest.param(OK + b"Content-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
                 b"hello", id="more_than_its_length"),
    pytest.param(CHUNKED + b"5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
                 b"hello", id="more_after_the_last_chunk"),
])
def test_surplus_never_becomes_the_next_answer(acme, upstream, data, body):
    upstream.route(FAULT, lambda connection, request: connection.send(data))
    with acme.agent() as agent:
        response = agent.request("GET", "/i/acme/any/-" + FAULT)
        assert response.status == 200 and response.body == body
    for _ in range(3):
        good_call(acme)
    assert acme.ended(4)


# ---- stalls -------------------------------------------------------------------------------------------


@pytest.fixture
def impatient(cold, upstream):
    """An upstream may take two seconds to begin, and to go on."""
    cold.start("--first-byte-timeout", "2", "--idle-timeout", "2")
    cold.key = cold.custom()
    return cold


@pytest.fixture
def stall():
    """The end of a stalling handler; all of them go on at the end of the test."""
    done = threading.Event()
    yield lambda connection: done.wait(60)
    done.set()


@pytest.mark.parametrize("data", [b"", OK], ids=["before_its_head", "in_its_head"])
def test_stall_without_a_head_is_504(impatient, upstream, stall, data):
    upstream.route(FAULT, sends(data, stall))
    fails(impatient, 504, "upstream_first_byte")


@pytest.mark.parametrize("data", [OK + b"Content-Length: 9\r\n\r\nhalf", CHUNKED + b"4\r\nhalf\r\n"],
                         ids=["in_a_length", "between_chunks"])
def test_stall_in_the_body_cuts_the_answer(impatient, upstream, stall, data):
    upstream.route(FAULT, sends(data, stall))
    is_cut(impatient, b"half", "upstream_idle")
