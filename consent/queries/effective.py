"""What really holds for an artist, and why: what the permission pages show.

An artist may have a hundred thousand recordings, so nothing here is done per recording: recordings
whose rights are alike are one group (`ProfileCount`), and those that an answer or a licence names
one by one are grouped by what names them. One decision per group, use kind and tool.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db import connection
from django.db.models import Case, DateTimeField, F, Func, When

from consent.decisions import NEEDS, Code, Decision, Reason, Verdict
from consent.discretion import PERSONAL, heard_by, seen_by
from consent.models import AICompany, Artist, Party, Permission, Tool
from consent.queries.decision import Answered, Ask, Loaded, decide_many, load
from consent.queries.texts import is_outdated
from consent.sentences import Move, sentence_of, spell, what_is_missing
from consent.words import Authority, Right, UseKind


@dataclass(frozen=True, slots=True)
class Group:
    """Recordings of an artist that every decision treats alike, with one as the example."""

    isrc: str
    recordings: int
    profile: int  # of their rights
    bare: bool = True  # no answer and no licence names these recordings one by one


@dataclass(frozen=True, slots=True)
class Step:
    """One reason, ready to be read. `seq` is its ledger position, `until` a UTC moment.

    `party` is the key of who decided, or must move. `others`: it is about an artist who is not the
    reader's own, and says no more than whether she stands in the way.
    """

    code: str
    verdict: str
    sentence: str
    who: str = ""
    seq: int | None = None
    until: datetime | None = None
    todo: str = ""
    move: str = ""
    licence: str = ""
    party: int | None = None
    others: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that is missing: the step, for which companies, and for how many recordings."""

    step: Step
    companies: tuple[str, ...]
    recordings: int


@dataclass(frozen=True, slots=True)
class ToolView:
    """What holds for one tool and one use kind, over all recordings of the artist."""

    tool: Tool
    allowed: int
    recordings: int
    steps: tuple[Step, ...]  # of the largest group

    @property
    def holds(self) -> bool:
        return self.allowed > 0

    @property
    def deciding(self) -> Step | None:
        """The first reason for a no, or the last step of a yes."""
        return next(
            (s for s in self.steps if s.verdict == Verdict.NO),
            self.steps[-1] if self.steps else None,
        )


@dataclass(frozen=True, slots=True)
class UseView:
    """What an artist answered on a use kind, and what really holds.

    `answer` is the one that speaks in general; where none does yet, one given for later.
    `state`: `holds` (allowed for some recording and tool), `overridden` (a contract allows what she
    did not say yes to, for `overridden` of the `allowed` recordings), `not_in_force` (she said
    yes, and nothing is allowed), `waits` (for her), `refused`. `main_reason` is what stands most
    in the way of the recordings that no tool may use, and `main_reason_recordings` how many of
    them it concerns.
    """

    use: UseKind
    state: str
    answer: Permission | None
    stance: str
    recordings: int
    allowed: int
    overridden: int
    tools: tuple[ToolView, ...]
    exceptions: int
    main_reason: Step | None
    main_reason_recordings: int
    missing: tuple[Gap, ...]
    seq: int
    at: datetime  # the moment that all this is for, as known at `seq`
    wording_changed: bool = False  # her yes was to an earlier text, and is one no more
    meant_since: int = 1  # the version of the text since which it means what it means
    # All that she answered but of single recordings: in each scope what speaks, and what waits for
    # its day.
    said: tuple[Permission, ...] = ()
    heard: int = 0  # recordings of others on which her voice is; none of the numbers counts them

    @property
    def allowed_tools(self) -> tuple[ToolView, ...]:
        return tuple(t for t in self.tools if t.holds)

    @property
    def companies(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(t.tool.company.party.name for t in self.allowed_tools))


