"""A text that she said yes to means something new: she is told, once, and led to where she answers.

Told in batches, from a row: nobody is forgotten when a worker is gone, and nobody told twice.
"""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from consent.clock import now
from consent.models import AICompany, Artist, Recording, Tool, Wording
from consent.queries.changes import changes_for
from consent.queries.ledger import head
from consent.scopes import EVERYTHING, Scope
from consent.services.permissions import answer_permission, answer_recordings
from consent.services.wordings import publish_wording
from consent.words import Stance, UseKind
from portal.models import NewsPosition, Notice, NoticeKind, User
from portal.notices import names_of, render
from portal.services.news import tell_news
from portal.services.texts import tell_changed_texts
from portal.tasks import tell
from tests.cast import recordings_of
from tests.portal.pages import SignIn

pytestmark = pytest.mark.django_db

USE = UseKind.DISCOVERY


@pytest.fixture(autouse=True)
def first_text(db: None) -> Wording:
    return publish("Playlists pick you.")


def publish(text: str, *, language: str = "en", **more: Any) -> Wording:
    return publish_wording(by=None, use=USE, language=language, text=text, **more)


def says(artist: Artist, stance: Stance = Stance.ALLOW, **more: Any) -> None:
    answer_permission(by=None, artist=artist, use=more.pop("use", USE), stance=stance, **more)


def told(**more: Any) -> list[str]:
    """Who was told that a text changed, since the last time."""
    tell_news()
    tell_changed_texts(**more)
    rows = Notice.objects.filter(kind=NoticeKind.TEXT_CHANGED).order_by("recipient__email", "pk")
    found = [one.recipient.name for one in rows]
    rows.delete()
    return found


def words(notice: Notice) -> tuple[str, str, str]:
    said = render(notice, names_of([notice]))
    return said.title, said.sentence, said.link


def test_whoever_said_yes_to_the_old_text_is_told_once_and_led_to_where_she_answers_again(
    maren: Artist, maren_user: User, aoi: Artist, aoi_user: User, charlie: User, signed_in: SignIn
) -> None:
    says(maren)
    says(aoi, Stance.DENY)
    publish("Playlists and radio pick you.")
    tell()
    [notice] = Notice.objects.filter(kind=NoticeKind.TEXT_CHANGED)
    assert notice.recipient == maren_user
    title, sentence, link = words(notice)
    assert title == "The text that Maren Holt said yes to has changed"
    assert sentence == (
        "Recommend you: the text you said yes to has changed, and means something new. Until you "
        "answer again, it is a no."
    )
    assert link == "/a/maren-holt/permissions/#use-discovery"
    assert 'id="use-discovery"' in signed_in(maren_user).get(link).text
    assert tell_changed_texts() == 0


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("Playlists vous choisissent.", {"means_the_same": True, "language": "fr"}),
        ("Spielisten wählen dich.", {"language": "de"}),
        ("Playlists pick you.", {}),
    ],
)
def test_a_translation_and_the_same_text_again_are_told_to_nobody(
    maren: Artist, maren_user: User, text: str, more: dict[str, Any]
) -> None:
    says(maren)
    publish(text, **more)
    assert told() == []
    assert not NewsPosition.objects.filter(name__startswith="text ").exists()


def test_a_typo_is_told_to_everybody_whose_yes_it_takes_away(
    maren: Artist, maren_user: User
) -> None:
    says(maren)
    publish("Playlists pick you!")
    assert told() == ["Maren Holt"]


def test_the_very_first_text_replaces_nothing(maren: Artist, maren_user: User) -> None:
    says(maren, use=UseKind.STYLE)
    publish_wording(by=None, use=UseKind.STYLE, language="en", text="Sound like you.")
    assert told() == []


def test_a_yes_that_is_over_or_taken_back_or_given_again_is_not_one_that_is_lost(
    maren: Artist, maren_user: User, aoi: Artist, aoi_user: User, low_tides: Artist, sol: User
) -> None:
    for artist in (maren, aoi, low_tides):
        says(artist)
    says(maren, Stance.DENY)
    publish("Playlists and radio pick you.")
    says(aoi)
    assert told() == ["Sol Arnesen"]
    publish("Playlists, radio and shops pick you.")
    assert told() == ["Aoi Tanaka"]
    assert told() == []


