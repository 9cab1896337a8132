"""From an amount to the uses behind it: every figure is found again in the records."""

import threading
from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from consent.errors import Refused
from consent.models import Party
from royalties.models import Account, Payout, Posting, StatementLine, UsageEvent
from royalties.queries.earnings import (
    balances_of,
    earnings_by_month,
    earnings_by_month_and_tool,
    earnings_by_recording,
    earnings_by_tool,
    held_money,
    lines_of,
    months_in_progress,
    statement,
    statements_of,
)
from royalties.queries.explain import events_of_line, explain_line, lines_of_event
from royalties.services.payouts import cancel_payout, request_payout
from royalties.services.rates import RateOffer, set_rates
from royalties.services.splits import propose_split, withdraw_split
from tests.royalties.build import EURO, REMIX, World, a_world, closed, on, the_statement
from tests.royalties.conftest import MoveClock

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(clock: MoveClock) -> World:
    """Two months, two songs; a no on 15 February; it is March."""
    world = a_world(songs=2)
    first, second = world.songs
    both = world.made(on(1, 1, 0), {first: 7_000, second: 3_000})
    alone = world.made(on(1, 1, 0), {first: 10_000})
    clock(on(2, 1))
    for day in range(2, 12):
        world.used(both, on(1, day), 1_234_567)
    world.used(alone, on(1, 20), 5 * EURO)
    closed(1)
    clock(on(2, 15))
    world.allow("deny")
    clock(on(3, 1))
    world.used(both, on(2, 10), 2 * EURO)
    world.used(both, on(2, 20), 4 * EURO)
    closed(2)
    return world


def test_earnings_per_month_tool_and_recording_are_the_same_money(world: World) -> None:
    months = earnings_by_month(world.maren)
    assert [m.month for m in months] == [date(2026, 2, 1), date(2026, 1, 1)]
    total = sum(m.earned_micros for m in months)
    held = sum(m.held_micros for m in months)
    (tool,) = earnings_by_tool(world.maren)
    assert (tool.tool_slug, tool.company_name) == ("tidesmith", "Oceanic Audio")
    assert (tool.earned_micros, tool.held_micros, tool.events) == (total, held, 25)
    recordings = earnings_by_recording(world.maren)
    assert [r.recording for r in recordings] == [song.pk for song in world.songs]
    assert sum(r.earned_micros for r in recordings) == total
    assert sum(r.held_micros for r in recordings) == held
    chart = earnings_by_month_and_tool(world.maren)
    assert sum(bar.earned_micros for bar in chart) == total
    assert [bar.month for bar in chart] == [date(2026, 1, 1), date(2026, 2, 1)]
    (why,) = held_money(world.maren)
    assert (why.reason, why.amount_micros, why.recordings) == ("artist_withdrew", held, 2)


def test_a_span_of_months_can_be_asked_for(world: World) -> None:
    january = date(2026, 1, 1)
    (month,) = earnings_by_month(world.maren, until=january)
    assert month.month == january
    (tool,) = earnings_by_tool(world.maren, since=january, until=january)
    assert tool.earned_micros == month.earned_micros
    assert earnings_by_tool(world.maren, since=date(2026, 3, 1)) == []
    assert earnings_by_recording(world.maren, currency="JPY") == []
    assert len(earnings_by_recording(world.maren, offset=1, limit=1)) == 1


def test_who_has_no_share_sees_nothing(world: World) -> None:
    charlie = world.fjord
    for query in (earnings_by_month, earnings_by_tool, earnings_by_recording, held_money):
        assert query(charlie) == []
    assert balances_of(charlie) == []
    hers = the_statement(world.maren, 1)
    assert statement(world.maren, ref=hers.ref) == hers
    assert statement(charlie, ref=hers.ref) is None
    assert [s.pk for s in statements_of(world.maren)][-1] == hers.pk


def test_every_line_opens_into_steps_that_come_to_its_amount(world: World) -> None:
    lines = list(StatementLine.objects.select_related("statement"))
    assert len(lines) == 3 * (2 + 4)
    for line in lines:
        explained = explain_line(line)
        assert explained.matches
        assert explained.amount_micros == line.amount_micros
        for part in explained.parts:
            assert [step.code for step in part.steps] == ["revenue", "rate", "influence", "split"]
            assert part.steps[-1].amount_micros == part.amount_micros
            assert part.licence_holder == "Nordlys Publishing"


