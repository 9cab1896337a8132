"""What stands between a label's recordings and any use: claims that do not add up.

Found once per rights profile, not once per recording: two hundred songs whose publishing nobody
claimed are one thing to do. What is said of a group is true of each recording in it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consent.models import Artist, Party, Recording
from consent.shares import Share, left_for, who_can_confirm
from consent.words import Authority, Right, Standing

PAGE = 50


class ConflictKind(TextChoices):
    """What is wrong, the hardest to get out of first."""

    TWO_SENDERS = "two_senders", _("two senders")
    OVER_CLAIMED = "over_claimed", _("over-claimed")
    DISPUTED = "disputed", _("disputed")
    UNDER_CLAIMED = "under_claimed", _("under-claimed")
    UNKNOWN = "unknown", _("unknown")


class Move(TextChoices):
    """Whose move it is."""

    BOTH = "both", _("You and the other side")
    OTHERS = "others", _("The others")
    LABEL = "label", _("You")
    STAFF = "staff", _("Our staff")


class On(TextChoices):
    """What a claim is on."""

    RECORDING = "recording", _("this recording")
    SONG = "song", _("the song")
    REPERTOIRE = "repertoire", _("all work of the artist")


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """A claim as the queue shows it; `share_bp` in basis points, no territories: the world.

    `row` is the key of the row that speaks, of the claim on the example where it is on a recording.
    """

    party: Party
    share_bp: int
    authority: Authority
    standing: Standing
    territories: tuple[str, ...]
    is_mine: bool
    on: On
    row: int

    @property
    def share(self) -> Share:
        """The claim as a share of the right."""
        return Share(
            self.party.pk,
            self.share_bp,
            of_song=self.on is On.SONG,
            of_repertoire=self.on is On.REPERTOIRE,
            territories=frozenset(self.territories),
        )


@dataclass(frozen=True, slots=True)
class Conflict:
    """One thing to do, for `recordings` recordings, of which `example` is one.

    `claimed_bp` is the sum that is too large or too small: basis points of the right, where it is
    worst (in one country, for one of the works where there are several, in one artist's share).
    `whose` are the main artists whose share it is about, where it is not about everybody's.
    """

    profile: int
    kind: ConflictKind
    right: Right
    recordings: int
    example: Recording
    artists: tuple[Artist, ...]
    claims: tuple[ClaimLine, ...]
    claimed_bp: int
    whose: tuple[Artist, ...] = ()

    @property
    def left_bp(self) -> int | None:
        """What stays with the label once it confirms what others claim of the recording itself.

        In basis points; None where there is nothing to confirm.
        """
        mine = next((c.party.pk for c in self.claims if c.is_mine), None)
        if self.kind not in _TOO_MUCH or mine is None:
            return None
        return left_for(mine, [c.share for c in self.claims])

    @property
    def declared(self) -> tuple[ClaimLine, ...]:
        """What others claim of the recording itself: what there is to confirm."""
        return tuple(
            c for c in self.claims if not c.is_mine and c.on is On.RECORDING and c.share_bp
        )

    @property
    def may_be_none_of_mine(self) -> bool:
        """Can the label end its part in it by saying that none of it is its own?

        Not where it claims the song itself, or while a claim of its own is disputed.
        """
        mine = [c for c in self.claims if c.is_mine]
        return (
            self.kind in _TOO_MUCH
            and bool(mine)
            and all(c.on is not On.SONG and c.standing is not Standing.DISPUTED for c in mine)
        )

    @property
    def others(self) -> tuple[ClaimLine, ...]:
        """Who decides once the label says that none of it is its own."""
        return tuple(c for c in self.claims if not c.is_mine and c.share_bp)

    @property
    def others_bp(self) -> int | None:
        """What these come to, in basis points; None where that is not one sum for all places."""
        if any(c.territories or c.on is not On.RECORDING for c in self.others):
            return None
        return sum(c.share_bp for c in self.others)

    @property
    def waits_for(self) -> tuple[Party, ...]:
        """The others that could end it by confirming what is claimed of the recording itself."""
        if self.kind not in _TOO_MUCH:
            return ()
        able = who_can_confirm([c.share for c in self.claims])
        found = {c.party.pk: c.party for c in self.claims if not c.is_mine}
        return tuple(found[key] for key in able if key in found)

    @property
    def move(self) -> Move:
        """Who can end it."""
        mine = [c for c in self.claims if c.is_mine]
        if self.left_bp is not None:
            return Move.LABEL
        if self.waits_for:
            return Move.OTHERS
        match self.kind:
            case ConflictKind.DISPUTED:
                return Move.STAFF
            case ConflictKind.TWO_SENDERS:
                return Move.BOTH
            case ConflictKind.OVER_CLAIMED:
                return Move.BOTH if mine else Move.OTHERS
            case _:
                return Move.LABEL

    @property
    def next_step(self) -> str:
        """What to do, in a sentence or two."""
        step = self._step
        return f"{step} {_NONE_OF_IT}" if self.may_be_none_of_mine else step

    @property
    def _step(self) -> str:
        if self.left_bp is not None:
            return str(_CONFIRM).format(
                share=_percent(self.claimed_bp),
                declared=", ".join(
                    f"{c.party.name} {_percent(c.share_bp)} %" for c in self.declared
                ),
                left=_percent(self.left_bp),
            )
        if self.waits_for:
            return str(_WAITING).format(
                share=_percent(self.claimed_bp),
                others=", ".join(party.name for party in self.waits_for),
            )
        steps = NEXT_STEPS_OF_SOME if self.whose else NEXT_STEPS
        sentence = steps.get((self.kind, self.right)) or steps[self.kind, None]
        others = ", ".join(dict.fromkeys(c.party.name for c in self.claims if not c.is_mine))
        share = _percent(self.claimed_bp)
        whose = ", ".join(artist.party.name for artist in self.whose)
        return str(sentence).format(others=others or "–", share=share, whose=whose)


def _percent(share_bp: int) -> str:
    return f"{share_bp // 100}.{share_bp % 100:02}".removesuffix(".00")


_TOO_MUCH = (ConflictKind.OVER_CLAIMED, ConflictKind.TWO_SENDERS)

_CONFIRM = _(
    "Together the claims come to {share} %. Of this recording by itself is declared: {declared}. "
    "If that is so, confirm it, and you keep {left} % of this recording; what you claim elsewhere "
    "stays. If it is not so, agree with them on the shares, or write to us: our staff look at both "
    "sides. Until then nobody may use it."
)

_WAITING = _(
    "Together the claims come to {share} %. {others} can confirm what is claimed of the recording "
    "itself and keep the rest. If yours is wrong, change or end it."
)

_NONE_OF_IT = _("If none of it is yours, say so; what you claim elsewhere stays.")

NEXT_STEPS: dict[tuple[ConflictKind, Right | None], Promise] = {
    (ConflictKind.TWO_SENDERS, None): _(
        "You and {others} both deliver this. Find out together who holds the master; whoever does "
        "not ends the claim."
    ),
    (ConflictKind.OVER_CLAIMED, None): _(
        "Together the claims come to {share} %. Agree on the shares with {others}, and change "
        "yours."
    ),
    (ConflictKind.DISPUTED, None): _(
        "A claim is disputed. Send us what proves yours; we look at both sides and settle it."
    ),
    (ConflictKind.UNDER_CLAIMED, None): _(
        "Only {share} % is claimed. Claim the rest, or ask who holds it to claim it."
    ),
    (ConflictKind.UNDER_CLAIMED, Right.PUBLISHING): _(
        "Only {share} % of the publishing is claimed. Ask the writers who holds the rest, and send "
        "it as a claims file."
    ),
    (ConflictKind.UNKNOWN, None): _("Nobody claims this right. If it is yours, claim it."),
    (ConflictKind.UNKNOWN, Right.PUBLISHING): _(
        "Nobody claims the publishing. Send a claims file with the writers' publishers, or ask "
        "their society for its mandate."
    ),
}

# Where the share of one of several artists is what is wrong.
NEXT_STEPS_OF_SOME: dict[tuple[ConflictKind, Right | None], Promise] = {
    (ConflictKind.OVER_CLAIMED, None): _(
        "To the share of {whose} the claims come to {share} %. Agree with {others} who speaks for "
        "it, and change or end yours."
    ),
    (ConflictKind.UNDER_CLAIMED, None): _(
        "Of the share of {whose} only {share} % is claimed. Ask who holds the rest to claim it."
    ),
    (ConflictKind.UNDER_CLAIMED, Right.PUBLISHING): _(
        "Of the share of {whose} only {share} % of the publishing is claimed. Ask their society "
        "for its mandate, or send a claims file that claims all their work."
    ),
}

_OF_SOME = {str(kind) for kind, _right in NEXT_STEPS_OF_SOME}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the queue. `total` counts things to do, `by_kind` them per kind."""

    conflicts: tuple[Conflict, ...]
    number: int
    pages: int
    total: int
    by_kind: Mapping[ConflictKind, int]


# The recordings of a label: delivered by it, or claimed by it now. Of an artist whose whole work it
# claims, not those of which it says that nothing is its own.
_OWN = """
    WITH claimed AS MATERIALIZED (
        SELECT * FROM (
            SELECT DISTINCT ON (claim) * FROM consent_rightsclaim
             WHERE party_id = %(label)s ORDER BY claim, id DESC) c
         WHERE NOT ended
    )
    SELECT id FROM consent_recording WHERE sender_id = %(label)s
    UNION
    SELECT recording_id FROM claimed
     WHERE recording_id IS NOT NULL AND (share_bp > 0 OR standing = 'disputed')
    UNION
    SELECT b.recording_id
      FROM claimed c JOIN consent_artistrecording b ON b.artist_id = c.repertoire_id
     WHERE c.standing = 'disputed' OR NOT EXISTS (
        SELECT FROM claimed n
         WHERE n.recording_id = b.recording_id AND n."right" = c."right" AND n.share_bp = 0
           AND n.standing <> 'disputed'
           AND (n.valid_from IS NULL OR n.valid_from <= ledger_now())
           AND (n.valid_until IS NULL OR n.valid_until > ledger_now()))
"""

# And those of the songs that it claims: of these it is told what is wrong with the song. Nothing
# is searched for who claims none.
_OF_SONGS = """
    SELECT i.recording_id AS id FROM consent_recordingidentity i
     WHERE EXISTS (SELECT FROM consent_rightsclaim
                    WHERE party_id = %(label)s AND work_id IS NOT NULL)
       AND i.works && ARRAY(
            SELECT work_id
              FROM (SELECT DISTINCT ON (claim) work_id, ended FROM consent_rightsclaim
                     WHERE party_id = %(label)s AND work_id IS NOT NULL
                     ORDER BY claim, id DESC) c
             WHERE NOT ended)
       AND NOT EXISTS (SELECT FROM consent_recordingidentity newer
                        WHERE newer.recording_id = i.recording_id AND newer.id > i.id)
"""

_MINE = f"{_OWN} UNION {_OF_SONGS}"

_WRONG = """
), grouped AS MATERIALIZED (
    SELECT r.profile_id, min(r.id) AS example, count(*) AS recordings
      FROM consent_recording r
     WHERE r.id IN (SELECT id FROM mine) AND r.profile_id IS NOT NULL
     GROUP BY r.profile_id
), example AS MATERIALIZED (
    SELECT g.*, i.works, i.main_artists
      FROM grouped g
     CROSS JOIN LATERAL (
        SELECT * FROM consent_recordingidentity i
         WHERE i.recording_id = g.example ORDER BY i.id DESC LIMIT 1) i
     WHERE NOT i.withdrawn
), bearing AS (
    SELECT e.profile_id, c.id FROM example e
      JOIN consent_rightsclaim c ON c.recording_id = e.example
    UNION ALL
    SELECT e.profile_id, c.id FROM example e CROSS JOIN LATERAL unnest(e.works) w(id)
      JOIN consent_rightsclaim c ON c.work_id = w.id
    UNION ALL
    SELECT e.profile_id, c.id FROM example e CROSS JOIN LATERAL unnest(e.main_artists) a(id)
      JOIN consent_rightsclaim c ON c.repertoire_id = a.id
), running AS MATERIALIZED (
    SELECT * FROM (
        SELECT DISTINCT ON (b.profile_id, c.claim) b.profile_id, c.*
          FROM bearing b JOIN consent_rightsclaim c ON c.id = b.id
         WHERE c."right" IN ('master', 'publishing')
           AND (c.valid_from IS NULL OR c.valid_from <= :now)
         ORDER BY b.profile_id, c.claim, c.id DESC) latest
     WHERE NOT ended AND (valid_until IS NULL OR valid_until > :now)
), claim AS MATERIALIZED (
    -- What a party claims of a recording itself, it says instead of what it claims of a repertoire.
    -- Where that is nothing, it has no part in this.
    SELECT * FROM running r
     WHERE (share_bp > 0 OR standing = 'disputed')
       AND (repertoire_id IS NULL OR standing = 'disputed' OR NOT EXISTS (
        SELECT FROM running n
         WHERE n.recording_id IS NOT NULL AND n.profile_id = r.profile_id
           AND n.party_id = r.party_id AND n."right" = r."right"))
), part AS (
    SELECT profile_id, 'master' AS "right", NULL::bigint AS work, a.id AS artist FROM example
      LEFT JOIN LATERAL unnest(main_artists) a(id) ON true
    UNION ALL
    SELECT profile_id, 'publishing', w.id, a.id FROM example
      LEFT JOIN LATERAL unnest(works) w(id) ON true
      LEFT JOIN LATERAL unnest(main_artists) a(id) ON true
), held AS MATERIALIZED (
    SELECT p.*, c.share_bp, c.territories
      FROM part p JOIN claim c ON c.profile_id = p.profile_id AND c."right" = p."right"
       AND (c.work_id IS NULL OR c.work_id = p.work)
       AND (c.repertoire_id IS NULL OR c.repertoire_id = p.artist)
), zone AS (
    SELECT DISTINCT profile_id, "right", work, artist, unnest(territories || ''::varchar) AS code
      FROM held
), summed AS (
    SELECT z.profile_id, z."right", z.work, z.artist, z.code,
           coalesce(sum(h.share_bp) FILTER (
               WHERE h.territories = '{}' OR z.code = ANY (h.territories)), 0) AS bp
      FROM zone z JOIN held h ON h.profile_id = z.profile_id AND h."right" = z."right"
       AND h.work IS NOT DISTINCT FROM z.work AND h.artist IS NOT DISTINCT FROM z.artist
     GROUP BY z.profile_id, z."right", z.work, z.artist, z.code
), parted AS MATERIALIZED (
    SELECT p.profile_id, p."right", p.artist, max(coalesce(s.bp, 0)) AS most,
           min(coalesce(s.bp, 0)) AS least
      FROM part p LEFT JOIN summed s ON s.profile_id = p.profile_id AND s."right" = p."right"
       AND s.work IS NOT DISTINCT FROM p.work AND s.artist IS NOT DISTINCT FROM p.artist
     GROUP BY p.profile_id, p."right", p.artist
), standing AS (
    SELECT profile_id, "right", max(most) AS most, min(least) AS least
      FROM parted GROUP BY profile_id, "right"
), trait AS (
    SELECT profile_id, "right", bool_or(standing = 'disputed') AS disputed,
           count(DISTINCT party_id) FILTER (WHERE source = 'import') AS senders
      FROM claim GROUP BY profile_id, "right"
), wrong AS (
    SELECT profile_id, "right", kind, bp
      FROM standing LEFT JOIN trait USING (profile_id, "right")
     CROSS JOIN LATERAL (VALUES
        ('two_senders', most, "right" = 'master' AND trait.senders > 1 AND most > 10000),
        ('over_claimed', most, most > 10000 AND NOT ("right" = 'master' AND trait.senders > 1)),
        ('disputed', most, coalesce(trait.disputed, false)),
        ('unknown', least, trait.profile_id IS NULL),
        ('under_claimed', least,
            trait.profile_id IS NOT NULL AND most <= 10000 AND least < 10000)
     ) found(kind, bp, is_so)
     WHERE is_so
)
"""


def wrong_sql(now: str = "ledger_now()") -> str:
    """What is wrong with the claims on the recordings of `mine`, the query before it, at `now`."""
    return _WRONG.replace(":now", now)


# Whoever says that none of it is its own has nothing to do there.
_CONCERNS_IT = """
       ("right" = 'publishing' OR profile_id IN (
            SELECT r.profile_id FROM own JOIN consent_recording r USING (id)))
   AND (NOT EXISTS (
            SELECT FROM running n
             WHERE n.profile_id = wrong.profile_id AND n."right" = wrong."right"
               AND n.party_id = %(label)s AND n.share_bp = 0)
        OR EXISTS (
            SELECT FROM claim c
             WHERE c.profile_id = wrong.profile_id AND c."right" = wrong."right"
               AND c.party_id = %(label)s))
"""

_LISTED = f"""
SELECT profile_id, kind, "right", bp, recordings, example,
       (SELECT json_agg(json_build_array(c.party_id, c.share_bp, c.authority, c.standing,
                   c.territories, CASE WHEN c.recording_id IS NOT NULL THEN 'recording'
                       WHEN c.work_id IS NOT NULL THEN 'song' ELSE 'repertoire' END, c.id)
                   ORDER BY c.share_bp DESC, c.party_id)
          FROM claim c
         WHERE c.profile_id = wrong.profile_id AND c."right" = wrong."right") AS claims,
       main_artists,
       (SELECT array_agg(p.artist) FROM parted p
         WHERE p.profile_id = wrong.profile_id AND p."right" = wrong."right"
           AND CASE kind WHEN 'under_claimed' THEN p.least < 10000
                         WHEN 'over_claimed' THEN p.most > 10000 ELSE true END) AS concerned
  FROM wrong JOIN example USING (profile_id)
 WHERE (%(kind)s = '' OR kind = %(kind)s) AND (%(artist)s = 0 OR %(artist)s = ANY (main_artists))
   AND (%(profile)s = 0 OR profile_id = %(profile)s)
   AND {_CONCERNS_IT}
 ORDER BY array_position(ARRAY['two_senders', 'over_claimed', 'disputed', 'under_claimed',
                               'unknown'], kind),
          recordings DESC, profile_id, "right"
 LIMIT %(limit)s OFFSET %(offset)s
"""  # noqa: S608  (the text in front is a constant of ours)

_COUNTED = f"""
SELECT kind, count(*) FROM wrong JOIN example USING (profile_id)
 WHERE (%(artist)s = 0 OR %(artist)s = ANY (main_artists))
   AND (%(profile)s = 0 OR profile_id = %(profile)s)
   AND {_CONCERNS_IT}
 GROUP BY kind
"""  # noqa: S608

_ALL_MINE = "), mine AS MATERIALIZED (SELECT id FROM own UNION"

_FOUND = "WITH own AS MATERIALIZED (" + _OWN + _ALL_MINE + _OF_SONGS + wrong_sql()


def conflicts(
    *,
    label: Party,
    kind: ConflictKind | str = "",
    artist: Artist | None = None,
    profile: int = 0,
    page: int = 1,
    size: int = PAGE,
) -> Page:
    """The queue of a label, in a fixed number of queries; pages count from 1.

    With `kind`, `artist` or `profile` (one group of recordings) only those. What the others claim
    is shown to the label as far as it meets the label's own recordings, or songs.
    """
    given = {
        "label": label.pk,
        "kind": str(kind),
        "artist": artist.pk if artist else 0,
        "profile": profile,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FOUND + _COUNTED, given)
        by_kind = {ConflictKind(k): n for k, n in cursor.fetchall()}
        total = by_kind.get(ConflictKind(kind), 0) if kind else sum(by_kind.values())
        pages = max(1, -(-total // size))
        page = min(max(1, page), pages)
        cursor.execute(_FOUND + _LISTED, {**given, "limit": size, "offset": (page - 1) * size})
        rows = cursor.fetchall()
    return Page(tuple(_conflicts(rows, label)), page, pages, total, by_kind)


def recordings_of_conflict(*, label: Party, profile: int, size: int = PAGE) -> list[Recording]:
    """The label's recordings in one group, by title, at most `size` of them."""
    return list(
        Recording.objects.raw(
            f"SELECT * FROM consent_recording WHERE id IN ({_MINE})"  # noqa: S608 - our own text
            " AND profile_id = %(profile)s ORDER BY title, id LIMIT %(size)s",
            {"label": label.pk, "profile": profile, "size": size},
        )
    )


def _conflicts(rows: Iterable[tuple[Any, ...]], label: Party) -> Iterable[Conflict]:
    rows = list(rows)
    recordings = Recording.objects.in_bulk([r[5] for r in rows])
    parties = Party.objects.in_bulk({c[0] for r in rows for c in r[6] or ()})
    artists = Artist.objects.select_related("party").in_bulk({a for r in rows for a in r[7]})
    for profile, kind, right, bp, count, example, claims, main, concerned in rows:
        yield Conflict(
            profile=profile,
            kind=ConflictKind(kind),
            right=Right(right),
            recordings=count,
            example=recordings[example],
            artists=tuple(artists[a] for a in main if a in artists),
            claims=tuple(
                ClaimLine(
                    parties[party],
                    share,
                    Authority(authority),
                    Standing(standing),
                    tuple(territories),
                    party == label.pk,
                    On(on),
                    row,
                )
                for party, share, authority, standing, territories, on, row in claims or ()
            ),
            claimed_bp=bp,
            whose=tuple(artists[a] for a in main if a in concerned and a in artists)
            if kind in _OF_SOME and set(concerned) < set(main)
            else (),
        )
