# SPDX-License-Identifier: Apache-2.0
"""Looks for bytes in what the kernel shows of a process: memory, arguments, environment."""

import base64
import os
import struct

PAGE = os.sysconf("SC_PAGE_SIZE")
SPARSE = 32 * 1024 * 1024  # larger mappings are read page by page, as far as they are present


def forms(secret):
    """The secret as it could stand somewhere: raw, UTF-16, base64 at each alignment, hex."""
    out = {secret, secret.hex().encode(), secret.decode("latin-1").encode("utf-16-le")}
    for pad in range(3):
        coded = base64.b64encode(b"\0" * pad + secret)
        # cut what depends on the neighbours
        out.add(coded[(4 if pad else 0) : len(coded) - 4])
    return out


def mappings(pid):
    with open(f"/proc/{pid}/maps", encoding="latin-1") as file:
        for line in file:
            fields = line.split(None, 5)
            start, end = (int(x, 16) for x in fields[0].split("-"))
            name = fields[5].strip() if len(fields) > 5 else ""
            yield start, end, fields[1], name


def _present(pagemap, start, end):
    """Runs of present or swapped pages of a large mapping."""
    at = start
    while at < end:
        count = min((end - at) // PAGE, 65536)
        raw = os.pread(pagemap, count * 8, at // PAGE * 8)
        if not raw:
            return
        run = None
        for k, (entry,) in enumerate(struct.iter_unpack("<Q", raw)):
            if entry >> 62:
                run = run if run is not None else k
            elif run is not None:
                yield at + run * PAGE, at + k * PAGE
                run = None
        if run is not None:
            yield at + run * PAGE, at + count * PAGE
        at += count * PAGE


def _is_shadow(start, end):
    """Under AddressSanitizer: its shadow and allocator tables hold no program bytes, and are huge."""
    return end - start > 1 << 36


def search(pid, needles):
    """Mappings of `pid` in which a needle stands: [(mapping, needle)]."""
    found = []
    overlap = max(len(n) for n in needles) - 1
    memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    pagemap = os.open(f"/proc/{pid}/pagemap", os.O_RDONLY)
    try:
        for start, end, mode, name in mappings(pid):
            if "r" not in mode or name in ("[vvar]", "[vsyscall]") or _is_shadow(start, end):
                continue
            runs = [(start, end)] if end - start <= SPARSE else _present(pagemap, start, end)
            tail = b""
            last = None
            for low, high in runs:
                if low != last:
                    tail = b""
                while low < high:
                    size = min(high - low, 1 << 22)
                    try:
                        data = os.pread(memory, size, low)
                    except OSError:
                        data = b""
                    text = tail + data
                    found += [(f"{start:x}-{end:x} {mode} {name}", n) for n in needles if n in text]
                    tail = text[-overlap:] if overlap else b""
                    low += size
                last = high
    finally:
        os.close(memory)
        os.close(pagemap)
    return found


def arguments(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read()


def environment(pid):
    with open(f"/proc/{pid}/environ", "rb") as file:
        return file.read()
