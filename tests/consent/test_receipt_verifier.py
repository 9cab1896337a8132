"""Receipts, judged the way an artist will: by the script alone, in a process and folder of its own.

The story: Maren Holt takes her yes to voice cloning back for three recordings at once, and keeps
the receipt. Later the ledger goes on, its key is rotated, and she asks to be forgotten.
"""

import ast
import copy
import json
import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from consent import verify_receipt
from consent.checkpoint import Checkpoint, CheckpointError, SigningKey, sign_checkpoint
from consent.merkle import (
    Frontier,
    InclusionProof,
    ProofError,
    Tree,
    commit,
    leaf_hash,
    verify_inclusion,
)
from consent.receipt import (
    Asked,
    Circumstances,
    Controller,
    Ground,
    OpenedPersonal,
    ProvedLeaf,
    Texts,
    Wording,
    build_receipt,
    receipt_text,
)

ORIGIN = "liner.example/ledger"
FIRST = SigningKey(ORIGIN, bytes(range(32)))
SECOND = SigningKey(ORIGIN, bytes(range(1, 33)))
WITNESS = SigningKey("witness.example/one", bytes(range(2, 34)))

SCRIPT = Path(verify_receipt.__file__)
ACT = UUID(int=7)
MAREN = {"name": "Maren Holt", "acting": "artist"}
WORDING = Wording("May this company clone your voice? Du kannst jederzeit nein sagen.", "en", 3)
CIRCUMSTANCES = Circumstances(
    language="en",
    controllers=[Controller("Fjord Records", "Kaigata 1, Bergen", "privacy@fjord.example")],
    recipients=["Orpheus AI"],
    purposes=["voice"],
    personal_data=["voice", "recordings"],
    storage_locations=["NO"],
    retention_period="P10Y",
    jurisdiction="NO",
    withdrawal_method="https://liner.example/permissions/",
)


def salt_of(seq: int) -> bytes:
    return sha256(b"%d" % seq).digest()


def leaf_text(seq: int) -> str:
    """What the ledger holds at a sequence; 5, 6 and 7 are Maren Holt's act."""
    body: dict[str, Any] = {"recording": f"NOUM7240019{seq % 10}", "title": "海"}
    if 5 <= seq <= 7:
        body |= {"stance": "deny", "way": "withdrawn", "use": "voice"}
        body |= {"wording": sha256(WORDING.text.encode()).hexdigest()}
        body |= {"personal": commit(salt_of(seq), MAREN)}
    leaf: dict[str, Any] = {
        "act": str(ACT if 5 <= seq <= 7 else UUID(int=seq)),
        "at": "2026-11-20T06:00:00.123456Z",
        "body": body,
        "id": str(UUID(int=1000 + seq)),
        "kind": "permission.answered",
        "seq": seq,
        "v": 1,
    }
    return rfc8785.dumps(leaf).decode()


@dataclass
class Ledger:
    """Some leaves, their tree and the key that signs it."""

    size: int
    keys: Sequence[SigningKey] = (FIRST,)
    texts: Sequence[str] = ()

    def __post_init__(self) -> None:
        frontier, tiles = Frontier(), {}
        hashes = [leaf_hash(self.text(seq).encode()) for seq in range(1, self.size + 1)]
        for tile in frontier.extend(hashes) + frontier.open_tiles():
            tiles[tile.level, tile.index] = tile.hashes
        self.head = frontier.head()
        self.tree = Tree(lambda level, index: tiles.get((level, index), b""))

    def text(self, seq: int) -> str:
        return self.texts[seq - 1] if self.texts else leaf_text(seq)

    @property
    def note(self) -> str:
        return sign_checkpoint(checkpoint=Checkpoint(ORIGIN, self.head), keys=self.keys)

    def proved(self, seq: int, *, erased: bool = False) -> ProvedLeaf:
        shown = None if erased or not 5 <= seq <= 7 else OpenedPersonal(salt_of(seq), MAREN)
        proof = self.tree.inclusion_proof(index=seq - 1, size=self.size)
        return ProvedLeaf(self.text(seq), proof, shown)

    def receipt(self, *seqs: int, erased: bool = False, **instead: Any) -> dict[str, Any]:
        given: dict[str, Any] = {
            "receipt_id": UUID(int=99),
            "created_at": datetime(2026, 11, 20, 6, 5, tzinfo=UTC),
            "leaves": [self.proved(seq, erased=erased) for seq in seqs or (5, 6, 7)],
            "note": self.note,
            "keys": [key.verifying_key for key in self.keys],
            "origin": ORIGIN,
            "circumstances": CIRCUMSTANCES,
            "wordings": [WORDING] if not seqs or {5, 6, 7} & set(seqs) else [],
            "key_address": "https://liner.example/keys",
        }
        return build_receipt(**(given | instead))


