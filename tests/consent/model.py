"""The rules of "Who decides" a second time: slow, naive, and written from the rules alone.

It shares the dataclasses of facts with `consent.decisions` and not one line of its reasoning. Where
the decision thinks of scopes that cover and touch, this thinks of *places*: a question about the
world is a question about every place that any fact names, and about one more that none names.
It is yes where it is yes in each of them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction

from consent.decisions import (
    Answer,
    ArtistFacts,
    ClaimFacts,
    Facts,
    LicenceFacts,
    Question,
    RecordingFacts,
)

ELSEWHERE = "elsewhere"  # a place that no fact names by itself
TRAINING = ("generative_training", "analysis_training", "remix_input")
OF_HER_OWN = ("style", "name_image")
LENT = ("voice", "name_image")


@dataclass(frozen=True)
class Verdict:
    """`against` says, in the codes of `consent.decisions`, what stands in the way and at whom."""

    against: frozenset[tuple[str, int | None]]

    @property
    def allowed(self) -> bool:
        return not self.against


def judge(question: Question, facts: Facts) -> Verdict:
    """Everything that stands in the way; nothing is a yes."""
    if (wrong := _nothing_to_decide(question, facts)) is not None:
        return Verdict(frozenset({(wrong, None)}))
    found: set[tuple[str, int | None]] = set()
    for place in places(question, facts):
        found |= set(_at_one_place(question, facts, place))
    # A guardian is asked about only where somebody said yes.
    found -= {("guardian_missing", key) for code, key in found if code == "artist"}
    return Verdict(frozenset(found))


def places(question: Question, facts: Facts) -> list[str]:
    """The one place asked about, or every place that could make a difference."""
    if question.territory is not None:
        return [question.territory]
    named: set[str] = set()
    for claim in facts.claims:
        named |= claim.territories
    for licence in facts.licences:
        named |= licence.territories
    for artist in facts.artists.values():
        for answer in artist.answers:
            named |= answer.territories
    return [*sorted(named), ELSEWHERE]


def _birthday(day: datetime, years: int) -> datetime:
    """That day so many years on; who was born on 29 February has it on the 28th."""
    is_leap_day = (day.month, day.day) == (2, 29)
    there = is_leap_day and (day.year + years) % 4 != 0
    return day.replace(year=day.year + years, day=28 if there else day.day)


def moments(facts: Facts) -> list[datetime]:
    """Every moment at which these facts may begin to answer differently, in order."""
    found = [c.valid_until for c in facts.claims] + [x.ends_at for x in facts.licences]
    found.append(facts.changes_at)
    for artist in facts.artists.values():
        found.append(artist.changes_at)
        for answer in artist.answers:
            found += [answer.valid_until, _birthday(answer.given_at, 5)]
            notices = {answer.notice_days or 0, *(x.notice_days for x in facts.licences)}
            found += [answer.given_at + timedelta(days=n) for n in notices]
    return sorted({m for m in found if m is not None})


def _nothing_to_decide(question: Question, facts: Facts) -> str | None:
    recording, tool = facts.recording, facts.tool
    if question.use not in (*TRAINING, *OF_HER_OWN, "discovery", "voice"):
        return "unknown_use"
    if recording is None:
        return "unknown_recording"
    if recording.withdrawn:
        return "recording_withdrawn"
    if not recording.main_artists:
        return "no_main_artist"
    if tool is None:
        return "unknown_tool"
    if tool.company_suspended:
        return "company_suspended"
    if tool.suspended:
        return "tool_suspended"
    if not tool.model_known:
        return "unknown_model_version"
    if tool.model_retired:
        return "model_version_retired"
    return None


def _at_one_place(question: Question, facts: Facts, place: str) -> Iterator[tuple[str, int | None]]:
    use, at, recording = question.use, question.at, facts.recording
    assert recording is not None
    world = question.territory is None

    def holds_here(claim: ClaimFacts) -> bool:
        running = claim.valid_until is None or claim.valid_until > at
        return running and _reaches(claim.territories, place)

    claims = [c for c in facts.claims if holds_here(c)]

    # Rights: whole, undisputed, each holder in good standing.
    holders: list[ClaimFacts] = []
    if use not in OF_HER_OWN:
        master = [c for c in claims if c.right == "master" and c.work is None]
        mine = [c for c in master if c.repertoire in (None, *recording.main_artists)]
        mine = _unless_said_of_the_recording(mine, facts, at)
        yield from _what_is_wrong_with(mine, recording)
        holders += _holding(mine)
    if use in TRAINING:
        about = [c for c in claims if c.right == "publishing"]
        # On the recording itself, or on all work of a main artist: then on each work on it.
        blanket = [c for c in about if c.work is None]
        blanket = [c for c in blanket if c.repertoire in (None, *recording.main_artists)]
        blanket = _unless_said_of_the_recording(blanket, facts, at)
        for work in recording.works or (None,):
            direct = [c for c in about if c.work is not None and c.work == work]
            yield from _what_is_wrong_with([*direct, *blanket], recording)
            holders += direct
        holders += _holding(blanket)

    # Licences: each holder has signed for exactly this.
    signed: dict[int, _Signed] = {}
    for holder in {c.party for c in holders}:
        signed[holder] = _signed_by([holder], question, facts)
        if not signed[holder].whole:
            yield "no_licence", holder

    # Who is asked.
    asked = dict.fromkeys((*recording.main_artists, *recording.featured_artists))
    if use == "voice":
        yield from _nobody_to_lend_a_voice(recording, facts)
        asked = dict.fromkeys(recording.voices or tuple(asked))
    if use in OF_HER_OWN:
        for artist in asked:
            express = [
                c
                for c in facts.claims
                if c.right == "likeness"
                and c.repertoire == artist
                and c.authority != "blanket"
                and not c.disputed
                and not c.suspended
                and (c.valid_until is None or c.valid_until > at)
                and (world or _reaches(c.territories, place))  # as licences for a part of it do
            ]
            everywhere = [c.party for c in express if not (world and c.territories)]
            whole = _signed_by([artist, *everywhere], question, facts).whole
            parts = _signed_by([artist, *(c.party for c in express)], question, facts).parts
            signed[artist] = _Signed(whole, parts)
            if not signed[artist].whole:
                yield "no_express_authority", artist

    overridden = use not in (*OF_HER_OWN, "voice") and _decided_without_her(holders, signed)
    for key in asked:
        artist_facts = facts.artists.get(key)
        if artist_facts is None:
            if not overridden:
                yield "artist", key
            continue
        if artist_facts.suspended:
            yield "artist_suspended", key
            continue
        if not overridden and not _says_yes(artist_facts, question, facts, place, signed):
            yield "artist", key
        elif (
            use in ("voice", "name_image")
            and artist_facts.is_minor
            and not artist_facts.has_guardian
        ):
            yield "guardian_missing", key


def _reaches(territories: frozenset[str], place: str) -> bool:
    return not territories or place in territories


def _unless_said_of_the_recording(
    claims: list[ClaimFacts], facts: Facts, at: datetime
) -> list[ClaimFacts]:
    """Without what somebody claims of all an artist's work and says otherwise of this recording."""
    kept = list(claims)
    for claim in claims:
        for other in facts.claims:
            same_side = (other.party, other.right) == (claim.party, claim.right)
            of_the_recording = other.work is None and other.repertoire is None
            over = other.valid_until is not None and other.valid_until <= at
            takes_its_place = same_side and of_the_recording and not over
            if takes_its_place and claim.repertoire is not None and not claim.disputed:
                kept = [c for c in kept if c is not claim]
    return kept


