"""Small facts for tests of the pure decision: Maren Holt, her label, her publisher, one tool."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from consent.decisions import (
    Answer,
    ArtistFacts,
    ClaimFacts,
    Decision,
    Facts,
    LicenceFacts,
    Question,
    RecordingFacts,
    ToolFacts,
    decide,
)

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
MAREN, AOI, BAND, FJORD, SOCIETY, TONEWRIGHT = 1, 2, 3, 10, 20, 30
ALL_USES = frozenset(
    {
        "generative_training",
        "analysis_training",
        "remix_input",
        "style",
        "voice",
        "name_image",
        "discovery",
    }
)


def days(n: float) -> timedelta:
    return timedelta(days=n)


def answer(stance: str, **changes: Any) -> Answer:
    return replace(Answer(stance=stance, seq=50, given_at=NOW - days(30)), **changes)


def person(key: int, *answers: Answer, **changes: Any) -> ArtistFacts:
    return replace(ArtistFacts(key=key, kind="person", answers=answers), **changes)


def claim(party: int, right: str, **changes: Any) -> ClaimFacts:
    return replace(
        ClaimFacts(party=party, right=right, share_bp=10_000, authority="contract", seq=5),
        **changes,
    )


def licence(holder: int, **changes: Any) -> LicenceFacts:
    return replace(
        LicenceFacts(
            ref=f"licence of {holder}",
            number=1,
            holder=holder,
            uses=ALL_USES,
            covers=True,
            seq=20 + holder,
            began_at=NOW - days(300),
        ),
        **changes,
    )


def facts(**changes: Any) -> Facts:
    """Everything in order and licensed, and Maren says yes."""
    return replace(
        Facts(
            seq=100,
            recording=RecordingFacts(key=7, seq=3, main_artists=(MAREN,)),
            tool=ToolFacts(key=70, company=TONEWRIGHT, seq=4),
            claims=(
                claim(FJORD, "master"),
                claim(SOCIETY, "publishing", authority="blanket", repertoire=MAREN),
            ),
            licences=(licence(FJORD), licence(SOCIETY), licence(MAREN)),
            artists={MAREN: person(MAREN, answer("allow"))},
        ),
        **changes,
    )


def ask(use: str = "generative_training", about: Facts | None = None, **changes: Any) -> Decision:
    return decide(replace(Question(use, NOW), **changes), about or facts())


def codes(decision: Decision) -> list[str]:
    return [r.code.value for r in decision.reasons]
