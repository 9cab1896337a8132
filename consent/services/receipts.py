"""Receipts from the ledger: the leaves, what proves them, and the script that checks it all.

`consent.receipt` knows the format; this module brings what goes into it.
"""

import io
import json
import uuid
import zipfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from consent import vault, verify_receipt
from consent.clock import now
from consent.decisions import Code
from consent.errors import NotFound, Refused
from consent.ledger_keys import origin, verifying_keys
from consent.models import (
    AICompany,
    Artist,
    LedgerCheckpoint,
    LedgerPersonal,
    Recording,
    Tool,
    Wording,
)
from consent.queries.decision import Ask
from consent.queries.history import known_position
from consent.queries.ledger import (
    LeafRow,
    latest_checkpoint,
    leaves_at,
    leaves_of,
    not_sealed,
    tree,
)
from consent.queries.receipts import grounds_of, ties_of
from consent.receipt import (
    Asked,
    Circumstances,
    Controller,
    Ground,
    OpenedPersonal,
    ProvedLeaf,
    build_receipt,
    receipt_text,
)
from consent.receipt import Wording as ShownWording
from consent.words import PartyKind, UseKind

RETENTION = (
    "as long as the ledger lasts; what is personal until it is erased on request"
    " (GDPR article 17) or no longer needed"
)
PERSONAL_DATA = {
    "voice": ("voice",),
    "name_image": ("name", "image"),
    "style": ("artistic style",),
}


@dataclass(frozen=True, slots=True)
class Receipt:
    """A finished receipt. `entries` is how many leaves it proves, `size` of how large a ledger."""

    id: uuid.UUID
    data: Mapping[str, Any]
    entries: int
    size: int

    @property
    def text(self) -> str:
        """The file `receipt.json`, as `verify_receipt.py` reads it."""
        return receipt_text(self.data)

    @property
    def filename(self) -> str:
        return f"receipt-{str(self.id)[:8]}.json"


def receipt_for_act(*, act: uuid.UUID, opened_for: Collection[uuid.UUID] = ()) -> Receipt:
    """The receipt of one act: every leaf that it wrote, proved under the newest checkpoint.

    With them the leaves that say who is meant: the tool and the company that an answer names, and
    the artist, where she is one of `opened_for`: the refs of the people whose personal parts the
    reader may see, as party and as user. Others' stay closed; the proof holds either way. Raises
    `Refused` (`not_sealed`) until the act is sealed, and `NotFound` (`unknown_act`) for an act
    without leaves. Who may have a receipt is for the caller to say.
    """
    leaves = leaves_of(act=act)
    if not leaves:
        raise NotFound("unknown_act", _("There is no such act."))
    ties = _ties(leaves, opened_for) - {leaf.seq for leaf in leaves}
    before = leaves_at(seqs=sorted(ties))
    return _receipt(sorted([*before, *leaves], key=lambda leaf: leaf.seq), opened_for=opened_for)


