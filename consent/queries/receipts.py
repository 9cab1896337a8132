"""Which leaves a receipt needs: all that an answer rests on, and what ties pseudonyms to names.

Of other people only what they claim and licensed is taken in, never what they answered or are: the
answers are the artist's own, and the state of a party (a minor, an estate) hers, an organisation's,
or one that a reason names.
"""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db.models import Q, QuerySet

from consent.decisions import NEEDS, Code, Decision, Facts, touches
from consent.discretion import heard_by, seen_by
from consent.models import (
    Artist,
    ModelVersionState,
    PartyState,
    Permission,
    Recording,
    ToolState,
    Wording,
)
from consent.queries.decision import Ask, load
from consent.receipt import Texts
from consent.words import PartyKind

_OF_A_STATE = frozenset(
    {
        Code.ARTIST_SUSPENDED,
        Code.COMPANY_SUSPENDED,
        Code.HOLDER_SUSPENDED,
        Code.GUARDIAN_MISSING,
        Code.ANSWER_WITHOUT_GUARDIAN,
    }
)
_ORGANISATIONS = (PartyKind.COMPANY, PartyKind.SOCIETY)


@dataclass(frozen=True, slots=True)
class Grounds:
    """An answer and the ledger positions of what it rests on.

    `at` (UTC) and `known_seq` are the moment and the position that were answered for. `texts` says,
    by the position of a yes to an earlier text, which that was and which replaced it.
    """

    decision: Decision
    at: datetime
    known_seq: int
    seqs: frozenset[int]
    texts: Mapping[int, Texts] = field(default_factory=dict)


def grounds_of(
    ask: Ask, *, artist: Artist, recording: Recording, known_seq: int | None = None
) -> Grounds:
    """What the answer to `ask` rests on, for a receipt of `artist`, who may read it.

    The recording's identity, the tool with its company, the claims on every right that the use
    needs and their holders, the licences with the model versions that they name, and all that the
    artist herself said of this use and recording. Of other artists the decision says only who is
    outstanding (`consent.discretion`), and their answers are no part of it. Where she is heard and
    not billed, nor is what others claim, and what those who are billed have licensed.
    """
    loaded = load([ask], at=ask.at, known_seq=known_seq)
    facts, decision = loaded.facts(ask), seen_by(loaded.decide(ask), (artist.pk,))
    closed = _closed_to(artist, facts)
    if closed:
        decision = _without(heard_by(decision, artist.pk), closed)
    known = Q(entry__seq__lte=loaded.seq, entry__recorded_at__lte=loaded.at)
    seqs = {reason.seq for reason in decision.reasons if reason.seq is not None}
    seqs |= _object(facts)
    holders = set()
    for claim in facts.claims:
        if claim.right in _rights(ask.use) and touches(claim.territories, ask.territory):
            seqs.add(claim.seq)
            holders.add(claim.party)
    models: set[int] = set() if facts.tool is None else {facts.tool.model or 0}
    for licence in facts.licences:
        signed = licence.holder in holders or licence.holder in facts.artists
        if signed and licence.covers and ask.use in licence.uses:
            seqs.add(licence.seq)
            models |= licence.models
    seqs -= closed
    seqs |= _latest(ModelVersionState.objects.filter(known, model_version__in=models))
    named = {r.party for r in decision.reasons if r.party is not None and r.code in _OF_A_STATE}
    if facts.tool is not None:
        named.add(facts.tool.company)
    named |= _organisations(holders) | {artist.pk}
    states = PartyState.objects.filter(known, party__in=named)
    seqs |= _latest(states)
    seqs |= first_leaves(parties=_tied(facts, artist), among=states)
    mine = Permission.objects.filter(known, artist=artist, use=ask.use)
    touching = mine.filter(Q(recording=None) | Q(recording=recording))
    seqs |= set(touching.values_list("entry__seq", flat=True))
    texts = _texts(decision, mine, Wording.objects.filter(known, use=ask.use), facts.meant_since)
    for each in texts.values():
        seqs |= {each.replaced_by} | ({each.read} if each.read is not None else set())
    return Grounds(decision, loaded.at, loaded.seq, frozenset(seqs), texts)


def _closed_to(artist: Artist, facts: Facts) -> set[int]:
    """Where the shares stand, and the licences of people, that are not for whoever is only heard.

    None where she is billed.
    """
    recording = facts.recording
    if recording is None:
        return set()
    billed = recording.main_artists + recording.featured_artists
    if artist.pk in billed:
        return set()
    claims = {claim.seq for claim in facts.claims if claim.party != artist.pk}
    return claims | {one.seq for one in facts.licences if one.holder in billed}


def _without(decision: Decision, closed: Collection[int]) -> Decision:
    """The decision with reasons that rest on nothing where what they rest on is closed."""
    told = (replace(r, seq=None) if r.seq in closed else r for r in decision.reasons)
    return replace(decision, reasons=tuple(told))


def _texts(
    decision: Decision,
    answers: "QuerySet[Permission]",
    published: "QuerySet[Wording]",
    meant_since: int,
) -> dict[int, Texts]:
    """Of each yes to an earlier text: where that was published, and the one that replaced it."""
    outdated = [r.seq or 0 for r in decision.reasons if r.code is Code.ANSWER_OUTDATED]
    if not outdated:
        return {}
    replaced_by = (
        published.filter(version=meant_since, means_the_same=False)
        .order_by("id")
        .values_list("entry__seq", flat=True)[0]
    )
    read = answers.filter(entry__seq__in=outdated)
    return {
        answer: Texts(text, replaced_by)
        for answer, text in read.values_list("entry__seq", "wording__entry__seq")
    }


def ties_of(
    *,
    artists: Collection[uuid.UUID],
    companies: Collection[uuid.UUID],
    tools: Collection[uuid.UUID],
) -> set[int]:
    """The positions of the leaves that say who these refs are: registered parties and tools."""
    states = PartyState.objects.filter(party__ref__in={*artists, *companies})
    found = set(
        states.order_by("party", "id").distinct("party").values_list("entry__seq", flat=True)
    )
    made = ToolState.objects.filter(tool__ref__in=tools).order_by("tool", "id").distinct("tool")
    return found | set(made.values_list("entry__seq", flat=True))


def first_leaves(*, parties: Collection[int], among: "QuerySet[PartyState]") -> set[int]:
    """Where these parties (by key) were registered: those leaves carry their sealed names."""
    first = among.filter(party__in=parties).order_by("party", "id").distinct("party")
    return set(first.values_list("entry__seq", flat=True))


def _object(facts: Facts) -> set[int]:
    found = {facts.recording.seq} if facts.recording is not None else set()
    return found | ({facts.tool.seq} if facts.tool is not None else set())


def _rights(use: str) -> set[str]:
    needs = NEEDS.get(use)
    if needs is None:
        return set()
    asked = {
        "master": needs.master,
        "publishing": needs.publishing,
        "likeness": needs.own_signature,
    }
    return {right for right, needed in asked.items() if needed}


def _tied(facts: Facts, artist: Artist) -> set[int]:
    return {artist.pk} if facts.tool is None else {artist.pk, facts.tool.company}


def _organisations(parties: Collection[int]) -> set[int]:
    states = PartyState.objects.filter(party__in=parties, party__kind__in=_ORGANISATIONS)
    return set(states.values_list("party", flat=True))


def _latest(states: "QuerySet[PartyState] | QuerySet[ModelVersionState]") -> set[int]:
    of = "party" if states.model is PartyState else "model_version"
    return set(states.order_by(of, "-id").distinct(of).values_list("entry__seq", flat=True))
