# SPDX-License-Identifier: Apache-2.0
"""AIVAULT_DISABLE_DISK_LOGS in the daemon's environment: audit rows go to a chain in memory."""

import sqlite3

import pytest

from world import wait_for

SWITCH = {"AIVAULT_DISABLE_DISK_LOGS": "1"}
MODELS = ("invoke", "openai/models", "--method", "GET", "--path", "/v1/models")
CANARY = "/v1/models/row-canary"


def start_in_memory(world):
    return world.start(env=world.env(**SWITCH))


def kinds_on_disk(world):
    """Read as another program would: only what has been committed to the files."""
    with sqlite3.connect(f"file:{world.root / 'vault.db'}?mode=ro", uri=True) as db:
        return [kind for kind, in db.execute("SELECT kind FROM audit_events ORDER BY id")]


def files_that_hold(world, text):
    return [path.name for path in world.root.rglob("*")
            if path.is_file() and text.encode() in path.read_bytes()]


def models(world, path="/v1/models"):
    with world.agent() as agent:
        return agent.request("GET", f"/i/openai/models/-{path}").status


@pytest.fixture
def stored(cold, upstream):
    """A vault with a key, one call in its log on the disk, and no daemon."""
    cold.start()
    key, _ = cold.store("OPENAI_API_KEY")
    upstream.expect_auth = "Bearer " + key
    assert models(cold) == 200
    cold.ended(1)
    cold.stop()
    return cold


def test_rows_are_in_memory_and_nowhere_else(stored):
    before = kinds_on_disk(stored)
    start_in_memory(stored)
    assert models(stored) == 200
    assert models(stored, CANARY) == 404
    rows = stored.ended(2)
    assert [row["path"] for row in rows] == [CANARY, "/v1/models"]
    assert [r["kind"] for r in stored.audit() if r["kind"].startswith("daemon")] == ["daemon.start"]
    told = stored.aivault("audit", "verify").ok().json()
    assert told["ok"] is True and told["rows"] >= 3
    assert "memory only" in told["limits"]
    assert told["checkpointsLogged"] == 0
    assert kinds_on_disk(stored) == before + ["audit.memory"], "where the log stops is on the disk"
    assert files_that_hold(stored, CANARY) == []


def test_it_is_shown(stored):
    start_in_memory(stored)
    assert stored.aivault("status", "-v").ok().json()["auditOnDisk"] is False
    assert "kept in memory only" in stored.aivault("status").ok().text
    doctor = stored.aivault("doctor")
    assert "its rows are kept in memory only" in doctor.text and doctor.code == 1
    stored.restart()
    assert stored.aivault("status", "-v").ok().json()["auditOnDisk"] is True
    assert "memory only" not in stored.aivault("status").ok().text


def test_log_on_the_disk_goes_on_at_the_next_start(stored):
    before = kinds_on_disk(stored)
    start_in_memory(stored)
    assert models(stored) == 200
    stored.ended(1)
    stored.restart()
    assert kinds_on_disk(stored) == before + ["audit.memory", "daemon.start"]
    assert stored.aivault("audit", "verify").ok().json()["ok"] is True


def test_changes_and_charges_are_kept_on_the_disk_all_the_same(stored):
    start_in_memory(stored)
    stored.aivault("capability", "policy", "set", "--capability", "openai/models",
                   "--rate-limit-per-minute", "2").ok()
    stored.store("OTHER_KEY")
    assert [models(stored) for _ in range(3)] == [200, 200, 429]
    stored.restart()
    assert models(stored) == 429
    assert "OTHER_KEY" in stored.aivault("secrets", "list").ok().text


def test_vault_made_meanwhile_begins_its_log_in_memory(cold):
    start_in_memory(cold)
    cold.store("OPENAI_API_KEY")
    assert {"vault.init", "secret.create"} <= {row["kind"] for row in cold.audit()}
    assert kinds_on_disk(cold) == []
    assert cold.aivault("audit", "verify").ok().json()["ok"] is True


def test_killed_keeper_loses_them_and_the_vault_is_whole(stored):
    start_in_memory(stored)
    assert models(stored) == 200
    stored.ended(1)
    stored.kill("keeper")
    stored.daemon.wait(60)
    stored.daemon = None
    stored.start()
    assert stored.aivault("audit", "verify").ok().json()["ok"] is True
    assert models(stored) == 200


def test_passphrase_vault_does_it_before_it_is_unlocked(cold):
    start_in_memory(cold)
    cold.aivault("init", "--provider", "passphrase", "--cost", "interactive",
                 input="a long passphrase\n").ok()
    cold.stop()
    start_in_memory(cold)
    assert models(cold) == 423
    row, = cold.audit_of("invoke.deny", 1)
    assert row["reason"] == "vault_locked"
    assert kinds_on_disk(cold) == ["audit.memory"]
    cold.aivault("unlock", input="a long passphrase\n").ok()
    assert cold.aivault("audit", "verify").ok().json()["ok"] is True


def test_shared_socket_and_memory_do_not_go_together(cold):
    process, said = cold.spawn_daemon("--shared", "--socket", str(cold.socket),
                                      env=cold.env(**SWITCH))
    assert process.wait(60) != 0
    assert "what several users share has its audit log on the disk" in said
    assert "Unset AIVAULT_DISABLE_DISK_LOGS" in said


def test_environment_of_a_command_does_not_turn_the_log_off(stored):
    """Neither by the daemon that it starts nor by its private one."""
    before = kinds_on_disk(stored)
    env = stored.env(**SWITCH)
    told = stored.aivault(*MODELS, env=env).ok()
    assert "counts only for an aivaultd that you start yourself" in told.errors
    assert len(stored.autostarted()) == 1
    after = kinds_on_disk(stored)
    assert after[:len(before)] == before and "invoke.allow" in after[len(before):]
    stored.aivault(*MODELS, env=stored.env(AIVAULTD_DISABLE="1", **SWITCH)).ok()
    wait_for(lambda: kinds_on_disk(stored).count("invoke.allow") ==
             after.count("invoke.allow") + 1, "the row of the private call")
