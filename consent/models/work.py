"""Work to do is a row: what is lost from a queue is found again by the sweeper."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class WorkState(models.TextChoices):
    WAITING = "waiting", _("waiting")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    DEAD = "dead", _("given up")


class WorkRow(models.Model):
    """One piece of work that must happen, whatever happens to the worker or to the queue.

    A worker takes a row with `claim`, which locks it until `locked_until`; if the worker dies,
    the lock runs out and the row is due again. `finish` and `fail` end an attempt. Doing the
    work twice must be harmless: unique constraints on what it produces see to that.
    """

    MAX_ATTEMPTS: ClassVar[int] = 5
    LOCK: ClassVar[timedelta] = timedelta(seconds=60)

    state = models.CharField(
        max_length=10, choices=WorkState.choices, default=WorkState.WAITING, editable=False
    )
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    next_at = models.DateTimeField(db_index=True, editable=False)
    locked_until = models.DateTimeField(null=True, blank=True, editable=False)
    last_error = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(editable=False)

    class Meta:
        abstract = True

    @classmethod
    def due(cls, at: datetime) -> models.QuerySet[Self]:
        """Rows that should be worked on at `at` (UTC): waiting, or abandoned by a dead worker."""
        rows: models.QuerySet[Self] = cls._default_manager.all()
        return rows.filter(
            Q(state=WorkState.WAITING, next_at__lte=at)
            | Q(state=WorkState.RUNNING, locked_until__lte=at)
        ).order_by("next_at", "pk")

    @classmethod
    def claim(
        cls, pk: Any, *, at: datetime, given_up: Callable[[Self], None] | None = None
    ) -> Self | None:
        """Take the row for one attempt, or return None when another worker has it or it is over.

        A row that was tried `MAX_ATTEMPTS` times is given up (`dead`) instead of tried again, so
        that work which kills its worker cannot do so for ever. `given_up` is called with it then,
        in the same transaction: whoever waits for it is told, or it is not given up yet.
        """
        with transaction.atomic():
            row = cls.due(at).select_for_update(skip_locked=True).filter(pk=pk).first()
            if row is None:
                return None
            if row.attempts >= cls.MAX_ATTEMPTS:
                row.state = WorkState.DEAD
                row.locked_until = None
                row.last_error = row.last_error or "its worker died at every attempt"
                row.save(update_fields=["state", "locked_until", "last_error"])
                if given_up is not None:
                    given_up(row)
                return None
            row.state = WorkState.RUNNING
            row.attempts += 1
            row.locked_until = at + cls.LOCK
            row.save(update_fields=["state", "attempts", "locked_until"])
            return row

    def keep(self, *, at: datetime) -> None:
        """Tell that the work is still going on: long work calls this between its steps."""
        self.locked_until = at + self.LOCK
        self.save(update_fields=["locked_until"])

    def finish(self) -> None:
        self.state = WorkState.DONE
        self.locked_until = None
        self.last_error = ""
        self.save(update_fields=["state", "locked_until", "last_error"])

    def fail(self, error: str, *, at: datetime) -> None:
        """End an attempt that failed; it is tried again later, each time after a longer pause."""
        self.state = WorkState.DEAD if self.attempts >= self.MAX_ATTEMPTS else WorkState.WAITING
        self.locked_until = None
        self.last_error = error[:2000]
        self.next_at = at + timedelta(seconds=5 * 4**self.attempts)
        self.save(update_fields=["state", "locked_until", "last_error", "next_at"])


class SteadyWorkRow(WorkRow):
    """Work that is tried for as long as it takes, with a pause of at most five minutes."""

    MAX_ATTEMPTS: ClassVar[int] = 30_000
    LONGEST_PAUSE: ClassVar[timedelta] = timedelta(minutes=5)

    class Meta:
        abstract = True

    def fail(self, error: str, *, at: datetime) -> None:
        """End an attempt that failed: it is tried again after a pause."""
        self.state = WorkState.WAITING
        self.locked_until = None
        self.last_error = error[:2000]
        self.next_at = at + min(
            self.LONGEST_PAUSE, timedelta(seconds=5 * 2 ** min(self.attempts, 9))
        )
        self.save(update_fields=["state", "locked_until", "last_error", "next_at"])

    def rest(self, *, until: datetime) -> None:
        """End an attempt that succeeded, with the same to do again at `until`."""
        self.state, self.attempts, self.next_at = WorkState.WAITING, 0, until
        self.locked_until = None
        self.last_error = ""
        self.save(update_fields=["state", "attempts", "next_at", "locked_until", "last_error"])
