# SPDX-License-Identifier: Apache-2.0
"""Limits of `capability policy`: they hold over restarts, faults and parallel callers."""

import concurrent.futures
import json
import sqlite3

import pytest

from world import wait_for

CHAT = "/i/openai/chat-completions/-/v1/chat/completions"
BODY = b'{"model":"m","messages":[]}'
POLICY = ("capability", "policy")


def set_policy(world, *args, capability="openai/chat-completions"):
    return world.aivault(*POLICY, "set", "--capability", capability, *args).ok().json()


def call(world, body=BODY):
    with world.agent() as agent:
        response = agent.request("POST", CHAT, body=body)
        return response.status, response.header("retry-after"), response.body


def statuses(world, count):
    return [call(world)[0] for _ in range(count)]


def assert_limited(answer):
    status, retry_after, body = answer
    assert status == 429, answer
    assert 1 <= int(retry_after) <= 61
    problem = json.loads(body)
    assert (problem["error"], problem["reason"]) == ("policy_violation", "rate_limit")
    assert problem["remedy"]


def test_policy_is_set_shown_and_cleared_for_a_capability_without_a_secret(world):
    empty = {"rateLimitPerMinute": None, "maxRequestBodyBytes": None,
             "maxResponseBodyBytes": None, "responseBodyBlocklist": []}
    told = set_policy(world, "--rate-limit-per-minute", "7", "--max-request-body-bytes", "9")
    assert told == {"capabilityId": "openai/chat-completions",
                    "policy": {**empty, "rateLimitPerMinute": 7, "maxRequestBodyBytes": 9}}
    get = (*POLICY, "get", "--capability", "openai/chat-completions")
    assert world.aivault(*get).ok().json() == told
    listed = world.aivault("capability", "list", "-v").ok().json()["policies"]
    assert listed == [told]
    described = world.aivault("capability", "describe", "openai/chat-completions").ok().json()
    assert described["policy"] == told["policy"]
    # The whole of it is replaced.
    assert set_policy(world, "--max-response-body-bytes", "5")["policy"] == \
        {**empty, "maxResponseBodyBytes": 5}
    world.restart()
    assert world.aivault(*get).ok().json()["policy"] == {**empty, "maxResponseBodyBytes": 5}
    cleared = world.aivault(*POLICY, "clear", "--capability", "openai/chat-completions").ok().json()
    assert cleared["removed"] is True and cleared["policy"] == empty
    assert world.aivault(*get).ok().json()["policy"] == empty
    kinds = [row["kind"] for row in world.audit() if row["kind"].startswith("policy.")]
    assert kinds == ["policy.clear", "policy.set", "policy.set"]


def test_wrong_policies_are_refused(world):
    world.aivault(*POLICY, "set", "--capability", "openai/nothing",
                  "--rate-limit-per-minute", "1").failed(1)
    world.aivault(*POLICY, "set", "--rate-limit-per-minute", "1").failed(2)
    world.aivault(*POLICY, "set", "--capability", "openai/models",
                  "--rate-limit-per-minute", "x").failed(2)
    world.aivault(*POLICY, "change", "--capability", "openai/models").failed(2)
    world.aivault(*POLICY, "get", "--capability", "openai/models",
                  "--rate-limit-per-minute", "1").failed(2)
    for text in ("", "  ", "x" * 513):
        refused = world.aivault(*POLICY, "set", "--capability", "openai/models",
                                "--response-block", text).failed(2)
        assert "1 to 512 bytes" in refused.errors
    many = [x for i in range(33) for x in ("--response-block", f"text {i}")]
    world.aivault(*POLICY, "set", "--capability", "openai/models", *many).failed(2)
    world.aivault(*POLICY, "get", "--capability", "openai/models", "--response-block", "x").failed(2)


