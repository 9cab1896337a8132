"""Tools, model versions, and questions to artists, by machines."""

import json
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest

from consent.clock import now
from consent.models import AICompany, LedgerEntry, ModelVersion, PermissionRequest, Tool
from consent.services.permissions import answer_request
from consent.services.tools import suspend_company
from tests.consent.build import a_company, a_recording, an_artist
from tests.portal.api.conftest import Machine, World, problem_of

pytestmark = pytest.mark.django_db

TOOL = {"tool": "tonewright-wavewright", "name": "Wavewright", "kind": "composer"}


def test_a_tool_and_a_model_version_are_registered_and_can_be_asked_about(
    machine: Machine, allowed: World
) -> None:
    made = machine.post("tools", TOOL)
    assert made.status_code == 201, made.content
    assert made.json()["suspended"] is False
    assert machine.get("tools/tonewright-wavewright").json() == made.json()
    version = machine.post("model-versions", {"tool": "tonewright-wavewright", "name": "v1"})
    assert version.status_code == 201, version.content
    asked = {
        **allowed.question,
        "tool": "tonewright-wavewright",
        "model_version": version.json()["model_version"],
    }
    assert machine.decide(asked).json()["items"][0]["allowed"] is True
    found = machine.get("model-versions", tool="tonewright-wavewright").json()["items"]
    assert found == [version.json()]
    assert LedgerEntry.objects.filter(kind="tool.registered").count() == 2


def test_registering_twice_is_harmless_and_differently_is_refused(
    machine: Machine, rival: Machine, world: World
) -> None:
    assert machine.post("tools", TOOL).json() == machine.post("tools", TOOL).json()
    problem_of(machine.post("tools", {**TOOL, "kind": "voice"}), 409, "tool_differs")
    for changed, at in (({"kind": "voice"}, "/tool"), ({"tool": "tonewright-other"}, "/name")):
        answer = machine.post("tools", {**TOOL, **changed})
        problem_of(answer, 409, "tool_differs")
        assert [error["pointer"] for error in answer.json()["errors"]] == [at]


def test_a_short_name_outside_of_ones_own_tells_nothing_of_the_tools_of_others(
    machine: Machine, rival: Machine, oceanic: AICompany, world: World
) -> None:
    machine.post("tools", TOOL)
    a_company("oceanic-deep")
    before = Tool.objects.count()
    answers = [
        problem_of(rival.post("tools", {**TOOL, "tool": slug}), 422, "tool_name")
        for slug in (
            TOOL["tool"],  # another company's
            world.tool.slug,
            "tonewright-nobodys",
            "nobodys",
            "oceanic",
            "oceanic-",
            "oceanic-deep-tool",  # the name of a company may begin with another's
        )
    ]
    assert len({json.dumps(answer) for answer in answers}) == 1
    assert Tool.objects.count() == before
    assert rival.post("tools", {**TOOL, "tool": "oceanic-wavewright"}).status_code == 201


def test_a_tool_that_was_registered_otherwise_keeps_its_short_name(
    machine: Machine, world: World
) -> None:
    same = {"tool": world.tool.slug, "name": world.tool.name, "kind": world.tool.kind}
    assert machine.post("tools", same).json()["ref"] == str(world.tool.ref)


def test_a_retired_model_version_may_do_nothing_more(machine: Machine, allowed: World) -> None:
    asked = {**allowed.question, "model_version": str(allowed.model.ref)}
    assert machine.decide(asked).json()["items"][0]["allowed"] is True
    retired = machine.post(f"model-versions/{allowed.model.ref}/retire")
    assert retired.status_code == 200
    assert retired.json()["retired"] is True
    item = machine.decide(asked).json()["items"][0]
    assert item["reasons"][0]["code"] == "model_version_retired"


def test_what_is_anothers_looks_like_nothing(
    machine: Machine, rival: Machine, world: World
) -> None:
    problem_of(rival.get(f"tools/{world.tool.slug}"), 404, "unknown_tool")
    problem_of(
        rival.post("model-versions", {"tool": world.tool.slug, "name": "v9"}), 404, "unknown_tool"
    )
    for ref in (world.model.ref, uuid.uuid4(), "x"):
        problem_of(rival.post(f"model-versions/{ref}/retire"), 404, "unknown_model_version")
    assert rival.get("tools").json() == {"items": []}
    assert rival.get("model-versions").json() == {"items": []}
    assert ModelVersion.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({**TOOL, "kind": "weapon"}, "/kind", "invalid_choice"),
        ({**TOOL, "tool": "a b"}, "/tool", "invalid"),
        ({**TOOL, "name": "x\0y"}, "/name", "null_characters_not_allowed"),
        ({**TOOL, "name": "x\ud800y"}, "/name", "surrogate_characters_not_allowed"),
        ({**TOOL, "name": ""}, "/name", "blank"),
        ({**TOOL, "name": "x" * 201}, "/name", "max_length"),
        ({**TOOL, "nmae": "x"}, "/nmae", "unknown_field"),
        ({"name": "x", "kind": "composer"}, "/tool", "required"),
        ([], "", "invalid"),
    ],
)
def test_a_malformed_tool_is_pointed_at_and_nothing_is_written(
    machine: Machine, world: World, body: Any, pointer: str, code: str
) -> None:
    before = LedgerEntry.objects.count(), Tool.objects.count()
    problem = problem_of(machine.post("tools", body), 422, "invalid")
    assert (problem["errors"][0]["pointer"], problem["errors"][0]["code"]) == (pointer, code)
    assert (LedgerEntry.objects.count(), Tool.objects.count()) == before


