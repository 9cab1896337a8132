"""What the credit pages show beside `consent.queries.catalogue`."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from consent.catalogue.roles import name_of_role
from consent.models import (
    Artist,
    ArtistRecording,
    Credit,
    Recording,
    RecordingIdentity,
    Release,
    RightsClaim,
)
from consent.queries.replaced import replaced_on
from consent.words import Authority, Right, Standing

ELSEWHERE: int = 50


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A credit on somebody else's recording."""

    recording: Recording
    role: str


@dataclass(frozen=True, slots=True)
class HeldRight:
    """Who holds how much of which right, by what authority, and whether that was confirmed."""

    right: str
    holder: str
    language: str
    share_bp: int
    authority: str
    standing: str
    territories: Sequence[str]


def also_credited(artist: Artist) -> list[Elsewhere]:
    """The newest credits of this artist on recordings that are not hers; one query."""
    hers = ArtistRecording.objects.filter(artist=artist, recording=OuterRef("recording"))
    found = (
        Credit.objects.filter(~Exists(hers), party=artist.pk)
        .select_related("recording")
        .order_by("-recording_id", "position")[:ELSEWHERE]
    )
    return [Elsewhere(one.recording, str(name_of_role(one.role))) for one in found]


def releases_with(recording: Recording) -> list[Release]:
    """The releases that a recording is on, the first to come out first; one query."""
    found = Release.objects.filter(tracks__recording=recording).select_related("sender")
    return list(found.order_by("released_on", "id")[:50])


def rights_of(recording: Recording) -> list[HeldRight]:
    """The claims that stand on a recording, its works and its main artists' repertoire.

    Without those that the same party's claim on the recording itself speaks instead of. Two
    queries. Whether they add up to a whole is for `consent.queries.conflicts` to say.
    """
    identity = RecordingIdentity.objects.filter(recording=recording).order_by("-id").first()
    works = identity.works if identity else []
    artists = identity.main_artists if identity else []
    newer = RightsClaim.objects.filter(claim=OuterRef("claim"), pk__gt=OuterRef("pk"))
    claims = (
        RightsClaim.objects.filter(
            Q(recording=recording) | Q(work__in=works) | Q(repertoire__in=artists),
            ~Exists(newer),
            ~replaced_on(recording),
            Q(share_bp__gt=0) | Q(standing=Standing.DISPUTED),
            ended=False,
        )
        .select_related("party")
        .order_by("right", "-share_bp", "party__name")[:100]
    )
    order = Right.values
    return [
        HeldRight(
            right=str(Right(one.right).label),
            holder=one.party.name,
            language=one.party.language,
            share_bp=one.share_bp,
            authority=str(Authority(one.authority).label),
            standing=str(Standing(one.standing).label),
            territories=one.territories,
        )
        for one in sorted(claims, key=lambda claim: order.index(claim.right))
    ]
