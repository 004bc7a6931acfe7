# SPDX-License-Identifier: Apache-2.0
"""Vaults whose files are damaged, foreign or unusable: refused in words, never overwritten."""

import base64
import os
import shutil
import sqlite3

import pytest

from world import wait_for

CHAT = "/i/openai/chat-completions/-/v1/chat/completions"


def one_line(result, code, *words):
    """The one message of a failed command."""
    assert result.errors.startswith(f"aivault: {code}: "), result
    assert len(result.errors.strip().splitlines()) == 1, result
    for word in words:
        assert word in result.errors, result


def files(world):
    """The bytes of the key and the database, the parts that a refusal must leave as they are."""
    return {p.name: p.read_bytes() for p in (world.root / "vault.db", world.root / "kek.key") if p.exists()}


@pytest.fixture
def stopped(openai, upstream):
    """A vault with two secrets and calls in its log; its daemon has ended."""
    openai.other, _ = openai.store("ANTHROPIC_API_KEY")
    openai.chat("{}").ok()
    openai.aivault("invoke", "openai/chat-completions", "--method", "PUT", "--path", "/").failed()
    openai.seen_requests = len(upstream.requests)
    assert openai.stop() == 0
    return openai


def sql(world, *statements):
    """Somebody with the vault's files and a database program, while nothing runs."""
    db = sqlite3.connect(world.root / "vault.db")
    with db:
        for statement in statements:
            db.execute(statement)
    db.close()


def indices(world):
    db = sqlite3.connect(world.root / "vault.db")
    found = db.execute("SELECT sql FROM sqlite_master WHERE type = 'index' AND sql <> ''").fetchall()
    db.close()
    return sorted(found)


def refuses(world, upstream, *words):
    """The daemon runs and says what is wrong to everybody; no call goes out, nothing is made anew."""
    world.log_is_whole = False
    before = files(world)
    world.start()
    with world.agent() as agent:
        assert agent.request("GET", "/aivault/health").status == 200
        response = agent.request("POST", CHAT, body=b"{}")
        assert response.status in (500, 503), response.body
        assert response.json()["error"] == "vault_unavailable" and response.json()["remedy"]
    one_line(world.chat("{}").failed(), "vault_unavailable")
    one_line(world.aivault("secrets", "create", "--name", "NEW", input="x" * 20).failed(),
             "vault_unavailable", *words)
    one_line(world.aivault("init").failed(), "vault_unavailable", *words)
    one_line(world.aivault("audit", "verify").failed(), "vault_unavailable")
    said = world.aivault("doctor")
    assert any(word in said.text + said.errors for word in words), said
    assert len(upstream.requests) == world.seen_requests
    assert files(world) == before, "what cannot be read is kept as it is"
    assert words[0] in world.log(), world.log()


def works(world, upstream):
    """The vault as it was: a call goes out, and its log is whole."""
    if world.daemon is None:
        world.start()
    world.chat("{}").ok()
    world.log_is_whole = True