def test_a_suspended_company_registers_nothing_new(machine: Machine, world: World) -> None:
    suspend_company(by=None, company=world.tool.company)
    problem_of(machine.post("tools", TOOL), 409, "company_suspended")
    item = machine.decide(world.question).json()["items"][0]
    assert item["reasons"][0]["code"] == "company_suspended"


# Questions


@pytest.fixture
def duet(world: World) -> World:
    world.havn = a_recording(
        world.maren,
        featured=[an_artist("Aoi Tanaka")],
        holder=world.fjord,
        publisher=world.songs,
    )
    return world


def ask(machine: Machine, world: World, **change: Any) -> Any:
    body = {
        "tool": world.tool.slug,
        "use": "remix_input",
        "why": "Fans make their own stems of it.",
        "isrc": world.havn.isrc,
        **change,
    }
    return machine.post("requests", body)


def answer(stance: str, place: int) -> None:
    row = PermissionRequest.objects.order_by("id")[place]
    answer_request(by=None, request=row, stance=stance)


def test_a_company_learns_the_answer_and_never_who_was_asked(machine: Machine, duet: World) -> None:
    asked = ask(machine, duet)
    assert asked.status_code == 201, asked.content
    assert PermissionRequest.objects.count() == 2
    path = f"requests/{asked.json()['request']}"
    assert machine.get(path).json() == asked.json()
    answer("allow", 0)
    waiting = machine.get(path).json()
    assert waiting == asked.json()  # one of two has answered: nothing is different yet
    answer("allow", 1)
    assert machine.get(path).json()["state"] == "granted"
    assert set(asked.json()) == {
        "request", "state", "tool", "use", "isrc",
        "valid_from", "valid_until", "asked_at", "answered_at",
    }  # fmt: skip


def test_one_no_is_a_no(machine: Machine, duet: World) -> None:
    path = f"requests/{ask(machine, duet).json()['request']}"
    answer("deny", 1)
    assert machine.get(path).json()["state"] == "refused"
    problem_of(ask(machine, duet), 409, "asked_recently")
    problem_of(ask(machine, duet, isrc=a_recording(duet.maren).isrc), 409, "asked_recently")
    answered_at = PermissionRequest.objects.get(state="refused").answered_at
    assert answered_at is not None
    again_at = datetime.fromisoformat(ask(machine, duet).json()["again_at"])
    assert again_at == answered_at + timedelta(days=90)


def test_no_more_than_five_questions_wait_for_one_artist(machine: Machine, world: World) -> None:
    for _number in range(5):
        assert ask(machine, world, isrc=a_recording(world.maren).isrc).status_code == 201
    refused = ask(machine, world)
    problem_of(refused, 409, "too_many_waiting")
    assert "Maren" not in refused.text


def test_a_question_can_be_taken_back(machine: Machine, rival: Machine, duet: World) -> None:
    path = f"requests/{ask(machine, duet).json()['request']}"
    problem_of(rival.get(path), 404, "unknown_request")
    problem_of(rival.delete(path), 404, "unknown_request")
    assert machine.delete(path).json()["state"] == "taken_back"
    assert machine.delete(path).json()["state"] == "taken_back"


def test_artists_are_asked_by_their_pseudonyms(machine: Machine, world: World) -> None:
    asked = ask(machine, world, isrc="", artists=[str(world.maren.party.ref)])
    assert asked.status_code == 201, asked.content
    assert asked.json()["isrc"] is None
    nobody = ask(machine, world, isrc="", artists=[str(uuid.uuid4())])
    problem_of(nobody, 404, "unknown_artist")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"isrc": "NOZZZ2400001"}, "unknown_recording"),
        ({"isrc": "x"}, "isrc"),
        ({"isrc": ""}, "scope"),
        ({"why": "   "}, "invalid"),
        ({"use": "everything"}, "invalid"),
        ({"tool": "nobodys"}, "unknown_tool"),
        ({"valid_from": "2001-01-01T00:00:00Z"}, "from_in_past"),
        ({"valid_until": "2001-01-01T00:00:00Z"}, "until_in_past"),
        ({"use": "voice"}, "voice_needs_end"),
    ],
)
def test_a_bad_question_is_a_clear_problem_and_asks_nobody(
    machine: Machine, world: World, change: dict[str, Any], code: str
) -> None:
    response = ask(machine, world, **change)
    assert response.json()["code"] == code, response.content
    assert not PermissionRequest.objects.exists()


def test_an_end_before_the_beginning_is_said(machine: Machine, world: World) -> None:
    at = now()
    response = ask(
        machine,
        world,
        valid_from=(at + timedelta(days=9)).isoformat(),
        valid_until=(at + timedelta(days=3)).isoformat(),
    )
    problem_of(response, 422, "until_before_from")


def test_questions_are_listed_page_by_page(machine: Machine, world: World) -> None:
    for use in ("remix_input", "discovery", "generative_training"):
        ask(machine, world, use=use)
    page = machine.get("requests", limit=2).json()
    assert [i["use"] for i in page["items"]] == ["generative_training", "discovery"]
    rest = machine.get("requests", limit=2, before=page["next"]).json()
    assert [i["use"] for i in rest["items"]] == ["remix_input"]
    assert rest["next"] is None
    problem_of(machine.get("requests", before="x"), 422, "cursor")
    problem_of(machine.get("requests", limit=0), 422, "query")
