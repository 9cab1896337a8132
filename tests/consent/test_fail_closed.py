"""Whatever is unknown, ended, ambiguous, malformed or broken: a no, or no answer. Never a yes."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent.clock import now
from consent.models import AICompany, Artist, Licence, Party, Recording, RightsClaim, Tool
from consent.queries.decision import Ask, decide_many, decide_one
from consent.services.claims import dispute_claim, end_claim, make_claim
from consent.services.licences import end_licence
from consent.services.parties import change_party_state
from consent.services.permissions import answer_permission
from consent.services.recordings import change_identity
from consent.services.tools import suspend_company, suspend_tool
from tests.consent.build import (
    a_company,
    a_label,
    a_licence,
    a_tool,
    an_artist,
    in_days,
    some_recordings,
)

USE = "discovery"


@dataclass
class World:
    maren: Artist
    fjord: Party
    company: AICompany
    tool: Tool
    song: Recording

    @property
    def ask(self) -> Ask:
        return Ask(self.song.isrc, USE, self.tool.slug)

    @property
    def claim(self) -> RightsClaim:
        return RightsClaim.objects.get(party=self.fjord)


def a_world() -> World:
    maren, fjord, company = an_artist(), a_label(), a_company()
    tool = a_tool(company)
    (song,) = some_recordings(1, maren, holder=fjord)
    a_licence(fjord, company, USE)
    answer_permission(by=None, artist=maren, use=USE, stance="allow")
    return World(maren, fjord, company, tool, song)


@pytest.fixture
def world(db: None) -> World:
    world = a_world()
    assert decide_one(world.ask).allowed
    return world


FAULTS: dict[str, Callable[[World], Any]] = {
    "right_disputed": lambda w: dispute_claim(by=None, claim=w.claim.claim),
    "right_unknown": lambda w: end_claim(by=None, claim=w.claim.claim),
    "right_over_claimed": lambda w: make_claim(
        by=None, party=a_label("Kanal"), right="master", authority="own", recording=w.song
    ),
    "no_licence": lambda w: end_licence(by=None, licence=Licence.objects.get()),
    "holder_suspended": lambda w: change_party_state(by=None, party=w.fjord, suspended=True),
    "artist_suspended": lambda w: change_party_state(by=None, party=w.maren.party, suspended=True),
    "company_suspended": lambda w: suspend_company(by=None, company=w.company),
    "tool_suspended": lambda w: suspend_tool(by=None, tool=w.tool),
    "recording_withdrawn": lambda w: change_identity(by=None, recording=w.song, withdrawn=True),
    "artist_withdrew": lambda w: answer_permission(by=None, artist=w.maren, use=USE, stance="deny"),
}


@pytest.mark.parametrize("code", FAULTS)
def test_each_fault_is_a_no_with_its_own_reason(world: World, code: str) -> None:
    FAULTS[code](world)
    decision = decide_one(world.ask)
    assert not decision.allowed
    assert decision.deciding.code == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"isrc": "NOUM72499999"}, "unknown_recording"),
        ({"isrc": ""}, "unknown_recording"),
        ({"isrc": "noum72400001"}, "unknown_recording"),
        ({"isrc": "N" * 10_000}, "unknown_recording"),
        ({"use": "telepathy"}, "unknown_use"),
        ({"use": "DISCOVERY"}, "unknown_use"),
        ({"use": ""}, "unknown_use"),
        ({"tool": "nothing"}, "unknown_tool"),
        ({"tool": ""}, "unknown_tool"),
        ({"model": uuid.UUID(int=1)}, "unknown_model_version"),
        ({"at": now}, ""),
    ],
)
def test_what_is_unknown_is_a_no(world: World, change: dict[str, Any], code: str) -> None:
    if "at" in change:
        change = {"at": now() - timedelta(days=3650)}
        code = "unknown_recording"
    decision = decide_one(replace(world.ask, **change))
    assert not decision.allowed
    assert decision.deciding.code == code


@pytest.mark.parametrize("known_seq", [0, -1, -(2**62)])
def test_when_nothing_was_known_the_answer_was_no(world: World, known_seq: int) -> None:
    assert not decide_one(world.ask, known_seq=known_seq).allowed


def test_a_yes_that_ends_is_a_no_from_that_very_moment(world: World) -> None:
    until = in_days(2)
    answer_permission(by=None, artist=world.maren, use=USE, stance="allow", valid_until=until)
    tick = timedelta(microseconds=1)
    asks = [replace(world.ask, at=at) for at in (until - tick, until, until + tick)]
    assert [d.allowed for d in decide_many(asks).decisions] == [True, False, False]


@pytest.mark.django_db
@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(isrc=st.text(max_size=14), use=st.text(max_size=12), tool=st.text(max_size=12))
def test_nonsense_is_never_a_yes(isrc: str, use: str, tool: str) -> None:
    try:
        with transaction.atomic():
            assert not decide_one(Ask(isrc, use, tool)).allowed
    except (DatabaseError, ValueError):  # a character that no text in the database holds
        assert "\0" in isrc + use + tool or not (isrc + use + tool).isprintable()


@pytest.mark.django_db(transaction=True)
def test_a_clock_set_back_by_an_hour_revives_nothing(
    owner: "psycopg.Connection[psycopg.rows.TupleRow]",
) -> None:
    world = a_world()
    soon = now() + timedelta(minutes=30)
    answer_permission(by=None, artist=world.maren, use=USE, stance="allow", valid_until=soon)
    assert decide_one(world.ask).allowed
    # To the clock it is an hour earlier than to the last entry: the entry's time is what counts.
    owner.execute("UPDATE consent_ledgerhead SET recorded_at = recorded_at + interval '1 hour'")
    assert now() > soon
    assert not decide_one(world.ask).allowed
    answer_permission(by=None, artist=world.maren, use=USE, stance="deny")
    assert not decide_one(world.ask).allowed
    answered = decide_many([world.ask])
    assert answered.at[0] > soon


@pytest.mark.django_db(transaction=True)
def test_without_the_head_of_the_ledger_there_is_no_answer(
    owner: "psycopg.Connection[psycopg.rows.TupleRow]",
) -> None:
    world = a_world()
    owner.execute("DELETE FROM consent_ledgerhead")
    with pytest.raises((DatabaseError, TypeError, KeyError, ValueError)):
        decide_one(world.ask)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_waits_too_long_gives_no_answer(
    owner: "psycopg.Connection[psycopg.rows.TupleRow]",
) -> None:
    world = a_world()
    with owner.transaction():
        owner.execute("LOCK TABLE consent_permission IN ACCESS EXCLUSIVE MODE")
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '200ms'")
        with pytest.raises(DatabaseError), transaction.atomic():
            decide_one(world.ask)
        with connection.cursor() as cursor:
            cursor.execute("RESET statement_timeout")
    assert decide_one(world.ask).allowed
