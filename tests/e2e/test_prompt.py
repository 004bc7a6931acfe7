# SPDX-License-Identifier: Apache-2.0
"""Secrets typed or pasted on a terminal are stored as they were meant, or not at all."""

import os
import pty
import select
import signal
import termios

import pytest
from world import BIN, SECONDS, wait_for

NAME = "OPENAI_API_KEY"
PROMPT = b"Value of " + NAME.encode() + b" (no echo): "


class Prompt:
    """`aivault secrets create` on a terminal of its own."""

    def __init__(self, world, *args):
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.said = b""
        self.pid = os.fork()
        if self.pid == 0:
            # Whoever started the tests may ignore some, and that is inherited.
            for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            os.setsid()
            for fd in (0, 1, 2):
                os.dup2(self.slave, fd)
            os.closerange(3, 256)
            os.chdir(world.dir)
            os.execve(BIN / "aivault", ["aivault", "secrets", "create", "--name", NAME, *args],
                      world.env())
        self.until(PROMPT)

    def some(self):
        ready, _, _ = select.select([self.master], [], [], SECONDS)
        assert ready, f"nothing more was shown: {self.said}"
        self.said += os.read(self.master, 4096)

    def until(self, text, count=1):
        while self.said.count(text) < count:
            self.some()

    def send(self, data):
        while data:
            data = data[os.write(self.master, data[:1024]):]

    def modes(self):
        """What the terminal is set to, less the bytes that wait."""
        return termios.tcgetattr(self.slave)

    def end(self):
        """The exit code (a signal: negative), with all that was shown in .said; nothing is left
        for a shell, and the terminal is as it was."""
        status = wait_for(lambda: [s for pid, s in [os.waitpid(self.pid, os.WNOHANG)] if pid],
                          f"the end of a command that showed {self.said}")[0]
        assert self.modes() == self.before
        os.set_blocking(self.slave, False)
        with pytest.raises(BlockingIOError):
            os.read(self.slave, 1)
        os.set_blocking(self.slave, True)
        os.close(self.slave)
        try:
            while data := os.read(self.master, 4096):
                self.said += data
        except OSError:
            pass
        os.close(self.master)
        return os.waitstatus_to_exitcode(status)


def stored(world):
    return world.aivault("secrets", "list", "-v").ok().json()


def refused(world, prompt, *words):
    assert prompt.end() == 1, prompt.said
    for word in words:
        assert word in prompt.said, prompt.said
    assert prompt.said.count(b"aivault: ") == 1
    assert stored(world) == []


def used(world, upstream, value):
    """The stored secret is `value`, byte for byte."""
    upstream.expect_auth = "Bearer " + value
    world.chat("{}").ok()
    assert len(upstream.requests) == 1


def test_a_long_line_is_stored_whole(world, upstream):
    value = "sk-" + "0123456789abcdef" * 500
    prompt = Prompt(world)
    prompt.send(value.encode() + b"\n")
    assert prompt.end() == 0, prompt.said
    assert b"0123456789" not in prompt.said
    used(world, upstream, value)


def test_a_line_over_the_limit_is_refused(world):
    prompt = Prompt(world)
    prompt.send(b"k" * 70000 + b"\n")
    refused(world, prompt, b"65536 bytes")


def test_typing_can_be_taken_back(world, upstream):
    prompt = Prompt(world)
    prompt.send(b"wrong\x15sk-typedX\x7f-key\r")
    assert prompt.end() == 0, prompt.said
    used(world, upstream, "sk-typed-key")


@pytest.mark.parametrize("typed", [b"\x1b[200~sk-pasted-key\x1b[201~\r", b"\x1b[200~sk-pasted-key\n\x1b[201~",
                                   b"sk-pasted-key\r\n"])
def test_marks_of_a_paste_are_no_part_of_the_key(world, upstream, typed):
    prompt = Prompt(world)
    prompt.send(typed)
    assert prompt.end() == 0, prompt.said
    used(world, upstream, "sk-pasted-key")


@pytest.mark.parametrize("typed", [b"sk-key\x1a\n", b"sk-\tkey\n", b"sk-key\x1b[A\n", b"sk-key\x04"])
def test_control_bytes_are_refused(world, typed):
    prompt = Prompt(world)
    prompt.send(typed)
    refused(world, prompt, b"control byte", b"--value-file")


@pytest.mark.parametrize("typed", [b"-----BEGIN KEY-----\nabc\n-----END KEY-----\n",
                                   b"\x1b[200~first\nsecond\x1b[201~\n", b"first\rsecond"])
def test_more_than_one_line_is_refused(world, typed):
    prompt = Prompt(world)
    prompt.send(typed)
    refused(world, prompt, b"more than one line", b"--value-file")


def test_interrupt_stores_nothing(world):
    prompt = Prompt(world)
    prompt.send(b"half\x03")
    refused(world, prompt, b"interrupted")


def test_end_of_file_on_an_empty_line_stores_nothing(world):
    prompt = Prompt(world)
    prompt.send(b"\x04")
    refused(world, prompt, b"the secret is empty")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_signals_end_it_with_the_terminal_as_it_was(world, number):
    prompt = Prompt(world)
    assert prompt.modes() != prompt.before
    prompt.send(b"half")
    os.kill(prompt.pid, number)
    assert prompt.end() == -number, prompt.said
    assert stored(world) == []


def test_a_stopped_prompt_lends_the_terminal_back_and_asks_again(world, upstream):
    prompt = Prompt(world)
    prompt.send(b"half")
    os.kill(prompt.pid, signal.SIGTSTP)
    prompt.until(PROMPT, 2)
    prompt.send(b"sk-second-try\n")
    assert prompt.end() == 0, prompt.said
    used(world, upstream, "sk-second-try")


def test_a_last_newline_that_is_kept_is_told_of(world):
    path = world.dir / "key"
    path.write_text("sk-from-file\n")
    said = world.aivault("secrets", "create", "--name", "A_KEY", "--value-file", path).ok().errors
    assert "newline" in said and "< FILE" in said
    path.write_text("sk-from-file")
    said = world.aivault("secrets", "create", "--name", "B_KEY", "--value-file", path).ok().errors
    assert "newline" not in said
    said = world.aivault("secrets", "create", "--name", "C_KEY", input="sk-piped\n").ok().errors
    assert "newline" not in said
    said = world.aivault("secrets", "create", "--name", "D_KEY", input="sk-piped\n\n").ok().errors
    assert "newline" in said
