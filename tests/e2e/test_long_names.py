# SPDX-License-Identifier: Apache-2.0
"""Names and values as long as they may be, and longer: what one call cannot carry costs that call, or
is refused when it is stored; no other call is disturbed."""

import json

import pytest

from world import wait_for


@pytest.fixture
def steady(world, upstream):
    """Ends by looking that nothing broke: the same processes, the same conversations between them."""
    before = world.pids()
    yield world
    assert world.pids() == before, world.log()
    for said in ("closed", "broken", "no audit row", "restart"):
        assert said not in world.log(), world.log()


def secret_ref(world, value, name="SOME_KEY"):
    return "vault:secret:" + world.store(name, value)[1]["secretId"]


def credential(world, ident, ref, *auth):
    return world.aivault("credential", "create", ident, "--provider", "some", "--secret-ref", ref,
                         "--host", "api.acme-test.com", *(auth or ("--auth", "header")))


def credentials(world):
    return world.aivault("credential", "list", "-v").ok().json()["credentials"]


def failed_of_auth(world, count):
    """The rows of calls that were let through and could not be given their key."""
    def enough():
        rows = [r for r in world.audit() if r.get("reason") == "auth_failed"]
        return rows if len(rows) >= count else None
    return wait_for(enough, f"{count} rows")


def capability(world, ident):
    world.aivault("capability", "create", "some/echo", "--credential", ident, "--method", "GET",
                  "--path", "/").ok()


def invoke(world, *args):
    return world.aivault("invoke", "some/echo", "--method", "GET", "--path", "/echo", *args)


def test_longest_id_that_a_provider_makes(steady, upstream):
    context = ("--workspace-id", "w" * 128, "--group-id", "g" * 128)
    key, meta = steady.store("OPENAI_API_KEY", None, "--scope", "group", *context)
    upstream.expect_auth = "Bearer " + key
    ident = f"openai:group:{'w' * 128}:{'g' * 128}"
    assert len(ident) > 256
    models = ("invoke", "openai/models", "--method", "GET", "--path", "/v1/models")
    steady.aivault(*models, *context).ok()
    steady.aivault(*models, *context, "--credential", ident).ok()
    refused = steady.aivault("invoke", "openai/models", "--method", "GET", "--path", "/v2", *context)
    assert "policy_violation" in refused.failed().errors
    rows = steady.ended(2)
    assert {row["credential"] for row in rows} == {ident}
    steady.audit_of("invoke.deny", 1)
    steady.aivault("secrets", "rotate", "--id", meta["secretId"], input="sk-" + "n" * 40).ok()
    steady.aivault("secrets", "delete", "--id", meta["secretId"]).ok()


@pytest.mark.parametrize("length", [129, 257, 400])
def test_long_id_of_a_credential_can_be_used_and_named(steady, upstream, length):
    ident = "i" * length
    ref = secret_ref(steady, None)
    credential(steady, ident, ref).ok()
    capability(steady, ident)
    for args in ((), ("--credential", ident)):
        invoke(steady, *args).ok()
    assert {row["credential"][:length] for row in steady.ended(2)} == {ident}
    steady.aivault("secrets", "delete", "--id", ref.rpartition(":")[2]).ok()


def test_id_that_is_too_long_is_refused(steady):
    refused = credential(steady, "i" * 401, secret_ref(steady, None))
    assert "400 bytes" in refused.failed(2).errors


@pytest.mark.parametrize("auth,at_most", [
    (lambda name: ("--auth", "header", "--header-name", name), 256),
    (lambda name: ("--auth", "query", "--query-param", name), 256),
    (lambda name: ("--auth", "multi-header", "--auth-header", name + "=k {{k}}"), 256),
], ids=["header", "query", "multi-header"])
def test_longest_name_works_and_a_longer_one_is_refused(steady, upstream, auth, at_most):
    ref = secret_ref(steady, '{"k": "somekey-1234"}' if "multi-header" in auth("n") else None)
    for name in ("n" * (at_most + 1), "n" * 5000):
        assert "256 bytes" in credential(steady, "some", ref, *auth(name)).failed().errors
    assert credentials(steady) == []
    credential(steady, "some", ref, *auth("n" * at_most)).ok()
    assert [c.get("fault") for c in credentials(steady)] == [None]
    capability(steady, "some")
    invoke(steady).ok()


def test_auth_that_is_too_long_when_rendered_costs_its_call(steady, upstream):
    upstream.route("/small", lambda connection, request: connection.reply(200, b"{}"))
    credential(steady, "some", secret_ref(steady, "k" * 65000), "--auth", "header",
               "--value-template", "{{secret}}{{secret}}{{secret}}").ok()
    capability(steady, "some")
    steady.custom()
    with steady.agent() as agent:
        for _ in range(20):
            response = agent.request("GET", "/i/some/echo/-/echo")
            assert (response.status, response.reason) == (500, "secret_too_long")
            assert agent.request("GET", "/i/acme/any/-/small").status == 200
    assert len(upstream.requests) == 20
    steady.ended(20)
    failed_of_auth(steady, 20)


def test_auth_of_parts_that_do_not_fit_together_costs_its_call(steady, upstream):
    parts = [x for i in range(16) for x in ("--auth-header", f"x-{i}={{{{k}}}}{{{{k}}}}")]
    credential(steady, "some", secret_ref(steady, json.dumps({"k": "k" * 65000})),
               "--auth", "multi-header", *parts).ok()
    capability(steady, "some")
    with steady.agent() as agent:
        for _ in range(20):
            response = agent.request("GET", "/i/some/echo/-/echo")
            assert (response.status, response.reason) == (500, "auth_too_long")
            assert "Shorten the secret" in response.json()["remedy"]
    assert upstream.requests == []
    failed_of_auth(steady, 20)
