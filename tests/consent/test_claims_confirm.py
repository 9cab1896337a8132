"""A duet of two who are not on the same label: one declares her share, the other's label confirms.

Maren's label claims all her work. Aoi has no label, and says what is hers of the one they made
together.
"""

from dataclasses import dataclass

import pytest

from consent.clock import now
from consent.errors import Frozen, Refused
from consent.models import (
    Act,
    Artist,
    LedgerAlarm,
    LedgerEntry,
    Party,
    Recording,
    RightsClaim,
    Tool,
)
from consent.queries.conflicts import Conflict, Move, conflicts
from consent.queries.decision import Ask, decide_one
from consent.services.claims import change_claim, dispute_claim, end_claim, make_claim
from consent.services.claims_confirm import confirm_shares
from consent.services.profiles import refresh_all
from consent.words import Authority, Right, Standing
from tests.consent.build import (
    a_company,
    a_label,
    a_licence,
    a_recording,
    a_tool,
    an_artist,
    in_days,
    she_says,
    some_recordings,
)

pytestmark = pytest.mark.django_db
D = "discovery"


@dataclass
class Story:
    maren: Artist
    aoi: Artist
    fjord: Party
    tool: Tool
    duet: Recording
    solo: Recording

    def why(self, recording: Recording | None = None) -> str:
        found = decide_one(Ask((recording or self.duet).isrc, D, self.tool.slug))
        return "allowed" if found.allowed else found.deciding.code.value

    def declares(self, share_bp: int = 5_000, *, on: Recording | None = None) -> RightsClaim:
        return make_claim(
            by=None,
            party=self.aoi.party,
            right=Right.MASTER,
            authority=Authority.OWN,
            recording=on or self.duet,
            share_bp=share_bp,
        )

    def confirms(self, left_bp: int = 5_000, *on: Recording) -> list[RightsClaim]:
        return confirm_shares(
            by=None,
            party=self.fjord,
            right=Right.MASTER,
            recordings=on or (self.duet,),
            left_bp=left_bp,
        )

    def queue(self) -> list[Conflict]:
        found = conflicts(label=self.fjord).conflicts
        return [one for one in found if one.right == Right.MASTER]


@pytest.fixture
def story(db: None) -> Story:
    """Both say yes, and both license the tool: only whose the duet is stands in the way."""
    maren, aoi = an_artist(), an_artist("Aoi Tanaka")
    fjord = a_label()
    company = a_company()
    make_claim(
        by=None,
        party=fjord,
        right=Right.MASTER,
        authority=Authority.CONTRACT,
        repertoire=maren,
    )
    for holder in (fjord, aoi.party):
        a_licence(holder, company, D)
    for artist in (maren, aoi):
        she_says(artist, D, "allow")
    return Story(
        maren, aoi, fjord, a_tool(company), a_recording(maren, aoi), a_recording(maren, title="Fyr")
    )


def test_a_duet_is_allowed_once_the_label_confirms_what_the_other_artist_declared(
    story: Story,
) -> None:
    assert (story.why(), story.why(story.solo)) == ("right_under_claimed", "allowed")
    story.declares()
    assert story.why() == "right_over_claimed"
    [claim] = story.confirms()
    assert (claim.party, claim.recording, claim.share_bp) == (story.fjord, story.duet, 5_000)
    assert (claim.authority, claim.standing) == (Authority.CONTRACT, Standing.DECLARED)
    assert (story.why(), story.why(story.solo)) == ("allowed", "allowed")


def test_until_it_is_settled_the_queue_says_what_the_label_can_do(story: Story) -> None:
    [before] = story.queue()
    assert (before.kind, before.left_bp) == ("under_claimed", None)
    story.declares(3_333)
    [conflict] = story.queue()
    assert (conflict.kind, conflict.left_bp, conflict.move) == ("over_claimed", 6_667, Move.LABEL)
    assert "Aoi Tanaka 33.33 %" in conflict.next_step
    assert "you keep 66.67 %" in conflict.next_step
    assert [line.party.name for line in conflict.declared] == ["Aoi Tanaka"]
    story.confirms(6_667)
    assert story.queue() == []


def test_both_must_license_it_afterwards(story: Story) -> None:
    story.declares()
    story.confirms()
    she_says(story.aoi, D, "deny")
    assert story.why() == "artist_withdrew"
    she_says(story.aoi, D, "allow")
    other = a_tool(a_company("tonewright"), "harbour")
    a_licence(story.fjord, other.company, D)
    found = decide_one(Ask(story.duet.isrc, D, other.slug)).deciding
    assert (found.code, found.party) == ("no_licence", story.aoi.pk)


def test_a_claim_on_the_recording_itself_is_made_smaller_and_none_is_made(story: Story) -> None:
    """The label delivered the duet, so it claims it beside all of Maren's work."""
    delivered = make_claim(
        by=None,
        party=story.fjord,
        right=Right.MASTER,
        authority=Authority.CONTRACT,
        recording=story.duet,
    )
    story.declares()
    assert story.why() == "right_over_claimed"
    [changed] = story.confirms()
    assert (changed.claim, changed.share_bp) == (delivered.claim, 5_000)
    assert story.why() == "allowed"


