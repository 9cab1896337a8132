"""Do the personal parts beside the leaves still open, and are they what the leaves commit to?"""

import json
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connection

from consent import vault
from consent.merkle import commit
from consent.models import LedgerEntry, LicenceVersion, Party, PermissionRequest
from consent.queries.ledger import LeafRow
from consent.services.erasure import ERASED_NAME


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
        yield from self._name_problems(leaves, found)
        yield from _why_problems(leaves, found)

    def _name_problems(
        self, leaves: Sequence[LeafRow], found: dict[int, dict[str, Any]]
    ) -> Iterator[str]:
        """Who it is, by name, stands in the personal part alone; whoever was erased has none."""
        seqs = _about(leaves, "party.registered", "party")
        for party in Party.objects.filter(ref__in=list(seqs)):
            seq = seqs[str(party.ref)]
            data = found.get(seq)
            if data is None and not self._was_erased(party.ref):
                continue  # its personal part is a problem already
            name, language = (ERASED_NAME, "") if data is None else (data["name"], data["language"])
            if (party.name, party.language) != (name, language):
                yield f"the party of entry {seq} does not have the name that it was registered with"

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
    if not entries:
        return
    for entry, *texts in LicenceVersion.objects.filter(entry__in=list(entries)).values_list(
        "entry", "licence__title", "override_clause", "terms"
    ):
        data = found.get(entries[str(entry)])
        if (
            data is not None
            and [
                data["title"],
                data["override_clause"],
                data["terms"],
            ]
            != texts
        ):
            yield f"the licence of entry {entries[str(entry)]} does not say what was signed"


def _why_problems(leaves: Sequence[LeafRow], found: dict[int, dict[str, Any]]) -> Iterator[str]:
    """What for, as the company wrote it to her; gone with her name when she is erased."""
    seqs = _about(leaves, "request.made", "request")
    for row in PermissionRequest.objects.filter(ref__in=list(seqs)):
        data = found.get(seqs[str(row.ref)])
        if data is not None and data["why"] != row.why:
            yield f"the question of entry {seqs[str(row.ref)]} does not say what was asked"


def _about(leaves: Sequence[LeafRow], kind: str, key: str) -> dict[str, int]:
    """The last entry of a kind about each thing, by its pseudonym."""
    return {str(json.loads(leaf.body)[key]): leaf.seq for leaf in leaves if leaf.kind == kind}
