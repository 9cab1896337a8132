"""What was allowed on a day: every answer that held in it, from its first moment to its last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Model, Q, QuerySet

from consent.decisions import Decision
from consent.models import (
    Artist,
    LicenceVersion,
    Permission,
    Recording,
    RecordingIdentity,
    RightsClaim,
    Tool,
    ToolState,
)
from consent.queries.effective import Step, steps_of
from consent.queries.history import known_position, tools_then, what_was_allowed
from portal.queries.rows import state_of
from portal.queries.why import ReasonLine, reason_lines

MOST = 12
"""How many changes of one day are looked at; a day with more says so."""


@dataclass(frozen=True, slots=True)
class Held:
    """What held from `since` on (UTC), as it is known at ledger position `known_seq`."""

    since: datetime
    state: str
    allowed: bool
    reasons: Sequence[ReasonLine]
    known_seq: int


@dataclass(frozen=True, slots=True)
class Day:
    """The answers of one day in order; `whole` is False when more changed than is shown."""

    held: tuple[Held, ...]
    whole: bool = True

    @property
    def changed(self) -> bool:
        return len({one.allowed for one in self.held}) > 1


def allowed_on(
    artist: Artist,
    recording: Recording,
    *,
    use: str,
    tool: Tool,
    begin: datetime,
    end: datetime,
    known_at: datetime | None = None,
    to_herself: bool = False,
) -> Day:
    """What held for one recording, use and tool between `begin` and `end` (UTC), for her people.

    `known_at` answers as it was known then; None: as it is known now. `to_herself`: the reader is
    the artist, and is spoken of as “you”. Raises as
    `consent.queries.history.what_was_allowed`.
    """
    changes = _changes(recording, use, tool, begin, end)
    found: list[tuple[datetime, Decision, int]] = []
    known_seq = None
    for at in (begin, *changes[:MOST]):
        answer = what_was_allowed(
            isrc=recording.isrc,
            use=use,
            tool=tool.slug,
            at=at,
            known_at=known_at if known_seq is None else None,
            known_seq=known_seq,
        )
        known_seq = answer.known_seq  # what is written meanwhile does not mix two answers
        found.append((at, answer.tools[0].decision, answer.known_seq))
    steps = steps_of(
        [decision for _at, decision, _seq in found], artist=artist, to_herself=to_herself
    )
    lines = reason_lines(*steps)
    held: list[Held] = []
    before: list[tuple[str, int | None]] | None = None
    for (at, decision, seq), why, reasons in zip(found, steps, lines, strict=True):
        same = [(step.sentence, step.seq) for step in why]
        if same != before:
            held.append(_held(at, decision, why, reasons, seq))
        before = same
    return Day(tuple(held), whole=len(changes) <= MOST)


def allowed_of_company(
    artist: Artist,
    recording: Recording,
    *,
    use: str,
    company: str,
    begin: datetime,
    end: datetime,
    known_at: datetime | None = None,
    to_herself: bool = False,
) -> list[tuple[Tool, Day]]:
    """As `allowed_on`, of each tool that a company (by its slug) had by `end`, by their names."""
    slugs = tools_then(company, end, known_position(known_at, None).seq)
    tools = Tool.objects.filter(slug__in=slugs).select_related("company__party").order_by("name")
    return [
        (
            tool,
            allowed_on(
                artist,
                recording,
                use=use,
                tool=tool,
                begin=begin,
                end=end,
                known_at=known_at,
                to_herself=to_herself,
            ),
        )
        for tool in tools
    ]


def _held(
    at: datetime,
    decision: Decision,
    steps: Sequence[Step],
    reasons: Sequence[ReasonLine],
    seq: int,
) -> Held:
    state = state_of(steps, allowed=decision.allowed)
    return Held(at, state, decision.allowed, reasons, seq)


def _changes(
    recording: Recording, use: str, tool: Tool, begin: datetime, end: datetime
) -> list[datetime]:
    """The moments within the day at which something that the decision reads began or ended."""
    identity = RecordingIdentity.objects.filter(recording=recording).order_by("-id").first()
    works = identity.works if identity is not None else []
    people = (
        identity.main_artists + identity.featured_artists + identity.voices
        if identity is not None
        else []
    )
    asset = Q(recording=recording) | Q(work__in=works) | Q(repertoire__in=people)
    about = Q(recording=None) | Q(recording=recording)
    answers = Permission.objects.filter(about, artist__in=people, use=use)
    licences = LicenceVersion.objects.filter(licence__company=tool.company_id)
    claims = RightsClaim.objects.filter(asset)
    moments: set[datetime] = set()
    for rows, fields in (
        (answers, ("valid_from", "valid_until")),
        (licences, ("starts_at", "ends_at")),
        (claims, ("valid_from", "valid_until")),
        (RecordingIdentity.objects.filter(recording=recording), ()),
        (ToolState.objects.filter(tool=tool), ()),
    ):
        moments |= _within(rows, fields, begin, end)
    return sorted(moments)


def _within(
    rows: "QuerySet[Model]", fields: Sequence[str], begin: datetime, end: datetime
) -> set[datetime]:
    near = Q(entry__recorded_at__gt=begin, entry__recorded_at__lte=end)
    for name in fields:
        near |= Q(**{f"{name}__gt": begin, f"{name}__lte": end})
    found = rows.filter(near).annotate(written=F("entry__recorded_at"))
    return {
        moment
        for row in found.values_list("written", *fields)[: 50 * MOST]
        for moment in row
        if moment is not None and begin < moment <= end
    }
