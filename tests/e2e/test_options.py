# SPDX-License-Identifier: Apache-2.0
"""Options and arguments that do not fit are refused; nothing is done that was not asked for."""

import pytest


def refused(result, code, *words):
    result.failed(code)
    assert result.out == b"" and result.errors.count("aivault: ") == 1, result
    for word in words:
        assert word in result.errors, result


@pytest.mark.parametrize("args", [
    ["--env-var", "FOO"], ["--keychain-service", "s"], ["--keychain-account", "a"],
    ["--provider", "file", "--env-var", "FOO"], ["--provider", "passphrase", "--env-var", "FOO"],
    ["--provider", "env"], ["--provider", "macos-keychain"]])
def test_a_source_of_the_key_that_is_not_there_makes_no_vault(cold, args):
    cold.start()
    refused(cold.aivault("init", *args, input="passphrase"), 1, "not_supported", "not part of this version")
    assert not (cold.root / "kek.key").exists()
    assert "there is none yet" in cold.aivault("doctor").failed().text


# What goes with another kind of auth than the one given.
MISFITS = [("--query-param", "x", "header", "query"), ("--header-name", "x-key", "query", "header"),
           ("--value-template", "{{secret}}", "path", "header"), ("--auth-header", "a={{secret}}", "header", "multi-header"),
           ("--path-prefix-template", "/bot{{secret}}", "header", "path"), ("--scope", "read", "header", "oauth2"),
           ("--token-endpoint", "https://x.example/t", "basic", "oauth2"), ("--grant-type", "refresh_token", "mtls", "oauth2"),
           ("--aws-region", "eu-west-1", "hmac", "aws-sigv4"), ("--aws-service", "s3", "header", "aws-sigv4"),
           ("--hmac-algorithm", "sha256", "header", "hmac"), ("--query-param", "x", None, "query")]


def test_options_of_another_kind_of_auth_are_refused(world):
    _, meta = world.store("ACME_KEY")
    for option, value, auth, wanted in MISFITS:
        args = ["credential", "create", "acme", "--provider", "acme", "--host", "api.acme-test.com",
                "--secret-ref", "vault:secret:" + meta["secretId"], option, value]
        if auth is not None:
            args += ["--auth", auth]
        refused(world.aivault(*args), 2, option, f"--auth {wanted}", auth or "missing")
    assert world.aivault("credential", "list", "-v").ok().json()["credentials"] == []


def test_options_before_the_command_are_told_where_they_belong(cold):
    for args in (["--output", "json", "status"], ["-v", "status"], ["--output=json", "status"], ["-v"]):
        refused(cold.aivault(*args), 2, "options stand behind the command", args[0].split("=")[0] + " ")


def test_a_directory_is_no_value_and_no_body(cold):
    # Told before anything is connected: no daemon runs, and none is started.
    (cold.dir / "dir").mkdir()
    for args in (["secrets", "create", "--name", "A_KEY", "--value-file", "dir"],
                 ["init", "--provider", "passphrase", "--passphrase-file", "dir"],
                 ["invoke", "a/b", "--method", "POST", "--path", "/", "--body-file-path", "dir"],
                 ["invoke", "a/b", "--request", '{"method":"POST","path":"/","bodyFilePath":"dir"}'],
                 ["invoke", "a/b", "--request-file", "dir"],
                 ["invoke", "a/b", "--method", "POST", "--path", "/", "--multipart-file", "a=dir"]):
        refused(cold.aivault(*args), 1, "invalid_request", "dir")
        assert not cold.socket.exists()


def test_arguments_that_are_not_utf8_are_told_as_that(world):
    for args in (["secrets", "create", "--name", b"A\xff"], ["secrets", "delete", "--id", b"\xc3"]):
        args = [a if isinstance(a, str) else a.decode("utf-8", "surrogateescape") for a in args]
        refused(world.aivault(*args, input="sk-value"), 1, "invalid_request", "not UTF-8")


def test_what_is_not_part_of_this_version_is_told_as_that(cold):
    for group in ("policy", "token", "setup", "agent", "provider", "oauth"):
        for args in ([group], [group, "--help"], [group, "-h"], ["help", group], [group, "frob"]):
            refused(cold.aivault(*args), 1, "not_supported", f"{group} is not part of this version")
    for args in (["rotate-master"], ["secrets", "update"], ["policy", "check"], ["audit", "prune"]):
        for line in (args, [*args, "--help"], ["help", *args]):
            refused(cold.aivault(*line), 1, "not_supported", " ".join(args) + " is not part")


def test_help_is_given_for_what_there_is(cold):
    for args in (["capability", "policy"], ["capability", "policy", "set"], ["secrets", "create"], ["audit"],
                 ["completions", "fish"], ["capability", "args"]):
        text = cold.aivault("help", *args).ok().text
        assert text.startswith("usage: aivault " + " ".join(args[:1])), text
    assert "secrets create" in cold.aivault("help", "secrets").ok().text
    for args in (["frob"], ["secrets", "frob"], ["capability", "policy", "frob"], ["status", "frob"]):
        refused(cold.aivault("help", *args), 2, "unknown command " + " ".join(args[:2]))
