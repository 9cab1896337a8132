"""Where somebody is heard and not billed: her voice is asked for there, and nothing else of hers.

Whoever is billed on a recording (main or featured) has a say in every use of it; whoever is only
heard on it, in what is made of voices (`NEEDS`). What speaks is the newest identity of a recording,
so a say ends with the act that takes a voice off it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField, Exists, F, Func, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from consent.decisions import NEEDS
from consent.models import (
    Artist,
    ArtistRecording,
    LicenceVersion,
    Recording,
    RecordingIdentity,
    RightsClaim,
    Tool,
)
from consent.queries.catalogue import PAGE, RecordingPage, page_by_title, titled
from consent.words import UseKind

OF_A_VOICE: Final = tuple(use for use in UseKind if NEEDS[use].voices)
"""The use kinds for which the people who are heard are asked, billed or not."""


DECIDED_BY_THE_BILLED: Final = _(
    "Your voice is heard on this recording. Other uses of it are decided by those who are billed."
)
"""What she reads who would answer, or ask about, a use in which she has no say."""


@dataclass(frozen=True, slots=True)
class Say:
    """What an artist is asked about one recording: the use kinds, and whether she is billed."""

    recording: Recording
    billed: bool

    @property
    def uses(self) -> tuple[UseKind, ...]:
        return tuple(UseKind) if self.billed else OF_A_VOICE


def say_in(artist: Artist, isrc: str) -> Say | None:
    """What she is asked about the recording with this ISRC (as stored); None for nothing.

    One query.
    """
    billed = ArtistRecording.objects.filter(artist=artist, recording=OuterRef("pk"))
    found = (
        Recording.objects.filter(isrc=isrc)
        .annotate(is_billed=Exists(billed))
        .filter(Q(is_billed=True) | Exists(_heard(artist.pk).filter(recording=OuterRef("pk"))))
        .first()
    )
    return None if found is None else Say(found, bool(found.__dict__["is_billed"]))


def asked_about(artist: Artist, use: str, recordings: Collection[int]) -> dict[int, str]:
    """Of these recordings (keys), those in which she has a say about this use, with their ISRCs.

    One query where she is billed on all of them; else two.
    """
    billed = artist.billed.filter(recording__in=list(recordings))
    found = dict(billed.values_list("recording_id", "recording__isrc"))
    if len(found) < len(set(recordings)) and use in OF_A_VOICE:
        heard = heard_recordings(artist).filter(pk__in=[k for k in recordings if k not in found])
        found.update(heard.values_list("pk", "isrc"))
    return found


def heard_alone(artist: int) -> list[int]:
    """The recordings (keys) on which this party (its key) is heard and not billed. One query."""
    return list(_heard(artist).values_list("recording", flat=True))


def heard_recordings(artist: Artist) -> QuerySet[Recording]:
    """The recordings on which this artist is heard and not billed."""
    return Recording.objects.filter(pk__in=_heard(artist.pk).values("recording"))


def heard_page(
    artist: Artist, *, search: str = "", after: str = "", size: int = PAGE
) -> RecordingPage:
    """The recordings on which she is heard and not billed, by title; as `recordings_of`.

    One query; without their titles in other scripts.
    """
    return page_by_title(heard_recordings(artist).filter(titled(search)), after=after, size=size)


def billed_on(recordings: Collection[int]) -> dict[int, list[Artist]]:
    """Who is billed on these recordings (keys), main artists first. One query."""
    rows = ArtistRecording.objects.filter(recording__in=list(recordings))
    found: dict[int, list[Artist]] = {key: [] for key in recordings}
    for row in rows.select_related("artist__party").order_by("featured", "id"):
        found[row.recording_id].append(row.artist)
    return found


def tools_licensed_on(recordings: Sequence[int], *, use: str = "") -> list[Tool]:
    """The tools that a licence may let use these recordings (keys); with `use`, one that names it.

    One query.
    """
    versions = _licences_on(recordings)
    if use:
        versions = versions.filter(uses__contains=[use])
    tools = Tool.objects.filter(company__in=versions.values("licence__company"))
    return list(tools.select_related("company__party").order_by("pk"))


def listing_of(recordings: Sequence[int]) -> list[int]:
    """The licence versions (keys) that may name these recordings (keys) one by one. One query."""
    versions = _licences_on(recordings).exclude(catalogue="all")
    return list(versions.values_list("pk", flat=True))


def _licences_on(recordings: Sequence[int]) -> QuerySet[LicenceVersion]:
    billed = ArtistRecording.objects.filter(recording__in=recordings).values("artist")
    holders = RightsClaim.objects.filter(Q(recording__in=recordings) | Q(repertoire__in=billed))
    return LicenceVersion.objects.filter(licence__holder__in=holders.values("party"))


def _heard(artist: int) -> QuerySet[RecordingIdentity]:
    """The newest identities that name this party among the voices and not in the billing."""
    newer = RecordingIdentity.objects.filter(recording=OuterRef("recording"), pk__gt=OuterRef("pk"))
    alone = Func(
        F("voices"),
        F("main_artists"),
        F("featured_artists"),
        function="unbilled_voices",
        output_field=ArrayField(BigIntegerField()),
    )
    contains: dict[str, Any] = {"alone__contains": [artist]}
    return RecordingIdentity.objects.alias(alone=alone).filter(~Exists(newer), **contains)
