"""What ends is told: a month before, a week before, and when it has; once, to whom it concerns."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone, translation

from consent.clock import now
from consent.licence_terms import Terms
from consent.models import AICompany, Artist, Licence, Party, Permission, Tool
from consent.scopes import Scope
from consent.services.licences import end_licence, sign_licence, supersede_licence
from consent.services.licences import offer_standard_licence as offer
from consent.services.permissions import answer_permission, answer_recordings, revoke_permission
from consent.words import Stance, UseKind
from portal.models import NewsPosition, Notice, NoticeKind, User
from portal.notices import names_of, render
from portal.services.ends import tell_ends
from portal.services.news import tell_news
from portal.tasks import tell_what_ends
from tests.cast import recordings_of

pytestmark = pytest.mark.django_db

YES = {NoticeKind.YES_ENDS, NoticeKind.YES_ENDED}
LICENCE = {NoticeKind.LICENCE_ENDS, NoticeKind.LICENCE_ENDED}


@pytest.fixture(autouse=True)
def the_clock_runs(db: None) -> None:
    """The clock has asked before, as it does from the day on which the portal is opened."""
    tell_ends()


def lends(artist: Artist, days: int = 100, **more: Any) -> Permission:
    return answer_permission(
        by=None,
        artist=artist,
        use=more.pop("use", UseKind.VOICE),
        stance=Stance.ALLOW,
        valid_until=now() + timedelta(days=days),
        **more,
    ).permission


def signs(holder: Party, company: AICompany, days: int | None = 100, **more: Any) -> Licence:
    return sign_licence(
        by=None,
        holder=holder,
        company=company,
        title="Frame agreement",
        uses=[UseKind.DISCOVERY],
        ends_at=None if days is None else now() + timedelta(days=days),
        **more,
    ).licence


def after(days: float) -> datetime:
    return now() + timedelta(days=days, minutes=1)


def told(kinds: set[NoticeKind], reader: User | None = None) -> list[str]:
    found = Notice.objects.filter(kind__in=kinds).order_by("pk")
    if reader is not None:
        found = found.filter(recipient=reader)
    return [one.kind for one in found]


def asked_on(*days: int) -> list[int]:
    """Let the clock ask on these days from now; returns those on which it told something."""
    return [day for day in days if tell_ends(at=after(day))]


# --- A yes that was lent --------------------------------------------------------------------


def test_the_end_of_a_voice_is_told_a_month_and_a_week_before_and_when_it_has_come(
    maren: Artist, maren_user: User, ines: User, charlie: User
) -> None:
    lends(maren)
    assert asked_on(69, 70, 92, 93, 99, 100, 110) == [70, 93, 100]
    for reader in (maren_user, ines):
        assert told(YES, reader) == ["yes_ends", "yes_ends", "yes_ended"]
    assert told(YES, charlie) == []


def test_the_end_of_a_yes_is_told_in_words(
    maren: Artist, maren_user: User, tidesmith: Tool
) -> None:
    yes = lends(maren, scope=Scope(tool=tidesmith))
    tell_ends(at=after(70))
    tell_ends(at=after(100))
    assert yes.valid_until is not None
    with translation.override("en"), timezone.override("UTC"):
        ends, ended = (
            render(one, names_of([one]))
            for one in Notice.objects.filter(kind__in=YES).order_by("pk")
        )
        day = f"{yes.valid_until.day} {yes.valid_until:%b %Y}"
    assert ends.title == f"A yes of Maren Holt ends on {day}"
    assert ends.sentence.startswith("Clone your voice, for Tidesmith. From then on nothing")
    assert ended.title == "A yes of Maren Holt has ended"
    assert day in ended.sentence


def test_a_yes_that_has_no_end_by_nature_is_nobodys_news(maren: Artist, maren_user: User) -> None:
    lends(maren, use=UseKind.DISCOVERY)
    assert asked_on(70, 93, 100, 110) == []


def test_a_yes_given_for_three_weeks_is_not_announced_a_month_before(
    maren: Artist, maren_user: User
) -> None:
    lends(maren, 21)
    assert asked_on(13, 14, 20, 21, 31) == [14, 21]


@pytest.mark.parametrize("change", ["longer", "no", "revoked"])
def test_what_was_decided_again_does_not_end_as_it_once_would_have(
    change: str, maren: Artist, maren_user: User, olga: User
) -> None:
    yes = lends(maren)
    if change == "longer":
        lends(maren, 300)
    elif change == "no":
        answer_permission(by=None, artist=maren, use=UseKind.VOICE, stance=Stance.DENY)
    else:
        revoke_permission(by=olga, permission=yes, reason="Not given by her.")
    assert asked_on(70, 93, 100, 110) == []


def test_a_yes_that_begins_only_after_the_end_leaves_the_end_as_it_is(
    maren: Artist, maren_user: User
) -> None:
    lends(maren, 40)
    lends(maren, 90, valid_from=now() + timedelta(days=50))
    assert asked_on(9, 10, 32, 33, 39, 40, 50) == [10, 33, 40]


def test_many_recordings_of_one_act_end_in_one_notice(maren: Artist, maren_user: User) -> None:
    answer_recordings(
        by=None,
        artist=maren,
        use=UseKind.VOICE,
        stance=Stance.ALLOW,
        recordings=[one.pk for one in recordings_of(maren, 5)],
        valid_until=now() + timedelta(days=100),
    )
    assert tell_ends(at=after(70)) == 1
    assert Notice.objects.get(kind=NoticeKind.YES_ENDS).params["recordings"] == 5


# --- A licence ------------------------------------------------------------------------------


def test_the_term_of_a_licence_is_told_to_each_artist_whose_work_it_touches(
    maren: Artist,
    maren_user: User,
    ines: User,
    aoi: Artist,
    aoi_user: User,
    fjord: Party,
    tonewright: AICompany,
) -> None:
    recordings_of(maren, holder=fjord)
    signs(fjord, tonewright)
    assert asked_on(69, 70, 92, 93, 99, 100, 110) == [70, 93, 100]
    for reader in (maren_user, ines):
        assert told(LICENCE, reader) == ["licence_ends", "licence_ends", "licence_ended"]
    assert told(LICENCE, aoi_user) == []
    [notice] = Notice.objects.filter(kind=NoticeKind.LICENCE_ENDED, recipient=maren_user)
    assert notice.params["holder"] == "Fjord Records"
    assert notice.params["uses"] == ["discovery"]


def test_who_came_under_a_licence_after_it_was_signed_learns_of_its_end(
    aoi: Artist, aoi_user: User, fjord: Party, tonewright: AICompany
) -> None:
    signs(fjord, tonewright, 40)
    recordings_of(aoi, holder=fjord)
    assert asked_on(9, 10) == [10]
    assert told(LICENCE, aoi_user) == ["licence_ends"]


def test_a_licence_that_goes_on_by_a_new_version_does_not_end(
    maren: Artist, maren_user: User, fjord: Party, tonewright: AICompany
) -> None:
    recordings_of(maren, holder=fjord)
    licence = signs(fjord, tonewright)
    supersede_licence(by=None, licence=licence, terms=Terms(uses=[UseKind.DISCOVERY]))
    assert asked_on(70, 93, 100, 110) == []


def test_a_licence_that_is_ended_at_once_is_told_at_once_and_once(
    maren: Artist, maren_user: User, ines: User, fjord: Party, liv: User, tonewright: AICompany
) -> None:
    recordings_of(maren, holder=fjord)
    licence = signs(fjord, tonewright)
    end_licence(by=liv, licence=licence)
    tell_news()
    assert told(LICENCE, maren_user) == told(LICENCE, ines) == ["licence_ended"]
    tell_news()
    assert asked_on(70, 93, 100, 110) == []


def test_a_licence_that_is_ended_for_later_is_announced_as_it_comes_near(
    maren: Artist, maren_user: User, fjord: Party, tonewright: AICompany
) -> None:
    recordings_of(maren, holder=fjord)
    licence = signs(fjord, tonewright, None)
    end_licence(by=None, licence=licence, ends_at=now() + timedelta(days=60))
    tell_news()
    assert told(LICENCE) == []
    assert asked_on(29, 30, 52, 53, 59, 60, 70) == [30, 53, 60]


def test_an_end_within_the_month_is_told_on_the_day_it_is_written(
    maren: Artist, maren_user: User, fjord: Party, tonewright: AICompany
) -> None:
    recordings_of(maren, holder=fjord)
    licence = signs(fjord, tonewright, None)
    end_licence(by=None, licence=licence, ends_at=now() + timedelta(days=5))
    tell_news()
    assert told(LICENCE, maren_user) == ["licence_ends"]
    assert asked_on(4, 5, 15) == [5]
    assert told(LICENCE, maren_user) == ["licence_ends", "licence_ended"]


def test_who_signed_her_own_licence_is_told_of_its_term_and_not_of_what_she_does(
    aoi: Artist, aoi_user: User, ines: User, tonewright: AICompany
) -> None:
    [version] = offer(
        by=aoi_user,
        artist=aoi,
        uses=[UseKind.DISCOVERY],
        companies=[tonewright],
        ends_at=now() + timedelta(days=50),
    )
    recordings_of(aoi)
    tell_ends(at=after(20))
    assert told(LICENCE, aoi_user) == told(LICENCE, ines) == ["licence_ends"]
    end_licence(by=aoi_user, licence=version.licence)
    tell_news()
    assert told(LICENCE, aoi_user) == ["licence_ends"]
    assert told(LICENCE, ines) == ["licence_ends", "licence_ended"]


# --- The clock ------------------------------------------------------------------------------


def test_a_clock_that_stood_still_goes_on_where_it_was_and_tells_what_still_is_so(
    maren: Artist, maren_user: User
) -> None:
    lends(maren)
    lends(maren, 74, use=UseKind.NAME_IMAGE)
    tell_ends(at=after(95))  # nothing ran for 95 days
    found = {(one.kind, one.params["use"]) for one in Notice.objects.filter(kind__in=YES)}
    assert found == {("yes_ends", "voice"), ("yes_ended", "name_image")}
    assert len(told(YES)) == 2
    assert tell_ends(at=after(95)) == 0


def test_a_notice_that_was_told_is_not_told_again_though_the_position_was_lost(
    maren: Artist, maren_user: User
) -> None:
    lends(maren)
    tell_ends(at=after(70))
    NewsPosition.objects.filter(name="ends").update(seq=int(now().timestamp()))
    tell_ends(at=after(70))
    assert told(YES, maren_user) == ["yes_ends"]


def test_the_clock_asks_once_an_hour(maren: Artist, maren_user: User) -> None:
    lends(maren, 1)
    before = int((now() - timedelta(days=1)).timestamp())
    NewsPosition.objects.filter(name="ends").update(seq=before)
    tell_what_ends()
    first = NewsPosition.objects.get(name="ends").seq
    NewsPosition.objects.filter(name="ends").update(seq=before)
    tell_what_ends()
    assert first > before == NewsPosition.objects.get(name="ends").seq


@pytest.mark.django_db(transaction=True)
def test_two_clocks_at_once_tell_it_once(maren: Artist, maren_user: User, ines: User) -> None:
    lends(maren)
    at, gate, counts = after(70), threading.Barrier(4), []

    def ask() -> None:
        gate.wait()
        counts.append(tell_ends(at=at))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(counts) == [0, 0, 0, 2]
    assert told(YES, maren_user) == told(YES, ines) == ["yes_ends"]


@pytest.mark.django_db(transaction=True)
def test_without_redis_the_notice_is_a_row_that_waits_for_its_worker(
    maren: Artist, maren_user: User, settings: Any
) -> None:
    lends(maren)
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    assert tell_ends(at=after(70)) == 1
    notice = Notice.objects.get(kind=NoticeKind.YES_ENDS)
    assert notice in Notice.due(now())
