"""What anybody may know of a recording."""

import json
from typing import Any

import pytest
from django.test import Client

from consent.models import AICompany
from consent.scopes import Scope
from tests.consent.build import a_licence, a_recording, an_artist, she_says
from tests.portal.api.conftest import World, problem_of

pytestmark = pytest.mark.django_db


def signals(isrc: str) -> dict[str, Any]:
    response = Client().get(f"/api/v1/signals/{isrc}")
    assert response.status_code == 200, response.content
    found: dict[str, Any] = response.json()
    return found


def state(isrc: str, use: str = "generative_training") -> str:
    found: str = signals(isrc)["uses"][use]["state"]
    return found


def test_what_nobody_has_answered_is_undecided_and_left_out(world: World) -> None:
    found = signals(world.havn.isrc)
    assert {s["state"] for s in found["uses"].values()} == {"undecided"}
    assert found["cawg"]["data"] == {"entries": {}}
    assert found["aipref"] == {"field": "Content-Usage", "value": ""}
    assert found["tdmrep"] == {}


def test_a_yes_to_everybody_is_to_be_had_by_licence_and_not_allowed(world: World) -> None:
    world.says("allow")
    found = signals(world.havn.isrc)
    assert found["uses"]["generative_training"] == {"state": "by_licence", "allowed": False}
    entry = found["cawg"]["data"]["entries"]["cawg.ai_generative_training"]
    assert entry["use"] == "constrained"
    assert entry["constraint_info"]
    assert found["aipref"]["value"] == "train-ai=n"
    assert found["tdmrep"]["tdm-reservation"] == 1


@pytest.mark.parametrize("stance", ["deny", "ask"])
def test_a_no_and_ask_me_are_both_a_no(world: World, stance: str) -> None:
    world.says(stance)
    found = signals(world.havn.isrc)
    assert found["uses"]["generative_training"]["state"] == "denied"
    entry = found["cawg"]["data"]["entries"]["cawg.ai_generative_training"]
    assert entry == {"use": "notAllowed"}
    assert found["aipref"]["value"] == "train-ai=n"


def test_a_licence_and_a_yes_to_one_company_are_nobody_elses_business(
    world: World, tonewright: AICompany
) -> None:
    world.license("generative_training")
    world.says("allow", scope=Scope(company=tonewright))
    assert state(world.havn.isrc) == "undecided"
    assert str(tonewright.slug) not in json.dumps(signals(world.havn.isrc))


def test_one_who_has_not_answered_leaves_it_open_and_one_no_closes_it(world: World) -> None:
    aoi = an_artist("Aoi Tanaka")
    song = a_recording(world.maren, featured=[aoi], holder=world.fjord, publisher=world.songs)
    world.says("allow")
    assert state(song.isrc) == "undecided"
    she_says(aoi, "generative_training", "allow")
    assert state(song.isrc) == "by_licence"
    she_says(aoi, "generative_training", "deny")
    assert state(song.isrc) == "denied"


def test_nothing_personal_no_history_and_no_terms_are_in_it(world: World) -> None:
    a_licence(world.fjord, world.tool.company)
    world.says("allow")
    world.says("deny")
    said = json.dumps(signals(world.havn.isrc))
    for canary in (
        "Maren", "Fjord", "Nordic", "Havn", str(world.maren.party.ref),
        str(world.fjord.ref), "reason", "seq", "withdrew",
    ):  # fmt: skip
        assert canary not in said, canary


def test_signals_are_public_and_may_be_kept_for_a_minute(world: World) -> None:
    response = Client().get(f"/api/v1/signals/{world.havn.isrc}")
    assert response.headers["Cache-Control"] == "public, max-age=60"
    assert "Set-Cookie" not in response.headers


def test_an_unknown_or_malformed_isrc_is_a_clear_problem(world: World) -> None:
    problem_of(Client().get("/api/v1/signals/NOZZZ2400001"), 404, "unknown_recording")
    problem_of(Client().get("/api/v1/signals/nonsense"), 422, "isrc")
    problem_of(Client().post("/api/v1/signals/NOZZZ2400001"), 405, "method_not_allowed")


def test_signals_cost_one_query(world: World, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        signals(world.havn.isrc)
