"""Release messages for tests, as the reader hands them over."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from consent.catalogue.message import (
    Contributor,
    DisplayArtist,
    Identifier,
    Message,
    Name,
    Party,
    Recording,
    Release,
    Sender,
    Title,
    Track,
)
from consent.services.catalogue import ImportReport, import_message
from consent.words import AiPart

FJORD = Sender("PADPIDA20260101998", "Fjord Records", dpid_valid=True)
KAEDE = Sender("PADPIDA2026010188E", "Kaede Sound", dpid_valid=True)
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)


def a_party(
    reference: str,
    *names: str,
    indexed: str = "",
    isni: str = "",
    number: str = "",
    valid: bool = True,
) -> Party:
    identifiers = [Identifier("isni", isni, valid=valid)] if isni else []
    if number:
        identifiers.append(Identifier("proprietary", number, namespace="PADPIDA20260101998"))
    return Party(
        reference,
        tuple(Name(n, indexed=indexed if n == names[0] else "") for n in names),
        tuple(identifiers),
        line=10,
    )


MAREN = a_party("PMaren", "Maren Holt", indexed="Holt, Maren", number="M-1")
AOI = a_party("PAoi", "田中葵", "Aoi Tanaka", isni="0000000121032683")
TIDES = a_party("PTides", "The Low Tides", indexed="Low Tides, The")


def a_recording(
    isrc: str,
    title: str = "Havn",
    *,
    main: Sequence[str] = ("PMaren",),
    featured: Sequence[str] = (),
    vocals: Sequence[str] = (),
    contributors: Sequence[Contributor] = (),
    titles: Sequence[Title] = (),
    works: Sequence[str] = (),
    contains_ai: AiPart = AiPart.UNDECLARED,
) -> Recording:
    return Recording(
        reference=f"A{isrc}",
        isrc=isrc,
        titles=(Title(title, "display", "en", is_default=True), *titles),
        display_artist_names=(),
        display_artists=tuple(
            DisplayArtist(ref, role, n)
            for role, refs in (("MainArtist", main), ("FeaturedArtist", featured))
            for n, ref in enumerate(refs, 1)
        ),
        contributors=(
            *contributors,
            *(Contributor(ref, ("LeadVocalist",), ()) for ref in vocals),
        ),
        rights_controllers=(),
        works=tuple(Identifier("iswc", w) for w in works),
        contains_ai=contains_ai,
        line=20,
        duration_ms=180_000,
    )


def a_release(
    *isrcs: str, icpn: str = "4006381333931", title: str = "Havner", label: str = "Fjord"
) -> Release:
    return Release(
        reference="R0",
        identifiers=(Identifier("icpn", icpn),),
        titles=(Title(title, "display", "en", is_default=True),),
        kind="Album",
        display_artist_names=(),
        display_artists=(),
        label_reference="PFjord",
        label_name=label,
        tracks=tuple(Track(n, f"A{isrc}", isrc) for n, isrc in enumerate(isrcs, 1)),
        contains_ai=AiPart.UNDECLARED,
        line=40,
        released_on="2026-03-06",
    )


def a_message(
    *recordings: Recording,
    releases: Sequence[Release] | None = None,
    parties: Sequence[Party] = (MAREN, AOI, TIDES),
    sender: Sender = FJORD,
    created_at: datetime = MONDAY,
    message_id: str = "havn-1",
) -> Message:
    if releases is None:
        releases = [a_release(*(r.isrc for r in recordings))]
    return Message(
        version="4.3",
        message_id=message_id,
        thread_id="",
        sender=sender,
        sent_on_behalf_of=None,
        created_at=created_at,
        is_test=False,
        language="en",
        parties={p.reference: p for p in parties},
        recordings=tuple(recordings),
        releases=tuple(releases),
    )


def take(message: Message) -> ImportReport:
    """Import it, as if this were its file."""
    return import_message(
        by=None, message=message, digest=sha256(repr(message).encode()).hexdigest()
    )


def codes(report: ImportReport) -> list[str]:
    return [p.code for p in report.problems]
