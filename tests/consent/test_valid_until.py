"""How long a yes says that it holds: until the last moment before, with nothing new said."""

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent.decisions import NEEDS, Decision, Facts, Question, decide
from consent.queries.decision import FACTS_NOW, Ask, Loaded, decide_many, decide_one, parameters_now
from tests.consent.book import Book, a_book
from tests.consent.facts import NOW
from tests.consent.model import moments
from tests.consent.strategies import TERRITORIES, Choices, worlds

SOAK = os.environ.get("LINER_TEST_SOAK") == "1"
MOMENT = timedelta(microseconds=1)
FAR = timedelta(days=7_300)
ACTS = 42


@settings(
    deadline=None,
    max_examples=40_000 if SOAK else 1_500,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(worlds(), st.sampled_from(TERRITORIES))
def test_a_yes_is_still_one_a_moment_before_it_says_that_it_ends(
    known: Facts, territory: str | None
) -> None:
    turns = [m - MOMENT for m in moments(known) if m - MOMENT > NOW]
    for use in NEEDS:
        decision = decide(Question(use, NOW, territory), known)
        if not decision.allowed:
            assert decision.valid_until is None
            continue
        until = decision.valid_until or max([NOW, *turns]) + FAR
        assert until > NOW
        for at in (until - MOMENT, *(t for t in turns if t < until)):
            again = decide(Question(use, at, territory), known)
            assert again.allowed, (use, at, decision, again)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(60 if SOAK else 3))
def test_what_is_kept_brings_every_end_that_lies_ahead_and_every_later_beginning(seed: int) -> None:
    """As above, through the services: what was said for later bounds a yes as well as what ends."""
    random = Random(seed)
    yeses = bounded = 0
    with transaction.atomic():
        book = a_book()
        for number in range(ACTS):
            book.act(Choices(random.randbytes(24)))
            if number % 6 == 5:
                for decision in _all_hold(book, random):
                    yeses += 1
                    bounded += decision.valid_until is not None
        transaction.set_rollback(True)
    assert yeses and bounded, "this life shows nothing"


def _all_hold(book: Book, random: Random) -> Iterator[Decision]:
    """The yeses of many questions, each asked again right before its end."""
    asks = [book.ask(Choices(random.randbytes(8))) for _ in range(60)]
    answered = decide_many(asks)
    found = [d.valid_until for d in answered.decisions]
    assert found == [d.valid_until for d in _as_for_machines(asks)]
    assert found == [decide_one(ask).valid_until for ask in asks], "what else is asked says nothing"
    for ask, at, decision in zip(asks, answered.at, answered.decisions, strict=True):
        if not decision.allowed:
            continue
        yield decision
        for later in _before(at, decision.valid_until or at + FAR, book.start):
            again = Ask(ask.isrc, ask.use, ask.tool, ask.territory, later, ask.model)
            [held] = decide_many([again]).decisions
            assert held.allowed, (again, decision, held)


def _before(at: datetime, until: datetime, start: datetime) -> Iterator[datetime]:
    """The last moment before the end, and the days on which a book lets things begin or end."""
    yield until - MOMENT
    for day in (2, 5, 9, 13):
        for moment in (start + timedelta(days=day), start + timedelta(days=day) + MOMENT):
            if at < moment < until:
                yield moment


def _as_for_machines(asks: list[Ask]) -> list[Decision]:
    """The same decisions on the facts that the API brings, which leave out what none reads."""
    found: dict[str, Loaded] = {}
    for ask in asks:
        if ask.use not in found:
            with connection.cursor() as cursor:
                alike = [one for one in asks if one.use == ask.use]
                cursor.execute(f"SELECT {FACTS_NOW}", parameters_now(alike))
                found[ask.use] = Loaded(cursor.fetchone()[0])
    return [found[ask.use].decide(ask) for ask in asks]
