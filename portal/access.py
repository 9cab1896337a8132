"""What may this person reach? One object answers, for pages, admin, notices and exports alike.

Out of reach is 404, so that nobody learns what exists; reachable but not allowed is 403.
Views and admin classes never filter by hand: they take the artists, recordings and labels from
here. What is read here is read from the rows that grant access, at every request, so that an
access which ended is over with the next query, whatever session, link or task is still around.
"""

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self, cast

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from consent.models import (
    Artist,
    ArtistRecording,
    LedgerAlarm,
    Party,
    PartyState,
    Recording,
    RequestState,
    RightsClaim,
)
from consent.words import Authority, Right
from portal.models import Membership, Roster, RosterArtist, RosterKind, User
from portal.roles import NEVER_OF_STAFF, Role, Scope, scopes_of

if TYPE_CHECKING:
    from portal.context import FrameFacts

ACTING_FOR = "acting_for"
"""Session key: the pseudonym (`Party.ref`) of the artist whom this session looks at."""

SWITCHER_SHOWS = 40


@dataclass(frozen=True, slots=True)
class Reach:
    """One artist within reach, what may be done for her, and as what.

    `roles` are in the order of `Role`, so the first is what a page calls the reader. `rosters`
    names the managements through which she is reached; empty where she let the reader in herself.
    """

    artist: Artist
    scopes: frozenset[Scope]
    roles: tuple[Role, ...]
    rosters: tuple[str, ...] = ()
    is_minor: bool = False

    @property
    def role(self) -> Role:
        return self.roles[0]

    @property
    def is_own(self) -> bool:
        """Whether the reader is this artist, or one of the people who are."""
        return Role.ARTIST in self.roles


