"""Reads one SoundRecording of the ResourceList into recordings, one for each ISRC."""

from collections.abc import Iterable
from dataclasses import dataclass

from consent.catalogue import values
from consent.catalogue.disclosure import contradictions, contribution_of
from consent.catalogue.message import (
    LONGEST_WORD,
    Contributor,
    Identifier,
    Recording,
    RightsController,
)
from consent.catalogue.parts import (
    read_ai_part,
    read_contributor_party,
    read_copyright_line,
    read_display_artists,
    read_display_names,
    read_titles,
)
from consent.catalogue.problems import Severity
from consent.catalogue.report import Report
from consent.catalogue.xmlstream import Element
from consent.identifiers import IdentifierError, Scheme, display_isrc, normalise_isrc
from consent.words import AiPart


@dataclass(frozen=True, slots=True)
class _Isrc:
    current: str
    replaced: tuple[str, ...]
    element: Element


def read_recordings(element: Element, report: Report, *, reference: str) -> list[Recording]:
    """The recordings of a SoundRecording element: one for each edition with a valid ISRC.

    In ERN 4.2 the ISRC stands on the SoundRecording itself; from 4.3 on it stands on its
    editions, and stereo and immersive editions have ISRCs of their own. An ISRC that is missing
    or malformed refuses that edition and no other.
    """
    editions = list(element.all("SoundRecordingEdition")) or [element]
    isrcs = [(edition, _read_isrc(edition, report, reference)) for edition in editions]
    readable = [(edition, isrc) for edition, isrc in isrcs if isrc is not None]
    if not readable:
        return []
    about = reference or display_isrc(readable[0][1].current)
    titles = read_titles(element, report, about=about)
    names = read_display_names(element, report)
    artists = read_display_artists(element, report, about=about)
    contains_ai = read_ai_part(element, "ContainsAI", report)
    common = _read_contributors(element, "Contributor", report, contains_ai, about)
    controllers = _read_rights_controllers(element, report, about)
    works = _read_works(element, report)
    duration = _read_duration(element, report, about)
    recordings = []
    for edition, isrc in readable:
        own = _read_contributors(edition, "EditionContributor", report, contains_ai, about)
        recordings.append(
            Recording(
                reference=reference,
                isrc=isrc.current,
                titles=titles,
                display_artist_names=names,
                display_artists=artists,
                contributors=(*common, *own),
                rights_controllers=controllers,
                works=works,
                contains_ai=contains_ai,
                line=isrc.element.line,
                duration_ms=duration,
                p_line=read_copyright_line(edition, "PLine", report),
                edition="" if edition is element else report.word(edition.first("Type")),
                kind=report.word(element.first("Type")),
                replaced_isrcs=isrc.replaced,
                is_instrumental=values.flag(element.text_of("IsInstrumental")),
                language=element.text_of("LanguageOfPerformance")[:35],
            )
        )
    return recordings


def _read_isrc(edition: Element, report: Report, reference: str) -> _Isrc | None:
    found: list[tuple[Element, str]] = []
    replaced: list[tuple[Element, str]] = []
    refused = False
    for resource_id in edition.all("ResourceId"):
        code = resource_id.first("ISRC")
        if code is None:
            continue
        is_replaced = resource_id.flag("IsReplaced")
        try:
            isrc = normalise_isrc(code.text)
        except IdentifierError as error:
            severity = Severity.FLAGGED if is_replaced else Severity.REFUSED
            report.identifier_refused(code, error, severity)
            refused = refused or not is_replaced
        else:
            (replaced if is_replaced else found).append((code, isrc))
    if not found:
        if not refused:
            report.refuse(edition, "recording_without_isrc", about=reference)
        return None
    code, isrc = found[0]
    for other, value in found[1:]:
        report.flag(other, "second_isrc", display_isrc(value), display_isrc(isrc))
    for other, value in replaced:
        report.flag(other, "isrc_replaced", display_isrc(value), display_isrc(isrc))
    return _Isrc(isrc, tuple(value for _, value in replaced), code)


def _read_contributors(
    element: Element, name: str, report: Report, contains_ai: AiPart, about: str
) -> tuple[Contributor, ...]:
    contributors = []
    for child in element.all(name):
        reference, special = read_contributor_party(child, report)
        if not reference and not special:
            report.flag(child, "missing_party_reference", about=about)
            continue
        declared = read_ai_part(child, "AiContribution", report)
        instruments = list(child.all("InstrumentType"))
        for role in child.all("Role"):
            instruments += role.all("InstrumentType")
        contributor = Contributor(
            party_reference=reference,
            roles=_unique(report.word(role) for role in child.all("Role")),
            instruments=_unique(report.word(instrument) for instrument in instruments),
            ai_contribution=contribution_of(declared, special),
            special=special,
            sequence=report.sequence(child),
        )
        for code in contradictions(contains_ai, contributor):
            value = contributor.ai_contribution.value if "contributor" in code else ""
            report.flag(child, code, value or reference or special, about)
        contributors.append(contributor)
    return tuple(contributors)


def _read_rights_controllers(
    element: Element, report: Report, about: str
) -> tuple[RightsController, ...]:
    controllers = []
    for child in element.all("ResourceRightsController"):
        reference = report.text(child.first("RightsControllerPartyReference"), LONGEST_WORD)
        if not reference:
            report.flag(child, "missing_party_reference", about=about)
            continue
        share = child.first("RightSharePercentage")
        share_bp = values.basis_points(share.text) if share is not None else None
        if share is not None and share_bp is None:
            report.flag(share, "bad_share", share.text)
        types = _unique(report.word(kind) for kind in child.all("RightsControlType"))
        controllers.append(RightsController(reference, types, share_bp))
    return tuple(controllers)


def _read_works(element: Element, report: Report) -> tuple[Identifier, ...]:
    works = []
    for work_id in element.all("WorkId"):
        works += [report.identifier(e, Scheme.ISWC) for e in work_id.all("ISWC")]
        works += [
            report.unchecked_identifier(e, "proprietary") for e in work_id.all("ProprietaryId")
        ]
    return tuple(works)


def _read_duration(element: Element, report: Report, about: str) -> int | None:
    child = element.first("Duration")
    if child is None:
        report.flag(element, "missing_duration", about=about)
        return None
    duration = values.duration_ms(child.text)
    if duration is None:
        report.flag(child, "bad_duration", child.text)
    return duration


def _unique(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in words if word))
