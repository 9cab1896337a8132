"""The tree against known answers, a naive reading of RFC 9162, another library, and forgers."""

import os
import random
from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256

import pymerkle
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.merkle import (
    EMPTY_ROOT,
    MAX_SIZE,
    ConsistencyProof,
    Frontier,
    InclusionProof,
    MissingTileError,
    ProofError,
    Tree,
    TreeHead,
    commit,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

SOAK = bool(os.environ.get("LINER_TEST_SOAK"))

# The entries and roots of Certificate Transparency's own reference tests: root n is over the
# first n + 1 entries.
CT_ENTRIES = [
    bytes.fromhex(entry)
    for entry in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


class Stored:
    """Tiles as a database would keep them, and how often they were read."""

    def __init__(self) -> None:
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.reads = 0
        self.frontier = Frontier()

    def add(self, leaf_hashes: Iterable[bytes]) -> TreeHead:
        for tile in self.frontier.extend(leaf_hashes) + self.frontier.open_tiles():
            before = self.tiles.get((tile.level, tile.index), b"")
            assert tile.hashes.startswith(before), "a stored hash changed"
            self.tiles[tile.level, tile.index] = tile.hashes
        return self.frontier.head()

    def read_tile(self, level: int, index: int) -> bytes:
        self.reads += 1
        return self.tiles.get((level, index), b"")


def hashes_of(count: int, seed: int = 0) -> list[bytes]:
    return [leaf_hash(b"%d/%d" % (seed, number)) for number in range(count)]


LEAVES = hashes_of(70_000)


@pytest.fixture(scope="module")
def stored() -> Stored:
    tree = Stored()
    tree.add(LEAVES)
    return tree


# RFC 9162 section 2.1 read literally, recursion and all: slow, and nothing like the real one.


def naive_root(hashes: list[bytes]) -> bytes:
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = naive_split(len(hashes))
    return node_hash(naive_root(hashes[:k]), naive_root(hashes[k:]))


def naive_split(n: int) -> int:
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def naive_path(m: int, hashes: list[bytes]) -> list[bytes]:
    if len(hashes) == 1:
        return []
    k = naive_split(len(hashes))
    if m < k:
        return [*naive_path(m, hashes[:k]), naive_root(hashes[k:])]
    return [*naive_path(m - k, hashes[k:]), naive_root(hashes[:k])]


def naive_subproof(m: int, hashes: list[bytes], whole: bool = True) -> list[bytes]:
    if m == len(hashes):
        return [] if whole else [naive_root(hashes)]
    k = naive_split(len(hashes))
    if m <= k:
        return [*naive_subproof(m, hashes[:k], whole), naive_root(hashes[k:])]
    return [*naive_subproof(m - k, hashes[k:], False), naive_root(hashes[:k])]


def test_the_reference_roots_of_certificate_transparency_come_out() -> None:
    hashes = [leaf_hash(entry) for entry in CT_ENTRIES]
    roots = [root_of(hashes[: size + 1]).hex() for size in range(len(hashes))]
    assert roots == CT_ROOTS


def test_the_empty_tree_hashes_to_the_hash_of_nothing() -> None:
    assert root_of([]) == EMPTY_ROOT == Tree(Stored().read_tile).head(0).root
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_every_leaf_of_every_small_tree_has_a_proof_that_verifies(
    stored: Stored,
) -> None:
    tree = Tree(stored.read_tile)
    for size in range(1, 513):
        head = tree.head(size)
        for index in range(size):
            proof = tree.inclusion_proof(index=index, size=size)
            verify_inclusion(proof, leaf_hash=LEAVES[index], head=head)


def test_every_pair_of_small_trees_has_a_consistency_proof_that_verifies(
    stored: Stored,
) -> None:
    tree = Tree(stored.read_tile)
    heads = [tree.head(size) for size in range(257)]
    for new in range(1, 257):
        for old in range(1, new + 1):
            proof = tree.consistency_proof(old_size=old, new_size=new)
            verify_consistency(proof, old=heads[old], new=heads[new])


def test_the_proofs_are_those_of_the_rfc_read_literally(stored: Stored) -> None:
    tree = Tree(stored.read_tile)
    for size in [*range(1, 34), 255, 256, 257, 300]:
        leaves = LEAVES[:size]
        assert tree.head(size) == TreeHead(size, naive_root(leaves))
        for index in {0, 1, size // 3, size // 2, size - 2, size - 1} & set(range(size)):
            assert list(tree.inclusion_proof(index=index, size=size).hashes) == naive_path(
                index, leaves
            )
            assert list(
                tree.consistency_proof(old_size=index + 1, new_size=size).hashes
            ) == naive_subproof(index + 1, leaves)


def test_three_levels_of_tiles_give_the_same_roots_and_proofs(stored: Stored) -> None:
    """Past 65 536 leaves a third level of tiles begins: the place to look for off-by-ones."""
    tree = Tree(stored.read_tile)
    for size in (65_535, 65_536, 65_537, 65_792, 65_793, 69_999, 70_000):
        head = tree.head(size)
        assert head.root == naive_root(LEAVES[:size])
        for index in (0, 255, 256, 65_535, size - 1):
            if index < size:
                proof = tree.inclusion_proof(index=index, size=size)
                verify_inclusion(proof, leaf_hash=LEAVES[index], head=head)
        for old in (1, 256, 65_280, 65_535, size):
            verify_consistency(
                tree.consistency_proof(old_size=old, new_size=size),
                old=tree.head(old),
                new=head,
            )


def test_another_library_builds_the_same_trees_and_audit_paths() -> None:
    """pymerkle (a test-only dependency, GPL) knows nothing of this code.

    Its consistency proofs have a shape of their own, so only roots and audit paths are compared.
    """
    chance = random.Random(20261120)
    for seed in range(1_000):
        size = chance.randint(1, 2_000 if SOAK else 200)
        entries = [b"%d:%d" % (seed, number) for number in range(size)]
        other = pymerkle.InmemoryTree()
        other.append_entries(entries)
        ours = Stored()
        hashes = [leaf_hash(entry) for entry in entries]
        assert ours.add(hashes).root == other.get_root()

        tree, index, old = (
            Tree(ours.read_tile),
            chance.randrange(size),
            chance.randint(1, size),
        )
        theirs = other.prove_inclusion(index + 1, size)
        proof = tree.inclusion_proof(index=index, size=size)
        assert [hashes[index], *proof.hashes] == theirs.path
        assert tree.head(old).root == other.get_root(old)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 3_000), max_size=8))
