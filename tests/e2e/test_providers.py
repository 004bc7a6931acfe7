# SPDX-License-Identifier: Apache-2.0
"""Each built-in provider: what it may reach, and the exact form in which its key goes out.

The table is a frozen copy of the facts: a line is `id methods prefix...`. A change of
capabilities/*.lua that changes what a provider reaches has to be made here too, so it is seen."""

import base64
import re
import urllib.parse
import uuid
from typing import NamedTuple

import pytest

REGISTRY = {
    "anthropic": """
        messages GET,POST /v1/messages
        models GET /v1/models
    """,
    "gemini": """
        batches DELETE,GET,PATCH,POST /v1beta/batches
        cached-content DELETE,GET,PATCH,POST /v1beta/cachedContents
        corpora DELETE,GET,PATCH,POST /v1beta/corpora
        file-search DELETE,GET,POST /upload/v1beta/fileSearchStores /v1beta/fileSearchStores
        files DELETE,GET,POST /upload/v1beta/files /v1beta/files
        generated-files GET /v1beta/generatedFiles
        models GET,POST /v1/models /v1beta/models
        tuned-models DELETE,GET,PATCH,POST /v1beta/tunedModels
    """,
    "github": """
        gists DELETE,GET,PATCH,POST /gists
        graphql POST /graphql
        issues GET /issues
        meta GET /emojis /gitignore /licenses /meta /rate_limit
        notifications DELETE,GET,PATCH,PUT /notifications
        orgs DELETE,GET,PATCH,POST,PUT /organizations /orgs
        repos DELETE,GET,PATCH,POST,PUT /repos
        search GET /search
        users GET /user /users
    """,
    "mailgun": """
        domains DELETE,GET,POST,PUT /v3/domains
        lists DELETE,GET,POST,PUT /v3/lists
        routes DELETE,GET,POST,PUT /v3/routes
        sending GET,POST /v3/
    """,
    "openai": """
        assistants DELETE,GET,POST /v1/assistants /v1/threads
        batch GET,POST /v1/batches
        chat-completions GET,POST /v1/chat/completions
        codex-realtime POST /realtime/calls
        codex-responses POST /responses
        codex-usage GET /wham/usage
        embeddings POST /v1/embeddings
        files DELETE,GET,POST /v1/files
        fine-tuning DELETE,GET,POST /v1/fine_tuning
        image-generation POST /v1/images
        models DELETE,GET /v1/models
        moderation POST /v1/moderations
        realtime GET,POST /v1/realtime
        responses DELETE,GET,POST /v1/responses
        speech POST /v1/audio/speech
        transcription POST /v1/audio/transcriptions
        translation POST /v1/audio/translations
        uploads POST /v1/uploads
        vector-stores DELETE,GET,POST /v1/vector_stores
        videos DELETE,GET,POST /v1/videos
    """,
    "slack": """
        admin GET,POST /api/admin.
        api GET,POST /api/api.
        apps GET,POST /api/apps.
        auth GET,POST /api/auth.
        bookmarks GET,POST /api/bookmarks.
        calls GET,POST /api/calls.
        chat POST /api/chat.
        conversations GET,POST /api/conversations.
        dialog POST /api/dialog.
        emoji GET,POST /api/emoji.
        files GET,POST /api/files.
        pins GET,POST /api/pins.
        reactions GET,POST /api/reactions.
        reminders GET,POST /api/reminders.
        search POST /api/search.
        stars GET,POST /api/stars.
        team GET,POST /api/team.
        usergroups GET,POST /api/usergroups.
        users GET,POST /api/users.
        views POST /api/views.
        workflow POST /api/workflow.
    """,
    "stripe": """
        billing GET /v1/invoices /v1/prices /v1/products /v1/subscriptions
        customers GET /v1/customers
        disputes GET /v1/disputes /v1/payouts
        payments GET /v1/balance_transactions /v1/charges /v1/payment_intents /v1/refunds
    """,
    "telegram": """
        delete-message POST /deleteMessage
        edit-message-text POST /editMessageText
        get-me POST /getMe
        get-updates POST /getUpdates
        send-chat-action POST /sendChatAction
        send-message POST /sendMessage
    """,
    "trello": """
        actions DELETE,GET,PUT /1/actions
        batch GET /1/batch
        boards DELETE,GET,POST,PUT /1/boards
        cards DELETE,GET,POST,PUT /1/cards
        checklists DELETE,GET,POST,PUT /1/checklists
        custom-fields DELETE,GET,POST,PUT /1/customField /1/customFields
        emoji GET /1/emoji
        enterprises GET /1/enterprises
        labels DELETE,GET,POST,PUT /1/labels
        lists GET,POST,PUT /1/lists
        members GET,PUT /1/members
        notifications GET,PUT /1/notifications
        organizations DELETE,GET,POST,PUT /1/organizations
        plugins GET /1/plugins
        search GET /1/search
        tokens DELETE,GET /1/tokens
        webhooks DELETE,GET,POST,PUT /1/webhooks
    """,
}


