"""Recordings registered and corrected by hand: for independents, and where a delivery was wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consent.clock import now
from consent.errors import Refused
from consent.identifiers import IdentifierError, display_isrc, normalise_isrc
from consent.models import Artist, Party, Recording, RightsClaim, Work
from consent.services.acts import open_act, take_turn
from consent.services.claims import write_claims
from consent.services.delivered import BATCH, replace_titles
from consent.services.identities import Identity, latest_identities, write_identities
from consent.services.ledger import record, refuse_when_frozen
from consent.services.parties import check
from consent.services.profiles import lock_rights, refresh_profiles
from consent.words import AiPart, Authority, Right

if TYPE_CHECKING:
    from portal.models import User


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecording:
    """A recording to be registered by hand. `isrc` in any written form; `titles` are further ones.

    `language` is BCP 47, of the title; `featured` answer for themselves; `voices` are the people
    who can be heard, empty when those are the artists themselves.
    """

    isrc: str
    title: str
    language: str = ""
    titles: Sequence[tuple[str, str]] = ()
    duration_ms: int | None = None
    contains_ai: AiPart | str = AiPart.UNDECLARED
    featured: Sequence[Artist] = ()
    voices: Sequence[Party] = ()
    works: Sequence[Work] = ()


@transaction.atomic
def register_recordings(
    *,
    by: "User | None",
    artist: Artist,
    recordings: Sequence[NewRecording],
    rights: Sequence[Right] = (Right.MASTER,),
) -> list[Recording]:
    """Register an artist's own recordings, for whom no label speaks, with her own claims.

    `rights` are those that she holds herself, each in full (`own`, declared). The same recording
    again changes nothing. Raises `Refused`: `isrc_malformed`, `isrc_known` when somebody else's
    recording has the ISRC (then claim that one), or the field that is wrong; `Frozen`.
    """
    refuse_when_frozen()
    take_turn("catalogue")  # of two who register one ISRC, the second finds the first's
    at = now()
    by_isrc: dict[str, NewRecording] = {}
    for new in recordings:
        by_isrc.setdefault(_isrc(new.isrc), new)
    known = {r.isrc: r for r in Recording.objects.filter(isrc__in=by_isrc)}
    identities = latest_identities([r.pk for r in known.values()])
    for isrc, recording in known.items():
        if recording.sender_id is not None or artist.pk not in identities[recording.pk].main:
            raise Refused(
                "isrc_known",
                _("%(isrc)s is in the catalogue already, as a recording of somebody else's."),
                field="isrc",
                params={"isrc": display_isrc(isrc)},
            )
    fresh = [
        Recording(
            isrc=isrc,
            title=new.title.strip(),
            language=new.language,
            duration_ms=new.duration_ms,
            contains_ai=str(new.contains_ai),
            created_at=at,
            updated_at=at,
        )
        for isrc, new in sorted(by_isrc.items())
        if isrc not in known
    ]
    for recording in fresh:
        check(recording, exclude=["sender", "profile"])
    Recording.objects.bulk_create(fresh, batch_size=BATCH)
    lock_rights(recordings=[r.pk for r in fresh], artists=[artist.pk])
    replace_titles({r.pk: [(*t, "") for t in by_isrc[r.isrc].titles] for r in fresh})
    written = write_identities(
        by, fresh, {r.pk: _identity_by_hand(artist, by_isrc[r.isrc]) for r in fresh}
    )
    claims = [
        RightsClaim(
            party=artist.party,
            recording=recording,
            right=str(right),
            share_bp=10_000,
            authority=Authority.OWN,
            source="hand",
        )
        for recording in fresh
        for right in rights
    ]
    leaves = written.leaves + write_claims(by, claims, "claim.made")
    refresh_profiles(written.recordings)
    if leaves:
        act = open_act(
            by=by,
            kind="register_recordings",
            at=at,
            entries=len(leaves),
            artist=artist,
            summary={"recordings": len(fresh)},
        )
        record(act.ref, leaves)
    found = {**known, **{r.isrc: r for r in fresh}}
    return [found[isrc] for isrc in by_isrc]


@transaction.atomic
def change_identity(
    *,
    by: "User | None",
    recording: Recording,
    main: Sequence[Artist] | None = None,
    featured: Sequence[Artist] | None = None,
    voices: Sequence[Party] | None = None,
    withdrawn: bool | None = None,
) -> Recording:
    """Correct what decisions read of a recording; what is not given stays.

    `voices` are the people who can be heard on it. `withdrawn` takes it out of all use. The works
    on it are changed by `consent.services.works.link_works`. Raises `Frozen`, unless all that
    happens is a withdrawal.
    """
    only_no = withdrawn and main is None and featured is None and voices is None
    if not only_no:
        refuse_when_frozen()
    before = latest_identities([recording.pk]).get(recording.pk, Identity(()))
    people = {*before.main, *before.featured, *(a.pk for a in (*(main or ()), *(featured or ())))}
    lock_rights(recordings=[recording.pk], artists=people)
    before = latest_identities([recording.pk]).get(recording.pk, Identity(()))
    keys = before.main if main is None else tuple(a.pk for a in main)
    rest = before.featured if featured is None else tuple(a.pk for a in featured)
    identity = Identity(
        main=keys,
        featured=tuple(k for k in rest if k not in keys),
        voices=before.voices if voices is None else tuple(p.pk for p in voices),
        works=before.works,
        withdrawn=before.withdrawn if withdrawn is None else withdrawn,
    )
    written = write_identities(by, [recording], {recording.pk: identity})
    if written.leaves:
        refresh_profiles(written.recordings, artists=written.billed_before)
        act = open_act(
            by=by,
            kind="change_identity",
            at=now(),
            entries=len(written.leaves),
            summary={"isrc": recording.isrc},
        )
        record(act.ref, written.leaves)
    return recording


def _identity_by_hand(artist: Artist, new: NewRecording) -> Identity:
    return Identity(
        main=(artist.pk,),
        featured=tuple(a.pk for a in new.featured if a.pk != artist.pk),
        voices=tuple(p.pk for p in new.voices),
        works=tuple(w.pk for w in new.works),
    )


def _isrc(text: str) -> str:
    try:
        return normalise_isrc(text)
    except IdentifierError as error:
        raise Refused(error.code, error.sentence, field="isrc") from error
