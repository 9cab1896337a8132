"""Asking: each artist is asked for exactly this; the company learns the answer and nothing else."""

import json
import uuid
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

import pytest

from consent import vault
from consent.clock import now
from consent.days import end
from consent.decisions import years_after
from consent.errors import NotFound, Refused
from consent.leaves import moment
from consent.models import (
    AICompany,
    Artist,
    LedgerEntry,
    LedgerPersonal,
    PermissionRequest,
    RequestState,
    SubjectKey,
    Tool,
)
from consent.queries.decision import Ask, decide_one
from consent.queries.requests import (
    BatchState,
    BatchStatus,
    answered_by,
    batch_status,
    batches_of,
    combined,
    waiting_for,
)
from consent.services.erasure import erase_subject
from consent.services.parties import change_party_state
from consent.services.permissions import answer_request
from consent.services.requests import Asked, ask_permission, take_back_request
from consent.services.tools import suspend_company, suspend_tool
from consent.words import LENT_KINDS, PartyKind
from tests.consent import build
from tests.consent.asking import *  # noqa: F403 - the company that asks, and its tool

pytestmark = pytest.mark.django_db

WHY = "To recommend your songs in a radio that explains why."


@pytest.fixture
def maren() -> Artist:
    return build.an_artist("Maren Holt")


@pytest.fixture
def aoi() -> Artist:
    return build.an_artist("田中葵")


def ask(tool: Tool, **changes: Any) -> Asked:
    return ask_permission(**{"tool": tool, "use": "discovery", "why": WHY, **changes})


def answer(asked: Asked, artist: Artist, stance: str) -> None:
    request = PermissionRequest.objects.get(batch=asked.batch, artist=artist)
    answer_request(by=None, request=request, stance=stance)


def state(company: AICompany, asked: Asked) -> BatchState:
    return batch_status(company, asked.batch).state


def test_everybody_on_a_recording_is_asked_and_nobody_else(
    tool: Tool, maren: Artist, aoi: Artist
) -> None:
    build.an_artist("Charlie")
    recording = build.a_recording(maren, featured=[aoi])
    asked = ask(tool, isrc=recording.isrc)
    assert {r.artist_id for r in asked.requests} == {maren.pk, aoi.pk}
    [row] = waiting_for(maren)
    assert (row.recording, row.tool, row.use, row.why) == (recording, tool, "discovery", WHY)


def test_for_a_voice_those_who_can_be_heard_are_asked_and_never_a_band(
    tool: Tool, maren: Artist
) -> None:
    tides = build.an_artist("The Low Tides", PartyKind.GROUP)
    heard = build.a_recording(tides, voices=[maren])
    unknown = build.a_recording(tides)
    asked = ask(tool, use="voice", isrc=heard.isrc, valid_until=build.in_days(365))
    assert [r.artist_id for r in asked.requests] == [maren.pk]
    with pytest.raises(Refused, match="nobody_to_ask"):
        ask(tool, use="voice", isrc=unknown.isrc, valid_until=build.in_days(365))


def test_a_question_allows_nothing_until_it_is_answered(
    tool: Tool, company: AICompany, maren: Artist
) -> None:
    label = build.a_label()
    recording = build.a_recording(maren, holder=label)
    build.a_licence(label, company, "discovery")
    question = Ask(recording.isrc, "discovery", tool.slug)
    asked = ask(tool, isrc=recording.isrc)
    assert not decide_one(question).allowed
    answer(asked, maren, "undecided")
    assert not decide_one(question).allowed
    answer(asked, maren, "allow")
    assert decide_one(question).allowed


def test_the_why_is_sealed_for_the_artist_and_stands_in_no_leaf(tool: Tool, maren: Artist) -> None:
    asked = ask(tool, artists=[maren])
    entry = LedgerEntry.objects.get(kind="request.made")
    assert WHY not in entry.body
    body = json.loads(entry.body)
    assert (body["artist"], body["tool"]) == (str(maren.party.ref), str(tool.ref))
    assert body["request"] == str(asked.requests[0].ref)
    sealed = LedgerPersonal.objects.get(entry=entry)
    assert sealed.subject == maren.party.ref
    opened = vault.unseal(sealed.subject, bytes(sealed.sealed))
    assert opened is not None
    assert opened[1] == {"why": WHY}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({}, BatchState.WAITS),
        ({"maren": "allow"}, BatchState.WAITS),
        ({"maren": "allow", "aoi": "undecided"}, BatchState.WAITS),
        ({"maren": "allow", "aoi": "allow"}, BatchState.GRANTED),
        ({"maren": "deny"}, BatchState.REFUSED),
        ({"maren": "allow", "aoi": "deny"}, BatchState.REFUSED),
    ],
)
def test_any_no_refuses_and_only_every_yes_grants(
    tool: Tool,
    company: AICompany,
    maren: Artist,
    aoi: Artist,
    answers: dict[str, str],
    expected: BatchState,
) -> None:
    asked = ask(tool, isrc=build.a_recording(maren, aoi).isrc)
    for name, stance in answers.items():
        answer(asked, {"maren": maren, "aoi": aoi}[name], stance)
    status = batch_status(company, asked.batch)
    assert status.state is expected
    assert (status.answered_at is None) == (expected is BatchState.WAITS)