@dataclass(slots=True)
class _Names:
    """Names of the parties that reasons speak of, in one query.

    The decisions are as the people of `artist` may read them. `to_herself`: who reads is she.
    """

    artist: int
    of: dict[int, str] = field(default_factory=dict)
    to_herself: bool = False

    @classmethod
    def for_decisions(
        cls,
        artist: int,
        decisions: Iterable[Decision],
        known: Mapping[int, str] | None = None,
        *,
        to_herself: bool = False,
    ) -> "_Names":
        """Asks only for the names that are not `known`."""
        known = known or {}
        keys = {r.party for d in decisions for r in d.reasons if r.party is not None}
        if keys <= known.keys():
            return cls(artist, dict(known), to_herself)
        found = dict(Party.objects.filter(pk__in=keys).values_list("pk", "name"))
        return cls(artist, {**known, **found}, to_herself)

    def steps(self, decision: Decision) -> tuple[Step, ...]:
        return tuple(self.step(r) for r in decision.reasons)

    def step(self, reason: Reason) -> Step:
        who = self.of.get(reason.party, "") if reason.party is not None else ""
        right = Right(reason.right).label if reason.right else ""
        others = reason.code in PERSONAL and reason.party != self.artist
        to_you = self.to_herself and reason.party == self.artist
        missing = reason.verdict is Verdict.NO
        return Step(
            code=reason.code.value,
            verdict=reason.verdict.value,
            sentence=spell(
                reason.code,
                who=who,
                right=right,
                authority=Authority(reason.authority).label if reason.authority else "",
                until=reason.until,
                clause=reason.clause,
                others=others,
                to_you=to_you,
            ),
            who=who,
            seq=reason.seq,
            until=reason.until,
            todo=(
                what_is_missing(reason.code, who=who, right=right, others=others, to_you=to_you)
                if missing
                else ""
            ),
            move=(
                sentence_of(reason.code, others=others).move.value if missing else Move.NOBODY.value
            ),
            licence=reason.licence,
            party=reason.party,
            others=others,
        )


def explain(
    ask: Ask, *, artist: Artist, known_seq: int | None = None
) -> tuple[Answered, tuple[Step, ...]]:
    """One decision with its reasons as sentences, in order, for the people of `artist`."""
    answered = decide_many([ask], known_seq=known_seq)
    [steps] = steps_of(answered.decisions, artist=artist)
    return answered, steps


def steps_of(
    decisions: Sequence[Decision],
    *,
    artist: Artist,
    billed: bool = True,
    known: Mapping[int, str] | None = None,
    to_herself: bool = False,
) -> list[tuple[Step, ...]]:
    """The reasons of several decisions as sentences, for the people of `artist`.

    Of other artists no more than whether they stand in the way. `billed`: she is on the recordings;
    else she is only heard on them. `to_herself`: the reader is the artist, and is spoken of as
    “you”. One query for all names, where not all of them are `known`.
    """
    seen = [
        seen_by(decision, (artist.pk,)) if billed else heard_by(decision, artist.pk)
        for decision in decisions
    ]
    names = _Names.for_decisions(artist.pk, seen, known, to_herself=to_herself)
    return [names.steps(decision) for decision in seen]


