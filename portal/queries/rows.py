"""Use rows: what an artist answered on each use kind, and what really holds, ready to be read.

`consent.queries.effective` says what holds; here it becomes sentences, links and switches.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from consent.decisions import Code, Verdict
from consent.first_wordings import text_of
from consent.models import Artist, Permission, PermissionRequest, Tool, Wording
from consent.queries.effective import Step, ToolView, UseView
from consent.queries.staff_reasons import reasons_given
from consent.queries.texts import is_outdated
from consent.words import LENT_KINDS, Stance, UseKind, Way
from portal.access import Access
from portal.answering import scope_needed
from portal.queries.own import Own
from portal.queries.saying import terms_of
from portal.queries.texts import AskedAgain, asked_again
from portal.queries.withdrawals import Stop
from portal.roles import Scope
from portal.templatetags.figures import count
from portal.templatetags.times import plain_begin, plain_day, plain_end

TOOLS_SHOWN = 12
"""How many tools a row names, those that may first; the page of all tools has the rest."""

WITHOUT_HER = ("overridden", "unasked")
"""The pills of what a contract allows: over her no, and where she has said neither yes nor no."""

OWN_ANSWER = frozenset(
    {
        Code.ARTIST_DENIES,
        Code.ARTIST_UNDECIDED,
        Code.ARTIST_ASKS,
        Code.ARTIST_WITHDREW,
        Code.ANSWER_EXPIRED,
        Code.ANSWER_OUTDATED,
        Code.ANSWER_REVOKED,
        Code.ANSWER_WITHOUT_GUARDIAN,
    }
)


def is_own_answer(step: Step) -> bool:
    """Is it her own answer that the step is about, and one that she can change?"""
    return step.code in OWN_ANSWER and not step.others


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Effect:
    """One line on what holds: a state of `wording.STATES`, and a sentence."""

    state: str
    sentence: str
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Beside:
    """What was said in the scope of a row that its switch does not show, and where to change it."""

    sentence: str
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Switch:
    """The answer switch, as `components/answer.html` takes it."""

    key: str
    url: str
    stance: str
    title: str
    hidden: Mapping[str, str]
    closed: tuple[str, ...] = ()
    reason_closed: str = ""
    field: str = "stance"


@dataclass(frozen=True, slots=True)
class ToolLine:
    """What holds for one tool, in one line, with the reason that decides."""

    tool: Tool
    state: str
    sentence: str
    url: str
    why_url: str


@dataclass(frozen=True, slots=True)
class UseRow:
    """Everything a page shows about one use kind. Exactly one of `answer` and `said` is there."""

    key: str
    title: str
    sentence: str
    answer: Switch | None
    said: str
    effects: tuple[Effect, ...]
    tools: tuple[ToolLine, ...] = ()
    tools_more: int = 0  # how many are left out of `tools`
    stops: tuple[Stop, ...] = ()
    asked_again: AskedAgain | None = None
    more_url: str = ""
    # What she said here for a later day, or for some countries, and what else the answer is about.
    beside: tuple[Beside, ...] = ()
    as_wider: str = ""  # what holds where this scope has no answer of its own
    clear: Mapping[str, str] = field(default_factory=dict)  # what the form to take it back posts
    announce: str = ""
    refused: str = ""
    steps: tuple[Step, ...] = ()
    open: bool = False


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads the page: decides which switches there are, and in which language."""

    access: Access
    artist: Artist
    language: str = "en"

    def may(self, scope: Scope) -> bool:
        return self.access.may(self.artist, scope)

    @property
    def is_own(self) -> bool:
        """Whether this is the artist, or one of the people who are."""
        reach = self.access.reach(self.artist)
        return reach is not None and reach.is_own

    def url(self, name: str, **more: str) -> str:
        return reverse(name, kwargs={"slug": self.artist.slug, **more})

    def switch(
        self,
        use: str,
        stance: str,
        *,
        wording: Wording | None,
        about: Mapping[str, str] | None = None,
        key: str = "",
    ) -> Switch | None:
        """The switch for an answer, or None where this reader may only look."""
        if not self.may(Scope.WITHDRAW):
            return None
        hidden = dict(about or {})
        if wording is not None:
            hidden["wording"] = str(wording.pk)
        may_grant = self.may(scope_needed(use, Stance.ALLOW))
        return Switch(
            key=key or use,
            url=self.url("answer", use=use),
            stance=stance,
            title=str(UseKind(use).label),
            hidden=hidden,
            closed=() if may_grant else (Stance.ALLOW.value,),
            reason_closed="" if may_grant else self.why_closed(use),
        )

    def why_closed(self, use: str) -> str:
        """Why this reader cannot say yes to this."""
        reach = self.access.reach(self.artist)
        if reach is not None and reach.is_minor and use in LENT_KINDS:
            return _("Only a guardian can say yes to this. A no is yours at any time.")
        if reach is not None and reach.is_own:
            return _("The others answer for all of you. A no is yours at any time.")
        return _("Only %(artist)s can say yes to this.") % {"artist": self.artist.party.name}


