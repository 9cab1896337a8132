"""Money that waits because a use was not permitted: who may release it is said above, here how."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consent.clock import now
from consent.errors import Refused
from royalties.models import Allocation, HoldRelease
from royalties.words import HeldBecause

if TYPE_CHECKING:
    from portal.models import User

_BY_ITSELF = {HeldBecause.NO_RATE, HeldBecause.NO_SPLIT, HeldBecause.SPLIT_PENDING}


@transaction.atomic
def release_held_money(
    *, by: "User | None", allocations: Collection[Allocation], reason: str
) -> int:
    """Decide that what was held for uses without permission can be paid; returns how many.

    The next month that is closed pays it, as a released line on each payee's statement. Releasing
    again changes nothing. Raises `Refused`: `hold_reason` without a reason, `not_held` for money
    that is not held, or that waits for a rate or a split and is released when there is one.
    """
    reason = reason.strip()
    if not 1 <= len(reason) <= 500:
        raise Refused("hold_reason", _("Say why this money can be paid."), field="reason")
    if any(not a.held or a.held in _BY_ITSELF for a in allocations):
        raise Refused("not_held", _("This money does not wait for a decision."))
    at = now()
    there = set(HoldRelease.objects.filter(allocation__in=allocations).values_list("pk", flat=True))
    fresh = [a for a in allocations if a.pk not in there]
    HoldRelease.objects.bulk_create(
        [HoldRelease(allocation=a, reason=reason, by=by, at=at) for a in fresh],
        ignore_conflicts=True,
    )
    return len(fresh)
