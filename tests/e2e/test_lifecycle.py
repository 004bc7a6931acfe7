# SPDX-License-Identifier: Apache-2.0
"""Keys over their life: the passphrase provider, locking, rotating, deleting."""

import os
import pty
import secrets
import threading
import time

import pytest

import memory
from world import BIN, alive, wait_for

PASSPHRASE = "correct horse " + secrets.token_hex(12)
CALL = "/i/acme/any/-/echo"


def make_vault(world, passphrase=PASSPHRASE, cost="interactive"):
    """A passphrase vault; the cheap cost, because only one test is about the other."""
    return world.aivault("init", "--provider", "passphrase", "--cost", cost, input=passphrase).ok()


def unlock(world, passphrase=PASSPHRASE):
    return world.aivault("unlock", input=passphrase + "\n")


def is_locked(world):
    return world.aivault("status", "-v").ok().json()["status"]["locked"]


@pytest.fixture
def locked(cold):
    """A passphrase vault with acme/any, locked by a restart of its daemon."""
    cold.start()
    make_vault(cold)
    cold.key = cold.custom()
    cold.restart()
    return cold


def call(world, target=CALL):
    with world.agent() as agent:
        return agent.request("GET", target)


def test_passphrase_vault_works_from_init_to_the_call(cold, upstream):
    cold.start()
    status = make_vault(cold).json()
    assert status["status"] | {"kekId": ""} == {
        "enabled": True, "providerType": "passphrase", "locked": False, "kekId": ""}
    assert not (cold.root / "kek.key").exists()
    key = cold.custom()
    assert call(cold).status == 200
    assert upstream.saw(key)


@pytest.mark.invariant
def test_i4_locked_vault_answers_423_and_sends_nothing(locked, upstream):
    response = call(locked)
    assert response.status == 423
    problem = response.json()
    assert problem["error"] == "vault_unavailable"
    assert problem["reason"] == "vault_locked"
    assert "aivault unlock" in problem["remedy"]
    assert upstream.requests == []
    said = locked.aivault("invoke", "acme/any", "--method", "GET", "--path", "/echo").failed(1)
    assert "locked" in said.errors
    assert upstream.requests == []
    assert locked.audit_of("invoke.deny", 2)[0]["reason"] == "vault_locked"


def test_unlock_opens_it_and_lock_closes_it_in_the_running_daemon(locked, upstream):
    pid = locked.daemon.pid
    assert is_locked(locked)
    assert unlock(locked).ok().json()["status"]["locked"] is False
    assert call(locked).status == 200
    assert upstream.saw(locked.key)
    assert locked.aivault("lock").ok().json()["status"]["locked"] is True
    assert call(locked).status == 423
    assert unlock(locked).ok()
    assert call(locked).status == 200
    assert locked.daemon.pid == pid and alive(pid)


def test_a_restart_locks_again(locked):
    unlock(locked).ok()
    assert not is_locked(locked)
    locked.restart()
    assert is_locked(locked)


def test_wrong_passphrase_is_refused_and_audited(locked):
    said = unlock(locked, "wrong " + PASSPHRASE).failed(1)
    assert "invalid passphrase" in said.errors
    assert said.errors.count("aivault:") == 1
    assert PASSPHRASE not in said.errors
    assert is_locked(locked)
    row = locked.audit_of("vault.unlock_failed", 1)[0]
    assert row["decision"] == "deny" and row["reason"] == "wrong_passphrase"
    assert row["caller"]["program"] == "aivault"


def test_unlock_and_lock_are_audited_and_signed(locked):
    unlock(locked).ok()
    locked.aivault("lock").ok()
    kinds = [row["kind"] for row in locked.audit()]
    assert kinds.count("vault.unlock") == 1
    assert kinds.count("vault.lock") == 1
    verified = locked.aivault("audit", "verify").ok().json()  # while it is locked
    assert verified["ok"] and verified["checkpoints"] >= 2


