# SPDX-License-Identifier: Apache-2.0
"""A call that is not allowed: a reason for the caller, a row in the log, nothing upstream."""

import re

import pytest

CHAT = "/i/openai/chat-completions/-/v1/chat/completions"


def invoke(world, capability, method, path, *args):
    return world.aivault("invoke", capability, "--method", method, "--path", path, *args)


def one_line(result, code):
    """The one message that a person sees: `aivault: code: what. remedy`."""
    lines = result.errors.strip().splitlines()
    assert len(lines) == 1, result
    assert re.match(rf"aivault: {code}: \S", lines[0]), result
    return lines[0]


@pytest.mark.parametrize("method,path,reason", [
    ("DELETE", "/v1/chat/completions", "method_not_allowed"),
    ("POST", "/v1/files", "path_not_allowed"),
    ("POST", "/v1/chat/completionsX", "path_not_allowed"),
    ("POST", "/v1/chat", "path_not_allowed"),
    ("POST", "/", "path_not_allowed"),
])
def test_denied_call_has_its_reason_and_reaches_nothing(openai, upstream, method, path, reason):
    result = invoke(openai, "openai/chat-completions", method, path).failed()
    one_line(result, "policy_violation")
    with openai.agent() as agent:
        response = agent.request(method, "/i/openai/chat-completions/-" + path)
        assert response.status == 403
        assert response.header("aivault-error") == "policy_violation"
        assert response.header("content-type").startswith("application/problem+json")
        problem = response.json()
        assert problem["reason"] == reason
        assert problem["error"] == "policy_violation" and problem["status"] == 403
        assert problem["remedy"] and problem["detail"] and problem["title"]
        assert problem["requestId"] == response.header("aivault-request-id")
    rows = openai.audit_of("invoke.deny", 2)
    assert {r["reason"] for r in rows} == {reason}
    assert upstream.connections == 0


def test_prefix_ends_at_a_boundary(openai, upstream):
    upstream.route("/v1/chat/completions/abc", lambda c, r: c.reply(200, {"ok": True}))
    invoke(openai, "openai/chat-completions", "GET", "/v1/chat/completions/abc").ok()
    assert len(upstream.requests) == 1


def test_unknown_capability_is_said(openai, upstream):
    one_line(invoke(openai, "openai/nothing", "GET", "/").failed(), "capability_not_found")
    with openai.agent() as agent:
        response = agent.request("GET", "/i/openai/nothing/-/x")
        assert (response.status, response.header("aivault-error")) == (404, "capability_not_found")
    assert upstream.connections == 0


def test_capability_without_a_credential_is_said(world, upstream):
    one_line(invoke(world, "openai/models", "GET", "/v1/models").failed(), "credential_not_found")
    assert upstream.connections == 0


def test_disabled_capability_is_denied_until_it_is_enabled(openai, upstream):
    openai.aivault("capability", "disable", "openai/chat-completions").ok()
    openai.chat("{}").failed()
    assert upstream.connections == 0
    openai.aivault("capability", "enable", "openai/chat-completions").ok()
    openai.chat("{}").ok()
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("name,value", [
    ("Authorization", "Bearer mine"), ("Proxy-Authorization", "Basic x"), ("Cookie", "a=b"),
    ("X-Api-Key", "mine"), ("Api-Key", "mine"), ("X-Auth-Token", "mine"),
])
def test_agents_may_not_bring_their_own_auth(openai, upstream, name, value):
    with openai.agent() as agent:
        response = agent.request("POST", CHAT, [(name, value)], body=b"{}")
        assert 400 <= response.status < 500 and response.reason
    assert upstream.requests == []


@pytest.mark.parametrize("name", [
    "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URL",
    "X-Rewrite-URL", "X-Forwarded-For", "X-Forwarded-Host", "Forwarded",
])
def test_reserved_headers_never_arrive(openai, upstream, name):
    with openai.agent() as agent:
        response = agent.request("POST", CHAT, [(name, "/admin")], body=b"{}")
        assert response.reason if response.status != 200 else response.body
    for request in upstream.requests:
        assert request.header(name, None) is None


