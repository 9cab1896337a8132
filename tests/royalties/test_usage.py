"""Uses are recorded once, for ever, and judged by what was allowed when they happened."""

import dataclasses
import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from consent.errors import Refused
from consent.queries.decision import Ask
from consent.services.permissions import answer_permission
from consent.services.provenance import report_training_run
from consent.services.tools import suspend_tool
from royalties.models import UsageConflict, UsageEvent, UsageRefusal
from royalties.queries.judging import judge
from royalties.services.usage import UsageReport, record_usage
from tests.consent.build import some_recordings
from tests.royalties.build import EURO, REMIX, World, a_world, closed, on, the_month
from tests.royalties.conftest import MoveClock

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(clock: MoveClock) -> World:
    """It is 20 January; an output was made on the first."""
    world = a_world(songs=2)
    assert world.made(on(1, 1, 0)) == "out-1"
    clock(on(1, 20))
    return world


def test_the_same_report_again_is_harmless_for_ever(world: World, clock: MoveClock) -> None:
    report = world.report("out-1", on(1, 10))
    assert [r.outcome for r in world.record(report)] == ["recorded"]
    assert [r.outcome for r in world.record(report, report)] == ["repeated", "repeated"]
    clock(on(2, 2))
    closed(1)
    assert [r.outcome for r in world.record(report)] == ["repeated"]
    assert UsageEvent.objects.count() == 1


def test_the_same_moment_in_another_time_zone_is_the_same_report(world: World) -> None:
    from zoneinfo import ZoneInfo

    report = world.report("out-1", on(1, 10))
    world.record(report)
    moved = dataclasses.replace(
        report, occurred_at=report.occurred_at.astimezone(ZoneInfo("Asia/Tokyo"))
    )
    assert [r.outcome for r in world.record(moved)] == ["repeated"]


def test_another_content_under_the_same_id_never_overwrites_and_is_noted_once(
    world: World,
) -> None:
    report = world.report("out-1", on(1, 10), EURO)
    other = dataclasses.replace(report, revenue_micros=2 * EURO)
    world.record(report)
    for _ in range(2):
        (result,) = world.record(other)
        assert (result.outcome, result.code) == ("conflict", "usage_conflict")
    assert UsageEvent.objects.get().revenue_micros == EURO
    conflict = UsageConflict.objects.get()
    assert conflict.body["revenue_micros"] == str(2 * EURO)


def test_a_repetition_and_a_conflict_are_found_inside_one_batch_too(world: World) -> None:
    report = world.report("out-1", on(1, 10))
    other = dataclasses.replace(report, quantity=2)
    outcomes = [r.outcome for r in world.record(report, report, other)]
    assert outcomes == ["recorded", "repeated", "conflict"]


def test_an_id_that_was_refused_once_in_a_batch_is_not_mistaken_for_another(
    world: World,
) -> None:
    bad = world.report("nowhere", on(1, 10))
    good = dataclasses.replace(bad, output="out-1")
    codes = [r.code for r in world.record(bad, bad, good)]
    assert codes == ["unknown_output", "unknown_output", "usage_id_twice"]
    assert [r.outcome for r in world.record(good)] == ["recorded"]


def test_one_bad_report_does_not_lose_the_others(world: World) -> None:
    good = [world.report("out-1", on(1, 10)) for _ in range(3)]
    bad = world.report("nowhere", on(1, 10))
    results = world.record(good[0], bad, *good[1:], bad)
    assert [r.outcome for r in results] == [
        "recorded",
        "refused",
        "recorded",
        "recorded",
        "refused",
    ]
    assert results[1].code == results[4].code == "unknown_output"
    assert results[1].sentence
    assert UsageEvent.objects.count() == 3


MALFORMED: list[tuple[dict[str, Any], str]] = [
    ({"event_id": ""}, "usage_event_id"),
    ({"event_id": "x" * 101}, "usage_event_id"),
    ({"event_id": "a\x00b"}, "usage_event_id"),
    ({"output": None}, "usage_of"),
    ({"training_run": "run"}, "usage_of"),
    ({"output": None, "training_run": "run"}, "unknown_training_run"),
    ({"currency": "XXX"}, "currency"),
    ({"currency": "eur"}, "currency"),
    ({"territory": "no"}, "territory"),
    ({"territory": "NOR"}, "territory"),
    ({"occurred_at": on(1, 10).replace(tzinfo=None)}, "usage_time_zone"),
    ({"occurred_at": on(1, 21)}, "usage_in_future"),
    ({"occurred_at": on(1, 1, 0) - timedelta(seconds=1)}, "used_before_made"),
    ({"revenue_micros": 1.0}, "usage_number"),
    ({"quantity": True}, "usage_number"),
    ({"revenue_micros": -1}, "usage_sign"),
    ({"quantity": 0}, "usage_sign"),
    ({"revenue_micros": 10**15 + 1}, "usage_size"),
    ({"quantity": 10**9 + 1}, "usage_size"),
    ({"reverses": "nothing", "quantity": -1, "revenue_micros": 0}, "unknown_event"),
]


