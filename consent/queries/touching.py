"""Which licences touch which artists now: how much of whose work, and where without her yes.

A licence touches an artist where its holder claims a right in a recording that it covers, and she
is billed on it, or heard where it is about voices. However that came to be: by a signature, by a
message, a file or a claim, or because she was named on a recording later.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import DateTimeField, Value

from consent.models import Artist, LicenceVersion
from consent.queries.licences import Moment, standing_versions
from consent.words import Authority, Right, UseKind

type Pair = tuple[int, int]
"""A licence version and an artist, by their keys."""

ONES_OWN: Final = frozenset({UseKind.STYLE, UseKind.NAME_IMAGE})
_OF_THE_SONG_TOO: Final = frozenset(
    {UseKind.GENERATIVE_TRAINING, UseKind.ANALYSIS_TRAINING, UseKind.REMIX_INPUT}
)

# The newest version of each licence, unless it is over. One that ends it later does not count yet.
_VERSIONS: Final = """
newest AS MATERIALIZED (
    SELECT DISTINCT ON (v.licence_id) v.*, l.holder_id
      FROM consent_licenceversion v JOIN consent_licence l ON l.id = v.licence_id
     WHERE NOT v.ended OR v.starts_at IS NULL OR v.starts_at <= %(at)s
     ORDER BY v.licence_id, v.id DESC
), version AS MATERIALIZED (
    SELECT * FROM newest WHERE NOT ended AND (ends_at IS NULL OR ends_at > %(at)s)
)
"""

# The recordings that an act may have changed something for, whoever claims a right in them, and
# who is billed on them or heard. Which of it the licences cover is for `reach_of`.
_TOUCHED: Final = f"""
WITH {_VERSIONS}, claim AS MATERIALIZED (
    SELECT c.party_id, c.recording_id, c.repertoire_id, c.work_id
      FROM consent_rightsclaim c JOIN consent_ledgerentry e ON e.id = c.entry_id
     WHERE e.act = %(act)s
), work AS MATERIALIZED (
    SELECT coalesce(array_agg(work_id) FILTER (WHERE work_id IS NOT NULL), '{{}}') AS keys
      FROM claim
), affected AS MATERIALIZED (
    SELECT i.recording_id FROM consent_recordingidentity i
      JOIN consent_ledgerentry e ON e.id = i.entry_id WHERE e.act = %(act)s
    UNION SELECT recording_id FROM claim WHERE recording_id IS NOT NULL
    UNION SELECT b.recording_id FROM claim c
      JOIN consent_artistrecording b ON b.artist_id = c.repertoire_id
    UNION SELECT i.recording_id FROM work JOIN consent_recordingidentity i ON i.works && work.keys
     WHERE work.keys <> '{{}}'
), identity AS MATERIALIZED (
    SELECT DISTINCT ON (i.recording_id) i.recording_id, i.works, i.voices
      FROM consent_recordingidentity i JOIN affected USING (recording_id)
     ORDER BY i.recording_id, i.id DESC
), named AS MATERIALIZED (
    SELECT b.recording_id, b.artist_id, NOT b.featured AS main
      FROM consent_artistrecording b JOIN affected USING (recording_id)
), claimed AS MATERIALIZED (
    SELECT c.party_id, c.recording_id
      FROM consent_rightsclaim c JOIN affected USING (recording_id)
    UNION SELECT c.party_id, n.recording_id
      FROM named n JOIN consent_rightsclaim c ON c.repertoire_id = n.artist_id
     WHERE n.main OR c."right" = 'likeness'
    UNION SELECT c.party_id, i.recording_id
      FROM (SELECT recording_id, unnest(works) AS work_id FROM identity) i
      JOIN consent_rightsclaim c ON c.work_id = i.work_id
)
SELECT DISTINCT v.id, n.artist_id
  FROM claimed c JOIN version v ON v.holder_id = c.party_id
  JOIN (SELECT recording_id, artist_id FROM named
        UNION SELECT i.recording_id, a.party_id
          FROM (SELECT recording_id, unnest(voices) AS voice FROM identity) i
          JOIN consent_artist a ON a.party_id = i.voice) n USING (recording_id)
 ORDER BY 1, 2
