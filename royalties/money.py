"""Money as whole numbers with a currency: no float, ever.

Two units, and the words for them:

* ``_minor``: minor units of ISO 4217 (cents of EUR, yen of JPY, fils of BHD). What is paid.
* ``_micros``: millionths of the *major* unit. What is earned, before it is paid.

A value that is not a plain ``int`` (a ``float``, a ``Decimal``, a ``bool``) is refused with
``TypeError``: money that was once approximate cannot be made exact again.

**The rule for negative amounts (reversals): mirror.** Every function here gives for ``-x`` exactly
the negative of what it gives for ``x``. Python's ``//`` rounds down and SQL's ``/`` rounds towards
zero, so neither is left to chance: a reversal takes back what was given, to the last micro.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, Self

BASIS_POINTS: Final = 10_000

# ISO 4217:2015, table A.1, by the number of decimal places of the minor unit.
_NO_MINOR_UNIT: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THOUSANDTHS: Final = "BHD IQD JOD KWD LYD OMR TND"
_TEN_THOUSANDTHS: Final = "CLF UYW"
_HUNDREDTHS: Final = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF"
    " CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD"
    " HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA"
    " MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN"
    " QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP"
    " TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG"
)

EXPONENTS: Final[Mapping[str, int]] = {
    code: places
    for places, codes in (
        (0, _NO_MINOR_UNIT),
        (2, _HUNDREDTHS),
        (3, _THOUSANDTHS),
        (4, _TEN_THOUSANDTHS),
    )
    for code in codes.split()
}
"""Decimal places of the minor unit, by ISO 4217 code. Every one divides a micro evenly."""


class MoneyError(ValueError):
    """A sum that cannot be done honestly; ``code`` is stable, the text is for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class _Sortable(Hashable, Protocol):
    def __lt__(self, other: Self, /) -> bool: ...


def whole(value: int, what: str = "An amount") -> int:
    """Give ``value`` back if it is a plain ``int``; raise ``TypeError`` for all else."""
    if type(value) is not int:
        raise TypeError(f"{what} is a whole number (int), not {type(value).__name__}.")
    return value


def exponent(currency: str) -> int:
    """Decimal places of the currency's minor unit (EUR 2, JPY 0, BHD 3).

    Raises ``MoneyError`` ``money.unknown_currency`` for a code that ISO 4217 does not list.
    """
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise MoneyError(
            "money.unknown_currency", f"{currency!r} is not a currency code of ISO 4217."
        ) from None


def micros_per_minor(currency: str) -> int:
    """Micros in one minor unit: 10 000 for EUR, 1 000 000 for JPY, 1 000 for BHD."""
    return int(10 ** (6 - exponent(currency)))


def minor_to_micros(amount_minor: int, currency: str) -> int:
    """Exact: every minor unit is a whole number of micros."""
    return whole(amount_minor) * micros_per_minor(currency)


def micros_to_minor(amount_micros: int, currency: str) -> tuple[int, int]:
    """Whole minor units, and the micros that are left to be carried on.

    Rounds towards zero, so that nobody is paid what they have not yet earned and the residue has
    the sign of the amount: ``minor_to_micros(minor) + residue == amount_micros`` and
    ``abs(residue) < micros_per_minor``.
    """
    quotient, rest = divmod(abs(whole(amount_micros)), micros_per_minor(currency))
    return (quotient, rest) if amount_micros >= 0 else (-quotient, -rest)


def portion(amount: int, part: int, of: int = BASIS_POINTS) -> int:
    """``amount × part ÷ of``, rounded towards zero (the mirror rule).

    What rounding leaves over is not shared: use ``share_out`` where all parts are known.
    """
    if whole(part, "A part") < 0 or whole(of, "A divisor") <= 0:
        raise MoneyError("money.bad_portion", "A portion is a part of something, zero or more.")
    product = abs(whole(amount)) * part // of
    return product if amount >= 0 else -product


