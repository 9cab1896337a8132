"""What our use kinds are called elsewhere: one table, versioned, for every export of signals.

Sources: CAWG Training and Data Mining assertion 1.1 (`cawg.training-mining`, DIF 2025; the field is
`constraint_info`, as its CDDL has it); IETF AIPREF vocabulary and attachment drafts (August 2026;
values are RFC 9651 tokens `y` and `n`, everything else is unknown); RSL 1.0 (usage tokens); TDMRep
(W3C Community Group: 1 reserved, 0 not). Two rules stand above all of them:

* Who was never asked or has not answered is left out. Nothing undecided is exported as allowed.
* “Ask me” degrades to a no in every vocabulary, and so does “only with a licence” where a
  vocabulary has no word for it.

A change of the table is a new `VERSION`; every export says which one it was made with.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final
from xml.sax.saxutils import quoteattr

from consent.words import UseKind

VERSION: Final = "2026-11"
CAWG_LABEL: Final = "cawg.training-mining"
AIPREF_FIELD: Final = "Content-Usage"
RSL_NAMESPACE: Final = "https://rslstandard.org/rsl"


class Signal(StrEnum):
    """What somebody without any agreement may be told about a use kind.

    `allowed` would need no licence at all. No use kind here does without one, so it is never
    exported today; the table says what it would be.
    """

    ALLOWED = "allowed"
    BY_LICENCE = "by_licence"
    DENIED = "denied"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a use kind in other vocabularies; empty where there is none."""

    cawg: str = ""
    aipref: str = ""
    rsl: str = ""
    tdmrep: bool = False


# Voice, style, name and image have no key of CAWG's; keys that begin `cawg.` are reserved, others
# follow the custom-label syntax of C2PA.
NAMES: Final[Mapping[UseKind, Names]] = MappingProxyType(
    {
        UseKind.GENERATIVE_TRAINING: Names(
            "cawg.ai_generative_training", "train-ai", "ai-train", tdmrep=True
        ),
        UseKind.ANALYSIS_TRAINING: Names("cawg.ai_training", "", "ai-train", tdmrep=True),
        UseKind.REMIX_INPUT: Names("cawg.ai_inference", "", "ai-input"),
        UseKind.STYLE: Names("org.liner-notes.style"),
        UseKind.VOICE: Names("org.liner-notes.voice_likeness"),
        UseKind.NAME_IMAGE: Names("org.liner-notes.name_image"),
        UseKind.DISCOVERY: Names("", "search", "search"),
    }
)

_CAWG: Final = {
    Signal.ALLOWED: "allowed",
    Signal.BY_LICENCE: "constrained",
    Signal.DENIED: "notAllowed",
}


def as_cawg(signals: Mapping[UseKind, Signal], *, constraint_info: str) -> dict[str, Any]:
    """The body of a `cawg.training-mining` assertion.

    `constraint_info` says what a constrained use needs: without it, `constrained` means
    `notAllowed`.
    """
    entries: dict[str, Any] = {}
    for use, signal in signals.items():
        key = NAMES[use].cawg
        if not key or signal is Signal.UNDECIDED:
            continue
        entry = {"use": _CAWG[signal]}
        if signal is Signal.BY_LICENCE:
            entry["constraint_info"] = constraint_info
        entries[key] = entry
    return {"entries": entries}


def as_aipref(signals: Mapping[UseKind, Signal]) -> str:
    """The value of a `Content-Usage` field (an RFC 9651 dictionary); empty when nothing is said.

    The vocabulary has no word for “with a licence”: it is a no to everybody who has none.
    """
    parts = [
        f"{name}={'y' if signals[use] is Signal.ALLOWED else 'n'}"
        for use in UseKind
        if (name := NAMES[use].aipref)
        and signals.get(use, Signal.UNDECIDED) is not Signal.UNDECIDED
    ]
    return ", ".join(parts)


def as_tdmrep(signals: Mapping[UseKind, Signal], *, policy: str) -> dict[str, Any]:
    """The `tdm-reservation` of a recording, with the policy where a licence is to be had.

    Coarser than our use kinds: any training that is not allowed reserves. Empty when undecided.
    """
    found = [
        signals[use]
        for use, names in NAMES.items()
        if names.tdmrep and signals.get(use, Signal.UNDECIDED) is not Signal.UNDECIDED
    ]
    if not found:
        return {}
    if all(signal is Signal.ALLOWED for signal in found):
        return {"tdm-reservation": 0}
    reserved: dict[str, Any] = {"tdm-reservation": 1}
    if Signal.BY_LICENCE in found:
        reserved["tdm-policy"] = policy
    return reserved


def as_rsl(signals: Mapping[UseKind, Signal], *, url: str, server: str) -> str:
    """An RSL 1.0 document about one recording; empty when nothing is said.

    RSL cannot tell the two kinds of training apart: a token is permitted only when nothing of
    what it stands for is denied or undecided. A permission always needs a licence from `server`.
    """
    meant: dict[str, list[Signal]] = {}
    for use, names in NAMES.items():
        if names.rsl:
            meant.setdefault(names.rsl, []).append(signals.get(use, Signal.UNDECIDED))
    permitted = [
        token
        for token, found in meant.items()
        if all(signal in (Signal.ALLOWED, Signal.BY_LICENCE) for signal in found)
    ]
    prohibited = [
        token
        for token, found in meant.items()
        if token not in permitted and any(s is not Signal.UNDECIDED for s in found)
    ]
    if not permitted and not prohibited:
        return ""
    inside = ""
    if permitted:
        inside += f'<permits type="usage">{",".join(permitted)}</permits>'
        inside += '<payment type="use"/>'
    if prohibited:
        inside += f'<prohibits type="usage">{",".join(prohibited)}</prohibits>'
    return (
        f"<rsl xmlns={quoteattr(RSL_NAMESPACE)}><content url={quoteattr(url)}"
        f" server={quoteattr(server)}><license>{inside}</license></content></rsl>"
    )
