"""A song that she made without her label: it claims all her work, and none of this is its own.

Maren is signed to Fjord Records, which claims every master of hers. She records one song by herself
and owns all of it. The label says so of that one recording, keeps what it claims of all others, and
can take it back.
"""

from dataclasses import dataclass

import pytest
from django.db import IntegrityError, transaction

from consent.clock import now
from consent.decisions import Code, Verdict
from consent.errors import Frozen, Refused
from consent.licence_terms import Terms
from consent.models import (
    Act,
    Artist,
    LedgerAlarm,
    LedgerEntry,
    LicenceVersion,
    Party,
    Recording,
    RightsClaim,
    Tool,
)
from consent.queries.conflicts import Conflict, ConflictKind, conflicts
from consent.queries.contested import contested
from consent.queries.decision import Ask, decide_one
from consent.queries.history import what_was_allowed
from consent.queries.licences import preview_licence
from consent.queries.touching import bring, reach_of
from consent.services.claims import (
    change_claim,
    dispute_claim,
    end_claim,
    make_claim,
    settle_claim,
)
from consent.services.claims_import import import_claims_csv
from consent.services.claims_nothing import claim_nothing
from consent.services.profiles import refresh_all
from consent.services.recordings import change_identity
from consent.services.works import link_works, register_work
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
    fjord: Party
    tool: Tool
    hers: Recording
    theirs: Recording
    of_fjord: LicenceVersion

    def why(self, recording: Recording | None = None) -> str:
        found = decide_one(Ask((recording or self.hers).isrc, D, self.tool.slug))
        return "allowed" if found.allowed else found.deciding.code.value

    def declares(self, share_bp: int = 10_000, *, on: Recording | None = None) -> RightsClaim:
        return make_claim(
            by=None,
            party=self.maren.party,
            right=Right.MASTER,
            authority=Authority.OWN,
            recording=on or self.hers,
            share_bp=share_bp,
        )

    def gives_up(self, *on: Recording) -> list[RightsClaim]:
        return claim_nothing(
            by=None, party=self.fjord, right=Right.MASTER, recordings=on or (self.hers,)
        )

    @property
    def wider(self) -> RightsClaim:
        return RightsClaim.objects.filter(repertoire=self.maren.pk).latest("id")

    def queue(self, label: Party | None = None) -> list[Conflict]:
        found = conflicts(label=label or self.fjord).conflicts
        return [one for one in found if one.right == Right.MASTER]


@pytest.fixture
def story(db: None) -> Story:
    """She says yes, and both she and the label license the tool."""
    maren, fjord, company = an_artist(), a_label(), a_company()
    make_claim(
        by=None,
        party=fjord,
        right=Right.MASTER,
        authority=Authority.CONTRACT,
        repertoire=maren,
    )
    a_licence(maren.party, company, D)
    signed = a_licence(fjord, company, D)
    she_says(maren, D, "allow")
    hers, theirs = a_recording(maren, title="Alene"), a_recording(maren, title="Fyr")
    return Story(maren, fjord, a_tool(company), hers, theirs, signed)


# The story


def test_a_song_of_her_own_is_allowed_once_the_label_says_that_none_of_it_is_its_own(
    story: Story,
) -> None:
    assert (story.why(), story.why(story.theirs)) == ("allowed", "allowed")
    story.declares()
    assert story.why() == "right_over_claimed"
    [claim] = story.gives_up()
    assert (claim.party, claim.recording, claim.share_bp) == (story.fjord, story.hers, 0)
    assert (claim.authority, claim.standing) == (Authority.CONTRACT, Standing.DECLARED)
    assert (story.why(), story.why(story.theirs)) == ("allowed", "allowed")
    end_claim(by=None, claim=claim.claim)
    assert (story.why(), story.why(story.theirs)) == ("right_over_claimed", "allowed")


def test_whoever_claims_nothing_need_not_license_it_and_is_named_without_a_say(
    story: Story,
) -> None:
    story.declares()
    story.gives_up()
    found = decide_one(Ask(story.hers.isrc, D, story.tool.slug))
    said = {r.code: r for r in found.reasons}
    note = said[Code.NOTHING_CLAIMED]
    assert (note.verdict, note.party, note.right) == (Verdict.NOTE, story.fjord.pk, "master")
    assert said[Code.LICENSED].party == story.maren.pk
    assert story.fjord.pk not in {r.party for r in found.reasons if r.code is Code.LICENSED}