class Access:
    """What one person may reach at one moment; made by `Access.of`."""

    def __init__(
        self,
        *,
        user: User | None,
        at: datetime | None,
        reaches: Iterable[Reach] = (),
        label_ids: Iterable[int] = (),
        roster_ids: Iterable[int] = (),
        chosen: str = "",
    ) -> None:
        self.user = user
        self.at = at
        self._reaches = {one.artist.pk: one for one in reaches}
        self._labels = tuple(label_ids)
        self._managed_rosters = frozenset(roster_ids)
        self._chosen = chosen

    @classmethod
    def of(
        cls,
        user: User | AnonymousUser | None,
        at: datetime | None = None,
        *,
        chosen: str = "",
    ) -> Self:
        """What `user` may reach at `at` (UTC; None: now). At most two queries.

        Nobody, and somebody who may not sign in any more, reaches nothing. Whoever works in the
        admin answers for nobody, whatever access says (`portal.roles.NEVER_OF_STAFF`). `chosen` is
        the artist whom the session has picked (`ACTING_FOR`). Within a request use `access_of`,
        which asks once.
        """
        if user is None or not user.is_authenticated or not user.is_active:
            return cls(user=None, at=at)
        memberships = list(
            Membership.objects.live(at)
            .filter(user=user)
            .select_related("user", "roster", "artist__party")
            .annotate(minor=_is_minor("artist_id"))
        )
        grants = _Grants()
        through: dict[int, list[Membership]] = {}
        labels: set[int] = set()
        managed: set[int] = set()
        for one in memberships:
            if one.artist is not None:
                grants.add(one.artist, one, is_minor=_annotated(one))
            elif one.roster is not None and one.role == Role.LABEL_STAFF:
                if one.roster.kind == RosterKind.LABEL and one.roster.party_id:
                    labels.add(one.roster.party_id)
            elif one.roster is not None and one.roster.kind != RosterKind.LABEL:
                through.setdefault(one.roster.pk, []).append(one)
                staff = one.user.works_in_admin
                if Scope.MANAGE_PEOPLE in scopes_of(one.role, one.scopes, is_staff=staff):
                    managed.add(one.roster.pk)
        if through:
            places = (
                RosterArtist.objects.live(at)
                .filter(roster__in=through)
                .select_related("artist__party")
                .annotate(minor=_is_minor("artist_id"))
            )
            for place in places:
                for one in through[place.roster_id]:
                    grants.add(place.artist, one, is_minor=_annotated(place))
        return cls(
            user=user,
            at=at,
            reaches=grants.reaches(),
            label_ids=sorted(labels),
            roster_ids=managed,
            chosen=chosen,
        )

    # --- Artists -------------------------------------------------------------------------

    @property
    def artists(self) -> list[Reach]:
        """The artists within reach: one's own first, then by name."""
        return sorted(
            self._reaches.values(), key=lambda one: (not one.is_own, one.artist.party.name)
        )

    @property
    def artist_ids(self) -> frozenset[int]:
        """Keys of the artists within reach."""
        return frozenset(self._reaches)

    def reach(self, artist: Artist | int) -> Reach | None:
        """What may be done for this artist (or her key), or None when she is out of reach."""
        return self._reaches.get(artist if isinstance(artist, int) else artist.pk)

    def may(self, artist: Artist | int, scope: Scope) -> bool:
        """Whether `scope` is allowed for this artist (or her key)."""
        reach = self.reach(artist)
        return reach is not None and scope in reach.scopes

    def role_for(self, artist: Artist | int) -> str:
        """As what one acts for this artist, for `Act.role`; empty when she is out of reach."""
        reach = self.reach(artist)
        return "" if reach is None else reach.role.value

    def require(self, which: Artist | uuid.UUID | str | int, scope: Scope) -> Artist:
        """The artist, if `scope` is allowed for her. No query.

        `which` is an artist, a slug, a pseudonym (`Party.ref`, also as text) or a key. Raises
        `Http404` where she is out of reach or unknown, which look the same, and
        `PermissionDenied` where she is within reach and this is not allowed.
        """
        reach = self._find(which)
        if reach is None:
            raise Http404
        if scope not in reach.scopes:
            if scope in NEVER_OF_STAFF and self.user is not None and self.user.works_in_admin:
                raise PermissionDenied(
                    _("This account works in the admin, so it answers for no artist.")
                )
            raise PermissionDenied(_("You can see this artist's work, but not do this."))
        return reach.artist

    def with_scope(self, scope: Scope) -> frozenset[int]:
        """Keys of the artists for whom `scope` is allowed."""
        return frozenset(key for key, one in self._reaches.items() if scope in one.scopes)

    def _find(self, which: Artist | uuid.UUID | str | int) -> Reach | None:
        if isinstance(which, Artist):
            return self._reaches.get(which.pk)
        if isinstance(which, int):
            return self._reaches.get(which)
        text = str(which)
        return next(
            (
                one
                for one in self._reaches.values()
                if one.artist.slug == text or str(one.artist.party.ref) == text
            ),
            None,
        )

    def recordings(self, scope: Scope = Scope.SEE) -> QuerySet[Recording]:
        """Recordings on which an artist within reach is named, where `scope` is allowed."""
        billed = ArtistRecording.objects.filter(
            recording=OuterRef("pk"), artist__in=self.with_scope(scope)
        )
        return Recording.objects.filter(Exists(billed))

    # --- Whom one looks at ---------------------------------------------------------------

    @property
    def current(self) -> Reach | None:
        """The artist whom the pages show: the chosen one, if still within reach, else the first."""
        chosen = self._find(self._chosen) if self._chosen else None
        if chosen is not None:
            return chosen
        return next(iter(self.artists), None)

    def require_current(self, scope: Scope = Scope.SEE) -> Artist:
        """The artist whom the pages show, if `scope` is allowed for her.

        Raises `Http404` when there is none, `PermissionDenied` when this is not allowed.
        """
        if self.current is None:
            raise Http404
        return self.require(self.current.artist, scope)

    @property
    def acting(self) -> str:
        """The sentence of the banner: for whom, and as what. Empty in one's own work."""
        current = self.current
        if current is None or current.is_own:
            return ""
        artist = {"artist": current.artist.party.name}
        if current.role is Role.GUARDIAN:
            return _("You are acting for %(artist)s as guardian.") % artist
        if Scope.WITHDRAW in current.scopes:
            return (
                _("You are acting for %(artist)s as manager. %(artist)s sees everything you do.")
                % artist
            )
        return _(
            "You are looking at the work of %(artist)s. You can see it and change nothing."
        ) % (artist)

    # --- Labels --------------------------------------------------------------------------

    @property
    def is_operator(self) -> bool:
        """Whether this is the operator's own staff, for whom the admin is not narrowed."""
        return self.user is not None and self.user.is_superuser

    @property
    def label_ids(self) -> tuple[int, ...]:
        """Keys of the parties (companies) for which this person is label staff."""
        return self._labels

    def labels(self) -> QuerySet[Party]:
        """The companies for which one works in the admin; for the operator every label."""
        if self.is_operator:
            return Party.objects.filter(
                Exists(Roster.objects.filter(party=OuterRef("pk"), kind=RosterKind.LABEL))
            )
        return Party.objects.filter(pk__in=self._labels)

    def may_label(self, party: Party | int) -> bool:
        """Whether one works for this company (or its key); the operator does for every one."""
        key = party if isinstance(party, int) else party.pk
        return self.is_operator or key in self._labels

    def recordings_of_label(self) -> QuerySet[Recording]:
        """Recordings to whose master a label of one's own has a claim that has not ended.

        The import gives that claim to whoever sends a recording, so a label sees what it sent
        until it gives its claim up. The operator sees every recording.
        """
        if self.is_operator:
            return Recording.objects.all()
        return Recording.objects.filter(
            Exists(
                standing_master_claims().filter(recording=OuterRef("pk"), party__in=self._labels)
            )
        )

    def artists_of_label(self) -> QuerySet[Artist]:
        """The label's own artists: on its roster, or main artist of a recording that it holds.

        The operator sees every artist.
        """
        if self.is_operator:
            return Artist.objects.all()
        return Artist.objects.filter(artists_of(self._labels, self.at))

    # --- Rosters -------------------------------------------------------------------------

    def may_manage_roster(self, roster: Roster) -> bool:
        """Whether one may let people into this roster and end their access to it."""
        return self.is_operator or roster.pk in self._managed_rosters


