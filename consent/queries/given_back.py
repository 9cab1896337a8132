"""Whether what a no took away is allowed again: all of it, by what `decide` says now.

Like whom a no concerns (`consent.queries.withdrawals`), nothing is concluded from answers. `decide`
is asked three times about everything that the no may have touched: as it was known just before it,
with it, and now. Only what it took counts: what was never allowed need not be allowed now.
"""

import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Max, Min, Q

from consent.decisions import Decision, Facts, Question, decide
from consent.models import (
    LedgerEntry,
    LicenceVersion,
    ModelVersion,
    Permission,
    Tool,
    Withdrawal,
)
from consent.queries.decision import Ask, Loaded, load
from consent.queries.withdrawals import (
    Kind,
    Maker,
    Said,
    allowed_until,
    heard_on,
    let_in,
    places_of,
    says_yes,
)
from consent.words import Stance

# The recordings that a no is about, put together where everything that decisions ever read of them
# is alike, so that they were alike before the no, with it, and are now. Each answer that ever named
# one counts, whatever became of it, with its act: those of one act were written together. What was
# changed in the catalogue since stands alone, and what came since was not there to be taken; nor
# was a model named for what it was reported to have learned since.
_KINDS = """
WITH named AS MATERIALIZED (
    SELECT id FROM unnest(%(recordings)s::bigint[]) AS x(id)
     UNION SELECT recording_id FROM consent_artistrecording
            WHERE artist_id = %(artist)s AND NOT %(by_name)s
     UNION SELECT unnest(%(heard)s::bigint[]) WHERE NOT %(by_name)s
), identity AS (
    SELECT i.recording_id, min(e.seq) AS first, max(e.seq) AS last,
           array_agg(DISTINCT w.id) FILTER (WHERE w.id IS NOT NULL) AS works
      FROM consent_recordingidentity i
      JOIN consent_ledgerentry e ON e.id = i.entry_id
      LEFT JOIN LATERAL unnest(i.works) AS w(id) ON true
     WHERE i.recording_id = ANY (ARRAY(SELECT id FROM named))
     GROUP BY i.recording_id
), mine AS MATERIALIZED (
    SELECT recording_id AS id, last, works FROM identity WHERE first <= %(before)s
), claimed AS MATERIALIZED (
    SELECT c.recording_id, c.work_id FROM consent_rightsclaim c
      JOIN consent_ledgerentry e ON e.id = c.entry_id
     WHERE e.seq > %(before)s
       AND (c.recording_id = ANY (ARRAY(SELECT id FROM mine))
            OR c.work_id = ANY (ARRAY(SELECT unnest(works) FROM mine)))
), changed AS MATERIALIZED (
    SELECT id FROM mine WHERE last > %(before)s
     UNION SELECT recording_id FROM claimed WHERE recording_id IS NOT NULL
     UNION SELECT m.id FROM mine m
             JOIN claimed c ON c.work_id = ANY (m.works)
), answered AS (
    SELECT recording_id, string_agg(
               ROW(artist_id, stance, way, company_id, tool_id, territories, valid_from,
                   valid_until, notice_days, took_back_allow, wording_id, act_id)::text, ';'
               ORDER BY act_id, artist_id, scope, territories, id) AS signature
      FROM consent_permission
     WHERE use = %(use)s AND recording_id = ANY (ARRAY(SELECT id FROM mine))
     GROUP BY recording_id
), listed AS (
    SELECT recording_id, string_agg(version_id::text, ' ' ORDER BY version_id) AS versions
      FROM consent_licencelisting
     WHERE version_id = ANY (%(versions)s) AND recording_id = ANY (ARRAY(SELECT id FROM mine))
     GROUP BY recording_id
), kind AS MATERIALIZED (
    SELECT r.id, r.isrc,
           concat_ws('|', coalesce(r.profile_id, -r.id), x.id, coalesce(a.signature, ''),
                     l.versions) AS alike
      FROM mine m
      JOIN consent_recording r ON r.id = m.id
      LEFT JOIN changed x ON x.id = m.id
      LEFT JOIN answered a ON a.recording_id = m.id
      LEFT JOIN listed l ON l.recording_id = m.id
)
SELECT alike, min(isrc), NULL::bigint FROM kind GROUP BY alike
UNION ALL
SELECT DISTINCT k.alike, '', u.model_version_id
  FROM kind k
  JOIN consent_traininguse u ON u.recording_id = k.id
  JOIN consent_trainingrun r ON r.id = u.run_id AND r.use = %(use)s
  JOIN consent_ledgerentry e ON e.id = r.entry_id AND e.seq <= %(before)s
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a no took, as far as its rows say it, ready to be asked about. Ledger positions."""

    artist: int
    said: Said
    begins: datetime
    before: int
    after: int
    kinds: tuple[Kind, ...]
    makers: tuple[Maker, ...]
    rows: tuple[Withdrawal, ...]

    @property
    def questions(self) -> int:
        """How many there are to ask."""
        return len(self.kinds) * sum(1 + len(m.models) for m in self.makers)


def taken_by(rows: Sequence[Withdrawal]) -> Taken:
    """What the answer took that all of these rows are of. Seven queries, and two for a voice.

    `rows` come with their `permission` and its `act`.
    """
    no, artist = rows[0].permission, rows[0].permission.artist_id
    named = None if no.recording_id is None else _named_beside(no)
    said = Said(no.use, no.company_id, no.tool_id, tuple(no.territories), named)
    entries = LedgerEntry.objects.filter(act=no.act_id).aggregate(f=Min("seq"), to=Max("seq"))
    companies = {row.company_id for row in rows}
    before = int(entries["f"]) - 1
    return Taken(
        artist,
        said,
        max(no.valid_from or rows[0].created_at, rows[0].created_at),
        before,
        int(entries["to"]),
        _kinds(artist, said, companies, before),
        _makers(said, companies),
        tuple(rows),
    )


