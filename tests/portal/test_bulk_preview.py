"""The preview of many answers says what is so: now, and after; and what would be written."""

import time
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from consent.models import Artist, Permission
from consent.scopes import Scope
from consent.services.permissions import answer_permission
from portal.access import Access
from portal.queries.rows import Reader
from portal.queries.selection import Preview, Selection, preview
from tests.cast import *  # noqa: F403 - the people in every story
from tests.cast import recordings_of
from tests.portal.pages import *  # noqa: F403 - Maren's world, and her signed in
from tests.portal.pages import World, days_ahead

pytestmark = pytest.mark.django_db


def previews(world: World, stance: str, search: str = "") -> Preview:
    reader = Reader(access=Access.of(world.user), artist=world.maren)
    return preview(reader, Selection(search=search), use="discovery", stance=stance)


def allowed_now(world: World) -> int:
    return sum(world.allowed("discovery", one) for one in world.recordings)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_an_answer_for_one_tool_on_one_recording_counts_for_that_one_alone(
    number: int, world: World
) -> None:
    world.says("discovery", "allow")
    about = Scope(recording=world.recordings[number], tool=world.tool)
    world.says("discovery", "deny", scope=about)
    meaning = previews(world, "allow").meaning
    assert (meaning.before, meaning.after) == (2, 2) == (allowed_now(world), 2)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_an_answer_for_one_country_on_one_recording_counts_for_that_one_alone(
    number: int, world: World
) -> None:
    world.says("discovery", "allow")
    about = Scope(recording=world.recordings[number])
    world.says("discovery", "deny", scope=about, territories=["NO"])
    meaning = previews(world, "allow").meaning
    assert (meaning.before, meaning.after) == (2, 2) == (allowed_now(world), 2)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_answer_of_somebody_else_for_one_recording_counts_for_that_one_alone(
    number: int, world: World, aoi: Artist
) -> None:
    duets = recordings_of(world.maren, 3, title="Duet", featured=(aoi,), holder=world.fjord)
    world.recordings[:] = duets
    world.says("discovery", "allow")
    answer_permission(by=None, artist=aoi, use="discovery", stance="allow")
    about = Scope(recording=world.recordings[number])
    answer_permission(by=None, artist=aoi, use="discovery", stance="deny", scope=about)
    meaning = previews(world, "allow", search="Duet").meaning
    assert (meaning.before, meaning.after) == (2, 2) == (allowed_now(world), 2)


def test_a_no_that_is_still_to_begin_is_none_yet(world: World, her: Client) -> None:
    world.says("discovery", "allow")
    about = Scope(recording=world.recordings[0])
    world.says("discovery", "deny", scope=about, valid_from=days_ahead(9, moment=True))
    found = previews(world, "deny")
    assert (found.same, dict(found.changes)) == (0, {"": 3})


def test_a_yes_that_has_ended_is_none_any_more(world: World) -> None:
    about = Scope(recording=world.recordings[0])
    end = timezone.now() + timedelta(seconds=0.4)
    world.says("discovery", "allow", scope=about, valid_until=end)
    time.sleep(0.5)
    assert dict(previews(world, "allow").changes) == {"ended": 1, "": 2}


def test_the_same_answer_with_another_end_is_said_to_be_that(world: World, her: Client) -> None:
    for one in world.recordings:
        world.says(
            "voice",
            "allow",
            scope=Scope(recording=one),
            valid_until=days_ahead(99, moment=True),
        )
    url = f"{world.url('many')}?use=voice&stance=allow&valid_until={days_ahead(50)}"
    page = her.get(url).text
    assert "3 recordings go on saying “Yes”, with other dates." in page
    assert "instead of" not in page


def test_as_many_are_written_as_were_announced(world: World) -> None:
    from consent.services.permissions import answer_recordings

    one, two, _three = world.recordings
    world.says("discovery", "deny", scope=Scope(recording=one))
    world.says("discovery", "deny", scope=Scope(recording=two))
    about = Scope(recording=two)
    world.says("discovery", "allow", scope=about, valid_from=days_ahead(9, moment=True))
    found = previews(world, "deny")
    before = Permission.objects.count()
    answer_recordings(
        by=None,
        artist=world.maren,
        use="discovery",
        stance="deny",
        recordings=found.recordings,
    )
    assert Permission.objects.count() - before == found.changed == 2
