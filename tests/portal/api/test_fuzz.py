"""Whatever a machine sends, it gets an answer or a problem, and never a crash."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent.words import UseKind
from tests.portal.api.conftest import Machine, World

pytestmark = pytest.mark.django_db

FUZZ = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

ODD = ["NOUM72400192", "NO-UM7-24-00192", "tidesmith", "\0", "\ud800", "é", "2026-01-01T00:00:00Z"]
TEXT = st.text(st.characters(), max_size=20) | st.sampled_from([*ODD, *UseKind.values])
SCALAR = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
ANYTHING = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)

FIELDS = {
    "decisions": ["isrc", "use", "tool", "model_version", "territory", "at"],
    "usage-events": [
        "event_id", "output", "training_run", "occurred_at", "quantity", "revenue_micros",
        "currency", "territory", "reverses",
    ],
    "tools": ["tool", "name", "kind", "about"],
    "model-versions": ["tool", "name"],
    "requests": ["tool", "use", "why", "isrc", "artists", "valid_from", "valid_until"],
    "training-runs": ["run", "model_version", "use", "trained_at", "isrcs"],
    "outputs": ["output", "model_version", "use", "made_at", "title", "attributions"],
    "webhooks": ["url", "kinds"],
    "decisions/replay": ["decision"],
}  # fmt: skip
WRAPPED = {"decisions": "items", "usage-events": "events"}


def bodies(path: str) -> st.SearchStrategy[Any]:
    """Requests that look like those that belong there, and some that do not."""
    like = st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS[path], ANYTHING))
    if path in WRAPPED:
        wrapped = st.lists(like | ANYTHING, max_size=4)
        return st.fixed_dictionaries({WRAPPED[path]: wrapped}) | ANYTHING
    return like | ANYTHING


@pytest.mark.parametrize("path", FIELDS)
def test_a_request_that_makes_no_sense_is_a_problem(
    sandbox: Machine, world: World, path: str
) -> None:
    @FUZZ
    @given(bodies(path))
    def send(body: Any) -> None:
        response = sandbox.post(path, json.dumps(body))
        assert response.status_code < 500, response.content
        if response.status_code >= 400:
            assert response.headers["Content-Type"] == "application/problem+json"
        assert b'"allowed": true' not in response.content
        assert b'"allowed":true' not in response.content

    send()


@pytest.mark.parametrize(
    "path",
    [
        "signals/{}",
        "tools/{}",
        "requests/{}",
        "webhooks/{}",
        "webhooks/{}/messages",
        "permissions/changes?after={}",
        "permissions/snapshot?tool={0}&cursor={0}",
        "decisions/history?isrc={0}&use={0}&tool={0}&at={0}&known_at={0}",
        "decisions/replay?decision={}",
        "ledger/proofs/inclusion?seq={0}&size={0}",
        "withdrawals?before={}",
        "requests?before={}",
    ],
)
def test_an_address_that_makes_no_sense_is_a_problem(
    sandbox: Machine, world: World, path: str
) -> None:
    @FUZZ
    @given(TEXT | st.integers().map(str))
    def ask(value: str) -> None:
        named = quote(value.encode("utf-8", "replace"), safe="")
        response = sandbox.http.get(f"/api/v1/{path.format(named)}", headers=sandbox.headers())
        assert response.status_code < 500, response.content

    ask()


@pytest.mark.parametrize("event", [{"event_id": "a\ud800"}, {"b\ud800": 1}])
def test_half_a_character_is_not_said_back(
    sandbox: Machine, world: World, event: dict[str, Any]
) -> None:
    response = sandbox.post("usage-events", json.dumps({"events": [event]}))
    assert response.status_code == 200, response.content
    assert response.json()["items"][0]["outcome"] == "refused"
