"""A receipt from the real ledger, judged by the script alone, in a process of its own."""

import io
import json
import re
import subprocess
import sys
import uuid
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from consent.clock import now
from consent.errors import NotFound, Refused
from consent.ledger_keys import verifying_keys
from consent.models import Act, LedgerEntry, LedgerPersonal, Permission
from consent.queries.ledger import head
from consent.scopes import Scope
from consent.services.claims import NewClaim, dispute_claim, make_claims
from consent.services.erasure import erase_subject
from consent.services.permissions import answer_permission, answer_recordings, revoke_permission
from consent.services.receipts import (
    Receipt,
    receipt_for_act,
    receipt_for_recording,
    receipt_zip,
    verifier_text,
)
from consent.services.sealing import seal_ledger
from consent.services.wordings import publish_wording
from consent.words import Authority, Right
from tests.consent.ledger_story import Story, tell_story


@pytest.fixture(autouse=True)
def nothing_outside(settings: Any) -> None:
    settings.LEDGER_SINKS = []


@pytest.fixture
def story(db: None) -> Story:
    return tell_story()


def judge(receipt: Receipt, folder: Path, *, key: str = "") -> tuple[int, str]:
    (folder / "receipt.json").write_text(receipt.text, encoding="utf-8")
    (folder / "verify_receipt.py").write_text(verifier_text(), encoding="utf-8")
    command = [sys.executable, "-I", "verify_receipt.py", "receipt.json"]
    ran = subprocess.run(
        [*command, *(["--key", key] if key else [])],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env={"PYTHONUTF8": "1"},
    )
    assert not ran.stderr
    return ran.returncode, ran.stdout


def test_an_act_is_proved_to_whoever_has_the_key(story: Story, tmp_path: Path) -> None:
    given = answer_permission(by=story.ines, artist=story.maren, use="style", stance="deny")
    seal_ledger()
    receipt = receipt_for_act(act=given.permission.act_id)
    [key] = verifying_keys()
    status, said = judge(receipt, tmp_path, key=key.encode())
    assert status == 0
    assert "PROVED: it was signed with the key that you gave." in said
    assert '    stance: "deny"' in said
    assert receipt.entries == 1


def test_before_the_seal_there_is_no_receipt_yet(story: Story) -> None:
    seal_ledger()
    given = answer_permission(by=story.ines, artist=story.maren, use="style", stance="deny")
    with pytest.raises(Refused) as refusal:
        receipt_for_act(act=given.permission.act_id)
    assert refusal.value.code == "not_sealed"
    assert "within a minute" in refusal.value.sentence


def test_an_act_that_never_was_has_no_receipt(story: Story) -> None:
    seal_ledger()
    with pytest.raises(NotFound):
        receipt_for_act(act=uuid.uuid4())


def test_ten_recordings_in_one_act_are_one_receipt(story: Story, tmp_path: Path) -> None:
    act = answer_recordings(
        by=story.ines,
        artist=story.maren,
        use="discovery",
        stance="allow",
        recordings=[r.pk for r in story.hers],
    )
    assert act is not None
    seal_ledger()
    receipt = receipt_for_act(act=act.ref)
    assert receipt.entries == len(story.hers)
    assert judge(receipt, tmp_path)[0] == 0


def test_the_wording_that_was_shown_is_in_the_receipt(story: Story, tmp_path: Path) -> None:
    yes = Permission.objects.get(use="voice", stance="allow")
    seal_ledger()
    receipt = receipt_for_act(act=yes.act_id)
    [notice] = receipt.data["record"]["dpv:hasNotice"]
    assert notice["dct:description"] == story.wording.text
    assert judge(receipt, tmp_path)[0] == 0


@pytest.mark.parametrize(
    ("use", "stance", "status"),
    [
        ("generative_training", "allow", "dpv:ConsentGiven"),
        ("voice", "deny", "dpv:ConsentWithdrawn"),
        ("generative_training", "deny", "dpv:ConsentRefused"),
        ("discovery", "undecided", "dpv:ConsentRevoked"),
    ],
)
def test_the_record_says_the_state_in_the_terms_of_dpv(
    use: str, stance: str, status: str, story: Story
) -> None:
    answer = Permission.objects.filter(use=use, stance=stance).latest("id")
    seal_ledger()
    record = receipt_for_act(act=answer.act_id).data["record"]
    [event] = [
        event
        for each in record["dpv:hasRecordOfActivity"]
        for event in each.get("dpv:hasConsentStatus", ())
    ]
    assert event["@type"][0] == status


