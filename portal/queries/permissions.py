"""The rows of the permission pages: in general, of one tool, of one recording, of one of each."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from consent.decisions import Decision
from consent.models import PermissionRequest, Recording, Tool, Wording
from consent.queries.decision import Ask, load
from consent.queries.effective import Step, UseView, steps_of, tools_for, uses_of
from consent.queries.requests import waiting_for
from consent.queries.texts import is_outdated
from consent.queries.voices import Say, tools_licensed_on
from consent.scopes import EVERYTHING as ALL_HER_WORK
from consent.scopes import scope_key
from consent.services.wordings import current_wordings
from consent.words import Stance, UseKind
from portal.queries.own import NOTHING_SAID, Own, own_in, own_of
from portal.queries.rows import (
    WITHOUT_HER,
    Effect,
    Reader,
    ToolLine,
    UseRow,
    answer_word,
    asked_again_in,
    beside_in,
    deciding_sentence,
    general_row,
    said_in,
    state_now,
    state_of,
    switched_on,
    text_shown,
    tool_row,
)
from portal.queries.withdrawals import still_stopping, stops_by_use
from portal.templatetags.figures import count


@dataclass(frozen=True, slots=True)
class Note:
    """What became of an answer that was just given, to be said in its row."""

    use: str = ""
    announce: str = ""
    refused: str = ""

    def spoken(self, use: str) -> str:
        """What the row of `use` says aloud."""
        return (self.announce or self.refused) if self.use == use else ""

    def refusal(self, use: str) -> str:
        """Why the row of `use` is as it was."""
        return self.refused if self.use == use else ""


NOTHING = Note()

EVERYTHING: Final = ALL_HER_WORK.key


def general_rows(
    reader: Reader,
    *,
    note: Note = NOTHING,
    waiting: Sequence[PermissionRequest] | None = None,
) -> list[UseRow]:
    """The seven use kinds in general. `waiting`: the open questions, where they are known."""
    artist = reader.artist
    wordings = current_wordings(reader.language)
    asked = list(waiting_for(artist)[:200]) if waiting is None else waiting
    open_by_use = Counter(one.use for one in asked if one.state == "open")
    stopping = stops_by_use(artist)
    views = uses_of(
        artist,
        language=reader.language,
        waiting=dict(open_by_use),
        to_herself=reader.is_own,
    )
    said = _said_in(views)
    return [
        general_row(
            view,
            reader,
            wording=wordings.get(view.use),
            own=said.get((view.use, EVERYTHING), NOTHING_SAID),
            requests=[one for one in asked if one.use == view.use and one.state == "open"],
            stops=still_stopping(stopping.get(view.use, []), "*/*", view.stance),
            announce=note.spoken(view.use),
            refused=note.refusal(view.use),
        )
        for view in views
    ]


def tool_rows(reader: Reader, tool: Tool, *, note: Note = NOTHING) -> list[UseRow]:
    """The seven use kinds for one tool, with her answers about just this tool."""
    artist = reader.artist
    wordings = current_wordings(reader.language)
    views = uses_of(artist, language=reader.language, tools=[tool], to_herself=reader.is_own)
    by_company, by_tool = scope_key(None, tool.company.pk, None), scope_key(None, None, tool.pk)
    stopping = stops_by_use(artist, tool=tool.pk)
    said = _said_in(views)
    rows = []
    for view in views:
        about_tool = said.get((view.use, by_tool), NOTHING_SAID)
        about_company = said.get((view.use, by_company), NOTHING_SAID)
        rows.append(
            tool_row(
                view,
                reader,
                tool,
                wording=wordings.get(view.use),
                own=about_tool,
                wider=_wider_than_tool(view, about_company, tool.company.party.name),
                stops=still_stopping(stopping.get(view.use, []), by_tool, about_tool.stance),
                announce=note.spoken(view.use),
                refused=note.refusal(view.use),
            )
        )
    return rows


def recording_rows(reader: Reader, say: Say, *, note: Note = NOTHING) -> list[UseRow]:
    """The use kinds in which she has a say on one recording, and for each the tools and why."""
    recording, uses = say.recording, say.uses
    if say.billed:
        tools: Sequence[Tool] = tools_for(reader.artist).tools
    else:
        tools = tools_licensed_on([recording.pk], use=UseKind.VOICE)
    wordings = current_wordings(reader.language)
    loaded = load(
        [Ask(recording.isrc, use, tool.slug) for use in uses for tool in tools]
        or [Ask(recording.isrc, "", "")]
    )
    decisions = [
        loaded.decide(Ask(recording.isrc, use, tool.slug)) for use in uses for tool in tools
    ]
    steps = steps_of(decisions, artist=reader.artist, billed=say.billed, to_herself=reader.is_own)
    mine = scope_key(recording.pk, None, None)
    said = own_in(reader.artist, [EVERYTHING, mine], loaded.at)
    rows = []
    for i, use in enumerate(uses):
        part = slice(i * len(tools), (i + 1) * len(tools))
        found = list(zip(tools, decisions[part], steps[part], strict=True))
        general = said.get((use, EVERYTHING), NOTHING_SAID)
        own = said.get((use, mine), NOTHING_SAID)
        since = loaded.meant_since(use)
        stance = general.stance or Stance.UNDECIDED.value
        outdated = not general.ended and is_outdated(general.speaks, since)
        wider = wider_text(stance, outdated=outdated)
        rows.append(
            _recording_row(reader, recording, use, found, own, wider, wordings, note, since)
        )
    return rows


def pair_row(reader: Reader, say: Say, tool: Tool, use: str, *, note: Note = NOTHING) -> UseRow:
    """One use kind of one recording by one tool: the decision, why, and her answer to just this."""
    recording = say.recording
    wordings = current_wordings(reader.language)
    loaded = load([Ask(recording.isrc, use, tool.slug)])
    decision = loaded.decide(Ask(recording.isrc, use, tool.slug))
    [steps] = steps_of(
        [decision], artist=reader.artist, billed=say.billed, to_herself=reader.is_own
    )
    key = scope_key(recording.pk, None, tool.pk)
    own = own_in(reader.artist, [key], loaded.at).get((use, key), NOTHING_SAID)
    about = {"recording": recording.isrc, "tool": tool.slug}
    wording = wordings.get(use)
    since = loaded.meant_since(use)
    again = asked_again_in(own, since, wording, reader)
    more = f"?recording={recording.isrc}&tool={tool.slug}"
    return UseRow(
        key=use,
        title=str(UseKind(use).label),
        sentence=text_shown(use, wording, reader.language),
        answer=reader.switch(use, switched_on(own, again), wording=wording, about=about),
        said="",
        asked_again=again,
        effects=(decided(decision, steps),),
        steps=steps,
        beside=beside_in(own, since, reader, use, about),
        as_wider="" if own.speaks else _("No answer for just this recording and this tool."),
        clear={"use": use, **about} if own.may_be_taken_back else {},
        more_url=reader.url("answer_with", use=use) + more,
        announce=note.spoken(use),
        refused=note.refusal(use),
    )


def text_of_use(reader: Reader, use: str) -> tuple[str, Wording | None]:
    """The text to decide on, and its published version if there is one."""
    wording = current_wordings(reader.language).get(use)
    return text_shown(use, wording, reader.language), wording


def _said_in(views: Sequence[UseView]) -> dict[tuple[str, str], Own]:
    return own_of([one for view in views for one in view.said], views[0].at)


def _wider_than_tool(view: UseView, company: Own, name: str) -> str:
    if company.speaks is None:
        return wider_text(view.stance, outdated=view.wording_changed)
    outdated = not company.ended and is_outdated(company.speaks, view.meant_since)
    return wider_text(company.stance, name, outdated=outdated)


def wider_text(stance: str, company: str = "", *, outdated: bool = False) -> str:
    """What speaks where a narrower scope has no answer of its own: of a `company`, or in general.

    `outdated`: it is a yes to an earlier text.
    """
    answer = answer_word(stance, outdated=outdated)
    if company:
        facts = {"company": company, "answer": answer}
        return _("As for everything by %(company)s: %(answer)s") % facts
    return _("As in general: %(answer)s") % {"answer": answer}


def _recording_row(
    reader: Reader,
    recording: Recording,
    use: UseKind,
    found: Sequence[tuple[Tool, Decision, tuple[Step, ...]]],
    own: Own,
    wider: str,
    wordings: Mapping[str, Wording],
    note: Note,
    since: int,
) -> UseRow:
    about = {"recording": recording.isrc}
    wording = wordings.get(use)
    again = asked_again_in(own, since, wording, reader)
    lines = []
    for tool, decision, steps in found:
        effect = decided(decision, steps)
        query = f"?isrc={recording.isrc}&use={use.value}&tool={tool.slug}"
        lines.append(
            ToolLine(
                tool=tool,
                state=effect.state,
                sentence=effect.sentence,
                url=reader.url("permission_tool", tool=tool.slug),
                why_url=reader.url("why") + query,
            )
        )
    return UseRow(
        key=use.value,
        title=str(use.label),
        sentence=text_shown(use, wording, reader.language),
        answer=reader.switch(use, switched_on(own, again), wording=wording, about=about),
        said=said_in(own, again) or wider,
        asked_again=again,
        effects=(over_tools(lines),),
        tools=tuple(lines),
        beside=beside_in(own, since, reader, use.value, about),
        as_wider="" if own.speaks else wider,
        clear={"use": use.value, **about} if own.may_be_taken_back else {},
        more_url=f"{reader.url('answer_with', use=use.value)}?recording={recording.isrc}",
        announce=note.spoken(use),
        refused=note.refusal(use),
    )


def decided(decision: Decision, steps: Sequence[Step]) -> Effect:
    """What one decision comes to, in one line."""
    state = state_of(steps, allowed=decision.allowed)
    return Effect(state_now(state, steps), deciding_sentence(steps, state))


def over_tools(lines: Sequence[ToolLine]) -> Effect:
    """One line for a recording over all tools."""
    if not lines:
        return Effect("idle", _("No AI company holds a licence that would let it use this."))
    allowed = [one for one in lines if one.state in ("allowed", *WITHOUT_HER)]
    if allowed:
        states = [one.state for one in allowed]
        state = next((one for one in WITHOUT_HER if one in states), "allowed")
        if len(allowed) < len(lines) and state == "allowed":
            state = "partly"
        if len(allowed) <= 3:
            return Effect(
                state, _("For %(tools)s") % {"tools": ", ".join(one.tool.name for one in allowed)}
            )
        words = ngettext("For %(n)s tool", "For %(n)s tools", len(allowed))
        return Effect(state, words % {"n": count(len(allowed))})
    [(top, _number)] = Counter((one.state, one.sentence) for one in lines).most_common(1)
    return Effect(*top)


def one_row(rows: Sequence[UseRow], use: str) -> UseRow:
    """The row of one use kind."""
    return next(row for row in rows if row.key == use)
