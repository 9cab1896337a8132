"""What AI did, as machines report it over HTTP."""

import json
from datetime import timedelta
from typing import Any

import pytest

from consent.clock import now
from consent.models import Output, TrainingRun
from royalties.models import UsageConflict, UsageEvent
from tests.portal.api.conftest import Machine, World, problem_of

pytestmark = pytest.mark.django_db


def run_of(world: World, **change: Any) -> dict[str, Any]:
    return {
        "run": "spring-run",
        "model_version": str(world.model.ref),
        "use": "generative_training",
        "trained_at": now().isoformat(),
        "isrcs": [world.havn.isrc],
        **change,
    }


def output_of(world: World, **change: Any) -> dict[str, Any]:
    return {
        "output": "song-1",
        "model_version": str(world.model.ref),
        "use": "remix_input",
        "made_at": now().isoformat(),
        "title": "A new song",
        "attributions": [
            {
                "isrc": world.havn.isrc,
                "right": right,
                "influence_bp": 10_000,
                "method": "embedding-2",
            }
            for right in ("master", "publishing")
        ],
        **change,
    }


def event_of(number: int, **change: Any) -> dict[str, Any]:
    return {
        "event_id": f"e{number}",
        "output": "song-1",
        "occurred_at": now().isoformat(),
        "revenue_micros": 30_000,
        "currency": "EUR",
        **change,
    }


def test_a_training_run_is_judged_recording_by_recording(machine: Machine, allowed: World) -> None:
    body = run_of(allowed, isrcs=[allowed.havn.isrc, "NOZZZ2400001", "nonsense"])
    made = machine.post("training-runs", body)
    assert made.status_code == 201, made.content
    assert [i["standing"] for i in made.json()["items"]] == ["allowed", "unknown", "malformed"]
    again = machine.post("training-runs", body)
    assert again.json() == {**made.json(), "replayed": True}
    assert TrainingRun.objects.count() == 1
    other = {**body, "isrcs": [allowed.havn.isrc]}
    problem_of(machine.post("training-runs", other), 409, "run_differs")


def test_training_without_permission_is_written_down_and_said(
    machine: Machine, world: World
) -> None:
    [item] = machine.post("training-runs", run_of(world)).json()["items"]
    assert item["standing"] == "not_allowed"
    assert item["reason"] == "no_licence"
    assert TrainingRun.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"isrcs": []}, 422, "invalid"),
        ({"isrcs": ["x"] * 1_001}, 422, "invalid"),
        ({"isrcs": "x"}, 422, "invalid"),
        ({"use": "discovery"}, 422, "not_a_training_use"),
        ({"trained_at": "2199-01-01T00:00:00Z"}, 422, "in_the_future"),
        ({"trained_at": "2999-01-01T00:00:00Z"}, 422, "invalid"),
        ({"trained_at": "0001-01-01T00:00:00+14:00"}, 422, "invalid"),
        ({"model_version": "00000000-0000-4000-8000-000000000000"}, 404, "unknown_model_version"),
        ({"run": ""}, 422, "invalid"),
    ],
)
def test_a_bad_training_run_is_a_clear_problem(
    machine: Machine, world: World, change: dict[str, Any], status: int, code: str
) -> None:
    problem_of(machine.post("training-runs", run_of(world, **change)), status, code)
    assert not TrainingRun.objects.exists()


def test_another_companys_model_version_cannot_be_reported_against(
    rival: Machine, world: World
) -> None:
    problem_of(rival.post("training-runs", run_of(world)), 404, "unknown_model_version")
    problem_of(rival.post("outputs", output_of(world)), 404, "unknown_model_version")


def test_what_merely_looks_like_a_number_or_a_moment_is_none(
    machine: Machine, allowed: World
) -> None:
    body = output_of(allowed, made_at=now().replace(tzinfo=None).isoformat())
    for share in (body["attributions"][0], body["attributions"][1]):
        share["influence_bp"] = "10000" if share["right"] == "master" else 10_000.0
    problem = problem_of(machine.post("outputs", body), 422, "invalid")
    assert {error["pointer"] for error in problem["errors"]} == {
        "/made_at",
        "/attributions/0/influence_bp",
        "/attributions/1/influence_bp",
    }
    assert Output.objects.count() == 0


def test_an_output_says_what_it_drew_on(machine: Machine, allowed: World) -> None:
    made = machine.post("outputs", output_of(allowed))
    assert made.status_code == 201, made.content
    assert [i["standing"] for i in made.json()["items"]] == ["allowed"]
    assert machine.post("outputs", output_of(allowed, title="Other")).status_code == 409


