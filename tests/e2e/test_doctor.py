# SPDX-License-Identifier: Apache-2.0
"""`doctor` finds what is wrong, names the command that mends it, and says that all is well only then."""

import os
import subprocess

import pytest

from account import as_nobody, share

def well(result):
    assert result.code == 0 and "No problems found" in result.text and "bad " not in result.text, result
    return result


def ill(result, *words):
    assert result.code == 1 and "No problems" not in result.text, result
    assert "1 problem found" in result.text, result
    for word in words:
        assert word in result.text, result
    return result


def mount(world, *options):
    subprocess.run(["mount", "-t", "tmpfs", *options, "none", world.root], check=True)
    world.mounted = True


def test_nothing_is_wrong_with_a_vault_that_works(openai):
    told = well(openai.aivault("doctor"))
    assert "whole" in told.text and "MiB are free" in told.text
    rows = openai.aivault("doctor", "--output", "json").ok().json()
    assert all(row["ok"] and row["remedy"] == "" for row in rows)


def test_no_daemon_is_no_problem_where_one_is_started(openai):
    openai.stop()
    told = well(openai.aivault("doctor"))
    assert "none runs; the next command starts one" in told.text
    assert openai.autostarted() == [], "doctor starts none"
    ill(openai.aivault("doctor", env=openai.env(AIVAULTD_AUTOSTART="0")), "autostart is disabled",
        "Start aivaultd, or unset AIVAULTD_AUTOSTART")
    told = well(openai.aivault("doctor", env=openai.env(AIVAULTD_DISABLE="1")))
    assert "whole" in told.text


def test_little_room_is_said(cold):
    cold.root.mkdir(mode=0o700)
    mount(cold, "-o", "size=32m,mode=0700")
    cold.start()
    cold.aivault("status").ok()
    ill(cold.aivault("doctor"), "MiB are free", "Make room")


def test_no_room_for_another_file_is_said(cold):
    cold.root.mkdir(mode=0o700)
    mount(cold, "-o", "size=128m,mode=0700,nr_inodes=32")
    cold.start()
    cold.aivault("status").ok()
    well(cold.aivault("doctor"))
    (cold.root / "more").mkdir()
    for k in range(40):
        try:
            (cold.root / "more" / str(k)).touch()
        except OSError:
            break
    else:
        pytest.fail("there was room for all of them")
    ill(cold.aivault("doctor"), "can hold no further file")


def test_audit_log_that_is_not_whole_is_a_problem(openai):
    openai.chat("{}").ok()
    openai.ended(1)
    openai.stop()
    import sqlite3
    with sqlite3.connect(openai.root / "vault.db") as db:
        db.execute("UPDATE audit_events SET path = '/v1/other' WHERE kind = 'invoke.allow'")
    db.close()
    openai.log_is_whole = False
    openai.start()
    ill(openai.aivault("doctor"), "was changed", "aivault audit verify")


def test_directory_that_is_a_link_is_looked_at_where_it_leads(openai):
    link = openai.dir / "link"
    link.symlink_to(openai.root)
    env = openai.env(AIVAULT_DIR=str(link))
    well(openai.aivault("doctor", env=env))
    os.chmod(openai.root, 0o750)
    ill(openai.aivault("doctor", env=env), "has mode 0750", f"chmod 0700 {link}")
    os.chmod(openai.root, 0o700)


@pytest.mark.parametrize("name", ["kek.key", "vault.db"])
def test_file_that_is_a_link_is_named_and_put_back_by_the_remedy(openai, name):
    openai.stop()
    path, away = openai.root / name, openai.dir / "away"
    path.rename(away)
    path.symlink_to(away)
    told = ill(openai.aivault("doctor"), "is a symbolic link", f"mv {away} {path}")
    assert "chmod" not in told.text
    away.rename(path)
    well(openai.aivault("doctor"))
    openai.start()


@pytest.mark.parametrize("name,mode", [("kek.key", "0600"), ("vault.db", "0600"), ("", "0700")])
def test_mode_that_gives_the_owner_nothing_is_a_problem(openai, name, mode):
    openai.stop()
    path = openai.root / name
    os.chmod(path, 0)
    ill(openai.aivault("doctor"), "has mode 0000", f"chmod {mode} {path}".rstrip("/"))
    os.chmod(path, int(mode, 8))
    well(openai.aivault("doctor"))
    openai.start()


def test_key_that_its_owner_may_only_read_is_fine(openai):
    os.chmod(openai.root / "kek.key", 0o400)
    well(openai.aivault("doctor"))


def test_script_that_nobody_loads_is_told_of(openai):
    for place in ("policies", "capabilities"):
        scripts = openai.root / place
        scripts.mkdir(mode=0o700)
        well(openai.aivault("doctor"))
        (scripts / "notes.txt").write_text("no script")
        well(openai.aivault("doctor"))
        (scripts / "mine.lua").write_text("return {}")
        ill(openai.aivault("doctor"), f"1 script in {scripts} without effect", "capability policy set")
        (scripts / "mine.lua").unlink()
    well(openai.aivault("doctor"))


# ---- another account ------------------------------------------------------------------------------------


@pytest.fixture
def shared(openai):
    return share(openai)


def test_agents_account_gets_the_agents_checks(shared):
    told = well(as_nobody(shared, "doctor"))
    assert "an agent's" in told.text and "may use 17 capabilities" in told.text
    assert "database" not in told.text and "key file" not in told.text


def test_agents_account_is_told_that_it_may_use_nothing(shared):
    os.chmod(shared.socket, 0o600)
    ill(as_nobody(shared, "doctor"), "no permission")
