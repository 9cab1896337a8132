"""Six hundred thousand stances on a hundred thousand recordings, loaded by COPY.

A thousand artists on five labels, a hundred recordings each, every tenth with a guest; one society
for publishing; six AI companies with a tool each and a licence from every holder. For six use kinds
each artist has answered in general and on each of her recordings.
"""

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final

import psycopg

from consent.words import PERSONAL_KINDS

ARTISTS, EACH, LABELS, COMPANIES = 1_000, 100, 5, 6
SOCIETY: Final = ARTISTS + LABELS + 1
USES: Final = (
    "generative_training", "analysis_training", "remix_input", "style", "name_image", "discovery",
)  # fmt: skip
LICENSED: Final = "{generative_training,analysis_training,remix_input,discovery}"
THEN: Final = datetime.now(UTC) - timedelta(days=30)

UNTIL: Final = THEN + timedelta(days=3 * 365)

type Superuser = psycopg.Connection[Any]


class _Ledger:
    """Gives each fact an entry; they are written last."""

    def __init__(self) -> None:
        self.ids: list[uuid.UUID] = []

    def __call__(self) -> uuid.UUID:
        self.ids.append(uuid.UUID(int=len(self.ids) + 1))
        return self.ids[-1]


def isrc(number: int) -> str:
    """The ISRC of recording `number` (from 0)."""
    return f"NOAAA24{number:05d}"