def test_a_yes_for_one_tool_or_for_recordings_only_leads_to_the_exceptions(
    maren: Artist, maren_user: User, tidesmith: Tool, signed_in: SignIn
) -> None:
    songs: list[Recording] = recordings_of(maren, 5)
    answer_recordings(
        by=None,
        artist=maren,
        use=USE,
        stance=Stance.ALLOW,
        recordings=[one.pk for one in songs],
    )
    says(maren, scope=Scope(tool=tidesmith))
    says(maren, Stance.DENY, scope=EVERYTHING)
    publish("Playlists and radio pick you.")
    tell()
    [notice] = Notice.objects.filter(kind=NoticeKind.TEXT_CHANGED)
    _, _, link = words(notice)
    assert link == "/a/maren-holt/permissions/exceptions/?use=discovery"
    assert signed_in(maren_user).get(link).status_code == 200


def test_a_yes_for_a_later_day_is_lost_too(maren: Artist, maren_user: User) -> None:
    says(maren, Stance.DENY)
    says(maren, valid_from=now() + timedelta(days=10))
    publish("Playlists and radio pick you.")
    assert told() == ["Maren Holt"]


def test_two_new_texts_that_nobody_was_told_of_yet_are_one_notice_for_one_yes(
    maren: Artist, maren_user: User
) -> None:
    says(maren)
    publish("Playlists and radio pick you.")
    publish("Playlists, radio and shops pick you.")
    assert told() == ["Maren Holt"]


def test_each_text_that_takes_a_yes_away_is_told(maren: Artist, maren_user: User) -> None:
    for text in ("Playlists and radio pick you.", "Playlists, radio and shops pick you."):
        says(maren)
        publish(text)
        assert told() == ["Maren Holt"]
        assert told() == []


def test_batches_go_on_where_the_last_one_ended_also_after_a_worker_that_died(
    maren: Artist,
    maren_user: User,
    aoi: Artist,
    aoi_user: User,
    low_tides: Artist,
    sol: User,
) -> None:
    for artist in (maren, aoi, low_tides):
        says(artist)
    publish("Playlists and radio pick you.")
    tell_news()
    assert tell_changed_texts(for_at_most=timedelta(), at_once=1) == 1
    with transaction.atomic():
        assert tell_changed_texts(for_at_most=timedelta(), at_once=1) == 1
        transaction.set_rollback(True)
    assert Notice.objects.filter(kind=NoticeKind.TEXT_CHANGED).count() == 1
    assert told(at_once=1) == ["Aoi Tanaka", "Maren Holt", "Sol Arnesen"]
    assert not NewsPosition.objects.filter(name__startswith="text ").exists()


def test_the_position_lost_tells_nobody_twice(maren: Artist, maren_user: User) -> None:
    says(maren)
    publish("Playlists and radio pick you.")
    for _ in range(3):
        NewsPosition.objects.all().delete()
        tell_news()
        tell_changed_texts()
    assert Notice.objects.filter(kind=NoticeKind.TEXT_CHANGED).count() == 1


def test_publishing_writes_no_notice_and_asks_as_much_however_many_said_yes(
    maren: Artist, maren_user: User, aoi: Artist
) -> None:
    def queries(text: str) -> int:
        with CaptureQueriesContext(connection) as found:
            publish(text)
        return len(found)

    says(maren)
    few = queries("Playlists and radio pick you.")
    for artist in (maren, aoi):
        says(artist)
    assert queries("Playlists, radio and shops pick you.") == few
    assert not Notice.objects.filter(kind=NoticeKind.TEXT_CHANGED).exists()


def test_companies_read_in_their_feed_that_a_text_means_something_new_and_of_translations_nothing(
    tonewright: AICompany,
) -> None:
    before = head()
    publish("Playlists wählen dich.", language="de", means_the_same=True)
    publish("Playlists and radio pick you.")
    found = changes_for(tonewright, after=before).changes
    assert [(one.kind, dict(one.about)) for one in found] == [
        ("wording.published", {"use": "discovery"})
    ]
