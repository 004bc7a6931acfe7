# SPDX-License-Identifier: Apache-2.0
"""A second account, as agents have where the daemon is shared."""

import os
import shutil
import subprocess

import pytest

from world import BIN, SECONDS, Result

NOBODY = 65534


def share(world):
    """The running daemon's agent socket for the group of nobody; the operator's for its owner alone."""
    if os.getuid() != 0 or open("/proc/self/uid_map", encoding="ascii").read().split()[2] == "1":
        pytest.skip("needs a second user")
    os.chmod(world.root, 0o711)
    for path, mode in ((world.socket.parent, 0o750), (world.socket, 0o660)):
        os.chown(path, 0, NOBODY)
        os.chmod(path, mode)
    return world


def as_nobody(world, *args, group=NOBODY):
    """A command of nobody's, which finds the world's socket as the shared one."""
    program = world.dir / "aivault"
    if not program.exists():  # the build may stand in a directory that only its owner may enter
        shutil.copy(BIN / "aivault", program)
    home = world.dir / "nobody"
    home.mkdir(exist_ok=True)
    os.chown(home, NOBODY, NOBODY)
    os.chmod(world.dir, 0o755)
    env = world.env(HOME=str(home), AIVAULT_DIR=None, AIVAULTD_SHARED_SOCKET=str(world.socket))
    done = subprocess.run([program, *args], env=env, cwd="/", user=NOBODY, group=group, extra_groups=[],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False)
    world.seen.append(Result(args, done.returncode, done.stdout, done.stderr))
    return world.seen[-1]
