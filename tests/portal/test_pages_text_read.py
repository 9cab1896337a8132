"""A yes from a page names the text that was read: none, or one that there is not, is no yes."""

import re

import pytest
from django.test import Client

from consent.models import LedgerEntry, Permission, PermissionRequest, Wording
from consent.services.permissions import answer_permission
from consent.services.requests import ask_permission
from consent.services.wordings import publish_wording
from portal.models import BulkChange
from tests.cast import *  # noqa: F403 - the people in every story
from tests.portal.pages import *  # noqa: F403 - Maren's world, and her signed in
from tests.portal.pages import HTMX, World, days_ahead, freshly

pytestmark = pytest.mark.django_db

CHANGED = "The text has changed since you opened the page. Read it and answer again."
KEYS = {"without": None, "empty": "", "of none": "9" * 40, "no key": "x", "zero": "0"}


def publishes(use: str = "discovery", text: str = "Playlists pick you.") -> Wording:
    return publish_wording(by=None, use=use, language="en", text=text)


def with_key(key: str | None, **data: str) -> dict[str, str]:
    return data if key is None else data | {"wording": key}


def saved() -> tuple[int, int, int]:
    changes = BulkChange.objects.count()
    return LedgerEntry.objects.count(), Permission.objects.count(), changes


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("headers", [HTMX, {}], ids=["htmx", "plain"])
def test_a_switch_saves_no_yes_to_a_text_that_there_is_not(
    world: World, her: Client, key: str | None, headers: dict[str, str]
) -> None:
    publishes()
    before = saved()
    url = world.url("answer", use="discovery")
    answer = her.post(url, with_key(key, stance="allow"), headers=headers, follow=True)
    assert CHANGED in answer.text
    assert saved() == before


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_the_form_with_dates_saves_none_and_shows_the_text_to_read(
    world: World, her: Client, key: str | None
) -> None:
    wording = publishes("voice", "May it sound like you?")
    before = saved()
    url = world.url("answer_with", use="voice")
    said = {"stance": "allow", "valid_until": days_ahead(300)}
    answer = freshly(her).post(url, with_key(key, **said))
    assert CHANGED in answer.text and "May it sound like you?" in answer.text
    assert saved() == before
    [sent] = re.findall(r'name="wording"\s+value="(\d+)"', answer.text)
    assert int(sent) == wording.pk
    freshly(her).post(url, with_key(sent, **said))
    assert Permission.objects.get().wording == wording


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_a_question_is_answered_with_no_such_yes(
    world: World, her: Client, key: str | None
) -> None:
    publishes()
    asked = ask_permission(
        tool=world.tool, use="discovery", why="For a radio.", artists=[world.maren]
    ).requests[0]
    before = saved()
    url = world.url("answer_request", ref=asked.ref)
    answer = her.post(url, with_key(key, stance="allow"), follow=True)
    assert CHANGED in answer.text
    assert saved() == before
    assert PermissionRequest.objects.get().state == "open"


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_many_recordings_are_answered_with_no_such_yes(
    world: World, her: Client, key: str | None
) -> None:
    wording = publishes()
    page = her.get(world.url("many"), {"use": "discovery", "stance": "allow"}).text
    fields = dict(re.findall(r'name="(digest|ref)"\s+value="([^"]+)"', page))
    before = saved()
    said = {"use": "discovery", "stance": "allow", **fields}
    answer = her.post(world.url("answer_many"), with_key(key, **said), follow=True)
    assert CHANGED in answer.text
    assert saved() == before
    her.post(world.url("answer_many"), with_key(str(wording.pk), **said))
    assert {p.wording for p in Permission.objects.all()} == {wording}


def test_a_page_from_before_the_first_text_says_no_yes_to_it(world: World, her: Client) -> None:
    page = her.get(world.url("permissions")).text
    assert 'name="wording"' not in page
    publishes()
    her.post(world.url("answer", use="discovery"), {"stance": "allow"})
    assert not Permission.objects.exists()


def test_the_text_of_another_use_was_not_read_for_this_one(world: World, her: Client) -> None:
    other = publishes("style", "Sound like you.")
    for _time in range(2):
        her.post(world.url("answer", use="discovery"), {"stance": "allow", "wording": other.pk})
        assert not Permission.objects.exists()
        publishes()


@pytest.mark.parametrize("stance", ["deny", "ask", "undecided"])
def test_a_no_needs_no_text(world: World, her: Client, stance: str) -> None:
    publishes()
    answer_permission(by=None, artist=world.maren, use="discovery", stance="allow")
    her.post(world.url("answer", use="discovery"), {"stance": stance, "wording": "9" * 40})
    assert Permission.objects.latest("id").stance == stance


def test_a_yes_where_no_text_was_ever_published_names_none(world: World, her: Client) -> None:
    her.post(world.url("answer", use="discovery"), {"stance": "allow"})
    assert Permission.objects.get().wording is None
