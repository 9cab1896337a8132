"""The demo: a year that the product itself could have lived through."""

import unicodedata
from collections import Counter
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core import mail
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db.models import Sum

from consent.clock import now
from consent.identifiers import Scheme as IdScheme
from consent.identifiers import is_valid
from consent.models import (
    Artist,
    Credit,
    LedgerEntry,
    LedgerHead,
    Permission,
    PermissionRequest,
    Recording,
    RequestState,
    Withdrawal,
)
from consent.queries.effective import uses_of
from consent.services.profiles import refresh_all
from consent.words import AiPart, Right, UseKind, Way
from portal.access import Access
from portal.demo.calendar import MONTHS, Calendar
from portal.demo.catalogue import albums
from portal.demo.names import ACTS, DOMAIN, PASSWORD, PEOPLE
from portal.demo.stage import Stage, kept_keys
from portal.demo.year import scenes
from portal.models import Notice, NoticeKind, User
from portal.queries.offers import companies_to_offer_to
from portal.queries.rights import rights_of
from portal.services.answers import give_answer
from portal.services.clients import find_key
from portal.services.licences import offer_licence
from portal.services.own_rights import declare_rights
from royalties.models import Allocation, Period, Posting, Statement, UsageEvent
from royalties.words import PeriodState
from tests.cast import somebody

EVENTS = 400


def seed(*arguments: str) -> str:
    out = StringIO()
    call_command("seed_demo", *arguments, stdout=out, verbosity=0)
    return out.getvalue()


def state_of(slug: str) -> dict[str, str]:
    """What the permission page says for each use kind."""
    artist = Artist.objects.get(slug=slug)
    asked = PermissionRequest.objects.filter(artist=artist, state=RequestState.OPEN)
    waiting = Counter(asked.values_list("use", flat=True))
    views = uses_of(artist, waiting=waiting)
    return {view.use.value: view.state for view in views}


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_the_demo_tells_a_year_of_stories(live_server: Any, settings: Any, tmp_path: Path) -> None:
    """One long test, because the year takes a while to be told."""
    # Another demo, told beside this one, would write its API keys over these.
    settings.STATE = tmp_path
    assert "14 artists, 301 recordings, 6 AI tools" in seed("--events", str(EVENTS))
    the_ledger_is_a_demos_and_sound()
    every_state_of_a_permission_occurs()
    the_withdrawals_are_told_confirmed_and_overdue()
    the_questions_wait_and_were_answered()
    the_catalogue_has_its_scripts_and_credits()
    the_months_are_published_and_the_books_balance()
    people_sign_in_and_reach_their_own()
    an_independent_who_is_new_here_can_really_allow_something()
    what_happened_was_told_and_nobody_was_written_to()
    a_second_time_is_refused()
    the_client_works_over_http(live_server.url)


def an_independent_who_is_new_here_can_really_allow_something() -> None:
    tomas = Artist.objects.get(party__name="Tomás Ferreira")
    access = Access.of(User.objects.get(email=f"tomas@{DOMAIN}"))
    use = UseKind.REMIX_INPUT
    offer_licence(by=access, artist=tomas, uses=[use], companies=companies_to_offer_to())
    give_answer(by=access, artist=tomas, use=use, stance="allow")
    assert state_of(tomas.slug)[use] == "not_in_force"  # nobody said who wrote the songs
    free = rights_of(tomas)[1]
    assert free.counts == {Right.MASTER: 0, Right.PUBLISHING: 10}
    declare_rights(
        by=access,
        artist=tomas,
        shares={Right.PUBLISHING: 10_000},
        recordings={Right.PUBLISHING: free.keys(Right.PUBLISHING)},
    )
    [view] = [one for one in uses_of(tomas) if one.use == use]
    assert (view.state, view.allowed, view.recordings) == ("holds", 10, 10)


