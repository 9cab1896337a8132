"""What an answer reads and writes: one call of the database each (sql/answers.sql).

Many artists answer at once, and each answer waits for the one processor that is free: what costs
is not the ledger but every further question put to the database.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from django.db import connection
from django.db.models import Model

from consent.leaves import permission_body
from consent.models import Act, Artist, Permission
from consent.scopes import EVERYTHING, Scope
from consent.services.ledger import Leaf, Recorded, prepared

_ANSWER = [field.attname for field in Permission._meta.concrete_fields]
_AS_JSON = json.JSONEncoder(default=str).encode
_LATEST = ", ".join(f"(t.latest).{field.column}" for field in Permission._meta.concrete_fields)


@dataclass(frozen=True, slots=True)
class Turn:
    """The artist's turn, held until commit: the pseudonym that leaves know her by, and the time.

    `latest` is the last answer in the slot that was asked about, whether or not it has begun.
    """

    subject: uuid.UUID
    at: datetime
    latest: Permission | None


def take_turn_to_answer(
    artist: int, *, use: str = "", scope: str | None = None, territories: Sequence[str] = ()
) -> Turn:
    """Wait for whoever answers for this artist (her key) now, and see what they have said.

    Orders all writers on one artist, so that the order of ids is the order of the ledger. Raises
    `Artist.DoesNotExist`.
    """
    row = _call(
        f"SELECT t.party, t.at, {_LATEST} FROM permission_turn(%s, %s, %s, %s) t",  # noqa: S608
        [artist, use, scope, list(territories)],
    )
    if row is None:
        raise Artist.DoesNotExist
    subject, at, *latest = row
    found = latest[0] is not None
    return Turn(
        subject, at, Permission.from_db(connection.alias, _ANSWER, latest) if found else None
    )


def yes_beside(artist: int, *, use: str, scope: Scope | None, begins: datetime) -> bool:
    """Does a yes speak, or do outputs run off, beside an answer from `begins` (UTC) in `scope`?

    None is for each of several recordings. A yes in the slot of the answer itself counts too.
    """
    one = scope or EVERYTHING
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT permission_beside(%s, %s, %s, %s, %s, %s, %s)",
            [
                artist,
                use,
                begins,
                scope is None or one.recording is not None,
                one.recording.pk if one.recording else None,
                one.company.pk if one.company else None,
                one.tool.pk if one.tool else None,
            ],
        )
        (found,) = cursor.fetchone()
    return bool(found)


def write_answers(
    act: Act,
    permissions: Sequence[Permission],
    *,
    subject: uuid.UUID,
    isrcs: Mapping[int, str],
    personal: dict[str, Any] | None = None,
) -> Recorded:
    """Insert an act that is not saved yet and its answers, and append a leaf for each of them.

    `isrcs` are those of the recordings, by key, as far as they are known; `personal` is sealed
    beside each leaf. Call it last, as `record`: it holds the ledger until commit. Afterwards the
    answers have their keys.
    """
    leaves = [
        Leaf(
            kind=f"permission.{p.way}",
            id=p.entry_id,
            body=_body(p, act=act, artist=subject, isrcs=isrcs),
            subject=subject if personal else None,
            personal=personal,
        )
        for p in permissions
    ]
    bodies = prepared(leaves)
    ids, first_seq, at = _call(
        "SELECT ids, first_seq, recorded_at FROM permission_append(%s, %s, %s, %s, %s)",
        [
            _AS_JSON(_columns(act)),
            _AS_JSON([_columns(p) for p in permissions]),
            [leaf.id for leaf in leaves],
            [leaf.kind for leaf in leaves],
            bodies,
        ],
    )
    for permission, key in zip(permissions, ids, strict=True):
        permission.pk = key
    for row in (act, *permissions):
        row._state.adding, row._state.db = False, connection.alias
    return Recorded(first_seq, at)


def _call(query: str, parameters: list[Any]) -> Any:
    """One row, by a statement that the database prepares once and binds itself."""
    with connection.wrap_database_errors:
        cursor = psycopg.Cursor(connection.connection)
        cursor.execute(query, parameters, prepare=True)
        return cursor.fetchone()


def _columns(row: Model) -> dict[str, Any]:
    return {str(field.column): getattr(row, field.attname) for field in row._meta.concrete_fields}


def _body(
    p: Permission, *, act: Act, artist: uuid.UUID, isrcs: Mapping[int, str]
) -> dict[str, Any]:
    recording = None
    if p.recording_id is not None:
        recording = isrcs.get(p.recording_id) or p.recording.isrc  # type: ignore[union-attr]
    return permission_body(
        artist=artist,
        by=act.by.ref if act.by else None,
        role=act.role,
        use=p.use,
        recording=recording,
        company=p.company.party.ref if p.company else None,
        tool=p.tool.ref if p.tool else None,
        stance=p.stance,
        way=p.way,
        valid_from=p.valid_from,
        valid_until=p.valid_until,
        territories=p.territories,
        notice_days=p.notice_days,
        took_back_allow=p.took_back_allow,
        wording=p.wording.digest if p.wording else None,
    )
