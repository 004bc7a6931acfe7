# SPDX-License-Identifier: Apache-2.0
"""The invariants of the architecture, each by its number, on the binaries as they are shipped."""

import base64
import gzip
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time

import pytest

import memory
from upstream import pattern
from world import BIN, SANITIZED, SECONDS, alive, wait_for

pytestmark = pytest.mark.invariant

CHAT = "/i/openai/chat-completions/-/v1/chat/completions"


def encoded(world):
    return set().union(*(memory.forms(s.encode()) for s in world.secrets))


def work(world, upstream):
    """Calls of every kind, so that the key has been wherever it goes."""
    for _ in range(3):
        world.chat('{"messages":[]}').ok()
    upstream.stream_chunks = 20
    world.chat('{"stream":true}', "--stream").ok()
    world.aivault("invoke", "openai/chat-completions", "--method", "PUT", "--path", "/x").failed()


# ---- I1: no secret in the judge -----------------------------------------------------------------


def test_i1_no_secret_in_the_judge(openai, upstream):
    work(openai, upstream)
    judge = openai.pids()["judge"]
    assert memory.search(judge, {b"openai/chat-completions"}), "the search finds what is there"
    assert memory.search(judge, encoded(openai)) == []


def test_i1_judge_holds_no_key_even_after_a_restart_of_its_own(openai, upstream):
    work(openai, upstream)
    dead = openai.kill("judge")
    judge = openai.wait_role("judge", other_than=dead)
    openai.chat("{}").ok()
    kek = base64.b64decode((openai.root / "kek.key").read_bytes())
    assert memory.search(judge, encoded(openai) | memory.forms(kek)) == []


def test_i1_judge_has_no_descriptor_but_its_channels(openai, upstream):
    work(openai, upstream)
    judge = openai.pids()["judge"]
    kinds = {os.readlink(f"/proc/{judge}/fd/{fd}").split(":")[0]
             for fd in os.listdir(f"/proc/{judge}/fd") if int(fd) > 2}
    assert kinds <= {"socket", "anon_inode"}, kinds


# ---- I2: keys stay in the keeper ------------------------------------------------------------------


def test_i2_kek_is_in_no_process_but_the_keeper(openai, upstream):
    work(openai, upstream)
    text = (openai.root / "kek.key").read_bytes().strip()
    kek = base64.b64decode(text)
    assert len(kek) == 32
    needles = {kek, text, kek.hex().encode()}
    pids = openai.pids()
    for role in ("daemon", "judge", "broker"):
        assert memory.search(pids[role], needles) == [], role


def test_i2_supervisor_never_holds_a_secret(openai, upstream):
    work(openai, upstream)
    assert memory.search(openai.pids()["daemon"], encoded(openai)) == []


@pytest.mark.skipif(SANITIZED, reason="the sanitizer keeps freed memory")
def test_i2_broker_wipes_its_copies(openai, upstream):
    work(openai, upstream)
    openai.ended(4)
    found = memory.search(openai.pids()["broker"], {openai.key.encode()})
    assert found == [], f"{len(found)} copies: {found}"


@pytest.mark.skipif(SANITIZED, reason="the sanitizer keeps freed memory")
def test_i2_broker_wipes_answers_that_give_the_key_back(acme, upstream):
    """As they are, coded, in chunks: each is the last thing that the broker has read."""
    plain = b"you sent " + acme.key.encode() + b" to me"

    def coded(connection, request):
        connection.reply(200, gzip.compress(plain), [("Content-Encoding", "gzip")], "text/plain")

    def chunks(connection, request):
        connection.chunked_head()
        for at in range(0, len(plain), 7):
            connection.chunk(plain[at:at + 7])
        connection.chunk_end()
    upstream.route("/plain", lambda c, r: c.reply(200, plain, [("X-Key", acme.key)], "text/plain"))
    upstream.route("/coded", coded)
    upstream.route("/chunks", chunks)
    for n, path in enumerate(("/plain", "/coded", "/chunks")):
        result = acme.aivault("invoke", "acme/any", "--method", "GET", "--path", path).ok()
        assert b"*" * len(acme.key) in result.out
        acme.ended(n + 1)
        found = memory.search(acme.pids()["broker"], {acme.key.encode()})
        assert found == [], f"{path}: {len(found)} copies: {found}"


