"""Releasing money that was held for uses without permission: a decision, with a reason."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from royalties.models.allocation import Allocation


class HoldRelease(models.Model):
    """A decision to pay what was held; the next month that is closed pays it. Append-only."""

    allocation = models.OneToOneField(
        Allocation, primary_key=True, on_delete=models.PROTECT, related_name="hold_release"
    )
    reason = models.CharField(max_length=500)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    at = models.DateTimeField(editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(reason=""),
                name="held_money_is_released_with_a_reason",
                violation_error_code="hold_reason",
                violation_error_message=_("Say why this money can be paid."),
            )
        ]

    def __str__(self) -> str:
        return self.reason
