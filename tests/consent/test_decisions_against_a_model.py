"""The decision and an independent, naive model of the same rules agree on everything."""

import os

import pytest
from hypothesis import HealthCheck, event, given, settings

from consent.decisions import NEEDS, Decision, Facts, Question, Verdict, decide
from tests.consent.facts import NOW
from tests.consent.model import judge
from tests.consent.strategies import TERRITORIES, worlds

SOAK = os.environ.get("LINER_TEST_SOAK") == "1"

# Every example is a world that is asked about every use kind.
thorough = settings(
    deadline=None,
    max_examples=100_000 if SOAK else 2_500,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.parametrize("territory", TERRITORIES)
@thorough
@given(worlds())
def test_the_decision_says_what_the_rules_say(territory: str | None, facts: Facts) -> None:
    for use in NEEDS:
        decision = decide(Question(use, NOW, territory), facts)
        expected = judge(Question(use, NOW, territory), facts)
        event(f"allowed {decision.allowed}")
        assert decision.allowed == expected.allowed, (use, sorted(map(str, expected.against)))
        in_the_way = {code for code, _ in expected.against}
        if in_the_way <= {"artist", "artist_suspended", "guardian_missing"}:
            assert _noes(decision) == expected.against
        else:  # whose yes is needed may hang on a licence that is missing: those come first
            assert _noes(decision) & expected.against


def _noes(decision: Decision) -> set[tuple[str, int | None]]:
    """The decision's reasons for a no, in the words of the model."""
    found: set[tuple[str, int | None]] = set()
    for reason in decision.reasons:
        if reason.verdict is not Verdict.NO:
            continue
        code = reason.code.value
        if code in ARTISTS_NOES:
            found.add(("artist", reason.party))
        elif code in ("tool_suspended", "company_suspended") or "model_version" in code:
            found.add((code, None))
        elif code == "right_unknown":
            found.add(("right_under_claimed", None))
        else:
            found.add((code, reason.party))
    return found


ARTISTS_NOES = {
    "artist_denies",
    "artist_asks",
    "artist_undecided",
    "artist_withdrew",
    "answer_expired",
    "answer_outdated",
    "answer_without_guardian",
    "answer_revoked",
}