@pytest.mark.skipif(SANITIZED, reason="the sanitizer keeps freed memory")
@pytest.mark.parametrize("name,capability,method,path", [
    ("TELEGRAM_BOT_TOKEN", "telegram/get-me", "POST", "/getMe"),
    ("MAILGUN_API_KEY", "mailgun/sending", "GET", "/v3/x/messages"),
    ("TRELLO_API_KEY", "trello/boards", "GET", "/1/boards/x"),
], ids=["in_the_path", "basic", "in_the_query"])
def test_i2_broker_wipes_the_key_wherever_it_goes(world, upstream, name, capability, method, path):
    value, _ = world.store(name)
    if name == "TRELLO_API_KEY":
        world.store("TRELLO_TOKEN")
    world.aivault("invoke", capability, "--method", method, "--path", path).ok()
    world.ended(1)
    assert len(upstream.requests) == 1
    form = base64.b64encode(b"api:" + value.encode()) if name == "MAILGUN_API_KEY" else value.encode()
    assert form in upstream.requests[0].raw_head, "the search knows what to look for"
    found = memory.search(world.pids()["broker"], {value.encode(), form})
    assert found == [], f"{len(found)} copies: {found}"


@pytest.mark.skipif(SANITIZED, reason="the sanitizer makes locking do nothing")
def test_i2_keeper_locks_memory(openai):
    with open(f"/proc/{openai.pids()['keeper']}/status", encoding="ascii") as file:
        locked = [line.split()[1] for line in file if line.startswith("VmLck:")]
    assert int(locked[0]) > 0


def test_i2_no_secret_in_arguments_or_environment(cold, upstream):
    key = base64.b64encode(os.urandom(32)).decode()
    cold.start(env=cold.env(AIVAULT_KEY=key, SSLKEYLOGFILE=str(cold.dir / "tls.log"),
                            OPENSSL_CONF="/nowhere", LD_PRELOAD="", MY_TOKEN="hush-hush"))
    cold.key, _ = cold.store("OPENAI_API_KEY")
    cold.chat("{}").ok()
    for role, pid in cold.pids().items():
        assert cold.key.encode() not in memory.arguments(pid)
        assert cold.key.encode() not in memory.environment(pid)
        if role == "daemon":
            continue  # its own environment is its parent's gift
        names = {e.split(b"=")[0] for e in memory.environment(pid).split(b"\0") if e}
        assert not names & {b"SSLKEYLOGFILE", b"OPENSSL_CONF", b"LD_PRELOAD", b"MY_TOKEN"}, role
        if role != "keeper":
            assert b"AIVAULT_KEY" not in names, role
    assert not (cold.dir / "tls.log").exists()


@pytest.mark.skipif(SANITIZED, reason="the sanitizer builds leave debugging open")
def test_i2_processes_leave_no_core(openai):
    for role, pid in openai.pids().items():
        with open(f"/proc/{pid}/limits", encoding="ascii") as file:
            line = next(x for x in file if x.startswith("Max core file size"))
        if role != "daemon":
            assert line.split()[4:6] == ["0", "0"], (role, line)


# ---- I3: no release without a record --------------------------------------------------------------


def test_i3_no_release_without_a_record(cold, upstream):
    """A full disk: what cannot be recorded is not sent, and what was sent was recorded."""
    cold.root.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m,mode=0700", "none", cold.root], check=True)
    cold.mounted = True
    cold.start()
    cold.store("OPENAI_API_KEY")
    cold.chat("{}").ok()
    with open(cold.root / "fill", "wb", buffering=0) as fill:
        for size in (65536, 4096, 512):
            try:
                while True:
                    fill.write(b"\0" * size)
            except OSError:
                pass
    done, refused = 1, []
    for _ in range(400):
        result = cold.chat("{}")
        if result.code == 0:
            done += 1
            assert not refused, "no call works between two that could not be recorded"
            continue
        refused.append(result)
        if len(refused) == 3:
            break
    assert len(refused) == 3, "the disk is full, but every call went through"
    for result in refused:
        assert result.errors.startswith("aivault: vault_unavailable: "), result
    assert len(upstream.requests) == done
    (cold.root / "fill").unlink()
    cold.chat("{}").ok()
    rows = cold.audit_of("invoke.allow", done + 1)
    assert len(rows) == done + 1 == len(upstream.requests)
    cold.aivault("audit", "verify").ok()


