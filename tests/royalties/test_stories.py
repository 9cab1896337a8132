"""Worked stories, from a use to a statement, on a real database."""

import pytest

from consent.errors import Refused
from royalties.models import Allocation, Posting, Statement
from royalties.queries.books import trial_balance
from royalties.queries.explain import explain_line
from royalties.services.holds import release_held_money
from royalties.services.posting import balances
from royalties.tasks import audit_the_books
from tests.royalties.build import EURO, a_world, closed, on, the_statement
from tests.royalties.conftest import MoveClock

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_song_with_three_writers_earns_100_and_one_permission_was_withdrawn_on_the_14th(
    clock: MoveClock,
) -> None:
    world = a_world()
    output = world.made(on(1, 1, 0))
    for day in range(2, 14):
        clock(on(1, day))
        assert world.used(output, on(1, day), 5 * EURO).allowed
    clock(on(1, 14, 9))
    world.allow("deny")
    clock(on(1, 31))
    for day in range(14, 22):
        assert not world.used(output, on(1, day), 5 * EURO).allowed
    clock(on(2, 3))
    closed(1)

    maren, aoi, tides = (
        the_statement(artist, 1) for artist in (world.maren, world.aoi, world.tides)
    )
    assert [s.paid_minor for s in (maren, aoi, tides)] == [2000, 1999, 1999]
    assert [s.earned_micros for s in (maren, aoi, tides)] == [20_004_000, 19_998_000, 19_998_000]
    assert sum(s.earned_micros + s.held_micros for s in (maren, aoi, tides)) == 100 * EURO
    assert sum(s.held_micros for s in (maren, aoi, tides)) == 40 * EURO
    held = maren.lines.get(standing="held")
    assert (held.held, held.events) == ("artist_withdrew", 8)
    # What is less than a cent is carried on, in each writer's own account.
    assert balances(kind="residue") == {
        (world.maren.pk, "EUR"): 4_000,
        (world.aoi.pk, "EUR"): 8_000,
        (world.tides.pk, "EUR"): 8_000,
    }
    assert balances(kind="clearing") == {(world.company.pk, "EUR"): -100 * EURO}
    assert sum(p.amount_micros for p in Posting.objects.all()) == 0
    assert Statement.objects.count() == 3


def test_held_money_is_paid_when_somebody_decides_so_with_a_reason(clock: MoveClock) -> None:
    world = a_world()
    output = world.made(on(1, 1, 0))
    clock(on(1, 10))
    world.allow("deny")
    clock(on(2, 2))
    world.used(output, on(1, 20), 30 * EURO)
    closed(1)
    held = Allocation.objects.get()
    for allocations, reason, code in (
        ([held], "  ", "hold_reason"),
        ([Allocation(held="no_split")], "because", "not_held"),
        ([Allocation(held="")], "because", "not_held"),
    ):
        with pytest.raises(Refused) as caught:
            release_held_money(by=None, allocations=allocations, reason=reason)
        assert caught.value.code == code
    clock(on(2, 3))
    settled = "Settled with the company on 3 February."
    assert release_held_money(by=None, allocations=[held], reason=settled) == 1
    assert release_held_money(by=None, allocations=[held], reason=settled) == 0
    world.allow()
    clock(on(3, 2))
    world.used(output, on(2, 20), 10 * EURO)
    closed(2)
    february = the_statement(world.maren, 2)
    assert february.earned_micros == 40 * EURO * 3_334 // 10_000
    released = february.lines.get(standing="released")
    assert explain_line(released).matches
    assert set(balances(kind="held").values()) == {0}
    assert trial_balance() == {"EUR": 0}
    assert audit_the_books() == 0
