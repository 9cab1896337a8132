"""May this use happen, and why: one pure function, and the facts it needs.

`decide(question, facts)` is the whole truth about a use: pages, API, exports and the history ask
nothing else. It reads no clock, no database and no settings. `consent.queries.decision` brings the
facts. The rules are the table "Who decides" (docs/decisions/0003).

Three rules carry it:

* Deny by default. What is unknown, expired, disputed or unanswered is a no, each with its reason.
* Grants must cover the question, refusals need only touch it. A yes for Norway does not answer a
  question about the world; a no for Norway does.
* Within one artist, an answer is set aside only by one whose scope lies strictly within its own,
  and only in the places that both are about. Between answers of which neither lies within the
  other, any no wins. Between required parties, any no wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import dataclass_transform


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value[T](cls: type[T]) -> type[T]:
    """A dataclass that the type checker keeps from being changed.

    `dataclass(frozen=True)` does it when the program runs, and makes each object four times as
    slow: a decision makes some twenty, a batch a hundred times as many.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)


class Verdict(StrEnum):
    YES = "yes"
    NO = "no"
    NOTE = "note"  # true and worth showing, but it decides nothing


class Code(StrEnum):
    """Why. Sentences for people are in `consent.sentences`; codes never change their meaning."""

    UNKNOWN_RECORDING = "unknown_recording"
    RECORDING_WITHDRAWN = "recording_withdrawn"
    NO_MAIN_ARTIST = "no_main_artist"
    UNKNOWN_USE = "unknown_use"
    UNKNOWN_TOOL = "unknown_tool"
    TOOL_SUSPENDED = "tool_suspended"
    COMPANY_SUSPENDED = "company_suspended"
    UNKNOWN_MODEL_VERSION = "unknown_model_version"
    MODEL_VERSION_RETIRED = "model_version_retired"
    RIGHT_UNKNOWN = "right_unknown"
    RIGHT_UNDER_CLAIMED = "right_under_claimed"
    RIGHT_OVER_CLAIMED = "right_over_claimed"
    RIGHT_DISPUTED = "right_disputed"
    NOTHING_CLAIMED = "nothing_claimed"
    HOLDER_SUSPENDED = "holder_suspended"
    NO_LICENCE = "no_licence"
    LICENSED = "licensed"
    NO_EXPRESS_AUTHORITY = "no_express_authority"
    VOICE_UNKNOWN = "voice_unknown"
    GUARDIAN_MISSING = "guardian_missing"
    ARTIST_SUSPENDED = "artist_suspended"
    ARTIST_ALLOWS = "artist_allows"
    ARTIST_DENIES = "artist_denies"
    ARTIST_ASKS = "artist_asks"
    ARTIST_UNDECIDED = "artist_undecided"
    ARTIST_WITHDREW = "artist_withdrew"
    ANSWER_EXPIRED = "answer_expired"
    ANSWER_REVOKED = "answer_revoked"
    ANSWER_OUTDATED = "answer_outdated"
    ANSWER_WITHOUT_GUARDIAN = "answer_without_guardian"
    RUNS_OFF = "runs_off"
    OVERRIDDEN = "overridden"
    OBJECTION = "objection"


GUARDIAN_YEARS = 5
"""How long a guardian's yes to a minor's voice, name or image holds at most."""


@value
class Needs:
    """What a use kind needs (the table "Who decides")."""

    master: bool = False
    publishing: bool = False
    artists: bool = False
    voices: bool = False
    own_signature: bool = False  # a licence by the artist, or by someone with express authority
    always_artist: bool = False  # no contract can do without her
    lent: bool = False  # likeness: for a minor, only by the guardian


NEEDS: dict[str, Needs] = {
    "generative_training": Needs(master=True, publishing=True, artists=True),
    "analysis_training": Needs(master=True, publishing=True, artists=True),
    "remix_input": Needs(master=True, publishing=True, artists=True),
    "discovery": Needs(master=True, artists=True),
    "voice": Needs(master=True, voices=True, always_artist=True, lent=True),
    "style": Needs(artists=True, own_signature=True, always_artist=True),
    "name_image": Needs(artists=True, own_signature=True, always_artist=True, lent=True),
}


def _rights(needs: Needs) -> tuple[str, ...]:
    """The rights in the recording and the song that must be licensed."""
    return ("master",) * needs.master + ("publishing",) * needs.publishing


