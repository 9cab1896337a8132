"""Reading licences: what speaks now, whom one touches, what one would change, who overrides."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import connection
from django.db.models import BigIntegerField, Exists, Func, OuterRef, Q, QuerySet
from django.db.models.expressions import Combinable

from consent.clock import now
from consent.decisions import Code, Decision, Facts, LicenceFacts, Question, Verdict, decide
from consent.discretion import told_to_companies
from consent.licence_terms import Terms, check_terms
from consent.models import (
    AICompany,
    Artist,
    ArtistRecording,
    Catalogue,
    Licence,
    LicenceListing,
    LicenceVersion,
    Party,
    RecordingIdentity,
    RightsClaim,
    Tool,
)
from consent.queries.coverage import WITH_COVERED, Reach
from consent.queries.decision import Ask, Loaded, load
from consent.words import UseKind

type Moment = datetime | Combinable
"""UTC. An expression is read by the database within the query: the clock then costs none."""


def speaking_versions(*, at: Moment | None = None) -> QuerySet[LicenceVersion]:
    """The version of each licence that speaks at `at` (UTC; None: now), ended ones included."""
    at = at or now()
    return (
        LicenceVersion.objects.filter(Q(starts_at=None) | Q(starts_at__lte=at), signed_at__lte=at)
        .order_by("licence", "-id")
        .distinct("licence")
        .select_related("licence__holder", "licence__company__party")
    )


def standing_versions(*, at: Moment | None = None) -> QuerySet[LicenceVersion]:
    """The versions that are in force at `at`: speaking, not ended, not run out."""
    at = at or now()
    return (
        LicenceVersion.objects.filter(
            Q(ends_at=None) | Q(ends_at__gt=at),
            pk__in=speaking_versions(at=at).values("pk"),
            ended=False,
        )
        .select_related("licence__holder", "licence__company__party")
        .order_by("licence__title", "licence")
    )


def licences_of(
    *, holder: Party | None = None, company: AICompany | None = None
) -> QuerySet[LicenceVersion]:
    """The speaking version of each licence of a holder, of a company, or between the two."""
    found = LicenceVersion.objects.filter(pk__in=speaking_versions().values("pk"))
    if holder is not None:
        found = found.filter(licence__holder=holder)
    if company is not None:
        found = found.filter(licence__company=company)
    return found.select_related("licence__holder", "licence__company__party").order_by("-id")


def licences_touching(artist: Artist, *, at: Moment | None = None) -> QuerySet[LicenceVersion]:
    """The licences in force at `at` that reach recordings of `artist`, whoever signed them.

    Goes by one example per rights profile, so that its cost does not grow with her catalogue.
    """
    examples = artist.profile_counts.values("example")
    newer = RightsClaim.objects.filter(claim=OuterRef("claim"), pk__gt=OuterRef("pk"))
    works = RecordingIdentity.objects.filter(recording__in=examples).values(
        work=Func("works", function="unnest", output_field=BigIntegerField())
    )
    holders = RightsClaim.objects.filter(
        ~Exists(newer),
        Q(recording__in=examples) | Q(work__in=works) | Q(repertoire=artist.pk),
        share_bp__gt=0,
        ended=False,
    ).values("party")
    hers = ArtistRecording.objects.filter(artist=artist)
    listed = LicenceListing.objects.filter(
        version=OuterRef("pk"), recording__in=hers.values("recording")
    )
    unlisted = hers.exclude(
        Exists(
            LicenceListing.objects.filter(
                version=OuterRef(OuterRef("pk")), recording=OuterRef("recording")
            )
        )
    )
    return standing_versions(at=at).filter(
        Q(licence__holder__in=holders) | Q(licence__holder=artist.pk),
        Q(catalogue=Catalogue.ALL)
        | Q(Exists(listed), catalogue=Catalogue.LISTED)
        | Q(Exists(unlisted), catalogue=Catalogue.ALL_EXCEPT),
    )


def artists_touched_by(version: LicenceVersion, *, at: datetime | None = None) -> list[Artist]:
    """The artists whose work this version reaches, for the notices of the day it is signed.

    Main and featured artists of every recording that it covers; for a voice, also the people whose
    voices can be heard. Of a version that ends a licence: those of the version before. `at` (UTC)
    is the moment that is meant; None: when it begins.
    """
    if version.ended:
        before = LicenceVersion.objects.filter(
            licence=version.licence_id, number__lt=version.number, ended=False
        )
        last = before.order_by("-number").first()
        return [] if last is None else artists_touched_by(last, at=at)
    reach = Reach(
        holder=version.licence.holder_id,
        catalogue=version.catalogue,
        listed=list(version.listings.values_list("recording_id", flat=True)),
        uses=version.uses,
        at=at or max(version.starts_at or version.signed_at, version.signed_at),
    )
    return _artists(reach)


@dataclass(frozen=True, slots=True)
class Override:
    """A holder that decides without the artists, as the public may know it."""

    company: str
    holder: str
    clause: str
    uses: tuple[str, ...]
    since: datetime


def overrides_public() -> list[Override]:
    """Every licence in force that does without the artist's yes, with the clause it names.

    Names the two parties that signed and nobody else.
    """
    return [
        Override(
            company=v.licence.company.party.name,
            holder=v.licence.holder.name,
            clause=v.override_clause,
            uses=tuple(v.uses),
            since=v.starts_at or v.signed_at,
        )
        for v in standing_versions().filter(artist_approval=False)
    ]


# Before signing


@dataclass(frozen=True, slots=True)
class Missing:
    """So many recordings still lack this: the code of the first reason, and the right it is on."""

    code: str
    right: str
    recordings: int


@dataclass(frozen=True, slots=True)
class UseEffect:
    """What a licence would mean for one use kind; the four numbers add up to all it reaches.

    `overridden` of the allowed would be allowed without every artist's yes; `objections` of these
    against her no.
    """

    use: str
    allowed: int
    wait_for_artists: int
    refused_by_artists: int
    lack_something: int
    missing: tuple[Missing, ...]
    overridden: int
    objections: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What signing would do. `territory` is the one that was asked about; None: the world.

    `effects` is empty while the company has no tool: then nothing can be used yet.
    """

    recordings: int
    artists: tuple[Artist, ...]
    territory: str | None
    effects: tuple[UseEffect, ...]


