"""What an undo could not bring back is said on its page, with where to answer again."""

import random
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from consent.clock import now
from consent.models import Act, Artist
from consent.scopes import EVERYTHING, Scope
from consent.services.parties import change_party_state, register_party
from consent.services.permissions import answer_permission, answer_recordings, undo_act
from consent.services.wordings import publish_wording
from consent.words import LENT_KINDS, PartyKind
from portal.models import User
from portal.queries.answers import later_by
from tests.cast import *  # noqa: F403 - the people in every story
from tests.cast import recordings_of
from tests.portal.pages import *  # noqa: F403 - Maren's world, and her signed in
from tests.portal.pages import World, freshly

pytestmark = pytest.mark.django_db


def new_text(use: str = "discovery", language: str = "en") -> None:
    publish_wording(by=None, use=use, language=language, text=f"Text {random.random()}")


def act_page(world: World, her: Client, act: Act) -> str:
    return her.get(world.url("act", ref=str(act.ref))).text


def test_after_an_undo_the_page_says_which_answers_are_to_be_given_again(
    world: World, her: Client
) -> None:
    new_text()
    song = Scope(recording=world.recordings[0])
    world.says("discovery", "allow", scope=song)
    no = world.says("discovery", "deny", scope=song).permission.act
    new_text()
    page = freshly(her).post(world.url("undo_act", ref=str(no.ref)), follow=True).text
    assert "Undone, but for 1 yes: it can only be given again, below." in page
    assert "Each answer is again what it was before" not in page
    assert "To be answered again" in page
    assert "The text that the yes was to has changed." in page
    url = world.url("permission_recording", isrc=world.recordings[0].isrc)
    assert f'<a href="{url}#use-discovery">Recommend you: “Paper Lanterns 1”</a>' in page


def test_what_was_answered_again_since_is_not_asked_for_any_more(world: World, her: Client) -> None:
    new_text()
    world.says("discovery", "allow")
    no = world.says("discovery", "deny").permission.act
    new_text()
    undone = undo_act(by=world.user, act=no).act
    assert undone is not None
    assert "To be answered again" in act_page(world, her, undone)
    world.says("discovery", "ask")
    assert "To be answered again" not in act_page(world, her, undone)


def test_of_a_minor_the_page_says_that_the_guardian_can_answer(world: World, her: Client) -> None:
    world.says("voice", "allow", valid_until=now() + timedelta(days=300))
    no = world.says("voice", "deny").permission.act
    kari = register_party(by=None, kind=PartyKind.PERSON, name="Kari Holt")
    change_party_state(by=None, party=world.maren.party, is_minor=True, guardian=kari)
    undone = undo_act(by=world.user, act=no).act
    assert undone is not None
    page = act_page(world, her, undone)
    assert "A minor's: only the guardian can say yes." in page
    assert world.url("permissions") + "#use-voice" in page


def test_an_undo_that_brings_all_back_asks_for_nothing(world: World, her: Client) -> None:
    world.says("discovery", "allow")
    no = world.says("discovery", "deny").permission.act
    page = freshly(her).post(world.url("undo_act", ref=str(no.ref)), follow=True).text
    assert "Undone. Each answer is again what it was before." in page
    assert "To be answered again" not in page


def test_of_many_the_first_hundred_are_named_and_the_rest_counted(
    world: World, her: Client
) -> None:
    new_text()
    songs = recordings_of(world.maren, 120, title="Slow Ferry", holder=world.fjord)
    answer: dict[str, Any] = {"by": None, "artist": world.maren, "use": "discovery"}
    answer["recordings"] = [song.pk for song in songs]
    answer_recordings(**answer, stance="allow")
    no = answer_recordings(**answer, stance="deny")
    assert no is not None
    new_text()
    page = freshly(her).post(world.url("undo_act", ref=str(no.ref)), follow=True).text
    assert "Undone, but for 120 yeses: they can only be given again, below." in page
    assert page.count("The text that the yes was to has changed.") == 100
    assert "and 20 more" in page
    undone = Act.objects.get(undoes=no)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        later_by(undone)
    assert len(asked) <= 3


@pytest.mark.parametrize("seed", range(4))
def test_what_is_read_later_is_what_the_undo_said(
    seed: int, maren: Artist, maren_user: User, world: World
) -> None:
    """Random lives: answers now and for later, in any place; new texts; a minor or not."""
    dice = random.Random(seed)
    kari = register_party(by=None, kind=PartyKind.PERSON, name="Kari Holt")
    scopes = [EVERYTHING, Scope(tool=world.tool), Scope(recording=world.recordings[0])]
    undone, later = 0, 0
    for _step in range(100):
        match dice.choice(["answer"] * 5 + ["undo"] * 2 + ["text", "minor"]):
            case "text":
                new_text(dice.choice(["discovery", "voice"]), dice.choice(["en", "en", "de"]))
            case "minor":
                minor = dice.random() < 0.6
                change_party_state(
                    by=None,
                    party=maren.party,
                    is_minor=minor,
                    guardian=kari if minor else None,
                    no_guardian=not minor,
                )
            case "answer":
                use = dice.choice(["discovery", "voice"])
                stance = dice.choice(["allow", "allow", "deny", "ask"])
                starts = now() + timedelta(days=dice.choice([3, 9]))
                lends = use in LENT_KINDS and stance == "allow"
                answer_permission(
                    by=maren_user,
                    artist=maren,
                    use=use,
                    stance=stance,
                    role="guardian",
                    scope=dice.choice(scopes),
                    territories=dice.choice([(), (), ("NO",)]),
                    valid_from=starts if dice.random() < 0.3 else None,
                    valid_until=now() + timedelta(days=dice.randint(50, 99)) if lends else None,
                )
            case "undo":
                acts = Act.objects.filter(kind__startswith="permission.", undone_by=None)
                latest = list(acts.order_by("-created_at")[:4])
                if latest:
                    role = dice.choice(["artist", "guardian"])
                    said = undo_act(by=maren_user, act=dice.choice(latest), role=role)
                    if said.act is not None:
                        undone, later = undone + 1, later + len(said.later)
                        found = later_by(said.act)
                        assert set(found.shown) == set(said.later)
                        assert found.total == len(said.later)
    assert undone > 2 and later > 0
