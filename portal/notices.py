"""What people are told, in words: each reader's own language, at the moment of reading.

A notice keeps facts. `render` makes the sentence, for the page and for the e-mail alike. The facts
(`Notice.params`) that each kind needs stand in `TEXTS`, as the names in its sentences:

* `who`, `by`: a person's `User.ref` as text; shown by name, or as "Somebody" when forgotten
* `use`, `stance`, `role`: codes, shown as their words; `uses`: a list of use kinds. The `role` of
  an answer is as what it was given
* `company`, `tool`, `holder`, `roster`, `reason`: shown as they are; `whom`: an AI company or tool
* `until`, `due`: moments (ISO 8601, UTC), shown as days; `period`: a month, as in 2026-10
* `recordings`, `rows`, `reaches`: counts; `overrides`: whether a licence decides without her
* `licences`: a list, of each `holder`, `company`, `uses`, `overrides`, how many `more` recordings
  it reaches, and the slug of the company's `tool`, where it has one only
* `off`, `on`, `voice_off`, `voice_on`: recordings, the first `titles` and how many `others`;
  `sender` and `message`: whose message it was; likewise `contested` and `contested_song`, and
  `none_of` and `none_of_song`
* `label`: the key of the label that a notice without an artist is about; not shown
* `page` and `place`: a page other than the kind's own, and what stands behind its address
* of an answer, where there is any: `way`, a code; `all`: for all her work; `title` of the one
  recording; `whom`; `places`, a list of country codes; `since` and `ends`, moments, shown as days
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from babel.dates import format_date
from babel.lists import format_list
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from consent.words import PartyKind, Stance, UseKind, Way
from portal.models import Notice, NoticeKind, User
from portal.queries.saying import terms_text
from portal.roles import Role, Scope
from portal.templatetags.figures import count, current_locale
from portal.templatetags.times import plain_end
from portal.templatetags.wording import isolated
from portal.words import use_words


@dataclass(frozen=True, slots=True)
class Text:
    """A kind's title and sentence, with `%(name)s` for facts, and the page it leads to."""

    title: str | Promise
    sentence: str | Promise
    page: str = "notices"


@dataclass(frozen=True, slots=True)
class Told:
    """A notice in words. `link` is a path of the portal, or empty.

    `links` are further ones, of each its name and its path: a notice of several things leads to
    each of them. `lines` are these things, of which `sentence` is made too, one by one, and
    `closing` what is said of all of them: for where there is room for a list.
    """

    notice: Notice
    title: str
    sentence: str
    link: str
    links: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()
    closing: str = ""