def test_personal_parts_are_opened_for_the_person_and_for_nobody_else(
    story: Story, tmp_path: Path
) -> None:
    given = answer_permission(by=story.ines, artist=story.maren, use="style", stance="deny")
    revoked = revoke_permission(
        by=story.olga, permission=given.permission, reason="Somebody else had her phone."
    )
    seal_ledger()
    hers = receipt_for_act(act=revoked.act_id, opened_for=[story.maren.party.ref])
    another = receipt_for_act(act=revoked.act_id, opened_for=[story.aoi.party.ref, uuid.uuid4()])
    assert "had her phone" in judge(hers, tmp_path)[1]
    status, said = judge(another, tmp_path)
    assert status == 0
    assert "phone" not in said + another.text


def test_no_name_stands_in_a_receipt_that_was_not_opened(story: Story) -> None:
    registered = Act.objects.filter(kind="register_party").earliest("created_at")
    seal_ledger()
    receipt = receipt_for_act(act=registered.ref)
    assert story.maren.party.name not in receipt.text
    opened = receipt_for_act(act=registered.ref, opened_for=[story.maren.party.ref])
    assert story.maren.party.name in opened.text
    assert LedgerPersonal.objects.count() > 0


def test_what_holds_for_one_recording_is_proved_on_demand(story: Story, tmp_path: Path) -> None:
    answer_permission(
        by=story.ines,
        artist=story.maren,
        use="generative_training",
        stance="deny",
        scope=Scope(recording=story.hers[0]),
    )
    seal_ledger()
    receipt = receipt_for_recording(
        artist=story.maren,
        recording=story.hers[0],
        use="generative_training",
        tool=story.tidesmith,
    )
    status, said = judge(receipt, tmp_path)
    assert status == 0
    kinds = {json.loads(each["leaf"])["kind"] for each in receipt.data["leaves"]}
    assert {"recording.identified", "permission.answered"} <= kinds
    assert story.hers[0].isrc in said
    stances = [
        body["stance"]
        for each in receipt.data["leaves"]
        if "stance" in (body := json.loads(each["leaf"])["body"])
    ]
    assert stances == ["allow", "deny"], "hers on all work, and hers on this recording"


def kinds(receipt: Receipt) -> set[str]:
    return {json.loads(each["leaf"])["kind"] for each in receipt.data["leaves"]}


def told(receipt: Receipt) -> list[int | None]:
    return [reason["seq"] for reason in receipt.data["asked"]["reasons"]]


def hers(story: Story, **asked: Any) -> Receipt:
    """What Maren downloads about one of her recordings that is licensed."""
    return receipt_for_recording(
        artist=story.maren,
        recording=story.hers[0],
        use="generative_training",
        tool=story.tidesmith,
        opened_for=[story.maren.party.ref],
        **asked,
    )


def test_a_recordings_receipt_carries_all_that_the_answer_rests_on(
    story: Story, tmp_path: Path
) -> None:
    seal_ledger()
    receipt = hers(story)
    assert {
        "recording.identified",
        "tool.registered",
        "party.registered",
        "claim.made",
        "licence.signed",
        "model.registered",
        "permission.answered",
    } <= kinds(receipt)
    status, said = judge(receipt, tmp_path)
    assert status == 0
    ref = story.maren.party.ref
    assert f"{ref} is {story.maren.party.name}" in said
    assert f"{story.tonewright.party.ref} is Tonewright" in said
    tool = f"is the tool tidesmith of {story.tonewright.party.ref}"
    assert f"{story.tidesmith.ref} {tool}" in said
    assert f"is the recording {story.hers[0].isrc}" in said
    proved = {json.loads(each["leaf"])["seq"] for each in receipt.data["leaves"]}
    assert {seq for seq in told(receipt) if seq is not None} <= proved


