"""What decisions read of a recording: whose it is, whose voices, which works, does it stand.

Written only when it really changes, each time as a new `RecordingIdentity` with its ledger entry.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from consent.models import Artist, ArtistRecording, Party, Recording, RecordingIdentity, Work
from consent.services.acts import ref_of
from consent.services.ledger import Leaf
from consent.services.parties import make_artists, states_missing
from consent.services.rows import insert_rows

if TYPE_CHECKING:
    from portal.models import User


@dataclass(frozen=True, slots=True)
class Identity:
    """Who and what a recording is, by keys: parties in the order of their billing, and works."""

    main: tuple[int, ...]
    featured: tuple[int, ...] = ()
    voices: tuple[int, ...] = ()
    works: tuple[int, ...] = ()
    withdrawn: bool = False

    def same_to_decisions(self, other: "Identity") -> bool:
        """Order decides nothing."""
        return self.withdrawn == other.withdrawn and all(
            set(mine) == set(theirs)
            for mine, theirs in (
                (self.main, other.main),
                (self.featured, other.featured),
                (self.voices, other.voices),
                (self.works, other.works),
            )
        )


@dataclass
class Written:
    """The leaves of identities that changed, on which recordings, and who was billed before."""

    leaves: list[Leaf] = field(default_factory=list)
    recordings: list[int] = field(default_factory=list)
    billed_before: set[int] = field(default_factory=set)


def latest_identities(recordings: Collection[int]) -> dict[int, Identity]:
    """What speaks now, by recording; in one query."""
    rows = (
        RecordingIdentity.objects.filter(recording__in=recordings)
        .order_by("recording", "-id")
        .distinct("recording")
    )
    return {
        row.recording_id: Identity(
            tuple(row.main_artists),
            tuple(row.featured_artists),
            tuple(row.voices),
            tuple(row.works),
            row.withdrawn,
        )
        for row in rows
    }


def write_identities(
    by: "User | None",
    recordings: Sequence[Recording],
    identities: Mapping[int, Identity],
    *,
    before: Mapping[int, Identity] | None = None,
) -> Written:
    """Write the identities (by recording key) that differ from what speaks now.

    Main and featured artists become artists, and everybody named gets a `PartyState` where there
    is none: those leaves come first.
    For use inside an act that holds the recordings' lock and records the leaves; afterwards call
    `refresh_profiles` with what is returned.
    """
    if before is None:
        before = latest_identities([r.pk for r in recordings])
    changed = [
        r
        for r in recordings
        if r.pk not in before or not identities[r.pk].same_to_decisions(before[r.pk])
    ]
    written = Written(recordings=[r.pk for r in changed])
    if not changed:
        return written
    now_so = [identities[r.pk] for r in changed]
    named = dict.fromkeys(k for i in now_so for k in (*i.main, *i.featured, *i.voices))
    billed = dict.fromkeys(k for i in now_so for k in (*i.main, *i.featured))
    parties = Party.objects.in_bulk(list(named))
    written.leaves = states_missing(by=by, parties=[parties[k] for k in named])
    artists = set(Artist.objects.filter(pk__in=billed).values_list("pk", flat=True))
    make_artists([parties[k] for k in billed if k not in artists])

    refs = {k: str(parties[k].ref) for k in named}
    works = {
        pk: str(ref)
        for pk, ref in Work.objects.filter(pk__in={w for i in now_so for w in i.works}).values_list(
            "pk", "ref"
        )
    }
    facts = []
    for recording, identity in zip(changed, now_so, strict=True):
        leaf = Leaf("recording.identified", _body(by, recording, identity, refs, works))
        written.leaves.append(leaf)
        facts.append(
            RecordingIdentity(
                entry_id=leaf.id,
                recording=recording,
                isrc=recording.isrc,
                main_artists=list(identity.main),
                featured_artists=list(identity.featured),
                voices=list(identity.voices),
                works=list(identity.works),
                withdrawn=identity.withdrawn,
            )
        )
    RecordingIdentity.objects.bulk_create(facts, batch_size=2000)
    written.billed_before = _bill(changed, now_so)
    return written


def _bill(recordings: Sequence[Recording], identities: Iterable[Identity]) -> set[int]:
    """Bring the artists' lists of recordings in line; returns who was on one before."""
    billed = ArtistRecording.objects.filter(recording__in=[r.pk for r in recordings])
    before = set(billed.values_list("artist", flat=True))
    billed.delete()
    rows = []
    for recording, identity in zip(recordings, identities, strict=True):
        main = set(identity.main)
        rows += [
            (key, recording.pk, key not in main)
            for key in dict.fromkeys((*identity.main, *identity.featured))
        ]
    insert_rows(ArtistRecording, ("artist", "recording", "featured"), rows)
    return before


def _body(
    by: "User | None",
    recording: Recording,
    identity: Identity,
    refs: Mapping[int, str],
    works: Mapping[int, str],
) -> dict[str, Any]:
    """The body of `recording.identified`: parties and works by reference, in billing order."""
    return {
        "by": ref_of(by),
        "isrc": recording.isrc,
        "recording": str(recording.ref),
        "main_artists": [refs[k] for k in identity.main],
        "featured_artists": [refs[k] for k in identity.featured],
        "voices": [refs[k] for k in identity.voices],
        "works": sorted(works[k] for k in identity.works),
        "withdrawn": identity.withdrawn,
    }
