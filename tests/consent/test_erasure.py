"""Maren Holt asks to be forgotten. The ledger stays whole, and knows her no more."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from consent import vault
from consent.errors import NotFound, Refused
from consent.models import Artist, LedgerEntry, LedgerPersonal, Party, Permission, SubjectKey
from consent.queries.decision import Ask, decide_one
from consent.services.audit import audit_ledger
from consent.services.erasure import ERASED_NAME, ErasureReason, erase_subject, erases
from consent.services.parties import change_party_state, register_artist
from consent.services.permissions import answer_permission
from consent.services.receipts import receipt_for_act
from consent.services.sealing import seal_ledger
from tests.conftest import _superuser
from tests.consent.ledger_story import CANARY, Story, tell_story
from tests.consent.test_receipts import judge

REASON = ErasureReason.CONSENT_WITHDRAWN


@pytest.fixture(autouse=True)
def nothing_outside(settings: Any) -> None:
    settings.LEDGER_SINKS = []


@pytest.fixture
def story(transactional_db: None) -> Story:
    return tell_story()


def whole_database() -> Iterator[tuple[str, str]]:
    """Every row of every table, as a dump has it, read by somebody who may see everything."""
    with _superuser() as connection:
        tables = connection.execute(
            "SELECT quote_ident(relname) FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        ).fetchall()
        for (table,) in tables:
            with connection.cursor().copy(f"COPY {table} TO STDOUT".encode()) as copy:
                yield table, b"".join(bytes(part) for part in copy).decode()


def where(canary: str) -> list[str]:
    hexadecimal = canary.encode().hex()
    found = []
    for table, text in whole_database():
        folded = text.lower()
        slug = canary.lower().replace(" ", "-")
        if any(each in folded for each in (canary.lower(), slug, hexadecimal)):
            found.append(table)
    return sorted(found)


def test_after_an_erasure_no_dump_holds_her_name(story: Story) -> None:
    assert where(CANARY) == ["consent_artist", "consent_party"], "sealed everywhere else"
    erase_subject(by=story.olga, subject=story.maren.party.ref, reason_code=REASON)
    assert where(CANARY) == []
    party = Party.objects.get(pk=story.maren.pk)
    assert party.name == ERASED_NAME


def test_the_ledger_still_verifies_and_says_that_she_was_erased(story: Story) -> None:
    seal_ledger()
    erased = erase_subject(by=story.olga, subject=story.maren.party.ref, reason_code=REASON)
    seal_ledger()
    leaf = LedgerEntry.objects.get(seq=erased.seq)
    assert leaf.kind == "subject.erased"
    assert json.loads(leaf.body) == {
        "by": str(story.olga.ref),
        "reason": "consent_withdrawn",
        "subject": str(story.maren.party.ref),
    }
    audited = audit_ledger()
    assert audited is not None
    assert audited.problems == ()


def test_what_was_sealed_for_her_cannot_be_opened_again_and_others_can(story: Story) -> None:
    boxes = {ref: boxes_of(ref) for ref in (story.maren.party.ref, story.aoi.party.ref)}
    assert all(vault.unseal(ref, box) for ref, some in boxes.items() for box in some)
    erase_subject(by=story.olga, subject=story.maren.party.ref, reason_code=REASON)
    assert not any(vault.unseal(story.maren.party.ref, box) for box in boxes[story.maren.party.ref])
    assert all(vault.unseal(story.aoi.party.ref, box) for box in boxes[story.aoi.party.ref])
    # Not even under a key that she gets when something is written about her again.
    vault.seal(story.maren.party.ref, {"name": "somebody"})
    assert vault.unseal(story.maren.party.ref, boxes[story.maren.party.ref][0]) is None


def boxes_of(ref: uuid.UUID) -> list[bytes]:
    rows = LedgerPersonal.objects.filter(subject=ref)
    return [bytes(row.sealed) for row in rows]


def test_nothing_is_allowed_in_the_name_of_somebody_who_was_erased(story: Story) -> None:
    ask = Ask(story.hers[0].isrc, "generative_training", "tidesmith")
    assert "artist_allows" in {reason.code for reason in decide_one(ask).reasons}
    erase_subject(by=story.olga, subject=story.maren.party.ref, reason_code=REASON)
    decision = decide_one(ask)
    assert not decision.allowed
    assert "artist_suspended" in {reason.code for reason in decision.reasons}


def test_whoever_was_erased_stays_suspended_so_that_no_yes_of_hers_holds_again(
    story: Story,
) -> None:
    ask = Ask(story.hers[0].isrc, "generative_training", "tidesmith")
    party = story.maren.party
    change_party_state(by=None, party=party, suspended=True)
    change_party_state(by=None, party=party, suspended=False)  # somebody who is known: yes
    erase_subject(by=story.olga, subject=party.ref, reason_code=REASON)
    before = LedgerEntry.objects.count()
    with pytest.raises(Refused, match="erased") as refused:
        change_party_state(by=story.olga, party=party, suspended=False)
    assert refused.value.field == "suspended"
    assert LedgerEntry.objects.count() == before
    assert "artist_suspended" in {reason.code for reason in decide_one(ask).reasons}
    change_party_state(by=story.olga, party=party, is_estate=True)  # what lifts nothing goes on


def test_her_answers_stay_provable_without_her(story: Story, tmp_path: Any) -> None:
    answer = Permission.objects.filter(artist=story.maren).earliest("id")
    erase_subject(by=story.olga, subject=story.maren.party.ref, reason_code=REASON)
    seal_ledger()
    receipt = receipt_for_act(act=answer.act_id, opened_for=[story.maren.party.ref])
    assert judge(receipt, tmp_path)[0] == 0


def test_a_storey_above_forgets_in_the_same_transaction_or_nothing_happens(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consent.services.erasure._erasers", [])
    asked: list[uuid.UUID] = []

    @erases
    def forget(subject: uuid.UUID) -> bool:
        asked.append(subject)
        raise RuntimeError("the portal could not")

    with pytest.raises(RuntimeError):
        erase_subject(by=story.olga, subject=story.maren.party.ref, reason_code=REASON)
    assert asked == [story.maren.party.ref]
    assert Party.objects.get(pk=story.maren.pk).name == CANARY
    assert SubjectKey.objects.filter(pk=story.maren.party.ref).exists()


@pytest.mark.django_db
def test_somebody_whom_only_a_storey_above_knows_is_forgotten_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("consent.services.erasure._erasers", [])
    charlie = uuid.uuid4()
    erases(lambda subject: subject == charlie)
    erase_subject(by=None, subject=charlie, reason_code=REASON)
    assert LedgerEntry.objects.filter(kind="subject.erased").count() == 1
    with pytest.raises(NotFound):
        erase_subject(by=None, subject=uuid.uuid4(), reason_code=REASON)


@pytest.mark.django_db
def test_only_a_person_can_be_forgotten_and_only_for_a_reason() -> None:
    maren = register_artist(by=None, name="Maren Holt")
    with pytest.raises(Refused) as refusal:
        erase_subject(by=None, subject=maren.party.ref, reason_code="because")
    assert refusal.value.code == "erasure_reason"
    assert Artist.objects.get(pk=maren.pk).slug == "maren-holt"


def test_a_label_is_no_person(story: Story) -> None:
    with pytest.raises(Refused) as refusal:
        erase_subject(by=story.olga, subject=story.fjord.ref, reason_code=REASON)
    assert refusal.value.code == "not_a_person"


def test_a_second_erasure_changes_nothing_but_is_written_down(story: Story) -> None:
    for _ in range(2):
        erase_subject(by=story.olga, subject=story.maren.party.ref, reason_code=REASON)
    answer_permission(by=story.olga, artist=story.maren, use="style", stance="deny")
    seal_ledger()
    audited = audit_ledger()
    assert audited is not None
    assert audited.problems == ()
