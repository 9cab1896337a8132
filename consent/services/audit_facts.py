"""The replay: does every row that decisions read say what its leaf says, and no row more?

For each kind of fact, one query (sql/replay/) makes again, from the row and what it points at, the
body that its leaf must have; PostgreSQL compares the two as JSON. It knows nothing of the code
that wrote them. The hashes of the leaves themselves are checked elsewhere, in Python.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import Model

from consent.models import (
    Fact,
    LicenceVersion,
    ModelVersionState,
    PartyState,
    Permission,
    RecordingIdentity,
    RightsClaim,
    ToolState,
    TrainingRun,
    Wording,
)

MOST_TOLD = 5  # per kind and fault; the count says how many there are
_SQL = Path(__file__).resolve().parent.parent / "sql" / "replay"


def replay_sql(name: str) -> str:
    """A query of sql/replay/, in which MOMENT(column) is a moment as leaves write it."""
    return re.sub(
        r"MOMENT\(([a-z_.]+)\)",
        r"""to_char(\1 AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
        (_SQL / f"{name}.sql").read_text(encoding="utf-8"),
    )


@dataclass(frozen=True, slots=True)
class Replay:
    """A model whose rows are derived from leaves of some kinds (LIKE patterns), one from each."""

    name: str
    model: type[Model]
    kinds: tuple[str, ...]
    subject: str  # the columns that say what the row is about; the last row about it speaks

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def sql(self) -> str:
        """The query that says what each leaf must say. `entry` is given by `_WITH`."""
        return replay_sql(self.name)


REPLAYS: Sequence[Replay] = (
    Replay("party", PartyState, ("party.%",), "party_id"),
    Replay("recording", RecordingIdentity, ("recording.%",), "recording_id"),
    Replay("claim", RightsClaim, ("claim.%",), "claim"),
    Replay("licence", LicenceVersion, ("licence.%",), "licence_id"),
    Replay("tool", ToolState, ("tool.%",), "tool_id"),
    Replay("model", ModelVersionState, ("model.%",), "model_version_id"),
    Replay("permission", Permission, ("permission.%",), "artist_id, use, scope, territories"),
    Replay("wording", Wording, ("wording.%",), "use, language"),
    Replay("training", TrainingRun, ("training.%",), "id"),
)

_WITH = """
WITH entry AS (
    SELECT e.id, e.seq, e.kind, e.act, e.body::jsonb - 'personal' AS body, e.recorded_at,
           a.role, a.artist_id, u.ref AS by
      FROM consent_ledgerentry e
      LEFT JOIN consent_act a ON a.ref = e.act
      LEFT JOIN {users} u ON u.id = a.by_id
     WHERE e.seq > %(after)s AND e.seq <= %(until)s AND e.kind LIKE ANY (%(kinds)s)
), row AS ({sql})
"""
_DIFFERENT = """{with}
SELECT seq FROM row WHERE body IS DISTINCT FROM told OR NOT fits ORDER BY seq
"""
# The row with the greatest id speaks, so two rows that changed places would change what holds.
_OUT_OF_ORDER = """
SELECT x.seq FROM (
    SELECT e.seq, lag(e.seq) OVER (PARTITION BY {subject} ORDER BY f.id) AS before
      FROM {table} f JOIN consent_ledgerentry e ON e.id = f.entry_id
     WHERE e.seq > %(after)s AND e.seq <= %(until)s) x
  JOIN consent_ledgerentry a ON a.seq = x.seq JOIN consent_ledgerentry b ON b.seq = x.before
 WHERE x.seq < x.before AND a.body::jsonb - 'by' - 'personal' <> b.body::jsonb - 'by' - 'personal'
 ORDER BY x.seq
"""
_WITHOUT_A_ROW = """
SELECT e.seq FROM consent_ledgerentry e
 WHERE e.seq > %(after)s AND e.seq <= %(until)s AND e.kind LIKE ANY (%(kinds)s)
   AND NOT EXISTS (SELECT FROM {table} f WHERE f.entry_id = e.id)
 ORDER BY e.seq
"""
_TOO_MANY_ROWS = """
SELECT e.seq FROM {table} f JOIN consent_ledgerentry e ON e.id = f.entry_id
 WHERE e.seq > %(after)s AND e.seq <= %(until)s
 GROUP BY e.seq, e.kind HAVING count(*) > 1 OR NOT e.kind LIKE ANY (%(kinds)s)
 ORDER BY e.seq
"""
_WITHOUT_A_LEAF = """
SELECT f.id FROM {table} f
 WHERE NOT EXISTS (SELECT FROM consent_ledgerentry e WHERE e.id = f.entry_id) ORDER BY f.id
"""


def replay_problems(*, after: int, until: int) -> Iterator[str]:
    """What differs between rows and leaves with `after < seq <= until`, as sentences.

    From the beginning (`after=0`) it also finds rows that belong to no leaf at all.
    """
    users = get_user_model()._meta.db_table
    for each in REPLAYS:
        names = {
            "table": each.table,
            "subject": _columns(each),
            "with": _WITH.format(users=users, sql=each.sql),
        }
        given = {"after": after, "until": until, "kinds": list(each.kinds)}
        for sql, sentence in (
            (_DIFFERENT, "{n} rows of {table} do not say what their entries say: {told}"),
            (_OUT_OF_ORDER, "{n} rows of {table} have changed places: entries {told}"),
            (_WITHOUT_A_ROW, "{n} entries have lost their row of {table}: {told}"),
            (_TOO_MANY_ROWS, "{n} entries have rows of {table} that they should not: {told}"),
        ):
            yield from _told(sql.format(**names), given, sentence, each.table)
        if after == 0:
            yield from _told(
                _WITHOUT_A_LEAF.format(**names),
                None,
                "{n} rows of {table} belong to no entry: {told}",
                each.table,
            )


def _columns(replay: Replay) -> str:
    return ", ".join(f"f.{column}" for column in replay.subject.split(", "))


def uncovered_facts() -> list[str]:
    """Kinds of fact that no replay covers: none, or the audit is blind in one eye."""
    covered = {each.model for each in REPLAYS}
    return sorted(m.__name__ for m in Fact.__subclasses__() if m not in covered)


def _told(sql: str, given: Mapping[str, Any] | None, sentence: str, table: str) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        found = [key for (key,) in cursor.fetchall()]
    if found:
        yield sentence.format(n=len(found), table=table, told=some_of(found))


def some_of(found: Sequence[object]) -> str:
    """The first few, to look at; the count says how many there are."""
    more = ", …" if len(found) > MOST_TOLD else ""
    return ", ".join(str(key) for key in found[:MOST_TOLD]) + more
