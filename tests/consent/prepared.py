"""How often this connection has run a statement that the database had prepared."""

from django.db import connection


def prepared_runs_of(name: str) -> int:
    """The runs of the prepared statements that call the database function `name`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(generic_plans + custom_plans), 0) FROM pg_prepared_statements"
            " WHERE position(%s IN statement) > 0 AND statement NOT LIKE '%%prepared%%'",
            [f"{name}("],
        )
        (runs,) = cursor.fetchone()
    return int(runs)
