"""The demo's calendar: twelve whole months, and this one until an hour ago. All moments UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

MONTHS: Final = 12


@dataclass(frozen=True, slots=True)
class Calendar:
    """`now` is the machine's moment that everything is counted back from."""

    now: datetime

    @property
    def latest(self) -> datetime:
        """The last whole hour at which something in the story can happen."""
        return self.now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)

    @property
    def begins(self) -> datetime:
        return self.month(0)

    def month(self, number: int) -> datetime:
        """The first moment of a month of the story: 0 is the first, 12 the current one."""
        months = self.now.year * 12 + self.now.month - 1 - MONTHS + number
        return datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)

    def day(self, month: int, day: int, hour: int = 10, minute: int = 0) -> datetime:
        """A moment of a month of the story; `day` counts from 1."""
        return self.month(month) + timedelta(days=day - 1, hours=hour, minutes=minute)

    def ago(self, days: int, hour: int = 10, minute: int = 0) -> datetime:
        """A moment so many days back, never later than `latest`."""
        midnight = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        return min(
            midnight - timedelta(days=days) + timedelta(hours=hour, minutes=minute), self.latest
        )
