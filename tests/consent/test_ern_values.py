"""Durations, moments, partial dates and percentages, as XML Schema writes them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.catalogue import values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PT2M28S", 148_000),
        ("PT4M23.583S", 263_583),
        ("PT0.0009S", 0),
        ("PT1H0M0S", 3_600_000),
        ("PT90M", 5_400_000),
        ("P1D", 86_400_000),
        ("P", None),
        ("PT", None),
        ("P1DT", None),
        ("P1Y", None),
        ("-PT1S", None),
        ("PT1.S", None),
        ("PT25H", None),
        ("2:28", None),
        ("", None),
    ],
)
def test_a_duration_is_whole_milliseconds_or_nothing(text: str, expected: int | None) -> None:
    assert values.duration_ms(text) == expected


@settings(deadline=None)  # the machine may be busy
@given(st.integers(0, 86_400_000))
def test_every_duration_up_to_a_day_survives_writing_and_reading(millis: int) -> None:
    seconds, rest = divmod(millis, 1000)
    assert values.duration_ms(f"PT{seconds}.{rest:03d}S") == millis


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-05-17T10:00:00Z", (datetime(2026, 5, 17, 10, tzinfo=UTC), True)),
        ("2026-05-17T10:00:00+02:00", (datetime(2026, 5, 17, 8, tzinfo=UTC), True)),
        ("2026-05-17T10:00:00", (datetime(2026, 5, 17, 10, tzinfo=UTC), False)),
        (
            "2026-05-17T10:00:00.1234567Z",
            (datetime(2026, 5, 17, 10, 0, 0, 123_456, tzinfo=UTC), True),
        ),
        ("2026-05-17", None),
        ("2026-02-30T10:00:00Z", None),
        ("2026-W20-7T10:00:00Z", None),
        ("0001-01-01T00:00:00+01:00", None),
        ("today", None),
    ],
)
def test_a_moment_is_in_utc_and_says_whether_its_zone_was_named(
    text: str, expected: tuple[datetime, bool] | None
) -> None:
    assert values.moment(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026", "2026"),
        ("2026-05", "2026-05"),
        ("2024-02-29", "2024-02-29"),
        ("2026-02-29", None),
        ("2026-13", None),
        ("0000", None),
        ("17.05.2026", None),
        ("２０２６", None),
    ],
)
def test_a_partial_date_is_checked_against_the_calendar(text: str, expected: str | None) -> None:
    assert values.partial_date(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("100", 10_000),
        ("33.33", 3_333),
        ("0.5", 50),
        ("12.5000", 1_250),
        ("33.333", None),
        ("0", None),
        ("100.01", None),
        ("-5", None),
        ("50%", None),
    ],
)
def test_a_percentage_is_exact_basis_points_or_nothing(text: str, expected: int | None) -> None:
    assert values.basis_points(text) == expected


@settings(deadline=None)  # the machine may be busy
@given(st.text(max_size=60))
def test_no_text_makes_a_value_raise(text: str) -> None:
    for read in (
        values.duration_ms,
        values.moment,
        values.partial_date,
        values.basis_points,
        values.whole_number,
        values.year,
        values.flag,
    ):
        read(text)
