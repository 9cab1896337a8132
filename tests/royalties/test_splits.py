"""Splits are proposed by one, in force with everyone's yes; what is earned in between waits."""

import pytest

from consent.errors import Refused
from royalties.models import Allocation, SplitVersion
from royalties.queries.earnings import held_money, pending_splits
from royalties.services.posting import balances
from royalties.services.splits import (
    SplitSheet,
    accept_split,
    decline_split,
    propose_split,
    record_signed_splits,
    withdraw_split,
)
from tests.royalties.build import EURO, World, a_world, closed, on, the_statement
from tests.royalties.conftest import MoveClock

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(clock: MoveClock) -> World:
    """It is 10 January; the song earns 30.00 a month by one output."""
    world = a_world()
    world.made(on(1, 1, 0))
    clock(on(1, 10))
    return world


def test_a_change_of_split_waits_for_all_and_the_money_with_it(
    world: World, clock: MoveClock
) -> None:
    """Maren asks for half from the 10th. Until all agree, what the song earns is held."""
    split = propose_split(
        by=None,
        recording=world.song,
        right="publishing",
        shares={world.maren.party: 5_000, world.aoi.party: 2_500, world.tides.party: 2_500},
        answering_for=world.maren.party,
    )
    clock(on(2, 2))
    world.used("out-1", on(1, 5), 10 * EURO)
    world.used("out-1", on(1, 20), 20 * EURO)
    closed(1)
    january = the_statement(world.maren, 1)
    assert (january.earned_micros, january.held_micros) == (3_334_000, 6_668_000)
    (held,) = held_money(world.maren)
    assert (held.reason, held.amount_micros, held.recordings) == ("split_pending", 6_668_000, 1)
    assert [s.pk for s in pending_splits(world.aoi)] == [split.pk]

    accept_split(by=None, split=split, party=world.aoi.party)
    split = accept_split(by=None, split=split, party=world.tides.party)
    assert (split.status, split.in_force_at) == ("in_force", on(2, 2))
    clock(on(3, 2))
    world.used("out-1", on(2, 20), 10 * EURO)
    closed(2)
    # The old split governed until all had said yes; from then on, the new one.
    february = the_statement(world.maren, 2)
    by_standing = {line.standing: line.amount_micros for line in february.lines.all()}
    assert by_standing == {"payable": 5 * EURO, "released": 6_668_000}
    assert held_money(world.maren) == []
    assert set(balances(kind="held").values()) == {0}


def test_a_declined_change_releases_the_money_to_those_whose_it_was(
    world: World, clock: MoveClock
) -> None:
    split = propose_split(
        by=None, recording=world.song, right="publishing", shares={world.maren.party: 10_000}
    )
    clock(on(2, 2))
    world.used("out-1", on(1, 20), 10 * EURO)
    closed(1)
    assert the_statement(world.aoi, 1).held_micros == 3_333_000
    decline_split(by=None, split=split, party=world.maren.party)
    clock(on(3, 2))
    world.used("out-1", on(2, 20), 10 * EURO)
    closed(2)
    assert the_statement(world.aoi, 2).earned_micros == 2 * 3_333_000


def test_money_without_a_split_goes_to_the_first_one(clock: MoveClock) -> None:
    world = a_world(writers={})
    output = world.made(on(1, 1, 0))
    clock(on(2, 2))
    world.used(output, on(1, 20), 10 * EURO)
    closed(1)
    assert Allocation.objects.get().held == "no_split"
    assert balances(kind="held") == {(None, "EUR"): 10 * EURO}
    record_signed_splits(
        by=None, sheets=[SplitSheet(world.song, "publishing", {world.maren.party: 10_000})]
    )
    clock(on(3, 2))
    world.used(output, on(2, 20), 1 * EURO)
    closed(2)
    assert the_statement(world.maren, 2).earned_micros == 11 * EURO
    assert balances(kind="held") == {(None, "EUR"): 0}


def test_a_split_for_later_begins_on_its_day(world: World, clock: MoveClock) -> None:
    split = propose_split(
        by=None,
        recording=world.song,
        right="publishing",
        shares={world.maren.party: 10_000},
        effective_on=on(2, 1).date(),
        answering_for=world.maren.party,
    )
    assert (split.status, split.in_force_at) == ("in_force", on(2, 1, 0))
    clock(on(2, 2))
    world.used("out-1", on(1, 31, 23), 10 * EURO)
    world.used("out-1", on(2, 1, 0), 10 * EURO)
    closed(1)
    clock(on(3, 2))
    closed(2)
    assert the_statement(world.maren, 1).earned_micros == 3_334_000
    assert the_statement(world.maren, 2).earned_micros == 10 * EURO


def test_answers_are_given_once_by_those_in_the_split(world: World) -> None:
    split = propose_split(
        by=None,
        recording=world.song,
        right="publishing",
        shares={world.maren.party: 5_000, world.aoi.party: 5_000},
    )
    accept_split(by=None, split=split, party=world.maren.party)
    assert accept_split(by=None, split=split, party=world.maren.party).status == "pending"
    with pytest.raises(Refused) as caught:
        decline_split(by=None, split=split, party=world.maren.party)
    assert caught.value.code == "split_decided"
    with pytest.raises(Refused) as caught:
        accept_split(by=None, split=split, party=world.tides.party)
    assert caught.value.code == "not_in_split"
    assert withdraw_split(by=None, split=split).status == "declined"
    assert withdraw_split(by=None, split=split).status == "declined"
    with pytest.raises(Refused) as caught:
        accept_split(by=None, split=split, party=world.aoi.party)
    assert caught.value.code == "split_decided"
    current = SplitVersion.objects.get(recording=world.song, status="in_force")
    with pytest.raises(Refused) as caught:
        withdraw_split(by=None, split=current)
    assert caught.value.code == "split_decided"


def test_a_proposal_that_cannot_be_is_refused_and_leaves_nothing(world: World) -> None:
    maren, aoi = world.maren.party, world.aoi.party
    for shares, day, code in (
        ({maren: 5_000, aoi: 4_999}, None, "split_sum"),
        ({maren: 10_001, aoi: -1}, None, "split_share"),
        ({maren: 10_000, aoi: 0}, None, "split_share"),
        ({maren: 10_000}, on(1, 9).date(), "split_in_past"),
    ):
        with pytest.raises(Refused) as caught:
            propose_split(
                by=None,
                recording=world.song,
                right="publishing",
                shares=shares,
                effective_on=day,
            )
        assert caught.value.code == code
    propose_split(by=None, recording=world.song, right="publishing", shares={maren: 10_000})
    with pytest.raises(Refused) as caught:
        propose_split(by=None, recording=world.song, right="publishing", shares={aoi: 10_000})
    assert caught.value.code == "split_pending"
    assert SplitVersion.objects.count() == 2


def test_split_sheets_are_only_for_what_has_no_split(world: World) -> None:
    maren, aoi = world.maren.party, world.aoi.party
    sheet = SplitSheet(world.song, "master", {maren: 10_000})
    for sheets, code in (
        ([SplitSheet(world.song, "publishing", {maren: 10_000})], "split_there"),
        ([sheet, sheet], "split_twice"),
        ([SplitSheet(world.song, "master", {maren: 9_999})], "split_sum"),
        ([SplitSheet(world.song, "master", {maren: 10_000, aoi: 0})], "split_share"),
        ([SplitSheet(world.song, "master", {})], "split_sum"),
    ):
        with pytest.raises(Refused) as caught:
            record_signed_splits(by=None, sheets=sheets)
        assert caught.value.code == code
