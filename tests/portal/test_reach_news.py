"""A licence begins to touch her work: told that day, however it came to be, and once."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.db import connection, transaction
from django.db.models import F
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from consent.clock import now
from consent.licence_terms import Terms
from consent.models import AICompany, Artist, LicenceVersion, Party, Recording, RightsClaim, Tool
from consent.services import work
from consent.services.claims import change_claim, end_claim, make_claim
from consent.services.claims_import import import_claims_csv
from consent.services.licences import end_licence, sign_licence, supersede_licence
from consent.services.permissions import answer_permission
from consent.services.recordings import change_identity
from consent.services.tools import register_company
from consent.words import Authority, Right, Stance, UseKind
from portal.models import NewsPosition, Notice, NoticeKind, ToldConflict, ToldReach, User
from portal.notices import names_of, render
from portal.services.news import tell_news
from portal.services.notices import deliver_notice
from tests.cast import recordings_of
from tests.portal.pages import SignIn
from tests.portal.test_news import heard, nothing_new

pytestmark = pytest.mark.django_db

CLAUSE = "12.3"
DAY = timedelta(days=1)


def signed(holder: Party, company: AICompany, *uses: str, **terms: Any) -> LicenceVersion:
    return sign_licence(
        by=None,
        holder=holder,
        company=company,
        title="Frame agreement",
        uses=uses or (UseKind.GENERATIVE_TRAINING, UseKind.DISCOVERY),
        **terms,
    )


def overriding(holder: Party, company: AICompany, *uses: str) -> LicenceVersion:
    return signed(holder, company, *uses, artist_approval=False, override_clause=CLAUSE)


def read(at: datetime | None = None) -> list[tuple[str, str, dict[str, Any]]]:
    """What was told of licences since the last time: to whom, what, with which facts."""
    tell_news(at=at)
    kinds = (NoticeKind.LICENCE_SIGNED, NoticeKind.OVERRIDDEN, NoticeKind.REACHES_MORE)
    rows = Notice.objects.filter(kind__in=kinds).order_by("recipient__email", "pk")
    found = [(one.recipient.name, one.kind, one.params) for one in rows]
    Notice.objects.all().delete()
    return found


def more(facts: dict[str, Any]) -> list[tuple[str, int]]:
    """How many more of her recordings which companies' licences reach."""
    return [(one["company"], one["more"]) for one in facts["licences"]]


def a_day_passes() -> None:
    ToldReach.objects.update(told_at=F("told_at") - DAY, more_at=F("more_at") - DAY)


@pytest.mark.usefixtures("charlie")
def test_recordings_that_come_after_the_licence_are_told_on_the_day_they_come_and_once(
    maren: Artist, maren_user: User, fjord: Party, tonewright: AICompany
) -> None:
    signed(fjord, tonewright)
    assert read() == []
    recordings_of(maren, 2, holder=fjord)
    [(who, kind, facts)] = read()
    assert (who, kind) == ("Maren Holt", "licence_signed")
    assert (facts["holder"], facts["company"], facts["reaches"]) == (
        "Fjord Records",
        "Tonewright",
        2,
    )
    assert read() == []


def test_what_it_reaches_beyond_that_is_told_once_a_day_together(
    maren: Artist, maren_user: User, fjord: Party, tonewright: AICompany
) -> None:
    recordings_of(maren, holder=fjord)
    signed(fjord, tonewright)
    assert len(read()) == 1
    for _ in range(3):
        recordings_of(maren, 2, holder=fjord)
        assert read() == []
    a_day_passes()
    [(who, kind, facts)] = read()
    assert (who, kind, more(facts)) == ("Maren Holt", "reaches_more", [("Tonewright", 6)])
    assert read() == []
    a_day_passes()
    assert read() == []
    recordings_of(maren, 1, holder=fjord)
    [(_, kind, facts)] = read()
    assert (kind, more(facts)) == ("reaches_more", [("Tonewright", 1)])
    assert facts["licences"][0]["reaches"] == 8


