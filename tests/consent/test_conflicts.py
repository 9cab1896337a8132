"""The queue of claims that do not add up."""

from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from consent.catalogue.message import Title
from consent.models import Artist, Party, RightsClaim
from consent.queries.catalogue import credits_of, recordings_of, releases_of, tracks_of
from consent.queries.conflicts import (
    Conflict,
    ConflictKind,
    Move,
    conflicts,
    recordings_of_conflict,
)
from consent.queries.decision import Ask, decide_one
from consent.services.claims import (
    change_claim,
    dispute_claim,
    end_claim,
    make_blanket_claim,
    make_claim,
    settle_claim,
)
from consent.services.parties import register_artist, register_party
from consent.services.recordings import change_identity
from consent.services.works import link_works, register_work
from consent.words import Authority, PartyKind, Right
from tests.consent.build import a_company, a_licence, a_tool, in_days, she_says
from tests.consent.messages import (
    KAEDE,
    TUESDAY,
    a_message,
    a_recording,
    a_release,
    take,
)

pytestmark = pytest.mark.django_db

ONE, TWO, THREE = "NOFJR2600001", "NOFJR2600002", "NOFJR2600003"


@pytest.fixture
def fjord(db: None) -> Party:
    """Has delivered three recordings by Maren."""
    return take(a_message(*(a_recording(isrc) for isrc in (ONE, TWO, THREE)))).sender


@pytest.fixture
def fjell(db: None) -> Party:
    return register_party(by=None, kind=PartyKind.COMPANY, name="Fjell Publishing")


def queue(label: Party) -> list[tuple[str, str, int]]:
    return [(c.kind, c.right, c.recordings) for c in conflicts(label=label).conflicts]


def only(label: Party) -> Conflict:
    [conflict] = conflicts(label=label).conflicts
    return conflict


def claim_on(isrc: str) -> RightsClaim:
    return RightsClaim.objects.filter(recording__isrc=isrc).latest("id")


def publishing(party: Party, artist: Artist) -> None:
    make_blanket_claim(by=None, society=party, artists=[artist])


def test_publishing_that_nobody_claims_is_one_thing_to_do_for_all_recordings(fjord: Party) -> None:
    conflict = only(fjord)
    assert (conflict.kind, conflict.right) == (ConflictKind.UNKNOWN, Right.PUBLISHING)
    assert conflict.recordings == 3
    assert conflict.move is Move.LABEL
    assert "claims file" in conflict.next_step
    assert [a.slug for a in conflict.artists] == ["maren-holt"]
    listed = recordings_of_conflict(label=fjord, profile=conflict.profile)
    assert {r.isrc for r in listed} == {ONE, TWO, THREE}


def test_a_queue_is_empty_when_everything_adds_up(fjord: Party, fjell: Party) -> None:
    publishing(fjell, Artist.objects.get())
    assert queue(fjord) == []


def test_two_senders_see_each_other_and_both_must_move(fjord: Party, fjell: Party) -> None:
    publishing(fjell, Artist.objects.get())
    kaede = take(a_message(a_recording(ONE), sender=KAEDE, message_id="k")).sender
    for label, other in ((fjord, kaede), (kaede, fjord)):
        conflict = only(label)
        assert (conflict.kind, conflict.recordings) == (ConflictKind.TWO_SENDERS, 1)
        assert conflict.example.isrc == ONE
        assert conflict.claimed_bp == 20_000
        assert conflict.move is Move.BOTH
        assert other.name in conflict.next_step
        assert label.name not in conflict.next_step
    end_claim(by=None, claim=claim_on(ONE).claim)
    assert queue(fjord) == []
    assert queue(kaede) == []


def test_shares_beyond_the_whole_are_over_claimed(fjord: Party, fjell: Party) -> None:
    publishing(fjell, Artist.objects.get())
    make_claim(
        by=None,
        party=fjell,
        right=Right.MASTER,
        authority=Authority.OWN,
        recording=claim_on(TWO).recording,
        share_bp=2_550,
    )
    conflict = only(fjord)
    assert (conflict.kind, conflict.right) == (ConflictKind.OVER_CLAIMED, Right.MASTER)
    assert "125.50 %" in conflict.next_step
    assert [(c.party.name, c.share_bp, c.is_mine) for c in conflict.claims] == [
        ("Fjord Records", 10_000, True),
        ("Fjell Publishing", 2_550, False),
    ]


