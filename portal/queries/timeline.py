"""Everything that was done about an artist's work, by whom, newest first.

Acts of hers and of those who act for her; questions of AI companies; licences that reach her work.
What AI did is its own page (`consent.queries.usage`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.core import signing
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Concat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from consent.models import Act, LicenceVersion, Permission, PermissionRequest
from consent.queries.licences import licences_touching
from consent.queries.staff_reasons import is_by_staff, reasons_given
from consent.scopes import scope_of
from consent.words import Right, Stance, UseKind, Way
from portal.models import Membership, RosterArtist, RosterKind, User
from portal.models.roster import LedgerNow
from portal.queries.rows import Link, Reader
from portal.queries.saying import about_text, terms_of
from portal.roles import Role
from portal.templatetags.figures import count
from portal.templatetags.wording import isolated

PAGE: Final = 40

WHAT: Final = (
    ("answers", gettext_lazy("Answers")),
    ("access", gettext_lazy("Access")),
    ("licences", gettext_lazy("Licences")),
    ("questions", gettext_lazy("Questions of AI companies")),
)
"""What a timeline can be narrowed to."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened, as `components/moment.html` takes it. `at` is UTC."""

    at: datetime
    title: str
    by: str = ""
    sentence: str = ""
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class MomentPage:
    """A page; `after` leads to the next, empty on the last one."""

    moments: tuple[Moment, ...]
    after: str


type Row = Act | PermissionRequest | LicenceVersion


@dataclass(frozen=True, slots=True)
class _Source:
    """One table of what happened. `name` orders what happened at the same moment."""

    name: str
    rows: QuerySet[Any]
    moment: str

    def before(self, place: "_Place | None", limit: int) -> "list[tuple[_Place, Row]]":
        """The latest rows that lie before `place`, newest first; one query."""
        rows = self.rows
        if place is not None:
            earlier = Q(**{f"{self.moment}__lt": place.at})
            if self.name < place.name:
                earlier = Q(**{f"{self.moment}__lte": place.at})
            elif self.name == place.name:
                earlier |= Q(**{self.moment: place.at, "pk__lt": place.key})
            rows = rows.filter(earlier)
        found = rows.order_by(f"-{self.moment}", "-pk")[:limit]
        return [(_Place(getattr(row, self.moment), self.name, str(row.pk)), row) for row in found]


@dataclass(frozen=True, slots=True)
class _Place:
    at: datetime
    name: str
    key: str

    @property
    def order(self) -> tuple[datetime, str, str]:
        """Numbers and UUIDs alike, as the database orders them."""
        return self.at, self.name, self.key.zfill(36)


def timeline_of(reader: Reader, *, what: str = "", after: str = "", size: int = PAGE) -> MomentPage:
    """A page of what happened. `what` narrows to one of `WHAT`.

    Six queries, however much there is. An `after` that is not ours leads to the
    first page.
    """
    place = _read(after)
    merged = sorted(
        (pair for source in _sources(reader, what) for pair in source.before(place, size + 1)),
        key=lambda pair: pair[0].order,
        reverse=True,
    )
    shown = merged[:size]
    words = _Words(reader, [row for _place, row in shown])
    more = len(merged) > size
    return MomentPage(
        tuple(words.moment(row) for _place, row in shown),
        _write(shown[-1][0]) if more else "",
    )


def _sources(reader: Reader, what: str) -> list[_Source]:
    artist = reader.artist
    found = []
    acts = Act.objects.filter(artist=artist).exclude(kind="offer_standard_licence")
    if what == "answers":
        acts = acts.filter(Q(kind__startswith="permission.") | Q(kind="request.answered"))
    elif what == "access":
        acts = acts.filter(kind__startswith="delegation.")
    if what in {"", "answers", "access"}:
        acts = acts.select_related("by", "undoes", "undone_by").annotate(roster=_roster())
        found.append(_Source("act", acts, "created_at"))
    if what in {"", "access"}:
        found.append(_Source("act", _acts_on_rosters(reader).select_related("by"), "created_at"))
    if what in {"", "licences"}:
        versions = LicenceVersion.objects.filter(
            Q(licence__in=licences_touching(artist, at=LedgerNow()).order_by().values("licence"))
            | Q(licence__holder=artist.pk)
        ).select_related("licence__holder", "licence__company__party")
        found.append(_Source("licence", versions, "signed_at"))
    if what in {"", "questions"}:
        asked = PermissionRequest.objects.filter(artist=artist).select_related(
            "tool__company__party", "recording"
        )
        found.append(_Source("question", asked, "created_at"))
    return found


