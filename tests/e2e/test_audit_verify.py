# SPDX-License-Identifier: Apache-2.0
"""`audit verify` finds what was changed, cut off or written anew, by row."""

import contextlib
import hashlib
import json
import select
import socket
import sqlite3
import struct

import pytest

from world import SECONDS, wait_for


def points(world):
    return (world.root / "checkpoints.log").read_text().splitlines()


def verify(world, *args, **more):
    return world.aivault("audit", "verify", "--output", "json", *args, **more)


def broken(world, problem, row=None, *args):
    """Asks, and takes the two halves of the answer: JSON and the one message."""
    world.log_is_whole = False
    result = verify(world, *args).failed()
    found = result.json()
    assert found["ok"] is False and found["problem"] == problem, result
    if row is not None:
        assert found["firstBadId"] == row, result
    assert result.errors.startswith("aivault: audit_broken: "), result
    assert len(result.errors.strip().splitlines()) == 1, result
    return result


def sql(world, *statements):
    """Somebody with the vault's files and a database program, while nothing runs."""
    db = sqlite3.connect(world.root / "vault.db")
    with db:
        for statement in statements:
            db.execute(statement)
    db.close()


@pytest.fixture
def stopped(openai, upstream):
    """A vault with calls in its log, cleanly stopped."""
    for _ in range(3):
        openai.chat("{}").ok()
        openai.aivault("invoke", "openai/chat-completions", "--method", "PUT", "--path", "/").failed()
    assert openai.stop() == 0
    return openai


def test_whole_log_verifies_and_says_what_it_cannot_find(stopped):
    stopped.start()
    found = verify(stopped).ok().json()
    assert found["ok"] is True and "problem" not in found
    assert found["checkpoints"] == found["checkpointsLogged"] == len(points(stopped)) >= 2
    assert 0 < found["lastSignedId"] <= found["rows"]
    assert "--public-key" in found["limits"] and "replaced" in found["limits"]
    text = stopped.aivault("audit", "verify", "--output", "table").ok().text
    assert "whole" in text and "--public-key" in text


def test_checkpoints_log_is_the_owners_and_only_grows(stopped):
    path = stopped.root / "checkpoints.log"
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    stopped.start()
    assert stopped.stop() == 0
    after = path.read_bytes()
    assert after.startswith(before) and len(after) > len(before)


def test_changed_row_is_found(stopped):
    sql(stopped, "UPDATE audit_events SET host = 'evil.example' WHERE id = 4")
    stopped.start()
    result = broken(stopped, "hash", 4)
    assert "row 4" in result.errors


def test_removed_row_in_the_middle_is_found(stopped):
    sql(stopped, "DELETE FROM audit_events WHERE id = 4")
    stopped.start()
    broken(stopped, "gap", 5)


def test_last_rows_removed_with_their_checkpoints_are_found_by_checkpoints_log(stopped):
    last = int(dict(w.split("=") for w in points(stopped)[-1].split()[1:])["row"])
    sql(stopped, f"DELETE FROM audit_events WHERE id > {last - 3}",
        f"DELETE FROM checkpoints WHERE event_id > {last - 3}")
    stopped.start()
    # The start has written a row of its own at the place of the first one removed.
    broken(stopped, "missing_tail", last - 1)
    for _ in range(2):
        stopped.chat("{}").ok()
    wait_for(lambda: verify(stopped).json()["rows"] >= last, "rows in the place of the lost ones")
    broken(stopped, "checkpoints_log", last)


def test_log_without_its_file_is_found(stopped):
    (stopped.root / "checkpoints.log").rename(stopped.dir / "elsewhere")
    stopped.start()
    # The start has made a file with its own checkpoint in it.
    found = broken(stopped, "checkpoints_log_missing").json()
    assert found["checkpointsLogged"] < found["checkpoints"]
    (stopped.root / "checkpoints.log").unlink()
    broken(stopped, "checkpoints_log_missing")


