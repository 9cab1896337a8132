"""What the permission pages count, group by group, against every recording asked one by one."""

import os
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent.decisions import Decision, Reason, Verdict
from consent.discretion import PERSONAL, seen_by
from consent.licence_terms import Terms
from consent.models import Artist, Licence
from consent.queries.decision import Ask, decide_many
from consent.queries.effective import UseView, explain_groups, groups_of, tools_for, uses_of
from consent.scopes import Scope
from consent.sentences import sentence_of
from consent.services.licences import supersede_licence
from consent.services.permissions import answer_permission, clear_permission
from consent.services.recordings import change_identity
from consent.words import UseKind
from tests.consent.book import USES, Book, a_book
from tests.consent.build import (
    a_company,
    a_label,
    a_licence,
    a_tool,
    an_artist,
    in_days,
    own_repertoire,
    some_recordings,
)
from tests.consent.strategies import Choices

pytestmark = pytest.mark.django_db

SOAK = os.environ.get("LINER_TEST_SOAK") == "1"


@settings(
    deadline=None,
    max_examples=300 if SOAK else 8,
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(st.binary(min_size=24, max_size=24).map(Choices), min_size=8, max_size=24))
def test_every_count_is_what_asking_for_each_recording_gives(life: list[Choices]) -> None:
    with transaction.atomic():
        book = a_book()
        story = [book.act(source) for source in life]
        for artist in (book.maren, book.aoi):
            _check(book, artist, story)
        transaction.set_rollback(True)


def _check(book: Book, artist: Artist, story: list[str]) -> None:
    hers = [s for s in book.songs if artist.pk in sum(book.billing[s.pk], ())]
    found = tools_for(artist)
    assert sum(g.recordings for g in groups_of(artist, found.listing)) == len(hers)
    shown = {view.use: view for view in uses_of(artist)}
    asks = [Ask(s.isrc, use, t.slug) for use in UseKind for t in book.tools for s in hers]
    decided = {
        (ask.use, ask.tool, ask.isrc): decision
        for ask, decision in zip(asks, decide_many(asks).decisions, strict=True)
    }
    allowed = {key for key, decision in decided.items() if decision.allowed}
    for use, view in shown.items():
        assert view.recordings == len(hers)
        counted = {t.tool.slug: t.allowed for t in view.tools}
        expected = Counter(tool for u, tool, _ in allowed if u == use)
        for tool in book.tools:
            assert counted.get(tool.slug, 0) == expected[tool.slug], (artist, use, tool, story)
        assert view.allowed == len({isrc for u, _, isrc in allowed if u == use})
        assert view.stance == _stance(book, artist, use)
        against = {
            s.isrc: [
                _against(seen_by(decided[use, t.tool.slug, s.isrc], (artist.pk,)))
                for t in view.tools
            ]
            for s in hers
        }
        _check_reasons(artist, view, against, story)
        tool = book.tools[len(story) % len(book.tools)]
        alike = explain_groups(artist, use=use, tool=tool)
        assert sum(a.recordings for a in alike) == len(hers)
        assert sum(a.recordings for a in alike if a.allowed) == expected[tool.slug]


def _against(decision: Decision) -> tuple[Reason, ...]:
    found = [replace(r, seq=None) for r in decision.reasons if r.verdict is Verdict.NO]
    return tuple(dict.fromkeys(found))


def _has_todo(reason: Reason, artist: Artist) -> bool:
    others = reason.code in PERSONAL and reason.party != artist.pk
    return bool(sentence_of(reason.code, others=others).todo)


def _check_reasons(
    artist: Artist, view: UseView, against: dict[str, list[tuple[Reason, ...]]], story: list[str]
) -> None:
    """What is missing, and what stands most in the way, for as many recordings as it is true of.

    `against` has, by ISRC, the reasons against each tool of the view.
    """
    missing = Counter(
        reason
        for tools in against.values()
        for reason in {r for reasons in tools for r in reasons if _has_todo(r, artist)}
    )
    shown = Counter((gap.step.code, gap.step.party, gap.recordings) for gap in view.missing)
    assert shown == Counter((r.code, r.party, n) for r, n in missing.items()), (view.use, story)
    nearest = Counter(
        reason
        for tools in against.values()
        if tools and all(tools)
        for reason in min(tools, key=len)
    )
    main, number = view.main_reason, view.main_reason_recordings
    if main is None:
        assert not nearest, (view.use, story)
    else:
        assert (main.code, main.party, number) in {
            (r.code, r.party, n) for r, n in nearest.items()
        }, (view.use, story)


def _stance(book: Book, artist: Artist, use: UseKind) -> str:
    """Her general answer for the world, by the book: what speaks now, if it has not ended."""
    rows = book.answers.get((artist.pk, str(use), None, None, None, ()), [])
    known = [r for r in rows if r.begins is None or r.begins <= book.moment]
    if not known:
        return "undecided"
    until = known[-1].says["until"]
    over = until is not None and until <= book.moment + timedelta(seconds=5)
    return "undecided" if over else str(known[-1].says["stance"])


# What asking for each recording once found wrong, as stories


def _allowed(book: Book, artist: Artist, use: str, slug: str) -> int:
    view = next(v for v in uses_of(artist) if v.use == use)
    return next((t.allowed for t in view.tools if t.tool.slug == slug), 0)