class _Grants:
    """Adds up what several memberships allow for the same artist."""

    def __init__(self) -> None:
        self._artists: dict[int, Artist] = {}
        self._scopes: dict[int, set[Scope]] = {}
        self._roles: dict[int, set[Role]] = {}
        self._rosters: dict[int, set[str]] = {}
        self._minors: set[int] = set()

    def add(self, artist: Artist, membership: Membership, *, is_minor: bool) -> None:
        key = artist.pk
        scopes = membership.scopes_for(is_minor=is_minor)
        if not scopes:
            return
        self._artists[key] = artist
        self._scopes.setdefault(key, set()).update(scopes)
        self._roles.setdefault(key, set()).add(Role(membership.role))
        names = self._rosters.setdefault(key, set())
        if membership.roster is not None:
            names.add(membership.roster.name)
        if is_minor:
            self._minors.add(key)

    def reaches(self) -> list[Reach]:
        return [
            Reach(
                artist=artist,
                scopes=frozenset(self._scopes[key]),
                roles=tuple(role for role in Role if role in self._roles[key]),
                rosters=tuple(sorted(self._rosters[key])),
                is_minor=key in self._minors,
            )
            for key, artist in self._artists.items()
        ]


def _is_minor(artist: str) -> Subquery:
    latest = PartyState.objects.filter(party=OuterRef(artist)).order_by("-pk")
    return Subquery(latest.values("is_minor")[:1])


def _annotated(row: Membership | RosterArtist) -> bool:
    return bool(row.__dict__["minor"])


def standing_master_claims() -> QuerySet[RightsClaim]:
    """Claims to masters, as they stand: the latest row of each, where it has not ended.

    Without those of nothing: whoever says that none of it is its own has no reach by that.
    """
    newer = RightsClaim.objects.filter(claim=OuterRef("claim"), pk__gt=OuterRef("pk"))
    return RightsClaim.objects.filter(
        ~Exists(newer), right=Right.MASTER, share_bp__gt=0, ended=False
    )


def _held_by_herself() -> QuerySet[RightsClaim]:
    """Of a billing: the artist's own claim to a part of the recording, in her own name.

    Who holds the rest of a duet with her has not become her label by that.
    """
    return standing_master_claims().filter(
        recording=OuterRef("recording"), party=OuterRef("artist"), authority=Authority.OWN
    )


def artists_of(parties: Sequence[int], at: datetime | None = None) -> Q:
    """The condition on `Artist` that says: an artist of one of these labels (keys of parties)."""
    on_roster = RosterArtist.objects.live(at).filter(
        artist=OuterRef("pk"), roster__kind=RosterKind.LABEL, roster__party__in=parties
    )
    claims = standing_master_claims().filter(party__in=parties)
    billed = ArtistRecording.objects.filter(
        ~Exists(_held_by_herself()),
        Exists(claims.filter(recording=OuterRef("recording"))),
        artist=OuterRef("pk"),
        featured=False,
    )
    return (
        Q(Exists(on_roster))
        | Q(Exists(billed))
        | Q(Exists(claims.filter(repertoire=OuterRef("pk"))))
    )


