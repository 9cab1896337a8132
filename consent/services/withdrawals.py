"""What a no sets in motion: every affected AI company is told, and must acknowledge."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consent.clock import now
from consent.decisions import Answer
from consent.errors import NotFound
from consent.models import AICompany, Artist, Permission, Withdrawal, Wording
from consent.queries.decision import GUARDIAN
from consent.queries.withdrawals import (
    Reach,
    Said,
    Sayings,
    is_much,
    losses,
    narrowed,
    reach_of,
)
from consent.services.ledger import Leaf, Recorded, record
from consent.words import LENT_KINDS, Stance

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
    """Gather what these answers may touch, before they are written: all of one act, in its order.

    It is the slow part, and is done before the act takes its place in the ledger, where everybody
    else would wait for it. Three queries for each scope in the act; a yes takes nothing back, but
    for one that an undo brings back after its end. Where she has rights of thousands of kinds,
    those are picked that matter, with a query more for each scope.
    """
    first: dict[tuple[object, ...], Permission] = {}
    recordings: dict[tuple[object, ...], list[int]] = {}
    for p in permissions:
        if _is_yes(p):
            continue
        named = p.recording_id is not None
        key = (p.use, p.company_id, p.tool_id, tuple(p.territories), p.valid_from, named)
        first.setdefault(key, p)
        if p.recording_id is not None:
            recordings.setdefault(key, []).append(p.recording_id)
    acts = {use: _Words(permissions, use) for use in {p.use for p in first.values()}}
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
                words=acts[p.use].of,
            ),
        )
        for key, p in first.items()
    ]
    if not is_much(one.reach for one in stopping):
        return stopping
    at = now()
    texts = _texts(permissions)
    found = []
    for one in stopping:
        begins = max(one.permission.valid_from or at, at)
        says = acts[one.permission.use].to(at=at, begins=begins, texts=texts)
        found.append(Stopping(one.permission, narrowed(one.reach, says, at=begins)))
    return found


def _is_yes(p: Permission) -> bool:
    """Is it a yes that allows something? One that is over says: no more."""
    over = p.valid_until is not None and p.valid_until <= p.act.created_at
    return p.stance == Stance.ALLOW and not over


class _Words:
    """All that an act says on one use: what it comes to is seen only when all of it is said.

    `of` are the recordings that it names (keys), with one number for all of which it says the same.
    """

    def __init__(self, permissions: Sequence[Permission], use: str) -> None:
        self._in_general: list[Permission] = []
        by_name: dict[int, list[Permission]] = {}
        for p in permissions:
            if p.use != use:
                continue
            if p.recording_id is None:
                self._in_general.append(p)
            else:
                by_name.setdefault(p.recording_id, []).append(p)
        self._by_words: dict[int, list[Permission]] = {}
        self.of: dict[int, int] = {}
        numbers: dict[tuple[object, ...], int] = {}
        for recording, said in by_name.items():
            number = numbers.setdefault(tuple(map(_said_by, said)), len(numbers) + 1)
            self.of[recording] = number
            self._by_words.setdefault(number, said)

    def to(self, *, at: datetime, begins: datetime, texts: Mapping[int, int]) -> Sayings:
        """What will speak at `begins`, were it written at `at`; `texts` as `_texts` brings them."""

        def says(words: int, company: int, tool: int) -> Iterable[Answer]:
            speaking: dict[tuple[str, tuple[str, ...]], Permission] = {}
            for p in (*self._in_general, *self._by_words.get(words, ())):
                theirs = p.company_id in (None, company) and p.tool_id in (None, tool)
                if theirs and (p.valid_from is None or p.valid_from <= begins):
                    speaking[p.scope, tuple(p.territories)] = p  # the last one in a slot
            return [_answer(p, at, texts) for p in speaking.values()]

        return says


def _said_by(p: Permission) -> tuple[object, ...]:
    """What one answer says of the recording that it names."""
    return (
        p.company_id,
        p.tool_id,
        tuple(p.territories),
        p.stance,
        p.way,
        p.valid_from,
        p.valid_until,
        p.notice_days,
        p.took_back_allow,
        p.wording_id,
    )


def _texts(permissions: Sequence[Permission]) -> dict[int, int]:
    """By key of each wording that a yes among these is tied to, its version."""
    tied = {p.wording_id for p in permissions if p.stance == Stance.ALLOW and p.wording_id}
    return dict(Wording.objects.filter(pk__in=tied).values_list("pk", "version")) if tied else {}


def _answer(p: Permission, at: datetime, texts: Mapping[int, int]) -> Answer:
    """The answer as decisions will read it once it is written, at `at`."""
    lent = p.stance == Stance.ALLOW and p.use in LENT_KINDS
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
        text=texts.get(p.wording_id or 0, 1),
        by_guardian=lent and p.act.role == GUARDIAN,
    )


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