TEXTS: Final[dict[str, Text]] = {
    NoticeKind.ANSWERED_FOR_YOU: Text(
        gettext_lazy("%(who)s answered for %(artist)s: %(use)s"),
        gettext_lazy(
            "%(answer)s%(all)s%(recordings)s%(title)s%(whom)s%(places)s%(since)s%(ends)s. "
            "It can be changed at any time."
        ),
        "permissions",
    ),
    NoticeKind.LICENCE_SIGNED: Text(
        gettext_lazy("A licence with %(company)s touches the work of %(artist)s"),
        gettext_lazy(
            "Nothing is allowed by it without your yes. %(holder)s signed it: %(uses)s.%(reaches)s"
        ),
        "permissions",
    ),
    NoticeKind.OVERRIDDEN: Text(
        gettext_lazy("%(holder)s licensed %(company)s without asking %(artist)s"),
        gettext_lazy(
            "%(uses)s.%(reaches)s The licence names a clause of your contract. Your no is "
            "recorded, shown and delivered to %(holder)s as an objection."
        ),
        "permissions",
    ),
    NoticeKind.REQUESTED: Text(
        gettext_lazy("%(company)s asks %(artist)s: %(use)s"),
        gettext_lazy("With %(tool)s%(all)s%(title)s%(ends)s. Until you answer, the answer is no."),
        "requests",
    ),
    NoticeKind.WITHDRAWAL_ACKNOWLEDGED: Text(
        gettext_lazy("%(company)s confirmed your no"),
        gettext_lazy("%(company)s has confirmed that it stops: %(use)s."),
        "withdrawals",
    ),
    NoticeKind.WITHDRAWAL_OVERDUE: Text(
        gettext_lazy("%(company)s has not confirmed your no"),
        gettext_lazy("It was to confirm by %(due)s that it stops: %(use)s."),
        "withdrawals",
    ),
    NoticeKind.REVOKED_BY_STAFF: Text(
        gettext_lazy("Our staff revoked an answer of %(artist)s: %(use)s"),
        gettext_lazy("Nothing is allowed by it any more.%(reason)s"),
        "permissions",
    ),
    NoticeKind.ACCESS_GRANTED: Text(
        gettext_lazy("%(who)s has access to the work of %(artist)s"),
        gettext_lazy("As %(role)s%(until)s, let in by %(by)s.%(endable)s"),
        "people",
    ),
    NoticeKind.ACCESS_ENDED: Text(
        gettext_lazy("%(who)s has no access to the work of %(artist)s any more"),
        gettext_lazy("Access as %(role)s ended at once. %(ended)s"),
        "people",
    ),
    NoticeKind.INVITED: Text(
        gettext_lazy("You have access to the work of %(artist)s"),
        gettext_lazy("As %(role)s%(until)s, let in by %(by)s."),
        "overview",
    ),
    NoticeKind.STATEMENT_PUBLISHED: Text(
        gettext_lazy("The statement of %(artist)s for %(period)s"),
        gettext_lazy("It is published: every amount, and the steps that made it."),
        "earnings",
    ),
    NoticeKind.EXPORT_READY: Text(
        gettext_lazy("Your file is ready"),
        gettext_lazy("AI usage of %(artist)s, %(rows)s. It is kept%(until)s."),
        "exports",
    ),
    NoticeKind.EXPORT_FAILED: Text(
        gettext_lazy("Your file could not be written"),
        gettext_lazy("AI usage of %(artist)s. We were told of it; please try again."),
        "exports",
    ),
    NoticeKind.OBJECTION: Text(
        gettext_lazy("%(artist)s objects to your licence with %(company)s"),
        gettext_lazy(
            "%(artist)s says no to what it allows: %(uses)s. The objection is recorded. What is "
            "allowed does not change by it."
        ),
        "admin:consent_licence_changelist",
    ),
    NoticeKind.YES_ENDS: Text(
        gettext_lazy("A yes of %(artist)s ends on %(due)s"),
        gettext_lazy(
            "%(use)s%(recordings)s%(whom)s. From then on nothing is allowed by it. "
            "It never goes on by itself: only a new yes would."
        ),
        "permissions",
    ),
    NoticeKind.YES_ENDED: Text(
        gettext_lazy("A yes of %(artist)s has ended"),
        gettext_lazy(
            "%(use)s%(recordings)s%(whom)s: it ended on %(due)s, and nothing is allowed by it any "
            "more."
        ),
        "permissions",
    ),
    NoticeKind.LICENCE_ENDS: Text(
        gettext_lazy("A licence on the work of %(artist)s ends on %(due)s"),
        gettext_lazy(
            "%(holder)s and %(company)s: %(uses)s. From then on nothing is allowed by it. "
            "Your answers stay as they are."
        ),
        "permissions",
    ),
    NoticeKind.LICENCE_ENDED: Text(
        gettext_lazy("A licence on the work of %(artist)s has ended"),
        gettext_lazy(
            "%(holder)s and %(company)s: %(uses)s. Nothing is allowed by it any more. "
            "Your answers stay as they are."
        ),
        "permissions",
    ),
    NoticeKind.NOT_SAVED: Text(
        gettext_lazy("A change for %(artist)s was not saved"),
        gettext_lazy("%(use)s%(recordings)s: %(outcome)s Please look, and try again."),
        "permissions",
    ),
    NoticeKind.REACHES_MORE: Text(
        gettext_lazy("What is licensed reaches more of the work of %(artist)s"),
        gettext_lazy("%(licences)s"),
        "permission_tools",
    ),
    NoticeKind.BILLING_CHANGED: Text(
        gettext_lazy("%(source)s changed where %(artist)s is named"),
        gettext_lazy(
            "%(off)s%(voice_off)s%(on)s%(voice_on)s%(message)sYour answers speak for the "
            "recordings on which you are named. If this is wrong, tell them."
        ),
        "credits",
    ),
    NoticeKind.TEXT_CHANGED: Text(
        gettext_lazy("The text that %(artist)s said yes to has changed"),
        gettext_lazy(
            "%(use)s: the text you said yes to has changed, and means something new. Until you "
            "answer again, it is a no."
        ),
        "permissions",
    ),
    NoticeKind.CONTESTED: Text(
        gettext_lazy("Claims on the work of %(artist)s contradict each other"),
        gettext_lazy(
            "%(contested)s%(contested_song)sIt is for those who claim it to settle this. You are "
            "told when they have."
        ),
        "missing",
    ),
    NoticeKind.CONTEST_SETTLED: Text(
        gettext_lazy("Claims on the work of %(artist)s do not contradict each other any more"),
        gettext_lazy(
            "%(settled)s%(settled_song)sWhat is allowed follows from the answers and the licences "
            "again."
        ),
        "permissions",
    ),
    NoticeKind.NONE_OF_IT: Text(
        gettext_lazy("%(holder)s gives up a claim on the work of %(artist)s"),
        gettext_lazy(
            "%(none_of)s%(none_of_song)sWho decides now, you see in your rights. What %(holder)s "
            "claims of other recordings stays."
        ),
        "own_rights",
    ),
    NoticeKind.CONFLICT: Text(
        gettext_lazy("Claims on your recordings contradict each other"),
        gettext_lazy(
            "%(contested)s%(contested_song)sYour queue says who claims what, and what to do."
        ),
        "admin:conflicts",
    ),
    NoticeKind.CONFLICT_SETTLED: Text(
        gettext_lazy("Claims on your recordings do not contradict each other any more"),
        gettext_lazy(
            "%(settled)s%(settled_song)sWhat is allowed follows from the answers and the licences "
            "again."
        ),
        "admin:conflicts",
    ),
}