@value
class Question:
    """`at` is a UTC moment. Without a territory the question is about the whole world."""

    use: str
    at: datetime
    territory: str | None = None


@value
class RecordingFacts:
    key: int
    seq: int
    main_artists: tuple[int, ...]
    featured_artists: tuple[int, ...] = ()
    voices: tuple[int, ...] = ()
    works: tuple[int, ...] = ()
    withdrawn: bool = False


@value
class ToolFacts:
    """`model_seq` is None when the question names no model version."""

    key: int
    company: int
    seq: int
    suspended: bool = False
    company_suspended: bool = False
    model: int | None = None
    model_known: bool = True
    model_retired: bool = False
    model_registered_at: datetime | None = None


@value
class ClaimFacts:
    """An active claim. Exactly one of recording, work and repertoire says what it is on.

    On a repertoire `share_bp` is of that artist's share, otherwise of the whole right. On a
    recording it may be 0: its party says that nothing of the right is its own there, anywhere.
    """

    party: int
    right: str
    share_bp: int
    authority: str
    seq: int
    work: int | None = None
    repertoire: int | None = None
    territories: frozenset[str] = frozenset()
    valid_until: datetime | None = None
    disputed: bool = False
    suspended: bool = False  # its party may not be dealt with


@value
class LicenceFacts:
    """The version of a licence that speaks at the moment asked about; `covers` this recording."""

    ref: str
    number: int
    holder: int
    uses: frozenset[str]
    covers: bool
    seq: int
    began_at: datetime
    territories: frozenset[str] = frozenset()
    ends_at: datetime | None = None
    notice_days: int = 0
    models: frozenset[int] = frozenset()
    artist_approval: bool = True
    clause: str = ""
    ended: bool = False


@value
class Answer:
    """The answer that speaks in one scope. `maker` is "", "company" or "tool".

    `text` is the version of the wording that was read, the first where none is recorded.
    `by_guardian` is read of a yes to a likeness only.
    """

    stance: str
    seq: int
    given_at: datetime
    way: str = "answered"
    on_recording: bool = False
    maker: str = ""
    territories: frozenset[str] = frozenset()
    valid_until: datetime | None = None
    notice_days: int | None = None
    took_back_allow: bool = False
    text: int = 1
    by_guardian: bool = False


@value
class ArtistFacts:
    """`changes_at`: when an answer given for later begins, the earliest such moment."""

    key: int
    kind: str
    answers: tuple[Answer, ...] = ()
    changes_at: datetime | None = None
    suspended: bool = False
    is_minor: bool = False
    has_guardian: bool = False


@value
class Facts:
    """Everything that one decision reads, as it was known at ledger position `seq`.

    `meant_since` is the version of the wording since which it means what it means now.
    """

    seq: int
    recording: RecordingFacts | None
    tool: ToolFacts | None
    claims: tuple[ClaimFacts, ...] = ()
    licences: tuple[LicenceFacts, ...] = ()
    artists: dict[int, ArtistFacts] = field(default_factory=dict)
    changes_at: datetime | None = None  # a claim or licence given for later begins
    meant_since: int = 1


@value
class Reason:
    """One step of the decision: what was found, about whom, and where the ledger says so.

    `party` is the key of who decided or must move; `seq` the ledger position of the fact, or None
    where the reason is that there is none.
    """

    code: Code
    verdict: Verdict
    party: int | None = None
    right: str = ""
    authority: str = ""
    seq: int | None = None
    until: datetime | None = None
    licence: str = ""
    clause: str = ""


@value
class Decision:
    """The answer at ledger position `seq`.

    `valid_until` bounds a yes: without any new act it holds until then (None: no end in sight).
    """

    allowed: bool
    reasons: tuple[Reason, ...]
    seq: int
    valid_until: datetime | None = None

    @property
    def deciding(self) -> Reason:
        """The first reason for a no, or the last step of a yes."""
        return next((r for r in self.reasons if r.verdict is Verdict.NO), self.reasons[-1])


