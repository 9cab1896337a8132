"""What is left of a right for one party once it takes what others claim of a recording for so.

Pure: reads no database. Which claims contradict each other is for `consent.decisions` to say.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

WHOLE_BP: Final = 10_000


@dataclass(frozen=True, slots=True)
class Share:
    """A running claim to one right in a recording; no territories: the world.

    It is on the recording itself, on a song (`of_song`), or on all work of an artist
    (`of_repertoire`).
    """

    party: int
    share_bp: int
    of_song: bool = False
    of_repertoire: bool = False
    territories: frozenset[str] = frozenset()

    @property
    def by_itself(self) -> bool:
        """It is on this very recording."""
        return not (self.of_song or self.of_repertoire)


def left_for(party: int, shares: Iterable[Share]) -> int | None:
    """The share (basis points) that stays with `party` if what others claim of the recording is so.

    None where that settles nothing: it claims no more than that, nobody else claims a part of the
    recording itself, nothing would be left, or another share in one country than in the next, since
    one share is what it confirms. Claims on a song are changed as such: where there are any, None.
    """
    found = list(shares)
    mine = own_shares(party, found)
    others = [one for one in found if one.party != party and one.by_itself]
    if not mine or not others or any(one.of_song for one in found):
        return None
    sums = _sums(others, where=mine)
    if len(sums) != 1:
        return None
    left = WHOLE_BP - sums.pop()
    return left if 0 < left < max(one.share_bp for one in mine) else None


def own_shares(party: int, shares: Iterable[Share]) -> list[Share]:
    """What `party` says of the recording: what it claims of it by itself, or else of more."""
    mine = [one for one in shares if one.party == party]
    return [one for one in mine if one.by_itself] or mine


def who_can_confirm(shares: Sequence[Share]) -> list[int]:
    """The parties that could end it by confirming what others claim of the recording."""
    parties = dict.fromkeys(one.party for one in shares)
    return [party for party in parties if left_for(party, shares) is not None]


def _sums(shares: Sequence[Share], *, where: Sequence[Share]) -> set[int]:
    """What `shares` come to, in every place in which one of `where` is."""
    places: set[str | None] = {place for one in (*shares, *where) for place in one.territories}
    return {
        sum(one.share_bp for one in shares if _is_in(one, place))
        for place in (*places, None)  # None: in all the others
        if any(_is_in(one, place) for one in where)
    }


def _is_in(one: Share, place: str | None) -> bool:
    return not one.territories or place in one.territories
