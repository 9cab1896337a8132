"""Moments and days, in the reader's zone and language, with the machine's reading beside them."""

from datetime import UTC, date, datetime

from babel.dates import format_date, format_datetime
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from consent import days
from portal.templatetags.figures import current_locale


def moment(at: datetime, style: str = "minute") -> SafeString:
    """A moment as ``<time datetime="…Z">3 Nov 2026, 14:03</time>`` in the reader's zone.

    Styles: ``minute`` (day and time), ``day``, ``month`` (October 2026), ``exact`` (with seconds
    and the zone's name). The ``datetime`` attribute is UTC; the title names the zone.
    Raises ``ValueError`` for a naive datetime and for an unknown style.
    """
    if timezone.is_naive(at):
        raise ValueError("A moment needs a time zone; moments are kept in UTC.")
    patterns = {
        "minute": "d MMM y, HH:mm",
        "day": "d MMM y",
        "month": "LLLL y",
        "exact": "d MMM y, HH:mm:ss",
    }
    if style not in patterns:
        raise ValueError(f"{style!r} is not a style of moments: {', '.join(patterns)}.")
    local = timezone.localtime(days.within_calendar(at))
    text = format_datetime(local, patterns[style], locale=current_locale(), tzinfo=local.tzinfo)
    if style == "exact":
        text = f"{text} {_zone(local)}"
    machine = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', machine, timezone.get_current_timezone(), text
    )


def plain_day(at: datetime) -> str:
    """The day of a moment in the reader's zone, as plain text for use within a sentence."""
    local = timezone.localtime(days.within_calendar(at))
    return format_date(local.date(), "d MMM y", locale=current_locale())


def plain_minute(at: datetime) -> str:
    """A moment in the reader's zone, with the zone's name, as plain text: for a mail."""
    local = timezone.localtime(days.within_calendar(at))
    text = format_datetime(local, "d MMM y, HH:mm", locale=current_locale(), tzinfo=local.tzinfo)
    return f"{text} {_zone(local)}"


def _zone(local: datetime) -> str:
    """What a moment's clock is off UTC: names such as CET stand for several."""
    off = local.strftime("%:z")
    return "UTC" if off == "+00:00" else f"UTC{off}"


def term_day(at: datetime, style: str = "until") -> SafeString:
    """The day with which a term begins (``from``) or ends (``until``), the same for every reader.

    Days of terms are those of UTC (`consent.days`); where the reader's own is another one, it says
    so: ``1 Jan 2028 (UTC)``. The ``datetime`` attribute is the exact moment.
    """
    machine = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = plain_begin(at) if style == "from" else plain_end(at)
    return format_html('<time datetime="{}">{}</time>', machine, text)


def plain_begin(at: datetime) -> str:
    """The day with which a term begins, as plain text for use within a sentence."""
    return _term(days.first_day(at), elsewhere=days.begins_elsewhere(at))


def plain_end(at: datetime) -> str:
    """The last day of a term, as plain text for use within a sentence."""
    return _term(days.last_day(at), elsewhere=days.ends_elsewhere(at))


def _term(on: date, *, elsewhere: bool) -> str:
    text = format_date(on, "d MMM y", locale=current_locale())
    return _("%(day)s (UTC)") % {"day": text} if elsewhere else text


def day(on: date, style: str = "day") -> SafeString:
    """A calendar day, which has no zone: ``<time datetime="2026-11-03">3 Nov 2026</time>``.

    With ``style="month"`` it stands for its month, as periods do: ``October 2026``.
    Raises ``TypeError`` for a datetime, whose day depends on the reader's zone (use `moment`).
    """
    if isinstance(on, datetime):
        raise TypeError("A moment is not a day: use moment(), which knows the reader's zone.")
    if style == "month":
        text = format_date(on, "LLLL y", locale=current_locale())
        return format_html('<time datetime="{}">{}</time>', on.strftime("%Y-%m"), text)
    text = format_date(on, "d MMM y", locale=current_locale())
    return format_html('<time datetime="{}">{}</time>', on.isoformat(), text)


def month_initial(on: date) -> str:
    """The short name of a month for the foot of a chart: ``Nov``."""
    return format_date(on, "LLL", locale=current_locale()).rstrip(".")


def duration(milliseconds: int | None) -> str:
    """A length as sleeves print it: 214000 is ``3:34``; an unknown one is empty."""
    if milliseconds is None:
        return ""
    minutes, seconds = divmod((milliseconds + 500) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
