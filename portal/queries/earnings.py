"""Money for pages: charts, and how each amount became what it is, in sentences.

The figures are those of `royalties.queries`; here they become words. Nothing is rounded but what a
drawing needs.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from babel.dates import format_date
from django.core.paginator import Paginator
from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from consent.models import Artist
from consent.words import Right
from portal.queries.reasons import reason_held
from portal.templatetags.charts import FILLS, BarChart, Series
from portal.templatetags.figures import (
    count,
    current_locale,
    money_micros,
    money_minor,
    money_whole,
    percent_bp,
)
from portal.templatetags.times import month_initial
from royalties.allocation import Step
from royalties.models import Statement, StatementLine
from royalties.money import exponent
from royalties.queries.earnings import (
    MonthEarned,
    MonthToolEarned,
    earnings_by_month_and_tool,
)
from royalties.queries.explain import EventOfLine, PartExplained, events_of_line, explain_line

MONTHS: Final = 12
LINES: Final = 50
EVENTS: Final = 50
MICRO_PLACES: Final = 6


def months_back(last: date, months: int) -> list[date]:
    """That many months up to and with `last`, in order."""
    number = last.year * 12 + last.month - 1
    return [date(n // 12, n % 12 + 1, 1) for n in range(number - months + 1, number + 1)]


def charts_of(artist: Artist, months: Sequence[MonthEarned]) -> list[BarChart]:
    """One chart per currency over the last twelve published months, by tool; one query.

    `months` are those of `earnings_by_month`, of which the newest is the last bar.
    """
    if not months:
        return []
    span = months_back(months[0].month, MONTHS)
    rows = earnings_by_month_and_tool(artist, since=span[0], until=span[-1])
    currencies = sorted({row.currency for row in rows})
    return [_chart([r for r in rows if r.currency == one], one, span) for one in currencies]


def _chart(rows: Sequence[MonthToolEarned], currency: str, span: Sequence[date]) -> BarChart:
    totals: Counter[str] = Counter()
    earned: Counter[tuple[str, date]] = Counter()
    for row in rows:
        totals[row.tool_name] += row.earned_micros
        earned[row.tool_name, row.month] += row.earned_micros
    names = [name for name, _amount in totals.most_common()]
    shown, rest = (names, []) if len(names) <= FILLS else (names[: FILLS - 1], names[FILLS - 1 :])
    series = [
        Series(name, [_drawn(earned[name, month], currency) for month in span]) for name in shown
    ]
    if rest:
        values = [_drawn(sum(earned[name, month] for name in rest), currency) for month in span]
        series.append(Series(_("Other tools"), values))
    first, last = (
        format_date(one, "LLLL y", locale=current_locale()) for one in (span[0], span[-1])
    )
    facts = {"first": first, "last": last, "sum": money_whole(sum(totals.values()), currency)}
    return BarChart(
        caption=_("Twelve months, by tool"),
        summary=_("Earned from %(first)s to %(last)s: %(sum)s in all. The table has the figures.")
        % facts,
        periods=[month_initial(one) for one in span],
        series=series,
        currency=currency,
    )


def _drawn(micros: int, currency: str) -> int:
    """Whole minor units for a bar; what was taken back on balance has no height."""
    return max(micros // _unit(currency), 0)


def _unit(currency: str) -> int:
    """Micros in one minor unit."""
    unit: int = 10 ** (MICRO_PLACES - exponent(currency))
    return unit


# --- Statements --------------------------------------------------------------------------


def lines_of(statement: Statement) -> "Paginator[StatementLine]":
    """The lines of a statement, in its order, with recordings and tools at hand."""
    rows = statement.lines.select_related("recording", "tool__company__party").order_by("position")
    return Paginator(rows, LINES)


def spread_of(statement: Statement) -> tuple[int, int]:
    """How many tools and how many recordings a statement speaks of; one query."""
    found = statement.lines.aggregate(
        tools=Count("tool", distinct=True), recordings=Count("recording", distinct=True)
    )
    return int(found["tools"]), int(found["recordings"])


def line_of(statement: Statement, position: int) -> StatementLine | None:
    """One line of a statement by its number; one query."""
    found: StatementLine | None = (
        statement.lines.filter(position=position)
        .select_related("statement__period", "recording", "tool__company__party")
        .first()
    )
    return found


def amount_of(line: StatementLine) -> str:
    """What the statement shows for a line."""
    return money_minor(line.amount_minor, line.statement.currency)


# --- How a line became what it is --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """One step, or the last line, as `components/steps.html` takes it."""

    sentence: str
    gives: str
    links: tuple[dict[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of one right, as `components/steps.html` takes them."""

    title: str
    summary: str
    steps: tuple[Told, ...]
    sum: Told | None
    open: bool = True