def _acts_on_rosters(reader: Reader) -> QuerySet[Act]:
    """Who came to, or left, a management that this artist was with at the time."""
    place = RosterArtist.objects.filter(artist=reader.artist, roster=OuterRef("roster")).exclude(
        roster__kind=RosterKind.LABEL
    )
    came = Membership.objects.filter(
        Exists(place.filter(starts_at__lte=OuterRef("granted_at")).exclude(_over("granted_at")))
    )
    left = Membership.objects.filter(
        Exists(place.filter(starts_at__lte=OuterRef("ended_at")).exclude(_over("ended_at")))
    )
    return Act.objects.filter(
        Q(pk__in=came.values("granted_in")) | Q(pk__in=left.values("ended_in")),
        artist=None,
        entries__gt=0,  # without entries it reached no artist yet
    )


def _roster() -> Subquery:
    """The kind and the name of the roster that the artist came to, or left, by an act."""
    places = RosterArtist.objects.filter(Q(added_in=OuterRef("pk")) | Q(ended_in=OuterRef("pk")))
    return Subquery(
        places.annotate(it=Concat("roster__kind", Value(" "), "roster__name")).values("it")[:1]
    )


def _over(moment: str) -> Q:
    at = OuterRef(moment)
    return Q(ended_at__isnull=False, ended_at__lt=at) | Q(ends_at__isnull=False, ends_at__lt=at)


