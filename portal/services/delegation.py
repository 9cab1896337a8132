"""Letting people in, and ending their access. Each change commits with its ledger entry."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consent import clock
from consent.errors import NotFound, Refused
from consent.models import Artist
from consent.services.delegations import end_delegations, grant_delegations, open_end, open_grant
from portal.access import Access
from portal.models import Membership, NoticeKind, Roster, User
from portal.queries.people import is_minor
from portal.roles import (
    ADDABLE,
    ENTRUSTED_BY_THE_ARTIST,
    OWNERS,
    Role,
    Scope,
    in_order,
    scopes_of,
)
from portal.services.granting import (
    NO_BACKDATING,
    artists_of,
    check,
    close_admin,
    end_lapsed,
    facts_of,
    lines_of,
    lock,
    refuse_staff_who_answer,
    require_nobody_yet,
)
from portal.services.notices import notify_artist, notify_person


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
    they have, or for longer: `until` is cut to the end of a manager's own access. Answering for
    the voice and signing licences is the artist's own to give, artist by artist, and of a minor's
    nobody's. The operator's people let in label staff, and to an artist or a management only the
    first, before there is anybody to ask; never themselves. Nobody who works in the admin is let in
    to answer. `by=None` is the operator's own tool, on its servers. Moments are UTC.

    Raises `NotFound` where the artist or roster is out of `by`'s reach, and `Refused`:
    `may_not_grant`, `scope_not_addable`, `not_a_minor`, `has_access`, `from_in_the_past`,
    `until_before_from`, `access_to`, `role_fits`, `entrusted`, `inactive`, `not_yourself`,
    `artist_has_people`, `roster_has_artists`, `staff_cannot_answer`, `answers_for_an_artist`.
    """
    role = Role(role)
    extra = in_order(Scope(name) for name in scopes)
    # She first: whether she works in the admin must stay as it is until this is written.
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    lock(artist=artist, roster=roster)
    given = scopes_of(role, extra, may_answer=may_answer, is_minor=role is Role.GUARDIAN)
    acting_as = _require_may_grant(by, user, role, extra, given, artist, roster)
    if not user.is_active:
        raise Refused("inactive", _("This person may not sign in any more."), field="user")
    refuse_staff_who_answer(user, role)
    for scope in extra:
        if scope not in ADDABLE[role]:
            raise Refused(
                "scope_not_addable", _("This cannot be added to this role."), field="scopes"
            )
    if role is Role.GUARDIAN and artist is not None and not is_minor(artist.pk):
        raise Refused("not_a_minor", _("Only an artist who is a minor has a guardian."))
    now = clock.now()
    if starts_at is not None and starts_at < now:
        raise NO_BACKDATING
    end_lapsed(Membership.objects.filter(user=user, artist=artist, roster=roster), now)
    until = _no_longer_than(by, artist, until)
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
    check(membership, but={"granted_in"})
    delegations = lines_of(membership, now)
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
    hand anything out. Whom a manager has let in goes with the manager. Whoever may let people in
    may end it, and everybody may leave; an artist's own access, or a guardian's, is ended by
    nobody else but the operator. Label staff without a label leave the admin. Raises `NotFound`
    where it is out of `by`'s reach, `Refused`: `may_not_end`, `access_ended`.
    """
    if membership.role == Role.LABEL_STAFF:  # before the roster, as who lets somebody in does
        User.objects.select_for_update(no_key=True).get(pk=membership.user_id)
    lock(artist=membership.artist, roster=membership.roster)
    membership = (
        Membership.objects.select_for_update(of=("self",))
        .select_related("user", "artist__party", "roster__party")
        .get(pk=membership.pk)
    )
    acting_as = _require_may_end(by, membership)
    if membership.ended_at is not None:
        raise Refused("access_ended", _("This access has ended already."))
    now = clock.now()
    ended = [membership, *_let_in_by(membership)]
    delegations = [line for one in ended for line in lines_of(one, now)]
    act = open_end(by=by, delegations=delegations, artist=membership.artist, role=acting_as)
    for one in ended:
        one.ended_at, one.ended_by, one.ended_in = now, by, act
        one.save(update_fields=["ended_at", "ended_by", "ended_in"])
    for one in ended:
        for artist in artists_of(one):
            notify_artist(
                artist=artist,
                kind=NoticeKind.ACCESS_ENDED,
                params=facts_of(one, by),
                key=f"access ended {one.ref}",
                but=by,
            )
    if membership.role == Role.LABEL_STAFF:
        close_admin(user=membership.user_id)
    end_delegations(by=by, act=act, delegations=delegations)
    return membership


def _let_in_by(membership: Membership) -> list[Membership]:
    """Whom a manager has let in to this artist, and whom those have, and so on."""
    if membership.artist is None or membership.role in OWNERS:
        return []
    rows = list(
        Membership.objects.unended()
        .filter(artist=membership.artist)
        .exclude(role__in=OWNERS)
        .select_related("user", "artist__party", "roster")
        .order_by("pk")
    )
    found: list[Membership] = []
    gone = {membership.user_id}
    for row in rows:  # in the order in which they were let in
        if row.pk != membership.pk and row.granted_by_id in gone:
            found.append(row)
            gone.add(row.user_id)
    return found


def _no_longer_than(
    by: User | None, artist: Artist | None, until: datetime | None
) -> datetime | None:
    """Cut `until` to the end of the access by which `by` lets people in to this artist."""
    if by is None or by.is_superuser or artist is None:
        return until
    own = [
        one
        for one in Membership.objects.live().filter(user=by, artist=artist)
        if one.role in OWNERS or Scope.MANAGE_PEOPLE in one.scopes
    ]
    if not own or any(one.ends_at is None for one in own):
        return until
    last = max(one.ends_at for one in own if one.ends_at is not None)
    return last if until is None else min(until, last)


def _require_may_grant(
    by: User | None,
    user: User,
    role: Role,
    extra: Sequence[Scope],
    given: frozenset[Scope],
    artist: Artist | None,
    roster: Roster | None,
) -> str:
    if by is None:
        return "operator"
    if by.is_superuser:
        if by.pk == user.pk:
            raise Refused("not_yourself", _("You cannot let yourself in."), field="user")
        require_nobody_yet(artist, roster)
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
    if not given <= reach.scopes:
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


def _tell_grant(membership: Membership, by: User | None) -> None:
    for artist in artists_of(membership):
        notify_artist(
            artist=artist,
            kind=NoticeKind.ACCESS_GRANTED,
            params=facts_of(membership, by),
            key=f"access {membership.ref}",
            but=(by, membership.user),
        )
    if by is None or by.pk != membership.user_id:
        notify_person(
            user=membership.user,
            artist=membership.artist,
            kind=NoticeKind.INVITED,
            params=facts_of(membership, by)
            | {"roster": "" if membership.roster is None else membership.roster.name},
            key=f"invited {membership.ref}",
        )