def test_where_nobody_else_claims_it_nothing_is_allowed(story: Story) -> None:
    story.gives_up()
    assert story.why() == "right_unknown"
    story.declares(4_000)
    assert story.why() == "right_under_claimed"


def test_a_clause_of_the_label_does_not_carry_what_is_none_of_its_own(story: Story) -> None:
    company = a_company("kiwitone")
    tool = a_tool(company, "kiwi")
    a_licence(story.fjord, company, D, artist_approval=False, override_clause="§ 3")
    she_says(story.maren, D, "deny")
    ask = Ask(story.hers.isrc, D, tool.slug)
    assert decide_one(ask).allowed, "by the clause"
    story.declares()
    story.gives_up()
    found = decide_one(ask)
    assert (found.allowed, found.deciding.code) == (False, Code.NO_LICENCE)
    a_licence(story.maren.party, company, D)
    assert decide_one(ask).deciding.code is Code.ARTIST_WITHDREW


def test_the_same_is_said_of_a_song_for_the_publishing_alone(story: Story) -> None:
    use = "generative_training"
    skald = a_label("Skald")
    make_claim(
        by=None,
        party=skald,
        right=Right.PUBLISHING,
        authority=Authority.BLANKET,
        repertoire=story.maren,
    )
    a_licence(story.fjord, story.tool.company, use)
    a_licence(story.maren.party, story.tool.company, use)
    she_says(story.maren, use, "allow")
    make_claim(
        by=None,
        party=story.maren.party,
        right=Right.PUBLISHING,
        authority=Authority.OWN,
        recording=story.hers,
    )
    ask = Ask(story.hers.isrc, use, story.tool.slug)
    assert decide_one(ask).deciding.code is Code.RIGHT_OVER_CLAIMED
    [claim] = claim_nothing(by=None, party=skald, right=Right.PUBLISHING, recordings=[story.hers])
    assert claim.authority == Authority.BLANKET
    assert decide_one(ask).allowed
    assert story.why() == "allowed", "the label's master is as it was"


# When, where, and disputes


def test_one_that_ends_gives_the_wider_claim_its_word_back(story: Story) -> None:
    story.declares()
    [claim] = story.gives_up()
    until = in_days(3)
    change_claim(by=None, claim=claim.claim, valid_until=until)
    found = decide_one(Ask(story.hers.isrc, D, story.tool.slug))
    assert (found.allowed, found.valid_until) == (True, until)
    later = Ask(story.hers.isrc, D, story.tool.slug, None, until)
    assert decide_one(later).deciding.code is Code.RIGHT_OVER_CLAIMED


def test_while_it_is_disputed_it_is_a_no_and_nothing_but_settling_it_ends_that(
    story: Story,
) -> None:
    story.declares()
    [claim] = story.gives_up()
    dispute_claim(by=None, claim=claim.claim)
    assert story.why() == "right_disputed"
    with pytest.raises(Refused, match="claim_disputed"):
        story.gives_up()
    with pytest.raises(Refused, match="claim_disputed"):
        end_claim(by=None, claim=claim.claim)
    with pytest.raises(Refused, match="claim_disputed"):
        change_claim(by=None, claim=claim.claim, valid_until=in_days(1))
    file = f"isrc,right,share\n{story.hers.isrc},master,50\n"
    report = import_claims_csv(by=None, sender=story.fjord, data=file.encode())
    assert [problem.code for problem in report.problems] == ["claim_disputed"]
    assert story.why() == "right_disputed"
    settle_claim(by=None, claim=claim.claim)
    assert story.why() == "allowed"
    end_claim(by=None, claim=claim.claim)
    assert story.why() == "right_over_claimed"


def test_a_dispute_about_the_wider_claim_is_settled_first(story: Story) -> None:
    story.declares()
    dispute_claim(by=None, claim=story.wider.claim)
    with pytest.raises(Refused, match="claim_disputed"):
        story.gives_up()
    settle_claim(by=None, claim=story.wider.claim)
    story.gives_up()
    dispute_claim(by=None, claim=story.wider.claim)
    assert story.why() == "right_disputed", "it is still heard"


def test_the_database_takes_a_share_of_nothing_on_a_recording_for_all_countries_alone(
    story: Story,
) -> None:
    [claim] = story.gives_up()
    with pytest.raises(Refused, match="claim_nothing"):
        change_claim(by=None, claim=claim.claim, territories=["NO"])
    on_all = story.wider
    name = "nothing_is_claimed_of_one_recording_everywhere"
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        RightsClaim.objects.create(
            party=story.fjord,
            repertoire=story.maren.party,
            right=Right.MASTER,
            share_bp=0,
            authority=Authority.OWN,
            source="hand",
            entry_id=on_all.entry_id,
        )


