"""AI disclosure in DDEX messages (ERN 4.3.2): what a sender declares, and where it contradicts.

`ContainsAI` stands on releases and recordings, `AiContribution` on contributors; both take the
allowed values None, Partly and All. They say how something was *made*, never what AI may do with
it: there is no DDEX element for permission. Absent is not None: it stays `undeclared`.
"""

from collections.abc import Iterator
from typing import Final, Protocol

from consent.words import AiPart

GENERATIVE_AI: Final = "GenerativeAI"

DDEX_VALUES: Final = {"None": AiPart.NONE, "Partly": AiPart.PARTLY, "All": AiPart.ALL}

_USES_AI: Final = frozenset({AiPart.PARTLY, AiPart.ALL})


class Contribution(Protocol):
    """The two things about a contributor that the rules look at."""

    @property
    def special(self) -> str: ...

    @property
    def ai_contribution(self) -> AiPart: ...


def contribution_of(declared: AiPart, special: str) -> AiPart:
    """What a contributor's `AiContribution` amounts to.

    The standard: it "defaults to All if SpecialContributor is GenerativeAI".
    """
    if declared is AiPart.UNDECLARED and special == GENERATIVE_AI:
        return AiPart.ALL
    return declared


def contradictions(contains: AiPart, contribution: Contribution) -> Iterator[str]:
    """Yield the codes of what a contributor contradicts, by the rules of ERN 4.3.2.

    - "If All, only Contributors of type GenerativeAI shall be specified."
    - "If None, no Contributors with AiContribution set to Partly or All shall be specified."
    - AiContribution is All for GenerativeAI; "in all other cases None or Partly".

    Ours is one more: a contributor declared as AI on a recording that declares nothing.
    """
    is_ai = contribution.special == GENERATIVE_AI
    share = contribution.ai_contribution
    if is_ai and share is not AiPart.ALL:
        yield "ai_contributor_not_all"
    if not is_ai and share is AiPart.ALL:
        yield "ai_person_all"
    if contains is AiPart.ALL and not is_ai:
        yield "ai_all_with_human"
    if contains is AiPart.NONE and share in _USES_AI:
        yield "ai_none_with_ai"
    if contains is AiPart.UNDECLARED and share in _USES_AI:
        yield "ai_not_declared_with_ai"


def release_contradicts(release: AiPart, recording: AiPart) -> bool:
    """Whether what a release declares excludes what one of its recordings declares."""
    if release is AiPart.NONE:
        return recording in _USES_AI
    if release is AiPart.ALL:
        return recording in {AiPart.NONE, AiPart.PARTLY}
    return False
