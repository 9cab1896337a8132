"""Whose rights an artist's own recordings are: what is claimed, by whom, and what nobody claims.

Her own are those on which she is a main artist. Rights are those of master and publishing; voice,
name and likeness are hers without a claim.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from consent.clock import now
from consent.errors import Refused
from consent.models import Artist, ArtistRecording, Recording, RightsClaim
from consent.queries.catalogue import search_recordings
from consent.services.claims import active_claims
from consent.services.identities import Identity, latest_identities
from consent.shares import WHOLE_BP, Share, left_for, who_can_confirm
from consent.words import Authority, Right, Standing

RIGHTS: Final = (Right.MASTER, Right.PUBLISHING)

MOST: Final = 5_000
"""How many recordings one declaration may be about; more are declared in several."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who claims a share (basis points) of a right in a recording.

    `repertoire` is the key of the artist whose whole work is meant (`all_of`: by name), `work` that
    of the song; with neither it is this recording. `claim` names a claim of hers that she can end
    herself. `begins_later`: it is given, and does not count yet.
    """

    party: int
    name: str
    language: str
    share_bp: int
    standing: Standing
    is_own: bool
    work: int | None = None
    repertoire: int | None = None
    claim: uuid.UUID | None = None
    all_of: str = ""
    begins_later: bool = False

    @property
    def is_nothing(self) -> bool:
        """Whether it says that none of the right in this recording is its own."""
        return not self.share_bp

    @property
    def share(self) -> Share:
        """What is claimed, as a share of the right."""
        return Share(
            self.party,
            self.share_bp,
            of_song=self.work is not None,
            of_repertoire=self.repertoire is not None,
        )


@dataclass(frozen=True, slots=True)
class Tangle:
    """Claims to a right that come to more than the whole: `sum_bp` basis points, of these parties.

    `confirm` are the names of the others that can end it by confirming what is claimed of the
    recording itself; `hers_bp` is what would be left to the artist if she did so herself.
    """

    sum_bp: int
    others: tuple[str, ...]
    confirm: tuple[str, ...]
    hers_bp: int | None


@dataclass(frozen=True, slots=True)
class RightsRow:
    """One of her recordings, who claims its master and its publishing, and what is too much."""

    recording: Recording
    master: tuple[Holder, ...]
    publishing: tuple[Holder, ...]
    master_tangle: Tangle | None = None
    publishing_tangle: Tangle | None = None


def own_recordings(artist: Artist, search: str = "") -> QuerySet[ArtistRecording]:
    """The recordings on which this artist is a main artist, by title."""
    found = search_recordings(artist, search).filter(featured=False)
    return found.select_related("recording").order_by("recording__title", "recording_id")


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """Her own recordings of which nobody claims a right in any part: how many, by right."""

    artist: Artist
    profiles: Mapping[Right, Sequence[int]]
    counts: Mapping[Right, int]

    def keys(self, right: Right) -> list[int]:
        """The keys of these recordings, in order, `MOST` of them at most; one query."""
        hers = ArtistRecording.objects.filter(
            artist=self.artist, featured=False, recording__profile__in=self.profiles[right]
        )
        return list(hers.order_by("recording").values_list("recording", flat=True)[:MOST])


def rights_of(
    artist: Artist, recordings: Sequence[Recording] = ()
) -> tuple[list[RightsRow], Unclaimed]:
    """Who claims what on these; and what nobody claims of all her own. At most five queries.

    The latter goes by one example per rights profile, all of which have the same claims.
    """
    counts = list(artist.profile_counts.values_list("example", "profile", "recordings"))
    examples = [example for example, _profile, _number in counts]
    holders = holders_on(artist, {*examples, *(one.pk for one in recordings)})
    free = {
        right: [
            (profile, number)
            for example, profile, number in counts
            if holders[example].is_hers and not _claimed(holders[example].of[right])
        ]
        for right in RIGHTS
    }
    rows = [
        RightsRow(
            one,
            tuple(holders[one.pk].of[Right.MASTER]),
            tuple(holders[one.pk].of[Right.PUBLISHING]),
            tangle_of(artist, holders[one.pk].of[Right.MASTER]),
            tangle_of(artist, holders[one.pk].of[Right.PUBLISHING]),
        )
        for one in recordings
    ]
    return rows, Unclaimed(
        artist,
        {right: [profile for profile, _number in found] for right, found in free.items()},
        {right: sum(number for _profile, number in found) for right, found in free.items()},
    )


def tangle_of(artist: Artist, holders: Sequence[Holder]) -> Tangle | None:
    """What is wrong where more than the whole is claimed, and who can end it; None if it is not."""
    now_so = [one for one in holders if not one.begins_later]
    total = largest_sum(now_so)
    if total <= WHOLE_BP:
        return None
    shares = [one.share for one in now_so]
    able = set(who_can_confirm(shares))
    others = {one.party: one.name for one in _claimed(now_so) if not one.is_own}
    return Tangle(
        total,
        tuple(others.values()),
        tuple(name for party, name in others.items() if party in able),
        left_for(artist.pk, shares),
    )


def who_settles(artist: Artist) -> dict[Right, tuple[str, ...]]:
    """Whose move it is where more than the whole of a right in her own recordings is claimed.

    By name, of each right: those who can end it by confirming a share, or else all who claim. By
    one example per rights profile; at most five queries.
    """
    examples = list(artist.profile_counts.values_list("example", flat=True))
    found: dict[Right, dict[str, None]] = {right: {} for right in RIGHTS}
    for held in holders_on(artist, examples).values():
        for right in RIGHTS:
            tangle = tangle_of(artist, held.of[right])
            if tangle is None:
                continue
            names = tangle.confirm
            if tangle.hers_bp is not None:
                names = (*names, artist.party.name)
            elif not names:
                hers = (artist.party.name,) if any(one.is_own for one in held.of[right]) else ()
                names = (*tangle.others, *hers)
            found[right] |= dict.fromkeys(names)
    return {right: tuple(names) for right, names in found.items()}


def is_on_her_own(artist: Artist) -> bool:
    """Whether nobody but herself delivered any of her recordings, or claims a master of hers.

    Two queries, which do not grow with her catalogue.
    """
    examples = artist.profile_counts.values("example")
    delivered = Recording.objects.filter(billed__artist=artist, sender__isnull=False)
    held = RightsClaim.objects.filter(
        Q(recording__in=examples) | Q(repertoire=artist.pk),
        right=Right.MASTER,
        share_bp__gt=0,
        ended=False,
    )
    return not (
        held.exclude(party=artist.pk).exists() or delivered.exclude(sender=artist.pk).exists()
    )


@dataclass(frozen=True, slots=True)
class Held:
    """Who claims one recording, by right; `is_hers`: the artist is a main artist of it."""

    is_hers: bool
    of: Mapping[Right, Sequence[Holder]]


def holders_on(artist: Artist, recordings: Iterable[int]) -> dict[int, Held]:
    """Every claim on these recordings (keys) that speaks or will; at most four queries."""
    identities = latest_identities(list(recordings))
    claims = active_claims(
        recordings=list(identities),
        works=sorted({key for one in identities.values() for key in one.works}),
        repertoires=sorted({key for one in identities.values() for key in one.main}),
    )
    at = now()
    by_thing: dict[tuple[str, int | None], list[RightsClaim]] = {}
    for claim in claims:
        if claim.right in RIGHTS and (claim.valid_until is None or claim.valid_until > at):
            for thing in ("recording", "work", "repertoire"):
                key = getattr(claim, f"{thing}_id")
                if key is not None:
                    by_thing.setdefault((thing, key), []).append(claim)
    return {
        key: Held(artist.pk in one.main, _of_one(artist, key, one, by_thing, at))
        for key, one in identities.items()
    }


def _of_one(
    artist: Artist,
    key: int,
    identity: Identity,
    by_thing: Mapping[tuple[str, int | None], Sequence[RightsClaim]],
    at: datetime,
) -> dict[Right, list[Holder]]:
    found: dict[Right, list[Holder]] = {right: [] for right in RIGHTS}
    things = [("recording", key)]
    things += [("work", work) for work in identity.works]
    things += [("repertoire", main) for main in identity.main]
    seen: set[uuid.UUID] = set()
    for thing in things:
        for claim in by_thing.get(thing, ()):
            if claim.claim in seen:  # of one that changes later, the terms of now
                continue
            seen.add(claim.claim)
            hers = claim.party_id == artist.pk
            own = hers and claim.authority == Authority.OWN and thing[0] == "recording"
            found[Right(claim.right)].append(
                Holder(
                    party=claim.party_id,
                    name=claim.party.name,
                    language=claim.party.language,
                    share_bp=claim.share_bp,
                    standing=Standing(claim.standing),
                    is_own=hers,
                    work=claim.work_id,
                    repertoire=claim.repertoire_id,
                    claim=claim.claim if own else None,
                    all_of=claim.repertoire.name if claim.repertoire is not None else "",
                    begins_later=claim.valid_from is not None and claim.valid_from > at,
                )
            )
    # Who claims it, and then who says that none of it is theirs.
    return {
        right: sorted(_said_of_it(some), key=lambda one: one.is_nothing)
        for right, some in found.items()
    }


def _said_of_it(holders: Sequence[Holder]) -> list[Holder]:
    """Without what a party says otherwise of this recording itself, as decisions hold it."""
    by_itself = {
        one.party
        for one in holders
        if one.work is None and one.repertoire is None and not one.begins_later
    }
    return [
        one
        for one in holders
        if one.repertoire is None or one.standing is Standing.DISPUTED or one.party not in by_itself
    ]


def _claimed(holders: Sequence[Holder]) -> list[Holder]:
    """Without those who say that none of it is theirs."""
    return [one for one in holders if not one.is_nothing]


def largest_sum(holders: Sequence[Holder]) -> int:
    """The most that is claimed of any part of a right, in basis points.

    A claim on all work of an artist speaks for her share, one on a song for that song.
    """
    return _sum(holders, largest=True)


def smallest_sum(holders: Sequence[Holder]) -> int:
    """The least that is claimed of any part of a right that somebody claims, in basis points."""
    return _sum(holders, largest=False)


def _sum(holders: Sequence[Holder], *, largest: bool) -> int:
    pick = max if largest else min
    whole = sum(one.share_bp for one in holders if one.work is None and one.repertoire is None)
    for of in ("work", "repertoire"):
        parts: dict[int, int] = {}
        for one in holders:
            key = getattr(one, of)
            if key is not None:
                parts[key] = parts.get(key, 0) + one.share_bp
        whole += pick(parts.values(), default=0)
    return whole


@dataclass(frozen=True, slots=True)
class Declaring:
    """What a declaration of one right would do.

    `recordings` are the keys of those that would be claimed, `known` how many she claims already.
    Of the former, `contradicts` would come to more than the whole together with the claims of
    `others`, and `incomplete` to less. Of the others, `confirm` could confirm her share.
    """

    right: Right
    share_bp: int
    recordings: tuple[int, ...]
    known: int
    contradicts: int
    others: tuple[str, ...]
    incomplete: int
    confirm: tuple[str, ...] = ()


def what_declaring_does(
    artist: Artist, *, right: Right, share_bp: int, recordings: Sequence[int]
) -> Declaring:
    """Work out what it would mean, without writing anything.

    Raises `Refused("not_hers")` for a recording of which she is not a main artist.
    """
    holders = holders_on(artist, recordings)
    if not all(key in holders and holders[key].is_hers for key in recordings):
        raise Refused("not_hers", _("Some of these recordings are not by this artist."))
    free, against, less = [], 0, 0
    names: dict[str, None] = {}
    able: dict[str, None] = {}
    for key in recordings:
        held = _claimed(holders[key].of[right])
        if any(one.is_own for one in held):
            continue
        free.append(key)
        if held and largest_sum(held) + share_bp > WHOLE_BP:
            against += 1
            names |= dict.fromkeys(one.name for one in held)
            hers = Share(artist.pk, share_bp)
            parties = who_can_confirm([hers, *(one.share for one in held if not one.begins_later)])
            able |= dict.fromkeys(one.name for one in held if one.party in parties)
        elif smallest_sum(held) + share_bp < WHOLE_BP:
            less += 1
    return Declaring(
        right=right,
        share_bp=share_bp,
        recordings=tuple(free),
        known=len(recordings) - len(free),
        contradicts=against,
        others=tuple(names),
        incomplete=less,
        confirm=tuple(able),
    )
