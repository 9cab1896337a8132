"""The catalogue for pages: an artist's recordings and releases, and who made a recording."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.core import signing
from django.db.models import (
    Count,
    Exists,
    F,
    Func,
    IntegerField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Concat
from django.utils.functional import Promise

from consent.catalogue.roles import name_of_role
from consent.identifiers import display_isrc
from consent.models import (
    Artist,
    ArtistRecording,
    Credit,
    Party,
    ProfileCount,
    Recording,
    RecordingTitle,
    Release,
)
from consent.words import AiPart

PAGE = 50
SORTED = 5_000


@dataclass(frozen=True, slots=True)
class RecordingRow:
    """A recording in a list. `other_titles` are in other scripts, without repetitions."""

    recording: Recording
    other_titles: tuple[RecordingTitle, ...]
    featured: bool

    @property
    def isrc(self) -> str:
        """As printed: NO-UM7-24-00192."""
        return display_isrc(self.recording.isrc)


@dataclass(frozen=True, slots=True)
class RecordingPage:
    """One page of a list; `after` leads to the next page, empty on the last one."""

    rows: tuple[RecordingRow, ...]
    after: str
    total: int


def recordings_of(
    artist: Artist, *, search: str = "", after: str = "", size: int = PAGE
) -> RecordingPage:
    """An artist's recordings by title, those she features on included; three queries.

    `search` looks in titles in every script, or for an ISRC in any written form. `after` is a
    page's own; one that is not (an old bookmark) leads to the first page.
    """
    found = search_recordings(artist, search)
    total = found.count() if search.strip() else _number_of(artist)
    place = _place(after)
    if place is not None:
        title, pk = place
        found = found.filter(
            Q(recording__title__gt=title) | Q(recording__title=title, recording__gt=pk)
        )
    billed = list(
        found.select_related("recording", "recording__sender")
        .prefetch_related(Prefetch("recording__titles"))
        .order_by(_by_title(total), "recording_id")[: size + 1]
    )
    more = len(billed) > size
    rows = tuple(RecordingRow(b.recording, _others(b.recording), b.featured) for b in billed[:size])
    return RecordingPage(rows, _next(rows) if more else "", total)


def page_by_title(found: QuerySet[Recording], *, after: str, size: int) -> RecordingPage:
    """One page of `found`, sorted by title; `after` as in `recordings_of`. One query.

    For recordings that are found by another index than that of titles. Without other titles.
    """
    number = found.annotate(n=Func("pk", function="count", output_field=IntegerField()))
    place = _place(after)
    rest = found
    if place is not None:
        title, pk = place
        rest = found.filter(Q(title__gt=title) | Q(title=title, pk__gt=pk))
    some = list(
        rest.annotate(total=Subquery(number.values("n"))).order_by(
            Concat("title", Value("")), "pk"
        )[: size + 1]
    )
    rows = tuple(RecordingRow(one, (), featured=False) for one in some[:size])
    total = some[0].__dict__["total"] if some else 0
    return RecordingPage(rows, _next(rows) if len(some) > size else "", total)


def _next(rows: Sequence[RecordingRow]) -> str:
    return _token(rows[-1].recording.title, rows[-1].recording.pk) if rows else ""


def _by_title(total: int) -> Combinable:
    """Many recordings come in order from the index of all titles; few are found, then sorted.

    An expression that no index has keeps the database from reading everybody's titles for a few.
    """
    return F("recording__title") if total > SORTED else Concat("recording__title", Value(""))


def _number_of(artist: Artist) -> int:
    """How many recordings an artist has, added up from those of each rights profile."""
    counted = ProfileCount.objects.filter(artist=artist).aggregate(n=Sum("recordings"))
    return int(counted["n"] or 0)


def search_recordings(artist: Artist, search: str = "") -> QuerySet[ArtistRecording]:
    """An artist's recordings that `search` finds: by a part of a title in any script, or ISRC."""
    return ArtistRecording.objects.filter(titled(search, "recording__"), artist=artist)


