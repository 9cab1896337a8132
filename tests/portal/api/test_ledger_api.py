"""Checkpoints and proofs for everybody, checked as somebody would who does not trust us."""

from base64 import b64decode
from typing import Any

import pytest
from django.test import Client

from consent.checkpoint import OpenedCheckpoint, open_checkpoint, parse_verifying_keys
from consent.merkle import (
    ConsistencyProof,
    InclusionProof,
    TreeHead,
    verify_consistency,
    verify_inclusion,
)
from consent.models import LedgerEntry
from consent.queries.ledger import head
from consent.services.sealing import seal_ledger
from tests.portal.api.conftest import World, problem_of

pytestmark = pytest.mark.django_db


def get(path: str, **query: Any) -> Any:
    return Client().get(f"/api/v1/ledger/{path}", query)


def checkpoint(path: str = "checkpoint") -> OpenedCheckpoint:
    response = get(path)
    assert response.status_code == 200, response.content
    assert response.headers["Content-Type"].startswith("text/plain")
    keys = get("keys").json()
    return open_checkpoint(
        note=response.content,
        keys=parse_verifying_keys("\n".join(keys["keys"])),
        origin=keys["origin"],
    )


def head_of(opened: OpenedCheckpoint) -> TreeHead:
    return opened.checkpoint.head


def test_what_is_in_the_ledger_can_be_checked_without_us(world: World) -> None:
    seal_ledger()
    old = head_of(checkpoint())
    world.says("allow")
    seal_ledger()
    new = head_of(checkpoint())
    assert (old.size, new.size) == (head() - 1, head())
    entry = LedgerEntry.objects.get(seq=new.size)
    proof = get("proofs/inclusion", seq=entry.seq).json()
    verify_inclusion(
        InclusionProof(proof["index"], proof["size"], tuple(b64decode(h) for h in proof["hashes"])),
        leaf_hash=bytes(entry.leaf_hash),
        head=new,
    )
    assert proof["checkpoint"] == get("checkpoint").content.decode()
    link = get("proofs/consistency", old=old.size, new=new.size).json()
    verify_consistency(
        ConsistencyProof(link["old"], link["new"], tuple(b64decode(h) for h in link["hashes"])),
        old=old,
        new=new,
    )
    assert head_of(checkpoint(f"checkpoint/{old.size}")) == old


def test_a_checkpoint_of_a_size_never_changes_and_may_be_kept(world: World) -> None:
    seal_ledger()
    size = head_of(checkpoint()).size
    kept = get(f"checkpoint/{size}")
    assert "immutable" in kept.headers["Cache-Control"]
    assert "immutable" not in get("checkpoint").headers["Cache-Control"]


def test_before_anything_is_sealed_there_is_no_checkpoint(world: World) -> None:
    problem_of(get("checkpoint"), 404, "unknown_checkpoint")
    problem_of(get("proofs/inclusion", seq=1), 409, "not_sealed")


def test_what_there_is_not_is_a_clear_problem(world: World) -> None:
    seal_ledger()
    size = head()
    world.says("allow")
    problem_of(get("checkpoint/999999"), 404, "unknown_checkpoint")
    problem_of(get("proofs/inclusion", seq=size + 1), 409, "not_sealed")
    problem_of(get("proofs/inclusion", seq=size + 99), 404, "unknown_entry")
    problem_of(get("proofs/inclusion", seq=1, size=size + 1), 404, "unknown_size")
    problem_of(get("proofs/inclusion"), 422, "query")
    problem_of(get("proofs/inclusion", seq=0), 404, "unknown_entry")
    problem_of(get("proofs/consistency"), 422, "query")
    problem_of(get("proofs/consistency", old="", new=size), 422, "query")
    problem_of(get("proofs/consistency", old=1, new=""), 422, "query")
    problem_of(get("proofs/inclusion", seq="x"), 422, "query")
    problem_of(get("proofs/consistency", old=0), 404, "unknown_size")
    problem_of(get("proofs/consistency", old=size, new=size + 1), 404, "unknown_size")


def test_no_leaf_is_public(world: World) -> None:
    seal_ledger()
    said = get("proofs/inclusion", seq=1).content.decode()
    assert "body" not in said
    assert str(world.maren.party.ref) not in said
