"""Publishing the first texts; later ones come by `publish_wording`."""

from typing import TYPE_CHECKING

from django.db import transaction

from consent.first_wordings import TEXTS
from consent.models import Wording
from consent.services.wordings import publish_wording

if TYPE_CHECKING:
    from portal.models import User


@transaction.atomic
def publish_first_wordings(*, by: "User | None") -> list[Wording]:
    """Publish every text of `TEXTS`; those that are published already stay as they are.

    Does nothing for a use kind that has a later text: nobody is asked again by an old one.
    """
    later = set(Wording.objects.filter(version__gt=1).values_list("use", flat=True))
    return [
        publish_wording(by=by, use=use, language=language, text=text)
        for language, texts in TEXTS.items()
        for use, text in texts.items()
        if use not in later
    ]
