"""What leaves say: one function per kind of fact, used to write it and to audit it.

A body holds pseudonymous refs and plain facts only. Because the audit makes the body again from
the row and compares, a row that was changed behind the ledger's back is found.
"""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any


def moment(at: datetime | None) -> str | None:
    """A UTC moment as leaves write it: ISO 8601 with microseconds and a Z."""
    if at is None:
        return None
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def ref(value: uuid.UUID | None) -> str | None:
    """A pseudonymous id as leaves write it."""
    return None if value is None else str(value)


def permission_body(
    *,
    artist: uuid.UUID,
    by: uuid.UUID | None,
    role: str,
    use: str,
    recording: str | None,
    company: uuid.UUID | None,
    tool: uuid.UUID | None,
    stance: str,
    way: str,
    valid_from: datetime | None,
    valid_until: datetime | None,
    territories: Iterable[str],
    notice_days: int | None,
    took_back_allow: bool,
    wording: str | None,
) -> dict[str, Any]:
    """An answer. `recording` is an ISRC, `wording` the SHA-256 of the text that was shown."""
    return {
        "artist": str(artist),
        "by": ref(by),
        "company": ref(company),
        "from": moment(valid_from),
        "notice_days": notice_days,
        "recording": recording,
        "role": role,
        "stance": stance,
        "territories": list(territories),
        "took_back_allow": took_back_allow,
        "tool": ref(tool),
        "until": moment(valid_until),
        "use": use,
        "way": way,
        "wording": wording,
    }
