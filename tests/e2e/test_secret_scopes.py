# SPDX-License-Identifier: Apache-2.0
"""`secrets list` shows the secrets of the scope that is named."""

import pytest

W1, G1 = ("--workspace-id", "w1"), ("--group-id", "g1")


@pytest.fixture
def scoped(world):
    world.store("EVERYBODYS")
    world.store("OF_W1", None, "--scope", "workspace", *W1)
    world.store("OF_W2", None, "--scope", "workspace", "--workspace-id", "w2")
    world.store("OF_G1", None, "--scope", "group", *W1, *G1)
    world.store("OF_G2", None, "--scope", "group", *W1, "--group-id", "g2")
    return world


@pytest.mark.parametrize("args,names", [
    ((), ["EVERYBODYS", "OF_G1", "OF_G2", "OF_W1", "OF_W2"]),
    (W1, ["OF_G1", "OF_G2", "OF_W1"]),
    ((*W1, *G1), ["OF_G1"]),
    (("--scope", "workspace", *W1), ["OF_W1"]),
    (("--scope", "global"), ["EVERYBODYS"]),
    (("--workspace-id", "w3"), []),
])
def test_list_shows_what_is_of_the_scope_named(scoped, args, names):
    told = scoped.aivault("secrets", "list", "-v", *args).ok().json()
    assert sorted(s["name"] for s in told) == names