def the_ledger_is_a_demos_and_sound() -> None:
    head = LedgerHead.objects.get()
    assert head.demo and head.demo_now is None
    assert abs(now() - datetime.now(UTC)) < timedelta(minutes=1)
    assert head.seq == LedgerEntry.objects.count()
    moments = list(LedgerEntry.objects.order_by("seq").values_list("recorded_at", flat=True))
    assert moments == sorted(moments)
    assert timedelta(days=330) < moments[-1] - moments[0] < timedelta(days=396)
    call_command("audit_ledger", stdout=StringIO())
    assert refresh_all() == 0  # nothing in the catalogue was grouped wrongly


def every_state_of_a_permission_occurs() -> None:
    maren, vera = state_of("maren-holt"), state_of("vera-sandmann")
    assert maren["generative_training"] == "holds"
    assert maren["style"] == "waits"
    assert maren["voice"] == "refused"
    assert maren["name_image"] == "not_in_force"
    assert vera["discovery"] == "overridden"
    assert state_of("aoi-tanaka")["style"] == "holds"  # the standard licence that she offered
    ways = set(Permission.objects.values_list("way", flat=True))
    assert ways >= {Way.ANSWERED, Way.WITHDRAWN, Way.CLEARED, Way.REVOKED}
    [asked_again] = [
        view for view in uses_of(Artist.objects.get(slug="maren-holt")) if view.wording_changed
    ]
    assert asked_again.use == "analysis_training"


def the_withdrawals_are_told_confirmed_and_overdue() -> None:
    stops = Withdrawal.objects.select_related("artist__party", "company")
    # What was over before anybody could be told is told to nobody.
    assert not stops.filter(told_at=None, over_at=None).exists()
    voice = stops.filter(artist__slug="maren-holt", permission__use="voice")
    assert {bool(one.acknowledged_at) for one in voice} == {True}
    assert {one.outputs_until > now() for one in voice} == {True}  # the notice that she chose
    assert {one.already_trained for one in voice} == {False, True}
    late = stops.filter(acknowledged_at=None, over_at=None, acknowledge_by__lt=now())
    assert {(one.artist.slug, one.company.slug) for one in late} == {
        ("the-low-tides", "tonewright")
    }


def the_questions_wait_and_were_answered() -> None:
    states = Counter(PermissionRequest.objects.values_list("state", flat=True))
    assert states == {"open": 2, "granted": 1, "refused": 1, "deferred": 1, "taken_back": 1}


def the_catalogue_has_its_scripts_and_credits() -> None:
    song = Recording.objects.get(title="雨の停留所")
    assert [one.title for one in song.titles.all()] == ["Bus Stop in the Rain"]
    assert Credit.objects.filter(recording=song, role="LeadVocalist").exists()
    assert Recording.objects.filter(contains_ai=AiPart.PARTLY).count() > 10
    band = Recording.objects.get(title="Neap")
    assert band.sender is not None and band.sender.name == "Kanal Musik"


def the_months_are_published_and_the_books_balance() -> None:
    states = Counter(Period.objects.values_list("state", flat=True))
    assert states[PeriodState.PUBLISHED] >= MONTHS - 1
    assert states[PeriodState.OPEN] >= 1
    assert 0.9 * EVENTS < UsageEvent.objects.count() < 1.4 * EVENTS
    assert Posting.objects.aggregate(total=Sum("amount_micros"))["total"] == 0
    held = set(Allocation.objects.exclude(held="").values_list("held", flat=True))
    assert "no_split" in held
    assert Allocation.objects.exclude(releases=None).exists()  # and then there was one
    maren = Statement.objects.filter(party__artist__slug="maren-holt")
    assert maren.count() >= MONTHS - 2


def people_sign_in_and_reach_their_own() -> None:
    for one in PEOPLE:
        email = f"{one.key}@{DOMAIN}"
        assert authenticate(request=None, email=email, password=PASSWORD) is not None, email
    of = {user.email.split("@")[0]: Access.of(user) for user in User.objects.all()}
    names = {key: {reach.artist.slug for reach in one.artists} for key, one in of.items()}
    assert names["ines"] == {"maren-holt", "aoi-tanaka"}
    assert names["sol"] == {"the-low-tides", "sol-arnesen"}
    assert names["charlie"] == set()
    assert len(of["liv"].artists_of_label()) == 6
    said = StringIO()
    call_command("demo_logins", stdout=said)
    assert "maren@liner.example" in said.getvalue() and PASSWORD in said.getvalue()
    for key in kept_keys().values():
        assert key in said.getvalue()
        assert find_key(key) is not None


