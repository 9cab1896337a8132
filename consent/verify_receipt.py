"""Check a Liner Notes receipt, offline, without asking anyone.

    python verify_receipt.py receipt.json [--key KEY] [--checkpoint FILE]

Needs Python 3.10 or newer and the package `cryptography`; no network. KEY is a verifying key
(name+hash+base64), or a file with one a line, and FILE a checkpoint of the same ledger, that you
have from somewhere else than the receipt: only such a key says who signed.

Exit status: 0 everything that was asked holds, 1 something is wrong, 2 it cannot be judged.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

__all__ = ["FORMAT", "FORMATS", "canonical", "check", "record_of"]

# What was ever given out; the newest is written.
FORMATS = ("liner-notes-receipt/1", "liner-notes-receipt/2", "liner-notes-receipt/3")
FORMAT = FORMATS[-1]
# The consent states of DPV: by the way an answer came about, or else by the answer.
STATES = {"withdrawn": "Withdrawn", "revoked": "Revoked", "invalidated": "Invalidated"}
STATES |= {"allow": "Given", "deny": "Refused", "ask": "RequestDeferred"}
PUBLISHED, OUTDATED = "wording.published", "answer_outdated"

Keys = dict[tuple[str, bytes], bytes]  # by name and key hash

PROVED = """
PROVED: these exact entries stand at these places in the ledger that the checkpoint signs, and
the record's account of them, and any wording and personal details shown, agree with them.
"""
PINNED = "PROVED: it was signed with the key that you gave.\n"
UNPINNED = """NOT PROVED: who signed. The key came with the receipt itself, which therefore only
agrees with itself: get the key from somewhere else and give it with --key.
"""
NOT_PROVED = """NOT PROVED: the time. It is the ledger's own clock; no checkpoint has a trusted one.
NOT PROVED: that nothing else was decided before or since.
NOT PROVED: what else the record tells (companies, addresses, retention): no entry has it.
"""
ANSWER = """NOT PROVED: that the answer follows from the entries. Ask again for the same moment and
position, or apply the rules, which are public, to what the entries say.
"""


class ReceiptError(Exception):
    """A sentence, and the exit status."""


def need(condition: Any, sentence: str, status: int = 1) -> None:
    if not condition:
        raise ReceiptError(sentence, status)


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def parse(text: Any) -> dict[str, Any]:
    """A JSON object in which no name occurs twice, so that every reader reads the same."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        need(len(dict(pairs)) == len(pairs), "A name occurs twice.")
        return dict(pairs)

    found = json.loads(text, object_pairs_hook=once)
    need(isinstance(found, dict), "A part that should have names and values has none.")
    return dict(found)


def canonical(value: Any) -> bytes:
    """JSON in its one canonical spelling (RFC 8785; the ledger has no fractions)."""

    def ordered(value: Any) -> Any:
        if isinstance(value, dict):
            names = sorted(value, key=lambda name: name.encode("utf-16-be"))
            return {name: ordered(value[name]) for name in names}
        return [ordered(each) for each in value] if isinstance(value, list) else value

    return json.dumps(ordered(value), ensure_ascii=False, separators=(",", ":")).encode()


def unbase64(text: Any) -> bytes:
    data = base64.b64decode(text, validate=True)
    need(data and base64.b64encode(data).decode() == text, "Something is not proper base64.")
    return data


def whole(number: Any) -> int:
    need(type(number) is int and 0 <= number < 2**63, "A number is not a proper one.")
    return int(number)