def test_the_new_claim_is_on_the_terms_of_the_wider_one(story: Story) -> None:
    wider = RightsClaim.objects.get(repertoire=story.maren.pk)
    until = in_days(90)
    change_claim(by=None, claim=wider.claim, valid_until=until, territories=["NO", "SE"])
    story.declares()
    [claim] = story.confirms()
    assert (claim.territories, claim.valid_until) == (["NO", "SE"], until)


def test_ending_the_claim_on_the_recording_brings_the_contradiction_back(story: Story) -> None:
    story.declares()
    [claim] = story.confirms()
    end_claim(by=None, claim=claim.claim)
    assert story.why() == "right_over_claimed"


def test_taking_the_declaration_back_leaves_a_part_unclaimed_and_nothing_silent(
    story: Story,
) -> None:
    mine = story.declares()
    story.confirms()
    end_claim(by=None, claim=mine.claim)
    assert story.why() == "right_under_claimed"


def test_what_changed_since_it_was_looked_at_is_not_confirmed(story: Story) -> None:
    mine = story.declares()
    change_claim(by=None, claim=mine.claim, share_bp=9_000)
    with pytest.raises(Refused, match="shares_changed"):
        story.confirms(5_000)
    end_claim(by=None, claim=mine.claim)
    with pytest.raises(Refused, match="nothing_to_confirm"):
        story.confirms(5_000)
    assert RightsClaim.objects.filter(party=story.fjord).count() == 1


def test_confirming_twice_is_confirming_once(story: Story) -> None:
    story.declares()
    story.confirms()
    with pytest.raises(Refused, match="nothing_to_confirm"):
        story.confirms()


def test_nothing_is_confirmed_that_would_leave_nothing(story: Story) -> None:
    story.declares(10_000)
    [conflict] = story.queue()
    assert (conflict.left_bp, conflict.move) == (None, Move.BOTH)
    with pytest.raises(Refused, match="nothing_to_confirm"):
        story.confirms(0)


def test_a_third_party_cannot_confirm_for_somebody_else(story: Story) -> None:
    story.declares()
    kestrel = a_label("Kestrel Music")
    with pytest.raises(Refused, match="nothing_to_confirm"):
        confirm_shares(
            by=None, party=kestrel, right=Right.MASTER, recordings=[story.duet], left_bp=5_000
        )


def test_a_dispute_is_not_settled_by_confirming(story: Story) -> None:
    wider = RightsClaim.objects.get(repertoire=story.maren.pk)
    dispute_claim(by=None, claim=wider.claim)
    story.declares()
    story.confirms()
    assert story.why() == "right_disputed"


def test_many_recordings_alike_are_confirmed_in_one_act_and_stand_in_the_ledger(
    story: Story,
) -> None:
    more = some_recordings(3, story.maren, story.aoi)
    for one in more:
        story.declares(on=one)
    [conflict] = [one for one in story.queue() if one.kind == "over_claimed"]
    assert conflict.recordings == 3
    made = story.confirms(5_000, *more)
    act = Act.objects.latest("created_at")
    assert (act.kind, act.entries, len(made)) == ("confirm_shares", 3, 3)
    assert LedgerEntry.objects.filter(act=act.ref, kind="claim.made").count() == 3
    assert {story.why(one) for one in more} == {"allowed"}
    assert refresh_all() == 0


def test_while_the_ledger_is_checked_nothing_is_confirmed(story: Story) -> None:
    story.declares()
    LedgerAlarm.objects.create(raised_at=now(), problem="a test of the alarm")
    with pytest.raises(Frozen):
        story.confirms()


def test_a_trio_on_two_labels_needs_both_labels_to_say_what_is_theirs(story: Story) -> None:
    sol, kestrel = an_artist("Sol Arnesen"), a_label("Kestrel Music")
    make_claim(
        by=None,
        party=kestrel,
        right=Right.MASTER,
        authority=Authority.CONTRACT,
        repertoire=sol,
    )
    a_licence(kestrel, story.tool.company, D)
    she_says(sol, D, "allow")
    trio = a_recording(story.maren, story.aoi, sol)
    story.declares(4_000, on=trio)
    [claim] = story.confirms(6_000, trio)
    assert story.why(trio) == "right_over_claimed"
    change_claim(by=None, claim=claim.claim, share_bp=3_000)
    confirm_shares(by=None, party=kestrel, right=Right.MASTER, recordings=[trio], left_bp=3_000)
    assert story.why(trio) == "allowed"


def test_a_song_that_one_wrote_half_of_is_settled_with_a_society_in_the_same_way(
    story: Story,
) -> None:
    skald = a_label("Skald")
    make_claim(
        by=None,
        party=skald,
        right=Right.PUBLISHING,
        authority=Authority.BLANKET,
        repertoire=story.maren,
    )
    story.declares()
    story.confirms()
    for holder in (story.fjord, story.aoi.party, skald):
        a_licence(holder, story.tool.company, "generative_training")
    for artist in (story.maren, story.aoi):
        she_says(artist, "generative_training", "allow")
    make_claim(
        by=None,
        party=story.aoi.party,
        right=Right.PUBLISHING,
        authority=Authority.OWN,
        recording=story.duet,
        share_bp=2_500,
    )
    ask = Ask(story.duet.isrc, "generative_training", story.tool.slug)
    assert decide_one(ask).deciding.code == "right_over_claimed"
    [claim] = confirm_shares(
        by=None, party=skald, right=Right.PUBLISHING, recordings=[story.duet], left_bp=7_500
    )
    assert claim.authority == Authority.BLANKET
    assert decide_one(ask).allowed
