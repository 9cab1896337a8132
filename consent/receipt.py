"""Receipts: one JSON file that shows, without us, what the ledger says.

A receipt holds the exact leaves, a proof for each that it stands in the tree, the signed checkpoint
of that tree, and the verifying keys; and, for people and other systems, a consent record with the
fields of ISO/IEC TS 27560:2023 in the terms of W3C's Data Privacy Vocabulary (DPV). The script
`verify_receipt.py`, which knows nothing of this project, checks it offline.

The parts of the record under `dpv:hasRecordOfActivity` are made of the leaf alone, by the very
function with which the script checks them. The rest (`dpv:hasProcess`: companies, retention, …) is
what the portal says about itself; no leaf has it, and the script says so. A wording is bound by the
`wording` digest in the leaf of an answer, or by the leaf that published it.

The names in a leaf's body that this reads: `stance`, `way`, `artist`, `by`, `until`, `wording`
(SHA-256 of the text, hex) and `personal` (see `consent.merkle.commit`). Whatever else is in a body
is carried unchanged. `asked` is the question that the receipt was made for, with the answer; the
script holds its reasons against the leaves, and says that the answer itself is told, not proved. Of
a yes to a text whose meaning was replaced it checks that too: both texts are there as published.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _

from consent.checkpoint import VerifyingKey, open_checkpoint
from consent.leaves import moment
from consent.merkle import InclusionProof, ProofError, commit, leaf_hash, verify_inclusion
from consent.verify_receipt import FORMAT, ReceiptError, answer_in, check_notices, record_of

CONTEXT: Final = {
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "schema": "https://schema.org/",
    "liner": "urn:liner-notes:ledger:v1:",
}


@dataclass(frozen=True, slots=True)
class OpenedPersonal:
    """What a leaf's `personal` commitment was made of: still readable, as nobody erased it."""

    salt: bytes
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ProvedLeaf:
    """A leaf's exact text, where it stands, and its personal part where it may be shown.

    `personal` is None when it was erased, when the reader may not see it, or when there is none.
    """

    leaf: str
    inclusion: InclusionProof
    personal: OpenedPersonal | None = None


@dataclass(frozen=True, slots=True)
class Texts:
    """Where a text was published that she said yes to, and the one of new meaning that replaced it.

    Ledger positions; `read` is None where the answer names no text, and so counts as to the first.
    """

    read: int | None
    replaced_by: int


@dataclass(frozen=True, slots=True)
class Ground:
    """One reason of an answer; `seq` is the leaf that it rests on, None where it is an absence.

    A yes to an earlier text (`answer_outdated`) rests on `texts` as well, and nothing else does.
    """

    code: str
    verdict: str
    seq: int | None
    texts: Texts | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a receipt was asked about, and what the rules made of it (see `consent.decisions`).

    `at` (UTC) and `known_seq` make the same answer come again. `territory` None is the world.
    """

    isrc: str
    use: str
    tool: str
    territory: str | None
    at: datetime
    known_seq: int
    allowed: bool
    reasons: Sequence[Ground]


@dataclass(frozen=True, slots=True)
class Controller:
    """A party of the record, with the fields that ISO/IEC TS 27560 wants of one."""

    name: str
    address: str
    contact: str


@dataclass(frozen=True, slots=True)
class Wording:
    """A notice exactly as it was shown.

    Its SHA-256 must be a `wording` of one of the leaves, or one of them must have published it, in
    this language and version.
    """

    text: str
    language: str
    version: int


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The mandatory fields of ISO/IEC TS 27560 that are no facts of the ledger.

    `language` is a BCP 47 tag, `jurisdiction` and `storage_locations` are ISO 3166-1 codes,
    `retention_period` an ISO 8601 duration or a sentence, the rest words for people.
    """

    language: str
    controllers: Sequence[Controller]
    recipients: Sequence[str]
    purposes: Sequence[str]
    personal_data: Sequence[str]
    storage_locations: Sequence[str]
    retention_period: str
    jurisdiction: str
    withdrawal_method: str


