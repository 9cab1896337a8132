"""Usage events: billable occurrences, as AI companies report them."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from consent.words import UseKind
from royalties.models.fields import currency_check, currency_field
from royalties.models.period import Period


class UsageEvent(models.Model):
    """A use that is to be paid for: of an output, or the training that a run was.

    `event_id` is the company's own, unique for it for ever. `allowed` is the decision at the
    moment of use; `UsageRefusal` names the recordings it was refused for, and their money is
    held. Times are UTC; `quantity` and `revenue_micros` (millionths of the major unit) are
    negative in a reversal, which names what it reverses. Append-only.
    """

    company = models.ForeignKey(
        "consent.AICompany", on_delete=models.PROTECT, related_name="usage_events"
    )
    event_id = models.CharField(max_length=100, help_text=_("the company's own id, unique"))
    body_digest = models.CharField(
        max_length=64, help_text=_("SHA-256 of the canonical report, hexadecimal")
    )
    tool = models.ForeignKey("consent.Tool", on_delete=models.PROTECT, related_name="usage_events")
    output = models.ForeignKey(
        "consent.Output",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="usage_events",
    )
    training_run = models.ForeignKey(
        "consent.TrainingRun",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="usage_events",
    )
    use = models.CharField(max_length=20, choices=UseKind.choices)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(editable=False)
    territory = models.CharField(
        max_length=2, blank=True, help_text=_("ISO 3166-1 alpha-2; empty: not said")
    )
    quantity = models.BigIntegerField(default=1)
    revenue_micros = models.BigIntegerField()
    currency = currency_field()
    reverses = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="reversals"
    )
    allowed = models.BooleanField(help_text=_("the decision at the moment of use"))
    reason = models.CharField(max_length=40, help_text=_("code of the deciding reason"))
    known_seq = models.BigIntegerField(help_text=_("the ledger position of that decision"))
    period = models.ForeignKey(
        Period,
        on_delete=models.PROTECT,
        related_name="events",
        help_text=_("the month it is paid in: its own, or the first still open when it came"),
    )

    class Meta:
        indexes = [
            models.Index(fields=["period", "tool"], name="events_to_allocate"),
            models.Index(fields=["output"], name="events_of_output"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["company", "event_id"],
                name="a_use_is_reported_once",
                violation_error_code="usage_event",
                violation_error_message=_("This use was reported already."),
            ),
            models.CheckConstraint(
                condition=Q(output__isnull=False, training_run=None)
                | Q(output=None, training_run__isnull=False),
                name="a_use_is_of_one_thing",
                violation_error_code="usage_of",
                violation_error_message=_("Report the use of one output, or of one training run."),
            ),
            models.CheckConstraint(
                condition=Q(reverses=None, quantity__gt=0, revenue_micros__gte=0)
                | Q(reverses__isnull=False, quantity__lt=0, revenue_micros__lte=0),
                name="only_a_reversal_is_negative",
                violation_error_code="usage_sign",
                violation_error_message=_(
                    "Quantity and revenue are negative in a reversal, and only there."
                ),
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=-(10**9), quantity__lte=10**9)
                & Q(revenue_micros__gte=-(10**15), revenue_micros__lte=10**15),
                name="a_use_has_a_believable_size",
                violation_error_code="usage_size",
                violation_error_message=_("Report at most a thousand million at once."),
            ),
            models.CheckConstraint(
                condition=Q(occurred_at__lte=F("received_at")),
                name="a_use_happened_before_it_was_reported",
                violation_error_code="usage_in_future",
                violation_error_message=_("A use is reported after it happened."),
            ),
            models.CheckConstraint(
                condition=Q(territory="") | Q(territory__regex=r"^[A-Z]{2}$"),
                name="a_territory_has_two_letters",
                violation_error_code="territory",
                violation_error_message=_("A territory has two capital letters, as in NO."),
            ),
            currency_check("usage_has_a_currency"),
        ]

    def __str__(self) -> str:
        return self.event_id


class UsageRefusal(models.Model):
    """A recording that a use was not allowed to draw on; its money waits. Append-only."""

    event = models.ForeignKey(UsageEvent, on_delete=models.PROTECT, related_name="refusals")
    recording = models.ForeignKey(
        "consent.Recording", on_delete=models.PROTECT, related_name="usage_refusals"
    )
    reason = models.CharField(max_length=40, help_text=_("code of the deciding reason"))
    known_seq = models.BigIntegerField(help_text=_("the ledger position of that decision"))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["event", "recording"],
                name="a_recording_is_refused_once",
                violation_error_code="usage_refusal",
                violation_error_message=_("This recording is refused already."),
            )
        ]

    def __str__(self) -> str:
        return self.reason


class UsageConflict(models.Model):
    """The same event id came again with another content: the first is kept, this one is shown.

    Append-only. Several different contents are several conflicts; the same one twice is one.
    """

    kept = models.ForeignKey(UsageEvent, on_delete=models.PROTECT, related_name="conflicts")
    body_digest = models.CharField(max_length=64)
    body = models.JSONField(help_text=_("what was reported the other time"))
    received_at = models.DateTimeField(editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kept", "body_digest"],
                name="a_conflict_is_noted_once",
                violation_error_code="usage_conflict",
                violation_error_message=_("This conflict is noted already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kept_id} {self.body_digest[:12]}"
