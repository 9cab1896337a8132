"""Whoever is heard on a recording and not billed has a say in her voice there, and in no other use.

The rule stands in the services: no form, no list and no machine gets round it.
"""

from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection

from consent.decisions import Code, Decision, Reason, Verdict
from consent.discretion import heard_by
from consent.errors import Refused
from consent.models import Act, Artist, Permission, Recording
from consent.queries.voices import (
    OF_A_VOICE,
    asked_about,
    billed_on,
    heard_alone,
    heard_page,
    say_in,
)
from consent.scopes import Scope
from consent.services.permissions import (
    answer_permission,
    answer_recordings,
    answer_request,
    clear_permission,
)
from consent.services.recordings import change_identity
from consent.services.requests import ask_permission
from consent.words import UseKind
from tests.consent import build
from tests.consent.build import in_days

pytestmark = pytest.mark.django_db

OTHERS = [use for use in UseKind if use != UseKind.VOICE]


@pytest.fixture
def maren() -> Artist:
    return build.an_artist()


@pytest.fixture
def aoi() -> Artist:
    return build.an_artist("Aoi Tanaka")


@pytest.fixture
def song(maren: Artist, aoi: Artist) -> Recording:
    """By Maren; the voice on it is Aoi's."""
    return build.a_recording(maren, voices=[aoi])


def says(artist: Artist, use: str, stance: str, song: Recording, **more: Any) -> Permission:
    if use in ("voice", "name_image") and stance == "allow":
        more["valid_until"] = in_days(30)
    return answer_permission(
        by=None, artist=artist, use=use, stance=stance, scope=Scope(recording=song), **more
    ).permission


def says_of(artist: Artist, use: str, songs: Sequence[Recording]) -> Act | None:
    return answer_recordings(
        by=None, artist=artist, use=use, stance="deny", recordings=[one.pk for one in songs]
    )


def test_her_say_is_in_what_is_made_of_voices() -> None:
    assert OF_A_VOICE == (UseKind.VOICE,)


@pytest.mark.parametrize("stance", ["allow", "deny", "ask", "undecided"])
def test_she_answers_for_her_voice_on_one_recording(
    aoi: Artist, song: Recording, stance: str
) -> None:
    assert says(aoi, "voice", stance, song).recording == song


@pytest.mark.parametrize("stance", ["allow", "deny"])
@pytest.mark.parametrize("use", OTHERS)
def test_an_answer_to_another_use_is_refused_with_a_sentence(
    aoi: Artist, song: Recording, use: str, stance: str
) -> None:
    with pytest.raises(Refused, match="not_billed") as refusal:
        says(aoi, use, stance, song)
    assert "decided by those who are billed" in refusal.value.sentence
    assert not Permission.objects.exists()


def test_one_answer_for_many_is_refused_likewise(maren: Artist, aoi: Artist) -> None:
    songs = build.some_recordings(2, maren, voices=[aoi])
    own = build.a_recording(aoi)
    act = says_of(aoi, "voice", [*songs, own])
    assert act is not None and act.entries == 3
    with pytest.raises(Refused, match="not_billed"):
        says_of(aoi, "discovery", [*songs, own])
    with pytest.raises(Refused, match="not_hers"):
        says_of(aoi, "voice", [*songs, build.a_recording(maren)])


@pytest.mark.parametrize("use", UseKind.values)
def test_nobody_answers_for_a_recording_that_she_has_no_part_in(
    maren: Artist, aoi: Artist, use: str
) -> None:
    with pytest.raises(Refused, match="not_hers") as refusal:
        says(aoi, use, "deny", build.a_recording(maren))
    assert "neither billed nor heard" in refusal.value.sentence


def test_whoever_is_billed_answers_for_everything_though_another_sings(
    maren: Artist, song: Recording
) -> None:
    for use in UseKind:
        assert says(maren, use, "deny", song).recording == song