def decide(question: Question, facts: Facts) -> Decision:
    """Say whether the use may happen, with the reasons in order: object, tool, rights, people."""
    fatal = _object(question, facts) or _maker(facts)
    if fatal is not None:
        return Decision(False, (fatal,), facts.seq)
    recording, tool = facts.recording, facts.tool
    assert recording is not None and tool is not None

    needs = NEEDS[question.use]
    reasons: list[Reason] = []
    holders: list[_Held] = []
    for right in _rights(needs):
        found, held = _right(right, question, facts, recording, tool)
        reasons += found
        holders += held
    signed: list[_Signatures] = [[(h.claim, h.licences)] for h in holders]
    if needs.own_signature:
        found, own = _signatures(question, facts, recording, tool)
        reasons += found
        signed += own

    overriding = None if needs.always_artist else _override(holders)
    reasons += _people(question, facts, recording, needs, overriding, _Outputs(tool, needs, signed))

    allowed = all(r.verdict is not Verdict.NO for r in reasons)
    return Decision(
        allowed,
        tuple(reasons),
        facts.seq,
        _valid_until(reasons, facts, question) if allowed else None,
    )


# What the question is about


def _object(question: Question, facts: Facts) -> Reason | None:
    if question.use not in NEEDS:
        return Reason(Code.UNKNOWN_USE, Verdict.NO)
    recording = facts.recording
    if recording is None:
        return Reason(Code.UNKNOWN_RECORDING, Verdict.NO)
    if recording.withdrawn:
        return Reason(Code.RECORDING_WITHDRAWN, Verdict.NO, seq=recording.seq)
    if not recording.main_artists:
        return Reason(Code.NO_MAIN_ARTIST, Verdict.NO, seq=recording.seq)
    return None


def _maker(facts: Facts) -> Reason | None:
    tool = facts.tool
    if tool is None:
        return Reason(Code.UNKNOWN_TOOL, Verdict.NO)
    if tool.company_suspended:
        return Reason(Code.COMPANY_SUSPENDED, Verdict.NO, party=tool.company, seq=tool.seq)
    if tool.suspended:
        return Reason(Code.TOOL_SUSPENDED, Verdict.NO, party=tool.company, seq=tool.seq)
    if not tool.model_known:
        return Reason(Code.UNKNOWN_MODEL_VERSION, Verdict.NO, party=tool.company)
    if tool.model_retired:
        return Reason(Code.MODEL_VERSION_RETIRED, Verdict.NO, party=tool.company, seq=tool.seq)
    return None


# Rights and licences


@value
class _Signed:
    """What licences on a question come to: since when, until one of them ends, at what notice."""

    since: datetime
    notice_days: int
    ends_at: datetime | None

    @classmethod
    def of(cls, found: _Signatures) -> _Signed:
        """Of the licences of one holder, or of all who may sign for an artist."""
        covering = [x for _c, some in found for x in some.covering]
        ends = [x.ends_at for x in covering] + [c.valid_until for c, some in found if some.touching]
        return cls(
            since=min(x.began_at for x in covering),
            notice_days=min(x.notice_days for _c, some in found for x in some.touching),
            ends_at=min((e for e in ends if e is not None), default=None),
        )


@value
class _Held:
    """A claim whose holder has licensed the use; of several licences, the most careful one."""

    claim: ClaimFacts
    licence: LicenceFacts
    licences: _Licences


def covers(territories: frozenset[str], territory: str | None) -> bool:
    """Does a grant for `territories` (empty: the world) answer the question in full?"""
    return not territories or (territory is not None and territory in territories)


def touches(territories: frozenset[str], territory: str | None) -> bool:
    """Does a refusal for `territories` (empty: the world) meet the question anywhere?"""
    return not territories or territory is None or territory in territories