LET_INTO_ROSTER: Final = Text(
    gettext_lazy("You have access to %(artist)s"),
    TEXTS[NoticeKind.INVITED].sentence,
    "home",
)
"""Access to a label or a management, and not to one artist alone."""

ANSWERED_HERSELF: Final = Text(
    gettext_lazy("%(artist)s answered: %(use)s"),
    TEXTS[NoticeKind.ANSWERED_FOR_YOU].sentence,
    TEXTS[NoticeKind.ANSWERED_FOR_YOU].page,
)
"""An answer that somebody gave as the artist, and not for her."""


def render(notice: Notice, names: Mapping[str, str]) -> Told:
    """The notice in the active language and time zone. `names`: see `names_of`."""
    text = _text(notice)
    facts = _Facts(notice, names)
    licences = notice.params.get("licences", ())
    several = len(licences) > 1
    slug = notice.artist.slug if notice.artist is not None else ""
    return Told(
        notice=notice,
        title=str(text.title) % facts,
        sentence=str(text.sentence) % facts,
        link=notice.link or _page(notice.params.get("page", text.page), slug, notice.params),
        links=tuple(_links(licences, slug)),
        lines=tuple(_line(one) for one in licences) if several else (),
        closing=_consent_to_all(licences) if several else "",
    )


def why(notice: Notice) -> str:
    """Why its reader is told this at all, in the active language: for the foot of a mail."""
    artist = notice.artist
    if notice.scope == Scope.MANAGE_LABEL:
        if artist is None:
            return _("you work for a label that this is about")
        return _("you work for a label of %(artist)s") % {"artist": isolated(artist.party.name)}
    if artist is None:
        return _("it is about your account")
    return _("you have access to the work of %(artist)s") % {"artist": isolated(artist.party.name)}


def _text(notice: Notice) -> Text:
    if _by_herself(notice):
        return ANSWERED_HERSELF
    if notice.kind == NoticeKind.INVITED and notice.artist is None:
        if notice.params.get("role") == Role.LABEL_STAFF:
            return replace(LET_INTO_ROSTER, page="admin:index")
        return LET_INTO_ROSTER
    return TEXTS[notice.kind]


def _by_herself(notice: Notice) -> bool:
    """The artist answered in person. Of several who are one artist, one answers for all."""
    return (
        notice.kind == NoticeKind.ANSWERED_FOR_YOU
        and notice.params.get("role") == Role.ARTIST
        and notice.artist is not None
        and notice.artist.party.kind == PartyKind.PERSON
    )


def _page(page: str, slug: str, params: Mapping[str, Any]) -> str:
    from portal.context import address

    found = address(page, slug) if page else ""
    return found + str(params.get("place", "")) if found else ""


def _links(licences: list[dict[str, Any]], slug: str) -> Iterable[tuple[str, str]]:
    """To what the company of each licence may do, where a notice names several; each once."""
    if len(licences) < 2 or not slug:
        return
    told = set()
    for one in licences:
        at = {"slug": slug, "tool": one["tool"]} if one.get("tool") else {"slug": slug}
        page = reverse("permission_tool" if one.get("tool") else "permission_tools", kwargs=at)
        name = _("%(holder)s and %(company)s") % _named(one)
        if (name, page) not in told:
            told.add((name, page))
            yield name, page


def _named(licence: Mapping[str, Any]) -> dict[str, str]:
    """Who signed it, for the middle of a sentence."""
    return {key: isolated(str(licence[key])) for key in ("holder", "company")}


