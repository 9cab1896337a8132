"""What the database itself refuses, whoever asks."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

import royalties
from consent.grants import APPEND_ONLY_SQLSTATE
from royalties.models import (
    Account,
    Allocation,
    AllocationLine,
    Period,
    Posting,
    SplitAnswer,
    SplitShare,
    SplitVersion,
    StatementLine,
    Transaction,
    UsageEvent,
)
from royalties.refusals import RULES
from royalties.services.closing import close_period
from royalties.services.posting import NewTransaction, post
from tests.royalties.build import EURO, World, a_world, closed, on, the_month
from tests.royalties.conftest import MoveClock

pytestmark = pytest.mark.django_db(transaction=True)

APPEND_ONLY = [
    "royalties_allocation",
    "royalties_allocationline",
    "royalties_allocationshare",
    "royalties_holdrelease",
    "royalties_posting",
    "royalties_rate",
    "royalties_splitanswer",
    "royalties_splitshare",
    "royalties_statement",
    "royalties_statementline",
    "royalties_toolearnings",
    "royalties_transaction",
    "royalties_usageconflict",
    "royalties_usageevent",
    "royalties_usagerefusal",
]


def refused(constraint: str, attempt: Callable[[], object]) -> None:
    """The attempt, in a transaction of its own, fails at the latest when it commits."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        attempt()
    diagnostics = getattr(caught.value.__cause__, "diag", None)
    assert getattr(diagnostics, "constraint_name", None) == constraint


@pytest.fixture
def world(clock: MoveClock) -> World:
    """January has been used; it is February."""
    world = a_world()
    output = world.made(on(1, 1, 0))
    clock(on(2, 2))
    world.used(output, on(1, 10))
    return world