def test_attributions_are_whole(machine: Machine, allowed: World) -> None:
    body = output_of(allowed)
    body["attributions"][0]["influence_bp"] = 9_999
    problem_of(machine.post("outputs", body), 422, "attributions_are_whole")
    body["attributions"][0]["influence_bp"] = 0
    problem = problem_of(machine.post("outputs", body), 422, "invalid")
    assert problem["errors"][0]["pointer"] == "/attributions/0/influence_bp"
    assert not Output.objects.exists()


def test_the_problem_points_at_the_one_attribution_that_is_wrong(
    machine: Machine, allowed: World
) -> None:
    for code, isrc in (("isrc", "no such thing"), ("unknown_recording", "DEZZZ2699999")):
        body = output_of(allowed)
        body["attributions"].append({**body["attributions"][0], "isrc": isrc})
        problem = problem_of(machine.post("outputs", body), 422, code)
        assert problem["errors"][0]["pointer"] == "/attributions/2/isrc"
    assert not Output.objects.exists()


@pytest.fixture
def reported(machine: Machine, allowed: World) -> World:
    assert machine.post("outputs", output_of(allowed)).status_code == 201
    return allowed


def usage(machine: Machine, *events: Any) -> Any:
    return machine.post("usage-events", {"events": list(events)})


def test_each_event_has_its_own_result(machine: Machine, reported: World) -> None:
    same = event_of(1)
    usage(machine, same)
    response = usage(
        machine,
        same,
        {**same, "revenue_micros": 1},
        event_of(2),
        event_of(3, output="never-made"),
        event_of(4, currency="XXQ"),
        event_of(5, revenue_micros=1.5),
        event_of(6, occurred_at="yesterday"),
        event_of(7, surprise=1),
        {"event_id": "e8"},
        "nonsense",
    )
    assert response.status_code == 200, response.content
    body = response.json()
    assert [i["outcome"] for i in body["items"]] == [
        "repeated", "conflict", "recorded", "refused", "refused",
        "refused", "refused", "refused", "refused", "refused",
    ]  # fmt: skip
    assert [i["event_id"] for i in body["items"]][2:] == [
        "e2", "e3", "e4", "e5", "e6", "e7", "e8", "",
    ]  # fmt: skip
    assert [i.get("code") for i in body["items"]][3:8] == [
        "unknown_output", "currency", "revenue_micros", "moment", "unknown_field",
    ]  # fmt: skip
    assert body["recorded"] == 1
    assert body["refused"] == 7
    assert UsageEvent.objects.count() == 2
    assert UsageConflict.objects.count() == 1


def test_a_use_that_was_not_allowed_is_recorded_and_says_so(
    machine: Machine, reported: World
) -> None:
    reported.says("deny", "remix_input")
    [item] = usage(machine, event_of(1)).json()["items"]
    assert item == {"event_id": "e1", "outcome": "recorded", "allowed": False}


def test_an_event_is_judged_as_of_when_it_happened(machine: Machine, reported: World) -> None:
    then = now()
    reported.says("deny", "remix_input")
    [item] = usage(machine, event_of(1, occurred_at=then.isoformat())).json()["items"]
    assert item["allowed"] is True


@pytest.mark.parametrize("how_many", [0, 1_001])
def test_there_are_1_to_1000_events(machine: Machine, reported: World, how_many: int) -> None:
    response = usage(machine, *[{"event_id": "x"}] * how_many)
    problem_of(response, 422, "too_many_events")


@pytest.mark.parametrize("body", [[], {}, {"events": 7}, {"events": [], "more": 1}])
def test_what_is_no_batch_of_events_is_said(machine: Machine, reported: World, body: Any) -> None:
    assert machine.post("usage-events", body).status_code == 422


def test_a_body_that_is_too_large_is_refused(machine: Machine, reported: World) -> None:
    body = json.dumps({"events": [event_of(1, territory="y" * 5_000_000)]})
    problem_of(machine.post("usage-events", body), 413, "too_large")


def test_a_sandbox_event_is_checked_and_not_kept(
    sandbox: Machine, machine: Machine, reported: World
) -> None:
    body = usage(sandbox, event_of(1)).json()
    assert body["sandbox"] is True
    assert body["items"][0]["outcome"] == "recorded"
    assert not UsageEvent.objects.exists()
    assert usage(machine, event_of(1)).json()["items"][0]["outcome"] == "recorded"


def test_what_a_run_taught_can_be_billed(machine: Machine, allowed: World) -> None:
    machine.post("training-runs", run_of(allowed))
    later = (now() + timedelta(0)).isoformat()
    event = {**event_of(1, occurred_at=later), "output": None, "training_run": "spring-run"}
    [item] = usage(machine, event).json()["items"]
    assert item["outcome"] == "recorded", item
