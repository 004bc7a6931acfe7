# SPDX-License-Identifier: Apache-2.0
"""What runs when a secret or a capability is taken away: its streams end, the others go on."""

import secrets
import threading

import pytest

from world import wait_for

CHAT = "/i/openai/chat-completions/-/v1/chat/completions"
JSON = [("Content-Type", "application/json")]


def begin_chat(agent):
    """An event stream of the capability openai/chat-completions, after its first event."""
    response = agent.request("POST", CHAT, JSON, b'{"stream":true}')
    assert response.status == 200
    response.until(b"word1 ")
    return response


def begin_events(agent):
    """The same of acme/any."""
    response = agent.request("GET", "/i/acme/any/-/events")
    assert response.status == 200
    response.until(b"word1 ")
    return response


def finish(upstream, response):
    upstream.gate.release(100)  # those that have ended stand at the gate too
    assert response.body.endswith(b"data: [DONE]\n\n")


def is_cut(response):
    try:
        response.body
    except (EOFError, OSError):
        return True
    return False


@pytest.fixture
def both(openai, upstream):
    """openai and acme/any; the streams of both wait after their first event."""
    upstream.expect_auth = None
    openai.acme_key = openai.custom()
    upstream.gate = threading.Semaphore(0)
    upstream.route("/events", lambda connection, request: upstream.stream(connection))
    return openai


def rotate(world):
    new = "sk-canary-" + secrets.token_hex(24)
    world.secrets.append(new)
    world.aivault("secrets", "rotate", "--id", world.secret["secretId"], input=new).ok()
    return new


def delete(world):
    world.aivault("secrets", "delete", "--id", world.secret["secretId"]).ok()


def disable(world):
    world.aivault("capability", "disable", "openai/chat-completions").ok()


CHANGES = [
    pytest.param(rotate, "secret_rotated", 503, id="rotate"),
    pytest.param(delete, "secret_deleted", 404, id="delete"),
    pytest.param(disable, "capability_disabled", 403, id="disable"),
]


@pytest.mark.parametrize("change, reason, status", CHANGES)
def test_change_ends_the_streams_that_depend_on_it_and_no_other(both, upstream, change, reason,
                                                                status):
    with both.agent() as one, both.agent() as two, both.agent() as other:
        chats = [begin_chat(one), begin_chat(two)]
        events = begin_events(other)
        change(both)
        assert all(is_cut(chat) for chat in chats)
        finish(upstream, events)
    rows = both.ended(3)
    assert sorted((r["capability"], r.get("reason") or "") for r in rows) == [
        ("acme/any", ""), ("openai/chat-completions", reason), ("openai/chat-completions", reason)]
    assert all(r["status"] == 200 and r["responseBytes"] > 0 for r in rows)
    assert both.aivault("audit", "verify").ok().json()["ok"]


@pytest.mark.parametrize("change, reason, status", CHANGES)
def test_call_that_waits_for_its_answer_is_told_why_it_ends(both, upstream, change, reason, status):
    asked = threading.Event()

    def wait(connection, request):
        asked.set()
        upstream.gate.acquire(timeout=60)
        connection.drop()

    upstream.route("/v1/chat/completions", wait)
    said = []
    with both.agent() as agent:
        thread = threading.Thread(
            target=lambda: said.append(agent.request("POST", CHAT, JSON, b"{}")))
        thread.start()
        assert asked.wait(60)
        change(both)
        thread.join(60)
        assert said and said[0].status == status
        problem = said[0].json()
        assert problem["reason"] == reason and problem["remedy"]
    upstream.gate.release()
    assert both.ended(1)[0]["reason"] == reason


@pytest.mark.parametrize("change, reason, status", CHANGES)
def test_change_drops_the_connections_that_were_kept(both, upstream, change, reason, status):
    """Also while a stream of another credential runs, on whose connection nothing is kept after."""
    with both.agent() as other, both.agent() as agent:
        events = begin_events(other)
        assert agent.request("POST", CHAT, JSON, b"{}").body
        used = upstream.requests[-1].connection
        assert used in upstream.live
        change(both)
        wait_for(lambda: used not in upstream.live, "the kept connection to be closed")
        finish(upstream, events)
        wait_for(lambda: not upstream.live, "the stream's connection not to be kept")
        first = upstream.connections
        assert agent.request("GET", "/i/acme/any/-/echo").json()["method"] == "GET"
        assert agent.request("GET", "/i/acme/any/-/echo").json()["method"] == "GET"
        assert upstream.connections == first + 1, "from then on connections are kept again"


def test_rotated_secret_is_the_one_that_the_next_call_sends(both, upstream):
    with both.agent() as agent, both.agent() as next_one:
        chat = begin_chat(agent)
        upstream.expect_auth = "Bearer " + rotate(both)
        assert is_cut(chat)
        finish(upstream, begin_chat(next_one))


def test_limits_that_change_leave_running_streams_alone(both, upstream):
    with both.agent() as agent, both.agent() as next_one:
        chat = begin_chat(agent)
        both.aivault("capability", "policy", "set", "--capability", "openai/chat-completions",
                     "--rate-limit-per-minute", "0").ok()
        assert next_one.request("POST", CHAT, JSON, b"{}").status == 429
        both.aivault("capability", "disable", "openai/models").ok()
        finish(upstream, chat)
    assert not both.ended(1)[0].get("reason")