def titled(search: str, on: str = "") -> Q:
    """The condition that `search` finds a recording; `on` leads to it from what is asked for."""
    words = search.split()
    if not words:
        return Q()
    isrc = "".join(c for c in search.upper() if c.isalnum() and c.isascii())
    by_title = Q()
    for word in words:
        titles = RecordingTitle.objects.filter(recording=OuterRef(f"{on}pk"), title__icontains=word)
        by_title &= Q(**{f"{on}title__icontains": word}) | Q(Exists(titles))
    by_isrc = Q(**{f"{on}isrc__startswith": isrc}) if len(isrc) >= 5 else Q(pk__in=())
    return by_title | by_isrc


@dataclass(frozen=True, slots=True)
class RoleCredits:
    """Everybody in one role, in the order of the delivery; `name` is the role in plain words."""

    role: str
    name: str | Promise
    credits: tuple[Credit, ...]

    @property
    def ai_part(self) -> AiPart:
        """How far AI did this, over all who are credited; undeclared unless all agree on none."""
        parts = [AiPart(c.ai_part) for c in self.credits]
        if all(p is AiPart.ALL for p in parts):
            return AiPart.ALL
        if AiPart.ALL in parts or AiPart.PARTLY in parts:
            return AiPart.PARTLY
        return AiPart.NONE if all(p is AiPart.NONE for p in parts) else AiPart.UNDECLARED


def credits_of(recording: Recording) -> list[RoleCredits]:
    """Who did what on a recording, grouped by role in the order of the credits; one query."""
    return _by_role(
        Credit.objects.filter(recording=recording)
        .select_related("party", "party__artist")
        .order_by("position", "id")
    )


def credits_of_many(recordings: Sequence[Recording]) -> dict[int, list[RoleCredits]]:
    """The credits of several recordings, by key, in one query."""
    grouped: dict[int, list[Credit]] = {r.pk: [] for r in recordings}
    found = Credit.objects.filter(recording__in=grouped).select_related("party", "party__artist")
    for credit in found.order_by("position", "id"):
        grouped[credit.recording_id].append(credit)
    return {pk: _by_role(credits) for pk, credits in grouped.items()}


def credits_of_party(party: Party, *, limit: int = 200) -> QuerySet[Credit]:
    """Where a party is credited, newest recording first, at most `limit` credits."""
    found = Credit.objects.filter(party=party).select_related("recording")
    return found.order_by("-recording__created_at", "-recording_id", "position")[:limit]


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """A release with how many of its tracks are the artist's."""

    release: Release
    tracks: int


def releases_of(artist: Artist, *, limit: int = 500) -> list[ReleaseRow]:
    """The releases that an artist's recordings are on, newest first; one query."""
    found = (
        Release.objects.filter(tracks__recording__billed__artist=artist)
        .annotate(mine=Count("tracks__recording", distinct=True))
        .select_related("sender")
        .order_by("-released_on", "title", "id")[:limit]
    )
    return [ReleaseRow(r, r.mine) for r in sorted(found, key=_newest_first)]


def tracks_of(release: Release) -> list[Recording]:
    """The recordings on a release in their running order; two queries."""
    found = Recording.objects.filter(tracks__release=release).prefetch_related("titles")
    return list(found.order_by("tracks__position"))


def _newest_first(release: Release) -> tuple[bool, int, str]:
    day = release.released_on
    return (day is None, -day.toordinal() if day else 0, release.title)


def _others(recording: Recording) -> tuple[RecordingTitle, ...]:
    seen = {recording.title}
    others = []
    for title in recording.titles.all():
        if title.title not in seen:
            seen.add(title.title)
            others.append(title)
    return tuple(others)


def _by_role(credits: QuerySet[Credit] | Sequence[Credit]) -> list[RoleCredits]:
    roles: dict[str, list[Credit]] = {}
    for credit in credits:
        roles.setdefault(credit.role, []).append(credit)
    return [RoleCredits(role, name_of_role(role), tuple(found)) for role, found in roles.items()]


def _token(title: str, pk: int) -> str:
    return signing.dumps([title, pk], salt="recordings", compress=True)


def _place(after: str) -> tuple[str, int] | None:
    if not after:
        return None
    try:
        title, pk = signing.loads(after, salt="recordings")
    except signing.BadSignature:
        return None
    return title, pk
