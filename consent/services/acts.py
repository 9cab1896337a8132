"""What every act has in common: its row, who did it, and that the same act happens once."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import connection

from consent.models import Act, Artist

if TYPE_CHECKING:
    from portal.models import User


def open_act(
    *,
    by: "User | None",
    kind: str,
    at: datetime,
    entries: int,
    artist: Artist | None = None,
    role: str = "",
    summary: dict[str, Any] | None = None,
) -> Act:
    """Write the row of an act that will have `entries` ledger entries. It never changes again."""
    return Act.objects.create(
        by=by,
        kind=kind,
        artist=artist,
        role=role,
        summary=summary or {},
        entries=entries,
        created_at=at,
    )


def ref_of(by: "User | None") -> str | None:
    """The pseudonym that a leaf knows a person by; None for a machine client."""
    return None if by is None else str(by.ref)


def take_turn(*key: object) -> None:
    """Let one writer at a time handle `key`, until the transaction ends.

    For what has no row to lock yet, so that of two first writers the second finds the first's.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            ["\x1f".join(str(part) for part in key)],
        )