def _right(
    right: str,
    question: Question,
    facts: Facts,
    recording: RecordingFacts,
    tool: ToolFacts,
) -> tuple[list[Reason], list[_Held]]:
    running = [
        c
        for c in facts.claims
        if c.right == right
        and (c.valid_until is None or c.valid_until > question.at)
        and (c.repertoire is None or c.repertoire in recording.main_artists)
    ]
    said = [c for c in _said_of_it(running) if touches(c.territories, question.territory)]
    reasons = [
        Reason(Code.NOTHING_CLAIMED, Verdict.NOTE, c.party, right, "", c.seq, c.valid_until)
        for c in said
        if not c.share_bp and not c.disputed
    ]
    reasons += _shares(right, [c for c in said if c.share_bp or c.disputed], recording, question)
    # Whoever has no share has no say: nobody waits for its licence, and its clause carries nothing.
    claims = [c for c in said if c.share_bp]
    held: list[_Held] = []
    seen: set[int] = set()
    for claim in claims:
        if claim.suspended:
            reasons.append(
                Reason(
                    Code.HOLDER_SUSPENDED,
                    Verdict.NO,
                    claim.party,
                    right,
                    claim.authority,
                    claim.seq,
                )
            )
            continue
        licences = _licences(claim.party, question, facts, tool)
        if licences.covering:
            held.append(_Held(claim, _most_careful(licences.touching), licences))
        if claim.party in seen:
            continue
        seen.add(claim.party)
        if not licences.covering:
            reasons.append(
                Reason(Code.NO_LICENCE, Verdict.NO, claim.party, right, claim.authority, claim.seq)
            )
        else:
            theirs = [c for c in claims if c.party == claim.party]
            reasons.append(_licensed(claim, theirs, licences))
    return reasons, held


def _said_of_it(claims: Sequence[ClaimFacts]) -> Sequence[ClaimFacts]:
    """Of claims to one right, those that speak of this recording.

    What a party claims of the recording itself it says instead of what it claims of a repertoire,
    wherever that was; also where it claims nothing of it. A disputed claim is still heard: nobody
    gets round a dispute by another one, and that nothing is claimed is no yes while it is disputed.
    """
    by_itself = {c.party for c in claims if c.work is None and c.repertoire is None}
    if not by_itself:
        return claims
    return [c for c in claims if c.repertoire is None or c.disputed or c.party not in by_itself]


def _shares(
    right: str, claims: Sequence[ClaimFacts], recording: RecordingFacts, question: Question
) -> list[Reason]:
    """Is the right claimed in full, once, by undisputed claims?

    In each work on the recording, and in each main artist's share of it: a claim to a repertoire
    speaks for that artist's share, one on the recording or the work for everybody's.
    """
    if not claims:
        return [Reason(Code.RIGHT_UNKNOWN, Verdict.NO, right=right)]
    disputed = [c for c in claims if c.disputed]
    if disputed:
        return [
            Reason(Code.RIGHT_DISPUTED, Verdict.NO, c.party, right, c.authority, c.seq)
            for c in disputed
        ]
    worst = Code.LICENSED
    for part in _parts(right, claims, recording):
        if _most_claimed(part, question.territory) > 10_000:
            worst = Code.RIGHT_OVER_CLAIMED
            break
        covered = sum(c.share_bp for c in part if covers(c.territories, question.territory))
        if covered < 10_000:
            worst = Code.RIGHT_UNDER_CLAIMED
    if worst is Code.LICENSED:
        return []
    return [Reason(worst, Verdict.NO, right=right, seq=max(c.seq for c in claims))]


def _parts(
    right: str, claims: Sequence[ClaimFacts], recording: RecordingFacts
) -> Iterator[Sequence[ClaimFacts]]:
    """The claims on each part of a right that must come to the whole by itself.

    How large each main artist's share is nobody here knows, so the sums must be right whatever it
    is: that is so where they are right in every artist's share.
    """
    works = recording.works if right == "publishing" and recording.works else (None,)
    artists = recording.main_artists if any(c.repertoire is not None for c in claims) else (None,)
    for work in works:
        for artist in artists:
            yield [
                c
                for c in claims
                if (c.work is None or c.work == work)
                and (c.repertoire is None or c.repertoire == artist)
            ]


def _most_claimed(claims: Sequence[ClaimFacts], territory: str | None) -> int:
    """The largest sum of shares in any one place that the question is about, in basis points."""
    if territory is not None or not any(c.territories for c in claims):
        return sum(c.share_bp for c in claims)
    everywhere = sum(c.share_bp for c in claims if not c.territories)
    places = {t for c in claims for t in c.territories}
    return everywhere + max(
        (sum(c.share_bp for c in claims if t in c.territories) for t in places), default=0
    )


@value
class _Licences:
    """One holder's licences on a question: those that cover it, and all that touch it.

    One that covers it is needed. One that touches it may still ask for more care somewhere: a
    licence for Norway that needs the artist's yes is not undone by one for the world without it.
    """

    covering: Sequence[LicenceFacts]
    touching: Sequence[LicenceFacts]


type _Signatures = Sequence[tuple[ClaimFacts, _Licences]]
"""The licences of one holder, or of all who may sign for an artist, with their claims."""