def test_i3_decision_is_durable_before_the_request_leaves(openai, upstream):
    """At the moment that the upstream has the request everything is killed: the row is there."""
    arrived, killed = threading.Event(), threading.Event()

    def hold(connection, request):
        arrived.set()
        assert killed.wait(SECONDS)
        connection.drop()

    upstream.route("/v1/chat/completions", hold)
    process = openai.popen("invoke", "openai/chat-completions", "--method", "POST", "--path",
                           "/v1/chat/completions", "--body", "{}")
    assert arrived.wait(SECONDS)
    openai.expect_clean_stop = False
    pids = openai.pids()
    assert {os.getpgid(pid) for pid in pids.values()} == {openai.daemon.pid}
    os.killpg(openai.daemon.pid, signal.SIGKILL)  # all at once: none is left to end by itself
    killed.set()
    process.communicate(timeout=SECONDS)
    openai.daemon.wait()
    openai.daemon = None
    wait_for(lambda: not any(map(alive, pids.values())), "all processes to be gone")
    openai.start()
    (row,) = openai.audit_of("invoke.allow", 1)
    assert row["path"] == "/v1/chat/completions"
    openai.aivault("audit", "verify").ok()


# ---- I4: deny is zero -------------------------------------------------------------------------------


def test_i4_silent_judge_is_a_denial_and_is_replaced(openai, upstream):
    openai.chat("{}").ok()
    before = len(upstream.requests)
    stopped = openai.kill("judge", signal.SIGSTOP)
    with openai.agent() as agent:
        response = agent.request("POST", CHAT, body=b"{}")
        assert response.status in (403, 503) and response.reason
    assert len(upstream.requests) == before
    openai.wait_role("judge", other_than=stopped)
    openai.chat("{}").ok()
    assert len(upstream.requests) == before + 1
    assert openai.audit_of("invoke.deny", 1)


def test_i4_killed_judge_never_lets_a_call_through_unjudged(openai, upstream):
    """Calls while the judge is being killed: each is answered, and each that was sent was allowed."""
    stop = threading.Event()

    def killer():
        while not stop.is_set():
            judge = openai.pids().get("judge")
            if judge:
                os.kill(judge, signal.SIGKILL)
                wait_for(lambda: openai.pids().get("judge") not in (None, judge) or stop.is_set(),
                         "a new judge")
            stop.wait(0.5)  # ten restarts in a minute are the supervisor's limit

    thread = threading.Thread(target=killer)
    thread.start()
    codes = []
    end = time.monotonic() + 4
    try:
        while time.monotonic() < end and len(codes) < 300:
            with openai.agent() as agent:
                response = agent.request("POST", CHAT, body=b"{}")
                assert response.status in (200, 403, 503), response.body
                codes.append(response.status)
                assert response.body
            stop.wait(0.01)
    finally:
        stop.set()
        thread.join()
    assert codes.count(200) == len(upstream.requests)
    assert len(openai.audit_of("invoke.allow", len(upstream.requests))) == len(upstream.requests)


def test_i4_no_vault_no_call(cold, upstream):
    cold.start()
    with cold.agent() as agent:
        response = agent.request("POST", CHAT, body=b"{}")
        assert response.status >= 400 and response.reason
    assert upstream.connections == 0


# ---- I5: what was checked is what is sent -----------------------------------------------------------


@pytest.mark.parametrize("given,sent", [
    ("/echo", "/echo"),
    ("/echo?", None),
    ("/echo/a;b=1,c@d:e!$&'()*+", "/echo/a;b=1,c@d:e!$&'()*+"),
    ("/echo/%7euser/%41", "/echo/~user/A"),
    ("/echo/%e2%82%ac", "/echo/%E2%82%AC"),
    ("/echo/a%20b", "/echo/a%20b"),
    ("/echo?a=1&a=2&b", "/echo?a=1&a=2&b"),
    ("/echo?q=%2f%3a+x%20y&z=%7e", "/echo?q=%2F%3A+x%20y&z=~"),
    ("/echo?u=https://x/y?z", "/echo?u=https://x/y?z"),
    ("/echo/...", "/echo/..."),
    ("/echo/.hidden", "/echo/.hidden"),
])
def test_i5_exact_target_bytes(acme, upstream, given, sent):
    with acme.agent() as agent:
        response = agent.request("GET", "/i/acme/any/-" + given)
        assert response.status == 200, response.body
        assert response.body
    (request,) = upstream.requests
    assert request.target == sent or (sent is None and request.target in ("/echo", "/echo?"))


