# SPDX-License-Identifier: Apache-2.0
"""The socket pairs between the processes of a vault, for tests that speak on them out of turn."""

import ctypes
import os
import re
import socket
import subprocess

PIDFD_GETFD = 438  # pidfd_getfd(2); the number is the same on every architecture
libc = ctypes.CDLL(None, use_errno=True)


def sockets(pid):
    """{inode: descriptor} of a process."""
    found = {}
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            link = os.readlink(f"/proc/{pid}/fd/{fd}")
        except OSError:
            continue
        if m := re.fullmatch(r"socket:\[(\d+)\]", link):
            found[int(m.group(1))] = int(fd)
    return found


def peers():
    """{inode: inode of the other end} of the connected stream sockets of the machine."""
    out = subprocess.run(["ss", "--unix", "--all", "--numeric", "--no-header"], capture_output=True,
                         check=True, text=True).stdout
    rows = (re.match(r"u_str\s+ESTAB\s+\d+\s+\d+\s+\S+\s+(\d+)\s+\S+\s+(\d+)", line)
            for line in out.splitlines())
    return {int(m.group(1)): int(m.group(2)) for m in rows if m}


def end(world, of, to):
    """A copy of the end that the process `of` has of its channel to the process `to` (roles)."""
    pids = world.pids()
    theirs = sockets(pids[to])
    other = peers()
    mine = [fd for inode, fd in sockets(pids[of]).items() if other.get(inode) in theirs]
    assert len(mine) == 1, f"{len(mine)} channels from the {of} to the {to}"
    process = os.pidfd_open(pids[of])
    try:
        fd = libc.syscall(PIDFD_GETFD, process, mine[0], 0)
        assert fd >= 0, os.strerror(ctypes.get_errno())
    finally:
        os.close(process)
    return socket.socket(fileno=fd)
