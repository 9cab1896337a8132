"""What was allowed on that day? The answer is the same in ten years."""

import random
from datetime import timedelta
from typing import Any

import pytest

from consent.clock import now
from consent.decisions import Decision
from consent.errors import NotFound, Refused
from consent.models import LedgerEntry
from consent.queries import ledger
from consent.queries.history import History, what_was_allowed
from consent.scopes import Scope
from consent.services.claims import end_claim, make_claim
from consent.services.erasure import erase_subject
from consent.services.licences import sign_licence
from consent.services.parties import change_party_state, register_party
from consent.services.permissions import answer_permission
from consent.services.recordings import change_identity
from consent.services.tools import register_tool, resume_tool, suspend_tool
from consent.words import Authority, PartyKind, Right, ToolKind, UseKind
from tests.consent.ledger_story import Story, answers, tell_story


@pytest.fixture
def story(db: None) -> Story:
    told = tell_story()
    for artist in (told.maren, told.aoi):
        sign_licence(
            by=None,
            holder=artist.party,
            company=told.tonewright,
            title="For discovery",
            uses=[UseKind.DISCOVERY],
        )
    return told


def says(story: Story, stance: str) -> None:
    answer_permission(by=story.ines, artist=story.maren, use="discovery", stance=stance)


def then(story: Story, **when: Any) -> History:
    return what_was_allowed(isrc=story.hers[0].isrc, use="discovery", tool="tidesmith", **when)


def test_a_yes_held_from_its_commit_until_the_no(story: Story) -> None:
    before = now()
    says(story, "allow")
    between = now()
    says(story, "deny")
    after = now()
    allowed = [then(story, at=moment).allowed for moment in (before, between, after)]
    assert allowed == [False, True, False]
    [decision] = [each.decision for each in then(story, at=between).tools]
    assert "artist_allows" in {reason.code for reason in decision.reasons}


def test_what_was_known_is_asked_by_position_or_by_moment(story: Story) -> None:
    position, moment = ledger.head(), now()
    says(story, "allow")
    at = now()
    says(story, "deny")
    by_seq = then(story, at=at, known_seq=position)
    by_moment = then(story, at=at, known_at=moment)
    assert by_seq.tools == by_moment.tools
    assert (by_moment.known_seq, by_moment.settled) == (position, True)
    codes = {reason.code for reason in by_seq.tools[0].decision.reasons}
    assert "artist_allows" not in codes
    assert then(story, at=at).allowed
    assert not by_seq.allowed


def test_a_company_is_answered_for_each_tool_that_it_had_then(story: Story) -> None:
    before = now()
    register_tool(
        by=None,
        company=story.tonewright,
        slug="undertow",
        name="Undertow",
        kind=ToolKind.DISCOVERY,
    )

    def tools(**when: Any) -> list[str]:
        found = what_was_allowed(
            isrc=story.hers[0].isrc, use="discovery", company="tonewright", **when
        )
        return [each.tool for each in found.tools]

    assert tools(at=before) == ["kelp", "tidesmith"]
    assert tools(at=now()) == ["kelp", "tidesmith", "undertow"]


def test_an_unknown_recording_use_or_tool_is_a_no_with_its_reason(story: Story) -> None:
    at = now()
    isrc = story.hers[0].isrc
    questions: list[tuple[dict[str, Any], str]] = [
        ({"isrc": "NOZZZ2499999", "use": "discovery", "tool": "tidesmith"}, "unknown_recording"),
        ({"isrc": isrc, "use": "singing", "tool": "tidesmith"}, "unknown_use"),
        ({"isrc": isrc, "use": "discovery", "tool": "nobody"}, "unknown_tool"),
    ]
    for given, code in questions:
        [answer] = what_was_allowed(**given, at=at).tools
        assert not answer.decision.allowed
        assert answer.decision.deciding.code == code


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"tool": "", "company": ""}, "tool_or_company"),
        ({"company": "tonewright"}, "tool_or_company"),
        ({"isrc": "NO-1"}, "isrc_malformed"),
        ({"known_seq": 10_000_000}, "not_yet_known"),
        ({"known_seq": -1}, "not_yet_known"),
        ({"known_at": timedelta(days=1)}, "not_yet_known"),
        ({"known_at": timedelta(0), "known_seq": 3}, "known_twice"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    given: dict[str, Any], code: str, story: Story
) -> None:
    if isinstance(given.get("known_at"), timedelta):
        given = given | {"known_at": now() + given["known_at"]}
    asked: dict[str, Any] = {"isrc": story.hers[0].isrc, "use": "discovery", "tool": "tidesmith"}
    with pytest.raises(Refused) as refusal:
        what_was_allowed(**{**asked, "at": now(), **given})
    assert refusal.value.code == code


