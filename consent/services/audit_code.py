"""The code inside the database: is it what this version of the product installs?

Whoever owns the database could leave every row as it is, and change what reads or guards them. So
each function of sql/ is compared, letter by letter, with the text in that file, and each trigger
that keeps a table append-only with what `consent.grants` makes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.db import connection

from consent.grants import protect_sql
from consent.queries.wall import append_only_tables

_SQL = Path(__file__).resolve().parent.parent / "sql"
_FUNCTION = re.compile(
    r"CREATE(?: OR REPLACE)? FUNCTION (?P<name>\w+)\((?P<takes>.*?)\)\s+RETURNS (?P<rest>.*?)"
    r"AS \$\$(?P<body>.*?)\$\$",
    re.DOTALL,
)
_RETURNS = re.compile(r"(?P<gives>.*?)\s*\bLANGUAGE (?P<language>\w+)(?P<how>.*)", re.DOTALL)
_TRIGGER = re.compile(r"CREATE (?:CONSTRAINT )?TRIGGER (\w+)\s.*?\sON (\w+)", re.DOTALL)
_GUARDS = {
    "append_only_rows": "BEFORE DELETE OR UPDATE ON public.{table} FOR EACH ROW",
    "append_only_table": "BEFORE TRUNCATE ON public.{table} FOR EACH STATEMENT",
}


@dataclass(frozen=True, slots=True)
class Function:
    """A function as PostgreSQL keeps it, in one spelling."""

    takes: str
    gives: str
    language: str
    volatility: str  # i, s, v
    definer: bool
    settings: tuple[str, ...]
    body: str


@cache
def installed_functions() -> dict[str, Function]:
    """The functions that this version installs, by name."""
    found = {}
    for text in (*_texts(), _guard()):
        for each in _FUNCTION.finditer(text):
            rest = _RETURNS.fullmatch(each["rest"].strip())
            if rest is None:
                raise ValueError(f"{each['name']} is written as none of the others")
            how = rest["how"]
            found[each["name"]] = Function(
                takes=_spelled(each["takes"]),
                gives=_spelled(rest["gives"]),
                language=rest["language"],
                volatility=next((w[0].lower() for w in ("IMMUTABLE", "STABLE") if w in how), "v"),
                definer="SECURITY DEFINER" in how,
                settings=tuple(
                    f"{name}={value.strip()}"
                    for name, value in re.findall(r"SET (\w+) = (.+?)\s*(?=SET |$)", how, re.S)
                ),
                body=each["body"],
            )
    return found


def code_problems() -> Iterator[str]:
    """What is other code than ours, or can be changed by who should not, as sentences."""
    yield from _function_problems()
    yield from _table_problems()


def _function_problems() -> Iterator[str]:
    ours = installed_functions()
    there: dict[str, list[tuple[str, Function, bool]]] = {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schemas(false) = '{public}'")
        if cursor.fetchone() != (True,):
            yield "this login looks for tables and functions elsewhere than in public"
        cursor.execute(
            "SELECT p.proname::text, n.nspname::text, pg_get_function_arguments(p.oid),"
            "       pg_get_function_result(p.oid), l.lanname::text, p.provolatile::text,"
            "       p.prosecdef, coalesce(p.proconfig, '{}'), p.prosrc,"
            "       pg_has_role(p.proowner, 'USAGE')"
            "  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            "  JOIN pg_language l ON l.oid = p.prolang"
            " WHERE p.proname = ANY (%s) ORDER BY p.oid",
            [list(ours)],
        )
        for (
            name,
            schema,
            takes,
            gives,
            language,
            volatility,
            definer,
            config,
            body,
            mine,
        ) in cursor.fetchall():
            function = Function(
                _spelled(takes),
                _spelled(gives),
                language,
                volatility,
                definer,
                tuple(config),
                body,
            )
            there.setdefault(name, []).append((schema, function, mine))
    for name, wanted in sorted(ours.items()):
        found = there.get(name, [])
        if ("public", wanted) not in [(schema, function) for schema, function, _mine in found]:
            yield f"the function {name} is not the one that this version installs"
        elif len(found) > 1:
            yield f"there is another function of the name {name}"
        if any(mine for _schema, _function, mine in found):
            yield f"this login may replace the function {name}"


def _table_problems() -> Iterator[str]:
    tables = sorted(append_only_tables())
    known = {(table, trigger) for text in _texts() for trigger, table in _TRIGGER.findall(text)}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname::text, t.tgname::text, pg_get_triggerdef(t.oid)"
            "  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY (%s)"
            "   AND NOT t.tgisinternal ORDER BY 1, 2",
            [tables],
        )
        for table, trigger, text in cursor.fetchall():
            guard = _GUARDS.get(trigger)
            if guard is None:
                if (table, trigger) not in known:
                    yield f"the trigger {trigger} at {table} is none of ours"
                continue
            wanted = guard.format(table=table) + " EXECUTE FUNCTION refuse_change()"
            if text != f"CREATE TRIGGER {trigger} {wanted}":
                yield f"the trigger {trigger} at {table} does not do what it should"
        cursor.execute(
            "SELECT c.relname::text FROM pg_class c"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY (%s)"
            "   AND (c.relkind <> 'r' OR c.relrowsecurity"
            "        OR EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid)"
            "        OR EXISTS (SELECT FROM pg_inherits i"
            "                    WHERE c.oid IN (i.inhparent, i.inhrelid)))"
            " ORDER BY 1",
            [tables],
        )
        for (table,) in cursor.fetchall():
            yield f"{table} is not a plain table: some of its rows may be hidden"


def _texts() -> list[str]:
    return [path.read_text(encoding="utf-8") for path in sorted(_SQL.glob("*.sql"))]


def _guard() -> str:
    """The function that every append-only trigger calls comes with each of them."""
    return protect_sql(connection.schema_editor(), "consent_act")[0]


def _spelled(text: str) -> str:
    """Arguments or results in one spelling: PostgreSQL writes types out, and casts defaults."""
    text = re.sub(r"::[a-z ]+", "", text.replace("timestamptz", "timestamp with time zone"))
    return re.sub(r"\s*\(\s*", "(", re.sub(r"\s+", " ", text)).strip().replace(" )", ")")
