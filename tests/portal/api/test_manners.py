"""What HTTP asks of a server, and what a client learns from a request that went wrong."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from django.test import Client, RequestFactory

from portal.api.problems import Problem
from portal.api.views.base import LARGEST_BODY, body_of
from tests.portal.api.conftest import Machine, World, problem_of

REF = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("decisions", "POST"),
        ("decisions/history", "GET, HEAD"),
        ("tools", "GET, HEAD, POST"),
        ("usage-events", "POST"),
        (f"requests/{REF}", "DELETE, GET, HEAD"),
        ("ledger/checkpoint", "GET, HEAD, OPTIONS"),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE", "BREW"])
def test_a_method_that_an_address_does_not_take_is_answered_with_those_that_it_takes(
    machine: Machine, path: str, taken: str, method: str
) -> None:
    answer = machine.http.generic(method, f"/api/v1/{path}", headers=machine.headers())
    assert taken in problem_of(answer, 405, "method_not_allowed")["detail"]
    assert answer.headers["Allow"] == taken


@pytest.mark.parametrize("path", ["usage-events", f"withdrawals/{REF}/acknowledge"])
def test_what_can_only_be_posted_has_no_head(machine: Machine, path: str) -> None:
    answer = machine.http.head(f"/api/v1/{path}", headers=machine.headers())
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize("path", ["decisions", "tools", f"withdrawals/{REF}/acknowledge"])
def test_a_body_without_a_length_is_not_taken_for_an_empty_one(machine: Machine, path: str) -> None:
    answer = machine.http.post(
        f"/api/v1/{path}",
        b'{"tool": "tonewright-one"}',
        content_type="application/json",
        headers=machine.headers(**{"Transfer-Encoding": "chunked"}),
        CONTENT_LENGTH=None,
    )
    assert "Content-Length" in problem_of(answer, 411, "length_required")["detail"]


@pytest.mark.parametrize("size", [LARGEST_BODY + 1, 5_000_000])
def test_a_body_that_is_too_large_is_read_to_its_end_before_that_is_said(size: int) -> None:
    """Most clients send all of a body first: a connection closed meanwhile would tell nothing."""
    request = RequestFactory().generic("POST", "/api/v1/tools", b" " * size, "application/json")
    with pytest.raises(Problem) as raised:
        body_of(request)
    assert (raised.value.status, raised.value.code) == (413, "too_large")
    assert request.META["wsgi.input"].read() == b""


def test_there_is_an_end_to_what_is_read_for_nothing() -> None:
    request = RequestFactory().generic("POST", "/api/v1/tools", b" ", "application/json")
    request.META["CONTENT_LENGTH"] = str(10**15)
    with pytest.raises(Problem, match="too_large"):
        body_of(request)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"items": NaN}', "it has no NaN"),
        (b'{"items": -Infinity}', "it has no -Infinity"),
        (b'{"min_seq": ' + b"9" * 5_000 + b"}", "a number has at most 100 digits"),
        (b"[" * 100_000, "it is nested too deeply"),
        (b'{"items": "\xff"}', "it is not in UTF-8"),
        (b'{"items": [}', "Expecting value (line 1, column 12)"),
    ],
)
@pytest.mark.parametrize("path", ["decisions", "tools"])
def test_what_is_no_json_says_why(machine: Machine, path: str, body: bytes, said: str) -> None:
    problem = problem_of(machine.post(path, body), 400, "malformed_json")
    assert problem["detail"] == f"The body is not JSON: {said}."


@pytest.mark.parametrize("seq", [1.5, 1.0, True, "1", None])
def test_a_position_in_a_cursor_is_a_whole_number(
    machine: Machine, world: World, seq: object
) -> None:
    first = machine.get("permissions/snapshot", tool=world.tool.slug, limit=1).json()
    made = urlsafe_b64encode(json.dumps(["A", seq, first["at"]]).encode()).decode()
    answer = machine.get("permissions/snapshot", tool=world.tool.slug, cursor=made)
    problem_of(answer, 422, "cursor")


def test_a_cursor_of_ours_goes_on(machine: Machine, world: World) -> None:
    first = machine.get("permissions/snapshot", tool=world.tool.slug, limit=1).json()
    made = urlsafe_b64encode(json.dumps(["A", first["seq"], first["at"]]).encode()).decode()
    assert json.loads(urlsafe_b64decode(made))[1] == first["seq"]
    answer = machine.get("permissions/snapshot", tool=world.tool.slug, cursor=made)
    assert [i["isrc"] for i in answer.json()["items"]] == [world.havn.isrc]


def test_a_snapshot_without_a_tool_asks_for_one(machine: Machine) -> None:
    problem = problem_of(machine.get("permissions/snapshot"), 422, "query")
    assert problem["errors"][0]["pointer"] == "/tool"
    assert "“tool”" in problem["detail"]


def test_the_bounds_of_a_number_in_an_address_are_those_that_are_said(machine: Machine) -> None:
    said = problem_of(machine.get("permissions/changes", after="x"), 422, "query")["detail"]
    largest = int(said.rstrip(".").split()[-1])
    problem_of(machine.get("permissions/changes", after=largest), 422, "ahead")
    problem_of(machine.get("permissions/changes", after=largest + 1), 422, "query")


@pytest.mark.django_db
def test_sizes_in_the_wrong_order_are_not_called_unsealed() -> None:
    answer = Client().get("/api/v1/ledger/proofs/consistency?old=5&new=3")
    assert "“old” is above “new”" in problem_of(answer, 404, "unknown_size")["detail"]


def test_a_report_that_differs_points_at_the_name_that_the_client_gave(
    machine: Machine, allowed: World
) -> None:
    run = {
        "run": "run-1",
        "model_version": str(allowed.model.ref),
        "use": "generative_training",
        "trained_at": "2026-01-05T00:00:00Z",
        "isrcs": [allowed.havn.isrc],
    }
    assert machine.post("training-runs", run).status_code == 201
    differs = machine.post("training-runs", {**run, "isrcs": ["NOZZZ2400001"]})
    assert problem_of(differs, 409, "run_differs")["errors"][0]["pointer"] == "/run"
    output = {
        "output": "song-1",
        "model_version": str(allowed.model.ref),
        "use": "remix_input",
        "made_at": "2026-01-05T00:00:00Z",
        "attributions": [
            {"isrc": allowed.havn.isrc, "right": "master", "influence_bp": 10_000, "method": "x"}
        ],
    }
    assert machine.post("outputs", output).status_code == 201
    differs = machine.post("outputs", {**output, "title": "Another"})
    assert problem_of(differs, 409, "output_differs")["errors"][0]["pointer"] == "/output"


def test_a_report_of_what_is_still_to_come_points_at_its_moment(
    machine: Machine, allowed: World
) -> None:
    model, later = str(allowed.model.ref), "2199-01-01T00:00:00Z"
    run = {"run": "r", "model_version": model, "use": "generative_training", "trained_at": later}
    answer = machine.post("training-runs", {**run, "isrcs": [allowed.havn.isrc]})
    assert problem_of(answer, 422, "in_the_future")["errors"][0]["pointer"] == "/trained_at"


@pytest.mark.parametrize("name", ["song\u202e1", "song\n1", "song\u00ad1"])
@pytest.mark.parametrize("what", ["output", "run"])
def test_what_no_usage_event_could_name_is_no_name(
    machine: Machine, allowed: World, what: str, name: str
) -> None:
    answer = machine.post("outputs" if what == "output" else "training-runs", {what: name})
    errors = {e["pointer"]: e["code"] for e in problem_of(answer, 422, "invalid")["errors"]}
    assert errors[f"/{what}"] == "unprintable"


def test_a_short_name_that_is_none_is_explained_in_our_words(machine: Machine) -> None:
    answer = machine.post("tools", {"tool": "tonewright one", "name": "x", "kind": "composer"})
    problem = problem_of(answer, 422, "invalid")
    assert problem["errors"][0]["pointer"] == "/tool"
    assert problem["detail"].startswith("A short name has 1 to 80 letters")
