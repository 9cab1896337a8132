"""Two labels with everything an admin page can show, so that each may look for the other's."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.db.models import Model

from consent.clock import now
from consent.models import (
    AICompany,
    Artist,
    CatalogueMessage,
    LicenceVersion,
    ModelVersion,
    Party,
    Permission,
    PermissionRequest,
    Recording,
    Release,
    RightsClaim,
    Tool,
    Withdrawal,
)
from consent.scopes import Scope
from consent.services.licences import sign_licence
from consent.services.permissions import answer_permission
from consent.words import UseKind
from portal.models import Roster, User
from portal.services.staff_acts import record_staff_act
from tests.cast import recordings_of


@dataclass
class Side:
    """One label and what is its own. `canary` stands in every text that only it may see."""

    label: Party
    staff: User
    artist: Artist
    canary: str
    recordings: list[Recording] = field(default_factory=list)
    things: dict[str, Model] = field(default_factory=dict)


def fill(
    side: Side, tool: Tool, model: ModelVersion, *, answer_about: UseKind = UseKind.DISCOVERY
) -> Side:
    """Give a label recordings, claims, licences, answers, questions, withdrawals, deliveries."""
    at = now()
    side.recordings = recordings_of(side.artist, 2, title=side.canary, holder=side.label)
    for recording in side.recordings:
        recording.sender = side.label
        recording.save(update_fields=["sender"])
    first = side.recordings[0]
    licence: LicenceVersion = sign_licence(
        by=side.staff,
        holder=side.label,
        company=tool.company,
        title=f"{side.canary} agreement",
        uses=[answer_about],
        terms=f"{side.canary} terms",
    )
    answer_permission(by=side.staff, artist=side.artist, use=answer_about, stance="allow")
    answer_permission(by=side.staff, artist=side.artist, use=answer_about, stance="deny")
    about_one = answer_permission(
        by=side.staff,
        artist=side.artist,
        use=UseKind.STYLE,
        stance="deny",
        scope=Scope(recording=first),
    ).permission
    withdrawal = Withdrawal.objects.get(artist=side.artist, company=tool.company)
    withdrawal.acknowledge_by = at - timedelta(days=1)
    withdrawal.save(update_fields=["acknowledge_by"])
    question = PermissionRequest.objects.create(
        artist=side.artist,
        tool=tool,
        use=UseKind.STYLE,
        recording=first,
        why=f"{side.canary} question",
        created_at=at,
    )
    release = Release.objects.create(
        sender=side.label,
        key=f"{side.canary} key",
        title=f"{side.canary} album",
        message_created_at=at,
        updated_at=at,
    )
    message = CatalogueMessage.objects.create(
        sender=side.label,
        message_id=f"{side.canary} message",
        digest="0" * 64,
        version="4.3",
        created_at=at,
        read_at=at,
        report=[],
    )
    act = record_staff_act(
        by=side.staff,
        action="licence.sign",
        thing=licence.licence,
        reason=f"{side.canary} reason",
        label=side.label,
    )
    side.things = {
        "consent_artist": side.artist,
        "consent_recording": first,
        "consent_release": release,
        "consent_rightsclaim": RightsClaim.objects.filter(recording=first).latest("id"),
        "consent_licence": licence.licence,
        "consent_permission": about_one,
        "consent_withdrawal": withdrawal,
        "consent_cataloguemessage": message,
        "portal_staffact": act,
    }
    assert isinstance(question, PermissionRequest)
    assert Permission.objects.filter(artist=side.artist).exists()
    return side


@dataclass
class Labels:
    fjord: Side
    kestrel: Side
    company: AICompany


@pytest.fixture
def kestrel_artist(kestrel_roster: Roster) -> Artist:
    from consent.services.parties import register_artist
    from portal.services.rosters import add_artist_to_roster

    artist = register_artist(by=None, name="Zzyzx Kestrelbird")
    add_artist_to_roster(by=None, roster=kestrel_roster, artist=artist)
    return artist


@pytest.fixture
def labels(
    fjord: Party,
    kestrel: Party,
    maren: Artist,
    kestrel_artist: Artist,
    liv: User,
    noor: User,
    tidesmith: Tool,
    tidesmith_v1: ModelVersion,
) -> Labels:
    """Fjord Records with Maren, Kestrel Music with another; in common they have the tool only."""
    return Labels(
        fill(Side(fjord, liv, maren, "Fjordcanary"), tidesmith, tidesmith_v1),
        fill(Side(kestrel, noor, kestrel_artist, "Kestrelcanary"), tidesmith, tidesmith_v1),
        tidesmith.company,
    )