def test_a_line_reads_how_it_became(world: World) -> None:
    line = the_statement(world.maren, 1).lines.get(recording=world.songs[1])
    (part,) = explain_line(line).parts
    revenue, rate, influence, split = part.steps
    assert (revenue.factor, revenue.amount_micros) == (10, 12_345_670)
    assert (rate.factor, rate.amount_micros) == (10_000, 12_345_670)
    assert influence.amount_micros == 10 * 370_370
    assert (split.factor, split.amount_micros) == (3_334, line.amount_micros)
    assert (part.right, part.share_bp, part.split_number, part.events) == (
        "publishing",
        3_334,
        1,
        10,
    )


def test_a_line_leads_to_its_uses_and_a_use_to_its_lines(world: World) -> None:
    line = the_statement(world.maren, 1).lines.get(recording=world.songs[0])
    page = events_of_line(line, offset=0, limit=4)
    assert (page.total, len(page.rows)) == (11, 4)
    rest = events_of_line(line, offset=4, limit=50)
    rows = [*page.rows, *rest.rows]
    assert len({row.event for row in rows}) == 11
    assert [row.occurred_at for row in rows] == sorted(row.occurred_at for row in rows)
    (part,) = explain_line(line).parts
    assert sum(row.owed_micros for row in rows) == part.steps[2].amount_micros
    first = rows[0]
    assert (first.weight, first.weight_total, first.pool_micros) == (7_000, 10_000, 1_234_567)
    assert first.allowed
    assert first.known_seq > 0
    event = UsageEvent.objects.get(pk=first.event)
    assert line in lines_of_event(event, world.songs[0])


def test_money_that_was_released_is_explained_by_the_month_it_was_earned_in(
    world: World, clock: MoveClock
) -> None:
    split = propose_split(
        by=None, recording=world.song, right="publishing", shares={world.aoi.party: 10_000}
    )
    world.allow()
    output = world.made(on(3, 1, 12))
    clock(on(4, 1))
    world.used(output, on(3, 20), 3 * EURO)
    closed(3)
    clock(on(4, 1, 13))
    withdraw_split(by=None, split=split)
    clock(on(5, 1))
    world.used(output, on(4, 20), 1 * EURO)
    closed(4)
    held = the_statement(world.maren, 3).lines.get()
    assert (held.standing, held.held) == ("held", "split_pending")
    assert explain_line(held).matches
    released = the_statement(world.maren, 4).lines.get(standing="released")
    explained = explain_line(released)
    assert explained.matches
    assert [part.held_in for part in explained.parts] == [date(2026, 3, 1)]
    assert events_of_line(released).total == 1
    assert released.amount_micros == held.amount_micros


def test_pages_take_the_same_number_of_queries_for_1_use_and_for_many(
    world: World, django_assert_num_queries: Any
) -> None:
    by_size = StatementLine.objects.select_related("statement").filter(
        statement__party=world.maren.pk, recording=world.songs[0], standing="payable"
    )
    counts = []
    for line in by_size.order_by("events"):
        with CaptureQueriesContext(connection) as queries:
            explain_line(line)
        counts.append(len(queries))
        with django_assert_num_queries(3):
            events_of_line(line)
    assert len(counts) == 2
    assert counts[0] == counts[1] <= 12
    ref = the_statement(world.maren, 1).ref
    for query in (earnings_by_month, earnings_by_tool, earnings_by_recording, held_money):
        with django_assert_num_queries(1):
            query(world.maren)
    with django_assert_num_queries(2):
        found = statement(world.maren, ref=ref)
        assert found is not None
        lines = lines_of(found)
        assert [line.tool.company.party.name for line in lines] == ["Oceanic Audio"] * 2
        assert {line.recording.title for line in lines} == {"Havn"}
    assert [line.position for line in lines_of(found, offset=1, limit=1)] == [2]


def test_months_without_statements_are_named_with_how_far_they_have_come(
    world: World, clock: MoveClock
) -> None:
    world.allow()
    output = world.made(on(3, 1, 12))
    clock(on(3, 5))
    world.used(output, on(3, 4))
    assert [(str(m.month), m.state) for m in months_in_progress()] == [("2026-03-01", "open")]


