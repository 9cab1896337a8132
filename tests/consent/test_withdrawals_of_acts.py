"""Acts that say different things at once, and answers whose order matters: worked stories."""

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from consent.clock import now
from consent.licence_terms import Terms
from consent.models import (
    Act,
    AICompany,
    Artist,
    Licence,
    ModelVersion,
    Recording,
    Tool,
    Withdrawal,
)
from consent.queries import withdrawals
from consent.scopes import Scope
from consent.services.licences import supersede_licence
from consent.services.permissions import (
    answer_permission,
    answer_recordings,
    clear_permission,
    undo_act,
)
from tests.consent.build import (
    a_company,
    a_label,
    a_licence,
    a_model,
    a_tool,
    an_artist,
    in_days,
    licensed_songs,
    some_recordings,
)
from tests.consent.told import every_claim_is_what_decide_says

pytestmark = pytest.mark.django_db

TRAIN = "generative_training"


@dataclass
class World:
    """Three songs with the same rights, a company with a model version and one without."""

    maren: Artist
    companies: list[AICompany]
    tools: list[Tool]
    models: list[ModelVersion]
    songs: list[Recording]

    def says(self, stance: str, song: int | None = None, **more: Any) -> Act:
        if song is not None:
            more["scope"] = Scope(recording=self.songs[song])
        given = answer_permission(by=None, artist=self.maren, use=TRAIN, stance=stance, **more)
        return given.permission.act

    def says_of(self, stance: str, *songs: int, **more: Any) -> Act:
        keys = [self.songs[n].pk for n in songs]
        act = answer_recordings(
            by=None, artist=self.maren, use=TRAIN, stance=stance, recordings=keys, **more
        )
        assert act is not None
        return act

    def undoes(self, act: Act) -> Act:
        undone = undo_act(by=None, act=act).act
        assert undone is not None
        return undone


@pytest.fixture(params=["all in line", "what matters found beforehand"])
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> World:
    if request.param != "all in line":
        monkeypatch.setattr(withdrawals, "MANY", 0)
    maren, companies = an_artist(), [a_company("tonewright"), a_company("oceanic")]
    tools = [a_tool(companies[0], "composer"), a_tool(companies[1], "tidesmith")]
    _label, _publisher, songs = licensed_songs(maren, *companies)
    return World(maren, companies, tools, [a_model(tools[0])], songs)


def told(world: World, act: Act) -> list[tuple[str, bool]]:
    """Whom an act concerns, and whether outputs run off; after a look at what `decide` says."""
    every_claim_is_what_decide_says(world, act)
    rows = Withdrawal.objects.filter(permission__act=act).select_related("company")
    found = [(row.company.slug, row.outputs_until > row.created_at) for row in rows]
    return sorted(found)


BOTH_AT_ONCE = [("oceanic", False), ("tonewright", False)]
BOTH_RUN_OFF = [("oceanic", False), ("tonewright", True)]


@pytest.mark.parametrize("refused", [0, 1, 2])
def test_an_undo_that_brings_a_no_back_for_one_recording_tells_of_it(
    world: World, refused: int
) -> None:
    world.says("allow")
    world.says("deny", refused)
    many = world.says_of("allow", 0, 1, 2)
    # The others go back to the answer for everything, which is yes.
    assert told(world, world.undoes(many)) == BOTH_RUN_OFF


@pytest.mark.parametrize("allowed", [0, 1, 2])
def test_an_undo_that_brings_a_yes_back_for_one_recording_tells_of_the_others(
    world: World, allowed: int
) -> None:
    world.says("allow", allowed)
    many = world.says_of("allow", *{0, 1, 2} - {allowed})
    assert told(world, world.undoes(many)) == BOTH_AT_ONCE


def test_an_undo_that_brings_back_what_holds_anyway_tells_nobody(world: World) -> None:
    world.says("allow")
    for song, stance in enumerate(("deny", "ask", "undecided")):
        world.says(stance, song)
    many = world.says_of("deny", 0, 1, 2)
    assert told(world, many) == []
    assert told(world, world.undoes(many)) == []


