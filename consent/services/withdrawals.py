"""What a no sets in motion: every affected AI company is told, and must acknowledge.

Until all that it took is allowed again: then it is over, and nobody must confirm it any more.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Exists, Min, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from consent.clock import now
from consent.decisions import Answer
from consent.errors import NotFound
from consent.models import Act, AICompany, Artist, Permission, Withdrawal, Wording
from consent.queries.decision import GUARDIAN
from consent.queries.given_back import given_back, taken_by
from consent.queries.withdrawals import (
    MANY,
    Reach,
    Said,
    Sayings,
    is_much,
    losses,
    narrowed,
    reach_of,
)
from consent.services.ledger import Leaf, Recorded, record
from consent.words import LENT_KINDS, Stance, Way

if TYPE_CHECKING:
    from portal.models import User

ACKNOWLEDGE_WITHIN = timedelta(days=7)

LOOK_EVERY: Final = timedelta(days=1)
"""How often it is asked whether a withdrawal is over, though the artist said nothing new."""

JUST_NOW: Final = timedelta(minutes=5)
"""How far back answers are looked for that gave something back, should nobody have looked then."""

ANSWERS_AT_ONCE: Final = 200


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
    the rows. What the act gives back is found after its commit, when nobody waits for the ledger.
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
                    look_at=recorded.at + LOOK_EVERY,
                    created_at=recorded.at,
                )
            )
    return Withdrawal.objects.bulk_create(rows) if rows else []


def end_what_is_given_back(*, artist: Artist, permissions: Sequence[Permission]) -> None:
    """Once these answers are in the ledger for good, end the withdrawals that they give back.

    Only a yes can, or what lets one speak again; after any other answer nothing is asked.
    """
    if any(p.stance == Stance.ALLOW or p.way == Way.CLEARED for p in permissions):
        transaction.on_commit(partial(end_withdrawals_of, artist=artist), robust=True)


def end_withdrawals_of(*, artist: Artist) -> int:
    """End those that she gave back with what she said just now; returns how many.

    One query where she gave nothing back. What takes long to find is left to `end_withdrawals`,
    which is called by a clock and also finds what this did not.
    """
    at = now()
    mine = Withdrawal.objects.filter(artist=artist, over_at=None)
    return _end(mine.filter(_gave_back(at)), at=at, patient=False)


def end_withdrawals() -> int:
    """End every withdrawal of which all that it took is allowed again; returns how many.

    For a clock. It looks after whoever said yes in the last minutes, at those of which something
    begins, and at each once a day: something else than her answer may give back what her no took,
    such as a licence that does without it, or the end of the no.
    """
    at = now()
    waiting = Withdrawal.objects.filter(over_at=None)
    return _end(waiting.filter(Q(look_at__lte=at) | _gave_back(at)), at=at, patient=True)


def _gave_back(at: datetime) -> Exists:
    """Did the artist of a withdrawal say anything lately by which a no may end?"""
    acts = Act.objects.filter(
        artist=OuterRef("artist"),
        created_at__gt=at - JUST_NOW,
        created_at__gte=OuterRef("created_at"),
    )
    said = Permission.objects.filter(
        Q(stance=Stance.ALLOW) | Q(way=Way.CLEARED), act=OuterRef("pk"), use=OuterRef("said_of")
    )
    return Exists(acts.annotate(said_of=OuterRef("permission__use")).filter(Exists(said)))


def _end(rows: QuerySet[Withdrawal], *, at: datetime, patient: bool) -> int:
    """End those of `rows` that are over at `at` (UTC), and say when to look at the others again."""
    due = rows.values("permission").annotate(since=Min("look_at")).order_by("since", "permission")
    answers = list(due.values_list("permission", flat=True)[:ANSWERS_AT_ONCE])
    by_answer: dict[int, list[Withdrawal]] = {key: [] for key in answers}
    for row in rows.filter(permission__in=answers).select_related("permission__act").order_by("pk"):
        by_answer[row.permission_id].append(row)
    ended = 0
    for theirs in filter(None, by_answer.values()):
        taken = taken_by(theirs)
        if not patient and taken.questions > MANY:
            _look_again(theirs, at)
            continue
        over = [row.pk for row in given_back(taken, at=at)]
        ended += Withdrawal.objects.filter(pk__in=over, over_at=None).update(over_at=at)
        _look_again(theirs, _next_look(theirs[0], at))
    return ended


def _look_again(rows: Sequence[Withdrawal], at: datetime) -> None:
    """Look at these again at `at`, where they are not over."""
    keys = [row.pk for row in rows]
    Withdrawal.objects.filter(pk__in=keys, over_at=None).update(look_at=at)


def _next_look(row: Withdrawal, at: datetime) -> datetime:
    """When to ask about this row again: when an answer of hers begins or ends."""
    turns = Permission.objects.filter(artist=row.artist_id, use=row.permission.use).aggregate(
        begins=Min("valid_from", filter=Q(valid_from__gt=at)),
        ends=Min("valid_until", filter=Q(valid_until__gt=at)),
    )
    first: datetime = min([at + LOOK_EVERY, *filter(None, turns.values())])
    return first


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
