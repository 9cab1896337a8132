"""Periods: a calendar month in UTC, and how far it has been closed."""

from datetime import UTC, date, datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from consent.models.work import WorkRow
from royalties.words import ClosingPart, PeriodState


class Period(models.Model):
    """A month, whose state only moves forward, one step at a time; sealed, it takes no more uses.

    The database refuses uses, allocations, postings and statements that come at the wrong state,
    and refuses to seal a month while an earlier one is not published.
    """

    starts_on = models.DateField(unique=True)
    state = models.CharField(
        max_length=10, choices=PeriodState.choices, default=PeriodState.OPEN, editable=False
    )
    sealed_at = models.DateTimeField(null=True, editable=False)
    published_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("-starts_on",)
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_on__day=1),
                name="a_period_starts_on_the_first",
                violation_error_code="period",
                violation_error_message=_("A period is a calendar month."),
            ),
            models.CheckConstraint(
                condition=Q(state="open", sealed_at=None) | ~Q(state="open") & ~Q(sealed_at=None),
                name="a_closed_period_says_when_it_was_sealed",
                violation_error_code="period_sealed_at",
                violation_error_message=_("A closed period says when it was sealed."),
            ),
            models.CheckConstraint(
                condition=Q(state="published", published_at__isnull=False)
                | ~Q(state="published") & Q(published_at=None),
                name="a_published_period_says_when",
                violation_error_code="period_published_at",
                violation_error_message=_("A published period says when it was published."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.starts_on:%Y-%m}"

    @property
    def starts_at(self) -> datetime:
        """The first moment of the month, UTC."""
        return datetime(self.starts_on.year, self.starts_on.month, 1, tzinfo=UTC)

    @property
    def next_on(self) -> date:
        """The first day of the next month."""
        return (self.starts_on + timedelta(days=31)).replace(day=1)

    @property
    def ends_at(self) -> datetime:
        """The first moment after the month, UTC."""
        return datetime(self.next_on.year, self.next_on.month, 1, tzinfo=UTC)


class ClosingStep(WorkRow):
    """One part of closing a month that is done wholly or not at all; `tool` for `allocate`."""

    period = models.ForeignKey(Period, on_delete=models.PROTECT, related_name="steps")
    part = models.CharField(max_length=10, choices=ClosingPart.choices, editable=False)
    tool = models.ForeignKey(
        "consent.Tool", null=True, on_delete=models.PROTECT, related_name="+", editable=False
    )

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                fields=["period", "part", "tool"],
                nulls_distinct=False,
                name="each_part_of_a_closing_is_done_once",
                violation_error_code="closing_step",
                violation_error_message=_("This part of the closing is there already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.period} {self.part}"
