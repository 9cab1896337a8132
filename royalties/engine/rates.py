"""Which rate governed a use, as the records say and as was known at a moment.

Of each licence between the company and a holder, the version that spoke at the moment of
use counts, or, when that one only ends the licence, the last that said what a use is worth: what
runs off after a notice is paid as before. It must name the use and cover recording and territory,
and its holder must hold a right in the recording or be an artist on it. Where several do, the
holder of the larger share of the very right wins, then the older licence. What a holder claims of
the recording itself counts instead of what it claims of a repertoire. Whether the use was
allowed is another question, answered when it was reported.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import connection

from consent.decisions import covers
from consent.models import Catalogue, LicenceListing, LicenceVersion
from royalties.allocation import RateFact
from royalties.models import Rate


@dataclass(frozen=True, slots=True)
class _Version:
    pk: int
    begins_at: datetime
    ends_at: datetime | None
    ended: bool
    uses: frozenset[str]
    catalogue: str
    territories: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Claim:
    """One row of a claim; it speaks until the next row of the same claim begins."""

    party: int
    right: str
    share_bp: int
    begins_at: datetime
    ends_at: datetime | None
    on: str = "recording"  # or "work", "repertoire"


class Rates:
    """What one company owes for uses of some recordings, as known at `known_at` (UTC).

    Loaded in a fixed number of queries; then answers without the database.
    """

    def __init__(self, *, company: int, recordings: Collection[int], known_at: datetime) -> None:
        keys = sorted(set(recordings))
        self._licences: dict[int, tuple[int, list[_Version]]] = {}
        for row in (
            LicenceVersion.objects.filter(
                licence__company=company, entry__recorded_at__lte=known_at
            )
            .order_by("licence_id", "id")
            .select_related("licence")
        ):
            self._licences.setdefault(row.licence_id, (row.licence.holder_id, []))[1].append(
                _Version(
                    row.pk,
                    row.starts_at or row.signed_at,
                    row.ends_at,
                    row.ended,
                    frozenset(row.uses),
                    row.catalogue,
                    frozenset(row.territories),
                )
            )
        versions = [v for _holder, chain in self._licences.values() for v in chain]
        self._listed = set(
            LicenceListing.objects.filter(
                version__in=[v.pk for v in versions if v.catalogue != Catalogue.ALL],
                recording__in=keys,
            ).values_list("version_id", "recording_id")
        )
        self._rates: dict[tuple[int, str, str], RateFact] = {
            (rate.version_id, rate.use, rate.right): rate_fact(rate)
            for rate in Rate.objects.filter(version__in=[v.pk for v in versions])
        }
        self._artists, self._claims = _claims(keys, known_at)
        self._licence_changes = sorted(
            {v.begins_at for v in versions} | {v.ends_at for v in versions if v.ends_at}
        )
        self._changes: dict[int, list[datetime]] = {}
        self._known: dict[tuple[int, str, str, str, int], RateFact | None] = {}

    def governing(
        self, *, recording: int, right: str, use: str, territory: str, at: datetime
    ) -> RateFact | None:
        """The rate that governed a use at `at`; None when none was agreed."""
        stretch = bisect_right(self._changes_of(recording), at)
        key = (recording, right, use, territory, stretch)
        if key not in self._known:
            self._known[key] = self._find(recording, right, use, territory, at)
        return self._known[key]

    def _changes_of(self, recording: int) -> list[datetime]:
        changes = self._changes.get(recording)
        if changes is None:
            claims = self._claims.get(recording, ())
            changes = self._changes[recording] = sorted(
                {
                    *self._licence_changes,
                    *(claim.begins_at for claim in claims),
                    *(claim.ends_at for claim in claims if claim.ends_at),
                }
            )
        return changes

    def _find(
        self, recording: int, right: str, use: str, territory: str, at: datetime
    ) -> RateFact | None:
        shares: defaultdict[int, int] = defaultdict(int)
        speaking = [
            claim
            for claim in self._claims.get(recording, ())
            if claim.begins_at <= at and (claim.ends_at is None or at < claim.ends_at)
        ]
        by_itself = {(c.party, c.right) for c in speaking if c.on == "recording"}
        # Whoever says that none of it is its own sets no rate by what it claims elsewhere.
        nothing = {(c.party, c.right) for c in speaking if not c.share_bp}
        for claim in speaking:
            wider = claim.on == "repertoire" and (claim.party, claim.right) in nothing
            if wider or not claim.share_bp:
                continue
            replaced = claim.on == "repertoire" and (claim.party, right) in by_itself
            counts = claim.right == right and not replaced
            shares[claim.party] += claim.share_bp if counts else 0
        for artist in self._artists.get(recording, ()):
            shares[artist] += 0
        best: tuple[int, int, RateFact] | None = None
        for licence, (holder, chain) in self._licences.items():
            if holder not in shares or (not shares[holder] and (holder, right) in nothing):
                continue
            version = _worth(chain, at)
            if version is None or use not in version.uses:
                continue
            if not covers(version.territories, territory or None):
                continue
            if version.catalogue != Catalogue.ALL and (
                ((version.pk, recording) in self._listed) != (version.catalogue == Catalogue.LISTED)
            ):
                continue
            rate = self._rates.get((version.pk, use, right))
            if rate is None:
                continue
            if best is None or (-shares[holder], licence) < best[:2]:
                best = (-shares[holder], licence, rate)
        return best[2] if best else None


def rate_fact(rate: Rate) -> RateFact:
    """A rate as `royalties.allocation` knows it."""
    return RateFact(rate.pk, rate.basis, rate.amount, rate.currency)  # type: ignore[arg-type]


def _worth(chain: Sequence[_Version], at: datetime) -> _Version | None:
    """Of a licence's versions, the last one that had begun and said what a use is worth."""
    begun = [v for v in chain if v.begins_at <= at and not v.ended]
    return begun[-1] if begun else None


