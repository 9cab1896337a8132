"""What the answers in one slot come to.

A slot is a use kind, a scope and a set of territories; its answers are its line, oldest first. The
last of them that has begun speaks.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from consent.models import Permission
from consent.words import Stance, Way


def slot_of(permission: Permission) -> tuple[str, str, tuple[str, ...]]:
    """Use kind, scope and territories."""
    return permission.use, permission.scope, tuple(permission.territories)


def copied(permission: Permission, **changes: Any) -> Permission:
    """A new draft in the same slot, after `permission`."""
    fields = {
        f.attname: getattr(permission, f.attname)
        for f in Permission._meta.concrete_fields
        if f.attname not in ("id", "entry_id", "act_id")
    }
    return Permission(**{**fields, "entry_id": uuid.uuid4(), **changes})


def line_of(permission: Permission) -> list[Permission]:
    """All answers in the slot of this one, oldest first."""
    return list(
        Permission.objects.filter(
            artist=permission.artist_id,
            use=permission.use,
            scope=permission.scope,
            territories=permission.territories,
        ).order_by("id")
    )


def begun(line: Iterable[Permission], at: datetime) -> Permission | None:
    """The answer in a slot that speaks at `at`; `line` is the slot's, oldest first."""
    return next(
        (p for p in reversed(list(line)) if p.valid_from is None or p.valid_from <= at), None
    )


def yes_still(
    permission: Permission | None, at: datetime, replaced: frozenset[tuple[str, int | None]]
) -> Permission | None:
    """The answer, if it is a yes that has not ended, to a text that still means what it meant."""
    if permission is None or permission.stance != Stance.ALLOW:
        return None
    over = permission.valid_until is not None and permission.valid_until <= at
    gone = (permission.use, permission.wording_id) in replaced
    return None if over or gone else permission


def lifts(answer: Permission, before: Permission | None) -> bool:
    """May something be allowed by `answer` that was not, with `before` as the last of its slot?

    By a yes; and by what falls silent, now or when it ends, where a no stood that would have stood
    longer: then a wider yes speaks again.
    """
    if answer.stance == Stance.ALLOW:
        return True
    ends = answer.valid_until
    if answer.way != Way.CLEARED and ends is None:
        return False
    if before is None or before.way == Way.CLEARED:
        return False
    if before.valid_from is None and before.stance == Stance.ALLOW:
        return False
    ended = before.valid_until if before.valid_from is None else None
    return ended is None or ends is None or ended > ends
