# SPDX-License-Identifier: Apache-2.0
"""An upstream that gives the key back in each form, in the smallest pieces; the agent gets stars."""

import base64
import json
import urllib.parse

import pytest

KEY = 'sk/e+y<"\\&= \u00e9\u20ac-0123456789'  # looks different in each form


def coded(key, before, after, url=False):
    """base64 of the key inside other text, and which of its characters are the key's alone."""
    raw = key.encode()
    text = before + raw + after
    out = (base64.urlsafe_b64encode if url else base64.b64encode)(text).decode()
    first, end = (8 * len(before) + 5) // 6, 8 * (len(before) + len(raw)) // 6
    return out, out[first:end]


def forms(key):
    """{name: (text that an upstream may send, the part that must not come through)}."""
    def whole(text):
        return text, text

    out = {
        "raw": whole(key),
        "percent": whole(urllib.parse.quote(key, safe="")),
        "percent-lower": whole(urllib.parse.quote(key, safe="").replace("%2F", "%2f").replace(
            "%2B", "%2b").replace("%3C", "%3c").replace("%5C", "%5c").replace("%3D", "%3d").replace(
                "%C3%A9%E2%82%AC", "%c3%a9%e2%82%ac")),
        "form": whole(urllib.parse.quote_plus(key)),
        "json": whole(json.dumps(key, ensure_ascii=False)[1:-1]),
        "json-ascii": whole(json.dumps(key)[1:-1]),
        "json-slash": whole(json.dumps(key)[1:-1].replace("/", "\\/")),
        "json-markup": whole(json.dumps(key, ensure_ascii=False)[1:-1].replace(
            "<", "\\u003c").replace("&", "\\u0026")),
    }
    for name, url in (("base64", False), ("base64url", True)):
        out[name] = coded(key, b"", b"", url)
        for before in (b"a", b"ab", b"abc"):
            out[f"{name}-{len(before)}"] = coded(key, before, b"z", url)
    return out


@pytest.fixture
def odd(world, upstream):
    """A query credential whose key needs escaping everywhere."""
    meta = world.aivault("secrets", "create", "--name", "ODD_KEY", input=KEY).ok().json()
    world.aivault("credential", "create", "odd", "--provider", "odd", "--secret-ref",
                  "vault:secret:" + meta["secretId"], "--host", "api.acme-test.com",
                  "--auth", "query", "--query-param", "k").ok()
    world.aivault("capability", "create", "odd/all", "--credential", "odd", "--method", "GET",
                  "--path", "/").ok()
    return world


def sent_key(request):
    """The key that the upstream got; what it then gives back is made from it."""
    return urllib.parse.parse_qs(request.query)["k"][0]


@pytest.mark.parametrize("form", sorted(forms(KEY)))
def test_each_form_is_starred_in_one_byte_chunks(odd, upstream, form):
    def give_back(connection, request):
        key = sent_key(request)
        assert key == KEY
        connection.chunked_head(200)
        for byte in ("<" + forms(key)[form][0] + ">").encode():
            connection.chunk(bytes([byte]))
        connection.chunk_end()

    upstream.route("/pieces", give_back)
    with odd.agent() as agent:
        response = agent.request("GET", "/i/odd/all/-/pieces")
        response.body  # read while the connection stands
    text, secret = (x.encode() for x in forms(KEY)[form])
    assert response.status == 200
    assert secret not in response.body
    assert b"*" * len(secret) in response.body
    assert len(response.body) == len(text) + 2, "stars stand for bytes, one for one"
    assert response.body[:1] == b"<" and response.body[-1:] == b">"


def test_each_form_is_starred_in_a_large_body_and_in_headers(odd, upstream):
    names = sorted(forms(KEY))

    def give_back(connection, request):
        all_forms = forms(sent_key(request))
        body = b"".join(b"x" * 1009 + all_forms[n][0].encode() for n in names) * 40
        headers = [(f"X-{n}", all_forms[n][0].encode().decode("latin-1")) for n in names]
        connection.reply(200, body, headers)

    upstream.route("/large", give_back)
    with odd.agent() as agent:
        response = agent.request("GET", "/i/odd/all/-/large")
        response.body  # read while the connection stands
    assert response.status == 200
    assert len(response.body) == 40 * sum(1009 + len(forms(KEY)[n][0].encode()) for n in names)
    seen = str(response.headers).encode() + response.body
    for name in names:
        assert forms(KEY)[name][1].encode() not in seen, name
        assert f"x-{name}" in str(response.headers).lower()
    assert seen.count(b"x" * 1009) == 40 * len(names)


@pytest.mark.invariant
def test_canary_of_odd_bytes_is_in_no_answer_row_or_log(odd, upstream):
    everything = "\n".join(text for text, _ in forms(KEY).values())

    def give_back(connection, request):
        connection.reply(400, {"error": sent_key(request), "forms": everything})

    upstream.route("/all", give_back)
    with odd.agent() as agent:
        answer = agent.request("GET", "/i/odd/all/-/all").body
    said = odd.aivault("invoke", "odd/all", "--method", "GET", "--path", "/all")
    rows = odd.audit_of("invoke.allow", 2)
    for name, (_, secret) in forms(KEY).items():
        for what, data in (("answer", answer), ("output", said.out + said.err),
                           ("rows", json.dumps(rows, ensure_ascii=False).encode()),
                           ("log", odd.log().encode())):
            assert secret.encode() not in data, f"{name} in {what}"
