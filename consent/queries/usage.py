"""AI usage, as an artist sees it: which tool used which recording, when, and was it allowed.

Two kinds of use come together: recordings that trained a model version, and outputs that drew on
recordings. Each keeps the decision that held when it happened.
"""

import base64
import binascii
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from django.db import connection
from django.utils.translation import gettext_lazy as _

from consent.errors import Refused
from consent.models import Artist

MOST_PER_PAGE: Final = 500


class UsageKind(StrEnum):
    """What happened."""

    TRAINING = "training"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class UsageFilter:
    """Which uses to show; what is None does not limit. `since` counts, `until` does not (UTC).

    `tool` is a slug, `isrc` a stored ISRC, `use` a use kind.
    """

    tool: str | None = None
    use: str | None = None
    isrc: str | None = None
    kind: UsageKind | None = None
    allowed: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """How much an output drew on the recording: an estimate, in basis points of one right."""

    right: str
    influence_bp: int
    method: str
    confidence_bp: int | None


@dataclass(frozen=True, slots=True)
class Usage:
    """One recording in one training run or output.

    `allowed`, `reason` (a decision code) and `known_seq` (the ledger position) are the decision of
    the time of use. `ref` is the run's or output's. `shares` is empty for a training.
    """

    kind: UsageKind
    at: datetime
    recording: int
    isrc: str
    title: str
    language: str
    tool: str
    tool_name: str
    company: str
    model_version: str
    use: str
    allowed: bool
    reason: str
    known_seq: int
    ref: uuid.UUID
    output_title: str
    shares: tuple[Share, ...]
    cursor: str


@dataclass(frozen=True, slots=True)
class UsagePage:
    """Uses, the latest first. `after` fetches the next page; None: this is the last."""

    rows: tuple[Usage, ...]
    after: str | None


@dataclass(frozen=True, slots=True)
class ToolUsage:
    """What one tool did in all.

    `trained` counts recordings in training runs, `outputs` outputs, `not_allowed` those of both
    that were not allowed.
    """

    tool: str
    tool_name: str
    company: str
    trained: int
    outputs: int
    not_allowed: int
    last_at: datetime


_ROWS = """
SELECT u.*, r.isrc, r.title, r.language, t.slug, t.name AS tool_name, p.name AS company,
       m.name AS model_version,
       CASE u.kind WHEN 2 THEN (
           SELECT json_agg(json_build_array(b."right", b.influence_bp, b.method, b.confidence_bp)
                           ORDER BY b.id)
             FROM consent_attribution b
            WHERE b.output_id = u.source AND b.recording_id = u.recording_id) END AS shares
  FROM ({union}) u
  JOIN consent_recording r ON r.id = u.recording_id
  JOIN consent_modelversion m ON m.id = u.model_version_id
  JOIN consent_tool t ON t.id = m.tool_id
  JOIN consent_party p ON p.id = t.company_id
 ORDER BY u.at DESC, u.kind DESC, u.id DESC
"""

_TRAINING = """
SELECT {columns}
  FROM consent_traininguse u
  JOIN consent_trainingrun x ON x.id = u.run_id
  JOIN consent_artistrecording ar ON ar.recording_id = u.recording_id
 WHERE ar.artist_id = %(artist)s
"""

_OUTPUT = """
SELECT {columns}
  FROM consent_attribution u
  JOIN consent_output x ON x.id = u.output_id
  JOIN consent_artistrecording ar ON ar.recording_id = u.recording_id
 WHERE ar.artist_id = %(artist)s
"""
# One line per output and recording, though it is attributed once for each right: the first right
# in the alphabet stands for all. The decision is the same for all of them.
_FIRST_RIGHT = """
 AND NOT EXISTS (
    SELECT 1 FROM consent_attribution b
     WHERE b.output_id = u.output_id AND b.recording_id = u.recording_id AND b."right" < u."right")
"""

