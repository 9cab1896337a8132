"""An independent declares what is hers, so that a yes can really allow something."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.http import Http404
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from consent.clock import now
from consent.errors import Refused
from consent.models import (
    Act,
    AICompany,
    Artist,
    LedgerAlarm,
    LedgerEntry,
    ModelVersion,
    Party,
    Recording,
    RightsClaim,
    Tool,
)
from consent.queries.conflicts import conflicts
from consent.queries.decision import Ask, decide_one
from consent.services.claims import make_blanket_claim, make_claim
from consent.services.parties import register_party
from consent.words import Authority, PartyKind, Right, Standing
from portal.access import Access
from portal.models import User
from portal.queries.rights import rights_of, what_declaring_does
from portal.services.own_rights import declare_rights, end_own_claim
from tests.cast import recordings_of
from tests.portal.pages import freshly, long_ago

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
G = "generative_training"


@pytest.fixture
def songs(aoi: Artist) -> list[Recording]:
    """Three recordings that she registered herself; who wrote the songs nobody said."""
    return recordings_of(aoi, 3, title="紙の灯")


@pytest.fixture
def hers(aoi_user: User, signed_in: SignIn) -> Client:
    return freshly(signed_in(aoi_user))


def page(name: str, artist: Artist, **more: Any) -> str:
    return reverse(name, kwargs={"slug": artist.slug, **more})


def free(artist: Artist) -> dict[Right, list[int]]:
    """What nobody claims of her own recordings."""
    _rows, found = rights_of(artist)
    keys = {right: found.keys(right) for right in (Right.MASTER, Right.PUBLISHING)}
    assert {right: len(some) for right, some in keys.items()} == found.counts
    return keys


def declare(user: User, artist: Artist, right: Right, share: int, *on: Recording) -> Any:
    return declare_rights(
        by=Access.of(user),
        artist=artist,
        shares={right: share},
        recordings={right: [one.pk for one in on]},
    )


def test_an_independent_declares_what_is_hers_offers_the_licence_and_her_yes_allows(
    aoi: Artist, songs: list[Recording], tidesmith: Tool, tidesmith_v1: ModelVersion, hers: Client
) -> None:
    def allowed() -> list[bool]:
        return [decide_one(Ask(song.isrc, G, tidesmith.slug)).allowed for song in songs]

    first = hers.get(page("missing", aoi)).text.split(f'id="use-{G}"')[1].split("</section>")[0]
    assert page("standard_licence", aoi) in first
    assert page("own_rights", aoi) in first
    whole = hers.get(page("missing", aoi)).text
    assert whole.count("A rights holder would have to sign one first.") == 1, "said at length once"
    assert whole.count("No AI company holds a licence for this either.") == 6
    offer = {"uses": [G], "companies": [tidesmith.company.slug], "sign": "yes"}
    hers.post(page("standard_licence", aoi), offer)
    hers.post(page("answer", aoi, use=G), {"stance": "allow"})
    assert allowed() == [False] * 3

    missing = hers.get(page("missing", aoi)).text.split(f'id="use-{G}"')[1].split("</section>")[0]
    assert "Nobody is known here to hold the publishing rights." in missing
    assert page("own_rights", aoi) in missing
    assert "whoever delivered" not in missing

    url = page("own_rights", aoi)
    said = {"publishing": "100", "which": "unclaimed"}
    assert "the recording: 0, the song: 3" in hers.get(url).text
    preview = hers.post(url, said)
    assert "You wrote 100\N{NO-BREAK SPACE}% of the song" in preview.text
    assert "3 recordings." in preview.text
    assert not RightsClaim.objects.filter(right=Right.PUBLISHING).exists()
    assert allowed() == [False] * 3

    assert hers.post(url, {**said, "declare": "yes"})["Location"] == url
    claims = RightsClaim.objects.filter(right=Right.PUBLISHING)
    assert {(c.party_id, c.authority, c.standing, c.share_bp) for c in claims} == {
        (aoi.pk, Authority.OWN, Standing.DECLARED, 10_000)
    }
    assert allowed() == [True] * 3
    assert "3 rights were declared" in hers.get(page("timeline", aoi)).text


def test_many_are_declared_in_one_act_and_each_stands_in_the_ledger(
    aoi: Artist, aoi_user: User, songs: list[Recording]
) -> None:
    before = LedgerEntry.objects.filter(kind="claim.made").count()
    declare(aoi_user, aoi, Right.PUBLISHING, 10_000, *songs)
    assert LedgerEntry.objects.filter(kind="claim.made").count() == before + 3
    act = Act.objects.get(kind="make_claims", artist=aoi)
    assert (act.by, act.role, act.entries) == (aoi_user, "artist", 3)
    assert free(aoi) == {Right.MASTER: [], Right.PUBLISHING: []}


def test_half_a_song_is_half_a_claim_and_the_rest_is_said_to_be_missing(
    aoi: Artist, aoi_user: User, songs: list[Recording], hers: Client
) -> None:
    chosen = {"publishing": "50", "which": "ticked", "recording": [songs[0].pk, songs[2].pk]}
    preview = hers.post(page("own_rights", aoi), chosen).text
    assert "2 recordings; a part is claimed by nobody yet" in preview
    one = recordings_of(aoi, 1)[0]
    declare(aoi_user, aoi, Right.PUBLISHING, 5_000, one)
    some = {**chosen, "recording": [one.pk, songs[0].pk]}
    assert "1 recording: you claim it already" in hers.post(page("own_rights", aoi), some).text
    hers.post(page("own_rights", aoi), {**chosen, "declare": "yes"})
    claims = RightsClaim.objects.filter(right=Right.PUBLISHING, recording__in=songs)
    claims = claims.order_by("recording")
    assert [(c.recording_id, c.share_bp) for c in claims] == [
        (songs[0].pk, 5_000),
        (songs[2].pk, 5_000),
    ]


def test_what_contradicts_a_label_is_said_before_and_is_a_conflict_after_never_silent(
    aoi: Artist, kestrel: Party, tidesmith: Tool, hers: Client
) -> None:
    [theirs] = recordings_of(aoi, holder=kestrel)
    chosen = {"master": "100", "which": "ticked", "recording": [theirs.pk]}
    preview = hers.post(page("own_rights", aoi), chosen).text
    assert "this contradicts the claim of Kestrel Music" in preview
    hers.post(page("own_rights", aoi), {**chosen, "declare": "yes"})
    [conflict] = [one for one in conflicts(label=kestrel).conflicts if one.right == Right.MASTER]
    assert conflict.kind == "over_claimed"
    assert {line.party.name for line in conflict.claims} == {"Kestrel Music", "田中葵"}
    reasons = {r.code for r in decide_one(Ask(theirs.isrc, G, tidesmith.slug)).reasons}
    assert "right_over_claimed" in reasons


def test_a_society_that_speaks_for_her_is_contradicted_openly_too(
    aoi: Artist, songs: list[Recording]
) -> None:
    society = register_party(by=None, kind=PartyKind.SOCIETY, name="Skald")
    make_blanket_claim(by=None, society=society, artists=[aoi])
    found = what_declaring_does(
        aoi, right=Right.PUBLISHING, share_bp=10_000, recordings=[s.pk for s in songs]
    )
    assert (found.contradicts, found.others) == (3, ("Skald",))
    assert free(aoi)[Right.PUBLISHING] == []


def test_who_wrote_the_rest_of_a_song_adds_up_with_her(
    aoi: Artist, maren: Artist, songs: list[Recording]
) -> None:
    make_claim(
        by=None,
        party=maren.party,
        right=Right.PUBLISHING,
        authority=Authority.OWN,
        share_bp=4_000,
        recording=songs[0],
    )
    for share, contradicts, incomplete in ((6_000, 0, 0), (6_001, 1, 0), (5_999, 0, 1)):
        found = what_declaring_does(
            aoi, right=Right.PUBLISHING, share_bp=share, recordings=[songs[0].pk]
        )
        assert (found.contradicts, found.incomplete) == (contradicts, incomplete)


def test_what_she_claims_already_stays_as_it_is(
    aoi: Artist, aoi_user: User, songs: list[Recording]
) -> None:
    with pytest.raises(Refused, match="declared_already"):
        declare(aoi_user, aoi, Right.MASTER, 10_000, *songs)
    declare(aoi_user, aoi, Right.PUBLISHING, 10_000, songs[0])
    declare(aoi_user, aoi, Right.PUBLISHING, 10_000, *songs)
    assert RightsClaim.objects.filter(right=Right.PUBLISHING).count() == 3


def test_nobody_declares_recordings_of_somebody_else_nor_those_she_only_features_on(
    aoi: Artist, aoi_user: User, maren: Artist
) -> None:
    [duet] = recordings_of(maren, featured=(aoi,))
    with pytest.raises(Refused, match="not_hers"):
        declare(aoi_user, aoi, Right.PUBLISHING, 5_000, duet)
    with pytest.raises(Http404):
        declare(aoi_user, maren, Right.PUBLISHING, 5_000, duet)
    with pytest.raises(Refused, match="not_declared"):
        declare(aoi_user, aoi, Right.LIKENESS, 10_000)


def test_looking_at_what_it_would_mean_says_nothing_of_a_recording_of_somebody_else(
    maren: Artist, fjord: Party, hers: Client, aoi: Artist
) -> None:
    [theirs] = recordings_of(maren, holder=fjord)
    chosen = {"master": "100", "which": "ticked", "recording": [theirs.pk]}
    answer = hers.post(page("own_rights", aoi), chosen).text
    assert "not by this artist" in answer
    assert "Fjord" not in answer


def test_a_declaration_is_taken_back_by_whoever_may_make_one(
    aoi: Artist, aoi_user: User, songs: list[Recording], hers: Client
) -> None:
    [claim] = declare(aoi_user, aoi, Right.PUBLISHING, 10_000, songs[0])
    end = page("end_own_right", aoi, ref=str(claim.claim))
    assert end in hers.get(page("own_rights", aoi)).text
    assert hers.post(end)["Location"] == page("own_rights", aoi)
    assert songs[0].pk in free(aoi)[Right.PUBLISHING]
    declare(aoi_user, aoi, Right.PUBLISHING, 5_000, songs[0])


def test_no_other_partys_claim_is_ended_from_here(
    aoi: Artist, aoi_user: User, kestrel: Party
) -> None:
    [theirs] = recordings_of(aoi, holder=kestrel)
    claim = RightsClaim.objects.get(recording=theirs)
    with pytest.raises(Http404):
        end_own_claim(by=Access.of(aoi_user), artist=aoi, claim=claim.claim)


def test_a_manager_who_was_not_entrusted_declares_nothing_and_charlie_finds_nothing(
    aoi: Artist, songs: list[Recording], ines: User, charlie: User, signed_in: SignIn
) -> None:
    said = {"publishing": "100", "which": "unclaimed", "declare": "yes"}
    url = page("own_rights", aoi)
    managers = signed_in(ines)
    assert managers.post(url, said).status_code == 403
    shown = managers.get(url).text
    assert "Only the artist" in shown
    assert '<input type="checkbox"' not in shown
    assert signed_in(charlie).post(url, said).status_code == 404
    assert signed_in(charlie).get(url).status_code == 404
    assert not RightsClaim.objects.filter(right=Right.PUBLISHING).exists()


def test_more_than_one_declaration_takes_are_declared_in_several(
    aoi: Artist, songs: list[Recording], hers: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("queries.rights", "services.own_rights", "forms.rights", "views.rights"):
        monkeypatch.setattr(f"portal.{module}.MOST", 2)
    url, said = page("own_rights", aoi), {"publishing": "100", "which": "unclaimed"}
    assert "left for later: 1 recording, as at most 2" in hers.post(url, said).text
    for left in (1, 0):
        assert hers.post(url, {**said, "declare": "yes"}).status_code == 302
        assert len(free(aoi)[Right.PUBLISHING]) == left


@pytest.mark.parametrize("name", ["own_rights", "standard_licence"])
def test_after_a_while_she_signs_in_before_she_types_not_after(
    name: str, aoi: Artist, songs: list[Recording], hers: Client
) -> None:
    def main() -> str:
        return hers.get(page(name, aoi)).text.split("<main", 1)[1]

    assert "Sign in again" not in main()
    assert "See what it would mean" in main()
    long_ago(hers)
    assert "/accounts/reauthenticate/?next=" in main()
    assert "See what it would mean" not in main()
    assert 'type="checkbox"' not in main()


def test_declaring_after_a_while_asks_who_is_there(
    aoi: Artist, songs: list[Recording], hers: Client
) -> None:
    long_ago(hers)
    said = {"publishing": "100", "which": "unclaimed", "declare": "yes"}
    answer = hers.post(page("own_rights", aoi), said)
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert not RightsClaim.objects.filter(right=Right.PUBLISHING).exists()


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"which": "unclaimed"}, "Say how much of the recording, or of the song, is yours."),
        ({"publishing": "100"}, "This field is required."),
        ({"publishing": "100", "which": "ticked"}, "Tick the recordings in the list below."),
        ({"publishing": "101", "which": "unclaimed"}, "less than or equal to 100"),
        ({"publishing": "0", "which": "unclaimed"}, "greater than or equal to 0.01"),
        ({"publishing": "half", "which": "unclaimed"}, "Enter a number."),
        ({"master": "100", "which": "unclaimed"}, "no recording of which nobody claims this"),
        ({"publishing": "1", "which": "ticked", "recording": ["x", "9" * 30]}, "Tick the"),
        ({"publishing": "1", "which": "ticked", "recording": ["1"]}, "not by this artist"),
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused_and_nothing_is_written(
    aoi: Artist, songs: list[Recording], hers: Client, said: dict[str, Any], sentence: str
) -> None:
    answer = hers.post(page("own_rights", aoi), {**said, "declare": "yes"})
    assert answer.status_code == 200
    assert sentence in answer.text
    assert not RightsClaim.objects.filter(right=Right.PUBLISHING).exists()


def test_while_the_ledger_is_checked_nothing_is_declared(
    aoi: Artist, songs: list[Recording], hers: Client
) -> None:
    LedgerAlarm.objects.create(raised_at=now(), problem="a test of the alarm")
    said = {"publishing": "100", "which": "unclaimed", "declare": "yes"}
    assert "The ledger is being checked" in hers.post(page("own_rights", aoi), said).text
    assert not RightsClaim.objects.filter(right=Right.PUBLISHING).exists()


def test_the_page_takes_as_many_queries_for_many_recordings_as_for_one(
    aoi: Artist, hers: Client
) -> None:
    counted = []
    for more in (1, 20):
        recordings_of(aoi, more)
        with CaptureQueriesContext(connection) as queries:
            assert hers.get(page("own_rights", aoi)).status_code == 200
        counted.append(len(queries))
    assert counted[0] == counted[1] <= 13


def test_why_leads_to_what_she_can_declare(
    aoi: Artist, songs: list[Recording], tonewright: AICompany, tidesmith: Tool, hers: Client
) -> None:
    offer = {"uses": [G], "companies": [tonewright.slug], "sign": "yes"}
    hers.post(page("standard_licence", aoi), offer)
    hers.post(page("answer", aoi, use=G), {"stance": "allow"})
    asked = f"?use={G}&tool={tidesmith.slug}&isrc={songs[0].isrc}"
    said = hers.get(page("why", aoi) + asked).text
    assert "If it is yours, you can declare it yourself." in said
    assert page("own_rights", aoi) in said
