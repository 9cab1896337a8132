"""Rights claims delivered as a CSV file: publishing above all, which no release message brings."""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from consent.catalogue.claims_csv import ClaimLine, read_claims
from consent.catalogue.notes import Note, to_json
from consent.catalogue.problems import Problem, Severity
from consent.clock import now
from consent.identifiers import display_isrc, display_iswc
from consent.models import (
    Artist,
    CatalogueMessage,
    Party,
    PartyIdentifier,
    Recording,
    RightsClaim,
    Work,
)
from consent.services.acts import open_act, take_turn
from consent.services.claim_course import TERMS, Course, terms_of
from consent.services.claims import active_courses, is_nothing_disputed, write_claims
from consent.services.identities import Identity, latest_identities, write_identities
from consent.services.ledger import Leaf, record, refuse_when_frozen
from consent.services.matching import NAMED
from consent.services.parties import states_missing
from consent.services.profiles import lock_rights, refresh_profiles

if TYPE_CHECKING:
    from portal.models import User

FORMAT = "claims-csv"


@dataclass
class ClaimCounts:
    """What an import of claims did, in numbers; `lines` are those that hold a claim or a fault."""

    lines: int = 0
    made: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    parties_new: int = 0
    works_new: int = 0
    works_linked: int = 0


@dataclass(frozen=True, slots=True)
class ClaimsReport:
    """What became of a file of claims. `already_read`: it was read before, and changed nothing."""

    sender: Party
    already_read: bool = False
    counts: ClaimCounts = field(default_factory=ClaimCounts)
    problems: tuple[Problem, ...] = ()


@transaction.atomic
def import_claims_csv(
    *,
    by: "User | None",
    sender: Party,
    data: bytes,
    name: str = "",
    recordings: QuerySet[Recording] | None = None,
    artists: QuerySet[Artist] | None = None,
) -> ClaimsReport:
    """Take a file of claims that `sender` delivered; its columns are those of `claims_csv`.

    With `recordings` and `artists` its lines may be about these only: all others are reported as
    unknown, so that a file cannot be used to find out what is here.

    One act. A line about something that is claimed on the same terms already changes nothing; one
    with other terms changes the claim. A line that cannot be taken stops no other: it is reported,
    and its text kept with the report. The same file twice changes nothing.

    Raises `ClaimsRefused` when the file cannot be read at all, and `Frozen`.
    """
    refuse_when_frozen()
    read_before = CatalogueMessage.objects.filter(
        sender=sender, version=FORMAT, digest=hashlib.sha256(data).hexdigest()
    )
    if read_before.exists():
        return ClaimsReport(sender, already_read=True)
    take_turn("catalogue")
    within = (
        Recording.objects.all() if recordings is None else recordings,
        Artist.objects.all() if artists is None else artists,
    )
    return _Import(by, sender, data, *within).run(name)


