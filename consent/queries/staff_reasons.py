"""Why staff took an answer out of force: opened from beside the ledger, for who may read it."""

import uuid
from collections.abc import Collection

from consent.models import LedgerPersonal
from consent.vault import unseal_each
from consent.words import Way

_KINDS = [f"permission.{way}" for way in (Way.REVOKED, Way.INVALIDATED)]


def reasons_given(acts: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The reason of each of these acts that was the staff's; none after an erasure.

    Two queries at most, none when there is nothing to ask.
    """
    if not acts:
        return {}
    rows = list(
        LedgerPersonal.objects.filter(entry__act__in=acts, entry__kind__in=_KINDS).values_list(
            "entry__act", "subject", "sealed"
        )
    )
    opened = unseal_each([(subject, bytes(sealed)) for _act, subject, sealed in rows])
    return {
        act: str(found[1].get("reason", ""))
        for (act, _subject, _sealed), found in zip(rows, opened, strict=True)
        if found is not None
    }


def is_by_staff(kind: str) -> bool:
    """Is an act of this kind the staff's?"""
    return kind in _KINDS
