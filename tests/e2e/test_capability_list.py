# SPDX-License-Identifier: Apache-2.0
"""`capability list` and `describe` name the command that makes a capability work, and no other."""


def section(world, title):
    """The lines under one heading of the list."""
    lines = world.aivault("capability", "list").ok().text.splitlines()
    starts = [k for k, line in enumerate(lines) if line.startswith(title)]
    if not starts:
        return []
    rest = lines[starts[0] + 1:]
    end = next((k for k, line in enumerate(rest) if not line.startswith(" ")), len(rest))
    return [line.strip() for line in rest[:end]]


def state(world, ident):
    told = world.aivault("capability", "describe", ident).ok().json()
    return told["state"], told.get("remedy", "")


def test_what_needs_a_credential_has_its_setup_line(world):
    lines = section(world, "Available")
    at = lines.index("github")
    assert lines[at + 1] == "Setup: aivault secrets create --name GITHUB_TOKEN"
    assert "github/meta" in lines and section(world, "Ready") == []
    assert state(world, "github/meta") == ("needs_credential",
                                           "aivault secrets create --name GITHUB_TOKEN")


def test_what_a_stored_secret_was_not_enabled_for_is_to_be_enabled(world):
    world.store("GITHUB_TOKEN", None, "--enable", "github/meta")
    assert not any("GITHUB_TOKEN" in line for line in section(world, "Available"))
    disabled = section(world, "Disabled")
    assert "aivault capability enable github/repos" in disabled and "github/meta" not in disabled
    ready = section(world, "Ready")
    assert ready == ["github", "github/meta"], "no setup line is left under what works"
    assert state(world, "github/meta") == ("ready", "")
    assert state(world, "github/repos") == ("disabled", "aivault capability enable github/repos")
    world.aivault("capability", "enable", "github/repos").ok()
    assert "github/repos" in section(world, "Ready")


def test_what_was_disabled_is_to_be_enabled_again(openai):
    openai.aivault("capability", "disable", "openai/embeddings").ok()
    assert "aivault capability enable openai/embeddings" in section(openai, "Disabled")
    assert "openai/embeddings" not in section(openai, "Available") + section(openai, "Ready")
    assert state(openai, "openai/embeddings")[0] == "disabled"


def test_what_needs_another_secret_of_the_provider_names_that_one(openai):
    lines = section(openai, "Available")
    at = lines.index("openai")
    assert lines[at + 1] == "Setup: aivault secrets create --name CODEX_OAUTH_JSON"
    assert not any("OPENAI_API_KEY" in line for line in lines)


def test_example_has_a_body_where_the_method_takes_one(openai, upstream):
    told = openai.aivault("capability", "describe", "openai/embeddings").ok().json()["call"]["howTo"]
    command = told["examples"][0]["command"]
    assert command.endswith(" --body '{}'") and told["templates"]["request"]["body"] == "{}"
    told = openai.aivault("capability", "describe", "openai/models").ok().json()["call"]["howTo"]
    assert "--body" not in told["examples"][0]["command"]
    assert "body" not in told["templates"]["request"]