def load(database: Superuser) -> int:
    """Load everything past triggers and keys; returns how many stances there are."""
    entry = _Ledger()
    copy = _Copy(database)
    people = range(1, ARTISTS + 1)
    labels = range(ARTISTS + 1, ARTISTS + LABELS + 1)
    companies = range(SOCIETY + 1, SOCIETY + COMPANIES + 1)
    numbers = range(ARTISTS * EACH)
    with database.transaction():
        database.execute("SET LOCAL session_replication_role = replica")
        copy(
            "consent_party (id, ref, kind, name, language, created_at)",
            ((k, uuid.uuid4(), _kind(k), f"P{k}", "", THEN) for k in range(1, companies[-1] + 1)),
        )
        copy("consent_artist (party_id, slug)", ((k, f"a{k}") for k in people))
        copy(
            "consent_aicompany (party_id, slug, website, contact)",
            ((k, f"c{n}", "", "") for n, k in enumerate(companies, 1)),
        )
        copy(
            "consent_partystate"
            " (entry_id, party_id, kind, suspended, is_minor, is_estate, members)",
            (
                (entry(), k, _kind(k), False, False, False, "{}")
                for k in range(1, companies[-1] + 1)
            ),
        )
        copy(
            "consent_tool (id, ref, company_id, slug, name, kind, about, created_at)",
            (
                (n, uuid.uuid4(), k, f"t{n}", f"T{n}", "composer", "", THEN)
                for n, k in enumerate(companies, 1)
            ),
        )
        copy(
            "consent_toolstate (entry_id, tool_id, suspended)",
            ((entry(), n, False) for n in range(1, COMPANIES + 1)),
        )
        copy(
            "consent_recording"
            " (id, ref, isrc, title, language, contains_ai, created_at, updated_at)",
            (
                (n + 1, uuid.uuid4(), isrc(n), f"S{n}", "", "undeclared", THEN, THEN)
                for n in numbers
            ),
        )
        copy(
            "consent_recordingidentity (entry_id, recording_id, isrc, main_artists,"
            " featured_artists, voices, works, withdrawn)",
            (
                (entry(), n + 1, isrc(n), [n // EACH + 1], _guest(n), "{}", "{}", False)
                for n in numbers
            ),
        )
        _claims(copy, entry, numbers)
        _licences(copy, entry, labels, companies)
        stances = _stances(copy, entry, people, numbers)
        copy(
            "consent_ledgerentry (id, seq, act, kind, body, recorded_at, leaf_hash)",
            (
                (one, n, one, "bench.loaded", "{}", THEN, hashlib.sha256(one.bytes).digest())
                for n, one in enumerate(entry.ids, 1)
            ),
        )
        database.execute(
            "UPDATE consent_ledgerhead SET seq = %s, recorded_at = %s", [len(entry.ids), THEN]
        )
    database.execute("ANALYZE")
    return stances


def _kind(key: int) -> str:
    return "person" if key <= ARTISTS else "society" if key == SOCIETY else "company"


def _guest(number: int) -> list[int]:
    return [number * 7 % ARTISTS + 1] if number % 10 == 0 else []


def _claims(copy: "_Copy", entry: _Ledger, numbers: Sequence[int]) -> None:
    columns = (
        'consent_rightsclaim (entry_id, claim, party_id, recording_id, repertoire_id, "right",'
        " share_bp, territories, authority, standing, source, ended)"
    )
    tail = ("declared", "import", False)
    copy(
        columns,
        (
            (
                entry(), uuid.uuid4(), ARTISTS + 1 + n // EACH % LABELS, n + 1, None, "master",
                10_000, "{}", "contract", *tail,
            )
            for n in numbers
        ),
    )  # fmt: skip
    copy(
        columns,
        (
            (
                entry(), uuid.uuid4(), SOCIETY, None, k, "publishing", 10_000, "{}", "blanket",
                *tail,
            )
            for k in range(1, ARTISTS + 1)
        ),
    )  # fmt: skip


def _licences(
    copy: "_Copy", entry: _Ledger, labels: Sequence[int], companies: Sequence[int]
) -> None:
    pairs = [(h, c) for h in (*labels, SOCIETY) for c in companies]
    copy(
        "consent_licence (id, ref, holder_id, company_id, title, created_at)",
        ((n, uuid.uuid4(), h, c, "Frame", THEN) for n, (h, c) in enumerate(pairs, 1)),
    )
    copy(
        "consent_licenceversion (entry_id, licence_id, number, uses, catalogue, territories,"
        " notice_days, model_versions, artist_approval, override_clause, terms, ended, signed_at)",
        (
            (entry(), n, 1, LICENSED, "all", "{}", 30, "{}", True, "", "", False, THEN)
            for n in range(1, len(pairs) + 1)
        ),
    )


def _stances(copy: "_Copy", entry: _Ledger, people: Sequence[int], numbers: Sequence[int]) -> int:
    acts = {k: uuid.uuid4() for k in people}
    copy(
        "consent_act (ref, kind, artist_id, role, summary, entries, created_at)",
        ((ref, "bench", k, "artist", "{}", 0, THEN) for k, ref in acts.items()),
    )
    written = count()

    def rows() -> Iterator[tuple[Any, ...]]:
        for k in people:
            for use in USES:
                next(written)
                stance = "deny" if k % 5 == 0 else "allow"
                until = UNTIL if use in PERSONAL_KINDS else None
                yield (
                    entry(), k, use, "*/*", None, stance, until, "answered", "{}", False, acts[k],
                )  # fmt: skip
        for n in numbers:
            for use in USES:
                next(written)
                stance = "deny" if n % 7 == 0 else "allow"
                until = UNTIL if use in PERSONAL_KINDS else None
                artist = n // EACH + 1
                yield (
                    entry(), artist, use, f"r{n + 1}/*", n + 1, stance, until, "answered", "{}",
                    False, acts[artist],
                )  # fmt: skip

    copy(
        "consent_permission (entry_id, artist_id, use, scope, recording_id, stance, valid_until,"
        " way, territories, took_back_allow, act_id)",
        rows(),
    )
    return next(written)


class _Copy:
    """Writes rows into a table by COPY."""

    def __init__(self, database: Superuser) -> None:
        self.database = database

    def __call__(self, table: str, rows: Iterator[tuple[Any, ...]]) -> None:
        with self.database.cursor().copy(f"COPY {table} FROM STDIN".encode()) as copy:
            for row in rows:
                copy.write_row(row)