def test_no_other_door_takes_a_share_of_nothing(story: Story) -> None:
    claim = story.declares()
    before = RightsClaim.objects.count()
    for one in (claim, story.wider):
        with pytest.raises(Refused, match="claim_share"):
            change_claim(by=None, claim=one.claim, share_bp=0)
    with pytest.raises(Refused, match="claim_share"):
        story.declares(0, on=story.theirs)
    with pytest.raises(Refused, match="claim_share"):
        make_claim(
            by=None,
            party=story.fjord,
            right=Right.MASTER,
            authority=Authority.OWN,
            repertoire=story.maren,
            share_bp=0,
        )
    file = f"isrc,right,share\n{story.theirs.isrc},master,0\n"
    report = import_claims_csv(by=None, sender=story.fjord, data=file.encode())
    assert [problem.code for problem in report.problems] == ["bad_share"]
    assert RightsClaim.objects.count() == before


def test_a_claim_of_nothing_can_become_one_of_something_and_then_counts(story: Story) -> None:
    story.declares(6_000)
    [claim] = story.gives_up()
    change_claim(by=None, claim=claim.claim, share_bp=4_000)
    assert story.why() == "allowed"
    [again] = story.gives_up()
    assert story.why() == "right_under_claimed"
    rows = RightsClaim.objects.filter(party=story.fjord, recording=story.hers)
    assert rows.filter(ended=True).get().claim == claim.claim != again.claim


# Who cannot say it, and what it leaves alone


def test_it_is_said_by_nobody_who_claims_nothing_there(story: Story) -> None:
    kestrel = a_label("Kestrel Music")
    with pytest.raises(Refused, match="claims_nothing_here"):
        claim_nothing(by=None, party=kestrel, right=Right.MASTER, recordings=[story.hers])
    with pytest.raises(Refused, match="claims_nothing_here"):
        claim_nothing(by=None, party=story.fjord, right=Right.PUBLISHING, recordings=[story.hers])
    with pytest.raises(Refused, match="nothing_of_whom"):
        claim_nothing(by=None, party=story.fjord, right=Right.LIKENESS, recordings=[story.hers])
    story.gives_up()
    with pytest.raises(Refused, match="claims_nothing_here"):
        story.gives_up()


def test_a_claim_on_the_song_is_given_up_as_such(story: Story) -> None:
    song = register_work(title="Alene")
    link_works(by=None, recordings=[story.hers], works=[song])
    make_claim(
        by=None,
        party=story.fjord,
        right=Right.PUBLISHING,
        authority=Authority.CONTRACT,
        work=song,
    )
    with pytest.raises(Refused, match="claim_on_the_song"):
        claim_nothing(by=None, party=story.fjord, right=Right.PUBLISHING, recordings=[story.hers])


def test_while_the_ledger_is_checked_nobody_gives_up_and_nobody_takes_it_back(
    story: Story,
) -> None:
    story.declares()
    [claim] = story.gives_up(story.theirs)
    LedgerAlarm.objects.create(raised_at=now(), problem="a test of the alarm")
    with pytest.raises(Frozen):
        story.gives_up()
    with pytest.raises(Frozen):
        end_claim(by=None, claim=claim.claim)
    dispute_claim(by=None, claim=claim.claim)


# The queue


def test_the_queue_says_who_decides_then_and_is_empty_once_it_is_said(story: Story) -> None:
    story.declares()
    [conflict] = story.queue()
    assert (conflict.kind, conflict.left_bp) == ("over_claimed", None)
    assert conflict.may_be_none_of_mine
    assert [(line.party, line.share_bp) for line in conflict.others] == [
        (story.maren.party, 10_000)
    ]
    assert conflict.others_bp == 10_000
    [claim] = story.gives_up()
    assert story.queue() == []
    assert contested([story.hers.pk], at=now()) == {}
    end_claim(by=None, claim=claim.claim)
    [again] = story.queue()
    assert again.example == story.hers


