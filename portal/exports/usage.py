"""AI usage as a table: what AI did with each recording of an artist, one line for each use."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from django.db import connection
from django.utils.translation import gettext_lazy as _

from consent.discretion import public_code
from consent.errors import Refused
from portal.exports.table import Cell

COLUMNS: Final = (
    "occurred_at",
    "what",
    "isrc",
    "recording",
    "tool",
    "company",
    "model_version",
    "use",
    "right",
    "influence_bp",
    "method",
    "allowed",
    "reason",
    "ledger_seq",
    "territory",
    "quantity",
    "reference",
)
_ALLOWED: Final = COLUMNS.index("allowed")
_REASON: Final = COLUMNS.index("reason")
MONEY_COLUMNS: Final = ("owed_micros", "currency")
"""What the recording is owed for the use, in millionths of the major unit, all payees together."""

# One line for each recording, right and usage event of an output (one line without quantity while
# no usage was reported), and one for each recording that a training run was given.
_LINES: Final = """
WITH mine AS (
    SELECT r.id, r.isrc, r.title,
           EXISTS (SELECT FROM consent_recordingidentity i
                    WHERE i.recording_id = r.id
                      AND NOT ((i.main_artists || i.featured_artists || i.voices)
                               <@ ARRAY[%(artist)s::bigint])) AS shared
      FROM consent_artistrecording b JOIN consent_recording r ON r.id = b.recording_id
     WHERE b.artist_id = %(artist)s
), lines AS (
    SELECT coalesce(e.occurred_at, o.made_at) AS occurred_at, 'output' AS what, m.isrc, m.title,
           o.model_version_id, o.use, a.right, a.influence_bp, a.method, a.allowed, a.reason,
           a.known_seq, e.territory, e.quantity, o.client_ref AS reference,
           e.id AS event_id, m.id AS recording_id, m.shared
      FROM mine m
      JOIN consent_attribution a ON a.recording_id = m.id
      JOIN consent_output o ON o.id = a.output_id
      LEFT JOIN royalties_usageevent e ON e.output_id = o.id
    UNION ALL
    SELECT t.trained_at, 'training', m.isrc, m.title, t.model_version_id, t.use, NULL, NULL, NULL,
           u.allowed, u.reason, u.known_seq, NULL, e.quantity, t.client_ref, e.id, m.id,
           m.shared
      FROM mine m
      JOIN consent_traininguse u ON u.recording_id = m.id
      JOIN consent_trainingrun t ON t.id = u.run_id
      LEFT JOIN royalties_usageevent e ON e.training_run_id = t.id
), chosen AS (
    SELECT * FROM lines
     WHERE (%(since)s::timestamptz IS NULL OR occurred_at >= %(since)s)
       AND (%(until)s::timestamptz IS NULL OR occurred_at < %(until)s)
)
"""
_COUNT: Final = "\n".join((_LINES, "SELECT count(*) FROM chosen"))
_ROWS: Final = "\n".join(
    (
        _LINES,
        """
SELECT c.occurred_at, c.what, c.isrc, c.title, tool.name, company.name, version.name, c.use,
       c.right, c.influence_bp, c.method, c.allowed, c.reason, c.known_seq, c.territory,
       c.quantity, c.reference, owed.micros, owed.currency,
       c.shared
  FROM chosen c
  JOIN consent_modelversion version ON version.id = c.model_version_id
  JOIN consent_tool tool ON tool.id = version.tool_id
  JOIN consent_party company ON company.id = tool.company_id
  LEFT JOIN LATERAL (
    SELECT sum(s.owed_micros)::bigint AS micros, min(l.currency) AS currency
      FROM royalties_allocationshare s JOIN royalties_allocation l ON l.id = s.allocation_id
     WHERE s.event_id = c.event_id AND l.recording_id = c.recording_id AND l.releases_id IS NULL
       AND (c.right IS NULL OR l.right = c.right)
    HAVING count(DISTINCT l.currency) = 1
  ) owed ON %(money)s
 ORDER BY c.occurred_at, c.isrc, c.right, c.event_id
""",
    )
)


class UsageTable:
    """The lines of one artist's usage export, read row by row as they are written.

    `since` and `until` are days in UTC, the second one not included. Without `money` the columns
    of amounts are left out.
    """

    content_type = "text/csv; charset=utf-8; header=present"
    suffix = "csv"

    def __init__(
        self, artist_id: int, *, since: date | None, until: date | None, money: bool
    ) -> None:
        self._money = money
        self._params = {
            "artist": artist_id,
            "since": _midnight(since),
            "until": _midnight(until),
            "money": money,
        }

    @property
    def columns(self) -> tuple[str, ...]:
        return COLUMNS + (MONEY_COLUMNS if self._money else ())

    def total(self) -> int:
        """How many lines there are now."""
        with connection.cursor() as cursor:
            cursor.execute(_COUNT, self._params)
            (number,) = cursor.fetchone()
        return int(number)

    def rows(self, size: int) -> Iterator[list[list[Cell]]]:
        """The lines in order of time, `size` at once, through a cursor on the server."""
        with connection.chunked_cursor() as cursor:
            cursor.execute(_ROWS, self._params)
            while found := cursor.fetchmany(size):
                yield [self._line(row) for row in found]

    def _line(self, row: tuple[Any, ...]) -> list[Cell]:
        occurred_at: datetime = row[0]
        cells = [
            occurred_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            *row[1 : len(self.columns)],
        ]
        if row[-1]:  # whose answer the reason was is not kept, and may be somebody else's
            cells[_REASON] = public_code(str(cells[_REASON]), allowed=bool(cells[_ALLOWED]))
        return cells


def read_params(params: dict[str, Any]) -> dict[str, str]:
    """The choices of a usage export, in the one form in which they are kept.

    `since` and `until` are days (`datetime.date` or ISO 8601), both optional and both included.
    Raises `Refused` (`export_params`, `until_before_from`) for anything else.
    """
    kept: dict[str, str] = {}
    for name, value in params.items():
        if value in (None, ""):
            continue
        try:
            if name not in {"since", "until"}:
                raise ValueError(name)
            kept[name] = date.fromisoformat(str(value)).isoformat()
        except ValueError:
            raise Refused(
                "export_params", _("Choose a first and a last day."), field=name
            ) from None
    if kept.get("until", "9999-12-31") < kept.get("since", ""):
        raise Refused(
            "until_before_from", _("The end must come after the beginning."), field="until"
        )
    return dict(sorted(kept.items()))


def usage_table(artist_id: int, params: dict[str, str], *, money: bool) -> UsageTable:
    """The table for choices as `read_params` keeps them."""
    last = params.get("until")
    return UsageTable(
        artist_id,
        since=date.fromisoformat(params["since"]) if "since" in params else None,
        until=date.fromisoformat(last) + timedelta(days=1) if last else None,
        money=money,
    )


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC)
