"""What amounts and currencies look like in every table of this app."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

CURRENCY_PATTERN = r"^[A-Z]{3}$"


def currency_field(**options: Any) -> "models.CharField[str, str]":
    """An ISO 4217 code, as `EUR`."""
    return models.CharField(max_length=3, help_text=_("ISO 4217"), **options)


def currency_check(name: str) -> models.CheckConstraint:
    """Three capitals. Which of them ISO 4217 lists is known to `royalties.money`."""
    return models.CheckConstraint(
        condition=Q(currency__regex=CURRENCY_PATTERN),
        name=name,
        violation_error_code="currency",
        violation_error_message=_("A currency has three capital letters, as in EUR."),
    )