class _Words:
    """Makes moments of rows. What their sentences need is brought for all of them at once."""

    def __init__(self, reader: Reader, rows: Sequence[Row]) -> None:
        self._reader = reader
        acts = [row for row in rows if isinstance(row, Act)]
        self._answers = _answers([act for act in acts if act.entries == 1])
        self._people = _people(acts)
        self._reasons = reasons_given([a.ref for a in acts if is_by_staff(a.kind)])

    def moment(self, row: Row) -> Moment:
        if isinstance(row, LicenceVersion):
            return self._licence(row)
        if isinstance(row, PermissionRequest):
            return self._question(row)
        return self._act(row)

    # --- Acts ----------------------------------------------------------------------------

    def _act(self, act: Act) -> Moment:
        title, sentence = _TELLS.get(act.kind, _Words._other)(self, act)
        links = []
        if act.kind.startswith("permission.") or act.kind == "request.answered":
            undoable = not hasattr(act, "undone_by") and act.kind != "permission.revoked"
            label = _("Look at it, or undo it") if undoable else _("Look at it")
            links.append(Link(label, self._reader.url("act", ref=str(act.ref))))
        elif act.kind in {"make_claims", "end_claim"}:
            links.append(Link(_("Your rights"), self._reader.url("own_rights")))
        elif act.kind.startswith("delegation."):
            links.append(Link(_("People with access"), self._reader.url("people")))
        if hasattr(act, "undone_by"):
            sentence = " ".join(filter(None, (sentence, _("This was undone later."))))
        return Moment(act.created_at, title, _who(act), sentence, tuple(links))

    def _answered(self, act: Act) -> tuple[str, str]:
        stance, use = act.summary.get("stance"), act.summary.get("use")
        one = self._answers.get(str(act.ref))
        if use not in UseKind.values or stance not in Stance.values:
            return self._other(act)
        title = _("%(use)s: “%(answer)s”") % {
            "use": UseKind(use).label,
            "answer": Stance(stance).label,
        }
        if one is not None:
            what = about_text(scope_of(one)) + terms_of(one)
            sentence = _("For %(what)s.") % {"what": what}
            if one.way == Way.WITHDRAWN and one.valid_from is not None:
                sentence += " " + _("A yes is taken back on that day.")
            elif one.way == Way.WITHDRAWN:
                sentence += " " + _("A yes was taken back.")
            return title, sentence
        recordings = ngettext("For %(n)s recording.", "For %(n)s recordings.", act.entries)
        return title, recordings % {"n": count(act.entries)}

    def _cleared(self, act: Act) -> tuple[str, str]:
        title, sentence = self._answered(
            Act(ref=act.ref, entries=act.entries, summary={"stance": "undecided", **act.summary})
        )
        use = act.summary.get("use")
        if use in UseKind.values:
            title = _("%(use)s: a narrower answer was taken back") % {"use": UseKind(use).label}
        return title, sentence

    def _undone(self, act: Act) -> tuple[str, str]:
        of = act.undoes
        when = _("It was undone what was decided before.")
        if of is None:
            return _("Undone"), when
        title, sentence = self._answered(
            Act(ref=act.ref, entries=of.entries, summary=of.summary, kind=of.kind)
        )
        return _("Undone: %(what)s") % {"what": title}, sentence

    def _revoked(self, act: Act) -> tuple[str, str]:
        use = act.summary.get("use")
        word = UseKind(use).label if use in UseKind.values else ""
        title = _("%(use)s: an answer was revoked by staff") % {"use": word}
        return title, _("The reason: %(reason)s") % {"reason": self._reasons.get(act.ref, "")}

    def _granted(self, act: Act) -> tuple[str, str]:
        kind, roster = _named_roster(act)
        if not roster:
            return _("Access was given to %(who)s") % {"who": self._named(act)}, _roles(act)
        if kind == RosterKind.LABEL:
            return _("%(label)s took you on its list of artists") % {"label": roster}, ""
        title = _("%(roster)s was let in") % {"roster": roster}
        return title, self._who_are_in(act, _("Its people act for you: %(who)s."))

    def _ended(self, act: Act) -> tuple[str, str]:
        kind, roster = _named_roster(act)
        if not roster:
            return _("The access of %(who)s ended") % {"who": self._named(act)}, _roles(act)
        if kind == RosterKind.LABEL:
            return _("%(label)s took you off its list of artists") % {"label": roster}, ""
        title = _("The access of %(roster)s ended") % {"roster": roster}
        return title, self._who_are_in(act, _("With it that of %(who)s."))

    def _who_are_in(self, act: Act, sentence: str) -> str:
        return sentence % {"who": self._named(act)} if act.summary.get("to") else ""

    def _registered(self, act: Act) -> tuple[str, str]:
        number = act.summary.get("recordings", 0)
        title = ngettext(
            "%(n)s recording came into the catalogue",
            "%(n)s recordings came into the catalogue",
            number,
        )
        return title % {"n": count(number)}, ""

    def _declared(self, act: Act) -> tuple[str, str]:
        number = act.summary.get("claims", 0)
        title = ngettext("%(n)s right was declared", "%(n)s rights were declared", number)
        if act.kind == "end_claim":
            title = ngettext(
                "%(n)s declaration of a right was taken back",
                "%(n)s declarations of rights were taken back",
                number,
            )
        rights = [Right(one).label for one in act.summary.get("rights", ()) if one in Right.values]
        return title % {"n": count(number)}, ", ".join(str(one) for one in rights)

    def _other(self, act: Act) -> tuple[str, str]:
        entries = ngettext(
            "%(n)s entry in the ledger.", "%(n)s entries in the ledger.", act.entries
        )
        return _("A change was recorded"), entries % {"n": count(act.entries)}

    def _named(self, act: Act) -> str:
        refs = act.summary.get("to", [])
        names = sorted(self._people.get(ref, _("Somebody")) for ref in refs)
        return ", ".join(names) or _("nobody")

    # --- Licences and questions ----------------------------------------------------------

    def _licence(self, version: LicenceVersion) -> Moment:
        licence = version.licence
        facts = {"holder": licence.holder.name, "company": licence.company.party.name}
        uses = ", ".join(str(UseKind(use).label) for use in version.uses)
        if version.ended:
            title = _("%(holder)s ended a licence with %(company)s") % facts
        elif version.number > 1:
            title = _("%(holder)s signed a new version of a licence with %(company)s") % facts
        else:
            title = _("%(holder)s signed a licence with %(company)s") % facts
        if version.ended:
            sentence = uses
        elif version.artist_approval:
            sentence = _("%(uses)s. Nothing is allowed by it without your yes.") % {"uses": uses}
        else:
            sentence = _(
                "%(uses)s. It does without your answer where it can, and names this clause: "
                "“%(clause)s”"
            ) % {"uses": uses, "clause": version.override_clause}
        links = []
        if licence.holder_id == self._reader.artist.pk:
            links.append(Link(_("The standard licence"), self._reader.url("standard_licence")))
        return Moment(
            version.signed_at,
            title,
            _("%(title)s, version %(n)s") % {"title": licence.title, "n": version.number},
            sentence,
            tuple(links),
        )

    def _question(self, asked: PermissionRequest) -> Moment:
        what = asked.recording.title if asked.recording is not None else ""
        about = _("“%(title)s”") % {"title": isolated(what)} if what else _("all your work")
        return Moment(
            asked.created_at,
            _("%(company)s asks: %(use)s")
            % {"company": asked.tool.company.party.name, "use": UseKind(asked.use).label},
            asked.tool.name,
            _("For %(what)s. It is: %(state)s.")
            % {"what": about, "state": asked.get_state_display()},
            (Link(_("Questions"), self._reader.url("requests")),),
        )


