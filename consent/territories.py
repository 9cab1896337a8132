"""Territories: ISO 3166-1 alpha-2 countries, the only ones that a permission or licence names."""

from collections.abc import Iterable
from functools import cache

from babel import Locale
from django.utils.translation import gettext_lazy as _

from consent.errors import Refused

# Two letters in CLDR, but not countries: unions, pseudo-locales, reserved codes, unknown.
_NOT_COUNTRIES = frozenset(
    {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"}
)


@cache
def known_territories() -> frozenset[str]:
    """Every country code, upper case."""
    codes = (str(code) for code in Locale("en").territories)
    return frozenset(c for c in codes if len(c) == 2 and c.isalpha()) - _NOT_COUNTRIES


def normalise_territories(codes: Iterable[str]) -> list[str]:
    """Return the codes in upper case, sorted, each once; an empty list means the world.

    Raises `Refused` (`unknown_territory`) for the first code that is not a country's.
    """
    found = {code.strip().upper() for code in codes}
    for code in sorted(found - known_territories()):
        raise Refused(
            "unknown_territory",
            _("“%(code)s” is not a country code. Use two letters, as in NO or JP."),
            field="territories",
            params={"code": code[:20]},
        )
    return sorted(found)