def test_a_company_sees_the_same_of_one_artist_who_waits_as_of_five(
    tool: Tool, company: AICompany, maren: Artist
) -> None:
    band = [build.an_artist(f"Member {n}") for n in range(4)]
    one = batch_status(company, ask(tool, isrc=build.a_recording(maren).isrc).batch)
    five = batch_status(company, ask(tool, isrc=build.a_recording(maren, *band).isrc).batch)
    own = {"batch", "isrc", "asked_at"}
    for field in fields(BatchStatus):
        if field.name not in own:
            assert getattr(one, field.name) == getattr(five, field.name)
    assert "Maren" not in repr(five)
    assert str(maren.party.ref) not in repr(five)


def test_charlie_learns_nothing_of_another_companys_question(tool: Tool, maren: Artist) -> None:
    asked = ask(tool, artists=[maren])
    charlie = build.a_company("charlie")
    with pytest.raises(NotFound, match="unknown_request"):
        batch_status(charlie, asked.batch)
    with pytest.raises(NotFound, match="unknown_request"):
        take_back_request(company=charlie, batch=asked.batch)
    assert batches_of(charlie) == []


def test_the_same_question_while_it_waits_is_the_same_batch(
    tool: Tool, maren: Artist, aoi: Artist
) -> None:
    first = ask(tool, artists=[maren, aoi])
    again = ask(tool, artists=[aoi, maren, aoi])
    assert (again.batch, again.replayed) == (first.batch, True)
    assert ask(tool, artists=[maren]).batch != first.batch
    assert ask(tool, artists=[maren, aoi], use="style").batch != first.batch
    assert LedgerEntry.objects.filter(kind="request.made").count() == 5


def test_after_a_no_she_is_not_asked_for_the_use_again_by_whatever_tool_or_song(
    tool: Tool, company: AICompany, maren: Artist, aoi: Artist
) -> None:
    asked = ask(tool, artists=[maren])
    answer(asked, maren, "deny")
    answered_at = PermissionRequest.objects.get(batch=asked.batch).answered_at
    assert answered_at is not None
    another = build.a_tool(company, "another")
    song = build.a_recording(maren)
    duet = build.a_recording(aoi, featured=[maren])
    again: list[dict[str, Any]] = [
        {"tool": tool, "artists": [maren]},
        {"tool": another, "artists": [maren]},
        {"tool": tool, "isrc": song.isrc},
        {"tool": another, "isrc": duet.isrc},
        {"tool": tool, "artists": [maren], "valid_until": build.in_days(30)},
        {"tool": tool, "artists": [aoi, maren]},
    ]
    for question in again:
        with pytest.raises(Refused, match="asked_recently") as refused:
            ask(**question)
        assert refused.value.params == {"again_at": moment(answered_at + timedelta(days=90))}
    assert PermissionRequest.objects.count() == 1
    ask(another, artists=[maren], use="style")
    ask(tool, artists=[aoi])
    ask(build.a_tool(build.a_company("charlie"), "charlies"), artists=[maren])
    PermissionRequest.objects.filter(batch=asked.batch).update(
        answered_at=now() - timedelta(days=91)
    )
    assert not ask(tool, artists=[maren]).replayed


def test_the_quiet_after_a_no_does_not_say_whose_no_it_was(
    tool: Tool, maren: Artist, aoi: Artist
) -> None:
    answer(ask(tool, isrc=build.a_recording(maren, aoi).isrc), maren, "deny")
    said = []
    for artist in (maren, aoi):
        with pytest.raises(Refused) as refused:
            ask(tool, artists=[artist])
        said.append((refused.value.code, refused.value.sentence))
    assert said[0] == said[1]