def test_a_payout_takes_from_the_balance_once_and_gives_back_when_cancelled(world: World) -> None:
    (balance,) = balances_of(world.maren)
    whole = balance.payable_micros // 10_000
    assert balance.payable_micros % 10_000 == 0
    ask = partial(request_payout, by=None, party=world.maren.party, currency="EUR")
    payout = ask(amount_minor=whole, key="first")
    assert ask(amount_minor=whole, key="first") == payout
    (after,) = balances_of(world.maren)
    assert (after.payable_micros, after.on_its_way_micros) == (0, balance.payable_micros)
    for amount, key, code in ((1, "second", "balance_too_low"), (1, "first", "payout_differs")):
        with pytest.raises(Refused) as caught:
            ask(amount_minor=amount, key=key)
        assert caught.value.code == code
    for amount, code in ((0, "payout_amount"), (-5, "payout_amount")):
        with pytest.raises(Refused) as caught:
            ask(amount_minor=amount, key="bad")
        assert caught.value.code == code
    with pytest.raises(Refused) as caught:
        request_payout(by=None, party=world.maren.party, currency="XXX", amount_minor=1, key="x")
    assert caught.value.code == "currency"
    assert cancel_payout(by=None, payout=payout).state == "cancelled"
    assert cancel_payout(by=None, payout=payout).state == "cancelled"
    assert balances_of(world.maren) == [balance]
    Payout.objects.update(state="sent")
    with pytest.raises(Refused) as caught:
        cancel_payout(by=None, payout=payout)
    assert caught.value.code == "payout_gone"


def all_at_once(party: Party, amount_minor: int, keys: Sequence[str]) -> list[str]:
    """Request a payout for each key at the same moment; what each came to."""
    outcomes: list[str] = []
    start = threading.Barrier(len(keys))

    def ask(key: str) -> None:
        try:
            start.wait()
            payout = request_payout(
                by=None, party=party, currency="EUR", amount_minor=amount_minor, key=key
            )
            outcomes.append(str(payout.ref))
        except Refused as refused:
            outcomes.append(refused.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_of_payouts_that_race_for_one_balance_exactly_one_wins(world: World) -> None:
    (balance,) = balances_of(world.maren)
    whole = balance.payable_micros // 10_000
    outcomes = all_at_once(world.maren.party, whole, [f"race-{n}" for n in range(8)])
    payout = Payout.objects.get()
    assert sorted(outcomes) == sorted([str(payout.ref)] + ["balance_too_low"] * 7)
    account = Account.objects.get(kind="payable", party=world.maren.pk, currency="EUR")
    assert sum(p.amount_micros for p in Posting.objects.filter(account=account)) == 0


def test_one_key_sent_sixteen_times_at_once_is_one_payout(world: World) -> None:
    outcomes = all_at_once(world.maren.party, 1, ["the same"] * 16)
    assert outcomes == [str(Payout.objects.get().ref)] * 16
    assert Posting.objects.filter(transaction__kind="payout").count() == 2


def test_rates_are_set_once_with_their_version(world: World) -> None:
    version = world.publisher.licences.get().versions.get()
    same = RateOffer(REMIX, "publishing", "share_of_revenue", share_bp=10_000)
    assert len(set_rates(by=None, version=version, offers=[same])) == 1
    with pytest.raises(Refused) as caught:
        set_rates(
            by=None,
            version=version,
            offers=[RateOffer(REMIX, "publishing", "share_of_revenue", share_bp=1)],
        )
    assert caught.value.code == "rates_differ"


def test_a_rate_that_cannot_be_is_refused(world: World) -> None:
    from consent.services.licences import sign_licence

    version = sign_licence(
        by=None, holder=world.maren.party, company=world.company, title="Own", uses=["style"]
    )
    for offer, code in (
        (RateOffer("voice", "likeness", "share_of_revenue", share_bp=1), "rate_use"),
        (RateOffer("style", "likeness", "share_of_revenue", share_bp=10_001), "rate_basis"),
        (RateOffer("style", "likeness", "per_output", share_bp=1, currency="EUR"), "rate_basis"),
        (RateOffer("style", "likeness", "per_output", price_micros=1, currency="XXX"), "currency"),
    ):
        with pytest.raises(Refused) as caught:
            set_rates(by=None, version=version, offers=[offer])
        assert caught.value.code == code
    assert not version.rates.exists()
