"""The parts that recordings and releases share: titles, credit lines, artists, AI disclosure."""

from typing import Final

from consent.catalogue import values
from consent.catalogue.disclosure import DDEX_VALUES
from consent.catalogue.message import (
    LONGEST_WORD,
    CopyrightLine,
    DisplayArtist,
    Identifier,
    Name,
    Party,
    Title,
)
from consent.catalogue.report import Report, preferred
from consent.catalogue.xmlstream import Element
from consent.identifiers import Scheme
from consent.words import AiPart

_TITLE_KINDS: Final = {
    "DisplayTitle": "display",
    "DisplayTitleText": "display_text",
    "AdditionalTitle": "additional",  # ERN 4.2 and 4.3
    "FormalTitle": "formal",  # ERN 4.3.2
    "GroupingTitle": "grouping",  # ERN 4.3.2
}

_CHECKED_PARTY_IDS: Final = {
    "ISNI": Scheme.ISNI,
    "DPID": Scheme.DPID,
    "IpiNameNumber": Scheme.IPI_NAME,
}
_UNCHECKED_PARTY_IDS: Final = {
    "IPN": "ipn",
    "CisacSocietyId": "cisac_society",
    "ProprietaryId": "proprietary",
}


def read_titles(element: Element, report: Report, *, about: str) -> tuple[Title, ...]:
    """All titles of a recording or release, display titles first."""
    titles = [_title(child, report) for child in element.all(*_TITLE_KINDS)]
    titles = [title for title in titles if title.text]
    if not titles:
        report.flag(element, "missing_title", about=about)
    order = list(_TITLE_KINDS.values())
    return tuple(
        sorted(titles, key=lambda t: order.index(t.kind) if t.kind in order else len(order))
    )


def _title(element: Element, report: Report) -> Title:
    kind = _TITLE_KINDS[element.name]
    language = report.language(element)
    is_default = element.flag("IsDefault")
    if kind == "display_text":
        return Title(report.text(element), kind, language, is_default=is_default)
    if kind == "additional":
        own = element.attributes.get("UserDefinedValue") or element.attributes.get("TitleType")
        kind = (own or kind).strip()[:30]
    text = report.text(element.first("TitleText"))
    subtitle = report.text(element.first("SubTitle"))
    return Title(text, kind, language, subtitle, is_default)


def read_display_names(element: Element, report: Report) -> tuple[Name, ...]:
    """The credit line in its languages, the default one first."""
    found = list(element.all("DisplayArtistName"))
    first = preferred(found)
    names = [Name(report.text(e), report.language(e)) for e in found if e is first]
    names += [Name(report.text(e), report.language(e)) for e in found if e is not first]
    return tuple(name for name in names if name.text)


def read_display_artists(
    element: Element, report: Report, *, about: str
) -> tuple[DisplayArtist, ...]:
    """The artists of the credit line, in the order of their SequenceNumber."""
    artists = []
    for child in element.all("DisplayArtist"):
        reference, special = _who(child, report, "ArtistPartyReference", "SpecialDisplayArtist")
        if not reference and not special:
            report.flag(child, "missing_party_reference", about=about)
            continue
        role = report.word(child.first("DisplayArtistRole"))
        artists.append(DisplayArtist(reference, role, report.sequence(child), special))
    if not artists:
        report.flag(element, "missing_display_artist", about=about)
    elif not any(artist.role == "MainArtist" for artist in artists):
        report.flag(element, "missing_main_artist", about=about)
    return tuple(sorted(artists, key=lambda a: (a.sequence is None, a.sequence or 0)))


def _who(
    element: Element, report: Report, reference_name: str, special_name: str
) -> tuple[str, str]:
    reference = report.text(element.first(reference_name), LONGEST_WORD)
    return reference, "" if reference else report.word(element.first(special_name))


def read_contributor_party(element: Element, report: Report) -> tuple[str, str]:
    """Reference and special contributor of a Contributor; exactly one is set, or neither."""
    return _who(element, report, "ContributorPartyReference", "SpecialContributor")


def read_ai_part(element: Element, name: str, report: Report) -> AiPart:
    """The value of `ContainsAI` or `AiContribution`; absent or unknown is undeclared."""
    child = element.first(name)
    if child is None:
        return AiPart.UNDECLARED
    if child.text not in DDEX_VALUES:
        report.flag(child, "ai_unknown_value", child.text)
        return AiPart.UNDECLARED
    return DDEX_VALUES[child.text]


def read_copyright_line(element: Element, name: str, report: Report) -> CopyrightLine | None:
    """The default `PLine` or `CLine`, or None."""
    line = preferred(list(element.all(name)))
    if line is None:
        return None
    year_element = line.first("Year")
    year = values.year(year_element.text) if year_element is not None else None
    if year_element is not None and year is None:
        report.flag(year_element, "bad_year", year_element.text)
    return CopyrightLine(
        report.text(line.first(f"{name}Text")), year, report.text(line.first(f"{name}Company"))
    )


def read_party(element: Element, report: Report) -> Party | None:
    """A party of the PartyList; None, and reported, when nothing can refer to it."""
    reference = report.text(element.first("PartyReference"), LONGEST_WORD)
    if not reference:
        report.skip(element, "missing_reference", about="Party")
        return None
    names = tuple(
        name for e in element.all("PartyName") if (name := _party_name(e, report)) is not None
    )
    if not names:
        report.flag(element, "missing_name", about=reference)
    identifiers = tuple(
        identifier for e in element.all("PartyId") for identifier in _party_ids(e, report)
    )
    return Party(reference, names, identifiers, element.line)


def _party_name(element: Element, report: Report) -> Name | None:
    full = element.first("FullName")
    text = report.text(full)
    if full is None or not text:
        return None
    return Name(
        text,
        report.language(element) or report.language(full),
        report.text(element.first("FullNameIndexed")),
        element.flag("IsStageName"),
        element.flag("IsLegalName"),
    )


def _party_ids(element: Element, report: Report) -> list[Identifier]:
    found = []
    for child in element.children:
        if child.name in _CHECKED_PARTY_IDS:
            found.append(report.identifier(child, _CHECKED_PARTY_IDS[child.name]))
        elif child.name in _UNCHECKED_PARTY_IDS:
            found.append(report.unchecked_identifier(child, _UNCHECKED_PARTY_IDS[child.name]))
        else:
            report.flag(child, "unknown_id_type", child.name)
    if not element.children and element.text:  # as ERN 3 wrote it
        report.flag(element, "unknown_id_type", element.text)
    return found