def _holding(claims: list[ClaimFacts]) -> list[ClaimFacts]:
    """Without those who say that nothing of it is theirs: they are asked for nothing."""
    return [c for c in claims if c.share_bp != 0]


def _what_is_wrong_with(
    claims: list[ClaimFacts], recording: RecordingFacts
) -> Iterator[tuple[str, int | None]]:
    for hers in _ways_to_share(recording.main_artists):
        total = sum(c.share_bp * hers.get(c.repertoire, Fraction(1)) for c in claims)
        if total < 10_000:
            yield "right_under_claimed", None  # or unknown, where nobody claims anything
        elif total > 10_000:
            yield "right_over_claimed", None
    for claim in claims:
        if claim.disputed:
            yield "right_disputed", claim.party
        if claim.suspended and claim.share_bp != 0:
            yield "holder_suspended", claim.party


def _ways_to_share(artists: tuple[int, ...]) -> Iterator[dict[int | None, Fraction]]:
    """What part of the work may be each artist's: nobody wrote it down, so it must not matter.

    Whoever claims a repertoire claims that much of the artist's part, and not of the whole.
    """
    yield {a: Fraction(1, len(artists)) for a in artists}
    for most in artists if len(artists) > 1 else ():
        for part in (Fraction(2, 3), Fraction(99, 100), Fraction(1)):
            rest = (1 - part) / (len(artists) - 1)
            yield {a: part if a == most else rest for a in artists}


@dataclass(frozen=True)
class _Signed:
    """Licences by one holder (or in one artist's name) that matter to a question."""

    whole: list[LicenceFacts]  # those for all of what is asked
    parts: list[LicenceFacts]  # those for any part of it