def what_happened_was_told_and_nobody_was_written_to() -> None:
    kinds = Counter(Notice.objects.values_list("kind", flat=True))
    not_in_this_year = {
        NoticeKind.EXPORT_FAILED,
        NoticeKind.YES_ENDS,
        NoticeKind.YES_ENDED,
        NoticeKind.LICENCE_ENDS,
        NoticeKind.NOT_SAVED,
        NoticeKind.BILLING_CHANGED,
        NoticeKind.CONTEST_SETTLED,
        NoticeKind.CONFLICT_SETTLED,
        NoticeKind.NONE_OF_IT,
    }
    assert kinds.keys() == set(NoticeKind.values) - not_in_this_year
    objections = Notice.objects.filter(kind=NoticeKind.OBJECTION).values_list("recipient", "params")
    told = [(reader, tuple(facts["uses"])) for reader, facts in objections]
    assert len(told) == len(set(told)) == 2
    assert not Notice.due(now()).exists()
    assert mail.outbox == []


def a_second_time_is_refused() -> None:
    with pytest.raises(CommandError, match="belongs into an empty one"):
        seed()


def the_client_works_over_http(url: str) -> None:
    before = UsageEvent.objects.count()
    said = StringIO()
    call_command("demo_client", url=url, stdout=said)
    assert "Reported a training run" in said.getvalue()
    assert UsageEvent.objects.count() > before


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_somebodys_own_database_is_left_alone() -> None:
    somebody("Charlie Voss")
    with pytest.raises(CommandError, match="belongs into an empty one"):
        seed()
    assert not LedgerHead.objects.get().demo
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_where_there_is_no_demo_there_are_no_logins() -> None:
    said = StringIO()
    call_command("demo_logins", stdout=said)
    assert said.getvalue().strip() == "There is no demo in this database."


def test_too_many_uses_are_not_told() -> None:
    with pytest.raises(CommandError, match="between 100 and"):
        seed("--events", "5")


# --- When it happens -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "today",
    [
        datetime(2026, 11, 20, 7, 30, tzinfo=UTC),
        datetime(2027, 1, 1, 0, 5, tzinfo=UTC),
        datetime(2028, 2, 29, 23, 59, tzinfo=UTC),
        datetime(2027, 3, 31, 12, 0, tzinfo=UTC),
    ],
)
def test_the_story_begins_a_year_ago_and_ends_before_now(today: datetime) -> None:
    calendar = Calendar(today)
    assert calendar.month(MONTHS).replace(day=1) == today.replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    months = [calendar.month(n) for n in range(MONTHS + 2)]
    assert all(one.day == 1 for one in months)
    assert all(27 < (b - a).days < 32 for a, b in pairwise(months))
    played = sorted(scene.at for scene in scenes(Stage(calendar, None)))  # type: ignore[arg-type]
    assert calendar.begins < played[0]
    assert played[-1] <= calendar.latest < today


# --- What there is ---------------------------------------------------------------------------


def test_the_catalogue_names_nothing_twice() -> None:
    songs = [song for album in albums(2026) for song in album.songs]
    assert len(songs) == 301
    assert len({song.title for song in songs}) == len(songs)
    assert [song.number for song in songs] == list(range(1, len(songs) + 1))
    assert {album.act for album in albums(2026)} == {act.key for act in ACTS}


def test_the_catalogue_is_written_in_many_scripts() -> None:
    letters = {c for album in albums(2026) for song in album.songs for c in song.title}
    scripts = {unicodedata.name(c).split()[0] for c in letters if c.isalpha()}
    assert scripts >= {"LATIN", "CYRILLIC", "GREEK", "ARABIC", "HIRAGANA", "CJK"}


def test_the_senders_of_the_demo_have_numbers_that_check_out() -> None:
    for act in ACTS:
        assert not act.dpid or is_valid(IdScheme.DPID, act.dpid)
