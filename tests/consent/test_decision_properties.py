"""What holds of every decision, whatever the facts."""

import os
import random
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent.decisions import (
    NEEDS,
    Answer,
    ArtistFacts,
    ClaimFacts,
    Code,
    Decision,
    Facts,
    Question,
    Verdict,
    decide,
)
from tests.consent.facts import (
    NOW,
    days,
)
from tests.consent.model import judge, moments
from tests.consent.strategies import MODEL, TERRITORIES, Choices, worlds

SOAK = os.environ.get("LINER_TEST_SOAK") == "1"

common = settings(
    deadline=None,
    max_examples=40_000 if SOAK else 500,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
uses = st.sampled_from(sorted(NEEDS))
territories = st.sampled_from(TERRITORIES)


def says(use: str, territory: str | None, given_facts: Facts) -> Decision:
    return decide(Question(use, NOW, territory), given_facts)


# Properties


@common
@given(worlds(), territories, st.binary(min_size=30, max_size=30))
def test_one_more_no_never_turns_a_no_into_a_yes(
    known: Facts, territory: str | None, source: bytes
) -> None:
    choices = Choices(source)
    if not known.artists:
        return
    key = choices.one_of(sorted(known.artists))
    maker = choices.one_of(("", "company", "tool"))
    said = choices.answer(choices.one_of((False, True)), maker, choices.places())
    no = replace(
        said,
        stance=choices.one_of(("deny", "ask", "undecided")),
        way="answered",
        took_back_allow=False,
        valid_until=None,
    )
    after = _with_answer(known, key, no)
    for use in NEEDS:
        assert says(use, territory, known).allowed or not says(use, territory, after).allowed


@common
@given(worlds(), territories)
def test_taking_a_licence_away_never_gives_a_yes(known: Facts, territory: str | None) -> None:
    """But of several that speak for one: the one that goes may have been the careful one."""
    holders = [x.holder for x in known.licences]
    for gone in known.licences:
        if holders.count(gone.holder) > 1:
            continue
        after = replace(known, licences=tuple(x for x in known.licences if x is not gone))
        for use in NEEDS:
            assert says(use, territory, known).allowed or not _newly_allowed(use, territory, after)


def _spoke_for_another(claim: ClaimFacts, known: Facts) -> bool:
    wider = [
        c
        for c in known.claims
        if c.repertoire is not None and (c.party, c.right) == (claim.party, claim.right)
    ]
    return claim.work is None and claim.repertoire is None and bool(wider)


@common
@given(worlds(), territories)
def test_taking_a_claim_away_gives_a_yes_only_where_one_was_too_many(
    known: Facts, territory: str | None
) -> None:
    """Or where it spoke, for all places, instead of the same party's claim to a repertoire.

    That nothing is claimed is not taken away while it is disputed, but settled.
    """
    for use in NEEDS:
        if says(use, territory, known).allowed:
            continue
        for gone in (c for c in known.claims if c.share_bp or not c.disputed):
            after = replace(known, claims=tuple(c for c in known.claims if c is not gone))
            if _newly_allowed(use, territory, after) and not _spoke_for_another(gone, known):
                same = [
                    c
                    for c in known.claims
                    if c.right == gone.right
                    and (not c.territories or territory is None or territory in c.territories)
                ]
                assert gone in same
                assert sum(c.share_bp for c in same) > 10_000


@common
@given(worlds(), territories)
def test_that_nothing_is_claimed_says_no_more_than_a_claim_that_is_not_there(
    known: Facts, territory: str | None
) -> None:
    """Nobody's licence is waited for, or overrides, or is signed by it: only a wider claim goes."""
    for zero in (c for c in known.claims if not c.share_bp and not c.disputed):
        over = zero.valid_until is not None and zero.valid_until <= NOW
        spoken_for = [
            c
            for c in known.claims
            if (c.party, c.right) == (zero.party, zero.right)
            and c.repertoire is not None
            and not c.disputed
        ]
        silent = [zero] if over else [zero, *spoken_for]
        without = tuple(c for c in known.claims if not any(c is one for one in silent))
        for use in NEEDS:
            after = replace(known, claims=without)
            one, other = says(use, territory, known), says(use, territory, after)
            assert one.allowed == other.allowed
            assert _noes(one) == _noes(other)


@common
@given(worlds(), territories)
def test_a_dispute_about_nothing_never_makes_a_yes_of_a_no(
    known: Facts, territory: str | None
) -> None:
    """Neither beside what was said before it, nor beside its never having been said."""
    for zero in (c for c in known.claims if not c.share_bp):
        others = tuple(c for c in known.claims if c is not zero)
        disputed = replace(known, claims=(*others, replace(zero, disputed=True)))
        plain = replace(known, claims=(*others, replace(zero, disputed=False)))
        unsaid = replace(known, claims=others)
        for use in NEEDS:
            if says(use, territory, disputed).allowed:
                assert says(use, territory, plain).allowed
                assert says(use, territory, unsaid).allowed


@common
@given(worlds(), territories)
def test_where_only_nothing_is_claimed_nothing_is_allowed(
    known: Facts, territory: str | None
) -> None:
    none = tuple(
        replace(c, share_bp=0, work=None, repertoire=None, territories=frozenset())
        if c.right in ("master", "publishing")
        else c
        for c in known.claims
    )
    after = replace(known, claims=none)
    for use, needs in NEEDS.items():
        if needs.master:
            assert not says(use, territory, after).allowed


def _noes(decision: Decision) -> set[tuple[Code, int | None]]:
    return {(r.code, r.party) for r in decision.reasons if r.verdict is Verdict.NO}


def _newly_allowed(use: str, territory: str | None, after: Facts) -> bool:
    """Is it allowed, and not only because of two signatures the one with the short notice went?"""
    decision = says(use, territory, after)
    longer_notice = NEEDS[use].own_signature and any(
        r.code is Code.RUNS_OFF for r in decision.reasons
    )
    return decision.allowed and not longer_notice


@common
@given(worlds(), territories)
def test_every_yes_stands_on_reasons_none_of_which_is_a_no(
    known: Facts, territory: str | None
) -> None:
    for use in NEEDS:
        decision = says(use, territory, known)
        verdicts = {r.verdict for r in decision.reasons}
        assert decision.reasons
        assert decision.allowed == (Verdict.NO not in verdicts)
        if decision.allowed:
            assert Verdict.YES in verdicts
            assert decision.seq == known.seq
        else:
            assert decision.deciding.verdict is Verdict.NO
            assert decision.valid_until is None


@common
@given(worlds(), territories, st.integers(0, 2**32))
def test_the_order_of_the_facts_says_nothing(
    known: Facts, territory: str | None, seed: int
) -> None:
    shuffle = random.Random(seed)
    # Each licence has an entry of its own in the ledger: no two are alike in their place there.
    numbered = [replace(x, seq=x.seq + 100 * n) for n, x in enumerate(known.licences)]
    known = replace(known, licences=tuple(numbered))
    mixed = replace(
        known,
        claims=tuple(shuffle.sample(known.claims, len(known.claims))),
        licences=tuple(shuffle.sample(known.licences, len(known.licences))),
        artists={
            key: replace(a, answers=tuple(shuffle.sample(a.answers, len(a.answers))))
            for key, a in shuffle.sample(sorted(known.artists.items()), len(known.artists))
        },
    )
    for use in NEEDS:
        one, other = says(use, territory, known), says(use, territory, mixed)
        assert (one.allowed, one.valid_until) == (other.allowed, other.valid_until)


@common
@given(worlds(), territories)
def test_a_yes_holds_at_every_moment_before_its_end(known: Facts, territory: str | None) -> None:
    """And when it has no end, for ever: the last moment that any fact names is tried as well."""
    found = moments(known)
    later = sorted(t for m in found for t in (m - days(0.01), m, m + days(0.01)) if t > NOW)
    for use in NEEDS:
        decision = says(use, territory, known)
        if not decision.allowed:
            continue
        until = decision.valid_until
        assert until is None or until > NOW
        for at in later:
            if until is None or at < until:
                assert decide(Question(use, at, territory), known).allowed, at


@common
@given(worlds(), territories)
def test_deciding_again_at_the_end_of_a_yes_tells(known: Facts, territory: str | None) -> None:
    for use in NEEDS:
        until = says(use, territory, known).valid_until
        if until is not None:
            question = Question(use, until, territory)
            assert decide(question, known).allowed == judge(question, known).allowed


@common
@given(worlds())
def test_a_yes_for_the_world_is_a_yes_in_every_country(known: Facts) -> None:
    for use in NEEDS:
        if says(use, None, known).allowed:
            assert all(says(use, place, known).allowed for place in ("NO", "DE", "JP"))


@common
@given(worlds(), territories)
def test_a_yes_that_names_no_model_is_a_yes_for_every_model(
    known: Facts, territory: str | None
) -> None:
    if known.tool is None or not known.tool.model_known:
        return
    unnamed = replace(known.tool, model=None, model_registered_at=None, model_retired=False)
    for use in NEEDS:
        if says(use, territory, replace(known, tool=unnamed)).allowed:
            for number in (8, MODEL):
                named = replace(unnamed, model=number, model_registered_at=NOW)
                assert says(use, territory, replace(known, tool=named)).allowed


@common
@given(worlds(), territories, st.text(max_size=20))
def test_what_nobody_has_heard_of_is_a_no(known: Facts, territory: str | None, use: str) -> None:
    if use not in NEEDS:
        assert says(use, territory, known).deciding.code is Code.UNKNOWN_USE
    for other in NEEDS:
        assert not says(other, territory, replace(known, recording=None)).allowed
        assert not says(other, territory, replace(known, tool=None)).allowed
        assert not says(other, territory, replace(known, licences=())).allowed


@common
@given(worlds(), territories)
def test_without_her_yes_only_what_a_clause_carries_is_allowed(
    known: Facts, territory: str | None
) -> None:
    silent = replace(known, artists={k: replace(a, answers=()) for k, a in known.artists.items()})
    for use, needs in NEEDS.items():
        decision = says(use, territory, silent)
        if decision.allowed:
            assert not needs.always_artist
            carried = [r for r in decision.reasons if r.code is Code.OVERRIDDEN]
            assert carried and all(r.clause and r.right == "master" for r in carried)


@common
@given(worlds(), territories)
def test_no_other_authority_of_a_master_claim_makes_a_yes_of_a_no(
    known: Facts, territory: str | None
) -> None:
    """But for `own`, under which no clause counts: one who stops being the owner may name one."""
    for named in ("blanket", "contract"):
        after = replace(
            known,
            claims=tuple(
                replace(c, authority=named) if c.right == "master" and c.authority != "own" else c
                for c in known.claims
            ),
        )
        for use in NEEDS:
            assert says(use, territory, known).allowed == says(use, territory, after).allowed


def _with_answer(known: Facts, key: int, added: Answer) -> Facts:
    """A no in a scope takes the place of what was said in it, and goes beside all others."""
    artist = known.artists[key]
    kept = [a for a in artist.answers if _scope(a) != _scope(added)]
    changed: ArtistFacts = replace(artist, answers=(*kept, added))
    return replace(known, artists={**known.artists, key: changed})


def _scope(one: Answer) -> tuple[bool, str, frozenset[str]]:
    return one.on_recording, one.maker, one.territories
