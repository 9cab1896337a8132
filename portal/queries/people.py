"""Who has access to an artist's work: what they can do, who let them in, until when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from consent.models import Artist, PartyState
from portal.access import Access, master_claims_on, people_within
from portal.models import Membership, Roster, RosterArtist, RosterKind, User
from portal.roles import (
    OWNERS,
    ROLE_SENTENCES,
    Role,
    Scope,
    in_order,
    sentences,
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has access, as a page shows it.

    `granted_by` is the name of who let her in; empty where the operator did. `through` is the
    management whose roster gives the access; then it is ended by taking the artist off the roster
    (`place`), not by ending the membership. `may_end` says whether the viewer may end it.
    """

    membership: Membership
    user: User
    role: Role
    role_sentence: str
    scopes: tuple[Scope, ...]
    can: tuple[str, ...]
    granted_by: str
    since: datetime
    until: datetime | None
    through: str
    place: RosterArtist | None
    may_end: bool
    ended_at: datetime | None = None
    ended_by: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """A label whose staff see the artist's recordings with it, in the admin."""

    name: str
    staff: int


def people_with_access(artist: Artist, viewer: Access) -> list[Person]:
    """Everybody with access to this artist now: the artist's own first, then by name.

    The caller has made sure that the viewer may see the artist. Three queries, however many.
    """
    rows = (
        people_within(artist.pk, viewer.at)
        .select_related("user", "roster", "granted_by")
        .order_by("user__name", "pk")
    )
    places = {
        place.roster_id: place
        for place in RosterArtist.objects.live(viewer.at).filter(artist=artist)
    }
    minor = is_minor(artist.pk)
    people = [_person(row, artist, viewer, minor, places) for row in rows]
    people = [one for one in people if one.scopes]
    order = list(Role)
    return sorted(people, key=lambda one: (order.index(one.role), one.user.get_full_name()))


def people_who_had_access(artist: Artist, *, limit: int = 50) -> list[Person]:
    """Whose access to this artist has ended, latest first: who ended it, and when. One query."""
    rows = (
        Membership.objects.filter(artist=artist, ended_at__isnull=False)
        .select_related("user", "roster", "granted_by", "ended_by")
        .order_by("-ended_at")[:limit]
    )
    nobody = Access(user=None, at=None)
    return [_person(row, artist, nobody, False, {}) for row in rows]


def labels_with_access(artist: Artist) -> Sequence[Label]:
    """The labels whose staff see this artist in the admin, and how many they are. One query."""
    places = RosterArtist.objects.live().filter(artist=artist)
    labels = (
        Roster.objects.filter(
            Q(pk__in=places.values("roster"))
            | Q(party__in=master_claims_on(artist.pk).values("party")),
            kind=RosterKind.LABEL,
        )
        .annotate(
            staff=Count(
                "memberships",
                filter=Q(memberships__in=Membership.objects.live().filter(role=Role.LABEL_STAFF)),
            )
        )
        .order_by("name")
    )
    return [Label(name=one.name, staff=one.staff) for one in labels]


def scopes_by_person(artist_id: int) -> dict[int, frozenset[Scope]]:
    """What each person (key of `User`) may do for this artist now. Two queries."""
    minor = is_minor(artist_id)
    found: dict[int, frozenset[Scope]] = {}
    for one in people_within(artist_id).select_related("user"):
        scopes = one.scopes_for(is_minor=minor)
        found[one.user_id] = found.get(one.user_id, frozenset()) | scopes
    return {user: scopes for user, scopes in found.items() if scopes}


def is_minor(artist_id: int) -> bool:
    """Whether the artist is a minor, as the ledger knows her now. One query."""
    latest = PartyState.objects.filter(party=artist_id).order_by("-pk").values_list("is_minor")
    return bool((latest.first() or (False,))[0])


def _person(
    row: Membership,
    artist: Artist,
    viewer: Access,
    minor: bool,
    places: dict[int, RosterArtist],
) -> Person:
    role = Role(row.role)
    held = row.scopes_for if row.ended_at is None else row.granted_for
    scopes = in_order(held(is_minor=minor))
    place = places.get(row.roster_id) if row.roster_id is not None else None
    ends = [end for end in (row.ends_at, None if place is None else place.ends_at) if end]
    return Person(
        membership=row,
        user=row.user,
        role=role,
        role_sentence=str(ROLE_SENTENCES[role]),
        scopes=tuple(scopes),
        can=tuple(sentences(scopes)),
        granted_by="" if row.granted_by is None else row.granted_by.get_full_name(),
        since=max(row.starts_at, row.starts_at if place is None else place.starts_at),
        until=min(ends, default=None),
        through="" if row.roster is None else row.roster.name,
        place=place,
        may_end=row.ended_at is None and _may_end(row, artist, viewer),
        ended_at=row.ended_at,
        ended_by="" if row.ended_by is None else row.ended_by.get_full_name(),
    )


def _may_end(row: Membership, artist: Artist, viewer: Access) -> bool:
    reach = viewer.reach(artist)
    if viewer.user is not None and row.user_id == viewer.user.pk:
        return True
    if reach is None or Scope.MANAGE_PEOPLE not in reach.scopes:
        return False
    if row.roster_id is not None:
        return bool(OWNERS & set(reach.roles))
    return row.role not in OWNERS