class Call(NamedTuple):
    """How a provider takes its key, and one call: `{n}` is the n-th secret as it goes out."""
    host: str
    secrets: tuple
    capability: str
    method: str
    path: str
    target: str  # what the upstream sees
    headers: dict  # auth headers that it sees; all others must be missing


def bearer(host, secret, capability, method, path):
    return Call(host, (secret,), capability, method, path, path, {"authorization": "Bearer {0}"})


CALLS = {
    "anthropic": Call(
        "api.anthropic.com", ("ANTHROPIC_API_KEY",), "anthropic/messages", "POST",
        "/v1/messages/count_tokens", "/v1/messages/count_tokens", {"x-api-key": "{0}"}),
    "gemini": Call(
        "generativelanguage.googleapis.com", ("GEMINI_API_KEY",), "gemini/models", "POST",
        "/v1beta/models/gemini-pro:streamGenerateContent?alt=sse",
        "/v1beta/models/gemini-pro:streamGenerateContent?alt=sse&key={0}", {}),
    "github": bearer("api.github.com", "GITHUB_TOKEN", "github/repos", "GET",
                     "/repos/acme/site/issues?state=open&per_page=5"),
    "mailgun": Call(
        "api.mailgun.net", ("MAILGUN_API_KEY",), "mailgun/sending", "POST",
        "/v3/acme-test.com/messages", "/v3/acme-test.com/messages", {"authorization": "Basic {0}"}),
    "openai": bearer("api.openai.com", "OPENAI_API_KEY", "openai/responses", "POST",
                     "/v1/responses"),
    "slack": bearer("slack.com", "SLACK_BOT_TOKEN", "slack/chat", "POST", "/api/chat.postMessage"),
    "stripe": bearer("api.stripe.com", "STRIPE_API_KEY", "stripe/payments", "GET",
                     "/v1/charges?limit=3"),
    "telegram": Call(
        "api.telegram.org", ("TELEGRAM_BOT_TOKEN",), "telegram/send-message", "POST",
        "/sendMessage", "/bot{0}/sendMessage", {}),
    "trello": Call(
        "api.trello.com", ("TRELLO_API_KEY", "TRELLO_TOKEN"), "trello/boards", "GET",
        "/1/boards/b1?fields=name", "/1/boards/b1?fields=name&key={0}&token={1}", {}),
}
AUTH_HEADERS = {"authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie"}
PROVIDERS = sorted(CALLS)


def secret_value(name):
    """A value such as the provider's, with bytes that a query or base64 must not mangle."""
    end = uuid.uuid4().hex
    if name == "TELEGRAM_BOT_TOKEN":
        return f"110201543:AAH-{end}_w"
    if name == "GITHUB_TOKEN":
        return f"ghp_{end}"
    return f"canary-{end}+a/b=&c%~:d"


def on_the_wire(provider, value):
    if provider in ("gemini", "trello"):
        return urllib.parse.quote(value, safe="-._~")
    if provider == "mailgun":
        return base64.b64encode(f"api:{value}".encode()).decode()
    return value


def forms(provider, value):
    """Every shape of a secret that no answer may hold."""
    return {value, on_the_wire(provider, value), urllib.parse.quote(value, safe="-._~")}


def store(world, provider):
    values = [secret_value(name) for name in CALLS[provider].secrets]
    for name, value in zip(CALLS[provider].secrets, values):
        world.store(name, value)
    return values


