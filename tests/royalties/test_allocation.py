"""From a use to what each party gets: worked stories, and properties that hold for all facts."""

import dataclasses
import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from royalties.allocation import (
    Allocation,
    AllocationError,
    AllocationLine,
    AttributionFact,
    Basis,
    RateFact,
    SplitFact,
    Step,
    UsageFact,
    allocate,
    share_event,
    split_lines,
    steps_of,
)

MAREN, AOI, THE_LOW_TIDES, FJORD = 1, 2, 3, 4
TENTH = RateFact(rate=1, basis="share_of_revenue", amount=1_000, currency="EUR")
ALL_OF_IT = RateFact(rate=2, basis="share_of_revenue", amount=10_000, currency="EUR")
THREE_WRITERS = SplitFact(1, ((MAREN, 3_334), (AOI, 3_333), (THE_LOW_TIDES, 3_333)))
EURO = 1_000_000

# 100 for every run of the suite; the soak sets 10 000 and more.
MANY = settings(max_examples=int(os.environ.get("LINER_TEST_EXAMPLES", "100")), deadline=None)


def usage(
    *attributions: AttributionFact,
    event: int = 1,
    revenue_micros: int = 100 * EURO,
    quantity: int = 1,
    weight_total: int = 10_000,
    currency: str = "EUR",
    tool: int = 1,
    kind: str = "style",
) -> UsageFact:
    return UsageFact(
        event=event,
        tool=tool,
        kind=kind,
        currency=currency,
        revenue_micros=revenue_micros,
        quantity=quantity,
        weight_total=weight_total,
        attributions=attributions,
    )


def drawn(
    recording: int = 1,
    right: str = "publishing",
    weight: int = 10_000,
    rate: RateFact | None = ALL_OF_IT,
    split: SplitFact | None = THREE_WRITERS,
    held: str = "",
) -> AttributionFact:
    return AttributionFact(recording, right, weight, rate, split, held)


def amounts(allocation: Allocation) -> dict[int | None, int]:
    return {line.payee: line.amount_micros for line in allocation.lines}


def test_a_song_with_three_writers_earns_100_and_every_micro_has_an_owner() -> None:
    (allocation,) = allocate([usage(drawn())])
    assert allocation.owed_micros == 100 * EURO
    assert amounts(allocation) == {
        MAREN: 33_340_000,
        AOI: 33_330_000,
        THE_LOW_TIDES: 33_330_000,
    }


def test_one_permission_was_withdrawn_on_the_14th_and_the_money_since_then_waits() -> None:
    before = [usage(drawn(), event=day, revenue_micros=EURO) for day in range(1, 14)]
    since = [
        usage(drawn(held="not_permitted"), event=day, revenue_micros=EURO) for day in range(14, 31)
    ]
    free, held = allocate(before + since)
    assert (free.key.held, free.owed_micros, len(free.shares)) == ("", 13 * EURO, 13)
    assert (held.key.held, held.owed_micros, len(held.shares)) == ("not_permitted", 17 * EURO, 17)
    assert sum(line.amount_micros for line in held.lines) == 17 * EURO


def test_only_the_recording_whose_permission_is_gone_waits_not_the_one_beside_it() -> None:
    allocations = allocate([usage(drawn(1, weight=6_000), drawn(2, weight=4_000, held="denied"))])
    assert [(a.key.recording, a.key.held, a.owed_micros) for a in allocations] == [
        (1, "", 60 * EURO),
        (2, "denied", 40 * EURO),
    ]


def test_master_and_publishing_are_paid_from_the_same_revenue_each_by_its_own_rate() -> None:
    publishing = RateFact(3, "share_of_revenue", 400, "EUR")
    label = SplitFact(2, ((FJORD, 8_000), (MAREN, 2_000)))
    master, written = allocate(
        [usage(drawn(right="master", rate=TENTH, split=label), drawn(rate=publishing))]
    )
    assert amounts(master) == {MAREN: 2 * EURO, FJORD: 8 * EURO}
    assert written.owed_micros == 4 * EURO


def test_recordings_under_one_rate_share_its_pool_to_the_last_micro() -> None:
    third = usage(
        drawn(1, weight=3_334, rate=TENTH),
        drawn(2, weight=3_333, rate=TENTH),
        drawn(3, weight=3_333, rate=TENTH),
        revenue_micros=1_000_009,
    )
    allocations = allocate([third])
    assert sum(a.owed_micros for a in allocations) == 100_000  # a tenth; 0.9 micros never owed
    assert [a.owed_micros for a in allocations] == [33_340, 33_330, 33_330]


def test_recordings_under_different_rates_each_get_their_own_pool() -> None:
    fifth = RateFact(5, "share_of_revenue", 2_000, "EUR")
    first, second = allocate(
        [usage(drawn(1, weight=5_000, rate=TENTH), drawn(2, weight=5_000, rate=fifth))]
    )
    assert (first.owed_micros, second.owed_micros) == (5 * EURO, 10 * EURO)