_COLUMNS = """
{moment} AS at, {kind} AS kind, u.id, u.recording_id, {model} AS model_version_id, x.use, u.allowed,
 u.reason, u.known_seq, x.ref, {title} AS output_title, x.id AS source
"""
_SUMS = """
{moment} AS at, {kind} AS kind, {model} AS model_version_id, count(*) AS uses, {refused} AS refused
"""

_MODELS = """
SELECT m.id FROM consent_modelversion m JOIN consent_tool t ON t.id = m.tool_id
 WHERE t.slug = %(tool)s
"""
_RECORDING = "SELECT id FROM consent_recording WHERE isrc = %(isrc)s"
_AFTER = "(%(after_at)s, %(after_kind)s, %(after_id)s)"


def usage_of(
    artist: Artist, *, only: UsageFilter | None = None, after: str | None = None, most: int = 50
) -> UsagePage:
    """One page of what AI did with the work of `artist`, the latest first. One query.

    Raises `Refused` (`cursor`) for an `after` that no page gave.
    """
    only = only or UsageFilter()
    most = max(1, min(most, MOST_PER_PAGE))
    rows = tuple(_fetch(artist, only, after, most + 1))
    return UsagePage(rows[:most], rows[most - 1].cursor if len(rows) > most else None)


def every_use_of(
    artist: Artist, *, only: UsageFilter | None = None, after: str | None = None
) -> Iterator[Usage]:
    """All uses, the latest first, a thousand to a query: for an export, which can go on `after`."""
    only = only or UsageFilter()
    while True:
        rows = list(_fetch(artist, only, after, 1_000))
        yield from rows
        if len(rows) < 1_000:
            return
        after = rows[-1].cursor


def count_uses_of(artist: Artist, *, only: UsageFilter | None = None) -> int:
    """How many uses there are in all: for the progress of an export."""
    only = only or UsageFilter()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM ({_union(only)}) u",  # noqa: S608  (constants of ours)
            _params(artist, only),
        )
        (total,) = cursor.fetchone()
    return int(total)


