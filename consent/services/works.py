"""Works: compositions, and which of them are on which recording."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from django.db import transaction

from consent.clock import now
from consent.errors import Refused
from consent.identifiers import IdentifierError, normalise_iswc
from consent.models import Recording, Work
from consent.services.acts import open_act, take_turn
from consent.services.identities import Identity, latest_identities, write_identities
from consent.services.ledger import record, refuse_when_frozen
from consent.services.parties import check
from consent.services.profiles import lock_rights, refresh_profiles

if TYPE_CHECKING:
    from portal.models import User


@transaction.atomic
def register_work(*, title: str, iswc: str = "") -> Work:
    """Register a composition; one with an ISWC that is known already comes back as it is.

    Writes no leaf: a work decides nothing until it is on a recording. Raises `Refused`
    (`iswc_malformed`, `iswc_check_digit`, or the field that is wrong).
    """
    stored = None
    if iswc:
        try:
            stored = normalise_iswc(iswc)
        except IdentifierError as error:
            raise Refused(error.code, error.sentence, field="iswc") from error
        take_turn("iswc", stored)
        known = Work.objects.filter(iswc=stored).first()
        if known is not None:
            return known
    work = Work(iswc=stored, title=title.strip(), created_at=now())
    check(work)
    work.save()
    return work


@transaction.atomic
def link_works(
    *, by: "User | None", recordings: Sequence[Recording], works: Sequence[Work]
) -> list[Recording]:
    """Say that these works are on each of these recordings, beside those that are there.

    Returns the recordings for which that was new. Raises `Frozen`.
    """
    return link_each(by=by, links=dict.fromkeys(recordings, works))


@transaction.atomic
def link_each(*, by: "User | None", links: Mapping[Recording, Sequence[Work]]) -> list[Recording]:
    """As `link_works`, with works of its own for each recording, in one act."""
    return _write(by, {r: tuple(w.pk for w in works) for r, works in links.items()}, add=True)


@transaction.atomic
def set_works(*, by: "User | None", recording: Recording, works: Sequence[Work]) -> list[Recording]:
    """Say that these works, and no others, are on a recording. Raises `Frozen`."""
    return _write(by, {recording: tuple(w.pk for w in works)}, add=False)


def _write(
    by: "User | None", links: Mapping[Recording, tuple[int, ...]], *, add: bool
) -> list[Recording]:
    refuse_when_frozen()
    recordings = list(links)
    lock_rights(recordings=[r.pk for r in recordings])
    before = latest_identities([r.pk for r in recordings])
    identities = {}
    for recording, works in links.items():
        identity = before.get(recording.pk, Identity(()))
        kept = identity.works if add else ()
        identities[recording.pk] = replace(identity, works=tuple(dict.fromkeys((*kept, *works))))
    written = write_identities(by, recordings, identities, before=before)
    if written.leaves:
        refresh_profiles(written.recordings)
        act = open_act(
            by=by,
            kind="link_works",
            at=now(),
            entries=len(written.leaves),
            summary={"recordings": len(written.recordings)},
        )
        record(act.ref, written.leaves)
    changed = set(written.recordings)
    return [r for r in recordings if r.pk in changed]