def _claims(
    recordings: Sequence[int], known_at: datetime
) -> tuple[dict[int, frozenset[int]], dict[int, list[_Claim]]]:
    """Artists and claims of each recording: on itself, its works and its artists' repertoires."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH rec AS MATERIALIZED (
                SELECT DISTINCT ON (i.recording_id) i.recording_id AS id, i.works,
                       i.main_artists || i.featured_artists || i.voices AS artists
                  FROM consent_recordingidentity i
                  JOIN consent_ledgerentry e ON e.id = i.entry_id AND e.recorded_at <= %(known)s
                 WHERE i.recording_id = ANY (%(keys)s)
                 ORDER BY i.recording_id, i.id DESC
            ), found AS (
                SELECT r.id AS recording, c.* FROM rec r
                  JOIN consent_rightsclaim c ON c.recording_id = r.id
                UNION ALL
                SELECT r.id, c.* FROM rec r CROSS JOIN LATERAL unnest(r.works) w
                  JOIN consent_rightsclaim c ON c.work_id = w
                UNION ALL
                SELECT r.id, c.* FROM rec r CROSS JOIN LATERAL unnest(r.artists) a
                  JOIN consent_rightsclaim c ON c.repertoire_id = a
            )
            SELECT r.id, r.artists, c.claim, c.party_id, c."right", c.share_bp,
                   coalesce(c.valid_from, e.recorded_at) AS begins, c.valid_until, c.ended,
                   CASE WHEN c.recording_id IS NOT NULL THEN 'recording'
                        WHEN c.work_id IS NOT NULL THEN 'work' ELSE 'repertoire' END
              FROM rec r
              LEFT JOIN (found c JOIN consent_ledgerentry e
                             ON e.id = c.entry_id AND e.recorded_at <= %(known)s)
                     ON c.recording = r.id
             ORDER BY r.id, c.claim, c.id
            """,
            {"known": known_at, "keys": list(recordings)},
        )
        rows = cursor.fetchall()
    artists: dict[int, frozenset[int]] = {}
    chains: defaultdict[int, dict[object, list[tuple[_Claim, bool]]]] = defaultdict(dict)
    for recording, people, claim, party, right, share_bp, begins, until, ended, on in rows:
        artists[recording] = frozenset(people)
        if claim is not None:
            row = _Claim(party, right, share_bp, begins, until, on)
            chains[recording].setdefault(claim, []).append((row, ended))
    return artists, {
        recording: [row for chain in by_claim.values() for row in _bounded(chain)]
        for recording, by_claim in chains.items()
    }


def _bounded(chain: Sequence[tuple[_Claim, bool]]) -> Iterable[_Claim]:
    """Each row of a claim until the next one begins; rows that end it say nothing themselves."""
    for position, (row, ended) in enumerate(chain):
        if ended:
            continue
        ends = [later.begins_at for later, _ended in chain[position + 1 :]]
        if row.ends_at is not None:
            ends.append(row.ends_at)
        yield replace(row, ends_at=min(ends, default=None))
