"""Reads DDEX ERN release messages: versions 4.2, 4.3 and 4.3.2 of NewReleaseMessage.

`read_message` is all there is to call. It returns a `Message` of plain values with a list of
problems, or raises `MessageRefused`; it writes nothing and asks nobody. What counts of the file:

- header: who sent it (and on whose behalf), its id, thread and moment, live or test;
- parties with their names and identifiers;
- sound recordings with ISRC, titles, credit lines, artists, contributors, rights controllers,
  works, duration, ℗ line and AI disclosure;
- releases with identifiers, titles, label, running order, dates and AI disclosure.

What does not count is reported as skipped: other resources, track releases, deals and every other
section. Technical details, relations, genres, keywords and the like pass by in silence: they say
nothing about who made a recording or what may be done with it.

A malformed or missing ISRC refuses that recording and no other. Every other identifier that its
rule refuses is kept as delivered and flagged. Which of two messages is newer is for the caller
to decide, by `Message.created_at`.
"""

from dataclasses import replace
from typing import Final

from consent.catalogue import values
from consent.catalogue.disclosure import release_contradicts
from consent.catalogue.message import (
    LONGEST_WORD,
    Message,
    Party,
    Recording,
    Release,
    Sender,
    Track,
)
from consent.catalogue.parts import read_party
from consent.catalogue.problems import MessageRefused, Problem, Severity
from consent.catalogue.recordings import read_recordings
from consent.catalogue.releases import Place, read_release
from consent.catalogue.report import Report
from consent.catalogue.xmlstream import (
    ByteSource,
    Element,
    Item,
    Passed,
    Root,
    Section,
    read_events,
)
from consent.days import OUT_OF_RANGE, within_reach
from consent.identifiers import IdentifierError, display_isrc, normalise_dpid

MAX_BYTES: Final = 200_000_000

VERSIONS: Final = {
    "http://ddex.net/xml/ern/42": "4.2",
    "http://ddex.net/xml/ern/43": "4.3",
    "http://ddex.net/xml/ern/432": "4.3.2",
}
_ANY_ERN: Final = ("http://ddex.net/xml/ern/", "http://service.ddex.net/xml/ern/")

_OTHER_RESOURCES: Final = ("Video", "Image", "Text", "SheetMusic", "Software")
_WANTED: Final = {
    ("PartyList", "Party"),
    ("ResourceList", "SoundRecording"),
    *(("ResourceList", name) for name in _OTHER_RESOURCES),
    ("ReleaseList", "Release"),
}
_IGNORED: Final = {
    "TechnicalDetails",
    "DisplayCredits",
    "RelatedRelease",
    "RelatedResource",
    "Keywords",
    "Synopsis",
    "MarketingComment",
}
_REQUIRED_SECTIONS: Final = ("PartyList", "ResourceList", "ReleaseList")
_COUNTED: Final = {"TrackRelease": "track_releases", "ClipRelease": "clip_releases"}


def read_message(source: bytes | ByteSource, *, max_bytes: int = MAX_BYTES) -> Message:
    """Read a release message from bytes, a file opened for reading bytes, or an upload.

    Raises `MessageRefused` (code, sentence, line), and nothing else of its own, when the file is
    not a complete and plain XML document, larger than `max_bytes`, not a NewReleaseMessage of a
    supported version, or does not say who sent it, when, and under which id.
    """
    reading = _Reading()
    events = read_events(
        source, max_bytes=max_bytes, whole={"MessageHeader"}, wanted=_WANTED, ignored=_IGNORED
    )
    for event in events:
        match event:
            case Root():
                reading.start(event)
            case Section():
                reading.enter(event)
            case Item():
                reading.read(event.element)
            case Passed():
                reading.pass_by(event)
    return reading.finish()


