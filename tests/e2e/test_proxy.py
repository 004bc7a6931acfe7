# SPDX-License-Identifier: Apache-2.0
"""POST /aivault/proxy: the same call, told in JSON; and the limits that a request can pass."""

import base64
import json
import threading

import pytest

from agent import Agent, Response
from world import wait_for

MIB = 1024 * 1024


def envelope(path="/echo/x", method="POST", capability="acme/any", **more):
    request = {"method": method, "path": path}
    request.update({k: more.pop(k) for k in ("headers", "body", "bodyBase64") if k in more})
    return {"capability": capability, "request": request, **more}


def proxy(agent, text, whole=True):
    """Sends an envelope; with `whole` the answer's body is taken too, so that another may follow."""
    if not isinstance(text, str):
        text = json.dumps(text)
    response = agent.request("POST", "/aivault/proxy", [("Content-Type", "application/json")],
                             body=text.encode())
    assert not whole or response.body is not None
    return response


def test_envelope_is_a_call_like_others(acme, upstream):
    with acme.agent() as agent:
        response = proxy(agent, envelope("/echo/x?a=1", headers=[
            {"name": "X-One", "value": "1"}, {"name": "Content-Type", "value": "text/plain"}],
            body="hello", credential="acme", timeoutMs=60000))
        assert response.status == 200
        assert response.header("aivault-credential") == "acme"
        assert response.header("aivault-upstream") == "https://api.acme-test.com/echo/x?a=1"
        answer = response.json()
        assert (answer["method"], answer["target"]) == ("POST", "/echo/x?a=1")
        rid = response.header("aivault-request-id")
    (request,) = upstream.requests
    assert request.header_all("authorization") == ["Bearer " + acme.key]
    assert request.header("x-one") == "1" and request.header("content-type") == "text/plain"
    assert request.body == b"hello" and request.header("content-length") == "5"
    (row,) = acme.ended(1)
    assert row["requestId"] == rid and row["capability"] == "acme/any"
    assert row["requestBytes"] == 5 and row["path"] == "/echo/x"


@pytest.mark.parametrize("body", [
    "", "a\0b", "\0", "{\"n\":9007199254740993,\"x\":1e400}", "h\u00e9 \u20ac \U0001f600", "\\u0041",
    "\r\n\t\x01\x7f\"\\/",
])
def test_body_text_arrives_byte_for_byte(acme, upstream, body):
    with acme.agent() as agent:
        for ascii_only in (True, False):
            text = json.dumps(envelope(body=body), ensure_ascii=ascii_only)
            assert proxy(agent, text).status == 200
            assert upstream.requests[-1].body == body.encode()


def test_body_in_base64_arrives_byte_for_byte(acme, upstream):
    body = bytes(range(256)) * 4096
    with acme.agent() as agent:
        assert proxy(agent, envelope(bodyBase64=base64.b64encode(body).decode())).status == 200
    assert upstream.requests[-1].body == body


