# SPDX-License-Identifier: Apache-2.0
"""A vault that cannot be used: each command that tells of it says why and what to do."""

import base64

import pytest


@pytest.fixture
def keyless(openai):
    """A running daemon whose vault's key file is another vault's."""
    openai.stop()
    (openai.root / "kek.key").write_bytes(base64.b64encode(b"k" * 32))
    openai.log_is_whole = False
    return openai.start()


def test_status_for_people_says_why_a_vault_cannot_be_used(keyless):
    fault = keyless.aivault("status", "-v").ok().json()["fault"]
    text = keyless.aivault("status").ok().text
    assert "cannot be used" in text and "unlocked" not in text
    assert fault["message"] in text and fault["remedy"] in text


@pytest.mark.parametrize("command", ["unlock", "lock"])
def test_unlock_and_lock_of_a_vault_without_its_key_fail_with_the_reason(keyless, command):
    fault = keyless.aivault("status", "-v").ok().json()["fault"]
    said = keyless.aivault(command).failed(1)
    assert said.text == "" and "at hand" not in said.errors
    assert fault["message"] in said.errors and fault["remedy"].rstrip(".") in said.errors


def test_status_of_a_locked_vault_names_unlock(cold):
    cold.start()
    cold.aivault("init", "--provider", "passphrase", "--passphrase-file", "/dev/stdin", "--cost",
                 "interactive", input="correct horse").ok()
    assert "aivault unlock" not in cold.aivault("status").ok().text
    cold.aivault("lock").ok()
    text = cold.aivault("status").ok().text
    assert "locked" in text and "aivault unlock" in text and "Problem" not in text
