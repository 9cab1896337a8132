"""Which split governed what a recording earned, as was known at a moment.

The latest version in force at the moment of use governs; the first one also governs what was
earned before there was any. While a change is pending, what was earned from its day on is held.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, time

from royalties.allocation import NOT_HELD, SplitFact
from royalties.models import SplitShare, SplitVersion
from royalties.words import HeldBecause


@dataclass(frozen=True, slots=True)
class _Proposal:
    begins_at: datetime
    answered_at: datetime | None


class Splits:
    """The splits of some recordings, as known at `known_at` (UTC); loaded in two queries."""

    def __init__(self, *, recordings: Collection[int], known_at: datetime) -> None:
        self._known_at = known_at
        self._versions: defaultdict[tuple[int, str], list[tuple[datetime, SplitFact]]] = (
            defaultdict(list)
        )
        self._proposals: defaultdict[tuple[int, str], list[_Proposal]] = defaultdict(list)
        shares: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        for split, party, share_bp in (
            SplitShare.objects.filter(split__recording__in=recordings)
            .order_by("split_id", "party_id")
            .values_list("split_id", "party_id", "share_bp")
        ):
            shares[split].append((party, share_bp))
        for row in SplitVersion.objects.filter(
            recording__in=recordings, proposed_at__lte=known_at
        ).order_by("recording_id", "right", "number"):
            key = (row.recording_id, row.right)
            if row.in_force_at is not None and row.in_force_at <= known_at:
                fact = SplitFact(row.pk, tuple(shares[row.pk]))
                self._versions[key].append((row.in_force_at, fact))
            begins_at = datetime.combine(row.effective_on, time(), tzinfo=UTC)
            self._proposals[key].append(_Proposal(begins_at, row.answered_at))

    def first(self, *, recording: int, right: str) -> SplitFact | None:
        """The first split that came into force; it governs all that was earned before it."""
        versions = self._versions.get((recording, right))
        return versions[0][1] if versions else None

    def is_pending(self, *, recording: int, right: str, at: datetime) -> bool:
        """Whether a change that would govern from `at` or earlier waits for answers."""
        return any(
            proposal.begins_at <= at
            and (proposal.answered_at is None or proposal.answered_at > self._known_at)
            for proposal in self._proposals.get((recording, right), ())
        )

    def governing(
        self, *, recording: int, right: str, at: datetime
    ) -> tuple[SplitFact | None, str]:
        """The split that governed at `at`, and why its money is held (empty: it is not)."""
        split = self.first(recording=recording, right=right)
        if split is None:
            return None, NOT_HELD
        for in_force_at, fact in self._versions[recording, right]:
            if in_force_at <= at:
                split = fact
        if self.is_pending(recording=recording, right=right, at=at):
            return split, HeldBecause.SPLIT_PENDING.value
        return split, NOT_HELD
