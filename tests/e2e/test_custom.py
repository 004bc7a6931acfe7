# SPDX-License-Identifier: Apache-2.0
"""Credentials and capabilities made on the command line."""

import base64
import json

import pytest


def secret_ref(world, name="SOME_KEY"):
    return "vault:secret:" + world.store(name)[1]["secretId"]


def test_custom_capability_works_end_to_end(acme, upstream):
    result = acme.aivault("invoke", "acme/any", "--method", "POST", "--path", "/echo/x?y=1",
                          "--header", "x-one=1", "--body", "hello").ok()
    answer = json.loads(result.out)
    assert answer["method"] == "POST" and answer["target"] == "/echo/x?y=1"
    (request,) = upstream.requests
    assert request.header_all("authorization") == ["Bearer " + acme.key]
    assert request.header("host") == "api.acme-test.com"
    assert request.header("x-one") == "1"
    assert request.body == b"hello"


def test_header_name_and_template_are_used(world, upstream):
    value, meta = world.store("SOME_KEY")
    world.aivault("credential", "create", "some", "--provider", "some", "--secret-ref",
                  "vault:secret:" + meta["secretId"], "--auth", "header", "--host",
                  "api.acme-test.com", "--header-name", "x-some-key",
                  "--value-template", "key={{secret}};v=2").ok()
    world.aivault("capability", "create", "some/echo", "--credential", "some", "--method", "GET",
                  "--path", "/echo").ok()
    world.aivault("invoke", "some/echo", "--method", "GET", "--path", "/echo").ok()
    (request,) = upstream.requests
    assert request.header_all("x-some-key") == [f"key={value};v=2"]
    assert request.header_all("authorization") == []


def custom_echo(world, value, *auth):
    """The secret `value` used by a credential of its own; one call to /echo; what arrived."""
    meta = world.aivault("secrets", "create", "--name", "SOME_KEY", input=value).ok().json()
    world.aivault("credential", "create", "some", "--provider", "some", "--secret-ref",
                  "vault:secret:" + meta["secretId"], "--host", "api.acme-test.com", *auth).ok()
    world.aivault("capability", "create", "some/all", "--credential", "some", "--method", "GET",
                  "--path", "/").ok()
    return world.aivault("invoke", "some/all", "--method", "GET", "--path", "/echo?a=1")


@pytest.mark.parametrize("auth,value,target,authorization", [
    (["--auth", "query", "--query-param", "k"], "some/key+1234", "/echo?a=1&k=some%2Fkey%2B1234", []),
    (["--auth", "query"], "somekey-1234", "/echo?a=1&api_key=somekey-1234", []),
    (["--auth", "path", "--path-prefix-template", "/t{{secret}}"], "somekey-1234",
     "/tsomekey-1234/echo?a=1", []),
    (["--auth", "basic"], "joe:somekey-1234", "/echo?a=1",
     ["Basic " + base64.b64encode(b"joe:somekey-1234").decode()]),
    (["--auth", "basic"], '{"username": "joe", "password": "somekey-1234"}', "/echo?a=1",
     ["Basic " + base64.b64encode(b"joe:somekey-1234").decode()]),
], ids=["query", "query-default", "path", "basic", "basic-json"])
def test_custom_strategy_puts_the_secret_in_its_place(world, upstream, auth, value, target, authorization):
    upstream.route("/tsomekey-1234/echo", lambda c, r: c.reply(200, b"{}"))
    result = custom_echo(world, value, *auth).ok()
    (request,) = upstream.requests
    assert request.target == target
    assert request.header_all("authorization") == authorization
    assert b"somekey-1234" not in result.out and "somekey-1234" not in result.errors


def test_fields_of_a_json_secret_go_to_their_headers(world, upstream):
    value = '{"id": "id-of-some-key", "keys": {"live": "somekey-1234"}}'
    result = custom_echo(world, value, "--auth", "multi-header", "--auth-header", "X-Id={{id}}",
                         "--auth-header", "X-Key=k {{keys.live}}").ok()
    (request,) = upstream.requests
    assert request.header_all("x-id") == ["id-of-some-key"]
    assert request.header_all("x-key") == ["k somekey-1234"]
    assert b"somekey-1234" not in result.out and b"id-of-some-key" not in result.out


@pytest.mark.parametrize("auth,value,reason", [
    (["--auth", "basic"], '{"username": "joe", "passw": "somekey-1234"}', "user:password"),
    (["--auth", "basic"], '{"username": "joe", "password": "somekey-1234"', "user:password"),
    (["--auth", "multi-header", "--auth-header", "X-Id={{id}}"], '{"id": ["somekey-1234"]}', "JSON object"),
    (["--auth", "multi-header", "--auth-header", "X-Id={{id}}"], "somekey-1234", "JSON object"),
    (["--auth", "multi-header", "--auth-header", "X-Id={{id}}"], '{"key": "somekey-1234"}',
     "does not have"),
])
def test_json_secret_of_the_wrong_shape_is_refused_and_not_shown(world, upstream, auth, value, reason):
    result = custom_echo(world, value, *auth).failed()
    assert reason in result.errors
    assert upstream.requests == []
    assert "somekey" not in result.errors + result.text + world.log() + str(world.audit())


