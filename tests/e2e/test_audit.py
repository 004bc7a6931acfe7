# SPDX-License-Identifier: Apache-2.0
"""The audit log shows every call, allowed or denied, and who made it."""

import contextlib
import csv
import io
import os
import sqlite3
import unicodedata


def test_both_verdicts_are_in_table_and_json(openai, upstream):
    openai.chat("{}").ok()
    openai.aivault("invoke", "openai/chat-completions", "--method", "DELETE", "--path",
                   "/v1/files/x?token=hush").failed()
    (allow,) = openai.ended(1)
    (deny,) = openai.audit_of("invoke.deny", 1)
    assert allow["decision"] == "allow" and deny["decision"] == "deny"
    assert allow["capability"] == deny["capability"] == "openai/chat-completions"
    assert (allow["host"], allow["method"], allow["path"]) == (
        "api.openai.com", "POST", "/v1/chat/completions")
    assert allow["requestId"] and deny["requestId"] and allow["requestId"] != deny["requestId"]
    assert allow["status"] == 200 and deny["status"] == 403
    assert deny["reason"] == "method_not_allowed"
    assert allow["credential"] == "openai"
    for row in (allow, deny):
        assert row["caller"]["uid"] == os.getuid()
        assert row["caller"]["pid"] > 0
        assert row["caller"]["program"] == "aivault"
    assert "hush" not in str(openai.audit()), "values of a query are not logged"
    table = openai.aivault("audit", "--output", "table").ok().text
    assert "allow" in table and "deny" in table
    assert "openai/chat-completions" in table
    assert "method_not_allowed" in table


def test_outcome_counts_bytes_both_ways(openai, upstream):
    upstream.route("/v1/chat/completions", lambda c, r: c.reply(200, b"x" * 5000))
    openai.chat("y" * 3000).ok()
    (row,) = openai.ended(1)
    assert row["responseBytes"] == 5000
    assert row["requestBytes"] == 3000
    assert row["durationMs"] >= 0


def test_filters_choose_rows(openai, upstream):
    openai.chat("{}").ok()
    openai.aivault("invoke", "openai/models", "--method", "POST", "--path", "/v1/models").failed()
    openai.audit_of("invoke.deny", 1)
    openai.ended(1)
    denied = openai.audit("--decision", "deny")
    assert [r["kind"] for r in denied] == ["invoke.deny"]
    models = openai.audit("--capability", "openai/models")
    assert models and {r["capability"] for r in models} == {"openai/models"}
    newest = openai.aivault("audit", "--output", "json", "--limit", "1").ok().json()
    assert len(newest) == 1
    assert newest[0]["tsMs"] == max(r["tsMs"] for r in openai.audit())


def test_changes_by_the_operator_are_rows(acme):
    kinds = {r["kind"] for r in acme.audit()}
    assert "secret.create" in kinds
    assert any("credential" in k for k in kinds), kinds
    assert any("capability" in k for k in kinds), kinds


def test_chain_is_whole_after_calls_denials_and_a_restart(openai, upstream):
    for _ in range(3):
        openai.chat("{}").ok()
        openai.aivault("invoke", "openai/chat-completions", "--method", "PUT", "--path", "/").failed()
    openai.restart()
    openai.chat("{}").ok()
    checked = openai.aivault("audit", "verify", "--output", "json").ok().json()
    assert checked["ok"] is True
    assert checked["rows"] >= 8


def test_text_from_callers_cannot_paint_the_terminal(acme, upstream):
    with acme.agent() as agent:
        agent.request("GET", "/i/acme/any/-/echo/%1b%5b31mred").body
        agent.request("GET", "/i/acme/any/-/echo", [("Aivault-Workspace", "w\x1b[31m")]).body
    table = acme.aivault("audit", "--output", "table").ok()
    assert b"\x1b" not in table.out


def test_times_bound_what_the_audit_and_its_stats_show(openai):
    openai.chat("{}").ok()
    openai.ended(1)
    for command in (["audit"], ["audit", "stats"]):
        assert openai.aivault(*command, "--since", "1h", "--until", "2999-01-01").ok()
        result = openai.aivault(*command, "--since", "yesterday").failed(2)
        assert "--since takes 10m, 1h, 7d" in result.errors, result
    assert [r for r in openai.audit("--since", "1h") if r["kind"] == "invoke.allow"]
    assert openai.audit("--until", "2020-01-01") == []


def test_csv_holds_no_control_character_and_no_formula(openai):
    """A caller's text is escaped before it is written; this is what somebody put into the file."""
    openai.stop()
    with contextlib.closing(sqlite3.connect(openai.root / "vault.db")) as db, db:
        db.execute("UPDATE audit_events SET caller_program = ? WHERE id = 1", ['=a\x1b\x9b "b",'])
    openai.log_is_whole = False
    openai.start()
    text = openai.aivault("audit", "--output", "csv").ok().out.decode()
    assert not [c for c in text if unicodedata.category(c) == "Cc" and c not in "\r\n"]
    (shown,) = [row["program"] for row in csv.DictReader(io.StringIO(text, newline=""))
                if row["kind"] == "vault.init"]
    assert shown.startswith("'=a\\x1b") and shown.endswith('\\xc2\\x9b "b",')
