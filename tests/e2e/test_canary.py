# SPDX-License-Identifier: Apache-2.0
"""A secret that is looked for everywhere it must not be."""

import os

import pytest

import memory
from world import wait_for


def provoke(world, upstream):
    """Calls, denials and faults of every kind, with an upstream that gives the key back."""
    answers = []
    with world.agent() as agent:
        for target in ("/i/acme/any/-/reflect", "/i/acme/any/-/echo", "/i/acme/any/-/cookie",
                       "/i/acme/any/-/redirect?to=https://x/", "/i/acme/any/-/big?size=100000",
                       "/aivault/health", "/aivault/capabilities", "/i/acme/any/-/absent",
                       "/i/acme/nothing/-/x"):
            response = agent.request("GET", target)
            answers += [response.body, str(response.headers).encode()]
    for target in ("/i/acme/any/-/drop", "/i/acme/any/-/../x", "/nowhere"):
        with world.agent() as agent:
            response = agent.request("GET", target)
            answers += [response.body, str(response.headers).encode()]

    def in_the_url(connection, request):
        key = request.header("authorization").split(" ")[1]
        connection.reply(307, {"error": key}, [("Location", f"https://x/?key={key}"), ("X-" + key, key)])

    upstream.route("/location", in_the_url)
    with world.agent() as agent:
        response = agent.request("GET", "/i/acme/any/-/location")
        answers += [response.body, str(response.headers).encode()]
    for args in (["invoke", "acme/any", "--method", "GET", "--path", "/reflect"],
                 ["invoke", "acme/any", "--method", "PUT", "--path", "/reflect"],
                 ["json", "acme/any", "--method", "GET", "--path", "/echo"],
                 ["secrets", "list", "-v"], ["credential", "list", "-v"], ["status", "-v"],
                 ["capability", "list", "-v"], ["capability", "describe", "acme/any"],
                 ["audit", "--output", "json"], ["audit", "--output", "table"]):
        world.aivault(*args)
    for role in ("judge", "broker"):
        dead = world.kill(role)
        world.wait_role(role, other_than=dead)
        world.aivault("invoke", "acme/any", "--method", "GET", "--path", "/reflect").ok()
    return answers


@pytest.mark.invariant
def test_canary_is_nowhere_it_must_not_be(acme, upstream):
    answers = provoke(acme, upstream)
    assert upstream.saw(acme.key), "the canary is the key that the upstream got"
    rows = wait_for(lambda: len(acme.audit()) > 10 and acme.audit(), "audit rows")
    needles = memory.forms(acme.key.encode())

    def clean(what, data):
        for needle in needles:
            assert needle not in data, f"the canary stands in {what}"

    for answer in answers:
        clean("an answer", answer)
    for result in acme.seen:
        clean(f"output of {result.args}", result.out + result.err)
    clean("the audit rows", str(rows).encode())
    clean("the log", acme.log().encode())
    for role, pid in acme.pids().items():
        clean(f"arguments of {role}", memory.arguments(pid))
        clean(f"environment of {role}", memory.environment(pid))
    for role in ("daemon", "judge"):
        assert memory.search(acme.pids()[role], needles) == [], role
    files = [p for p in acme.dir.rglob("*") if p.is_file()]
    assert any(p.name == "vault.db" for p in files)
    for path in files:
        clean(str(path), path.read_bytes())
    acme.stop()
    for path in (p for p in acme.dir.rglob("*") if p.is_file()):
        clean(f"{path}, after the stop", path.read_bytes())
    cores = [p for d in ("/", acme.dir, os.getcwd()) for p in os.listdir(d) if p.startswith("core")]
    assert cores == []
