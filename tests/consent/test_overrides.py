"""What a claim says of its own authority overrides nobody; whom it lets a clause reach is found."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from consent.clock import now
from consent.models import AICompany, Artist, LedgerEntry, Party, RightsClaim, Tool
from consent.queries.decision import Ask, decide_one
from consent.queries.licences import overrides_public
from consent.queries.touching import bring, reach_of, touched_by_act
from consent.services.claims import change_claim, end_claim, make_claim
from consent.services.claims_import import import_claims_csv
from consent.services.licences import end_licence
from consent.words import Authority, Right
from tests.consent import build
from tests.consent.asking import *  # noqa: F403 - the company that asks, and its tool

pytestmark = pytest.mark.django_db

CLAUSE = "§ 14.2: the label decides about digital uses."
USE = "discovery"


@pytest.fixture
def maren() -> Artist:
    return build.an_artist()


@pytest.fixture
def fjord() -> Party:
    return build.a_label()


def master() -> RightsClaim:
    return RightsClaim.objects.filter(right=Right.MASTER).order_by("-id")[0]


def last_act() -> list[tuple[str, list[str]]]:
    """Which licences decide over whom, of those that the newest act may have touched, by names."""
    act = LedgerEntry.objects.order_by("-seq")[0].act
    pairs = touched_by_act(act, at=now())
    versions = bring({version for version, _ in pairs})
    names = dict(Artist.objects.values_list("pk", "party__name"))
    found: dict[str, list[str]] = {}
    for (version, artist), touch in reach_of(pairs, versions, at=now()).items():
        if touch.overridden:
            found.setdefault(versions[version].licence.title, []).append(names[artist])
    return list(found.items())


def signed(fjord: Party, company: AICompany, **more: object) -> str:
    version = build.a_licence(
        fjord, company, USE, artist_approval=False, override_clause=CLAUSE, **more
    )
    return version.licence.title


@pytest.mark.parametrize("answer", ["deny", "ask", "undecided", None])
def test_no_word_in_a_form_turns_an_artists_no_into_a_yes(
    maren: Artist, fjord: Party, company: AICompany, tool: Tool, answer: str | None
) -> None:
    song = build.a_recording(maren, holder=fjord)
    build.a_licence(fjord, company, USE)
    if answer is not None:
        build.she_says(maren, USE, answer)
    for authority in (Authority.BLANKET, Authority.CONTRACT, Authority.OWN):
        change_claim(by=None, claim=master().claim, authority=authority)
        assert not decide_one(Ask(song.isrc, USE, tool.slug)).allowed
        assert last_act() == []
    assert overrides_public() == []


def test_no_column_in_a_file_does_either(
    maren: Artist, fjord: Party, company: AICompany, tool: Tool
) -> None:
    song = build.a_recording(maren, holder=fjord)
    build.a_licence(fjord, company, USE)
    build.she_says(maren, USE, "deny")
    text = f"isrc,right,authority\n{song.isrc},master,blanket\n"
    import_claims_csv(by=None, sender=fjord, data=text.encode())
    assert master().authority == Authority.BLANKET
    assert decide_one(Ask(song.isrc, USE, tool.slug)).deciding.code == "artist_denies"


@pytest.mark.parametrize("authority", [Authority.CONTRACT, Authority.BLANKET])
def test_a_claim_that_stops_being_her_own_lets_a_clause_reach_her_and_that_is_found(
    maren: Artist, fjord: Party, company: AICompany, tool: Tool, authority: Authority
) -> None:
    song = build.a_recording(maren, holder=fjord, authority=Authority.OWN)
    title = signed(fjord, company)
    build.she_says(maren, USE, "deny")
    assert not decide_one(Ask(song.isrc, USE, tool.slug)).allowed
    change_claim(by=None, claim=master().claim, authority=authority)
    assert decide_one(Ask(song.isrc, USE, tool.slug)).allowed
    assert last_act() == [(title, ["Maren Holt"])]
    assert [one.clause for one in overrides_public()] == [CLAUSE]


def test_a_guest_is_found_beside_the_artist(
    maren: Artist, fjord: Party, company: AICompany
) -> None:
    title = signed(fjord, company)
    aoi = build.an_artist("Aoi Tanaka")
    build.a_recording(maren, featured=[aoi], holder=fjord)
    assert last_act() == [(title, ["Maren Holt", "Aoi Tanaka"])]


def test_a_claim_on_all_her_work_is_found_and_one_that_ends_is_not(
    maren: Artist, fjord: Party, company: AICompany
) -> None:
    build.some_recordings(3, maren)
    title = signed(fjord, company)
    claim = make_claim(by=None, party=fjord, right="master", authority="contract", repertoire=maren)
    assert last_act() == [(title, ["Maren Holt"])]
    end_claim(by=None, claim=claim.claim)
    assert last_act() == []
    make_claim(by=None, party=fjord, right="master", authority="contract", repertoire=maren)
    assert last_act() == [(title, ["Maren Holt"])]


@pytest.mark.parametrize("catalogue", ["list", "all_except"])
def test_only_what_the_licence_covers_is_reached(
    maren: Artist, fjord: Party, company: AICompany, catalogue: str
) -> None:
    aoi = build.an_artist("Aoi Tanaka")
    hers = build.a_recording(maren, holder=fjord, authority=Authority.OWN)
    his = build.a_recording(aoi, holder=fjord, authority=Authority.OWN)
    listed = hers if catalogue == "list" else his
    title = signed(fjord, company, catalogue=catalogue, recordings=[listed])
    found = []
    for claim in RightsClaim.objects.filter(right=Right.MASTER).order_by("id"):
        change_claim(by=None, claim=claim.claim, authority=Authority.CONTRACT)
        found += last_act()
    assert found == [(title, ["Maren Holt"])]


def test_what_is_ended_or_needs_her_yes_begins_nothing(
    maren: Artist, fjord: Party, company: AICompany
) -> None:
    version = build.a_licence(fjord, company, USE, artist_approval=False, override_clause=CLAUSE)
    end_licence(by=None, licence=version.licence)
    build.a_licence(fjord, company, USE)
    build.a_recording(maren, holder=fjord)
    assert last_act() == []


def test_a_thousand_claims_take_as_many_queries_as_one(
    maren: Artist, fjord: Party, company: AICompany
) -> None:
    title = signed(fjord, company)

    def queries(recordings: int) -> int:
        build.some_recordings(recordings, maren, holder=fjord)
        with CaptureQueriesContext(connection) as found:
            assert last_act() == [(title, ["Maren Holt"])]
        return len(found)

    assert queries(1) == queries(1_000)