class _Reading:
    """What is known so far while a message streams by."""

    def __init__(self) -> None:
        self._report = Report()
        self._root = Root("", "", {}, 0)
        self._header: Element | None = None
        self._sections: dict[str, Section] = {}
        self._passed: list[Passed] = []
        self._parties: dict[str, Party] = {}
        self._recordings: dict[str, Recording] = {}  # by ISRC
        self._isrc_of: dict[str, str | None] = {}  # by resource reference
        self._releases: list[tuple[Release, list[Place], str]] = []  # with its path
        self._pointers: list[tuple[str, Element, str]] = []  # at parties not seen yet

    def start(self, root: Root) -> None:
        if root.namespace not in VERSIONS:
            if root.namespace.startswith(_ANY_ERN):
                number = root.namespace.rpartition("/")[2]
                raise MessageRefused("unsupported_version", root.line, number)
            raise MessageRefused("not_ern", root.line, root.name)
        if root.name != "NewReleaseMessage":
            raise MessageRefused("not_a_release_message", root.line, root.name)
        self._root = root

    def enter(self, section: Section) -> None:
        self._sections.setdefault(section.name, section)

    def read(self, element: Element) -> None:
        match element.name:
            case "MessageHeader":
                self._header = self._header or element
            case "Party":
                self._read_party(element)
            case "SoundRecording":
                self._read_sound_recording(element)
            case "Release":
                self._read_release(element)
            case other:
                reference = self._resource_reference(element)
                self._report.skip(element, "resource_not_audio", other, reference)

    def pass_by(self, passed: Passed) -> None:
        self._passed.append(passed)

    def finish(self) -> Message:
        if self._header is None:
            raise MessageRefused("missing_header", self._root.line)
        message = self._read_header(self._header)
        self._follow_pointers()
        releases = tuple(self._complete(*draft) for draft in self._releases)
        self._report_what_was_left_out()
        return replace(
            message,
            parties=self._parties,
            recordings=tuple(self._recordings.values()),
            releases=releases,
            problems=self._report.in_file_order(),
        )

    def _read_header(self, header: Element) -> Message:
        message_id = self._report.text(header.first("MessageId"), LONGEST_WORD)
        if not message_id:
            raise MessageRefused("missing_message_id", header.line)
        sender = self._read_sender(header.first("MessageSender"))
        if sender is None:
            raise MessageRefused("missing_sender", header.line)
        created = header.first("MessageCreatedDateTime")
        if created is None or not created.text:
            raise MessageRefused("missing_created_at", header.line)
        moment = values.moment(created.text)
        if moment is None:
            raise MessageRefused("bad_created_at", created.line, created.text)
        created_at, has_zone = moment
        if not within_reach(created_at):
            raise MessageRefused(OUT_OF_RANGE, created.line, created.text)
        if not has_zone:
            self._report.flag(created, "no_time_zone", created.text)
        return Message(
            version=VERSIONS[self._root.namespace],
            message_id=message_id,
            thread_id=self._report.text(header.first("MessageThreadId"), LONGEST_WORD),
            sender=sender,
            sent_on_behalf_of=self._read_sender(header.first("SentOnBehalfOf")),
            created_at=created_at,
            is_test=self._read_is_test(header),
            language=self._root.attributes.get("LanguageAndScriptCode", "").strip()[:35],
            parties={},
            recordings=(),
            releases=(),
        )

    def _read_sender(self, element: Element | None) -> Sender | None:
        party_id = element.first("PartyId") if element is not None else None
        if element is None or party_id is None:
            return None
        party_id = party_id.first("DPID") or party_id
        name = element.first("PartyName")
        full_name = self._report.text(name.first("FullName") if name is not None else None)
        if not party_id.text:
            return None
        try:
            return Sender(normalise_dpid(party_id.text), full_name, dpid_valid=True)
        except IdentifierError as error:
            self._report.identifier_refused(party_id, error, Severity.FLAGGED)
            return Sender(party_id.text[:LONGEST_WORD], full_name, dpid_valid=False)

    def _read_is_test(self, header: Element) -> bool:
        control = header.first("MessageControlType")
        if control is None or control.text == "LiveMessage":
            return False
        if control.text != "TestMessage":
            self._report.flag(control, "unknown_control_type", control.text)
        return True

    def _read_party(self, element: Element) -> None:
        party = read_party(element, self._report)
        if party is None:
            return
        if party.reference in self._parties:
            self._report.skip(element, "duplicate_reference", party.reference)
            return
        self._parties[party.reference] = party

    def _resource_reference(self, element: Element) -> str:
        reference = self._report.text(element.first("ResourceReference"), LONGEST_WORD)
        if reference:
            self._isrc_of.setdefault(reference, None)
        return reference

    def _read_sound_recording(self, element: Element) -> None:
        reference = self._report.text(element.first("ResourceReference"), LONGEST_WORD)
        if not reference:
            self._report.flag(element, "missing_reference", about="SoundRecording")
        elif reference in self._isrc_of:
            self._report.flag(element, "duplicate_reference", reference)
        recordings = read_recordings(element, self._report, reference=reference)
        if reference:
            first = recordings[0].isrc if recordings else None
            self._isrc_of.setdefault(reference, first)
        for recording in recordings:
            known = self._recordings.get(recording.isrc)
            if known is not None:
                isrc = display_isrc(recording.isrc)
                self._report.skip(element, "duplicate_isrc", isrc, known.reference)
                continue
            self._recordings[recording.isrc] = recording
        if recordings:
            about = reference or display_isrc(recordings[0].isrc)
            references = [a.party_reference for a in recordings[0].display_artists]
            references += [c.party_reference for r in recordings for c in r.contributors]
            references += [c.party_reference for c in recordings[0].rights_controllers]
            self._point_at(references, element, about)

    def _read_release(self, element: Element) -> None:
        release, places = read_release(element, self._report)
        self._releases.append((release, places, element.path))
        references = [a.party_reference for a in release.display_artists]
        self._point_at([*references, release.label_reference], element, release.reference)

    def _point_at(self, references: list[str], element: Element, about: str) -> None:
        for reference in dict.fromkeys(references):
            if reference and reference not in self._parties:
                place = Element(element.name, element.path, element.line, {})
                self._pointers.append((reference, place, about))

    def _follow_pointers(self) -> None:
        for reference, element, about in self._pointers:
            if reference not in self._parties:
                self._report.flag(element, "unknown_party", reference, about)

    def _complete(self, release: Release, places: list[Place], path: str) -> Release:
        tracks = []
        for position, place in enumerate(places, start=1):
            if place.reference not in self._isrc_of:
                self._report.flag(
                    place.element, "unknown_resource", place.reference, release.reference
                )
            isrc = self._isrc_of.get(place.reference)
            tracks.append(Track(position, place.reference, isrc))
        self._compare_disclosures(release, tracks, path)
        label = self._parties.get(release.label_reference)
        return replace(release, tracks=tuple(tracks), label_name=label.name if label else "")

    def _compare_disclosures(self, release: Release, tracks: list[Track], path: str) -> None:
        for track in tracks:
            recording = self._recordings.get(track.isrc or "")
            if recording and release_contradicts(release.contains_ai, recording.contains_ai):
                self._report.add(
                    Problem(
                        Severity.FLAGGED,
                        "ai_release_contradicts",
                        path,
                        release.line,
                        release.contains_ai.value,
                        display_isrc(recording.isrc),
                    )
                )

    def _report_what_was_left_out(self) -> None:
        unread: dict[str, int] = {}
        for passed in self._passed:
            name = passed.element.name
            if name in _COUNTED:
                self._report.skip(passed.element, _COUNTED[name], str(passed.count))
            elif passed.section in _REQUIRED_SECTIONS:
                self._report.skip(passed.element, "element_not_read", name, str(passed.count))
            else:
                unread[passed.section] = unread.get(passed.section, 0) + passed.count
        for name, section in self._sections.items():
            if name not in (*_REQUIRED_SECTIONS, "MessageHeader"):
                place = Element(name, section.path, section.line, {})
                code = "deals" if name == "DealList" else "section_not_read"
                self._report.skip(place, code, str(unread.get(name, 0)), name)
        root = Element(self._root.name, f"/{self._root.name}", self._root.line, {})
        for name in _REQUIRED_SECTIONS:
            if name not in self._sections:
                self._report.flag(root, "missing_section", about=name)