def text_shown(use: str, wording: Wording | None, language: str) -> str:
    """The text that stands beside a switch: the published one, else the first of all."""
    return wording.text if wording is not None else text_of(use, language)


def recordings_text(number: int) -> str:
    """A number of recordings in words: “212 recordings”."""
    return ngettext("%(n)s recording", "%(n)s recordings", number) % {"n": count(number)}


def general_row(
    view: UseView,
    reader: Reader,
    *,
    wording: Wording | None,
    own: Own,
    requests: Sequence[PermissionRequest] = (),
    stops: Sequence[Stop] = (),
    announce: str = "",
    refused: str = "",
) -> UseRow:
    """The row of a use kind on the page of answers in general. `own`: what she said there."""
    use = view.use.value
    return UseRow(
        key=use,
        title=str(view.use.label),
        sentence=text_shown(use, wording, reader.language),
        # To the text that stands here now she has not answered.
        answer=reader.switch(use, "" if view.wording_changed else view.stance, wording=wording),
        said=answer_word(view.stance, outdated=view.wording_changed),
        effects=tuple(_effects(view, reader, own, requests, stops)),
        tools=tuple(
            tool_line(one, view, reader)
            for one in sorted(view.tools, key=lambda one: not one.holds)[:TOOLS_SHOWN]
        ),
        tools_more=max(len(view.tools) - TOOLS_SHOWN, 0),
        stops=tuple(stops),
        asked_again=asked_again_of(view.answer, view.meant_since, wording, reader),
        beside=beside_in(own, view.meant_since, reader, use) + _heard(view.heard, reader),
        more_url=f"{reader.url('answer_with', use=use)}",
        announce=announce,
        refused=refused,
        open=bool(announce and stops),
    )


def tool_row(
    view: UseView,
    reader: Reader,
    tool: Tool,
    *,
    wording: Wording | None,
    own: Own,
    wider: str,
    stops: Sequence[Stop] = (),
    announce: str = "",
    refused: str = "",
) -> UseRow:
    """The row of a use kind on the page of one tool. `own`: what she said of just this tool."""
    use = view.use.value
    [line] = view.tools
    about = {"tool": tool.slug}
    again = asked_again_in(own, view.meant_since, wording, reader)
    return UseRow(
        key=use,
        title=str(view.use.label),
        sentence=text_shown(use, wording, reader.language),
        answer=reader.switch(use, switched_on(own, again), wording=wording, about=about),
        said=said_in(own, again) or wider,
        asked_again=again,
        effects=(_tool_effect(line, view, reader),),
        stops=tuple(stops),
        beside=beside_in(own, view.meant_since, reader, use, about),
        more_url=f"{reader.url('answer_with', use=use)}?tool={tool.slug}",
        as_wider="" if own.speaks is not None else wider,
        clear={"use": use, **about} if own.may_be_taken_back else {},
        steps=line.steps,
        announce=announce,
        refused=refused,
        open=bool(announce and stops),
    )


def tool_line(one: ToolView, view: UseView, reader: Reader) -> ToolLine:
    """One tool among those of a use kind: how much is allowed, or what stands in the way."""
    effect = _tool_effect(one, view, reader)
    return ToolLine(
        tool=one.tool,
        state=effect.state,
        sentence=effect.sentence,
        url=reader.url("permission_tool", tool=one.tool.slug),
        why_url=f"{reader.url('why')}?use={view.use.value}&tool={one.tool.slug}",
    )


