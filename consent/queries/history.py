"""What was allowed then? The same answer today and in ten years.

Two moments make an answer: `at`, when it applied, and what was known, as a ledger position
(`known_seq`) or as a moment (`known_at`). Facts that were recorded later than either are not read,
and nothing that was recorded ever changes, so the answer cannot.
"""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from consent.decisions import Decision
from consent.errors import NotFound, Refused
from consent.identifiers import IdentifierError, normalise_isrc
from consent.models import AICompany, ToolState
from consent.queries.decision import Ask, decide_many
from consent.queries.ledger import Position, head, position_at


@dataclass(frozen=True, slots=True)
class ToolThen:
    """What held for one tool; `tool` is its slug."""

    tool: str
    decision: Decision


@dataclass(frozen=True, slots=True)
class History:
    """The answer for one recording and use, for each tool that was asked about.

    `at` (UTC) and `known_seq` make it come again for ever. `settled` is False while an act that was
    just being committed could still turn out to lie before `known_at`: ask with `known_seq`.
    """

    isrc: str
    use: str
    territory: str | None
    at: datetime
    known_seq: int
    settled: bool
    tools: tuple[ToolThen, ...]

    @property
    def allowed(self) -> bool:
        """Was it allowed to any of the tools?"""
        return any(each.decision.allowed for each in self.tools)


def what_was_allowed(
    *,
    isrc: str,
    use: str,
    at: datetime,
    tool: str = "",
    company: str = "",
    territory: str | None = None,
    known_at: datetime | None = None,
    known_seq: int | None = None,
) -> History:
    """Was this use of this recording allowed at the moment `at` (UTC), to a tool or a company?

    Name a `tool` or a `company` by its slug; for a company all its tools of that time are answered.
    Known is what the ledger held at `known_at` or at `known_seq`, everything by default. An ISRC, a
    use or a tool that nobody knew is a no with that reason. Raises `Refused` (`isrc_malformed`,
    `tool_or_company`, `known_twice`, `not_yet_known`) and `NotFound` (`unknown_company`).
    """
    if bool(tool) == bool(company):
        raise Refused("tool_or_company", _("Name one tool or one company."), field="tool")
    try:
        stored = normalise_isrc(isrc)
    except IdentifierError as error:
        raise Refused(error.code, error.sentence, field="isrc") from error
    known = known_position(known_at, known_seq)
    slugs = [tool] if tool else tools_then(company, at, known.seq)
    asks = [Ask(stored, use, slug, territory, at) for slug in slugs]
    decisions = decide_many(asks, known_seq=known.seq).decisions if asks else ()
    return History(
        isrc=stored,
        use=use,
        territory=territory,
        at=at,
        known_seq=known.seq,
        settled=known.settled,
        tools=tuple(ToolThen(s, d) for s, d in zip(slugs, decisions, strict=True)),
    )


def known_position(known_at: datetime | None, known_seq: int | None) -> Position:
    """How far the ledger was known, said by a moment (UTC) or a position; neither: all of it.

    What has not been written yet is refused, because the same question would be answered otherwise
    later. Raises `Refused` (`known_twice`, `not_yet_known`).
    """
    if known_at is not None and known_seq is not None:
        raise Refused(
            "known_twice", _("Say what was known by a moment or by a position, not both.")
        )
    if known_at is not None:
        return position_at(known_at)
    last = head()
    if known_seq is None:
        return Position(last, settled=True)
    if not 0 <= known_seq <= last:
        raise Refused("not_yet_known", _("The ledger has not come that far."), field="known_seq")
    return Position(known_seq, settled=True)


def tools_then(company: str, at: datetime, seq: int) -> list[str]:
    """The slugs of the tools that a company (by its slug) had at `at`, as far as `seq` knows.

    Raises `NotFound` (`unknown_company`).
    """
    if not AICompany.objects.filter(slug=company).exists():
        raise NotFound("unknown_company", _("There is no such company."), field="company")
    states = ToolState.objects.filter(
        tool__company__slug=company, entry__seq__lte=seq, entry__recorded_at__lte=at
    )
    return sorted(states.values_list("tool__slug", flat=True).distinct())