def test_what_is_none_of_its_own_is_not_in_its_queue_whatever_is_wrong_with_it(
    story: Story,
) -> None:
    story.declares(4_000)
    story.gives_up()
    queue = conflicts(label=story.fjord).conflicts
    assert {one.example for one in queue} <= {story.theirs}
    kestrel = a_label("Kestrel Music")
    make_claim(
        by=None,
        party=kestrel,
        right=Right.MASTER,
        authority=Authority.CONTRACT,
        recording=story.hers,
    )
    assert story.queue() == []
    [theirs] = [one for one in story.queue(kestrel) if one.example == story.hers]
    assert theirs.kind == ConflictKind.OVER_CLAIMED
    assert {line.party for line in theirs.claims} == {kestrel, story.maren.party}
    found = contested([story.hers.pk], at=now())
    assert found[story.hers.pk, "master"] == {kestrel.pk, story.maren.pk}


def test_a_disputed_one_is_disputed_in_the_queue_and_nothing_can_be_said(story: Story) -> None:
    story.declares()
    [claim] = story.gives_up()
    dispute_claim(by=None, claim=claim.claim)
    [conflict] = story.queue()
    assert (conflict.kind, conflict.may_be_none_of_mine) == ("disputed", False)
    assert (story.fjord.pk, "master") in {
        (party, right)
        for (_recording, right), parties in contested([story.hers.pk], at=now()).items()
        for party in parties
    }


def test_it_is_not_offered_while_the_wider_claim_is_disputed(story: Story) -> None:
    story.declares()
    dispute_claim(by=None, claim=story.wider.claim)
    found = [one for one in story.queue() if one.example == story.hers]
    assert {one.kind for one in found} == {"over_claimed", "disputed"}
    assert not any(one.may_be_none_of_mine for one in found)


# What licences reach, the ledger, the past


def test_a_licence_of_the_label_does_not_reach_what_is_none_of_its_own(story: Story) -> None:
    pair = (story.of_fjord.pk, story.maren.pk)

    def reached() -> tuple[int, int]:
        touch = reach_of([pair], bring([pair[0]]), at=now())[pair]
        preview = preview_licence(
            holder=story.fjord,
            company=story.tool.company,
            terms=Terms(uses=[D]),
        )
        return touch.recordings, preview.recordings

    assert reached() == (2, 2)
    [claim] = story.gives_up()
    assert reached() == (1, 1)
    end_claim(by=None, claim=claim.claim)
    assert reached() == (2, 2)


def test_it_stands_in_the_ledger_and_the_past_is_answered_as_it_was(story: Story) -> None:
    story.declares()
    before = now()
    more = some_recordings(3, story.maren)
    for one in more:
        story.declares(on=one)
    made = story.gives_up(story.hers, *more)
    between = now()
    act = Act.objects.latest("created_at")
    assert (act.kind, act.entries, len(made)) == ("claim_nothing", 4, 4)
    assert LedgerEntry.objects.filter(act=act.ref, kind="claim.made").count() == 4
    end_claim(by=None, claim=made[0].claim)
    after = now()
    found = [
        what_was_allowed(isrc=story.hers.isrc, use=D, tool=story.tool.slug, at=at).allowed
        for at in (before, between, after)
    ]
    assert found == [False, True, False]
    assert refresh_all() == 0


def test_what_the_label_claimed_of_the_recording_itself_ends_in_the_same_act(story: Story) -> None:
    own = make_claim(
        by=None,
        party=story.fjord,
        right=Right.MASTER,
        authority=Authority.CONTRACT,
        recording=story.hers,
        share_bp=2_000,
    )
    change_claim(by=None, claim=own.claim, share_bp=3_000, valid_from=in_days(9))
    story.declares()
    story.gives_up()
    assert story.why() == "allowed"
    act = Act.objects.latest("created_at")
    kinds = LedgerEntry.objects.filter(act=act.ref).values_list("kind", flat=True)
    assert sorted(kinds) == ["claim.ended", "claim.made"]


def test_it_is_said_of_a_duet_of_two_for_all_of_it(story: Story) -> None:
    aoi = an_artist("Aoi Tanaka")
    change_identity(by=None, recording=story.hers, main=[story.maren, aoi])
    she_says(aoi, D, "allow")
    story.declares(5_000)
    make_claim(
        by=None,
        party=aoi.party,
        right=Right.MASTER,
        authority=Authority.OWN,
        recording=story.hers,
        share_bp=5_000,
    )
    a_licence(aoi.party, story.tool.company, D)
    assert story.why() == "right_over_claimed"
    story.gives_up()
    assert story.why() == "allowed"
