# SPDX-License-Identifier: Apache-2.0
"""The daemon's life: start, stop, second start, children that die, discovery and autostart."""

import os
import signal
import socket
import stat
import subprocess
import threading

import pytest

from world import BIN, SECONDS, VARIANT, alive, wait_for


def test_four_processes_run(world):
    assert sorted(world.pids()) == ["broker", "daemon", "judge", "keeper"]


def test_sockets_are_the_owners_alone(world):
    for path in (world.socket, world.operator_socket):
        mode = path.stat().st_mode
        assert stat.S_ISSOCK(mode) and mode & 0o777 == 0o600
    assert world.socket.parent.stat().st_mode & 0o777 == 0o700


def test_second_daemon_is_refused_and_names_the_first(openai, upstream):
    process, said = openai.spawn_daemon()
    assert process.wait(SECONDS) == 1
    assert str(openai.daemon.pid) in said, said
    openai.chat("{}").ok()


def test_second_daemon_on_another_socket_is_refused_by_the_vault(openai, upstream):
    other = openai.dir / "other"
    other.mkdir(mode=0o700)
    process, said = openai.spawn_daemon("--socket", str(other / "a.sock"))
    assert process.wait(SECONDS) == 1
    assert said not in ("", "ok\n"), said
    openai.chat("{}").ok()


def test_clean_stop_removes_sockets_and_children(openai):
    pids = openai.pids()
    assert openai.stop() == 0
    assert not openai.socket.exists() and not openai.operator_socket.exists()
    for role, pid in pids.items():
        assert not alive(pid), f"{role} is still there"


def test_stop_by_command_is_as_clean(openai, upstream):
    """SIGINT is a person's SIGTERM."""
    process = openai.daemon
    process.send_signal(signal.SIGINT)
    assert process.wait(SECONDS) == 0
    openai.daemon = None
    assert not openai.socket.exists()


def test_stale_socket_of_a_killed_daemon_is_replaced(openai, upstream):
    pids = openai.pids()
    openai.daemon.kill()
    openai.daemon.wait()
    openai.daemon = None
    wait_for(lambda: not any(map(alive, pids.values())), "the children to end with their parent")
    assert openai.socket.exists()
    openai.start()
    openai.chat("{}").ok()


def test_file_at_the_sockets_place_is_not_deleted(cold):
    cold.socket.parent.mkdir(parents=True, mode=0o700)
    cold.root.chmod(0o700)
    cold.socket.write_text("mine")
    process, said = cold.spawn_daemon()
    assert process.wait(SECONDS) == 1
    assert said != "ok\n" and str(cold.socket) in said, said
    assert cold.socket.read_text() == "mine"


@pytest.mark.parametrize("role", ["broker", "judge"])
def test_killed_child_comes_back_and_the_next_call_works(openai, upstream, role):
    openai.chat("{}").ok()
    keeper = openai.pids()["keeper"]
    dead = openai.kill(role)
    openai.wait_role(role, other_than=dead)
    openai.chat("{}").ok()
    assert len(upstream.requests) == 2
    assert openai.pids()["keeper"] == keeper
    openai.aivault("audit", "verify").ok()


def test_killed_children_come_back_again_and_again(openai, upstream):
    for _ in range(3):
        for role in ("judge", "broker"):
            dead = openai.kill(role)
            openai.wait_role(role, other_than=dead)
            openai.chat("{}").ok()
    assert len(upstream.requests) == 6


def test_killed_keeper_ends_the_daemon_with_a_message(openai, upstream):
    process, openai.expect_clean_stop = openai.daemon, False
    openai.kill("keeper")
    assert process.wait(SECONDS) != 0
    openai.daemon = None
    assert "keeper" in openai.log()
    assert not openai.socket.exists()
    openai.start()
    openai.chat("{}").ok()
    openai.aivault("audit", "verify").ok()


def test_call_without_a_daemon_says_so(cold):
    result = cold.aivault("invoke", "openai/models", "--method", "GET", "--path", "/v1/models",
                          env=cold.env(AIVAULTD_AUTOSTART="0")).failed()
    assert result.errors.startswith("aivault: "), result
    assert not cold.root.exists(), "a call never makes a vault"