# Tools whose company holds a licence that may touch the artist's recordings, or that she has
# answered about; the versions of those licences that name recordings one by one, those that speak
# and those given for later; and the names of everybody who has a say in her recordings, which the
# reasons will want. Whoever is on one of her recordings has a say in it as she has.
_TOOLS = """
WITH example AS MATERIALIZED (
    SELECT p.example_id AS id, i.works, i.main_artists || i.featured_artists || i.voices AS people
      FROM consent_profilecount p
      JOIN LATERAL (SELECT * FROM consent_recordingidentity i
                     WHERE i.recording_id = p.example_id ORDER BY i.id DESC LIMIT 1) i ON true
     WHERE p.artist_id = %(artist)s
), person AS MATERIALIZED (
    SELECT %(artist)s::bigint AS id UNION SELECT unnest(people) FROM example
), holder AS MATERIALIZED (
    SELECT id FROM person
    UNION SELECT c.party_id FROM person JOIN consent_rightsclaim c ON c.repertoire_id = person.id
    UNION SELECT c.party_id FROM example e
      JOIN consent_rightsclaim c ON c.recording_id = e.id
    UNION SELECT c.party_id FROM example e
      JOIN consent_rightsclaim c ON c.work_id = ANY (e.works)
), licensed AS MATERIALIZED (
    SELECT l.company_id, v.id, v.catalogue
      FROM (SELECT ledger_now() AS now) ledger, consent_licence l
      JOIN consent_licenceversion v ON v.licence_id = l.id
     WHERE l.holder_id IN (SELECT id FROM holder)
       AND NOT EXISTS (SELECT FROM consent_licenceversion newer
                        WHERE newer.licence_id = l.id AND newer.id > v.id
                          AND (newer.starts_at IS NULL OR newer.starts_at <= ledger.now))
), about AS MATERIALIZED (
    SELECT DISTINCT company_id, tool_id FROM consent_permission
     WHERE artist_id = %(artist)s AND recording_id IS NULL
       AND (company_id IS NOT NULL OR tool_id IS NOT NULL)
)
SELECT t.id, t.ref, t.slug, t.name, t.kind, t.about, c.party_id, c.slug, p.ref, p.name, p.language,
       (SELECT coalesce(array_agg(id), '{}') FROM licensed WHERE catalogue <> 'all'),
       (SELECT json_object_agg(y.id, y.name) FROM consent_party y WHERE y.id IN (
            SELECT id FROM holder UNION SELECT unnest(people) FROM example
             UNION SELECT company_id FROM licensed))
  FROM consent_tool t
  JOIN consent_aicompany c ON c.party_id = t.company_id
  JOIN consent_party p ON p.id = c.party_id
 WHERE t.company_id IN (SELECT company_id FROM licensed UNION SELECT company_id FROM about)
    OR t.id IN (SELECT tool_id FROM about)
 ORDER BY p.name, t.name, t.id
"""