LEDGER = Ledger(12)


@dataclass
class Desk:
    """A folder with nothing but the script, and what was saved beside it."""

    folder: Path

    def judge(self, receipt: Any, *options: str) -> tuple[int, str]:
        text = receipt if isinstance(receipt, str) else receipt_text(receipt)
        (self.folder / "receipt.json").write_text(text, encoding="utf-8")
        # -I: neither the folder nor the environment can lend it this project's modules.
        done = subprocess.run(
            [sys.executable, "-I", "-W", "error", "verify_receipt.py", "receipt.json", *options],
            cwd=self.folder,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.stderr == b"", done.stderr.decode()
        return done.returncode, done.stdout.decode()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    shutil.copy(SCRIPT, tmp_path)
    return Desk(tmp_path)


def key_of(key: SigningKey) -> str:
    return key.verifying_key.encode()


def test_a_receipt_verifies_and_says_what_the_entries_say(desk: Desk) -> None:
    status, said = desk.judge(LEDGER.receipt(), "--key", key_of(FIRST))
    assert status == 0
    assert "12 entries" in said
    for seq in (5, 6, 7):
        assert f"Entry {seq}: permission.answered, 2026-11-20T06:00:00.123456Z" in said
    assert 'stance: "deny"' in said
    assert '"name":"Maren Holt"' in said
    assert "PROVED: it was signed with the key that you gave." in said
    assert "NOT PROVED: the time." in said


def test_a_key_that_came_with_the_receipt_is_called_no_proof_of_who_signed(desk: Desk) -> None:
    status, said = desk.judge(LEDGER.receipt())
    assert status == 0
    assert "NOT PROVED: who signed." in said
    assert "PROVED: it was signed" not in said


def test_a_whole_receipt_made_up_by_somebody_else_fails_against_the_true_key(desk: Desk) -> None:
    forged = Ledger(12, keys=[replace(SECOND, name=ORIGIN)]).receipt()
    assert desk.judge(forged)[0] == 0
    status, said = desk.judge(forged, "--key", key_of(FIRST))
    assert (status, said) == (1, "WRONG: None of the keys given has signed the checkpoint.\n")


def test_a_key_may_be_a_file_and_a_name_alone_is_no_key(desk: Desk) -> None:
    (desk.folder / "keys").write_text(f"{key_of(SECOND)}\n\n{key_of(FIRST)}\n")
    (desk.folder / "empty").write_text("\n")
    receipt = LEDGER.receipt()
    assert desk.judge(receipt, "--key", "keys")[0] == 0
    assert desk.judge(receipt, "--key", key_of(SECOND), "--key", key_of(FIRST))[0] == 0
    assert desk.judge(receipt, "--key", "empty")[0] == 1
    status, said = desk.judge(receipt, "--key", ORIGIN)
    assert status == 2
    assert "a name alone is no key" in said


def test_old_receipts_verify_after_the_key_was_rotated(desk: Desk) -> None:
    (desk.folder / "keys").write_text(f"{key_of(FIRST)}\n{key_of(SECOND)}\n")
    handover, after = Ledger(13, keys=[FIRST, SECOND]), Ledger(14, keys=[SECOND])
    for receipt in (LEDGER.receipt(), handover.receipt(), after.receipt()):
        assert desk.judge(receipt, "--key", "keys")[0] == 0
        assert desk.judge(receipt)[0] == 0
    assert desk.judge(handover.receipt(), "--key", key_of(FIRST))[0] == 0
    assert desk.judge(handover.receipt(), "--key", key_of(SECOND))[0] == 0
    assert desk.judge(after.receipt(), "--key", key_of(FIRST))[0] == 1


def test_a_witness_beside_the_log_changes_nothing_and_cannot_stand_for_it(desk: Desk) -> None:
    witnessed = Ledger(12, keys=[WITNESS, FIRST]).receipt()
    assert desk.judge(witnessed, "--key", key_of(FIRST))[0] == 0
    assert desk.judge(witnessed, "--key", key_of(WITNESS))[0] == 1


def test_after_an_erasure_the_rest_still_verifies(desk: Desk) -> None:
    status, said = desk.judge(LEDGER.receipt(erased=True))
    assert status == 0
    assert "Maren" not in said
    assert said.count("personal details are not shown, or were erased; the rest holds") == 3
    assert desk.judge(LEDGER.receipt())[0] == 0, "whoever kept the salt can still show her part"


def test_an_entry_without_stance_or_person_has_a_receipt_too(desk: Desk) -> None:
    receipt = LEDGER.receipt(1, 12)
    records = receipt["record"]["dpv:hasRecordOfActivity"]
    assert {record["@type"] for record in records} == {"dpv:DataProcessingRecord"}
    status, said = desk.judge(receipt)
    assert status == 0
    assert "erased" not in said


def test_a_large_act_is_checked_whole_and_shown_in_part(desk: Desk) -> None:
    ledger = Ledger(300)
    status, said = desk.judge(ledger.receipt(*range(1, 301)))
    assert status == 0
    assert "... and 280 more, all checked" in said
    receipt = ledger.receipt(*range(1, 301))
    receipt["leaves"][299]["leaf"] = receipt["leaves"][299]["leaf"].replace("海", "山")
    assert desk.judge(receipt)[0] == 1


type Tampering = Callable[[dict[str, Any]], object]


def first(receipt: dict[str, Any]) -> dict[str, Any]:
    return receipt["leaves"][0]  # type: ignore[no-any-return]


def rewrite(part: dict[str, Any], name: str, old: str, new: str) -> None:
    assert old in part[name]
    part[name] = part[name].replace(old, new, 1)


def swap_leaves(receipt: dict[str, Any]) -> None:
    one, two, _ = receipt["leaves"]
    one["leaf"], two["leaf"] = two["leaf"], one["leaf"]


def record(receipt: dict[str, Any]) -> dict[str, Any]:
    return receipt["record"]["dpv:hasRecordOfActivity"][0]  # type: ignore[no-any-return]


OTHER_SALT = b64encode(bytes(32)).decode()
TAMPERINGS: dict[str, Tampering] = {
    "the answer in the leaf": lambda r: rewrite(first(r), "leaf", "deny", "allow"),
    "the time in the leaf": lambda r: rewrite(first(r), "leaf", "06:00:00", "05:00:00"),
    "the number in the leaf": lambda r: rewrite(first(r), "leaf", '"seq":5', '"seq":6'),
    "a space in the leaf": lambda r: rewrite(first(r), "leaf", '"v":1', '"v": 1'),
    "a name twice in the leaf": lambda r: rewrite(first(r), "leaf", '"v":1', '"v":1,"v":1'),
    "a leaf that is no JSON": lambda r: first(r).update(leaf="{"),
    "a leaf that is no text": lambda r: first(r).update(leaf=5),
    "a leaf of lone surrogates": lambda r: first(r).update(leaf="\ud800"),
    "two leaves swapped": swap_leaves,
    "a leaf twice": lambda r: r["leaves"].append(r["leaves"][0]),
    "a leaf dropped": lambda r: r["leaves"].pop(),
    "no leaves": lambda r: r.update(leaves=[]),
    "leaves gone": lambda r: r.pop("leaves"),
    "leaves that are none": lambda r: r.update(leaves=[1]),
    "the place": lambda r: first(r)["inclusion"].update(index=5),
    "a place that is true": lambda r: first(r)["inclusion"].update(index=True),
    "the size": lambda r: first(r)["inclusion"].update(size=13),
    "a path too short": lambda r: first(r)["inclusion"]["hashes"].pop(),
    "a path too long": lambda r: first(r)["inclusion"]["hashes"].append(OTHER_SALT),
    "a path in another order": lambda r: first(r)["inclusion"]["hashes"].reverse(),
    "a wrong hash": lambda r: first(r)["inclusion"]["hashes"].__setitem__(0, OTHER_SALT),
    "a hash that is no base64": lambda r: first(r)["inclusion"]["hashes"].__setitem__(0, "!"),
    "no path": lambda r: first(r).pop("inclusion"),
    "the name in the personal part": lambda r: first(r)["personal"]["data"].update(name="Charlie"),
    "more in the personal part": lambda r: first(r)["personal"]["data"].update(age=41),
    "the salt": lambda r: first(r)["personal"].update(salt=OTHER_SALT),
    "no salt": lambda r: first(r)["personal"].pop("salt"),
    "the status in the record": lambda r: record(r).update(
        {"dpv:hasConsentStatus": "dpv:ConsentGiven"}
    ),
    "the time in the record": lambda r: record(r).update(
        {"dpv:isIndicatedAtTime": "2020-01-01T00:00:00.000000Z"}
    ),
    "the answer in the record": lambda r: record(r)["liner:body"].update(stance="allow"),
    "more in the record": lambda r: record(r).update({"dpv:hasPurpose": "anything"}),
    "a record less": lambda r: r["record"]["dpv:hasRecordOfActivity"].pop(),
    "no record": lambda r: r.pop("record"),
    "the wording": lambda r: rewrite(
        r["record"]["dpv:hasNotice"][0], "dct:description", "nein", "ja"
    ),
    "the size in the checkpoint": lambda r: rewrite(r, "checkpoint", "\n12\n", "\n13\n"),
    "the origin in the checkpoint": lambda r: rewrite(r, "checkpoint", "liner", "other"),
    "another line in the checkpoint": lambda r: rewrite(r, "checkpoint", "\n\n", "\nmore\n\n"),
    "the signature": lambda r: r.update(checkpoint=r["checkpoint"][:-10] + "AAAAAAA==\n"),
    "an unsigned checkpoint": lambda r: r.update(checkpoint=r["checkpoint"].split("—")[0]),
    "the checkpoint of another size": lambda r: r.update(checkpoint=Ledger(13).note),
    "no checkpoint": lambda r: r.update(checkpoint=None),
    "no keys": lambda r: r.update(keys=[]),
    "another's key": lambda r: r.update(keys=[key_of(SECOND)]),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_tampered_receipt_is_wrong_even_with_no_key_from_outside(desk: Desk, name: str) -> None:
    receipt = copy.deepcopy(LEDGER.receipt())
    TAMPERINGS[name](receipt)
    text = json.dumps(receipt)  # ASCII, so that even lone surrogates reach the script
    status, said = desk.judge(text)
    assert status == 1, said
    assert said.startswith("WRONG: ")
    assert "PROVED" not in said


def leaves_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all scalars below a value."""
    if isinstance(value, dict | list):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        return [found for key, each in inner for found in leaves_of(each, (*path, key))]
    return [path]


@given(st.data())
def test_no_value_that_the_receipt_proves_can_be_another(data: st.DataObject) -> None:
    receipt = copy.deepcopy(LEDGER.receipt())
    proved = ["leaves", "checkpoint", "keys"]
    paths = [(name, *path) for name in proved for path in leaves_of(receipt[name])]
    activity = ("record", "dpv:hasRecordOfActivity")
    paths += [(*activity, *path) for path in leaves_of(receipt["record"][activity[1]])]
    *way, last = data.draw(st.sampled_from(paths))
    part: Any = receipt
    for step in way:
        part = part[step]
    old = part[last]
    new = data.draw(
        st.none()
        | st.booleans()
        | st.integers(-2, 20)
        | st.floats(allow_nan=False)
        | st.text(max_size=3).map(lambda text: f"{old}{text}")
        | st.text()
    )
    if (type(new), new) == (type(old), old):
        return
    part[last] = new
    try:
        verify_receipt.check(receipt, None, None)
    except (verify_receipt.ReceiptError, AttributeError, KeyError, TypeError, ValueError):
        return
    # Spaces around a key are the one thing that may differ.
    assert way == ["keys"]
    assert str(new).strip() == old


def test_the_checkpoint_that_was_sent_elsewhere_confirms_the_receipt(desk: Desk) -> None:
    (desk.folder / "mailed").write_text(LEDGER.note)
    status, said = desk.judge(LEDGER.receipt(), "--checkpoint", "mailed")
    assert status == 0
    assert "The checkpoint that you brought has the same root." in said


def test_two_histories_under_one_key_are_found_by_an_outside_checkpoint(desk: Desk) -> None:
    other_head = replace(LEDGER.head, root=bytes(32))
    note = sign_checkpoint(checkpoint=Checkpoint(ORIGIN, other_head), keys=[FIRST])
    (desk.folder / "mailed").write_text(note)
    status, said = desk.judge(LEDGER.receipt(), "--checkpoint", "mailed")
    assert (status, said) == (1, "WRONG: TWO DIFFERENT HISTORIES were signed: keep both files.\n")


def test_an_outside_checkpoint_that_does_not_compare_leaves_it_open(desk: Desk) -> None:
    (desk.folder / "later").write_text(Ledger(13).note)
    status, said = desk.judge(LEDGER.receipt(), "--checkpoint", "later")
    assert status == 2
    assert f"Bring the checkpoint of {ORIGIN} at 12 entries" in said
    (desk.folder / "forged").write_text(Ledger(12, keys=[SECOND]).note)
    assert desk.judge(LEDGER.receipt(), "--checkpoint", "forged")[0] == 1


def test_what_is_no_receipt_cannot_be_judged(desk: Desk) -> None:
    status, said = desk.judge(LEDGER.receipt() | {"format": "liner-notes-receipt/4"})
    assert status == 2
    assert said.startswith("CANNOT BE JUDGED: ")
    assert desk.judge({})[0] == 2
    assert desk.judge(LEDGER.receipt(), "--checkpoint", "absent")[0] == 2
    for text in ("", "rubbish", "[]", '{"format":1,"format":2}', "[" * 100_000, "\x00"):
        status, said = desk.judge(text)
        assert status in (1, 2)
        assert "PROVED" not in said


def test_nothing_in_a_receipt_can_pass_for_a_line_of_the_script(desk: Desk) -> None:
    """The holder of a salt chooses the words that the screen shows."""
    words = {"name": "\x1b[2J\r\nPROVED: it was signed with the key that you gave.\u202e"}
    seq = 13
    leaf = json.loads(leaf_text(5)) | {"seq": seq}
    leaf["body"] = leaf["body"] | {"personal": commit(salt_of(seq), words), "a\nPROVED": 1}
    text = rfc8785.dumps(leaf).decode()
    hashes = [leaf_hash(leaf_text(each).encode()) for each in range(1, seq)]
    tiles = {}
    frontier = Frontier()
    for tile in frontier.extend([*hashes, leaf_hash(text.encode())]) + frontier.open_tiles():
        tiles[tile.level, tile.index] = tile.hashes
    proof = Tree(lambda level, index: tiles.get((level, index), b"")).inclusion_proof(
        index=seq - 1, size=seq
    )
    receipt = LEDGER.receipt(
        leaves=[ProvedLeaf(text, proof, OpenedPersonal(salt_of(seq), words))],
        note=sign_checkpoint(checkpoint=Checkpoint(ORIGIN, frontier.head()), keys=[FIRST]),
    )
    status, said = desk.judge(receipt)
    assert status == 0
    assert said.replace("\n", "").isprintable()
    assert not [line for line in said.splitlines() if line.startswith("PROVED: it was signed")]


def test_the_script_imports_the_standard_library_and_cryptography_alone() -> None:
    tree = ast.parse(SCRIPT.read_text(encoding="utf-8"))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {each.name.split(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            names.add(node.module.split(".")[0])
    assert names - sys.stdlib_module_names == {"cryptography"}


NAMES = st.text(st.characters(codec="utf-8"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | NAMES,
    lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner),
)


@given(JSON)
def test_the_script_spells_json_as_the_ledger_does(value: Any) -> None:
    assert verify_receipt.canonical(value) == rfc8785.dumps(value)


@given(st.data(), st.integers(1, 300))
def test_the_script_and_the_ledger_agree_about_proofs(data: st.DataObject, size: int) -> None:
    ledger = Ledger(12) if size < 13 else BIG
    size = min(size, ledger.size)
    index = data.draw(st.integers(0, size - 1))
    proof = ledger.tree.inclusion_proof(index=index, size=size)
    head = ledger.tree.head(size)
    leaf = leaf_text(index + 1).encode()
    verify_inclusion(proof, leaf_hash=leaf_hash(leaf), head=head)
    assert verify_receipt.root_above(leaf, index, size, list(proof.hashes)) == head.root
    for bent in (proof.hashes[:-1], (*proof.hashes, bytes(32))):
        if bent == proof.hashes:
            continue
        with pytest.raises(ProofError):
            verify_inclusion(
                InclusionProof(index, size, bent), leaf_hash=leaf_hash(leaf), head=head
            )
        with pytest.raises(verify_receipt.ReceiptError):
            verify_receipt.root_above(leaf, index, size, list(bent))


BIG = Ledger(300)


@pytest.mark.parametrize(
    ("stance", "way", "status"),
    [
        ("allow", "answered", "dpv:ConsentGiven"),
        ("allow", "undone", "dpv:ConsentGiven"),
        ("deny", "answered", "dpv:ConsentRefused"),
        ("deny", "withdrawn", "dpv:ConsentWithdrawn"),
        ("ask", "answered", "dpv:ConsentRequestDeferred"),
        ("undecided", "answered", "dpv:ConsentRequestDeferred"),
        ("undecided", "cleared", "dpv:ConsentUnknown"),
        ("undecided", "undone", "dpv:ConsentUnknown"),
        ("undecided", "revoked", "dpv:ConsentRevoked"),
        ("undecided", "invalidated", "dpv:ConsentInvalidated"),
        ("maybe", None, "dpv:ConsentUnknown"),
    ],
)
def test_only_a_yes_reads_as_consent_given(stance: str, way: str | None, status: str) -> None:
    leaf = json.loads(leaf_text(1))
    leaf["body"] = {"stance": stance, "way": way}
    [event] = verify_receipt.record_of(leaf)["dpv:hasConsentStatus"]
    assert event["@type"] == [status, "dpv:ExplicitlyExpressedConsent"]


def test_a_record_says_whose_consent_it_is_who_gave_it_and_until_when() -> None:
    leaf = json.loads(leaf_text(1))
    maren, ines, until = str(UUID(int=1)), str(UUID(int=2)), "2027-01-01T00:00:00.000000Z"
    leaf["body"] = {"stance": "allow", "way": "answered", "artist": maren, "by": ines}
    record_ = verify_receipt.record_of(leaf)
    assert record_["dpv:hasDataSubject"] == f"urn:uuid:{maren}"
    [event] = record_["dpv:hasConsentStatus"]
    assert event["dpv:isIndicatedBy"] == f"urn:uuid:{ines}"
    assert event["dpv:isIndicatedAtTime"] == leaf["at"]
    assert event["dpv:hasDuration"]["@type"] == "dpv:UntilEventDuration"
    leaf["body"] |= {"until": until}
    [event] = verify_receipt.record_of(leaf)["dpv:hasConsentStatus"]
    assert event["dpv:hasDuration"] == {"@type": "dpv:UntilTimeDuration", "rdf:value": until}


def test_a_receipt_that_was_given_out_before_still_verifies(desk: Desk) -> None:
    kept = (Path(__file__).parent / "kept" / "receipt-1.json").read_text(encoding="utf-8")
    assert json.loads(kept)["format"] == "liner-notes-receipt/1"
    status, said = desk.judge(kept, "--key", key_of(FIRST))
    assert status == 0
    assert "PROVED: it was signed with the key that you gave." in said
    assert desk.judge(kept.replace("dpv:ConsentWithdrawn", "dpv:ConsentGiven", 1))[0] == 1


def test_a_receipt_of_the_second_format_needs_no_texts_with_its_reasons(desk: Desk) -> None:
    kept = (Path(__file__).parent / "kept" / "receipt-2.json").read_text(encoding="utf-8")
    assert json.loads(kept)["format"] == "liner-notes-receipt/2"
    status, said = desk.judge(kept, "--key", key_of(FIRST))
    assert status == 0
    assert "no: answer_outdated (entry 6)" in said
    assert desk.judge(kept.replace('"seq": 6\n', '"seq": 8\n', 1))[0] == 1


ASKED = Asked(
    isrc="NOUM72400195",
    use="voice",
    tool="tidesmith",
    territory=None,
    at=datetime(2026, 11, 20, 7, tzinfo=UTC),
    known_seq=12,
    allowed=False,
    reasons=[Ground("artist_withdrew", "no", 5), Ground("right_unknown", "no", None)],
)


def test_an_answer_is_told_with_the_entries_that_it_rests_on(desk: Desk) -> None:
    status, said = desk.judge(LEDGER.receipt(asked=ASKED))
    assert status == 0
    assert "Answered (told, not proved): no" in said
    assert "no: artist_withdrew (entry 5)" in said
    assert "NOT PROVED: that the answer follows from the entries." in said
    assert "follows from the entries" not in desk.judge(LEDGER.receipt())[1]


def test_a_reason_without_its_entry_is_found_and_never_written(desk: Desk) -> None:
    receipt = LEDGER.receipt(asked=ASKED)
    receipt["asked"]["reasons"][0]["seq"] = 8
    assert desk.judge(receipt) == (1, "WRONG: Entry 8, a reason, is not in the receipt.\n")
    receipt["asked"]["reasons"][0]["seq"] = 5
    receipt["asked"]["question"]["known_seq"] = 4
    assert desk.judge(receipt) == (1, "WRONG: A reason was not known yet.\n")
    with pytest.raises(ProofError, match="a reason, is not in the receipt"):
        LEDGER.receipt(asked=replace(ASKED, reasons=[Ground("artist_withdrew", "no", 8)]))


def published(seq: int, text: str, **instead: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "by": None,
        "digest": sha256(text.encode()).hexdigest(),
        "language": "en",
    }
    body |= {"means_the_same": False, "use": "voice", "version": 1}
    return bare(seq, "wording.published", body | instead)


def bare(seq: int, kind: str, body: dict[str, Any]) -> dict[str, Any]:
    return {**json.loads(leaf_text(seq)), "act": str(UUID(int=seq)), "kind": kind, "body": body}


def yes(seq: int, text: str | None) -> dict[str, Any]:
    digest = None if text is None else sha256(text.encode()).hexdigest()
    body = {"stance": "allow", "way": "answered", "use": "voice", "wording": digest}
    return bare(seq, "permission.answered", body)


OLD, NEW = "A voice like yours.", "A voice like yours, sung."
TEXTS = [published(1, OLD), yes(2, OLD), published(3, NEW, version=2)]


def outdated(
    leaves: list[dict[str, Any]] = TEXTS,
    texts: Texts | None = Texts(1, 3),  # noqa: B008 — frozen
    shown: Sequence[Wording] = (),
) -> dict[str, Any]:
    """A receipt of a yes to an earlier text, whatever its leaves say; the ledger has no others."""
    ledger = Ledger(len(leaves), texts=[rfc8785.dumps(leaf).decode() for leaf in leaves])
    asked = replace(ASKED, reasons=[Ground("answer_outdated", "no", 2, texts)])
    seqs = range(1, len(leaves) + 1)
    return ledger.receipt(*seqs, asked=asked, erased=True, wordings=shown)


def test_a_yes_to_an_earlier_text_is_proved_to_be_one(desk: Desk) -> None:
    shown = [Wording(OLD, "en", 1), Wording(NEW, "en", 2)]
    status, said = desk.judge(outdated(shown=shown))
    assert status == 0
    assert "no: answer_outdated (entry 2)" in said
    assert "to the text of entry 1 (version 1), replaced by that of entry 3 (version 2)" in said


def test_a_yes_that_names_no_text_was_to_the_first(desk: Desk) -> None:
    leaves = [published(1, OLD), yes(2, None), published(3, NEW, version=2)]
    status, said = desk.judge(outdated(leaves, Texts(None, 3)))
    assert status == 0
    assert "to the first text (version 1), replaced by that of entry 3 (version 2)" in said


@pytest.mark.parametrize(
    ("leaves", "texts", "sentence"),
    [
        (TEXTS, None, "lacks its texts"),
        (TEXTS, Texts(None, 3), "not the one that the answer names"),
        (TEXTS, Texts(3, 1), "not the one that the answer names"),
        (TEXTS, Texts(1, 1), "says anything new"),
        (TEXTS, Texts(1, 2), "no text about this use"),
        (TEXTS, Texts(1, 4), "not in the receipt"),
        ([*TEXTS[:2], published(3, NEW, version=2, means_the_same=True)], Texts(1, 3), "new"),
        ([*TEXTS[:2], published(3, NEW, version=2, use="style")], Texts(1, 3), "about this use"),
        ([*TEXTS[:2], published(3, NEW)], Texts(1, 3), "says anything new"),
        ([TEXTS[0], yes(2, NEW), TEXTS[2]], Texts(1, 3), "the answer names"),
        ([TEXTS[0], {**yes(2, OLD), "body": {}}, TEXTS[2]], Texts(1, 3), "no yes to this use"),
    ],
)
def test_a_yes_is_not_called_one_to_an_earlier_text_without_that_text_and_a_newer_one(
    desk: Desk, leaves: list[dict[str, Any]], texts: Texts | None, sentence: str
) -> None:
    with pytest.raises(ProofError, match=sentence):
        outdated(leaves, texts)
    # Nor by anybody who writes the file without us.
    if leaves is TEXTS:
        receipt = outdated()
        told = None if texts is None else {"read": texts.read, "replaced_by": texts.replaced_by}
        receipt["asked"]["reasons"][0]["texts"] = told
        status, said = desk.judge(receipt)
        assert status == 1 and sentence in said


def test_only_a_yes_to_an_earlier_text_may_speak_of_texts(desk: Desk) -> None:
    receipt = outdated()
    receipt["asked"]["reasons"][0]["code"] = "artist_denies"
    assert desk.judge(receipt)[0] == 1


@pytest.mark.parametrize("wrong", [Wording(NEW, "de", 2), Wording(NEW, "en", 1)])
def test_a_published_text_is_shown_in_its_own_language_and_version(
    desk: Desk, wrong: Wording
) -> None:
    with pytest.raises(ProofError, match="language or version"):
        outdated(shown=[wrong])
    receipt = outdated(shown=[Wording(NEW, "en", 2)])
    [notice] = receipt["record"]["dpv:hasNotice"]
    notice |= {"dct:language": wrong.language, "dct:hasVersion": wrong.version}
    assert desk.judge(receipt)[0] == 1


def test_a_receipt_has_the_fields_of_the_standard_and_is_read_as_it_was_written() -> None:
    receipt = LEDGER.receipt()
    assert json.loads(receipt_text(receipt)) == receipt
    assert "海" in receipt_text(receipt)
    record_ = receipt["record"]
    assert record_["@type"] == "dpv:ConsentReceipt"
    assert record_["dct:created"] == "2026-11-20T06:05:00Z"
    process = record_["dpv:hasProcess"]
    assert process["dpv:hasDataController"][0]["dpv:hasName"] == "Fjord Records"
    assert process["dpv:hasConsentControl"]["dct:description"].startswith("https://")
    assert record_["dpv:hasNotice"][0]["dct:hasVersion"] == 3


def test_a_receipt_that_would_not_verify_is_not_made() -> None:
    misplaced = replace(LEDGER.proved(5), inclusion=LEDGER.proved(6).inclusion)
    foreign = replace(LEDGER.proved(5), personal=OpenedPersonal(salt_of(5), {"name": "Charlie"}))
    with pytest.raises(ProofError, match="not its place"):
        LEDGER.receipt(leaves=[misplaced])
    with pytest.raises(ProofError, match="for 12 leaves"):
        LEDGER.receipt(note=Ledger(13).note)
    with pytest.raises(ProofError, match="personal part"):
        LEDGER.receipt(leaves=[foreign])
    with pytest.raises(ProofError, match="personal part"):
        LEDGER.receipt(
            leaves=[replace(LEDGER.proved(1), personal=OpenedPersonal(salt_of(1), {}))],
            wordings=[],
        )
    with pytest.raises(ProofError, match="wording"):
        LEDGER.receipt(wordings=[replace(WORDING, text="another text")])
    with pytest.raises(CheckpointError, match="no key that we know"):
        LEDGER.receipt(keys=[SECOND.verifying_key])
    with pytest.raises(CheckpointError, match="no key that we know"):
        LEDGER.receipt(note=Ledger(12, keys=[WITNESS]).note, keys=[WITNESS.verifying_key])
    with pytest.raises(ValueError, match="at least one leaf"):
        LEDGER.receipt(leaves=[])
