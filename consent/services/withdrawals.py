"""What a no sets in motion: every affected AI company is told, and must acknowledge."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consent.clock import now
from consent.decisions import Answer
from consent.errors import NotFound
from consent.models import AICompany, Artist, Permission, Recording, Withdrawal
from consent.queries.withdrawals import Kind, Reach, Said, losses, narrowed, reach_of
from consent.services.ledger import Leaf, Recorded, record
from consent.words import Stance

if TYPE_CHECKING:
    from portal.models import User

ACKNOWLEDGE_WITHIN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Stopping:
    """An answer that may take a yes back, with all that it may touch.

    Of an act with many answers, the first that says the same of other recordings stands for all.
    """

    permission: Permission
    reach: Reach


def prepare_withdrawals(*, artist: Artist, permissions: Sequence[Permission]) -> list[Stopping]:
    """Gather what these answers may touch, before they are written.

    It is the slow part, and is done before the act takes its place in the ledger, where everybody
    else would wait for it. Three queries for each scope in the act; a yes takes nothing back. Where
    she has rights of thousands of kinds, those are picked that matter, with two queries more.
    """
    first: dict[tuple[object, ...], Permission] = {}
    recordings: dict[tuple[object, ...], list[int]] = {}
    for p in permissions:
        if p.stance == Stance.ALLOW:
            continue
        one = p.recording_id is not None
        key = (p.use, p.company_id, p.tool_id, tuple(p.territories), p.valid_from, one)
        first.setdefault(key, p)
        if p.recording_id is not None:
            recordings.setdefault(key, []).append(p.recording_id)
    stopping = [
        Stopping(
            p,
            reach_of(
                artist,
                Said(
                    use=p.use,
                    company=p.company_id,
                    tool=p.tool_id,
                    territories=tuple(p.territories),
                    recordings=tuple(recordings[key]) if key in recordings else None,
                ),
            ),
        )
        for key, p in first.items()
    ]
    # Where an act says different things, what it comes to is seen only when all of it is said.
    alike = len(stopping) == 1 and all(p.stance != Stance.ALLOW for p in permissions)
    if alike and stopping[0].reach.is_large:
        return [_narrowed(stopping[0], permissions)]
    return stopping


def _narrowed(stopping: Stopping, permissions: Sequence[Permission]) -> Stopping:
    at, reach = now(), stopping.reach
    by_recording = {p.recording_id: p for p in permissions}
    keys: dict[str, int | None] = {}
    if reach.said.recordings is not None:
        examples = [kind.isrc for kind in reach.kinds]
        keys = dict(Recording.objects.filter(isrc__in=examples).values_list("isrc", "pk"))

    def said(kind: Kind) -> Answer:
        p = by_recording[keys.get(kind.isrc)]
        return Answer(
            stance=p.stance,
            seq=0,
            given_at=at,
            way=p.way,
            on_recording=p.recording_id is not None,
            maker="tool" if p.tool_id else "company" if p.company_id else "",
            territories=frozenset(p.territories),
            valid_until=p.valid_until,
            notice_days=p.notice_days,
            took_back_allow=p.took_back_allow,
        )

    begins = max(stopping.permission.valid_from or at, at)
    return Stopping(stopping.permission, narrowed(reach, said, at=begins))


def start_withdrawals(
    *, artist: Artist, stopping: Sequence[Stopping], recorded: Recorded
) -> list[Withdrawal]:
    """Write down who must stop, and until when outputs run off, exactly as `decide` says it.

    Call it after the act is in the ledger: `recorded` says where. A no for later is told now, and
    concerns what would be allowed on its day. Two queries for each of `stopping`, and one more for
    the rows.
    """
    rows: list[Withdrawal] = []
    for one in stopping:
        begins = max(one.permission.valid_from or recorded.at, recorded.at)
        told: set[int] = set()
        for loss in losses(one.reach, at=begins, before=recorded.first_seq - 1):
            if loss.model is None:
                # All its tools without a model version are told of in one.
                if loss.company in told:
                    continue
                told.add(loss.company)
            rows.append(
                Withdrawal(
                    permission=one.permission,
                    artist=artist,
                    company_id=loss.company,
                    model_version_id=loss.model,
                    already_trained=loss.already_trained,
                    outputs_until=loss.outputs_until or begins,
                    acknowledge_by=begins + ACKNOWLEDGE_WITHIN,
                    next_at=recorded.at,
                    created_at=recorded.at,
                )
            )
    return Withdrawal.objects.bulk_create(rows) if rows else []


def acknowledge_withdrawal(*, by: "User | None", company: AICompany, ref: str) -> Withdrawal:
    """An AI company confirms that it has stopped; a second time changes nothing.

    Raises `NotFound` when this company was told no such thing.
    """
    with transaction.atomic():
        row = (
            Withdrawal.objects.select_for_update()
            .select_related("artist__party")
            .filter(ref=ref, company=company)
            .first()
        )
        if row is None:
            raise NotFound("unknown_withdrawal", _("There is no such withdrawal for you."))
        if row.acknowledged_at is not None:
            return row
        row.acknowledged_at = now()
        row.save(update_fields=["acknowledged_at"])
        record(
            uuid.uuid4(),
            [
                Leaf(
                    kind="withdrawal.acknowledged",
                    body={"company": str(company.party.ref), "withdrawal": str(row.ref)},
                )
            ],
        )
        return row
