# SPDX-License-Identifier: Apache-2.0
"""TLS that fails: no byte of a request leaves, the error is clear, the next call works."""

import socket
import ssl
import subprocess
import threading
import warnings

import pytest

from test_fault_upstream import fails


@pytest.fixture
def stranger(tmp_path):
    """A context whose certificate has the right name and no known signer."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=api.acme-test.com",
         "-addext", "subjectAltName=DNS:api.acme-test.com"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


def breaks(world, upstream, greet, status, reason):
    """All connections are greeted so until two calls have failed: none of them has sent a request."""
    honest, calls = upstream.greet, threading.Semaphore(2)

    def first_two(sock):
        return greet(sock) if calls.acquire(blocking=False) else honest(sock)
    upstream.greet = first_two
    fails(world, status, reason, nothing_was_sent=True)
    assert [r.path for r in upstream.requests] == ["/echo/good"]


def test_unknown_signer_is_refused(acme, upstream, stranger):
    breaks(acme, upstream, lambda sock: stranger.wrap_socket(sock, server_side=True), 502,
           "upstream_certificate")


def old_version(sock):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context.wrap_socket(sock, server_side=True)


def answers(data):
    """Plain bytes where TLS is expected, once the client has said hello, and the end of stream."""
    def greet(sock):
        sock.recv(65536)
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass
    return greet


@pytest.mark.parametrize("greet", [
    pytest.param(answers(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), id="plain_http"),
    pytest.param(answers(b"SSH-2.0-OpenSSH_9.2\r\n"), id="another_protocol"),
    pytest.param(answers(b"\x16\x03\x03\xff\xff" + b"\0" * 1000), id="faulty_record"),
    pytest.param(answers(b"\x15\x03\x03\x00\x02\x02\x28"), id="handshake_failure_alert"),
    pytest.param(answers(b""), id="closes_in_the_handshake"),
    pytest.param(lambda sock: None, id="closes_at_once"),
    pytest.param(old_version, id="tls_1_1"),
])
def test_failed_handshake_is_said(acme, upstream, greet):
    breaks(acme, upstream, greet, 502, "upstream_tls")


def test_handshake_that_stalls_is_given_up(acme, upstream):
    """After ten seconds; the call's own limit does the same sooner."""
    done = threading.Event()
    upstream.greet = lambda sock: done.wait(60) and None
    with acme.agent() as agent:
        response = agent.request("GET", "/i/acme/any/-/echo")
        assert response.status == 504 and response.reason == "upstream_connect_timeout"
    result = acme.aivault("invoke", "acme/any", "--method", "GET", "--path", "/echo", "--timeout-ms",
                          "500").failed()
    assert result.errors.startswith("aivault: upstream_unreachable: "), result
    done.set()
    assert sorted(r["reason"] for r in acme.ended(2)) == ["timeout", "upstream_connect_timeout"]
    assert upstream.requests == []