def test_a_tree_grown_in_steps_is_the_tree_built_at_once(steps: list[int]) -> None:
    tree = Stored()
    for number, step in enumerate(steps):
        if number % 2:
            tree.frontier = Frontier.load(size=tree.frontier.size, read_tile=tree.read_tile)
        start = tree.frontier.size
        tree.add(LEAVES[start : start + step])
    total = sum(steps)
    whole = Stored()
    assert whole.add(LEAVES[:total]) == tree.frontier.head()
    assert whole.tiles == tree.tiles
    assert Tree(tree.read_tile).head(total) == tree.frontier.head()


def test_a_frontier_of_an_older_size_comes_from_tiles_that_grew_since(
    stored: Stored,
) -> None:
    for size in (0, 1, 255, 256, 300, 65_536, 66_000):
        frontier = Frontier.load(size=size, read_tile=stored.read_tile)
        assert frontier.head() == Tree(stored.read_tile).head(size)


def test_a_proof_reads_a_handful_of_tiles_and_adding_reads_none(stored: Stored) -> None:
    stored.reads = 0
    Tree(stored.read_tile).inclusion_proof(index=12_345, size=69_999)
    assert stored.reads <= 6
    stored.reads = 0
    Frontier.load(size=69_999, read_tile=stored.read_tile)
    assert stored.reads <= 3


