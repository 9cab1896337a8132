"""Random lives of a small world, through the services, against a book that is kept by hand.

After every act: what is allowed is what the book says, now, before and later. At the end: every
answer that was ever given comes again, from its ledger position and its moment.
"""

import os
from copy import deepcopy
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from consent.decisions import Decision
from consent.queries.decision import Ask, decide_many, decide_one
from tests.consent.book import MOMENTS, Book, a_book
from tests.consent.strategies import Choices

pytestmark = pytest.mark.django_db

SOAK = os.environ.get("LINER_TEST_SOAK") == "1"

choices = st.binary(min_size=24, max_size=24).map(Choices)


class Life(RuleBasedStateMachine):
    """Acts, and after each of them questions.

    Every life begins with the same book: to open one takes longer than many acts.
    """

    opened: Book

    @initialize()
    def begin(self) -> None:
        self._undone = transaction.atomic()
        self._undone.__enter__()
        self.book = deepcopy(self.opened)
        self.story: list[str] = []
        self.past: list[datetime] = [self.book.moment]
        self.given: list[tuple[list[Ask], int, tuple[datetime, ...], tuple[Decision, ...]]] = []

    @rule(source=choices)
    def something_happens(self, source: Choices) -> None:
        self.story.append(self.book.act(source))
        self.past.append(self.book.moment)

    @rule(source=choices)
    def somebody_asks_many_at_once(self, source: Choices) -> None:
        days = [None, *(self.book.start + timedelta(days=n) for n in MOMENTS)]
        asks = [self.book.ask(source, source.one_of([*days, *self.past[-5:]])) for _ in range(6)]
        answered = decide_many(asks)
        for ask, at, decision in zip(asks, answered.at, answered.decisions, strict=True):
            assert decision.seq == answered.seq
            assert decision.allowed == self.book.expected(ask, at), (ask, self.story)
            self._holds_as_long_as_it_says(ask, at, decision)
        self.given.append((asks, answered.seq, answered.at, answered.decisions))

    def _holds_as_long_as_it_says(self, ask: Ask, at: datetime, decision: Decision) -> None:
        """A yes holds, without any new act, at every moment from `at` to its end."""
        if not decision.allowed or at < self.book.moment:
            return
        for n in range(13):
            later = self.book.start + timedelta(days=n)
            if at < later and (decision.valid_until is None or later < decision.valid_until):
                assert self.book.expected(ask, later), (ask, later, decision, self.story)

    @invariant()
    def every_song_is_answered_by_the_book(self) -> None:
        if not hasattr(self, "book"):
            return
        source = Choices(bytes(range(len(self.story) % 7, 24)))
        asks = []
        for song in self.book.songs:
            ask = self.book.ask(source)
            asks.append(Ask(song.isrc, ask.use, ask.tool, ask.territory, None, ask.model))
        at = self.book.moment
        for ask, decision in zip(asks, decide_many(asks).decisions, strict=True):
            assert decision.allowed == self.book.expected(ask, at), (ask, self.story)
        # One by itself: what others are asked about beside it must not matter.
        alone = asks[len(self.story) % len(asks)]
        assert decide_one(alone).allowed == self.book.expected(alone, at), (alone, self.story)

    def teardown(self) -> None:
        if not hasattr(self, "book"):
            return
        try:
            for n, (asks, seq, moments, decisions) in enumerate(self.given):
                again = [
                    Ask(a.isrc, a.use, a.tool, a.territory, at, a.model)
                    for a, at in zip(asks, moments, strict=True)
                ]
                replayed = decide_many(again, known_seq=seq)
                assert replayed.seq == seq
                assert replayed.decisions == decisions
                # One by itself: what others are asked about beside it must not matter.
                alone = n % len(again)
                assert decide_one(again[alone], known_seq=seq) == decisions[alone]
        finally:
            transaction.set_rollback(True)
            self._undone.__exit__(None, None, None)


def test_what_the_services_write_is_what_the_book_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Life, "opened", a_book(), raising=False)
    run_state_machine_as_test(
        Life,
        settings=settings(
            deadline=None,
            max_examples=500 if SOAK else 6,
            stateful_step_count=60 if SOAK else 40,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        ),
    )