def test_what_several_licences_reach_beyond_that_is_one_notice_that_leads_to_each(
    maren: Artist,
    maren_user: User,
    fjord: Party,
    tonewright: AICompany,
    tidesmith: Tool,
    signed_in: SignIn,
) -> None:
    other = register_company(by=None, name="Loomtone", slug="loomtone")
    signed(fjord, tonewright, UseKind.DISCOVERY)
    overriding(fjord, other, UseKind.DISCOVERY)
    recordings_of(maren, holder=fjord)
    assert len(read()) == 2
    a_day_passes()
    recordings_of(maren, 2, holder=fjord)
    tell_news()
    [notice] = Notice.objects.filter(kind=NoticeKind.REACHES_MORE)
    said = render(notice, {})
    assert (said.title, said.sentence) == (
        "What is licensed reaches more of the work of Maren Holt",
        "Fjord Records and Tonewright: Recommend you, on 2 more recordings. "
        "Fjord Records and Loomtone: Recommend you, on 2 more recordings, by a clause of your "
        "contract. Where no clause is named, nothing is allowed without your yes.",
    )
    assert said.links == (
        ("Fjord Records and Tonewright", "/a/maren-holt/permissions/tools/tidesmith/"),
        ("Fjord Records and Loomtone", "/a/maren-holt/permissions/tools/"),
    )
    her = signed_in(maren_user)
    page = her.get("/notices/").text
    deliver_notice(notice)
    [letter] = [one for one in mail.outbox if one.to == [maren_user.email]][-1:]
    assert isinstance(letter, EmailMultiAlternatives)
    html = str(letter.alternatives[0][0])
    lines = [
        "Fjord Records and Tonewright: Recommend you, on 2 more recordings.",
        "Fjord Records and Loomtone: Recommend you, on 2 more recordings, by a clause of your "
        "contract.",
    ]
    closing = "Where no clause is named, nothing is allowed without your yes."
    assert str(letter.body).startswith(f"- {lines[0]}\n- {lines[1]}\n\n{closing}\n\n")
    for line in lines:
        assert f"<li>{line}</li>" in html
    assert f"<p>{closing}</p>" in html
    for name, path in said.links:
        assert f'<a href="{path}">{name}</a>' in page
        assert her.get(path).status_code == 200
        assert f"{name}:\nhttp" in letter.body and f"{path}\n" in letter.body
        assert f'{path}">{name}</a>' in html


def test_licences_that_were_told_at_different_hours_are_still_one_notice_a_day(
    maren: Artist, maren_user: User, fjord: Party, tonewright: AICompany
) -> None:
    hour = timedelta(hours=1)
    recordings_of(maren, holder=fjord)
    first = signed(fjord, tonewright, UseKind.DISCOVERY).licence
    second = signed(fjord, tonewright, UseKind.REMIX_INPUT).licence
    assert len(read()) == 2
    ToldReach.objects.filter(licence=first).update(told_at=now() - DAY)
    ToldReach.objects.filter(licence=second).update(told_at=now() - hour)
    recordings_of(maren, 2, holder=fjord)
    [(_, _, facts)] = read()
    assert more(facts) == [("Tonewright", 2), ("Tonewright", 2)]
    third = signed(fjord, tonewright, UseKind.ANALYSIS_TRAINING).licence
    assert len(read()) == 1
    ToldReach.objects.filter(licence=third).update(told_at=now() - DAY)
    recordings_of(maren, holder=fjord)
    assert read() == []
    ToldReach.objects.update(more_at=F("more_at") - DAY + hour)
    assert read() == []
    ToldReach.objects.update(more_at=F("more_at") - hour)
    [(_, _, facts)] = read()
    assert more(facts) == [("Tonewright", 1)] * 3
    assert read() == []


def test_what_is_reached_no_more_when_its_day_comes_is_not_told(
    maren: Artist, maren_user: User, fjord: Party, tonewright: AICompany
) -> None:
    recordings_of(maren, holder=fjord)
    licence = signed(fjord, tonewright).licence
    assert len(read()) == 1
    recordings_of(maren, 2, holder=fjord)
    assert read() == []
    end_licence(by=None, licence=licence)
    a_day_passes()
    assert read() == []
    assert not ToldReach.objects.filter(waits=True).exists()


def test_a_claim_for_a_later_day_is_told_on_that_day_with_what_it_means_then(
    maren: Artist, maren_user: User, fjord: Party, tonewright: AICompany
) -> None:
    recordings_of(maren, 3)
    overriding(fjord, tonewright, UseKind.DISCOVERY)
    assert read() == []
    begins = now() + timedelta(days=10)
    make_claim(
        by=None,
        party=fjord,
        right=Right.MASTER,
        authority=Authority.CONTRACT,
        repertoire=maren,
        valid_from=begins,
    )
    assert read() == []
    assert read(begins - timedelta(minutes=10)) == []
    recordings_of(maren)
    assert read(begins - timedelta(minutes=10)) == []
    [(who, kind, facts)] = read(begins + timedelta(minutes=10))
    assert (who, kind, facts["reaches"]) == ("Maren Holt", "overridden", 4)
    assert read(begins + timedelta(minutes=20)) == []


