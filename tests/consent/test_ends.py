"""What is announced as an end is the moment at which a decision turns into a no."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from consent.clock import now
from consent.models import Artist, Permission, Tool
from consent.queries.decision import Ask, decide_one
from consent.queries.ends import yes_ends
from consent.services.parties import change_party_state, register_party
from consent.services.permissions import answer_permission, answer_recordings, undo_act
from consent.services.wordings import publish_wording
from consent.words import PartyKind
from tests.consent import build

pytestmark = pytest.mark.django_db

USE = "voice"
TICK = timedelta(microseconds=1)


class World:
    """Maren's voice on two recordings, licensed to one tool. Kari is her mother."""

    def __init__(self) -> None:
        self.maren: Artist = build.an_artist()
        self.kari = register_party(by=None, kind=PartyKind.PERSON, name="Kari Holt")
        fjord, company = build.a_label(), build.a_company()
        self.tool: Tool = build.a_tool(company)
        self.songs = build.some_recordings(2, self.maren, holder=fjord, voices=[self.maren])
        build.a_licence(fjord, company, USE)

    def says(self, stance: str, *, days: float = 1_000, **more: Any) -> Permission:
        until = build.in_days(days) if stance == "allow" else None
        return answer_permission(
            by=None, artist=self.maren, use=USE, stance=stance, valid_until=until, **more
        ).permission

    def is_minor(self, minor: bool = True, *, guarded: bool = True) -> None:
        change_party_state(
            by=None,
            party=self.maren.party,
            is_minor=minor,
            guardian=self.kari if minor and guarded else None,
            no_guardian=not (minor and guarded),
        )

    def allows(self, at: datetime | None = None, song: int = 0) -> bool:
        return decide_one(Ask(self.songs[song].isrc, USE, self.tool.slug, None, at)).allowed


def ends() -> list[datetime]:
    """Every end that will ever be announced, as things stand."""
    found = yes_ends(after=now(), until=build.in_days(5_000), notice=timedelta())
    return [one.at for one in found]


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("days", [30, 1_500, 3_600])
@pytest.mark.parametrize("role", ["artist", "guardian"])
@pytest.mark.parametrize("minor", [False, True])
@pytest.mark.parametrize("guarded", [False, True])
def test_a_yes_ends_when_the_decision_says_so_and_only_while_it_is_one(
    world: World, days: int, role: str, minor: bool, guarded: bool
) -> None:
    world.says("allow", days=days, role=role)  # while she was of age in the books
    if minor:
        world.is_minor(guarded=guarded)
    if not world.allows():
        assert ends() == []
        return
    [end] = ends()
    assert world.allows(end - TICK)
    assert not world.allows(end)
    assert end == decide_one(Ask(world.songs[0].isrc, USE, world.tool.slug)).valid_until


def test_the_end_of_a_guardians_yes_is_announced_where_it_comes_before_its_own(
    world: World,
) -> None:
    given = world.says("allow", days=3_600, role="guardian")
    world.is_minor()
    assert given.valid_until is not None
    until, month = given.valid_until, timedelta(days=30)
    assert yes_ends(after=until - timedelta(days=1), until=until, notice=month) == []
    [end] = yes_ends(after=now(), until=until, notice=month)
    assert (end.act, end.artist, end.recordings) == (given.act_id, world.maren, 0)


def test_who_comes_of_age_has_the_end_that_was_given(world: World) -> None:
    given = world.says("allow", days=3_600, role="guardian")
    world.is_minor()
    world.is_minor(False)
    assert ends() == [given.valid_until]


def test_five_years_count_from_the_guardians_undo(world: World) -> None:
    world.says("allow", days=3_600, role="guardian")
    no = world.says("deny", role="guardian")
    world.is_minor()
    undo_act(by=None, act=no.act, role="guardian")
    [end] = ends()
    assert world.allows(end - TICK) and not world.allows(end)


def test_of_a_bulk_answer_by_the_guardian_all_recordings_end_at_once(world: World) -> None:
    answer_recordings(
        by=None,
        artist=world.maren,
        use=USE,
        stance="allow",
        recordings=[song.pk for song in world.songs],
        role="guardian",
        valid_until=build.in_days(3_600),
    )
    world.is_minor()
    [end] = yes_ends(after=now(), until=build.in_days(5_000), notice=timedelta())
    assert end.recordings == 2
    for song in (0, 1):
        assert world.allows(end.at - TICK, song) and not world.allows(end.at, song)


def test_a_no_that_begins_after_five_years_leaves_the_end_to_be_announced(world: World) -> None:
    world.says("allow", days=3_600, role="guardian")
    world.says("deny", valid_from=build.in_days(2_000))
    world.is_minor()
    [end] = ends()
    assert world.allows(end - TICK) and not world.allows(end)


@pytest.mark.parametrize("same", [False, True])
def test_a_yes_to_a_replaced_text_has_no_end_ahead(world: World, same: bool) -> None:
    publish_wording(by=None, use=USE, language="en", text="A voice like yours.")
    world.says("allow")
    publish_wording(
        by=None, use=USE, language="en", text="A voice like yours, sung.", means_the_same=same
    )
    assert len(ends()) == world.allows() == same


def test_a_suspended_artists_yes_has_no_end_ahead(world: World) -> None:
    world.says("allow")
    change_party_state(by=None, party=world.maren.party, suspended=True)
    assert ends() == [] and not world.allows()
    change_party_state(by=None, party=world.maren.party, suspended=False)
    assert len(ends()) == 1 and world.allows()
