# SPDX-License-Identifier: Apache-2.0
"""Disks that are full or read-only: nothing half done, a clear error, and all is well when there is room.
(I3, a full disk under calls, is in test_invariants.py.)"""

import subprocess

import pytest

from world import SECONDS


def mount(world, *options):
    subprocess.run(["mount", *options], check=True)


def on_a_disk(cold, size):
    """The vault's directory as a small disk of its own."""
    cold.root.mkdir(mode=0o700)
    mount(cold, "-t", "tmpfs", "-o", f"size={size},mode=0700", "none", cold.root)
    cold.mounted = True
    return cold


def fill(world):
    with open(world.root / "fill", "wb", buffering=0) as file:
        for size in (65536, 4096, 512):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                pass


def free(world):
    (world.root / "fill").unlink()


def read_only(world, on=True):
    mount(world, "-o", "remount," + ("ro" if on else "rw"), world.root)


def one_line(result, *words):
    assert result.errors.startswith("aivault: vault_unavailable: "), result
    assert len(result.errors.strip().splitlines()) == 1, result
    assert any(word in result.errors.lower() for word in words), result


def stored(world):
    return sorted(s["name"] for s in world.aivault("secrets", "list", "-v").ok().json())


def models(world):
    return world.aivault("invoke", "openai/models", "--method", "GET", "--path", "/v1/models")


@pytest.fixture
def small(cold, upstream):
    """A vault on a disk of 3 MB, with one key; its daemon runs."""
    on_a_disk(cold, "3m").start()
    cold.key, _ = cold.store("OPENAI_API_KEY")
    upstream.expect_auth = "Bearer " + cold.key
    return cold


def changes_until_one_fails(world):
    """Stores secrets until the disk takes no more; the names that were taken, the refusal."""
    taken = []
    for number in range(400):
        result = world.aivault("secrets", "create", "--name", f"N{number:03}", input="x" * 60000)
        if result.code != 0:
            return taken, result
        taken.append(f"N{number:03}")
    raise AssertionError("the disk is full, but every secret was stored")


def test_change_on_a_full_disk_is_done_whole_or_not_at_all(small, upstream):
    fill(small)
    taken, refusal = changes_until_one_fails(small)
    one_line(refusal, "full", "space")
    assert stored(small) == sorted(["OPENAI_API_KEY", *taken])
    free(small)
    small.store("AFTER")
    small.restart()
    assert stored(small) == sorted(["OPENAI_API_KEY", "AFTER", *taken])
    models(small).ok()


def test_daemon_stops_and_starts_on_a_full_disk(small, upstream):
    fill(small)
    changes_until_one_fails(small)
    assert small.stop() == 0
    process, said = small.spawn_daemon()
    if said == "ok\n":
        small.daemon = process
        with small.agent() as agent:
            response = agent.request("GET", "/i/openai/models/-/v1/models")
            assert response.status in (200, 503)
            assert response.status == 200 or response.json()["remedy"]
    else:
        assert process.wait(SECONDS) == 1 and "space" in said, said
    free(small)
    if small.daemon is None:
        small.start()
    models(small).ok()
    assert len([r for r in small.audit() if r["kind"] == "invoke.allow"]) == len(upstream.requests)


def test_vault_is_not_made_on_a_full_disk_and_leaves_nothing(cold, upstream):
    """The first secret on a disk with room for the sockets alone."""
    on_a_disk(cold, "64k").start()
    fill(cold)
    one_line(cold.aivault("secrets", "create", "--name", "OPENAI_API_KEY", input="sk-" + "x" * 20).failed(),
             "space", "full")
    cold.log_is_whole = False
    free(cold)
    mount(cold, "-o", "remount,size=3m", cold.root)
    cold.key, _ = cold.store("OPENAI_API_KEY")
    cold.log_is_whole = True
    upstream.expect_auth = "Bearer " + cold.key
    models(cold).ok()


# ---- read-only ------------------------------------------------------------------------------------------


def test_read_only_disk_at_the_start_is_said(small, upstream):
    assert small.stop() == 0
    read_only(small)
    process, said = small.spawn_daemon()
    assert process.wait(SECONDS) == 1
    assert said not in ("", "ok\n") and ("ead-only" in said or "cannot" in said), said
    read_only(small, False)
    small.start()
    models(small).ok()


