"""The Merkle tree over the ledger's leaves: pure hashing, no storage, no clock.

Hashing is that of RFC 9162 section 2.1 (the same as RFC 6962): a leaf hashes as
SHA-256(0x00 || leaf), an inner node as SHA-256(0x01 || left || right), the empty tree as
SHA-256 of nothing.

Storage is *tiles*. A tile holds up to 256 hashes of one level: level 0 are leaf hashes, level 8 the
roots of full tiles of level 0, level 16 the roots of full tiles of level 8, and so on; a level is
the height above the leaves. Tile `(level, index)` starts at node `256 * index` of its level. A full
tile never changes again; the last tile of each level is open and grows at its end. A tree of a
million leaves is 3 924 tiles, and a proof reads about five of them.

`Frontier` extends a tree and says which tiles to store, `Tree` answers from stored tiles, and the
two `verify_…` functions need nothing but a proof and the tree heads it speaks about.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import rfc8785

HASH_BYTES: Final = 32
SALT_BYTES: Final = 32
TILE_WIDTH: Final = 256
TILE_HEIGHT: Final = 8
# RFC 9162 has uint64 sizes; PostgreSQL's bigint, where ours live, is signed.
MAX_SIZE: Final = 2**63 - 1
EMPTY_ROOT: Final = sha256(b"").digest()

type ReadTile = Callable[[int, int], bytes]
"""`read_tile(level, index)` gives a tile's hashes, joined; `b""` for a tile that is not stored."""


class ProofError(ValueError):
    """The proof does not show what it claims. The message says why; nothing may rest on it."""


class MissingTileError(LookupError):
    """The stored tiles do not reach as far as the size that was asked for."""


@dataclass(frozen=True, slots=True)
class TreeHead:
    """What a checkpoint signs: the number of leaves and the 32-byte root over all of them.

    The pair belongs together. A root alone does not say how many leaves are below it: some proofs
    hash to the same root under a neighbouring size, so only a signed size makes a proof exact.
    """

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Tile:
    """Up to 256 joined hashes of one level (0, 8, 16, …), the first at node `256 * index`."""

    level: int
    index: int
    hashes: bytes

    @property
    def is_full(self) -> bool:
        """True when the tile will never change again."""
        return len(self.hashes) == TILE_WIDTH * HASH_BYTES


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """The leaf at `index` (from 0) is in the tree of `size` leaves. `hashes` go leaf to root."""

    index: int
    size: int
    hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """The tree of `old_size` leaves is the beginning of the tree of `new_size` leaves."""

    old_size: int
    new_size: int
    hashes: tuple[bytes, ...]


def commit(salt: bytes, data: Mapping[str, Any]) -> str:
    """Hex SHA-256 of the salt and then the data as canonical JSON (RFC 8785): a leaf's `personal`.

    The salt is 32 random bytes, one per leaf. While both are there, nobody can show other data for
    the commitment; once they are erased, it says nothing about anybody. Raises ValueError for a
    salt of another length, for fractions, and for whatever else JSON cannot say exactly.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes, not {len(salt)}")
    _refuse_fractions(data)
    return sha256(salt + rfc8785.dumps(data)).hexdigest()


def _refuse_fractions(data: object) -> None:
    """Two writers may spell a fraction differently, and the ledger needs none."""
    if isinstance(data, float):
        raise ValueError("the ledger has no fractions")
    if isinstance(data, Mapping):
        data = list(data.values())
    if isinstance(data, list | tuple):
        for each in data:
            _refuse_fractions(each)


def leaf_hash(leaf: bytes) -> bytes:
    """The hash under which a leaf's exact bytes stand in the tree (RFC 9162 section 2.1.1)."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node over its two children (RFC 9162 section 2.1.1)."""
    return sha256(b"\x01" + left + right).digest()


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """The root over these leaf hashes, all in memory. Raises ValueError for one not of 32 bytes."""
    frontier = Frontier()
    frontier.extend(leaf_hashes)
    return frontier.head().root