def test_custom_ones_are_listed_and_described(acme):
    listed = acme.aivault("credential", "list", "-v").ok().json()["credentials"]
    assert "acme" in [c["id"] for c in listed]
    listed = acme.aivault("capability", "list", "-v").ok().json()
    assert "acme/any" in [c["id"] for c in listed["capabilities"]]
    assert "openai/chat-completions" in [c["id"] for c in listed["registryCapabilities"]]
    shape = acme.aivault("capability", "describe", "acme/any").ok().json()
    assert shape["capability"] == "acme/any"
    assert shape["allowed"]["hosts"] == ["api.acme-test.com"]
    assert sorted(shape["allowed"]["methods"]) == ["GET", "POST"]
    assert shape["allowed"]["pathPrefixes"] == ["/"]


def test_all_twenty_openai_capabilities_are_there(world):
    listed = world.aivault("capability", "list", "-v").ok().json()["registryCapabilities"]
    ids = [c["id"] for c in listed]
    assert len([i for i in ids if i.startswith("openai/")]) == 20
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("host", [
    "https://api.acme-test.com", "api.acme-test.com/path", "user@api.acme-test.com", "localhost",
    "127.0.0.1", "2130706433", "[::1]", "*.acme-test.com", "*", "api.acme-test.com.", "a..b.com",
    "api.acme-test.com:0", "", "api acme.com", "-a.com", "foo.internal", "foo.local",
])
def test_host_that_is_no_plain_host_is_refused(world, host):
    ref = secret_ref(world)
    result = world.aivault("credential", "create", "bad", "--provider", "bad", "--secret-ref", ref,
                           "--auth", "header", f"--host={host}")
    assert result.code in (1, 2), result
    assert result.errors.startswith("aivault: "), result
    assert "bad" not in [
        c["id"] for c in world.aivault("credential", "list", "-v").ok().json()["credentials"]]


@pytest.mark.parametrize("args", [
    ["--provider", "x", "--auth", "header", "--host", "api.acme-test.com"],
    ["--provider", "x", "--auth", "header", "--host", "api.acme-test.com", "--secret-ref", "nonsense"],
    ["--provider", "x", "--auth", "header", "--host", "api.acme-test.com", "--secret-ref",
     "vault:secret:00000000-0000-4000-8000-000000000000"],
    ["--provider", "x", "--auth", "header", "--host", "api.acme-test.com", "--secret-ref",
     "vault:secret:../vault"],
])
def test_credential_without_a_stored_secret_is_refused(world, args):
    result = world.aivault("credential", "create", "bad", *args)
    assert result.code in (1, 2) and result.errors.startswith("aivault: "), result


@pytest.mark.parametrize("args", [
    ["--method", "GET"],
    ["--path", "/"],
    ["--method", "GET", "--path", ""],
    ["--method", "GET", "--path", "no-slash"],
    ["--method", "GET", "--path", "/a/../b"],
    ["--method", "get it", "--path", "/"],
    ["--method", "TRACE", "--path", "/"],
    ["--method", "GET", "--path", "/", "--host", "*.acme-test.com"],
])
def test_capability_that_reaches_wrongly_is_refused(acme, args):
    result = acme.aivault("capability", "create", "acme/bad", "--credential", "acme", *args)
    assert result.code in (1, 2) and result.errors.startswith("aivault: "), result
    listed = acme.aivault("capability", "list", "-v").ok().json()
    assert "acme/bad" not in [c["id"] for c in listed["capabilities"]]


def test_capability_for_a_host_that_its_credential_lacks_is_refused(acme):
    result = acme.aivault("capability", "create", "acme/other", "--credential", "acme", "--method",
                          "GET", "--path", "/", "--host", "other.acme-test.com").failed()
    assert "the credential acme does not have the host" in result.errors
    assert "--host" in result.errors, "it says what to do"
    listed = acme.aivault("capability", "list", "-v").ok().json()
    assert "acme/other" not in [c["id"] for c in listed["capabilities"]]


def test_key_goes_to_no_host_that_its_credential_lacks(acme, upstream):
    acme.aivault("capability", "create", "acme/other", "--provider", "acme", "--method", "GET",
                 "--path", "/", "--host", "other.acme-test.com").ok()
    result = acme.aivault("invoke", "acme/other", "--method", "GET", "--path", "/echo").failed()
    assert result.errors.startswith("aivault: "), result
    assert upstream.requests == []


@pytest.mark.parametrize("ident", ["", "A/b", "acme//x", "acme/-", "-", "a b", "acme/any", "../x",
                                   "openai/chat-completions"])
def test_capability_id_is_checked(acme, ident):
    result = acme.aivault("capability", "create", "--credential", "acme", "--method", "GET",
                          "--path", "/x", "--", ident)
    assert result.code in (1, 2) and result.err, result


def test_custom_rows_survive_a_restart(acme, upstream):
    acme.restart()
    acme.aivault("invoke", "acme/any", "--method", "GET", "--path", "/echo").ok()
    assert upstream.requests[0].header("authorization") == "Bearer " + acme.key