def root_above(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """Where an inclusion proof leads (RFC 9162 section 2.1.3.2)."""
    need(index < size, "A proof speaks of an entry that the ledger did not have yet.")
    node, last, root = index, size - 1, sha256(b"\x00" + leaf)
    for sibling in path:
        need(last > 0 and len(sibling) == 32, "A proof has too many hashes, or broken ones.")
        if node & 1 or node == last:
            root = sha256(b"\x01" + sibling + root)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            root = sha256(b"\x01" + root + sibling)
        node, last = node >> 1, last >> 1
    need(last == 0, "A proof has too few hashes.")
    return root


def read_keys(lines: list[str]) -> Keys:
    keys = {}
    for line in lines:
        name, _, rest = line.strip().partition("+")
        key_hash, plus, encoded = rest.partition("+")
        need(plus, "A key is written as name+hash+base64; a name alone is no key.", 2)
        data = unbase64(encoded)
        need(data[:1] == b"\x01" and len(data) == 33, "A key is not an Ed25519 key.", 2)
        found = sha256(name.encode() + b"\n" + data)[:4]
        need(found.hex() == key_hash, "A key's hash does not belong to it.", 2)
        keys[name, found] = data[1:]
    return keys


def open_note(note: str, keys: Keys) -> tuple[str, int, bytes, list[str]]:
    """Origin, size, root and signers of a checkpoint (C2SP tlog-checkpoint, Ed25519)."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    text, blank, tail = note.rpartition("\n\n")
    lines = text.split("\n")
    fine = blank and tail.endswith("\n") and all(line and line.isprintable() for line in lines)
    need(fine and len(lines) > 2, "The checkpoint is not a signed note.")
    need(re.fullmatch("0|[1-9][0-9]{0,18}", lines[1]), "The checkpoint's size is not a number.")
    root, signers = unbase64(lines[2]), []
    for line in tail[:-1].split("\n"):
        parts = line.split(" ")
        need(len(parts) == 3 and parts[0] == "\u2014", "A signature line is not one.")
        name, data = parts[1], unbase64(parts[2])
        # Signatures by others (a later key, a witness) are passed over.
        if name == lines[0] and (name, data[:4]) in keys:
            key = Ed25519PublicKey.from_public_bytes(keys[name, data[:4]])
            try:
                key.verify(data[4:], f"{text}\n".encode())
            except InvalidSignature:
                raise ReceiptError("The signature under the checkpoint is forged.", 1) from None
            signers.append(f"{name}+{data[:4].hex()}")
    need(signers, "None of the keys given has signed the checkpoint.")
    return lines[0], whole(int(lines[1])), root, signers


def event_of(leaf: dict[str, Any]) -> dict[str, Any]:
    """The event of a consent record: which state, expressed when, how, by whom, and how long."""
    body, until = leaf["body"], leaf["body"].get("until")
    stance, way = body["stance"], body.get("way")
    state = STATES.get(way) or STATES.get(stance) or "Unknown"
    if (stance, way) == ("undecided", "answered"):
        state = "RequestDeferred"  # she put it off; taken back, the entry alone says nothing
    event = {
        # Each answer is an act of its own about one kind of use: none is implied.
        "@type": [f"dpv:Consent{state}", "dpv:ExplicitlyExpressedConsent"],
        "dpv:isIndicatedAtTime": leaf["at"],
        "dpv:hasDuration": {"@type": "dpv:UntilTimeDuration", "rdf:value": until}
        if until
        else {"@type": "dpv:UntilEventDuration", "rdf:value": "until answered again"},
    }
    if body.get("by"):
        event["dpv:isIndicatedBy"] = f"urn:uuid:{body['by']}"
    return event


def record_of(leaf: dict[str, Any], form: str = FORMAT) -> dict[str, Any]:
    """The consent record that a leaf makes, in the terms of DPV: nothing in it but the leaf."""
    body = leaf["body"]
    record = {
        "@id": f"urn:uuid:{leaf['id']}",
        "@type": "dpv:ConsentRecord" if "stance" in body else "dpv:DataProcessingRecord",
        "dct:conformsTo": "https://w3id.org/dpv/schema/dpv-27560#record",
        "dct:identifier": leaf["id"],
        "dct:isPartOf": f"urn:uuid:{leaf['act']}",
        "dpv:isIndicatedAtTime": leaf["at"],
        "liner:kind": leaf["kind"],
        "liner:seq": leaf["seq"],
        "liner:body": body,
    }
    if "stance" in body and form == FORMATS[0]:
        state = STATES.get(body.get("way")) or STATES.get(body["stance"]) or "Unknown"
        record["dpv:hasConsentStatus"] = f"dpv:Consent{state}"
    elif "stance" in body:
        record["dpv:hasConsentStatus"] = [event_of(leaf)]
        if body.get("artist"):
            record["dpv:hasDataSubject"] = f"urn:uuid:{body['artist']}"
    return record


def names_in(leaves: list[dict[str, Any]], entries: list[dict[str, Any]]) -> list[str]:
    """Who and what the pseudonyms stand for, as far as the entries themselves say it."""
    said: dict[str, None] = {}
    for leaf, entry in zip(leaves, entries, strict=True):
        kind, body, personal = leaf["kind"], leaf["body"], entry.get("personal")
        if kind == "party.registered" and personal is not None:
            said[f"    {body['party']} is {personal['data']['name']}"] = None
        elif kind.startswith("tool."):
            said[f"    {body['tool']} is the tool {body['slug']} of {body['company']}"] = None
        elif kind == "recording.identified":
            said[f"    {body['recording']} is the recording {body['isrc']}"] = None
    return ["Who and what the entries speak of:", *said] if said else []


def answer_in(asked: dict[str, Any], leaves: list[dict[str, Any]], form: str) -> list[str]:
    """The question and the answer that the receipt was made for: told, and resting on entries."""
    question, by_seq = asked["question"], {leaf["seq"]: leaf for leaf in leaves}
    said = [f"Asked: {canonical(question).decode()}"]
    said.append("Answered (told, not proved): " + ("yes" if asked["allowed"] is True else "no"))

    def entry(seq: Any) -> dict[str, Any]:
        need(whole(seq) in by_seq, f"Entry {seq}, a reason, is not in the receipt.")
        need(seq <= whole(question["known_seq"]), "A reason was not known yet.")
        return by_seq[seq]

    for reason in asked["reasons"]:
        answer = None if reason["seq"] is None else entry(reason["seq"])
        rests = "nothing was there" if answer is None else f"entry {answer['seq']}"
        said.append(f"    {reason['verdict']}: {reason['code']} ({rests})")
        if form in FORMATS[:2]:
            continue
        texts = reason.get("texts")
        need((reason["code"] == OUTDATED) == (texts is not None), "A reason lacks its texts.")
        if texts is not None:
            need(answer is not None, "A yes to an earlier text has no entry.")
            read = None if texts["read"] is None else entry(texts["read"])
            said.append(replaced_text(answer or {}, read, entry(texts["replaced_by"]), question))
    return said


def replaced_text(
    answer: dict[str, Any],
    read: dict[str, Any] | None,
    newer: dict[str, Any],
    question: dict[str, Any],
) -> str:
    """That a text of new meaning replaced the one that an answer was a yes to.

    Where the answer names no text, it was to the first.
    """
    for text in [newer] if read is None else [read, newer]:
        fine = text["kind"] == PUBLISHED and text["body"]["use"] == question["use"]
        need(fine, f"Entry {text['seq']} is no text about this use.")
    said, new = answer["body"], newer["body"]
    fine = said.get("stance") == "allow" and said.get("use") == question["use"]
    need(fine, f"Entry {answer['seq']} is no yes to this use.")
    named = None if read is None else read["body"]["digest"]
    need(said.get("wording") == named, "The text is not the one that the answer names.")
    first = 1 if read is None else whole(read["body"]["version"])
    later = whole(new["version"]) > first and (read is None or newer["seq"] > read["seq"])
    need(later and new["means_the_same"] is False, "No later text says anything new.")
    old = "the first text" if read is None else f"the text of entry {read['seq']}"
    replaced = f"replaced by that of entry {newer['seq']} (version {new['version']})"
    return f"        to {old} (version {first}), {replaced}"


def check_notices(record: dict[str, Any], leaves: list[dict[str, Any]], form: str) -> None:
    """Every text shown is one that an answer names, or, since /3, one that an entry published."""
    worded = {leaf["body"].get("wording") for leaf in leaves}
    published: dict[str, list[tuple[Any, Any]]] = {}
    for leaf in leaves if form not in FORMATS[:2] else []:
        if leaf["kind"] == PUBLISHED:
            body = leaf["body"]
            published.setdefault(body["digest"], []).append((body["language"], body["version"]))
    for notice in record["dpv:hasNotice"]:
        digest = sha256(notice["dct:description"].encode()).hex()
        fine = digest in worded or digest in published
        need(fine, "A wording in the record is not the one that was seen.")
        called = (notice["dct:language"], notice["dct:hasVersion"])
        fine = digest not in published or called in published[digest]
        need(fine, "A wording's language or version is not the one that was published.")


def check_entry(entry: dict[str, Any], size: int, root: bytes) -> dict[str, Any]:
    """One leaf: its place in the tree, and the personal details it commits to, when shown."""
    text, proof, personal = entry["leaf"], entry["inclusion"], entry.get("personal")
    leaf = parse(text)
    need(canonical(leaf) == text.encode(), "An entry is not written as the ledger writes.")
    need(" ".join(leaf) == "act at body id kind seq v" and leaf["v"] == 1, "An entry is no leaf.")
    seq = whole(leaf["seq"])
    need(seq == whole(proof["index"]) + 1, "An entry's number is not its place in the ledger.")
    need(whole(proof["size"]) == size, "A proof is for another checkpoint.")
    found = root_above(text.encode(), seq - 1, size, [unbase64(each) for each in proof["hashes"]])
    need(found == root, f"Entry {seq} is not in the ledger that the checkpoint signs.")
    if personal is not None:
        commitment = sha256(unbase64(personal["salt"]) + canonical(personal["data"])).hex()
        need(commitment == leaf["body"].get("personal"), "Personal details are not the true ones.")
    return leaf


def check(receipt: dict[str, Any], pinned: Keys | None, brought: str | None) -> list[str]:
    """Every check there is; returns what the entries say, in plain words."""
    form = str(receipt.get("format"))
    need(form in FORMATS, f"This is no receipt of the formats {', '.join(FORMATS)}.", 2)
    keys = read_keys(receipt["keys"]) if pinned is None else pinned
    origin, size, root, signers = open_note(receipt["checkpoint"], keys)
    if brought is not None:
        other = open_note(brought, keys)
        need(other[:2] == (origin, size), f"Bring the checkpoint of {origin} at {size} entries.", 2)
        need(other[2] == root, "TWO DIFFERENT HISTORIES were signed: keep both files.")
    record, entries = receipt["record"], receipt["leaves"]
    leaves = [check_entry(entry, size, root) for entry in entries]
    need(leaves, "The receipt has no entries.")
    told, meant = record["dpv:hasRecordOfActivity"], [record_of(leaf, form) for leaf in leaves]
    # As text, because True equals 1 in Python.
    need(canonical(told) == canonical(meant), "The record does not say what the entries say.")
    check_notices(record, leaves, form)
    said = [f"Ledger {origin}, {size} entries, signed with {', '.join(signers)}."]
    said += ["The checkpoint that you brought has the same root."] if brought else []
    if form != FORMATS[0]:
        said += names_in(leaves, entries)
        said += answer_in(receipt["asked"], leaves, form) if receipt.get("asked") else []
    for leaf, entry in zip(leaves[:20], entries, strict=False):
        said.append(f"Entry {leaf['seq']}: {leaf['kind']}, {leaf['at']} by the ledger's own clock")
        said += [f"    {name}: {canonical(value).decode()}" for name, value in leaf["body"].items()]
        if entry.get("personal") is not None:
            said.append(f"    it is about {canonical(entry['personal']['data']).decode()}")
        elif "personal" in leaf["body"]:
            said.append("    its personal details are not shown, or were erased; the rest holds")
    return said + ([f"... and {len(leaves) - 20} more, all checked"] if len(leaves) > 20 else [])


def main() -> int:
    parser = argparse.ArgumentParser(description="Check a Liner Notes receipt, offline.")
    parser.add_argument("receipt")
    parser.add_argument("--key", action="append", default=[], help="a verifying key, or a file")
    parser.add_argument("--checkpoint", help="the same checkpoint, from somewhere else")
    asked = parser.parse_args()
    status, end = 0, PROVED + (PINNED if asked.key else UNPINNED) + NOT_PROVED
    try:
        texts = [
            Path(key).read_bytes().decode() if Path(key).is_file() else key for key in asked.key
        ]
        given = [line for text in texts for line in text.splitlines() if line.strip()]
        pinned = read_keys(given) if asked.key else None
        brought = Path(asked.checkpoint).read_bytes().decode() if asked.checkpoint else None
        receipt = parse(Path(asked.receipt).read_bytes().decode())
        said = check(receipt, pinned, brought)
        end += ANSWER if receipt.get("asked") else ""
    except ReceiptError as wrong:
        said, status = [str(wrong.args[0])], wrong.args[1]
    except (OSError, ImportError) as error:
        said, status = [str(error)], 2
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        said, status = ["The receipt is damaged: a part is missing or not what it should be."], 1
    if status:
        said[0], end = f"{('WRONG', 'CANNOT BE JUDGED')[status - 1]}: {said[0]}", ""
    # Nothing in a receipt may move the cursor, or pass for a line of ours.
    safe = ["".join(each if each.isprintable() else "?" for each in line) + "\n" for line in said]
    sys.stdout.buffer.write(("".join(safe) + end).encode("utf-8", "backslashreplace"))
    return status


if __name__ == "__main__":
    sys.exit(main())
