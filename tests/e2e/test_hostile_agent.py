# SPDX-License-Identifier: Apache-2.0
"""What one agent may try on the broker and on other agents: not to read, to pipeline without end, to
give calls up, to use up descriptors and memory. The others' calls go on, in the same process."""

import os
import signal
import socket
import subprocess
import threading
import time

import pytest

from agent import Agent, Response
from world import wait_for

DENIED = b"DELETE /i/acme/any/-/a HTTP/1.1\r\nHost: a\r\n\r\n"
NO_ENVELOPE = b"POST /aivault/proxy HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"
NOTHING = b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n"
FREEZE_SECONDS = 5  # of no call at all, when a name server is silent; it were 10 and more


@pytest.fixture
def steady(acme, upstream):
    """acme/any, resolved once; at the end a call works and the broker is the same process."""
    with acme.agent() as agent:
        assert agent.request("DELETE", "/i/acme/any/-/a").status == 403
    broker = acme.pids()["broker"]
    yield acme
    with acme.agent() as agent:
        assert agent.request("GET", "/i/acme/any/-/echo/good").status == 200
    assert acme.pids()["broker"] == broker, acme.log()


def connected(world):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.connect(str(world.socket))
    return sock


def deaf(world):
    """Whoever writes to it gets EPIPE."""
    sock = connected(world)
    sock.shutdown(socket.SHUT_RD)
    return sock


def until_closed(sock):
    """Sends until the broker has hung up."""
    def hung_up():
        try:
            sock.send(NOTHING)
            return False
        except OSError:
            return True
    wait_for(hung_up, "the broker to hang up")
    sock.close()


@pytest.mark.parametrize("one", [DENIED, NO_ENVELOPE, NOTHING],
                         ids=["denied_call", "bad_envelope", "no_route"])