def test_an_undo_tells_of_the_longest_run_off_of_what_it_brings_back(world: World) -> None:
    composer = world.companies[0]
    for licence in Licence.objects.filter(company=composer):
        named = {"catalogue": "list", "recordings": world.songs[:2]}
        a_licence(licence.holder, composer, TRAIN, notice_days=3, **named)
    world.says("allow", 0)
    world.says_of("deny", 1, 2)
    many = world.says_of("allow", 1, 2)
    undone = world.undoes(many)
    assert told(world, undone) == BOTH_RUN_OFF
    row = Withdrawal.objects.get(permission__act=undone, model_version=world.models[0])
    assert row.outputs_until - row.created_at == timedelta(days=30)


def test_an_undo_of_a_change_of_many_says_the_same_however_it_is_asked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.says("allow", territories=["DE"])
    world.says("allow", 0)
    world.says("deny", 1)
    many = world.says_of("allow", 1, 2)
    found = []
    for size in (0, 2_000):
        monkeypatch.setattr(withdrawals, "MANY", size)
        with transaction.atomic():
            found.append(told(world, world.undoes(many)))
            transaction.set_rollback(True)
    assert found[0] == found[1] != []


@pytest.mark.parametrize("first", [0, 1])
def test_a_yes_for_a_later_day_that_she_answered_again_since_says_nothing(
    world: World, first: int
) -> None:
    day, second = in_days(5), 1 - first
    world.says("allow", first, valid_from=day)
    world.says("deny", first)
    world.says("deny", second)
    world.says("allow", second, valid_from=day)
    # On that day the second is allowed and the first is not, whichever comes first in the books.
    no = world.says("deny", territories=["DE"], valid_from=day + timedelta(days=1))
    assert told(world, no) == [("oceanic", True), ("tonewright", True)]


def test_an_undo_that_brings_back_a_yes_that_is_over_tells_those_who_lose_the_newer_one(
    world: World,
) -> None:
    world.says("allow", valid_until=now() + timedelta(seconds=1))
    newer = world.says("allow")
    time.sleep(1.1)
    assert told(world, world.undoes(newer)) == BOTH_AT_ONCE


def test_a_narrower_no_ends_what_runs_off_after_a_wider_one(world: World) -> None:
    world.says("allow")
    assert told(world, world.says("deny")) == BOTH_RUN_OFF
    assert told(world, world.says("deny", territories=["DE"])) == [("tonewright", False)]
    assert told(world, world.says("deny", scope=Scope(tool=world.tools[0]))) == [
        ("tonewright", False)
    ]


def test_outputs_run_off_by_the_licence_that_replaced_another_on_the_same_day(
    world: World,
) -> None:
    world.says("allow")
    for licence in Licence.objects.filter(company=world.companies[0]):
        supersede_licence(by=None, licence=licence, terms=Terms(uses=(TRAIN,), notice_days=3))
    no = world.says("deny")
    told(world, no)
    row = Withdrawal.objects.get(permission__act=no, model_version=world.models[0])
    assert row.outputs_until - row.created_at <= timedelta(days=3)


def test_taking_back_a_tool_s_yes_below_a_no_for_its_company_is_told(world: World) -> None:
    tool, company = Scope(tool=world.tools[0]), Scope(company=world.companies[0])
    world.says("allow")
    world.says("deny", scope=company)
    world.says("allow", scope=tool)
    cleared = clear_permission(by=None, artist=world.maren, use=TRAIN, scope=tool)
    assert cleared is not None
    assert told(world, cleared.permission.act) == [("tonewright", False)]
    again = clear_permission(by=None, artist=world.maren, use=TRAIN, scope=company)
    assert again is not None
    assert told(world, again.permission.act) == []


def test_a_no_to_her_voice_is_told_for_what_she_sings_on_and_is_not_billed_on(
    world: World,
) -> None:
    aoi, harbor = an_artist("Aoi Tanaka 田中葵"), a_label("Harbor")
    world.songs += some_recordings(1, world.maren, voices=[aoi], holder=harbor)
    a_licence(harbor, world.companies[0], "voice", catalogue="list", recordings=world.songs[-1:])
    for stance, until in (("allow", in_days(90)), ("deny", None)):
        given = answer_permission(
            by=None, artist=aoi, use="voice", stance=stance, valid_until=until
        )
    assert told(world, given.permission.act) == [("tonewright", False)]


def test_a_no_in_one_country_is_told_to_who_alone_had_a_yes(world: World) -> None:
    world.says("allow", scope=Scope(company=world.companies[0]))
    no = world.says("deny", territories=["NO"])
    assert told(world, no) == [("tonewright", False)]
