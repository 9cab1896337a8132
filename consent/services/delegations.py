"""Who may act for whom, as the ledger knows it: granted, and ended."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from consent import clock
from consent.leaves import moment
from consent.models import Act, Artist
from consent.services.acts import open_act, ref_of
from consent.services.ledger import Leaf, record

if TYPE_CHECKING:
    from portal.models import User


@dataclass(frozen=True, slots=True)
class Delegation:
    """One person may act, as `role`, for one party: an artist, or a label's company.

    `ref` names the access it belongs to, and stays the same from grant to end. A person who
    has access to a roster has one delegation for each artist on it. `starts_at` is None where it
    begins with its commit; both moments are UTC.
    """

    ref: uuid.UUID
    user: "User"
    party: uuid.UUID
    role: str
    scopes: tuple[str, ...]
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    roster: uuid.UUID | None = None


def _body(one: Delegation, by: "User | None") -> dict[str, Any]:
    return {
        "by": ref_of(by),
        "delegation": str(one.ref),
        "party": str(one.party),
        "role": one.role,
        "roster": None if one.roster is None else str(one.roster),
        "to": str(one.user.ref),
    }


def open_grant(
    *,
    by: "User | None",
    delegations: Sequence[Delegation],
    artist: Artist | None = None,
    role: str = "",
) -> Act:
    """The act of a grant, for the rows that name it; `grant_delegations` follows, last.

    `role` is as what `by` does it. Without delegations (a roster on which nobody is yet) it is an
    act without leaves.
    """
    return _open("delegation.granted", by, delegations, artist, role)


def open_end(
    *,
    by: "User | None",
    delegations: Sequence[Delegation],
    artist: Artist | None = None,
    role: str = "",
) -> Act:
    """The act of an end, for the rows that name it; `end_delegations` follows, last."""
    return _open("delegation.ended", by, delegations, artist, role)


def _open(
    kind: str,
    by: "User | None",
    delegations: Sequence[Delegation],
    artist: Artist | None,
    role: str,
) -> Act:
    return open_act(
        by=by,
        kind=kind,
        at=clock.now(),
        entries=len(delegations),
        artist=artist,
        role=role,
        summary={
            "to": sorted({str(one.user.ref) for one in delegations}),
            "roles": sorted({one.role for one in delegations}),
        },
    )


@transaction.atomic
def grant_delegations(*, by: "User | None", act: Act, delegations: Sequence[Delegation]) -> None:
    """Write that people may act: one leaf (`delegation.granted`) each, contiguous, in order.

    Call it last in the transaction that grants. Who it is is sealed beside the leaf, so that it
    can be proved, and be forgotten.
    """
    leaves = [
        Leaf(
            "delegation.granted",
            _body(one, by)
            | {
                "from": moment(one.starts_at),
                "scopes": list(one.scopes),
                "until": moment(one.ends_at),
            },
            subject=one.user.ref,
            personal={"email": one.user.email, "name": one.user.name},
        )
        for one in delegations
    ]
    if leaves:
        record(act.ref, leaves)


@transaction.atomic
def end_delegations(*, by: "User | None", act: Act, delegations: Sequence[Delegation]) -> None:
    """Write that people may no longer act: one leaf (`delegation.ended`) each, last as well."""
    leaves = [Leaf("delegation.ended", _body(one, by)) for one in delegations]
    if leaves:
        record(act.ref, leaves)