def state_of(steps: Sequence[Step], *, allowed: bool, whole: bool = True) -> str:
    """The pill for a decision: a state of `wording.STATES`.

    Red would say a no that is hers; what others have not granted is drawn as not in force.
    """
    codes = {step.code for step in steps}
    if allowed:
        if Code.OVERRIDDEN in codes and codes.isdisjoint((Code.ARTIST_ALLOWS, Code.RUNS_OFF)):
            said_no = any(s.code == Code.OBJECTION and not s.others for s in steps)
            return "overridden" if said_no else "unasked"
        return "allowed" if whole else "partly"
    deciding = next((s for s in steps if s.verdict == Verdict.NO), None)
    own = any(is_own_answer(s) for s in steps if s.verdict == Verdict.NO)
    return "denied" if own or deciding is None else "idle"


def state_now(state: str, steps: Sequence[Step]) -> str:
    """The pill of a decision of today: her yes to an earlier text is no no, and waits for her."""
    own = [s.code for s in steps if s.verdict == Verdict.NO and is_own_answer(s)]
    return "waits" if state == "denied" and own[:1] == [Code.ANSWER_OUTDATED] else state


def _tool_effect(one: ToolView, view: UseView, reader: Reader) -> Effect:
    whole = one.allowed == one.recordings
    state = state_of(one.steps, allowed=one.holds, whole=whole)
    if one.holds and state not in WITHOUT_HER:
        sentence = (
            _("All %(recordings)s") % {"recordings": recordings_text(one.recordings)}
            if whole
            else _of(one.allowed, one.recordings)
        )
        return Effect(state, sentence)
    sentence = deciding_sentence(one.steps, state) or _no_recordings()
    return Effect(state_now(state, one.steps), sentence)


def deciding_sentence(steps: Sequence[Step], state: str) -> str:
    """The sentence that goes with a pill: her own no where the pill says one, else the first no."""
    if state in WITHOUT_HER:
        step = next((s for s in steps if s.code == Code.OVERRIDDEN), None)
    else:
        against = [s for s in steps if s.verdict == Verdict.NO]
        own = [s for s in against if is_own_answer(s)]
        step = next(iter((own if state == "denied" else []) + against), None)
    if step is None:
        step = steps[-1] if steps else None
    return step.sentence if step is not None else ""


def _of(some: int, whole: int) -> str:
    return _("%(some)s of %(all)s") % {"some": count(some), "all": recordings_text(whole)}


def _no_recordings() -> str:
    return _("No recording is here yet.")


def answer_word(stance: str, *, outdated: bool) -> str:
    """An answer in words, where a yes may be to an earlier text."""
    return _("Yes, to an earlier text") if outdated else str(Stance(stance).label)


def asked_again_of(
    answer: Permission | None, meant_since: int, wording: Wording | None, reader: Reader
) -> AskedAgain | None:
    """What is said of `answer` where it is a yes to an earlier text; None where it is not."""
    if answer is None or not is_outdated(answer, meant_since):
        return None
    return asked_again(answer, wording, language=reader.language)


# --- What was said in one scope --------------------------------------------------------------


def asked_again_in(
    own: Own, meant_since: int, wording: Wording | None, reader: Reader
) -> AskedAgain | None:
    """As `asked_again_of`, of what speaks in a scope; a yes that has ended is asked for anyway."""
    return None if own.ended else asked_again_of(own.speaks, meant_since, wording, reader)


def switched_on(own: Own, again: AskedAgain | None) -> str:
    """The answer that a switch shows as given; none for a yes that has ended, or is outdated."""
    return "" if own.ended or again is not None else own.stance


def said_in(own: Own, again: AskedAgain | None) -> str:
    """What she says in a scope, in words; nothing where a wider answer speaks."""
    return answer_word(own.stance, outdated=again is not None) if own.stance else ""


