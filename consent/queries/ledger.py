"""Reading the ledger: leaves, checkpoints, proofs, and which position a moment was at."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from django.db import connection
from django.db.models import Min
from django.utils.translation import gettext_lazy as _

from consent.clock import now
from consent.errors import NotFound, Refused
from consent.merkle import ConsistencyProof, InclusionProof, Tree
from consent.models import LedgerCheckpoint, LedgerEntry, LedgerHead, LedgerTile

AT_ONCE = 10_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class LeafRow(NamedTuple):
    """A leaf as its columns have it. `micros` is its time, in microseconds since 1970 UTC."""

    seq: int
    id: str
    act: str
    kind: str
    body: str
    micros: int
    leaf_hash: bytes

    @property
    def text(self) -> str:
        """The leaf's exact text, made from the columns: version 1 of the format, for ever.

        The database makes the same text when it appends (`ledger_leaf`); this is a second,
        independent spelling of it, so that an audit does not ask the suspect.
        """
        return (
            f'{{"act":"{self.act}","at":"{_spelled(self.micros)}","body":{self.body},"id":"{self.id}"'
            f',"kind":"{self.kind}","seq":{self.seq},"v":1}}'
        )


@lru_cache(maxsize=64)  # the leaves of one act share their time
def _spelled(micros: int) -> str:
    return f"{EPOCH + timedelta(microseconds=micros):%Y-%m-%dT%H:%M:%S.%f}Z"


_COLUMNS = (
    "seq, id::text, act::text, kind, body,"
    " (extract(epoch FROM recorded_at) * 1000000)::bigint, leaf_hash"
)


def read_leaves(*, after: int, until: int) -> Iterator[list[LeafRow]]:
    """The leaves with `after < seq <= until` in order, at most 10 000 at a time.

    A sequence that is missing is simply not among them. The batches are of one snapshot only
    inside a transaction that has one. Each names both of its ends: where only a LIMIT ended it, a
    database that has not counted its rows yet sorted all that followed, for each of them.
    """
    while after < until:
        end = min(after + AT_ONCE, until)
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {_COLUMNS} FROM consent_ledgerentry"  # noqa: S608 — our own words
                " WHERE seq > %s AND seq <= %s ORDER BY seq",
                [after, end],
            )
            batch = [LeafRow._make(row) for row in cursor.fetchall()]
        if batch:
            yield batch
            after = end
        elif (following := _first_after(end)) is not None:
            after = following - 1
        else:
            return


def _first_after(seq: int) -> int | None:
    found = LedgerEntry.objects.filter(seq__gt=seq).aggregate(first=Min("seq"))["first"]
    return None if found is None else int(found)


def leaves_of(*, act: uuid.UUID) -> list[LeafRow]:
    """The leaves of one act, in order; empty for an act that has none."""
    return _select("act = %s", act)


def leaves_at(*, seqs: Sequence[int]) -> list[LeafRow]:
    """The leaves at these positions, in order; those that do not exist are left out."""
    return _select("seq = ANY(%s)", list(seqs))


def _select(where: str, value: uuid.UUID | list[int]) -> list[LeafRow]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM consent_ledgerentry WHERE {where} ORDER BY seq",  # noqa: S608
            [value],
        )
        return [LeafRow._make(row) for row in cursor.fetchall()]


def leaf_text(seq: int) -> str:
    """The exact text of the leaf at `seq` (from 1). Raises NotFound.

    Its body is pseudonymous, and not for everybody all the same: who asks must be entitled.
    """
    for leaf in leaves_at(seqs=[seq]):
        return leaf.text
    raise NotFound("unknown_entry", _("The ledger has no such entry."))


def head() -> int:
    """The last sequence that was committed; 0 for an empty ledger."""
    return LedgerHead.objects.values_list("seq", flat=True).get()


def is_demo() -> bool:
    """Does this ledger say that it is a demo, whose clock may have been moved?"""
    return LedgerHead.objects.values_list("demo", flat=True).get()


# Checkpoints and proofs


def latest_checkpoint() -> LedgerCheckpoint | None:
    """The newest checkpoint; None until the first entry was sealed."""
    return LedgerCheckpoint.objects.order_by("-size").first()


def checkpoint_at(size: int) -> LedgerCheckpoint:
    """The checkpoint of exactly `size` entries. Raises NotFound when none was made there."""
    found = LedgerCheckpoint.objects.filter(size=size).first()
    if found is None:
        raise NotFound("unknown_checkpoint", _("No checkpoint was made at this size."))
    return found


def checkpoint_covering(seq: int) -> LedgerCheckpoint | None:
    """The first checkpoint with the entry at `seq` in it; None while it waits to be sealed."""
    return LedgerCheckpoint.objects.filter(size__gte=seq).order_by("size").first()


def is_sealed(*, act: uuid.UUID) -> bool:
    """Whether a signed checkpoint has every leaf of this act; false for an act without leaves."""
    seqs = LedgerEntry.objects.filter(act=act).order_by("-seq").values_list("seq", flat=True)
    last = seqs.first()
    return last is not None and checkpoint_covering(last) is not None


def tree() -> Tree:
    """The stored tree, as it is now. Make one per request: it remembers the tiles it has read."""
    return Tree(read_tile)


def read_tile(level: int, index: int) -> bytes:
    """A stored tile's joined hashes, `b""` where there is none (`consent.merkle.ReadTile`)."""
    found = LedgerTile.objects.filter(level=level, index=index).values_list("hashes", flat=True)
    return bytes(found.first() or b"")