def test_a_say_ends_with_the_act_that_takes_the_voice_off(aoi: Artist, song: Recording) -> None:
    given = says(aoi, "voice", "allow", song)
    change_identity(by=None, recording=song, voices=[])
    assert say_in(aoi, song.isrc) is None
    assert heard_alone(aoi.pk) == []
    with pytest.raises(Refused, match="not_hers"):
        says(aoi, "voice", "deny", song)
    assert list(Permission.objects.filter(artist=aoi)) == [given], "what she said stays"
    back = clear_permission(by=None, artist=aoi, use="voice", scope=Scope(recording=song))
    assert back is not None, "and she can take it back"
    change_identity(by=None, recording=song, voices=[aoi.party])
    assert heard_alone(aoi.pk) == [song.pk]


def test_whoever_comes_to_be_billed_is_heard_alone_no_more(aoi: Artist, song: Recording) -> None:
    say = say_in(aoi, song.isrc)
    assert say is not None and (say.billed, say.uses) == (False, OF_A_VOICE)
    change_identity(by=None, recording=song, featured=[aoi])
    say = say_in(aoi, song.isrc)
    assert say is not None and (say.billed, say.uses) == (True, tuple(UseKind))
    assert heard_alone(aoi.pk) == []


def test_a_no_to_a_question_is_taken_whatever_became_of_the_voice(
    aoi: Artist, song: Recording
) -> None:
    tool = build.a_tool(build.a_company())
    asked = ask_permission(
        tool=tool, use="voice", why="To sing.", isrc=song.isrc, valid_until=in_days(60)
    )
    [request] = asked.requests
    assert request.artist == aoi
    change_identity(by=None, recording=song, voices=[])
    with pytest.raises(Refused, match="not_hers"):
        answer_request(by=None, request=request, stance="allow")
    assert answer_request(by=None, request=request, stance="deny").state == "refused"


def test_the_list_has_what_she_is_heard_on_by_title_and_who_is_billed(
    maren: Artist, aoi: Artist, song: Recording
) -> None:
    early = build.a_recording(maren, featured=[build.an_artist("Sol")], voices=[aoi], title="Alba")
    build.a_recording(aoi, voices=[aoi], title="Bris")
    build.a_recording(maren, voices=[maren], title="Dis")
    page = heard_page(aoi)
    assert [row.recording for row in page.rows] == [early, song]
    assert (page.total, page.after) == (2, "")
    names = [artist.party.name for artist in billed_on([early.pk])[early.pk]]
    assert names == ["Maren Holt", "Sol"]
    assert [row.recording for row in heard_page(aoi, search="alb").rows] == [early]
    first = heard_page(aoi, size=1)
    assert [row.recording for row in heard_page(aoi, size=1, after=first.after).rows] == [song]
    assert asked_about(aoi, "voice", [early.pk, song.pk]).keys() == {early.pk, song.pk}


def test_they_are_found_by_an_index_of_voices_that_are_not_billed(aoi: Artist) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT recording_id FROM consent_recordingidentity"
            " WHERE unbilled_voices(voices, main_artists, featured_artists) @> ARRAY[%s::bigint]",
            [aoi.pk],
        )
        plan = "\n".join(row for (row,) in cursor.fetchall())
    assert "unbilled_voices_of_recordings" in plan


def test_to_who_is_only_heard_a_suspended_holder_is_one_that_has_not_licensed_it() -> None:
    maren, aoi = 1, 2
    hers = Reason(Code.ARTIST_ALLOWS, Verdict.YES, aoi, seq=9)

    def holder(code: Code, party: int, seq: int = 5) -> Reason:
        return Reason(code, Verdict.NO, party, "master", "own", seq)

    def told(*reasons: Reason) -> tuple[Reason, ...]:
        return heard_by(Decision(False, reasons, 9), aoi).reasons

    none = told(holder(Code.NO_LICENCE, maren), hers)
    assert told(holder(Code.HOLDER_SUSPENDED, maren), hers) == none
    twice = (holder(Code.HOLDER_SUSPENDED, maren), holder(Code.HOLDER_SUSPENDED, maren, 6))
    assert told(*twice, hers) == none
    own = (holder(Code.HOLDER_SUSPENDED, aoi), hers)
    assert told(*own) == own, "of herself she is told"
