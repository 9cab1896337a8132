"""Sealing: extend the tree by what was appended, sign its root, and send that outside."""

import logging
from datetime import datetime

from django.db import connection, transaction

from consent import clock
from consent.checkpoint import (
    Checkpoint,
    CheckpointError,
    SigningKey,
    open_checkpoint,
    sign_checkpoint,
)
from consent.ledger_keys import origin, signing_keys, verifying_keys
from consent.merkle import (
    Frontier,
    MissingTileError,
    Tile,
    Tree,
    TreeHead,
    leaf_hash,
    verify_consistency,
)
from consent.models import (
    CheckpointSink,
    LedgerCheckpoint,
    LedgerTile,
    WorkState,
)
from consent.queries.ledger import head, latest_checkpoint, read_leaves, read_tile
from consent.services.work import handles, wake
from consent.sinks import SinkError, configured_sinks

logger = logging.getLogger(__name__)

LOCK = 0x11AE5_5EA1  # pg_advisory_xact_lock: who holds it seals
TILES_AT_ONCE = 200


class SealError(Exception):
    """What is stored contradicts what was signed before; nothing was signed. Audit the ledger."""


@transaction.atomic
def seal_ledger() -> LedgerCheckpoint | None:
    """Sign a checkpoint of everything committed so far, and arm the sinks.

    Returns None when there is nothing new, when somebody else is sealing just now, or when this
    process has no signing key. Raises SealError, and signs nothing, when the stored tree does not
    lead to the last signed root, or a leaf does not hash to what is stored for it.
    """
    if not _take_turn():
        return None
    keys = signing_keys()
    if not keys:
        logger.warning("There is no signing key here: the ledger is not sealed.")
        return None
    last = latest_checkpoint()
    size = head()
    if size <= (last.size if last else 0):
        return None
    frontier = _frontier(last)
    _extend(frontier, size)
    sealed = _sign(last, frontier.head(), keys)
    arm_sinks(size=sealed.size, at=sealed.sealed_at)
    return sealed


def _take_turn() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        (mine,) = cursor.fetchone()
    return bool(mine)


def _frontier(last: LedgerCheckpoint | None) -> Frontier:
    """The tree's right edge at the last checkpoint, if that is still what was signed."""
    if last is None:
        return Frontier()
    try:
        frontier = Frontier.load(size=last.size, read_tile=read_tile)
        signed = open_checkpoint(note=last.note, keys=verifying_keys(), origin=origin()).head
    except (MissingTileError, CheckpointError) as error:
        raise SealError(f"the checkpoint at {last.size}: {error}") from error
    if not frontier.head() == signed == TreeHead(last.size, bytes(last.root)):
        raise SealError(f"the stored tree does not lead to the checkpoint at {last.size}")
    return frontier


def _extend(frontier: Frontier, size: int) -> None:
    expected = frontier.size
    for batch in read_leaves(after=expected, until=size):
        hashes = []
        for leaf in batch:
            expected += 1
            found = leaf_hash(leaf.text.encode())
            if leaf.seq != expected or found != leaf.leaf_hash:
                raise SealError(f"entry {expected} is missing, or does not hash to what is stored")
            hashes.append(found)
        _store(frontier.extend(hashes))
    if expected != size:
        raise SealError(f"entry {expected + 1} is missing")
    _store(frontier.open_tiles())


def _store(tiles: list[Tile]) -> None:
    for start in range(0, len(tiles), TILES_AT_ONCE):
        LedgerTile.objects.bulk_create(
            [
                LedgerTile(level=tile.level, index=tile.index, hashes=tile.hashes)
                for tile in tiles[start : start + TILES_AT_ONCE]
            ],
            update_conflicts=True,
            unique_fields=["level", "index"],
            update_fields=["hashes"],
        )


def _sign(
    last: LedgerCheckpoint | None, grown: TreeHead, keys: tuple[SigningKey, ...]
) -> LedgerCheckpoint:
    tree = Tree(read_tile)
    if tree.head(grown.size) != grown:
        raise SealError("the stored tiles do not lead to the root that was computed")
    if last is not None:
        # What anybody outside will check: never sign a history that forks from the last one.
        verify_consistency(
            tree.consistency_proof(old_size=last.size, new_size=grown.size),
            old=TreeHead(last.size, bytes(last.root)),
            new=grown,
        )
    return LedgerCheckpoint.objects.create(
        size=grown.size,
        root=grown.root,
        note=sign_checkpoint(checkpoint=Checkpoint(origin(), grown), keys=keys),
        key_name=" ".join(f"{key.name}+{key.verifying_key.key_hash.hex()}" for key in keys)[:200],
        sealed_at=clock.now(),
    )


# Sinks


def arm_sinks(*, size: int, at: datetime) -> None:
    """Let every configured sink have the checkpoint of `size`, each when its turn comes."""
    sinks = {sink.name: sink for sink in configured_sinks()}
    CheckpointSink.objects.bulk_create(
        [CheckpointSink(name=name, next_at=at, created_at=at) for name in sinks],
        ignore_conflicts=True,
    )
    rows = CheckpointSink.objects.select_for_update().filter(name__in=sinks).order_by("name")
    armed = []
    for row in rows:
        row.wanted_size = size
        if row.state in (WorkState.DONE, WorkState.DEAD):
            row.state = WorkState.WAITING
            row.attempts = 0
            row.next_at = max(at, row.pushed_at + sinks[row.name].every) if row.pushed_at else at
        row.save(update_fields=["wanted_size", "state", "attempts", "next_at"])
        if row.state == WorkState.WAITING and row.next_at <= at:
            armed.append(row)
    wake(*armed)


@handles(CheckpointSink)
def push_checkpoint(row: CheckpointSink) -> None:
    """Push the newest checkpoint to the sink of this row; a sink that fails blocks nothing."""
    sink = next((sink for sink in configured_sinks() if sink.name == row.name), None)
    newest = latest_checkpoint()
    if sink is None or newest is None:
        row.finish()  # no longer configured
        return
    if newest.size > row.pushed_size:
        sink.push(size=newest.size, note=newest.note)
    with transaction.atomic():
        row = CheckpointSink.objects.select_for_update().get(pk=row.pk)
        if newest.size > row.pushed_size:
            row.pushed_size, row.pushed_at = newest.size, clock.now()
            row.save(update_fields=["pushed_size", "pushed_at"])
        row.finish()
        if row.wanted_size > row.pushed_size and row.pushed_at is not None:
            row.state, row.attempts = WorkState.WAITING, 0
            row.next_at = row.pushed_at + sink.every
            row.save(update_fields=["state", "attempts", "next_at"])


def outside_notes() -> dict[str, str]:
    """The newest checkpoint of every sink that can be read back, by the sink's name.

    A sink that does not answer is left out, and said in the log: it proves nothing either way.
    """
    notes = {}
    for sink in configured_sinks():
        try:
            note = sink.fetch()
        except SinkError as error:
            logger.warning("The checkpoint at %s could not be read back: %s", sink.name, error)
            continue
        if note is not None:
            notes[sink.name] = note
    return notes
