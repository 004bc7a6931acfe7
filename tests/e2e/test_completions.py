# SPDX-License-Identifier: Apache-2.0
"""The scripts that `aivault completions` prints, in the shells that are installed here."""

import re
import shlex
import shutil
import subprocess

import pytest
from world import SECONDS


@pytest.fixture
def script(cold):
    """A function: the file with the script for a shell."""
    def made(shell):
        path = cold.dir / "_aivault"
        path.write_bytes(cold.aivault("completions", shell).ok().out)
        return path
    return made


def run(world, *args):
    done = subprocess.run([shutil.which(args[0]), *args[1:]], capture_output=True, timeout=SECONDS, cwd=world.dir, env=world.env(),
                          stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 0 and done.stderr == b"", done
    return done.stdout.decode()


# The words on the line, the last one to be completed; what must be offered, and what not.
LINES = [
    (["st"], {"status", "stop"}, {"secrets"}),
    (["secrets", ""], {"create", "list", "rotate", "delete"}, {"status"}),
    (["secrets", "cr"], {"create"}, {"list"}),
    (["secrets", "create", "--v"], {"--value", "--value-file", "--verbose"}, {"--name"}),
    (["secrets", "create", "--scope", ""], {"global", "workspace", "group"}, {"--name"}),
    (["credential", "create", "x", "--auth", "m"], {"multi-header", "mtls"}, {"header"}),
    (["status", "--output", ""], {"table", "json"}, {"csv"}),
    (["audit", "--output", ""], {"table", "json", "jsonl", "csv"}, set()),
    (["audit", ""], {"verify", "export", "stats"}, {"status"}),
    (["capability", "policy", ""], {"set", "get", "clear"}, {"status"}),
    (["completions", ""], {"bash", "zsh", "fish"}, {"status"}),
    (["help", ""], {"status", "secrets", "capability"}, {"create"}),
    (["help", "secrets", ""], {"create", "list"}, {"status"}),
    (["secrets", "create", "--value-file", "ke"], {"key.pem"}, {"other"}),
    (["invoke", "a/b", "--body-file-path", "ke"], {"key.pem"}, {"other"}),
    (["init", "--provider", ""], {"file", "passphrase"}, {"--provider"}),
    (["secrets", "create", "--name", ""], set(), {"--name", "create", "key.pem"}),
]


def check(world, complete):
    (world.dir / "key.pem").write_text("x")
    (world.dir / "other").write_text("x")
    for words, offered, absent in LINES:
        got = set(complete(words))
        assert offered <= got and not absent & got, (words, got)


def bash(world, path, words, breaks=True):
    if breaks:
        words = [w for word in words for w in re.split("(=)", word) if w] if words[-1] else words
    line = " ".join(shlex.quote(w) for w in ["aivault", *words])
    return run(world, "bash", "-c", f"source {path}; COMP_WORDS=({line}); COMP_CWORD={len(words)}; _aivault; "
               "printf '%s\\n' \"${COMPREPLY[@]}\"").split("\n")[:-1]


def test_bash_completes(cold, script):
    path = script("bash")
    run(cold, "bash", "-n", str(path))
    check(cold, lambda words: bash(cold, path, words))
    (cold.dir / "key two*").write_text("x")
    assert set(bash(cold, path, ["secrets", "create", "--value-file=ke"])) == {"key.pem", "key two*"}
    assert set(bash(cold, path, ["secrets", "create", "--value-file="])) >= {"key.pem", "other"}
    assert bash(cold, path, ["secrets", "create", "--value-file=key.p"], breaks=False) == ["--value-file=key.pem"]
    assert bash(cold, path, ["secrets", "create", "--value-file=/et"]) == ["/etc"]
    assert bash(cold, path, ["secrets", "list", "--scope=w"]) == ["workspace"]


@pytest.mark.parametrize("load", ["source ./_aivault", "fpath=(. $fpath); autoload -Uz _aivault"])
def test_zsh_completes_from_the_first_time_on(cold, script, load):
    path = script("zsh")
    run(cold, "zsh", "-f", "-n", str(path))

    def complete(words):
        line = " ".join(shlex.quote(w) for w in ["aivault", *words])
        said = run(cold, "zsh", "-f", "-c",
                   "compdef() { : }; _files() { print -l -- $PREFIX*(N) }; "
                   'compadd() { shift; print -l -- "${(M)@:#$PREFIX*}" }; '
                   f"words=({line}); CURRENT={len(words) + 1}; PREFIX={shlex.quote(words[-1])}; IPREFIX=; "
                   f"{load}; _aivault; print -- $IPREFIX")
        return said.split("\n")[:-1]

    check(cold, complete)
    assert complete(["secrets", "create", "--value-file=ke"]) == ["key.pem", "--value-file="]


def test_fish_completes(cold, script):
    path = script("fish")
    run(cold, "fish", "--no-execute", str(path))

    def complete(words):
        line = " ".join(["aivault", *words])
        said = run(cold, "fish", "--no-config", "-c", f"source {path}; complete -C {shlex.quote(line)}")
        return [text.split("\t")[0] for text in said.split("\n")[:-1]]

    check(cold, complete)


def fish_words(line):
    """The words of a line of fish that has nothing but plain and single-quoted ones."""
    words = re.findall(r"(?:[\w-]+|'(?:[^'\\]|\\['\\])*')(?: |$)", line)
    assert "".join(words) == line, line
    return [re.sub(r"\\(.)", r"\1", w.strip()[1:-1]) if w[0] == "'" else w.strip() for w in words]


def test_fish_descriptions_are_quoted(cold):
    lines = [line for line in cold.aivault("completions", "fish").ok().text.split("\n")
             if line.startswith("complete ")]
    told = {words[words.index("-d") + 1] for words in map(fish_words, lines) if "-d" in words}
    overview = cold.aivault("help").ok().text
    for name in ("invoke", "audit verify", "secrets delete"):
        about = re.search(f"^  {name} +(.*)$", overview, re.M)[1]
        assert "'" in about and about in told