def test_nobody_elses_name_stands_in_a_recordings_receipt(story: Story, tmp_path: Path) -> None:
    """Aoi is featured, a society holds a mandate, and staff wrote some of it down."""
    seal_ledger()
    receipt = receipt_for_recording(
        artist=story.maren,
        recording=story.hers[4],
        use="discovery",
        tool=story.tidesmith,
        opened_for=[story.maren.party.ref],
    )
    status, said = judge(receipt, tmp_path)
    assert status == 0
    for name in (story.aoi.party.name, "Aoi", "Fjord", "TONO", "Ines", "Olga"):
        # As a word: keys, signatures and hashes are made of letters too.
        assert not re.search(rf"(?<![\w+/=-]){name}(?![\w+/=-])", said + receipt.text), name
    assert re.search(r"(?<![\w+/=-])discovery(?![\w+/=-])", receipt.text)
    assert story.maren.party.name in said
    registered = LedgerEntry.objects.get(
        kind="party.registered", body__contains=f'"party":"{story.aoi.party.ref}"'
    )
    proved = {json.loads(each["leaf"])["seq"] for each in receipt.data["leaves"]}
    assert registered.seq not in proved, "what another person is stays with her"


def test_the_reason_for_a_dispute_is_not_opened_with_a_claim(story: Story) -> None:
    [claim] = make_claims(
        by=story.olga,
        claims=[
            NewClaim(
                party=story.maren.party,
                right=Right.PUBLISHING,
                authority=Authority.OWN,
                recording=story.hers[0],
            )
        ],
    )
    dispute_claim(by=story.olga, claim=claim.claim, reason="Her brother Sverre wrote it.")
    seal_ledger()
    receipt = hers(story)
    assert "claim.changed" in kinds(receipt)
    assert "Sverre" not in receipt.text


def test_a_receipt_of_an_answer_ties_the_pseudonym_to_her_for_her_alone(
    story: Story, tmp_path: Path
) -> None:
    given = answer_permission(
        by=story.ines,
        artist=story.maren,
        use="style",
        stance="deny",
        scope=Scope(tool=story.tidesmith),
    )
    seal_ledger()
    name = story.maren.party.name
    another = receipt_for_act(act=given.permission.act_id, opened_for=[story.aoi.party.ref])
    assert name not in another.text
    status, said = judge(
        receipt_for_act(act=given.permission.act_id, opened_for=[story.maren.party.ref]), tmp_path
    )
    assert status == 0
    assert f"{story.maren.party.ref} is {name}" in said
    assert "is the tool tidesmith" in said


def test_after_she_was_forgotten_her_receipt_still_verifies_without_her_name(
    story: Story, tmp_path: Path
) -> None:
    name, ref = story.maren.party.name, story.maren.party.ref
    erase_subject(by=story.olga, subject=ref, reason_code="objection")
    seal_ledger()
    receipt = hers(story)
    status, said = judge(receipt, tmp_path)
    assert status == 0
    assert name not in said + receipt.text


def test_a_receipt_of_a_past_day_is_of_what_was_known_then(story: Story, tmp_path: Path) -> None:
    at, position = now(), head()
    answer_permission(by=story.ines, artist=story.maren, use="generative_training", stance="deny")
    seal_ledger()
    then, today = hers(story, at=at, known_seq=position), hers(story)
    assert then.data["asked"]["question"]["known_seq"] == position
    assert set(told(then)) != set(told(today))
    assert max(json.loads(each["leaf"])["seq"] for each in then.data["leaves"]) <= position
    assert judge(then, tmp_path)[0] == 0
    again = hers(story, at=at, known_at=at)
    assert again.data["asked"] == then.data["asked"]
    assert again.data["leaves"] == then.data["leaves"]
    before = hers(story, at=now(), known_at=at)
    assert told(before) == told(then), "what was not known then is not told"


def test_a_yes_to_a_replaced_text_is_proved_with_both_texts(story: Story, tmp_path: Path) -> None:
    asked: dict[str, Any] = {
        "artist": story.maren,
        "recording": story.hers[0],
        "use": "generative_training",
        "tool": story.tidesmith,
    }
    for text in ("They may learn from it.", "They may learn from it, and make new music."):
        last = publish_wording(by=story.olga, use="generative_training", language="en", text=text)
        if last.version == 1:
            answer_permission(
                by=story.ines, artist=story.maren, use="generative_training", stance="allow"
            )
            before = head()
    publish_wording(  # a translation: it replaces no meaning
        by=story.olga,
        use="generative_training",
        language="nb",
        text="De kan lære av den, og lage ny musikk.",
        means_the_same=True,
    )
    seal_ledger()
    receipt = receipt_for_recording(**asked)
    [reason] = [r for r in receipt.data["asked"]["reasons"] if r["code"] == "answer_outdated"]
    [first, second] = LedgerEntry.objects.filter(
        kind="wording.published", body__contains='"generative_training"'
    ).order_by("seq")[:2]
    assert reason["texts"] == {"read": first.seq, "replaced_by": second.seq}
    [key] = verifying_keys()
    status, said = judge(receipt, tmp_path, key=key.encode())
    assert status == 0
    assert f"replaced by that of entry {second.seq} (version 2)" in said
    shown = [notice["dct:description"] for notice in receipt.data["record"]["dpv:hasNotice"]]
    assert shown == ["They may learn from it.", "They may learn from it, and make new music."]
    then = receipt_for_recording(**asked, known_seq=before)
    assert "wording.published" not in kinds(then)
    assert judge(then, tmp_path)[0] == 0