def beside_in(
    own: Own, meant_since: int, reader: Reader, use: str, about: Mapping[str, str] | None = None
) -> tuple[Beside, ...]:
    """What a row says of her answers in its scope that are over, still to begin, or not for all.

    `about` is what the scope is in an address. Without one it is all her work, where an end is
    said by what holds.
    """
    lines = []
    if own.ended and about and own.speaks is not None and own.speaks.valid_until is not None:
        lines.append(Beside(_ended_on(own.speaks.valid_until)))
    for one in own.beside:
        word = answer_word(one.stance, outdated=is_outdated(one, meant_since))
        said = _("“%(answer)s”%(terms)s") % {"answer": word, "terms": terms_of(one)}
        act = reader.url("act", ref=str(one.act.ref))
        links = [Link(_("Look at it, or undo it"), act)]
        if one.territories:
            if one.pk in own.over:
                said = _("%(said)s It has ended, and is a no.") % {"said": f"{said}."}
                sentence = _("Beside it: %(said)s") % {"said": said}
            else:
                sentence = _("Beside it: %(said)s.") % {"said": said}
            if reader.may(Scope.WITHDRAW):
                query = urlencode({**(about or {}), "territories": " ".join(one.territories)})
                url = f"{reader.url('answer_with', use=use)}?{query}"
                links.insert(0, Link(_("Change it"), url))
        else:
            sentence = _("Decided already: %(said)s.") % {"said": said}
        lines.append(Beside(sentence, tuple(links)))
    return tuple(lines)


def _ended_on(end: datetime) -> str:
    return _("The yes ended on %(day)s. Until you answer again, it is a no.") % {
        "day": plain_end(end)
    }


# --- What holds, in sentences --------------------------------------------------------------


def _effects(
    view: UseView,
    reader: Reader,
    own: Own,
    requests: Sequence[PermissionRequest],
    stops: Sequence[Stop],
) -> list[Effect]:
    links = _links(view, reader)
    asked = _questions(reader, requests)
    if view.state == "holds":
        whole = view.allowed == view.recordings
        effects = [Effect("allowed" if whole else "partly", _holds(view), links)]
        if view.wording_changed:
            effects.append(Effect("waits", _earlier_text()))
        blocked = view.main_reason is not None and not is_own_answer(view.main_reason)
        if view.stance == Stance.ALLOW and not whole and blocked:
            effects.append(
                Effect(
                    "idle",
                    _stands_in_the_way(view, reader.artist.pk),
                    (_what_is_missing(view, reader),),
                )
            )
    elif view.state == "overridden":
        state = "overridden" if _said_no(view) else "unasked"
        effects = [Effect(state, _overridden(view), links)]
        if view.allowed > view.overridden:
            effects.append(Effect("partly", _by_her_exceptions(view)))
    elif view.state == "not_in_force" and view.wording_changed:
        missing = () if _alone_in_the_way(view) else (_what_is_missing(view, reader),)
        effects = [Effect("waits", _earlier_text(), (*missing, *links))]
    elif view.state == "not_in_force":
        effects = [
            Effect(
                "idle", _said_yes(view, reader.artist.pk), (_what_is_missing(view, reader), *links)
            )
        ]
    elif view.stance == Stance.UNDECIDED:
        return [
            Effect("waits", _waits(view, requests), asked + links),
            *(Effect("denied", sentence) for sentence in _stopping(stops)),
        ]
    else:
        effects = [Effect("denied", " ".join(_stopping(stops)) or _refused(view, own), links)]
        stops = ()
    if requests:
        effects.append(Effect("waits", _asks(requests[0]), asked))
    if view.stance != Stance.ALLOW:
        effects += [Effect("denied", sentence) for sentence in _stopping(stops)]
    return effects


def _heard(number: int, reader: Reader) -> tuple[Beside, ...]:
    """The recordings of others that the answer to the voice is about too."""
    if not number:
        return ()
    words = ngettext(
        "Your voice is also heard on %(n)s recording by others.",
        "Your voice is also heard on %(n)s recordings by others.",
        number,
    )
    link = Link(_("What holds there"), f"{reader.url('permission_recordings')}?part=voice")
    return (Beside(words % {"n": count(number)}, (link,)),)


def _earlier_text() -> str:
    return _("The yes was to an earlier text. Until you answer again, the answer is no.")


def _alone_in_the_way(view: UseView) -> bool:
    """Is it only her answer that everything waits for?"""
    return bool(view.recordings) and view.main_reason_recordings == view.recordings