def test_big_body_goes_through_and_one_over_the_limit_is_refused(acme, upstream):
    room = 16 * MIB - len(json.dumps(envelope(body="")))
    body = "0123456789abcdef" * (room // 16) + "x" * (room % 16)
    with acme.agent() as agent:
        text = json.dumps(envelope(body=body))
        assert len(text) == 16 * MIB
        assert proxy(agent, text).status == 200
    assert upstream.requests[-1].body == body.encode()
    for chunked in (False, True):
        with acme.agent() as agent:
            response = agent.request("POST", "/aivault/proxy", body=(text + " ").encode(),
                                     chunked=chunked)
            assert response.status == 413 and response.reason == "envelope_too_big"
    assert len(upstream.requests) == 1

def test_envelopes_of_one_user_have_a_share_of_memory(acme, upstream):
    """64 MiB, and everything else goes on; what has gone is given back."""
    big = json.dumps(envelope(body="x" * (15 * MIB)))

    def announce():
        agent = acme.agent()
        agent.send(b"POST /aivault/proxy HTTP/1.1\r\nHost: aivault\r\nContent-Type: "
                   b"application/json\r\nContent-Length: %d\r\n\r\n{" % (16 * MIB))
        wait_for(agent.all_is_taken, "the broker to read it")
        return agent

    waiting = [announce() for _ in range(3)]
    try:
        with acme.agent() as agent:
            # Its text has a place, its body then has none beside it.
            refused = proxy(agent, big)
            assert (refused.status, refused.reason) == (429, "caller_memory_limit")
            assert refused.header("retry-after") == "1"
            assert "it streams" in refused.json()["remedy"]
        with acme.agent() as agent:
            assert proxy(agent, envelope(body="small")).status == 200
            assert agent.request("POST", "/i/acme/any/-/echo/x", body=b"y" * 15 * MIB).status == 200
        # One more that is announced, and the share is full before anything of a next one has come.
        waiting.append(announce())
        with acme.agent() as agent:
            assert proxy(agent, big).reason == "caller_memory_limit"
    finally:
        for agent in waiting:
            agent.close()

    def accepted():
        with acme.agent() as agent:
            return proxy(agent, big).status == 200

    wait_for(accepted, "the share to be given back")



def test_envelope_streams_its_answer(openai, upstream):
    upstream.gate = threading.Semaphore(0)
    body = json.dumps({"stream": True, "messages": []})
    with openai.agent() as agent:
        response = proxy(agent, envelope("/v1/chat/completions", capability="openai/chat-completions",
                                         body=body), whole=False)
        response.until(b"word1")
        for k in range(2, 6):
            upstream.gate.release()
            response.until(b"[DONE]" if k == 5 else b"word%d" % k)
        assert response.body.endswith(b"[DONE]\n\n")


def test_envelope_is_denied_like_others(openai, upstream):
    with openai.agent() as agent:
        response = proxy(agent, envelope("/v1/files", capability="openai/chat-completions", body="{}"))
        assert response.status == 403 and response.reason == "path_not_allowed"
        assert agent.request("GET", "/aivault/health").status == 200
    (row,) = openai.audit_of("invoke.deny", 1)
    assert row["reason"] == "path_not_allowed" and row["path"] == "/v1/files"
    assert upstream.connections == 0


def test_envelope_and_its_answer_leave_no_trace_in_the_log(acme, upstream):
    with acme.agent() as agent:
        assert proxy(agent, envelope(body="private words")).status == 200
        assert proxy(agent, "{\"private words").status == 400
    assert "private words" not in acme.log()
    assert "private words" not in json.dumps(acme.audit())


# ---- each limit has an error of its own that names it ------------------------------------------------

def limit(agent, method="GET", target="/i/acme/any/-/echo", headers=(), body=None):
    response = agent.request(method, target, headers, body=body)
    problem = response.json()
    assert response.header("aivault-error") == problem["error"] == "invalid_request"
    return response.status, problem["reason"], problem["message"]


def test_limits_of_a_head_are_named(acme, upstream):
    with acme.agent() as agent:
        status, reason, text = limit(agent, headers=[("X", "a" * 65536)])
        assert (status, reason) == (400, "http_head_too_large") and "65536" in text
    with acme.agent() as agent:
        status, reason, text = limit(agent, headers=[(f"X-{k}", "a") for k in range(100)])
        assert (status, reason) == (400, "http_too_many_headers") and "100" in text
    with acme.agent() as agent:
        status, reason, text = limit(agent, target="/i/acme/any/-/" + "a" * 16384)
        assert (status, reason) == (400, "path_too_long") and "16384" in text
    assert upstream.connections == 0


def test_limits_of_an_envelope_are_named(acme, upstream):
    with acme.agent() as agent:
        def refused(text, status=400):
            response = proxy(agent, text)
            problem = response.json()
            assert response.status == status
            return problem["reason"], problem["message"]
        reason, text = refused('{"x":' + "[" * 64 + "]" * 64 + "}")
        assert reason == "json_depth" and "64" in text
        reason, text = refused(envelope(headers=[{"name": f"x-{k}", "value": ""} for k in range(101)]))
        assert reason == "envelope_too_many_headers" and "100" in text
        reason, text = refused(envelope(headers=[{"name": "x", "value": "a" * 65537}]))
        assert reason == "json_string_too_long" and "65536" in text
        reason, text = refused(envelope("/" + "a" * 16384))
        assert reason == "path_too_long" and "16384" in text
    assert upstream.connections == 0


def hold(world, count):
    """Connections that the daemon has surely accepted."""
    agents = []
    for _ in range(count):
        agents.append(world.agent())
        assert agents[-1].request("GET", "/aivault/health").status == 200
    return agents


def expect_refused(world, reason, number):
    with world.agent() as agent:
        response = Response(agent)
        problem = response.json()
        assert response.status == 429 and int(response.header("retry-after")) > 0
        assert problem["reason"] == reason and str(number) in problem["message"]


def test_limits_of_connections_are_named(cold, upstream):
    cold.start("--max-connections", "6", "--max-per-caller", "4")
    held = hold(cold, 4)
    expect_refused(cold, "caller_connection_limit", 4)
    held.pop().close()
    for agent in held:
        agent.close()
    assert cold.stop() == 0
    cold.start("--max-connections", "3", "--max-per-caller", "3")
    held = hold(cold, 3)
    expect_refused(cold, "connection_limit", 3)
    for agent in held:
        agent.close()


# ---- silence ------------------------------------------------------------------------------------------

@pytest.fixture
def impatient(cold, upstream):
    """A world in which the first byte may take a day, and every later one a second."""
    cold.start("--first-byte-timeout", "86400", "--idle-timeout", "1")
    cold.aivault("status").ok()
    cold.key = cold.custom()
    return cold


def test_upstream_that_is_silent_after_its_head_is_given_up(impatient, upstream):
    done = threading.Event()

    def silent(connection, request):
        connection.head(200, [("Content-Type", "text/plain"), ("Content-Length", "10")])
        done.wait(120)
    upstream.route("/echo/silent", silent)
    with impatient.agent() as agent:
        response = agent.request("GET", "/i/acme/any/-/echo/silent")
        assert response.status == 200
        with pytest.raises(EOFError):
            _ = response.body
    done.set()
    (row,) = impatient.ended(1)
    assert row["reason"] == "upstream_idle"


def test_upstream_may_think_longer_than_it_may_be_silent(impatient, upstream):
    """The first byte has its own time: a whole idle time passes on another call meanwhile."""
    think, done = threading.Event(), threading.Event()
    upstream.route("/echo/think", lambda c, r: (think.wait(120), c.reply(200, {"ok": True})))

    def silent(connection, request):
        connection.head(200, [("Content-Length", "10")])
        done.wait(120)
    upstream.route("/echo/silent", silent)
    with impatient.agent() as thinker, impatient.agent() as other:
        answer = []
        waiter = threading.Thread(
            target=lambda: answer.append(thinker.request("GET", "/i/acme/any/-/echo/think")))
        waiter.start()
        assert upstream.wait_requests(1)
        response = other.request("GET", "/i/acme/any/-/echo/silent")
        with pytest.raises(EOFError):
            _ = response.body
        think.set()
        waiter.join()
        assert answer[0].status == 200
    done.set()
