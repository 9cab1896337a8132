"""Names, titles, identifiers and the words of states, as a page shows them."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language_bidi
from django.utils.translation import gettext_lazy as _

from consent.words import Stance, UseKind
from portal.templatetags.figures import current_locale


@dataclass(frozen=True, slots=True)
class State:
    """A state pill: its word, and the CSS class that says what its colour means."""

    word: str | Promise
    css: str


STATES: Final = {
    "allowed": State(_("Allowed"), "holds"),
    "partly": State(_("Partly allowed"), "holds"),
    "denied": State(_("Not allowed"), "stops"),
    "idle": State(_("Not in force"), "idle"),
    "overridden": State(_("Allowed over your no"), "stops"),
    "unasked": State(_("Allowed without your yes"), "stops"),
    "waits": State(_("Waits for you"), "waits"),
    "held": State(_("Held"), "held"),
    "sealed": State(_("Sealed"), "stops"),
    "sealing": State(_("Sealed within a minute"), "idle"),
}
"""What really holds, by code. Green is for what holds and what the reader agreed to, amber for
what waits for her; everything else is ink, and a dashed edge means not (or not yet) in force."""


def state(code: str) -> State:
    """Raises ``KeyError`` for a code that is not in `STATES`: a pill never guesses."""
    return STATES[code]


def use_title(kind: str) -> str:
    """A use kind in words: ``voice`` is “Clone your voice”. Raises ``ValueError`` if unknown."""
    return str(UseKind(kind).label)


def stance_word(stance: str) -> str:
    """A stance as the artist reads it: ``undecided`` is “Later”. Raises ``ValueError``."""
    return str(Stance(stance).label)


def places_in_words(codes: Iterable[str]) -> str:
    """Countries by their names, from two letters each: “Germany, Norway”."""
    names = current_locale().territories
    return ", ".join(names.get(code, code) for code in codes)


def in_script(text: str, language: str = "") -> SafeString:
    """A name or title as ``<bdi>``, so that its direction stays its own, with its language.

    The language (BCP 47) decides glyphs and line breaks: without it a browser sets Japanese
    with whatever Han glyphs it finds first.
    """
    if not language:
        return format_html("<bdi>{}</bdi>", text)
    return format_html('<bdi lang="{}">{}</bdi>', language, text)


_CONTROLS: Final = dict.fromkeys(map(ord, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))


def isolated(text: str) -> str:
    """A name or title for the middle of a plain sentence, as `in_script` is for HTML.

    Between FSI and PDI (Unicode Bidirectional Algorithm, UAX #9) where it holds letters of the
    other direction than the reader's language: else what stands after it changes places with it.
    Left as it is where not, which is nearly always. Controls of direction of its own are dropped.
    """
    text = text.translate(_CONTROLS)
    other = {"L"} if get_language_bidi() else {"R", "AL", "AN"}
    if any(unicodedata.bidirectional(letter) in other for letter in text):
        return f"\u2068{text}\u2069"
    return text


def initials(name: str) -> str:
    """Up to two letters that stand for a name: “Maren Holt” is ``MH``, “The Low Tides” ``LT``.

    Scripts without spaces between names give their first character: 田中葵 is ``田``.
    """
    words = ["".join(c for c in word if c.isalnum()) for word in name.split()]
    words = [word for word in words if word]
    if len(words) > 1 and words[0].lower() == "the":
        words = words[1:]  # The Low Tides stand under L
    if not words:
        return "?"
    first = words[0][0]
    if len(words) == 1 or unicodedata.category(first) == "Lo":
        return first.upper()
    return (first + words[-1][0]).upper()
