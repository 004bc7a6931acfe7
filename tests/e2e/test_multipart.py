# SPDX-License-Identifier: Apache-2.0
"""Forms that the command line builds: --multipart-field and --multipart-file (RFC 7578)."""

import email
import email.policy

import pytest


def parts(request):
    """[(name, file name or None, type, bytes)] of a form as an independent parser reads it."""
    head = b"Content-Type: " + request.header("content-type").encode() + b"\r\n\r\n"
    form = email.message_from_bytes(head + request.body, policy=email.policy.HTTP)
    out = []
    for part in form.iter_parts():
        assert part["content-disposition"].content_disposition == "form-data"
        params = part["content-disposition"].params
        typ = part.get_content_type() if part["content-type"] else None
        out.append((params["name"], params.get("filename"), typ, part.get_payload(decode=True)))
    return out


def invoke(world, *args):
    return world.aivault("invoke", "acme/any", "--method", "POST", "--path", "/echo", *args)


def test_form_arrives_whole(acme, upstream):
    sound = bytes(range(256)) * 8192
    (acme.dir / "speech one.mp3").write_bytes(sound)
    (acme.dir / "empty.txt").write_bytes(b"")
    invoke(acme, "--multipart-field", "model=whisper-1", "--multipart-field", "prompt=a=b \u20ac",
           "--multipart-file", "file=speech one.mp3", "--multipart-file", "other=empty.txt",
           "--header", "content-type=text/plain").ok()
    (request,) = upstream.requests
    assert request.header("content-type").startswith("multipart/form-data; boundary=")
    assert int(request.header("content-length")) == len(request.body)
    assert parts(request) == [
        ("model", None, None, b"whisper-1"), ("prompt", None, None, "a=b \u20ac".encode()),
        ("file", "speech one.mp3", "audio/mpeg", sound), ("other", "empty.txt", "text/plain", b""),
    ]


def test_json_sends_forms_too(acme, upstream):
    said = acme.aivault("json", "acme/any", "--method", "POST", "--path", "/echo",
                        "--multipart-field", "a=b").ok().json()
    assert said["planned"]["method"] == "POST" and said["response"]["status"] == 200
    assert parts(upstream.requests[0]) == [("a", None, None, b"b")]


@pytest.mark.parametrize("args,word", [
    (["--multipart-field", "a=1", "--multipart-field", "a=2"], "duplicate"),
    (["--multipart-field", "a=1", "--multipart-file", "a=x"], "duplicate"),
    (["--multipart-field", "a"], "K=V"),
    (["--multipart-file", "a=/nowhere"], "accessible"),
    (["--multipart-file", "a=/dev/null"], "regular"),
    (["--multipart-field", "a=1", "--body", "x"], "one body"),
    (["--multipart-field", "a=1", "--request", "{}"], "mixed"),
])
def test_wrong_form_is_refused_before_anything_is_sent(acme, upstream, args, word):
    result = invoke(acme, *args)
    assert result.code in (1, 2) and word in result.errors
    assert upstream.connections == 0
