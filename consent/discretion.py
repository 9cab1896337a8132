"""What a decision may say to whom: its reasons, without what is another person's own.

Pure, like `consent.decisions`. Whoever has a say in a recording is named on its sleeve, so who is
still outstanding may be told. What somebody answered, took back or had revoked, and what somebody
is (a minor, suspended), is nobody's business but that person's own and her people's.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from consent.decisions import Code, Decision, Reason, Verdict

# By how they begin, so that a code that is added about an answer is discreet from its first day.
PERSONAL: Final = frozenset(
    {code for code in Code if code.value.startswith(("artist_", "answer_"))}
    | {Code.GUARDIAN_MISSING, Code.RUNS_OFF, Code.OBJECTION}
)
"""What is said about one person who was asked; each of them has exactly one in a decision."""

# What an AI company is told of an artist who alone is asked.
_TO_COMPANIES: Final = {
    Code.GUARDIAN_MISSING: Code.ARTIST_UNDECIDED,
    Code.ARTIST_SUSPENDED: Code.ARTIST_UNDECIDED,
    Code.ANSWER_WITHOUT_GUARDIAN: Code.ARTIST_UNDECIDED,
    Code.ARTIST_WITHDREW: Code.ARTIST_DENIES,
    Code.ANSWER_REVOKED: Code.ARTIST_DENIES,
}


def seen_by(decision: Decision, artists: Collection[int]) -> Decision:
    """The decision as the people of `artists` (keys) may read it.

    Of everybody else who is asked only `artist_undecided` (no yes, for whatever cause, or no
    licence for her likeness) or `artist_allows` (not in the way) is left, without ledger position
    and date; where a contract does without the artists, nothing. What others hold and license of
    the recording itself stays, as do the answer and the order of the reasons.
    """
    asked = {reason.party for reason in decision.reasons if reason.code in PERSONAL}
    if all(party in artists for party in asked):
        return decision
    overridden = any(reason.code is Code.OVERRIDDEN for reason in decision.reasons)
    theirs = {
        reason
        for reason in decision.reasons
        if reason.party not in artists and (_is_about(asked, reason) or _signs(asked, reason))
    }
    outstanding = {reason.party for reason in theirs if reason.verdict is Verdict.NO}
    told: dict[Reason, None] = {}
    for reason in decision.reasons:
        if reason not in theirs:
            told[reason] = None
        elif reason.party in outstanding:
            told[Reason(Code.ARTIST_UNDECIDED, Verdict.NO, reason.party)] = None
        elif reason.code in PERSONAL and not overridden:
            told[Reason(Code.ARTIST_ALLOWS, Verdict.YES, reason.party)] = None
    return replace(decision, reasons=tuple(told))


def heard_by(decision: Decision, artist: int) -> Decision:
    """The decision as the people of an artist (key) who is heard and not billed may read it.

    As `seen_by`. And that a holder of the recording, who is asked nothing here, is suspended, she
    reads as one that has not licensed it: it may be a person who is billed.
    """
    seen = seen_by(decision, (artist,))
    told: dict[tuple[object, ...], Reason] = {}
    for reason in seen.reasons:
        if reason.code is Code.HOLDER_SUSPENDED and reason.party != artist:
            # One for each holder, as of those that have not licensed it.
            key: tuple[object, ...] = (reason.code, reason.party, reason.right)
            told.setdefault(key, replace(reason, code=Code.NO_LICENCE))
        else:
            told[(reason,)] = reason
    return replace(seen, reasons=tuple(told.values()))


def told_to_companies(reasons: Sequence[Reason]) -> list[Reason]:
    """The reasons as any AI company may read them: what the artists said is one reason.

    Where one artist is asked, it is hers, but that a yes was taken back or revoked is
    `artist_denies`, and what she is (a minor, suspended) `artist_undecided`. Where several
    are asked: `artist_allows` if all say yes (`runs_off`, until the first end, if that is why it
    is a yes), else `artist_undecided`, whoever said what. Parties and positions are left in: the
    caller spells neither.
    """
    people = [reason for reason in reasons if reason.code in PERSONAL]
    if not people:
        return list(reasons)
    asked = {reason.party for reason in people}
    said = _public(people[0]) if len(people) == 1 else _together(people)
    told: list[Reason] = []
    for reason in reasons:
        if reason.code in PERSONAL:
            if reason is people[0]:
                told.append(said)
        elif _is_about(asked, reason):
            told.append(replace(reason, code=Code.NO_LICENCE))
        else:
            told.append(reason)
    return told


def public_code(code: str, *, allowed: bool) -> str:
    """The one code for whoever may not know whose answer it was; other codes are unchanged.

    For a reason that was kept alone, without its party: the last of a yes, or the first no.
    """
    if code not in PERSONAL:
        return code
    return str(Code.ARTIST_ALLOWS if allowed else Code.ARTIST_UNDECIDED)


def _is_about(asked: Collection[int | None], reason: Reason) -> bool:
    """Does it say something personal? That a holder is suspended does, of one who is asked."""
    if reason.code is Code.HOLDER_SUSPENDED:
        return reason.party in asked
    return reason.code in PERSONAL


def _signs(asked: Collection[int | None], reason: Reason) -> bool:
    """Is it about a licence for the likeness of one who is asked, signed by herself or missing?"""
    return reason.right == "likeness" and reason.party in asked


def _public(reason: Reason) -> Reason:
    code = _TO_COMPANIES.get(reason.code)
    return reason if code is None else replace(reason, code=code)


def _together(people: Sequence[Reason]) -> Reason:
    verdicts = {reason.verdict for reason in people}
    if verdicts == {Verdict.YES}:
        ends = [r.until for r in people if r.code is Code.RUNS_OFF and r.until is not None]
        if ends:
            return Reason(Code.RUNS_OFF, Verdict.YES, until=min(ends))
        return Reason(Code.ARTIST_ALLOWS, Verdict.YES)
    verdict = Verdict.NO if Verdict.NO in verdicts else Verdict.NOTE
    return Reason(Code.ARTIST_UNDECIDED, verdict)
