"""Short words for the tests of tools, licences, reports and requests: a small world to act in."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.db import transaction

from consent.clock import now
from consent.models import (
    AICompany,
    Artist,
    ArtistRecording,
    LicenceVersion,
    ModelVersion,
    Party,
    Recording,
    RecordingIdentity,
    RightsClaim,
    Tool,
    Work,
)
from consent.scopes import Scope
from consent.services.ledger import Leaf, record
from consent.services.licences import sign_licence
from consent.services.parties import register_artist, register_party
from consent.services.permissions import answer_permission
from consent.services.profiles import refresh_profiles
from consent.services.tools import register_company, register_model_version, register_tool
from consent.words import Authority, PartyKind, Right, Standing, ToolKind

_numbers = count(1)


def an_artist(name: str = "Maren Holt", kind: PartyKind = PartyKind.PERSON) -> Artist:
    return register_artist(by=None, name=name, kind=kind)


def a_label(name: str = "Fjord Records") -> Party:
    return register_party(by=None, kind=PartyKind.COMPANY, name=name)


def a_company(slug: str = "oceanic") -> AICompany:
    return register_company(by=None, slug=slug, name=f"{slug.title()} Audio")


def a_tool(company: AICompany, slug: str = "tidesmith") -> Tool:
    return register_tool(
        by=None, company=company, slug=slug, name=slug.title(), kind=ToolKind.COMPOSER
    )


def a_model(tool: Tool, name: str = "v1") -> ModelVersion:
    return register_model_version(by=None, tool=tool, name=name)


def a_recording(
    *main: Artist,
    featured: Sequence[Artist] = (),
    voices: Sequence[Artist] = (),
    holder: Party | None = None,
    publisher: Party | None = None,
    authority: Authority = Authority.CONTRACT,
    title: str = "Havn",
) -> Recording:
    """A recording by `main`, its master held by `holder`, its one work by `publisher`."""
    return some_recordings(
        1,
        *main,
        featured=featured,
        voices=voices,
        holder=holder,
        publisher=publisher,
        authority=authority,
        title=title,
    )[0]


@transaction.atomic
def some_recordings(
    how_many: int,
    *main: Artist,
    featured: Sequence[Artist] = (),
    voices: Sequence[Artist] = (),
    holder: Party | None = None,
    publisher: Party | None = None,
    authority: Authority = Authority.CONTRACT,
    title: str = "Havn",
) -> list[Recording]:
    at = now()
    recordings = Recording.objects.bulk_create(
        Recording(isrc=f"NOUM724{next(_numbers):05d}", title=title, created_at=at, updated_at=at)
        for _ in range(how_many)
    )
    works: list[int] = []
    leaves: list[Leaf] = []
    claims: list[RightsClaim] = []
    if publisher is not None:
        work = Work.objects.create(title=title, created_at=at)
        works = [work.pk]
        claims.append(_claim(leaves, publisher, Right.PUBLISHING, Authority.OWN, work=work))
    identities = []
    for recording in recordings:
        leaf = Leaf("recording.identified", {"recording": recording.isrc})
        leaves.append(leaf)
        identities.append(
            RecordingIdentity(
                entry_id=leaf.id,
                recording=recording,
                isrc=recording.isrc,
                main_artists=[a.pk for a in main],
                featured_artists=[a.pk for a in featured],
                voices=[a.pk for a in voices],
                works=works,
            )
        )
        if holder is not None:
            claims.append(_claim(leaves, holder, Right.MASTER, authority, recording=recording))
    RecordingIdentity.objects.bulk_create(identities)
    RightsClaim.objects.bulk_create(claims)
    ArtistRecording.objects.bulk_create(
        ArtistRecording(artist=artist, recording=recording, featured=artist in featured)
        for recording in recordings
        for artist in (*main, *featured)
    )
    record(uuid.uuid4(), leaves)
    refresh_profiles([r.pk for r in recordings])
    return recordings


@transaction.atomic
def own_repertoire(artist: Artist, *rights: Right) -> None:
    """She holds these rights in all her work herself: master and publishing when none is named."""
    leaves: list[Leaf] = []
    RightsClaim.objects.bulk_create(
        _claim(leaves, artist.party, right, Authority.OWN, repertoire=artist.party)
        for right in rights or (Right.MASTER, Right.PUBLISHING)
    )
    record(uuid.uuid4(), leaves)
    refresh_profiles(
        list(ArtistRecording.objects.filter(artist=artist).values_list("recording", flat=True))
    )


def _claim(
    leaves: list[Leaf], party: Party, right: Right, authority: Authority, **on: Any
) -> RightsClaim:
    leaf = Leaf("claim.made", {"party": str(party.ref), "right": right})
    leaves.append(leaf)
    return RightsClaim(
        entry_id=leaf.id,
        party=party,
        right=right,
        share_bp=10_000,
        authority=authority,
        standing=Standing.VERIFIED,
        source="hand",
        **on,
    )


def a_licence(holder: Party, company: AICompany, *uses: str, **terms: Any) -> LicenceVersion:
    return sign_licence(
        by=None,
        holder=holder,
        company=company,
        title=f"{holder.name} and {company.slug}",
        uses=uses or ("generative_training",),
        **terms,
    )


def licensed_songs(artist: Artist, *companies: AICompany) -> tuple[Party, Party, list[Recording]]:
    """A label, a publisher, and three of her songs that both license to each of the companies.

    For training, discovery and remixes, with 30 days' notice.
    """
    label, publisher = a_label(), a_label("Kanal Forlag")
    songs = some_recordings(3, artist, holder=label, publisher=publisher)
    for holder in (label, publisher):
        for company in companies:
            uses = ("generative_training", "discovery", "remix_input")
            a_licence(holder, company, *uses, notice_days=30)
    return label, publisher, songs


def she_says(artist: Artist, use: str, stance: str, **more: Any) -> None:
    answer_permission(by=None, artist=artist, use=use, stance=stance, **more)


def in_days(days: float) -> datetime:
    return now() + timedelta(days=days)


def on_recording(recording: Recording) -> Scope:
    return Scope(recording=recording)