# The recordings that an answer or a licence names, by what names them; and all of them by profile.
# An answer of anybody who is asked about a recording names it: in each scope the latest that has
# begun, and those given for later. All of one profile are billed alike, so the artist's counts say
# which recordings are hers. Each step comes in the order of recordings, so that one sort serves
# all, and a signature spells out what few answers have only where there is any. Recordings
# are looked up in one go, which costs a third of one by one; OFFSET 0 keeps the planner from
# reading the whole catalogue instead. The last row, without a profile, counts the recordings of
# others on which she is only heard (`consent.queries.voices`): none of the groups has them.
_GROUPS = """
WITH person AS MATERIALIZED (
    SELECT DISTINCT unnest(i.main_artists || i.featured_artists || i.voices) AS id
      FROM consent_profilecount p
      JOIN LATERAL (SELECT * FROM consent_recordingidentity i
                     WHERE i.recording_id = p.example_id ORDER BY i.id DESC LIMIT 1) i ON true
     WHERE p.artist_id = %(artist)s
), spoken AS (
    SELECT DISTINCT ON (recording_id, artist_id, use, scope, territories, later) *
      FROM (SELECT p.id, p.recording_id, p.artist_id, p.use, p.scope, p.company_id, p.tool_id,
                   p.stance, p.way, p.valid_from, p.valid_until, p.territories, p.notice_days,
                   p.took_back_allow, p.wording_id, p.act_id,
                   CASE WHEN p.valid_from > ledger.now THEN p.id END AS later
              FROM (SELECT ledger_now() AS now) ledger, consent_permission p
             WHERE p.artist_id = ANY (ARRAY(SELECT id FROM person))
               AND p.recording_id IS NOT NULL) p
     ORDER BY recording_id, artist_id, use, scope, territories, later, id DESC
), answered AS (
    SELECT recording_id, string_agg(
               artist_id || ' ' || use || ' ' || stance || ' ' || way ||
               CASE WHEN wording_id IS NULL THEN '' ELSE ' ' || wording_id END ||
               CASE WHEN use IN ('voice', 'name_image') AND stance = 'allow'
                    THEN coalesce((SELECT ref::text FROM consent_act
                                    WHERE ref = act_id AND role = 'guardian'), '')
                    ELSE '' END ||
               CASE WHEN num_nonnulls(company_id, tool_id, later, valid_until, notice_days) > 0
                      OR territories <> '{}' OR took_back_allow
                    THEN ROW(company_id, tool_id, CASE WHEN later IS NOT NULL THEN valid_from END,
                             valid_until, territories, notice_days, took_back_allow)::text
                    ELSE '' END, ';'
               ORDER BY artist_id, use, scope, territories, later) AS signature
      FROM spoken WHERE later IS NOT NULL OR way <> 'cleared' GROUP BY recording_id
), listed AS (
    SELECT x.recording_id, string_agg(x.version_id::text, ' ' ORDER BY x.version_id) AS versions
      FROM consent_licencelisting x
      JOIN consent_artistrecording b
        ON b.recording_id = x.recording_id AND b.artist_id = %(artist)s
     WHERE x.version_id = ANY (%(versions)s) GROUP BY x.recording_id
), named AS MATERIALIZED (
    SELECT recording_id, signature, versions FROM answered FULL JOIN listed USING (recording_id)
)
SELECT true, p.profile_id, min(r.isrc), count(*)
  FROM named
  JOIN (SELECT id, profile_id, isrc FROM consent_recording
         WHERE id = ANY (ARRAY(SELECT recording_id FROM named)) OFFSET 0) r ON r.id = recording_id
  JOIN consent_profilecount p ON p.profile_id = r.profile_id AND p.artist_id = %(artist)s
 GROUP BY p.profile_id, signature, versions
UNION ALL
SELECT false, p.profile_id, r.isrc, p.recordings
  FROM consent_profilecount p JOIN consent_recording r ON r.id = p.example_id
 WHERE p.artist_id = %(artist)s
UNION ALL
SELECT NULL, NULL, NULL, count(*)
  FROM consent_recordingidentity i
 WHERE unbilled_voices(i.voices, i.main_artists, i.featured_artists) @> ARRAY[%(artist)s]::bigint[]
   AND NOT EXISTS (SELECT FROM consent_recordingidentity newer
                    WHERE newer.recording_id = i.recording_id AND newer.id > i.id)
"""


def groups_of(artist: Artist, versions: Sequence[int]) -> list[Group]:
    """The artist's recordings in groups that every decision treats alike. One query.

    `versions` are the licence versions that name recordings one by one. Those on which she is heard
    and not billed are not among them.
    """
    groups, _heard = _grouped(artist, versions)
    return groups


def _grouped(artist: Artist, versions: Sequence[int]) -> tuple[list[Group], int]:
    """The groups, and on how many recordings beside them she is heard. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_GROUPS, {"artist": artist.pk, "versions": list(versions)})
        rows = cursor.fetchall()
    taken: Counter[int] = Counter()
    groups, heard = [], 0
    for named, profile, isrc, number in rows:
        if named is None:
            heard = number
        elif named:
            taken[profile] += number
            groups.append(Group(isrc, number, profile, bare=False))
    for named, profile, isrc, number in rows:
        if named is False and number > taken[profile]:
            groups.append(Group(isrc, number - taken[profile], profile))
    return sorted(groups, key=lambda g: (-g.recordings, g.isrc)), heard


@dataclass(frozen=True, slots=True)
class ToolsFor:
    """The tools that matter to an artist, by company and name.

    `listing` are the licence versions behind them that name recordings one by one; `names` those
    of the parties that have a say, by key.
    """

    tools: tuple[Tool, ...] = ()
    listing: tuple[int, ...] = ()
    names: Mapping[int, str] = field(default_factory=dict)


def tools_for(artist: Artist) -> ToolsFor:
    """Every tool that may touch the artist's work by a licence, or that she has answered about.

    One query, which does not grow with her catalogue.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TOOLS, {"artist": artist.pk})
        rows = cursor.fetchall()
    tools = []
    for row in rows:
        pk, ref, slug, name, kind, about, party, company, party_ref, party_name, language = row[:11]
        maker = AICompany(
            party=Party(pk=party, ref=party_ref, name=party_name, language=language), slug=company
        )
        tools.append(
            Tool(pk=pk, ref=ref, company=maker, slug=slug, name=name, kind=kind, about=about)
        )
    if not rows:
        return ToolsFor()
    names = json.loads(rows[0][12]) if isinstance(rows[0][12], str) else rows[0][12]
    return ToolsFor(
        tuple(tools), tuple(rows[0][11]), {int(key): name for key, name in names.items()}
    )


