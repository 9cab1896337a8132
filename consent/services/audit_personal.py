"""Do the personal parts beside the leaves still open, and are they what the leaves commit to?"""

import json
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connection

from consent import vault
from consent.merkle import commit
from consent.models import LedgerEntry, LicenceVersion
from consent.queries.ledger import LeafRow


class PersonalAudit:
    """Checks batch by batch; remembers who was erased."""

    def __init__(self) -> None:
        self._erased: set[uuid.UUID] | None = None

    def problems(self, leaves: Sequence[LeafRow]) -> Iterator[str]:
        """What is wrong with the personal parts of these contiguous leaves, as sentences."""
        if not leaves:
            return
        said = {
            leaf.seq: json.loads(leaf.body).get("personal")
            for leaf in leaves
            if '"personal":' in leaf.body
        }
        boxes = _boxes(leaves[0].seq, leaves[-1].seq)
        for seq in sorted({s for s, commitment in said.items() if commitment} ^ boxes.keys()):
            yield f"entry {seq} and the personal part beside it do not belong together"
        both = sorted(said.keys() & boxes.keys())
        opened = vault.unseal_each([boxes[seq] for seq in both])
        found: dict[int, dict[str, Any]] = {}
        for seq, plain in zip(both, opened, strict=True):
            subject, _box = boxes[seq]
            if plain is None:
                if not self._was_erased(subject):
                    yield f"the personal part of entry {seq} does not open, and nobody erased it"
                continue
            salt, data = plain
            if commit(salt, data) != said[seq]:
                yield f"the personal part of entry {seq} is not what the entry commits to"
                continue
            found[seq] = data
        yield from _licence_problems(leaves, found)

    def _was_erased(self, subject: uuid.UUID) -> bool:
        if self._erased is None:
            bodies = LedgerEntry.objects.filter(kind="subject.erased").values_list(
                "body", flat=True
            )
            self._erased = {uuid.UUID(json.loads(body)["subject"]) for body in bodies}
        return subject in self._erased


def _boxes(first: int, last: int) -> dict[int, tuple[uuid.UUID, bytes]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.seq, p.subject, p.sealed FROM consent_ledgerpersonal p"
            "  JOIN consent_ledgerentry e ON e.id = p.entry_id"
            " WHERE e.seq BETWEEN %s AND %s",
            [first, last],
        )
        return {seq: (subject, bytes(sealed)) for seq, subject, sealed in cursor.fetchall()}


def _licence_problems(leaves: Sequence[LeafRow], found: dict[int, dict[str, Any]]) -> Iterator[str]:
    """The clause of an override is read by decisions, and stands in the personal part alone."""
    entries = {leaf.id: leaf.seq for leaf in leaves if leaf.kind.startswith("licence.")}
    for entry, clause, terms in LicenceVersion.objects.filter(entry__in=list(entries)).values_list(
        "entry", "override_clause", "terms"
    ):
        data = found.get(entries[str(entry)])
        if data is not None and (data["override_clause"], data["terms"]) != (clause, terms):
            yield f"the licence of entry {entries[str(entry)]} does not say what was signed"
