"""Days of terms: a term begins and ends with a day of UTC, the same for everybody who reads it.

A yes is given in one zone, read in another and kept in a ledger that knows none. A day of the
reader's own would be another day to the next reader, so there is one kind of day for all.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consent.decisions import years_after
from consent.errors import Refused

FIRST_DAY: Final = date(2000, 1, 1)
"""No date that is given lies before this day: nothing was decided here, or used, before it."""

LAST_DAY: Final = date(2199, 12, 31)
"""No date that is given lies after this day. What has no end has none, not the year 9999."""

OUT_OF_RANGE: Final = "date_out_of_range"

_BIT = timedelta(microseconds=1)


def beginning(day: date) -> datetime:
    """The moment at which a term that begins with this day begins."""
    return datetime.combine(day, time.min, UTC)


def end(day: date) -> datetime:
    """The last second of this day, at which a term ends that includes it."""
    return datetime.combine(day, time(23, 59, 59), UTC)


def last_of_years(begins_at: datetime, years: int) -> datetime:
    """The latest end of a term of at most so many `years`: whole days, as periods in law run.

    The day on which it begins is not counted, so it ends with that day's date (Regulation (EEC,
    Euratom) No 1182/71, article 3).
    """
    return end(first_day(years_after(begins_at, years)))


def first_day(begins_at: datetime) -> date:
    """The day with which a term begins."""
    return within_calendar(begins_at).astimezone(UTC).date()


def last_day(ends_at: datetime) -> date:
    """The last day of a term: an end at midnight is that of the day before."""
    return (within_calendar(ends_at) - _BIT).astimezone(UTC).date()


def begins_elsewhere(begins_at: datetime) -> bool:
    """Whether it is another day than `first_day` for the reader of now."""
    return timezone.localtime(within_calendar(begins_at)).date() != first_day(begins_at)


def ends_elsewhere(ends_at: datetime) -> bool:
    """Whether it is another day than `last_day` for the reader of now."""
    return timezone.localtime(within_calendar(ends_at) - _BIT).date() != last_day(ends_at)


def within_reach(moment: datetime) -> bool:
    """Whether a moment lies on a day that may be given: `FIRST_DAY` to `LAST_DAY`, in UTC."""
    return beginning(FIRST_DAY) <= moment <= datetime.combine(LAST_DAY, time.max, UTC)


def check_within_reach(moment: datetime | None, field: str) -> None:
    """Refuse a moment that no date given may be; None, which is no date, passes.

    Called wherever somebody names a date, so that no later sum of days leaves the calendar. Raises
    `Refused` (`date_out_of_range`) about `field`.
    """
    if moment is not None and not within_reach(moment):
        raise out_of_range(field)


def check_day_within_reach(day: date | None, field: str) -> None:
    """The same for a day, which has no zone. Raises `Refused` (`date_out_of_range`)."""
    if day is not None and not FIRST_DAY <= day <= LAST_DAY:
        raise out_of_range(field)


def out_of_range(field: str) -> Refused:
    """What is said of a date that is out of reach."""
    return Refused(
        OUT_OF_RANGE,
        _(
            "A date here lies between %(first)s and %(last)s. What began before, or has no end, "
            "needs no date."
        ),
        field=field,
        params={"first": FIRST_DAY.isoformat(), "last": LAST_DAY.isoformat()},
    )


def within_calendar(moment: datetime) -> datetime:
    """The same moment, or the nearest from which every zone still finds a day.

    For showing what a row says, however it came to say it: a zone is at most a day away from UTC,
    and there is no day after 9999-12-31 and none before 0001-01-01.
    """
    earliest = datetime(1, 1, 3, tzinfo=UTC)
    latest = datetime(9999, 12, 30, tzinfo=UTC)
    return min(max(moment, earliest), latest)
