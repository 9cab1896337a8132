"""Finding the month in which something is paid."""

from datetime import UTC, date, datetime

from django.db import connection

from royalties.models import Period
from royalties.words import PeriodState


def month_of(moment: datetime) -> date:
    """The first day of the calendar month of `moment`, in UTC."""
    return moment.astimezone(UTC).date().replace(day=1)


def open_period_for(*, month: date) -> Period:
    """The period of `month`, or the first later one that is open: what comes late is paid next.

    `month` is the first day of a month. Creates the period if there is none yet.
    """
    while True:
        period = _period(month)
        if period.state == PeriodState.OPEN:
            return period
        month = period.next_on


def _period(month: date) -> Period:
    period = Period.objects.filter(starts_on=month).first()
    if period is not None:
        return period
    # A month without a row that lies before a closed one was never used, and is closed with it.
    later = (
        Period.objects.filter(starts_on__gt=month)
        .exclude(state=PeriodState.OPEN)
        .order_by("-starts_on")
        .first()
    )
    if later is not None:
        return _period(later.next_on)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO royalties_period (starts_on, state) VALUES (%s, %s)"
            " ON CONFLICT DO NOTHING",
            [month, PeriodState.OPEN],
        )
    return Period.objects.get(starts_on=month)