@dataclass(frozen=True, slots=True)
class Alike:
    """Recordings that one tool may or may not use for the same reasons, with one as the example."""

    isrc: str
    recordings: int
    allowed: bool
    steps: tuple[Step, ...]


def explain_groups(
    artist: Artist, *, use: str, tool: Tool, to_herself: bool = False
) -> list[Alike]:
    """Why a tool may or may not do this, for all recordings of the artist, the most first.

    Recordings with the same reasons are one group, however they came to have them. `to_herself` is
    as in `steps_of`.
    """
    groups = groups_of(artist, tools_for(artist).listing)
    loaded = load([Ask(g.isrc, use, tool.slug) for g in groups] or [Ask("", use, tool.slug)])
    decisions = [loaded.decide(Ask(g.isrc, use, tool.slug), bare=g.bare) for g in groups]
    found: dict[tuple[Step, ...], Alike] = {}
    told = steps_of(decisions, artist=artist, to_herself=to_herself)
    for group, decision, steps in zip(groups, decisions, told, strict=True):
        words = tuple(replace(step, seq=None) for step in steps)
        held = found.get(words)
        found[words] = (
            Alike(group.isrc, group.recordings, decision.allowed, steps)
            if held is None
            else replace(held, recordings=held.recordings + group.recordings)
        )
    return sorted(found.values(), key=lambda one: -one.recordings)


_LEDGER_NOW = Func(function="ledger_now", output_field=DateTimeField())


def uses_of(
    artist: Artist,
    *,
    language: str = "en",
    waiting: Mapping[str, int] | None = None,
    tools: Sequence[Tool] | None = None,
    to_herself: bool = False,
) -> list[UseView]:
    """All seven use kinds with the artist's general answer and what really holds.

    `tools` narrows it to some tools (the page of one tool); otherwise every tool whose company
    holds a licence that may touch the artist, or that she has answered about. `waiting` counts
    open questions per use kind. `to_herself`: the reader is the artist, and is spoken of as “you”.
    The number of queries is constant.
    """
    found = tools_for(artist)
    answers = list(
        Permission.objects.filter(artist=artist, recording=None)
        .annotate(later=Case(When(valid_from__gt=_LEDGER_NOW, then=F("pk"))))
        .order_by("use", "scope", "territories", "later", "-id")
        .distinct("use", "scope", "territories", "later")
        .select_related("wording", "act")
    )
    tools = found.tools if tools is None else tools
    groups, heard = _grouped(artist, found.listing)
    loaded = load(
        [Ask(g.isrc, use, t.slug) for g in groups for use in UseKind for t in tools]
        or [Ask("", "", "")]
    )
    plain: dict[Reason, Reason] = {}
    lots = {use: _lots_of(artist, use, tools, groups, loaded, plain) for use in UseKind}
    decisions = (one for some in lots.values() for lot in some for one in lot.decisions)
    names = _Names.for_decisions(artist.pk, decisions, found.names, to_herself=to_herself)
    return [
        _use_view(
            artist,
            use,
            tools,
            groups,
            lots[use],
            [a for a in answers if a.use == use],
            names,
            loaded,
            (waiting or {}).get(use, 0),
            heard if NEEDS[use].voices else 0,
        )
        for use in UseKind
    ]


