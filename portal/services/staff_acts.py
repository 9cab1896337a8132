"""What staff do, written down with the reason, in the transaction of what it did."""

import uuid

from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from consent.clock import now
from consent.errors import Refused
from consent.models import Party
from consent.vault import seal
from portal.models import StaffAct, User

LONGEST_REASON = 1000


def record_staff_act(
    *,
    by: User,
    action: str,
    thing: Model,
    reason: str,
    label: Party | None = None,
    key: str = "",
    about: str = "",
    subject: uuid.UUID | None = None,
) -> StaffAct:
    """Write down that `by` did `action` to `thing`, and why.

    Call it in the transaction of the service that did it. `label` is the company in whose books it
    was done, if one. `key` and `about` say what the thing is known by (its primary key and its
    text, when empty): a claim has many rows and one name. `about` and the reason are sealed for
    `subject`, the ref of the person or party that they tell of; without one, for `by`.
    Raises `Refused` (`reason_needed`).
    """
    reason = reason.strip()
    if not reason:
        raise Refused("reason_needed", _("Say why you do this."), field="reason")
    whose = subject or by.ref
    said = {"about": (about or str(thing))[:200], "reason": reason[:LONGEST_REASON]}
    _commitment, sealed = seal(whose, said)
    return StaffAct.objects.create(
        at=now(),
        by=by,
        label=label,
        action=action,
        model=thing._meta.label_lower,
        key=key or str(thing.pk),
        subject=whose,
        sealed=sealed,
    )
