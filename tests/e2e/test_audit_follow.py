# SPDX-License-Identifier: Apache-2.0
"""`audit --follow` shows rows as they are written; `audit export` and `audit stats` show all."""

import json
import signal
import time

import pytest

from world import SECONDS, alive


class Follower:
    def __init__(self, world, *args):
        self.process = world.popen("audit", "--follow", *args)

    def row(self):
        """The next one; reading blocks until it is there."""
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        return json.loads(line)

    def until(self, kind):
        while True:
            row = self.row()
            if row["kind"] == kind:
                return row

    def end(self, sig=signal.SIGINT):
        self.process.send_signal(sig)
        return self.process.wait(SECONDS)


@pytest.fixture
def follow(openai):
    running = []

    def start(*args):
        running.append(Follower(openai, *args))
        return running[-1]
    yield start
    for f in running:
        f.process.kill()
        f.process.wait(SECONDS)
        f.process.stdout.close()
        f.process.stderr.close()


def deny(world):
    world.aivault("invoke", "openai/chat-completions", "--method", "PUT", "--path", "/").failed()


def test_denial_is_seen_as_it_happens(openai, upstream, follow):
    f = follow()
    assert f.row()["tsMs"] > 0, "some of what was before comes first: it is connected"
    deny(openai)
    row = f.until("invoke.deny")
    assert row["decision"] == "deny" and row["capability"] == "openai/chat-completions"
    assert row["reason"] == "method_not_allowed"
    openai.chat("{}").ok()
    allow = f.until("invoke.allow")
    outcome = f.until("invoke.outcome")
    assert outcome["requestId"] == allow["requestId"] and outcome["status"] == 200
    assert f.end() == 0
    assert f.process.stderr.read() == b""


def test_lines_of_a_call_have_its_request_in_common(openai, upstream, follow):
    f = follow("--output", "table")

    def line(kind):
        while True:
            words = f.process.stdout.readline().decode().split()
            assert words, f.process.stderr.read()
            if words[1] == kind:
                return words

    line("secret.create")  # of before: it is connected
    openai.chat("{}").ok()
    (call,) = openai.ended(1)
    allow, outcome = line("invoke.allow"), line("invoke.outcome")
    assert allow[2] == outcome[2] == call["requestId"][-8:]
    assert "agent" not in outcome and "200" in outcome
    assert f.end() == 0


def test_following_goes_on_from_now_not_from_a_point_before(openai):
    refused = openai.aivault("audit", "--follow", "--before-ts-ms", "1").failed(2)
    assert "--before-ts-ms" in refused.errors


def test_day_that_there_is_not_is_refused(openai):
    refused = openai.aivault("audit", "--since", "2026-02-30").failed(2)
    assert "--since" in refused.errors
    assert "seconds" in openai.aivault("audit", "--help").ok().text


def test_followed_rows_come_once_and_in_order(openai, upstream, follow):
    f = follow("--limit", "1000")
    for _ in range(5):
        deny(openai)
    openai.chat("{}").ok()
    ids = []
    while True:
        row = f.row()
        ids.append(row["id"])
        if row["kind"] == "invoke.outcome":
            break
    assert ids == list(range(1, len(ids) + 1))
    assert f.end(signal.SIGTERM) == 0


def test_filters_hold_while_following(openai, upstream, follow):
    deny(openai)
    openai.audit_of("invoke.deny", 1)
    f = follow("--decision", "deny")
    assert f.row()["decision"] == "deny"
    openai.chat("{}").ok()
    openai.ended(1)
    deny(openai)
    assert f.row()["decision"] == "deny"


def test_followers_leave_room_for_calls(openai, follow):
    for _ in range(8):
        follow().row()
    result = openai.aivault("audit", "--follow").failed()
    assert result.errors.startswith("aivault: ") and "8" in result.errors
    openai.aivault("status").ok()


def test_follower_is_told_that_the_daemon_has_ended(openai, follow):
    f = follow()
    f.row()
    assert openai.stop() == 0
    out, err = f.process.communicate(timeout=SECONDS)
    assert f.process.returncode == 1
    assert err.startswith(b"aivault: ") and len(err.strip().splitlines()) == 1


def test_export_has_every_row_over_all_pages(openai, upstream):
    with openai.agent() as agent:
        for _ in range(510):  # two rows each; denials would be counted into a few
            assert agent.request("GET", "/i/openai/models/-/v1/models").body
    lines = openai.aivault("audit", "export").ok().text.splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(rows) == openai.aivault("audit", "verify").ok().json()["rows"] > 1000
    assert [r["id"] for r in rows] == list(range(1, len(rows) + 1))
    assert all(len(r["hash"]) == 64 for r in rows)


def test_stats_count_by_capability_decision_and_reason(openai, upstream):
    for _ in range(3):
        deny(openai)
    for _ in range(2):
        openai.chat("{}").ok()
    groups = openai.aivault("audit", "stats").ok().json()
    assert groups[0] == {"capability": "openai/chat-completions", "decision": "deny",
                         "reason": "method_not_allowed", "count": 3}
    (allowed,) = [g for g in groups if g["decision"] == "allow"]
    assert allowed["count"] == 2
    table = openai.aivault("audit", "stats", "--output", "table").ok().text
    assert "method_not_allowed" in table
    assert openai.aivault("audit", "stats", "--until", "2001-01-01").ok().json() == []


def test_an_idle_daemon_stays_while_its_log_is_followed(cold):
    cold.start("--idle-exit", "1")
    cold.aivault("status").ok()
    first, second = Follower(cold), Follower(cold)
    try:
        assert first.row() and second.row()
        assert first.end() == 0
        pid, end = cold.daemon.pid, time.monotonic() + 3
        while time.monotonic() < end:
            assert alive(pid), cold.log()
            time.sleep(0.05)
        assert second.end() == 0
        assert cold.daemon.wait(SECONDS) == 0
        cold.daemon = None
    finally:
        for follower in (first, second):
            follower.process.kill()
            follower.process.communicate()
