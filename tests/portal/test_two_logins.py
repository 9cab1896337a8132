"""The application's login cannot rewrite what is written down, however it tries."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.db import connection, connections, transaction
from django.db.utils import Error
from psycopg.rows import TupleRow

from consent import grants

Owner = psycopg.Connection[TupleRow]

ATTACKS = {
    "update": "UPDATE sample_record SET said = 'yes'",
    "delete": "DELETE FROM sample_record",
    "truncate": "TRUNCATE sample_record",
    "disable a trigger": "ALTER TABLE sample_record DISABLE TRIGGER ALL",
    "pretend to be a replica": "SET session_replication_role = replica; DELETE FROM sample_record",
    "drop": "DROP TABLE sample_record",
    "become the owner": "SET ROLE liner_owner; DELETE FROM sample_record",
    "lock rows for update": "SELECT * FROM sample_record FOR UPDATE",
    "lock rows for share": "SELECT * FROM sample_record FOR SHARE",
    "lock the table": "LOCK TABLE sample_record IN ACCESS EXCLUSIVE MODE",
    "insert over": (
        "INSERT INTO sample_record (id, said) VALUES (1, 'yes')"
        " ON CONFLICT (id) DO UPDATE SET said = excluded.said"
    ),
}


@pytest.fixture
def make_record(owner: Owner) -> Iterator[Callable[[bool], None]]:
    """Makes a protected table that holds one row, with or without INSERT."""

    def make(insert: bool) -> None:
        owner.execute("CREATE TABLE sample_record (id int PRIMARY KEY, said text NOT NULL)")
        owner.execute("INSERT INTO sample_record VALUES (1, 'no')")
        editor = connections["owner"].schema_editor()
        for statement in grants.protect_sql(editor, "sample_record", insert=insert):
            owner.execute(statement.encode())

    yield make
    connections["default"].close()  # a lock of the test's own would make the owner wait
    owner.execute("DROP TABLE IF EXISTS sample_record")


def run(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for part in statement.split(";"):
            cursor.execute(part)


def said() -> list[tuple[int, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, said FROM sample_record ORDER BY id")
        return list(cursor.fetchall())


@pytest.mark.parametrize("insert", [False, True], ids=["read only", "append only"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_the_application_cannot_change_what_is_written(
    attack: str, insert: bool, make_record: Callable[[bool], None]
) -> None:
    make_record(insert)
    with pytest.raises(Error):
        run(ATTACKS[attack])
    assert said() == [(1, "no")]


def test_the_application_adds_rows_only_where_that_was_granted(
    make_record: Callable[[bool], None],
) -> None:
    make_record(True)
    run("INSERT INTO sample_record VALUES (2, 'no')")
    assert said() == [(1, "no"), (2, "no")]


def test_the_application_cannot_add_a_row_to_a_read_only_table(
    make_record: Callable[[bool], None],
) -> None:
    make_record(False)
    with pytest.raises(Error, match="permission denied"):
        run("INSERT INTO sample_record VALUES (2, 'yes')")


@pytest.mark.parametrize("statement", [ATTACKS["update"], ATTACKS["delete"], ATTACKS["truncate"]])
@pytest.mark.parametrize("setting", ["origin", "replica"])
def test_even_the_owner_is_stopped_by_the_triggers(
    statement: str, setting: str, make_record: Callable[[bool], None], owner: Owner
) -> None:
    make_record(False)
    if setting == "replica":
        # Only a superuser may set this; a restored dump or a replica would run like it.
        enabled = owner.execute(
            "SELECT array_agg(DISTINCT tgenabled::text) FROM pg_trigger"
            " WHERE tgrelid = 'sample_record'::regclass AND NOT tgisinternal"
        ).fetchone()
        assert enabled == (["A"],)
    with pytest.raises(psycopg.DatabaseError) as refusal:
        owner.execute(statement.encode())
    assert refusal.value.sqlstate == grants.APPEND_ONLY_SQLSTATE
    assert said() == [(1, "no")]


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_opening_the_schema_again_leaves_protected_tables_closed(
    make_record: Callable[[bool], None], owner: Owner
) -> None:
    make_record(False)
    with connections["owner"].schema_editor() as editor:
        grants.OpenSchema().database_forwards("consent", editor, None, None)  # type: ignore[arg-type]
    connections["owner"].close()
    with pytest.raises(Error, match="permission denied"):
        run(ATTACKS["update"])


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO django_migrations (app, name, applied) VALUES ('consent', '9999', now())",
        "DELETE FROM django_migrations",
        "CREATE TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "GRANT liner_owner TO liner_app",
    ],
)
def test_the_application_changes_no_table_and_no_role(statement: str) -> None:
    with pytest.raises(Error, match=r"permission denied|must be owner|grant"):
        run(statement)