def test_blocked_texts_are_starred_in_bodies_across_chunks_and_over_restarts(acme, upstream):
    told = set_policy(acme, "--response-block", " internal host ", "--response-block", "h\u00e9",
                      "--response-block", "internal host", capability="acme/any")
    assert told["policy"]["responseBodyBlocklist"] == ["internal host", "h\u00e9"]
    text = "an internal host, an Internal host, h\u00e9h\u00e9; internal hos".encode()
    want = ("an " + "*" * 13 + ", an Internal host, " + "*" * 6 + "; internal hos").encode()

    def in_pieces(connection, request):
        connection.chunked_head(200, headers=[("X-Said", "internal host")])
        for byte in text:
            connection.chunk(bytes([byte]))
        connection.chunk_end()

    upstream.route("/pieces", in_pieces)
    upstream.route("/whole", lambda c, r: c.reply(200, text * 500))

    def answers():
        with acme.agent() as agent:
            pieces = agent.request("GET", "/i/acme/any/-/pieces")
            assert pieces.body == want
            assert pieces.header("x-said") == "internal host", "headers are not blocked"
            whole = agent.request("GET", "/i/acme/any/-/whole")
            assert whole.body == want * 500

    answers()
    acme.restart()
    answers()
    get = acme.aivault(*POLICY, "get", "--capability", "acme/any").ok().json()
    assert get["policy"]["responseBodyBlocklist"] == ["internal host", "h\u00e9"]
    # The whole policy is replaced.
    set_policy(acme, "--rate-limit-per-minute", "100", capability="acme/any")
    with acme.agent() as agent:
        assert agent.request("GET", "/i/acme/any/-/pieces").body == text
    rows = [r for r in acme.audit() if r["kind"] == "policy.set"]
    assert "internal host" not in str(rows) and "response_blocks=2" in str(rows)


def test_fourth_call_of_three_is_refused_at_once_and_by_the_command_line(openai, upstream):
    set_policy(openai, "--rate-limit-per-minute", "3")
    assert statuses(openai, 3) == [200] * 3
    assert_limited(call(openai))
    result = openai.chat(BODY.decode()).failed(1)
    assert "rate" in result.errors or "limit" in result.errors
    assert len(upstream.requests) == 3
    denied = openai.audit_of("invoke.deny", 1)
    assert {row["reason"] for row in denied} == {"rate_limit"}
    assert {row["status"] for row in denied} == {429}
    # The limit is the capability's: another one is free.
    with openai.agent() as agent:
        assert agent.request("GET", "/i/openai/models/-/v1/models").status == 200


def test_limit_holds_over_a_restart(openai, upstream):
    set_policy(openai, "--rate-limit-per-minute", "3")
    assert statuses(openai, 2) == [200] * 2
    openai.restart()
    assert statuses(openai, 2) == [200, 429]
    openai.restart()
    assert_limited(call(openai))
    assert len(upstream.requests) == 3


@pytest.mark.parametrize("role", ["judge", "broker"])
def test_limit_holds_over_a_killed_process(openai, upstream, role):
    set_policy(openai, "--rate-limit-per-minute", "3")
    assert statuses(openai, 3) == [200] * 3
    old = openai.kill(role)
    openai.wait_role(role, other_than=old)
    answer = None
    while answer is None:  # until the new process serves
        try:
            answer = call(openai)
        except (OSError, EOFError):
            continue
        if answer[0] == 503:
            answer = None
    assert_limited(answer)
    assert len(upstream.requests) == 3
    assert openai.aivault("audit", "verify").ok()


def test_parallel_callers_get_exactly_the_limit(openai, upstream):
    set_policy(openai, "--rate-limit-per-minute", "5")
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        got = list(pool.map(lambda _: call(openai)[0], range(16)))
    assert sorted(got) == [200] * 5 + [429] * 11
    assert len(upstream.requests) == 5


def test_denied_calls_are_not_charged(openai, upstream):
    set_policy(openai, "--rate-limit-per-minute", "2")
    with openai.agent() as agent:
        for _ in range(5):
            assert agent.request("DELETE", CHAT).reason == "method_not_allowed"
    assert statuses(openai, 3) == [200, 200, 429]
    # Raised by one: what was refused has taken nothing of it.
    assert statuses(openai, 3) == [429] * 3
    set_policy(openai, "--rate-limit-per-minute", "3")
    assert statuses(openai, 2) == [200, 429]


def test_rate_of_zero_lets_nothing_through(openai, upstream):
    set_policy(openai, "--rate-limit-per-minute", "0")
    assert_limited(call(openai))
    assert upstream.connections == 0


def test_limit_of_a_capability_made_on_the_command_line(acme, upstream):
    set_policy(acme, "--rate-limit-per-minute", "1", capability="acme/any")
    got = []
    for _ in range(3):
        with acme.agent() as agent:
            got.append(agent.request("GET", "/i/acme/any/-/anything").reason)
    assert got == ["", "rate_limit", "rate_limit"]
    assert len(upstream.requests) == 1


