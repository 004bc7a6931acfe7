# SPDX-License-Identifier: Apache-2.0
"""Faulty scripts, end to end: the vault with a judge whose rate_limit fails as the request's path
says (faulty_rate_limit.lua). Such a call is refused by its reason, and everything else goes on."""

import concurrent.futures
import json
import shutil
import signal

import pytest

import world as world_module
from account import as_nobody, share
from world import BIN, BUILDDIR, VARIANT, World, wait_for

JUDGE = BUILDDIR / VARIANT / "test" / "faulty" / "aivault-policy"
WAYS = {
    "/loop": "policy_timeout",
    "/loop-in-sort": "policy_timeout",
    "/pattern": "policy_timeout",
    "/memory": "policy_memory",
    "/doubling": "policy_memory",
    "/much": "policy_memory",
    "/recursion": "policy_memory",
    "/error": "policy_error",
    "/nil": "policy_error",
    "/nothing": "policy_error",
    "/forged": "policy_error",
    "/authorization": "policy_error",
    "/smuggled": "policy_error",
    "/line-break": "policy_error",
    "/charges": "policy_error",
}
HOSTS = {"acme": "api.acme-test.com", "other": "other.acme-test.com"}
STRIKES = 3  # limits hit in a short time, after which a provider's script rests


def faulty_programs(directory):
    """The programs under test in a place of their own, but for the judge."""
    assert JUDGE.exists(), f"make VARIANT={VARIANT} unit-bins makes {JUDGE}"
    for part in ("bin", "libexec"):
        shutil.copytree(BIN.parent / part, directory / part)
    shutil.copy(JUDGE, directory / "libexec" / "aivault-policy")
    return directory / "bin"


@pytest.fixture
def faulty(upstream, monkeypatch):
    """Two providers, acme and other, each with its limit: the faulty script runs for both."""
    world = World()
    try:
        monkeypatch.setattr(world_module, "BIN", faulty_programs(world.dir / "programs"))
        # A run time that memory runs out before, on any machine.
        world.start("--check-ms", "100")
        upstream.route("/small", lambda connection, request: connection.reply(200, b"fine"))
        for name, host in HOSTS.items():
            world.custom(host=host, ident=name)
            world.aivault("capability", "policy", "set", "--capability", f"{name}/any",
                          "--rate-limit-per-minute", "1000").ok()
        yield world
    finally:
        world.close()


def ask(world, path, name="acme"):
    with world.agent() as agent:
        response = agent.request("GET", f"/i/{name}/any/-{path}")
        return response.status, response.body


def assert_refused(answer, reason):
    status, body = answer
    problem = json.loads(body)
    assert (status, problem["error"], problem["reason"]) == (403, "policy_violation", reason), answer
    assert problem["message"]
    assert "mend" in problem["remedy"].lower(), "who has to do what"
    return problem


@pytest.mark.parametrize("path", WAYS)
def test_call_that_a_faulty_script_judges_is_refused(faulty, upstream, path):
    judge = faulty.pids()["judge"]
    problem = assert_refused(ask(faulty, path), WAYS[path])
    if path == "/error":
        assert "this script is at its end" in problem["message"]
    row, = faulty.audit_of("invoke.deny", 1)
    assert (row["reason"], row["capability"], row["path"]) == (WAYS[path], "acme/any", path)
    assert upstream.requests == [], "nothing was sent"
    # The same script, the other provider and the judge's process live on.
    for name in HOSTS:
        assert ask(faulty, "/small", name)[0] == 200
    assert len(upstream.requests) == 2
    assert faulty.pids()["judge"] == judge


def test_script_that_keeps_hitting_limits_rests_and_no_other(faulty, upstream):
    for _ in range(STRIKES):
        assert_refused(ask(faulty, "/loop"), "policy_timeout")
    assert_refused(ask(faulty, "/small"), "policy_suspended")
    assert ask(faulty, "/small", "other")[0] == 200
    assert [r.header("host") for r in upstream.requests] == [HOSTS["other"]]
    assert "suspended" in faulty.log()
    reasons = {r["reason"] for r in faulty.audit_of("invoke.deny", 2)}
    assert reasons == {"policy_timeout", "policy_suspended"}


def test_script_rests_for_the_user_whose_calls_they_were(faulty, upstream):
    share(faulty)
    call = ("invoke", "acme/any", "--method", "GET", "--path")
    for words in ["run time"] * STRIKES + ["suspended"]:
        assert words in as_nobody(faulty, *call, "/loop").failed(1).errors
    assert ask(faulty, "/small")[0] == 200
    assert "suspended" in as_nobody(faulty, *call, "/small").failed(1).errors
    assert len(upstream.requests) == 1


def test_memory_of_a_script_is_what_limits_conf_says(faulty, upstream):
    """16 MiB are too many, then not: from the next start on."""
    upstream.route("/much", lambda connection, request: connection.reply(200, b"much"))
    assert_refused(ask(faulty, "/much"), "policy_memory")
    (faulty.root / "limits.conf").write_text("check-memory-bytes = 67108864\ncheck-ms = 100\n")
    faulty.daemon.send_signal(signal.SIGHUP)
    wait_for(lambda: "count from the judge's next start" in faulty.log(), "the word on it")
    assert_refused(ask(faulty, "/much"), "policy_memory")
    faulty.restart()
    assert ask(faulty, "/much") == (200, b"much")


def test_good_calls_beside_a_faulty_one_are_answered(faulty):
    """Errors, not limits, so that nothing is suspended: two in three calls are good."""
    paths = ["/small", "/error", "/small"] * 20
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda path: ask(faulty, path)[0], paths))
    assert answers == [403 if path == "/error" else 200 for path in paths]