def test_an_answer_that_names_no_text_counts_as_to_the_first(story: Story, tmp_path: Path) -> None:
    for number in range(2):
        publish_wording(by=None, use="generative_training", language="en", text=f"Text {number}")
    seal_ledger()
    receipt = hers(story)
    [reason] = [r for r in receipt.data["asked"]["reasons"] if r["code"] == "answer_outdated"]
    assert reason["texts"]["read"] is None
    status, said = judge(receipt, tmp_path)
    assert status == 0
    assert "to the first text (version 1), replaced by" in said


def test_what_another_artist_read_is_no_part_of_her_receipt(story: Story) -> None:
    answer_permission(by=None, artist=story.aoi, use="discovery", stance="allow")
    for number in range(2):
        publish_wording(by=None, use="discovery", language="en", text=f"Text {number}")
    answer_permission(by=None, artist=story.maren, use="discovery", stance="allow")
    seal_ledger()
    receipt = receipt_for_recording(
        artist=story.maren, recording=story.hers[4], use="discovery", tool=story.tidesmith
    )
    codes = {reason["code"] for reason in receipt.data["asked"]["reasons"]}
    assert {"artist_allows", "artist_undecided"} <= codes
    assert "wording.published" not in kinds(receipt)


def test_no_receipt_is_given_of_what_has_not_been_yet(story: Story) -> None:
    seal_ledger()
    for asked, code in (
        ({"at": now() + timedelta(days=1)}, "at_in_future"),
        ({"known_seq": head() + 1}, "not_yet_known"),
        ({"known_at": now() + timedelta(days=1)}, "not_yet_known"),
        ({"known_seq": 1, "known_at": now()}, "known_twice"),
        ({"at": now() - timedelta(days=9_000)}, "unknown_act"),
    ):
        with pytest.raises(Refused) as refusal:
            hers(story, **asked)
        assert refusal.value.code == code


def test_the_zip_has_everything_that_checking_needs_and_no_key(story: Story) -> None:
    given = answer_permission(by=story.ines, artist=story.maren, use="style", stance="deny")
    seal_ledger()
    receipt = receipt_for_act(act=given.permission.act_id)
    with zipfile.ZipFile(io.BytesIO(receipt_zip(receipt))) as archive:
        assert sorted(archive.namelist()) == ["READ ME.txt", "receipt.json", "verify_receipt.py"]
        assert archive.read("receipt.json").decode() == receipt.text
        assert "--key KEY" in archive.read("READ ME.txt").decode()


def test_a_receipt_in_another_language_verifies_too(story: Story, tmp_path: Path) -> None:
    given = answer_permission(by=story.ines, artist=story.maren, use="style", stance="deny")
    seal_ledger()
    with translation.override("de"):
        receipt = receipt_for_act(act=given.permission.act_id)
    assert receipt.data["record"]["dpv:hasProcess"]["dct:language"] == "de"
    assert judge(receipt, tmp_path)[0] == 0


def test_a_receipt_outlives_the_key_and_the_growth_of_the_ledger(
    story: Story, settings: Any, tmp_path: Path
) -> None:
    given = answer_permission(by=story.ines, artist=story.maren, use="style", stance="deny")
    seal_ledger()
    [old] = verifying_keys()
    before = receipt_for_act(act=given.permission.act_id)
    settings.LEDGER_OLD_KEYS = [old.encode()]
    settings.LEDGER_SIGNING_KEY = ""
    after = receipt_for_act(act=given.permission.act_id)
    for receipt in (before, after):
        assert judge(receipt, tmp_path, key=old.encode())[0] == 0