def _licences(holder: int, question: Question, facts: Facts, tool: ToolFacts) -> _Licences:
    """The licences of this holder on the question."""
    touching = [
        x
        for x in facts.licences
        if x.holder == holder
        and not x.ended
        and x.covers
        and question.use in x.uses
        and touches(x.territories, question.territory)
        and (x.ends_at is None or x.ends_at > question.at)
        and (not x.models or tool.model is None or tool.model in x.models)
    ]
    covering = [
        x
        for x in touching
        if covers(x.territories, question.territory) and (not x.models or tool.model is not None)
    ]
    return _Licences(covering, touching)


def _asks_her(licence: LicenceFacts) -> bool:
    """Does it need the artist's yes? Always, unless it says otherwise and names the clause."""
    return licence.artist_approval or not licence.clause


def _most_careful(licences: Sequence[LicenceFacts]) -> LicenceFacts:
    if len(licences) == 1:
        return licences[0]
    return min(licences, key=lambda x: (not _asks_her(x), x.notice_days, x.seq))


def _licensed(claim: ClaimFacts, theirs: Iterable[ClaimFacts], licences: _Licences) -> Reason:
    """The holder has signed: for as long as the licence and every one of the claims last."""
    licence = _most_careful(licences.covering)
    ends = [e for e in (licence.ends_at, *(c.valid_until for c in theirs)) if e is not None]
    return Reason(
        Code.LICENSED,
        Verdict.YES,
        claim.party,
        claim.right,
        claim.authority,
        licence.seq,
        min(ends, default=None),
        licence.ref,
    )


def _signatures(
    question: Question, facts: Facts, recording: RecordingFacts, tool: ToolFacts
) -> tuple[list[Reason], list[_Signatures]]:
    """For style, name and image: each artist's own licence, or one by express authority.

    A blanket mandate is not express.
    """
    reasons: list[Reason] = []
    signed: list[_Signatures] = []
    for artist in _asked(recording.main_artists, recording.featured_artists):
        entitled = [ClaimFacts(artist, "likeness", 10_000, "own", recording.seq)] + [
            c
            for c in facts.claims
            if c.right == "likeness"
            and c.repertoire == artist
            and c.authority != "blanket"
            and not c.disputed
            and not c.suspended
            and touches(c.territories, question.territory)
            and (c.valid_until is None or c.valid_until > question.at)
        ]
        found = [(c, _signed_under(c, question, facts, tool)) for c in entitled]
        given = [_licensed(c, [c], x) for c, x in found if x.covering]
        if given:
            # One signature is enough, so the yes holds for as long as the longest of them.
            reasons.append(min(given, key=lambda r: (*_soonest_last(r.until), r.seq or 0)))
            signed.append(found)
        else:
            reasons.append(Reason(Code.NO_EXPRESS_AUTHORITY, Verdict.NO, artist, "likeness"))
    return reasons, signed


def _signed_under(
    claim: ClaimFacts, question: Question, facts: Facts, tool: ToolFacts
) -> _Licences:
    """What its party signed; by an authority for a part of the question, nothing covers it all."""
    found = _licences(claim.party, question, facts, tool)
    return found if covers(claim.territories, question.territory) else replace(found, covering=())


def _soonest(until: datetime | None) -> tuple[bool, float]:
    """Sorts what ends soonest first, and last what never ends."""
    return until is None, until.timestamp() if until is not None else 0.0


def _soonest_last(until: datetime | None) -> tuple[bool, float]:
    """Sorts what never ends first, then what ends latest."""
    return until is not None, -until.timestamp() if until is not None else 0.0


def _override(holders: Iterable[_Held]) -> _Held | None:
    """The master holder whose licence does without the artist, if every holder does.

    Of several, the one whose contract ends first: until then all of them do.
    """
    held = list(holders)
    if not all(_does_without_her(h) for h in held):
        return None
    # A society's mandate alone never speaks for the recording: a master holder must have chosen.
    masters = [h for h in held if h.claim.right == "master"]
    return min(masters, key=lambda h: (*_soonest(h.licence.ends_at), h.licence.seq), default=None)


def _does_without_her(held: _Held) -> bool:
    """What a claim says of its own authority overrides nobody: only a licence's clause does.

    But a society's mandate for the song never asked the writers one by one.
    """
    if held.claim.authority == "own":
        return False
    mandate = held.claim.right == "publishing" and held.claim.authority == "blanket"
    return mandate or not _asks_her(held.licence)