def test_tables_that_only_grow_can_be_read_and_inserted_into_and_nothing_else() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.relname,
                   string_agg(DISTINCT g.privilege_type, ' ' ORDER BY g.privilege_type),
                   (SELECT count(*) FROM pg_trigger t WHERE t.tgrelid = c.oid
                     AND t.tgname LIKE 'append_only%%' AND t.tgenabled = 'A')
              FROM pg_class c
              JOIN information_schema.role_table_grants g
                ON g.table_name = c.relname AND g.grantee = current_user
             WHERE c.relname = ANY (%s) GROUP BY c.oid, c.relname ORDER BY c.relname
            """,
            [APPEND_ONLY],
        )
        rows = cursor.fetchall()
    assert [name for name, _privileges, _triggers in rows] == APPEND_ONLY
    for _name, privileges, triggers in rows:
        assert privileges == "INSERT SELECT"
        assert triggers == 2


def test_every_rule_of_a_trigger_has_a_sentence_and_a_code() -> None:
    sql = Path(royalties.__file__).parent / "sql"
    named = {
        name
        for file in sql.glob("*.sql")
        for name in re.findall(r"CONSTRAINT = '(\w+)'", file.read_text())
    }
    assert named == set(RULES)


def test_every_table_of_money_is_either_append_only_or_known_to_change() -> None:
    changing = {
        "royalties_account",  # its row is locked, never changed
        "royalties_closingstep",
        "royalties_payout",
        "royalties_period",
        "royalties_recordingearnings",
        "royalties_splitversion",
        "royalties_statementdraft",
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'royalties%%'"
        )
        tables = {name for (name,) in cursor.fetchall()}
    assert tables == changing | set(APPEND_ONLY)


def test_amounts_are_whole_numbers_in_every_table() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns"
            " WHERE table_name LIKE 'royalties%%' AND ("
            " data_type IN ('real', 'double precision', 'numeric')"
            " OR (column_name ~ '_(micros|minor)$'"
            "     AND data_type NOT IN ('bigint', 'integer')))"
        )
        assert cursor.fetchall() == []


def test_what_was_reported_cannot_be_changed(world: World) -> None:
    for attempt in (
        lambda: UsageEvent.objects.update(revenue_micros=0),
        lambda: UsageEvent.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError) as caught, transaction.atomic():
            attempt()
        cause = caught.value.__cause__
        assert getattr(cause, "sqlstate", None) in ("42501", APPEND_ONLY_SQLSTATE)


def test_a_closed_month_takes_no_more_uses(world: World) -> None:
    event = UsageEvent.objects.get()
    closed(1)
    event.pk = None
    event.event_id = "afterwards"
    refused("a_closed_period_stays_closed", lambda: event.save(force_insert=True))


def test_a_use_is_not_paid_before_it_happened(world: World) -> None:
    event = UsageEvent.objects.get()
    event.pk = None
    event.event_id = "early"
    event.occurred_at = event.received_at = on(2, 2)
    refused("a_use_is_paid_in_its_month_or_later", lambda: event.save(force_insert=True))


def test_a_month_goes_forward_one_state_at_a_time(world: World) -> None:
    period = the_month(1)
    row = Period.objects.filter(pk=period.pk)
    for state in ("allocated", "posted", "published"):
        moved = partial(row.update, state=state, sealed_at=on(2, 2), published_at=on(2, 2))
        refused("a_period_moves_forward", moved)
    closed(1)
    refused(
        "a_period_moves_forward",
        lambda: Period.objects.filter(pk=period.pk).update(
            state="open", sealed_at=None, published_at=None
        ),
    )
    refused(
        "a_period_stays_its_month",
        lambda: Period.objects.filter(pk=period.pk).update(starts_on=on(5, 1).date()),
    )


def test_a_month_is_not_sealed_before_an_earlier_one_is_published(world: World) -> None:
    Period.objects.create(starts_on=on(2, 1).date())
    refused(
        "months_are_closed_in_order",
        lambda: Period.objects.filter(starts_on=on(2, 1).date()).update(
            state="sealed", sealed_at=on(3, 1)
        ),
    )


def test_no_month_is_opened_before_one_that_is_closed(world: World) -> None:
    closed(1)
    refused(
        "months_are_closed_in_order",
        lambda: Period.objects.create(starts_on=on(1, 1).date().replace(year=2025)),
    )


def test_a_closed_month_takes_no_postings(world: World) -> None:
    period = closed(1)
    moved = NewTransaction("allocation", "afterwards", "EUR")
    moved.move("payable", world.maren.pk, EURO)
    moved.move("clearing", world.company.pk, -EURO)
    refused(
        "a_closed_period_stays_closed",
        lambda: post(period=period, transactions=[moved], at=on(2, 2)),
    )


def test_postings_that_do_not_sum_to_zero_are_refused_at_commit(world: World) -> None:
    moved = NewTransaction("payout", "one-sided", "EUR")
    moved.move("payable", world.maren.pk, EURO)
    moved.move("clearing", world.maren.pk, -EURO + 1)
    refused(
        "postings_balance",
        lambda: post(period=the_month(1), transactions=[moved], at=on(2, 2)),
    )


def test_a_transaction_needs_two_sides(world: World) -> None:
    refused(
        "a_transaction_has_two_sides",
        lambda: Transaction.objects.create(
            period=the_month(1), kind="payout", key="none", currency="EUR", posted_at=on(2, 2)
        ),
    )


def test_a_transaction_keeps_to_one_currency(world: World) -> None:
    def mixed() -> None:
        row = Transaction.objects.create(
            period=the_month(1), kind="payout", key="mixed", currency="EUR", posted_at=on(2, 2)
        )
        euros = Account.objects.create(kind="payable", party=world.maren.party, currency="EUR")
        yen = Account.objects.create(kind="payable", party=world.maren.party, currency="JPY")
        Posting.objects.create(transaction=row, account=euros, amount_micros=1)
        Posting.objects.create(transaction=row, account=yen, amount_micros=-1)

    refused("postings_keep_to_one_currency", mixed)


def test_nothing_is_added_to_what_was_posted(world: World) -> None:
    closed(1)
    row = Transaction.objects.first()
    assert row is not None
    account = Account.objects.create(kind="tax", party=world.maren.party, currency="EUR")
    refused(
        "written_in_one_go",
        lambda: Posting.objects.create(transaction=row, account=account, amount_micros=1),
    )
    statement = world.maren.party.statements.get()
    refused(
        "written_in_one_go",
        lambda: StatementLine.objects.create(
            statement=statement,
            position=99,
            recording=world.song,
            tool=world.tool,
            use="style",
            standing="payable",
            events=1,
            amount_micros=0,
            amount_minor=0,
        ),
    )


def test_an_account_stays_what_it_is(world: World) -> None:
    account = Account.objects.create(kind="tax", party=world.maren.party, currency="EUR")
    refused(
        "an_account_stays_what_it_is",
        lambda: Account.objects.filter(pk=account.pk).update(party=world.aoi.party),
    )


def test_a_split_of_less_than_everything_is_refused_at_commit(world: World) -> None:
    def halved() -> None:
        split = SplitVersion.objects.create(
            recording=world.song,
            right="master",
            number=1,
            effective_on=on(2, 2).date(),
            proposed_at=on(2, 2),
        )
        SplitShare.objects.create(split=split, party=world.maren.party, share_bp=9_999)

    refused("a_split_is_whole", halved)


def test_a_split_comes_into_force_only_with_everyones_yes(world: World) -> None:
    def hasty() -> None:
        split = SplitVersion.objects.create(
            recording=world.song,
            right="master",
            number=1,
            status="in_force",
            effective_on=on(2, 2).date(),
            proposed_at=on(2, 2),
            answered_at=on(2, 2),
            in_force_at=on(2, 2),
        )
        shares = [
            SplitShare.objects.create(split=split, party=artist.party, share_bp=5_000)
            for artist in (world.maren, world.aoi)
        ]
        SplitAnswer.objects.create(share=shares[0], accepted=True, at=on(2, 2))

    refused("a_split_needs_everyones_yes", hasty)


def test_a_split_in_force_is_not_edited(world: World) -> None:
    refused(
        "a_split_is_not_edited",
        lambda: SplitVersion.objects.update(in_force_at=on(1, 2)),
    )


def test_a_month_whose_allocations_do_not_add_up_goes_no_further(world: World) -> None:
    """A line too many, slipped in while the month is sealed, stops it before any posting."""
    period = the_month(1)
    Period.objects.filter(pk=period.pk).update(state="sealed", sealed_at=on(2, 2))

    def crooked() -> None:
        allocation = Allocation.objects.create(
            period=period,
            tool=world.tool,
            use="style",
            recording=world.song,
            right="publishing",
            currency="EUR",
            held="no_rate",
            events=0,
            revenue_micros=0,
            revenue_currency="EUR",
            pool_micros=0,
            owed_micros=0,
            rate_id=None,
        )
        AllocationLine.objects.create(
            allocation=allocation, payee=world.maren.party, share_bp=10_000, amount_micros=1
        )
        Period.objects.filter(pk=period.pk).update(state="allocated")

    refused("allocations_add_up", crooked)
    period.refresh_from_db()
    assert period.state == "sealed"


def test_allocations_are_written_only_while_their_month_is_sealed(world: World) -> None:
    period = close_period(by=None, period=the_month(1))
    allocation = Allocation.objects.first()
    assert allocation is not None
    assert period.state == "posted"
    allocation.pk = None
    allocation.use = "style"
    refused("a_closed_period_stays_closed", lambda: allocation.save(force_insert=True))