def test_a_change_of_a_claim_for_a_later_day_is_told_on_that_day(
    maren: Artist, maren_user: User, liv: User, fjord: Party, tonewright: AICompany
) -> None:
    recordings_of(maren, holder=fjord)
    claim = RightsClaim.objects.get(right=Right.MASTER).claim
    change_claim(by=None, claim=claim, authority=Authority.OWN)
    overriding(fjord, tonewright, UseKind.DISCOVERY)
    answer_permission(by=maren_user, artist=maren, use=UseKind.DISCOVERY, stance=Stance.DENY)
    assert [kind for _, kind, _ in read()] == ["licence_signed"]
    begins = now() + timedelta(days=10)
    change_claim(by=None, claim=claim, authority=Authority.CONTRACT, valid_from=begins)
    assert read() == []
    tell_news(at=begins + timedelta(minutes=10))
    assert len(heard(NoticeKind.OBJECTION)) == 1
    assert [kind for _, kind, _ in read(begins + timedelta(minutes=10))] == ["overridden"]


def test_a_claim_that_begins_while_no_worker_runs_is_told_by_the_next_one_and_once(
    maren: Artist, maren_user: User, fjord: Party, tonewright: AICompany
) -> None:
    recordings_of(maren)
    signed(fjord, tonewright)
    begins = now() + timedelta(days=10)
    make_claim(
        by=None,
        party=fjord,
        right=Right.MASTER,
        authority=Authority.CONTRACT,
        repertoire=maren,
        valid_from=begins,
    )
    assert read() == []
    late = begins + timedelta(days=30)
    with transaction.atomic():
        tell_news(at=late)
        transaction.set_rollback(True)
    assert len(read(late)) == 1
    NewsPosition.objects.all().delete()
    assert read(late) == []


def test_each_licence_is_told_for_itself(
    maren: Artist, maren_user: User, fjord: Party, tonewright: AICompany
) -> None:
    signed(fjord, tonewright, UseKind.DISCOVERY)
    signed(fjord, tonewright, UseKind.REMIX_INPUT)
    recordings_of(maren, 5, holder=fjord)
    assert [facts["uses"] for _, _, facts in read()] == [["discovery"], ["remix_input"]]


def test_an_artist_who_is_newly_billed_is_told_and_the_other_is_not_again(
    maren: Artist,
    maren_user: User,
    aoi: Artist,
    aoi_user: User,
    charlie: User,
    fjord: Party,
    tonewright: AICompany,
) -> None:
    [song] = recordings_of(maren, holder=fjord)
    overriding(fjord, tonewright)
    assert [(who, kind) for who, kind, _ in read()] == [("Maren Holt", "overridden")]
    change_identity(by=None, recording=song, featured=[aoi])
    assert [(who, kind) for who, kind, _ in read()] == [("Aoi Tanaka", "overridden")]
    assert heard(NoticeKind.OVERRIDDEN) == []


def test_a_file_of_claims_is_told_too(
    maren: Artist, maren_user: User, fjord: Party, tonewright: AICompany
) -> None:
    songs = recordings_of(maren, 3)
    signed(fjord, tonewright)
    assert read() == []
    lines = "".join(f"{song.isrc},master,contract\n" for song in songs)
    import_claims_csv(by=None, sender=fjord, data=f"isrc,right,authority\n{lines}".encode())
    [(_, kind, facts)] = read()
    assert (kind, facts["reaches"]) == ("licence_signed", 3)


def test_a_claim_on_all_her_work_is_told_with_its_number(
    maren: Artist, maren_user: User, fjord: Party, tonewright: AICompany
) -> None:
    recordings_of(maren, 3)
    overriding(fjord, tonewright)
    assert read() == []
    make_claim(
        by=None,
        party=fjord,
        right=Right.MASTER,
        authority=Authority.CONTRACT,
        repertoire=maren,
    )
    [(_, kind, facts)] = read()
    assert (kind, facts["reaches"]) == ("overridden", 3)