def careless(connection, request):
    """An API that shows all it got: the target, every header, and the password of basic auth."""
    shown = [request.target, urllib.parse.unquote(request.target)]
    shown += [f"{n}: {v}" for n, v in request.headers]
    basic = request.header("authorization")
    if basic.startswith("Basic "):
        shown.append(base64.b64decode(basic[6:]).decode())
        shown.append(base64.b64decode(basic[6:]).decode().partition(":")[2])
    key = request.header("authorization") or request.header("x-api-key") or request.target
    connection.reply(200, {"shown": shown}, [("X-Reflected", key)])


def expected(provider):
    """id -> (methods, prefixes) of the frozen table."""
    out = {}
    for line in REGISTRY[provider].split("\n"):
        words = line.split()
        if words:
            out[f"{provider}/{words[0]}"] = (words[1].split(","), words[2:])
    return out


def test_the_table_and_the_calls_name_the_same_providers():
    assert sorted(REGISTRY) == PROVIDERS


def test_the_registry_is_the_frozen_table(world):
    listed = world.aivault("capability", "list", "-v").ok().json()["registryCapabilities"]
    assert sorted(c["id"] for c in listed) == sorted(
        ident for provider in PROVIDERS for ident in expected(provider))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_reach_of_a_provider_is_the_frozen_one(world, provider):
    codex = {f"openai/codex-{name}" for name in ("realtime", "responses", "usage")}
    for ident, (methods, paths) in expected(provider).items():
        shape = world.aivault("capability", "describe", ident).ok().json()
        assert shape["provider"] == provider
        host = "chatgpt.com" if ident in codex else CALLS[provider].host
        allowed = shape["allowed"]
        assert (allowed["hosts"], sorted(allowed["methods"]), sorted(allowed["pathPrefixes"])) == (
            [host], sorted(methods), sorted(paths)), ident


@pytest.mark.parametrize("provider", PROVIDERS)
def test_call_has_the_wire_form_of_its_provider(world, upstream, provider):
    call = CALLS[provider]
    values = store(world, provider)
    coded = [on_the_wire(provider, value) for value in values]
    target = call.target.format(*coded)
    upstream.route(target.partition("?")[0], lambda c, r: c.reply(200, {"ok": True}))
    body = ["--body", "{}"] if call.method == "POST" else []
    result = world.aivault("invoke", call.capability, "--method", call.method, "--path", call.path,
                           *body).ok()
    assert result.json() == {"ok": True}
    (request,) = upstream.requests
    assert (request.method, request.target) == (call.method, target)
    assert request.header_all("host") == [call.host]
    for name in AUTH_HEADERS:
        want = [call.headers[name].format(*coded)] if name in call.headers else []
        assert request.header_all(name) == want, name
    # One secret, one place: in nothing else that went upstream.
    for value in coded:
        assert request.raw_head.decode("latin-1").count(value) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_secret_of_a_provider_is_in_no_answer(world, upstream, provider):
    call = CALLS[provider]
    values = store(world, provider)
    target = call.target.format(*[on_the_wire(provider, value) for value in values])
    upstream.route(target.partition("?")[0], careless)
    never = set().union(*(forms(provider, value) for value in values))
    with world.agent() as agent:
        response = agent.request(call.method, f"/i/{call.capability}/-{call.path}",
                                 body=b"{}" if call.method == "POST" else None)
        assert response.status == 200
        answer = response.body.decode("latin-1")
        assert "****" in answer, "the upstream has shown nothing that was starred"
        shown = [answer, *(v for _, v in response.headers)]
        assert ("REDACTED" in response.header("aivault-upstream")) == (not call.headers)
    printed = [world.aivault("json", call.capability, "--method", call.method, "--path", call.path),
               world.aivault("audit", "--output", "json", "--limit", "1000"),
               world.aivault("credential", "list", "-v"), world.aivault("secrets", "list", "-v"),
               world.aivault("capability", "describe", call.capability)]
    shown += [part for result in printed for part in (result.ok().text, result.errors)]
    shown.append(world.log())
    for secret in never:
        assert not any(secret in text for text in shown), secret