def inclusion_proof(seq: int, size: int | None = None) -> InclusionProof:
    """That the entry at `seq` (from 1) is among the first `size`; the latest checkpoint's if None.

    Raises Refused (`not_sealed`) while no checkpoint has the entry, and NotFound (`unknown_entry`,
    `unknown_size`) for an entry or a size that there is not.
    """
    sealed = _sealed_size()
    if not 1 <= seq <= (size or head()):
        raise NotFound("unknown_entry", _("The ledger has no such entry."))
    _check_size(size, sealed)
    if seq > sealed:
        raise not_sealed()
    return tree().inclusion_proof(index=seq - 1, size=size or sealed)


def consistency_proof(old: int, new: int | None = None) -> ConsistencyProof:
    """That the ledger of `old` entries is the beginning of that of `new`; of the latest if None.

    Raises NotFound (`unknown_size`) for sizes that were not sealed or do not follow each other.
    """
    if new is not None and old > new:
        raise NotFound("unknown_size", _("The older size comes first: “old” is above “new”."))
    sealed = _sealed_size()
    _check_size(new, sealed)
    _check_size(old, sealed)
    return tree().consistency_proof(old_size=old, new_size=new or sealed)


def not_sealed() -> Refused:
    """What to say between a change and its seal."""
    return Refused("not_sealed", _("This will be sealed within a minute. Then it can be proved."))


def _sealed_size() -> int:
    latest = latest_checkpoint()
    return latest.size if latest else 0


def _check_size(size: int | None, sealed: int) -> None:
    if size is not None and not 1 <= size <= sealed:
        raise NotFound("unknown_size", _("The ledger has not been sealed at this size."))


# What was known when


@dataclass(frozen=True, slots=True)
class Position:
    """How far the ledger was at a moment.

    `settled` means that it can never turn out otherwise: something later is recorded already.
    Until then an act that is being committed just now could still come before the moment.
    """

    seq: int
    settled: bool


def position_at(moment: datetime) -> Position:
    """How far the ledger was at `moment` (UTC). Raises Refused for a moment that has not come."""
    last = LedgerHead.objects.get()
    if last.recorded_at is None or last.recorded_at <= moment:
        if moment > now():
            raise Refused("not_yet_known", _("That moment has not come yet."), field="known_at")
        return Position(last.seq, settled=False)
    # Time never runs backwards along the sequence, and no number is missing: halve the distance.
    before, after = 0, last.seq
    while after - before > 1:
        middle = (before + after) // 2
        at = LedgerEntry.objects.values_list("recorded_at", flat=True).get(seq=middle)
        if at <= moment:
            before = middle
        else:
            after = middle
    return Position(before, settled=True)