def receipt_for_recording(
    *,
    artist: Artist,
    recording: Recording,
    use: str,
    tool: Tool,
    at: datetime | None = None,
    known_at: datetime | None = None,
    known_seq: int | None = None,
    territory: str | None = None,
    opened_for: Collection[uuid.UUID] = (),
) -> Receipt:
    """The receipt of what holds (or held `at`, as it was known then) for a recording and a tool.

    It proves the leaves that the answer rests on (see `consent.queries.receipts.grounds_of`), and
    tells the answer with its reasons, each with its leaf. It does not prove that the rules make
    this answer of them, nor that nothing else was said: only an audit of the whole ledger does.
    `at` and `known_at` are UTC moments; what was known is said by `known_at` or by `known_seq`.
    `opened_for` and what is raised are as in `receipt_for_act`; `NotFound` (`unknown_act`) when
    nothing has been written down, and `Refused` (`at_in_future`, or of `known_position`).
    """
    if at is not None and at > now():
        raise Refused("at_in_future", _("That moment has not come yet."), field="at")
    known = known_position(known_at, known_seq) if known_at or known_seq is not None else None
    found = grounds_of(
        Ask(recording.isrc, use, tool.slug, territory, at),
        artist=artist,
        recording=recording,
        known_seq=None if known is None else known.seq,
    )
    leaves = leaves_at(seqs=sorted(found.seqs))
    if not leaves:
        raise NotFound("unknown_act", _("Nothing has been written down about this."))
    asked = Asked(
        isrc=recording.isrc,
        use=use,
        tool=tool.slug,
        territory=territory,
        at=found.at,
        known_seq=found.known_seq,
        allowed=found.decision.allowed,
        reasons=[
            Ground(
                r.code.value,
                r.verdict.value,
                r.seq,
                found.texts.get(r.seq or 0) if r.code is Code.ANSWER_OUTDATED else None,
            )
            for r in found.decision.reasons
        ],
    )
    return _receipt(leaves, opened_for=opened_for, asked=asked)


def verifier_text() -> str:
    """The script `verify_receipt.py`, to be given with every receipt."""
    return Path(verify_receipt.__file__).read_text(encoding="utf-8")