def _named_beside(no: Permission) -> tuple[int, ...]:
    """The recordings (keys) of which its act says the same."""
    same = Permission.objects.filter(
        act=no.act_id,
        use=no.use,
        company=no.company_id,
        tool=no.tool_id,
        territories=no.territories,
        valid_from=no.valid_from,
        recording__isnull=False,
    ).exclude(Q(valid_until=None) | Q(valid_until__gt=no.act.created_at), stance=Stance.ALLOW)
    return tuple(same.values_list("recording", flat=True))


def _makers(said: Said, companies: Collection[int]) -> tuple[Maker, ...]:
    tools = Tool.objects.filter(company__in=companies)
    if said.tool is not None:
        tools = tools.filter(pk=said.tool)
    models: dict[int, dict[int, uuid.UUID]] = {}
    for key, tool, ref in ModelVersion.objects.filter(tool__in=tools).values_list(
        "pk", "tool", "ref"
    ):
        models.setdefault(tool, {})[key] = ref
    return tuple(Maker(t.pk, t.slug, t.company_id, models.get(t.pk, {})) for t in tools)


def _kinds(artist: int, said: Said, companies: Collection[int], before: int) -> tuple[Kind, ...]:
    versions = LicenceVersion.objects.filter(licence__company__in=companies)
    with connection.cursor() as cursor:
        cursor.execute(
            _KINDS,
            {
                "artist": artist,
                "use": said.use,
                "by_name": said.recordings is not None,
                "recordings": list(said.recordings or ()),
                "heard": heard_on(artist, said),
                "versions": list(versions.exclude(catalogue="all").values_list("pk", flat=True)),
                "before": before,
            },
        )
        rows = cursor.fetchall()
    taught: dict[str, set[int]] = {}
    for alike, _isrc, model in rows:
        if model is not None:
            taught.setdefault(alike, set()).add(model)
    found = ((isrc, frozenset(taught.get(alike, ()))) for alike, isrc, m in rows if m is None)
    return tuple(Kind(isrc, models, models) for isrc, models in found)


def given_back(taken: Taken, *, at: datetime) -> list[Withdrawal]:
    """Those of the rows of which all that they took is allowed at `at` (UTC). Three queries.

    A no for a later day is judged by that day. A row of which nothing is found that it took (what
    it was about is not hers any more) is none of them.
    """
    if not taken.kinds or not taken.makers:
        return []
    asks = [
        Ask(kind.isrc, taken.said.use, maker.slug, model=model)
        for kind in taken.kinds
        for maker in taken.makers
        for model in (None, *maker.models.values())
    ]
    worlds = _Worlds(
        taken,
        load(asks, at=taken.begins, known_seq=taken.before),
        load(asks, at=taken.begins, known_seq=taken.after),
        load(asks, at=max(taken.begins, at)),
    )
    with_models = {
        maker.key
        for maker in taken.makers
        for row in taken.rows
        if row.model_version_id in maker.models
    }
    found = []
    for row in taken.rows:
        parts: list[bool] = []
        for maker in taken.makers:
            if row.model_version_id is None:
                if maker.company == row.company_id and maker.key not in with_models:
                    parts += worlds.parts(maker, None)
            elif row.model_version_id in maker.models:
                parts += worlds.parts(maker, row.model_version_id)
        if parts and all(parts):
            found.append(row)
    return found


@dataclass(frozen=True, slots=True)
class _Worlds:
    """What was known before the no, with it, and now."""

    taken: Taken
    before: Loaded
    after: Loaded
    now: Loaded

    def parts(self, maker: Maker, model: int | None) -> Iterator[bool]:
        """Of each thing that was taken from a tool, or from its model version: is it back?"""
        ref = None if model is None else maker.models[model]
        for kind in self.taken.kinds:
            yield from self._allowed_again(
                Ask(kind.isrc, self.taken.said.use, maker.slug, model=ref)
            )
            if model in kind.for_this:
                yield from self._said_again(Ask(kind.isrc, self.taken.said.use, maker.slug))

    def _allowed_again(self, ask: Ask) -> Iterator[bool]:
        facts = (self.before.facts(ask), self.after.facts(ask), self.now.facts(ask))
        for place in places_of(self.taken.said, facts):
            held, left, again = (
                allowed_until(decision) for decision in self._decided(facts, place)
            )
            if held is not None and (left is None or left < held):
                yield again is not None and again >= held

    def _said_again(self, ask: Ask) -> Iterator[bool]:
        """A model that had learned was named for her yes to it, whatever else stood in its way."""
        worlds = (self.before, self.after, self.now)
        facts = tuple(let_in(world.facts(ask)) for world in worlds)
        for place in places_of(self.taken.said, facts):
            held, left, again = self._decided(facts, place)
            if self._says_yes(held) and not left.allowed and not self._says_yes(left):
                yield again.allowed or self._says_yes(again)

    def _says_yes(self, decision: Decision) -> bool:
        return says_yes(decision, self.taken.artist)

    def _decided(self, facts: Sequence[Facts], place: str | None) -> list[Decision]:
        moments = (self.before.at, self.after.at, self.now.at)
        return [
            decide(Question(self.taken.said.use, at, place), known)
            for at, known in zip(moments, facts, strict=True)
        ]
