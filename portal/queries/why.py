"""Why, step by step: reasons as a page shows them, and the one thing that the reader can change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from consent.decisions import Code, Verdict
from consent.models import Artist, LedgerEntry
from consent.queries.effective import Step, UseView
from consent.sentences import MOVES, YOU, Move, spell
from consent.words import Right, Stance
from portal.context import address
from portal.queries.rows import Reader, is_own_answer
from portal.roles import Scope

UNCLAIMED = frozenset({Code.RIGHT_UNKNOWN, Code.RIGHT_UNDER_CLAIMED})
"""What may be the artist's own to claim."""


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """One reason, as `components/reasons.html` takes it."""

    sentence: str
    says: str
    decides: bool
    at: datetime | None
    position: int | None
    by: str = ""
    authority: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class NextStep:
    """The one thing that would change it, and where."""

    sentence: str
    url: str = ""
    label: str = ""


def reason_lines(*many: Sequence[Step]) -> list[list[ReasonLine]]:
    """The reasons of several decisions with the moment at which each was written; one query."""
    positions = {step.seq for steps in many for step in steps if step.seq is not None}
    moments = (
        dict(LedgerEntry.objects.filter(seq__in=positions).values_list("seq", "recorded_at"))
        if positions
        else {}
    )
    says = {Verdict.YES.value: _("yes"), Verdict.NO.value: _("no"), Verdict.NOTE.value: _("noted")}
    return [
        [
            ReasonLine(
                sentence=step.sentence,
                says=says[step.verdict],
                decides=i == deciding(steps),
                at=moments.get(step.seq) if step.seq is not None else None,
                position=step.seq,
            )
            for i, step in enumerate(steps)
        ]
        for steps in many
    ]


def deciding(steps: Sequence[Step]) -> int:
    """The place of the step that decides: the first no, or the last of a yes."""
    for i, step in enumerate(steps):
        if step.verdict == Verdict.NO:
            return i
    return len(steps) - 1


def next_step(
    steps: Sequence[Step], reader: Reader, switch_url: str, *, billed: bool = True
) -> NextStep:
    """The one thing that this artist can change about a decision, or whose move it is.

    `billed`: she is on the recording; else she is only heard on it, and none of it is hers.
    """
    against = [step for step in steps if step.verdict == Verdict.NO]
    mine = [step for step in against if step.party == reader.artist.pk]
    if not against:
        if any(step.code == Code.OVERRIDDEN for step in steps):
            return NextStep(
                _(
                    "A contract lets this be decided without asking. What can be done: say no, "
                    "which is delivered as an objection."
                ),
                switch_url,
                _("The answer"),
            )
        return NextStep(
            _("You can say no at any time, without a reason."), switch_url, _("The answer")
        )
    for step in mine:
        if is_own_answer(step):
            others = len(against) - 1
            return NextStep(_own_answer(reader, alone=not others), switch_url, _("The answer"))
    offer = address("standard_licence", reader.artist.slug)
    for step in mine:
        if step.code in (Code.NO_EXPRESS_AUTHORITY, Code.NO_LICENCE):
            return NextStep(
                _("You hold this yourself: you can offer the standard licence from here."),
                offer,
                _("Offer the standard licence") if offer else "",
            )
    step = next((one for one in against if one.todo), against[0])
    if step.code in UNCLAIMED and billed and reader.may(Scope.SIGN_LICENCE):
        return NextStep(
            _("%(todo)s If it is yours, you can declare it yourself.") % {"todo": step.todo},
            address("own_rights", reader.artist.slug),
            _("Your rights"),
        )
    whose = whose_move(step)
    if not whose:
        return NextStep(_("There is nothing here that you can change."))
    return NextStep(
        _("There is nothing here for you to change: it is the move of %(whose)s. %(todo)s")
        % {"whose": whose, "todo": step.todo}
    )


def _own_answer(reader: Reader, *, alone: bool) -> str:
    if reader.is_own:
        if alone:
            return _("Your own answer stands in the way, and you can change it.")
        return _(
            "Your own answer stands in the way, and you can change it; that alone would not be "
            "enough."
        )
    if alone:
        return _("The artist's own answer stands in the way, and can be changed.")
    return _(
        "The artist's own answer stands in the way, and can be changed; that alone would not be "
        "enough."
    )


def next_for_use(view: UseView, reader: Reader, switch_url: str) -> NextStep | None:
    """The one thing that this artist can do so that a use could be allowed, if there is one."""
    if view.stance != Stance.ALLOW:
        alone = all(is_own_answer(gap.step) for gap in view.missing)
        if view.missing and alone:
            only = _("Only your own answer stands in the way.")
            if not reader.is_own:
                only = _("Only the artist's own answer stands in the way.")
            return NextStep(only, switch_url, _("Answer"))
        too = _("Your own answer stands in the way too; you can change it.")
        if not reader.is_own:
            too = _("The artist's own answer stands in the way too; it can be changed.")
        return NextStep(too, switch_url, _("Answer"))
    mine = (Code.NO_LICENCE, Code.NO_EXPRESS_AUTHORITY)
    offer = address("standard_licence", reader.artist.slug)
    if offer and any(
        gap.step.party == reader.artist.pk and gap.step.code in mine for gap in view.missing
    ):
        return NextStep(
            _("What is yours alone, you can license yourself, without any label."),
            offer,
            _("Offer the standard licence"),
        )
    return None


def whose_move(
    step: Step,
    *,
    own: str = "",
    settles: Mapping[Right, Sequence[str]] | None = None,
    me: Artist | None = None,
) -> str:
    """Whose move it is, by name where the name is known.

    `own` is the artist's name where nobody but herself delivered her recordings: what nobody
    claims there is hers to claim. `settles` names, by right, who can settle what is claimed twice
    (`portal.queries.rights.who_settles`). `me` is the artist, where the reader is she: “you”.
    """
    myself = "" if me is None else me.party.name
    if step.code == Code.RIGHT_OVER_CLAIMED:
        for right, names in (settles or {}).items():
            if names and step.sentence == spell(Code.RIGHT_OVER_CLAIMED, right=right.label):
                return ", ".join(str(YOU) if name == myself else name for name in names)
    move = Move(step.move)
    if own and step.code in UNCLAIMED:
        return str(YOU) if own == myself else own
    if move is Move.NOBODY:
        return ""
    if move in (Move.ARTIST, Move.HOLDER) and step.who:
        return str(YOU) if me is not None and step.party == me.pk else step.who
    return str(MOVES[move])
