# SPDX-License-Identifier: Apache-2.0
"""An agent's account asks the agents' socket for what it may call; one outside of the group is told how to
get in."""

import grp
import pwd

import pytest

from account import NOBODY, as_nobody, share


@pytest.fixture
def shared(openai):
    return share(openai)


def test_agent_lists_what_it_may_call(shared):
    listed = as_nobody(shared, "capability", "list", "-v").ok().json()
    ids = [c["id"] for c in listed["capabilities"]]
    with shared.agent() as agent:
        told = agent.request("GET", "/aivault/capabilities").json()["capabilities"]
    assert ids == [c["id"] for c in told] and "openai/embeddings" in ids
    one = listed["capabilities"][ids.index("openai/embeddings")]
    assert one["allow"] == {"hosts": ["api.openai.com"], "methods": ["POST"],
                            "pathPrefixes": ["/v1/embeddings"]}
    assert "path" not in listed and "policies" not in listed
    text = as_nobody(shared, "capability", "list").ok().text
    assert "openai/embeddings" in text and "Setup" not in text and f"{len(ids)} ready" in text


def test_agent_describes_what_it_may_call(shared):
    mine = as_nobody(shared, "capability", "describe", "openai/embeddings").ok().json()
    theirs = shared.aivault("capability", "describe", "openai/embeddings").ok().json()
    for key in ("capability", "provider", "allowed", "call"):
        assert mine[key] == theirs[key], key
    assert "setup" not in mine
    unknown = as_nobody(shared, "capability", "describe", "openai/none").failed(1)
    assert unknown.errors.startswith("aivault: capability_not_found: ")
    for name in ("a b", "../health", "x?y", ""):
        as_nobody(shared, "capability", "describe", name).failed(1)


def test_agent_may_still_not_change_or_read_the_vault(shared):
    for args in (["capability", "disable", "openai/embeddings"], ["secrets", "list"], ["audit"]):
        refused = as_nobody(shared, *args).failed(1)
        assert refused.errors.startswith("aivault: operator_auth_required: "), args


def test_account_outside_of_the_group_is_told_how_to_get_in(shared):
    group = grp.getgrgid(NOBODY).gr_name
    name = pwd.getpwuid(NOBODY).pw_name
    for args in (["invoke", "openai/embeddings", "--body", "{}"], ["capability", "list"], ["doctor"]):
        said = as_nobody(shared, *args, group=NOBODY - 1).failed(1)
        assert f"usermod -aG {group} {name}" in said.text + said.errors, said
        assert "log in again" in said.text + said.errors