@dataclass(slots=True)
class _Lot:
    """Recordings that every tool may or may not use for the same reasons, for one use kind.

    The decisions are as the artist's people may read them.
    """

    decisions: tuple[Decision, ...]  # one for each tool, as are the reasons for a no
    against: tuple[tuple[Reason, ...], ...]
    recordings: int = 0

    @property
    def allowed(self) -> bool:
        """May any tool use them?"""
        return any(decision.allowed for decision in self.decisions)


def _lots_of(
    artist: Artist,
    use: UseKind,
    tools: Sequence[Tool],
    groups: Sequence[Group],
    loaded: Loaded,
    plain: dict[Reason, Reason],
) -> list[_Lot]:
    """The groups put together that this use kind treats alike, the largest first.

    Recordings of one profile decide alike where the same was said of them about this use, and the
    same licences of the tool's company for it name them. `plain` keeps the reasons found so far
    without their ledger positions.
    """
    decided: dict[tuple[object, ...], tuple[Decision, tuple[Reason, ...]]] = {}
    lots: dict[tuple[object, ...], _Lot] = {}
    companies = dict.fromkeys(tool.company.pk for tool in tools)
    for group in groups:
        said = () if group.bare else loaded.said_of(group.isrc, use)
        listed = {
            company: () if group.bare else loaded.listed_by(group.isrc, use, company)
            for company in companies
        }
        kind = (group.profile, said, *listed.values())
        if kind not in lots:
            found = []
            for tool in tools:
                key = (tool.pk, group.profile, said, listed[tool.company.pk])
                if key not in decided:
                    decision = seen_by(
                        loaded.decide(Ask(group.isrc, use, tool.slug), bare=group.bare),
                        (artist.pk,),
                    )
                    decided[key] = decision, _against(decision, plain)
                found.append(decided[key])
            lots[kind] = _Lot(tuple(one for one, _ in found), tuple(why for _, why in found))
        lots[kind].recordings += group.recordings
    return sorted(lots.values(), key=lambda lot: -lot.recordings)


def _use_view(
    artist: Artist,
    use: UseKind,
    tools: Sequence[Tool],
    groups: Sequence[Group],
    lots: Sequence[_Lot],
    said: Sequence[Permission],
    names: _Names,
    loaded: Loaded,
    waiting: int,
    heard: int,
) -> UseView:
    answers = _one_of_each_slot(said)
    total = sum(g.recordings for g in groups)
    views = []
    for i, tool in enumerate(tools):
        allowed = sum(lot.recordings for lot in lots if lot.decisions[i].allowed)
        steps = names.steps(lots[0].decisions[i]) if lots else ()
        views.append(ToolView(tool, allowed, total, steps))
    overridden = [lot for lot in lots if _without_her(lot, artist.pk)]
    overridden_total = sum(lot.recordings for lot in overridden)
    # What no tool may use: why not, by the tool that comes nearest.
    nearest = Counter[Reason]()
    for lot in lots if tools else ():
        if not lot.allowed:
            for reason in min(lot.against, key=len):
                nearest[reason] += lot.recordings
    answer = next((a for a in answers if a.scope == "*/*" and not a.territories), None)
    stance = _stance(answer, loaded.at)
    allowed_total = sum(lot.recordings for lot in lots if lot.allowed)
    top = _heaviest(nearest, stance, artist.pk)
    return UseView(
        use=use,
        state=_state(stance, allowed_total, overridden_total, waiting),
        answer=answer,
        stance=stance,
        recordings=total,
        allowed=allowed_total,
        overridden=overridden_total,
        tools=tuple(views),
        exceptions=sum(
            1 for a in answers if (a.scope != "*/*" or a.territories) and a.way != "cleared"
        )
        + sum(
            g.recordings
            for g in groups
            if not g.bare and loaded.has_own_answer(g.isrc, use, artist.pk)
        ),
        main_reason=names.step(top) if top is not None else None,
        main_reason_recordings=nearest[top] if top is not None else 0,
        missing=_gaps(tools, lots, names),
        wording_changed=stance == "allow" and is_outdated(answer, loaded.meant_since(use)),
        meant_since=loaded.meant_since(use),
        seq=loaded.seq,
        at=loaded.at,
        said=tuple(said),
        heard=heard,
    )


