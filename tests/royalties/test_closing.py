"""Closing a month: in parts, killed anywhere, done again, and always with the same result."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, connections
from django.db.models import Sum

from consent.errors import Refused
from consent.models import WorkState
from consent.services.work import perform, sweep
from royalties.models import (
    Account,
    Allocation,
    AllocationLine,
    ClosingStep,
    Period,
    Posting,
    Statement,
    StatementDraft,
    StatementLine,
)
from royalties.services.closing import begin_closing, close_period
from royalties.services.posting import balances
from royalties.services.statements import publish_statements
from royalties.tasks import close_due_periods
from tests.portal.test_workers import eventually, kill, worker
from tests.royalties.build import EURO, World, a_world, closed, on, the_month
from tests.royalties.conftest import MoveClock

pytestmark = pytest.mark.django_db(transaction=True)


REPORTED = sum(777_777 * day for day in range(2, 22))


@pytest.fixture
def owner(transactional_db: None) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the owner of the database, who can do what the application cannot."""
    parameters = connections["owner"].get_connection_params()
    with psycopg.connect(**parameters, autocommit=True) as connection:
        yield connection


@pytest.fixture
def world(clock: MoveClock) -> World:
    """January was used 20 times, by two songs; it is 2 February."""
    world = a_world(songs=2)
    first, second = world.songs
    output = world.made(on(1, 1, 0), {first: 6_667, second: 3_333})
    clock(on(2, 2))
    world.record(*(world.report(output, on(1, day), 777_777 * day) for day in range(2, 22)))
    return world


def what_was_said() -> list[object]:
    """Everything that people see of a closing, in an order that does not depend on ids."""
    return [
        list(
            Statement.objects.order_by("party_id", "currency").values_list(
                "party_id", "currency", "earned_micros", "paid_minor", "digest"
            )
        ),
        list(
            StatementLine.objects.order_by("statement__party_id", "position").values_list(
                "statement__party_id", "position", "recording_id", "amount_micros", "amount_minor"
            )
        ),
        sorted(
            Posting.objects.values_list(
                "account__kind", "account__party_id", "account__currency", "amount_micros"
            ),
            key=str,
        ),
    ]


def test_every_sum_is_the_same_sum(world: World) -> None:
    """Uses, allocations, postings and statements, each added up by itself."""
    closed(1)
    assert Allocation.objects.aggregate(x=Sum("owed_micros"))["x"] == REPORTED
    assert AllocationLine.objects.aggregate(x=Sum("amount_micros"))["x"] == REPORTED
    assert Statement.objects.aggregate(x=Sum("earned_micros"))["x"] == REPORTED
    assert StatementLine.objects.aggregate(x=Sum("amount_micros"))["x"] == REPORTED
    assert sum(balances(kind="payable").values()) + sum(balances(kind="residue").values()) == (
        REPORTED
    )
    assert Posting.objects.aggregate(x=Sum("amount_micros"))["x"] == 0
    for statement in Statement.objects.prefetch_related("lines"):
        shown = sum(line.amount_minor for line in statement.lines.all())
        assert shown == statement.paid_minor  # nothing was carried in: the lines show it all


def test_closing_again_and_publishing_again_change_nothing(world: World) -> None:
    closed(1)
    before = what_was_said()
    period = the_month(1)
    assert close_period(by=None, period=period).state == "published"
    publish_statements(by=None, period=period)
    assert what_was_said() == before
    assert ClosingStep.objects.count() == 5


def test_a_closing_that_fails_in_any_part_goes_on_to_the_same_result(
    world: World, clock: MoveClock, owner: psycopg.Connection[Any]
) -> None:
    """In each part once: the database fails it when all is written, just before the commit."""
    owner.execute(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN RAISE 'the disk is full'; END$$"
    )
    period = the_month(1)
    at = on(2, 2)
    for part in ("seal", "allocate", "release", "post", "draft"):
        owner.execute(
            "CREATE TRIGGER fault BEFORE UPDATE ON royalties_closingstep FOR EACH ROW"
            f" WHEN (NEW.state = 'done' AND NEW.part = '{part}') EXECUTE FUNCTION fail()"
        )
        with pytest.raises(DatabaseError, match="the disk is full"):
            close_period(by=None, period=period)
        step = ClosingStep.objects.get(part=part)
        assert (step.state, step.attempts) == ("waiting", 1)
        assert "the disk is full" in step.last_error
        owner.execute("DROP TRIGGER fault ON royalties_closingstep")
        at += timedelta(hours=1)
        clock(at)
    assert close_period(by=None, period=period).state == "posted"
    publish_statements(by=None, period=period)
    assert {step.state for step in ClosingStep.objects.all()} == {WorkState.DONE}
    assert Allocation.objects.aggregate(x=Sum("owed_micros"))["x"] == REPORTED
    assert Posting.objects.aggregate(x=Sum("amount_micros"))["x"] == 0

    # February is used alike, and closed in one go: it says the same.
    output = world.made(on(2, 2, 13), {world.songs[0]: 6_667, world.songs[1]: 3_333})
    clock(on(3, 2))
    world.record(*(world.report(output, on(2, day), 777_777 * (day - 1)) for day in range(3, 23)))
    closed(2)
    assert lines_of(1) == lines_of(2)
    assert len(lines_of(1)) == 6


def lines_of(month: int) -> list[tuple[Any, ...]]:
    return list(
        StatementLine.objects.filter(statement__period=the_month(month))
        .order_by("statement__party", "position")
        .values_list("statement__party", "position", "recording", "events", "amount_micros")
    )


