"""Collects problems while a message is read, and takes texts and identifiers in their company."""

import re
from typing import Final

from consent.catalogue import values
from consent.catalogue.message import LONGEST_TEXT, LONGEST_WORD, Identifier
from consent.catalogue.problems import MessageRefused, Problem, Severity, identifier_problem
from consent.catalogue.xmlstream import Element
from consent.identifiers import IdentifierError, Scheme, normalise

# More than anybody reads. Without an end, a file of empty elements would fill the memory.
MOST_PROBLEMS: Final = 50_000

_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
_LONGEST_LANGUAGE: Final = 35


class Report:
    """The problems found so far. Each method reports at the place of the element it is given."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []

    def in_file_order(self) -> tuple[Problem, ...]:
        return tuple(sorted(self._problems, key=lambda problem: problem.line))

    def add(self, problem: Problem) -> None:
        if len(self._problems) >= MOST_PROBLEMS:
            raise MessageRefused("too_many_problems", problem.line, str(MOST_PROBLEMS))
        self._problems.append(problem)

    def refuse(self, element: Element, code: str, value: str = "", about: str = "") -> None:
        self._report(Severity.REFUSED, element, code, value, about)

    def flag(self, element: Element, code: str, value: str = "", about: str = "") -> None:
        self._report(Severity.FLAGGED, element, code, value, about)

    def skip(self, element: Element, code: str, value: str = "", about: str = "") -> None:
        self._report(Severity.SKIPPED, element, code, value, about)

    def _report(
        self, severity: Severity, element: Element, code: str, value: str, about: str
    ) -> None:
        self.add(
            Problem(severity, code, element.path, element.line, value[:80], about[:LONGEST_WORD])
        )

    def identifier_refused(
        self, element: Element, error: IdentifierError, severity: Severity
    ) -> None:
        self.add(identifier_problem(error, severity=severity, path=element.path, line=element.line))

    def text(self, element: Element | None, longest: int = LONGEST_TEXT) -> str:
        """An element's text; longer ones are cut and flagged."""
        if element is None:
            return ""
        text = element.text
        if len(text) > longest:
            self.flag(element, "text_cut", text[:40], str(len(text)))
            return text[:longest]
        return text

    def word(self, element: Element | None) -> str:
        """The value of an allowed-value list, or the sender's own where it says UserDefined."""
        if element is None:
            return ""
        value = element.first("Value") or element  # ERN 4.3.2 wraps roles in a Value
        own = value.attributes.get("UserDefinedValue", "").strip()
        return own[:LONGEST_WORD] if own else self.text(value, LONGEST_WORD)

    def language(self, element: Element) -> str:
        """The LanguageAndScriptCode of an element: a BCP 47 tag, or empty."""
        tag = element.attributes.get("LanguageAndScriptCode", "").strip()
        if tag and (len(tag) > _LONGEST_LANGUAGE or not _LANGUAGE.fullmatch(tag)):
            self.flag(element, "bad_language", tag)
            return ""
        return tag

    def identifier(self, element: Element, scheme: Scheme) -> Identifier:
        """A checked identifier; a bad one is kept as delivered, flagged, and not valid."""
        try:
            return Identifier(scheme, normalise(scheme, element.text))
        except IdentifierError as error:
            self.identifier_refused(element, error, Severity.FLAGGED)
            return Identifier(scheme, element.text[:LONGEST_WORD], valid=False)

    def unchecked_identifier(self, element: Element, scheme: str) -> Identifier:
        """An identifier without a rule, with whose number it is."""
        namespace = element.attributes.get("Namespace", "").strip()[:LONGEST_WORD]
        return Identifier(scheme, self.text(element), namespace)

    def sequence(self, element: Element) -> int | None:
        """The SequenceNumber attribute, or None."""
        text = element.attributes.get("SequenceNumber", "").strip()
        number = values.whole_number(text)
        if text and number is None:
            self.flag(element, "bad_number", text)
        return number

    def date(self, element: Element | None) -> str:
        """A partial date, or empty."""
        if element is None:
            return ""
        parsed = values.partial_date(element.text)
        if parsed is None:
            self.flag(element, "bad_date", element.text)
        return parsed or ""


def preferred(elements: list[Element]) -> Element | None:
    """Of values for several territories: the default, else the worldwide one, else the first."""
    for element in elements:
        if element.flag("IsDefault"):
            return element
    for element in elements:
        if element.attributes.get("ApplicableTerritoryCode") == "Worldwide":
            return element
    return elements[0] if elements else None
