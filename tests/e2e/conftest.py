# SPDX-License-Identifier: Apache-2.0
"""Fixtures. The tests run inside tests/tools/netns.sh: real names, port 443, unchanged binaries."""

import os
import pathlib
import socket
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "tools"))

from upstream import Upstream  # noqa: E402
from world import World  # noqa: E402


@pytest.fixture(scope="session")
def server():
    net = os.environ.get("AV_NET_DIR")
    if not net:
        pytest.exit("run the end-to-end tests inside tests/tools/netns.sh (make check does)", 1)
    cert, key = f"{net}/server.pem", f"{net}/server.key"
    try:
        up = Upstream(cert, key, "::", 443, family=socket.AF_INET6).start()
    except OSError:  # no IPv6 here
        up = Upstream(cert, key, "0.0.0.0", 443).start()
    yield up
    up.stop()


@pytest.fixture
def upstream(server):
    server.reset()
    yield server
    server.reset()


@pytest.fixture
def cold(upstream):
    """A world whose daemon is not running."""
    world = World()
    yield world
    world.close()


@pytest.fixture
def world(cold):
    """A world with a running daemon and an empty vault."""
    cold.start()
    cold.aivault("status").ok()
    return cold


@pytest.fixture
def openai(world, upstream):
    """A world with OPENAI_API_KEY, the one key that the upstream takes."""
    world.key, world.secret = world.store("OPENAI_API_KEY")
    upstream.expect_auth = "Bearer " + world.key
    return world


@pytest.fixture
def acme(world):
    """A world with the capability acme/any: any path of api.acme-test.com, GET and POST."""
    world.key = world.custom()
    return world
