"""Jobs of the clock, each slot once, however many clocks there are."""

from datetime import datetime, timedelta

from consent import clock
from portal.models import JobSlot

KEPT = timedelta(days=2)


def take_slot(*, job: str, every: timedelta, at: datetime | None = None) -> bool:
    """Whether `job` is to run now: True once in every stretch of `every`, for one caller only.

    Slots are counted from the epoch in UTC, so neither two clocks nor a change to summer time
    make one run twice.
    """
    at = at or clock.now()
    step = every.total_seconds()
    slot = at - timedelta(seconds=at.timestamp() % step)
    slot = slot.replace(microsecond=0)
    __, created = JobSlot.objects.get_or_create(job=job, slot=slot)
    return created


def forget_slots() -> int:
    """Delete slots that are over; returns how many."""
    deleted, __ = JobSlot.objects.filter(slot__lt=clock.now() - KEPT).delete()
    return deleted