def test_a_yes_or_a_later_opens_no_quiet_period(tool: Tool, maren: Artist) -> None:
    for number, stance in enumerate(("allow", "undecided")):
        song = build.a_recording(maren, title=f"Song {number}")
        answer(ask(tool, isrc=song.isrc), maren, stance)
    assert not ask(tool, isrc=build.a_recording(maren).isrc).replayed


def test_at_most_five_questions_of_a_company_wait_for_one_artist(
    tool: Tool, company: AICompany, maren: Artist, aoi: Artist
) -> None:
    songs = [build.a_recording(maren, title=f"Song {n}") for n in range(6)]
    asked = [ask(tool, isrc=song.isrc) for song in songs[:5]]
    answer(asked[0], maren, "undecided")  # later: it waits still
    for another in (tool, build.a_tool(company, "another")):
        for use in ("discovery", "style"):
            with pytest.raises(Refused, match="too_many_waiting"):
                ask(another, isrc=songs[5].isrc, use=use)
    with pytest.raises(Refused, match="too_many_waiting"):
        ask(tool, artists=[aoi, maren], use="style")
    assert ask(tool, isrc=songs[4].isrc).replayed
    assert len(waiting_for(maren)) == 5
    ask(tool, artists=[aoi])
    ask(build.a_tool(build.a_company("charlie"), "charlies"), artists=[maren])
    answer(asked[1], maren, "allow")
    assert not ask(tool, isrc=songs[5].isrc).replayed


def test_a_question_taken_back_counts_for_a_week_as_she_was_told_of_it(
    tool: Tool, company: AICompany, maren: Artist
) -> None:
    for _again in range(5):
        take_back_request(company=company, batch=ask(tool, artists=[maren]).batch)
    with pytest.raises(Refused, match="too_many_waiting"):
        ask(tool, artists=[maren])
    PermissionRequest.objects.update(created_at=now() - timedelta(days=8))
    assert not ask(tool, artists=[maren]).replayed