def garbage(data):
    return b"this is no database, but a letter. " * (len(data) // 35 + 1)


def used(world):
    """When each secret was last used, by name."""
    return {s["name"]: s["lastUsedAtMs"] for s in world.aivault("secrets", "list", "-v").ok().json()}


FROM_2_TO_1 = ("DROP TABLE secret_used",
               "CREATE INDEX audit_by_secret ON audit_events(secret_id, ts_ms) WHERE secret_id <> ''")
FROM_3_TO_2 = ("DROP INDEX audit_by_request_start",
               "CREATE INDEX audit_by_request ON audit_events(request_id, kind) WHERE request_id <> ''")


@pytest.mark.parametrize("schema,statements", [(2, FROM_3_TO_2), (1, FROM_3_TO_2 + FROM_2_TO_1)])
def test_vault_of_an_older_schema_is_brought_up_to_date(stopped, schema, statements):
    stopped.start()
    before = used(stopped)
    assert before["OPENAI_API_KEY"] > 0 and before["ANTHROPIC_API_KEY"] is None
    assert stopped.stop() == 0
    fresh = indices(stopped)
    sql(stopped, *statements, f"PRAGMA user_version = {schema}")
    assert indices(stopped) != fresh
    stopped.start()
    assert used(stopped) == before

    def used_again():
        stopped.chat("{}").ok()
        return used(stopped)["OPENAI_API_KEY"] > before["OPENAI_API_KEY"]
    wait_for(used_again, "a use in a later second")
    assert len(stopped.ended(2)) >= 2
    assert stopped.stop() == 0
    assert indices(stopped) == fresh


@pytest.mark.parametrize("damage,words", [
    pytest.param(garbage, ("not a database",), id="garbage"),
    pytest.param(lambda d: b"\xff" * 100 + d[100:], ("not a database",), id="header"),
    pytest.param(lambda d: d[:4096], ("malformed",), id="cut_after_its_first_page"),
    pytest.param(lambda d: d[:60] + b"\0\0\0\x63" + d[64:], ("schema 99",), id="schema_of_another_version"),
    pytest.param(lambda d: d[:4096] + b"\xa5" * (len(d) - 4096), ("malformed",), id="all_but_one_page"),
])
def test_damaged_database_is_refused_and_kept(stopped, upstream, damage, words):
    path = stopped.root / "vault.db"
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    refuses(stopped, upstream, *words)
    assert stopped.stop() == 0
    path.write_bytes(whole)
    works(stopped, upstream)
    assert len(upstream.requests) == stopped.seen_requests + 1


def test_directory_in_the_place_of_the_database_is_refused(stopped, upstream):
    path = stopped.root / "vault.db"
    path.rename(stopped.dir / "aside")
    path.mkdir()
    stopped.start()
    stopped.log_is_whole = False
    one_line(stopped.chat("{}").failed(), "vault_unavailable")
    one_line(stopped.aivault("secrets", "create", "--name", "NEW", input="x" * 20).failed(),
             "vault_unavailable", "not a regular file")
    assert stopped.stop() == 0
    path.rmdir()
    (stopped.dir / "aside").rename(path)
    works(stopped, upstream)


def flip(world, table, column):
    """Changes one bit of what is stored of OPENAI_API_KEY."""
    db = sqlite3.connect(world.root / "vault.db")
    with db:
        (ident,) = [i for i, body in db.execute("SELECT id, body FROM secrets") if b"OPENAI_API_KEY" in body]
        ((value,),) = db.execute(f"SELECT {column} FROM {table} WHERE id = ?", (ident,))
        spoilt = value[:-1] + bytes([value[-1] ^ 1])
        db.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", (spoilt, ident))
    db.close()


def is_spoilt(world, upstream, reason):
    """The call ends with this reason, in a row too, and nothing is sent."""
    with world.agent() as agent:
        response = agent.request("POST", CHAT, body=b"{}")
        assert response.status == 500 and response.reason == reason, response.body
        assert response.json()["error"] == "vault_unavailable" and response.json()["remedy"]
    one_line(world.chat("{}").failed(), "vault_unavailable", "estore")
    assert len(upstream.requests) == world.seen_requests


@pytest.mark.parametrize("table,column,reason", [
    ("secrets", "body", "secret_row_changed"), ("secret_values", "value", "secret_corrupt"),
    ("secret_values", "dek_wrapped", "secret_corrupt")])
def test_flipped_bit_in_a_secret_spoils_that_secret_alone(stopped, upstream, table, column, reason):
    flip(stopped, table, column)
    stopped.start()
    is_spoilt(stopped, upstream, reason)
    rows = wait_for(lambda: [r for r in stopped.audit() if r.get("reason") in (reason, "auth_failed")],
                    "a row of the refused call")
    assert rows[0]["capability"] == "openai/chat-completions"
    upstream.route("/v1/messages", lambda c, r: c.reply(200, {"ok": True}))
    stopped.aivault("invoke", "anthropic/messages", "--method", "POST", "--path", "/v1/messages",
                    "--body", "{}").ok()
    assert upstream.requests[-1].header("x-api-key") == stopped.other


def test_flipped_bit_in_a_seal_is_a_vault_that_was_changed(stopped, upstream):
    flip(stopped, "secrets", "mac")
    stopped.start()
    is_spoilt(stopped, upstream, "rows_changed")
    one_line(stopped.aivault("secrets", "create", "--name", "NEW", input="x" * 20).failed(),
             "vault_unavailable", "from outside aivault")


def test_flipped_byte_in_an_audit_row_is_found_and_calls_go_on(stopped, upstream):
    sql(stopped, "UPDATE audit_events SET hash = zeroblob(32) WHERE id = 3")
    stopped.log_is_whole = False
    stopped.start()
    stopped.chat("{}").ok()
    result = stopped.aivault("audit", "verify").failed()
    one_line(result, "audit_broken", "row 3")
    assert result.json()["firstBadId"] == 3


# ---- keys ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change,words", [
    pytest.param(lambda p: p.unlink(), ("cannot be opened",), id="missing"),
    pytest.param(lambda p: p.write_bytes(b""), ("does not hold a key",), id="empty"),
    pytest.param(lambda p: p.write_bytes(base64.b64encode(b"k" * 31)), ("does not hold a key",), id="short"),
    pytest.param(lambda p: p.write_bytes(base64.b64encode(b"k" * 33)), ("does not hold a key",), id="long"),
    pytest.param(lambda p: p.write_bytes(b"k" * 65536), ("does not hold a key",), id="huge"),
    pytest.param(lambda p: p.write_bytes(b"\0\xff" * 22), ("does not hold a key",), id="binary"),
    pytest.param(lambda p: p.write_bytes(base64.b64encode(b"k" * 32)), ("is not the one",), id="wrong"),
    pytest.param(lambda p: p.chmod(0o644), ("by others", "chmod 600"), id="readable_by_all"),
    pytest.param(lambda p: p.chmod(0o620), ("by others", "chmod 600"), id="writable_by_the_group"),
    pytest.param(lambda p: (p.unlink(), p.mkdir()), ("not a regular file",), id="directory"),
    pytest.param(lambda p: p.rename(p.with_name("k")) and p.symlink_to("k"), ("cannot be opened",), id="link"),
])
def test_key_that_cannot_be_used_is_named_and_never_replaced(stopped, upstream, change, words):
    path = stopped.root / "kek.key"
    key = path.read_bytes()
    change(path)
    left = path.read_bytes() if path.is_file() else None
    stopped.start()
    with stopped.agent() as agent:
        response = agent.request("POST", CHAT, body=b"{}")
        assert response.status in (423, 500, 503) and response.json()["error"] == "vault_unavailable"
        assert response.json()["remedy"]
    for args in (("secrets", "create", "--name", "NEW"), ("init",)):
        one_line(stopped.aivault(*args, input="x" * 20).failed(), "vault_unavailable", *words)
    assert (path.read_bytes() if path.is_file() else None) == left
    assert len(upstream.requests) == stopped.seen_requests
    assert stopped.aivault("audit", "verify").ok(), "the log needs no key"
    assert stopped.stop() == 0
    if path.is_dir():
        path.rmdir()
    path.unlink(missing_ok=True)
    path.write_bytes(key)
    path.chmod(0o600)
    works(stopped, upstream)


