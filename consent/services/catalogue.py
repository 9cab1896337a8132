"""The catalogue: release messages read in, recordings registered by hand, identities corrected.

One message is one act and one transaction. It is read whole: what it says of a recording that the
sender delivered before replaces what was said before; what decisions read gets a ledger entry only
where it really changed.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from consent.catalogue import message as ern
from consent.catalogue.ern import read_message
from consent.catalogue.notes import Note, to_json
from consent.catalogue.problems import Problem, Severity
from consent.clock import now
from consent.identifiers import display_isrc
from consent.models import (
    CatalogueMessage,
    Party,
    Recording,
    Release,
    RightsClaim,
    Track,
    Work,
)
from consent.services.acts import open_act, take_turn
from consent.services.claims import active_claims, write_claims
from consent.services.delivered import (
    BATCH,
    VOCAL_ROLES,
    credits_of,
    day_of,
    is_iswc,
    recording_values,
    replace_credits,
    replace_titles,
    titles_of,
)
from consent.services.identities import Identity, latest_identities, write_identities
from consent.services.ledger import Leaf, record, refuse_when_frozen
from consent.services.matching import Matched, match_parties, match_sender
from consent.services.parties import states_missing
from consent.services.profiles import lock_rights, refresh_profiles
from consent.services.rows import insert_rows, update_rows
from consent.words import Authority, Right

if TYPE_CHECKING:
    from portal.models import User


RELEASE_COLUMNS = (
    "icpn",
    "title",
    "language",
    "kind",
    "label_name",
    "released_on",
    "message_created_at",
)


@dataclass
class ImportCounts:
    """What an import did, in numbers. Problems are counted by the report's own list."""

    recordings_new: int = 0
    recordings_updated: int = 0
    recordings_unchanged: int = 0
    recordings_of_others: int = 0
    recordings_older: int = 0
    releases_new: int = 0
    releases_updated: int = 0
    releases_unchanged: int = 0
    releases_older: int = 0
    parties_new: int = 0
    identities: int = 0
    claims: int = 0
    leaves: int = 0


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a message. `already_read`: it was read before, and changed nothing now."""

    sender: Party
    message_id: str
    already_read: bool = False
    counts: ImportCounts = field(default_factory=ImportCounts)
    problems: tuple[Problem, ...] = ()


@transaction.atomic
def import_message(*, by: "User | None", message: ern.Message, digest: str) -> ImportReport:
    """Take a release message into the catalogue; `digest` is the SHA-256 of its file, hexadecimal.

    - The same file twice changes nothing and says so.
    - For each release the newest message counts, by the moment that the message gives; an older
      one changes nothing there, and is reported.
    - The sender gets a master claim (all of it, declared) on each recording it never claimed.
    - A recording that another sender delivered first keeps its identity; the claim is recorded
      beside the other one, and both are shown the conflict.
    - Vocalists that the message names are the recording's voices; where it names none, those that
      were named before stay. Works that were linked by hand stay, too.

    Raises `Frozen`. Everything else that is wrong is in the report, line by line.
    """
    refuse_when_frozen()
    # One message at a time: two that name the same new artist must not make her twice.
    take_turn("catalogue")
    return _Import(by, message, digest).run()


def import_file(*, by: "User | None", file: BinaryIO) -> ImportReport:
    """Read a release message from a file opened for reading bytes, and take it in.

    Raises `MessageRefused` when it cannot be read at all, and as `import_message` does.
    """
    digest = hashlib.sha256()
    while part := file.read(1 << 20):
        digest.update(part)
    file.seek(0)
    return import_message(by=by, message=read_message(file), digest=digest.hexdigest())


class _Import:
    def __init__(self, by: "User | None", message: ern.Message, digest: str) -> None:
        self.by = by
        self.message = message
        self.digest = digest
        self.at = now()
        self.counts = ImportCounts()
        self.problems: list[Problem] = list(message.problems)
        self.leaves: list[Leaf] = []
        self.lines = {r.isrc: r.line for r in message.recordings}

    def run(self) -> ImportReport:
        message = self.message
        self.sender, is_new = match_sender(message.sender, at=self.at)
        if not is_new:
            read = CatalogueMessage.objects.filter(
                sender=self.sender, message_id=message.message_id
            )
            digests = set(read.values_list("digest", flat=True))
            if self.digest in digests:
                return ImportReport(self.sender, message.message_id, already_read=True)
            if digests:
                self._note("same_id_other_content", message.message_id)
        if message.is_test:
            self._note("test_message")
        if message.sent_on_behalf_of is not None:
            self._note("sent_for_another", message.sent_on_behalf_of.name, self.sender.name)
        self.counts.parties_new += is_new
        self.leaves += states_missing(by=self.by, parties=[self.sender])

        current = self._current_releases()
        delivered = self._delivered(current)
        recordings = self._load(delivered)
        mine = {i: r for i, r in recordings.items() if self._is_mine(r)}
        touched = self._write_recordings({i: delivered[i] for i in mine}, mine)
        touched |= self._claim(recordings)
        self._write_releases(current, recordings)
        refresh_profiles(touched, artists=self.billed_before)
        return self._finish()

    def _finish(self) -> ImportReport:
        message = self.message
        self.counts.leaves = len(self.leaves)
        CatalogueMessage.objects.create(
            sender=self.sender,
            message_id=message.message_id,
            digest=self.digest,
            version=message.version,
            created_at=message.created_at,
            read_at=self.at,
            report=[to_json(p) for p in self.problems],
        )
        if self.leaves:
            act = open_act(
                by=self.by,
                kind="import_message",
                at=self.at,
                entries=len(self.leaves),
                summary={
                    "sender": str(self.sender.ref),
                    "message": message.message_id,
                    **asdict(self.counts),
                },
            )
            record(act.ref, self.leaves)
        return ImportReport(
            self.sender,
            message.message_id,
            counts=self.counts,
            problems=tuple(sorted(self.problems, key=lambda p: p.line)),
        )

    # Releases

    def _current_releases(self) -> dict[str, ern.Release]:
        """The releases for which this message is the newest, by key."""
        by_key: dict[str, ern.Release] = {}
        for release in self.message.releases:
            by_key.setdefault(self.message.release_key(release), release)
        self.known_releases = {
            r.key: r for r in Release.objects.filter(sender=self.sender, key__in=by_key)
        }
        for key, known in self.known_releases.items():
            if known.message_created_at > self.message.created_at:
                release = by_key.pop(key)
                self.counts.releases_older += 1
                newer = known.message_created_at.isoformat(timespec="minutes")
                self._note("older_message", release.title or key, newer, line=release.line)
        return by_key

    def _write_releases(
        self, current: Mapping[str, ern.Release], recordings: Mapping[str, Recording]
    ) -> None:
        tracks_before: dict[int, list[tuple[int, int]]] = {}
        for release_pk, recording_pk, position in Track.objects.filter(
            release__in=self.known_releases.values()
        ).values_list("release", "recording", "position"):
            tracks_before.setdefault(release_pk, []).append((recording_pk, position))
        rewritten: list[tuple[Release, list[tuple[int, int]]]] = []
        fresh: list[Release] = []
        known: list[Release] = []
        for key, delivered in current.items():
            release = self.known_releases.get(key)
            tracks = self._tracks(delivered, recordings)
            values = self._release_values(delivered)
            if release is None:
                release = Release(sender=self.sender, key=key, **values)
                release.updated_at = self.at
                fresh.append(release)
                rewritten.append((release, tracks))
                self.counts.releases_new += 1
                continue
            same = all(
                getattr(release, name) == value
                for name, value in values.items()
                if name != "message_created_at"
            )
            same_tracks = sorted(tracks) == sorted(tracks_before.get(release.pk, []))
            for name, value in values.items():
                setattr(release, name, value)
            if not same or not same_tracks:
                release.updated_at = self.at
                self.counts.releases_updated += 1
            else:
                self.counts.releases_unchanged += 1
            known.append(release)
            if not same_tracks:
                rewritten.append((release, tracks))
        columns = (
            [*self._release_values(next(iter(current.values()))), "updated_at"] if known else []
        )
        update_rows(Release, columns, ([r.pk, *(getattr(r, c) for c in columns)] for r in known))
        Release.objects.bulk_create(fresh, batch_size=BATCH)
        Track.objects.filter(release__in=[r for r, _tracks in rewritten]).delete()
        insert_rows(
            Track,
            ("release", "recording", "position"),
            ((release.pk, *track) for release, tracks in rewritten for track in tracks),
        )

    def _tracks(
        self, release: ern.Release, recordings: Mapping[str, Recording]
    ) -> list[tuple[int, int]]:
        places: dict[int, int] = {}
        for track in release.tracks:
            recording = recordings.get(track.isrc or "")
            if recording is None:
                continue
            if recording.pk in places:
                self._note(
                    "listed_twice", display_isrc(recording.isrc), release.title, line=release.line
                )
                continue
            places[recording.pk] = track.position
        return list(places.items())

    def _release_values(self, release: ern.Release) -> dict[str, Any]:
        values = (
            release.icpn,
            release.title[:500],
            release.title_language,
            release.kind,
            release.label_name[:300],
            day_of(release.released_on or release.originally_released_on),
            self.message.created_at,
        )
        return dict(zip(RELEASE_COLUMNS, values, strict=True))

    # Recordings

    def _delivered(self, current: Mapping[str, ern.Release]) -> dict[str, ern.Recording]:
        """The recordings that this message is the newest word on: not those of older releases."""
        on_any = {t.isrc for r in self.message.releases for t in r.tracks}
        on_current = {t.isrc for r in current.values() for t in r.tracks}
        delivered = {
            r.isrc: r
            for r in self.message.recordings
            if r.isrc in on_current or r.isrc not in on_any
        }
        newest = dict(
            Track.objects.filter(recording__isrc__in=delivered, release__sender=self.sender)
            .values_list("recording__isrc")
            .annotate(Max("release__message_created_at"))
        )
        self.older = {isrc for isrc, moment in newest.items() if moment > self.message.created_at}
        for isrc in sorted(self.older):
            self._note_on(isrc, "older_for_recording")
        self.counts.recordings_older = len(self.older)
        return delivered

    def _load(self, delivered: Mapping[str, ern.Recording]) -> dict[str, Recording]:
        """The recordings delivered, made where they are new, under their lock."""
        known = set(Recording.objects.filter(isrc__in=delivered).values_list("isrc", flat=True))
        fresh = [delivered[isrc] for isrc in sorted(delivered) if isrc not in known]
        self.fresh = {r.isrc for r in fresh}
        Recording.objects.bulk_create(
            (
                Recording(
                    isrc=r.isrc,
                    sender=self.sender,
                    created_at=self.at,
                    updated_at=self.at,
                    **recording_values(r),
                )
                for r in fresh
            ),
            batch_size=BATCH,
        )
        self.counts.recordings_new = len(fresh)
        found = Recording.objects.filter(isrc__in=delivered)
        lock_rights(recordings=found.values_list("pk", flat=True))
        return {r.isrc: r for r in found.select_related("sender").order_by("isrc")}

    def _is_mine(self, recording: Recording) -> bool:
        if recording.sender_id == self.sender.pk:
            return recording.isrc not in self.older
        self.counts.recordings_of_others += 1
        other = recording.sender.name if recording.sender else str(_("the artist"))
        self._note_on(recording.isrc, "recording_of_another", other)
        return False

    def _write_recordings(
        self, delivered: Mapping[str, ern.Recording], recordings: Mapping[str, Recording]
    ) -> set[int]:
        """Write titles, credits and identities; returns the keys whose identity changed."""
        matched = self._match(delivered.values())
        self.counts.parties_new += len(matched.created)
        keys = {recordings[isrc].pk: isrc for isrc in delivered}
        titles = {pk: titles_of(delivered[isrc]) for pk, isrc in keys.items()}
        credits = {pk: credits_of(delivered[isrc], matched) for pk, isrc in keys.items()}
        changed = self._write_details(delivered, recordings)
        changed |= replace_titles(titles)
        changed |= replace_credits(credits)

        before = latest_identities(list(keys))
        works = self._works(delivered.values())
        identities = {
            pk: self._identity(delivered[isrc], matched, works, before.get(pk))
            for pk, isrc in keys.items()
        }
        written = write_identities(
            self.by, [recordings[isrc] for isrc in keys.values()], identities, before=before
        )
        self.leaves += written.leaves
        self.billed_before = written.billed_before
        self.counts.identities = len(written.recordings)
        changed |= set(written.recordings)

        known = [pk for pk, isrc in keys.items() if isrc not in self.fresh]
        updated = [pk for pk in known if pk in changed]
        Recording.objects.filter(pk__in=updated).update(updated_at=self.at)
        self.counts.recordings_updated = len(updated)
        self.counts.recordings_unchanged = len(known) - len(updated)
        return set(written.recordings)

    def _match(self, delivered: Iterable[ern.Recording]) -> Matched:
        references: dict[str, None] = {}
        specials: set[str] = set()
        for r in delivered:
            named: tuple[ern.DisplayArtist | ern.Contributor, ...]
            named = (*r.display_artists, *r.contributors)
            for who in named:
                if who.special:
                    specials.add(who.special)
                else:
                    references[who.party_reference] = None
        known = self.message.parties
        matched = match_parties(
            sender=self.sender,
            parties=[known[ref] for ref in references if ref in known],
            specials=specials,
            at=self.at,
        )
        self.problems += matched.notes
        return matched

    def _write_details(
        self, delivered: Mapping[str, ern.Recording], recordings: Mapping[str, Recording]
    ) -> set[int]:
        changed: dict[int, dict[str, Any]] = {}
        for isrc, r in delivered.items():
            recording, values = recordings[isrc], recording_values(r)
            if isrc not in self.fresh and any(
                getattr(recording, n) != v for n, v in values.items()
            ):
                changed[recording.pk] = values
        if changed:
            columns = list(next(iter(changed.values())))
            update_rows(Recording, columns, ((pk, *v.values()) for pk, v in changed.items()))
        return set(changed)

    def _works(self, delivered: Iterable[ern.Recording]) -> dict[str, int]:
        """The works that recordings name by a valid ISWC, made where they are new."""
        titles = {w.value: r.title for r in delivered for w in r.works if is_iswc(w)}
        if not titles:
            return {}
        Work.objects.bulk_create(
            (
                Work(iswc=iswc, title=titles[iswc][:500], created_at=self.at)
                for iswc in sorted(titles)
            ),
            batch_size=BATCH,
            ignore_conflicts=True,
        )
        found = Work.objects.filter(iswc__in=titles).values_list("iswc", "pk")
        return {iswc: pk for iswc, pk in found if iswc is not None}

    def _identity(
        self,
        recording: ern.Recording,
        matched: Matched,
        works: Mapping[str, int],
        before: Identity | None,
    ) -> Identity:
        billed: dict[str, dict[int, None]] = {"MainArtist": {}, "FeaturedArtist": {}}
        for artist in recording.display_artists:
            party = matched.parties.get(artist.party_reference)
            if artist.role in billed and party is not None:
                billed[artist.role][party.pk] = None
            elif artist.role in billed and not artist.special:
                self._note_on(recording.isrc, "artist_without_name")
        main, featured = billed["MainArtist"], billed["FeaturedArtist"]
        if not main:
            self._note_on(recording.isrc, "no_main_artist")
        voices = dict.fromkeys(
            matched.parties[c.party_reference].pk
            for c in recording.contributors
            if c.party_reference in matched.parties and not VOCAL_ROLES.isdisjoint(c.roles)
        )
        linked = dict.fromkeys(before.works if before else ())
        linked.update(dict.fromkeys(works[w.value] for w in recording.works if is_iswc(w)))
        return Identity(
            main=tuple(main),
            featured=tuple(k for k in featured if k not in main),
            voices=tuple(voices) or (before.voices if before else ()),
            works=tuple(linked),
            withdrawn=before.withdrawn if before else False,
        )

    # Claims

    def _claim(self, recordings: Mapping[str, Recording]) -> set[int]:
        """Give the sender a master claim on what it never claimed; returns the keys claimed."""
        keys = {r.pk: r for r in recordings.values()}
        mine = RightsClaim.objects.filter(party=self.sender, right=Right.MASTER)
        ever = set(mine.filter(recording__in=keys).values_list("recording", flat=True))
        holding: set[int] = set()
        others: dict[int, set[str]] = {}
        known = [pk for pk, r in keys.items() if r.isrc not in self.fresh]
        for claim in active_claims(recordings=known):
            if claim.right != Right.MASTER or claim.recording_id is None or not claim.share_bp:
                continue
            if claim.party_id == self.sender.pk:
                holding.add(claim.recording_id)
            else:
                others.setdefault(claim.recording_id, set()).add(claim.party.name)
        for pk in sorted(ever - holding):
            self._note_on(keys[pk].isrc, "claim_was_ended")
        claimed = [r for pk, r in keys.items() if pk not in ever]
        for recording in claimed:
            for other in sorted(others.get(recording.pk, ())):
                self._note_on(recording.isrc, "claimed_by_another", other)
        rows = [
            RightsClaim(
                party=self.sender,
                recording=recording,
                right=Right.MASTER,
                share_bp=10_000,
                authority=Authority.CONTRACT,
                source="import",
            )
            for recording in claimed
        ]
        self.leaves += write_claims(self.by, rows, "claim.made")
        self.counts.claims = len(rows)
        return {r.pk for r in claimed}

    def _note_on(self, isrc: str, code: str, about: str = "") -> None:
        self._note(code, display_isrc(isrc), about, line=self.lines.get(isrc, 0))

    def _note(self, code: str, value: str = "", about: str = "", *, line: int = 0) -> None:
        severity = Severity.SKIPPED if code.startswith("older") else Severity.FLAGGED
        self.problems.append(
            Note(severity, code, "/NewReleaseMessage", line, value[:80], about[:80])
        )
