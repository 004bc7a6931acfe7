# SPDX-License-Identifier: Apache-2.0
"""A call from the agent's hand to the upstream and back."""

import json
import threading

import pytest

from upstream import event, pattern
from world import wait_for

CHAT = "/i/openai/chat-completions/-/v1/chat/completions"


def test_call_goes_through_all_processes(openai, upstream):
    result = openai.chat('{"messages":[{"role":"user","content":"hello"}]}').ok()
    answer = json.loads(result.out)
    assert answer["choices"][0]["message"]["content"] == "You said: hello"
    (request,) = upstream.requests
    assert request.method == "POST" and request.target == "/v1/chat/completions"
    assert request.header_all("authorization") == ["Bearer " + openai.key]
    assert request.header_all("host") == ["api.openai.com"]
    assert request.header("content-type") == "application/json"
    assert request.json()["messages"][0]["content"] == "hello"
    assert openai.key not in result.text + result.errors


def test_body_of_1_mb_is_the_same_byte_for_byte_both_ways(openai, upstream):
    sent, answer = pattern(1 << 20, "up"), pattern((1 << 20) + 7, "down")
    upstream.route("/v1/chat/completions", lambda c, r: c.reply(
        200, answer, content_type="application/octet-stream"))
    (openai.dir / "body").write_bytes(sent)
    result = openai.aivault(
        "invoke", "openai/chat-completions", "--method", "POST", "--path", "/v1/chat/completions",
        "--body-file-path", "body").ok()
    (request,) = upstream.requests
    assert request.body == sent
    assert result.out == answer


def test_chunked_bodies_both_ways_are_the_same_byte_for_byte(openai, upstream):
    sent, answer = pattern(300_001, "up"), pattern(300_007, "down")

    def reply(connection, request):
        connection.chunked_head(content_type="application/octet-stream")
        for at in range(0, len(answer), 7001):
            connection.chunk(answer[at : at + 7001])
        connection.chunk_end()

    upstream.route("/v1/chat/completions", reply)
    with openai.agent() as agent:
        response = agent.request("POST", CHAT, body=sent, chunked=True)
        assert response.status == 200
        assert response.body == answer
    assert upstream.requests[0].body == sent


def test_stream_of_100_chunks_arrives_chunk_by_chunk_on_the_socket(openai, upstream):
    """The upstream sends event k+1 only after this test has read event k: buffering would hang."""
    upstream.stream_chunks = 100
    upstream.gate = threading.Semaphore(0)
    with openai.agent() as agent:
        response = agent.request("POST", CHAT, body=b'{"stream":true}')
        assert response.status == 200
        assert response.header("content-type").startswith("text/event-stream")
        for k in range(1, 100):
            response.until(b"".join(event(n, 100) for n in range(1, k + 1)))
            upstream.gate.release()
        assert response.body == b"".join(event(n, 100) for n in range(1, 101))


def test_stream_of_100_chunks_is_printed_chunk_by_chunk(openai, upstream):
    upstream.stream_chunks = 100
    upstream.gate = threading.Semaphore(0)
    process = openai.popen(
        "invoke", "openai/chat-completions", "--method", "POST", "--path", "/v1/chat/completions",
        "--stream", "--body", '{"stream":true}')
    whole = b"".join(event(n, 100) for n in range(1, 101))
    got = b""
    try:
        for k in range(1, 100):
            want = sum(len(event(n, 100)) for n in range(1, k + 1))
            while len(got) < want:
                data = process.stdout.read1(65536)
                assert data, f"ended after {len(got)} bytes: {process.stderr.read()!r}"
                got += data
            upstream.gate.release()
        got += process.stdout.read()
        assert process.wait(60) == 0, process.stderr.read()
        assert got == whole
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def test_two_calls_share_one_upstream_connection(openai, upstream):
    openai.chat("{}").ok()
    openai.chat("{}").ok()
    assert len(upstream.requests) == 2
    assert upstream.connections == 1


def test_get_without_a_body_works(openai, upstream):
    result = openai.aivault("invoke", "openai/models", "--method", "GET", "--path", "/v1/models").ok()
    assert result.json()["object"] == "list"
    (request,) = upstream.requests
    assert request.method == "GET" and request.body == b""


