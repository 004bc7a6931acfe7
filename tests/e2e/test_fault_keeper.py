# SPDX-License-Identifier: Apache-2.0
"""A keeper that lives and does not answer, as one does whose disk hangs: no call waits for ever."""

import contextlib
import signal
import subprocess

from world import BIN, SECONDS

MODELS = "/i/openai/models/-/v1/models"
SOON = [("Aivault-Timeout-Ms", "100")]


@contextlib.contextmanager
def silent_keeper(world):
    world.kill("keeper", signal.SIGSTOP)
    try:
        yield
    finally:
        world.kill("keeper", signal.SIGCONT)


def slow(response):
    assert response.status == 503 and response.reason == "keeper_slow", response.body
    assert "Nothing was sent" in response.json()["remedy"]


def test_call_that_is_not_released_in_its_time_is_told_so_and_never_sent(openai, upstream):
    with openai.agent() as agent:
        assert agent.request("GET", MODELS).body  # from here on it is known: release is what is asked
        with silent_keeper(openai):
            slow(agent.request("GET", MODELS, headers=SOON))
            slow(agent.request("GET", MODELS, headers=SOON))
        assert agent.request("GET", MODELS).status == 200
    late, sent = [], []
    for row in openai.ended(4):
        (late if row.get("reason") == "keeper_slow" else sent).append(row)
    assert len(late) == len(sent) == 2 and [row["status"] for row in sent] == [200, 200]
    assert all("status" not in row or row["status"] == 0 for row in late), late
    assert len(upstream.requests) == 2


def test_call_whose_capability_is_not_known_in_time_is_denied(openai, upstream):
    with openai.agent() as agent:
        with silent_keeper(openai):
            slow(agent.request("GET", MODELS, headers=SOON))
        assert agent.request("GET", MODELS).status == 200
    (denied,) = openai.audit_of("invoke.deny", 1)
    assert denied["reason"] == "keeper_slow" and denied["capability"] == "openai/models"
    assert len(upstream.requests) == 1


def test_what_may_be_called_is_not_waited_for_longer_than_the_keeper_is_given(openai):
    """Half a minute: `capability list` of an agent has no limit of its own."""
    with openai.agent() as agent, silent_keeper(openai):
        slow(agent.request("GET", "/aivault/capabilities"))
        assert agent.request("GET", "/aivault/health").json()["ok"] is True


def test_keeper_that_dies_after_it_was_given_up_ends_the_daemon_cleanly(openai, upstream):
    process, openai.expect_clean_stop = openai.daemon, False
    with openai.agent() as agent:
        assert agent.request("GET", MODELS).body
        openai.kill("keeper", signal.SIGSTOP)
        slow(agent.request("GET", MODELS, headers=SOON))
        openai.kill("keeper")
        assert process.wait(SECONDS) != 0
    openai.daemon = None
    openai.start()
    openai.chat("{}").ok()
    assert [r.path for r in upstream.requests] == ["/v1/models", "/v1/chat/completions"]


def test_operator_is_told_what_is_waited_for(openai):
    """Five seconds, and then until the keeper answers."""
    with silent_keeper(openai):
        command = subprocess.Popen([BIN / "aivault", "secrets", "list"], env=openai.env(),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        said = command.stderr.readline()
    assert said == "aivault: the daemon has not answered yet; still waiting (^C ends that)\n"
    out, errors = command.communicate(timeout=SECONDS)
    assert command.returncode == 0 and "OPENAI_API_KEY" in out and errors == ""