def _what_is_missing(view: UseView, reader: Reader) -> Link:
    return Link(_("What is missing"), f"{reader.url('missing')}#use-{view.use.value}")


def _links(view: UseView, reader: Reader) -> tuple[Link, ...]:
    links = []
    if view.exceptions:
        words = ngettext("%(n)s exception", "%(n)s exceptions", view.exceptions)
        url = f"{reader.url('exceptions')}?use={view.use.value}"
        links.append(Link(words % {"n": count(view.exceptions)}, url))
    if view.answer is not None:
        links.append(
            Link(
                _("Receipt, %(day)s") % {"day": plain_day(view.answer.act.created_at)},
                reader.url("act", ref=str(view.answer.act.ref)),
            )
        )
    return tuple(links)


def _questions(reader: Reader, requests: Sequence[PermissionRequest]) -> tuple[Link, ...]:
    if not requests:
        return ()
    label = ngettext("The question", "The %(n)s questions", len(requests))
    return (Link(label % {"n": count(len(requests))}, reader.url("requests")),)


def companies_text(view: UseView) -> str:
    """For whom something is allowed: the one company, or how many they are."""
    names = view.companies
    if len(names) == 1:
        return names[0]
    return _("%(n)s licensed companies") % {"n": count(len(names))}


def _holds(view: UseView) -> str:
    whom = {"companies": companies_text(view)}
    if view.allowed == view.recordings:
        sentence = _("All %(recordings)s, for %(companies)s") % {
            "recordings": recordings_text(view.recordings),
            **whom,
        }
    else:
        sentence = _("%(some)s, for %(companies)s") % {
            "some": _of(view.allowed, view.recordings),
            **whom,
        }
    until = view.answer.valid_until if view.answer is not None else None
    says_yes = view.stance == Stance.ALLOW and not view.wording_changed
    if says_yes and until is not None:
        sentence = _("%(sentence)s, until %(day)s") % {
            "sentence": sentence,
            "day": plain_end(until),
        }
    if not says_yes:
        sentence = _("%(sentence)s, by exceptions from the general answer.") % {
            "sentence": sentence
        }
    return sentence


def _stands_in_the_way(view: UseView, artist_id: int) -> str:
    """What keeps a yes from holding, and for how many recordings."""
    reason = view.main_reason
    assert reason is not None
    number = view.main_reason_recordings
    facts = {
        "who": reason.who or _("Nobody"),
        "n": count(number),
        "all": recordings_text(view.recordings),
    }
    if reason.code == Code.NO_LICENCE and reason.party == artist_id:
        return (
            _("You hold rights in %(n)s of your %(all)s, and no licence of yours covers this yet.")
            % facts
        )
    if reason.code == Code.NO_LICENCE and reason.party is not None:
        if number == view.recordings:
            return _("%(who)s has not licensed this, and holds rights in all %(all)s.") % facts
        return _("%(who)s has not licensed this, and holds rights in %(n)s of %(all)s.") % facts
    if number == view.recordings:
        return reason.sentence
    return _("For %(n)s of %(all)s: %(reason)s") % {**facts, "reason": reason.sentence}


def _said_yes(view: UseView, artist_id: int) -> str:
    if not view.recordings:
        return _("The answer is yes. %(rest)s") % {"rest": _no_recordings()}
    if not view.tools or view.main_reason is None:
        return _("The answer is yes; no AI company holds a licence that would let it use this.")
    until = view.answer.valid_until if view.answer is not None else None
    if view.main_reason.code == Code.ANSWER_EXPIRED and until is not None:
        return view.main_reason.sentence
    return _("The answer is yes, but: %(rest)s") % {"rest": _stands_in_the_way(view, artist_id)}


def _overridden(view: UseView) -> str:
    step = next(
        (s for tool in view.tools for s in tool.steps if s.code == Code.OVERRIDDEN and tool.holds),
        None,
    )
    facts = {"some": _of(view.overridden, view.recordings), "companies": companies_text(view)}
    if step is None:
        who = _("A contract covers it without asking you.")
    else:
        who = step.sentence
    if _said_no(view):
        return _(
            "%(who)s It covers %(some)s, for %(companies)s. The no was delivered as an objection."
        ) % {"who": who, **facts}
    return _("%(who)s It covers %(some)s, for %(companies)s.") % {"who": who, **facts}


