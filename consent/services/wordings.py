"""The texts that people decide on. A changed text is a new version; nothing is carried over."""

import hashlib
import uuid
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from consent.clock import now
from consent.errors import Refused
from consent.models import Wording
from consent.services.ledger import Leaf, record
from consent.words import UseKind

if TYPE_CHECKING:
    from portal.models import User


def publish_wording(*, by: "User | None", use: str, language: str, text: str) -> Wording:
    """Publish the text shown from now on for a use kind, in one language (BCP 47).

    The same text again returns the version that there is. Earlier answers stay tied to the text
    they were given under, and their people are asked again. Raises `Refused`.
    """
    text = text.strip()
    if use not in UseKind.values:
        raise Refused("unknown_use", _("There is no such kind of use."), field="use")
    if not text:
        raise Refused("empty_wording", _("Write the text that people will read."), field="text")
    digest = hashlib.sha256(text.encode()).hexdigest()
    with transaction.atomic():
        last = Wording.objects.filter(use=use, language=language).order_by("-version").first()
        if last is not None and last.digest == digest:
            return last
        number = Wording.objects.filter(use=use).aggregate(n=Max("version"))["n"] or 0
        same = Wording.objects.filter(use=use, version=number, language=language).exists()
        wording = Wording.objects.create(
            use=use,
            language=language,
            # A translation of the newest version has its number; a new text starts a new one.
            version=number + 1 if same or not number else number,
            text=text,
            digest=digest,
            created_at=now(),
        )
        record(
            uuid.uuid4(),
            [
                Leaf(
                    kind="wording.published",
                    body={
                        "by": str(by.ref) if by else None,
                        "digest": digest,
                        "language": language,
                        "use": use,
                        "version": wording.version,
                    },
                )
            ],
        )
        return wording


def current_wordings(language: str) -> dict[str, Wording]:
    """The newest text of each use kind in `language`, or in English where there is none."""
    found: dict[str, Wording] = {}
    for wording in Wording.objects.filter(language__in=[language, "en"]).order_by("version"):
        held = found.get(wording.use)
        if held is None or held.language != language or wording.language == language:
            found[wording.use] = wording
    return found
