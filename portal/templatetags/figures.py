"""Amounts, shares and counts as the reader's language writes them. Whole numbers in, text out."""

from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.numbers import NumberPattern, format_decimal, get_currency_symbol, parse_pattern
from django.utils.translation import get_language, to_locale

from royalties.money import exponent, whole

MICRO_PLACES = 6
BASIS_POINT_PLACES = 2  # 655 basis points are 6.55 %


def current_locale() -> Locale:
    """The locale of the active language; English where Babel does not know it."""
    language = get_language() or "en"
    try:
        return Locale.parse(to_locale(language))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


@lru_cache(maxsize=256)
def _currency_pattern(locale: Locale, currency: str, fewest: int, most: int) -> NumberPattern:
    """The locale's own way to write money, with the places that the currency has.

    Babel's own count of places is CLDR's, which for some currencies is that of cash in hand
    and not that of ISO 4217; an amount must show every unit that is owed.
    """
    text = locale.currency_formats["standard"].pattern
    if get_currency_symbol(currency, locale)[-1].isalpha():
        # CLDR's currency spacing: a code never touches the figures.
        text = text.replace("\N{CURRENCY SIGN}#", "\N{CURRENCY SIGN}\N{NO-BREAK SPACE}#")
    pattern = parse_pattern(text)
    pattern.frac_prec = (fewest, most)
    return pattern


def _money(value: Decimal, currency: str, fewest: int, most: int) -> str:
    locale = current_locale()
    pattern = _currency_pattern(locale, currency, fewest, most)
    text: str = pattern.apply(
        value, locale, currency=currency, currency_digits=False, decimal_quantization=False
    )
    return text.replace("-", "\N{MINUS SIGN}")


def money_minor(amount_minor: int, currency: str) -> str:
    """``money_minor(128406, "EUR")`` is ``€1,284.06`` in English, ``1.284,06 €`` in German.

    Raises ``TypeError`` for anything but an ``int`` and ``MoneyError`` for an unknown currency.
    """
    places = exponent(currency)
    return _money(Decimal(whole(amount_minor)).scaleb(-places), currency, places, places)


def money_micros(amount_micros: int, currency: str) -> str:
    """An exact amount in millionths of the major unit, never rounded.

    ``money_micros(412184800, "EUR")`` is ``€412.1848``; zeros stop at the minor unit.
    """
    value = Decimal(whole(amount_micros)).scaleb(-MICRO_PLACES)
    return _money(value, currency, exponent(currency), MICRO_PLACES)


def money_whole(amount_micros: int, currency: str) -> str:
    """An amount in millionths of the major unit, in whole minor units, towards zero.

    For a headline only: ``€66.60`` of ``€66.607978``. What is owed is said by `money_micros`.
    """
    places = exponent(currency)
    unit = 10 ** (MICRO_PLACES - places)
    amount = whole(amount_micros)
    return money_minor(abs(amount) // unit * (1 if amount >= 0 else -1), currency)


def money_round(amount_minor: int, currency: str) -> str:
    """As `money_minor`, without the places when they are all zero: an axis says ``€500``."""
    places = exponent(currency)
    return _money(Decimal(whole(amount_minor)).scaleb(-places), currency, 0, places)


def percent_bp(share_bp: int) -> str:
    """Basis points as a percentage, exact and without idle zeros: 655 is ``6.55 %``."""
    value = Decimal(whole(share_bp)).scaleb(-BASIS_POINT_PLACES)
    text = format_decimal(value, format="#,##0.##", locale=current_locale())
    return f"{text}\N{NO-BREAK SPACE}%".replace("-", "\N{MINUS SIGN}")


def count(number: int) -> str:
    """``81204`` as ``81,204``."""
    return format_decimal(whole(number, "A count"), locale=current_locale())
