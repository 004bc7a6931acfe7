# SPDX-License-Identifier: Apache-2.0
"""Standard input, output and error that are closed, full or gone."""

import os
import subprocess

from world import BIN, SECONDS, Result


def shell(world, text, *args, input=b"", output=subprocess.PIPE):
    """Runs aivault with `args` where "$@" stands in a line of shell."""
    done = subprocess.run(["/bin/sh", "-c", text, "sh", BIN / "aivault", *args], input=input,
                          stdout=output, stderr=subprocess.PIPE, timeout=SECONDS, env=world.env(),
                          cwd=world.dir, check=False)
    result = Result([*args, text], done.returncode, done.stdout or b"", done.stderr)
    world.seen.append(result)
    return result


def one_message(result, *words):
    result.failed()
    assert result.errors.count("aivault: ") == 1, result
    for word in words:
        assert word in result.errors, result


def call(path):
    return ["invoke", "acme/any", "--method", "GET", "--path", path]


def test_a_body_never_goes_to_the_socket_that_took_a_closed_descriptor(acme, upstream):
    upstream.routes["/x"] = lambda c, r: c.reply(200, b"GET /aivault/health HTTP/1.1\r\n\r\n" * 100)
    one_message(shell(acme, '"$@" >&-', *call("/x")), "standard output")
    assert len(upstream.requests) == 1


def test_a_closed_standard_error_gets_no_descriptor_of_ours(acme, upstream):
    shell(acme, '"$@" 2>&-', *call("/x")).ok()
    shell(acme, '"$@" 2>&-', "invoke", "acme/none").failed()


def test_a_closed_standard_input_is_an_error_and_not_waited_for(acme, upstream):
    one_message(shell(acme, '"$@" <&-', "secrets", "create", "--name", "A_KEY"), "standard input")
    assert len(acme.aivault("secrets", "list", "-v").ok().json()) == 1
    one_message(shell(acme, '"$@" <&-', "invoke", "acme/any", "--method", "POST", "--path", "/x",
                      "--body-file-path", "-"), "body cannot be read")
    shell(acme, '"$@" <&- >&- 2>&-', *call("/x")).failed()


# Each prints something; none changes anything.
SHOWING = [["--version"], ["--help"], ["help"], ["help", "status"], ["status", "--help"], ["secrets", "--help"],
           ["version"], ["version", "-v"], ["completions", "bash"], ["completions", "fish"],
           ["completions", "zsh"], ["status"], ["status", "-v"], ["secrets", "list"],
           ["secrets", "list", "-v"], ["credential", "list"], ["capability", "list"],
           ["capability", "list", "-v"], ["capability", "describe", "acme/any"], ["doctor"],
           ["doctor", "-v"], ["audit"], ["audit", "--output", "table"], ["audit", "--output", "csv"],
           ["audit", "verify"], ["audit", "verify", "--output", "table"], ["audit", "export"],
           ["audit", "stats"], ["audit", "stats", "--output", "table"]]


def test_output_that_cannot_be_written_is_an_error_with_one_message(acme, upstream):
    for args in SHOWING:
        one_message(shell(acme, '"$@" >/dev/full', *args), "standard output")
        one_message(shell(acme, '"$@" >&-', *args), "standard output")


def test_what_an_upstream_sent_and_cannot_be_written_is_an_error(acme, upstream):
    upstream.routes["/x"] = lambda c, r: c.reply(200, b'{"a":1}')
    for args in (call("/x"), ["json", *call("/x")[1:]]):
        one_message(shell(acme, '"$@" >/dev/full', *args), "standard output", "No space left")


def test_a_reader_that_went_away_is_told_nothing(acme, upstream):
    upstream.routes["/x"] = lambda c, r: c.reply(200, b"x" * 1000000)
    for args in [*SHOWING, call("/x")]:
        reader, writer = os.pipe()
        os.close(reader)
        result = shell(acme, '"$@"; echo "ended $?" >&2', *args, output=writer).ok()
        os.close(writer)
        assert result.errors == "ended 1\n", result


def test_what_is_done_is_said_where_the_answer_is_lost(world):
    result = shell(world, '"$@" >/dev/full', "secrets", "create", "--name", "A_KEY", input=b"sk-value")
    result.failed()
    lost = [line for line in result.errors.splitlines() if "the secret was stored, but" in line]
    assert len(lost) == 1 and "No space left" in lost[0], result
    secrets = world.aivault("secrets", "list", "-v").ok().json()
    assert [s["name"] for s in secrets] == ["A_KEY"]
    one_message(shell(world, '"$@" >/dev/full', "secrets", "delete", "--id", secrets[0]["secretId"]),
                "the secret was deleted, but")