@pytest.mark.parametrize("cut", [(0, 70_000 // 256), (8, 1), (16, 0)])
def test_tiles_that_end_too_early_are_an_error_and_not_another_root(
    stored: Stored, cut: tuple[int, int]
) -> None:
    def read_tile(level: int, index: int) -> bytes:
        hashes = stored.tiles.get((level, index), b"")
        return hashes[:-32] if (level, index) == cut else hashes

    with pytest.raises(MissingTileError):
        Tree(read_tile).head(len(LEAVES))
    with pytest.raises(MissingTileError):
        Frontier.load(size=len(LEAVES), read_tile=read_tile)
    with pytest.raises(MissingTileError):
        Tree(stored.read_tile).head(len(LEAVES) + 1)


def test_questions_that_no_tree_can_answer_are_refused(stored: Stored) -> None:
    tree = Tree(stored.read_tile)
    for index, size in ((0, 0), (5, 5), (-1, 5), (0, MAX_SIZE + 1)):
        with pytest.raises(ValueError, match=r"no leaf|no tree size"):
            tree.inclusion_proof(index=index, size=size)
    for old, new in ((0, 5), (6, 5), (-1, 5), (1, MAX_SIZE + 1)):
        with pytest.raises(ValueError, match=r"no consistency proof|no tree size"):
            tree.consistency_proof(old_size=old, new_size=new)
    with pytest.raises(ValueError, match="32 bytes"):
        root_of([b"short"])


# What a leaf says about a person: a commitment, opened only by its salt.

VALUES = st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=5)


def test_a_commitment_is_the_salt_and_the_canonical_data() -> None:
    salt = bytes(range(32))
    text = '{"age":41,"name":"田中葵"}'
    assert commit(salt, {"name": "田中葵", "age": 41}) == sha256(salt + text.encode()).hexdigest()


@given(salt=st.binary(min_size=32, max_size=32), data=st.dictionaries(st.text(max_size=5), VALUES))
def test_a_commitment_does_not_depend_on_the_order_of_names(
    salt: bytes, data: dict[str, object]
) -> None:
    assert commit(salt, data) == commit(salt, dict(reversed(data.items())))
    assert commit(salt, data) != commit(bytes(32), data) or salt == bytes(32)


def test_what_has_no_one_spelling_is_not_committed_to() -> None:
    fractions: list[dict[str, object]] = [{"share": 0.5}, {"shares": [{"a": 1.0}]}]
    for data in fractions:
        with pytest.raises(ValueError, match="no fractions"):
            commit(bytes(32), data)
    unspeakable: list[dict[str, object]] = [{"n": 2**60}, {"text": "\ud800"}]
    for data in unspeakable:
        with pytest.raises(rfc8785.CanonicalizationError):
            commit(bytes(32), data)
    with pytest.raises(ValueError, match="32 bytes"):
        commit(b"short", {})


# Forgers. A proof is judged against heads that a signature vouches for, so everything in the proof
# and the leaf may be bent, the heads may not.

NUMBERS = [-1, 0, 1, 2**31, 2**63 - 1, 2**63, 2**64, 10**30]


def bent_hashes(hashes: tuple[bytes, ...], chance: random.Random) -> tuple[bytes, ...]:
    """One change to a list of hashes: flip a bit, drop, add, swap, shorten, repeat, reverse."""
    bent = list(hashes)
    place = chance.randrange(len(bent)) if bent else 0
    match chance.randrange(7) if bent else 1:
        case 0:
            flipped = bytearray(bent[place])
            flipped[chance.randrange(32)] ^= 1 << chance.randrange(8)
            bent[place] = bytes(flipped)
        case 1:
            bent.insert(chance.randint(0, len(bent)), chance.randbytes(32))
        case 2:
            del bent[place]
        case 3:
            other = chance.randrange(len(bent))
            bent[place], bent[other] = bent[other], bent[place]
        case 4:
            bent[place] = bent[place][: chance.randrange(32)]
        case 5:
            bent.insert(place, bent[place])
        case _:
            bent.reverse()
    return tuple(bent)


def other_number(number: int, chance: random.Random) -> int:
    return chance.choice([*NUMBERS, number - 1, number + 1, number ^ 1, number * 2])


FORGERIES_PER_EXAMPLE = 40
forgers = settings(max_examples=5_000 if SOAK else 300, deadline=None)


@forgers
@given(data=st.data(), size=st.integers(1, 3_000), seed=st.integers(0, 2**32))
def test_no_bent_inclusion_proof_verifies(
    stored: Stored, data: st.DataObject, size: int, seed: int
) -> None:
    index = data.draw(st.integers(0, size - 1))
    chance, tree = random.Random(seed), Tree(stored.read_tile)
    head, true = tree.head(size), tree.inclusion_proof(index=index, size=size)
    verify_inclusion(true, leaf_hash=LEAVES[index], head=head)
    refused = 0
    while refused < FORGERIES_PER_EXAMPLE:
        proof, leaf = true, LEAVES[index]
        match chance.randrange(4):
            case 0:
                proof = replace(proof, index=other_number(index, chance))
            case 1:
                proof = replace(proof, size=other_number(size, chance))
            case 2:
                leaf = chance.choice([chance.randbytes(32), LEAVES[index ^ 1], head.root, b""])
            case _:
                proof = replace(proof, hashes=bent_hashes(proof.hashes, chance))
        if proof == true and leaf == LEAVES[index]:
            continue
        with pytest.raises(ProofError):
            verify_inclusion(proof, leaf_hash=leaf, head=head)
        refused += 1


@forgers
@given(data=st.data(), new_size=st.integers(2, 3_000), seed=st.integers(0, 2**32))
def test_no_bent_consistency_proof_verifies(
    stored: Stored, data: st.DataObject, new_size: int, seed: int
) -> None:
    old_size = data.draw(st.integers(1, new_size))
    chance, tree = random.Random(seed), Tree(stored.read_tile)
    old, new = tree.head(old_size), tree.head(new_size)
    true = tree.consistency_proof(old_size=old_size, new_size=new_size)
    verify_consistency(true, old=old, new=new)
    refused = 0
    while refused < FORGERIES_PER_EXAMPLE:
        proof, before, after = true, old, new
        match chance.randrange(5):
            case 0:
                proof = replace(proof, old_size=other_number(old_size, chance))
            case 1:
                proof = replace(proof, new_size=other_number(new_size, chance))
            case 2:
                before = replace(old, root=chance.choice([chance.randbytes(32), EMPTY_ROOT, b""]))
            case 3:
                after = replace(new, root=chance.choice([chance.randbytes(32), EMPTY_ROOT, b""]))
            case _:
                proof = replace(proof, hashes=bent_hashes(proof.hashes, chance))
        if (proof, before, after) == (true, old, new):
            continue
        with pytest.raises(ProofError):
            verify_consistency(proof, old=before, new=after)
        refused += 1


def test_a_rewritten_past_has_no_consistency_proof(stored: Stored) -> None:
    rewritten = Stored()
    new = rewritten.add([LEAVES[0], leaf_hash(b"rewritten"), *LEAVES[2:500]])
    old = Tree(stored.read_tile).head(300)
    proof = Tree(rewritten.read_tile).consistency_proof(old_size=300, new_size=500)
    with pytest.raises(ProofError, match="old root"):
        verify_consistency(proof, old=old, new=new)


def test_the_size_is_bound_by_the_head_because_a_path_alone_does_not_say_it(
    stored: Stored,
) -> None:
    """Leaf 0 has the same path shape among five and among six leaves."""
    tree = Tree(stored.read_tile)
    proof, head = tree.inclusion_proof(index=0, size=5), tree.head(5)
    with pytest.raises(ProofError, match="for 6 leaves"):
        verify_inclusion(replace(proof, size=6), leaf_hash=LEAVES[0], head=head)


@pytest.mark.parametrize("number", [True, "1", 1.0, None])
def test_a_number_that_is_no_whole_number_is_refused(number: object) -> None:
    head = TreeHead(2, root_of(LEAVES[:2]))
    inclusion = InclusionProof(0, 2, (LEAVES[1],))
    with pytest.raises(ProofError):
        verify_inclusion(
            replace(inclusion, index=number),  # type: ignore[arg-type]
            leaf_hash=LEAVES[0],
            head=head,
        )
    sized = replace(head, size=number)  # type: ignore[arg-type]
    with pytest.raises(ProofError):
        verify_consistency(ConsistencyProof(number, 2, ()), old=sized, new=head)  # type: ignore[arg-type]