def test_what_a_guest_refuses_for_one_recording_is_counted_on_both_pages() -> None:
    book = a_book()
    duet, guest = book.songs[3], book.songs[4]
    assert _allowed(book, book.maren, "discovery", "composer") == 6
    for song in (duet, guest):
        answer_permission(
            by=None,
            artist=book.aoi,
            use="discovery",
            stance="deny",
            scope=Scope(recording=song),
        )
    assert _allowed(book, book.maren, "discovery", "composer") == 4
    assert _allowed(book, book.aoi, "discovery", "composer") == 1
    hers = {v.use: v.exceptions for v in uses_of(book.maren)}
    assert hers[UseKind.DISCOVERY] == 0  # they are Aoi's


def test_an_answer_for_later_hides_neither_the_count_nor_the_answer_of_today() -> None:
    book = a_book()
    first, second = book.songs[:2]
    for song, today in ((first, "deny"), (second, "allow")):
        for stance, begins in ((today, None), ("ask", in_days(3))):
            answer_permission(
                by=None,
                artist=book.maren,
                use="discovery",
                stance=stance,
                scope=Scope(recording=song),
                valid_from=begins,
            )
    answer_permission(
        by=None, artist=book.maren, use="discovery", stance="deny", valid_from=in_days(5)
    )
    assert _allowed(book, book.maren, "discovery", "composer") == 5
    view = next(v for v in uses_of(book.maren) if v.use == "discovery")
    assert (view.stance, view.state) == ("allow", "holds")


def test_a_licence_that_ends_its_list_later_still_lists_today() -> None:
    book = a_book()
    licence = Licence.objects.get(holder=book.fjord, company=book.companies[1])
    some = Terms(uses=USES, catalogue="list", recordings=book.songs[:2])
    supersede_licence(by=None, licence=licence, terms=some)
    assert _allowed(book, book.maren, "discovery", "tidesmith") == 3  # and one of another label
    all_later = Terms(uses=USES, starts_at=in_days(3))
    supersede_licence(by=None, licence=licence, terms=all_later)
    assert _allowed(book, book.maren, "discovery", "tidesmith") == 3


def test_tools_that_only_the_other_artist_of_a_song_licensed_are_shown() -> None:
    maren, aoi, kanal = an_artist(), an_artist("Aoi Tanaka"), a_label("Kanal Forlag")
    company = a_company("quaver")
    tool = a_tool(company, "whisper")
    some_recordings(1, aoi, featured=[maren])
    own_repertoire(aoi)
    a_licence(aoi.party, company, "discovery")
    a_licence(kanal, company, "discovery")
    for artist in (maren, aoi):
        answer_permission(by=None, artist=artist, use="discovery", stance="allow")
    for artist in (maren, aoi):
        assert tool.pk in {t.pk for t in tools_for(artist).tools}
        view = next(v for v in uses_of(artist) if v.use == "discovery")
        assert view.allowed == 1


def test_an_answer_for_a_recording_that_is_hers_no_longer_is_not_counted() -> None:
    book = a_book()
    song = book.songs[0]
    answer_permission(
        by=None, artist=book.maren, use="discovery", stance="deny", scope=Scope(recording=song)
    )
    change_identity(by=None, recording=song, main=[book.aoi])
    view = next(v for v in uses_of(book.maren) if v.use == "discovery")
    assert (view.recordings, view.exceptions) == (5, 0)


def test_what_is_said_of_some_recordings_is_counted_for_that_use_and_tool_alone() -> None:
    book = a_book()
    composer, other = book.tools[:2]
    before = {v.use: [t.allowed for t in v.tools] for v in uses_of(book.maren)}
    for song in book.songs[:2]:  # a third one has the same rights
        answer_permission(
            by=None,
            artist=book.maren,
            use="discovery",
            stance="deny",
            scope=Scope(recording=song, tool=other),
        )
    for view in uses_of(book.maren):
        for shown, number in zip(view.tools, before[view.use], strict=True):
            fewer = view.use == "discovery" and shown.tool == other
            assert shown.allowed == number - (2 if fewer else 0), (view.use, shown.tool.slug)
    assert _allowed(book, book.maren, "discovery", composer.slug) == 6
    assert _allowed(book, book.maren, "discovery", other.slug) == 4
    assert [g.recordings for g in groups_of(book.maren, ()) if not g.bare] == [2]


def test_answers_taken_back_leave_recordings_as_they_were() -> None:
    book = a_book()
    asked = [g.recordings for g in groups_of(book.maren, ())]
    for song in book.songs[:3]:
        about = Scope(recording=song)
        answer_permission(by=None, artist=book.maren, use="style", stance="deny", scope=about)
        clear_permission(by=None, artist=book.maren, use="style", scope=about)
    assert [g.recordings for g in groups_of(book.maren, ())] == asked
    assert all(g.bare for g in groups_of(book.maren, ()))


@pytest.mark.parametrize("first", [0, 1])
def test_answers_for_a_later_day_that_were_replaced_leave_counts_as_they_are(first: int) -> None:
    book = a_book()
    one, other = book.songs[first], book.songs[1 - first]
    for song, said in (
        (one, [("allow", in_days(3)), ("deny", None)]),
        (other, [("deny", None), ("allow", in_days(3))]),
    ):
        for stance, begins in said:
            answer_permission(
                by=None,
                artist=book.maren,
                use="discovery",
                stance=stance,
                scope=Scope(recording=song),
                valid_from=begins,
            )
    _check(book, book.maren, [])
    # What is replaced today speaks again on no day, and what is not speaks on its own.
    asks = [Ask(s.isrc, "discovery", "composer", at=in_days(4)) for s in (one, other)]
    assert [d.allowed for d in decide_many(asks).decisions] == [False, True]
    answer_permission(
        by=None,
        artist=book.maren,
        use="discovery",
        stance="allow",
        scope=Scope(recording=one),
    )
    _check(book, book.maren, [])
