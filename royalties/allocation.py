"""What a use is worth, and to whom: a pure function from facts to lines that sum.

No database here. ``allocate`` takes what was used, under which rate, by which split, and returns
allocations whose lines sum to them exactly, in micros (millionths of the major unit). The same
facts always give the same lines, in the same order, however they were ordered when given.

The steps, each of which a page can show and recompute:

1. **base**: what the AI company reported: revenue, or a number of outputs or trainings;
2. **rate**: the licence's rate for *one right* turns the base into that right's pool;
3. **influence**: the pool is shared out over the recordings that the output drew on
   (basis points, 10 000 per right; a training run weighs each of its recordings alike);
4. **split**: what a recording earned for that right in a month, from one tool under one rate, is
   shared out over the parties of the split then in force.

Rounding happens in three places only, and each is stated. A share of revenue is rounded towards
zero, to the micro: what is below one micro was never owed. Steps 3 and 4 share out exactly, by
largest remainder. The rate comes before the influence so that recordings under the same rate
share one pool to the last micro, however many they are.

**Reversals** (negative revenue or quantity) mirror: they take back to the micro what the same use
with opposite sign gave.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from royalties.money import MoneyError, portion, share_out, share_out_by_key

Basis = Literal["share_of_revenue", "per_output", "flat_fee"]

NOT_HELD = ""
UNRATED = "no_rate"
UNSPLIT = "no_split"


class AllocationError(MoneyError):
    """Facts that contradict each other; ``code`` is stable, the text is for people."""


@dataclass(frozen=True, slots=True)
class RateFact:
    """What a licence version pays for one right.

    ``amount`` is in basis points of revenue for ``share_of_revenue``, else in micros of
    ``currency``: for each output, or for each training (``flat_fee``).
    """

    rate: int
    basis: Basis
    amount: int
    currency: str

    def pool_micros(self, usage: "UsageFact") -> int:
        """What the whole use owes for this right, in micros of ``pool_currency``."""
        if self.basis == "share_of_revenue":
            return portion(usage.revenue_micros, self.amount)
        return usage.quantity * self.amount

    def pool_currency(self, usage: "UsageFact") -> str:
        """A share of revenue is owed in the revenue's currency, a fixed price in its own."""
        return usage.currency if self.basis == "share_of_revenue" else self.currency


@dataclass(frozen=True, slots=True)
class SplitFact:
    """Who shares what one recording earns for one right: ``(party, share_bp)``, 10 000 in all."""

    split: int
    shares: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        if sum(share_bp for _, share_bp in self.shares) != 10_000:
            raise AllocationError(
                "allocation.split_sum", f"The shares of split {self.split} do not sum to 10 000."
            )
        if len({party for party, _ in self.shares}) != len(self.shares):
            raise AllocationError(
                "allocation.split_twice", f"A party stands twice in split {self.split}."
            )


@dataclass(frozen=True, slots=True)
class AttributionFact:
    """How much one right in one recording weighs in a use, and the terms that govern it.

    ``weight`` is the influence in basis points for an output, 1 for each recording of a training
    run. ``rate`` and ``split`` are those in force when the use happened; without a rate nothing
    is owed yet, without a split it is owed to nobody yet. ``held`` says why the money must wait
    (a reason code), empty when it need not.
    """

    recording: int
    right: str
    weight: int
    rate: RateFact | None
    split: SplitFact | None
    held: str = NOT_HELD


@dataclass(frozen=True, slots=True)
class UsageFact:
    """One billable use. ``quantity`` and ``revenue_micros`` are negative when it is a reversal.

    ``weight_total`` is what the weights of each right must sum to: 10 000 for an output, the
    number of recordings for a training run.
    """

    event: int
    tool: int
    kind: str
    currency: str
    revenue_micros: int
    quantity: int
    weight_total: int
    attributions: tuple[AttributionFact, ...]


class AllocationKey(NamedTuple):
    """What is added up into one allocation. ``rate`` and ``split`` are 0 where there is none."""

    tool: int
    kind: str
    recording: int
    right: str
    currency: str
    revenue_currency: str
    rate: int
    split: int
    held: str


@dataclass(frozen=True, slots=True)
class EventShare:
    """What one use owes for one right in one recording, before the split.

    ``pool_micros`` is what the use owes for that right under that rate, ``owed_micros`` the part
    of it that falls to this recording: ``weight`` of ``weight_total``.
    """

    event: int
    weight: int
    weight_total: int
    revenue_micros: int
    pool_micros: int
    owed_micros: int


@dataclass(frozen=True, slots=True)
class AllocationLine:
    """What one party gets of one allocation. ``payee`` is None while no split names anyone."""

    payee: int | None
    share_bp: int
    amount_micros: int


@dataclass(frozen=True, slots=True)
class Allocation:
    """What one recording earned for one right, under one rate and split, from one tool.

    ``lines`` sum to ``owed_micros``, and so do the ``owed_micros`` of ``shares``.
    """

    key: AllocationKey
    shares: tuple[EventShare, ...]
    owed_micros: int
    lines: tuple[AllocationLine, ...]

    @property
    def revenue_micros(self) -> int:
        """Revenue of all uses in it, in the currency in which it was reported."""
        return sum(share.revenue_micros for share in self.shares)

    @property
    def pool_micros(self) -> int:
        """What these uses owe for this right, before the influence."""
        return sum(share.pool_micros for share in self.shares)