def test_what_needs_no_key_works_while_locked(locked):
    listed = locked.aivault("secrets", "list", "-v").ok()
    assert [s["name"] for s in listed.json()] == ["ACME_KEY"]
    assert "unverified" in listed.errors
    assert locked.aivault("credential", "list", "-v").ok().json()["credentials"][0]["id"] == "acme"
    own = locked.aivault("capability", "list", "-v").ok().json()["capabilities"]
    assert own[0]["id"] == "acme/any" and own[0]["ready"] is False
    locked.aivault("capability", "describe", "acme/any").ok()
    assert "locked" in locked.aivault("status").ok().text
    assert "aivault unlock" in locked.aivault("doctor").text


def test_what_needs_the_key_is_refused_while_locked(locked):
    ident = locked.aivault("secrets", "list", "-v").ok().json()[0]["secretId"]
    for args in (["secrets", "create", "--name", "OTHER"], ["secrets", "rotate", "--id", ident],
                 ["secrets", "delete", "--id", ident], ["capability", "disable", "acme/any"]):
        said = locked.aivault(*args, input="some-value-of-it").failed(1)
        assert "vault_unavailable: the vault is locked" in said.errors, args


def test_lock_changes_nothing_where_the_key_is_a_file(openai, upstream):
    said = openai.aivault("lock").ok()
    assert said.json()["status"]["locked"] is False
    assert "nothing is locked" in said.errors
    openai.chat("{}").ok()
    openai.aivault("unlock").ok()


def test_unlocking_an_unlocked_vault_asks_for_nothing(locked):
    unlock(locked).ok()
    assert locked.aivault("unlock", input=b"").ok().json()["status"]["locked"] is False


def test_empty_passphrase_makes_no_vault(cold):
    cold.start()
    cold.aivault("init", "--provider", "passphrase", input=b"").failed(1)
    assert not (cold.root / "vault.db").exists()


def test_passphrase_on_the_command_line_works_with_a_warning(cold):
    cold.start()
    said = cold.aivault("init", "--provider", "passphrase", "--cost", "interactive",
                        "--passphrase", "seen-by-all").ok()
    assert "warning" in said.errors
    cold.aivault("lock").ok()
    assert "warning" in cold.aivault("unlock", "--passphrase", "seen-by-all").ok().errors
    path = cold.dir / "passphrase"
    path.write_text("seen-by-all\n")
    cold.aivault("lock").ok()
    assert cold.aivault("unlock", "--passphrase-file", path).ok().errors == ""


def test_init_prompts_twice_without_echo_on_a_terminal(cold):
    cold.start()
    master, slave = pty.openpty()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        for fd in (0, 1, 2):
            os.dup2(slave, fd)
        os.closerange(3, 256)
        os.execve(BIN / "aivault", ["aivault", "init", "--provider", "passphrase", "--cost",
                                    "interactive"], cold.env())
    os.close(slave)
    shown = b""

    def until(text):
        nonlocal shown
        while text not in shown:
            shown += os.read(master, 4096)

    until(b"new vault (no echo): ")
    os.write(master, PASSPHRASE.encode() + b"\n")
    until(b"once more (no echo): ")
    os.write(master, PASSPHRASE.encode() + b"\n")
    until(b'"auditPublicKey"')
    assert os.waitpid(pid, 0)[1] == 0
    os.close(master)
    assert PASSPHRASE.encode() not in shown
    cold.aivault("lock").ok()
    unlock(cold).ok()


def test_calls_are_answered_while_a_passphrase_is_worked_on(locked):
    """The default cost takes about a second of one thread; the keeper's loop goes on."""
    locked.stop()
    for name in ("vault.db", "vault.db-wal", "vault.db-shm", "checkpoints.log"):
        (locked.root / name).unlink(missing_ok=True)
    locked.start()
    make_vault(locked, cost="moderate")
    locked.aivault("lock").ok()
    guess = locked.popen("unlock", "--passphrase", "wrong")
    answers = 0
    while guess.poll() is None:
        locked.aivault("status", "-v").ok()
        answers += 1
    guess.communicate()
    assert guess.returncode == 1
    assert answers >= 3


