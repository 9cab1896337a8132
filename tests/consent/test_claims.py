"""Rights claims: made, changed, disputed, ended; by hand, by mandate and from a file."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from consent import days
from consent.catalogue.claims_csv import COLUMNS, ClaimsRefused, read_claims
from consent.clock import now
from consent.errors import Frozen, NotFound, Refused
from consent.models import (
    Artist,
    CatalogueMessage,
    LedgerAlarm,
    LedgerEntry,
    LedgerPersonal,
    Party,
    PartyState,
    ProfileCount,
    Recording,
    RightsClaim,
    Tool,
    Work,
)
from consent.queries.decision import Ask, decide_one
from consent.services.claim_course import Course
from consent.services.claims import (
    change_claim,
    dispute_claim,
    end_claim,
    make_blanket_claim,
    make_claim,
    settle_claim,
    verify_claim,
)
from consent.services.claims_import import ClaimsReport, import_claims_csv
from consent.services.identities import latest_identities
from consent.services.parties import change_party_state, register_artist, register_party
from consent.services.profiles import refresh_all
from consent.services.recordings import NewRecording, register_recordings
from consent.services.tools import register_company, register_tool
from consent.services.works import link_works, register_work, set_works
from consent.words import Authority, PartyKind, Right, Standing, ToolKind
from tests.consent.build import a_company, a_licence, a_tool, she_says

pytestmark = pytest.mark.django_db


@pytest.fixture
def maren(db: None) -> Artist:
    return register_artist(by=None, name="Maren Holt")


@pytest.fixture
def fjord(db: None) -> Party:
    return register_party(by=None, kind=PartyKind.COMPANY, name="Fjord Records")


@pytest.fixture
def fjell(db: None) -> Party:
    return register_party(by=None, kind=PartyKind.COMPANY, name="Fjell Publishing")


@pytest.fixture
def havn(maren: Artist) -> Recording:
    return by_maren(maren, 1)[0]


def by_maren(maren: Artist, how_many: int) -> list[Recording]:
    return register_recordings(
        by=None,
        artist=maren,
        recordings=[
            NewRecording(isrc=f"NOFJR26{n:05d}", title=f"Havn {n}") for n in range(how_many)
        ],
        rights=(),
    )


def latest(claim: RightsClaim) -> RightsClaim:
    return RightsClaim.objects.filter(claim=claim.claim).order_by("-id")[0]


def last_leaf() -> tuple[str, dict[str, object]]:
    entry = LedgerEntry.objects.latest("seq")
    return entry.kind, json.loads(entry.body)


def master(party: Party, recording: Recording, share_bp: int = 10_000) -> RightsClaim:
    return make_claim(
        by=None,
        party=party,
        right=Right.MASTER,
        authority=Authority.CONTRACT,
        recording=recording,
        share_bp=share_bp,
    )


# By hand


def test_a_claim_is_declared_and_its_leaf_says_all_of_it(fjord: Party, havn: Recording) -> None:
    claim = make_claim(
        by=None,
        party=fjord,
        right=Right.MASTER,
        authority=Authority.CONTRACT,
        recording=havn,
        share_bp=5_000,
        territories=["se", "NO", "no"],
        valid_until=datetime(2036, 1, 1, tzinfo=UTC),
    )
    assert claim.standing == Standing.DECLARED
    assert claim.source == "hand"
    assert last_leaf() == (
        "claim.made",
        {
            "by": None,
            "claim": str(claim.claim),
            "party": str(fjord.ref),
            "on": {"isrc": havn.isrc},
            "right": "master",
            "share_bp": 5_000,
            "territories": ["NO", "SE"],
            "valid_from": None,
            "valid_until": "2036-01-01T00:00:00.000000Z",
            "authority": "contract",
            "standing": "declared",
            "source": "hand",
            "ended": False,
        },
    )


def test_a_change_is_a_new_row_and_the_old_one_stays(fjord: Party, havn: Recording) -> None:
    claim = master(fjord, havn)
    change_claim(by=None, claim=claim.claim, share_bp=6_000)
    rows = RightsClaim.objects.filter(claim=claim.claim).order_by("id")
    assert [r.share_bp for r in rows] == [10_000, 6_000]
    assert last_leaf()[0] == "claim.changed"


def test_a_change_that_changes_nothing_writes_nothing(fjord: Party, havn: Recording) -> None:
    claim = master(fjord, havn)
    leaves = LedgerEntry.objects.count()
    change_claim(by=None, claim=claim.claim, share_bp=10_000)
    assert LedgerEntry.objects.count() == leaves


def test_a_changed_claim_must_be_verified_again(fjord: Party, havn: Recording) -> None:
    claim = master(fjord, havn)
    assert verify_claim(by=None, claim=claim.claim).standing == Standing.VERIFIED
    assert change_claim(by=None, claim=claim.claim, share_bp=1).standing == Standing.DECLARED


def test_new_terms_do_not_settle_a_dispute(fjord: Party, havn: Recording) -> None:
    claim = master(fjord, havn)
    dispute_claim(by=None, claim=claim.claim)
    assert change_claim(by=None, claim=claim.claim, share_bp=1).standing == Standing.DISPUTED
    assert settle_claim(by=None, claim=claim.claim).standing == Standing.DECLARED


def test_why_somebody_disputes_stands_beside_the_ledger_and_not_in_it(
    fjord: Party, havn: Recording
) -> None:
    claim = master(fjord, havn)
    dispute_claim(by=None, claim=claim.claim, reason="Maren never signed this")
    kind, body = last_leaf()
    assert kind == "claim.changed"
    assert body["standing"] == "disputed"
    assert "Maren" not in json.dumps(body)
    entry = LedgerEntry.objects.latest("seq")
    assert LedgerPersonal.objects.get(entry=entry).subject == fjord.ref


def test_an_ended_claim_stays_ended(fjord: Party, havn: Recording) -> None:
    claim = master(fjord, havn)
    end_claim(by=None, claim=claim.claim)
    assert last_leaf()[0] == "claim.ended"
    leaves = LedgerEntry.objects.count()
    end_claim(by=None, claim=claim.claim)
    assert LedgerEntry.objects.count() == leaves
    with pytest.raises(Refused, match="claim_over"):
        change_claim(by=None, claim=claim.claim, share_bp=1)
    assert master(fjord, havn).claim != claim.claim


def test_one_party_claims_one_thing_once(fjord: Party, havn: Recording) -> None:
    master(fjord, havn, 5_000)
    with pytest.raises(Refused, match="claimed_already"):
        master(fjord, havn, 2_000)
    assert RightsClaim.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"share_bp": 0}, "claim_share"),
        ({"share_bp": 10_001}, "claim_share"),
        ({"territories": ["XX"]}, "unknown_territory"),
        ({"valid_from": datetime(2020, 1, 1, tzinfo=UTC)}, "from_in_the_past"),
        ({"recording": None}, "claim_asset"),
        ({"right": Right.LIKENESS}, "likeness_of_whom"),
        (
            {
                "valid_from": datetime(2099, 1, 2, tzinfo=UTC),
                "valid_until": datetime(2099, 1, 1, tzinfo=UTC),
            },
            "claim_term",
        ),
    ],
)
def test_a_claim_that_cannot_be_is_refused_and_writes_nothing(
    fjord: Party, havn: Recording, wrong: dict[str, object], code: str
) -> None:
    leaves = LedgerEntry.objects.count()
    given: dict[str, object] = {
        "party": fjord,
        "right": Right.MASTER,
        "authority": Authority.OWN,
        "recording": havn,
    }
    with pytest.raises(Refused) as refused:
        make_claim(by=None, **(given | wrong))  # type: ignore[arg-type]
    assert refused.value.code == code
    assert refused.value.sentence
    assert LedgerEntry.objects.count() == leaves
    assert not RightsClaim.objects.exists()


def test_a_claim_that_nobody_made_is_not_found() -> None:
    with pytest.raises(NotFound):
        end_claim(by=None, claim=uuid4())


def test_while_the_ledger_is_frozen_a_claim_can_only_be_disputed(
    fjord: Party, havn: Recording
) -> None:
    claim = master(fjord, havn)
    LedgerAlarm.objects.create(raised_at=now(), problem="a hash does not fit")
    refused: list[Callable[[], object]] = [
        lambda: end_claim(by=None, claim=claim.claim),
        lambda: change_claim(by=None, claim=claim.claim, share_bp=1),
        lambda: verify_claim(by=None, claim=claim.claim),
        lambda: make_claim(
            by=None,
            party=fjord,
            right=Right.PUBLISHING,
            authority=Authority.OWN,
            recording=havn,
        ),
    ]
    for change in refused:
        with pytest.raises(Frozen):
            change()
    dispute_claim(by=None, claim=claim.claim)
    with pytest.raises(Frozen):
        settle_claim(by=None, claim=claim.claim)


# Later


def test_terms_for_later_leave_the_old_ones_speaking_until_then(
    fjord: Party, havn: Recording
) -> None:
    claim = master(fjord, havn)
    change_claim(by=None, claim=claim.claim, share_bp=5_000, valid_from=in_days(30))
    assert said_of_master(havn, 0) == ["no_licence"]
    assert said_of_master(havn, 31) == ["right_under_claimed", "no_licence"]


def test_a_dispute_holds_at_once_while_a_change_waits_and_the_change_still_comes(
    fjord: Party, havn: Recording
) -> None:
    claim = master(fjord, havn)
    may = in_days(30)
    change_claim(by=None, claim=claim.claim, authority=Authority.OWN, valid_from=may)
    disputed = dispute_claim(by=None, claim=claim.claim, reason="Maren never signed this")
    assert (disputed.standing, disputed.authority) == (Standing.DISPUTED, Authority.CONTRACT)
    assert said_of_master(havn, 0) == said_of_master(havn, 31) == ["right_disputed", "no_licence"]
    assert course_of(claim) == [
        (None, Authority.CONTRACT, Standing.DISPUTED),
        (may, Authority.OWN, Standing.DISPUTED),
    ]
    one, other = LedgerEntry.objects.filter(kind="claim.changed").order_by("-seq")[:2]
    assert (one.act, one.seq) == (other.act, other.seq + 1)
    assert all('"standing":"disputed"' in e.body and "Maren" not in e.body for e in (one, other))
    settle_claim(by=None, claim=claim.claim)
    assert said_of_master(havn, 0) == ["no_licence"]
    assert course_of(claim) == [
        (None, Authority.CONTRACT, Standing.DECLARED),
        (may, Authority.OWN, Standing.DECLARED),
    ]


def test_a_dispute_stops_at_once_what_was_allowed(maren: Artist, fjord: Party) -> None:
    [havn] = by_maren(maren, 1)
    claim = master(fjord, havn)
    oceanic = a_company()
    tool = a_tool(oceanic)
    a_licence(fjord, oceanic, "discovery")
    she_says(maren, "discovery", "allow")
    change_claim(by=None, claim=claim.claim, authority=Authority.OWN, valid_from=in_days(30))
    asked = Ask(havn.isrc, "discovery", tool.slug)
    assert decide_one(asked).allowed
    dispute_claim(by=None, claim=claim.claim)
    assert not decide_one(asked).allowed
    dispute_claim(by=None, claim=claim.claim)
    assert RightsClaim.objects.filter(claim=claim.claim).count() == 4  # the second says nothing new
    verify_claim(by=None, claim=claim.claim)
    assert decide_one(asked).allowed


def test_a_claim_that_begins_later_is_disputed_before_it_begins(
    fjord: Party, havn: Recording
) -> None:
    claim = make_claim(
        by=None,
        party=fjord,
        right=Right.MASTER,
        authority=Authority.OWN,
        recording=havn,
        valid_from=in_days(30),
    )
    dispute_claim(by=None, claim=claim.claim)
    assert said_of_master(havn, 0) == ["right_unknown"]
    assert said_of_master(havn, 31) == ["right_disputed", "no_licence"]


def test_a_change_holds_at_once_while_another_waits_and_what_waits_keeps_what_it_changes(
    fjord: Party, havn: Recording
) -> None:
    claim = verify_claim(by=None, claim=master(fjord, havn).claim)
    may, june = in_days(30), in_days(60)
    change_claim(by=None, claim=claim.claim, share_bp=5_000, valid_from=may)
    change_claim(by=None, claim=claim.claim, authority=Authority.OWN, valid_from=june)
    new = change_claim(by=None, claim=claim.claim, share_bp=7_000, territories=["NO"])
    assert (new.share_bp, new.standing) == (7_000, Standing.DECLARED)
    rows = Course.of(RightsClaim.objects.filter(claim=claim.claim).order_by("-id"), now()).rows
    assert [(r.valid_from, r.share_bp, r.authority, r.territories) for r in rows] == [
        (None, 7_000, Authority.CONTRACT, ["NO"]),
        (may, 5_000, Authority.CONTRACT, ["NO"]),
        (june, 5_000, Authority.OWN, ["NO"]),
    ]


def test_a_change_for_the_day_of_another_takes_its_place(fjord: Party, havn: Recording) -> None:
    claim = master(fjord, havn)
    may = in_days(30)
    change_claim(by=None, claim=claim.claim, share_bp=5_000, valid_from=may)
    change_claim(by=None, claim=claim.claim, share_bp=10_000, valid_from=may)
    assert said_of_master(havn, 31) == ["no_licence"]
    assert RightsClaim.objects.filter(claim=claim.claim).count() == 3


def test_a_claim_that_would_be_over_before_a_change_comes_ends_without_it(
    fjord: Party, havn: Recording
) -> None:
    claim = master(fjord, havn)
    change_claim(by=None, claim=claim.claim, share_bp=5_000, valid_from=in_days(30))
    change_claim(by=None, claim=claim.claim, valid_until=in_days(20))
    assert said_of_master(havn, 19) == ["no_licence"]
    assert said_of_master(havn, 21) == said_of_master(havn, 31) == ["right_unknown"]


def test_a_claim_that_begins_later_keeps_its_beginning_and_can_begin_earlier(
    fjord: Party, havn: Recording
) -> None:
    claim = make_claim(
        by=None,
        party=fjord,
        right=Right.MASTER,
        authority=Authority.OWN,
        recording=havn,
        valid_from=in_days(30),
    )
    change_claim(by=None, claim=claim.claim, share_bp=5_000)
    assert said_of_master(havn, 0) == ["right_unknown"]
    assert said_of_master(havn, 31) == ["right_under_claimed", "no_licence"]
    change_claim(by=None, claim=claim.claim, valid_from=in_days(10))
    assert said_of_master(havn, 9) == ["right_unknown"]
    assert said_of_master(havn, 11) == ["right_under_claimed", "no_licence"]


def test_an_end_at_once_takes_with_it_what_was_given_for_later(
    fjord: Party, havn: Recording
) -> None:
    claim = master(fjord, havn)
    change_claim(by=None, claim=claim.claim, share_bp=5_000, valid_from=in_days(30))
    end_claim(by=None, claim=claim.claim)
    assert said_of_master(havn, 0) == said_of_master(havn, 31) == ["right_unknown"]


def in_days(n: int) -> datetime:
    return now() + timedelta(days=n)


def said_of_master(recording: Recording, day: int) -> list[str]:
    """What a decision says of the master in so many days: a tool with no licence asks."""
    slug = Tool.objects.values_list("slug", flat=True).first() or _tool()
    asked = Ask(recording.isrc, "discovery", slug, at=in_days(day) if day else None)
    return [r.code for r in decide_one(asked).reasons if r.right == "master"]


def course_of(claim: RightsClaim) -> list[tuple[datetime | None, str, str]]:
    course = Course.of(RightsClaim.objects.filter(claim=claim.claim).order_by("-id"), now())
    return [(r.valid_from, r.authority, r.standing) for r in course.rows]


# Groups


def test_a_claim_moves_its_recordings_to_another_group(maren: Artist, fjord: Party) -> None:
    recordings = by_maren(maren, 5)
    assert counts(maren) == [5]
    master(fjord, recordings[0])
    assert counts(maren) == [1, 4]
    make_blanket_claim(by=None, society=fjord, artists=[maren])
    assert counts(maren) == [1, 4]
    for recording in recordings[1:]:
        master(fjord, recording)
    assert counts(maren) == [5]
    assert refresh_all() == 0


def test_works_with_the_same_claims_make_one_group(maren: Artist, fjell: Party) -> None:
    one, two, three = by_maren(maren, 3)
    for recording in (one, two):
        work = register_work(title=recording.title)
        link_works(by=None, recordings=[recording], works=[work])
        make_claim(by=None, party=fjell, right=Right.PUBLISHING, authority=Authority.OWN, work=work)
    assert counts(maren) == [1, 2]
    work = register_work(title="Havn 2")
    link_works(by=None, recordings=[three], works=[work])
    make_claim(by=None, party=fjell, right=Right.PUBLISHING, authority=Authority.OWN, work=work)
    assert counts(maren) == [3]
    set_works(by=None, recording=three, works=[])
    assert counts(maren) == [1, 2]


def test_recordings_in_one_group_are_decided_alike(
    maren: Artist, fjord: Party, fjell: Party
) -> None:
    recordings = by_maren(maren, 6)
    for n, recording in enumerate(recordings):
        master(fjord, recording, 10_000 if n % 2 else 5_000)
        work = register_work(title=recording.title)
        link_works(by=None, recordings=[recording], works=[work])
        if n % 3:
            make_claim(
                by=None, party=fjell, right=Right.PUBLISHING, authority=Authority.OWN, work=work
            )
    tool = _tool()
    codes: dict[int, set[tuple[str, ...]]] = {}
    for recording in Recording.objects.all():
        decision = decide_one(Ask(recording.isrc, "generative_training", tool))
        assert recording.profile_id is not None
        codes.setdefault(recording.profile_id, set()).add(tuple(r.code for r in decision.reasons))
    assert len(codes) == 4
    assert all(len(found) == 1 for found in codes.values())


def test_a_blanket_claim_asks_as_often_for_many_recordings_as_for_few(fjord: Party) -> None:
    def queries(name: str, first: int, how_many: int) -> int:
        artist = register_artist(by=None, name=name)
        register_recordings(
            by=None,
            artist=artist,
            recordings=[
                NewRecording(isrc=f"NOFJR26{first + n:05d}", title="Havn") for n in range(how_many)
            ],
        )
        with CaptureQueriesContext(connection) as asked:
            make_blanket_claim(by=None, society=fjord, artists=[artist])
        return len(asked)

    assert queries("Maren Holt", 0, 2) == queries("Aoi Tanaka", 100, 80) <= 25


def counts(artist: Artist) -> list[int]:
    return sorted(ProfileCount.objects.filter(artist=artist).values_list("recordings", flat=True))


def _tool() -> str:
    company = register_company(by=None, slug="oceanic", name="Oceanic Audio")
    return register_tool(
        by=None, company=company, slug="tidesmith", name="Tidesmith", kind=ToolKind.COMPOSER
    ).slug


# Parties


def test_an_identifier_belongs_to_one_party() -> None:
    register_artist(by=None, name="Maren Holt", identifiers=[("isni", "0000 0001 2103 2683")])
    with pytest.raises(Refused) as refused:
        register_party(
            by=None,
            kind=PartyKind.PERSON,
            name="Charlie",
            identifiers=[("isni", "0000000121032683")],
        )
    assert refused.value.code == "identifier_taken"
    with pytest.raises(Refused) as refused:
        register_party(
            by=None,
            kind=PartyKind.PERSON,
            name="Charlie",
            identifiers=[("isni", "0000000121032684")],
        )
    assert refused.value.code == "isni_check_digit"
    assert Party.objects.count() == 1


def test_what_decisions_read_of_a_party_changes_with_a_leaf_and_only_then() -> None:
    parent = register_party(by=None, kind=PartyKind.PERSON, name="Charlie")
    child = register_party(
        by=None, kind=PartyKind.PERSON, name="Aoi Tanaka", is_minor=True, guardian=parent
    )
    before = LedgerEntry.objects.count()
    state = change_party_state(by=None, party=child, is_minor=True)
    assert (LedgerEntry.objects.count(), state.guardian) == (before, parent)
    change_party_state(by=None, party=child, is_minor=False, no_guardian=True)
    kind, body = last_leaf()
    assert (kind, body["is_minor"], body["guardian"]) == ("party.changed", False, None)
    assert PartyState.objects.filter(party=child).count() == 2


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"kind": PartyKind.GROUP, "is_minor": True}, "minor"),
        ({"kind": PartyKind.PERSON, "name": " "}, "blank"),
        ({"kind": "robot"}, "invalid_choice"),
        ({"kind": PartyKind.PERSON, "identifiers": [("email", "x")]}, "unknown_scheme"),
    ],
)
def test_a_party_that_cannot_be_is_refused(wrong: dict[str, object], code: str) -> None:
    with pytest.raises(Refused) as refused:
        register_party(by=None, **({"name": "Charlie"} | wrong))  # type: ignore[arg-type]
    assert refused.value.code == code
    assert not Party.objects.exists()


# From a file

HEADER = "isrc,iswc,work_title,party,party_name,right,share,authority,territories,from,until\n"


def take(sender: Party, *lines: str, header: str = HEADER) -> ClaimsReport:
    data = (header + "".join(f"{line}\n" for line in lines)).encode()
    return import_claims_csv(by=None, sender=sender, data=data, name="claims.csv")


def test_a_line_claims_a_work_and_puts_it_on_its_recording(fjord: Party, havn: Recording) -> None:
    report = take(
        fjord,
        "NO-FJR-26-00000,T-034.524.680-1,Havn,,Fjell Publishing,,50,own,,,",
        "NOFJR2600000,T0345246801,,ipi:00014107338,Ren Sato,publishing,50,own,,,",
    )
    assert not report.problems
    counts = report.counts
    assert (counts.made, counts.works_new, counts.works_linked, counts.parties_new) == (2, 1, 1, 2)
    [work] = Work.objects.all()
    assert latest_identities([havn.pk])[havn.pk].works == (work.pk,)
    assert set(work.claims.values_list("party__name", "share_bp", "source")) == {
        ("Fjell Publishing", 5_000, "csv"),
        ("Ren Sato", 5_000, "csv"),
    }


def test_a_claim_without_a_party_is_the_senders(fjord: Party, havn: Recording) -> None:
    take(fjord, "NOFJR2600000,,,,,master,,contract,NO SE,,2035-12-31")
    claim = RightsClaim.objects.get()
    assert (claim.party, claim.right, claim.share_bp) == (fjord, "master", 10_000)
    assert claim.territories == ["NO", "SE"]
    assert claim.valid_until is not None
    assert claim.valid_until == days.end(date(2035, 12, 31)), "that day is included"


def test_a_repertoire_is_claimed_by_the_artists_short_name(fjord: Party, maren: Artist) -> None:
    take(fjord, "maren-holt,publishing,blanket", header="Artist,Right,Authority\n")
    claim = RightsClaim.objects.get()
    assert (claim.repertoire, claim.authority) == (maren.party, "blanket")


def test_the_same_file_twice_changes_nothing(fjord: Party, havn: Recording) -> None:
    take(fjord, "NOFJR2600000,,,,,master,,,,,")
    leaves = LedgerEntry.objects.count()
    assert take(fjord, "NOFJR2600000,,,,,master,,,,,").already_read
    assert LedgerEntry.objects.count() == leaves


def test_a_later_file_changes_what_differs_and_nothing_else(fjord: Party, maren: Artist) -> None:
    by_maren(maren, 2)
    take(fjord, "NOFJR2600000,,,,,master,,,,,", "NOFJR2600001,,,,,master,,,,,")
    report = take(fjord, "NOFJR2600000,,,,,master,,,,,", "NOFJR2600001,,,,,master,40,,,,")
    assert (report.counts.made, report.counts.changed, report.counts.unchanged) == (0, 1, 1)
    claim = RightsClaim.objects.filter(recording__isrc="NOFJR2600001").latest("id")
    assert (claim.share_bp, last_leaf()[0]) == (4_000, "claim.changed")


def test_a_file_that_says_what_holds_leaves_what_waits_alone(fjord: Party, havn: Recording) -> None:
    claim = master(fjord, havn)
    change_claim(by=None, claim=claim.claim, share_bp=5_000, valid_from=in_days(30))
    report = take(fjord, "NOFJR2600000,,,,,master,100,,,,")
    assert (report.counts.changed, report.counts.unchanged) == (0, 1)
    report = take(fjord, "NOFJR2600000,,,,,master,70,,,,")
    assert (report.counts.changed, report.counts.unchanged) == (1, 0)
    assert said_of_master(havn, 0) == ["right_under_claimed", "no_licence"]
    report = take(fjord, "NOFJR2600000,,,,,master,100.00,,,,")
    rows = Course.of(RightsClaim.objects.filter(claim=claim.claim).order_by("-id"), now()).rows
    assert [r.share_bp for r in rows] == [10_000, 5_000]


def test_a_file_changes_a_claim_from_a_day_on_and_says_so_once(
    fjord: Party, havn: Recording
) -> None:
    claim = master(fjord, havn)
    day = in_days(30).date().isoformat()
    assert take(fjord, f"NOFJR2600000,,,,,master,50,,,{day},").counts.changed == 1
    assert take(fjord, f"NOFJR2600000,,,,,master,50.0,,,{day},").counts.unchanged == 1
    dispute_claim(by=None, claim=claim.claim)
    assert take(fjord, f"NOFJR2600000,,,,,master,60,,,{day},").counts.changed == 1
    rows = Course.of(RightsClaim.objects.filter(claim=claim.claim).order_by("-id"), now()).rows
    assert [(r.share_bp, r.standing) for r in rows] == [
        (10_000, Standing.DISPUTED),
        (6_000, Standing.DISPUTED),
    ]


def test_a_file_cannot_end_a_claim_before_it_begins(fjord: Party, havn: Recording) -> None:
    begins, ends = in_days(30).date().isoformat(), in_days(20).date().isoformat()
    take(fjord, f"NOFJR2600000,,,,,master,50,,,{begins},")
    report = take(fjord, f"NOFJR2600000,,,,,master,50,,,,{ends}")
    assert [p.code for p in report.problems] == ["until_before_from"]
    assert RightsClaim.objects.count() == 1


def test_a_file_does_not_settle_a_dispute(fjord: Party, havn: Recording) -> None:
    claim = master(fjord, havn)
    dispute_claim(by=None, claim=claim.claim)
    take(fjord, "NOFJR2600000,,,,,master,40,,,,")
    assert latest(claim).standing == Standing.DISPUTED


def test_every_bad_line_is_reported_and_kept_and_stops_no_other(
    fjord: Party, havn: Recording
) -> None:
    bad = [
        ("NOFJR26,,,,,master,,,,,", "isrc_malformed"),
        ("NOFJR2699999,,,,,master,,,,,", "unknown_isrc"),
        (",T0345246802,Fyr,,,,,,,,", "iswc_check_digit"),
        (",T0345246801,,,,,,,,,", "unknown_work"),
        (",,,,,master,,,,,", "no_asset"),
        ("NOFJR2600000,,,,,mastering,,,,,", "bad_right"),
        ("NOFJR2600000,,,,,publishing,33.333,,,,", "bad_share"),
        ("NOFJR2600000,,,,,publishing,101,,,,", "bad_share"),
        ("NOFJR2600000,,,,,publishing,,lent,,,", "bad_authority"),
        ("NOFJR2600000,,,,,publishing,,,NORGE,,", "bad_territory"),
        ("NOFJR2600000,,,,,publishing,,,,tomorrow,", "bad_moment"),
        ("NOFJR2600000,,,,,publishing,,,,2020-01-01,", "from_in_the_past"),
        ("NOFJR2600000,,,,,performance,,,,1987-01-01,", "from_in_the_past"),
        ("NOFJR2600000,,,,,publishing,,,,2200-01-01,", "date_out_of_range"),
        ("NOFJR2600000,,,,,publishing,,,,,9999-12-31", "date_out_of_range"),
        ("NOFJR2600000,,,,,publishing,,,,,1999-12-31", "date_out_of_range"),
        ("NOFJR2600000,,,,,publishing,,,,2031-01-01,2030-01-01", "until_before_from"),
        ("NOFJR2600000,,,isni:0000000121032684,,publishing,,,,,", "isni_check_digit"),
        ("NOFJR2600000,,,0000000121032683,,publishing,,,,,", "unknown_party"),
        ("NOFJR2600000,,,Fjell,,publishing,,,,,", "unknown_party"),
        ("NOFJR2600000,,,,,likeness,,,,,", "likeness_of_whom"),
        ("NOFJR2600000,,,,,master,,,,,,,,", "wrong_cells"),
        ("NOFJR2600000,,,,,master,,,,,", ""),
        ("NOFJR2600000,,,,,master,50,,,,", "same_claim_twice"),
    ]
    report = take(fjord, *(line for line, _ in bad))
    found = {p.line: p.code for p in report.problems}
    assert found == {n: code for n, (_, code) in enumerate(bad, start=2) if code}
    assert all(p.sentence for p in report.problems)
    assert (report.counts.lines, report.counts.made, report.counts.refused) == (24, 1, 23)
    stored = CatalogueMessage.objects.get().report
    assert [p["text"] for p in stored] == [line for line, code in bad if code]


def test_a_sheet_with_semicolons_a_mark_in_front_and_a_comma_in_the_share_is_read() -> None:
    text = "\ufeffISRC;Right;Share;Note\r\nNOFJR2600000;Master;33,33 %;hm\r\n"
    file = read_claims(text.encode())
    [line] = file.lines
    assert (line.isrc, line.right, line.share_bp) == ("NOFJR2600000", Right.MASTER, 3_333)
    assert [p.code for p in file.problems] == ["unknown_column"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        ("isrc\nå".encode("latin-1"), "wrong_encoding"),
        (b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00\xb5\xb1", "workbook"),
        (b"song,singer\nHavn,Maren", "no_columns"),
        (b"isrc\n" + b'"' + b"x" * 200_000 + b'"', "broken_csv"),
    ],
)
def test_a_file_that_is_none_is_refused_with_a_sentence(data: bytes, code: str) -> None:
    with pytest.raises(ClaimsRefused) as refused:
        read_claims(data)
    assert refused.value.code == code
    assert refused.value.sentence


@given(st.lists(st.lists(st.text(max_size=12), max_size=14), max_size=8))
def test_no_line_is_lost_whatever_it_holds(rows: list[list[str]]) -> None:
    body = "\n".join(",".join(row) for row in rows)
    data = f"{','.join(COLUMNS)}\n{body}".encode(errors="ignore")
    try:
        file = read_claims(data)
    except ClaimsRefused:
        return
    assert {x.line for x in file.lines}.isdisjoint(file.refused)
    assert {x.line for x in file.lines} | set(file.refused) == set(file.texts)
    assert set(file.refused) <= {p.line for p in file.problems}


def test_the_command_says_what_became_of_the_file(
    tmp_path: Path, fjord: Party, havn: Recording
) -> None:
    path = tmp_path / "claims.csv"
    path.write_text("isrc,right\nNOFJR2600000,master\nNOFJR2699999,master\n")
    out = StringIO()
    call_command("import_claims", path, sender="Fjord Records", stdout=out)
    assert "1 claims made" in out.getvalue()
    assert "line 3" in out.getvalue()
    with pytest.raises(CommandError, match="not one party"):
        call_command("import_claims", path, sender="Nobody", stdout=StringIO())