@pytest.mark.parametrize("target", [
    b"/echo/../x", b"/echo/..", b"/echo/./x", b"/echo/%2e%2e/x", b"/echo/.%2e/x", b"/echo/%2E/x",
    b"/echo//x", b"//echo", b"/echo\\x", b"/echo/..\\x", b"/echo%2fx", b"/echo%5cx", b"/echo%00",
    b"/echo/%252e%252e/x", b"/echo/%252fx", b"/echo/%255cx", b"/echo#x", b"/echo/%zz", b"/echo/%4",
    b"/echo/%ff", b"/echo/%c0%ae", b"/echo/\xc3\xa9", b"/echo/\x01", b"/echo/\x7f", b"/echo\tx",
    b"/echo?a=%00", b"/echo?a=%zz", b"/echo?a=#b", b"/echo?a=\xff", b"/echo?a=%ff",
])
def test_i5_ambiguous_target_is_refused(acme, upstream, target):
    with acme.agent() as agent:
        response = agent.request("GET", b"/i/acme/any/-" + target)
        assert 400 <= response.status < 500, response.body
        assert response.header("aivault-error"), response.headers
    assert upstream.requests == []


def test_i5_path_on_the_command_line_is_the_same_canonical_form(acme, upstream):
    acme.aivault("invoke", "acme/any", "--method", "GET", "--path", "/echo/%7ex?q=%2f").ok()
    assert upstream.requests[0].target == "/echo/~x?q=%2F"
    acme.aivault("invoke", "acme/any", "--method", "GET", "--path", "/echo/../x").failed()
    assert len(upstream.requests) == 1


def test_i5_method_and_headers_cannot_be_smuggled(acme, upstream):
    for name in ("x-http-method-override", "x-original-url", "transfer-encoding", "host"):
        for value in ("DELETE", "a\r\nX-Evil: 1", "a\nX-Evil: 1"):
            acme.aivault("invoke", "acme/any", "--method", "POST", "--path", "/echo",
                         "--header", f"{name}={value}", "--body", "x")
    acme.aivault("invoke", "acme/any", "--method", "GET", "--path", "/echo",
                 "--header", "x-a=1\r\nX-Evil: 1").failed()
    for request in upstream.requests:
        assert request.method == "POST" and request.body == b"x"
        assert request.header("x-evil", None) is None
        assert request.header("x-http-method-override", None) is None
        assert request.header("x-original-url", None) is None
        assert request.header_all("host") == ["api.acme-test.com"]


# ---- I6: the caller never chooses where -------------------------------------------------------------


@pytest.mark.parametrize("host", [
    "private.acme-test.com", "loop.acme-test.com", "metadata.acme-test.com", "cgnat.acme-test.com",
    "six.acme-test.com", "six-loop.acme-test.com",
])
def test_i6_caller_never_chooses_where(world, upstream, host):
    """A name that resolves inside: the address is checked after DNS, no connection is made."""
    ident = host.split(".")[0]
    world.custom(host, ident)
    result = world.aivault("invoke", f"{ident}/any", "--method", "GET", "--path", "/echo").failed()
    assert result.errors.startswith("aivault: "), result
    assert upstream.connections == 0
    (row,) = world.ended(1)
    assert row["host"] == host and row["reason"] and "status" not in row


def test_i6_public_address_is_connected_to(world, upstream):
    """The other half of the test above: the same set-up with a public address is served."""
    world.custom("other.acme-test.com", "other")
    world.aivault("invoke", "other/any", "--method", "GET", "--path", "/echo").ok()
    assert upstream.connections == 1


def test_i6_host_header_of_the_agent_means_nothing(acme, upstream):
    with acme.agent() as agent:
        assert agent.request("GET", "/i/acme/any/-/echo", host="other.acme-test.com").status == 200
    assert upstream.requests[0].header_all("host") == ["api.acme-test.com"]


def test_i6_proxies_of_the_environment_are_not_used(cold, upstream):
    proxy = socket.create_server(("127.0.0.1", 0))
    proxy.settimeout(0)
    url = f"http://127.0.0.1:{proxy.getsockname()[1]}"
    names = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
    cold.start(env=cold.env(**{n: url for n in names}))
    cold.store("OPENAI_API_KEY")
    cold.chat("{}").ok()
    assert len(upstream.requests) == 1
    with pytest.raises(BlockingIOError):
        proxy.accept()
    proxy.close()