def _parents(hashes: bytes) -> bytes:
    """The next height over joined hashes; a last one without a partner is left out."""
    pairs = len(hashes) // (2 * HASH_BYTES) * (2 * HASH_BYTES)
    # One slice takes both children at once; this loop is where nearly all the time goes.
    return b"".join(
        [
            sha256(b"\x01" + hashes[start : start + 2 * HASH_BYTES]).digest()
            for start in range(0, pairs, 2 * HASH_BYTES)
        ]
    )


def _fold(hashes: bytes) -> bytes:
    """The root over one or more joined hashes; one without a partner moves up as it is."""
    while len(hashes) > HASH_BYTES:
        parents = _parents(hashes)
        if len(hashes) % (2 * HASH_BYTES):
            parents += hashes[-HASH_BYTES:]
        hashes = parents
    return hashes


class Frontier:
    """The right edge of a tree: all that is needed to add leaves and to know the root.

    It holds the open tile of each level, at most 255 hashes of each, so 10 000 leaves are added
    to a million without reading any of them.
    """

    def __init__(self) -> None:
        self._size = 0
        self._edges: list[bytearray] = []

    @classmethod
    def load(cls, *, size: int, read_tile: ReadTile) -> "Frontier":
        """The frontier of a stored tree of `size` leaves, one tile read per level.

        Raises MissingTileError when the tiles hold less. Tiles that hold more (somebody else has
        added leaves since) are fine: the frontier is that of `size` exactly.
        """
        frontier = cls()
        frontier._size = _checked_size(size)
        level, nodes = 0, size
        while nodes:
            index, width = divmod(nodes, TILE_WIDTH)
            edge = _read(read_tile, level, index, width) if width else b""
            frontier._edges.append(bytearray(edge))
            level, nodes = level + TILE_HEIGHT, index
        return frontier

    @property
    def size(self) -> int:
        """The number of leaves."""
        return self._size

    def extend(self, leaf_hashes: Iterable[bytes]) -> list[Tile]:
        """Add 32-byte leaf hashes in order; return the tiles this filled, lowest level first.

        Store those tiles together with `open_tiles()`. Raises ValueError for a hash that is not
        32 bytes long; the frontier is then spent and must be loaded again.
        """
        filled: list[Tile] = []
        batch: list[bytes] = []
        # The first batch fills the open tile up, each later one is a whole tile.
        room = TILE_WIDTH - self._size % TILE_WIDTH
        for each in leaf_hashes:
            if len(each) != HASH_BYTES:
                raise ValueError(f"a leaf hash has {HASH_BYTES} bytes, not {len(each)}")
            batch.append(each)
            if len(batch) == room:
                self._add(b"".join(batch), filled)
                batch, room = [], TILE_WIDTH
        self._add(b"".join(batch), filled)
        filled.sort(key=lambda tile: (tile.level, tile.index))
        return filled

    def _add(self, hashes: bytes, filled: list[Tile]) -> None:
        """Add leaf hashes that at most complete the open tile of level 0."""
        self._size += len(hashes) // HASH_BYTES
        step, nodes = 0, self._size
        while hashes:
            if step == len(self._edges):
                self._edges.append(bytearray())
            edge = self._edges[step]
            edge += hashes
            hashes = b""
            if len(edge) == TILE_WIDTH * HASH_BYTES:
                tile = Tile(step * TILE_HEIGHT, nodes // TILE_WIDTH - 1, bytes(edge))
                filled.append(tile)
                edge.clear()
                hashes = _fold(tile.hashes)
            step, nodes = step + 1, nodes // TILE_WIDTH

    def open_tiles(self) -> list[Tile]:
        """The tiles that are not full yet, one per level at most; to be stored over their past."""
        tiles = []
        nodes = self._size
        for step, edge in enumerate(self._edges):
            nodes //= TILE_WIDTH
            if edge:
                tiles.append(Tile(step * TILE_HEIGHT, nodes, bytes(edge)))
        return tiles

    def head(self) -> TreeHead:
        """The size and the root now."""
        ragged = b""
        for edge in self._edges:
            # The incomplete rest below counts as one more, last, node of this level.
            ragged = _fold(bytes(edge) + ragged)
        return TreeHead(self._size, ragged or EMPTY_ROOT)


class Tree:
    """A stored tree: roots and proofs at any size up to what its tiles hold.

    Each tile is read once and then remembered, so make one per request or per batch of proofs, and
    a new one after the tree has grown. Every method raises MissingTileError for a size beyond the
    tiles and ValueError for an index or size that no tree can have.
    """

    def __init__(self, read_tile: ReadTile) -> None:
        self._read_tile = read_tile
        self._tiles: dict[tuple[int, int], list[bytes]] = {}

    def head(self, size: int) -> TreeHead:
        """The tree head at `size` leaves."""
        _checked_size(size)
        return TreeHead(size, self._range_root(0, size) if size else EMPTY_ROOT)

    def inclusion_proof(self, *, index: int, size: int) -> InclusionProof:
        """The audit path of leaf `index` (from 0) at `size` leaves (RFC 9162 section 2.1.3.1)."""
        if not 0 <= index < _checked_size(size):
            raise ValueError(f"there is no leaf {index} in a tree of {size}")
        siblings = []
        start, end = 0, size
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                siblings.append((middle, end))
                end = middle
            else:
                siblings.append((start, middle))
                start = middle
        hashes = tuple(self._range_root(*sibling) for sibling in reversed(siblings))
        return InclusionProof(index, size, hashes)

    def consistency_proof(self, *, old_size: int, new_size: int) -> ConsistencyProof:
        """That `old_size` leaves are a prefix of `new_size` (RFC 9162 section 2.1.4.1).

        There is none from the empty tree, which is the beginning of every tree: ValueError.
        """
        if not 0 < old_size <= _checked_size(new_size):
            raise ValueError(f"there is no consistency proof from {old_size} to {new_size}")
        parts = []
        start, end, whole = 0, new_size, True
        while old_size < end:
            middle = start + _split(end - start)
            if old_size <= middle:
                parts.append((middle, end))
                end = middle
            else:
                parts.append((start, middle))
                start, whole = middle, False
        if not whole:
            parts.append((start, end))
        if old_size == new_size:
            parts = []
        hashes = tuple(self._range_root(*part) for part in reversed(parts))
        return ConsistencyProof(old_size, new_size, hashes)

    def _range_root(self, start: int, end: int) -> bytes:
        """The root over leaves start to end, a range as the recursion of the RFC makes them."""
        perfect = []
        while start < end:
            height = (end - start).bit_length() - 1
            perfect.append(self._node(height, start >> height))
            start += 1 << height
        root = perfect.pop()
        while perfect:
            root = node_hash(perfect.pop(), root)
        return root

    def _node(self, height: int, index: int) -> bytes:
        """The root over the 2**height leaves that start at leaf `index << height`."""
        inside = height % TILE_HEIGHT
        tile_index, offset = divmod(index << inside, TILE_WIDTH)
        heights = self._expanded(height - inside, tile_index)
        first = (offset >> inside) * HASH_BYTES
        found = heights[inside][first : first + HASH_BYTES]
        if not found:
            raise MissingTileError(f"tile {tile_index} of level {height - inside} is too short")
        return found

    def _expanded(self, level: int, index: int) -> list[bytes]:
        """A tile's own hashes, and the seven heights of inner nodes that can be made of them."""
        key = (level, index)
        if key not in self._tiles:
            heights = [bytes(self._read_tile(level, index))]
            for _ in range(1, TILE_HEIGHT):
                heights.append(_parents(heights[-1]))
            self._tiles[key] = heights
        return self._tiles[key]


def verify_inclusion(proof: InclusionProof, *, leaf_hash: bytes, head: TreeHead) -> None:
    """Return when the proof shows the leaf under this head; raise ProofError otherwise.

    The steps are those of RFC 9162 section 2.1.3.2. Take `head` from a checkpoint whose signature
    has been verified, and `proof.index` from the leaf's own sequence.
    """
    _check_shape(proof.hashes, head, leaf_hash)
    if proof.size != head.size:
        raise ProofError(f"the proof is for {proof.size} leaves, the tree head for {head.size}")
    if not (_is_count(proof.index) and _is_count(proof.size) and proof.index < proof.size):
        raise ProofError("the index is not inside the tree")
    node, last, root = proof.index, proof.size - 1, leaf_hash
    for sibling in proof.hashes:
        if last == 0:
            raise ProofError("the proof is too long")
        if node & 1 or node == last:
            root = node_hash(sibling, root)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise ProofError("the proof is too short")
    if root != head.root:
        raise ProofError("the hashes do not lead to the root")


def verify_consistency(proof: ConsistencyProof, *, old: TreeHead, new: TreeHead) -> None:
    """Return when the proof shows `old` to be the beginning of `new`; raise ProofError otherwise.

    The steps are those of RFC 9162 section 2.1.4.2. It speaks about hashes only: that the stored
    payloads still are what was hashed takes an audit that reads them.
    """
    _check_shape(proof.hashes, old, old.root)
    _check_shape(proof.hashes, new, new.root)
    if (proof.old_size, proof.new_size) != (old.size, new.size):
        raise ProofError("the proof is for other sizes than the two tree heads")
    if not (_is_count(old.size) and _is_count(new.size) and 0 < old.size <= new.size):
        raise ProofError("the sizes do not follow each other")
    if old.size == new.size:
        if proof.hashes:
            raise ProofError("the proof is too long")
        if old.root != new.root:
            raise ProofError("two different roots for the same size")
        return
    old_root, new_root = _consistency_roots(proof, old.root)
    if old_root != old.root:
        raise ProofError("the hashes do not lead to the old root")
    if new_root != new.root:
        raise ProofError("the hashes do not lead to the new root")


def _consistency_roots(proof: ConsistencyProof, old_root: bytes) -> tuple[bytes, bytes]:
    """The two roots that the path leads to, the old and the new."""
    path = proof.hashes
    if proof.old_size & (proof.old_size - 1) == 0:
        # An old tree that is one perfect subtree is its own first node, so it is not sent.
        path = (old_root, *path)
    if not path:
        raise ProofError("the proof is too short")
    node, last = proof.old_size - 1, proof.new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError("the proof is too long")
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise ProofError("the proof is too short")
    return old, new


def _split(width: int) -> int:
    """The largest power of two smaller than `width`, where the RFC divides a tree."""
    return 1 << ((width - 1).bit_length() - 1)


def _read(read_tile: ReadTile, level: int, index: int, width: int) -> bytes:
    """The first `width` hashes of a tile, or MissingTileError."""
    hashes = bytes(read_tile(level, index))
    if len(hashes) < width * HASH_BYTES:
        raise MissingTileError(f"tile {index} of level {level} holds fewer than {width} hashes")
    return hashes[: width * HASH_BYTES]


def _is_count(number: object) -> bool:
    return type(number) is int and 0 <= number <= MAX_SIZE


def _checked_size(size: int) -> int:
    if not _is_count(size):
        raise ValueError(f"{size!r} is no tree size")
    return size


def _check_shape(hashes: tuple[bytes, ...], head: TreeHead, leaf_or_root: bytes) -> None:
    """Refuse anything whose lengths alone say that it is no proof."""
    for each in (*hashes, head.root, leaf_or_root):
        if type(each) is not bytes or len(each) != HASH_BYTES:
            raise ProofError("a hash does not have 32 bytes")