def test_method_and_path_default_where_there_is_one_choice(openai, upstream):
    upstream.route("/v1/embeddings", lambda c, r: c.reply(200, {"ok": True}))
    openai.aivault("invoke", "openai/embeddings", "--body", "{}").ok()
    (request,) = upstream.requests
    assert (request.method, request.target) == ("POST", "/v1/embeddings")


def test_json_prints_what_was_planned_and_the_answer(openai, upstream):
    result = openai.aivault(
        "json", "openai/models", "--method", "GET", "--path", "/v1/models").ok().json()
    assert result["response"]["status"] == 200
    assert result["response"]["json"]["object"] == "list"
    assert result["planned"]["capability"] == "openai/models"
    assert result["planned"]["url"] == "https://api.openai.com/v1/models"


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_status_of_the_upstream_is_passed_on(openai, upstream, status):
    upstream.route("/v1/chat/completions", lambda c, r: c.reply(status, {"error": "theirs"}))
    with openai.agent() as agent:
        response = agent.request("POST", CHAT, body=b"{}")
        assert response.status == status
        assert response.header("aivault-error") == ""
        assert response.json() == {"error": "theirs"}
    result = openai.chat("{}").ok()
    assert json.loads(result.out) == {"error": "theirs"}


def test_request_id_joins_answer_and_audit(openai, upstream):
    with openai.agent() as agent:
        response = agent.request("POST", CHAT, body=b"{}")
        ident = response.header("aivault-request-id")
        assert response.body
    assert ident
    rows = openai.ended(1)
    assert rows[0]["requestId"] == ident


def test_response_headers_that_agents_must_not_have_are_taken_off(acme, upstream):
    with acme.agent() as agent:
        response = agent.request("GET", "/i/acme/any/-/cookie")
        names = [n for n, _ in response.headers]
        ident = response.header("aivault-request-id")
    for name in ("set-cookie", "www-authenticate", "proxy-authenticate"):
        assert name not in names
    assert response.header("x-kept") == "yes"
    assert ident and ident != "forged"
    assert names.count("aivault-request-id") == 1


def test_redirect_is_handed_on_and_not_followed(acme, upstream):
    with acme.agent() as agent:
        response = agent.request("GET", "/i/acme/any/-/redirect?to=https://other.acme-test.com/echo")
        assert response.status == 302
        assert response.body == b""
    assert len(upstream.requests) == 1


def test_reflected_key_is_scrubbed_from_headers_and_body(acme, upstream):
    with acme.agent() as agent:
        response = agent.request("GET", "/i/acme/any/-/reflect")
        assert response.status == 200
        text = response.body.decode()
        heads = "\n".join(f"{n}: {v}" for n, v in response.headers)
    assert text.startswith("before ") and text.endswith(" after"), text
    assert acme.key not in text and acme.key not in heads
    assert upstream.requests[0].header("authorization").endswith(acme.key)


def test_reflected_key_is_scrubbed_across_chunk_borders(acme, upstream):
    def split(connection, request):
        key = request.header("authorization").encode()
        connection.chunked_head(content_type="text/plain")
        for byte in b"<" + key + b">":
            connection.chunk(bytes([byte]))
        connection.chunk_end()

    upstream.route("/split", split)
    with acme.agent() as agent:
        body = agent.request("GET", "/i/acme/any/-/split").body
    assert body.startswith(b"<") and body.endswith(b">")
    assert acme.key.encode() not in body


def test_no_body_is_held_back_that_cannot_be_part_of_the_key(acme, upstream):
    gate = threading.Semaphore(0)

    def drip(connection, request):
        connection.chunked_head(content_type="text/plain")
        connection.chunk(b"first\n")
        assert gate.acquire(timeout=60)
        connection.chunk(b"second\n")
        connection.chunk_end()

    upstream.route("/drip", drip)
    with acme.agent() as agent:
        response = agent.request("GET", "/i/acme/any/-/drip")
        response.until(b"first\n")
        gate.release()
        assert response.body == b"first\nsecond\n"


