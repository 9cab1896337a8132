"""Claims that contradict each other stop a recording: whom it concerns is told; its end as well.

Once of each, in one notice a day; nobody is told who claims.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from consent.clock import now
from consent.models import AICompany, Artist, Party, Recording, RightsClaim, Tool
from consent.queries.decision import Ask, decide_one
from consent.services.claims import (
    change_claim,
    dispute_claim,
    end_claim,
    make_claim,
    settle_claim,
)
from consent.services.claims_import import import_claims_csv
from consent.services.licences import sign_licence
from consent.services.parties import register_party
from consent.services.permissions import answer_permission
from consent.services.recordings import change_identity
from consent.services.works import link_works, register_work
from consent.words import Authority, PartyKind, Right, Stance, UseKind
from portal.access import Access
from portal.models import NewsPosition, Notice, NoticeKind, ToldConflict, User
from portal.notices import names_of, render
from portal.queries.notices import notices_of
from portal.services.delegation import end_access
from portal.services.news import tell_news
from portal.services.notices import may_read
from tests.cast import recordings_of
from tests.portal.pages import SignIn

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
KINDS = (
    NoticeKind.CONTESTED,
    NoticeKind.CONTEST_SETTLED,
    NoticeKind.CONFLICT,
    NoticeKind.CONFLICT_SETTLED,
)


def read(at: datetime | None = None) -> list[tuple[str, str]]:
    """Who was told what of contradictions since the last time."""
    tell_news(at=at)
    rows = Notice.objects.filter(kind__in=KINDS).order_by("recipient__email", "pk")
    found = [(one.recipient.name, one.kind) for one in rows]
    Notice.objects.all().delete()
    return found


def a_day_passes() -> None:
    ToldConflict.objects.update(
        told_at=F("told_at") - DAY, settled_told_at=F("settled_told_at") - DAY
    )


def claims(party: Party, song: Recording, **more: Any) -> RightsClaim:
    return make_claim(
        by=None,
        party=party,
        right=more.pop("right", Right.MASTER),
        authority=Authority.CONTRACT,
        recording=song,
        **more,
    )


def in_words(kind: NoticeKind, reader: User) -> tuple[str, str, str]:
    [notice] = Notice.objects.filter(kind=kind, recipient=reader)
    said = render(notice, names_of([notice]))
    return said.title, said.sentence, said.link


@pytest.mark.usefixtures("charlie")
def test_the_artists_and_the_labels_are_told_once_that_who_owns_it_is_contested_and_when_it_is_not(
    maren: Artist,
    maren_user: User,
    aoi: Artist,
    aoi_user: User,
    fjord: Party,
    liv: User,
    kestrel: Party,
    noor: User,
    tonewright: AICompany,
    tidesmith: Tool,
) -> None:
    [song] = recordings_of(maren, holder=fjord, featured=(aoi,))
    sign_licence(by=None, holder=fjord, company=tonewright, title="Frame", uses=[UseKind.DISCOVERY])
    for artist in (maren, aoi):
        answer_permission(by=None, artist=artist, use=UseKind.DISCOVERY, stance=Stance.ALLOW)
    assert read() == []
    ask = Ask(song.isrc, UseKind.DISCOVERY, tidesmith.slug)
    assert decide_one(ask).allowed
    other = claims(kestrel, song)
    assert not decide_one(ask).allowed
    assert read() == [
        ("Aoi Tanaka", "contested"),
        ("Liv Dahl", "conflict"),
        ("Maren Holt", "contested"),
        ("Noor Haddad", "conflict"),
    ]
    assert read() == []
    a_day_passes()
    assert read() == []
    end_claim(by=None, claim=other.claim)
    assert decide_one(ask).allowed
    assert read() == [
        ("Aoi Tanaka", "contest_settled"),
        ("Liv Dahl", "conflict_settled"),
        ("Maren Holt", "contest_settled"),
    ]
    a_day_passes()
    assert read() == []


def test_it_is_said_in_plain_words_without_anybodys_name(
    maren: Artist,
    maren_user: User,
    fjord: Party,
    liv: User,
    kestrel: Party,
    signed_in: SignIn,
) -> None:
    [song] = recordings_of(maren, holder=fjord)
    other = claims(kestrel, song)
    tell_news()
    assert in_words(NoticeKind.CONTESTED, maren_user) == (
        "Claims on the work of Maren Holt contradict each other",
        "Who owns “Havn” is contested. Until it is settled, nobody may use it. It is for those who "
        "claim it to settle this. You are told when they have.",
        "/a/maren-holt/permissions/missing/",
    )
    title, sentence, link = in_words(NoticeKind.CONFLICT, liv)
    assert title == "Claims on your recordings contradict each other"
    assert sentence == (
        "Who owns “Havn” is contested. Until it is settled, nobody may use it. Your queue says who "
        "claims what, and what to do."
    )
    assert link == f"/admin/conflicts/?label={fjord.pk}"
    for notice in Notice.objects.filter(kind__in=KINDS):
        assert may_read(notice)
        assert "Kestrel" not in f"{notice.params}{render(notice, {})}"
    assert signed_in(maren_user).get("/a/maren-holt/permissions/missing/").status_code == 200
    a_day_passes()
    end_claim(by=None, claim=other.claim)
    tell_news()
    assert in_words(NoticeKind.CONTEST_SETTLED, maren_user) == (
        "Claims on the work of Maren Holt do not contradict each other any more",
        "Who owns “Havn” is not contested any more. What is allowed follows from the answers and "
        "the licences again.",
        "/a/maren-holt/permissions/",
    )


def test_a_file_that_contradicts_many_recordings_is_one_notice_for_each(
    maren: Artist, maren_user: User, fjord: Party, liv: User, kestrel: Party
) -> None:
    songs: Sequence[Recording] = recordings_of(maren, 40, holder=fjord)
    lines = "".join(f"{song.isrc},master,contract\n" for song in songs)
    import_claims_csv(by=None, sender=kestrel, data=f"isrc,right,authority\n{lines}".encode())
    tell_news()
    _, sentence, _ = in_words(NoticeKind.CONTESTED, maren_user)
    assert sentence.startswith("Who owns “Havn 1”, “Havn 10”, “Havn 11” and 37 others is contested")
    assert read() == [("Liv Dahl", "conflict"), ("Maren Holt", "contested")]


def test_what_is_contested_later_the_same_day_is_told_together_the_day_after(
    maren: Artist, maren_user: User, fjord: Party, kestrel: Party
) -> None:
    first, second, third, fourth = recordings_of(maren, 4, holder=fjord)
    claims(kestrel, first)
    assert len(read()) == 1
    over = [claims(kestrel, song).claim for song in (second, third, fourth)]
    assert read() == []
    end_claim(by=None, claim=over[0])  # settled before anybody was told
    assert read() == []
    a_day_passes()
    tell_news()
    _, sentence, _ = in_words(NoticeKind.CONTESTED, maren_user)
    assert sentence.startswith("Who owns “Havn 3” and “Havn 4” is contested.")
    assert read() == [("Maren Holt", "contested")]


def test_a_song_that_is_over_claimed_stops_what_needs_the_song(
    maren: Artist, maren_user: User, fjord: Party, kestrel: Party
) -> None:
    [song] = recordings_of(maren, holder=fjord)
    work = register_work(title="Havn")
    link_works(by=None, recordings=[song], works=[work])
    for party in (fjord, kestrel):
        make_claim(
            by=None, party=party, right=Right.PUBLISHING, authority=Authority.CONTRACT, work=work
        )
    tell_news()
    _, sentence, _ = in_words(NoticeKind.CONTESTED, maren_user)
    assert sentence.startswith(
        "Who holds the song of “Havn” is contested. Until it is settled, no use that needs the "
        "song is allowed."
    )


def test_whoever_holds_only_the_song_is_told_for_as_long_as_she_works_there(
    maren: Artist,
    maren_user: User,
    fjord: Party,
    liv: User,
    kestrel: Party,
    noor: User,
    charlie: User,
    signed_in: SignIn,
) -> None:
    [song] = recordings_of(maren, holder=fjord)
    work = register_work(title="Havn")
    link_works(by=None, recordings=[song], works=[work])
    skald = register_party(by=None, kind=PartyKind.SOCIETY, name="Skald")  # has no people here
    for party in (kestrel, skald):
        make_claim(
            by=None, party=party, right=Right.PUBLISHING, authority=Authority.CONTRACT, work=work
        )
    tell_news()
    _, sentence, link = in_words(NoticeKind.CONFLICT, noor)
    assert sentence.startswith("Who holds the song of “Havn” is contested.")
    assert link == f"/admin/conflicts/?label={kestrel.pk}"
    hers = signed_in(noor)
    assert "Havn" in hers.get(link).text
    notices = Notice.objects.filter(kind=NoticeKind.CONFLICT)
    [notice] = notices.filter(recipient=noor)
    assert not notices.filter(recipient=charlie).exists()
    assert may_read(notice)
    assert notices_of(Access.of(noor)).filter(pk=notice.pk).exists()
    assert "Who holds the song" in hers.get("/notices/").text

    a_day_passes()
    end_claim(by=None, claim=RightsClaim.objects.get(party=skald).claim)
    tell_news()
    _, sentence, _ = in_words(NoticeKind.CONFLICT_SETTLED, noor)
    assert sentence.startswith("Who holds the song of “Havn” is not contested any more.")

    end_access(by=None, membership=noor.memberships.get())
    notice.refresh_from_db()
    assert not may_read(notice)
    assert not notices_of(Access.of(noor)).filter(pk=notice.pk).exists()


def test_a_dispute_is_told_and_its_end(maren: Artist, maren_user: User, fjord: Party) -> None:
    recordings_of(maren, holder=fjord)
    claim = RightsClaim.objects.get(right=Right.MASTER).claim
    assert read() == []
    dispute_claim(by=None, claim=claim)
    assert read() == [("Maren Holt", "contested")]
    settle_claim(by=None, claim=claim)
    assert read() == []
    a_day_passes()
    assert read() == [("Maren Holt", "contest_settled")]


def test_what_nobody_claims_contradicts_nothing(
    maren: Artist, maren_user: User, fjord: Party, liv: User
) -> None:
    [song] = recordings_of(maren, holder=fjord)
    claim = RightsClaim.objects.get(right=Right.MASTER).claim
    change_claim(by=None, claim=claim, share_bp=5_000)
    end_claim(by=None, claim=claim)
    assert read() == []
    assert song.isrc


def test_a_contradiction_that_comes_back_is_told_again(
    maren: Artist, maren_user: User, fjord: Party, kestrel: Party
) -> None:
    [song] = recordings_of(maren, holder=fjord)
    for _ in range(2):
        other = claims(kestrel, song)
        assert read() == [("Maren Holt", "contested")]
        a_day_passes()
        end_claim(by=None, claim=other.claim)
        assert read() == [("Maren Holt", "contest_settled")]
        a_day_passes()


def test_whoever_is_newly_named_is_told_and_whoever_is_taken_off_hears_nothing_more(
    maren: Artist, maren_user: User, aoi: Artist, aoi_user: User, fjord: Party, kestrel: Party
) -> None:
    [song] = recordings_of(maren, holder=fjord)
    other = claims(kestrel, song)
    assert read() == [("Maren Holt", "contested")]
    change_identity(by=None, recording=song, main=[aoi])
    assert read() == [("Aoi Tanaka", "contested")]
    a_day_passes()
    end_claim(by=None, claim=other.claim)
    assert read() == [("Aoi Tanaka", "contest_settled")]


def test_a_claim_that_begins_or_ends_by_itself_is_told_on_that_day(
    maren: Artist, maren_user: User, fjord: Party, kestrel: Party
) -> None:
    [song] = recordings_of(maren, holder=fjord)
    begins = now() + 10 * DAY
    claims(kestrel, song, valid_from=begins, valid_until=begins + 10 * DAY)
    assert read() == []
    assert read(begins - DAY) == []
    assert read(begins + DAY) == [("Maren Holt", "contested")]
    assert read(begins + 9 * DAY) == []
    assert read(begins + 11 * DAY) == [("Maren Holt", "contest_settled")]


def test_the_position_lost_and_a_worker_that_dies_tell_nobody_twice(
    maren: Artist, maren_user: User, fjord: Party, liv: User, kestrel: Party
) -> None:
    [song] = recordings_of(maren, holder=fjord)
    claims(kestrel, song)
    with transaction.atomic():
        tell_news()
        transaction.set_rollback(True)
    assert len(read()) == 2
    for _ in range(2):
        NewsPosition.objects.all().delete()
        a_day_passes()
        assert read() == []


def test_many_contested_recordings_take_as_many_queries_as_a_few(
    maren: Artist, maren_user: User, fjord: Party, liv: User, kestrel: Party
) -> None:
    def queries(recordings: int) -> int:
        songs = recordings_of(maren, recordings)
        lines = "".join(f"{song.isrc},master,contract\n" for song in songs)
        read()
        ToldConflict.objects.all().delete()
        import_claims_csv(by=None, sender=fjord, data=f"isrc,right,authority\n{lines}".encode())
        with CaptureQueriesContext(connection) as found:
            tell_news()
        assert Notice.objects.filter(kind__in=KINDS).count() == 2
        return len(found)

    assert queries(2) == queries(300)
