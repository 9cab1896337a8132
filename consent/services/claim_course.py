"""How a claim runs through time: the row that speaks now, and those given for later.

Of the rows of a claim the newest that has begun speaks (`consent/sql/decision.sql`). So a row takes
the word from all earlier rows, for good, from its beginning on: whoever changes what speaks now has
to say again what is still to come, or it would never come.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise
from typing import Any, Self

from consent.models import RightsClaim
from consent.words import Standing

TERMS = ("share_bp", "authority", "territories", "valid_until")


def terms_of(row: RightsClaim) -> tuple[object, ...]:
    """What two rows of one claim are compared by: share, authority, territories and end."""
    return (row.share_bp, str(row.authority), tuple(row.territories), row.valid_until)


@dataclass(frozen=True, slots=True)
class Course:
    """The rows of one claim that speak or will speak, seen at the UTC moment `at`.

    In the order in which they begin. The first speaks now, unless the claim begins later.
    """

    rows: tuple[RightsClaim, ...]
    at: datetime

    @classmethod
    def of(cls, newest_first: Iterable[RightsClaim], at: datetime) -> Self:
        """The course of a claim, from all its rows."""
        found: list[RightsClaim] = []
        for row in newest_first:
            if _has_begun(row, at):
                found.append(row)
                break
            if not found or _begins(row) < _begins(found[-1]):
                found.append(row)
        return cls(tuple(reversed(found)), at)

    @property
    def is_ended(self) -> bool:
        """Has the claim ended for good? One that ran out has not: it can be given a new end."""
        return self.rows[0].ended

    def in_standing(self, standing: Standing) -> list[RightsClaim]:
        """The rows to write so that the claim is in this standing at once, and stays so.

        None where it is already. What was given for later still comes, in the same standing.
        """
        if all(row.standing == standing for row in self.rows):
            return []
        found = [self._again(row) for row in self.rows]
        for row in found:
            row.standing = standing
        return found

    def ended(self) -> RightsClaim:
        """The row to write so that the claim ends at once; what was given for later never comes."""
        row = self._again(self.rows[0])
        row.ended, row.valid_from = True, None
        return row

    def speaking_at(self, moment: datetime) -> RightsClaim:
        """The row that speaks then by what is known; of a claim not yet begun, its first."""
        return self.rows[self._place(moment)]

    def with_terms(
        self, terms: Mapping[str, Any], since: datetime | None = None
    ) -> list[RightsClaim]:
        """The rows to write so that `terms` (some of `TERMS`) hold from `since`: None is at once.

        None where they do already. A claim that has not begun keeps its beginning, and begins
        earlier with an earlier `since`. What was given for later still comes, and keeps what it
        changes: a share of 50 % from May stays that, whatever is said of April.
        """
        place = self._place(since or self.at)
        old, new = self.rows[place], self._again(self.rows[place])
        for name, value in terms.items():
            setattr(new, name, value)
        is_earlier = since is not None and not _has_begun(old, since)
        if terms_of(new) == terms_of(old) and not is_earlier:
            return []
        if since is not None:
            new.valid_from = since
        _declare(new)
        found = [new]
        for before, row in pairwise(self.rows[place:]):
            later = self._again(row)
            for name in TERMS:
                if getattr(row, name) == getattr(before, name):
                    setattr(later, name, getattr(found[-1], name))
            if terms_of(later) != terms_of(row):
                _declare(later)
            found.append(later)
        # What would begin when the claim is over says nothing.
        return [new, *(r for r in found[1:] if not r.valid_until or _begins(r) < r.valid_until)]

    def _place(self, moment: datetime) -> int:
        return max((n for n, row in enumerate(self.rows) if _has_begun(row, moment)), default=0)

    def _again(self, row: RightsClaim) -> RightsClaim:
        """A new row that says the same, from now or from when it was given for."""
        return RightsClaim(
            claim=row.claim,
            party=row.party,
            recording=row.recording,
            work=row.work,
            repertoire=row.repertoire,
            right=row.right,
            share_bp=row.share_bp,
            territories=row.territories,
            valid_from=None if _has_begun(row, self.at) else row.valid_from,
            valid_until=row.valid_until,
            authority=row.authority,
            standing=row.standing,
            source=row.source,
        )


def courses(rows: Iterable[RightsClaim], at: datetime) -> list[Course]:
    """The course of every claim of which `rows` are all rows: claim by claim, newest first."""
    return [Course.of(some, at) for _claim, some in groupby(rows, key=lambda row: row.claim)]


def _begins(row: RightsClaim) -> datetime:
    assert row.valid_from is not None
    return row.valid_from


def _has_begun(row: RightsClaim, at: datetime) -> bool:
    return row.valid_from is None or row.valid_from <= at


def _declare(row: RightsClaim) -> None:
    """What was verified were the old terms. New terms do not settle a dispute."""
    if row.standing == Standing.VERIFIED:
        row.standing = Standing.DECLARED