def test_transfer_that_ends_early_is_an_error(acme, upstream):
    def cut(connection, request):
        connection.head(200, [("Content-Length", "1000")])
        connection.send(b"half")
        connection.drop()

    upstream.route("/cut", cut)
    result = acme.aivault("invoke", "acme/any", "--method", "GET", "--path", "/cut").failed()
    assert result.errors.startswith("aivault: "), result
    row = acme.ended(1)[0]
    assert row["reason"], row


def test_dead_upstream_is_named_and_audited(acme, upstream):
    acme.custom("gone.acme-test.com", "gone")
    result = acme.aivault("invoke", "gone/any", "--method", "GET", "--path", "/").failed()
    assert result.errors.startswith("aivault: upstream_unreachable: "), result


def test_upstream_with_a_wrong_certificate_gets_no_request(acme, upstream):
    """other.acme-test.com's certificate is good; the same address under a name that it lacks is not."""
    with open("/etc/hosts", "a", encoding="ascii") as file:
        file.write("93.184.216.41 wrong-name.acme-test.com\n")
    acme.custom("wrong-name.acme-test.com", "wrong")
    result = acme.aivault("invoke", "wrong/any", "--method", "GET", "--path", "/").failed()
    assert result.errors.startswith("aivault: upstream_unreachable: "), result
    assert upstream.requests == []


def test_caller_that_leaves_ends_the_upstream_transfer(acme, upstream):
    gone = threading.Event()

    def endless(connection, request):
        connection.chunked_head(content_type="text/plain")
        try:
            while True:
                connection.chunk(b"x" * 65536)
        finally:
            gone.set()

    upstream.route("/endless", endless)
    agent = acme.agent()
    agent.request("GET", "/i/acme/any/-/endless").some()
    agent.close()
    assert gone.wait(60), "the upstream's transfer was never ended"
    assert acme.ended(1)


def test_slow_reader_slows_the_upstream(acme, upstream):
    """Nobody reads the answer: the upstream can push only what the buffers on the way hold."""
    sent = [0]
    full = threading.Event()

    def endless(connection, request):
        connection.chunked_head(content_type="application/octet-stream")
        connection.sock.settimeout(3)
        try:
            while sent[0] < 1 << 28:
                connection.chunk(b"y" * 65536)
                sent[0] += 65536
        finally:
            full.set()

    upstream.route("/endless", endless)
    with acme.agent() as agent:
        agent.request("GET", "/i/acme/any/-/endless")
        assert full.wait(120)
        assert sent[0] < 1 << 26, f"{sent[0]} bytes were taken in for a reader that does not read"