def receipt_zip(receipt: Receipt) -> bytes:
    """A ZIP of the receipt, its verifier, and how to use it.

    Without the keys on purpose: who signed is shown only by a key that came another way.
    """
    files = {
        "receipt.json": receipt.text,
        "verify_receipt.py": verifier_text(),
        "READ ME.txt": _read_me(),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


def key_address() -> str:
    """Where the verifying keys are published, for whoever did not get them with a receipt."""
    return f"{settings.SITE_URL}/api/v1/ledger/keys"


def _read_me() -> str:
    return (
        _(
            "receipt.json shows what the ledger %(origin)s says, and verify_receipt.py checks it"
            " without us and without a network. It needs Python 3.10 or newer:"
        )
        % {"origin": origin()}
        + "\n\n    pip install cryptography\n"
        + "    python verify_receipt.py receipt.json --key KEY\n\n"
        + _(
            "KEY is the ledger's verifying key, as published at %(address)s. Take it from there,"
            " or from somebody whom you trust, and keep it with the receipt."
        )
        % {"address": key_address()}
        + "\n"
    )


def _ties(leaves: Sequence[LeafRow], opened_for: Collection[uuid.UUID]) -> set[int]:
    """Where the ledger says who the answers in these leaves are about."""
    artists: set[str] = set()
    companies: set[str] = set()
    tools: set[str] = set()
    for body in (json.loads(leaf.body) for leaf in leaves if leaf.kind.startswith("permission.")):
        artists |= {str(body["artist"])}
        companies |= {str(body["company"])} if body["company"] else set()
        tools |= {str(body["tool"])} if body["tool"] else set()
    return ties_of(
        artists={ref for ref in map(uuid.UUID, artists) if ref in opened_for},
        companies={uuid.UUID(ref) for ref in companies},
        tools={uuid.UUID(ref) for ref in tools},
    )


def _receipt(
    leaves: Sequence[LeafRow], *, opened_for: Collection[uuid.UUID], asked: Asked | None = None
) -> Receipt:
    checkpoint = latest_checkpoint()
    if checkpoint is None or leaves[-1].seq > checkpoint.size:
        raise not_sealed()
    bodies = [json.loads(leaf.body) for leaf in leaves]
    receipt_id = uuid.uuid4()
    data = build_receipt(
        receipt_id=receipt_id,
        created_at=now(),
        leaves=list(_proved(leaves, checkpoint, opened_for)),
        note=checkpoint.note,
        keys=verifying_keys(),
        origin=origin(),
        circumstances=_circumstances(bodies),
        wordings=_wordings(leaves, bodies),
        asked=asked,
        key_address=key_address(),
    )
    return Receipt(receipt_id, data, len(leaves), checkpoint.size)


def _proved(
    leaves: Sequence[LeafRow], checkpoint: LedgerCheckpoint, opened_for: Collection[uuid.UUID]
) -> Iterable[ProvedLeaf]:
    stored = tree()
    opened = _opened(leaves, opened_for)
    for leaf in leaves:
        proof = stored.inclusion_proof(index=leaf.seq - 1, size=checkpoint.size)
        yield ProvedLeaf(leaf.text, proof, opened.get(leaf.id))


def _opened(
    leaves: Sequence[LeafRow], opened_for: Collection[uuid.UUID]
) -> dict[str, OpenedPersonal]:
    """The personal parts that the reader may see and that nobody erased, by the leaf's id.

    Hers, of the kinds that speak of her alone: in the reason for a dispute may stand another's
    name. And the names of AI companies, which are no person's and are shown with every tool.
    """
    hers = Q(subject__in=list(opened_for)) & ~Q(entry__kind__startswith="claim.")
    companies = AICompany.objects.filter(party__kind=PartyKind.COMPANY)
    public = Q(entry__kind="party.registered", subject__in=companies.values("party__ref"))
    rows = LedgerPersonal.objects.filter(hers | public, entry__in=[leaf.id for leaf in leaves])
    boxes = [(str(row.entry_id), row.subject, bytes(row.sealed)) for row in rows]
    plain = vault.unseal_each([(subject, box) for _entry, subject, box in boxes])
    return {
        entry: OpenedPersonal(salt=found[0], data=found[1])
        for (entry, _subject, _box), found in zip(boxes, plain, strict=True)
        if found is not None
    }


def _wordings(leaves: Sequence[LeafRow], bodies: Sequence[Mapping[str, Any]]) -> list[ShownWording]:
    """The texts that these leaves published, and those that their answers name."""
    published = Wording.objects.filter(entry__in=[leaf.id for leaf in leaves])
    shown = list(published.order_by("version", "id"))
    named = {body["wording"] for body in bodies if body.get("wording")}
    named -= {wording.digest for wording in shown}
    rows = Wording.objects.filter(digest__in=named).order_by("digest", "id").distinct("digest")
    return [ShownWording(row.text, row.language, row.version) for row in [*rows, *shown]]


def _circumstances(bodies: Sequence[Mapping[str, Any]]) -> Circumstances:
    """What the portal says about the record: no leaf has it, and the verifier says so."""
    operator = settings.LEDGER_OPERATOR
    uses = sorted({use for body in bodies for use in _uses(body)})
    about = dict.fromkeys(what for use in uses for what in PERSONAL_DATA.get(use, ("recordings",)))
    return Circumstances(
        language=get_language() or settings.LANGUAGE_CODE,
        controllers=[Controller(operator["name"], operator["address"], operator["contact"])],
        recipients=_recipients(bodies),
        purposes=uses,
        personal_data=list(about),
        storage_locations=[operator["country"]],
        retention_period=RETENTION,
        jurisdiction=operator["country"],
        withdrawal_method=_(
            "Sign in, open Permissions and answer No: it takes effect at once. Nobody asks why."
        ),
    )


def _uses(body: Mapping[str, Any]) -> Iterable[str]:
    named = [body["use"]] if "use" in body else body.get("uses", [])
    return [use for use in named if use in UseKind.values]


def _recipients(bodies: Sequence[Mapping[str, Any]]) -> list[str]:
    """The AI companies that the leaves name; where none is named, all that hold a licence."""
    refs = {body["company"] for body in bodies if body.get("company")}
    tools = {body["tool"] for body in bodies if body.get("tool")}
    companies = AICompany.objects.filter(party__ref__in=refs) | AICompany.objects.filter(
        tools__ref__in=tools
    )
    named = sorted(set(companies.values_list("party__name", flat=True)))
    return named or [_("every AI company that holds a licence for this")]
