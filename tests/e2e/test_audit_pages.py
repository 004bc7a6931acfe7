# SPDX-License-Identifier: Apache-2.0
"""`audit` reads page by page until its limit is reached; nothing is lost between two pages."""

import json

import pytest

CALLS = 1100  # more than one page of the keeper's


@pytest.fixture
def busy(openai, upstream):
    """Many calls, many of them in one millisecond with another."""
    with openai.agent() as agent:
        for k in range(CALLS):
            assert agent.request("GET", f"/i/openai/models/-/v1/models?k={k}").body
    openai.aivault("capability", "disable", "openai/models").ok()
    return openai


def ids(rows):
    return [row["id"] for row in rows]


def test_limit_is_reached_over_pages_and_calls_stay_joined(busy):
    whole = [json.loads(line) for line in busy.aivault("audit", "export").ok().text.splitlines()]
    allowed = [row["id"] for row in whole if row["kind"] == "invoke.allow"]
    assert len(allowed) == CALLS
    done = busy.aivault("audit", "--limit", "5000", "--event", "invoke.allow").ok()
    assert done.errors == ""
    rows = done.json()
    assert ids(rows) == allowed[::-1]
    assert all(row["status"] == 200 and "durationMs" in row for row in rows)
    some = busy.aivault("audit", "--limit", "1050", "--event", "invoke.allow").ok().json()
    assert ids(some) == ids(rows)[:1050]
    for output, lines in (("jsonl", CALLS), ("csv", CALLS + 1), ("table", CALLS + 1)):
        shown = busy.aivault("audit", "--limit", "5000", "--event", "invoke.allow", "--output", output)
        assert len(shown.ok().text.splitlines()) == lines, output


def test_before_ts_ms_is_strictly_before(busy):
    rows = busy.aivault("audit", "--limit", "2000").ok().json()
    at = rows[len(rows) // 2]["tsMs"]
    older = busy.aivault("audit", "--limit", "2000", "--before-ts-ms", at).ok().json()
    assert ids(older) == [row["id"] for row in rows if row["tsMs"] < at]


def test_limit_over_what_is_allowed_is_refused_by_name(openai):
    refused = openai.aivault("audit", "--limit", "100001").failed(2)
    assert "--limit" in refused.errors and "100000" in refused.errors
    refused = openai.aivault("audit", "--follow", "--limit", "1001").failed(2)
    assert "--limit" in refused.errors and "1000" in refused.errors
    assert openai.aivault("audit", "--limit", "0").ok().json() == []