def test_two_command_lines_at_once_start_one_daemon(cold):
    """Autostart: whoever comes second finds the first one's daemon."""
    env = cold.env(AIVAULTD_IDLE_EXIT="600")
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(cold.aivault("status", "-v", env=env)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    try:
        pids = {r.ok().json()["daemon"]["pid"] for r in results}
        assert len(results) == 2 and len(pids) == 1
        (pid,) = pids
        assert alive(pid)
        again = cold.aivault("status", "-v", env=env).ok().json()["daemon"]["pid"]
        assert again == pid
    finally:
        cold.autostarted()


def test_autostart_happens_once_and_serves_the_next_command(cold, upstream):
    value = "sk-" + "a1" * 20
    try:
        cold.aivault("secrets", "create", "--name", "OPENAI_API_KEY", input=value).ok()
        upstream.expect_auth = "Bearer " + value
        cold.chat("{}").ok()
        assert len(upstream.requests) == 1
    finally:
        assert len(cold.autostarted()) == 1
    assert not cold.socket.exists()


def test_autostart_can_be_switched_off(cold):
    for off in ("0", "no", "off", "nonsense"):
        cold.aivault("status", env=cold.env(AIVAULTD_AUTOSTART=off)).failed()
    assert not cold.socket.exists()


def test_explicit_socket_is_the_only_one_tried(openai):
    env = openai.env(AIVAULTD_SOCKET=str(openai.dir / "nowhere.sock"))
    openai.chat("{}", env=env).failed()


def test_socket_path_that_is_too_long_is_said(cold):
    long = "/tmp/" + "x" * 120 + "/a.sock"
    result = cold.aivault("status", env=cold.env(AIVAULTD_SOCKET=long)).failed()
    assert result.errors.startswith("aivault: ") and "10" in result.errors, result
    process, said = cold.spawn_daemon("--socket", long)
    assert process.wait(SECONDS) != 0
    assert said != "ok\n"


def test_sockets_peer_that_is_not_the_owner_gets_nothing(cold):
    """A socket that somebody else listens on: the command line sends no secret there."""
    if os.getuid() != 0 or open("/proc/self/uid_map", encoding="ascii").read().split()[2] == "1":
        pytest.skip("needs a second user")
    place = cold.dir / "open"
    place.mkdir(mode=0o755)
    os.chmod(cold.dir, 0o755)
    os.chmod(place, 0o777)
    ready, theirs = os.pipe()
    got, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgid(65534)
        os.setuid(65534)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(place / "operator.sock"))
        os.chmod(place / "operator.sock", 0o777)
        listener.listen()
        agent = socket.socket(socket.AF_UNIX)
        agent.bind(str(place / "aivaultd.sock"))
        os.chmod(place / "aivaultd.sock", 0o777)
        agent.listen()
        os.write(theirs, b"x")
        peer, _ = listener.accept()
        os.write(tell, peer.recv(65536))
        os._exit(0)
    os.close(tell)
    os.read(ready, 1)
    try:
        result = cold.aivault("secrets", "create", "--name", "OPENAI_API_KEY", input="sk-precious-key",
                              env=cold.env(AIVAULTD_SOCKET=str(place / "aivaultd.sock")))
        assert result.code == 1 and result.errors.startswith("aivault: "), result
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert b"sk-precious-key" not in os.read(got, 65536)
    for fd in (ready, theirs, got):
        os.close(fd)


def test_key_that_does_not_fit_is_refused(openai, upstream):
    openai.stop()
    key = openai.root / "kek.key"
    saved = key.read_bytes()
    import base64
    key.write_bytes(base64.b64encode(b"k" * 32))
    process, said = openai.spawn_daemon()
    try:
        if said == "ok\n":
            openai.daemon = process
            openai.chat("{}").failed()
            result = openai.aivault("secrets", "create", "--name", "B", input="x" * 20).failed()
            assert "key" in result.errors
            openai.stop()
        else:
            assert process.wait(SECONDS) == 1 and "key" in said, said
        assert upstream.requests == []
        assert key.read_bytes() == base64.b64encode(b"k" * 32), "a key file is never replaced"
    finally:
        key.write_bytes(saved)
    openai.start()
    openai.chat("{}").ok()


@pytest.mark.invariant
@pytest.mark.skipif(VARIANT == "dev", reason="the dev build is where the switches live")
@pytest.mark.parametrize("name,value", [
    ("AIVAULT_DEV_RESOLVE", "api.openai.com=127.0.0.1:1"), ("AIVAULT_DEV_CA_CERT_PATH", "/dev/null"),
    ("AIVAULT_DEV_ALLOW_NON_DEFAULT_PORTS", "1"), ("AIVAULT_DEV_HTTP1_ONLY", "0"),
])
def test_development_switches_are_refused(cold, name, value):
    process, said = cold.spawn_daemon(env=cold.env(**{name: value}))
    assert process.wait(SECONDS) != 0
    assert said != "ok\n" and name in said + cold.log()


def test_programs_say_their_version_and_help():
    for program in ("bin/aivault", "bin/aivaultd", "libexec/aivault-broker",
                    "libexec/aivault-keeper", "libexec/aivault-policy"):
        for flag in ("--version", "--help"):
            done = subprocess.run([BIN.parent / program, flag], stdin=subprocess.DEVNULL,
                                  capture_output=True, timeout=SECONDS, check=False)
            assert done.returncode == 0 and done.stdout, (program, flag, done)


def test_status_tells_where_things_are(world):
    status = world.aivault("status", "-v").ok().json()
    assert status["status"]["enabled"] is True and status["status"]["locked"] is False
    assert status["status"]["providerType"] == "file"
    assert len(status["status"]["kekId"]) == 64
    assert status["paths"]["rootDir"] == str(world.root)
    assert status["daemon"]["pid"] == world.daemon.pid
    assert world.aivault("status").ok().text


def test_init_makes_a_vault_once(cold):
    cold.start()
    first = cold.aivault("init", "--provider", "file").ok().json()
    assert cold.aivault("init", "--provider", "file").ok().json()["status"] == first["status"]
    assert (cold.root / "kek.key").stat().st_mode & 0o777 == 0o600