def test_a_real_worker_that_is_killed_in_the_middle_leaves_nothing_half_done(
    world: World,
    clock: MoveClock,
    owner: psycopg.Connection[Any],
    server_environment: dict[str, str],
) -> None:
    """SIGKILL to a Celery worker that has written allocations, and waits to write their lines."""
    period = the_month(1)
    with owner.transaction():
        owner.execute("LOCK TABLE royalties_allocationline IN SHARE MODE")
        with worker(server_environment) as first:
            begin_closing(by=None, period=period)
            eventually(lambda: _waiting_for_a_lock(owner))
            kill(first)
    eventually(lambda: _transactions_of_others(owner) == 0)

    step = ClosingStep.objects.get(part="allocate")
    assert (step.state, step.attempts) == ("running", 1)
    assert not Allocation.objects.exists()
    assert not perform(ClosingStep, step.pk)  # its lock has not run out yet
    clock(on(2, 2) + 2 * ClosingStep.LOCK)
    with worker(server_environment):
        assert sweep() >= 1
        eventually(lambda: StatementDraft.objects.exists())
    publish_statements(by=None, period=period)
    assert Statement.objects.count() == 3
    assert Allocation.objects.aggregate(x=Sum("owed_micros"))["x"] == REPORTED
    step.refresh_from_db()
    assert (step.state, step.attempts) == ("done", 2)


def _waiting_for_a_lock(owner: psycopg.Connection[Any]) -> bool:
    found = owner.execute(
        "SELECT count(*) FROM pg_locks WHERE NOT granted"
        " AND relation = 'royalties_allocationline'::regclass"
    ).fetchone()
    return found is not None and found[0] > 0


def _transactions_of_others(owner: psycopg.Connection[Any]) -> int:
    found = owner.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
    ).fetchone()
    assert found is not None
    return int(found[0])


def test_two_workers_at_once_close_a_month_once(world: World) -> None:
    period = the_month(1)
    problems: list[BaseException] = []

    def close() -> None:
        try:
            for _ in range(50):
                if close_period(by=None, period=Period.objects.get(pk=period.pk)).state == "posted":
                    break
                time.sleep(0.02)
        except BaseException as error:
            problems.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=close) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    period.refresh_from_db()
    assert period.state == "posted"
    assert Allocation.objects.count() == 2
    assert ClosingStep.objects.count() == 5


def test_a_month_without_uses_is_closed_without_statements(clock: MoveClock) -> None:
    period = Period.objects.create(starts_on=on(1, 1).date())
    clock(on(2, 1, 0))
    assert closed(1).pk == period.pk
    assert not Statement.objects.exists()


def test_a_month_is_not_closed_before_its_last_moment(world: World, clock: MoveClock) -> None:
    output = world.made(on(2, 1))
    world.used(output, on(2, 2))
    with pytest.raises(Refused) as caught:
        close_period(by=None, period=the_month(2))
    assert caught.value.code == "period_not_over"
    clock(on(3, 1, 0))
    with pytest.raises(Refused) as caught:
        close_period(by=None, period=the_month(2))
    assert caught.value.code == "earlier_period_open"
    with pytest.raises(Refused) as caught:
        publish_statements(by=None, period=the_month(2))
    assert caught.value.code == "period_not_posted"


def test_drafts_pay_nobody_and_are_gone_when_published(world: World) -> None:
    period = close_period(by=None, period=the_month(1))
    assert StatementDraft.objects.count() == 3
    assert not Statement.objects.exists()
    publish_statements(by=None, period=period)
    assert not StatementDraft.objects.exists()


def test_what_is_left_of_a_cent_is_carried_on_and_paid_in_the_end(
    world: World, clock: MoveClock
) -> None:
    output = world.made(on(2, 1), {world.song: 10_000})
    for month in range(1, 7):
        clock(on(month + 1, 5))
        if month > 1:
            world.used(output, on(month, 20), 33_333)
        closed(month)
    for party in (world.maren.party, world.aoi.party, world.tides.party):
        statements = list(party.statements.order_by("period__starts_on"))
        assert len(statements) == 6
        carried = 0
        for statement in statements:
            assert statement.carried_in_micros == carried
            carried = statement.carried_out_micros
            assert 0 <= carried < 10_000
        earned = sum(s.earned_micros for s in statements)
        assert sum(s.paid_minor for s in statements) * 10_000 + carried == earned
        assert balances(kind="residue", parties=[party.pk]) == {(party.pk, "EUR"): carried}
        assert balances(kind="payable", parties=[party.pk]) == {(party.pk, "EUR"): earned - carried}


def test_the_clock_begins_a_closing_when_the_days_of_grace_are_over(
    world: World, clock: MoveClock
) -> None:
    assert close_due_periods() == 0
    clock(on(2, 6, 1))
    assert close_due_periods() == 1
    assert close_due_periods() == 1
    assert ClosingStep.objects.count() == 1
    closed(1)
    assert close_due_periods() == 0


def test_yen_have_no_cents(world: World, clock: MoveClock) -> None:
    output = world.made(on(2, 1))
    closed(1)
    clock(on(3, 2))
    world.used(output, on(2, 10), 1_000 * EURO, currency="JPY")
    closed(2)
    statement = world.maren.party.statements.get(currency="JPY")
    assert (statement.paid_minor, statement.carried_out_micros) == (333, 400_000)
    assert Account.objects.filter(currency="JPY", kind="residue").count() == 3