def share_out(total: int, weights: Sequence[int]) -> list[int]:
    """Divide ``total`` by ``weights`` so that the parts sum to it exactly (largest remainder).

    Each part is within one unit of its exact share; a weight of zero gets nothing; a bigger weight
    never gets less than a smaller one; ``share_out(-t, w)`` mirrors ``share_out(t, w)``. Between
    equal remainders the earlier position wins: give the weights in an order that does not change
    (or use ``share_out_by_key``), and the same input always gives the same parts.

    Raises ``MoneyError`` when a weight is negative, or when there is something to share out and
    nothing to share it by. Hamilton's method; units are whatever ``total`` is in.
    """
    whole(total, "A total")
    for weight in weights:
        if whole(weight, "A weight") < 0:
            raise MoneyError("money.negative_weight", "A weight is zero or more.")
    sum_of_weights = sum(weights)
    if sum_of_weights == 0:
        if total:
            raise MoneyError(
                "money.nothing_to_share_by", "There is money to share out, and no share to go by."
            )
        return [0] * len(weights)
    size = abs(total)
    parts: list[int] = []
    remainders: list[int] = []
    for weight in weights:
        part, remainder = divmod(size * weight, sum_of_weights)
        parts.append(part)
        remainders.append(remainder)
    missing = size - sum(parts)
    if missing:
        # sorted() is stable, so equal remainders stay in the order of their positions. A zero
        # weight has remainder zero and there are more remainders above zero than units missing.
        for position in sorted(range(len(parts)), key=remainders.__getitem__, reverse=True)[
            :missing
        ]:
            parts[position] += 1
    return parts if total >= 0 else [-part for part in parts]


def share_out_by_key[K: _Sortable](total: int, weights: Mapping[K, int]) -> dict[K, int]:
    """``share_out`` by name: the order in which the mapping was filled does not matter.

    Between equal remainders the smaller key wins. Raises as ``share_out`` does.
    """
    keys = sorted(weights)
    return dict(zip(keys, share_out(total, [weights[key] for key in keys]), strict=True))


def round_to_sum(amounts_micros: Sequence[int], currency: str) -> tuple[list[int], int]:
    """Show exact amounts in minor units so that what is shown adds up.

    Gives the rounded amounts and the residue in micros: the rounded amounts sum to the sum's own
    ``micros_to_minor``, each is within one minor unit of its exact value, and signs may be mixed
    (a reversal beside what was earned). Between equal remainders the earlier position wins.
    """
    unit = micros_per_minor(currency)
    total_minor, residue = micros_to_minor(sum(whole(a) for a in amounts_micros), currency)
    sign = -1 if total_minor < 0 or residue < 0 else 1
    rounded: list[int] = []
    remainders: list[int] = []
    for amount in amounts_micros:
        quotient, remainder = divmod(sign * amount, unit)
        rounded.append(quotient)
        remainders.append(remainder)
    missing = sign * total_minor - sum(rounded)
    for position in sorted(range(len(rounded)), key=remainders.__getitem__, reverse=True)[:missing]:
        rounded[position] += 1
    return [sign * value for value in rounded], residue


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in minor units of one currency. Immutable; never mixes currencies.

    ``Money(41218, "EUR")`` is €412.18 and ``Money(41218, "JPY")`` is ¥41 218. Adding or comparing
    two currencies raises ``MoneyError`` ``money.two_currencies``. There is no division: dividing
    money is sharing it out, and that is ``share_out``.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        whole(self.minor, "Money")
        exponent(self.currency)

    @classmethod
    def from_micros(cls, amount_micros: int, currency: str) -> tuple[Self, int]:
        """What can be paid of ``amount_micros``, and the residue in micros to carry on."""
        minor, residue = micros_to_minor(amount_micros, currency)
        return cls(minor, currency), residue

    @property
    def micros(self) -> int:
        """The same amount in micros, exactly."""
        return minor_to_micros(self.minor, self.currency)

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise MoneyError(
                "money.two_currencies",
                f"{self.currency} and {other.currency} cannot be added or compared.",
            )
        return other.minor

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __mul__(self, times: int) -> "Money":
        return Money(self.minor * whole(times, "A multiple"), self.currency)

    __rmul__ = __mul__

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        """Plain and unambiguous, for logs and messages; pages format by the reader's locale."""
        places = exponent(self.currency)
        sign = "-" if self.minor < 0 else ""
        digits = str(abs(self.minor)).rjust(places + 1, "0")
        number = f"{digits[:-places]}.{digits[-places:]}" if places else digits
        return f"{sign}{number} {self.currency}"

    def share_out(self, weights: Sequence[int]) -> list["Money"]:
        """Parts that sum to this amount; see ``share_out``."""
        return [Money(part, self.currency) for part in share_out(self.minor, weights)]
