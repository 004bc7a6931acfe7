# SPDX-License-Identifier: Apache-2.0
"""AIVAULTD_DISABLE=1: a command with processes of its own, no daemon and no socket."""

import os
import signal

import pytest

from world import SECONDS, alive, wait_for

PROGRAMS = (b"aivaultd", b"aivault-keeper", b"aivault-broker", b"aivault-policy")


def processes(world):
    """Pids of this world's daemons and their children (which keep its AIVAULT_DIR or HOME)."""
    marks = (f"AIVAULT_DIR={world.root}".encode(), f"HOME={world.home}".encode())
    pids = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                name = os.path.basename(file.read().split(b"\0")[0])
            with open(f"/proc/{entry}/environ", "rb") as file:
                env = file.read().split(b"\0")
        except OSError:
            continue
        if name in PROGRAMS and any(m in env for m in marks) and alive(int(entry)):
            pids.append(int(entry))
    return pids


@pytest.fixture
def private(openai, upstream):
    """A vault with a key and no daemon; its commands run private ones."""
    assert openai.stop() == 0
    openai.extra_env = {"AIVAULTD_DISABLE": "1"}
    yield openai
    assert processes(openai) == []
    assert not openai.socket.exists() and not openai.operator_socket.exists()


def test_call_works_without_a_daemon_and_leaves_nothing(private, upstream):
    upstream.route("/v1/chat/completions", lambda c, r: c.reply(200, b"hello"))
    assert private.chat("{}").ok().text == "hello"
    assert processes(private) == []
    assert not private.socket.exists() and not private.operator_socket.exists()
    assert len(upstream.requests) == 1


def test_method_and_path_are_found_as_with_a_daemon(private, upstream):
    """Two connections, one after the other."""
    private.aivault("invoke", "openai/chat-completions", "--method", "POST", "--body", "{}").ok()
    assert len(upstream.requests) == 1


def test_streams_work(private, upstream):
    private.chat('{"stream":true}', "--stream").ok()


def test_operator_calls_work_and_are_audited(private, upstream):
    private.chat("{}").ok()
    status = private.aivault("status", "-v").ok().json()
    assert status["status"]["locked"] is False and "socket" not in status["daemon"]
    assert "private" in private.aivault("status").ok().text
    kinds = [r["kind"] for r in private.audit()]
    assert "invoke.allow" in kinds
    assert private.aivault("audit", "verify").ok().json()["ok"] is True
    private.aivault("secrets", "create", "--name", "OTHER", input="x" * 20).ok()
    assert "OTHER" in private.aivault("secrets", "list", "--output", "json").ok().text


def test_denial_is_a_denial(private, upstream):
    private.aivault("invoke", "openai/chat-completions", "--method", "PUT", "--path", "/").failed()
    assert upstream.requests == []


def test_running_daemon_is_named(openai, upstream):
    env = openai.env(AIVAULTD_DISABLE="1")
    for command in (("status",), ("invoke", "openai/models", "--method", "GET", "--path", "/v1/models")):
        result = openai.aivault(*command, env=env).failed()
        assert result.errors.startswith("aivault: "), result
        assert str(openai.daemon.pid) in result.errors, result
    assert upstream.requests == []
    openai.chat("{}").ok()


def test_no_vault_is_made(cold):
    env = cold.env(AIVAULTD_DISABLE="1")
    for command in (("status",), ("init",), ("secrets", "create", "--name", "A")):
        result = cold.aivault(*command, env=env, input="x" * 20).failed()
        assert result.errors.startswith("aivault: "), result
    assert not cold.root.exists()
    assert processes(cold) == []


def test_end_of_the_command_is_the_end_of_its_processes(private, upstream):
    """Also of one that is killed in the middle."""
    follower = private.popen("audit", "--follow")
    assert follower.stdout.readline()
    assert len(processes(private)) >= 2
    follower.send_signal(signal.SIGKILL)
    follower.wait(SECONDS)
    follower.stdout.close()
    follower.stderr.close()
    wait_for(lambda: processes(private) == [], "its processes to end")


def test_interrupted_command_ends_cleanly(private):
    follower = private.popen("audit", "--follow")
    assert follower.stdout.readline()
    follower.send_signal(signal.SIGINT)
    out, err = follower.communicate(timeout=SECONDS)
    assert follower.returncode == 0 and err == b""
    assert processes(private) == []


def test_switch_is_a_boolean(openai, upstream):
    openai.chat("{}", env=openai.env(AIVAULTD_DISABLE="0")).ok()
    assert openai.aivault("status", env=openai.env(AIVAULTD_DISABLE=" Yes ")).code == 1


def test_stop_and_restart_say_that_there_is_nothing(private):
    for command in ("stop", "restart"):
        result = private.aivault(command).failed()
        assert "AIVAULTD_DISABLE" in result.errors


def test_private_is_not_for_people(cold):
    process, _ = cold.spawn_daemon("--private")
    assert process.wait(SECONDS) == 2