def test_an_unknown_company_is_not_found(story: Story) -> None:
    with pytest.raises(NotFound):
        what_was_allowed(isrc=story.hers[0].isrc, use="discovery", company="charlie", at=now())


def test_a_position_is_settled_once_something_later_is_recorded(story: Story) -> None:
    moment = now()
    assert not ledger.position_at(moment).settled
    says(story, "deny")
    settled = ledger.position_at(moment)
    assert settled.settled
    for seq in (1, settled.seq // 2, settled.seq):
        at = LedgerEntry.objects.get(seq=seq).recorded_at
        found = ledger.position_at(at)
        last = LedgerEntry.objects.filter(recorded_at__lte=at).latest("seq")
        assert (found.seq, found.settled) == (last.seq, True)
    first = LedgerEntry.objects.get(seq=1).recorded_at
    assert ledger.position_at(first - timedelta(microseconds=1)).seq == 0


def something_happens(story: Story, dice: random.Random) -> None:
    """A random later fact of any kind that a decision reads."""
    what = dice.randrange(8)
    if what < 4:
        answers(story, 2, seed=dice.randrange(10**6))
        answer_permission(
            by=None,
            artist=dice.choice([story.maren, story.aoi]),
            use="discovery",
            stance=dice.choice(["allow", "allow", "deny"]),
        )
    elif what == 4:
        suspend_tool(by=None, tool=story.tidesmith)
        if dice.random() < 0.7:
            resume_tool(by=None, tool=story.tidesmith)
    elif what == 5:
        featured = [story.tides] if dice.random() < 0.5 else []
        change_identity(by=None, recording=dice.choice(story.hers), featured=featured)
    elif what == 6:
        claim = make_claim(
            by=None,
            party=register_party(by=None, kind=PartyKind.COMPANY, name="Kestrel Music"),
            right=dice.choice([Right.MASTER, Right.PUBLISHING]),
            authority=Authority.CONTRACT,
            recording=dice.choice([*story.hers, *story.aois]),
        )
        if dice.random() < 0.9:
            end_claim(by=None, claim=claim.claim)
    else:
        suspended = dice.random() < 0.5
        change_party_state(by=None, party=story.maren.party, suspended=suspended)


def test_answers_about_the_past_never_change_as_the_ledger_grows(story: Story) -> None:
    dice = random.Random(11)
    given: list[tuple[dict[str, Any], tuple[Decision, ...]]] = []
    for _ in range(40):
        something_happens(story, dice)
        moment = now()
        recording = dice.choice([*story.hers, *story.aois])
        question: dict[str, Any] = {
            "isrc": recording.isrc,
            "use": dice.choice(["generative_training", "discovery", "discovery"]),
            "company": "tonewright",
            "at": moment - timedelta(milliseconds=dice.choice([0, 0, 40, 400])),
            "territory": dice.choice([None, "NO", "DE"]),
        }
        if dice.random() < 0.5:
            question["known_seq"] = dice.randrange(ledger.head() // 2, ledger.head() + 1)
        answered = what_was_allowed(**question)
        question["known_seq"] = answered.known_seq
        given.append((question, tuple(each.decision for each in answered.tools)))
    erase_subject(by=None, subject=story.aoi.party.ref, reason_code="objection")
    answer_permission(
        by=None,
        artist=story.maren,
        use="discovery",
        stance="deny",
        scope=Scope(tool=story.tidesmith),
    )
    for question, decisions in given:
        again = what_was_allowed(**question)
        assert tuple(each.decision for each in again.tools) == decisions
        moment = question["at"]
        if ledger.position_at(moment).settled and question["known_seq"] >= (
            ledger.position_at(moment).seq
        ):
            # Knowing more later says nothing else about then.
            fresh = what_was_allowed(**{**question, "known_seq": ledger.head()})
            assert [t.decision.allowed for t in fresh.tools] == [d.allowed for d in decisions]
    assert {d.allowed for _question, decisions in given for d in decisions} == {True, False}
