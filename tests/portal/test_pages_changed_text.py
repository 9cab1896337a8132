"""A text that has changed: each page asks again, with the new text, the old, and what is new."""

import re

import pytest
from django.test import Client

from consent.models import Permission
from consent.scopes import Scope
from consent.services.wordings import publish_wording
from portal.models import User
from portal.queries.texts import Part, changes
from portal.roles import Role
from portal.services.delegation import grant_access
from tests.cast import *  # noqa: F403 - the people in every story
from tests.cast import somebody
from tests.portal.pages import *  # noqa: F403 - Maren's world, and her signed in
from tests.portal.pages import HTMX, SignIn, World, freshly

OLD, NEW = "Playlists pick you.", "Playlists and radio pick you."


def publishes(text: str, language: str = "en", *, same: bool | None = None) -> int:
    return publish_wording(
        by=None, use="discovery", language=language, text=text, means_the_same=same
    ).pk


def row(page: str, use: str = "discovery") -> str:
    found = page[page.index(f'id="use-{use}"') :].split('<li class="use"')[0]
    return re.sub(r"\s+>", ">", found)


@pytest.mark.django_db
def test_the_switch_shows_no_answer_until_she_answers_the_new_text(
    world: World, her: Client
) -> None:
    publishes(OLD)
    world.says("discovery", "allow")
    url = world.url("permissions")
    assert 'value="allow"' in row(her.get(url).text) and "checked" in row(her.get(url).text)
    new = publishes(NEW)
    page = her.get(url).text
    assert "One text has changed since the yes to it" in page
    asked = row(page)
    assert "Answer again" in asked and "Waits for you" in asked
    assert "checked" not in asked  # or a click on yes would be no answer
    assert f"<p>{NEW}</p>" in asked
    assert f'<p lang="en">{OLD}</p>' in asked
    assert "<ins>and radio</ins>" in asked
    again = freshly(her).post(
        world.url("answer", use="discovery"), {"stance": "allow", "wording": new}, headers=HTMX
    )
    assert "Answer again" not in again.text and "checked" in again.text
    assert world.allowed("discovery")
    assert "One text has changed" not in her.get(url).text


@pytest.mark.django_db
def test_the_answer_to_a_tool_and_to_a_recording_is_asked_again_on_its_page(
    world: World, her: Client
) -> None:
    publishes(OLD)
    song = world.recordings[0]
    world.says("discovery", "allow", scope=Scope(tool=world.tool))
    world.says("discovery", "allow", scope=Scope(recording=song))
    world.says("discovery", "allow", scope=Scope(recording=song, tool=world.tool))
    publishes(NEW)
    why = f"{world.url('why')}?isrc={song.isrc}&tool={world.tool.slug}&use=discovery"
    for url in (
        world.url("permission_tool", tool=world.tool.slug),
        world.url("permission_recording", isrc=song.isrc),
        why,
    ):
        asked = row(her.get(url).text)
        assert "Answer again" in asked, url
        assert "checked" not in asked, url
        assert "Waits for you" in asked and "Not allowed" not in asked, url
        assert "<ins>and radio</ins>" in asked, url
    listed = her.get(world.url("exceptions")).text
    assert listed.count("to an earlier text: answer again") == 3


@pytest.mark.django_db
def test_a_page_below_says_that_the_general_yes_was_to_an_earlier_text(
    world: World, her: Client
) -> None:
    publishes(OLD)
    world.says("discovery", "allow")
    publishes(NEW)
    for url in (
        world.url("permission_tool", tool=world.tool.slug),
        world.url("permission_recording", isrc=world.recordings[0].isrc),
    ):
        said = row(her.get(url).text)
        assert "As in general: Yes, to an earlier text" in said
        assert "Answer again" not in said  # it is asked where it was given


@pytest.mark.django_db
def test_the_overview_says_that_a_text_waits_for_her(world: World, her: Client) -> None:
    publishes(OLD)
    world.says("discovery", "allow")
    publishes(NEW)
    page = her.get(world.url("overview")).text
    assert "One text has changed since the yes to it. Until you answer again, it is a no." in page
    assert "Answer again" in page


@pytest.mark.django_db
def test_a_translation_asks_nobody_again(world: World, her: Client) -> None:
    publishes(OLD)
    world.says("discovery", "allow")
    publishes("Playlists wählen dich.", "de", same=True)
    assert "Answer again" not in her.get(world.url("permissions")).text
    assert "has changed" not in her.get(world.url("overview")).text


@pytest.mark.django_db
def test_a_no_to_an_earlier_text_is_a_no_and_is_left_alone(world: World, her: Client) -> None:
    publishes(OLD)
    world.says("discovery", "deny")
    publishes(NEW)
    assert "Answer again" not in her.get(world.url("permissions")).text


@pytest.mark.django_db
def test_of_another_language_the_old_text_is_shown_and_no_differences(
    world: World, her: Client
) -> None:
    german = publishes("Playlists wählen dich.", "de")
    her.post(world.url("answer", use="discovery"), {"stance": "allow", "wording": german})
    assert Permission.objects.get().wording_id == german
    publishes(NEW, same=False)
    asked = row(her.get(world.url("permissions")).text)
    assert '<p lang="de">Playlists wählen dich.</p>' in asked
    assert "<ins>" not in asked and "<del>" not in asked


@pytest.mark.django_db
def test_a_yes_from_before_any_text_was_published_shows_the_one_that_stood_there(
    world: World, her: Client
) -> None:
    world.says("discovery", "allow")
    publishes("AI DJs pick your music for listeners.")
    publishes(NEW)
    asked = row(her.get(world.url("permissions")).text)
    assert '<p lang="en">AI DJs and playlists pick your music for listeners.</p>' in asked


@pytest.mark.django_db
def test_whoever_only_looks_reads_that_the_yes_was_to_an_earlier_text(
    world: World, signed_in: SignIn
) -> None:
    publishes(OLD)
    world.says("discovery", "allow")
    publishes(NEW)
    viewer: User = somebody("Jo")
    grant_access(by=world.user, artist=world.maren, user=viewer, role=Role.ASSISTANT)
    asked = row(signed_in(viewer).get(world.url("permissions")).text)
    assert "Yes, to an earlier text" in asked


def test_the_difference_of_two_texts_is_each_of_them_without_what_is_the_others() -> None:
    parts = list(changes("We may use it once.", "We may use and sell it.", "en"))
    assert Part("new", "and sell it.") in parts and Part("gone", "it once.") in parts
    for old, new, language in (
        ("We may use it once.", "We may use and sell it.", "en"),
        ("", "New.", "en"),
        ("Same.", "Same.", "de"),
        ("AIのDJが選びます。", "AIのDJとラジオが選びます。", "ja"),
    ):
        found = list(changes(old, new, language))
        kept = "".join(part.text for part in found if part.kind != "new")
        came = "".join(part.text for part in found if part.kind != "gone")
        assert "".join(kept.split()) == "".join(old.split())
        assert "".join(came.split()) == "".join(new.split())
    japanese = changes("AIのDJが選びます。", "AIのDJとラジオが選びます。", "ja")
    assert Part("new", "とラジオ") in japanese