def test_i6_redirect_moves_nothing(acme, upstream):
    upstream.route("/away", lambda c, r: c.reply(
        307, b"", [("Location", "https://other.acme-test.com/echo")]))
    with acme.agent() as agent:
        assert agent.request("POST", "/i/acme/any/-/away", body=b"x").status == 307
    assert [r.target for r in upstream.requests] == ["/away"]


# ---- I7: the daemon opens no file for a caller --------------------------------------------------------


def test_i7_body_file_is_opened_by_the_command_line(acme, upstream):
    """The path names a descriptor that only the command line has."""
    data = pattern(200_000, "pipe")
    reader, writer = os.pipe()

    def fill():
        with open(writer, "wb") as pipe:
            pipe.write(data)

    thread = threading.Thread(target=fill)
    thread.start()
    acme.aivault("invoke", "acme/any", "--method", "POST", "--path", "/echo",
                 "--body-file-path", f"/dev/fd/{reader}", pass_fds=[reader]).ok()
    os.close(reader)
    thread.join()
    assert upstream.requests[0].body == data


def test_i7_body_file_is_relative_to_the_callers_directory(acme, upstream):
    (acme.home / "body.bin").write_bytes(b"from here")
    acme.aivault("invoke", "acme/any", "--method", "POST", "--path", "/echo",
                 "--body-file-path", "body.bin", cwd=acme.home).ok()
    assert upstream.requests[0].body == b"from here"
    acme.aivault("invoke", "acme/any", "--method", "POST", "--path", "/echo",
                 "--body-file-path", "absent").failed()
    assert len(upstream.requests) == 1


def test_i7_daemon_opens_no_file_that_a_caller_names(acme, upstream):
    """The file is a pipe: whoever opened it would be held there, and would let our writer in."""
    pipe = acme.dir / "pipe"
    os.mkfifo(pipe)
    call = {"method": "POST", "path": "/echo"}
    for more in ({"bodyFilePath": str(pipe)}, {"body": "x", "bodyFilePath": str(pipe)},
                 {"multipartFiles": [{"field": "f", "path": str(pipe)}]}):
        with acme.agent() as agent:
            response = agent.request("POST", "/aivault/proxy", [("Content-Type", "application/json")],
                                     body=json.dumps({"capability": "acme/any", "request": call | more}).encode())
            assert response.status == 400 and response.reason, (more, response.body)
        with pytest.raises(OSError):
            os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    assert upstream.requests == []


# ---- I8: only the owner operates ------------------------------------------------------------------------


def test_i8_another_user_cannot_operate(openai, upstream):
    if open("/proc/self/uid_map", encoding="ascii").read().split()[2] == "1":
        pytest.skip("needs a second user")
    for path, mode in ((openai.dir, 0o755), (openai.root, 0o755), (openai.socket.parent, 0o755),
                       (openai.operator_socket, 0o666), (openai.socket, 0o666)):
        os.chmod(path, mode)
    env = openai.env(HOME="/nonexistent", AIVAULTD_SOCKET=str(openai.socket), AIVAULT_DIR=None)
    # The build may stand in a directory that only its owner may enter.
    program = shutil.copy(BIN / "aivault", openai.dir / "aivault")

    def become():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)

    for args in (["secrets", "list"], ["audit"], ["status"],
                 ["capability", "disable", "openai/chat-completions"],
                 ["capability", "create", "mine/any", "--credential", "openai", "--method", "GET",
                  "--path", "/", "--host", "api.openai.com"]):
        done = subprocess.run([program, *args], env=env, preexec_fn=become, cwd="/",
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False)
        assert done.returncode == 1, (args, done)
        assert done.stderr.startswith(b"aivault: operator_auth_required: "), (args, done)
        assert b"OPENAI_API_KEY" not in done.stdout
    openai.chat("{}").ok()


def test_i8_operator_calls_do_not_work_on_the_agent_socket(openai):
    for target in ("/operator", "/aivault/secrets", "/secrets", "/aivault/audit", "/aivault/status"):
        with openai.agent() as agent:
            assert agent.request("GET", target).status in (400, 403, 404, 405)


