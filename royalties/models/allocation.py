"""Allocations: what a recording earned in a month, and to whom it falls."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from consent.words import Right, UseKind
from royalties.models.fields import currency_check, currency_field
from royalties.models.period import Period
from royalties.models.rate import Rate
from royalties.models.split import SplitVersion
from royalties.models.usage import UsageEvent


class Allocation(models.Model):
    """What one recording earned for one right, from one tool, under one rate and one split.

    `pool_micros` is what its uses owe for the right, `owed_micros` what of it falls to this
    recording: the sum of its shares (per use) and the sum of its lines (per party), which the
    database checks before any of it can be posted. `held` is empty when the money can be paid,
    else the code of why it waits. An allocation that `releases` another moves that one's held
    money to its payees. Append-only.
    """

    period = models.ForeignKey(Period, on_delete=models.PROTECT, related_name="allocations")
    tool = models.ForeignKey("consent.Tool", on_delete=models.PROTECT, related_name="allocations")
    use = models.CharField(max_length=20, choices=UseKind.choices)
    recording = models.ForeignKey(
        "consent.Recording", on_delete=models.PROTECT, related_name="allocations"
    )
    right = models.CharField(max_length=12, choices=Right.choices)
    currency = currency_field()
    rate = models.ForeignKey(Rate, null=True, on_delete=models.PROTECT, related_name="+")
    split = models.ForeignKey(SplitVersion, null=True, on_delete=models.PROTECT, related_name="+")
    held = models.CharField(max_length=40, blank=True, help_text=_("empty: it can be paid"))
    releases = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="released_by"
    )
    events = models.PositiveIntegerField()
    revenue_micros = models.BigIntegerField(help_text=_("as reported, of all its uses"))
    revenue_currency = models.CharField(max_length=3)
    pool_micros = models.BigIntegerField()
    owed_micros = models.BigIntegerField()

    class Meta:
        indexes = [
            models.Index(fields=["recording", "period"], name="allocations_of_recording"),
            models.Index(fields=["period"], condition=~Q(held=""), name="allocations_held"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "period",
                    "tool",
                    "use",
                    "recording",
                    "right",
                    "currency",
                    "revenue_currency",
                    "rate",
                    "split",
                    "held",
                ],
                condition=Q(releases=None),
                nulls_distinct=False,
                name="a_period_allocates_once",
                violation_error_code="allocation",
                violation_error_message=_("This was allocated already."),
            ),
            models.CheckConstraint(
                condition=Q(rate__isnull=False) | Q(held="no_rate", owed_micros=0, pool_micros=0),
                name="nothing_is_owed_without_a_rate",
                violation_error_code="allocation_rate",
                violation_error_message=_("Nothing is owed without a rate."),
            ),
            models.CheckConstraint(
                condition=Q(split__isnull=False) | ~Q(held=""),
                name="nothing_is_paid_without_a_split",
                violation_error_code="allocation_split",
                violation_error_message=_("Nothing can be paid without a split."),
            ),
            models.CheckConstraint(
                condition=Q(releases=None) | Q(held=""),
                name="what_is_released_can_be_paid",
                violation_error_code="allocation_release",
                violation_error_message=_("What is released can be paid."),
            ),
            currency_check("an_allocation_has_a_currency"),
        ]

    def __str__(self) -> str:
        return f"{self.recording_id} {self.right} {self.owed_micros} {self.currency}"


class AllocationShare(models.Model):
    """What one use adds to an allocation: `weight` of `weight_total` of its pool. Append-only.

    Its keys are checked for all rows of a statement at once (`a_share_is_of_a_use_of_its_period`,
    sql/sums.sql), which also says that the use is of that period and tool: the largest table here
    would be checked row by row otherwise. Both tables it points into keep what they hold for ever.
    """

    allocation = models.ForeignKey(
        Allocation, on_delete=models.PROTECT, related_name="shares", db_constraint=False
    )
    event = models.ForeignKey(
        UsageEvent, on_delete=models.PROTECT, related_name="shares", db_constraint=False
    )
    weight = models.BigIntegerField(help_text=_("influence in basis points, or 1 per recording"))
    weight_total = models.BigIntegerField()
    pool_micros = models.BigIntegerField()
    owed_micros = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["allocation", "event"],
                name="a_use_is_allocated_once",
                violation_error_code="allocation_share",
                violation_error_message=_("This use was allocated already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.owed_micros}"


class AllocationLine(models.Model):
    """What one party gets of an allocation; without a payee while no split names one.

    Append-only.
    """

    allocation = models.ForeignKey(Allocation, on_delete=models.PROTECT, related_name="lines")
    payee = models.ForeignKey(
        "consent.Party", null=True, on_delete=models.PROTECT, related_name="allocation_lines"
    )
    share_bp = models.PositiveIntegerField()
    amount_micros = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["allocation", "payee"],
                nulls_distinct=False,
                name="a_party_gets_one_line",
                violation_error_code="allocation_line",
                violation_error_message=_("This party has its line already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.amount_micros}"