def usage_by_tool(artist: Artist, *, only: UsageFilter | None = None) -> list[ToolUsage]:
    """Per tool, what it did in all; the one that was busy last comes first. One query."""
    only = only or UsageFilter()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT t.slug, t.name, p.name, sum(s.trained), sum(s.outputs), sum(s.refused),
                   max(s.last_at) AS last_at
              FROM (SELECT model_version_id, sum(uses) FILTER (WHERE kind = 1) AS trained,
                           count(*) FILTER (WHERE kind = 2) AS outputs,
                           sum(refused) AS refused, max(at) AS last_at
                      FROM ({_union(only, by_source=True)}) u GROUP BY model_version_id) s
              JOIN consent_modelversion m ON m.id = s.model_version_id
              JOIN consent_tool t ON t.id = m.tool_id
              JOIN consent_party p ON p.id = t.company_id
             GROUP BY t.id, t.slug, t.name, p.name ORDER BY last_at DESC, t.slug""",  # noqa: S608
            _params(artist, only),
        )
        return [
            ToolUsage(slug, name, company, int(trained or 0), int(outputs), int(refused), last_at)
            for slug, name, company, trained, outputs, refused, last_at in cursor.fetchall()
        ]


@dataclass(frozen=True, slots=True)
class _Part:
    """One of the two kinds of use, in the words of its tables."""

    kind: UsageKind
    number: int
    text: str
    moment: str
    model: str
    title: str
    refused: str

    def columns(self, pattern: str) -> str:
        """The columns that the union selects."""
        return pattern.format(
            moment=self.moment,
            kind=self.number,
            model=self.model,
            title=self.title,
            refused=self.refused,
        )


_PARTS: Final = (
    _Part(
        UsageKind.TRAINING,
        1,
        _TRAINING,
        "x.trained_at",
        "u.model_version_id",
        "''",
        "count(*) FILTER (WHERE NOT u.allowed)",
    ),
    _Part(
        UsageKind.OUTPUT,
        2,
        _OUTPUT,
        "x.made_at",
        "x.model_version_id",
        "x.title",
        "bool_or(NOT u.allowed)::int",  # an output counts once, however much it drew on
    ),
)


def _union(
    only: UsageFilter, *, after: bool = False, most: bool = False, by_source: bool = False
) -> str:
    """Both kinds under the filter; each limited on its own, so that an index can serve it.

    `by_source` sums each run and output up instead.
    """
    parts = [
        _part(part, only, after, most, by_source)
        for part in _PARTS
        if only.kind in (None, part.kind)
    ]
    union = " UNION ALL ".join(parts)
    if most:
        union = f"SELECT * FROM ({union}) a ORDER BY at DESC, kind DESC, id DESC LIMIT %(most)s"  # noqa: S608
    return union


def _part(part: _Part, only: UsageFilter, after: bool, most: bool, by_source: bool) -> str:
    key = f"({part.moment}, {part.number}, u.id)"
    wheres = [
        (only.tool, f"{part.model} IN ({_MODELS})"),
        (only.use, "x.use = %(use)s"),
        (only.isrc, f"u.recording_id IN ({_RECORDING})"),
        (only.allowed, "u.allowed = %(allowed)s"),
        (only.since, f"{part.moment} >= %(since)s"),
        (only.until, f"{part.moment} < %(until)s"),
        (after or None, f"{part.moment} <= %(after_at)s AND {key} < {_AFTER}"),
    ]
    text = part.text.format(columns=part.columns(_SUMS if by_source else _COLUMNS))
    text += "".join(f" AND {where}" for value, where in wheres if value is not None)
    if by_source:
        return f"({text} GROUP BY x.id, {part.moment}, {part.model})"
    if part.kind is UsageKind.OUTPUT:
        text += _FIRST_RIGHT
    if most:
        text += f" ORDER BY {part.moment} DESC, u.id DESC LIMIT %(most)s"
    return f"({text})"


def _params(artist: Artist, only: UsageFilter) -> dict[str, Any]:
    return {
        "artist": artist.pk,
        "tool": only.tool,
        "use": only.use,
        "isrc": only.isrc,
        "allowed": only.allowed,
        "since": only.since,
        "until": only.until,
    }


def _fetch(artist: Artist, only: UsageFilter, after: str | None, most: int) -> Iterator[Usage]:
    params = {**_params(artist, only), "most": most}
    if after is not None:
        at, kind, key = _read_cursor(after)
        params |= {"after_at": at, "after_kind": kind, "after_id": key}
    union = _union(only, after=after is not None, most=True)
    with connection.cursor() as cursor:
        cursor.execute(_ROWS.format(union=union), params)
        for (
            at, kind, key, recording, _model, use, allowed, reason, seq, ref, output_title, _source,
            isrc, title, language, tool, tool_name, company, model_version, shares,
        ) in cursor.fetchall():  # fmt: skip
            yield Usage(
                kind=UsageKind.TRAINING if kind == 1 else UsageKind.OUTPUT,
                at=at,
                recording=recording,
                isrc=isrc,
                title=title,
                language=language,
                tool=tool,
                tool_name=tool_name,
                company=company,
                model_version=model_version,
                use=use,
                allowed=allowed,
                reason=reason,
                known_seq=seq,
                ref=ref,
                output_title=output_title,
                shares=tuple(Share(*s) for s in _json(shares)),
                cursor=_write_cursor(at, kind, key),
            )


def _json(value: Any) -> Any:
    if value is None:
        return ()
    return json.loads(value) if isinstance(value, str) else value


def _write_cursor(at: datetime, kind: int, key: int) -> str:
    text = f"{at.astimezone(UTC).isoformat()}|{kind}|{key}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, int, int]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        at, kind, key = text.split("|")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError(at)
        return moment, int(kind), int(key)
    except (ValueError, binascii.Error) as error:
        raise Refused("cursor", _("This page does not exist. Begin at the first.")) from error