def _one_of_each_slot(said: Iterable[Permission]) -> list[Permission]:
    """The answer that speaks in each scope and its countries; where none does, the last given."""
    found: dict[tuple[str, tuple[str, ...]], Permission] = {}
    for one in said:
        slot = one.scope, tuple(one.territories)
        held = found.get(slot)
        waits = held is not None and held.__dict__["later"] is not None
        if held is None or (waits and (one.__dict__["later"] is None or one.pk > held.pk)):
            found[slot] = one
    return list(found.values())


def _gaps(tools: Sequence[Tool], lots: Sequence[_Lot], names: _Names) -> tuple[Gap, ...]:
    """What somebody could do something about, the most recordings first."""
    companies: dict[Reason, dict[str, None]] = {}
    concerned: dict[Reason, set[int]] = {}
    for i, tool in enumerate(tools):
        for n, lot in enumerate(lots):
            for reason in lot.against[i]:
                companies.setdefault(reason, {})[tool.company.party.name] = None
                concerned.setdefault(reason, set()).add(n)
    gaps = [
        Gap(step, tuple(whom), sum(lots[n].recordings for n in concerned[reason]))
        for reason, whom in companies.items()
        if (step := names.step(reason)).todo
    ]
    return tuple(sorted(gaps, key=lambda gap: -gap.recordings))


def _against(decision: Decision, plain: dict[Reason, Reason]) -> tuple[Reason, ...]:
    """Its reasons for a no, the same for every recording that they are the same for."""
    found: dict[Reason, None] = {}
    for reason in decision.reasons:
        if reason.verdict is Verdict.NO:
            if reason not in plain:
                plain[reason] = replace(reason, seq=None)
            found[plain[reason]] = None
    return tuple(found)


def _stance(answer: Permission | None, at: datetime) -> str:
    if answer is None or (answer.valid_from is not None and answer.valid_from > at):
        return "undecided"
    if answer.valid_until is not None and answer.valid_until <= at:
        return "undecided"
    return answer.stance


def _heaviest(reasons: Counter[Reason], stance: str, artist: int) -> Reason | None:
    """The reason that matters most to her: with a yes, what stands in its way elsewhere."""
    own = {Code.ARTIST_UNDECIDED, Code.ARTIST_DENIES, Code.ARTIST_ASKS, Code.ARTIST_WITHDREW}

    def rank(reason: Reason) -> tuple[bool, int, str]:
        hers = reason.code in own and reason.party == artist
        return stance == "allow" and hers, -reasons[reason], reason.code

    ranked = sorted(reasons, key=rank)
    return ranked[0] if ranked else None


def _without_her(lot: _Lot, artist: int) -> bool:
    """Does a contract allow some tool to use them that her own answer would not?

    Where she says yes herself, and that to every tool that may, nobody overrides her.
    """
    return any(
        decision.allowed
        and any(r.code is Code.OVERRIDDEN for r in decision.reasons)
        and not any(r.party == artist and r.verdict is Verdict.YES for r in _answers(decision))
        for decision in lot.decisions
    )


def _answers(decision: Decision) -> Iterable[Reason]:
    return (reason for reason in decision.reasons if reason.code in PERSONAL)


def _state(stance: str, allowed: int, overridden: int, waiting: int) -> str:
    if allowed:
        return "overridden" if overridden and stance != "allow" else "holds"
    if stance == "allow":
        return "not_in_force"
    if stance == "undecided" or waiting:
        return "waits"
    return "refused"