# ---- I9: never sent twice -------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"{}", b"", b"x" * 100_000], ids=["small", "empty", "large"])
def test_i9_never_sent_twice(acme, upstream, body):
    """The upstream takes a request on a kept connection, then closes it unanswered: libcurl would
    send it again on a new one."""
    upstream.route("/act", lambda c, r: c.drop())
    with acme.agent() as agent:
        assert agent.request("GET", "/i/acme/any/-/echo").status == 200
    with acme.agent() as agent:
        response = agent.request("POST", "/i/acme/any/-/act", body=body)
        assert response.status == 502 and response.reason
    with acme.agent() as agent:
        assert agent.request("GET", "/i/acme/any/-/echo").status == 200
    acts = [r for r in upstream.requests if r.path == "/act"]
    assert len(acts) == 1
    assert acts[0].number == 2, "it went over the kept connection"


def test_i9_get_is_not_sent_twice_either(acme, upstream):
    upstream.route("/act", lambda c, r: c.drop())
    acme.aivault("invoke", "acme/any", "--method", "GET", "--path", "/echo").ok()
    acme.aivault("invoke", "acme/any", "--method", "GET", "--path", "/act").failed()
    assert len([r for r in upstream.requests if r.path == "/act"]) == 1


def test_i9_connection_that_closed_while_idle_is_no_reason_to_fail(acme, upstream):
    upstream.route("/last", lambda c, r: (c.reply(200, {"ok": True}), c.drop()))
    acme.aivault("invoke", "acme/any", "--method", "GET", "--path", "/last").ok()
    wait_for(lambda: not upstream.live, "the upstream to have closed")
    acme.aivault("invoke", "acme/any", "--method", "GET", "--path", "/echo").ok()
    assert len(upstream.requests) == 2


# ---- I10: faults stay local ---------------------------------------------------------------------------


def edit(world, statement, values=()):
    """Somebody changes the database from outside while the daemon is stopped; how many rows."""
    assert world.stop() == 0, world.log()
    db = sqlite3.connect(world.root / "vault.db")
    count = db.execute(statement, values).rowcount
    db.commit()
    db.close()
    world.start()
    return count


def test_i10_changed_rows_disable_themselves_and_nothing_else(world, upstream):
    good, bad = world.custom(ident="good"), world.custom(ident="bad", host="other.acme-test.com")
    assert edit(world, "UPDATE credentials SET body = CAST(body || x'00' AS BLOB) WHERE id = 'bad'") == 1
    with world.agent() as agent:
        response = agent.request("GET", "/i/bad/any/-/echo")
        assert response.status >= 400 and response.reason == "credential_row_changed", response.body
    world.aivault("invoke", "good/any", "--method", "GET", "--path", "/echo").ok()
    assert upstream.saw(good) and not upstream.saw(bad)
    assert [r.header_all("host") for r in upstream.requests] == [["api.acme-test.com"]]
    world.store("LATER")
    world.aivault("audit", "verify").ok()


def test_i10_stored_value_that_does_not_open_stops_its_calls_alone(world, upstream):
    good, bad = world.custom(ident="good"), world.custom(ident="bad", host="other.acme-test.com")
    meta = world.aivault("secrets", "list", "-v").ok().json()
    (secret,) = [s for s in meta if s["name"] == "BAD_KEY"]
    assert edit(world, "UPDATE secret_values SET value = zeroblob(length(value)) WHERE id = ?",
                [secret["secretId"]]) == 1
    world.aivault("invoke", "bad/any", "--method", "GET", "--path", "/echo").failed()
    assert upstream.connections == 0
    world.aivault("invoke", "good/any", "--method", "GET", "--path", "/echo").ok()
    assert upstream.saw(good) and not upstream.saw(bad)


# ---- I11: pins hold in the keeper -----------------------------------------------------------------------


@pytest.mark.parametrize("provider,host", [
    ("acme", "api.acme-test.com"), ("openai", "api.acme-test.com"), ("acme", "api.openai.com"),
])
def test_i11_pinned_secret_is_refused_for_other_hosts(openai, upstream, provider, host):
    made = openai.aivault(
        "credential", "create", "thief", "--provider", provider, "--auth", "header", "--host", host,
        "--secret-ref", "vault:secret:" + openai.secret["secretId"])
    assert made.code in (1, 2) and made.errors.startswith("aivault: "), made
    listed = openai.aivault("credential", "list", "-v").ok().json()["credentials"]
    assert "thief" not in [c["id"] for c in listed]
    openai.aivault("capability", "create", "thief/any", "--credential", "openai", "--method", "GET",
                   "--path", "/", "--host", "api.acme-test.com")
    for args in ([], ["--credential", "openai"], ["--credential", "thief"]):
        openai.aivault("invoke", "thief/any", "--method", "GET", "--path", "/echo", *args).failed()
    assert upstream.requests == []