# People


def _asked(main: tuple[int, ...], featured: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(main + featured))


def _people(
    question: Question,
    facts: Facts,
    recording: RecordingFacts,
    needs: Needs,
    overriding: _Held | None,
    outputs: _Outputs,
) -> list[Reason]:
    asked = _asked(recording.main_artists, recording.featured_artists)
    if needs.voices:
        voices = recording.voices or asked
        people = [facts.artists.get(v) for v in voices]
        if any(p is None or p.kind != "person" for p in people):
            return [Reason(Code.VOICE_UNKNOWN, Verdict.NO, seq=recording.seq)]
        asked = voices
    reasons: list[Reason] = []
    if overriding is not None:
        reasons.append(
            Reason(
                Code.OVERRIDDEN,
                Verdict.YES,
                overriding.claim.party,
                overriding.claim.right,
                overriding.claim.authority,
                overriding.licence.seq,
                overriding.licence.ends_at,
                overriding.licence.ref,
                overriding.licence.clause,
            )
        )
    for key in asked:
        artist = facts.artists.get(key)
        if artist is None:
            reason = Reason(Code.ARTIST_UNDECIDED, Verdict.NO, key)
        else:
            reason = _answer(question, artist, facts.meant_since, outputs)
        # Whoever may not be dealt with is no party to a contract that does without her either.
        bound = overriding is not None and reason.code is not Code.ARTIST_SUSPENDED
        if bound and reason.verdict is Verdict.NO:
            said_no = reason.code in (Code.ARTIST_DENIES, Code.ARTIST_WITHDREW)
            reason = Reason(
                Code.OBJECTION if said_no else reason.code, Verdict.NOTE, key, seq=reason.seq
            )
        reasons.append(reason)
    return reasons


def _narrower(a: Answer, b: Answer) -> bool:
    """Does the scope of `a` lie strictly within that of `b`?"""
    depth = {"": 0, "company": 1, "tool": 2}
    within = (
        a.on_recording >= b.on_recording
        and depth[a.maker] >= depth[b.maker]
        and (not b.territories or (bool(a.territories) and a.territories <= b.territories))
    )
    same = (a.on_recording, a.maker, a.territories) == (b.on_recording, b.maker, b.territories)
    return within and not same


def _speaks(answer: Answer, at: datetime, place: str | None) -> bool:
    if answer.way == "cleared" or not covers(answer.territories, place):
        return False
    # A no for a while that is over says nothing; a yes that is over still says: no more.
    over = answer.valid_until is not None and answer.valid_until <= at
    return answer.stance == "allow" or not over


def _places(artist: ArtistFacts, question: Question) -> list[str | None]:
    """Where her answers may differ: the place asked about; or elsewhere (None), and each named."""
    if question.territory is not None:
        return [question.territory]
    return [None, *sorted({t for a in artist.answers for t in a.territories})]


def _answer(question: Question, artist: ArtistFacts, meant_since: int, outputs: _Outputs) -> Reason:
    if artist.suspended:
        return Reason(Code.ARTIST_SUSPENDED, Verdict.NO, artist.key)
    found: list[Reason] = []
    for place in _places(artist, question):
        speaking = [a for a in artist.answers if _speaks(a, question.at, place)]
        heard = [a for a in speaking if not any(_narrower(b, a) for b in speaking)]
        if not heard:
            return Reason(Code.ARTIST_UNDECIDED, Verdict.NO, artist.key)
        found += [_reason(a, question.at, artist, meant_since, outputs) for a in heard]
        no = next((r for r in found if r.verdict is Verdict.NO), None)
        if no is not None:
            return no
    if outputs.needs.lent and artist.is_minor and not artist.has_guardian:
        return Reason(Code.GUARDIAN_MISSING, Verdict.NO, artist.key)
    # Of several that all say yes, the one that ends first says how long it holds.
    return min(found, key=lambda r: (r.until is None, r.until or question.at))


