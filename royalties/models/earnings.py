"""Sums of published statement lines, kept so that pages need not add up a whole catalogue.

Derived: written in the transaction that publishes, checked against the lines by `audit_books`.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from royalties.models.fields import currency_field
from royalties.models.statement import Statement


class ToolEarnings(models.Model):
    """What one tool brought on one statement: `held_micros` beside `earned_micros`. Append-only."""

    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="tool_earnings")
    tool = models.ForeignKey("consent.Tool", on_delete=models.PROTECT, related_name="+")
    earned_micros = models.BigIntegerField()
    held_micros = models.BigIntegerField()
    events = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["statement", "tool"],
                name="one_sum_per_statement_and_tool",
                violation_error_code="tool_earnings",
                violation_error_message=_("This sum is there already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.tool_id}: {self.earned_micros}"


class RecordingEarnings(models.Model):
    """What one recording has brought a party in one currency, over all published months."""

    party = models.ForeignKey("consent.Party", on_delete=models.PROTECT, related_name="+")
    currency = currency_field()
    recording = models.ForeignKey("consent.Recording", on_delete=models.PROTECT, related_name="+")
    earned_micros = models.BigIntegerField()
    held_micros = models.BigIntegerField()
    events = models.BigIntegerField()

    class Meta:
        indexes = [
            models.Index(
                fields=["party", "currency", "-earned_micros", "recording"],
                name="recordings_by_earnings",
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["party", "currency", "recording"],
                name="one_sum_per_party_and_recording",
                violation_error_code="recording_earnings",
                violation_error_message=_("This sum is there already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.recording_id}: {self.earned_micros}"
