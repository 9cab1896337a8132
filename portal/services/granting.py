"""What every change of access has in common: who may, and what the ledger is told."""

from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from consent.errors import NotFound, Refused, refused_by
from consent.models import Act, Artist, Party
from consent.services.delegations import Delegation
from portal.access import Access
from portal.models import Membership, Roster, RosterArtist, RosterKind, User
from portal.roles import ANSWERING_ROLES, OWNERS, Role, Scope, in_order

NO_BACKDATING = Refused(
    "from_in_the_past", _("Access cannot begin in the past."), field="starts_at"
)


def require_operator(by: User | None) -> str:
    """Refuse (`may_not_grant`) anybody but the operator; returns as what `by` acts."""
    if by is not None and not by.is_superuser:
        raise Refused("may_not_grant", _("Only the operator can do this."))
    return "operator"


def require_owner(by: User | None, artist: Artist) -> str:
    """Refuse (`may_not_grant`) anybody but the artist or her guardian: the operator's people too.

    Raises `NotFound` where the artist is out of reach; returns as what `by` acts. None is the
    operator's own tool, on its servers.
    """
    if by is None:
        return "operator"
    if by.works_in_admin:
        raise Refused("may_not_grant", _("Only the artist can do this."))
    reach = Access.of(by).reach(artist)
    if reach is None:
        raise NotFound("no_such_artist", _("There is no such artist."))
    if Scope.MANAGE_PEOPLE not in reach.scopes or not OWNERS & set(reach.roles):
        raise Refused("may_not_grant", _("Only the artist can do this."))
    return reach.role.value


def check(row: Membership | Roster | RosterArtist, but: Iterable[str] = ()) -> None:
    """Validate the whole row, without the fields `but`, as the database will; raises `Refused`."""
    try:
        row.full_clean(exclude=set(but))
    except ValidationError as error:
        raise refused_by(error) from error


def lock(*, artist: Artist | None, roster: Roster | None) -> None:
    """One change of access at a time for an artist and for a roster, in a fixed order."""
    if roster is not None:
        Roster.objects.select_for_update(no_key=True).get(pk=roster.pk)
    if artist is not None:
        Artist.objects.select_for_update(of=("self",), no_key=True).get(pk=artist.pk)


def refuse_staff_who_answer(user: User, role: Role) -> None:
    """Refuse access with which the house could answer for an artist, or sign for her.

    Staff and whoever answers are two accounts, in whichever order they came (`staff_cannot_answer`,
    `answers_for_an_artist`). `Access.of` holds to it too, whatever the rows say.
    """
    if role in ANSWERING_ROLES and user.works_in_admin:
        raise Refused(
            "staff_cannot_answer",
            _(
                "This account works in the admin, and nobody who works there answers for an "
                "artist. Take another e-mail address."
            ),
            field="user",
        )
    if role is not Role.LABEL_STAFF:
        return
    if Membership.objects.unended().filter(user=user, role__in=ANSWERING_ROLES).exists():
        raise Refused(
            "answers_for_an_artist",
            _(
                "This person answers for an artist, and nobody who does works in the admin. "
                "Take another e-mail address."
            ),
            field="user",
        )


def require_nobody_yet(artist: Artist | None, roster: Roster | None) -> None:
    """Refuse the operator's people where somebody it lets in would answer beside others.

    They let in the first people only: to an artist to whom nobody ever had access, and to a roster
    on which no other artist is. Ever, for an end can be made. Raises `Refused`:
    `artist_has_people`, `roster_has_artists`.
    """
    if artist is not None and _ever_reached([artist.pk]):
        raise Refused(
            "artist_has_people",
            _("People have access to this artist already. Only they can let others in."),
        )
    if roster is not None and _ever_reached([one.artist_id for one in places_of(roster)]):
        raise Refused(
            "roster_has_artists",
            _(
                "There are artists on this roster. Whoever joins it now would answer for them, so "
                "only its own people can let somebody in."
            ),
        )


