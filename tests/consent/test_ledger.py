"""The ledger's own promises: gapless, in order, both or neither, and nobody's to change."""

import os
import signal
import subprocess
import sys
import threading
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.utils import DatabaseError, Error
from psycopg.rows import TupleRow

from consent import grants
from consent.clock import now
from consent.models import (
    Act,
    Fact,
    LedgerEntry,
    LedgerHead,
    LedgerPersonal,
    Permission,
    SubjectKey,
    Withdrawal,
)
from consent.queries.wall import append_only_tables, wall_problems
from consent.services.audit import audit_ledger
from consent.services.ledger import Leaf, record
from consent.services.parties import register_artist
from consent.services.permissions import answer_permission
from tests.conftest import _superuser
from tests.consent.ledger_story import Story, tell_story
from tests.portal.test_two_logins import ATTACKS

Owner = psycopg.Connection[TupleRow]
SOAK = os.environ.get("LINER_TEST_SOAK") == "1"


def leaf(**body: Any) -> Leaf:
    return Leaf("note.made", body)


def write(*leaves: Leaf) -> uuid.UUID:
    act = uuid.uuid4()
    with transaction.atomic():
        record(act, leaves)
    return act


def run(sql: str, *values: Any) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values or None)


def run_all(statements: str) -> None:
    with transaction.atomic():
        for sql in statements.split(";"):
            run(sql)


# Order


@pytest.mark.django_db(transaction=True)
def test_sixteen_writers_leave_no_gap_no_double_and_no_mixed_act() -> None:
    writers, changes, entries = 16, 1_000 if SOAK else 12, 3
    failures: list[BaseException] = []
    gate = threading.Barrier(writers)

    def many(writer: int) -> None:
        try:
            gate.wait()
            for change in range(changes):
                write(*(leaf(writer=writer, change=change, n=n) for n in range(entries)))
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=many, args=[n]) for n in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    rows = list(LedgerEntry.objects.order_by("seq").values_list("seq", "act", "recorded_at"))
    assert [seq for seq, _act, _at in rows] == list(range(1, writers * changes * entries + 1))
    for (_s, act, at), (_t, next_act, next_at) in pairwise(rows):
        assert at <= next_at
        assert act != next_act or at == next_at
    runs = Counter(act for i, (_seq, act, _at) in enumerate(rows) if not i or rows[i - 1][1] != act)
    assert set(runs.values()) == {1}, "the leaves of an act stand together"


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_rolled_back_takes_no_number() -> None:
    write(leaf(n=1))
    with transaction.atomic():
        record(uuid.uuid4(), [leaf(n=2)])
        transaction.set_rollback(True)
    write(leaf(n=3))
    assert list(LedgerEntry.objects.order_by("seq").values_list("seq", flat=True)) == [1, 2]


