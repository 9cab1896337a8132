"""What a list of recordings says about each: the answers that name it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from consent.models import Artist
from consent.words import Stance, UseKind
from portal.queries.own import Own, own_on
from portal.templatetags.times import plain_begin


@dataclass(frozen=True, slots=True)
class OwnAnswer:
    """An answer of an artist's that names one recording, in words.

    `note` says what keeps it from holding now, everywhere and for everybody; empty for nothing.
    """

    use: str
    answer: str
    note: str

    @property
    def with_use(self) -> str:
        return f"{self.use}: {self.answer}"


def own_answers(
    artist: Artist,
    recordings: Sequence[int],
    *,
    at: datetime,
    uses: Sequence[UseKind] = tuple(UseKind),
) -> dict[int, list[OwnAnswer]]:
    """Her answers to `uses` that name these recordings (keys), as of `at` (UTC); one query."""
    found = own_on(artist, recordings, uses, at)
    return {
        recording: [
            told for (use, _scope), own in said.items() for told in _told(UseKind(use), own, at)
        ]
        for recording, said in found.items()
    }


def _told(use: UseKind, own: Own, at: datetime) -> Iterator[OwnAnswer]:
    for one in (own.speaks, *own.beside):
        if one is None:
            continue
        notes = []
        if one.tool_id or one.company_id or one.territories:
            notes.append(_("in part"))
        if one.valid_from is not None and one.valid_from > at:
            notes.append(_("from %(day)s") % {"day": plain_begin(one.valid_from)})
        if one.pk in own.over or (own.ended and one is own.speaks):
            notes.append(_("over"))
        yield OwnAnswer(str(use.label), str(Stance(one.stance).label), ", ".join(notes))
