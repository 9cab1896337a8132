"""The day on which a term ends is the same for everybody who reads it, and lies within reach."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from consent import days
from consent.errors import Refused

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


LAST_MOMENT = datetime(2199, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
FIRST_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
BIT = timedelta(microseconds=1)


@pytest.mark.parametrize("moment", [None, FIRST_MOMENT, LAST_MOMENT])
def test_a_date_within_reach_is_taken_and_so_is_none(moment: datetime | None) -> None:
    days.check_within_reach(moment, "valid_until")


@pytest.mark.parametrize(
    "moment",
    [
        FIRST_MOMENT - BIT,
        LAST_MOMENT + BIT,
        datetime(1, 1, 1, tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
    ],
)
def test_a_date_out_of_reach_is_refused_at_its_field(moment: datetime) -> None:
    with pytest.raises(Refused) as refused:
        days.check_within_reach(moment, "valid_until")
    assert (refused.value.code, refused.value.field) == ("date_out_of_range", "valid_until")
    assert "2199-12-31" in refused.value.sentence


def test_a_day_out_of_reach_is_refused_as_a_moment_is() -> None:
    days.check_day_within_reach(None, "day")
    days.check_day_within_reach(date(2199, 12, 31), "day")
    for day in (date(1999, 12, 31), date(2200, 1, 1), date.min, date.max):
        with pytest.raises(Refused) as refused:
            days.check_day_within_reach(day, "day")
        assert refused.value.code == "date_out_of_range"


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Oslo"])
@pytest.mark.parametrize("at", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_a_row_at_the_end_of_the_calendar_can_be_read_in_every_zone(
    zone: str, at: datetime
) -> None:
    with timezone.override(zone):
        days.begins_elsewhere(at)
        days.ends_elsewhere(at)
        assert days.first_day(at).year == days.last_day(at).year == at.year
