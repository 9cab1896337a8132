"""Days of terms: a term begins and ends with a day of UTC, the same for everybody who reads it.

A yes is given in one zone, read in another and kept in a ledger that knows none. A day of the
reader's own would be another day to the next reader, so there is one kind of day for all.
"""

from datetime import UTC, date, datetime, time, timedelta

from django.utils import timezone

_BIT = timedelta(microseconds=1)


def beginning(day: date) -> datetime:
    """The moment at which a term that begins with this day begins."""
    return datetime.combine(day, time.min, UTC)


def end(day: date) -> datetime:
    """The last second of this day, at which a term ends that includes it."""
    return datetime.combine(day, time(23, 59, 59), UTC)


def first_day(begins_at: datetime) -> date:
    """The day with which a term begins."""
    return begins_at.astimezone(UTC).date()


def last_day(ends_at: datetime) -> date:
    """The last day of a term: an end at midnight is that of the day before."""
    return (ends_at - _BIT).astimezone(UTC).date()


def begins_elsewhere(begins_at: datetime) -> bool:
    """Whether it is another day than `first_day` for the reader of now."""
    return timezone.localtime(begins_at).date() != first_day(begins_at)


def ends_elsewhere(ends_at: datetime) -> bool:
    """Whether it is another day than `last_day` for the reader of now."""
    return timezone.localtime(ends_at - _BIT).date() != last_day(ends_at)
