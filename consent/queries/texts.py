"""To which text a yes was: one whose meaning was replaced since is a no (docs/decisions/0003)."""

from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Coalesce

from consent.models import Permission, Wording
from consent.words import Stance


def text_replaced() -> Exists:
    """In a query of answers: was the text of this one replaced by one of new meaning since?

    By all that is published now. An answer that names no text counts as to the first. Only of a yes
    does it matter.
    """
    read = Coalesce(OuterRef("wording__version"), 1)
    newer = Wording.objects.annotate(read=read).filter(
        use=OuterRef("use"), means_the_same=False, version__gt=F("read")
    )
    return Exists(newer)


def is_outdated(answer: Permission | None, meant_since: int) -> bool:
    """Is this a yes to a text older than version `meant_since`, where what it means began?

    See `consent.queries.decision.Loaded.meant_since`.
    """
    if answer is None or answer.stance != Stance.ALLOW:
        return False
    return (answer.wording.version if answer.wording else 1) < meant_since
