"""Payouts: money that leaves a party's balance."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from royalties.models.fields import currency_check, currency_field
from royalties.words import PayoutState


class Payout(models.Model):
    """A request to pay a party from its balance. Requesting it takes it from the balance at once.

    `key` is the requester's: the same key twice is one payout.
    """

    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    party = models.ForeignKey("consent.Party", on_delete=models.PROTECT, related_name="payouts")
    currency = currency_field()
    amount_minor = models.BigIntegerField()
    key = models.CharField(max_length=100)
    state = models.CharField(
        max_length=10, choices=PayoutState.choices, default=PayoutState.REQUESTED, editable=False
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ("-requested_at",)
        constraints = [
            models.UniqueConstraint(
                fields=["party", "key"],
                name="a_payout_is_requested_once",
                violation_error_code="payout",
                violation_error_message=_("This payout was requested already."),
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0),
                name="a_payout_pays_something",
                violation_error_code="payout_amount",
                violation_error_message=_("A payout is of more than nothing."),
            ),
            currency_check("a_payout_has_a_currency"),
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor} {self.currency}"