def test_lines_taken_out_of_checkpoints_log_are_found(stopped):
    stopped.start()
    assert stopped.stop() == 0
    path, lines = stopped.root / "checkpoints.log", points(stopped)
    assert len(lines) >= 3
    row = int(lines[1].split("row=")[1].split()[0])
    path.write_text("".join(line + "\n" for line in lines[:1] + lines[2:]))
    stopped.start()
    assert f"row {row}" in broken(stopped, "checkpoints_log_gap", row).errors


def test_last_lines_lost_in_a_crash_are_no_alarm(stopped):
    path, lines = stopped.root / "checkpoints.log", points(stopped)
    path.write_bytes(b"".join(line.encode() + b"\n" for line in lines[:-1]) + bytes(5000))
    stopped.start()
    found = verify(stopped).ok().json()
    assert found["checkpointsLogged"] == found["checkpoints"] > len(lines) and found["tornLines"] == 1


def test_vault_of_before_there_was_checkpoints_log_is_whole(stopped):
    (stopped.root / "checkpoints.log").unlink()
    sql(stopped, "DELETE FROM meta WHERE key = 'checkpoints_logged_from'")
    stopped.start()
    found = verify(stopped).ok().json()
    assert 0 < found["checkpointsLogged"] < found["checkpoints"]
    assert stopped.stop() == 0
    # From then on its lines are missed like those of others.
    (stopped.root / "checkpoints.log").unlink()
    stopped.start()
    broken(stopped, "checkpoints_log_missing")


def test_half_a_line_of_a_crash_is_no_alarm(stopped):
    path = stopped.root / "checkpoints.log"
    text = path.read_text()
    path.write_text(text + "aivault-checkpoint-1 id=9 row=")
    stopped.start()
    found = verify(stopped).ok().json()
    assert found["tornLines"] == 1
    assert points(stopped)[-1].startswith("aivault-checkpoint-1 id=")


def test_link_in_place_of_checkpoints_log_is_not_followed(stopped):
    path, prey = stopped.root / "checkpoints.log", stopped.dir / "prey"
    prey.write_text("mine")
    path.unlink()
    path.symlink_to(prey)
    stopped.start()
    assert stopped.stop() == 0
    assert prey.read_text() == "mine"


def test_line_that_could_not_be_written_is_written_later(stopped):
    path = stopped.root / "checkpoints.log"
    before = points(stopped)
    path.rename(stopped.dir / "aside")
    path.mkdir()
    stopped.start()
    path.rmdir()
    (stopped.dir / "aside").rename(path)
    found = verify(stopped).ok().json()
    assert found["checkpointsLogged"] < found["checkpoints"]
    assert stopped.stop() == 0
    after = points(stopped)
    assert after[:len(before)] == before
    ids = [int(line.split("id=")[1].split()[0]) for line in after]
    assert ids == list(range(1, len(ids) + 1)) and len(ids) == len(before) + 2
    assert "checkpoints.log cannot be written" in stopped.log()
    stopped.start()
    verify(stopped).ok()


def test_public_key_from_elsewhere_finds_a_vault_made_anew(stopped, tmp_path):
    stopped.start()
    key = stopped.aivault("status", "-v").ok().json()["auditPublicKey"]
    file = tmp_path / "audit.pub"
    file.write_text(key + "\n")
    found = verify(stopped, "--public-key", file).ok().json()
    assert "checkpoints.log" in found["limits"]
    file.write_text("ab" * 32)
    broken(stopped, "public_key", None, "--public-key", file)
    file.write_text("no key")
    verify(stopped, "--public-key", file).failed(2)
    verify(stopped, "--public-key", tmp_path / "nowhere").failed()


def test_init_prints_the_public_key(cold):
    cold.start()
    key = cold.aivault("init").ok().json()["auditPublicKey"]
    assert len(bytes.fromhex(key)) == 32
    assert cold.aivault("status", "-v").ok().json()["auditPublicKey"] == key


