# SPDX-License-Identifier: Apache-2.0
"""Standard input, output and error that are closed, full or gone."""

import subprocess

from world import BIN, SECONDS, Result


def shell(world, text, *args, input=b""):
    """Runs aivault with `args` where "$@" stands in a line of shell."""
    done = subprocess.run(["/bin/sh", "-c", text, "sh", BIN / "aivault", *args], input=input,
                          capture_output=True, timeout=SECONDS, env=world.env(), cwd=world.dir,
                          check=False)
    result = Result([*args, text], done.returncode, done.stdout, done.stderr)
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