def test_a_no_said_before_reaches_the_holder_when_its_clause_begins_to_speak_and_once(
    maren: Artist, maren_user: User, fjord: Party, liv: User, noor: User, tonewright: AICompany
) -> None:
    overriding(fjord, tonewright, UseKind.DISCOVERY)
    for use in (UseKind.DISCOVERY, UseKind.STYLE, UseKind.REMIX_INPUT):
        answer_permission(by=maren_user, artist=maren, use=use, stance=Stance.DENY)
    nothing_new()
    recordings_of(maren, 2, holder=fjord)
    tell_news()
    [(reader, facts)] = heard(NoticeKind.OBJECTION)
    assert (reader, facts["uses"]) == (liv, ["discovery"])
    a_day_passes()
    recordings_of(maren, 2, holder=fjord)
    tell_news()
    assert len(heard(NoticeKind.OBJECTION)) == 1


def test_a_holder_of_its_own_right_asks_her_and_is_told_anew_when_a_contract_decides(
    maren: Artist, maren_user: User, fjord: Party, tonewright: AICompany
) -> None:
    recordings_of(maren, holder=fjord)
    claim = RightsClaim.objects.get(right=Right.MASTER).claim
    change_claim(by=None, claim=claim, authority=Authority.OWN)
    overriding(fjord, tonewright)
    assert [kind for _, kind, _ in read()] == ["licence_signed"]
    change_claim(by=None, claim=claim, authority=Authority.CONTRACT)
    assert [kind for _, kind, _ in read()] == ["overridden"]
    change_claim(by=None, claim=claim, authority=Authority.BLANKET)
    assert read() == []


def test_what_does_not_reach_her_is_not_told(
    maren: Artist, maren_user: User, fjord: Party, kestrel: Party, tonewright: AICompany
) -> None:
    [listed] = recordings_of(maren)
    signed(fjord, tonewright, catalogue="list", recordings=[listed])
    signed(fjord, tonewright, UseKind.STYLE)
    over = signed(fjord, tonewright)
    end_licence(by=None, licence=over.licence)
    signed(kestrel, tonewright)
    nothing_new()
    recordings_of(maren, 2, holder=fjord)
    assert read() == []
    make_claim(
        by=None, party=fjord, right=Right.MASTER, authority=Authority.CONTRACT, recording=listed
    )
    [(_, _, facts)] = read()
    assert facts["reaches"] == 1


def test_a_voice_that_is_newly_named_is_told_of_a_licence_for_voices(
    maren: Artist,
    maren_user: User,
    aoi: Artist,
    aoi_user: User,
    fjord: Party,
    tonewright: AICompany,
) -> None:
    [song] = recordings_of(maren, holder=fjord)
    signed(fjord, tonewright, UseKind.VOICE, UseKind.DISCOVERY)
    assert len(read()) == 1
    change_identity(by=None, recording=song, voices=[maren.party, aoi.party])
    [(_, kind, facts)] = read()
    assert (kind, facts["uses"], facts["reaches"]) == ("licence_signed", ["voice"], 1)


def test_a_claim_that_ends_and_comes_back_is_told_as_what_it_reaches_again(
    maren: Artist, maren_user: User, fjord: Party, tonewright: AICompany
) -> None:
    recordings_of(maren, holder=fjord)
    signed(fjord, tonewright)
    assert len(read()) == 1
    end_claim(by=None, claim=RightsClaim.objects.get(right=Right.MASTER).claim)
    assert read() == []
    a_day_passes()
    song = Recording.objects.get()
    make_claim(
        by=None, party=fjord, right=Right.MASTER, authority=Authority.CONTRACT, recording=song
    )
    [(_, kind, facts)] = read()
    assert (kind, more(facts)) == ("reaches_more", [("Tonewright", 1)])