@dataclass(frozen=True, slots=True)
class _Group:
    """Recordings about which every decision here comes out the same."""

    isrc: str
    recordings: int


def preview_licence(
    *, holder: Party, company: AICompany, terms: Terms, supersedes: Licence | None = None
) -> Preview:
    """Say what a licence with these terms would change, before it is signed.

    Decides for the company's tools in general (answers about one tool are left aside), at the
    moment the licence would begin, in the first of its territories. Six queries, however many
    recordings there are. Raises `Refused` as `check_terms` does.
    """
    at = now()
    terms = check_terms(company=company, terms=terms, at=at)
    begins = terms.starts_at or at
    reach = Reach(
        holder=holder.pk,
        catalogue=terms.catalogue,
        listed=[r.pk for r in terms.recordings],
        uses=[str(u) for u in terms.uses],
        at=begins,
    )
    groups = _groups(reach, company)
    territory = next(iter(terms.territories), None)
    tool = Tool.objects.filter(company=company).order_by("id").first()
    effects: tuple[UseEffect, ...] = ()
    if tool is not None:
        signed = _as_facts(holder, terms, begins)
        replaced = str(supersedes.ref) if supersedes is not None else ""
        asks = {
            (use, group.isrc): Ask(group.isrc, use, tool.slug, territory)
            for use in reach.uses
            for group in groups
        }
        loaded = load(asks.values(), at=begins)
        effects = tuple(
            _effect(use, [(asks[use, g.isrc], g) for g in groups], loaded, signed, replaced)
            for use in sorted(reach.uses, key=UseKind.values.index)
        )
    return Preview(
        recordings=sum(g.recordings for g in groups),
        artists=tuple(_artists(reach)),
        territory=territory,
        effects=effects,
    )


def _groups(reach: Reach, company: AICompany) -> list[_Group]:
    """One group per rights profile, answers on the recording itself, and lists it stands on."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""{WITH_COVERED}, spoken AS (
                SELECT DISTINCT ON (p.artist_id, p.use, p.scope, p.territories) p.*
                  FROM consent_permission p
                 WHERE p.recording_id IN (SELECT recording_id FROM covered)
                   AND p.use = ANY (%(uses)s)
                   AND (p.valid_from IS NULL OR p.valid_from <= %(at)s)
                 ORDER BY p.artist_id, p.use, p.scope, p.territories, p.id DESC
            ), said AS (
                SELECT recording_id, md5(string_agg(concat_ws(':', artist_id, use,
                           split_part(scope, '/', 2), territories, stance, way, took_back_allow,
                           valid_until, notice_days, wording_id,
                           (SELECT ref FROM consent_act
                             WHERE ref = act_id AND role = 'guardian'
                               AND use IN ('voice', 'name_image'))), ','
                           ORDER BY artist_id, use, split_part(scope, '/', 2), territories)) AS key
                  FROM spoken GROUP BY recording_id
            ), listed AS (
                SELECT x.recording_id, string_agg(x.version_id::text, ','
                           ORDER BY x.version_id) AS key
                  FROM consent_licencelisting x
                  JOIN consent_licenceversion v ON v.id = x.version_id
                  JOIN consent_licence l ON l.id = v.licence_id
                 WHERE l.company_id = %(company)s
                   AND x.recording_id IN (SELECT recording_id FROM covered)
                 GROUP BY x.recording_id
            )
            SELECT min(r.isrc), count(*)
              FROM covered c JOIN consent_recording r ON r.id = c.recording_id
              LEFT JOIN said ON said.recording_id = r.id
              LEFT JOIN listed ON listed.recording_id = r.id
             GROUP BY coalesce(r.profile_id, -r.id), said.key, listed.key
             ORDER BY 1""",  # noqa: S608  (the text in front is a constant of ours)
            {**reach.params, "uses": list(reach.uses), "company": company.pk},
        )
        return [_Group(isrc, count) for isrc, count in cursor.fetchall()]