def share_event(usage: UsageFact) -> Iterator[tuple[AllocationKey, EventShare]]:
    """Steps 1 to 3 for one use: what it owes, for each right in each recording it drew on.

    Recordings under the same rate share its pool by largest remainder, the smaller recording
    first between equals. A flat fee is shared over the recordings under that rate alone: it pays
    for them, whatever else was in the run. An attribution without a rate owes nothing, and is
    given with ``held`` = ``no_rate`` so that it is seen.

    Raises ``AllocationError`` when the weights of a right do not sum to ``weight_total``.
    """
    by_right: defaultdict[str, list[AttributionFact]] = defaultdict(list)
    for attribution in usage.attributions:
        by_right[attribution.right].append(attribution)
    for right in sorted(by_right):
        drawn = by_right[right]
        if len(drawn) > 1:
            drawn.sort(key=_recording)
        if sum(a.weight for a in drawn) != usage.weight_total:
            raise AllocationError(
                "allocation.influence_sum",
                f"The influences on use {usage.event} do not sum to {usage.weight_total}"
                f" for {right}.",
            )
        pools: dict[int, tuple[int, int, list[int]]] = {}
        for position, attribution in enumerate(drawn):
            rate = attribution.rate
            if rate is None:
                yield (
                    AllocationKey(
                        usage.tool,
                        usage.kind,
                        attribution.recording,
                        right,
                        usage.currency,
                        usage.currency,
                        0,
                        attribution.split.split if attribution.split else 0,
                        UNRATED,
                    ),
                    EventShare(
                        usage.event,
                        attribution.weight,
                        usage.weight_total,
                        usage.revenue_micros,
                        0,
                        0,
                    ),
                )
                continue
            if rate.rate not in pools:
                pools[rate.rate] = _share_pool(usage, rate, drawn)
            pool, weight_total, parts = pools[rate.rate]
            yield (
                AllocationKey(
                    usage.tool,
                    usage.kind,
                    attribution.recording,
                    right,
                    rate.pool_currency(usage),
                    usage.currency,
                    rate.rate,
                    attribution.split.split if attribution.split else 0,
                    attribution.held or (NOT_HELD if attribution.split else UNSPLIT),
                ),
                EventShare(
                    usage.event,
                    attribution.weight,
                    weight_total,
                    usage.revenue_micros,
                    pool,
                    parts[position],
                ),
            )


def _recording(attribution: AttributionFact) -> int:
    return attribution.recording


def _share_pool(
    usage: UsageFact, rate: RateFact, drawn: Sequence[AttributionFact]
) -> tuple[int, int, list[int]]:
    """The pool of one rate, what its weights sum to, and each position's part of it."""
    pool = rate.pool_micros(usage)
    if rate.basis == "flat_fee":
        weights = [
            a.weight if a.rate is not None and a.rate.rate == rate.rate else 0 for a in drawn
        ]
    else:
        weights = [a.weight for a in drawn]
    return pool, sum(weights), share_out(pool, weights)


def split_lines(owed_micros: int, split: SplitFact | None) -> tuple[AllocationLine, ...]:
    """Step 4: the lines of an amount, which sum to it; the smaller party first between equals.

    Without a split the whole amount stands in one line without a payee.
    """
    if split is None:
        return (AllocationLine(None, 10_000, owed_micros),)
    shares = dict(split.shares)
    return tuple(
        AllocationLine(party, shares[party], amount)
        for party, amount in share_out_by_key(owed_micros, shares).items()
    )


def allocate(usages: Iterable[UsageFact]) -> list[Allocation]:
    """All allocations of a set of uses, sorted by key.

    For every allocation ``sum(lines) == sum(shares) == owed_micros``. Raises ``AllocationError``
    as ``share_event`` does, and ``allocation.twice`` when a use is given twice.
    """
    grouped: defaultdict[AllocationKey, list[EventShare]] = defaultdict(list)
    splits: dict[int, SplitFact] = {}
    seen: set[int] = set()
    for usage in usages:
        if usage.event in seen:
            raise AllocationError("allocation.twice", f"Use {usage.event} was given twice.")
        seen.add(usage.event)
        for attribution in usage.attributions:
            if attribution.split is not None:
                splits[attribution.split.split] = attribution.split
        for key, share in share_event(usage):
            grouped[key].append(share)
    allocations: list[Allocation] = []
    for key in sorted(grouped):
        shares = sorted(grouped[key], key=_event)
        owed = sum(share.owed_micros for share in shares)
        lines = () if key.rate == 0 else split_lines(owed, splits.get(key.split))
        allocations.append(Allocation(key, tuple(shares), owed, lines))
    return allocations


def _event(share: EventShare) -> int:
    return share.event


@dataclass(frozen=True, slots=True)
class Step:
    """One step of "how this became": what it did (``code``), by what, and the amount after it.

    ``factor`` is in basis points for a share of revenue, ``influence`` (weighted mean, for
    showing only) and ``split``; in micros for a price; a count for ``outputs`` and ``trainings``.
    """

    code: Literal["revenue", "outputs", "trainings", "rate", "influence", "split"]
    factor: int
    amount_micros: int


def steps_of(allocation: Allocation, line: AllocationLine, rate: RateFact) -> tuple[Step, ...]:
    """How the amount of a line came about, from what was reported to what the payee gets.

    Every amount is a sum over the uses of the allocation, so each can be opened into them.
    """
    if rate.basis == "share_of_revenue":
        base = Step("revenue", len(allocation.shares), allocation.revenue_micros)
    else:
        units = allocation.pool_micros // rate.amount if rate.amount else 0
        code: Literal["outputs", "trainings"] = (
            "trainings" if rate.basis == "flat_fee" else "outputs"
        )
        base = Step(code, units, 0)
    pool = allocation.pool_micros
    mean_bp = abs(allocation.owed_micros) * 10_000 // abs(pool) if pool else 0
    return (
        base,
        Step("rate", rate.amount, pool),
        Step("influence", mean_bp, allocation.owed_micros),
        Step("split", line.share_bp, line.amount_micros),
    )