def test_i11_secret_of_one_credential_is_not_for_anothers_capability(openai, upstream):
    key = openai.custom()
    result = openai.aivault("invoke", "acme/any", "--credential", "openai", "--method", "GET",
                            "--path", "/echo").failed()
    assert result.errors.startswith("aivault: ")
    openai.aivault("invoke", "openai/models", "--credential", "acme", "--method", "GET",
                   "--path", "/v1/models").failed()
    assert not upstream.saw(openai.key) and not upstream.saw(key)


# ---- I12: custom reach needs the operator: capabilities made on the command line -----------------------


def test_i12_making_a_capability_is_the_operators_act_and_is_recorded(world, upstream):
    world.custom(ident="narrow", methods=["GET"], paths=["/echo"])
    (row,) = world.audit_of("capability.create", 1)
    assert row["capability"] == "narrow/any" and row["caller"]["uid"] == os.getuid()
    world.restart()
    world.aivault("invoke", "narrow/any", "--method", "GET", "--path", "/echo").ok()
    world.aivault("capability", "create", "narrow/any", "--credential", "narrow", "--method", "POST",
                  "--path", "/").failed()
    world.aivault("invoke", "narrow/any", "--method", "POST", "--path", "/echo", "--body", "x").failed()
    assert [(r.method, r.path) for r in upstream.requests] == [("GET", "/echo")]


def test_i12_agents_cannot_make_or_widen_a_capability(world, upstream):
    world.custom(ident="narrow", methods=["GET"], paths=["/echo"])
    before = world.aivault("capability", "list", "-v").ok().json()
    wide = {"id": "narrow/any", "credential": "narrow", "methods": ["POST"], "paths": ["/"]}
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for target in ("/aivault/capabilities", "/aivault/capabilities/narrow/any",
                       "/aivault/capabilities/wide/any", "/i/narrow/any"):
            with world.agent() as agent:
                response = agent.request(method, target, [("Content-Type", "application/json")],
                                         body=json.dumps(wide).encode())
                assert 400 <= response.status < 500, (method, target, response.body)
    # The operator's own message, on the agents' socket.
    args = json.dumps(wide | {"id": "wide/any"}).encode()
    texts = b"".join(len(t).to_bytes(4, "little") + t for t in (b"capability.create", args, b""))
    payload = (1).to_bytes(4, "little") + texts
    with world.agent() as agent:
        agent.send(len(payload).to_bytes(4, "little") + b"\x01\0\0\0" + payload + b"\r\n\r\n")
        assert agent.read_until(b"\r\n").startswith(b"HTTP/1.1 400 ")
    assert world.aivault("capability", "list", "-v").ok().json() == before
    with world.agent() as agent:
        assert agent.request("POST", "/i/narrow/any/-/echo", body=b"x").status == 403
    with world.agent() as agent:
        assert agent.request("GET", "/i/wide/any/-/echo").status == 404
    assert upstream.requests == []


@pytest.mark.parametrize("statement,target", [
    ("UPDATE capabilities SET body = :wide WHERE id = 'narrow/any'", "/i/narrow/any/-/away"),
    ("INSERT INTO capabilities SELECT 'wide/any', row_version, :wide, mac FROM capabilities",
     "/i/wide/any/-/away"),
    ("INSERT INTO capabilities SELECT 'wide/any', row_version, body, mac FROM capabilities",
     "/i/wide/any/-/echo"),
], ids=["widened", "invented", "copied"])
def test_i12_row_that_the_operator_did_not_make_reaches_nothing(world, upstream, statement, target):
    world.custom(ident="narrow", methods=["GET"], paths=["/echo"])
    with world.agent() as agent:
        assert agent.request("GET", "/i/narrow/any/-/echo").status == 200
    db = sqlite3.connect(world.root / "vault.db")
    (body,) = db.execute("SELECT body FROM capabilities WHERE id = 'narrow/any'").fetchone()
    db.close()
    wide = body.replace(b"/echo", b"/away")
    assert wide != body
    assert edit(world, statement, {"wide": wide} if ":wide" in statement else {}) == 1
    for path in (target, "/i/narrow/any/-/away"):
        with world.agent() as agent:
            response = agent.request("GET", path)
            assert response.status >= 400 and response.header("aivault-error"), response.body
    assert len(upstream.requests) == 1


