"""Writing many rows at once: COPY, with ids taken from the table's own sequence first."""

from collections.abc import Iterable, Sequence

from django.db import connection

type Value = int | str | None


def next_ids(table: str, how_many: int) -> list[int]:
    """Take ids from the sequence of `table`, in ascending order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [table, how_many],
        )
        return [number for (number,) in cursor.fetchall()]


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
    """Write rows into `table`. Its constraints and triggers hold as for any insert."""
    names = ", ".join(f'"{column}"' for column in columns)
    with (
        connection.cursor() as cursor,
        cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy,
    ):
        for row in rows:
            copy.write_row(row)