def test_a_price_per_output_counts_outputs_and_is_owed_in_its_own_currency() -> None:
    price = RateFact(6, "per_output", 12_345, "JPY")
    (allocation,) = allocate([usage(drawn(rate=price), quantity=1_000, revenue_micros=0)])
    assert (allocation.key.currency, allocation.owed_micros) == ("JPY", 12_345_000)


def test_a_flat_fee_is_shared_by_the_recordings_it_pays_for_and_no_others() -> None:
    fjord_fee = RateFact(7, "flat_fee", 90 * EURO, "EUR")
    other_fee = RateFact(8, "flat_fee", 10 * EURO, "EUR")
    run = usage(
        drawn(1, weight=1, rate=fjord_fee),
        drawn(2, weight=1, rate=fjord_fee),
        drawn(3, weight=1, rate=fjord_fee),
        drawn(4, weight=1, rate=other_fee),
        weight_total=4,
        revenue_micros=0,
        kind="generative_training",
    )
    assert [a.owed_micros for a in allocate([run])] == [30 * EURO] * 3 + [10 * EURO]


def test_a_use_without_a_rate_owes_nothing_yet_and_is_seen() -> None:
    (allocation,) = allocate([usage(drawn(rate=None))])
    assert (allocation.key.held, allocation.owed_micros) == ("no_rate", 0)
    assert (allocation.key.rate, allocation.key.split) == (0, THREE_WRITERS.split)
    assert allocation.lines == ()
    assert allocation.revenue_micros == 100 * EURO
    (nothing,) = allocate([usage(drawn(rate=None, split=None))])
    assert (nothing.key.held, nothing.key.split) == ("no_rate", 0)


def test_money_without_a_split_waits_for_one_and_belongs_to_nobody_yet() -> None:
    (allocation,) = allocate([usage(drawn(split=None))])
    assert (allocation.key.held, allocation.key.split) == ("no_split", 0)
    assert allocation.lines == (AllocationLine(None, 10_000, 100 * EURO),)
    assert amounts(allocation) == {None: 100 * EURO}


def test_a_reversal_takes_back_what_was_given() -> None:
    given_facts = usage(drawn(1, weight=3_001, rate=TENTH), drawn(2, weight=6_999, rate=TENTH))
    back = dataclasses.replace(
        given_facts,
        event=2,
        revenue_micros=-given_facts.revenue_micros,
        quantity=-given_facts.quantity,
    )
    for allocation in allocate([given_facts, back]):
        assert allocation.owed_micros == 0
        assert set(amounts(allocation).values()) == {0}
    for forth, mirrored in zip(allocate([given_facts]), allocate([back]), strict=True):
        assert {p: -a for p, a in amounts(forth).items()} == amounts(mirrored)


def test_influences_that_do_not_sum_are_refused() -> None:
    with pytest.raises(AllocationError) as caught:
        allocate([usage(drawn(weight=9_999))])
    assert caught.value.code == "allocation.influence_sum"


def test_the_same_use_twice_is_refused() -> None:
    with pytest.raises(AllocationError) as caught:
        allocate([usage(drawn()), usage(drawn())])
    assert caught.value.code == "allocation.twice"


def test_a_split_that_does_not_sum_or_names_a_party_twice_is_refused() -> None:
    with pytest.raises(AllocationError) as caught:
        SplitFact(9, ((MAREN, 9_999),))
    assert caught.value.code == "allocation.split_sum"
    with pytest.raises(AllocationError) as caught:
        SplitFact(9, ((MAREN, 5_000), (MAREN, 5_000)))
    assert caught.value.code == "allocation.split_twice"


def test_how_this_became_412_18_can_be_shown_step_by_step() -> None:
    (allocation,) = allocate(
        [
            usage(
                drawn(1, weight=2_500, rate=TENTH),
                drawn(2, weight=7_500, rate=TENTH, split=None),
                event=event,
                revenue_micros=24_737 * EURO,
            )
            for event in (1, 2)
        ]
    )[:1]
    maren = allocation.lines[0]
    assert steps_of(allocation, maren, TENTH) == (
        Step("revenue", 2, 49_474 * EURO),
        Step("rate", 1_000, 4_947_400_000),
        Step("influence", 2_500, 1_236_850_000),
        Step("split", 3_334, 412_365_790),
    )


def test_an_influence_is_shown_to_the_basis_point_and_rounded_down() -> None:
    rate = RateFact(1, "share_of_revenue", 10_000, "EUR")
    first, _rest = allocate(
        [usage(drawn(1, weight=9_999, rate=rate), drawn(2, weight=1, rate=rate))]
    )
    assert steps_of(first, first.lines[0], rate)[2].factor == 9_999


