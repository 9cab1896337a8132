"""Reads one Release of the ReleaseList: what it is called, whose label, which tracks in order."""

from dataclasses import dataclass

from consent.catalogue import values
from consent.catalogue.message import LONGEST_WORD, Identifier, Release
from consent.catalogue.parts import (
    read_ai_part,
    read_copyright_line,
    read_display_artists,
    read_display_names,
    read_titles,
)
from consent.catalogue.report import Report, preferred
from consent.catalogue.xmlstream import Element
from consent.identifiers import Scheme


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the running order, before its reference is followed."""

    reference: str
    element: Element


def read_release(element: Element, report: Report) -> tuple[Release, list[Place]]:
    """A release without its tracks and label name, and the places of its running order.

    Tracks and label name need the whole message; the caller fills them in.
    """
    reference = report.text(element.first("ReleaseReference"), LONGEST_WORD)
    if not reference:
        report.flag(element, "missing_reference", about="Release")
    release_id = element.first("ReleaseId")
    identifiers = _read_ids(release_id, report) if release_id is not None else ()
    about = next((i.value for i in identifiers), reference)
    if not identifiers:
        report.flag(element, "missing_release_id", about=reference)
    label = preferred(list(element.all("ReleaseLabelReference")))
    if label is None:
        report.flag(element, "missing_label", about=about)
    release = Release(
        reference=reference,
        identifiers=identifiers,
        titles=read_titles(element, report, about=about),
        kind=report.word(element.first("ReleaseType"))[:60],
        display_artist_names=read_display_names(element, report),
        display_artists=read_display_artists(element, report, about=about),
        label_reference=report.text(label, LONGEST_WORD),
        label_name="",
        tracks=(),
        contains_ai=read_ai_part(element, "ContainsAI", report),
        line=element.line,
        released_on=report.date(preferred(list(element.all("ReleaseDate")))),
        originally_released_on=report.date(preferred(list(element.all("OriginalReleaseDate")))),
        p_line=read_copyright_line(element, "PLine", report),
        c_line=read_copyright_line(element, "CLine", report),
    )
    places = [p for group in element.all("ResourceGroup") for p in _places(group, report)]
    return release, places


def _read_ids(element: Element, report: Report) -> tuple[Identifier, ...]:
    found = [report.identifier(e, Scheme.ICPN) for e in element.all("ICPN")]
    found += [report.identifier(e, Scheme.GRID) for e in element.all("GRid")]
    for name, scheme in (("ProprietaryId", "proprietary"), ("CatalogNumber", "catalogue_number")):
        found += [report.unchecked_identifier(e, scheme) for e in element.all(name)]
    return tuple(found)


def _places(group: Element, report: Report) -> list[Place]:
    """The running order of a group: by SequenceNumber where every member has one."""
    members = [_numbered(m, report) for m in group.all("ResourceGroup", "ResourceGroupContentItem")]
    if all(number is not None for number, _ in members):
        members.sort(key=lambda member: member[0] or 0)
    places = []
    for _, member in members:
        if member.name == "ResourceGroup":
            places += _places(member, report)
        else:
            reference = report.text(member.first("ReleaseResourceReference"), LONGEST_WORD)
            places.append(Place(reference, member))
    return places


def _numbered(member: Element, report: Report) -> tuple[int | None, Element]:
    child = member.first("SequenceNumber")
    if child is None:
        return None, member
    number = values.whole_number(child.text)
    if number is None:
        report.flag(child, "bad_number", child.text)
    return number, member
