"""Reading requests by hand where a framework's fields would cost more than the answer.

Used for decisions (the hot path) and usage events (a thousand at once). What is wrong is collected
with a pointer to each place, and nothing is guessed: an unknown field is a fault too.
"""

import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from consent import days
from consent.identifiers import IdentifierError, normalise_isrc
from consent.queries.decision import Ask
from consent.territories import known_territories
from consent.words import UseKind
from portal.api.problems import ItemError, Problem, invalid

MOST_DECISIONS: Final = 100
LARGEST_SEQ: Final = 2**63 - 1

_ISRC: Final = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}", re.ASCII)
_SLUG: Final = re.compile(r"[-a-zA-Z0-9_]{1,80}", re.ASCII)
_USES: Final = frozenset(UseKind.values)
_FIELDS: Final = frozenset({"isrc", "use", "tool", "model_version", "territory", "at"})
_ENVELOPE: Final = frozenset({"items", "min_seq"})


class Fault(Exception):
    """One field is not what it should be."""

    def __init__(self, code: str, sentence: Any) -> None:
        super().__init__(code)
        self.code, self.sentence = code, str(sentence)


def pointer(name: str) -> str:
    """The name of a field as a JSON pointer (RFC 6901)."""
    return "/" + name[:80].replace("~", "~0").replace("/", "~1")


def read_moment(value: Any) -> datetime:
    """An ISO 8601 moment with an offset, as UTC. Raises `Fault` (`moment`, `date_out_of_range`)."""
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            if not days.within_reach(moment):
                refused = days.out_of_range("")
                raise Fault(refused.code, refused.sentence)
            return moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        pass
    raise Fault("moment", _("Write a moment as 2026-11-20T09:30:00Z, with its offset."))


def read_isrc(value: Any) -> str:
    """An ISRC in its stored form. Raises `Fault`."""
    if isinstance(value, str):
        if _ISRC.fullmatch(value):
            return value
        try:
            return normalise_isrc(value[:40])
        except IdentifierError:
            pass
    raise Fault("isrc", _("An ISRC has 12 characters, as in NOUM72400192."))


def read_ask(item: Any) -> Ask:
    """One question. Raises `_Faults` with everything that is wrong with it."""
    if not isinstance(item, dict):
        raise _Faults([("", "item", str(_("Each item is an object.")))])
    faults = [
        (pointer(name), "unknown_field", str(_("There is no such field.")))
        for name in item.keys() - _FIELDS
    ]
    isrc, at, model = "", None, None
    try:
        isrc = read_isrc(item.get("isrc"))
    except Fault as fault:
        faults.append(("/isrc", fault.code, fault.sentence))
    use = item.get("use")
    if not isinstance(use, str) or use not in _USES:
        faults.append(
            ("/use", "unknown_use", str(_("A use is one of: %s.")) % ", ".join(UseKind.values))
        )
    tool = item.get("tool")
    if not isinstance(tool, str) or not _SLUG.fullmatch(tool):
        faults.append(("/tool", "tool", str(_("Name the tool by its short name."))))
    if (value := item.get("model_version")) is not None:
        try:
            model = uuid.UUID(value)
        except (ValueError, TypeError, AttributeError):
            sentence = str(_("A model version is named by its ref, a UUID."))
            faults.append(("/model_version", "model_version", sentence))
    if (territory := item.get("territory")) is not None and (
        not isinstance(territory, str) or territory not in known_territories()
    ):
        sentence = str(_("A territory is a country of ISO 3166-1 in two capital letters."))
        faults.append(("/territory", "unknown_territory", sentence))
    if (value := item.get("at")) is not None:
        try:
            at = read_moment(value)
        except Fault as fault:
            faults.append(("/at", fault.code, fault.sentence))
    if faults:
        raise _Faults(faults)
    return Ask(isrc, str(use), str(tool), territory, at, model)


def read_ask_of_query(query: Mapping[str, str]) -> Ask:
    """One question from the query of an address. Raises `Problem` (422)."""
    try:
        return read_ask(dict(query))
    except _Faults as faults:
        raise invalid(ItemError(*found) for found in faults.found) from None


class _Faults(Exception):
    def __init__(self, found: list[tuple[str, str, str]]) -> None:
        super().__init__()
        self.found = found


def read_decisions(data: Any) -> tuple[list[Ask], int]:
    """The questions of a request, and its `min_seq` (0 without one).

    Raises `Problem` (422) that points at everything that is wrong; then nothing is answered.
    """
    if not isinstance(data, dict) or not isinstance(data.get("items"), list):
        raise invalid([ItemError("/items", "items", str(_("Send “items”: a list of 1 to 100.")))])
    items = data["items"]
    if not 1 <= len(items) <= MOST_DECISIONS:
        raise Problem(
            422,
            "too_many_items",
            str(_("Ask for 1 to %(most)d decisions at once, not %(sent)d."))
            % {"most": MOST_DECISIONS, "sent": len(items)},
            (ItemError("/items", "too_many_items", str(_("1 to 100 items."))),),
        )
    errors: list[ItemError] = [
        ItemError(pointer(name), "unknown_field", str(_("There is no such field.")))
        for name in data.keys() - _ENVELOPE
    ]
    min_seq = data.get("min_seq", 0)
    if type(min_seq) is not int or not 0 <= min_seq <= LARGEST_SEQ:
        errors.append(ItemError("/min_seq", "min_seq", str(_("A ledger position is a number."))))
    asks: list[Ask] = []
    for position, item in enumerate(items):
        try:
            asks.append(read_ask(item))
        except _Faults as faults:
            errors += [
                ItemError(f"/items/{position}{at}", code, sentence)
                for at, code, sentence in faults.found
            ]
    if errors:
        raise invalid(errors)
    return asks, min_seq


def text_of(item: Mapping[str, Any], name: str, *, most: int = 100) -> str:
    """A text of 1 to `most` characters. Raises `Fault`."""
    value = item.get(name)
    if isinstance(value, str) and 1 <= len(value) <= most and value.isprintable():
        return value
    raise Fault(name, str(_("1 to %(most)d printable characters.")) % {"most": most})


def whole_of(item: Mapping[str, Any], name: str, default: int | None = None) -> int:
    """A whole number. Raises `Fault`."""
    value = item.get(name, default)
    if type(value) is int:
        return value
    raise Fault(name, _("A whole number."))
