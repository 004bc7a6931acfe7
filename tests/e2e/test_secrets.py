# SPDX-License-Identifier: Apache-2.0
"""Secrets go in by standard input, file or (with a warning) argument, and never come out."""

import os
import pty

import pytest

VALUE = "sk-test-0123456789abcdef0123456789abcdef"


def shown(world):
    """All that the operator's commands print about secrets and credentials."""
    parts = []
    for args in (["secrets", "list"], ["secrets", "list", "-v"], ["credential", "list", "-v"],
                 ["status", "-v"], ["audit", "--output", "json"], ["capability", "list", "-v"]):
        result = world.aivault(*args).ok()
        parts += [result.text, result.errors]
    return "\n".join(parts)


def test_secret_from_standard_input_is_stored_and_pinned(world):
    result = world.aivault("secrets", "create", "--name", "OPENAI_API_KEY", input=VALUE).ok()
    meta = result.json()
    assert meta["name"] == "OPENAI_API_KEY"
    assert meta["pinnedProvider"] == "openai"
    assert meta["scope"] == "global"
    assert VALUE not in result.text + result.errors
    assert "openai" in result.errors, "the notes say what the secret lights up"
    listed = world.aivault("secrets", "list", "-v").ok().json()
    assert [s["secretId"] for s in listed] == [meta["secretId"]]


def test_secret_from_a_file_is_stored(world, upstream):
    path = world.dir / "key"
    path.write_text(VALUE)
    world.aivault("secrets", "create", "--name", "OPENAI_API_KEY", "--value-file", path).ok()
    upstream.expect_auth = "Bearer " + VALUE
    world.chat("{}").ok()
    assert len(upstream.requests) == 1


def test_secret_as_an_argument_works_and_warns(world):
    result = world.aivault("secrets", "create", "--name", "ACME_KEY", "--value", VALUE).ok()
    assert "history" in result.errors or "process" in result.errors
    assert VALUE not in result.text + result.errors


def test_secret_typed_on_a_terminal_is_not_echoed(world, upstream):
    pid, terminal = pty.fork()
    if pid == 0:
        from world import BIN
        os.chdir(world.dir)
        os.execve(BIN / "aivault", ["aivault", "secrets", "create", "--name", "OPENAI_API_KEY"],
                  world.env())
    said = b""
    typed = False
    try:
        while True:
            try:
                data = os.read(terminal, 4096)
            except OSError:
                break
            if not data:
                break
            said += data
            if not typed and b":" in said:
                os.write(terminal, VALUE.encode() + b"\n")
                typed = True
    finally:
        os.close(terminal)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, said
    assert typed, said
    assert VALUE.encode() not in said
    upstream.expect_auth = "Bearer " + VALUE
    world.chat("{}").ok()
    assert len(upstream.requests) == 1


def test_two_value_sources_are_refused(world):
    path = world.dir / "key"
    path.write_text(VALUE)
    result = world.aivault("secrets", "create", "--name", "A", "--value", VALUE, "--value-file", path)
    assert result.code in (1, 2) and result.err, result
    assert world.aivault("secrets", "list", "-v").ok().json() == []


def test_empty_value_is_refused(world):
    result = world.aivault("secrets", "create", "--name", "A", input=b"")
    assert result.code in (1, 2) and result.err, result
    assert world.aivault("secrets", "list", "-v").ok().json() == []


def test_unreadable_value_file_is_named(world):
    result = world.aivault("secrets", "create", "--name", "A", "--value-file", "absent-file").failed()
    assert "absent-file" in result.errors


def test_lists_hold_no_value(openai):
    openai.store("ACME_KEY")
    text = shown(openai)
    assert "OPENAI_API_KEY" in text and "ACME_KEY" in text
    for value in openai.secrets:
        assert value not in text


def test_name_is_taken_once(openai):
    result = openai.aivault("secrets", "create", "--name", "OPENAI_API_KEY", input=VALUE).failed()
    assert "exists" in result.errors, result
    assert len(openai.aivault("secrets", "list", "-v").ok().json()) == 1


@pytest.mark.parametrize("verb", ["get", "reveal", "resolve", "show"])
def test_no_command_gives_a_secret_back(openai, verb):
    result = openai.aivault("secrets", verb, "--id", openai.secret["secretId"]).failed(2)
    assert openai.key not in result.text + result.errors


def test_enable_none_lights_up_nothing(world, upstream):
    world.store("OPENAI_API_KEY", VALUE, "--enable", "none")
    result = world.chat("{}").failed()
    assert result.errors.startswith("aivault: "), result
    assert upstream.requests == []


def test_secret_survives_a_restart(openai, upstream):
    openai.restart()
    openai.chat("{}").ok()
    assert len(upstream.requests) == 1


def test_files_are_the_owners_alone(openai):
    assert openai.root.stat().st_mode & 0o777 == 0o700
    for path in openai.root.rglob("*"):
        mode = path.lstat().st_mode & 0o777
        assert mode & 0o077 == 0, f"{path} has mode {mode:o}"


@pytest.mark.parametrize("name", ["a\u0085b", "a\u009bb", "a\tb", "a\x7fb"])
def test_name_that_a_terminal_would_obey_is_refused(world, name):
    refused = world.aivault("secrets", "create", "--name", name, input="value-of-it").failed(2)
    assert "control bytes" in refused.errors
    assert "\u009b" not in refused.errors