def test_a_malformed_report_is_refused_with_its_reason(world: World) -> None:
    results = world.record(
        *(
            dataclasses.replace(world.report("out-1", on(1, 10)), **wrong)
            for wrong, _code in MALFORMED
        )
    )
    assert [(r.outcome, r.code) for r in results] == [("refused", code) for _w, code in MALFORMED]
    assert UsageEvent.objects.count() == 0


def test_another_companys_output_is_unknown(world: World) -> None:
    from tests.consent.build import a_company

    (result,) = record_usage(
        by=None, company=a_company("charlie"), reports=[world.report("out-1", on(1, 10))]
    )
    assert result.code == "unknown_output"


def test_more_than_a_thousand_at_once_are_refused(world: World) -> None:
    report = world.report("out-1", on(1, 10))
    with pytest.raises(Refused) as caught:
        world.record(*[report] * 1_001)
    assert caught.value.code == "too_many_events"


def test_a_late_report_is_judged_by_the_day_of_use(world: World, clock: MoveClock) -> None:
    """Allowed on the 10th, withdrawn on the 20th: what happened on the 10th stays allowed."""
    world.allow("deny")
    clock(on(1, 25))
    assert world.used("out-1", on(1, 10)).allowed
    assert not world.used("out-1", on(1, 24)).allowed
    refusal = UsageRefusal.objects.get()
    assert (refusal.recording, refusal.reason) == (world.song, "artist_withdrew")


def test_judging_many_moments_at_once_is_judging_each_by_itself(
    world: World, clock: MoveClock
) -> None:
    """Answers that end by themselves, a stopped tool, answers that begin later: all in one go."""
    clock(on(1, 21))
    world.allow("deny")
    clock(on(1, 22))
    answer_permission(by=None, artist=world.maren, use=REMIX, stance="allow", valid_until=on(1, 24))
    clock(on(1, 25))
    answer_permission(by=None, artist=world.maren, use=REMIX, stance="allow", valid_from=on(1, 26))
    clock(on(1, 28))
    suspend_tool(by=None, tool=world.tool)
    clock(on(1, 30))
    asks = [
        Ask(
            isrc=song.isrc,
            use=REMIX,
            tool=world.tool.slug,
            at=moment,
            model=world.model.ref,
        )
        for song in world.songs
        for moment in _every_six_hours(on(1, 19, 0), on(1, 29, 0))
    ]
    together = judge(asks)
    assert [j.allowed for j in together] == [judge([ask])[0].allowed for ask in asks]
    assert [j.reason for j in together] == [judge([ask])[0].reason for ask in asks]
    assert {j.allowed for j in together} == {True, False}


def _every_six_hours(first: datetime, last: datetime) -> list[datetime]:
    steps = int((last - first) / timedelta(hours=6))
    return [first + timedelta(hours=6) * step for step in range(steps)]


def test_only_the_recording_that_was_refused_waits(world: World, clock: MoveClock) -> None:
    from consent.scopes import Scope

    first, second = world.songs
    output = world.made(on(1, 20), {first: 6_000, second: 4_000})
    clock(on(1, 21))
    answer_permission(
        by=None, artist=world.maren, use=REMIX, stance="deny", scope=Scope(recording=second)
    )
    clock(on(2, 2))
    world.used(output, on(1, 22), 10 * EURO)
    closed(1)
    statement = world.maren.party.statements.get()
    assert {(line.recording, line.held) for line in statement.lines.all()} == {
        (first, ""),
        (second, "artist_denies"),
    }
    assert statement.earned_micros == 6 * EURO * 3_334 // 10_000


def test_what_was_made_without_permission_stays_so(world: World, clock: MoveClock) -> None:
    world.allow("deny")
    output = world.made(on(1, 20))
    clock(on(1, 21))
    world.allow()
    clock(on(1, 22))
    assert not world.used(output, on(1, 22)).allowed


def test_a_reversal_takes_back_from_whom_it_was_given(world: World, clock: MoveClock) -> None:
    report = world.report("out-1", on(1, 10), 7 * EURO, quantity=7)
    world.record(report)
    clock(on(2, 2))
    closed(1)
    back = world.report("out-1", on(2, 1), -7 * EURO, quantity=-7, reverses=report.event_id)
    assert world.record(back)[0].outcome == "recorded"
    clock(on(3, 2))
    closed(2)
    january, february = world.maren.party.statements.order_by("period__starts_on")
    assert january.earned_micros == -february.earned_micros == 7 * EURO * 3_334 // 10_000
    assert february.paid_minor == -233
    assert february.carried_out_micros == 0