def master_claims_on(artist_id: int) -> QuerySet[RightsClaim]:
    """The standing claims by which parties have this artist as one of their own."""
    billed = ArtistRecording.objects.filter(
        ~Exists(_held_by_herself()),
        recording=OuterRef("recording"),
        artist=artist_id,
        featured=False,
    )
    return standing_master_claims().filter(Q(Exists(billed)) | Q(repertoire=artist_id))


def people_within(artist_id: int, at: datetime | None = None) -> QuerySet[Membership]:
    """The memberships through which people reach this artist at `at` (UTC; None: now).

    The same rule as `Access.of`, read from the artist's side: for lists of who has access and for
    telling everybody. Label staff are not among them: they work in the admin.
    """
    rosters = (
        RosterArtist.objects.live(at)
        .filter(artist=artist_id)
        .exclude(roster__kind=RosterKind.LABEL)
        .values("roster")
    )
    return (
        Membership.objects.live(at)
        .filter(Q(artist=artist_id) | Q(roster__in=rosters))
        .exclude(role=Role.LABEL_STAFF)
    )


# --- Within a request ----------------------------------------------------------------------


def access_of(request: HttpRequest) -> Access:
    """The access of whoever makes this request; asked once per request."""
    held = request.__dict__.get("_access")
    if held is None:
        held = Access.of(request.user, chosen=_chosen(request))
        request.__dict__["_access"] = held
    return cast(Access, held)


def _chosen(request: HttpRequest) -> str:
    """Whom this request is about: the artist in its address, else the one of the session."""
    match = request.resolver_match
    named = match.kwargs.get("slug", "") if match is not None else ""
    return str(named or getattr(request, "session", {}).get(ACTING_FOR, ""))


def forget_access(request: HttpRequest) -> None:
    """Ask again within this request: after something in it changed who may reach what."""
    request.__dict__.pop("_access", None)


def middleware(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Give each request `request.access`, and the frame its facts; both ask when first read."""

    def with_access(request: HttpRequest) -> HttpResponseBase:
        lazy: Any = request
        lazy.access = SimpleLazyObject(lambda: access_of(request))
        lazy.frame_facts = SimpleLazyObject(lambda: frame_facts(request))
        return get_response(request)

    return with_access


def frame_facts(request: HttpRequest) -> "FrameFacts":
    """Whom the reader may look at, for whom she acts, and what waits: for `portal.context`.

    The banner speaks of the artist whom the page's address names (`slug`), not of the one whom
    another window has chosen meanwhile.

    One query beside those of the access object; none for somebody who reaches no artist.
    """
    from portal.context import ArtistChoice, FrameFacts

    access = access_of(request)
    current = access.current
    if current is None:
        return FrameFacts()
    open_questions = Q(requests__state=RequestState.OPEN)
    rows = list(
        Artist.objects.filter(pk__in=access.artist_ids)
        .annotate(
            n=Count("requests", filter=open_questions),
            frozen=Exists(LedgerAlarm.objects.filter(cleared_at=None)),
        )
        .values_list("pk", "n", "frozen")
    )
    waiting = {pk: n for pk, n, _frozen in rows}
    shown = access.artists
    if len(shown) > SWITCHER_SHOWS:
        # A switcher is for the few that are needed now; the page of all artists has the rest.
        shown = [one for one in shown if one is current or waiting.get(one.artist.pk)]
        shown += [one for one in access.artists if one not in shown]
        shown = shown[:SWITCHER_SHOWS]
    return FrameFacts(
        artists=[
            ArtistChoice(
                ref=str(one.artist.party.ref),
                name=one.artist.party.name,
                language=one.artist.party.language,
                note=", ".join(one.rosters) if not one.is_own else _("your own work"),
                waiting=waiting.get(one.artist.pk, 0),
                current=one is current,
            )
            for one in shown
        ],
        acting=access.acting,
        waiting=waiting.get(current.artist.pk, 0),
        frozen=any(frozen for _pk, _n, frozen in rows),
    )