def _reason(
    answer: Answer, at: datetime, artist: ArtistFacts, meant_since: int, outputs: _Outputs
) -> Reason:
    minor = outputs.needs.lent and artist.is_minor
    if answer.stance == "allow":
        return _yes(answer, at, artist, meant_since, minor=minor)
    # Whether the guardian gave the yes that was taken back is not known here.
    runs_off = None if minor else outputs.run_off(answer)
    if runs_off is not None and runs_off > at:
        return Reason(Code.RUNS_OFF, Verdict.YES, artist.key, seq=answer.seq, until=runs_off)
    if answer.way in ("revoked", "invalidated"):
        code = Code.ANSWER_REVOKED
    elif answer.took_back_allow:
        code = Code.ARTIST_WITHDREW
    else:
        code = {"deny": Code.ARTIST_DENIES, "ask": Code.ARTIST_ASKS}.get(
            answer.stance, Code.ARTIST_UNDECIDED
        )
    return Reason(code, Verdict.NO, artist.key, seq=answer.seq)


def _yes(
    answer: Answer, at: datetime, artist: ArtistFacts, meant_since: int, *, minor: bool
) -> Reason:
    """What a yes is worth now: to a text that meant something else, and once it has ended, a no.

    Of a minor's likeness only a guardian's yes is one, and for a shorter time, whoever she was in
    the books when it was given. Where there is no guardian, that is said instead, of all of them.
    """
    code, verdict, until = Code.ARTIST_ALLOWS, Verdict.YES, answer.valid_until
    if minor and answer.by_guardian:
        most = years_after(answer.given_at, GUARDIAN_YEARS)
        until = most if until is None else min(until, most)
    if until is not None and until <= at:
        code, verdict = Code.ANSWER_EXPIRED, Verdict.NO
    elif answer.text < meant_since:
        code, verdict = Code.ANSWER_OUTDATED, Verdict.NO
    elif minor and artist.has_guardian and not answer.by_guardian:
        code, verdict = Code.ANSWER_WITHOUT_GUARDIAN, Verdict.NO
    return Reason(code, verdict, artist.key, seq=answer.seq, until=until)


def years_after(begin: datetime, years: int) -> datetime:
    """The same day so many years later; of a 29 February, the 28th where there is none."""
    try:
        return begin.replace(year=begin.year + years)
    except ValueError:
        return begin.replace(year=begin.year + years, day=28)


@value
class _Outputs:
    """What running off depends on: the model version that is meant, and what everybody signed."""

    tool: ToolFacts
    needs: Needs
    signatures: Sequence[_Signatures]

    def run_off(self, answer: Answer) -> datetime | None:
        """Until when outputs of this model version go on after a withdrawal, if at all.

        Only for a question that names a model version, registered and licensed by everybody
        before the withdrawal. A revocation or invalidation has no notice; nor has a voice, unless
        a notice period was chosen when granting.
        """
        if not answer.took_back_allow or answer.way in ("revoked", "invalidated"):
            return None
        registered_at = self.tool.model_registered_at
        if registered_at is None or registered_at >= answer.given_at:
            return None
        signed = [_Signed.of(found) for found in self.signatures]
        if not signed or any(s.since >= answer.given_at for s in signed):
            return None
        days = answer.notice_days
        if days is None:
            days = 0 if self.needs.voices else min(s.notice_days for s in signed)
        # A no for a while gives way to the wider answer, and another licence may be a later one:
        # what comes after is for another decision.
        ends = [answer.valid_until, *(s.ends_at for s in signed)]
        return min([answer.given_at + timedelta(days=days), *(e for e in ends if e is not None)])


def _valid_until(reasons: Iterable[Reason], facts: Facts, question: Question) -> datetime | None:
    ends = [r.until for r in reasons if r.until is not None and r.verdict is Verdict.YES]
    ends += [end for end in _silenced_until(question, facts.claims) if end > question.at]
    ends += [a.changes_at for a in facts.artists.values() if a.changes_at is not None]
    if facts.changes_at is not None:
        ends.append(facts.changes_at)
    return min(ends, default=None)


def _silenced_until(question: Question, claims: Sequence[ClaimFacts]) -> Iterator[datetime]:
    """When claims on the recording end, wherever they are, and let a wider one speak again."""
    rights = _rights(NEEDS[question.use])
    wider = {(c.party, c.right) for c in claims if c.repertoire is not None and c.right in rights}
    for claim in claims:
        by_itself = claim.work is None and claim.repertoire is None
        until = claim.valid_until
        if by_itself and until is not None and (claim.party, claim.right) in wider:
            yield until
