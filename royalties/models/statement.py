"""Statements: drafts that may still change, and published ones that never do."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from consent.words import UseKind
from royalties.models.fields import currency_check, currency_field
from royalties.models.period import Period
from royalties.words import Standing


class StatementDraft(models.Model):
    """What a statement will say unless something changes. Nobody is paid by a draft."""

    period = models.ForeignKey(Period, on_delete=models.PROTECT, related_name="drafts")
    party = models.ForeignKey("consent.Party", on_delete=models.PROTECT, related_name="drafts")
    currency = currency_field()
    earned_micros = models.BigIntegerField()
    held_micros = models.BigIntegerField()
    carried_in_micros = models.BigIntegerField()
    drafted_at = models.DateTimeField(editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["period", "party", "currency"],
                name="one_draft_per_party_and_currency",
                violation_error_code="statement_draft",
                violation_error_message=_("This statement is drafted already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.period} {self.party_id} {self.currency}"


class Statement(models.Model):
    """What a party earned in a month, in one currency, as it was published. Append-only.

    `carried_in_micros + earned_micros` is what there was; of it `paid_minor`, whole minor units,
    went to the party's balance and `carried_out_micros`, less than one minor unit, is carried on.
    `held_micros` waits and is in none of these. The database checks the lines before the month is
    published.
    """

    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    period = models.ForeignKey(Period, on_delete=models.PROTECT, related_name="statements")
    party = models.ForeignKey("consent.Party", on_delete=models.PROTECT, related_name="statements")
    currency = currency_field()
    earned_micros = models.BigIntegerField()
    held_micros = models.BigIntegerField()
    carried_in_micros = models.BigIntegerField()
    carried_out_micros = models.BigIntegerField()
    minor_unit_micros = models.PositiveIntegerField(help_text=_("micros in one minor unit"))
    paid_minor = models.BigIntegerField()
    digest = models.CharField(
        max_length=64, help_text=_("SHA-256 of the canonical statement, hexadecimal")
    )
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    published_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ("-period__starts_on", "currency")
        indexes = [models.Index(fields=["party", "period"], name="statements_of_party")]
        constraints = [
            models.UniqueConstraint(
                fields=["period", "party", "currency"],
                name="one_statement_per_party_and_currency",
                violation_error_code="statement",
                violation_error_message=_("This statement is published already."),
            ),
            models.CheckConstraint(
                condition=Q(
                    carried_out_micros=F("carried_in_micros")
                    + F("earned_micros")
                    - F("paid_minor") * F("minor_unit_micros")
                ),
                name="a_statement_adds_up",
                violation_error_code="statement_sum",
                violation_error_message=_("What is paid and carried on is what was there."),
            ),
            models.CheckConstraint(
                condition=Q(carried_out_micros__lt=F("minor_unit_micros"))
                & Q(carried_out_micros__gt=0 - F("minor_unit_micros")),
                name="less_than_one_minor_unit_is_carried_on",
                violation_error_code="statement_carry",
                violation_error_message=_("Only what is less than one unit is carried on."),
            ),
            currency_check("a_statement_has_a_currency"),
        ]

    def __str__(self) -> str:
        return f"{self.period} {self.party_id} {self.currency}"


class StatementLine(models.Model):
    """What one recording earned a party, from one tool in one use kind. Append-only.

    `amount_micros` is exact; `amount_minor` is what the statement shows, by largest remainder, so
    that what is shown adds up to what is paid. Held lines stand beside the sum, not in it.
    """

    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField()
    recording = models.ForeignKey(
        "consent.Recording", on_delete=models.PROTECT, related_name="statement_lines"
    )
    tool = models.ForeignKey(
        "consent.Tool", on_delete=models.PROTECT, related_name="statement_lines"
    )
    use = models.CharField(max_length=20, choices=UseKind.choices)
    standing = models.CharField(max_length=10, choices=Standing.choices)
    held = models.CharField(max_length=40, blank=True, help_text=_("why it waits"))
    events = models.PositiveIntegerField()
    amount_micros = models.BigIntegerField()
    amount_minor = models.BigIntegerField()

    class Meta:
        ordering = ("statement", "position")
        indexes = [models.Index(fields=["recording"], name="lines_of_recording")]
        constraints = [
            models.UniqueConstraint(
                fields=["statement", "position"],
                name="statement_lines_are_numbered",
                violation_error_code="statement_line",
                violation_error_message=_("This line is there already."),
            ),
            models.UniqueConstraint(
                fields=["statement", "recording", "tool", "use", "standing", "held"],
                name="a_statement_says_a_thing_once",
                violation_error_code="statement_line_twice",
                violation_error_message=_("The statement has a line for this already."),
            ),
            models.CheckConstraint(
                condition=Q(standing="held") & ~Q(held="") | ~Q(standing="held") & Q(held=""),
                name="a_held_line_says_why",
                violation_error_code="statement_line_held",
                violation_error_message=_("A line that is held says why."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position}: {self.amount_micros}"
