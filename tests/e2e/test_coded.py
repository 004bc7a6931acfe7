# SPDX-License-Identifier: Apache-2.0
"""Answers that come coded although they were asked for as they are: they are read, and so scrubbed."""

import gzip
import secrets
import zlib

import pytest

from test_fault_upstream import fails, is_cut
from world import wait_for

PATH = "/coded"


def coded(data, coding, chunked=False, head=""):
    """A handler that sends `data` under that Content-Encoding."""
    def handler(connection, request):
        start = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: {coding}\r\n{head}"
        if not chunked:
            connection.send(f"{start}Content-Length: {len(data)}\r\n\r\n".encode() + data)
            return
        connection.send(f"{start}Transfer-Encoding: chunked\r\n\r\n".encode())
        for at in range(0, len(data), 1000):
            connection.chunk(data[at:at + 1000])
        connection.chunk_end()
    return handler


@pytest.mark.parametrize("pack,coding", [
    pytest.param(gzip.compress, "gzip", id="gzip"),
    pytest.param(gzip.compress, "X-GZIP", id="x-gzip"),
    pytest.param(zlib.compress, "deflate", id="deflate"),
    pytest.param(lambda d: gzip.compress(d[:9]) + gzip.compress(d[9:]), "gzip", id="two_members"),
])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_coded_answer_is_decoded_and_its_connection_kept(acme, upstream, pack, coding, chunked):
    plain = secrets.token_hex(100_000).encode()
    upstream.route(PATH, coded(pack(plain), coding, chunked))
    for _ in range(2):
        with acme.agent() as agent:
            response = agent.request("GET", "/i/acme/any/-" + PATH)
            assert response.status == 200 and response.header("content-encoding") == ""
            assert response.body == plain
    assert upstream.connections == 1
    assert [r.header("accept-encoding") for r in upstream.requests] == ["identity"] * 2


def test_secret_in_a_coded_answer_is_scrubbed(acme, upstream):
    upstream.route(PATH, lambda c, r: coded(gzip.compress(b"you sent " + acme.key.encode()), "gzip")(c, r))
    result = acme.aivault("invoke", "acme/any", "--method", "GET", "--path", PATH).ok()
    assert result.out == b"you sent " + b"*" * len(acme.key)


def test_slow_reader_of_a_coded_answer_gets_all_of_it(acme, upstream):
    """8 MiB in 8 KiB: what is decoded waits in the daemon for a reader, and not in its memory."""
    plain = b"0123456789abcdef" * (1 << 19)
    packed = gzip.compress(plain, 9)
    upstream.route(PATH, coded(packed, "gzip"))
    with acme.agent() as agent:
        response = agent.request("GET", "/i/acme/any/-" + PATH)
        first = response.until(plain[:16])
        wait_for(lambda: upstream.requests[-1].complete, "the upstream to have been heard")
        assert response.body == plain, first
    with acme.agent() as agent:
        assert agent.request("GET", "/i/acme/any/-/echo").status == 200


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, gzip", "rot13"])
def test_other_coding_is_refused(acme, upstream, coding):
    upstream.route(PATH, coded(b"whatever", coding))
    fails(acme, 502, "upstream_coding", PATH)


@pytest.mark.parametrize("data", [
    pytest.param(b"this is not gzip", id="plain"),
    pytest.param(gzip.compress(b"half" * 1000)[:-9], id="cut"),
    pytest.param(gzip.compress(b"half" * 1000)[:-8] + b"\0" * 8, id="wrong_sum"),
    pytest.param(gzip.compress(b"half") + b"surplus", id="surplus"),
])
def test_answer_that_does_not_decode_never_looks_complete(acme, upstream, data):
    upstream.route(PATH, coded(data, "gzip"))
    is_cut(acme, b"half" * 1000, "upstream_malformed", PATH)


def test_empty_answer_needs_no_decoding(acme, upstream):
    upstream.route(PATH, coded(b"", "gzip"))
    with acme.agent() as agent:
        response = agent.request("GET", "/i/acme/any/-" + PATH)
        assert response.status == 200 and response.body == b""


def test_answer_that_has_no_body_may_say_any_coding(world, upstream):
    world.custom(methods=("GET", "HEAD"))
    head = b"Content-Encoding: br\r\nContent-Length: 100\r\n\r\n"
    upstream.route("/head", lambda c, r: c.send(b"HTTP/1.1 200 OK\r\n" + head))
    upstream.route("/same", lambda c, r: c.send(b"HTTP/1.1 304 Not Modified\r\n" + head))
    for method, path, status in (("HEAD", "/head", 200), ("GET", "/same", 304)):
        with world.agent() as agent:
            response = agent.request(method, "/i/acme/any/-" + path)
            assert response.status == status and response.header("content-encoding") == ""
    assert upstream.connections == 1


@pytest.mark.parametrize("first", ["identity", "", "gzip"])
def test_two_fields_of_codings_are_a_row_of_codings(acme, upstream, first):
    """Whatever the first of them says."""
    data = gzip.compress(b"you sent " + acme.key.encode())
    upstream.route(PATH, coded(data, first, head="Content-Encoding: gzip\r\n"))
    with acme.agent() as agent:
        response = agent.request("GET", "/i/acme/any/-" + PATH)
        assert (response.status, response.reason) == (502, "upstream_coding")