def _signed_by(holders: Iterable[int], question: Question, facts: Facts) -> _Signed:
    assert facts.tool is not None
    place, model = question.territory, facts.tool.model
    whole, parts = [], []
    for x in facts.licences:
        speaks = x.holder in holders and question.use in x.uses and x.covers and not x.ended
        ended = x.ends_at is not None and x.ends_at <= question.at
        if not speaks or ended or x.began_at > question.at:
            continue
        everywhere = not x.territories or place in x.territories
        every_model = not x.models or model in x.models
        if everywhere and every_model:
            whole.append(x)
        if (everywhere or place is None) and (every_model or model is None):
            parts.append(x)
    return _Signed(whole, parts)


def _nobody_to_lend_a_voice(
    recording: RecordingFacts, facts: Facts
) -> Iterator[tuple[str, int | None]]:
    names = recording.voices or (*recording.main_artists, *recording.featured_artists)
    for key in names:
        artist = facts.artists.get(key)
        if artist is None or artist.kind != "person":
            yield "voice_unknown", None


def _decided_without_her(holders: Iterable[ClaimFacts], signed: dict[int, _Signed]) -> bool:
    """Every holder may do without her yes and does, one of the master's among them."""
    by_master = False
    for claim in holders:
        if claim.authority == "own":
            return False  # no contract with her whose clause could say so
        licences = signed[claim.party]
        if not licences.whole:
            return False
        names_a_clause = all(not x.artist_approval and x.clause != "" for x in licences.parts)
        is_mandate = claim.right == "publishing" and claim.authority == "blanket"
        if not names_a_clause and not is_mandate:
            return False
        by_master = by_master or claim.right == "master"
    return by_master


def _says_yes(
    artist: ArtistFacts,
    question: Question,
    facts: Facts,
    place: str,
    signed: dict[int, _Signed],
) -> bool:
    """Does she allow it at this place? Each answer that speaks, unless a narrower one does."""
    speaking = [
        said
        for said in (
            _as_it_stands(_of_a_minor(a, question, artist), question, facts, signed)
            for a in artist.answers
        )
        if said is not None and _reaches(said.territories, place)
    ]
    heard = [a for a in speaking if not any(_lies_strictly_within(b, a) for b in speaking)]
    return bool(heard) and all(a.stance == "allow" for a in heard)


def _of_a_minor(answer: Answer, question: Question, artist: ArtistFacts) -> Answer:
    """Her voice, name and image are her guardian's to lend, for five years at a time."""
    if question.use not in LENT or not artist.is_minor:
        return answer
    if answer.stance != "allow":
        return replace(answer, took_back_allow=False)  # nothing runs off
    if not answer.by_guardian:
        # As any yes that has ended, it stays a no until somebody answers again.
        no = replace(answer, stance="deny", valid_until=None)
        return no if artist.has_guardian else answer
    ends = [answer.valid_until, _birthday(answer.given_at, 5)]
    return replace(answer, valid_until=min(e for e in ends if e is not None))


def _as_it_stands(
    answer: Answer, question: Question, facts: Facts, signed: dict[int, _Signed]
) -> Answer | None:
    """What an answer says at the moment asked about: None when it says nothing any more."""
    if answer.way == "cleared":
        return None
    if answer.valid_until is not None and answer.valid_until <= question.at:
        # A yes that has ended is a no until she answers again; a no that has ended is silent.
        return replace(answer, stance="deny") if answer.stance == "allow" else None
    if answer.stance == "allow" and answer.text not in range(facts.meant_since, 1_000):
        return replace(answer, stance="deny")  # the text she said yes to meant something else
    if _still_runs_off(answer, question, facts, signed):
        return replace(answer, stance="allow")
    return answer


def _still_runs_off(
    answer: Answer, question: Question, facts: Facts, signed: dict[int, _Signed]
) -> bool:
    """A yes that was taken back speaks on for outputs of models that were licensed before."""
    tool = facts.tool
    assert tool is not None
    if answer.stance == "allow" or not answer.took_back_allow:
        return False
    if answer.way in ("revoked", "invalidated"):
        return False
    if tool.model_registered_at is None or tool.model_registered_at >= answer.given_at:
        return False
    if not signed or not all(
        any(x.began_at < answer.given_at for x in some.whole) for some in signed.values()
    ):
        return False
    notice = answer.notice_days
    if notice is None and question.use == "voice":
        notice = 0
    elif notice is None:
        notice = min(x.notice_days for some in signed.values() for x in some.parts)
    return answer.given_at + timedelta(days=notice) > question.at


def _lies_strictly_within(narrow: Answer, wide: Answer) -> bool:
    rank = {"": 0, "company": 1, "tool": 2}
    within = (
        narrow.on_recording >= wide.on_recording
        and rank[narrow.maker] >= rank[wide.maker]
        and (
            not wide.territories
            or (bool(narrow.territories) and narrow.territories <= wide.territories)
        )
    )
    same = (
        narrow.on_recording == wide.on_recording
        and narrow.maker == wide.maker
        and narrow.territories == wide.territories
    )
    return within and not same