"""  # noqa: S608  (the text in front is a constant of ours)

_SIGNED: Final = f"""
WITH {_VERSIONS}
SELECT v.id FROM version v JOIN consent_licence l ON l.id = v.licence_id WHERE l.ref = %(ref)s
"""  # noqa: S608

_REACH: Final = """
WITH pair AS MATERIALIZED (
    SELECT * FROM unnest(%(versions)s::bigint[], %(artists)s::bigint[]) AS p(version_id, artist_id)
), version AS MATERIALIZED (
    SELECT v.id, v.catalogue, v.uses, l.holder_id
      FROM consent_licenceversion v JOIN consent_licence l ON l.id = v.licence_id
     WHERE v.id = ANY (%(versions)s)
), billed AS MATERIALIZED (
    SELECT artist_id, recording_id, true AS billed FROM consent_artistrecording
     WHERE artist_id = ANY (%(artists)s)
), heard AS MATERIALIZED (
    SELECT x.voice AS artist_id, x.recording_id, false AS billed
      FROM (SELECT i.id, i.recording_id,
                   unnest(unbilled_voices(i.voices, i.main_artists, i.featured_artists)) AS voice
              FROM consent_recordingidentity i
             WHERE %(voices)s AND unbilled_voices(i.voices, i.main_artists, i.featured_artists)
                                  && %(artists)s::bigint[]) x
     WHERE x.voice = ANY (%(artists)s)
       AND NOT EXISTS (SELECT FROM consent_recordingidentity n
                        WHERE n.recording_id = x.recording_id AND n.id > x.id)
), hers AS MATERIALIZED (
    SELECT * FROM billed UNION ALL SELECT * FROM heard
), held AS MATERIALIZED (
    SELECT * FROM (
        SELECT DISTINCT ON (claim) * FROM consent_rightsclaim
         WHERE party_id IN (SELECT holder_id FROM version)
           AND (valid_from IS NULL OR valid_from <= %(at)s)
         ORDER BY claim, id DESC) c
     WHERE NOT ended AND (valid_until IS NULL OR valid_until > %(at)s)
       AND "right" IN ('master', 'publishing')
), nothing AS MATERIALIZED (
    SELECT party_id, recording_id, "right" FROM held WHERE share_bp = 0
), song AS MATERIALIZED (
    SELECT i.recording_id, unnest(i.works) AS work_id FROM consent_recordingidentity i
     WHERE EXISTS (SELECT FROM held WHERE work_id IS NOT NULL)
       AND i.recording_id IN (SELECT recording_id FROM hers)
       AND NOT EXISTS (SELECT FROM consent_recordingidentity n
                        WHERE n.recording_id = i.recording_id AND n.id > i.id)
), reached AS MATERIALIZED (
    SELECT party_id, recording_id, bool_or("right" = 'master') AS master,
           bool_or("right" = 'master' AND authority <> 'own') AS bound
      FROM (SELECT party_id, recording_id, "right", authority FROM held
             WHERE recording_id IS NOT NULL AND share_bp > 0
            UNION ALL
            SELECT h.party_id, b.recording_id, h."right", h.authority FROM held h
              JOIN consent_artistrecording b ON b.artist_id = h.repertoire_id AND NOT b.featured
             WHERE h.standing = 'disputed' OR NOT EXISTS (
                SELECT FROM nothing n
                 WHERE n.party_id = h.party_id AND n.recording_id = b.recording_id
                   AND n."right" = h."right")
            UNION ALL
            SELECT h.party_id, s.recording_id, h."right", h.authority FROM held h
              JOIN song s ON s.work_id = h.work_id) x
     GROUP BY party_id, recording_id
)
SELECT p.version_id, p.artist_id,
       count(*) FILTER (WHERE h.billed),
       count(*) FILTER (WHERE h.billed AND r.master),
       count(*) FILTER (WHERE h.billed AND r.bound),
       count(*) FILTER (WHERE NOT h.billed AND r.master AND 'voice' = ANY (v.uses))
  FROM pair p JOIN version v ON v.id = p.version_id
  JOIN hers h ON h.artist_id = p.artist_id
  JOIN reached r ON r.party_id = v.holder_id AND r.recording_id = h.recording_id
 WHERE v.catalogue = 'all' OR (v.catalogue = 'list') = EXISTS (
        SELECT FROM consent_licencelisting x
         WHERE x.version_id = v.id AND x.recording_id = h.recording_id)
 GROUP BY p.version_id, p.artist_id
"""


@dataclass(frozen=True, slots=True)
class Touch:
    """How a licence version touches an artist's work.

    `uses` are those of its use kinds that reach it, `recordings` how many of hers they reach;
    `overridden` on how many of these it needs no yes of hers.
    """

    uses: tuple[str, ...] = ()
    recordings: int = 0
    overridden: int = 0


NONE: Final = Touch()


def touched_by_act(act: UUID, *, at: datetime) -> list[Pair]:
    """The licences that an act on claims or on recordings may let touch somebody else than before.

    With all artists whom it may concern: what holds now says `reach_of`. One query.
    """
    return _pairs(_TOUCHED, {"act": act, "at": at})


def acts_that_begin(*, after: datetime, until: datetime) -> list[tuple[UUID, datetime]]:
    """The acts that gave claims for a day in (`after`, `until`] (UTC), and that day; one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT e.act, min(c.valid_from) FROM consent_rightsclaim c
                 JOIN consent_ledgerentry e ON e.id = c.entry_id
                WHERE c.valid_from > %(after)s AND c.valid_from <= %(until)s
                  AND c.valid_from > e.recorded_at
                GROUP BY e.act ORDER BY 2, 1""",
            {"after": after, "until": until},
        )
        return list(cursor.fetchall())


def version_in_force(licence: UUID, *, at: datetime) -> int | None:
    """The key of the version of a licence (by its ref) that holds or is to begin; None: over."""
    with connection.cursor() as cursor:
        cursor.execute(_SIGNED, {"ref": licence, "at": at})
        row = cursor.fetchone()
    return None if row is None else int(row[0])


def versions_in_force(licences: Collection[int], *, at: datetime) -> dict[int, int]:
    """The same for many licences, by their keys; without those that are over."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH {_VERSIONS} SELECT licence_id, id FROM version "  # noqa: S608  (constants)
            "WHERE licence_id = ANY (%(licences)s)",
            {"licences": list(licences), "at": at},
        )
        return dict(cursor.fetchall())