def test_unlocks_at_the_same_time_each_get_their_answer(locked):
    guesses = [locked.popen("unlock", "--passphrase", p)
               for p in ("wrong one", PASSPHRASE, "wrong two")]
    codes = [(g.communicate(), g.returncode)[1] for g in guesses]
    # One that came after the right one finds the vault unlocked.
    assert codes[1] == 0 and not is_locked(locked)


@pytest.mark.invariant
def test_passphrase_is_found_nowhere(locked):
    unlock(locked).ok()
    unlock(locked).ok()
    call(locked)
    locked.aivault("lock").ok()
    unlock(locked, "wrong").failed(1)
    unlock(locked).ok()
    needles = memory.forms(PASSPHRASE.encode())
    for role, pid in locked.pids().items():
        assert memory.search(pid, needles) == [], role
        assert not any(n in memory.arguments(pid) + memory.environment(pid) for n in needles)
    locked.stop()
    for path in (p for p in locked.dir.rglob("*") if p.is_file()):
        data = path.read_bytes()
        assert not any(n in data for n in needles), path
    for result in locked.seen:
        assert PASSPHRASE.encode() not in result.out + result.err


@pytest.mark.invariant
def test_lock_wipes_the_values(locked):
    unlock(locked).ok()
    assert call(locked).status == 200
    keeper = locked.pids()["keeper"]
    needles = [locked.key.encode()]
    assert memory.search(keeper, needles), "a used value is kept while the vault is unlocked"
    locked.aivault("lock").ok()
    assert memory.search(keeper, needles) == []


def test_an_idle_daemon_stays_while_its_vault_is_unlocked(cold):
    cold.start("--idle-exit", "1")
    make_vault(cold)
    pid = cold.daemon.pid
    end = time.monotonic() + 3
    while time.monotonic() < end:
        assert alive(pid), cold.log()
        time.sleep(0.05)
    cold.aivault("lock").ok()
    assert cold.daemon.wait(60) == 0
    cold.daemon = None


# ---- rotate and delete -------------------------------------------------------------------------------


def test_rotate_gives_the_next_call_the_new_value(openai, upstream):
    openai.chat("{}").ok()
    new = "sk-canary-" + secrets.token_hex(24)
    rotated = openai.aivault("secrets", "rotate", "--id", openai.secret["secretId"], input=new).ok()
    assert rotated.json()["valueVersion"] == 2
    assert rotated.json()["secretId"] == openai.secret["secretId"]
    upstream.expect_auth = "Bearer " + new
    openai.chat("{}").ok()
    openai.restart()
    openai.chat("{}").ok()
    assert openai.audit_of("secret.rotate", 1)[0]["secretId"] == openai.secret["secretId"]
    assert new not in str(openai.audit())


def stored_value(world, ident):
    """The sealed bytes of a secret, read with the daemon stopped."""
    import sqlite3
    world.stop()
    with sqlite3.connect(world.root / "vault.db") as db:
        row = db.execute("SELECT value FROM secret_values WHERE id = ?", [ident]).fetchone()
    world.start()
    return row and row[0]


def test_delete_wipes_the_ciphertext_frees_the_name_and_disables_what_needed_it(openai, upstream):
    ident = openai.secret["secretId"]
    sealed = stored_value(openai, ident)
    assert sealed
    said = openai.aivault("secrets", "delete", "--id", ident).ok()
    assert said.json()["revokedAtMs"] is not None
    assert "openai is disabled" in said.errors
    for path in openai.root.glob("vault.db*"):
        assert sealed not in path.read_bytes(), path
    assert stored_value(openai, ident) is None

    failed = openai.chat("{}").failed(1)
    assert "credential_not_found" in failed.errors and "deleted" in failed.errors
    assert upstream.requests == []
    kinds = {row["kind"]: row for row in openai.audit()}
    assert kinds["secret.revoke"]["secretId"] == ident
    assert kinds["credential.disable"]["credential"] == "openai"

    openai.key, again = openai.store("OPENAI_API_KEY")
    assert again["secretId"] != ident
    upstream.expect_auth = "Bearer " + openai.key
    openai.chat("{}").ok()


