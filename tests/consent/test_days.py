"""The day on which a term ends is the same for everybody who reads it."""

from datetime import UTC, date, datetime

import pytest
from django.utils import timezone

from consent import days

NEW_YEAR = date(2028, 1, 1)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "Europe/Lisbon", "Europe/Oslo", "America/New_York"])
def test_a_day_that_was_chosen_is_read_as_that_day_in_every_zone(zone: str) -> None:
    with timezone.override(zone):
        assert days.last_day(days.end(NEW_YEAR)) == NEW_YEAR
        assert days.first_day(days.beginning(NEW_YEAR)) == NEW_YEAR


def test_an_end_at_midnight_is_that_of_the_day_before() -> None:
    midnight = datetime(2028, 1, 1, tzinfo=UTC)
    assert days.last_day(midnight) == date(2027, 12, 31)
    assert days.first_day(midnight) == NEW_YEAR


@pytest.mark.parametrize(
    ("zone", "begins", "ends"),
    [
        ("UTC", False, False),
        ("Europe/Oslo", False, True),
        ("America/New_York", True, False),
    ],
)
def test_a_reader_learns_where_it_is_another_day_for_her(
    zone: str, begins: bool, ends: bool
) -> None:
    with timezone.override(zone):
        assert days.begins_elsewhere(days.beginning(NEW_YEAR)) is begins
        assert days.ends_elsewhere(days.end(NEW_YEAR)) is ends
