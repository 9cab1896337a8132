"""Splits: proposed by one, in force with everyone's yes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consent.clock import now
from consent.errors import Refused, refused_by
from consent.models import Party, Recording
from consent.services.acts import take_turn
from royalties.models import SplitAnswer, SplitShare, SplitVersion
from royalties.words import SplitStatus

if TYPE_CHECKING:
    from portal.models import User

WHOLE_BP = 10_000


@transaction.atomic
def propose_split(
    *,
    by: "User | None",
    recording: Recording,
    right: str,
    shares: Mapping[Party, int],
    effective_on: date | None = None,
    answering_for: Party | None = None,
) -> SplitVersion:
    """Propose who shares what `recording` earns for `right`: parties and basis points, 10 000 all.

    It takes effect on `effective_on` (a day in UTC, today by default, never in the past) or with
    the last yes, whichever is later; until then the split before it governs, and what is earned
    from `effective_on` on is held. The proposer's own party, `answering_for`, says yes by
    proposing. Raises `Refused`: `split_sum`, `split_share`, `split_in_past`, `split_pending`, or
    the code of the field that is wrong.
    """
    at = now()
    effective_on = effective_on or at.date()
    if effective_on < at.date():
        raise Refused("split_in_past", _("A split begins today or later."), field="effective_on")
    if sum(shares.values()) != WHOLE_BP:
        raise Refused("split_sum", _("The shares must sum to 100 %."), field="shares")
    take_turn("split", recording.pk, right)
    before = SplitVersion.objects.filter(recording=recording, right=right)
    if before.filter(status=SplitStatus.PENDING).exists():
        raise Refused(
            "split_pending", _("Another change of this split waits for answers. Withdraw it first.")
        )
    split = SplitVersion(
        recording=recording,
        right=right,
        number=before.count() + 1,
        effective_on=effective_on,
        proposed_by=by,
        proposed_at=at,
    )
    parts = [SplitShare(split=split, party=party, share_bp=bp) for party, bp in shares.items()]
    try:
        split.full_clean()
        for part in parts:
            part.clean_fields(exclude={"split"})
            if not 1 <= part.share_bp <= WHOLE_BP:
                raise Refused(
                    "split_share",
                    _("A share is more than 0 and at most 100 %."),
                    field="shares",
                )
    except ValidationError as error:
        raise refused_by(error) from error
    split.save()
    SplitShare.objects.bulk_create(parts)
    if answering_for is not None:
        answer_split(by=by, split=split, party=answering_for, accept=True)
        split.refresh_from_db()
    return split


def accept_split(*, by: "User | None", split: SplitVersion, party: Party) -> SplitVersion:
    """Say yes to a proposed split for `party`; with the last yes it comes into force.

    Saying it again changes nothing. Raises as `answer_split` does.
    """
    return answer_split(by=by, split=split, party=party, accept=True)


def decline_split(*, by: "User | None", split: SplitVersion, party: Party) -> SplitVersion:
    """Say no to a proposed split for `party`: it is over, and the one before it goes on."""
    return answer_split(by=by, split=split, party=party, accept=False)


@transaction.atomic
def answer_split(
    *, by: "User | None", split: SplitVersion, party: Party, accept: bool
) -> SplitVersion:
    """Answer a proposed split for `party`. Whether `by` may is for the storey above to say.

    Raises `Refused`: `not_in_split`, `split_decided` when it is no longer open and was not
    answered so by this party before.
    """
    split = SplitVersion.objects.select_for_update(no_key=True).get(pk=split.pk)
    share = split.shares.filter(party=party).first()
    if share is None:
        raise Refused("not_in_split", _("This party has no share in the split."), field="party")
    given = SplitAnswer.objects.filter(share=share).first()
    if given is not None and given.accepted == accept:
        return split
    if given is not None or split.status != SplitStatus.PENDING:
        raise Refused("split_decided", _("This split has been decided. Propose another."))
    at = now()
    SplitAnswer.objects.create(share=share, accepted=accept, by=by, at=at)
    if not accept:
        split.status = SplitStatus.DECLINED
        split.answered_at = split.ended_at = at
        split.save(update_fields=["status", "answered_at", "ended_at"])
    elif not split.shares.filter(answer=None).exists():
        _bring_into_force(split, at)
    return split


@transaction.atomic
def withdraw_split(*, by: "User | None", split: SplitVersion) -> SplitVersion:
    """Take a proposal back, before everyone has said yes; afterwards, propose another.

    Raises `Refused` (`split_decided`).
    """
    split = SplitVersion.objects.select_for_update(no_key=True).get(pk=split.pk)
    if split.status == SplitStatus.DECLINED:
        return split
    if split.status != SplitStatus.PENDING:
        raise Refused("split_decided", _("This split has been decided. Propose another."))
    split.status = SplitStatus.DECLINED
    split.answered_at = split.ended_at = now()
    split.save(update_fields=["status", "answered_at", "ended_at"])
    return split


@dataclass(frozen=True, slots=True)
class SplitSheet:
    """A split that everyone in it has signed outside the portal: parties and basis points."""

    recording: Recording
    right: str
    shares: Mapping[Party, int]


@transaction.atomic
def record_signed_splits(*, by: "User | None", sheets: Sequence[SplitSheet]) -> list[SplitVersion]:
    """Record split sheets signed by all their parties, in force from now on; `by` vouches for it.

    Only for recordings that have no split for that right yet: a change is proposed and answered
    in the portal. All or nothing, in a fixed number of queries. Raises `Refused`: `split_sum`,
    `split_share`, `split_there`, `split_twice`.
    """
    at = now()
    take_turn("split sheets")
    for sheet in sheets:
        if sum(sheet.shares.values()) != WHOLE_BP:
            raise Refused("split_sum", _("The shares must sum to 100 %."), field="shares")
        if min(sheet.shares.values()) < 1:
            raise Refused(
                "split_share", _("A share is more than 0 and at most 100 %."), field="shares"
            )
    named = Counter((sheet.recording.pk, sheet.right) for sheet in sheets)
    if len(named) != len(sheets):
        raise Refused("split_twice", _("A recording stands twice in these split sheets."))
    there = SplitVersion.objects.filter(recording__in={recording for recording, _right in named})
    if set(there.values_list("recording_id", "right")) & set(named):
        raise Refused("split_there", _("There is a split already. Propose a change of it."))
    splits = SplitVersion.objects.bulk_create(
        [
            SplitVersion(
                recording=sheet.recording,
                right=sheet.right,
                number=1,
                status=SplitStatus.IN_FORCE,
                effective_on=at.date(),
                proposed_by=by,
                proposed_at=at,
                answered_at=at,
                in_force_at=at,
            )
            for sheet in sheets
        ]
    )
    shares = SplitShare.objects.bulk_create(
        [
            SplitShare(split=split, party=party, share_bp=share_bp)
            for split, sheet in zip(splits, sheets, strict=True)
            for party, share_bp in sheet.shares.items()
        ]
    )
    SplitAnswer.objects.bulk_create(
        [SplitAnswer(share=share, accepted=True, by=by, at=at) for share in shares]
    )
    return splits


def _bring_into_force(split: SplitVersion, at: datetime) -> None:
    SplitVersion.objects.filter(
        recording_id=split.recording_id, right=split.right, status=SplitStatus.IN_FORCE
    ).update(status=SplitStatus.SUPERSEDED, ended_at=at)
    split.status = SplitStatus.IN_FORCE
    split.answered_at = at
    split.in_force_at = max(at, datetime.combine(split.effective_on, time(), tzinfo=UTC))
    split.save(update_fields=["status", "answered_at", "in_force_at"])
