"""`{% load liner %}`: every tag and filter of this project, in one library."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django import template
from django.core.paginator import Page
from django.forms import BoundField, CheckboxInput, FileInput
from django.utils.html import format_html
from django.utils.safestring import SafeString

from consent.identifiers import display_isrc
from consent.words import Stance
from portal.templatetags import charts, figures, times, wording

register = template.Library()

register.simple_tag(figures.money_minor)
register.simple_tag(figures.money_micros)
register.simple_tag(figures.money_whole)
register.filter(figures.percent_bp)
register.filter("count", figures.count)
register.filter(times.duration)
register.filter(wording.initials)
register.filter(wording.use_title)
register.filter(wording.stance_word)
register.filter("state", wording.state)
register.filter("places", wording.places_in_words)
register.simple_tag(wording.in_script)


@register.simple_tag
def when(at: datetime | date | None, style: str = "") -> SafeString | str:
    """A moment or a day as `<time>`; nothing for None. Styles: see `times.moment`, `times.day`.

    The first or last day of a term is one of `from` and `until` (`times.term_day`).
    """
    if at is None:
        return ""
    if isinstance(at, datetime) and style in {"from", "until"}:
        return times.term_day(at, style)
    if isinstance(at, datetime):
        return times.moment(at, style or "minute")
    return times.day(at, style or "day")


@register.simple_tag
def stances() -> list[tuple[str, str]]:
    """The four answers with their words, in the order in which every switch shows them."""
    return [(stance.value, str(stance.label)) for stance in Stance]


@register.filter
def isrc(code: str) -> SafeString:
    """An ISRC as sleeves print it, in one piece: `NO-UM7-24-00192`."""
    return format_html('<span class="isrc">{}</span>', display_isrc(code))


@register.inclusion_tag("components/chart.html")
def bar_chart(chart: charts.BarChart) -> dict[str, Any]:
    """A figure with its legend and the table behind it."""
    return {"chart": chart}


@register.simple_tag
def sparkline(values: Sequence[int], label: str) -> SafeString:
    """A small line beside a figure; `label` is its text alternative."""
    return format_html(
        '<svg class="spark" viewBox="0 0 100 24" preserveAspectRatio="none" role="img"'
        ' aria-label="{}"><polyline points="{}"/></svg>',
        label,
        charts.spark_points(values),
    )


@register.filter
def at(items: Sequence[Any], index: int) -> Any:
    """The item at a place, counted from 0; nothing where there is none."""
    return items[index] if index < len(items) else ""


@register.filter
def page_range(page: Page[Any]) -> list[int | str]:
    """Page numbers around the current one, with “…” where some are left out."""
    return list(page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1))


@register.filter
def kind(field: BoundField) -> str:
    """How a field is laid out: `tick` (one box beside its label), `file`, or `text`."""
    widget = field.field.widget
    if isinstance(widget, CheckboxInput):
        return "tick"
    return "file" if isinstance(widget, FileInput) else "text"
