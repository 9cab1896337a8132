"""Wake-ups: closing the months that are over, looking after the books."""

import logging
from datetime import timedelta

from celery import shared_task

from consent.clock import now
from royalties.models import Period
from royalties.queries.books import audit_books
from royalties.services.closing import begin_closing
from royalties.words import PeriodState

logger = logging.getLogger(__name__)

GRACE = timedelta(days=5)
"""How long after its end a month waits for late reports before it is closed by itself."""


@shared_task(name="royalties.close_due_periods")
def close_due_periods() -> int:
    """Begin to close the earliest month that is still open, if its grace is over. For a clock.

    Calling it twice is harmless, missing it too: the next call finds the month. Returns how many
    closings were begun (0 or 1): a month follows when the one before it has been published.
    """
    period = Period.objects.exclude(state=PeriodState.PUBLISHED).order_by("starts_on").first()
    if period is None or period.state != PeriodState.OPEN or now() < period.ends_at + GRACE:
        return 0
    begin_closing(by=None, period=period)
    return 1


@shared_task(name="royalties.audit_books")
def audit_the_books() -> int:
    """Add up the books by independent sums, every night; returns how many do not agree.

    Each that does not is logged as an error: nothing is repaired by itself.
    """
    problems = audit_books()
    for problem in problems:
        logger.error("The books do not agree: %s: %s", problem.code, problem.found)
    return len(problems)