def test_agent_sees_its_limits(openai):
    set_policy(openai, "--rate-limit-per-minute", "3")
    assert statuses(openai, 2) == [200] * 2
    with openai.agent() as agent:
        told = agent.request("GET", "/aivault/capabilities/openai/chat-completions").json()
    assert told["limits"]["rateLimitPerMinute"] == 3
    assert told["limits"]["callsLeft"] == 1


def test_request_over_its_limit_is_413(openai, upstream):
    set_policy(openai, "--max-request-body-bytes", str(len(BODY)))
    assert call(openai)[0] == 200
    status, _, body = call(openai, BODY + b" ")
    assert status == 413 and "size limit" in json.loads(body)["message"]
    # The same without a length: counted as it comes.
    with openai.agent() as agent:
        assert agent.request("POST", CHAT, body=BODY + b" ", chunked=True).status == 413
    openai.chat(BODY.decode() + "  ").failed(1)
    assert len([r for r in upstream.requests if len(r.body) > len(BODY)]) == 0


def test_response_over_its_limit_is_cut(acme, upstream):
    def endless(connection, _request):
        connection.chunked_head()
        for _ in range(64):
            connection.chunk(b"x" * 1024)
        connection.chunk_end()

    upstream.route("/long", endless)
    set_policy(acme, "--max-response-body-bytes", "10000", capability="acme/any")
    result = acme.aivault("invoke", "acme/any", "--method", "GET", "--path", "/long",
                          "--stream").failed(1)
    assert len(result.out) <= 10000
    rows = acme.ended(1)
    assert rows[0]["reason"] == "cut_by_limit"
    # One that says its length beforehand is not begun.
    upstream.route("/sized", lambda c, r: c.reply(200, b"y" * 20000))
    with acme.agent() as agent:
        assert agent.request("GET", "/i/acme/any/-/sized").status == 413
    upstream.route("/small", lambda c, r: c.reply(200, b"y" * 10000))
    with acme.agent() as agent:
        assert agent.request("GET", "/i/acme/any/-/small").body == b"y" * 10000


def test_equal_denials_are_few_rows_and_all_are_counted(openai, upstream):
    with openai.agent() as agent:
        for _ in range(300):
            assert agent.request("DELETE", CHAT).reason == "method_not_allowed"

    def denied():
        return [r for r in openai.audit() if r["kind"] == "invoke.deny"]

    def count(rows):
        return sum(r.get("count", 1) for r in rows)

    wait_for(lambda: count(denied()) == 300, "300 denials in the log")
    assert len(denied()) < 60
    with openai.agent() as agent:
        for _ in range(50):
            assert agent.request("DELETE", CHAT).reason == "method_not_allowed"
    openai.restart()
    assert count(denied()) == 350, "what was held is written at the end"
    assert openai.aivault("audit", "verify").ok().json()["ok"] is True


def judged(world, count):
    """Which policy refused: the judge names it, the keeper's own refusals have none."""
    return [row.get("policy") or "" for row in world.audit_of("invoke.deny", count)]


@pytest.mark.parametrize("role", ["judge", "broker"])
def test_after_a_kill_a_caller_has_exactly_what_is_left(openai, upstream, role):
    set_policy(openai, "--rate-limit-per-minute", "5")
    assert statuses(openai, 3) == [200] * 3
    old = openai.kill(role)
    openai.wait_role(role, other_than=old)

    def serves():
        try:
            with openai.agent() as agent:
                return agent.request("GET", "/i/openai/models/-/v1/models").status == 200
        except (OSError, EOFError):
            return False

    wait_for(serves, "the new process to serve another capability")
    assert statuses(openai, 4) == [200, 200, 429, 429]
    assert len([r for r in upstream.requests if r.path == "/v1/chat/completions"]) == 5
    assert set(judged(openai, 1)) == {"rate_limit"}, "the judge itself knew"


def test_call_that_the_keeper_refused_costs_nothing(openai, upstream):
    """The judge counted it when it allowed it, and is given the charge back."""
    set_policy(openai, "--rate-limit-per-minute", "3")
    assert statuses(openai, 1) == [200]
    with sqlite3.connect(openai.root / "vault.db") as db:
        db.execute("CREATE TRIGGER full BEFORE INSERT ON audit_events WHEN NEW.kind = 'invoke.allow' "
                   "BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    assert statuses(openai, 4) == [503] * 4
    with sqlite3.connect(openai.root / "vault.db") as db:
        db.execute("DROP TRIGGER full")
    assert statuses(openai, 3) == [200, 200, 429]
    assert len(upstream.requests) == 3
    assert openai.aivault("audit", "verify").ok()
