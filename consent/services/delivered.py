"""What a message says of a recording, in the shape of our tables, and written there.

None of this is read by a decision: titles and credits are for people.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from consent.catalogue import message as ern
from consent.identifiers import display_isrc
from consent.models import Credit, RecordingTitle
from consent.services.matching import Matched
from consent.services.rows import insert_rows
from consent.words import AiPart

# DDEX contributor roles whose party can be heard singing or speaking.
VOCAL_ROLES = frozenset(
    {
        "Vocalist",
        "LeadVocalist",
        "BackgroundVocalist",
        "FeaturedVocalist",
        "VocalAccompaniment",
        "Vocals",
        "Singer",
        "Rapper",
        "Choir",
        "ChoirMember",
        "Chorus",
        "Narrator",
        "Speaker",
        "SpokenWord",
        "Beatboxer",
        "HumanBeatbox",
        "Soprano",
        "MezzoSoprano",
        "Alto",
        "Contralto",
        "CounterTenor",
        "Tenor",
        "Baritone",
        "Bass-Baritone",
        "BassVocalist",
    }
)
# ... and those whose party plays the instruments that are named beside them.
PLAYING_ROLES = frozenset(
    {
        "Artist",
        "AssociatedPerformer",
        "InstrumentalSoloist",
        "Musician",
        "Performer",
        "PrimaryMusician",
        "Soloist",
        "StudioMusician",
    }
)
BATCH = 2000


def recording_values(r: ern.Recording) -> dict[str, Any]:
    """The columns of a recording; one without a title goes by its ISRC."""
    return {
        "title": r.title[:500] or display_isrc(r.isrc),
        "language": r.title_language,
        "duration_ms": r.duration_ms,
        "contains_ai": str(r.contains_ai),
    }


type Title = tuple[str, str, str]
type CreditLine = tuple[int, str, str, int, str]


def titles_of(r: ern.Recording) -> list[Title]:
    """The other titles: text, language, kind."""
    found: dict[tuple[str, str], str] = {}
    for title in r.titles:
        text = str(title)[:500]
        if text == r.title[:500] and title.language in ("", r.title_language):
            continue
        found.setdefault((text, title.language), title.kind[:30])
    return [(*key, kind) for key, kind in found.items()]


def credits_of(r: ern.Recording, matched: Matched) -> list[CreditLine]:
    """Each party in each role, once: party, role, instrument, position, AI part."""
    found: dict[tuple[int, str, str], tuple[int, str]] = {}

    def add(who: ern.DisplayArtist | ern.Contributor, role: str, instrument: str, ai: str) -> None:
        special = matched.special if who.special else matched.parties
        party = special.get(who.special or who.party_reference)
        if party is not None:
            position = who.sequence if who.sequence is not None else len(found) + 1
            found.setdefault((party.pk, role[:80], instrument[:80]), (min(position, 32_767), ai))

    for artist in r.display_artists:
        add(artist, artist.role or "MainArtist", "", AiPart.UNDECLARED)
    for c in r.contributors:
        # Instruments belong to playing them: the same person's lyrics have none.
        playing = PLAYING_ROLES.intersection(c.roles) or set(c.roles)
        for role in c.roles or ("Contributor",):
            for instrument in (c.instruments if role in playing or not c.roles else ()) or ("",):
                add(c, role, instrument, str(c.ai_contribution))
    return [(*key, *rest) for key, rest in found.items()]


def replace_titles(titles: Mapping[int, Sequence[Title]]) -> set[int]:
    """Write the titles of recordings where they differ; returns those recordings' keys."""
    before: dict[int, list[Title]] = {}
    rows = RecordingTitle.objects.filter(recording__in=titles)
    for pk, *title in rows.values_list("recording", "title", "language", "kind"):
        before.setdefault(pk, []).append((title[0], title[1], title[2]))
    changed = {pk for pk, new in titles.items() if sorted(new) != sorted(before.get(pk, []))}
    rows.filter(recording__in=changed).delete()
    insert_rows(
        RecordingTitle,
        ("recording", "title", "language", "kind"),
        ((pk, *title) for pk in changed for title in titles[pk]),
    )
    return changed


def replace_credits(credits: Mapping[int, Sequence[CreditLine]]) -> set[int]:
    """Write the delivered credits of recordings where they differ; others' credits stay."""
    before: dict[int, list[CreditLine]] = {}
    rows = Credit.objects.filter(recording__in=credits, source="ern")
    columns = ("recording", "party", "role", "instrument", "position", "ai_part")
    for pk, party, role, instrument, position, ai_part in rows.values_list(*columns):
        before.setdefault(pk, []).append((party, role, instrument, position, ai_part))
    changed = {pk for pk, new in credits.items() if sorted(new) != sorted(before.get(pk, []))}
    rows.filter(recording__in=changed).delete()
    insert_rows(
        Credit,
        (*columns, "source"),
        ((pk, *credit, "ern") for pk in changed for credit in credits[pk]),
        ignore_conflicts=True,  # the same credit was given by hand before
    )
    return changed


def is_iswc(identifier: ern.Identifier) -> bool:
    """Whether it identifies a work, and well."""
    return identifier.scheme == "iswc" and identifier.valid


def day_of(text: str) -> date | None:
    """A day, where the message gives one; a year alone is none."""
    return date.fromisoformat(text) if len(text) == 10 else None