def test_credential_of_two_secrets_waits_for_both_and_refers_to_them(world, upstream):
    first = world.aivault("secrets", "create", "--name", "TRELLO_TOKEN", input="t-0123456789").ok()
    assert "TRELLO_API_KEY" in first.errors, "it says what is missing"
    assert world.aivault("credential", "list", "-v").ok().json()["credentials"] == []
    refused = world.aivault("invoke", "trello/boards", "--method", "GET", "--path", "/1/boards/b1")
    assert refused.code == 1 and upstream.requests == []
    world.aivault("secrets", "create", "--name", "TRELLO_API_KEY", input="k-0123456789").ok()
    ids = [c["id"] for c in world.aivault("credential", "list", "-v").ok().json()["credentials"]]
    assert ids == ["trello"]
    names = sorted(s["name"] for s in world.aivault("secrets", "list", "-v").ok().json())
    assert names == ["TRELLO_API_KEY", "TRELLO_TOKEN"], "no third secret is made of the two"
    upstream.route("/1/boards/b1", lambda c, r: c.reply(200, {"ok": True}))
    world.aivault("invoke", "trello/boards", "--method", "GET", "--path", "/1/boards/b1").ok()
    (request,) = upstream.requests
    assert request.target == "/1/boards/b1?key=k-0123456789&token=t-0123456789"


@pytest.mark.parametrize("provider", [p for p in PROVIDERS if len(CALLS[p].secrets) == 1])
def test_provider_with_one_secret_has_a_credential_at_once(world, provider):
    store(world, provider)
    (credential,) = world.aivault("credential", "list", "-v").ok().json()["credentials"]
    assert (credential["id"], credential["provider"]) == (provider, provider)


@pytest.mark.parametrize("provider, path", [
    ("gemini", "/v1beta/models?key=mine"), ("gemini", "/v1beta/models?alt=sse&ke%79=mine"),
    ("trello", "/1/boards/b1?token=mine"), ("trello", "/1/boards/b1?key=mine&fields=name"),
])
def test_agent_cannot_name_the_parameter_of_the_key(world, upstream, provider, path):
    store(world, provider)
    with world.agent() as agent:
        response = agent.request("GET", f"/i/{CALLS[provider].capability}/-{path}")
        assert response.status in (400, 403) and response.header("aivault-error")
        assert response.body
    assert upstream.requests == []


@pytest.mark.parametrize("path, goes", [
    ("/api/chat.postMessage", True), ("/api/chat.", True), ("/api/chat", False),
    ("/api/chats.postMessage", False), ("/api/chat/postMessage", False),
    ("/api/admin.users.list", False),
])
def test_prefix_of_slack_ends_at_its_dot(world, upstream, path, goes):
    store(world, "slack")
    upstream.route(path, lambda c, r: c.reply(200, {"ok": True}))
    with world.agent() as agent:
        response = agent.request("POST", f"/i/slack/chat/-{path}", body=b"{}")
        assert response.status == (200 if goes else 403)
        assert response.body
    assert [r.target for r in upstream.requests] == ([path] if goes else [])


def test_telegram_method_is_the_whole_path(world, upstream):
    store(world, "telegram")
    for path in ("/getMe", "/sendMessages", "/bot110201543:AAH/sendMessage", "/deleteMessage"):
        with world.agent() as agent:
            response = agent.request("POST", f"/i/telegram/send-message/-{path}", body=b"{}")
            assert response.status == 403 and response.body
    assert upstream.requests == []


@pytest.mark.parametrize("name, value, reason", [
    ("TELEGRAM_BOT_TOKEN", "1102015:AA/../x", "secret_not_a_path_value"),
    ("TELEGRAM_BOT_TOKEN", "1102015:AA?x=y", "secret_not_a_path_value"),
    ("TELEGRAM_BOT_TOKEN", "1102015:AA#part", "secret_not_a_path_value"),
    ("GITHUB_TOKEN", "ghp_0123\r\nx-injected: 1", "secret_not_a_header_value"),
    ("MAILGUN_API_KEY", "key-0123\r\nx-injected: 1", "secret_not_user_password"),
])
def test_secret_that_does_not_fit_its_place_is_refused_by_name(world, upstream, name, value, reason):
    (provider,) = [p for p in PROVIDERS if name in CALLS[p].secrets]
    call = CALLS[provider]
    world.aivault("secrets", "create", "--name", name, input=value).ok()
    with world.agent() as agent:
        response = agent.request(call.method, f"/i/{call.capability}/-{call.path}",
                                 body=b"{}" if call.method == "POST" else None)
        assert response.status >= 400 and response.reason == reason
        for piece in re.split(r"[\r\n]+", value):
            assert piece not in response.body.decode()
    assert upstream.requests == []
