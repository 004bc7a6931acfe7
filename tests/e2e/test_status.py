# SPDX-License-Identifier: Apache-2.0
"""`status` tells of the daemon that it asked."""


def test_status_shows_the_agents_socket_whatever_its_name(cold):
    place = cold.dir / "elsewhere"
    place.mkdir(mode=0o700)
    cold.start("--socket", str(place / "other.sock"))
    env = cold.env(AIVAULTD_SOCKET=str(place / "other.sock"))
    told = cold.aivault("status", "-v", env=env).ok().json()["daemon"]
    assert told["socket"] == str(place / "other.sock")
    assert told["operatorSocket"] == str(place / "operator.sock")
    text = cold.aivault("status", env=env).ok().text
    assert str(place / "other.sock") in text and "aivaultd.sock" not in text
    unlocked = cold.aivault("unlock", env=env).ok().json()["daemon"]
    assert "aivaultd.sock" not in str(unlocked)


def test_status_makes_a_vault_where_there_is_none(cold):
    cold.start()
    assert cold.aivault("status", "-v").ok().json()["status"]["enabled"] is True