def test_shares_short_of_the_whole_are_under_claimed(fjord: Party, fjell: Party) -> None:
    publishing(fjell, Artist.objects.get())
    change_claim(by=None, claim=claim_on(ONE).claim, share_bp=7_000)
    conflict = only(fjord)
    assert (conflict.kind, conflict.claimed_bp) == (ConflictKind.UNDER_CLAIMED, 7_000)
    assert conflict.move is Move.LABEL


def test_two_labels_for_two_territories_leave_the_rest_of_the_world_unclaimed(
    fjord: Party, fjell: Party
) -> None:
    publishing(fjell, Artist.objects.get())
    change_claim(by=None, claim=claim_on(ONE).claim, territories=["NO"])
    make_claim(
        by=None,
        party=fjell,
        right=Right.MASTER,
        authority=Authority.OWN,
        recording=claim_on(ONE).recording,
        territories=["JP"],
    )
    conflict = only(fjord)
    assert (conflict.kind, conflict.claimed_bp) == (ConflictKind.UNDER_CLAIMED, 0)


def test_each_work_must_add_up_by_itself(fjord: Party, fjell: Party) -> None:
    recording = claim_on(ONE).recording
    assert recording is not None
    publishing(fjell, Artist.objects.get())
    first, second = register_work(title="Havn"), register_work(title="Fyr")
    link_works(by=None, recordings=[recording], works=[first, second])
    assert queue(fjord) == []  # the mandate covers every work
    end_claim(by=None, claim=RightsClaim.objects.get(repertoire__isnull=False).claim)
    make_claim(by=None, party=fjell, right=Right.PUBLISHING, authority=Authority.OWN, work=first)
    assert sorted(queue(fjord)) == [
        ("under_claimed", "publishing", 1),
        ("unknown", "publishing", 2),
    ]


# Duets


@pytest.fixture
def duet(db: None) -> tuple[Party, Artist, Artist]:
    """Fjord Records has delivered a song by Maren and Aoi."""
    label = take(a_message(a_recording(ONE, main=["PMaren", "PAoi"]))).sender
    maren = Artist.objects.get(slug="maren-holt")
    return label, maren, Artist.objects.exclude(pk=maren.pk).get()


def test_two_societies_each_for_its_own_artist_are_no_conflict(
    duet: tuple[Party, Artist, Artist], fjell: Party
) -> None:
    label, maren, aoi = duet
    skald = register_party(by=None, kind=PartyKind.SOCIETY, name="Skald")
    publishing(fjell, maren)
    publishing(skald, aoi)
    assert queue(label) == []


def test_a_society_for_one_of_two_artists_leaves_the_others_share_unclaimed(
    duet: tuple[Party, Artist, Artist], fjell: Party
) -> None:
    label, maren, aoi = duet
    publishing(fjell, maren)
    conflict = only(label)
    assert (conflict.kind, conflict.claimed_bp) == (ConflictKind.UNDER_CLAIMED, 0)
    assert conflict.whose == (aoi,)
    assert conflict.next_step.startswith(f"Of the share of {aoi.party.name} only 0 % of the pub")


def test_two_societies_for_the_same_artist_of_a_duet_are_over_claimed(
    duet: tuple[Party, Artist, Artist], fjell: Party
) -> None:
    label, maren, aoi = duet
    skald = register_party(by=None, kind=PartyKind.SOCIETY, name="Skald")
    for society, artist in ((fjell, maren), (skald, aoi), (skald, maren)):
        publishing(society, artist)
    conflict = only(label)
    assert (conflict.kind, conflict.claimed_bp) == (ConflictKind.OVER_CLAIMED, 20_000)
    assert conflict.whose == (maren,)
    assert "To the share of Maren Holt the claims come to 200 %." in conflict.next_step
    assert conflict.move is Move.OTHERS


def test_half_of_a_work_and_half_of_each_artists_share_are_the_whole(
    duet: tuple[Party, Artist, Artist], fjell: Party
) -> None:
    label, maren, aoi = duet
    recording = claim_on(ONE).recording
    assert recording is not None
    song = register_work(title="Havn")
    link_works(by=None, recordings=[recording], works=[song])
    for artist in (maren, aoi):
        make_blanket_claim(by=None, society=fjell, artists=[artist], share_bp=5_000)
    make_claim(
        by=None,
        party=fjell,
        right=Right.PUBLISHING,
        authority=Authority.OWN,
        work=song,
        share_bp=5_000,
    )
    assert queue(label) == []