def test_the_position_lost_and_the_broker_gone_tell_nobody_twice(
    maren: Artist,
    maren_user: User,
    fjord: Party,
    tonewright: AICompany,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(work, "_silent_until", 0.0)
    with override_settings(CELERY_BROKER_URL="redis://localhost:1/0"):
        signed(fjord, tonewright)
        recordings_of(maren, 2, holder=fjord)
        tell_news()
        a_day_passes()
        recordings_of(maren, 2, holder=fjord)
        tell_news()
        for _ in range(2):
            NewsPosition.objects.all().delete()
            a_day_passes()
            tell_news()
    monkeypatch.setattr(work, "_silent_until", 0.0)
    assert [len(heard(kind)) for kind in (NoticeKind.LICENCE_SIGNED, NoticeKind.REACHES_MORE)] == [
        1,
        1,
    ]


def test_a_new_version_is_told_as_a_new_licence(
    maren: Artist, maren_user: User, fjord: Party, tonewright: AICompany
) -> None:
    recordings_of(maren, holder=fjord)
    first = signed(fjord, tonewright, UseKind.DISCOVERY)
    assert len(read()) == 1
    supersede_licence(
        by=None,
        licence=first.licence,
        terms=Terms(uses=(UseKind.DISCOVERY, UseKind.VOICE)),
    )
    [(_, kind, facts)] = read()
    assert (kind, facts["uses"]) == ("licence_signed", ["discovery", "voice"])


def test_it_is_said_how_much_of_her_work_and_whether_she_is_asked(
    maren: Artist, maren_user: User, fjord: Party, tonewright: AICompany
) -> None:
    overriding(fjord, tonewright, UseKind.DISCOVERY)
    recordings_of(maren, 2, holder=fjord)
    tell_news()
    a_day_passes()
    recordings_of(maren, 1, holder=fjord)
    tell_news()
    kinds = (NoticeKind.OVERRIDDEN, NoticeKind.REACHES_MORE)
    notices = list(Notice.objects.filter(recipient=maren_user, kind__in=kinds).order_by("pk"))
    assert [render(one, names_of(notices)).sentence for one in notices] == [
        "Recommend you. It reaches 2 of your recordings. The licence names a clause of your "
        "contract. Your no is recorded, shown and delivered to Fjord Records as an objection.",
        "Fjord Records and Tonewright: Recommend you. It now also reaches 1 more of your "
        "recordings. It names a clause of your contract, and your yes is not needed.",
    ]


def test_one_message_or_a_thousand_recordings_take_as_many_queries(
    maren: Artist, maren_user: User, fjord: Party, tonewright: AICompany
) -> None:
    def queries(recordings: int) -> int:
        nothing_new()
        ToldReach.objects.all().delete()
        ToldConflict.objects.all().delete()
        songs = recordings_of(maren, recordings)
        lines = "".join(f"{song.isrc},master,contract\n" for song in songs)
        tell_news()
        import_claims_csv(by=None, sender=fjord, data=f"isrc,right,authority\n{lines}".encode())
        with CaptureQueriesContext(connection) as found:
            tell_news()
        assert len(heard(NoticeKind.LICENCE_SIGNED)) == 1
        return len(found)

    signed(fjord, tonewright)
    assert queries(2) == queries(300)


def test_what_is_missing_names_as_deciding_without_her_whom_the_page_of_overrides_names(
    maren: Artist, maren_user: User, fjord: Party, tonewright: AICompany, signed_in: SignIn
) -> None:
    recordings_of(maren, holder=fjord)
    overriding(fjord, tonewright)
    claim = RightsClaim.objects.get(right=Right.MASTER).claim
    her = signed_in(maren_user)
    for authority, decides in ((Authority.CONTRACT, True), (Authority.OWN, False)):
        change_claim(by=None, claim=claim, authority=authority)
        missing = her.get(f"/a/{maren.slug}/permissions/missing/").text.split('id="overrides"')[1]
        assert (CLAUSE in missing) is decides
        assert ("Nowhere:" not in her.get("/overrides/").text) is decides


def test_the_page_of_overrides_says_where_they_decide_over_her_however_that_came(
    maren: Artist,
    maren_user: User,
    charlie: User,
    fjord: Party,
    tonewright: AICompany,
    signed_in: SignIn,
) -> None:
    def text(client: Client) -> str:
        return " ".join(strip_tags(client.get("/overrides/").text).split())

    overriding(fjord, tonewright)
    nowhere = "Nowhere: every licence that touches this work needs your yes."
    assert nowhere in text(signed_in(maren_user))
    recordings_of(maren, 2, holder=fjord)
    recordings_of(maren, 3)
    assert "Fjord Records → Tonewright: 2 recordings" in text(signed_in(maren_user))
    make_claim(
        by=None,
        party=fjord,
        right=Right.MASTER,
        authority=Authority.BLANKET,
        repertoire=maren,
        valid_from=now() + timedelta(days=1),
    )
    assert "Fjord Records → Tonewright: 2 recordings" in text(signed_in(maren_user))
    for client in (Client(), signed_in(charlie)):
        assert "Where they decide over" not in text(client)
        assert "Maren" not in text(client)


def test_what_was_told_says_when(
    maren: Artist, maren_user: User, fjord: Party, tonewright: AICompany
) -> None:
    signed(fjord, tonewright)
    recordings_of(maren, holder=fjord)
    tell_news()
    told = Notice.objects.get(kind=NoticeKind.LICENCE_SIGNED)
    assert timedelta() <= now() - told.created_at < timedelta(minutes=1)
