"""Rates: what a licence version pays. Set once with the version, as the version itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consent.errors import Refused, refused_by
from consent.models import LicenceVersion
from consent.services.acts import take_turn
from royalties.models import Rate
from royalties.money import MoneyError, exponent
from royalties.words import RateBasis

if TYPE_CHECKING:
    from portal.models import User


@dataclass(frozen=True, slots=True)
class RateOffer:
    """One rate. `share_bp` for a share of revenue, else `price_micros` and its `currency`."""

    use: str
    right: str
    basis: str
    share_bp: int | None = None
    price_micros: int | None = None
    currency: str = ""


@transaction.atomic
def set_rates(
    *, by: "User | None", version: LicenceVersion, offers: Sequence[RateOffer]
) -> list[Rate]:
    """Say what `version` pays. Exactly the same again changes nothing.

    Raises `Refused`: `rates_differ` when the version has other rates already (sign a new version),
    `rate_use` for a use that the licence does not name, or the code of the field that is wrong.
    """
    take_turn("rates", version.pk)
    rates = [
        Rate(
            version=version,
            use=offer.use,
            right=offer.right,
            basis=offer.basis,
            share_bp=offer.share_bp,
            price_micros=offer.price_micros,
            currency=offer.currency,
        )
        for offer in offers
    ]
    there = {_said(rate) for rate in Rate.objects.filter(version=version)}
    if there:
        if there != {_said(rate) for rate in rates}:
            raise Refused(
                "rates_differ", _("This version has its rates. Sign a new version to change them.")
            )
        return list(Rate.objects.filter(version=version).order_by("id"))
    for rate in rates:
        if rate.use not in version.uses:
            raise Refused("rate_use", _("The licence does not name this use."), field="use")
        try:
            if rate.basis != RateBasis.SHARE_OF_REVENUE:
                exponent(rate.currency)
            rate.full_clean()
        except MoneyError as error:
            raise Refused("currency", str(error), field="currency") from error
        except ValidationError as error:
            raise refused_by(error) from error
        rate.save()
    return rates


def _said(rate: Rate) -> tuple[object, ...]:
    return (rate.use, rate.right, rate.basis, rate.share_bp, rate.price_micros, rate.currency)
