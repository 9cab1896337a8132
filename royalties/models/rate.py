"""Rates: what a licence version pays, per use kind and right."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from consent.words import Right, UseKind
from royalties.models.fields import currency_field
from royalties.words import RateBasis


class Rate(models.Model):
    """What one licence version pays for one right in one use kind. Append-only, as the version.

    A share of revenue is in basis points (`share_bp`) and owed in the currency of the revenue. A
    price is in micros (millionths of the major unit) of `currency`: for each output, or for each
    training run, shared by the recordings in it that are under this rate.
    """

    version = models.ForeignKey(
        "consent.LicenceVersion", on_delete=models.PROTECT, related_name="rates"
    )
    use = models.CharField(max_length=20, choices=UseKind.choices)
    right = models.CharField(max_length=12, choices=Right.choices)
    basis = models.CharField(max_length=16, choices=RateBasis.choices)
    share_bp = models.PositiveIntegerField(null=True, blank=True)
    price_micros = models.BigIntegerField(null=True, blank=True)
    currency = currency_field(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "use", "right"],
                name="one_rate_per_use_and_right",
                violation_error_code="rate",
                violation_error_message=_("This licence has a rate for that already."),
            ),
            models.CheckConstraint(
                condition=Q(
                    basis="share_of_revenue",
                    share_bp__gte=0,
                    share_bp__lte=10_000,
                    price_micros=None,
                    currency="",
                )
                | Q(
                    basis__in=["per_output", "flat_fee"],
                    share_bp=None,
                    price_micros__gte=0,
                    price_micros__lte=10**12,
                    currency__regex=r"^[A-Z]{3}$",
                ),
                name="a_rate_is_a_share_or_a_price",
                violation_error_code="rate_basis",
                violation_error_message=_(
                    "A rate is a share of at most 100 %%, or a price with its currency."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.use} {self.right} {self.basis}"

    @property
    def amount(self) -> int:
        """Basis points of a share, micros of a price."""
        if self.basis == RateBasis.SHARE_OF_REVENUE:
            return self.share_bp or 0
        return self.price_micros or 0
