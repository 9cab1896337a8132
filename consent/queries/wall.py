"""The wall around what is append-only: is it still standing, table by table?

Read from PostgreSQL's own catalogue, so that a table that somebody forgot to protect, or a trigger
that somebody switched off, is seen.
"""

from collections.abc import Iterable, Iterator

from django.db import connection

from consent.models import Fact, LedgerEntry, LedgerHead

TRIGGERS = ("append_only_rows", "append_only_table")
FORBIDDEN = ("UPDATE", "DELETE", "TRUNCATE")

LEDGER_TABLES = frozenset(
    {
        "consent_act",
        "consent_attribution",
        "consent_ledgercheckpoint",
        "consent_ledgerpersonal",
        "consent_licencelisting",
        "consent_output",
        "consent_trainingrun",
        "consent_traininguse",
        "consent_wording",
    }
)
"""What is append-only here besides the ledger itself and every kind of fact."""


def append_only_tables() -> frozenset[str]:
    """The tables of this storey that the application may read and add to, and never change."""
    facts = {model._meta.db_table for model in Fact.__subclasses__()}
    return LEDGER_TABLES | facts | {LedgerEntry._meta.db_table}


def wall_problems(tables: Iterable[str] | None = None) -> Iterator[str]:
    """What is missing from the wall, as sentences; `tables` are those of this storey by default."""
    wanted = sorted(append_only_tables() if tables is None else tables)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, coalesce(array_agg(t.tgname::text) FILTER"
            " (WHERE t.tgenabled = 'A' AND NOT t.tgisinternal), '{}')"
            "  FROM pg_class c LEFT JOIN pg_trigger t ON t.tgrelid = c.oid"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY (%s)"
            " GROUP BY c.relname",
            [wanted],
        )
        guarded = {table: set(names) for table, names in cursor.fetchall()}
    for table in wanted:
        if table not in guarded:
            yield f"the table {table} is not there"
            continue
        for trigger in TRIGGERS:
            if trigger not in guarded[table]:
                yield f"the trigger {trigger} does not guard {table}"
        for right in FORBIDDEN:
            if _may(table, right):
                yield f"this login may {right} {table}"
    for table in (LedgerEntry._meta.db_table, LedgerHead._meta.db_table):
        for right in ("INSERT", *FORBIDDEN):
            if _may(table, right):
                yield f"this login may {right} {table}"


def _may(table: str, right: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(%s, %s)", [table, right])
        (may,) = cursor.fetchone()
    return bool(may)