def test_verify_works_without_the_key(stopped):
    """A vault whose key is gone cannot be used; its log can be checked."""
    (stopped.root / "kek.key").rename(stopped.dir / "elsewhere")
    stopped.start()
    assert stopped.aivault("status", "-v").ok().json()["status"]["locked"] is True
    found = verify(stopped).ok().json()
    assert found["ok"] is True and found["rows"] > found["lastSignedId"]
    (stopped.dir / "elsewhere").rename(stopped.root / "kek.key")


def test_one_row_is_a_row(cold):
    cold.start()
    cold.aivault("status").ok()
    assert cold.aivault("audit", "verify").ok().json()["rows"] == 1
    text = cold.aivault("audit", "verify", "--output", "table").ok().text
    assert text.startswith("1 row, ") and " checkpoint" in text


def test_one_checkpoint_is_a_checkpoint(cold):
    cold.start()
    cold.aivault("status").ok()
    cold.restart()
    told = cold.aivault("audit", "verify").ok().json()
    text = cold.aivault("audit", "verify", "--output", "table").ok().text
    n = told["checkpoints"]
    assert n >= 1 and f", {n} checkpoint{'' if n == 1 else 's'} (" in text, text


# ---- a long log -------------------------------------------------------------------------------------------


def lengthen(world, rows):
    """More rows like the last one, chained as src/audit/chain.h says."""
    with contextlib.closing(sqlite3.connect(world.root / "vault.db")) as db, db:
        db.text_factory = bytes
        last = db.execute("SELECT * FROM audit_events ORDER BY id DESC LIMIT 1").fetchone()
        body, head = b"", last[-1]
        for value in last[1:-2]:
            if isinstance(value, bytes):
                body += struct.pack("<I", len(value)) + value
            else:
                body += struct.pack("<q", -1 if value is None else value)

        def more():
            nonlocal head
            for row in range(last[0] + 1, last[0] + 1 + rows):
                before = head
                head = hashlib.blake2b(before + struct.pack("<q", row) + body, digest_size=32).digest()
                yield (row, *(v.decode() if isinstance(v, bytes) else v for v in last[1:-2]), before, head)
        db.executemany(f"INSERT INTO audit_events VALUES ({','.join('?' * len(last))})", more())


def ask(world, op, args):
    """A connection of an operator's that waits for its answer."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(SECONDS)
    connection.connect(str(world.operator_socket))
    payload = struct.pack("<I", 1)
    for text in (op, json.dumps(args), ""):
        payload += struct.pack("<I", len(text)) + text.encode()
    connection.sendall(struct.pack("<IHH", len(payload), 1, 0) + payload)
    return connection


def test_calls_go_on_while_a_long_log_is_verified(stopped):
    lengthen(stopped, 100_000)
    stopped.start()
    answered = 0
    with stopped.agent() as agent, ask(stopped, "audit.verify", {"publicKey": ""}) as operator:
        while not select.select([operator], [], [], 0)[0]:
            assert agent.request("GET", "/i/openai/models/-/v1/models").body
            answered += 1
        reply = operator.recv(1 << 16)
    # One or two would be answered before the request is seen.
    assert answered > 10
    assert b'"ok":true' in reply and b'"rows":100' in reply, reply


def test_operator_who_hangs_up_ends_the_verification(stopped):
    lengthen(stopped, 50_000)
    stopped.start()
    for _ in range(3):
        ask(stopped, "audit.verify", {"publicKey": ""}).close()
    found = verify(stopped).ok().json()
    assert found["ok"] is True and found["rows"] > 50_000


def test_row_that_is_changed_in_a_long_log_is_found(stopped):
    lengthen(stopped, 5_000)
    sql(stopped, "UPDATE audit_events SET path = '/z' WHERE id = 3000")
    stopped.start()
    broken(stopped, "hash", 3000)