BAD_HEADS = {
    "two hosts": b"GET /aivault/health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "no host": b"GET /aivault/health HTTP/1.1\r\n\r\n",
    "folded header": b"GET /aivault/health HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n",
    "blank before colon": b"GET /aivault/health HTTP/1.1\r\nHost: a\r\nX-A : b\r\n\r\n",
    "empty name": b"GET /aivault/health HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n",
    "bare line feeds": b"GET /aivault/health HTTP/1.1\nHost: a\n\n",
    "HTTP/2.0": b"GET /aivault/health HTTP/2.0\r\nHost: a\r\n\r\n",
    "absolute form": b"GET http://api.openai.com/aivault/health HTTP/1.1\r\nHost: a\r\n\r\n",
    "connect": b"CONNECT api.openai.com:443 HTTP/1.1\r\nHost: a\r\n\r\n",
    "length and chunked": b"POST " + CHAT.encode() + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
                          b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"POST " + CHAT.encode() + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
                   b"Content-Length: 3\r\n\r\n{}",
    "gzip, chunked": b"POST " + CHAT.encode() + b" HTTP/1.1\r\nHost: a\r\n"
                     b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked in 1.0": b"POST " + CHAT.encode() + b" HTTP/1.0\r\nHost: a\r\n"
                      b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "NUL in a value": b"GET /aivault/health HTTP/1.1\r\nHost: a\r\nX-A: b\0c\r\n\r\n",
    "minus in a length": b"POST " + CHAT.encode() + b" HTTP/1.1\r\nHost: a\r\n"
                         b"Content-Length: -1\r\n\r\n",
    "bad chunk size": b"POST " + CHAT.encode() + b" HTTP/1.1\r\nHost: a\r\n"
                      b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "garbage": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 garbage\r\n\r\n",
}


@pytest.mark.parametrize("name", BAD_HEADS)
def test_malformed_http_is_refused_and_the_daemon_lives(openai, upstream, name):
    with openai.agent() as agent:
        agent.send(BAD_HEADS[name])
        answer = b""
        while data := agent.sock.recv(65536):
            answer += data
        assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4", b"HTTP/1.1 5")), answer
    assert upstream.requests == []
    with openai.agent() as agent:
        assert agent.request("GET", "/aivault/health").status == 200


def test_head_over_its_limit_is_refused(openai, upstream):
    with openai.agent() as agent:
        response = agent.request("POST", CHAT, [("X-Long", "a" * 70_000)], body=b"{}")
        assert 400 <= response.status < 500
    with openai.agent() as agent:
        response = agent.request("POST", CHAT, [(f"X-{k}", "a") for k in range(120)], body=b"{}")
        assert 400 <= response.status < 500
    assert upstream.requests == []


@pytest.mark.parametrize("args", [
    ["invoke"], ["frobnicate"], ["secrets"], ["secrets", "create"], ["invoke", "--no-such-flag"],
    ["audit", "--limit", "many"], ["capability", "create"],
])
def test_wrong_usage_exits_2(world, args):
    result = world.aivault(*args).failed(2)
    assert result.err


@pytest.mark.parametrize("args", [["--version"], ["--help"], ["help", "invoke"], ["version"]])
def test_help_and_version_need_no_daemon(cold, args):
    assert cold.aivault(*args).ok().out


def test_denied_head_has_its_reason_in_a_header(openai):
    result = invoke(openai, "openai/chat-completions", "HEAD", "/v1/chat/completions").failed()
    assert "method_not_allowed" in one_line(result, "policy_violation")
    with openai.agent() as agent:
        response = agent.request("HEAD", CHAT)
        assert response.status == 403 and response.header("aivault-reason") == "method_not_allowed"
