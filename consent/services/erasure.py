"""Forgetting a person, in a ledger that forgets nothing.

A leaf knows people by pseudonyms. What is personal lies beside it, sealed with that person's key;
an erasure destroys the key, and with it every salt, so that neither the data nor a link to them can
be had again from here. The leaves and their proofs stay as they are, and that she was forgotten is
itself a leaf.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from consent.clock import now
from consent.errors import NotFound, Refused
from consent.models import (
    Artist,
    Party,
    PartyIdentifier,
    PartyName,
    PermissionRequest,
    SubjectKey,
)
from consent.services.acts import open_act, ref_of
from consent.services.ledger import Leaf, record
from consent.services.parties import ERASED, change_party_state
from consent.words import PartyKind

if TYPE_CHECKING:
    from portal.models import User

ERASED_NAME = "(erased)"

type Eraser = Callable[[uuid.UUID], bool]

_erasers: list[Eraser] = []


class ErasureReason(TextChoices):
    """The grounds of article 17(1) GDPR. A code and nothing else goes into the ledger."""

    NO_LONGER_NEEDED = "no_longer_needed", _("the data are no longer needed")
    CONSENT_WITHDRAWN = "consent_withdrawn", _("the person took her consent back")
    OBJECTION = "objection", _("the person objected")
    UNLAWFUL = "unlawful", _("the data should not have been held")
    LEGAL_DUTY = "legal_duty", _("a law demands it")


@dataclass(frozen=True, slots=True)
class Erased:
    """The leaf that says so."""

    seq: int
    act: uuid.UUID


def erases(eraser: Eraser) -> Eraser:
    """Decorate a function that forgets a person in a storey above.

    It is called with her ref inside the erasure's transaction, replaces or deletes what it holds,
    and returns whether it knew her. What it raises stops the erasure as a whole.
    """
    _erasers.append(eraser)
    return eraser


@transaction.atomic
def erase_subject(*, by: "User | None", subject: uuid.UUID, reason_code: str) -> Erased:
    """Forget the person (or group) whose party or user has the ref `subject`, for good.

    Her key and salts are destroyed, names and identifiers replaced or deleted, here and by every
    `erases` function. An artist is suspended first: what she can no longer see or take back is a
    no from now on. What stays, and why, is in docs/proof.md. Raises `Refused` (`erasure_reason`,
    `not_a_person`) and `NotFound` (`unknown_subject`).
    """
    if reason_code not in ErasureReason.values:
        raise Refused("erasure_reason", _("There is no such reason."), field="reason_code")
    party = Party.objects.select_for_update().filter(ref=subject).first()
    if party is not None and party.kind not in (PartyKind.PERSON, PartyKind.GROUP):
        raise Refused("not_a_person", _("A company has no personal data that could be erased."))
    known = party is not None
    if party is not None:
        change_party_state(by=by, party=party, suspended=True)
    for eraser in _erasers:  # before the names are gone that they have to look for
        known |= eraser(subject)
    if party is not None:
        _forget_party(party)
    keys, _rows = SubjectKey.objects.filter(pk=subject).delete()
    if not (known or keys):
        raise NotFound("unknown_subject", _("There is nobody to forget under this reference."))
    act = open_act(
        by=by,
        kind=ERASED,
        at=now(),
        entries=1,
        summary={"subject": str(subject), "reason": reason_code},
    )
    body = {"by": ref_of(by), "subject": str(subject), "reason": reason_code}
    written = record(act.ref, [Leaf("subject.erased", body)])
    return Erased(written.first_seq, act.ref)


def _forget_party(party: Party) -> None:
    PartyName.objects.filter(party=party).delete()
    PartyIdentifier.objects.filter(party=party).delete()
    # Companies write to artists by name; what they wrote is answered or void by now.
    PermissionRequest.objects.filter(artist=party.pk).update(why="")
    Artist.objects.filter(pk=party.pk).update(slug=f"erased-{party.ref.hex[:12]}")
    party.name, party.language = ERASED_NAME, ""
    party.save(update_fields=["name", "language"])
