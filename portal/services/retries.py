"""Work that was given up is tried again, when somebody has seen to what stopped it."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consent.clock import now
from consent.errors import NotFound, Refused, refused_by
from consent.models import WorkRow, WorkState
from consent.services.work import wake
from portal.models import User


@transaction.atomic
def retry_work(*, by: User | None, row: WorkRow) -> WorkRow:
    """Make a row that was given up due again, with all its attempts before it.

    Doing work twice is harmless, so nothing else needs to be asked. Raises `NotFound`, and
    `Refused`: `not_given_up` for a row that is waiting, running or done, or the code of the rule
    that stands against it (an export that was asked for again since).
    """
    found = type(row)._default_manager.select_for_update().filter(pk=row.pk).first()
    if found is None:
        raise NotFound("unknown_work", _("There is no such work."))
    if found.state != WorkState.DEAD:
        raise Refused("not_given_up", _("This was not given up: it needs no second start."))
    found.state = WorkState.WAITING
    found.attempts = 0
    found.next_at = now()
    found.locked_until = None
    try:
        found.validate_constraints()
    except ValidationError as error:
        raise refused_by(error) from error
    found.save(update_fields=["state", "attempts", "next_at", "locked_until"])
    wake(found)
    return found
