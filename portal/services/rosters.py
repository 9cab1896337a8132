"""Rosters, and the artists on them. Each change commits with its ledger entries."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consent import clock
from consent.errors import Refused
from consent.models import Artist, Party
from consent.services.delegations import end_delegations, grant_delegations, open_end, open_grant
from portal.access import Access
from portal.models import NoticeKind, Roster, RosterArtist, RosterKind, User
from portal.services.granting import (
    NO_BACKDATING,
    check,
    end_lapsed,
    facts_of,
    line_of,
    lock,
    members_of,
    require_operator,
    require_owner,
)
from portal.services.notices import notify_artist


@transaction.atomic
def create_roster(
    *, by: User | None, kind: RosterKind | str, name: str, party: Party | None = None
) -> Roster:
    """Open a roster: of a label (`party` is its company), of a management, or of an independent.

    For the operator; whoever opens a management's roster lets its first people in with
    `grant_access`. Raises `Refused`: `label_company`, `label_roster`.
    """
    require_operator(by)
    roster = Roster(kind=str(kind), name=name.strip(), party=party, created_at=clock.now())
    check(roster)
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
    lock(artist=artist, roster=roster)
    role = require_owner(by, artist) if roster.kind != RosterKind.LABEL else require_operator(by)
    now = clock.now()
    if starts_at is not None and starts_at < now:
        raise NO_BACKDATING
    end_lapsed(RosterArtist.objects.filter(roster=roster, artist=artist), now)
    place = RosterArtist(
        roster=roster,
        artist=artist,
        starts_at=starts_at or now,
        ends_at=until,
        added_by=by,
    )
    check(place, but={"added_in"})
    members = members_of(roster)
    delegations = [line_of(one, artist.party, now, place) for one in members]
    place.added_in = open_grant(by=by, delegations=delegations, artist=artist, role=role)
    place.save()
    for one in members:
        notify_artist(
            artist=artist,
            kind=NoticeKind.ACCESS_GRANTED,
            params=facts_of(one, by),
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
    lock(artist=place.artist, roster=place.roster)
    place = RosterArtist.objects.select_for_update(of=("self",)).get(pk=place.pk)
    artist, roster = place.artist, place.roster
    access = Access.of(by) if by is not None else None
    if access is not None and not access.may_manage_roster(roster):
        require_owner(by, artist)
    if place.ended_at is not None:
        raise Refused("access_ended", _("This access has ended already."))
    now = clock.now()
    members = members_of(roster)
    delegations = [line_of(one, artist.party, now, place) for one in members]
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
            params=facts_of(one, by),
            key=f"access ended {place.ref} {one.ref}",
            but=by,
        )
    end_delegations(by=by, act=act, delegations=delegations)
    return place