def test_what_is_taken_back_need_not_be_answered_and_what_was_answered_stays(
    tool: Tool, company: AICompany, maren: Artist, aoi: Artist
) -> None:
    asked = ask(tool, artists=[maren, aoi])
    answer(asked, maren, "allow")
    take_back_request(company=company, batch=asked.batch)
    take_back_request(company=company, batch=asked.batch)
    assert state(company, asked) is BatchState.TAKEN_BACK
    assert not waiting_for(aoi)
    assert [r.state for r in answered_by(maren)] == [RequestState.GRANTED]
    assert LedgerEntry.objects.filter(kind="request.taken_back").count() == 1
    with pytest.raises(Refused, match="answered_already"):
        answer(asked, aoi, "allow")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"use": "teleport"}, "unknown_use"),
        ({"why": "  "}, "why"),
        ({"why": "x" * 2_001}, "why"),
        ({"isrc": "nonsense"}, "isrc"),
        ({"isrc": "NOZZZ2400001"}, "unknown_recording"),
        ({"isrc": ""}, "scope"),
        ({"valid_from": timedelta(days=-1)}, "from_in_past"),
        ({"valid_until": timedelta(days=-1)}, "until_in_past"),
        (
            {"valid_from": timedelta(days=3), "valid_until": timedelta(days=2)},
            "until_before_from",
        ),
        ({"use": "voice"}, "voice_needs_end"),
        ({"use": "voice", "valid_until": timedelta(days=3_660)}, "voice_too_long"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_and_nobody_is_asked(
    tool: Tool, maren: Artist, changes: dict[str, Any], code: str
) -> None:
    at = now()
    moments = {k: at + v if isinstance(v, timedelta) else v for k, v in changes.items()}
    with pytest.raises(Refused, match=code):
        ask(tool, **{"isrc": build.a_recording(maren).isrc, **moments})
    assert not PermissionRequest.objects.exists()
    assert not LedgerEntry.objects.filter(kind="request.made").exists()


def in_years(years: int, **more: int) -> datetime:
    """The last second of this day's date so many years from now, as a page sends a last day."""
    return end(years_after(now(), years).date()) + timedelta(**more)


@pytest.mark.parametrize("use", LENT_KINDS)
def test_a_likeness_is_asked_for_until_the_same_date_in_ten_years_and_not_a_second_longer(
    tool: Tool, maren: Artist, use: str
) -> None:
    with pytest.raises(Refused, match="voice_too_long"):
        ask(tool, use=use, artists=[maren], valid_until=in_years(10, seconds=1))
    ask(tool, use=use, artists=[maren], valid_until=in_years(10))


@pytest.mark.parametrize("use", LENT_KINDS)
def test_a_minors_likeness_is_asked_for_five_years_at_most_and_not_told_why(
    tool: Tool, maren: Artist, aoi: Artist, use: str
) -> None:
    change_party_state(by=None, party=aoi.party, is_minor=True)
    song = build.a_recording(maren, aoi, voices=[maren, aoi]).isrc
    too_long = in_years(5, seconds=1)
    asked: dict[str, Any]
    for asked in ({"artists": [aoi]}, {"artists": [maren, aoi]}, {"isrc": song}):
        with pytest.raises(Refused, match="voice_too_long") as refused:
            ask(tool, use=use, valid_until=too_long, **asked)
        assert "minor" not in str(refused.value.sentence)
    later = {"valid_from": build.in_days(400), "valid_until": in_years(6)}
    with pytest.raises(Refused, match="voice_too_long"):  # it counts from the yes, not the start
        ask(tool, use=use, artists=[aoi], **later)
    assert not PermissionRequest.objects.exists()
    ask(tool, use=use, artists=[aoi], valid_until=in_years(5))
    ask(tool, use=use, artists=[maren], valid_until=in_years(10))
    ask(tool, artists=[aoi], valid_until=in_years(20))  # what is no likeness has no such bound


def test_a_guardian_can_say_yes_to_what_was_asked_of_a_minor(tool: Tool, maren: Artist) -> None:
    kari = build.an_artist("Kari Holt")
    change_party_state(by=None, party=maren.party, is_minor=True, guardian=kari.party)
    until = years_after(now(), 5)
    [request] = ask(tool, use="voice", artists=[maren], valid_until=until).requests
    given = answer_request(by=None, request=request, stance="allow", role="guardian")
    assert given.permission is not None
    assert given.permission.valid_until == until


def test_whoever_was_erased_is_asked_nothing_and_the_others_of_a_recording_are(
    tool: Tool, maren: Artist, aoi: Artist
) -> None:
    together, alone = build.a_recording(maren, aoi), build.a_recording(maren)
    erase_subject(by=None, subject=maren.party.ref, reason_code="objection")
    asked: dict[str, Any]
    for asked in ({"artists": [maren]}, {"artists": [maren, aoi]}, {"isrc": alone.isrc}):
        with pytest.raises(Refused, match="nobody_to_ask"):
            ask(tool, **asked)
    assert not LedgerEntry.objects.filter(kind="request.made").exists()
    assert not SubjectKey.objects.filter(pk=maren.party.ref).exists()
    assert [r.artist for r in ask(tool, isrc=together.isrc).requests] == [aoi]


def test_a_question_names_a_recording_or_artists_and_not_both(tool: Tool, maren: Artist) -> None:
    with pytest.raises(Refused, match="scope"):
        ask(tool, isrc=build.a_recording(maren).isrc, artists=[maren])
    with pytest.raises(Refused, match="too_many_artists"):
        ask(tool, artists=[build.an_artist(f"Artist {n}") for n in range(101)])


def test_who_is_suspended_asks_nobody(tool: Tool, company: AICompany, maren: Artist) -> None:
    suspend_tool(by=None, tool=tool)
    with pytest.raises(Refused, match="tool_suspended"):
        ask(tool, artists=[maren])
    suspend_company(by=None, company=company)
    with pytest.raises(Refused, match="company_suspended"):
        ask(tool, artists=[maren])


def test_a_companys_questions_are_listed_the_newest_first_in_pages(
    tool: Tool, company: AICompany, maren: Artist, aoi: Artist, django_assert_num_queries: Any
) -> None:
    batches = [
        ask(tool, isrc=build.a_recording(maren, aoi, title=f"Song {n}").isrc).batch
        for n in range(5)
    ]
    with django_assert_num_queries(2):
        first = batches_of(company, most=3)
    with django_assert_num_queries(2):
        rest = batches_of(company, before=first[-1].asked_at, most=3)
    assert [s.batch for s in first + rest] == batches[::-1]


def test_of_many_answers_the_order_does_not_matter() -> None:
    granted, refused, waits = RequestState.GRANTED, RequestState.REFUSED, RequestState.DEFERRED
    for answers in ([granted, refused, waits], [refused, waits, granted]):
        assert combined(answers) is BatchState.REFUSED
    assert combined([granted, waits]) is BatchState.WAITS
    assert combined([RequestState.TAKEN_BACK, granted]) is BatchState.TAKEN_BACK


def test_an_unknown_batch_is_not_found(company: AICompany) -> None:
    with pytest.raises(NotFound):
        batch_status(company, uuid.uuid4())
