"""The identifiers of the music industry: one stored form each, and the rule that checks it.

Every identifier is accepted as people write it (hyphens, spaces, dots, lower case, full-width
characters, its own name in front) and stored in one normal form, so that two spellings of one
identifier are equal as plain strings. `display_…` gives the form that its standard prints.

The shape is the same for all of them::

    normalise_isrc("no-um7-24-00192")    -> "NOUM72400192", or raises IdentifierError
    display_isrc("NOUM72400192")         -> "NO-UM7-24-00192"
    normalise(Scheme.ISRC, text)         the same, chosen by scheme
    is_valid(Scheme.ISRC, text)          -> bool, never raises

An `IdentifierError` carries a stable `code` (`isrc_malformed`, `isni_check_digit`) and a
`sentence` in the language of whoever reads it. Nothing here touches the database.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from stdnum import ean
from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_11_2, mod_37_36


class Scheme(StrEnum):
    """The identifier schemes that have a rule here. The values are stored and exported."""

    ISRC = "isrc"  # a recording, ISO 3901
    ISWC = "iswc"  # a musical work, ISO 15707
    ISNI = "isni"  # a public identity, ISO 27729
    IPI_BASE = "ipi_base"  # a party, CISAC
    IPI_NAME = "ipi_name"  # one name of a party, CISAC
    ICPN = "icpn"  # a product: the bar code, GS1 GTIN-12 or GTIN-13
    GRID = "grid"  # a release, IFPI
    DPID = "dpid"  # a company that sends DDEX messages


class Reason(StrEnum):
    """Why a text is not an identifier."""

    EMPTY = "empty"
    MALFORMED = "malformed"
    CHECK_DIGIT = "check_digit"
    PLACEHOLDER = "placeholder"  # all zeros: a form's way of saying "none"


class IdentifierError(ValueError):
    """A text that is not an identifier of its scheme.

    `code` is `<scheme>_<reason>` and never changes; `sentence` is for people; `value` is the text
    as it was given, cut at 80 characters.
    """

    def __init__(self, scheme: Scheme, reason: Reason, value: str) -> None:
        self.scheme = scheme
        self.reason = reason
        self.value = value[:80]
        super().__init__(scheme, reason, self.value)

    @property
    def code(self) -> str:
        return f"{self.scheme}_{self.reason}"

    @property
    def sentence(self) -> str:
        return explain(self.scheme, self.reason, self.value)

    def __str__(self) -> str:
        return f"{self.code}: {self.value!r}"


@dataclass(frozen=True, slots=True)
class _Rule:
    """What `normalise` needs to know of one scheme. `pattern` describes the stored form."""

    label: str
    shape: str | Promise
    pattern: re.Pattern[str]
    checks_out: Callable[[str], bool]
    complete: Callable[[str], str] = str


# Longer than any written form of any identifier, so that a megabyte is turned away at once.
_LONGEST_WRITTEN_FORM: Final = 80

# Dots are printed in ISWCs, slashes and colons never are: they are left in, and so refused.
_SEPARATORS: Final = re.compile(r"[\s.\u00ad\u2010-\u2015\u2212_-]+")


def normalise(scheme: Scheme, text: str) -> str:
    """Return the stored form of an identifier.

    Idempotent: a stored form comes back unchanged. Raises `IdentifierError`, and nothing else,
    for any text that is not an identifier of that scheme.
    """
    rule = _RULES[scheme]
    compact = _compact(text)
    if not compact:
        raise IdentifierError(scheme, Reason.EMPTY, text)
    # The name in front goes only when it is in the way: IS is also Iceland, so "ISRC12400001"
    # is an ISRC and not a truncated one with its name in front.
    candidates = (compact, *(compact.removeprefix(p) for p in _prefixes(rule.label)))
    for candidate in candidates:
        stored = rule.complete(candidate)
        if rule.pattern.fullmatch(stored):
            break
    else:
        raise IdentifierError(scheme, Reason.MALFORMED, text)
    if not rule.checks_out(stored):
        raise IdentifierError(scheme, Reason.CHECK_DIGIT, text)
    if scheme in _ZERO_IS_NOBODY and not stored.strip("0"):
        raise IdentifierError(scheme, Reason.PLACEHOLDER, text)
    return stored


def is_valid(scheme: Scheme, text: str) -> bool:
    """Whether a text is an identifier of that scheme, in any written form. Never raises."""
    try:
        normalise(scheme, text)
    except IdentifierError:
        return False
    return True


def display(scheme: Scheme, text: str) -> str:
    """Return the printed form of an identifier; a text that is not one comes back as it is.

    Bad identifiers are kept and shown, flagged, so this must not raise on them.
    """
    try:
        stored = normalise(scheme, text)
    except IdentifierError:
        return text
    return _PRINTED[scheme](stored)


def explain(scheme: Scheme, reason: Reason, value: str) -> str:
    """Return the sentence for a refused identifier, in the active language."""
    rule = _RULES[scheme]
    return str(_SENTENCES[reason]).format(
        label=rule.label, shape=rule.shape, value=value.strip()[:80]
    )


def normalise_isrc(text: str) -> str:
    """ISRC (ISO 3901) of a recording: 12 characters, `NOUM72400192`. It has no check digit.

    The country letters are not looked up: agencies are given new prefixes (QM, QZ, BK…) faster
    than any list follows, which is why python-stdnum's own rule is not used here.
    """
    return normalise(Scheme.ISRC, text)


def normalise_iswc(text: str) -> str:
    """ISWC (ISO 15707) of a musical work: `T` and ten digits, the last one a check digit."""
    return normalise(Scheme.ISWC, text)


def normalise_isni(text: str) -> str:
    """ISNI (ISO 27729) of a public identity: 16 characters, the last one 0-9 or `X`.

    Also accepts the address form `https://isni.org/isni/0000000121032683`.
    """
    return normalise(Scheme.ISNI, text)


def normalise_ipi_base(text: str) -> str:
    """IPI base number (CISAC) of a party: `I-000000229-7`, with its hyphens."""
    return normalise(Scheme.IPI_BASE, text)


def normalise_ipi_name(text: str) -> str:
    """IPI name number (CISAC): 11 digits, left-padded with zeros when they were left out."""
    return normalise(Scheme.IPI_NAME, text)


def normalise_icpn(text: str) -> str:
    """Bar code of a product (GS1): always 13 digits.

    A GTIN-12 (UPC) is the GTIN-13 with a zero in front, and a GTIN-14 that starts with zero is
    the GTIN-13 behind it: one product, one stored form. A GTIN-14 that starts with anything else
    is a carton of products, and is refused.
    """
    return normalise(Scheme.ICPN, text)


def normalise_grid(text: str) -> str:
    """GRid (IFPI) of a release: `A1`, 15 letters or digits, and a check character."""
    return normalise(Scheme.GRID, text)


def normalise_dpid(text: str) -> str:
    """DPID of a company that sends DDEX messages: `PADPIDA`, ten digits, a check character."""
    return normalise(Scheme.DPID, text)


def display_isrc(text: str) -> str:
    """`NO-UM7-24-00192`."""
    return display(Scheme.ISRC, text)


def display_iswc(text: str) -> str:
    """`T-034.524.680-1`."""
    return display(Scheme.ISWC, text)


def display_isni(text: str) -> str:
    """`0000 0001 2103 2683`."""
    return display(Scheme.ISNI, text)


def display_grid(text: str) -> str:
    """`A1-2425G-ABC1234002-M`."""
    return display(Scheme.GRID, text)


def _compact(text: str) -> str:
    """Upper case, without separators; empty for nothing at all.

    Full-width letters and digits (Japanese keyboards) are folded. What is still not ASCII after
    that is left alone, to be refused: upper-casing would turn a dotless ı into a valid I.
    """
    if len(text) > _LONGEST_WRITTEN_FORM:
        return "?"  # no identifier, whatever it says
    folded = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text))
    return folded.upper() if folded.isascii() else folded


def _prefixes(label: str) -> tuple[str, ...]:
    name = label.replace(" ", "").upper()
    # The separators are gone by now, dots included.
    return (
        f"{name}:",
        name,
        f"HTTPS://{name}ORG/{name}/",
        f"HTTPS://WWW{name}ORG/{name}/",
    )


def _no_check_digit(_stored: str) -> bool:
    return True


def _weighted_check(digits: str, check: str, start: int) -> bool:
    """The check digit that ISWC and IPI base share; only the starting value differs.

    start + 1·d1 + 2·d2 + … + 9·d9, completed to the next ten.
    """
    total = start + sum(weight * int(d) for weight, d in enumerate(digits, start=1))
    return int(check) == -total % 10


def _iswc_checks_out(stored: str) -> bool:
    return _weighted_check(stored[1:10], stored[10], start=1)


def _ipi_base_checks_out(stored: str) -> bool:
    return _weighted_check(stored[2:11], stored[12], start=2)


def _ipi_name_checks_out(stored: str) -> bool:
    """CISAC: the first nine digits weighted 10 to 2, modulo 101, completed to 101."""
    rest = sum(w * int(d) for w, d in zip(range(10, 1, -1), stored[:9], strict=True)) % 101
    return int(stored[9:]) == ((101 - rest) % 100 if rest else 0)


def _icpn_checks_out(stored: str) -> bool:
    return stored[-1] == ean.calc_check_digit(stored[:-1])


def _mod_37_36_checks_out(stored: str) -> bool:
    """ISO 7064 MOD 37,36 over the whole string, its letters included."""
    return mod_37_36.is_valid(stored)


def _isni_checks_out(stored: str) -> bool:
    """ISO 7064 MOD 11-2."""
    try:
        mod_11_2.validate(stored)
    except ValidationError:
        return False
    return True


def _complete_ipi_base(compact: str) -> str:
    if re.fullmatch(r"I[0-9]{10}", compact):
        return f"I-{compact[1:10]}-{compact[10]}"
    return compact


def _complete_ipi_name(compact: str) -> str:
    return compact.zfill(11) if re.fullmatch(r"[0-9]{1,11}", compact) else compact


def _complete_icpn(compact: str) -> str:
    if re.fullmatch(r"[0-9]{12}", compact):
        return f"0{compact}"
    if re.fullmatch(r"0[0-9]{13}", compact):
        return compact[1:]
    return compact


_RULES: Final[dict[Scheme, _Rule]] = {
    Scheme.ISRC: _Rule(
        "ISRC",
        _("two letters, three letters or digits, then seven digits, like NO-UM7-24-00192"),
        re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}"),
        _no_check_digit,
    ),
    Scheme.ISWC: _Rule(
        "ISWC",
        _("the letter T and ten digits, like T-034.524.680-1"),
        re.compile(r"T[0-9]{10}"),
        _iswc_checks_out,
    ),
    Scheme.ISNI: _Rule(
        "ISNI",
        _("sixteen digits, of which the last may be an X, like 0000 0001 2103 2683"),
        re.compile(r"[0-9]{15}[0-9X]"),
        _isni_checks_out,
    ),
    Scheme.IPI_BASE: _Rule(
        "IPI",
        _("the letter I, nine digits and a check digit, like I-000000229-7"),
        re.compile(r"I-[0-9]{9}-[0-9]"),
        _ipi_base_checks_out,
        _complete_ipi_base,
    ),
    Scheme.IPI_NAME: _Rule(
        "IPI",
        _("eleven digits, like 00014107338"),
        re.compile(r"[0-9]{11}"),
        _ipi_name_checks_out,
        _complete_ipi_name,
    ),
    Scheme.ICPN: _Rule(
        "ICPN",
        _("the 12 or 13 digits of a bar code, like 0602537347377"),
        re.compile(r"[0-9]{13}"),
        _icpn_checks_out,
        _complete_icpn,
    ),
    Scheme.GRID: _Rule(
        "GRid",
        _("A1, fifteen letters or digits and a check character, like A1-2425G-ABC1234002-M"),
        re.compile(r"A1[0-9A-Z]{16}"),
        _mod_37_36_checks_out,
    ),
    Scheme.DPID: _Rule(
        "DPID",
        _("PADPIDA, ten digits and a check character, like PADPIDA2007050901U"),
        re.compile(r"PADPIDA[0-9]{10}[0-9A-Z]"),
        _mod_37_36_checks_out,
    ),
}

# Where the algorithm accepts all zeros, although nothing and nobody has that number.
_ZERO_IS_NOBODY: Final = frozenset({Scheme.ICPN, Scheme.IPI_NAME})

_PRINTED: Final[dict[Scheme, Callable[[str], str]]] = {
    Scheme.ISRC: lambda s: f"{s[:2]}-{s[2:5]}-{s[5:7]}-{s[7:]}",
    Scheme.ISWC: lambda s: f"T-{s[1:4]}.{s[4:7]}.{s[7:10]}-{s[10]}",
    Scheme.ISNI: lambda s: f"{s[:4]} {s[4:8]} {s[8:12]} {s[12:]}",
    Scheme.IPI_BASE: str,
    Scheme.IPI_NAME: str,
    Scheme.ICPN: str,
    Scheme.GRID: lambda s: f"{s[:2]}-{s[2:7]}-{s[7:17]}-{s[17]}",
    Scheme.DPID: str,
}

_SENTENCES: Final[dict[Reason, str | Promise]] = {
    Reason.EMPTY: _("The {label} is missing. A valid one has {shape}."),
    Reason.MALFORMED: _("“{value}” is not a valid {label}. A valid one has {shape}."),
    Reason.CHECK_DIGIT: _(
        "“{value}” is not a valid {label}: its check digit does not match, so a character is wrong."
    ),
    Reason.PLACEHOLDER: _("“{value}” stands for no {label} at all. Leave it out instead."),
}