# Settled


@pytest.fixture
def allowed(fjord: Party, fjell: Party) -> Ask:
    """A question to which the answer is yes: everybody has signed, and Maren allows it."""
    maren = Artist.objects.get()
    publishing(fjell, maren)
    oceanic = a_company()
    for holder in (fjord, fjell):
        a_licence(holder, oceanic, "generative_training")
    she_says(maren, "generative_training", "allow")
    ask = Ask(ONE, "generative_training", a_tool(oceanic).slug)
    assert decide_one(ask).allowed
    return ask


def test_an_over_claim_that_a_label_settles_is_allowed_again_at_once(
    fjord: Party, allowed: Ask
) -> None:
    kaede = take(a_message(a_recording(ONE), sender=KAEDE, message_id="k")).sender
    assert [c.kind for c in conflicts(label=fjord).conflicts] == [ConflictKind.TWO_SENDERS]
    assert decide_one(allowed).deciding.code == "right_over_claimed"
    end_claim(by=None, claim=RightsClaim.objects.get(party=kaede).claim)
    assert decide_one(allowed).allowed
    assert queue(fjord) == []


def test_an_under_claim_that_a_label_settles_is_allowed_again_at_once_also_while_a_change_waits(
    fjord: Party, allowed: Ask
) -> None:
    claim = claim_on(ONE).claim
    change_claim(by=None, claim=claim, share_bp=7_000)
    change_claim(by=None, claim=claim, authority=Authority.OWN, valid_from=in_days(30))
    assert decide_one(allowed).deciding.code == "right_under_claimed"
    change_claim(by=None, claim=claim, share_bp=10_000)
    assert decide_one(allowed).allowed
    assert decide_one(replace(allowed, at=in_days(31))).allowed
    assert queue(fjord) == []


def test_two_senders_who_share_by_country_are_both_asked_and_no_conflict(
    fjord: Party, allowed: Ask
) -> None:
    kaede = take(a_message(a_recording(ONE), sender=KAEDE, message_id="k")).sender
    change_claim(by=None, claim=RightsClaim.objects.get(party=kaede).claim, territories=["JP"])
    [conflict] = conflicts(label=fjord).conflicts
    assert (conflict.kind, conflict.claimed_bp) == (ConflictKind.TWO_SENDERS, 20_000)
    hers = claim_on(ONE)
    assert hers.party == kaede
    mine = RightsClaim.objects.get(party=fjord, recording__isrc=ONE)
    change_claim(by=None, claim=mine.claim, territories=["NO", "SE"])
    norway, japan = replace(allowed, territory="NO"), replace(allowed, territory="JP")
    assert decide_one(norway).allowed
    assert decide_one(japan).deciding.code == "no_licence"
    assert decide_one(allowed).deciding.code == "right_under_claimed"  # in the rest of the world
    assert queue(fjord) == [("under_claimed", "master", 1)]


def test_a_dispute_that_staff_settle_is_allowed_again_at_once(fjord: Party, allowed: Ask) -> None:
    claim = claim_on(ONE).claim
    dispute_claim(by=None, claim=claim)
    assert decide_one(allowed).deciding.code == "right_disputed"
    settle_claim(by=None, claim=claim)
    assert decide_one(allowed).allowed
    assert queue(fjord) == []


def test_a_dispute_waits_for_staff(fjord: Party, fjell: Party) -> None:
    publishing(fjell, Artist.objects.get())
    dispute_claim(by=None, claim=claim_on(ONE).claim)
    conflict = only(fjord)
    assert (conflict.kind, conflict.move) == (ConflictKind.DISPUTED, Move.STAFF)


def test_a_label_sees_nothing_of_recordings_that_are_not_its_own(fjord: Party) -> None:
    take(a_message(a_recording("JPKDE2600001", main=["PAoi"]), sender=KAEDE, message_id="k"))
    charlie = register_party(by=None, kind=PartyKind.PERSON, name="Charlie")
    assert queue(fjord) == [("unknown", "publishing", 3)]
    assert queue(charlie) == []
    profile = only(fjord).profile
    assert recordings_of_conflict(label=charlie, profile=profile) == []


