# SPDX-License-Identifier: Apache-2.0
"""Where several credentials fit: what the caller names counts for finding the method and path too."""

import json

import pytest

from agent import Agent


@pytest.fixture
def two(world, upstream):
    """openai/models by two credentials: the provider's own, and `second`."""
    world.first, _ = world.store("OPENAI_API_KEY")
    world.second, meta = world.store("OTHER_KEY")
    world.aivault("credential", "create", "second", "--provider", "openai", "--secret-ref",
                  "vault:secret:" + meta["secretId"]).ok()
    return world


def test_named_credential_counts_where_method_and_path_are_left_out(two, upstream):
    upstream.expect_auth = "Bearer " + two.second
    done = two.aivault("invoke", "openai/embeddings", "--credential", "second", "--body", "{}")
    assert done.ok().json()
    asked = upstream.requests[-1]
    assert (asked.method, asked.target) == ("POST", "/v1/embeddings")
    refused = two.aivault("invoke", "openai/embeddings", "--body", "{}").failed()
    assert "credential_ambiguous" in refused.errors and "--credential" in refused.errors


def test_named_workspace_counts_where_method_and_path_are_left_out(world, upstream):
    key, _ = world.store("OPENAI_API_KEY", None, "--scope", "workspace", "--workspace-id", "w1")
    upstream.expect_auth = "Bearer " + key
    world.aivault("invoke", "openai/embeddings", "--workspace-id", "w1", "--body", "{}").ok()
    refused = world.aivault("invoke", "openai/embeddings", "--body", "{}").failed()
    assert "not scoped to this context" in refused.errors


def test_capability_that_two_credentials_fit_is_listed_with_both(two):
    with Agent(two.socket) as agent:
        listed = agent.request("GET", "/aivault/capabilities").json()["capabilities"]
        one = next(c for c in listed if c["id"] == "openai/chat-completions")
        assert one["credentials"] == ["openai", "second"] and "credential" not in one
        named = agent.request("GET", "/aivault/capabilities/openai/chat-completions",
                              [("Aivault-Credential", "second")]).json()
        assert named["credential"] == "second"


def test_capabilities_of_a_workspace_are_listed_for_it_alone(world):
    world.store("OPENAI_API_KEY", None, "--scope", "workspace", "--workspace-id", "w1")
    with Agent(world.socket) as agent:
        assert agent.request("GET", "/aivault/capabilities").json() == {"capabilities": []}
        listed = agent.request("GET", "/aivault/capabilities", [("Aivault-Workspace", "w1")]).json()
        assert "openai/chat-completions" in [c["id"] for c in listed["capabilities"]]
        bad = agent.request("GET", "/aivault/capabilities", [("Aivault-Credential", "a b")])
        assert bad.status == 400 and bad.reason == "credential_id"


def test_capability_of_a_workspace_counts_as_ready(world):
    world.store("OPENAI_API_KEY", None, "--scope", "workspace", "--workspace-id", "w1")
    listed = json.loads(world.aivault("capability", "list", "-v").ok().out)
    ready = {c["id"] for c in listed["registryCapabilities"] if c["ready"]}
    assert "openai/chat-completions" in ready
