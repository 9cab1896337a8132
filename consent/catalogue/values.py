"""The values that XML Schema writes as text: durations, moments, partial dates, percentages.

Each function returns None for a text that is not such a value, and never raises: what a sender
wrote wrongly is reported, not fatal.
"""

import re
from datetime import UTC, date, datetime
from typing import Final

_DURATION: Final = re.compile(
    r"P(?:(?P<days>[0-9]{1,4})D)?"
    r"(?:T(?:(?P<hours>[0-9]{1,6})H)?(?:(?P<minutes>[0-9]{1,8})M)?"
    r"(?:(?P<seconds>[0-9]{1,9})(?:\.(?P<fraction>[0-9]{1,30}))?S)?)?"
)
_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,30})?"
    r"(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?"
)
_PARTIAL_DATE: Final = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_PERCENTAGE: Final = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,2})0*)?")

# A recording of more than a day is a mistake, and PostgreSQL's integer ends at 24 days.
_LONGEST_MS: Final = 24 * 60 * 60 * 1000


def duration_ms(text: str) -> int | None:
    """Milliseconds of an xs:duration such as `PT4M23.583S`, at most a day.

    Years and months have no fixed length and are not accepted; less than a millisecond is
    dropped.
    """
    match = _DURATION.fullmatch(text)
    if match is None or text.endswith(("P", "T")):
        return None
    days, hours, minutes, seconds = (
        int(match[unit] or 0) for unit in ("days", "hours", "minutes", "seconds")
    )
    millis = int(((match["fraction"] or "") + "000")[:3])
    total = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000 + millis
    return total if total <= _LONGEST_MS else None


def moment(text: str) -> tuple[datetime, bool] | None:
    """The moment of an xs:dateTime in UTC, and whether it named its time zone.

    Without a zone it is taken as UTC. Digits beyond microseconds are dropped.
    """
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    try:
        parsed = datetime.fromisoformat(text)
        if match["zone"] is None:
            return parsed.replace(tzinfo=UTC), False
        return parsed.astimezone(UTC), True
    except (ValueError, OverflowError):  # no such day, or before the year 1 in UTC
        return None


def partial_date(text: str) -> str | None:
    """`2024`, `2024-05` or `2024-05-17`, checked against the calendar (ddex_IsoDate)."""
    match = _PARTIAL_DATE.fullmatch(text)
    if match is None:
        return None
    try:
        date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
    except ValueError:
        return None
    return text


def basis_points(text: str) -> int | None:
    """Basis points (1 to 10 000) of a percentage such as `33.33`, exactly or not at all."""
    match = _PERCENTAGE.fullmatch(text)
    if match is None:
        return None
    share = int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))
    return share if 1 <= share <= 10_000 else None


def whole_number(text: str) -> int | None:
    """A whole number from 0 to 32 767, for running orders."""
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) and int(text) <= 32_767 else None


def year(text: str) -> int | None:
    """A year of four digits."""
    return int(text) if re.fullmatch(r"[0-9]{4}", text) else None


def flag(text: str) -> bool | None:
    """An xs:boolean."""
    return {"true": True, "1": True, "false": False, "0": False}.get(text)