class _Import:
    def __init__(
        self,
        by: "User | None",
        sender: Party,
        data: bytes,
        recordings: QuerySet[Recording],
        artists: QuerySet[Artist],
    ) -> None:
        self.by = by
        self.sender = sender
        self.known_recordings = recordings
        self.known_artists = artists
        self.at = now()
        self.digest = hashlib.sha256(data).hexdigest()
        self.file = read_claims(data)
        self.problems: list[Problem] = list(self.file.problems)
        self.counts = ClaimCounts(lines=len(self.file.lines) + len(self.file.refused))
        self.leaves: list[Leaf] = []

    def run(self, name: str) -> ClaimsReport:
        lines = self.file.lines
        self.recordings = {
            r.isrc: r for r in self.known_recordings.filter(isrc__in={x.isrc for x in lines})
        }
        self.artists = {
            a.slug: a
            for a in self.known_artists.filter(slug__in={x.artist for x in lines}).select_related(
                "party"
            )
        }
        self._find_works(lines)
        lines = tuple(x for x in lines if self._has_asset(x))
        parties = self._parties(lines)
        rows = [
            (line, self._row(line, parties[line.line])) for line in lines if line.line in parties
        ]

        links = {
            (self.recordings[x.isrc].pk, self.works[x.iswc].pk)
            for x, _row in rows
            if x.isrc and x.iswc and not x.artist
        }
        keys = lock_rights(
            recordings={r.recording_id for _, r in rows if r.recording_id}
            | {recording for recording, _ in links},
            works={r.work_id for _, r in rows if r.work_id},
            artists={r.repertoire_id for _, r in rows if r.repertoire_id},
        )
        keys |= self._link(links)
        self._claim(rows)
        refresh_profiles(keys)
        return self._finish(name)

    def _finish(self, name: str) -> ClaimsReport:
        problems = sorted(self.problems, key=lambda p: p.line)
        refused = {p.line for p in problems if p.severity is Severity.REFUSED}
        self.counts.refused = len(refused)
        CatalogueMessage.objects.create(
            sender=self.sender,
            message_id=name[:200] or FORMAT,
            digest=self.digest,
            version=FORMAT,
            created_at=self.at,
            read_at=self.at,
            report=[
                to_json(p) | ({"text": self.file.texts[p.line]} if p.line in refused else {})
                for p in problems
            ],
        )
        if self.leaves:
            act = open_act(
                by=self.by,
                kind="import_claims",
                at=self.at,
                entries=len(self.leaves),
                summary={"sender": str(self.sender.ref), **asdict(self.counts)},
            )
            record(act.ref, self.leaves)
        return ClaimsReport(self.sender, counts=self.counts, problems=tuple(problems))

    # What the lines are about

    def _find_works(self, lines: Iterable[ClaimLine]) -> None:
        """Find the works that lines name; those with a title are registered where they are new."""
        titles: dict[str, str] = {}
        for line in lines:
            if line.iswc and line.work_title:
                titles.setdefault(line.iswc, line.work_title[:500])
        wanted = {x.iswc for x in lines if x.iswc}
        known = set(Work.objects.filter(iswc__in=wanted).values_list("iswc", flat=True))
        fresh = [
            Work(iswc=iswc, title=title, created_at=self.at)
            for iswc, title in sorted(titles.items())
            if iswc not in known
        ]
        Work.objects.bulk_create(fresh, batch_size=2000)
        self.counts.works_new = len(fresh)
        self.works = {w.iswc: w for w in Work.objects.filter(iswc__in=wanted)}

    def _has_asset(self, line: ClaimLine) -> bool:
        if line.artist and line.artist not in self.artists:
            return self._refuse(line, "unknown_artist", line.artist)
        if line.artist:
            return True
        if line.iswc and line.iswc not in self.works:
            return self._refuse(line, "unknown_work", display_iswc(line.iswc))
        if line.isrc and line.isrc not in self.recordings:
            return self._refuse(line, "unknown_isrc", display_isrc(line.isrc))
        return True

    def _parties(self, lines: Iterable[ClaimLine]) -> dict[int, Party]:
        """Whose each line is, by line number; parties that are new are registered."""
        whose: dict[int, tuple[str, str, str]] = {}
        first: dict[tuple[str, str, str], ClaimLine] = {}
        found: dict[int, Party] = {}
        for line in lines:
            if line.party is not None:
                key = (line.party.scheme, "", line.party.value)
            elif line.party_name:
                key = (NAMED, str(self.sender.ref), line.party_name[:120])
            else:
                found[line.line] = self.sender
                continue
            whose[line.line] = key
            if key not in first or not first[key].party_name:
                first[key] = line
        known = {
            (i.scheme, i.namespace, i.value): i.party
            for i in PartyIdentifier.objects.filter(
                is_valid=True, value__in={value for _, _, value in first}
            )
            .select_related("party")
            .order_by("-party_id")
        }
        for line in lines:
            key_of_line = whose.get(line.line)
            if key_of_line is None:
                continue
            if key_of_line not in known:
                named = first[key_of_line]
                if not named.party_name:
                    self._refuse(line, "unknown_party", key_of_line[2])
                    continue
                known[key_of_line] = self._register(named, key_of_line)
            found[line.line] = known[key_of_line]
        return found

    def _register(self, line: ClaimLine, key: tuple[str, str, str]) -> Party:
        party = Party.objects.create(
            kind=str(line.party_kind), name=line.party_name[:300], created_at=self.at
        )
        named = (NAMED, str(self.sender.ref), line.party_name[:120])
        PartyIdentifier.objects.bulk_create(
            PartyIdentifier(party=party, scheme=scheme, namespace=namespace, value=value)
            for scheme, namespace, value in dict.fromkeys((key, named))
        )
        self.counts.parties_new += 1
        return party

    # What the lines say

    def _row(self, line: ClaimLine, party: Party) -> RightsClaim:
        work = self.works.get(line.iswc) if not line.artist else None
        return RightsClaim(
            party=party,
            repertoire=self.artists[line.artist].party if line.artist else None,
            work=work,
            recording=self.recordings.get(line.isrc) if not line.artist and not work else None,
            right=str(line.right),
            share_bp=line.share_bp,
            territories=list(line.territories),
            valid_from=line.valid_from,
            valid_until=line.valid_until,
            authority=str(line.authority),
            source="csv",
        )

    def _link(self, links: Iterable[tuple[int, int]]) -> set[int]:
        """Put works on recordings; returns the recordings for which that was new."""
        added: dict[int, list[int]] = {}
        for recording, work in sorted(links):
            added.setdefault(recording, []).append(work)
        before = latest_identities(list(added))
        identities = {}
        for pk, works in added.items():
            identity = before.get(pk, Identity(()))
            identities[pk] = replace(
                identity, works=tuple(dict.fromkeys((*identity.works, *works)))
            )
        recordings = {r.pk: r for r in self.recordings.values()}
        written = write_identities(
            self.by, [recordings[pk] for pk in added], identities, before=before
        )
        self.leaves += written.leaves
        self.counts.works_linked = len(written.recordings)
        return set(written.recordings)

    def _claim(self, rows: Iterable[tuple[ClaimLine, RightsClaim]]) -> None:
        rows = list(rows)
        active = {
            _key(c): course
            for course in active_courses(
                recordings=list({r.recording_id for _, r in rows if r.recording_id}),
                works=list({r.work_id for _, r in rows if r.work_id}),
                repertoires=list({r.repertoire_id for _, r in rows if r.repertoire_id}),
            )
            for c in course.rows
        }
        seen: dict[tuple[object, ...], int] = {}
        lines: dict[UUID, int] = {}
        made: list[RightsClaim] = []
        changed: list[RightsClaim] = []
        for line, row in rows:
            key = _key(row)
            if key in seen:
                self._refuse(line, "same_claim_twice", str(line.line), str(seen[key]))
                continue
            seen[key] = line.line
            course = active.get(key)
            if course is not None and _is_said(row, course):
                self.counts.unchanged += 1
            elif row.valid_from is not None and row.valid_from < self.at:
                day = row.valid_from.date().isoformat()
                self._refuse(line, "from_in_the_past", day)
            elif course is None:
                made.append(row)
            elif is_nothing_disputed(course):
                self._refuse(line, "claim_disputed", str(line.line))
            elif (other := lines.setdefault(course.rows[0].claim, line.line)) != line.line:
                self._refuse(line, "same_claim_twice", str(line.line), str(other))
            else:
                changes = self._changes(line, row, course)
                changed += changes
                self.counts.changed += bool(changes)
        self.leaves += states_missing(by=self.by, parties=[r.party for r in made])
        self.leaves += write_claims(self.by, made, "claim.made")
        self.leaves += write_claims(self.by, changed, "claim.changed")
        self.counts.made = len(made)

    def _changes(self, line: ClaimLine, row: RightsClaim, course: Course) -> list[RightsClaim]:
        """The rows that change a claim to what a line says; none where that cannot be."""
        rows = course.with_terms({name: getattr(row, name) for name in TERMS}, row.valid_from)
        new = rows[0]
        if new.valid_from and new.valid_until and new.valid_until <= new.valid_from:
            self._refuse(line, "until_before_from", new.valid_until.date().isoformat())
            return []
        new.source = row.source
        return rows

    def _refuse(self, line: ClaimLine, code: str, value: str, about: str = "") -> bool:
        self.problems.append(Note(Severity.REFUSED, code, "/", line.line, value[:80], about))
        return False


def _key(row: RightsClaim) -> tuple[object, ...]:
    on = (row.recording_id, row.work_id, row.repertoire_id)
    return (row.party_id, on, str(row.right), tuple(row.territories))


def _is_said(row: RightsClaim, course: Course) -> bool:
    """Does the claim say this already, from the same moment on, or now where none is named?"""
    if row.valid_from is None:
        return terms_of(row) == terms_of(course.rows[0])
    if row.valid_from < course.at:
        there = [r for r in course.rows if r.valid_from == row.valid_from]
    else:
        speaks = course.speaking_at(row.valid_from)
        there = [r for r in [speaks] if r.valid_from is None or r.valid_from <= row.valid_from]
    return any(terms_of(row) == terms_of(r) for r in there)