def test_i12_files_beside_the_vault_add_nothing(world, upstream):
    world.custom(ident="acme")
    before = world.aivault("capability", "list", "-v").ok().json()
    script = """return provider 'wide' { secrets = { ACME_KEY = 'secret' }, hosts = { 'api.acme-test.com' },
  auth = auth.header('authorization', 'Bearer {{secret}}'),
  capability 'any' { methods = { 'GET' }, paths = { '/' } } }"""
    for base in (world.root, world.home / ".aivault", world.dir):
        for name in ("capabilities", "providers", "policies", "scripts"):
            (base / name).mkdir(parents=True, exist_ok=True)
            (base / name / "wide.lua").write_text(script)
    world.restart()
    assert world.aivault("capability", "list", "-v").ok().json() == before
    with world.agent() as agent:
        assert agent.request("GET", "/i/wide/any/-/echo").status == 404
    assert upstream.requests == []


def test_i12_edited_row_is_refused(acme, upstream):
    """Somebody edits the database: the host of a credential, in whatever table it stands."""
    acme.aivault("invoke", "acme/any", "--method", "GET", "--path", "/echo").ok()
    acme.stop()
    before = len(upstream.requests)
    changed = 0
    db = sqlite3.connect(acme.root / "vault.db")
    tables = [r[0] for r in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in tables:
        if "event" in table:
            continue
        for _, column, *_ in list(db.execute(f'PRAGMA table_info("{table}")')):
            for (value,) in list(db.execute(f'SELECT "{column}" FROM "{table}"')):
                old, new = b"api.acme-test.com", b"ape.acme-test.com"
                if isinstance(value, bytes) and old in value:
                    edited = value.replace(old, new)
                elif isinstance(value, str) and old.decode() in value:
                    edited = value.replace(old.decode(), new.decode())
                else:
                    continue
                changed += db.execute(
                    f'UPDATE "{table}" SET "{column}" = ? WHERE "{column}" = ?', (edited, value)
                ).rowcount
    db.commit()
    db.close()
    assert changed, "no row names the host: the test looks at the wrong place"
    with open("/etc/hosts", "a", encoding="ascii") as file:
        file.write("93.184.216.41 ape.acme-test.com\n")
    process, said = acme.spawn_daemon()
    if said == "ok\n":
        acme.daemon = process
        acme.aivault("invoke", "acme/any", "--method", "GET", "--path", "/echo").failed()
    else:
        process.wait(SECONDS)
    assert len(upstream.requests) == before
    assert upstream.connections <= before, "no connection to the new host either"


# ---- I13: reach is checked in C -------------------------------------------------------------------------------


@pytest.mark.parametrize("method,path,reason", [
    ("GET", "/echo/deep", ""),
    ("GET", "/echo", ""),
    ("GET", "/echoX", "path_not_allowed"),
    ("GET", "/Echo", "path_not_allowed"),
    ("GET", "/ech", "path_not_allowed"),
    ("GET", "/", "path_not_allowed"),
    ("GET", "/%65cho/x", ""),
    ("POST", "/echo", "method_not_allowed"),
    ("HEAD", "/echo", "method_not_allowed"),
    ("OPTIONS", "/echo", "method_not_allowed"),
])
def test_i13_reach_is_checked(world, upstream, method, path, reason):
    world.custom(ident="narrow", methods=["GET"], paths=["/echo"])
    with world.agent() as agent:
        response = agent.request(method, "/i/narrow/any/-" + path)
        if reason:
            assert response.status == 403
            if method != "HEAD":
                assert response.reason == reason
        else:
            assert response.status == 200 and response.body
    assert len(upstream.requests) == (0 if reason else 1)


def test_i13_capability_without_a_script_is_checked_with_the_judge_gone(world, upstream):
    """A capability made by command line has no script: C alone keeps it in."""
    world.custom(ident="narrow", methods=["GET"], paths=["/echo"])
    world.kill("judge", signal.SIGSTOP)
    with world.agent() as agent:
        response = agent.request("POST", "/i/narrow/any/-/echo", body=b"x")
        assert response.status == 403 and response.reason == "method_not_allowed"
    assert upstream.requests == []
    os.kill(world.pids()["judge"], signal.SIGCONT)