def test_what_was_deleted_stays_deleted(openai):
    ident = openai.secret["secretId"]
    openai.aivault("secrets", "delete", "--id", ident).ok()
    for args in (["rotate", "--id", ident], ["delete", "--id", ident]):
        assert "revoked" in openai.aivault("secrets", *args, input="other-value").failed(1).errors
    assert "not found" in openai.aivault("secrets", "delete", "--id", "nothing").failed(1).errors
    assert "--id" in openai.aivault("secrets", "delete").failed(2).errors


def test_a_custom_credential_can_be_made_again_after_its_secret_was_deleted(acme, upstream):
    ident = acme.aivault("secrets", "list", "-v").ok().json()[0]["secretId"]
    acme.aivault("secrets", "delete", "--id", ident).ok()
    response = call(acme)
    assert response.status == 404 and response.json()["reason"] == "secret_deleted"
    assert upstream.requests == []
    key, meta = acme.store("ACME_KEY")
    acme.aivault("credential", "create", "acme", "--provider", "acme", "--secret-ref",
                 "vault:secret:" + meta["secretId"], "--auth", "header", "--host",
                 "api.acme-test.com").ok()
    assert call(acme).status == 200
    assert upstream.saw(key)


def test_lock_drops_kept_connections(locked, upstream):
    held = []

    def keep(connection, request):
        held.append(connection)
        connection.reply(200, b"{}")

    upstream.route("/keep", keep)
    unlock(locked).ok()
    assert call(locked, "/i/acme/any/-/keep").status == 200
    assert call(locked, "/i/acme/any/-/keep").status == 200
    assert held[0] is held[1] and held[0].open, "it is kept"
    locked.aivault("lock").ok()
    wait_for(lambda: not held[0].open, "the kept connection to end")
    unlock(locked).ok()
    assert call(locked, "/i/acme/any/-/keep").status == 200
    assert held[2] is not held[0]


def test_lock_ends_the_stream_that_runs(locked, upstream):
    closed = threading.Event()

    def endless(connection, request):
        connection.chunked_head()
        connection.chunk(b"data: one\n\n")
        try:
            while connection.sock.recv(1):
                pass
        except OSError:
            pass
        closed.set()
        connection.drop()

    upstream.route("/endless", endless)
    unlock(locked).ok()
    with locked.agent() as agent:
        response = agent.request("GET", "/i/acme/any/-/endless")
        response.until(b"data: one")
        locked.aivault("lock").ok()
        with pytest.raises((ConnectionError, EOFError)):
            response.until(b"nothing of the kind")
    assert closed.wait(60), "the upstream saw the end"
    rows = locked.ended(1)
    assert [r["reason"] for r in rows if r["path"] == "/endless"] == ["vault_locked"]
    assert call(locked).status == 423


def test_judge_that_dies_again_and_again_rests_and_the_daemon_lives(acme, upstream):
    """Ten restarts a minute; then calls are denied for a while, and all else goes on."""
    def call():
        with acme.agent() as agent:
            return agent.request("GET", "/i/acme/any/-/echo").status

    acme.expect_clean_stop = True
    pid = None
    for _ in range(11):
        pid = acme.wait_role("judge", other_than=pid)
        acme.kill("judge")
    wait_for(lambda: "the policy ended too often" in acme.log(), "the word on it")
    assert call() == 503
    assert acme.aivault("status").ok()
    row = acme.audit_of("invoke.deny", 1)[0]
    assert row["reason"].startswith("policy_")
    # The broker is started again meanwhile as ever, and a restart brings a judge.
    broker = acme.kill("broker")
    acme.wait_role("broker", other_than=broker)
    acme.aivault("restart").ok()
    wait_for(lambda: "judge" in acme.pids(), "a judge")
    wait_for(lambda: call() == 200, "a call that goes through")