@dataclass(frozen=True, slots=True)
class LineTold:
    """A line opened: a box of steps per right, rate and split, and whether all was found again."""

    parts: tuple[Steps, ...]
    matches: bool
    held: str


def tell_line(line: StatementLine, *, shared: bool) -> LineTold:
    """Recompute a line from the records, and say each step.

    `shared`: its recording needs somebody else's say too.
    """
    explained = explain_line(line)
    parts = tuple(_part(part, line, alone=len(explained.parts) == 1) for part in explained.parts)
    held = reason_held(line.held, shared=shared) if line.held else ""
    return LineTold(parts, explained.matches, held)


def _part(part: PartExplained, line: StatementLine, *, alone: bool) -> Steps:
    told = [_step(step, part) for step in part.steps]
    if alone and part.amount_micros != _micros(line):
        told.append(
            Told(
                _("On the statement, in whole units, so that its lines add up to what is paid"),
                amount_of(line),
            )
        )
    matches = _("matches") if part.matches else _("does not match")
    title = _("%(right)s: how this became %(amount)s") % {
        "right": str(Right(part.right).label).capitalize(),
        "amount": money_micros(part.amount_micros, part.currency),
    }
    if part.held_in is not None:
        month = format_date(part.held_in, "LLLL y", locale=current_locale())
        title += " · " + _("held since %(month)s, released now") % {"month": month}
    return Steps(
        title=title,
        summary="",
        steps=tuple(told),
        sum=Told(_("Recomputed just now from the records above"), matches),
    )


def _micros(line: StatementLine) -> int:
    return line.amount_minor * _unit(line.statement.currency)


def _step(step: Step, part: PartExplained) -> Told:
    gives = money_micros(step.amount_micros, part.currency)
    licence = _("%(title)s, version %(n)s, signed by %(holder)s") % {
        "title": part.licence_title,
        "n": part.licence_number,
        "holder": part.licence_holder,
    }
    if step.code == "revenue":
        sentence = ngettext(
            "%(n)s use was reported, with what it brought in",
            "%(n)s uses were reported, with what they brought in",
            step.factor,
        ) % {"n": count(step.factor)}
        return Told(sentence, money_micros(step.amount_micros, part.revenue_currency))
    if step.code == "outputs":
        sentence = ngettext("%(n)s output was reported", "%(n)s outputs were reported", step.factor)
        return Told(sentence % {"n": count(step.factor)}, "")
    if step.code == "trainings":
        sentence = ngettext(
            "%(n)s training was reported", "%(n)s trainings were reported", step.factor
        )
        return Told(sentence % {"n": count(step.factor)}, "")
    if step.code == "rate":
        if part.steps[0].code == "revenue":
            rate = _("%(share)s of it, by the licence %(licence)s")
            return Told(rate % {"share": percent_bp(step.factor), "licence": licence}, gives)
        rate = _("%(price)s for each, by the licence %(licence)s")
        price = money_micros(step.factor, part.currency)
        return Told(rate % {"price": price, "licence": licence}, gives)
    if step.code == "influence":
        sentence = _(
            "Influence of this recording, %(share)s on average: an estimate, as it was reported"
        )
        return Told(sentence % {"share": percent_bp(step.factor)}, gives)
    sentence = _("Your share, %(share)s, by split %(n)s of this recording")
    return Told(sentence % {"share": percent_bp(step.factor), "n": part.split_number}, gives)


@dataclass(frozen=True, slots=True)
class EventPage:
    """A page of the uses behind a line, and where in all of them it lies."""

    rows: tuple[EventOfLine, ...]
    number: int
    total: int

    @property
    def first(self) -> int:
        return (self.number - 1) * EVENTS + 1

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1

    @property
    def has_next(self) -> bool:
        return self.last < self.total

    @property
    def has_previous(self) -> bool:
        return self.number > 1


def events_page(line: StatementLine, number: int) -> EventPage:
    """A page of the uses behind a line, counted from 1; past the end it is the last.

    Three queries, six past the end.
    """
    number = max(number, 1)
    found = events_of_line(line, offset=(number - 1) * EVENTS, limit=EVENTS)
    if not found.rows and number > 1:
        number = max(-(-found.total // EVENTS), 1)
        found = events_of_line(line, offset=(number - 1) * EVENTS, limit=EVENTS)
    return EventPage(found.rows, number, found.total)
