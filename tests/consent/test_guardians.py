"""A minor's voice, name and image are the guardian's to lend, whoever said yes before."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from consent.models import Permission
from consent.queries.decision import FACTS_NOW, Ask, Loaded, decide_many, decide_one, parameters_now
from consent.queries.effective import uses_of
from consent.services.permissions import answer_permission, answer_recordings, undo_act
from tests.consent import build
from tests.consent.voice import USE, Voice

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> Voice:
    return Voice()


def test_a_yes_from_before_she_was_known_to_be_a_minor_lends_nothing(world: Voice) -> None:
    world.says("allow", days=3_600)
    assert world.code() == "artist_allows"
    world.is_minor(guarded=False)
    assert world.code() == "guardian_missing"
    world.is_minor()
    assert world.code() == "answer_without_guardian"
    world.is_minor(False)
    assert world.code() == "artist_allows"


def test_the_guardian_can_give_the_very_same_yes(world: Voice) -> None:
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


def test_a_guardians_yes_holds_five_years_however_long_it_was_given_for(world: Voice) -> None:
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


def test_what_comes_without_ledger_positions_knows_when_a_guardian_said_yes(world: Voice) -> None:
    world.says("allow", role="guardian", days=3_600)
    world.is_minor()
    ask = Ask(world.songs[0].isrc, USE, world.tool.slug)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {FACTS_NOW}", parameters_now([ask]))
        (raw,) = cursor.fetchone()
    light = Loaded(json.loads(raw) if isinstance(raw, str) else raw)
    assert light.decide(ask).valid_until == decide_one(ask).valid_until


def test_an_undo_in_her_own_name_brings_no_such_yes_back(world: Voice) -> None:
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
    world: Voice,
) -> None:
    world.is_minor()
    world.says("allow", role="guardian")
    no = world.says("deny")
    assert len(undo_act(by=None, act=no.act, role="artist").later) == 1
    world.says("allow", role="guardian")
    no = world.says("deny")
    assert undo_act(by=None, act=no.act, role="guardian").later == ()
    assert world.code() == "artist_allows"


def test_of_a_grown_up_an_undo_brings_the_yes_back(world: Voice) -> None:
    world.says("allow")
    no = world.says("deny")
    assert undo_act(by=None, act=no.act).later == ()
    assert world.code() == "artist_allows"


def test_recordings_of_a_minor_answered_by_name_are_kept_apart_by_who_answered(
    world: Voice,
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


def test_an_answer_from_before_comes_again_as_it_was(world: Voice) -> None:
    world.says("allow")
    asks = [Ask(s.isrc, USE, world.tool.slug) for s in world.songs]
    then = decide_many(asks)
    world.is_minor()
    again = [Ask(a.isrc, a.use, a.tool, at=at) for a, at in zip(asks, then.at, strict=True)]
    assert decide_many(again, known_seq=then.seq).decisions == then.decisions
    assert all(d.allowed for d in then.decisions)