KILLED = """
import os, signal, uuid
import django
django.setup()
from django.db import transaction
from consent.services.ledger import Leaf, record
from consent.services.parties import register_artist
with transaction.atomic():
    register_artist(by=None, name="Charlie")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_that_is_killed_before_its_commit_leaves_nothing(
    server_environment: dict[str, str],
) -> None:
    write(leaf(n=1))
    killed = subprocess.run([sys.executable, "-c", KILLED], env=server_environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    write(leaf(n=2))
    assert list(LedgerEntry.objects.order_by("seq").values_list("seq", flat=True)) == [1, 2]
    assert not LedgerPersonal.objects.exists()
    assert not SubjectKey.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_whatever_statement_fails_the_change_and_its_leaf_come_together_or_not_at_all() -> None:
    story = tell_story()
    counted = (LedgerEntry, LedgerPersonal, Permission, Act, Withdrawal)

    def count() -> list[int]:
        return [model._default_manager.count() for model in counted]

    answer_permission(by=story.ines, artist=story.maren, use="remix_input", stance="allow")
    before = count()
    statements = 0

    def crash(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal statements
        statements += 1
        if statements == at:
            raise ConnectionError(f"the connection broke at statement {at}")
        return execute(sql, params, many, context)

    for at in range(1, 200):
        statements = 0
        try:
            with connection.execute_wrapper(crash):
                answer_permission(
                    by=story.ines, artist=story.maren, use="remix_input", stance="deny"
                )
        except ConnectionError:
            assert count() == before, f"at statement {at}"
            continue
        break
    assert at > 5
    assert [b - a for a, b in zip(before, count(), strict=True)][:4] == [1, 0, 1, 1]
    audited = audit_ledger()
    assert audited is not None
    assert audited.problems == ()


# The one door


@pytest.mark.django_db
def test_a_leaf_is_appended_only_inside_a_transaction() -> None:
    connection.needs_rollback = False
    assert connection.in_atomic_block
    record(uuid.uuid4(), [leaf(n=1)])
    assert LedgerEntry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_nothing_is_appended() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        record(uuid.uuid4(), [leaf(n=1)])
    assert not LedgerEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("note", "{}"),
        ("Note.made", "{}"),
        ('note.made","seq":7,"x":"', "{}"),
        ("note.made", "[]"),
        ("note.made", "no json"),
        ("note.made", '{"a":1,"a":2}'),
        ("note.made", '{} ,"seq":1'),
    ],
)
def test_a_leaf_that_is_not_one_is_refused_by_the_database(kind: str, body: str) -> None:
    sql = "SELECT ledger_append(gen_random_uuid(), ARRAY[gen_random_uuid()], ARRAY[%s], ARRAY[%s])"
    with pytest.raises(DatabaseError):
        run(sql, kind, body)
    assert LedgerHead.objects.get().seq == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT ledger_append(gen_random_uuid(), '{}'::uuid[], '{}'::text[], '{}'::text[])",
        "SELECT ledger_append(gen_random_uuid(), ARRAY[gen_random_uuid()], ARRAY['note.made'],"
        " ARRAY['{}', '{}'])",
    ],
)
def test_an_act_without_leaves_or_with_half_of_one_is_refused(sql: str) -> None:
    with pytest.raises(DatabaseError, match="an act has leaves"):
        run(sql)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO consent_ledgerentry (id, seq, act, kind, body, recorded_at, leaf_hash)"
        " VALUES (gen_random_uuid(), 1, gen_random_uuid(), 'note.made', '{}', now(), '')",
        "UPDATE consent_ledgerhead SET seq = 0",
        "UPDATE consent_ledgerhead SET demo = true, demo_now = now()",
        "INSERT INTO consent_ledgerhead (id, seq, demo) VALUES (2, 0, false)",
        "DELETE FROM consent_ledgerhead",
        "TRUNCATE consent_ledgerhead",
        "SELECT ledger_open_demo()",
        "SELECT ledger_move_demo_clock(now())",
        "CREATE OR REPLACE FUNCTION ledger_now() RETURNS timestamptz LANGUAGE sql"
        " AS 'SELECT now()'",
        "ALTER FUNCTION ledger_append(uuid, uuid[], text[], text[]) SECURITY INVOKER",
    ],
)
def test_the_application_has_no_other_way_in(sql: str) -> None:
    with pytest.raises(DatabaseError, match=r"permission denied|must be owner"):
        run(sql)
    assert not LedgerEntry.objects.exists()


# The clock


@pytest.mark.django_db(transaction=True)
def test_a_clock_that_was_set_back_stands_still_and_never_runs_backwards() -> None:
    write(leaf(n=1))
    ahead = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=3)
    with _superuser() as superuser:  # as if all this had happened before the clock was set back
        superuser.execute("UPDATE consent_ledgerhead SET recorded_at = %s", [ahead])
    assert now() == ahead
    write(leaf(n=2))
    write(leaf(n=3))
    times = LedgerEntry.objects.order_by("seq").values_list("recorded_at", flat=True)
    assert list(times)[1:] == [ahead, ahead]


@pytest.mark.django_db(transaction=True)
def test_only_the_owner_opens_a_demo_and_only_on_an_empty_ledger(owner: Owner) -> None:
    owner.execute("SELECT ledger_open_demo()")
    assert LedgerHead.objects.get().demo


@pytest.mark.django_db(transaction=True)
def test_a_ledger_that_has_begun_never_becomes_a_demo(owner: Owner) -> None:
    write(leaf(n=1))
    with pytest.raises(psycopg.DatabaseError) as refusal:
        owner.execute("SELECT ledger_open_demo()")
    assert refusal.value.sqlstate == "LN012"


@pytest.mark.django_db(transaction=True)
def test_the_clock_of_a_demo_moves_forwards_only(owner: Owner) -> None:
    begin = datetime(2025, 1, 1, tzinfo=UTC)
    owner.execute("SELECT ledger_open_demo()")
    owner.execute("SELECT ledger_move_demo_clock(%s)", [begin])
    write(leaf(n=1))
    assert LedgerEntry.objects.get().recorded_at == begin
    with pytest.raises(psycopg.DatabaseError) as refusal:
        owner.execute("SELECT ledger_move_demo_clock(%s)", [begin - timedelta(days=1)])
    assert refusal.value.sqlstate == "LN013"
    owner.execute("SELECT ledger_move_demo_clock(%s)", [begin + timedelta(days=30)])
    assert now() == begin + timedelta(days=30)


@pytest.mark.django_db(transaction=True)
def test_no_other_clock_moves(owner: Owner) -> None:
    with pytest.raises(psycopg.DatabaseError) as refusal:
        owner.execute("SELECT ledger_move_demo_clock(now() + '1 day')")
    assert refusal.value.sqlstate == "LN013"


# The wall

# Every table of these two storeys is in one of the two lists, or the test fails: whoever adds one
# decides which it is.
APPEND_ONLY = append_only_tables() | {
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
    "royalties_transaction",
    "royalties_usageconflict",
    "royalties_usageevent",
    "royalties_usagerefusal",
}
READ_ONLY = {"consent_ledgerhead"}
CHANGEABLE = {
    # Display data, and who somebody is to us.
    "consent_aicompany",
    "consent_artist",
    "consent_licence",
    "consent_modelversion",
    "consent_party",
    "consent_partyidentifier",
    "consent_partyname",
    "consent_recording",
    "consent_recordingtitle",
    "consent_release",
    "consent_tool",
    "consent_track",
    "consent_work",
    "consent_credit",
    # Derived, and made again from facts.
    "royalties_recordingearnings",
    "royalties_toolearnings",
    "consent_artistrecording",
    "consent_ledgertile",
    "consent_profilecount",
    "consent_rightsprofile",
    # Work to do, and how it went.
    "consent_cataloguemessage",
    "consent_checkpointsink",
    "consent_ledgeralarm",
    "consent_ledgeraudit",
    "consent_permissionrequest",
    "consent_withdrawal",
    "royalties_closingstep",
    "royalties_payout",
    "royalties_period",
    "royalties_statementdraft",
    # An erasure deletes it.
    "consent_subjectkey",
    # Balances and open versions, guarded by constraints of their own.
    "royalties_account",
    "royalties_splitversion",
}


def test_every_table_is_declared_append_only_or_changeable() -> None:
    tables = {
        model._meta.db_table
        for label in ("consent", "royalties")
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
    }
    assert tables - APPEND_ONLY - READ_ONLY - CHANGEABLE == set()
    assert APPEND_ONLY - tables == set()
    assert not APPEND_ONLY & CHANGEABLE


def test_nothing_that_is_a_fact_a_posting_or_a_statement_is_declared_changeable() -> None:
    assert {model._meta.db_table for model in Fact.__subclasses__()} <= APPEND_ONLY
    for table in CHANGEABLE:
        name = table.split("_")[1]
        assert not name.startswith(("posting", "statementline")), table
        assert name not in {"statement", "ledgerentry", "ledgercheckpoint", "ledgerpersonal"}


@pytest.mark.django_db
def test_the_wall_stands_around_every_append_only_table() -> None:
    assert list(wall_problems(APPEND_ONLY)) == []


@pytest.mark.django_db
def test_whatever_points_at_an_entry_is_append_only() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT conrelid::regclass::text FROM pg_constraint"
            " WHERE contype = 'f' AND confrelid = 'consent_ledgerentry'::regclass"
        )
        assert {table for (table,) in cursor.fetchall()} <= APPEND_ONLY


@pytest.mark.django_db(transaction=True)
def test_a_table_without_its_triggers_is_noticed(owner: Owner) -> None:
    owner.execute("CREATE TABLE consent_ledgerdrill (id int)")
    try:
        said = list(wall_problems(["consent_ledgerdrill"]))
    finally:
        connection.close()
        owner.execute("DROP TABLE consent_ledgerdrill")
    assert "the trigger append_only_rows does not guard consent_ledgerdrill" in said
    assert "this login may UPDATE consent_ledgerdrill" in said
    assert list(wall_problems(["consent_nowhere"])) == ["the table consent_nowhere is not there"]


@pytest.fixture
def filled(transactional_db: None) -> Story:
    return tell_story()


def test_no_attack_by_the_application_changes_a_row_of_any_append_only_table(
    filled: Story,
) -> None:
    before = everything()
    assert sum(1 for rows, _sum in before.values() if rows) > 10
    for table in sorted(before):
        [column] = columns_of(table)[:1]
        for name, attack in ATTACKS.items():
            if name == "insert over":
                continue
            sql = attack.replace("sample_record", table).replace(
                "said = 'yes'", f"{column}={column}"
            )
            with pytest.raises(Error):
                run_all(sql)
    assert everything() == before


def everything() -> dict[str, tuple[int, str]]:
    found = {}
    with connection.cursor() as cursor:
        for table in APPEND_ONLY:
            cursor.execute(
                f"SELECT count(*), md5(coalesce(string_agg(t::text, '' ORDER BY t::text), ''))"
                f" FROM {table} t"
            )
            found[table] = cursor.fetchone()
    return found


def columns_of(table: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT quote_ident(attname) FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum",
            [table],
        )
        return [name for (name,) in cursor.fetchall()]


@pytest.mark.parametrize("setting", ["origin", "replica"])
def test_even_a_superusers_ordinary_session_is_stopped_by_the_triggers(
    setting: str, filled: Story
) -> None:
    """What a restored dump or a replica runs as: only switching the triggers off helps."""
    for table in ("consent_ledgerentry", "consent_permission", "consent_licenceversion"):
        for sql in (
            f"UPDATE {table} SET id = id",
            f"DELETE FROM {table}",
            f"TRUNCATE {table} CASCADE",
        ):
            with _superuser() as superuser:
                superuser.execute(f"SET session_replication_role = {setting}".encode())
                with pytest.raises(psycopg.DatabaseError) as refusal:
                    superuser.execute(sql.encode())
            assert refusal.value.sqlstate == grants.APPEND_ONLY_SQLSTATE
    assert LedgerEntry.objects.exists()


@pytest.mark.django_db
def test_what_is_personal_never_stands_in_a_leaf() -> None:
    register_artist(by=None, name="Solveig Marie Holtedahl")
    entry = LedgerEntry.objects.get()
    assert "Solveig" not in entry.body
    assert b"Solveig" not in bytes(LedgerPersonal.objects.get().sealed)