@pytest.mark.parametrize("change", [
    pytest.param(lambda root: root.write_text("a file"), id="file"),
    pytest.param(lambda root: root.symlink_to("nowhere"), id="dangling_link"),
])
def test_root_that_is_no_directory_is_said(cold, change):
    change(cold.root)
    process, said = cold.spawn_daemon()
    assert process.wait(SECONDS) == 1
    assert said not in ("", "ok\n") and str(cold.root) in said, said


# ---- modes: the daemon as root without a root's power over them --------------------------------------


POWERLESS = ["setpriv", "--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search,-fowner"]


@pytest.fixture
def modest(cold, upstream):
    """A vault whose daemon is bound by the modes of files, whoever runs the tests."""
    cold.under = POWERLESS
    cold.start()
    cold.key, _ = cold.store("OPENAI_API_KEY")
    upstream.expect_auth = "Bearer " + cold.key
    yield cold
    cold.root.chmod(0o700)


def test_directory_that_becomes_read_only_takes_calls_and_changes(modest, upstream):
    """All that a running daemon writes to is there already."""
    modest.root.chmod(0o500)
    assert subprocess.run([*POWERLESS, "touch", modest.root / "x"], capture_output=True, check=False).returncode
    models(modest).ok()
    modest.store("ANOTHER")
    dead = modest.kill("broker")
    modest.wait_role("broker", other_than=dead)
    models(modest).ok()
    assert len(modest.audit_of("invoke.allow", 2)) == len(upstream.requests) == 2


def test_directory_that_is_read_only_at_the_start_is_said_or_served(modest, upstream):
    """A cleanly stopped vault has no -wal file, and none can be made: no record, so no call."""
    assert modest.stop() == 0
    modest.root.chmod(0o500)
    process, said = modest.spawn_daemon()
    if said == "ok\n":
        modest.daemon = process
        modest.log_is_whole = False
        one_line(models(modest).failed(), "")
        assert upstream.requests == []
        assert modest.stop() == 0
    else:
        assert process.wait(SECONDS) == 1 and str(modest.root) in said, said
    modest.root.chmod(0o700)
    modest.log_is_whole = True
    modest.start()
    models(modest).ok()


@pytest.mark.parametrize("mode,words", [(0o400, ("cannot be written",)), (0o000, ("unable",))])
def test_database_that_may_not_be_written_is_said(modest, upstream, mode, words):
    assert modest.stop() == 0
    path = modest.root / "vault.db"
    path.chmod(mode)
    modest.log_is_whole = False
    modest.start()
    one_line(models(modest).failed(), "")
    one_line(modest.aivault("secrets", "create", "--name", "NEW", input="x" * 20).failed(), *words)
    assert upstream.requests == []
    assert modest.stop() == 0
    path.chmod(0o600)
    modest.log_is_whole = True
    modest.start()
    models(modest).ok()


def test_checkpoints_log_that_may_not_be_written_is_no_reason_to_stop(modest, upstream):
    """Its lines follow when they can."""
    path = modest.root / "checkpoints.log"
    assert modest.stop() == 0
    lines = path.read_text().splitlines()
    path.chmod(0o400)
    modest.start()
    models(modest).ok()
    assert modest.stop() == 0
    assert path.read_text().splitlines() == lines and "checkpoints.log cannot be written" in modest.log()
    path.chmod(0o600)
    modest.start()
    assert modest.stop() == 0
    after = path.read_text().splitlines()
    assert after[:len(lines)] == lines and len(after) > len(lines)
    modest.start()
    found = modest.aivault("audit", "verify", "--output", "json").ok().json()
    assert found["checkpointsLogged"] == found["checkpoints"] == len(path.read_text().splitlines())


def test_log_in_memory_needs_no_room(small, upstream):
    """The disk is full when the daemon starts, so not even the row that says so can be written."""
    upstream.expect_auth = "Bearer " + small.key
    small.stop()
    fill(small)
    with open(small.root / "fill", "r+b") as file:  # room for SQLite's shared memory, not for a row
        file.truncate(file.seek(0, 2) - 40960)
    small.start(env=small.env(AIVAULT_DISABLE_DISK_LOGS="1"))
    assert "does not say that it stops here" in small.log()
    assert small.aivault("status", "-v").ok().json()["auditOnDisk"] is False
    free(small)
    models(small).ok()
