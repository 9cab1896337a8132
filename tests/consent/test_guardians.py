"""A minor's voice, name and image are the guardian's to lend, whoever said yes before."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from consent.models import Artist, Permission, Tool
from consent.queries.decision import FACTS_NOW, Ask, Loaded, decide_many, decide_one, parameters_now
from consent.queries.effective import uses_of
from consent.services.parties import change_party_state, register_party
from consent.services.permissions import answer_permission, answer_recordings, undo_act
from consent.words import PartyKind
from tests.consent import build

pytestmark = pytest.mark.django_db

USE = "voice"


class World:
    """Maren's voice on two recordings, licensed to one tool. Kari is her mother."""

    def __init__(self) -> None:
        self.maren: Artist = build.an_artist()
        self.kari = register_party(by=None, kind=PartyKind.PERSON, name="Kari Holt")
        fjord, company = build.a_label(), build.a_company()
        self.tool: Tool = build.a_tool(company)
        self.songs = build.some_recordings(2, self.maren, holder=fjord, voices=[self.maren])
        build.a_licence(fjord, company, USE, "name_image")
        build.a_licence(self.maren.party, company, USE, "name_image")

    def says(self, stance: str, role: str = "artist", days: float = 1_000) -> Permission:
        until = build.in_days(days) if stance == "allow" else None
        return answer_permission(
            by=None, artist=self.maren, use=USE, stance=stance, role=role, valid_until=until
        ).permission

    def is_minor(self, minor: bool = True, *, guarded: bool = True) -> None:
        change_party_state(
            by=None,
            party=self.maren.party,
            is_minor=minor,
            guardian=self.kari if minor and guarded else None,
            no_guardian=not (minor and guarded),
        )

    def code(self, **more: Any) -> str:
        return decide_one(Ask(self.songs[0].isrc, USE, self.tool.slug, **more)).deciding.code


@pytest.fixture
def world() -> World:
    return World()


def test_a_yes_from_before_she_was_known_to_be_a_minor_lends_nothing(world: World) -> None:
    world.says("allow", days=3_600)
    assert world.code() == "artist_allows"
    world.is_minor(guarded=False)
    assert world.code() == "guardian_missing"
    world.is_minor()
    assert world.code() == "answer_without_guardian"
    world.is_minor(False)
    assert world.code() == "artist_allows"


def test_the_guardian_can_give_the_very_same_yes(world: World) -> None:
    hers = world.says("allow")
    world.is_minor()
    same = answer_permission(
        by=None,
        artist=world.maren,
        use=USE,
        stance="allow",
        role="guardian",
        valid_until=hers.valid_until,
    )
    assert same.changed
    assert world.code() == "artist_allows"
    again = answer_permission(
        by=None,
        artist=world.maren,
        use=USE,
        stance="allow",
        role="guardian",
        valid_until=hers.valid_until,
    )
    assert not again.changed


def test_a_guardians_yes_holds_five_years_however_long_it_was_given_for(world: World) -> None:
    given = world.says("allow", role="guardian", days=3_600)  # while she was of age in the books
    world.is_minor()
    decision = decide_one(Ask(world.songs[0].isrc, USE, world.tool.slug))
    assert decision.allowed and decision.valid_until is not None
    assert given.valid_until is not None and decision.valid_until < given.valid_until
    years = decision.valid_until - given.act.created_at
    assert timedelta(days=1_824) < years < timedelta(days=1_828)
    before = decision.valid_until - timedelta(seconds=1)
    assert world.code(at=before) == "artist_allows"
    assert world.code(at=decision.valid_until) == "answer_expired"


def test_what_comes_without_ledger_positions_knows_when_a_guardian_said_yes(world: World) -> None:
    world.says("allow", role="guardian", days=3_600)
    world.is_minor()
    ask = Ask(world.songs[0].isrc, USE, world.tool.slug)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {FACTS_NOW}", parameters_now([ask]))
        (raw,) = cursor.fetchone()
    light = Loaded(json.loads(raw) if isinstance(raw, str) else raw)
    assert light.decide(ask).valid_until == decide_one(ask).valid_until


def test_an_undo_in_her_own_name_brings_no_such_yes_back(world: World) -> None:
    hers = world.says("allow")
    no = world.says("deny")
    world.is_minor()
    undone = undo_act(by=None, act=no.act, role="artist")
    assert undone.later == (hers,)
    last = Permission.objects.latest("id")
    assert (last.stance, last.way) == ("undecided", "undone")
    world.is_minor(False)
    assert world.code() == "artist_undecided"


def test_not_even_a_guardians_yes_comes_back_by_her_own_undo_but_by_the_guardians(
    world: World,
) -> None:
    world.is_minor()
    world.says("allow", role="guardian")
    no = world.says("deny")
    assert len(undo_act(by=None, act=no.act, role="artist").later) == 1
    world.says("allow", role="guardian")
    no = world.says("deny")
    assert undo_act(by=None, act=no.act, role="guardian").later == ()
    assert world.code() == "artist_allows"


def test_of_a_grown_up_an_undo_brings_the_yes_back(world: World) -> None:
    world.says("allow")
    no = world.says("deny")
    assert undo_act(by=None, act=no.act).later == ()
    assert world.code() == "artist_allows"


def test_recordings_of_a_minor_answered_by_name_are_kept_apart_by_who_answered(
    world: World,
) -> None:
    until = build.in_days(900)
    first, second = (s.pk for s in world.songs)
    answer: dict[str, Any] = {
        "by": None,
        "artist": world.maren,
        "use": USE,
        "stance": "allow",
        "valid_until": until,
    }
    answer_recordings(**answer, recordings=[first])
    answer_recordings(**answer, recordings=[second], role="guardian")
    world.is_minor()
    view = next(v for v in uses_of(world.maren) if v.use == USE)
    allowed = [decide_one(Ask(s.isrc, USE, world.tool.slug)).allowed for s in world.songs]
    assert (allowed, view.allowed) == ([False, True], 1)


def test_an_answer_from_before_comes_again_as_it_was(world: World) -> None:
    world.says("allow")
    asks = [Ask(s.isrc, USE, world.tool.slug) for s in world.songs]
    then = decide_many(asks)
    world.is_minor()
    again = [Ask(a.isrc, a.use, a.tool, at=at) for a, at in zip(asks, then.at, strict=True)]
    assert decide_many(again, known_seq=then.seq).decisions == then.decisions
    assert all(d.allowed for d in then.decisions)
