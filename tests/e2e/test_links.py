# SPDX-License-Identifier: Apache-2.0
"""The link line is the proof: what each program of the release build can do at all."""

import os
import subprocess

import pytest

from world import BUILDDIR, ROOT, SECONDS


@pytest.mark.invariant
def test_programs_link_only_what_they_may():
    if not (BUILDDIR / "release" / "bin" / "aivault").exists():
        pytest.fail("there is no release build to look at")
    done = subprocess.run([ROOT / "tests" / "tools" / "symbols.sh", "release"], text=True,
                          env={**os.environ, "BUILDDIR": str(BUILDDIR)}, capture_output=True,
                          timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_programs_are_hardened():
    for program in ("bin/aivault", "bin/aivaultd", "libexec/aivault-broker", "libexec/aivault-keeper",
                    "libexec/aivault-policy"):
        path = BUILDDIR / "release" / program
        text = subprocess.run(["readelf", "-hldW", path], capture_output=True, text=True, check=True).stdout
        assert "DYN (" in text, f"{program} is not position independent"
        assert "BIND_NOW" in text or "NOW" in text, f"{program} binds late"
        assert "GNU_RELRO" in text
        stack = next(line for line in text.splitlines() if "GNU_STACK" in line)
        assert "RWE" not in stack, f"{program} has an executable stack"