def _said_no(view: UseView) -> bool:
    """Did she say no, in general, or take a yes back? That is an objection; no answer is none."""
    return view.stance == Stance.DENY or (view.answer is not None and view.answer.took_back_allow)


def _by_her_exceptions(view: UseView) -> str:
    return _("%(some)s, by exceptions from the general answer.") % {
        "some": _of(view.allowed - view.overridden, view.recordings)
    }


def _waits(view: UseView, requests: Sequence[PermissionRequest]) -> str:
    if requests:
        return _("Treated as no. %(asks)s") % {"asks": _asks(requests[0])}
    answer = view.answer
    if answer is not None and answer.way in (Way.REVOKED, Way.INVALIDATED):
        return _(
            "Liner Notes took the answer out of force, with this reason: “%(reason)s” Until you "
            "answer again, it is a no."
        ) % {"reason": reasons_given([answer.act_id]).get(answer.act_id, "")}
    if answer is not None and answer.stance == Stance.ALLOW:
        if answer.valid_from is not None and answer.valid_from > view.at:
            return _("The yes begins on %(day)s. Until then the answer is no.") % {
                "day": plain_begin(answer.valid_from)
            }
        if answer.valid_until is not None:
            return _ended_on(answer.valid_until)
    return _("Until you answer, the answer is no.")


def _asks(request: PermissionRequest) -> str:
    return _("%(company)s asked on %(day)s.") % {
        "company": request.tool.company.party.name,
        "day": plain_day(request.created_at),
    }


def _refused(view: UseView, own: Own) -> str:
    if any(one.stance == Stance.ALLOW and one.pk not in own.over for one in own.in_places):
        return _("Nobody may do this, except in the countries where the answer is another one.")
    if view.stance == Stance.ASK:
        return _("Until a company asks and you agree, the answer is no.")
    if view.stance == Stance.DENY and view.heard:
        return _("Nobody may do this, except where a recording by others has another answer.")
    if view.stance == Stance.DENY:
        return _("Nobody may do this.")
    return _("Until you answer, the answer is no.")


def _stopping(stops: Sequence[Stop]) -> list[str]:
    """Who must stop, and whether they said so: one sentence per company."""
    by_company: dict[str, list[Stop]] = {}
    for stop in stops:
        by_company.setdefault(stop.company, []).append(stop)
    return [stopping_text(company, found) for company, found in by_company.items()]


def stopping_text(company: str, stops: Sequence[Stop]) -> str:
    """From when a company must stop, until when its outputs run off, whether it has confirmed."""
    until: datetime = max(one.outputs_until for one in stops)
    began = min(one.began_at for one in stops)
    facts = {"company": company, "until": plain_end(until), "day": plain_begin(began)}
    if not all(one.at_once for one in stops):
        must = _("%(company)s must stop new outputs by %(until)s") % facts
    elif all(one.waits for one in stops):
        must = _("%(company)s must stop on %(day)s") % facts
    else:
        must = _("%(company)s must stop at once") % facts
    about = dict.fromkeys(one.about for one in stops)
    if len(about) == 1 and "" not in about:
        must = _("%(must)s (%(about)s)") % {"must": must, "about": next(iter(about))}
    if any(one.overdue for one in stops):
        due = min(one.acknowledge_by for one in stops)
        return _("%(must)s; it was to confirm by %(due)s and has not.") % {
            "must": must,
            "due": plain_end(due),
        }
    confirmed = [one.acknowledged_at for one in stops if one.acknowledged_at is not None]
    if len(confirmed) == len(stops):
        return _("%(must)s; it confirmed on %(day)s.") % {
            "must": must,
            "day": plain_day(max(confirmed)),
        }
    if all(one.told_at is not None for one in stops):
        return _("%(must)s; it was told, and has not confirmed yet.") % {"must": must}
    deaf = next((one.untold for one in stops if one.untold and not one.is_being_told), "")
    if deaf:
        return _("%(must)s. %(untold)s") % {"must": must, "untold": deaf}
    return _("%(must)s; it is being told.") % {"must": must}