_TELLS: Final[Mapping[str, Callable[[_Words, Act], tuple[str, str]]]] = {
    "permission.answered": _Words._answered,
    "permission.answered_many": _Words._answered,
    "request.answered": _Words._answered,
    "permission.cleared": _Words._cleared,
    "permission.undone": _Words._undone,
    "permission.revoked": _Words._revoked,
    "permission.invalidated": _Words._revoked,
    "delegation.granted": _Words._granted,
    "delegation.ended": _Words._ended,
    "register_recordings": _Words._registered,
    "make_claims": _Words._declared,
    "end_claim": _Words._declared,
}


def _who(act: Act) -> str:
    name = act.by.get_full_name() if act.by is not None else _("Liner Notes")
    if act.role in Role.values and act.role != Role.ARTIST:
        return _("%(name)s, as %(role)s") % {"name": name, "role": Role(act.role).label}
    return name


def _named_roster(act: Act) -> tuple[str, str]:
    """What `_roster` brought; empty for every other act."""
    kind, _space, name = str(act.__dict__.get("roster") or "").partition(" ")
    return kind, name


def _roles(act: Act) -> str:
    roles = [str(Role(one).label) for one in act.summary.get("roles", []) if one in Role.values]
    return _("As %(role)s.") % {"role": ", ".join(roles)} if roles else ""


def _answers(acts: Sequence[Act]) -> dict[str, Permission]:
    """The one answer of each of these acts, by the act's ref; one query."""
    rows = Permission.objects.filter(act__in=acts).select_related(
        "recording", "tool__company__party", "company__party"
    )
    return {str(row.act_id): row for row in rows}


def _people(acts: Iterable[Act]) -> dict[str, str]:
    """The names of those whom access was given to, by `User.ref`; one query."""
    refs = {ref for act in acts for ref in act.summary.get("to", [])}
    return {str(one.ref): one.get_full_name() for one in User.objects.filter(ref__in=refs)}


def _write(place: _Place) -> str:
    parts = [place.at.isoformat(), place.name, place.key]
    return signing.dumps(parts, salt="timeline", compress=True)


def _read(after: str) -> _Place | None:
    if not after:
        return None
    try:
        at, name, key = signing.loads(after, salt="timeline")
        return _Place(datetime.fromisoformat(at), name, key)
    except (signing.BadSignature, ValueError, TypeError):
        return None
