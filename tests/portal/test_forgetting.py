"""Ines asks to be forgotten: the portal forgets her with the ledger, in one transaction."""

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from consent.clock import now
from consent.models import LedgerEntry
from consent.services.audit import audit_ledger
from consent.services.erasure import ERASED_NAME, ErasureReason, erase_subject
from consent.services.parties import register_artist
from consent.services.tools import register_company
from portal.access import Access
from portal.models import CompanyMail, RosterKind, User
from portal.roles import Role
from portal.services.delegation import grant_access
from portal.services.people import create_user
from portal.services.rosters import add_artist_to_roster, create_roster
from tests import signing
from tests.consent.test_erasure import where

LEGAL_NAME = "Ines Aguirre Quispe"
ADDRESS = "aguirre.quispe@liner.example"


@pytest.fixture(autouse=True)
def nothing_outside(settings: Any) -> None:
    settings.LEDGER_SINKS = []


@pytest.fixture
def ines(transactional_db: None) -> User:
    return create_user(email=ADDRESS, name=LEGAL_NAME, password="a song that nobody knows")


def test_nothing_of_a_manager_is_left_and_nobody_can_sign_in_as_her(
    ines: User, client: Client
) -> None:
    olga = create_user(email="olga@liner.example", name="Olga", is_staff=True)
    sol = create_user(email="sol@liner.example", name="Sol")
    tides = register_artist(by=olga, name="The Low Tides", kind="group")
    grant_access(by=None, user=sol, role=Role.ARTIST, artist=tides)
    roster = create_roster(by=None, kind=RosterKind.MANAGEMENT, name="Quayside")
    grant_access(by=None, user=ines, role=Role.MANAGER, roster=roster)
    add_artist_to_roster(by=sol, roster=roster, artist=tides)
    signing.sign_in(client, ines)
    assert Access.of(ines).reach(tides) is not None
    assert "portal_user" in where(LEGAL_NAME)

    erase_subject(by=olga, subject=ines.ref, reason_code=ErasureReason.OBJECTION)

    assert where(LEGAL_NAME) == []
    assert where(ADDRESS) == []
    gone = User.objects.get(ref=ines.ref)
    assert (gone.name, gone.is_active, gone.has_usable_password()) == (ERASED_NAME, False, False)
    assert Access.of(gone).reach(tides) is None
    assert not Session.objects.exists()
    assert LedgerEntry.objects.filter(kind="delegation.ended").exists()
    assert LedgerEntry.objects.latest("seq").kind == "subject.erased"
    audited = audit_ledger()
    assert audited is not None
    assert audited.problems == ()


def test_what_others_were_told_of_an_artist_goes_with_her(transactional_db: None) -> None:
    olga = create_user(email="olga@liner.example", name="Olga", is_staff=True)
    maren = register_artist(by=olga, name="Solveig Marie Holtedahl")
    hers = create_user(email="maren@liner.example", name="Maren")
    grant_access(by=None, user=hers, role=Role.ARTIST, artist=maren)
    charlie = create_user(email="charlie@liner.example", name="Charlie")
    grant_access(by=hers, user=charlie, role=Role.ASSISTANT, artist=maren)
    erase_subject(by=olga, subject=maren.party.ref, reason_code=ErasureReason.OBJECTION)
    assert where("Solveig Marie Holtedahl") == []


def test_an_ai_company_whose_contact_she_was_has_none_any_more(ines: User) -> None:
    company, other = (
        register_company(by=None, name=name, slug=name.lower(), contact=contact)
        for name, contact in (("Tonewright", ADDRESS.title()), ("Loomtone", "b@loomtone.example"))
    )
    at = now()
    CompanyMail.objects.create(
        company=company, address=ADDRESS, sent_at=at, next_at=at, created_at=at
    )
    erase_subject(by=None, subject=ines.ref, reason_code=ErasureReason.OBJECTION)
    for one in (company, other):
        one.refresh_from_db()
    assert (company.contact, other.contact) == ("", "b@loomtone.example")
    assert CompanyMail.objects.get().address == ""
    assert where(ADDRESS) == []