def build_receipt(
    *,
    receipt_id: UUID,
    created_at: datetime,
    leaves: Sequence[ProvedLeaf],
    note: str,
    keys: Sequence[VerifyingKey],
    origin: str,
    circumstances: Circumstances,
    wordings: Sequence[Wording] = (),
    asked: Asked | None = None,
    key_address: str,
) -> dict[str, Any]:
    """A receipt for these leaves, ready for `receipt_text`; never one that would not verify.

    With `asked` it says what question it was made for, and what the answer rested on.

    `note` is the signed checkpoint that every proof is for, `origin` the ledger's own name, which
    is also the name of its keys; `keys` are those that the receipt carries, and `key_address` is
    where a reader finds them published elsewhere. The reasons of `ProofError` and
    `CheckpointError` are those of their modules; `ProofError` is raised as well when a wording or
    an opened personal part does not belong to the leaves, or a reason rests on none of them.
    ValueError when there is no leaf.
    """
    if not leaves:
        raise ValueError("a receipt needs at least one leaf")
    keys = [key for key in keys if key.name == origin]
    opened = open_checkpoint(note=note, keys=keys, origin=origin)
    bodies: list[dict[str, Any]] = []
    for each in leaves:
        leaf = json.loads(each.leaf)
        if leaf["seq"] != each.inclusion.index + 1:
            raise ProofError("the leaf's sequence is not its place in the tree")
        verify_inclusion(each.inclusion, leaf_hash=leaf_hash(each.leaf.encode()), head=opened.head)
        _check_personal(each.personal, leaf["body"])
        bodies.append(leaf)
    notices = [_notice(wording) for wording in wordings]
    told = None if asked is None else _asked(asked)
    try:
        check_notices({"dpv:hasNotice": notices}, bodies, FORMAT)
        if told is not None:
            answer_in(told, bodies, FORMAT)
    except ReceiptError as wrong:
        raise ProofError(wrong.args[0]) from wrong
    return {
        "format": FORMAT,
        "record": {
            "@context": CONTEXT,
            "@id": f"urn:uuid:{receipt_id}",
            "@type": "dpv:ConsentReceipt",
            "dct:conformsTo": "https://w3id.org/dpv/schema/dpv-27560#receipt",
            "dct:identifier": str(receipt_id),
            "dct:created": _moment(created_at),
            "schema:recipient": "dpv:DataSubject",
            "dpv:hasRecordOfActivity": [record_of(leaf) for leaf in bodies],
            "dpv:hasNotice": notices,
            "dpv:hasProcess": _process(circumstances),
        },
        "leaves": [_leaf(each) for each in leaves],
        "checkpoint": note,
        "keys": [key.encode() for key in keys],
        **({} if told is None else {"asked": told}),
        **_explanation(key_address),
    }


def receipt_text(receipt: Mapping[str, Any]) -> str:
    """The receipt as the file that an artist keeps: readable JSON in UTF-8, newline at its end."""
    return json.dumps(receipt, ensure_ascii=False, indent=2) + "\n"


def _explanation(key_address: str) -> dict[str, Any]:
    return {
        "what_this_proves": [
            _("These exact entries stand at these places in the ledger whose root is signed."),
            _("The record's account of each entry, under hasRecordOfActivity, is what it says."),
            _(
                "A wording shown is, letter by letter, the one that was seen when deciding, or that"
                " was published in its place."
            ),
            _("Personal details shown are the ones that the entry was made with."),
        ],
        "what_this_does_not_prove": [
            _("The time: it is the ledger's own clock, and no checkpoint has a trusted one."),
            _("Who signed, unless you have the verifying key from somewhere else than here."),
            _("That nothing else was decided before or since."),
            _("What the record says under hasProcess: the portal says it, no entry does."),
            _("An answer told under “asked”: the entries are what it rests on, not the rules."),
        ],
        "verify": _(
            "Run: python verify_receipt.py receipt.json --key KEY, with the key as published at "
            "%(address)s, or as you kept it. It needs Python, the package cryptography, no network."
        )
        % {"address": key_address},
    }


def _asked(asked: Asked) -> dict[str, Any]:
    return {
        "question": {
            "isrc": asked.isrc,
            "use": asked.use,
            "tool": asked.tool,
            "territory": asked.territory,
            "at": moment(asked.at),
            "known_seq": asked.known_seq,
        },
        "allowed": asked.allowed,
        "reasons": [_ground(one) for one in asked.reasons],
    }


def _ground(one: Ground) -> dict[str, Any]:
    said: dict[str, Any] = {"code": one.code, "verdict": one.verdict, "seq": one.seq}
    if one.texts is not None:
        said["texts"] = {"read": one.texts.read, "replaced_by": one.texts.replaced_by}
    return said


def _process(said: Circumstances) -> dict[str, Any]:
    return {
        "@type": "dpv:Process",
        "dct:language": said.language,
        "dpv:hasLegalBasis": "dpv:Consent",
        "dpv:hasPurpose": list(said.purposes),
        "dpv:hasPersonalData": list(said.personal_data),
        "dpv:hasDataController": [
            {
                "@type": "dpv:DataController",
                "dpv:hasName": controller.name,
                "dpv:hasAddress": controller.address,
                "dpv:hasContact": controller.contact,
            }
            for controller in said.controllers
        ],
        "dpv:hasRecipient": list(said.recipients),
        "dpv:hasJurisdiction": said.jurisdiction,
        "dpv:hasStorageCondition": [
            {"@type": "dpv:StorageLocation", "dpv:hasLocation": list(said.storage_locations)},
            {"@type": "dpv:StorageDuration", "dpv:hasDuration": said.retention_period},
        ],
        "dpv:hasConsentControl": {
            "@type": "dpv:WithdrawConsent",
            "dct:description": said.withdrawal_method,
        },
    }


def _notice(wording: Wording) -> dict[str, Any]:
    return {
        "@type": "dpv:ConsentNotice",
        "dct:language": wording.language,
        "dct:hasVersion": wording.version,
        "dct:description": wording.text,
    }


def _leaf(each: ProvedLeaf) -> dict[str, Any]:
    part: dict[str, Any] = {
        "leaf": each.leaf,
        "inclusion": {
            "index": each.inclusion.index,
            "size": each.inclusion.size,
            "hashes": [_to_base64(one) for one in each.inclusion.hashes],
        },
    }
    if each.personal is not None:
        part["personal"] = {"salt": _to_base64(each.personal.salt), "data": each.personal.data}
    return part


def _check_personal(personal: OpenedPersonal | None, body: Mapping[str, Any]) -> None:
    if personal is None:
        return
    if commit(personal.salt, personal.data) != body.get("personal"):
        raise ProofError("the personal part is not the one that the leaf commits to")


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
