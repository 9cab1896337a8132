"""A text that has changed since somebody said yes to it: the old one, and what is new in it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from django.utils.translation import gettext as _

from consent.first_wordings import text_of
from consent.models import Permission, Wording
from portal.templatetags.times import plain_day

_WORD = re.compile(r"\s*\S+")
# Without spaces between words, each character for itself.
_CHARACTER = re.compile(r"\s*\S")
_SPACELESS = frozenset({"ja", "zh", "th"})


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of text: `same` in both, `gone` from the old one, or `new`."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class AskedAgain:
    """What is said of a yes to an earlier text. `changes` is empty where two languages meet."""

    sentence: str
    old: str
    language: str
    changes: tuple[Part, ...]


def asked_again(answer: Permission, new: Wording | None, *, language: str) -> AskedAgain:
    """Of a yes whose text was replaced by `new`, for a reader of `language`."""
    text = answer.wording
    old = text_of(answer.use, language) if text is None else text.text
    spoken = language if text is None else text.language
    alike = new is not None and new.language[:2] == spoken[:2]
    return AskedAgain(
        sentence=_(
            "The text has changed since the answer of %(day)s. That yes stands for the text that "
            "was read then, and for no more. Please read the new one and answer again."
        )
        % {"day": plain_day(answer.act.created_at)},
        old=old,
        language=spoken,
        changes=tuple(changes(old, new.text, spoken)) if new is not None and alike else (),
    )


def changes(old: str, new: str, language: str) -> Iterator[Part]:
    """The two texts in one, word by word: what is in both, what went, and what came."""
    unit = _CHARACTER if language[:2] in _SPACELESS else _WORD
    before, after = unit.findall(old), unit.findall(new)
    for tag, i, j, k, n in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            yield Part("same", "".join(before[i:j]))
            continue
        yield from _marked("gone", "".join(before[i:j]))
        yield from _marked("new", "".join(after[k:n]))


def _marked(kind: str, text: str) -> Iterator[Part]:
    """The words alone: the space before them is neither struck out nor underlined."""
    words = text.lstrip()
    if len(words) < len(text):
        yield Part("same", text[: len(text) - len(words)])
    if words:
        yield Part(kind, words)
