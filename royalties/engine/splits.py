"""Which split governed what a recording earned, as was known at a moment.

The latest version in force at the moment of use governs; the first one also governs what was
earned before there was any. While a change is pending, what was earned from its day on is held.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, datetime, time

from royalties.allocation import NOT_HELD, SplitFact
from royalties.models import SplitShare, SplitVersion
from royalties.words import HeldBecause


class Splits:
    """The splits of some recordings, as known at `known_at` (UTC); loaded in two queries."""

    def __init__(self, *, recordings: Collection[int], known_at: datetime) -> None:
        self._versions: defaultdict[tuple[int, str], list[tuple[datetime, SplitFact]]] = (
            defaultdict(list)
        )
        self._pending: defaultdict[tuple[int, str], list[datetime]] = defaultdict(list)
        shares: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        for split, party, share_bp in (
            SplitShare.objects.filter(split__recording__in=recordings)
            .order_by("split_id", "party_id")
            .values_list("split_id", "party_id", "share_bp")
        ):
            shares[split].append((party, share_bp))
        for split, recording, right, effective_on, in_force_at, answered_at in (
            SplitVersion.objects.filter(recording__in=recordings, proposed_at__lte=known_at)
            .order_by("recording_id", "right", "number")
            .values_list(
                "id", "recording_id", "right", "effective_on", "in_force_at", "answered_at"
            )
        ):
            if in_force_at is not None and in_force_at <= known_at:
                fact = SplitFact(split, tuple(shares[split]))
                self._versions[recording, right].append((in_force_at, fact))
            if answered_at is None or answered_at > known_at:
                begins_at = datetime.combine(effective_on, time(), tzinfo=UTC)
                self._pending[recording, right].append(begins_at)

    def first(self, *, recording: int, right: str) -> SplitFact | None:
        """The first split that came into force; it governs all that was earned before it."""
        versions = self._versions.get((recording, right))
        return versions[0][1] if versions else None

    def is_pending(self, *, recording: int, right: str, at: datetime) -> bool:
        """Whether a change that would govern from `at` or earlier waits for answers."""
        return any(begins_at <= at for begins_at in self._pending.get((recording, right), ()))

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
