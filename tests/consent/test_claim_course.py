"""Random lives of one claim, through the services, against the book that is kept by hand."""

import os
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent.models import RightsClaim
from consent.queries.decision import Ask, load
from consent.words import Right
from tests.consent.book import MOMENTS, Book, a_book
from tests.consent.strategies import Choices

pytestmark = pytest.mark.django_db


def test_a_claim_says_on_every_day_what_was_said_of_that_day() -> None:
    book = a_book()
    begun = {claim: list(rows) for claim, rows in book.claims.items()}

    @settings(
        deadline=None,
        max_examples=2_000 if os.environ.get("LINER_TEST_SOAK") == "1" else 60,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.binary(min_size=32, max_size=32))
    def every_life(source: bytes) -> None:
        book.claims = {claim: list(rows) for claim, rows in begun.items()}
        with transaction.atomic():
            try:
                _live(book, Choices(source))
            finally:
                transaction.set_rollback(True)

    every_life()


def _live(book: Book, choose: Choices) -> None:
    song = book.songs[0]
    claim = RightsClaim.objects.get(right=Right.MASTER, recording=song).claim
    ask = Ask(song.isrc, "discovery", book.tools[0].slug)
    for _ in range(5):
        book.do_to_claim(claim, choose)
        for day in (None, *(book.start + timedelta(days=n) for n in MOMENTS)):
            loaded = load([ask], at=day)
            found = [
                {"share_bp": c.share_bp, "valid_until": c.valid_until, "disputed": c.disputed}
                for c in loaded.facts(ask).claims
                if c.right == "master" and (c.valid_until is None or c.valid_until > loaded.at)
            ]
            says = book.said_of_claim(claim, loaded.at)
            expected = [] if says is None else [{name: says[name] for name in SAID}]
            assert found == expected, day


SAID = ("share_bp", "valid_until", "disputed")