def reach_of(
    pairs: Iterable[Pair],
    versions: Mapping[int, LicenceVersion],
    *,
    at: datetime,
) -> dict[Pair, Touch]:
    """How each of these versions touches each of these artists at `at` (UTC).

    By the claims that have begun then. `versions` are those of the pairs, by key, each with its
    licence. At most two queries, however many pairs there are.
    """
    wanted = sorted(set(pairs))
    if not wanted:
        return {}
    counts: dict[Pair, tuple[int, int, int, int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            _REACH,
            {
                "versions": [version for version, _ in wanted],
                "artists": [artist for _, artist in wanted],
                "voices": any(UseKind.VOICE in versions[version].uses for version, _ in wanted),
                "at": at,
            },
        )
        for version, artist, *numbers in cursor.fetchall():
            counts[version, artist] = tuple(numbers)
    likeness = any(ONES_OWN.intersection(version.uses) for version in versions.values())
    express = express_authorities({artist for _, artist in wanted}, at=at) if likeness else set()
    return {
        (version, artist): _touch(
            versions[version],
            counts.get((version, artist), (0, 0, 0, 0)),
            express=(versions[version].licence.holder_id, artist) in express
            or versions[version].licence.holder_id == artist,
        )
        for version, artist in wanted
    }


def overrides_of(artist: Artist, *, at: Moment) -> list[tuple[LicenceVersion, Touch]]:
    """The licences that decide over this artist's answer on some of her work, however that came.

    Reads every licence that names a clause and holds at `at` (UTC): there are few. Two queries.
    """
    asked_at = Value(at, output_field=DateTimeField()) if isinstance(at, datetime) else at
    rows = standing_versions(at=at).filter(artist_approval=False).annotate(asked_at=asked_at)
    versions = {one.pk: one for one in rows}
    if not versions:
        return []
    moment = next(one.asked_at for one in rows)
    found = reach_of([(key, artist.pk) for key in versions], versions, at=moment)
    return [(versions[key], touch) for (key, _), touch in found.items() if touch.overridden]


def bring(versions: Collection[int]) -> dict[int, LicenceVersion]:
    """Licence versions by key, each with its holder and its company; one query."""
    return LicenceVersion.objects.select_related(
        "licence__holder", "licence__company__party"
    ).in_bulk(list(versions))


def _touch(version: LicenceVersion, counts: tuple[int, int, int, int], *, express: bool) -> Touch:
    billed, master, bound, heard = counts
    by_claim = [
        use
        for use in version.uses
        if use not in ONES_OWN
        and ((billed and use in _OF_THE_SONG_TOO) or master or (heard and use == UseKind.VOICE))
    ]
    uses = tuple(use for use in version.uses if use in by_claim or (express and use in ONES_OWN))
    if not uses:
        return NONE
    recordings = billed if set(by_claim) & _OF_THE_SONG_TOO else master
    return Touch(
        uses=uses,
        recordings=recordings + heard if by_claim else 0,
        overridden=bound if by_claim and not version.artist_approval else 0,
    )


def express_authorities(artists: Collection[int], *, at: datetime) -> set[Pair]:
    """Who may license the style, the name and the image of which artist, by the keys of both.

    At `at` (UTC), beside the artist herself. One query.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT DISTINCT c.party_id, c.repertoire_id FROM consent_rightsclaim c
                WHERE c.repertoire_id = ANY (%(artists)s) AND c."right" = %(right)s
                  AND c.authority <> %(blanket)s AND NOT c.ended
                  AND (c.valid_from IS NULL OR c.valid_from <= %(at)s)
                  AND (c.valid_until IS NULL OR c.valid_until > %(at)s)
                  AND NOT EXISTS (SELECT FROM consent_rightsclaim n
                                   WHERE n.claim = c.claim AND n.id > c.id
                                     AND (n.valid_from IS NULL OR n.valid_from <= %(at)s))""",
            {
                "artists": list(artists),
                "right": Right.LIKENESS.value,
                "blanket": Authority.BLANKET.value,
                "at": at,
            },
        )
        return set(cursor.fetchall())


def _pairs(sql: str, params: dict[str, Any]) -> list[Pair]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [(version, artist) for version, artist in cursor.fetchall()]