def names_of(notices: Iterable[Notice]) -> dict[str, str]:
    """The names of the people whom these notices speak of, by `User.ref`; one query."""
    refs = {str(ref) for one in notices for key in ("who", "by") if (ref := one.params.get(key))}
    if not refs:
        return {}
    return {str(one.ref): one.get_full_name() for one in User.objects.filter(ref__in=refs)}


def _day(value: str) -> str:
    """The day of an end, as every page names it."""
    return plain_end(datetime.fromisoformat(value))


def _month(value: str) -> str:
    first = datetime.strptime(value, "%Y-%m").date()  # noqa: DTZ007 - a month has no zone
    return format_date(first, "LLLL y", locale=current_locale())


def _until(value: str) -> str:
    return _(" until %(day)s") % {"day": _day(value)}


def _since(value: str) -> str:
    return terms_text(valid_from=datetime.fromisoformat(value))


def _ends(value: str) -> str:
    return terms_text(valid_until=datetime.fromisoformat(value))


def _title(value: str) -> str:
    return _(", for “%(title)s”") % {"title": isolated(value)}


def _all(value: bool) -> str:
    return _(", for all your work") if value else ""


def _places(value: list[str]) -> str:
    return terms_text(places=value)


def _answer(params: Mapping[str, Any]) -> str:
    if params.get("way") == Way.CLEARED:
        return _("An answer of its own was taken back, and the wider one speaks again")
    if "stance" not in params:
        return _("What was decided before was undone")
    return _("“%(answer)s”") % {"answer": Stance(params["stance"]).label}


def _recordings(value: int) -> str:
    words = ngettext(", for %(n)s recording", ", for %(n)s recordings", value)
    return words % {"n": count(value)}


def _whom(value: str) -> str:
    return _(", for %(name)s") % {"name": isolated(value)} if value else ""


def _reaches(value: int) -> str:
    words = ngettext(
        " It reaches %(n)s of your recordings.", " It reaches %(n)s of your recordings.", value
    )
    return words % {"n": count(value)}


def _more(value: int) -> str:
    words = ngettext(
        "It now also reaches %(n)s more of your recordings.",
        "It now also reaches %(n)s more of your recordings.",
        value,
    )
    return words % {"n": count(value)}


def _consent(overrides: bool) -> str:
    if overrides:
        return _("It names a clause of your contract, and your yes is not needed.")
    return _("Nothing is allowed by it without your yes.")


def _licences(licences: list[dict[str, Any]]) -> str:
    """Of each, who signed it, for what, how much more it reaches, and whether she is asked."""
    if len(licences) == 1:
        [one] = licences
        facts = _named(one) | {
            "uses": _uses(one["uses"]),
            "more": _more(one["more"]),
            "consent": _consent(bool(one.get("overrides"))),
        }
        return _("%(holder)s and %(company)s: %(uses)s. %(more)s %(consent)s") % facts
    return " ".join([*(_line(one) for one in licences), _consent_to_all(licences)])


def _consent_to_all(licences: list[dict[str, Any]]) -> str:
    """Whether she is asked, of several licences at once."""
    clauses = [bool(one.get("overrides")) for one in licences]
    if not any(clauses):
        return _("Nothing is allowed by these without your yes.")
    if all(clauses):
        return _("Your yes is not needed for these.")
    return _("Where no clause is named, nothing is allowed without your yes.")


def _line(one: dict[str, Any]) -> str:
    """One licence of several."""
    words = ngettext(
        "%(holder)s and %(company)s: %(uses)s, on %(n)s more recording%(clause)s.",
        "%(holder)s and %(company)s: %(uses)s, on %(n)s more recordings%(clause)s.",
        one["more"],
    )
    facts = _named(one) | {
        "uses": _uses(one["uses"]),
        "n": count(one["more"]),
        "clause": _(", by a clause of your contract") if one.get("overrides") else "",
    }
    return words % facts


def _uses(codes: list[str]) -> str:
    return ", ".join(str(UseKind(code).label) for code in codes)


def _message(value: str) -> str:
    return _("It came with message %(message)s. ") % {"message": value} if value else ""


def _titles(named: dict[str, Any]) -> str:
    """The first few by their titles, the others as a number."""
    quoted = [_("“%(title)s”") % {"title": isolated(title)} for title in named["titles"]]
    if not named["others"]:
        return format_list(quoted, locale=current_locale())
    titles = ", ".join(quoted)
    words = ngettext("%(titles)s and %(n)s other", "%(titles)s and %(n)s others", named["others"])
    return words % {"titles": titles, "n": count(named["others"])}