def test_a_withdrawn_recording_waits_for_nobody(fjord: Party) -> None:
    for isrc in (ONE, TWO, THREE):
        recording = claim_on(isrc).recording
        assert recording is not None
        change_identity(by=None, recording=recording, withdrawn=True)
    assert queue(fjord) == []


def test_the_queue_is_paged_and_filtered_in_a_fixed_number_of_queries(fjord: Party) -> None:
    for n in range(7):
        change_claim(
            by=None,
            claim=claim_on((ONE, TWO, THREE)[n % 3]).claim,
            share_bp=1_000 + n,
        )
    whole = conflicts(label=fjord)
    assert whole.by_kind == {ConflictKind.UNKNOWN: 3, ConflictKind.UNDER_CLAIMED: 3}
    assert whole.total == 6
    with CaptureQueriesContext(connection) as one:
        first = conflicts(label=fjord, size=1)
    with CaptureQueriesContext(connection) as many:
        conflicts(label=fjord, size=5)
    last = conflicts(label=fjord, size=5, page=2)
    assert len(one) == len(many) <= 6
    assert (first.pages, last.pages, len(last.conflicts)) == (6, 2, 1)
    assert conflicts(label=fjord, page=99).number == 1
    assert conflicts(label=fjord, kind="unknown").total == 3
    stranger = register_artist(by=None, name="Charlie")
    assert conflicts(label=fjord, artist=stranger).total == 0


# Lists of the catalogue


def test_recordings_are_found_by_title_in_any_script_and_by_isrc() -> None:
    take(
        a_message(
            a_recording(ONE, "Dawn Song", titles=[Title("夜明けの歌", "formal", "ja-Jpan")]),
            a_recording(TWO, "Dusk"),
            a_recording(THREE, "Havn", main=["PAoi"], featured=["PMaren"]),
        )
    )
    maren = Artist.objects.get(slug="maren-holt")

    def found(search: str) -> list[str]:
        return [r.recording.isrc for r in recordings_of(maren, search=search).rows]

    assert found("") == [ONE, TWO, THREE]
    assert found("夜明け") == found("song DAWN") == found("no-fjr-26-00001") == [ONE]
    assert found("NOFJR26") == [ONE, TWO, THREE]
    assert found("%") == found("nothing") == []
    rows = {r.recording.isrc: r for r in recordings_of(maren).rows}
    assert [t.title for t in rows[ONE].other_titles] == ["夜明けの歌"]
    assert rows[THREE].featured
    assert not rows[ONE].featured


def test_pages_of_recordings_follow_each_other_without_gaps_in_few_queries() -> None:
    isrcs = [f"NOFJR26{n:05d}" for n in range(7)]
    take(a_message(*(a_recording(isrc, f"Havn {n % 3}") for n, isrc in enumerate(isrcs))))
    maren = Artist.objects.get()
    seen: list[str] = []
    after, asked = "", set()
    for _ in range(3):
        with CaptureQueriesContext(connection) as queries:
            page = recordings_of(maren, after=after, size=3)
        asked.add(len(queries))
        seen += [r.recording.isrc for r in page.rows]
        after = page.after
    assert after == ""
    assert sorted(seen) == isrcs
    assert asked == {3}
    assert recordings_of(maren, after="forged", size=3).rows[0].recording.isrc == seen[0]


def test_releases_are_listed_newest_first_with_their_tracks() -> None:
    take(a_message(a_recording(ONE), a_recording(TWO)))
    single = a_release(ONE, icpn="0602537347377", title="Havn")
    take(a_message(a_recording(ONE), releases=[single], message_id="havn-2", created_at=TUESDAY))
    maren = Artist.objects.get()
    rows = releases_of(maren)
    assert [(r.release.title, r.tracks) for r in rows] == [("Havn", 1), ("Havner", 2)]
    assert [r.isrc for r in tracks_of(rows[1].release)] == [ONE, TWO]


def test_credits_are_grouped_by_role_in_one_query() -> None:
    take(a_message(a_recording(ONE, main=["PMaren", "PAoi"], vocals=["PMaren"])))
    recording = Artist.objects.get(slug="maren-holt").billed.get().recording
    with CaptureQueriesContext(connection) as asked:
        roles = credits_of(recording)
        found = [(str(r.name), [c.party.name for c in r.credits]) for r in roles]
    assert found == [("Main artist", ["Maren Holt", "田中葵"]), ("Lead vocals", ["Maren Holt"])]
    assert len(asked) == 1