def _artists(reach: Reach) -> list[Artist]:
    voices = (
        """UNION SELECT unnest(i.voices) FROM consent_recordingidentity i
            JOIN covered c ON c.recording_id = i.recording_id"""
        if "voice" in reach.uses
        else ""
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""{WITH_COVERED}
            SELECT ar.artist_id FROM consent_artistrecording ar
              JOIN covered c ON c.recording_id = ar.recording_id {voices}""",  # noqa: S608
            reach.params,
        )
        found = {key for (key,) in cursor.fetchall()}
    return list(Artist.objects.filter(pk__in=found).select_related("party"))


def _as_facts(holder: Party, terms: Terms, begins: datetime) -> LicenceFacts:
    return LicenceFacts(
        ref="",
        number=0,
        holder=holder.pk,
        uses=frozenset(str(u) for u in terms.uses),
        covers=True,
        seq=0,
        began_at=begins,
        territories=frozenset(terms.territories),
        ends_at=terms.ends_at,
        notice_days=terms.notice_days,
        models=frozenset(m.pk for m in terms.model_versions),
        artist_approval=terms.artist_approval,
        clause=terms.override_clause,
    )


def _imagine(facts: Facts, signed: LicenceFacts, replaced: str) -> Facts:
    """The facts as they would be: the licence signed, for a model version that it covers."""
    if facts.tool is None:
        return facts
    return replace(
        facts,
        tool=replace(
            facts.tool, suspended=False, model=min(signed.models, default=None), model_known=True
        ),
        licences=(*(x for x in facts.licences if x.ref != replaced), signed),
        artists={
            key: replace(artist, answers=tuple(a for a in artist.answers if a.maker != "tool"))
            for key, artist in facts.artists.items()
        },
    )


_WAITING = frozenset(
    {
        Code.ARTIST_UNDECIDED,
        Code.ARTIST_ASKS,
        Code.ANSWER_EXPIRED,
        Code.ANSWER_OUTDATED,
        Code.ANSWER_WITHOUT_GUARDIAN,
    }
)
_PERSONAL = _WAITING | {Code.ARTIST_DENIES, Code.ARTIST_WITHDREW, Code.ANSWER_REVOKED}


def _effect(
    use: str,
    asked: Sequence[tuple[Ask, _Group]],
    loaded: Loaded,
    signed: LicenceFacts,
    replaced: str,
) -> UseEffect:
    tally: Counter[str] = Counter()
    missing: Counter[tuple[str, str]] = Counter()
    for ask, group in asked:
        facts = _imagine(loaded.facts(ask), signed, replaced)
        decision = decide(Question(use, loaded.at, ask.territory), facts)
        _count(decision, group.recordings, tally, missing)
    return UseEffect(
        use=use,
        allowed=tally["allowed"],
        wait_for_artists=tally["waits"],
        refused_by_artists=tally["refused"],
        lack_something=missing.total(),
        missing=tuple(Missing(c, right, n) for (c, right), n in missing.most_common()),
        overridden=tally["overridden"],
        objections=tally["objections"],
    )


def _count(
    decision: Decision, recordings: int, tally: Counter[str], missing: Counter[tuple[str, str]]
) -> None:
    codes = {r.code for r in decision.reasons}
    if decision.allowed:
        tally["allowed"] += recordings
        if Code.OVERRIDDEN in codes:
            tally["overridden"] += recordings
        if Code.OBJECTION in codes:
            tally["objections"] += recordings
        return
    # Of several artists who are asked, not all are the holder's: which of them says no is not told.
    no = [r for r in told_to_companies(decision.reasons) if r.verdict is Verdict.NO]
    lacking = next((r for r in no if r.code not in _PERSONAL), None)
    if lacking is not None:
        missing[str(lacking.code), lacking.right] += recordings
    elif all(r.code in _WAITING for r in no):
        tally["waits"] += recordings
    else:
        tally["refused"] += recordings
