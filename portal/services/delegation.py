"""Letting people in, and ending their access. Each change commits with its ledger entry."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from consent import clock
from consent.errors import NotFound, Refused, refused_by
from consent.models import Act, Artist, Party, PartyState
from consent.services.delegations import (
    Delegation,
    end_delegations,
    grant_delegations,
    open_end,
    open_grant,
)
from portal.access import Access
from portal.models import Membership, NoticeKind, Roster, RosterArtist, RosterKind, User
from portal.roles import (
    ADDABLE,
    ENTRUSTED_BY_THE_ARTIST,
    OWNERS,
    Role,
    Scope,
    in_order,
    scopes_of,
)
from portal.services.notices import notify_artist, notify_person

NO_BACKDATING = Refused(
    "from_in_the_past", _("Access cannot begin in the past."), field="starts_at"
)


# --- Rosters -----------------------------------------------------------------------------


@transaction.atomic
def create_roster(
    *, by: User | None, kind: RosterKind | str, name: str, party: Party | None = None
) -> Roster:
    """Open a roster: of a label (`party` is its company), of a management, or of an independent.

    For the operator; whoever opens a management's roster lets its first people in with
    `grant_access`. Raises `Refused`: `label_company`, `label_roster`.
    """
    _require_operator(by)
    roster = Roster(kind=str(kind), name=name.strip(), party=party, created_at=clock.now())
    _check(roster)
    roster.save()
    return roster


@transaction.atomic
def add_artist_to_roster(
    *,
    by: User | None,
    roster: Roster,
    artist: Artist,
    starts_at: datetime | None = None,
    until: datetime | None = None,
) -> RosterArtist:
    """Put an artist on a roster, which gives its people access to her work.

    For a management that is the artist's (or guardian's) to do, for a label the operator's.
    One ledger entry for each person on the roster. `starts_at` and `until` are UTC; None: at
    once, until ended. Raises `Refused`: `on_roster`, `from_in_the_past`, `until_before_from`.
    """
    _lock(artist=artist, roster=roster)
    role = _require_owner(by, artist) if roster.kind != RosterKind.LABEL else _require_operator(by)
    now = clock.now()
    if starts_at is not None and starts_at < now:
        raise NO_BACKDATING
    _end_lapsed(RosterArtist.objects.filter(roster=roster, artist=artist), now)
    place = RosterArtist(
        roster=roster,
        artist=artist,
        starts_at=starts_at or now,
        ends_at=until,
        added_by=by,
    )
    _check(place, but={"added_in"})
    members = _members(roster)
    delegations = [_delegation(one, artist.party, now, place) for one in members]
    place.added_in = open_grant(by=by, delegations=delegations, artist=artist, role=role)
    place.save()
    for one in members:
        notify_artist(
            artist=artist,
            kind=NoticeKind.ACCESS_GRANTED,
            params=_params(one, by),
            key=f"access {place.ref} {one.ref}",
            but=by,
        )
    grant_delegations(by=by, act=place.added_in, delegations=delegations)
    return place


@transaction.atomic
def remove_artist_from_roster(*, by: User | None, place: RosterArtist) -> RosterArtist:
    """Take an artist off a roster; its people lose her with the commit of this.

    The artist, her guardian, the management itself and the operator may. Raises `Refused`:
    `access_ended` when it has ended already.
    """
    _lock(artist=place.artist, roster=place.roster)
    place = RosterArtist.objects.select_for_update(of=("self",)).get(pk=place.pk)
    artist, roster = place.artist, place.roster
    access = Access.of(by) if by is not None else None
    if access is not None and not access.may_manage_roster(roster):
        _require_owner(by, artist)
    if place.ended_at is not None:
        raise Refused("access_ended", _("This access has ended already."))
    now = clock.now()
    members = _members(roster)
    delegations = [_delegation(one, artist.party, now, place) for one in members]
    act = open_end(
        by=by,
        delegations=delegations,
        artist=artist,
        role="" if access is None else access.role_for(artist),
    )
    place.ended_at, place.ended_by, place.ended_in = now, by, act
    place.save(update_fields=["ended_at", "ended_by", "ended_in"])
    for one in members:
        notify_artist(
            artist=artist,
            kind=NoticeKind.ACCESS_ENDED,
            params=_params(one, by),
            key=f"access ended {place.ref} {one.ref}",
            but=by,
        )
    end_delegations(by=by, act=act, delegations=delegations)
    return place


# --- People ------------------------------------------------------------------------------


@transaction.atomic
def grant_access(
    *,
    by: User | None,
    user: User,
    role: Role | str,
    artist: Artist | None = None,
    roster: Roster | None = None,
    scopes: Iterable[Scope | str] = (),
    may_answer: bool = True,
    starts_at: datetime | None = None,
    until: datetime | None = None,
) -> Membership:
    """Let `user` in, to one artist's work or to a roster's, and tell those it concerns.

    `scopes` are added to what the role allows (`portal.roles.ADDABLE`). Nobody gives more than
    they have; answering for the voice and signing licences is the artist's own to give, artist by
    artist, and of a minor's nobody's. `by=None` is the operator's own tool. Moments are UTC.

    Raises `NotFound` where the artist or roster is out of `by`'s reach, and `Refused`:
    `may_not_grant`, `scope_not_addable`, `not_a_minor`, `has_access`, `from_in_the_past`,
    `until_before_from`, `access_to`, `role_fits`, `entrusted`, `inactive`.
    """
    role = Role(role)
    extra = in_order(Scope(name) for name in scopes)
    _lock(artist=artist, roster=roster)
    acting_as = _require_may_grant(by, role, extra, artist, roster)
    if not user.is_active:
        raise Refused("inactive", _("This person may not sign in any more."), field="user")
    for scope in extra:
        if scope not in ADDABLE[role]:
            raise Refused(
                "scope_not_addable", _("This cannot be added to this role."), field="scopes"
            )
    if role is Role.GUARDIAN and artist is not None and not _is_minor(artist):
        raise Refused("not_a_minor", _("Only an artist who is a minor has a guardian."))
    now = clock.now()
    if starts_at is not None and starts_at < now:
        raise NO_BACKDATING
    _end_lapsed(Membership.objects.filter(user=user, artist=artist, roster=roster), now)
    membership = Membership(
        user=user,
        artist=artist,
        roster=roster,
        role=role,
        may_answer=may_answer,
        scopes=[scope.value for scope in extra],
        starts_at=starts_at or now,
        ends_at=until,
        granted_at=now,
        granted_by=by,
    )
    _check(membership, but={"granted_in"})
    delegations = _delegations(membership, now)
    act = open_grant(by=by, delegations=delegations, artist=artist, role=acting_as)
    membership.granted_in = act
    membership.save()
    _tell_grant(membership, by)
    grant_delegations(by=by, act=act, delegations=delegations)
    return membership


@transaction.atomic
def end_access(*, by: User | None, membership: Membership) -> Membership:
    """End a person's access. It is over with the commit of this, on every channel.

    Pages ask the rows at each request; pending exports, links and notices ask again before they
    hand anything out. Whoever may let people in may end it, and everybody may leave; an artist's
    own access, or a guardian's, is ended by nobody else but the operator. Raises `NotFound` where
    it is out of `by`'s reach, `Refused`: `may_not_end`, `access_ended`.
    """
    _lock(artist=membership.artist, roster=membership.roster)
    membership = (
        Membership.objects.select_for_update(of=("self",))
        .select_related("user", "artist__party", "roster__party")
        .get(pk=membership.pk)
    )
    acting_as = _require_may_end(by, membership)
    if membership.ended_at is not None:
        raise Refused("access_ended", _("This access has ended already."))
    now = clock.now()
    delegations = _delegations(membership, now)
    act = open_end(by=by, delegations=delegations, artist=membership.artist, role=acting_as)
    membership.ended_at, membership.ended_by, membership.ended_in = now, by, act
    membership.save(update_fields=["ended_at", "ended_by", "ended_in"])
    for artist in _artists_of(membership):
        notify_artist(
            artist=artist,
            kind=NoticeKind.ACCESS_ENDED,
            params=_params(membership, by),
            key=f"access ended {membership.ref}",
            but=by,
        )
    end_delegations(by=by, act=act, delegations=delegations)
    return membership


# --- Who may -----------------------------------------------------------------------------


def _require_operator(by: User | None) -> str:
    if by is not None and not by.is_superuser:
        raise Refused("may_not_grant", _("Only the operator can do this."))
    return "operator"


def _require_owner(by: User | None, artist: Artist) -> str:
    """The artist or her guardian (someone who owns the work), or the operator."""
    if by is None or by.is_superuser:
        return "operator"
    reach = Access.of(by).reach(artist)
    if reach is None:
        raise NotFound("no_such_artist", _("There is no such artist."))
    if Scope.MANAGE_PEOPLE not in reach.scopes or not OWNERS & set(reach.roles):
        raise Refused("may_not_grant", _("Only the artist can do this."))
    return reach.role.value


def _require_may_grant(
    by: User | None,
    role: Role,
    extra: Sequence[Scope],
    artist: Artist | None,
    roster: Roster | None,
) -> str:
    if by is None or by.is_superuser:
        return "operator"
    access = Access.of(by)
    refusal = Refused("may_not_grant", _("You cannot let somebody in for this."))
    if artist is None:
        if roster is None or not access.may_manage_roster(roster):
            raise refusal
        if role not in {Role.MANAGER, Role.ASSISTANT}:
            raise refusal
        return Role.MANAGER.value
    reach = access.reach(artist)
    if reach is None:
        raise NotFound("no_such_artist", _("There is no such artist."))
    if Scope.MANAGE_PEOPLE not in reach.scopes:
        raise refusal
    owns = bool(OWNERS & set(reach.roles))
    if role in OWNERS and role not in reach.roles:
        raise refusal  # a manager makes nobody an artist, an artist nobody a guardian
    if not owns and (ENTRUSTED_BY_THE_ARTIST | {Scope.MANAGE_PEOPLE}) & set(extra):
        raise Refused(
            "may_not_grant", _("Only the artist herself can entrust this."), field="scopes"
        )
    given = scopes_of(role, extra, is_minor=reach.is_minor)
    if role not in OWNERS and not given <= reach.scopes:
        raise refusal
    return reach.role.value


def _require_may_end(by: User | None, membership: Membership) -> str:
    if by is None or by.is_superuser:
        return "operator"
    if membership.user_id == by.pk:
        return str(membership.role)
    access = Access.of(by)
    if membership.artist is None:
        assert membership.roster is not None
        if not access.may_manage_roster(membership.roster):
            raise NotFound("no_such_access", _("There is no such access."))
        return Role.MANAGER.value
    reach = access.reach(membership.artist)
    if reach is None:
        raise NotFound("no_such_access", _("There is no such access."))
    if Scope.MANAGE_PEOPLE not in reach.scopes or membership.role in OWNERS:
        raise Refused("may_not_end", _("You cannot end this access."))
    return reach.role.value


# --- Details -----------------------------------------------------------------------------


def _check(row: Membership | Roster | RosterArtist, but: Iterable[str] = ()) -> None:
    try:
        row.full_clean(exclude=set(but))
    except ValidationError as error:
        raise refused_by(error) from error


def _lock(*, artist: Artist | None, roster: Roster | None) -> None:
    """One change of access at a time for an artist and for a roster, in a fixed order."""
    if roster is not None:
        Roster.objects.select_for_update().get(pk=roster.pk)
    if artist is not None:
        Artist.objects.select_for_update(of=("self",)).get(pk=artist.pk)


def _is_minor(artist: Artist) -> bool:
    state = PartyState.objects.filter(party=artist.pk).order_by("-pk").first()
    return state is not None and state.is_minor


def _artists_of(membership: Membership) -> list[Artist]:
    if membership.artist is not None:
        return [membership.artist]
    assert membership.roster is not None
    return [place.artist for place in _places(membership.roster)]


def _members(roster: Roster) -> list[Membership]:
    if roster.kind == RosterKind.LABEL:
        return []  # label staff act for the label, not for its artists
    return list(roster.memberships.unended().select_related("user").order_by("pk"))


def _places(roster: Roster) -> list[RosterArtist]:
    if roster.kind == RosterKind.LABEL:
        return []
    return list(roster.places.unended().select_related("artist__party").order_by("artist_id"))


def _delegations(membership: Membership, now: datetime) -> list[Delegation]:
    """What the ledger is told of an access: one line for each artist, or one for a label."""
    roster = membership.roster
    if roster is None:
        assert membership.artist is not None
        return [_delegation(membership, membership.artist.party, now)]
    if roster.kind == RosterKind.LABEL:
        assert roster.party is not None
        return [_delegation(membership, roster.party, now)]
    return [_delegation(membership, place.artist.party, now, place) for place in _places(roster)]


def _delegation(
    membership: Membership, party: Party, now: datetime, place: RosterArtist | None = None
) -> Delegation:
    # Scopes as granted. That a minor's are narrower follows from the party's own state.
    scopes = scopes_of(
        membership.role,
        membership.scopes,
        may_answer=membership.may_answer,
        is_minor=membership.role == Role.GUARDIAN,
    )
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


def _end_lapsed(rows: QuerySet[Membership] | QuerySet[RosterArtist], now: datetime) -> None:
    """Close rows whose time has run out, which the ledger knows from their grant already."""
    for row in rows.filter(Q(ended_at=None), ends_at__lte=now):
        row.ended_at, row.ended_in = row.ends_at, _act_of(row)
        row.save(update_fields=["ended_at", "ended_in"])


def _act_of(row: Membership | RosterArtist) -> Act:
    return row.granted_in if isinstance(row, Membership) else row.added_in


def _params(membership: Membership, by: User | None) -> dict[str, object]:
    return {
        "who": str(membership.user.ref),
        "by": None if by is None else str(by.ref),
        "role": str(membership.role),
        "until": None if membership.ends_at is None else membership.ends_at.isoformat(),
    }


def _tell_grant(membership: Membership, by: User | None) -> None:
    for artist in _artists_of(membership):
        notify_artist(
            artist=artist,
            kind=NoticeKind.ACCESS_GRANTED,
            params=_params(membership, by),
            key=f"access {membership.ref}",
            but=(by, membership.user),
        )
    if by is None or by.pk != membership.user_id:
        notify_person(
            user=membership.user,
            artist=membership.artist,
            kind=NoticeKind.INVITED,
            params=_params(membership, by)
            | {"roster": "" if membership.roster is None else membership.roster.name},
            key=f"invited {membership.ref}",
        )