def test_client_that_is_found_lost_while_it_is_answered(steady, one):
    """The answers are gathered; the one that makes them so many that they are written finds EPIPE."""
    for _ in range(3):
        sock = deaf(steady)
        try:
            sock.sendall(one * (32768 // len(one)))
        except OSError:
            pass
        until_closed(sock)


def test_client_that_is_found_lost_at_the_end_of_a_stream(steady, upstream):
    """For each of some sizes one is the last piece that makes what is held be written."""
    go, sent = threading.Event(), threading.Event()
    size = [0]

    def ends(connection, request):
        go.wait(60)
        go.clear()
        body = b"x" * size[0]
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
                        % (len(body), body))
        sent.set()
    upstream.route("/ends", ends)
    broker = steady.pids()["broker"]
    for size[0] in range(65100, 65420, 8):
        seen = len(upstream.requests)
        sock = deaf(steady)
        sock.sendall(b"GET /i/acme/any/-/ends HTTP/1.1\r\nHost: a\r\n\r\n")
        assert upstream.wait_requests(seen + 1)
        os.kill(broker, signal.SIGSTOP)  # so that all of it is read in one turn
        go.set()
        assert sent.wait(60)
        sent.clear()
        os.kill(broker, signal.SIGCONT)
        until_closed(sock)


def test_body_of_a_refused_request_is_no_request(steady, upstream):
    """Not even where the client has closed its half and an earlier answer is still to come."""
    go = threading.Event()

    def slow(connection, request):
        go.wait(60)
        connection.reply(200, b"{}")
    upstream.route("/slow", slow)
    inner = b"GET /i/acme/any/-/smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    with steady.agent() as agent:
        agent.send(b"GET /i/acme/any/-/slow HTTP/1.1\r\nHost: a\r\n\r\n"
                   b"POST /nothing/here HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s"
                   % (len(inner), inner))
        agent.sock.shutdown(socket.SHUT_WR)
        assert upstream.wait_requests(1)
        go.set()
        statuses = []
        try:
            while True:
                response = Response(agent)
                assert response.body
                statuses.append(response.status)
        except EOFError:
            pass
    assert statuses == [200, 404]
    assert [r.path for r in upstream.requests] == ["/slow"]


def test_requests_after_a_refused_ones_body_are_still_answered(steady, upstream):
    with steady.agent() as agent:
        agent.send(b"POST /nothing/here HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
                   b"GET /i/acme/any/-/echo/next HTTP/1.1\r\nHost: a\r\n\r\n")
        agent.sock.shutdown(socket.SHUT_WR)
        first = Response(agent)
        assert first.status == 404 and first.body
        assert Response(agent).status == 200


def test_who_pipelines_does_not_come_before_others(steady):
    """Ids of requests begin with the time at which these were begun."""
    broker = steady.pids()["broker"]
    flood, other = Agent(steady.socket), Agent(steady.socket)
    count = 3000
    os.kill(broker, signal.SIGSTOP)
    writer = threading.Thread(target=flood.send, args=(NOTHING * count,))
    writer.start()
    wait_for(lambda: not flood.all_is_taken(), "the flood to stand before the door")
    other.send(b"GET /aivault/health HTTP/1.1\r\nHost: a\r\n\r\n")
    os.kill(broker, signal.SIGCONT)
    ids = []
    for _ in range(count):
        response = Response(flood)
        assert response.body
        ids.append(response.header("aivault-request-id"))
    writer.join(60)
    mine = Response(other).header("aivault-request-id")
    assert len([i for i in ids if i < mine]) < count // 2
    flood.close()
    other.close()


def test_who_does_not_read_is_not_answered_without_end(steady):
    """What is not read is held for him up to a limit; then his requests wait."""
    agent, count, sent = Agent(steady.socket), 20000, [0]

    def send():
        for _ in range(count // 100):
            agent.sock.sendall(NOTHING * 100)
            sent[0] += 100
    writer = threading.Thread(target=send)
    writer.start()

    def stands():
        before = sent[0]
        for _ in range(20):
            with steady.agent() as other:
                assert other.request("GET", "/aivault/health").status == 200
        return before > 0 and sent[0] == before
    wait_for(stands, "the sender to be kept waiting")
    assert sent[0] < count
    for _ in range(count):
        assert Response(agent).body
    writer.join(60)
    assert sent[0] == count
    agent.close()


def test_calls_that_are_given_up_push_out_nobody(steady, upstream):
    """Each leaves a connection that is still being made; the upstream says no word of TLS."""
    steady.custom(host="other.acme-test.com", ident="warm")

    def warm():
        with steady.agent() as agent:
            assert agent.request("GET", "/i/warm/any/-/echo/x").status == 200
    warm()
    before, hold, begun = upstream.connections_total, threading.Event(), [0]

    def silent(sock):
        begun[0] += 1
        hold.wait(60)
    upstream.greet = silent
    for number in range(1, 281):
        sock = connected(steady)
        sock.sendall(b"GET /i/acme/any/-/x HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for(lambda n=number: begun[0] >= n, "the connection to be begun")
        sock.close()
    descriptors = f"/proc/{steady.pids()['broker']}/fd"
    wait_for(lambda: len(os.listdir(descriptors)) < 60, "the connections to be given up")
    total = upstream.connections_total
    assert total == before + 280
    warm()
    assert upstream.connections_total == total, "the kept connection is still there"
    upstream.greet = upstream._greet
    hold.set()


def test_without_descriptors_the_broker_waits_for_some(steady):
    broker = steady.pids()["broker"]
    used = len(os.listdir(f"/proc/{broker}/fd"))
    subprocess.run(["prlimit", f"--pid={broker}", f"--nofile={used + 10}:"], check=True)
    socks = [connected(steady) for _ in range(40)]
    wait_for(lambda: "accept: Too many open files" in steady.log(), "the word on it")
    for sock in socks:
        sock.close()

    def serves():
        with steady.agent() as agent:
            return agent.request("GET", "/aivault/health").status == 200
    wait_for(serves, "a connection")
    assert steady.log().count("accept:") < 100
    subprocess.run(["prlimit", f"--pid={broker}", "--nofile=1024:"], check=True)


def test_daemon_takes_more_descriptors_than_the_usual(cold):
    cold.under = ["prlimit", "--nofile=256:4096"]
    cold.start()
    with open(f"/proc/{cold.pids()['broker']}/limits", encoding="ascii") as limits:
        line, = [line for line in limits if line.startswith("Max open files")]
    assert line.split()[3:5] == ["4096", "4096"]


@pytest.fixture
def silent_names(tmp_path):
    """Two name servers that never answer."""
    socks = []
    for address in ("10.255.255.53", "10.255.255.54"):
        subprocess.run(["ip", "addr", "add", address + "/32", "dev", "lo"], check=True)
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((address, 53))
        socks.append(sock)
    path = tmp_path / "resolv.conf"
    path.write_text("nameserver 10.255.255.53\nnameserver 10.255.255.54\n")
    path.chmod(0o644)
    subprocess.run(["mount", "--bind", str(path), "/etc/resolv.conf"], check=True)
    yield
    subprocess.run(["umount", "/etc/resolv.conf"], check=True)
    for sock in socks:
        subprocess.run(["ip", "addr", "del", sock.getsockname()[0] + "/32", "dev", "lo"], check=True)
        sock.close()


def test_silent_name_servers_stop_nobody_else(silent_names, acme, upstream):
    acme.custom(host="slow.acme-test.com", ident="slow")
    answers = []

    def ask():
        with acme.agent() as agent:
            response = agent.request("GET", "/i/slow/any/-/x")
            answers.append((response.status, response.reason))
    slow = threading.Thread(target=ask)
    slow.start()
    worst = 0.0
    with acme.agent() as agent:
        while slow.is_alive():
            began = time.monotonic()
            assert agent.request("GET", "/i/acme/any/-/echo/x").body
            worst = max(worst, time.monotonic() - began)
    assert answers == [(504, "upstream_connect_timeout")]
    assert worst < FREEZE_SECONDS
