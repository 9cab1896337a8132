"""Whole numbers with a currency: what is shared out always sums to what there was."""

import ast
import os
import random
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import royalties.allocation
import royalties.money
from royalties.money import (
    EXPONENTS,
    Money,
    MoneyError,
    exponent,
    micros_per_minor,
    micros_to_minor,
    minor_to_micros,
    portion,
    round_to_sum,
    share_out,
    share_out_by_key,
)

# 400 for every run of the suite; the soak sets 10 000 and more.
MANY = settings(max_examples=int(os.environ.get("LINER_TEST_EXAMPLES", "400")), deadline=None)

totals = st.integers(min_value=-(10**15), max_value=10**15)
weight_lists = st.lists(st.integers(min_value=0, max_value=10**12), min_size=1, max_size=12).filter(
    any
)
currencies = st.sampled_from(["EUR", "USD", "JPY", "BHD", "CLF"])


@MANY
@given(totals, weight_lists)
def test_parts_sum_to_the_total_and_stay_within_one_unit_of_the_exact_share(
    total: int, weights: list[int]
) -> None:
    parts = share_out(total, weights)
    whole_weight = sum(weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * whole_weight - total * weight) < whole_weight
        if weight == 0:
            assert part == 0


@MANY
@given(totals, weight_lists)
def test_a_bigger_weight_never_gets_less(total: int, weights: list[int]) -> None:
    sizes = [abs(part) for part in share_out(total, weights)]
    by_weight = sorted(zip(weights, sizes, strict=True))
    for (light, small), (heavy, big) in pairwise(by_weight):
        if light < heavy:
            assert small <= big


@MANY
@given(totals, weight_lists)
def test_a_reversal_mirrors_what_was_given(total: int, weights: list[int]) -> None:
    assert share_out(-total, weights) == [-part for part in share_out(total, weights)]


@MANY
@given(
    totals,
    st.dictionaries(st.integers(), st.integers(0, 10_000), min_size=1, max_size=8).filter(
        lambda weights: any(weights.values())
    ),
    st.randoms(use_true_random=False),
)
def test_by_key_the_order_of_the_shares_does_not_matter(
    total: int, weights: dict[int, int], rng: random.Random
) -> None:
    items = list(weights.items())
    rng.shuffle(items)
    assert share_out_by_key(total, dict(items)) == share_out_by_key(total, weights)


def test_between_equal_remainders_the_earlier_position_wins() -> None:
    assert share_out(100, [1, 1, 1]) == [34, 33, 33]
    assert share_out(101, [1, 1, 1]) == [34, 34, 33]
    assert share_out(-100, [1, 1, 1]) == [-34, -33, -33]
    assert share_out_by_key(1, {"b": 1, "a": 1}) == {"a": 1, "b": 0}


def test_the_largest_remainder_gets_the_unit_that_is_left() -> None:
    # 10 × 1/6 = 1.67, 10 × 2/6 = 3.33, 10 × 3/6 = 5.00: the one left goes to .67.
    assert share_out(10, [1, 2, 3]) == [2, 3, 5]


def test_a_weight_of_zero_gets_nothing_even_when_units_are_left() -> None:
    assert share_out(5, [0, 1, 1, 0]) == [0, 3, 2, 0]


def test_nothing_can_be_shared_out_by_nothing() -> None:
    assert share_out(0, []) == []
    assert share_out(0, [0, 0]) == [0, 0]
    for weights in ([], [0], [0, 0]):
        with pytest.raises(MoneyError) as caught:
            share_out(1, weights)
        assert caught.value.code == "money.nothing_to_share_by"
    with pytest.raises(MoneyError) as caught:
        share_out(1, [2, -1])
    assert caught.value.code == "money.negative_weight"


@pytest.mark.parametrize("approximate", [1.0, True, Decimal(1), "1", None])
def test_what_is_not_a_plain_whole_number_is_refused(approximate: Any) -> None:
    for attempt in (
        lambda: Money(approximate, "EUR"),
        lambda: share_out(approximate, [1]),
        lambda: share_out(1, [approximate]),
        lambda: portion(approximate, 1),
        lambda: portion(1, approximate),
        lambda: portion(1, 1, approximate),
        lambda: micros_to_minor(approximate, "EUR"),
        lambda: minor_to_micros(approximate, "EUR"),
        lambda: round_to_sum([approximate], "EUR"),
        lambda: Money(1, "EUR") * approximate,
    ):
        with pytest.raises(TypeError):
            attempt()


def test_the_money_modules_hold_no_float_and_no_true_division() -> None:
    for module in (royalties.money, royalties.allocation):
        assert module.__file__
        for node in ast.walk(ast.parse(Path(module.__file__).read_text())):
            assert not isinstance(node, ast.Div)
            assert not (isinstance(node, ast.Constant) and isinstance(node.value, float))
            assert not (isinstance(node, ast.Name) and node.id in {"float", "round"})


@pytest.mark.parametrize(
    ("currency", "places", "unit"),
    [
        ("EUR", 2, 10_000),
        ("USD", 2, 10_000),
        ("JPY", 0, 1_000_000),
        ("BHD", 3, 1_000),
        ("CLF", 4, 100),
    ],
)
def test_each_currency_has_its_own_minor_unit(currency: str, places: int, unit: int) -> None:
    assert exponent(currency) == places
    assert micros_per_minor(currency) == unit