def test_a_price_shows_how_many_it_was_paid_for() -> None:
    price = RateFact(6, "per_output", 20_000, "EUR")
    (allocation,) = allocate([usage(drawn(rate=price), quantity=7, revenue_micros=0)])
    assert steps_of(allocation, allocation.lines[0], price)[:2] == (
        Step("outputs", 7, 0),
        Step("rate", 20_000, 140_000),
    )
    free = RateFact(6, "flat_fee", 0, "EUR")
    (allocation,) = allocate([usage(drawn(rate=free), revenue_micros=0)])
    steps = steps_of(allocation, allocation.lines[0], free)
    assert steps[0] == Step("trainings", 0, 0)
    assert steps[2] == Step("influence", 0, 0)


# Properties over all facts.

RIGHTS = ("master", "publishing")
BASES: tuple[Basis, ...] = ("share_of_revenue", "per_output", "flat_fee")


@st.composite
def whole_shares(draw: st.DrawFn, parts: int) -> list[int]:
    cuts = sorted(draw(st.lists(st.integers(0, 10_000), min_size=parts - 1, max_size=parts - 1)))
    return [b - a for a, b in zip([0, *cuts], [*cuts, 10_000], strict=True)]


@st.composite
def usage_facts(draw: st.DrawFn) -> list[UsageFact]:
    rates = [
        RateFact(
            number,
            draw(st.sampled_from(BASES)),
            draw(st.integers(0, 10_000)),
            draw(st.sampled_from(["EUR", "JPY"])),
        )
        for number in range(1, draw(st.integers(1, 3)) + 1)
    ]
    splits = [
        SplitFact(number, tuple(enumerate(draw(whole_shares(draw(st.integers(1, 4)))), start=1)))
        for number in range(1, draw(st.integers(1, 3)) + 1)
    ]
    facts: list[UsageFact] = []
    for event in range(1, draw(st.integers(1, 5)) + 1):
        attributions: list[AttributionFact] = []
        for right in draw(st.sampled_from([RIGHTS, RIGHTS[:1]])):
            weights = draw(whole_shares(draw(st.integers(1, 4))))
            attributions += [
                AttributionFact(
                    recording,
                    right,
                    weight,
                    draw(st.sampled_from([None, *rates])),
                    draw(st.sampled_from([None, *splits])),
                    draw(st.sampled_from(["", "", "denied"])),
                )
                for recording, weight in enumerate(weights, start=1)
                if weight
            ]
        sign = draw(st.sampled_from([1, 1, -1]))
        facts.append(
            UsageFact(
                event=event,
                tool=draw(st.integers(1, 2)),
                kind=draw(st.sampled_from(["style", "voice"])),
                currency="EUR",
                revenue_micros=sign * draw(st.integers(0, 10**15)),
                quantity=sign * draw(st.integers(1, 10**6)),
                weight_total=10_000,
                attributions=tuple(attributions),
            )
        )
    return facts


@MANY
@given(usage_facts(), st.randoms(use_true_random=False))
def test_every_allocation_sums_to_its_lines_and_to_its_uses_in_any_order(
    facts: list[UsageFact], rng: random.Random
) -> None:
    allocations = allocate(facts)
    for allocation in allocations:
        assert sum(share.owed_micros for share in allocation.shares) == allocation.owed_micros
        if allocation.key.rate:
            assert sum(line.amount_micros for line in allocation.lines) == allocation.owed_micros
    shuffled = [
        dataclasses.replace(
            fact, attributions=tuple(rng.sample(fact.attributions, len(fact.attributions)))
        )
        for fact in rng.sample(facts, len(facts))
    ]
    assert allocate(shuffled) == allocations


@MANY
@given(usage_facts())
def test_no_use_ever_owes_more_for_a_right_than_its_dearest_pool(facts: list[UsageFact]) -> None:
    for fact in facts:
        owed: dict[tuple[str, int], int] = {}
        pools: dict[tuple[str, int], int] = {}
        for key, share in share_event(fact):
            owed[key.right, key.rate] = owed.get((key.right, key.rate), 0) + share.owed_micros
            pools[key.right, key.rate] = share.pool_micros
            assert abs(share.owed_micros) <= abs(share.pool_micros)
        for name, amount in owed.items():
            assert abs(amount) <= abs(pools[name])


@MANY
@given(usage_facts())
def test_the_mirror_image_of_all_facts_gives_the_mirror_image_of_all_lines(
    facts: list[UsageFact],
) -> None:
    mirrored = [
        dataclasses.replace(fact, revenue_micros=-fact.revenue_micros, quantity=-fact.quantity)
        for fact in facts
    ]
    for forth, back in zip(allocate(facts), allocate(mirrored), strict=True):
        assert forth.key == back.key
        assert amounts(back) == {payee: -amount for payee, amount in amounts(forth).items()}


@MANY
@given(
    st.integers(-(10**15), 10**15),
    st.integers(1, 6).flatmap(lambda parts: whole_shares(parts)),
)
def test_the_lines_of_a_split_sum_to_what_is_split(owed: int, shares: list[int]) -> None:
    split = SplitFact(1, tuple(enumerate(shares, start=1)))
    lines = split_lines(owed, split)
    assert sum(line.amount_micros for line in lines) == owed
    for line in lines:
        assert abs(line.amount_micros * 10_000 - owed * line.share_bp) < 10_000
