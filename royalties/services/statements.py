"""Statements: drafted when a month is posted, published by a person, never changed after."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from consent.clock import now
from consent.errors import Refused
from consent.models import Party, Recording, Tool
from royalties.engine.bulk import copy_rows
from royalties.models import Period, Statement, StatementDraft
from royalties.money import micros_per_minor, round_to_sum
from royalties.services.posting import NewTransaction, balances, post
from royalties.words import AccountKind, PeriodState, Standing, TransactionKind

if TYPE_CHECKING:
    from portal.models import User


_LINE = (
    "statement_id",
    "position",
    "recording_id",
    "tool_id",
    "use",
    "standing",
    "held",
    "events",
    "amount_micros",
    "amount_minor",
)


@dataclass(frozen=True, slots=True)
class _Line:
    recording: int
    tool: int
    use: str
    standing: Standing
    held: str
    events: int
    amount_micros: int


@transaction.atomic
def draft_statements(*, period: Period, at: datetime) -> int:
    """Write the drafts of a posted month anew; returns how many. Drafts pay nobody."""
    StatementDraft.objects.filter(period=period).delete()
    carried = balances(kind=AccountKind.RESIDUE)
    drafts = [
        StatementDraft(
            period=period,
            party_id=party,
            currency=currency,
            earned_micros=_earned(lines),
            held_micros=_held(lines),
            carried_in_micros=carried.get((party, currency), 0),
            drafted_at=at,
        )
        for (party, currency), lines in _lines(period).items()
    ]
    return len(StatementDraft.objects.bulk_create(drafts))


@transaction.atomic
def publish_statements(*, by: "User | None", period: Period) -> list[Statement]:
    """Publish all statements of a posted month, and close the month for good.

    Each pays whole minor units into its party's balance; what is left, less than one, is carried
    on to the party's next statement. The database refuses to publish when a statement is not what
    was posted. Again is harmless: returns the statements that were published.

    Raises `Refused` (`period_not_posted`) while the month has not been closed so far.
    """
    period = Period.objects.select_for_update(no_key=True).get(pk=period.pk)
    if period.state == PeriodState.PUBLISHED:
        return list(Statement.objects.filter(period=period).order_by("id"))
    if period.state != PeriodState.POSTED:
        raise Refused("period_not_posted", _("This month is not ready to be published."))
    at = now()
    carried = balances(kind=AccountKind.RESIDUE)
    grouped = _lines(period)
    names = _Names(period, grouped)
    statements: list[Statement] = []
    lines: list[list[tuple[_Line, int]]] = []
    carries: list[NewTransaction] = []
    for (party, currency), parts in grouped.items():
        statement, shown = _statement(period, party, currency, parts, carried, names)
        statement.published_by = by
        statement.published_at = at
        statements.append(statement)
        lines.append(shown)
        moved = statement.carried_out_micros - statement.carried_in_micros
        carry = NewTransaction(TransactionKind.CARRY, f"{period}/{names.parties[party]}", currency)
        carry.move(AccountKind.RESIDUE, party, moved)
        carry.move(AccountKind.PAYABLE, party, -moved)
        carries.append(carry)
    Statement.objects.bulk_create(statements)
    copy_rows(
        "royalties_statementline",
        _LINE,
        (
            (
                statement.pk,
                position,
                line.recording,
                line.tool,
                line.use,
                line.standing.value,
                line.held,
                line.events,
                line.amount_micros,
                minor,
            )
            for statement, shown in zip(statements, lines, strict=True)
            for position, (line, minor) in enumerate(shown, start=1)
        ),
    )
    _sum_up(period)
    post(period=period, transactions=carries, at=at)
    StatementDraft.objects.filter(period=period).delete()
    period.state = PeriodState.PUBLISHED
    period.published_at = at
    period.save(update_fields=["state", "published_at"])
    return statements


def _sum_up(period: Period) -> None:
    """Add the month's lines to the sums that pages read."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO royalties_toolearnings
                   (statement_id, tool_id, earned_micros, held_micros, events)
            SELECT l.statement_id, l.tool_id,
                   coalesce(sum(l.amount_micros) FILTER (WHERE l.standing <> 'held'), 0),
                   coalesce(sum(l.amount_micros) FILTER (WHERE l.standing = 'held'), 0),
                   sum(l.events)
              FROM royalties_statementline l
              JOIN royalties_statement s ON s.id = l.statement_id
             WHERE s.period_id = %s GROUP BY l.statement_id, l.tool_id ORDER BY 1, 2
            """,
            [period.pk],
        )
        cursor.execute(
            """
            INSERT INTO royalties_recordingearnings AS e
                   (party_id, currency, recording_id, earned_micros, held_micros, events)
            SELECT s.party_id, s.currency, l.recording_id,
                   coalesce(sum(l.amount_micros) FILTER (WHERE l.standing <> 'held'), 0),
                   coalesce(sum(l.amount_micros) FILTER (WHERE l.standing = 'held'), 0),
                   sum(l.events)
              FROM royalties_statementline l
              JOIN royalties_statement s ON s.id = l.statement_id
             WHERE s.period_id = %s
             GROUP BY s.party_id, s.currency, l.recording_id ORDER BY 1, 2, 3
            ON CONFLICT (party_id, currency, recording_id) DO UPDATE
               SET earned_micros = e.earned_micros + excluded.earned_micros,
                   held_micros = e.held_micros + excluded.held_micros,
                   events = e.events + excluded.events
            """,
            [period.pk],
        )


def _statement(
    period: Period,
    party: int,
    currency: str,
    parts: Sequence[_Line],
    carried: dict[tuple[int | None, str], int],
    names: "_Names",
) -> tuple[Statement, list[tuple["_Line", int]]]:
    payable = [part for part in parts if part.standing != Standing.HELD]
    held = [part for part in parts if part.standing == Standing.HELD]
    carried_in = carried.get((party, currency), 0)
    # What was carried in stands first, so that what is shown adds up with it.
    rounded, carried_out = round_to_sum([carried_in, *(p.amount_micros for p in payable)], currency)
    held_rounded, _rest = round_to_sum([p.amount_micros for p in held], currency)
    shown = list(zip([*payable, *held], [*rounded[1:], *held_rounded], strict=True))
    statement = Statement(
        period=period,
        party_id=party,
        currency=currency,
        earned_micros=_earned(parts),
        held_micros=_held(parts),
        carried_in_micros=carried_in,
        carried_out_micros=carried_out,
        minor_unit_micros=micros_per_minor(currency),
        paid_minor=sum(rounded),
    )
    statement.digest = _digest(statement, shown, names)
    return statement, shown


class _Names:
    """What a statement calls things by, wherever it is read: not ids of this database."""

    def __init__(self, period: Period, grouped: dict[tuple[int, str], list[_Line]]) -> None:
        self.period = str(period)
        parts = [part for lines in grouped.values() for part in lines]
        self.parties = {
            pk: str(ref)
            for pk, ref in Party.objects.filter(pk__in={p for p, _c in grouped}).values_list(
                "pk", "ref"
            )
        }
        self.recordings = dict(
            Recording.objects.filter(pk__in={p.recording for p in parts}).values_list("pk", "isrc")
        )
        self.tools = dict(
            Tool.objects.filter(pk__in={p.tool for p in parts}).values_list("pk", "slug")
        )


def _digest(statement: Statement, lines: Iterable[tuple[_Line, int]], names: _Names) -> str:
    """SHA-256 of the statement as canonical JSON: the same facts give the same bytes.

    Everything in it is text, of which `json` makes what RFC 8785 asks for.
    """
    said: dict[str, Any] = {
        "period": names.period,
        "party": names.parties[statement.party_id],
        "currency": statement.currency,
        "earned_micros": str(statement.earned_micros),
        "held_micros": str(statement.held_micros),
        "carried_in_micros": str(statement.carried_in_micros),
        "carried_out_micros": str(statement.carried_out_micros),
        "paid_minor": str(statement.paid_minor),
        "lines": [
            [
                names.recordings[line.recording],
                names.tools[line.tool],
                line.use,
                line.standing.value,
                line.held,
                str(line.events),
                str(line.amount_micros),
                str(minor),
            ]
            for line, minor in lines
        ],
    }
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _earned(lines: Iterable[_Line]) -> int:
    return sum(line.amount_micros for line in lines if line.standing != Standing.HELD)


def _held(lines: Iterable[_Line]) -> int:
    return sum(line.amount_micros for line in lines if line.standing == Standing.HELD)


def _lines(period: Period) -> dict[tuple[int, str], list[_Line]]:
    """What the month's allocations say for each party and currency, in the order of a statement.

    Payable and released lines first, then held ones, each by ISRC, tool and use. A use that pays
    for several rights is one use.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT g.payee_id, g.currency, g.recording_id, g.tool_id, g.use, g.held, g.released,
                   max(g.events), sum(g.amount)
              FROM (SELECT l.payee_id, a.currency, a.recording_id, a.tool_id, a.use, a.held,
                           a.releases_id IS NOT NULL AS released, a."right",
                           sum(a.events) AS events, sum(l.amount_micros) AS amount
                      FROM royalties_allocation a
                      JOIN royalties_allocationline l ON l.allocation_id = a.id
                     WHERE a.period_id = %s AND l.payee_id IS NOT NULL
                     GROUP BY 1, 2, 3, 4, 5, 6, 7, 8) g
              JOIN consent_recording r ON r.id = g.recording_id
              JOIN consent_tool t ON t.id = g.tool_id
             GROUP BY 1, 2, 3, 4, 5, 6, 7, r.isrc, t.slug
             ORDER BY g.payee_id, g.currency, g.held <> '', g.released, r.isrc, t.slug, g.use,
                      g.held
            """,
            [period.pk],
        )
        rows = cursor.fetchall()
    grouped: defaultdict[tuple[int, str], list[_Line]] = defaultdict(list)
    for payee, currency, recording, tool, use, held, released, events, amount in rows:
        standing = Standing.HELD if held else Standing.RELEASED if released else Standing.PAYABLE
        grouped[payee, currency].append(
            _Line(recording, tool, use, standing, held, int(events), int(amount))
        )
    return dict(grouped)
