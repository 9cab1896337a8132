"""The operator's door to forgetting: a rehearsal that changes nothing, then the thing itself."""

import json
import uuid
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from consent.models import Artist, LedgerEntry, LedgerPersonal, PartyName, SubjectKey
from consent.services.audit import audit_ledger
from consent.services.erasure import ERASED_NAME
from consent.services.permissions import answer_permission, revoke_permission
from portal.models import Membership, Notice, User
from portal.services.news import tell_news
from tests.consent.test_erasure import whole_database


@pytest.fixture(autouse=True)
def nothing_outside(settings: Any) -> None:
    settings.LEDGER_SINKS = []


@pytest.fixture
def aois(transactional_db: None, aoi: Artist, aoi_user: User, olga: User, ines: User) -> Artist:
    """Aoi with everything that an erasure reaches: names, notices, a sealed reason."""
    permission = answer_permission(by=ines, artist=aoi, use="style", stance="allow").permission
    revoke_permission(by=olga, permission=permission, reason="Aoi Tanaka said so on the phone.")
    tell_news()
    assert Notice.objects.filter(artist=aoi).exists()
    assert SubjectKey.objects.filter(pk=aoi.party.ref).exists()
    return aoi


def run(*arguments: str) -> str:
    said = StringIO()
    call_command("erase_subject", *arguments, stdout=said)
    return said.getvalue()


def test_a_rehearsal_says_what_would_go_and_changes_not_one_row(aois: Artist) -> None:
    before = list(whole_database())
    said = run("aoi-tanaka")
    assert list(whole_database()) == before
    assert f"田中葵: person, {aois.party.ref}" in said
    sealed = LedgerPersonal.objects.filter(subject=aois.party.ref).count()
    assert f"{sealed} sealed personal parts: nobody can open them any more" in said
    assert sealed
    assert "party names: 1 deleted" in said
    assert f"notices: {Notice.objects.filter(artist=aois).count()} deleted" in said
    assert "subject keys: 1 deleted" in said
    assert "Nothing was changed." in said
    assert "Not meant, and stays: aoi@liner.example" in said


def test_whoever_would_erase_the_last_operator_is_told(aois: Artist, olga: User) -> None:
    assert "No other operator can sign in" in run(olga.email)
    olga.pk, olga.ref, olga.email = None, uuid.uuid4(), "second@liner.example"
    olga.save()
    assert "No other operator" not in run("olga@liner.example")


def test_with_yes_and_a_reason_exactly_what_was_rehearsed_is_done(aois: Artist, olga: User) -> None:
    rehearsed = run("aoi-tanaka", "--by", olga.email)
    done = run("aoi-tanaka", "--yes", "--reason", "objection", "--by", olga.email)
    told = [line for line in rehearsed.splitlines() if line.startswith("  ")]
    assert told
    assert told == [line for line in done.splitlines() if line.startswith("  ")]
    aois.party.refresh_from_db()
    assert aois.party.name == ERASED_NAME
    assert not PartyName.objects.filter(party=aois.party).exists()
    leaf = LedgerEntry.objects.get(kind="subject.erased")
    body = json.loads(leaf.body)
    assert (body["reason"], body["by"]) == ("objection", str(olga.ref))
    assert f"position {leaf.seq}, act {leaf.act}" in done
    assert "Backups" in done
    audited = audit_ledger()
    assert audited is not None and audited.problems == ()


def test_an_artist_and_her_sign_in_go_together_or_not_at_all(aois: Artist, aoi_user: User) -> None:
    run("aoi-tanaka", aoi_user.email, "--yes", "--reason", "consent_withdrawn")
    aoi_user.refresh_from_db()
    assert (aoi_user.name, aoi_user.is_active) == (ERASED_NAME, False)
    assert not Membership.objects.unended().filter(user=aoi_user).exists()
    assert LedgerEntry.objects.filter(kind="subject.erased").count() == 2


def test_of_two_of_whom_one_cannot_be_erased_neither_is(aois: Artist, fjord: Any) -> None:
    before = list(whole_database())
    with pytest.raises(CommandError, match="A company has no personal data"):
        run("aoi-tanaka", str(fjord.ref), "--yes", "--reason", "objection")
    assert list(whole_database()) == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["aoi-tanaka", "--yes"], "Say why"),
        (["nobody-of-this-name"], "there is nobody of this name"),
        (["nobody@liner.example"], "there is nobody of this name"),
        (["aoi-tanaka", "--by", "charlie@liner.example"], "is no operator here"),
        (["00000000-0000-4000-8000-000000000000"], "nobody to forget"),
        (["aoi-tanaka", "--reason", "because"], "invalid choice"),
    ],
)
def test_what_is_not_clear_is_refused_and_changes_nothing(
    arguments: list[str], sentence: str, aois: Artist, charlie: User
) -> None:
    before = list(whole_database())
    with pytest.raises(CommandError, match=sentence):
        run(*arguments)
    assert list(whole_database()) == before