@pytest.mark.parametrize("how", ["lost", "emptied"])
def test_lost_database_does_not_become_a_new_vault_in_silence(stopped, how):
    """checkpoints.log says that there was one."""
    stopped.log_is_whole = False
    path, log = stopped.root / "vault.db", stopped.root / "checkpoints.log"
    saved, key = path.read_bytes(), (stopped.root / "kek.key").read_bytes()
    path.unlink()
    if how == "emptied":
        path.touch(mode=0o600)
    stopped.start()
    for command in (("status",), ("init",), ("secrets", "create", "--name", "A_KEY")):
        one_line(stopped.aivault(*command, input="value-of-it").failed(), "vault_unavailable",
                 "there was a vault", "checkpoints.log", "Restore vault.db from a backup")
    assert not path.exists() or path.stat().st_size == 0
    stopped.stop()
    path.write_bytes(saved)
    path.chmod(0o600)
    stopped.start()
    assert len(stopped.aivault("secrets", "list", "-v").ok().json()) == 2
    stopped.stop()
    # To begin anew is a deed of its own.
    path.unlink()
    log.rename(stopped.dir / "checkpoints.log")
    stopped.start()
    assert stopped.aivault("status", "-v").ok().json()["status"]["enabled"] is True
    assert stopped.aivault("secrets", "list", "-v").ok().json() == []
    assert (stopped.root / "kek.key").read_bytes() == key
    assert stopped.aivault("audit", "verify").ok().json()["ok"] is True


@pytest.mark.invariant
def test_i8_vault_and_key_do_not_stand_where_the_broker_reads(cold, tmp_path):
    """Nor by a link; nothing is made there."""
    place = "/etc/aivault-of-a-test"
    link = cold.dir / "link"
    link.symlink_to("/etc")
    for root in (place, str(link / "aivault-of-a-test")):
        process, said = cold.spawn_daemon("--socket", str(cold.socket), env=cold.env(AIVAULT_DIR=root))
        assert process.wait(60) != 0
        if root == place:
            assert "may read" in said and "outside of /etc" in said
            assert not os.path.exists(place)
    if os.path.exists(place):
        shutil.rmtree(place)
    cold.start()
    for path in (place + "/kek.key", str(link / "kek-of-a-test.key")):
        refused = cold.aivault("init", "--file-path", path).failed()
        assert "may read" in refused.errors and "outside of /etc" in refused.errors
        assert not os.path.exists(path)
    cold.aivault("init").ok()
