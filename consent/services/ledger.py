"""Writing to the ledger: the last step of every change that a decision reads."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import rfc8785
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from consent import vault
from consent.errors import Frozen
from consent.models import LedgerAlarm, LedgerPersonal


@dataclass(frozen=True, slots=True)
class Leaf:
    """One ledger entry to be written.

    `body` holds pseudonymous ids and plain facts only. What is personal (a name, an address, free
    text) goes into `personal` with its `subject`: it is sealed beside the ledger, and the leaf
    carries a salted commitment to it.
    """

    kind: str
    body: dict[str, Any]
    id: uuid.UUID = field(default_factory=uuid.uuid4)
    subject: uuid.UUID | None = None
    personal: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    first_seq: int
    at: datetime


def record(act: uuid.UUID, leaves: Sequence[Leaf]) -> Recorded:
    """Append the leaves of one act, contiguous and in order; returns where they begin.

    Call it last: it takes the lock that orders all writers and holds it until commit. Facts point
    at their leaf by its id, so they are written before. Must run inside a transaction.
    """
    bodies = prepared(leaves)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT first_seq, recorded_at FROM ledger_append(%s, %s, %s, %s)",
            [act, [x.id for x in leaves], [x.kind for x in leaves], bodies],
        )
        first_seq, at = cursor.fetchone()
    return Recorded(first_seq, at)


def prepared(leaves: Sequence[Leaf]) -> list[str]:
    """The bodies of leaves that are about to be appended, with what is personal sealed beside."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("a ledger entry commits with its change")
    bodies: list[str] = []
    sealed: list[LedgerPersonal] = []
    for leaf in leaves:
        body = leaf.body
        if leaf.personal is not None and leaf.subject is not None:
            commitment, box = vault.seal(leaf.subject, leaf.personal)
            body = {**body, "personal": commitment}
            sealed.append(LedgerPersonal(entry_id=leaf.id, subject=leaf.subject, sealed=box))
        bodies.append(rfc8785.dumps(body).decode())
    if sealed:
        LedgerPersonal.objects.bulk_create(sealed)
    return bodies


def is_frozen() -> bool:
    """Is an audit alarm open? Then nothing new is allowed; refusals still go through."""
    return LedgerAlarm.objects.filter(cleared_at=None).exists()


def refuse_when_frozen() -> None:
    """Raise `Frozen` while an audit alarm is open: nothing may turn a no into a yes meanwhile."""
    if is_frozen():
        raise Frozen(
            "frozen",
            _("The ledger is being checked. Nothing new is allowed until that is over."),
        )