def test_every_listed_currency_has_a_code_of_three_capitals_and_fits_into_micros() -> None:
    assert len(EXPONENTS) > 140
    for code, places in EXPONENTS.items():
        assert len(code) == 3 and code.isascii() and code.isupper()
        assert 0 <= places <= 6


@pytest.mark.parametrize("code", ["", "eur", "EU", "XXX", "€"])
def test_an_unknown_currency_is_refused(code: str) -> None:
    with pytest.raises(MoneyError) as caught:
        Money(1, code)
    assert caught.value.code == "money.unknown_currency"


@MANY
@given(totals, currencies)
def test_micros_become_minor_units_and_a_residue_below_one_unit(micros: int, currency: str) -> None:
    minor, residue = micros_to_minor(micros, currency)
    assert minor_to_micros(minor, currency) + residue == micros
    assert abs(residue) < micros_per_minor(currency)
    assert residue == 0 or (residue > 0) == (micros > 0)
    assert micros_to_minor(-micros, currency) == (-minor, -residue)


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False), currencies)
def test_residue_carried_over_a_thousand_periods_loses_nothing(
    rng: random.Random, currency: str
) -> None:
    carried = paid_minor = earned = 0
    for _ in range(1_000):
        month = rng.randint(-50_000, 3_000_000)
        earned += month
        pay, carried = micros_to_minor(carried + month, currency)
        paid_minor += pay
        assert abs(carried) < micros_per_minor(currency)
    assert minor_to_micros(paid_minor, currency) + carried == earned


@MANY
@given(st.lists(st.integers(-(10**12), 10**12), max_size=12), currencies)
def test_what_is_shown_adds_up_even_with_reversals_among_it(
    amounts: list[int], currency: str
) -> None:
    shown, residue = round_to_sum(amounts, currency)
    unit = micros_per_minor(currency)
    assert sum(shown) * unit + residue == sum(amounts)
    assert abs(residue) < unit
    for rounded, exact in zip(shown, amounts, strict=True):
        assert abs(rounded * unit - exact) < unit
    mirrored, mirrored_residue = round_to_sum([-a for a in amounts], currency)
    if sum(amounts):
        assert mirrored == [-value for value in shown]
        assert mirrored_residue == -residue


def test_a_sum_of_whole_cents_mirrors_too_when_it_is_negative() -> None:
    assert round_to_sum([15_000, 5_000], "EUR") == ([2, 0], 0)
    assert round_to_sum([-15_000, -5_000], "EUR") == ([-2, 0], 0)


def test_three_thirds_of_a_cent_are_shown_as_one_cent_not_three_and_not_none() -> None:
    assert round_to_sum([3_334, 3_333, 3_333], "EUR") == ([1, 0, 0], 0)


@MANY
@given(totals, st.integers(0, 10_000))
def test_a_portion_never_exceeds_the_whole_and_mirrors(amount: int, basis_points: int) -> None:
    part = portion(amount, basis_points)
    assert abs(part) <= abs(amount)
    assert abs(amount) * basis_points - abs(part) * 10_000 in range(10_000)
    assert portion(-amount, basis_points) == -part


def test_a_portion_of_a_negative_part_or_of_nothing_is_refused() -> None:
    for part, of in ((-1, 10), (1, 0), (1, -1)):
        with pytest.raises(MoneyError) as caught:
            portion(100, part, of)
        assert caught.value.code == "money.bad_portion"
    assert portion(7, 1, 2) == 3
    assert portion(7, 1, 1) == 7
    assert portion(7, 0) == 0


def test_money_adds_and_compares_within_one_currency_only() -> None:
    assert Money(150, "EUR") + Money(50, "EUR") == Money(200, "EUR")
    assert Money(150, "EUR") - Money(50, "EUR") == Money(100, "EUR")
    assert -Money(150, "EUR") == Money(-150, "EUR")
    assert 3 * Money(5, "EUR") == Money(5, "EUR") * 3 == Money(15, "EUR")
    assert Money(1, "EUR") < Money(2, "EUR") <= Money(2, "EUR")
    assert not Money(2, "EUR") < Money(2, "EUR")
    assert not Money(0, "EUR") and Money(1, "EUR")
    assert Money(1, "EUR") != Money(1, "USD")
    for attempt in (
        lambda: Money(1, "EUR") + Money(1, "USD"),
        lambda: Money(1, "EUR") - Money(1, "USD"),
        lambda: Money(1, "EUR") < Money(1, "USD"),
        lambda: Money(1, "EUR") <= Money(1, "USD"),
    ):
        with pytest.raises(MoneyError) as caught:
            attempt()
        assert caught.value.code == "money.two_currencies"


def test_money_is_written_with_the_places_of_its_currency() -> None:
    assert str(Money(41218, "EUR")) == "412.18 EUR"
    assert str(Money(-5, "EUR")) == "-0.05 EUR"
    assert str(Money(0, "EUR")) == "0.00 EUR"
    assert str(Money(41218, "JPY")) == "41218 JPY"
    assert str(Money(41218, "BHD")) == "41.218 BHD"
    assert Money(41218, "BHD").micros == 41_218_000
    assert Money.from_micros(412_187_654, "EUR") == (Money(41218, "EUR"), 7_654)
    assert Money(100, "EUR").share_out([1, 1, 1]) == [
        Money(34, "EUR"),
        Money(33, "EUR"),
        Money(33, "EUR"),
    ]