def test_records_that_come_together_are_all_passed_on(acme, upstream):
    """OpenSSL takes them all from the socket, which then tells of nothing any more."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 30\r\n\r\n"
    upstream.route("/together", lambda connection, request: connection.at_once(
        [head] + [b"%d" % (k % 10) for k in range(30)]))
    for _ in range(3):
        with acme.agent() as agent:
            assert agent.request("GET", "/i/acme/any/-/together").body == b"0123456789" * 3
    assert [r.number for r in upstream.requests] == [1, 2, 3]


def test_answer_in_many_small_records_arrives_whole_at_a_slow_reader(acme, upstream):
    total, sent, seen = 20000, [0], [-1]
    line = b"a line of a stream, not the shortest: %d\n"

    def lines(connection, request):
        connection.chunked_head(content_type="application/octet-stream")
        for k in range(0, total, 20):
            connection.at_once(b"%x\r\n%s\r\n" % (len(line % j), line % j) for j in range(k, k + 20))
            sent[0] += 20
        connection.chunk_end()

    def has_stopped():
        """Twice the same: the upstream waits for us (or is done)."""
        before, seen[0] = seen[0], sent[0]
        return sent[0] > 0 and before == sent[0]

    upstream.route("/lines", lines)
    with acme.agent() as agent:
        response = agent.request("GET", "/i/acme/any/-/lines")
        wait_for(has_stopped, "the upstream to stop")
        assert response.body == b"".join(line % k for k in range(total))
    assert acme.ended(1)


def test_health_says_ok(openai):
    with openai.agent() as agent:
        answer = agent.request("GET", "/aivault/health").json()
    assert answer["ok"] is True and answer["locked"] is False and answer["version"]


def test_capabilities_are_listed_without_secret_names(openai):
    with openai.agent() as agent:
        response = agent.request("GET", "/aivault/capabilities")
        text = response.body.decode()
    assert "openai/chat-completions" in text
    assert "OPENAI_API_KEY" not in text and openai.key not in text


def test_one_connection_carries_many_calls(openai, upstream):
    with openai.agent() as agent:
        for k in range(5):
            response = agent.request("POST", CHAT, body=json.dumps({"k": k}).encode())
            assert response.status == 200 and response.body
    assert [r.json()["k"] for r in upstream.requests] == list(range(5))


def test_many_callers_at_once_get_their_own_answers(acme, upstream):
    upstream.route("/who", lambda c, r: c.reply(200, {"you": r.query}))
    got = {}

    def call(k):
        with acme.agent() as agent:
            for n in range(5):
                got[k, n] = agent.request("GET", f"/i/acme/any/-/who?{k}-{n}").json()["you"]

    threads = [threading.Thread(target=call, args=(k,)) for k in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert got == {(k, n): f"{k}-{n}" for k in range(16) for n in range(5)}
    wait_for(lambda: len(upstream.requests) == 80, "80 requests")


def test_fields_that_connection_names_go_no_further(acme, upstream):
    """In either direction, however long the list of them is (RFC 9110 section 7.6.1)."""
    upstream.route("/hop", lambda c, r: c.reply(
        200, b"{}", headers=[("Connection", "keep-alive, X-Hop"), ("X-Hop", "internal"), ("X-Far", "y")]))
    with acme.agent() as agent:
        response = agent.request("GET", "/i/acme/any/-/hop", headers=[
            ("Connection", "x" * 1100 + ", X-Near"), ("X-Near", "n"), ("X-On", "o")])
        assert response.status == 200 and response.body
    assert response.header("x-hop") == "" and response.header("x-far") == "y"
    request, = upstream.requests
    assert request.header("x-near") == "" and request.header("x-on") == "o"


NOT_JSON = [b"", b"{", b"no", b"[01]", b"[1.]", b"[.5]", b"[+1]", b"[1e]", b'["a\nb"]', b'["a\tb"]', b'["\x00"]',
            b"\xef\xbb\xbf{}", b'["\xff"]', b'["\xed\xa0\x80"]', b'["\\ud800"]', b"{} {}", b"[1,]", b"{'a':1}",
            b"[NaN]", b'["\\x41"]', b"[nul]"]


def test_json_is_printed_only_where_it_is_json(acme, upstream):
    for body in NOT_JSON:
        upstream.routes["/x"] = lambda c, r, body=body: c.reply(200, body)
        result = acme.aivault("json", "acme/any", "--method", "GET", "--path", "/x").failed()
        assert result.out == b"" and result.errors.count("aivault: ") == 1, (body, result)
        assert "(status 200) is not JSON" in result.errors, (body, result)
    upstream.routes["/x"] = lambda c, r: c.reply(200, b"[" * 65 + b"]" * 65)
    result = acme.aivault("json", "acme/any", "--method", "GET", "--path", "/x").failed()
    assert result.out == b"" and "64 levels" in result.errors
    upstream.routes["/x"] = lambda c, r: c.reply(200, b' {"a":[1.50,-0,1E9,"\\u0000"]}\n')
    result = acme.aivault("json", "acme/any", "--method", "GET", "--path", "/x").ok()
    assert result.json()["response"] == {"status": 200, "json": {"a": [1.5, 0, 1e9, "\0"]}}


def test_json_shows_no_character_that_changes_how_a_line_looks(acme, upstream):
    hidden = "\x7f\x9b\u061c\u200d\u202e\u2066\ufeff\u2029\U000e0041"
    upstream.routes["/x"] = lambda c, r: c.reply(200, json.dumps({"a": hidden}, ensure_ascii=False).encode())
    result = acme.aivault("json", "acme/any", "--method", "GET", "--path", "/x").ok()
    assert result.json()["response"]["json"] == {"a": hidden}
    assert not set(hidden) & set(result.text)
