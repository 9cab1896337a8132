"""What is announced as an end is the moment at which a decision turns into a no."""

from datetime import datetime, timedelta

import pytest

from consent.clock import now
from consent.queries.decision import Ask, decide_one
from consent.queries.ends import yes_ends
from consent.services.parties import change_party_state
from consent.services.permissions import answer_recordings, undo_act
from consent.services.wordings import publish_wording
from tests.consent import build
from tests.consent.voice import USE, Voice

pytestmark = pytest.mark.django_db

TICK = timedelta(microseconds=1)


def ends() -> list[datetime]:
    """Every end that will ever be announced, as things stand."""
    found = yes_ends(after=now(), until=build.in_days(5_000), notice=timedelta())
    return [one.at for one in found]


@pytest.fixture
def world() -> Voice:
    return Voice()


@pytest.mark.parametrize("days", [30, 1_500, 3_600])
@pytest.mark.parametrize("role", ["artist", "guardian"])
@pytest.mark.parametrize("minor", [False, True])
@pytest.mark.parametrize("guarded", [False, True])
def test_a_yes_ends_when_the_decision_says_so_and_only_while_it_is_one(
    world: Voice, days: int, role: str, minor: bool, guarded: bool
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
    world: Voice,
) -> None:
    given = world.says("allow", days=3_600, role="guardian")
    world.is_minor()
    assert given.valid_until is not None
    until, month = given.valid_until, timedelta(days=30)
    assert yes_ends(after=until - timedelta(days=1), until=until, notice=month) == []
    [end] = yes_ends(after=now(), until=until, notice=month)
    assert (end.act, end.artist, end.recordings) == (given.act_id, world.maren, 0)


def test_who_comes_of_age_has_the_end_that_was_given(world: Voice) -> None:
    given = world.says("allow", days=3_600, role="guardian")
    world.is_minor()
    world.is_minor(False)
    assert ends() == [given.valid_until]


def test_five_years_count_from_the_guardians_undo(world: Voice) -> None:
    world.says("allow", days=3_600, role="guardian")
    no = world.says("deny", role="guardian")
    world.is_minor()
    undo_act(by=None, act=no.act, role="guardian")
    [end] = ends()
    assert world.allows(end - TICK) and not world.allows(end)


def test_of_a_bulk_answer_by_the_guardian_all_recordings_end_at_once(world: Voice) -> None:
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


def test_a_no_that_begins_after_five_years_leaves_the_end_to_be_announced(world: Voice) -> None:
    world.says("allow", days=3_600, role="guardian")
    world.says("deny", valid_from=build.in_days(2_000))
    world.is_minor()
    [end] = ends()
    assert world.allows(end - TICK) and not world.allows(end)


@pytest.mark.parametrize("same", [False, True])
def test_a_yes_to_a_replaced_text_has_no_end_ahead(world: Voice, same: bool) -> None:
    publish_wording(by=None, use=USE, language="en", text="A voice like yours.")
    world.says("allow")
    language = "de" if same else "en"
    publish_wording(by=None, use=USE, language=language, text="A voice, sung.", means_the_same=same)
    assert len(ends()) == world.allows() == same


def test_a_suspended_artists_yes_has_no_end_ahead(world: Voice) -> None:
    world.says("allow")
    change_party_state(by=None, party=world.maren.party, suspended=True)
    assert ends() == [] and not world.allows()
    change_party_state(by=None, party=world.maren.party, suspended=False)
    assert len(ends()) == 1 and world.allows()
