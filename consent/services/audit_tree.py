"""The tree: does every entry, as its columns have it, still hash to what was signed?"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils.functional import cached_property

from consent.checkpoint import CheckpointError, open_checkpoint
from consent.ledger_keys import origin, verifying_keys
from consent.merkle import Frontier, MissingTileError, Tile, TreeHead, leaf_hash
from consent.models import LedgerCheckpoint, LedgerEntry, LedgerHead, LedgerTile
from consent.queries.ledger import EPOCH, read_leaves, read_tile, tree
from consent.services.audit_personal import PersonalAudit


@dataclass(frozen=True, slots=True)
class Stop:
    """A size at which the root must be this one, and who says so."""

    head: TreeHead
    said_by: str
    stored: bool  # by the database itself, so that its tiles reach here


class TreeAudit:
    """Reads entries from `since` to the head, and compares them with everything that was signed.

    `since` is a size at which a checkpoint was signed, or 0 for everything. `notes` are
    checkpoints from outside the database, by the name of where they come from.
    """

    def __init__(self, *, since: int, notes: Mapping[str, str]) -> None:
        self._since = since
        self._notes = notes
        self._keys = verifying_keys()
        self._frontier = Frontier()
        self._pending: list[bytes] = []
        self._tiles: list[Tile] = []
        self._tiles_seen = 0
        self._lost = False  # after the first root that differs, every later one does
        self.outside = 0

    @property
    def size(self) -> int:
        """Up to which entry it reads."""
        return self._head.seq

    @cached_property
    def _head(self) -> LedgerHead:
        return LedgerHead.objects.get()

    def problems(self) -> Iterator[str]:
        """Everything that is wrong, as sentences, in the order of the ledger."""
        stops: list[Stop] = []
        for each in self._stops():
            if isinstance(each, str):
                yield each
            else:
                stops.append(each)
        stops.sort(key=lambda stop: stop.head.size)
        if self._since:
            yield from self._load()
        yield from self._read(deque(stop for stop in stops if stop.head.size > self._since))

    # What was signed

    def _stops(self) -> Iterator[Stop | str]:
        rows = LedgerCheckpoint.objects.filter(size__gt=self._since).order_by("size")
        for row in rows.iterator(chunk_size=2000):
            stored = TreeHead(row.size, bytes(row.root))
            try:
                signed = open_checkpoint(note=row.note, keys=self._keys, origin=origin()).head
            except CheckpointError as error:
                yield f"the checkpoint at {row.size} does not verify: {error}"
                continue
            if signed != stored:
                yield f"the checkpoint at {row.size} is stored otherwise than it was signed"
            elif signed.size > self.size:
                yield f"a checkpoint was signed at {signed.size} entries; there are {self.size}"
            else:
                yield Stop(signed, "the checkpoint", stored=True)
        for name, note in self._notes.items():
            try:
                outside = open_checkpoint(note=note, keys=self._keys, origin=origin()).head
            except CheckpointError as error:
                yield f"the checkpoint from {name} does not verify: {error}"
                continue
            self.outside += 1
            if outside.size > self.size:
                yield f"{name} has a checkpoint at {outside.size} entries; there are {self.size}"
            elif outside.size > self._since:
                yield Stop(outside, f"the checkpoint from {name}", stored=False)
            else:
                yield from self._compare_before(outside, name)

    def _compare_before(self, outside: TreeHead, name: str) -> Iterator[str]:
        """An outside checkpoint of what is not read again: compared through the stored tiles."""
        try:
            if tree().head(outside.size) == outside:
                return
        except MissingTileError:
            pass
        yield f"the tree does not lead to the checkpoint from {name} at {outside.size}"

    def _load(self) -> Iterator[str]:
        row = LedgerCheckpoint.objects.get(size=self._since)
        try:
            signed = open_checkpoint(note=row.note, keys=self._keys, origin=origin()).head
            self._frontier = Frontier.load(size=self._since, read_tile=read_tile)
        except (CheckpointError, MissingTileError) as error:
            self._lost = True
            yield f"the tree at {self._since}: {error}"
            return
        if self._frontier.head() != signed:
            self._lost = True
            yield f"the stored tree does not lead to the checkpoint at {self._since}"

    # What is there

    def _read(self, stops: deque[Stop]) -> Iterator[str]:
        personal = PersonalAudit()
        expected, micros = self._since, self._micros_before
        for batch in read_leaves(after=self._since, until=self.size):
            for leaf in batch:
                expected += 1
                if leaf.seq != expected:
                    yield _missing(expected, leaf.seq - 1)
                    expected, self._lost = leaf.seq, True
                found = leaf_hash(leaf.text.encode("utf-8", "surrogatepass"))
                if found != leaf.leaf_hash:
                    yield f"entry {leaf.seq} does not hash to what is stored for it"
                if leaf.micros < micros:
                    yield f"entry {leaf.seq} is earlier than the one before it"
                micros = leaf.micros
                self._pending.append(found)
                while stops and stops[0].head.size == leaf.seq:
                    yield from self._stop(stops.popleft())
            yield from self._flush()
            yield from personal.problems(batch)
        if expected < self.size:
            yield _missing(expected + 1, self.size)
        elif self.size and micros != self._head_micros:
            yield "the head of the ledger has another time than its last entry"
        if LedgerEntry.objects.filter(seq__gt=self.size).exists():
            yield f"there are entries after {self.size}, where the ledger should end"
        yield from self._stray_tiles()

    def _stop(self, stop: Stop) -> Iterator[str]:
        if self._lost:
            return
        yield from self._flush()
        if self._frontier.head() != stop.head:
            self._lost = True
            yield f"the entries do not lead to {stop.said_by} at {stop.head.size}"
        elif stop.stored and stop.head.size == self._last_sealed:
            yield from self._compare_tiles(self._frontier.open_tiles())

    def _flush(self) -> Iterator[str]:
        if self._lost:
            self._pending = []
            return
        filled = self._frontier.extend(self._pending)
        self._pending = []
        # Tiles are stored when they are sealed; later ones are nowhere yet.
        if self._frontier.size <= self._last_sealed:
            yield from self._compare_tiles(filled)

    def _compare_tiles(self, tiles: Sequence[Tile]) -> Iterator[str]:
        self._tiles_seen += len(tiles)
        for level in sorted({tile.level for tile in tiles}):
            here = {tile.index: tile.hashes for tile in tiles if tile.level == level}
            rows = LedgerTile.objects.filter(level=level, index__in=list(here))
            stored = {row.index: bytes(row.hashes) for row in rows}
            for index, hashes in here.items():
                if stored.get(index) != hashes:
                    yield f"tile {index} of level {level} is not what the entries hash to"

    def _stray_tiles(self) -> Iterator[str]:
        if self._since or self._lost:
            return
        stored = LedgerTile.objects.count()
        if stored != self._tiles_seen:
            yield f"{stored} tiles are stored; the entries make {self._tiles_seen}"

    @cached_property
    def _last_sealed(self) -> int:
        last = LedgerCheckpoint.objects.filter(size__lte=self.size).order_by("-size").first()
        return last.size if last else 0

    @cached_property
    def _micros_before(self) -> int:
        for batch in read_leaves(after=self._since - 1, until=self._since):
            return batch[-1].micros
        return -(2**63)

    @cached_property
    def _head_micros(self) -> int:
        at = self._head.recorded_at
        return -1 if at is None else (at - EPOCH) // timedelta(microseconds=1)


def _missing(first: int, last: int) -> str:
    return (
        f"entry {first} is missing" if first == last else f"entries {first} to {last} are missing"
    )