def _ever_reached(artists: Iterable[int]) -> bool:
    places = RosterArtist.objects.filter(artist__in=artists).exclude(roster__kind=RosterKind.LABEL)
    return Membership.objects.filter(
        Q(artist__in=artists) | Q(roster__in=places.values("roster"))
    ).exists()


def artists_of(membership: Membership) -> list[Artist]:
    """The artists whom this access reaches; none for label staff."""
    if membership.artist is not None:
        return [membership.artist]
    assert membership.roster is not None
    return [place.artist for place in places_of(membership.roster)]


def members_of(roster: Roster) -> list[Membership]:
    """Who acts for the artists of this roster, now or from a later day on."""
    if roster.kind == RosterKind.LABEL:
        return []  # label staff act for the label, not for its artists
    return list(roster.memberships.unended().select_related("user").order_by("pk"))


def places_of(roster: Roster) -> list[RosterArtist]:
    """The artists for whom the people of this roster act, now or from a later day on."""
    if roster.kind == RosterKind.LABEL:
        return []
    return list(roster.places.unended().select_related("artist__party").order_by("artist_id"))


def lines_of(membership: Membership, now: datetime) -> list[Delegation]:
    """What the ledger is told of an access: one line for each artist, or one for a label."""
    roster = membership.roster
    if roster is None:
        assert membership.artist is not None
        return [line_of(membership, membership.artist.party, now)]
    if roster.kind == RosterKind.LABEL:
        assert roster.party is not None
        return [line_of(membership, roster.party, now)]
    return [line_of(membership, place.artist.party, now, place) for place in places_of(roster)]


def line_of(
    membership: Membership, party: Party, now: datetime, place: RosterArtist | None = None
) -> Delegation:
    """One line for the ledger, with the narrower of the times of access and of roster.

    Scopes are as granted: that a minor's are narrower follows from the party's own state.
    """
    scopes = membership.granted_for(is_minor=membership.role == Role.GUARDIAN)
    starts = max(membership.starts_at, membership.starts_at if place is None else place.starts_at)
    ends = [end for end in (membership.ends_at, None if place is None else place.ends_at) if end]
    return Delegation(
        ref=membership.ref,
        user=membership.user,
        party=party.ref,
        role=str(membership.role),
        scopes=tuple(scope.value for scope in in_order(scopes)),
        starts_at=starts if starts > now else None,
        ends_at=min(ends, default=None),
        roster=None if membership.roster is None else membership.roster.ref,
    )


def end_lapsed(rows: QuerySet[Membership] | QuerySet[RosterArtist], now: datetime) -> None:
    """Close rows whose time has run out, which the ledger knows from their grant already."""
    for row in rows.filter(Q(ended_at=None), ends_at__lte=now):
        row.ended_at, row.ended_in = row.ends_at, _act_of(row)
        row.save(update_fields=["ended_at", "ended_in"])


@transaction.atomic
def close_admin(*, user: int | None = None) -> int:
    """Let those out of the admin whose last access to a label is over; returns how many.

    `user` (a key) looks at one person only. The operator's own staff is let out by nobody, nor is
    whoever never worked for a label.
    """
    theirs = Membership.objects.filter(user=OuterRef("pk"), role=Role.LABEL_STAFF)
    gone = User.objects.filter(
        Exists(theirs), ~Exists(theirs.unended()), is_staff=True, is_superuser=False
    )
    if user is not None:
        gone = gone.filter(pk=user)
    # Locked first, then asked again: somebody may just have been let in to another label.
    found = list(gone.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    return gone.filter(pk__in=found).update(is_staff=False) if found else 0


def _act_of(row: Membership | RosterArtist) -> Act:
    return row.granted_in if isinstance(row, Membership) else row.added_in


def facts_of(membership: Membership, by: User | None) -> dict[str, object]:
    """What notices about this access need (`portal.notices`)."""
    return {
        "who": str(membership.user.ref),
        "by": None if by is None else str(by.ref),
        "role": str(membership.role),
        "until": None if membership.ends_at is None else membership.ends_at.isoformat(),
    }
