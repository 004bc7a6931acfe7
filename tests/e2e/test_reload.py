# SPDX-License-Identifier: Apache-2.0
"""limits.conf read anew at SIGHUP: no call is lost, the next one meets the new limits."""

import signal
import threading

import pytest

from world import alive, wait_for

CHAT = "/i/openai/chat-completions/-/v1/chat/completions"
JSON = [("Content-Type", "application/json")]
READ = "limits read anew"
KEPT = "limits stay as they are"


def reload(world, text):
    """Writes limits.conf and sends SIGHUP; what the daemon said to it."""
    (world.root / "limits.conf").write_text(text)
    before = world.log().count(READ) + world.log().count(KEPT)
    world.daemon.send_signal(signal.SIGHUP)
    wait_for(lambda: world.log().count(READ) + world.log().count(KEPT) > before, "the reload")
    return [line for line in world.log().splitlines() if READ in line or KEPT in line][-1]


def models(agent):
    response = agent.request("GET", "/i/openai/models/-/v1/models")
    return response.status, response.body


def is_refused(world):
    with world.agent() as agent:
        response = agent.request("GET", "/aivault/health")
        if response.status == 200:
            return False
        assert response.status == 429 and response.json()["reason"] == "caller_connection_limit"
        return True


def test_streams_go_on_over_a_reload_and_the_next_connection_meets_the_limit(openai, upstream):
    upstream.gate = threading.Semaphore(0)
    agents = [openai.agent() for _ in range(8)]
    try:
        streams = [a.request("POST", CHAT, JSON, b'{"stream":true}') for a in agents]
        for stream in streams:
            stream.until(b"word1 ")
        pids = openai.pids()
        assert not is_refused(openai)
        assert READ in reload(openai, "max-per-caller = 8\n")
        wait_for(lambda: is_refused(openai), "the new limit")
        upstream.gate.release(100)
        assert all(s.body.endswith(b"data: [DONE]\n\n") for s in streams)
        assert [models(a)[0] for a in agents] == [200] * 8, "their connections stand"
        assert READ in reload(openai, "max-per-caller = 9\n")
        wait_for(lambda: not is_refused(openai), "the limit after that")
        assert openai.pids() == pids
    finally:
        for agent in agents:
            agent.close()


def test_call_that_runs_keeps_its_patience_and_the_next_one_has_the_new(openai, upstream):
    gate = threading.Semaphore(0)
    asked = threading.Semaphore(0)

    def wait(connection, request):
        asked.release()
        assert gate.acquire(timeout=60)
        connection.reply(200, {"ok": True})

    upstream.route("/v1/models", wait)
    first = []
    with openai.agent() as old, openai.agent() as new:
        thread = threading.Thread(target=lambda: first.append(models(old)))
        thread.start()
        assert asked.acquire(timeout=60)
        assert READ in reload(openai, "first-byte-timeout = 1\n")
        status, body = models(new)
        assert status == 504 and b"upstream_first_byte" in body
        assert thread.is_alive(), "the older call waits on"
        gate.release(2)
        thread.join(60)
    assert first == [(200, b'{"ok": true}')]


def test_calls_are_lost_in_none_of_many_reloads(openai, upstream):
    answers = [[] for _ in range(4)]

    def caller(to):
        with openai.agent() as agent:
            to.extend(models(agent)[0] for _ in range(60))

    threads = [threading.Thread(target=caller, args=[to]) for to in answers]
    for thread in threads:
        thread.start()
    count = 0
    while any(thread.is_alive() for thread in threads):
        count += 1
        assert READ in reload(openai, f"max-connections = {1000 + count}\nidle-timeout = 60\n")
    for thread in threads:
        thread.join()
    assert count >= 2
    assert answers == [[200] * 60] * 4
    assert len(upstream.requests) == 240


@pytest.mark.parametrize("text, said", [
    ("idle-timeout = 5\nmax-per-caller = none\n",
     "line 2: max-per-caller takes a number from 1 to 65536"),
    ("max-per-callers = 5\n", "line 1: there is no limit of that name"),
])
def test_bad_value_is_one_line_in_the_log_and_the_old_limits_stay(openai, text, said):
    assert READ in reload(openai, "max-per-caller = 1\n")
    with openai.agent() as agent:
        assert models(agent)[0] == 200
        wait_for(lambda: is_refused(openai), "the limit")
        lines = len(openai.log().splitlines())
        line = reload(openai, text)
        assert KEPT in line and said in line and "Correct the line" in line
        assert len(openai.log().splitlines()) == lines + 1
        assert is_refused(openai)
        assert models(agent)[0] == 200
    assert alive(openai.daemon.pid)


def test_limits_hold_for_a_broker_that_is_started_again(openai):
    assert READ in reload(openai, "max-per-caller = 1\n")
    old = openai.kill("broker")
    openai.wait_role("broker", other_than=old)

    def is_served():
        try:
            with openai.agent() as agent:
                return agent.request("GET", "/aivault/health").status == 200
        except OSError:
            return False
        except EOFError:
            return False

    wait_for(is_served, "the new broker")
    with openai.agent() as agent:
        assert models(agent)[0] == 200
        assert is_refused(openai)


def test_flag_stands_above_the_file(cold):
    cold.root.mkdir(mode=0o700)
    (cold.root / "limits.conf").write_text("max-per-caller = 5\n")
    cold.start("--max-per-caller", "1")
    cold.aivault("status").ok()
    with cold.agent() as agent:
        assert agent.request("GET", "/aivault/health").status == 200
        assert is_refused(cold)
        assert READ in reload(cold, "max-per-caller = 6\n")
        assert is_refused(cold)


def test_daemon_does_not_start_with_a_wrong_file(cold):
    cold.root.mkdir(mode=0o700)
    (cold.root / "limits.conf").write_text("idle-timeout = 0\n")
    process, said = cold.spawn_daemon()
    assert process.wait(60) == 1
    assert "line 1: idle-timeout takes a number from 1 to 86400" in said
    assert said.count("\n") == 1
