"""What anybody may be told about a recording: the effective state per use kind, and no more.

Decided by the same pure function as everything else, for a stranger: a tool that nobody has ever
heard of, from a company with which nobody has an agreement.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.translation import gettext_lazy as _

from consent.crosswalk import Signal
from consent.decisions import Code, Decision, Question, ToolFacts, Verdict, decide
from consent.errors import NotFound
from consent.queries.decision import Ask, load
from consent.words import UseKind

STRANGER: Final = ToolFacts(key=-1, company=-1, seq=0)

# What a licence would mend, and nothing else.
_LICENSABLE: Final = frozenset({Code.NO_LICENCE, Code.NO_EXPRESS_AUTHORITY})
# Nobody has said no: it is not known yet who may say yes, or they have not answered.
_OPEN: Final = frozenset(
    {
        Code.ARTIST_UNDECIDED,
        Code.ANSWER_OUTDATED,
        Code.ANSWER_REVOKED,
        Code.ANSWER_WITHOUT_GUARDIAN,
        Code.GUARDIAN_MISSING,
        Code.NO_MAIN_ARTIST,
        Code.RIGHT_UNKNOWN,
        Code.RIGHT_UNDER_CLAIMED,
        Code.VOICE_UNKNOWN,
    }
)


@dataclass(frozen=True, slots=True)
class Signals:
    """The state per use kind at ledger position `seq`; `at` is UTC."""

    isrc: str
    at: datetime
    seq: int
    uses: dict[UseKind, Signal]


def signals_of(isrc: str) -> Signals:
    """The signals of a recording by its stored ISRC; one query.

    Raises `NotFound` (`unknown_recording`) for one that is not here or was withdrawn.
    """
    loaded = load([Ask(isrc, use, "") for use in UseKind])
    uses: dict[UseKind, Signal] = {}
    for use in UseKind:
        facts = loaded.facts_for(Ask(isrc, use, ""), STRANGER)
        if facts.recording is None or facts.recording.withdrawn:
            raise NotFound("unknown_recording", _("No recording with this ISRC is known here."))
        uses[use] = signal_of(decide(Question(use, loaded.at), facts))
    return Signals(isrc, loaded.at, loaded.seq, uses)


def signal_of(decision: Decision) -> Signal:
    """What a decision about a stranger says in public.

    `by_licence` only when a licence is all that is missing; any other no is a no, unless all that
    stands in the way is that somebody has not answered. “Ask me” is a no.
    """
    if decision.allowed:
        return Signal.ALLOWED
    missing = {r.code for r in decision.reasons if r.verdict is Verdict.NO} - _LICENSABLE
    if not missing:
        return Signal.BY_LICENCE
    return Signal.UNDECIDED if missing <= _OPEN else Signal.DENIED