def _off(named: dict[str, Any]) -> str:
    return _("You are not named any more on %(titles)s. ") % {"titles": _titles(named)}


def _on(named: dict[str, Any]) -> str:
    return _("You are now named on %(titles)s. ") % {"titles": _titles(named)}


def _voice_off(named: dict[str, Any]) -> str:
    return _("Your voice is not named any more on %(titles)s. ") % {"titles": _titles(named)}


def _voice_on(named: dict[str, Any]) -> str:
    return _("Your voice is now named on %(titles)s. ") % {"titles": _titles(named)}


def _contested(named: dict[str, Any]) -> str:
    words = _("Who owns %(titles)s is contested. Until it is settled, nobody may use it. ")
    return words % {"titles": _titles(named)}


def _contested_song(named: dict[str, Any]) -> str:
    words = _(
        "Who holds the song of %(titles)s is contested. Until it is settled, no use that needs the "
        "song is allowed. "
    )
    return words % {"titles": _titles(named)}


def _settled(named: dict[str, Any]) -> str:
    words = _("Who owns %(titles)s is not contested any more. ")
    return words % {"titles": _titles(named)}


def _settled_song(named: dict[str, Any]) -> str:
    words = _("Who holds the song of %(titles)s is not contested any more. ")
    return words % {"titles": _titles(named)}


def _reason(value: str) -> str:
    return _(" The reason: %(reason)s") % {"reason": value} if value else ""


def _none_of(named: dict[str, Any]) -> str:
    return _("They claim nothing of the recording %(titles)s. ") % {"titles": _titles(named)}


def _none_of_song(named: dict[str, Any]) -> str:
    return _("They claim nothing of the song of %(titles)s. ") % {"titles": _titles(named)}


def _rows(value: int) -> str:
    return ngettext("%(n)s line", "%(n)s lines", value) % {"n": count(value)}


_WORDS: Final[dict[str, Callable[[Any], str]]] = {
    "use": lambda code: str(UseKind(code).label),
    "uses": _uses,
    "reaches": _reaches,
    "licences": _licences,
    "contested": _contested,
    "contested_song": _contested_song,
    "settled": _settled,
    "settled_song": _settled_song,
    "none_of": _none_of,
    "none_of_song": _none_of_song,
    "off": _off,
    "on": _on,
    "voice_off": _voice_off,
    "voice_on": _voice_on,
    "message": _message,
    "stance": lambda code: str(Stance(code).label),
    "role": lambda code: str(Role(code).label),
    "until": _until,
    "due": _day,
    "period": _month,
    "recordings": _recordings,
    "rows": _rows,
    "reason": _reason,
    **dict.fromkeys(("company", "tool", "holder", "roster"), isolated),
    "whom": _whom,
    "all": _all,
    "title": _title,
    "places": _places,
    "since": _since,
    "ends": _ends,
}


class _Facts(dict[str, str]):
    """Facts as words, made when a sentence asks for them; one that is not there is empty."""

    def __init__(self, notice: Notice, names: Mapping[str, str]) -> None:
        super().__init__()
        self._notice = notice
        self._names = names

    def __missing__(self, key: str) -> str:
        value = self._notice.params.get(key)
        if key == "artist":
            return self._artist()
        if key == "answer":
            return _answer(self._notice.params)
        if key == "outcome":
            return str(self._notice.params.get("refused") or _("nothing was changed."))
        if key == "source":
            return str(self._notice.params.get("sender") or self["by"])
        if key == "endable":
            return self._endable()
        if key == "ended":
            return self._ended()
        if key == "by" and value is None:
            return _("Liner Notes")
        if key in {"who", "by"}:
            return self._names.get(str(value), _("Somebody"))
        if value is None:
            return ""
        if self._notice.scope == Scope.MANAGE_LABEL and key in {"use", "uses"}:
            return use_words(*([value] if key == "use" else value))
        return _WORDS.get(key, str)(value)

    def _artist(self) -> str:
        if self._notice.artist is not None:
            return isolated(self._notice.artist.party.name)
        return isolated(str(self._notice.params.get("roster") or ""))

    def _endable(self) -> str:
        """Nobody ends what an artist herself may do here."""
        if self._notice.params.get("role") == Role.ARTIST:
            return ""
        return _(" %(artist)s can end this at any time.") % {"artist": self["artist"]}

    def _ended(self) -> str:
        if self._notice.params.get("by") == self._notice.params.get("who"):
            return _("%(who)s gave it up.") % {"who": self["who"]}
        return _("It was ended by %(by)s.") % {"by": self["by"]}