def test_never_more_is_reversed_than_was_reported(world: World) -> None:
    report = world.report("out-1", on(1, 10), 7 * EURO, quantity=7)
    world.record(report)
    part = world.report("out-1", on(1, 11), -4 * EURO, quantity=-4, reverses=report.event_id)
    assert world.record(part)[0].outcome == "recorded"
    again = dataclasses.replace(part, event_id="again")
    assert world.record(again)[0].code == "reverses_too_much"
    of_reversal = dataclasses.replace(part, event_id="double", reverses=part.event_id)
    assert world.record(of_reversal)[0].code == "unknown_event"
    elsewhere = dataclasses.replace(
        part, event_id="elsewhere", quantity=-1, revenue_micros=0, output=world.made(on(1, 2))
    )
    assert world.record(elsewhere)[0].code == "reverses_other"


def test_what_comes_after_its_month_was_closed_is_paid_in_the_first_open_one(
    world: World, clock: MoveClock
) -> None:
    world.used("out-1", on(1, 10))
    clock(on(2, 2))
    closed(1)
    world.used("out-1", on(1, 11), 3 * EURO)
    late = UsageEvent.objects.latest("id")
    assert str(late.period) == "2026-02"
    clock(on(3, 2))
    closed(2)
    assert world.maren.party.statements.count() == 2


def test_a_training_fee_is_shared_by_the_recordings_it_was_paid_for(
    world: World, clock: MoveClock
) -> None:
    from consent.services.licences import sign_licence
    from royalties.services.rates import RateOffer, set_rates
    from royalties.services.splits import SplitSheet, record_signed_splits

    training = "generative_training"
    for holder, right, price in (
        (world.fjord, "master", 90 * EURO),
        (world.publisher, "publishing", 60 * EURO),
    ):
        version = sign_licence(
            by=None, holder=holder, company=world.company, title="Training", uses=[training]
        )
        set_rates(
            by=None,
            version=version,
            offers=[RateOffer(training, right, "flat_fee", price_micros=price, currency="EUR")],
        )
    answer_permission(by=None, artist=world.maren, use=training, stance="allow")
    record_signed_splits(
        by=None,
        sheets=[
            SplitSheet(song, "master", {world.fjord: 8_000, world.maren.party: 2_000})
            for song in world.songs
        ],
    )
    clock(on(1, 21))
    report_training_run(
        company=world.company,
        client_ref="run-1",
        model_version=world.model,
        use=training,
        trained_at=on(1, 20, 18),
        isrcs=[song.isrc for song in world.songs],
    )
    fee = UsageReport("fee-1", on(1, 20, 19), 0, "EUR", training_run="run-1")
    (result,) = world.record(fee)
    assert (result.outcome, result.allowed) == ("recorded", True)
    clock(on(2, 2))
    closed(1)
    label = world.fjord.statements.get()
    assert (label.earned_micros, label.lines.count()) == (72 * EURO, 2)
    maren = world.maren.party.statements.get()
    assert maren.earned_micros == 18 * EURO + 60 * EURO * 3_334 // 10_000


def test_a_use_under_no_rate_owes_nothing_and_is_seen(world: World, clock: MoveClock) -> None:
    from royalties.models import Allocation

    output = world.made(on(1, 20), rights=("likeness",))
    world.used(output, on(1, 20))
    clock(on(2, 2))
    closed(1)
    allocation = Allocation.objects.get()
    assert (allocation.held, allocation.owed_micros, allocation.events) == ("no_rate", 0, 1)


def test_parallel_senders_of_the_same_reports_record_each_once(world: World) -> None:
    reports = [world.report("out-1", on(1, 10)) for _ in range(50)]
    outcomes: list[str] = []

    def send(order: list[UsageReport]) -> None:
        try:
            outcomes.extend(r.outcome for r in world.record(*order))
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=(reports[::step],)) for step in (1, -1, 1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert UsageEvent.objects.count() == 50
    assert sorted(outcomes) == ["recorded"] * 50 + ["repeated"] * 150


def test_recording_a_batch_takes_the_same_number_of_queries_for_1_and_for_100(
    world: World, django_assert_max_num_queries: Any
) -> None:
    world.used("out-1", on(1, 9))  # the month is there
    for how_many in (1, 100):
        reports = [world.report("out-1", on(1, 10)) for _ in range(how_many)]
        with django_assert_max_num_queries(14):
            world.record(*reports)


def test_recordings_that_nobody_split_can_be_used(world: World, clock: MoveClock) -> None:
    (unsplit,) = some_recordings_in_one_go(world)
    output = world.made(on(1, 20), {unsplit: 10_000})
    world.used(output, on(1, 20), 5 * EURO)
    clock(on(2, 2))
    period = closed(1)
    assert str(the_month(1)) == str(period) == "2026-01"
    assert not world.maren.party.statements.exists()


def some_recordings_in_one_go(world: World) -> list[Any]:
    from django.db import transaction

    with transaction.atomic():
        return some_recordings(1, world.maren, holder=world.fjord, publisher=world.publisher)
